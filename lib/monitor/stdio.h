/* The standard streams of a process that the monitor starts. Inside lib/monitor. */
#ifndef CSN_MONITOR_STDIO_H
#define CSN_MONITOR_STDIO_H

#include "caisson.h"

/* Ends of pipes by stream number; -1: none. Ours never block. */
struct stdio {
	int ours[3], theirs[3];
};
#define STDIO_INIT                                                                                 \
	{                                                                                          \
		{ -1, -1, -1 },                                                                    \
		{                                                                                  \
			-1, -1, -1                                                                 \
		}                                                                                  \
	}

/* Pipes for output, and for input when that stays open. */
int stdio_make(struct stdio *s, bool has_input, struct csn_error *err);
/* Gives the pipes of output as much room as anybody may have: fewer and larger reads. */
void stdio_widen(const struct stdio *s);
/* Our 0, 1, 2 become theirs for the moment of a start. */
int stdio_lend(const struct stdio *s);
/* And /dev/null after it. */
int stdio_null(void);
/* Closes both ends. */
void stdio_done(struct stdio *s);

#endif
