/*
 * Statistics of containers: one sample, a stream of one container, and many containers at once.
 *
 * What runs is found out when it may have changed: lib/state's directory, in which each running
 * container has an entry, is watched; between changes a sample of a thousand containers looks at
 * none of their records. A container that ends takes its group away, which its sampler tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "cgroups/stats.h"
#include "runtime/runtime.h"

#define ALL_TABLES ((1U << CSN_TABLES) - 1)

/* ---- one container ----------------------------------------------------------------------------
 */

/* A container that is sampled. Without a sampler it does not run. */
struct sampled {
	char id[CSN_ID_SIZE];
	struct cgroup_sampler *sampler;
	struct csn_stats *stats;
	bool listed; /* seen by the last look at what runs */
};

static bool has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	return poll(&p, 1, 0) != 0;
}

static int name_sample(const struct container *c, struct csn_stats *s)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record r = { 0 };
	if (engine_record_read(c->dir, &r, &arena, NULL) < 0)
		return 0; /* it has no name then */
	free(s->name);
	free(s->image);
	s->name = strdup(r.name ? r.name : "");
	s->image = strdup(r.image ? r.image : "");
	return s->name && s->image ? 0 : -ENOMEM;
}

/* Opens the files of a container. -ESRCH: it does not run. *ret_pidfd (may be NULL) is of its first
 * process. */
static int sampled_open(struct csn_runtime *rt, struct sampled *m, unsigned tables,
			unsigned *files_left, int *ret_pidfd, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;

	TRY(container_open(rt, m->id, &c, err));
	facts_read(rt, &c, false, &f);
	if (!facts_running(&f) || f.init_fd < 0 || cgroup_open(f.cgroup, &cg, NULL) < 0)
		return fail(err, ESRCH, "container %.12s is not running", m->id);
	if (!m->stats)
		m->stats = stats_new();
	if (!m->stats || name_sample(&c, m->stats) < 0)
		return fail(err, ENOMEM, "out of memory");
	memcpy(m->stats->id, m->id, CSN_ID_SIZE);
	TRY(cgroup_sampler_open(&cg, f.pid, tables, files_left, &m->sampler, err));
	/* It lives still, so what was opened by its pid is its own. */
	if (has_ended(f.init_fd)) {
		cgroup_sampler_close(m->sampler, files_left);
		m->sampler = NULL;
		return fail(err, ESRCH, "container %.12s is not running", m->id);
	}
	if (ret_pidfd)
		*ret_pidfd = take_fd(&f.init_fd);
	return 0;
}

static void sampled_close(struct sampled *m, unsigned *files_left)
{
	cgroup_sampler_close(m->sampler, files_left);
	m->sampler = NULL;
}

int csn_container_stats(struct csn_runtime *rt, const char *container, struct csn_stats **ret,
			struct csn_error *err)
{
	struct sampled m = { 0 };
	unsigned files = CSN_TABLES * STATS_COLUMNS_MAX; /* more than there are */
	TRY(csn_container_resolve(rt, container, m.id, err));
	int r = sampled_open(rt, &m, ALL_TABLES, &files, NULL, err);
	if (r == 0) {
		r = cgroup_sampler_read(m.sampler, m.stats, err);
		if (r == -ENOENT)
			r = fail(err, ESRCH, "container \"%s\" is not running", container);
	}
	sampled_close(&m, &files);
	if (r < 0) {
		csn_stats_free(m.stats);
		return r;
	}
	*ret = m.stats;
	return 0;
}

/* ---- many -------------------------------------------------------------------------------------
 */

struct csn_sampler {
	struct csn_runtime *rt;
	unsigned tables, files_left;
	bool all;  /* whichever run */
	bool look; /* what runs may have changed */
	int watch; /* on lib/state's directory */
	struct sampled *members;
	size_t count, capacity;
	const struct csn_stats **taken;
	size_t taken_count;
};

void csn_sampler_close(struct csn_sampler *sampler)
{
	if (!sampler)
		return;
	for (size_t i = 0; i < sampler->count; i++) {
		sampled_close(&sampler->members[i], &sampler->files_left);
		csn_stats_free(sampler->members[i].stats);
	}
	close_fd(&sampler->watch);
	free(sampler->members);
	free(sampler->taken);
	free(sampler);
}

static void close_sampler(struct csn_sampler **s)
{
	csn_sampler_close(*s);
}

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct sampled *)a)->id, ((const struct sampled *)b)->id,
		      CSN_ID_SIZE);
}

/* Among the first `sorted` members, which are in the order of their ids. */
static struct sampled *find_member(struct csn_sampler *s, const char *id, size_t sorted)
{
	struct sampled key;
	memcpy(key.id, id, CSN_ID_SIZE);
	return sorted ? bsearch(&key, s->members, sorted, sizeof key, by_id) : NULL;
}

static void sort_members(struct csn_sampler *s)
{
	if (s->count)
		qsort(s->members, s->count, sizeof *s->members, by_id);
}

static int add_member(struct csn_sampler *s, const char *id, struct sampled **ret)
{
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 16;
		struct sampled *grown = reallocarray(s->members, capacity, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		s->members = grown;
		const struct csn_stats **taken = reallocarray(s->taken, capacity, sizeof *taken);
		if (!taken)
			return -ENOMEM;
		s->taken = taken;
		s->capacity = capacity;
	}
	struct sampled *m = &s->members[s->count++];
	*m = (struct sampled){ 0 };
	memcpy(m->id, id, CSN_ID_SIZE);
	*ret = m;
	return 0;
}

static unsigned half_of_files(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 256;
	return limit.rlim_cur / 2 > 1U << 20 ? 1U << 20 : (unsigned)(limit.rlim_cur / 2);
}

int csn_sampler_open(struct csn_runtime *rt, const struct csn_sampler_options *options,
		     struct csn_sampler **ret, struct csn_error *err)
{
	struct csn_sampler_options o = CSN_SAMPLER_OPTIONS_INIT;
	TRY(take_struct(&o, sizeof o, options, "struct csn_sampler_options", err));
	struct csn_sampler *s AUTO(close_sampler)
	= calloc(1, sizeof *s);
	if (!s)
		return fail(err, ENOMEM, "out of memory");
	s->rt = rt;
	s->watch = -1;
	s->tables = o.tables ? o.tables & ALL_TABLES : ALL_TABLES;
	s->files_left = o.max_files ? o.max_files : half_of_files();
	s->all = !o.containers;
	s->look = true;
	for (const char *const *c = o.containers; c && *c; c++) {
		char id[CSN_ID_SIZE];
		struct sampled *m;
		TRY(csn_container_resolve(rt, *c, id, err));
		if (!find_member(s, id, s->count) && add_member(s, id, &m) < 0)
			return fail(err, ENOMEM, "out of memory");
		sort_members(s);
	}
	if (s->all) {
		s->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		if (s->watch < 0 ||
		    inotify_add_watch(s->watch, rt->state.root,
				      IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM) < 0)
			return fail_errno(err, "watch %s", rt->state.root);
	}
	*ret = take_ptr(s);
	return 0;
}

static bool was_changed(struct csn_sampler *s)
{
	char events[4096];
	bool changed = false;
	while (s->watch >= 0 && read(s->watch, events, sizeof events) > 0)
		changed = true;
	return changed;
}

/* Those that are gone leave the list. */
static void forget_unlisted(struct csn_sampler *s)
{
	size_t left = 0;
	for (size_t i = 0; i < s->count; i++) {
		struct sampled *m = &s->members[i];
		if (m->listed) {
			s->members[left++] = *m;
			continue;
		}
		sampled_close(m, &s->files_left);
		csn_stats_free(m->stats);
	}
	s->count = left;
}

static int list_running(struct csn_sampler *s, struct csn_error *err)
{
	char **ids = NULL;
	size_t count = 0, sorted = s->count;
	for (size_t i = 0; i < s->count; i++)
		s->members[i].listed = false;
	TRY(store_list(&s->rt->state, &ids, &count, err));
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct sampled *m = id_is_valid(ids[i]) ? find_member(s, ids[i], sorted) : NULL;
		if (!m && id_is_valid(ids[i]))
			r = add_member(s, ids[i], &m);
		if (m)
			m->listed = true;
	}
	store_list_free(ids, count);
	if (r < 0)
		return fail(err, -r, "out of memory");
	forget_unlisted(s);
	sort_members(s);
	return 0;
}

/* Opens those that have come to run. One that is still being made is looked at again next time. */
static int open_members(struct csn_sampler *s, struct csn_error *err)
{
	for (size_t i = 0; i < s->count; i++) {
		struct sampled *m = &s->members[i];
		if (m->sampler)
			continue;
		int r = sampled_open(s->rt, m, s->tables, &s->files_left, NULL, err);
		if (r == -ESRCH || r == -ENOENT)
			s->look = true;
		else if (r < 0)
			return r;
	}
	return 0;
}

int csn_sampler_take(struct csn_sampler *sampler, struct csn_error *err)
{
	bool changed = was_changed(sampler);
	sampler->taken_count = 0;
	if (changed || sampler->look) {
		sampler->look = false;
		if (sampler->all)
			TRY(list_running(sampler, err));
		TRY(open_members(sampler, err));
	}
	for (size_t i = 0; i < sampler->count; i++) {
		struct sampled *m = &sampler->members[i];
		int r = m->sampler ? cgroup_sampler_read(m->sampler, m->stats, err) : -ENOENT;
		if (r == 0)
			sampler->taken[sampler->taken_count++] = m->stats;
		else if (r != -ENOENT)
			return r;
		if (r == -ENOENT) {
			sampled_close(m, &sampler->files_left);
			sampler->look = true;
		}
	}
	return (int)sampler->taken_count;
}

const struct csn_stats *csn_sampler_get(const struct csn_sampler *sampler, size_t index)
{
	return index < sampler->taken_count ? sampler->taken[index] : NULL;
}

/* ---- a stream ---------------------------------------------------------------------------------
 */

struct csn_stats_stream {
	struct sampled member;
	unsigned files_left;
	int timer, pidfd, epoll;
	bool ended;
};

void csn_stats_stream_close(struct csn_stats_stream *stream)
{
	if (!stream)
		return;
	sampled_close(&stream->member, &stream->files_left);
	csn_stats_free(stream->member.stats);
	close_fd(&stream->timer);
	close_fd(&stream->pidfd);
	close_fd(&stream->epoll);
	free(stream);
}

static void close_stream(struct csn_stats_stream **s)
{
	csn_stats_stream_close(*s);
}

int csn_stats_stream_fd(const struct csn_stats_stream *stream)
{
	return stream->epoll;
}

static int watch_fd(const struct csn_stats_stream *s, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e);
}

int csn_stats_stream_open(struct csn_runtime *rt, const char *container, int interval_ms,
			  struct csn_stats_stream **ret, struct csn_error *err)
{
	if (interval_ms < 1)
		return fail(err, EINVAL, "interval: expected at least 1 ms, not %d", interval_ms);
	struct csn_stats_stream *s AUTO(close_stream)
	= calloc(1, sizeof *s);
	if (!s)
		return fail(err, ENOMEM, "out of memory");
	s->timer = s->pidfd = s->epoll = -1;
	s->files_left = CSN_TABLES * STATS_COLUMNS_MAX;
	TRY(csn_container_resolve(rt, container, s->member.id, err));
	TRY(sampled_open(rt, &s->member, ALL_TABLES, &s->files_left, &s->pidfd, err));

	const struct itimerspec when = {
		.it_value.tv_nsec = 1,
		.it_interval = { interval_ms / 1000, interval_ms % 1000 * 1000000L },
	};
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->timer < 0 || s->epoll < 0 || timerfd_settime(s->timer, 0, &when, NULL) < 0 ||
	    watch_fd(s, s->timer) < 0 || watch_fd(s, s->pidfd) < 0)
		return fail_errno(err, "stats of container \"%s\"", container);
	*ret = take_ptr(s);
	return 0;
}

int csn_stats_stream_next(struct csn_stats_stream *stream, int timeout_ms,
			  const struct csn_stats **ret, struct csn_error *err)
{
	int64_t deadline = deadline_in(timeout_ms);
	while (!stream->ended) {
		struct epoll_event e;
		uint64_t ticks;
		int n = epoll_wait(stream->epoll, &e, 1, deadline_left(deadline));
		if (n == 0)
			return fail(err, EAGAIN, "no sample is due");
		if (n < 0 && errno != EINTR)
			return fail_errno(err, "stats: wait");
		if (has_ended(stream->pidfd))
			break;
		if (n < 0 || read(stream->timer, &ticks, sizeof ticks) < 0)
			continue;
		int r = cgroup_sampler_read(stream->member.sampler, stream->member.stats, err);
		if (r == -ENOENT)
			break;
		if (r < 0)
			return r;
		*ret = stream->member.stats;
		return 1;
	}
	stream->ended = true;
	/* What it kept open may keep a network namespace. */
	sampled_close(&stream->member, &stream->files_left);
	return 0;
}
