/* Making one health check. Inside lib/monitor. */
#ifndef CSN_MONITOR_PROBE_H
#define CSN_MONITOR_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "monitor/health.h"
#include "monitor/supervise.h"

struct probe {
	const struct supervision *s;
	const struct csn_healthcheck *check;
	int64_t deadline_ns; /* on the monotonic clock */
	char output[HEALTH_OUTPUT + 4];
	size_t size;
};

/* Milliseconds until the deadline, for poll(2); 0: it is over. */
int probe_left(const struct probe *p);
/* Adds to the output, as far as there is room; NUL bytes become blanks. */
void probe_add(struct probe *p, const char *bytes, size_t size);
void probe_say(struct probe *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The deadline has passed: says so in front of what there is. Returns -1. */
int probe_is_late(struct probe *p);

/* Each gives the exit code of struct health_result. */
int probe_command(struct probe *p); /* probe_command.c */
int probe_tcp(struct probe *p);	    /* probe_net.c */
int probe_http(struct probe *p);

#endif
