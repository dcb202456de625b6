/* What create.c and restore.c share. Inside lib/host only. */
#ifndef CSN_HOST_RESTORE_H
#define CSN_HOST_RESTORE_H

#include "base/arena.h"
#include "cgroups/cgroups.h"
#include "host/host.h"

struct restore {
	const struct host_criu *req;
	const struct spec *spec;
	const char *id, *bundle, *rootfs;
	const struct cgroup *cgroup; /* where the processes go; closed: stay with us */
	bool stopped;		     /* they wait for SIGCONT: hooks come first */
	int namespaces[NS_KINDS];    /* restore.c's: those joined by path */
};

/* *ret is the first process, our child. */
int restore_processes(struct restore *r, struct arena *arena, pid_t *ret, struct csn_error *err);

#endif
