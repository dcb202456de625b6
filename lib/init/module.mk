noinst_LTLIBRARIES += lib/init/libinit.la
lib_init_libinit_la_SOURCES = \
	lib/init/child.h lib/init/plan.h lib/init/sync.h \
	lib/init/copyup.c \
	lib/init/creds.c \
	lib/init/dev.c \
	lib/init/exec.c \
	lib/init/fresh.c \
	lib/init/hook.c \
	lib/init/init.c \
	lib/init/inroot.c \
	lib/init/join.c \
	lib/init/joiner.c \
	lib/init/kernel.c \
	lib/init/limits.c \
	lib/init/mask.c \
	lib/init/mount.c \
	lib/init/rootfs.c \
	lib/init/seccomp.c \
	lib/init/sync.c \
	lib/init/tty.c
