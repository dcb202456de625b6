/*
 * The journal of events: <run-root>/events, one line of JSON an event, appended by the monitors and
 * by libcaisson, read (and watched with inotify) by whoever asks for events. A reboot ends it.
 *
 *	{"time":"2026-11-24T13:05:00.123456789Z","type":"container","action":"die","id":"…",
 *	 "name":"web","image":"docker.io/library/busybox:latest","exit_code":137,"reason":"signal",
 *	 "signal":"SIGKILL","core_dumped":false,"oom_kills":0,"error":null}
 *
 * Writers exclude each other by flock on the file; times never go backwards by their doing. At
 * JOURNAL_MAX bytes the file becomes events.1, and nobody writes to it any more.
 */
#ifndef CSN_MONITOR_JOURNAL_H
#define CSN_MONITOR_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "monitor/monitor.h"

#define JOURNAL_NAME "events"
#define JOURNAL_OLD  "events.1"
enum { JOURNAL_MAX = 1 << 20 };

struct journal_event {
	const char *type;	       /* "container", "image" */
	const char *action;	       /* "create", "start", "die", … */
	const char *id, *name, *image; /* NULL: left out */
	const struct exit_record *end; /* with "die" */
	const char *signal;	       /* with "kill" */
	uint64_t oom_kills;	       /* with "oom": since the start */
};
int journal_add(const char *run_root, const struct journal_event *event, struct csn_error *err);

#endif
