/*
 * Restart policies as callers see them: given, changed, and overruled by who stops a container.
 *
 * Who restarts is the monitor (lib/monitor/rest.c). Who stops says so first ("stopped"), then
 * looks: a monitor that did not see it has written "restarting" before, and is killed under the
 * container's lock, without which it starts nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/sys.h"
#include "monitor/restart.h"
#include "runtime/runtime.h"

enum { END_TIMEOUT_MS = 10 * 1000 };

/* ---- policies ---------------------------------------------------------------------------------
 */

int csn_restart_policy_parse(const char *text, struct csn_restart_policy *ret,
			     struct csn_error *err)
{
	char kind[32];
	enum csn_restart_kind found = CSN_RESTART_NO;
	size_t size = strcspn(text, ":");
	unsigned long max = 0;
	bool good = size < sizeof kind;
	if (good) {
		memcpy(kind, text, size);
		kind[size] = '\0';
		good = !*text || restart_kind_parse(kind, &found) == 0;
	}
	if (good && text[size]) {
		char *end;
		const char *digits = text + size + 1;
		errno = 0;
		max = strtoul(digits, &end, 10);
		good = found == CSN_RESTART_ON_FAILURE && digits[0] >= '0' && digits[0] <= '9' &&
		       !*end && errno == 0 && max <= INT32_MAX;
	}
	if (!good)
		return fail(err, EINVAL,
			    "restart policy \"%.100s\": expected no, always, unless-stopped or "
			    "on-failure[:MAX]",
			    text);
	struct csn_restart_policy p = CSN_RESTART_POLICY_INIT;
	TRY(take_struct(&p, sizeof p, ret, "struct csn_restart_policy", err));
	p.kind = found;
	p.max_restarts = (unsigned)max;
	give_struct(ret, &p, sizeof p);
	return 0;
}

int restart_policy_take(const struct csn_restart_policy *given, bool auto_remove,
			struct restart_policy *ret, struct csn_error *err)
{
	struct csn_restart_policy p = CSN_RESTART_POLICY_INIT;
	TRY(take_struct(&p, sizeof p, given, "struct csn_restart_policy", err));
	if ((unsigned)p.kind > CSN_RESTART_ON_FAILURE)
		return fail(err, EINVAL, "restart policy: unknown kind %d", (int)p.kind);
	if (p.max_restarts && p.kind != CSN_RESTART_ON_FAILURE)
		return fail(
			err, EINVAL,
			"restart policy: a number of restarts goes with on-failure, not with %s",
			csn_restart_kind_name(p.kind));
	if (p.delay_ms < 0)
		return fail(err, EINVAL, "restart policy: expected a delay of 0 ms or more");
	if (p.kind != CSN_RESTART_NO && auto_remove)
		return fail(err, EINVAL,
			    "a container that removes itself cannot have a restart policy");
	*ret = (struct restart_policy){ p.kind, p.max_restarts, p.delay_ms };
	return 0;
}

int csn_container_set_restart(struct csn_runtime *rt, const char *container,
			      const struct csn_restart_policy *policy, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record r = { 0 };
	TRY(container_find(rt, container, &c, err));
	auto_fd lock = lock_dir(c.dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	TRY(engine_record_read(c.dir, &r, &arena, err));
	TRY(within(err, restart_policy_take(policy, r.auto_remove, &r.restart, err),
		   "container \"%s\"", container));
	TRY(engine_record_write(c.dir, &r, err));
	event_tell(rt, &c, (struct journal_event){ .action = "update" });
	return 0;
}

/* ---- stopped by hand --------------------------------------------------------------------------
 */

int restart_forbid(struct csn_runtime *rt, const struct container *c, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record record = { 0 };
	char text[GENERATION_SIZE];
	TRY(restart_generation(rt, text, err));
	/* Whom nothing starts after a power cut need not remember that. */
	bool durable = engine_record_read(c->dir, &record, &arena, NULL) < 0 ||
		       record.restart.kind != CSN_RESTART_NO;
	return within(
		err,
		file_write_atomic(c->dir, STOPPED_NAME, text, strlen(text), 0600, durable, err),
		"container %.12s", c->id);
}

int restart_cancel(struct csn_runtime *rt, const struct container *c, struct facts *f,
		   struct csn_error *err)
{
	if (!f->restarting)
		return 0;
	struct pollfd p = { .fd = f->monitor_fd, .events = POLLIN };
	(void)sys_pidfd_send_signal(f->monitor_fd, SIGKILL, NULL, 0);
	int n;
	do
		n = poll(&p, 1, END_TIMEOUT_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return fail(err, ETIMEDOUT, "container %.12s: its monitor does not end", c->id);
	facts_done(f);
	facts_read(rt, c, true, f);
	TRY(facts_clear(rt, c, err));
	(void)remove_tree(rt->monitor_dir, c->id, NULL);
	return 0;
}

void restart_forget(const struct container *c)
{
	(void)unlinkat(c->dir, STOPPED_NAME, 0);
	(void)unlinkat(c->dir, "restart.json", 0);
}
