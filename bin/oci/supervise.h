/* Containers of which somebody sees the end (caisson runtime). */
#ifndef CSN_BIN_SUPERVISE_H
#define CSN_BIN_SUPERVISE_H

#include "host/host.h"

/*
 * As host_create; the container's output goes to log (created, appended to; NULL: nowhere). A
 * process stays behind until the container's program has ended, and writes how into exit.json of
 * its state directory. Nothing is left on failure.
 */
int supervised_create(const struct host_create *args, const char *log, struct csn_error *err);

struct supervised_end {
	bool known;    /* false: nobody saw it */
	int exit_code; /* 128+N for signal N */
	char signal[24], finished_at[40];
};
/* How a stopped container ended. Waits for whoever is about to write it. 0: it has no supervisor;
 * 1: ret is filled. */
int supervised_outcome(const char *id, struct supervised_end *ret, struct csn_error *err);

#endif
