/*
 * Restart policies: what a container's end leads to. The decision is pure; the monitor takes it
 *when the container ends, and libcaisson after a reboot. Linked by both.
 *
 * What must outlive a process:
 *
 *	restart.json	how often it was started again since somebody started it by hand, and when
 *	stopped		somebody stopped it by hand since then. Its text names the life of the run
 *root (up to a reboot) in which that was exit.json	"restarting": this end is followed by
 *another start, as long as a monitor lives
 */
#ifndef CSN_MONITOR_RESTART_H
#define CSN_MONITOR_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "caisson.h"
#include "monitor/monitor.h"

#define STOPPED_NAME "stopped"

enum {
	BACKOFF_FIRST_MS = 100, /* doubles … */
	BACKOFF_MAX_MS = 60 * 1000,
	BACKOFF_RESET_S = 10,	   /* … until it runs that long */
	LOOP_RESTARTS = 5,	   /* so many … */
	LOOP_WINDOW_S = 300,	   /* … in this time are a crash loop, … */
	LOOP_DELAY_MS = 30 * 1000, /* … which is slowed down to this at least */
};

struct restart_history {
	uint32_t count;			  /* restarts since it was started by hand */
	int64_t backoff_ms;		  /* the last one; 0: none yet */
	int64_t recent_ns[LOOP_RESTARTS]; /* when the last restarts were decided; 0: none */
	bool crash_loop;
};

/* Is a container that ended like this to be started again, after so many restarts? */
bool restart_wanted(const struct restart_policy *p, int exit_code, uint32_t restarts);
/* The same for an end now, as one more restart in the history: the delay in milliseconds, or -1. */
int64_t restart_decide(const struct restart_policy *p, const struct exit_record *end,
		       int64_t now_ns, struct restart_history *history);

/* restart.json; one that is not there or damaged is an empty history. */
void restart_history_read(int container_dir, struct restart_history *ret);
int restart_history_write(int container_dir, const struct restart_history *h,
			  struct csn_error *err);
bool restart_is_forbidden(int container_dir); /* stopped by hand */

#endif
