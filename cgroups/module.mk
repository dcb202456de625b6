noinst_LTLIBRARIES += cgroups/libcgroups.la
cgroups_libcgroups_la_SOURCES = cgroups/cgroup.c cgroups/cgroups.h
