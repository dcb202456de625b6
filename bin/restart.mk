# caisson-restart: run between two runs of a container that its policy starts again.
pkglibexec_PROGRAMS += bin/caisson-restart
bin_caisson_restart_SOURCES = bin/restart.c bin/opts.c bin/opts.h
bin_caisson_restart_LDADD = lib/runtime/libruntime.la
