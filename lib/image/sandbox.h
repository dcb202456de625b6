/* Confines the calling process to one directory, for good. */
#ifndef CSN_IMAGE_SANDBOX_H
#define CSN_IMAGE_SANDBOX_H

#include "caisson.h"

/*
 * dir_fd: a detached mount of the directory; it becomes "/" and nothing else is left. No network,
 * no new programs or processes, the capabilities that unpacking needs, bounded memory, and the
 * system calls of a list. The process must have one thread.
 */
int sandbox_enter(int dir_fd, struct csn_error *err);

#endif
