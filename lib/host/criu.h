/* Checkpoint and restore through criu(8), the program. Inside lib/host only. */
#ifndef CSN_HOST_CRIU_H
#define CSN_HOST_CRIU_H

#include "host/launch.h"
#include "host/words.h"

/* What dump and restore have in common: where images and logs are, options, externals. */
struct criu {
	struct words words;
	const struct host_criu *req;
	const struct spec *spec;
	int images; /* directory */
	char *images_path, *work_path;
	const char *log_name;
};
#define CRIU_INIT                                                                                  \
	{                                                                                          \
		.images = -1                                                                       \
	}

/* Opens (making what is missing) the directories and puts down "criu ACTION" with them. */
int criu_begin(struct criu *c, const struct host_criu *req, const struct spec *spec,
	       struct arena *arena, const char *action, struct csn_error *err);
/* Mounts that come from outside: at a dump (of pid) each is named by its target, at a restore (0)
 * the name becomes a source again. */
void criu_mounts(struct criu *c, const char *bundle, pid_t pid);
/* Runs it and waits. prepare is called in the child, for what must differ there. */
int criu_run(struct criu *c, int (*prepare)(void *data), void *data, struct csn_error *err);
void criu_done(struct criu *c);

#endif
