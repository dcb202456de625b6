/* Facts about processes from the host's procfs. */
#ifndef CSN_BASE_PROC_H
#define CSN_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "caisson.h"

/* State letter and start time (field 22) of /proc/PID/stat. -ESRCH when gone. */
int proc_stat(pid_t pid, char *ret_state, uint64_t *ret_start_time);
/* True while pid exists, is no zombie and started at start_time. */
bool proc_alive(pid_t pid, uint64_t start_time);
/* pidfd of exactly that process: -ESRCH when the start time differs. CLOEXEC by kernel. */
int proc_pidfd(pid_t pid, uint64_t start_time);
/* How the process of a pidfd ended, as waitpid(2) tells it, without being its parent: Linux 6.15,
 * for whoever held the pidfd while it lived. Waits a moment for its parent to have reaped it.
 * -EOPNOTSUPP: it cannot be known. */
int proc_exit_status(int pidfd, int *ret_status);
/* /proc/sys/kernel/random/boot_id, 36 characters + NUL; cached. */
const char *proc_boot_id(void);

#endif
