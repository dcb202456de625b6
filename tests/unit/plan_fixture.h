/* A config in memory, a bundle and a state root below a temporary directory, and what plan_build
 * and its parts need of them. */
#ifndef CSN_TESTS_PLAN_FIXTURE_H
#define CSN_TESTS_PLAN_FIXTURE_H

#include "host/plan_build.h"

struct fixture {
	char dir[64];	 /* DIR, with DIR/bundle/rootfs and DIR/state */
	char rootfs[96]; /* the same as in.rootfs */
	char bundle[96];
	struct host_context ctx;
	struct host_create req;
	struct spec *spec;
	struct plan_input in;
	struct built_plan built;
	struct csn_error err;
	char warnings[2048]; /* one a line */
};

/* The parts of a document: what follows ociVersion, root, and process.cwd and args; what is in
 * linux. ' stands for ". linux NULL: mount, pid and network namespaces. */
struct document {
	const char *top, *process, *linux_;
};

void fixture_open(struct fixture *f);
void fixture_load(struct fixture *f, struct document d);
/* Forgets the plan, for another one of the same spec. */
void fixture_forget(struct fixture *f);
void fixture_close(struct fixture *f);
/* Makes DIR/bundle/NAME with this text. */
void fixture_file(struct fixture *f, const char *name, const char *text);
/* True when a line of the warnings is text. */
bool fixture_warned(const struct fixture *f, const char *text);

#endif
