noinst_LTLIBRARIES += lib/state/libstate.la
lib_state_libstate_la_SOURCES = \
	lib/state/document.c \
	lib/state/record.c \
	lib/state/state.h \
	lib/state/store.c
