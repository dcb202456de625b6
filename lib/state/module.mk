noinst_LTLIBRARIES += lib/state/libstate.la
lib_state_libstate_la_SOURCES = lib/state/store.c lib/state/state.h
