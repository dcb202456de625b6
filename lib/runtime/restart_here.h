/* For caisson-restart: the next run of a container, in place of the monitor that waited for it. */
#ifndef CSN_RUNTIME_RESTART_HERE_H
#define CSN_RUNTIME_RESTART_HERE_H

#include "caisson.h"

/* Becomes the container's monitor; pid_fd is its locked pid file. Comes back when nothing is to be
 * started any more (0), or nothing can be; the monitor's part of the run directories is gone then.
 */
int restart_here(struct csn_runtime *rt, const char *id, int pid_fd, struct csn_error *err);

#endif
