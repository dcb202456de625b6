noinst_LTLIBRARIES += lib/service/libservice.la
lib_service_libservice_la_SOURCES = \
	lib/service/container.c \
	lib/service/deployment.h \
	lib/service/health.c \
	lib/service/image.c \
	lib/service/mounts.c \
	lib/service/log_options.c \
	lib/service/resources.c \
	lib/service/seccomp_default.c lib/service/seccomp_default.h \
	lib/service/security.c \
	lib/service/service.h \
	lib/service/service_check.c \
	lib/service/service_fields.c \
	lib/service/to_image.c \
	lib/service/to_oci.c
