/*
 * cgroups on the real thing: groups below /csn-test-PID in whatever cgroup2 is mounted, with real
 * processes. Needs root. What a machine does not offer (controllers bound to cgroup v1) is tested
 * for its refusal instead. Everything is gone at the end, also after a failure: main() ends and
 * removes the whole of /csn-test-PID whichever test left something there.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "cgroups/internal.h"

enum { SKIPPED = 77 };

static char base[64]; /* "/csn-test-PID" */
static struct csn_error err;

#define ok(call) ck_assert_msg((call) == 0, "%s: %s", #call, err.text)

/* A path below base; a few at a time. */
static const char *below(const char *name)
{
	static char paths[8][512];
	static size_t next;
	char *path = paths[next++ % COUNT(paths)];
	(void)snprintf(path, sizeof paths[0], "%s/%s", base, name);
	return path;
}

static struct cgroup make(const char *name, unsigned wanted)
{
	struct cgroup cg = CGROUP_INIT;
	bool created = false;
	ok(cgroup_create(below(name), wanted, &cg, &created, &err));
	ck_assert_int_ge(cg.dir, 0);
	return cg;
}

static void make_only(const char *name)
{
	struct cgroup cg = make(name, 0);
	cgroup_close(&cg);
}

static bool exists(const char *name)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	int r = cgroup_open(below(name), &cg, NULL);
	ck_assert(r == 0 || r == -ENOENT);
	return r == 0;
}

/* A child in the group from its first instruction. */
static pid_t child_in(const struct cgroup *cg, void (*run)(void))
{
	/* Without Check's handlers, which would end us all. */
	struct clone_args args = { .flags = CLONE_INTO_CGROUP | CLONE_CLEAR_SIGHAND,
				   .exit_signal = SIGCHLD,
				   .cgroup = (uint64_t)cg->dir };
	pid_t pid = sys_clone3(&args);
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		run();
		_exit(0);
	}
	return pid;
}

static void sleeper(void)
{
	for (;;)
		(void)pause();
}

/* Exit code, or -signal. */
static int end_of(pid_t pid)
{
	int status = 0;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static long now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void nap_ms(long ms)
{
	struct timespec nap = { ms / 1000, ms % 1000 * 1000000 };
	while (nanosleep(&nap, &nap) < 0)
		;
}

/* Runs in a child that is in the group: what it checks fails the test by its exit code. */
static void as_one_in(const char *name, void (*run)(void))
{
	struct cgroup cg AUTO(cgroup_close) = make(name, 0);
	ck_assert_int_eq(end_of(child_in(&cg, run)), 0);
}

/* In the child: no Check there. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "line %d: %s\n", __LINE__, err.text);                \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* ---- groups ---------------------------------------------------------------------------------- */

START_TEST(made_opened_and_removed)
{
	struct cgroup cg = CGROUP_INIT, again = CGROUP_INIT;
	bool created = false;
	ok(cgroup_create(below("a/b"), 0, &cg, &created, &err));
	ck_assert(created);
	ck_assert_str_eq(cg.path, below("a/b"));
	ck_assert_int_eq(fcntl(cg.dir, F_GETFD), FD_CLOEXEC);
	ok(cgroup_create(below("a/b"), 0, &again, &created, &err));
	ck_assert(!created);
	cgroup_close(&again);

	bool populated = true;
	ok(cgroup_populated(&cg, &populated, &err));
	ck_assert(!populated);
	ok(cgroup_wait_empty(&cg, 0, &err));
	ok(cgroup_remove(below("a/b"), &err));
	ok(cgroup_remove(below("a/b"), &err));
	/* Levels made on the way went too, the base with them. */
	ck_assert(!exists("a"));
	ck_assert_int_eq(cgroup_open(below("a/b"), &again, &err), -ENOENT);

	/* What is held of a removed group reads as empty, and nothing can be done with it. */
	ok(cgroup_populated(&cg, &populated, &err));
	ck_assert(!populated);
	ok(cgroup_wait_empty(&cg, -1, &err));
	ok(cgroup_kill(&cg, &err));
	pid_t *pids = NULL;
	size_t count = 7;
	ok(cgroup_pids(&cg, &pids, &count, &err));
	ck_assert_uint_eq(count, 0);
	free(pids);
	unsigned mask = 0;
	ck_assert_int_eq(cgroup_controllers(&cg, &mask, &err), -ENOENT);
	ck_assert_int_lt(cgroup_attach(&cg, getpid(), &err), 0);
	ck_assert_int_lt(cgroup_freeze(&cg, true, 100, &err), 0);

	/* A group of the same name is another one. */
	make_only("a/b");
	ck_assert_int_lt(cgroup_attach(&cg, getpid(), &err), 0);
	cgroup_close(&cg);
	ok(cgroup_remove(below("a/b"), &err));
}
END_TEST

START_TEST(levels_of_others_stay)
{
	char mount[256], path[512];
	ok(cgroup_find_mount(mount, sizeof mount, &err));
	make_only("keep");
	(void)snprintf(path, sizeof path, "%s%s", mount, below("theirs"));
	ck_assert_int_eq(mkdir(path, 0755), 0);
	make_only("theirs/ours/leaf");
	ok(cgroup_remove_empty(below("theirs/ours/leaf"), &err));
	ck_assert(!exists("theirs/ours"));
	ck_assert(exists("theirs"));
	ck_assert_int_eq(cgroup_remove_empty(below("theirs/x"), &err), 0);
	ck_assert(exists("theirs"));
	ok(cgroup_remove(below("theirs"), &err));
	ok(cgroup_remove(below("keep"), &err));
}
END_TEST

START_TEST(a_group_in_use_is_not_removed)
{
	struct cgroup cg AUTO(cgroup_close) = make("busy", 0);
	pid_t pid = child_in(&cg, sleeper);
	ck_assert_int_eq(cgroup_remove_empty(below("busy"), &err), -EBUSY);
	long before = now_ms();
	ck_assert_int_eq(cgroup_remove(below("busy"), &err), -EBUSY);
	ck_assert_int_ge(now_ms() - before, 1900);
	ck_assert_int_lt(now_ms() - before, 10000);
	ck_assert(exists("busy"));
	ok(cgroup_kill(&cg, &err));
	ck_assert_int_eq(end_of(pid), -SIGKILL);
	ok(cgroup_remove(below("busy"), &err));
}
END_TEST

/* Deeper than descriptors (64 allowed here) and PATH_MAX reach, with wide levels at the top. */
START_TEST(groups_that_the_workload_nested_go_too)
{
	enum { DEPTH = 120, WIDTH = 20 };
	const struct rlimit few = { 64, 64 };
	char name[201];
	struct cgroup cg AUTO(cgroup_close) = make("nest", 0);
	memset(name, 'n', 200);
	name[200] = '\0';
	ck_assert_int_eq(fchdir(cg.dir), 0);
	for (int i = 0; i < WIDTH; i++) {
		char wide[32];
		(void)snprintf(wide, sizeof wide, "w%d", i);
		ck_assert_int_eq(mkdir(wide, 0755), 0);
	}
	for (int i = 0; i < DEPTH; i++) {
		ck_assert_int_eq(mkdir(name, 0755), 0);
		ck_assert_int_eq(mkdir("leaf", 0755), 0);
		ck_assert_int_eq(chdir(name), 0);
	}
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	pid_t *pids = NULL;
	size_t count = 0;
	ck_assert_int_eq(cgroup_pids(&cg, &pids, &count, &err), -EMFILE);
	ok(cgroup_remove(below("nest"), &err));
	ck_assert(!exists("nest"));
}
END_TEST

/* Makers and removers of neighbours, whose common parent comes and goes with the last of them. */
START_TEST(neighbours_do_not_disturb_each_other)
{
	enum { NEIGHBOURS = 4, ROUNDS = 100 };
	pid_t pids[NEIGHBOURS];
	for (int i = 0; i < NEIGHBOURS; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] > 0)
			continue;
		for (int round = 0; round < ROUNDS; round++) {
			struct cgroup cg = CGROUP_INIT;
			bool created = false;
			char name[32];
			(void)snprintf(name, sizeof name, "p/q/n%d", i);
			if (cgroup_create(below(name), ~0U, &cg, &created, &err) < 0 || !created ||
			    cgroup_remove(below(name), &err) < 0) {
				(void)fprintf(stderr, "round %d: %s\n", round, err.text);
				_exit(1);
			}
			cgroup_close(&cg);
		}
		_exit(0);
	}
	for (int i = 0; i < NEIGHBOURS; i++)
		ck_assert_int_eq(end_of(pids[i]), 0);
	ck_assert(!exists("p"));
}
END_TEST

START_TEST(attached_and_asked_where)
{
	char where[512];
	struct cgroup cg AUTO(cgroup_close) = make("attach", 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		sleeper();
	ok(cgroup_attach(&cg, pid, &err));
	ok(cgroup_of(pid, where, sizeof where, &err));
	ck_assert_str_eq(where, below("attach"));
	ck_assert_int_eq(cgroup_of(pid, where, 8, &err), -ENAMETOOLONG);
	pid_t *pids = NULL;
	size_t count = 0;
	ok(cgroup_pids(&cg, &pids, &count, &err));
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(pids[0], pid);
	free(pids);
	ok(cgroup_kill(&cg, &err));
	ck_assert_int_eq(end_of(pid), -SIGKILL);
	ck_assert_int_eq(cgroup_attach(&cg, pid, &err), -ESRCH);
	ck_assert_ptr_nonnull(strstr(err.text, "to cgroup.procs: No such process"));
	ck_assert_int_lt(cgroup_of(pid, where, sizeof where, &err), 0);
	ok(cgroup_remove(below("attach"), &err));
}
END_TEST

/* ---- events ---------------------------------------------------------------------------------- */

static volatile int *shared_counter;

static void counter(void)
{
	for (;;) {
		(*shared_counter)++;
		nap_ms(1);
	}
}

START_TEST(frozen_groups_stand_still)
{
	void *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	shared_counter = shared;
	struct cgroup cg AUTO(cgroup_close) = make("freeze", 0);
	struct cgroup inner AUTO(cgroup_close) = make("freeze/inner", 0);
	bool frozen = true;
	pid_t pid = child_in(&inner, counter);
	ok(cgroup_frozen(&cg, &frozen, &err));
	ck_assert(!frozen);
	ok(cgroup_freeze(&cg, true, 5000, &err));
	ok(cgroup_frozen(&inner, &frozen, &err));
	ck_assert(frozen);
	int stopped_at = *shared_counter;
	nap_ms(50);
	ck_assert_int_eq(*shared_counter, stopped_at);
	/* Still there, still counted, and endable while it stands still. */
	ck_assert_int_eq(cgroup_wait_empty(&cg, 20, &err), -ETIMEDOUT);
	ok(cgroup_freeze(&cg, false, 5000, &err));
	long end = now_ms() + 5000;
	while (*shared_counter == stopped_at && now_ms() < end)
		nap_ms(1);
	ck_assert_int_ne(*shared_counter, stopped_at);
	ok(cgroup_freeze(&cg, true, 5000, &err));
	ok(cgroup_kill(&cg, &err));
	ck_assert_int_eq(end_of(pid), -SIGKILL);
	ok(cgroup_wait_empty(&cg, 5000, &err));
	ok(cgroup_remove(below("freeze"), &err));
}
END_TEST

START_TEST(an_empty_group_freezes_too)
{
	struct cgroup cg AUTO(cgroup_close) = make("empty", 0);
	bool frozen = false;
	ok(cgroup_freeze(&cg, true, 1000, &err));
	ok(cgroup_frozen(&cg, &frozen, &err));
	ck_assert(frozen);
	ok(cgroup_freeze(&cg, false, 1000, &err));
	ok(cgroup_remove(below("empty"), &err));
}
END_TEST

/* Forks as fast as it can into two levels; cgroup.kill must catch all of them. */
static void forker(void)
{
	(void)signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 200; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			nap_ms(30000);
			_exit(0);
		}
	}
	sleeper();
}

START_TEST(kill_leaves_nobody)
{
	struct cgroup cg AUTO(cgroup_close) = make("kill", 0);
	struct cgroup inner AUTO(cgroup_close) = make("kill/a/b", 0);
	pid_t outer_pid = child_in(&cg, forker), inner_pid = child_in(&inner, forker);
	pid_t *pids = NULL;
	size_t count = 0;
	for (long end = now_ms() + 5000; count < 50 && now_ms() < end; free(pids))
		ok(cgroup_pids(&cg, &pids, &count, &err));
	ck_assert_uint_ge(count, 50);
	ok(cgroup_kill(&cg, &err));
	ok(cgroup_wait_empty(&cg, 10000, &err));
	ck_assert_int_eq(end_of(outer_pid), -SIGKILL);
	ck_assert_int_eq(end_of(inner_pid), -SIGKILL);
	bool populated = true;
	ok(cgroup_populated(&cg, &populated, &err));
	ck_assert(!populated);
	ok(cgroup_remove(below("kill"), &err));
	ck_assert(!exists("kill"));
}
END_TEST

START_TEST(signals_reach_every_level)
{
	struct cgroup cg AUTO(cgroup_close) = make("signal", 0);
	struct cgroup inner AUTO(cgroup_close) = make("signal/a", 0);
	pid_t one = child_in(&cg, sleeper), two = child_in(&inner, sleeper);
	ok(cgroup_signal(&cg, 0, &err));
	ok(cgroup_signal(&cg, SIGTERM, &err));
	ck_assert_int_eq(end_of(one), -SIGTERM);
	ck_assert_int_eq(end_of(two), -SIGTERM);
	ok(cgroup_signal(&cg, SIGTERM, &err));
	ok(cgroup_remove(below("signal"), &err));
}
END_TEST

/* Each lives a moment and leaves its place to a child: a list of pids is old when it is read. */
static void hop(void)
{
	for (;;) {
		pid_t next = fork();
		if (next > 0)
			_exit(0);
	}
}

START_TEST(signals_reach_those_that_fork)
{
	enum { ROUNDS = 10, HOPPERS = 4 };
	struct cgroup cg AUTO(cgroup_close) = make("hop", 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < HOPPERS; i++)
			(void)end_of(child_in(&cg, hop));
		ok(cgroup_signal(&cg, SIGTERM, &err));
		ok(cgroup_wait_empty(&cg, 5000, &err));
	}
	bool frozen = true;
	ok(cgroup_frozen(&cg, &frozen, &err));
	ck_assert(!frozen);
	ok(cgroup_remove(below("hop"), &err));
}
END_TEST

/* In a group that holds the caller nobody is frozen. */
static void signal_own_group(void)
{
	struct cgroup cg = CGROUP_INIT;
	(void)signal(SIGUSR1, SIG_IGN);
	must(cgroup_open(below("own"), &cg, &err) == 0);
	must(cgroup_signal(&cg, SIGUSR1, &err) == 0);
	cgroup_close(&cg);
}

START_TEST(a_caller_does_not_freeze_itself)
{
	as_one_in("own", signal_own_group);
	ok(cgroup_remove(below("own"), &err));
}
END_TEST

static void soon_gone(void)
{
	nap_ms(30);
}

START_TEST(waiting_wakes_at_the_end)
{
	struct cgroup cg AUTO(cgroup_close) = make("wait", 0);
	pid_t pid = child_in(&cg, soon_gone);
	long before = now_ms();
	ok(cgroup_wait_empty(&cg, -1, &err));
	ck_assert_int_lt(now_ms() - before, 3000);
	ck_assert_int_eq(end_of(pid), 0);
	ok(cgroup_remove_empty(below("wait"), &err));
}
END_TEST

/* Somebody else removes the group the moment it is empty: the waiter must not wait for ever. */
START_TEST(waiting_ends_when_the_group_vanishes)
{
	for (int round = 0; round < 20; round++) {
		struct cgroup cg AUTO(cgroup_close) = make("vanish", 0);
		pid_t remover = fork();
		ck_assert_int_ge(remover, 0);
		if (remover == 0) {
			pid_t pid = child_in(&cg, soon_gone);
			(void)end_of(pid);
			while (cgroup_remove_empty(below("vanish"), NULL) < 0)
				;
			_exit(0);
		}
		/* Or gone already, on a busy machine. */
		bool populated = false;
		while (!populated && exists("vanish"))
			ok(cgroup_populated(&cg, &populated, &err));
		long before = now_ms();
		ok(cgroup_wait_empty(&cg, -1, &err));
		ck_assert_int_lt(now_ms() - before, 3000);
		ck_assert_int_eq(end_of(remover), 0);
	}
}
END_TEST

/* ---- devices --------------------------------------------------------------------------------- */

static int open_error(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	int r = fd < 0 ? errno : 0;
	close_fd(&fd);
	return r;
}

static int mknod_error(unsigned major, unsigned minor)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/tmp/csn-test-node-%d", (int)getpid());
	int r = mknod(path, S_IFCHR | 0600, makedev(major, minor)) < 0 ? errno : 0;
	(void)unlink(path);
	return r;
}

/* Bit n: the nth access is refused with EPERM; anything else unexpected gives 255. */
static void try_devices(void)
{
	const int errors[] = { open_error("/dev/null", O_RDONLY),
			       open_error("/dev/null", O_WRONLY),
			       open_error("/dev/zero", O_RDWR),
			       open_error("/dev/full", O_RDONLY),
			       mknod_error(1, 3),
			       mknod_error(1, 5) };
	int refused = 0;
	for (size_t i = 0; i < COUNT(errors); i++)
		if (errors[i] == EPERM)
			refused |= 1 << i;
		else if (errors[i])
			_exit(255);
	_exit(refused);
}

START_TEST(device_rules_are_obeyed)
{
	enum { R = CGROUP_DEV_READ, W = CGROUP_DEV_WRITE, M = CGROUP_DEV_MKNOD };
	static const struct {
		struct cgroup_device_rule rules[4];
		size_t count;
		int refused;
	} cases[] = {
		{ { { true, 'a', -1, -1, R | W | M } }, 1, 0 },
		{ { { false, 'a', -1, -1, R | W | M } }, 1, 0x3f },
		{ { { 0 } }, 0, 0x3f },
		/* null may be read, zero read and written by two rules, nodes of null be made. */
		{ { { true, 'c', 1, 3, R | M },
		    { true, 'c', 1, 5, R },
		    { true, 'c', 1, 5, W },
		    { true, 'b', -1, -1, R | W | M } },
		  4,
		  0x02 | 0x08 | 0x20 },
		/* everything but writing to null */
		{ { { true, 'a', -1, -1, R | W | M }, { false, 'c', 1, 3, W } }, 2, 0x02 },
	};
	make_only("devices");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cgroup cg AUTO(cgroup_close) = make("devices/leaf", 0);
		int r = cgroup_set_devices(&cg, cases[i].rules, cases[i].count, &err);
		ck_assert_msg(r == 0, "case %zu: %s", i, err.text);
		int refused = end_of(child_in(&cg, try_devices));
		ck_assert_msg(refused == cases[i].refused, "case %zu: %#x, wanted %#x", i, refused,
			      cases[i].refused);
		ok(cgroup_remove(below("devices/leaf"), &err));
	}
	ok(cgroup_remove(below("devices"), &err));
}
END_TEST

START_TEST(rules_of_before_are_cleared)
{
	const struct cgroup_device_rule null = { true, 'c', 1, 3, 7 },
					all = { true, 'a', -1, -1, 7 };
	struct cgroup cg AUTO(cgroup_close) = make("again", 0);
	ok(cgroup_clear_devices(&cg, &err));
	ok(cgroup_set_devices(&cg, &null, 1, &err));
	ok(cgroup_set_devices(&cg, &null, 1, &err));
	ok(cgroup_set_devices(&cg, &all, 1, &err));
	ck_assert_int_eq(end_of(child_in(&cg, try_devices)), 0x04 | 0x08 | 0x20);
	ok(cgroup_clear_devices(&cg, &err));
	ok(cgroup_set_devices(&cg, &all, 1, &err));
	ck_assert_int_eq(end_of(child_in(&cg, try_devices)), 0);
	ok(cgroup_remove(below("again"), &err));
}
END_TEST

START_TEST(long_lists_of_device_rules_load)
{
	enum { RULES = 600 };
	static struct cgroup_device_rule rules[RULES];
	for (int i = 0; i < RULES; i++)
		rules[i] = (struct cgroup_device_rule){ i % 3 != 0, "cba"[i % 3], i, i % 5 - 1,
							(unsigned)i % 7 + 1 };
	rules[0] = (struct cgroup_device_rule){ true, 'c', 1, 3, CGROUP_DEV_READ };
	struct cgroup cg AUTO(cgroup_close) = make("many", 0);
	int first = dup(cg.dir);
	(void)close(first);
	ok(cgroup_set_devices(&cg, rules, RULES, &err));
	int next = dup(cg.dir);
	(void)close(next);
	ck_assert_int_eq(next, first); /* no descriptor stays behind */
	ok(cgroup_remove(below("many"), &err));
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------- */

static const struct live_limit {
	unsigned controller;
	const char *file, *read_back;
	struct cgroup_limits limits;
} live_limits[] = {
	{ CGROUP_MEMORY, "memory.max", "67108864\n", { .memory_max = { true, 64 << 20 } } },
	{ CGROUP_MEMORY, "memory.high", "33554432\n", { .memory_high = { true, 32 << 20 } } },
	{ CGROUP_MEMORY, "memory.low", "16777216\n", { .memory_low = { true, 16 << 20 } } },
	{ CGROUP_MEMORY, "memory.min", "8388608\n", { .memory_min = { true, 8 << 20 } } },
	{ CGROUP_MEMORY, "memory.oom.group", "1\n", { .memory_oom_group = { true, 1 } } },
	{ CGROUP_MEMORY, "memory.swap.max", "4194304\n", { .memory_swap_max = { true, 4 << 20 } } },
	{ CGROUP_PIDS, "pids.max", "17\n", { .pids_max = { true, 17 } } },
	{ CGROUP_CPU, "cpu.weight", "250\n", { .cpu_weight = { true, 250 } } },
	{ CGROUP_CPU, "cpu.idle", "1\n", { .cpu_idle = { true, 1 } } },
	{ CGROUP_CPU,
	  "cpu.max",
	  "20000 50000\n",
	  { .cpu_quota = { true, 20000 }, .cpu_period = { true, 50000 } } },
	{ CGROUP_CPU,
	  "cpu.max.burst",
	  "10000\n",
	  { .cpu_quota = { true, 20000 }, .cpu_burst = { true, 10000 } } },
	{ CGROUP_CPUSET, "cpuset.cpus", "0\n", { .cpuset_cpus = "0" } },
	{ CGROUP_CPUSET, "cpuset.mems", "0\n", { .cpuset_mems = "0" } },
	{ CGROUP_HUGETLB,
	  "hugetlb.2MB.max",
	  "4194304\n",
	  { .hugetlb = &(const struct cgroup_hugetlb){ "2MB", 4 << 20 }, .hugetlb_count = 1 } },
	{ CGROUP_HUGETLB,
	  "hugetlb.2MB.rsvd.max",
	  "4194304\n",
	  { .hugetlb = &(const struct cgroup_hugetlb){ "2MB", 4 << 20 }, .hugetlb_count = 1 } },
	{ CGROUP_PIDS,
	  "pids.max",
	  "5\n",
	  { .pids_max = { true, 17 },
	    .unified = &(const struct cgroup_file){ "pids.max", "5" },
	    .unified_count = 1 } },
};

START_TEST(limits_read_back_or_are_refused)
{
	const struct live_limit *l = &live_limits[_i];
	unsigned have = 0;
	char text[256];
	ck_assert_uint_eq(cgroup_limits_controllers(&l->limits), l->controller);
	struct cgroup cg AUTO(cgroup_close) = make("limits/leaf", l->controller);
	ok(cgroup_controllers(&cg, &have, &err));
	int r = cgroup_apply_limits(&cg, &l->limits, &err);
	if (have & l->controller) {
		ck_assert_msg(r == 0, "%s", err.text);
		ck_assert_int_gt(read_value(&cg, l->file, text, sizeof text), 0);
		ck_assert_str_eq(text, l->read_back);
	} else {
		ck_assert_int_eq(r, -ENOENT);
		ck_assert_ptr_nonnull(strstr(err.text, "controller is not available in cgroup"));
	}
	ok(cgroup_remove(below("limits/leaf"), &err));
}
END_TEST

START_TEST(a_quota_and_its_burst_grow_and_shrink_together)
{
	unsigned have = 0;
	uint64_t burst = 0;
	struct cgroup cg AUTO(cgroup_close) = make("burst", CGROUP_CPU);
	ok(cgroup_controllers(&cg, &have, &err));
	for (uint64_t ms = 10; (have & CGROUP_CPU) && ms <= 1000; ms *= 10) {
		struct cgroup_limits l = { .cpu_quota = { true, ms * 1000 },
					   .cpu_burst = { true, ms * 1000 } };
		ok(cgroup_apply_limits(&cg, &l, &err));
	}
	for (uint64_t ms = 1000; (have & CGROUP_CPU) && ms >= 10; ms /= 10) {
		struct cgroup_limits l = { .cpu_quota = { true, ms * 1000 },
					   .cpu_burst = { true, ms * 1000 } };
		ok(cgroup_apply_limits(&cg, &l, &err));
		ok(cgroup_read_u64(&cg, "cpu.max.burst", &burst, &err));
		ck_assert_uint_eq(burst, ms * 1000);
	}
	ok(cgroup_remove(below("burst"), &err));
}
END_TEST

/* Some whole disk; false when there is none. */
static bool find_disk(unsigned *ret_major, unsigned *ret_minor, bool *ret_bfq)
{
	glob_t found = { 0 };
	bool ok = false;
	(void)glob("/sys/block/[vsn]*/dev", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && !ok; i++) {
		char path[256], scheduler[128] = "";
		FILE *f = fopen(found.gl_pathv[i], "re");
		ok = f && fscanf(f, "%u:%u", ret_major, ret_minor) == 2;
		if (f)
			(void)fclose(f);
		(void)snprintf(path, sizeof path, "%.*squeue/scheduler",
			       (int)strlen(found.gl_pathv[i]) - 3, found.gl_pathv[i]);
		f = fopen(path, "re");
		*ret_bfq = f && fgets(scheduler, sizeof scheduler, f) && strstr(scheduler, "[bfq]");
		if (f)
			(void)fclose(f);
	}
	globfree(&found);
	return ok;
}

START_TEST(io_limits_read_back_or_are_refused)
{
	unsigned have = 0, major = 8, minor = 0;
	bool bfq = false, disk = find_disk(&major, &minor, &bfq);
	char text[256], wanted[256];
	struct cgroup cg AUTO(cgroup_close) = make("io", CGROUP_IO);
	ok(cgroup_controllers(&cg, &have, &err));
	const struct cgroup_io_limit rates = { major, minor, 1 << 20, 0, CGROUP_MAX, 10 };
	const struct cgroup_io_limit more = { major, minor, 0, 2 << 20, 0, 0 };
	const struct cgroup_io_weight weight = { major, minor, 500 };
	struct cgroup_limits l = { .io_limits = &rates, .io_limits_count = 1 };
	if (!(have & CGROUP_IO)) {
		ck_assert_int_eq(cgroup_apply_limits(&cg, &l, &err), -ENOENT);
		ck_assert_ptr_nonnull(strstr(err.text, "io.max: the io controller is not"));
	} else if (disk) {
		ok(cgroup_apply_limits(&cg, &l, &err));
		l.io_limits = &more; /* what is not named stays */
		ok(cgroup_apply_limits(&cg, &l, &err));
		ck_assert_int_gt(read_value(&cg, "io.max", text, sizeof text), 0);
		(void)snprintf(wanted, sizeof wanted,
			       "%u:%u rbps=1048576 wbps=2097152 riops=max wiops=10\n", major,
			       minor);
		ck_assert_str_eq(text, wanted);
		l = (struct cgroup_limits){ .io_bfq_weight = { true, 333 } };
		ok(cgroup_apply_limits(&cg, &l, &err));
		bool has_bfq = read_value(&cg, "io.bfq.weight", text, sizeof text) > 0;
		ck_assert(has_bfq || read_value(&cg, "io.weight", text, sizeof text) > 0);
		ck_assert_str_eq(text, has_bfq ? "default 333\n" : "default 3263\n");
		l = (struct cgroup_limits){ .io_weights = &weight, .io_weights_count = 1 };
		if (bfq) {
			ok(cgroup_apply_limits(&cg, &l, &err));
			(void)snprintf(wanted, sizeof wanted, "default 333\n%u:%u 500\n", major,
				       minor);
			ck_assert_int_gt(read_value(&cg, "io.bfq.weight", text, sizeof text), 0);
			ck_assert_str_eq(text, wanted);
		}
	}
	ok(cgroup_remove(below("io"), &err));
}
END_TEST

static void eat_memory(void)
{
	for (;;) {
		char *p = malloc(1 << 20);
		if (p)
			memset(p, 1, 1 << 20);
	}
}

START_TEST(oom_kills_are_counted)
{
	unsigned have = 0;
	uint64_t kills = 7;
	bool known = true;
	struct cgroup cg AUTO(cgroup_close) = make("oom", CGROUP_MEMORY);
	ok(cgroup_controllers(&cg, &have, &err));
	ok(cgroup_oom_kills(&cg, &kills, &known, &err));
	ck_assert_uint_eq(kills, 0);
	ck_assert_int_eq(known, (have & CGROUP_MEMORY) != 0);
	if (have & CGROUP_MEMORY) {
		struct cgroup_limits l = { .memory_max = { true, 16 << 20 },
					   .memory_swap_max = { true, 0 } };
		ok(cgroup_apply_limits(&cg, &l, &err));
		ck_assert_int_eq(end_of(child_in(&cg, eat_memory)), -SIGKILL);
		ok(cgroup_oom_kills(&cg, &kills, &known, &err));
		ck_assert_uint_eq(kills, 1);
	}
	ok(cgroup_remove(below("oom"), &err));
}
END_TEST

/* ---- where groups are made ------------------------------------------------------------------- */

static void mark_delegated(const char *name)
{
	char mount[256], path[512];
	ok(cgroup_find_mount(mount, sizeof mount, &err));
	(void)snprintf(path, sizeof path, "%s%s", mount, below(name));
	ck_assert_int_eq(setxattr(path, "trusted.delegate", "1", 1, 0), 0);
}

static void choose_in_a_delegated_group(void)
{
	char chosen[512], where[512];
	pid_t other = fork();
	if (other == 0)
		sleeper();
	for (int i = 0; i < 2; i++) {
		must(cgroup_choose_parent(NULL, NULL, chosen, sizeof chosen, &err) == 0);
		must(strcmp(chosen, below("unit/containers")) == 0);
		must(cgroup_of(0, where, sizeof where, &err) == 0);
		must(strcmp(where, below("unit/init")) == 0);
		must(cgroup_of(other, where, sizeof where, &err) == 0);
		must(strcmp(where, below("unit/init")) == 0);
	}
	/* Who names a group gets that. */
	must(cgroup_choose_parent(below("asked/for"), below("env"), chosen, sizeof chosen, &err) ==
	     0);
	must(strcmp(chosen, below("asked/for")) == 0);
	must(cgroup_choose_parent(NULL, below("env"), chosen, sizeof chosen, &err) == 0);
	must(strcmp(chosen, below("env")) == 0 && !exists("env"));
	must(kill(other, SIGKILL) == 0 && waitpid(other, NULL, 0) == other);
}

START_TEST(a_delegated_group_is_split)
{
	make_only("unit");
	mark_delegated("unit");
	as_one_in("unit", choose_in_a_delegated_group);
	ok(cgroup_remove(below("unit"), &err));
}
END_TEST

static void choose_in_any_group(void)
{
	char chosen[512], where[512];
	must(cgroup_choose_parent(NULL, NULL, chosen, sizeof chosen, &err) == 0);
	must(strcmp(chosen, "/caisson") == 0);
	must(cgroup_of(0, where, sizeof where, &err) == 0);
	must(strcmp(where, below("any")) == 0);
	must(cgroup_choose_parent("relative", NULL, chosen, sizeof chosen, &err) == -EINVAL);
	must(strcmp(err.text, "cgroup parent: cgroup path \"relative\": expected a path below "
			      "\"/\"") == 0);
	must(cgroup_choose_parent(NULL, "/a/../b", chosen, sizeof chosen, &err) == -EINVAL);
	must(strcmp(err.text,
		    "CAISSON_CGROUP_PARENT: cgroup parent: cgroup path \"/a/../b\": empty, "
		    "\".\" and \"..\" parts are not allowed") == 0);
}

START_TEST(another_group_is_left_alone)
{
	as_one_in("any", choose_in_any_group);
	ck_assert(!exists("any/init"));
	ok(cgroup_remove(below("any"), &err));
}
END_TEST

/* A view of cgroups that begins at our own group, as in a container; flags for its mount. */
static void view_from_here(char point[256], unsigned long flags)
{
	must(cgroup_find_mount(point, 256, &err) == 0);
	must(unshare(CLONE_NEWCGROUP | CLONE_NEWNS) == 0);
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	must(umount2(point, MNT_DETACH) == 0);
	must(mount("cgroup2", point, "cgroup2", 0, NULL) == 0);
	must(!flags || mount(NULL, point, NULL, MS_REMOUNT | MS_BIND | flags, NULL) == 0);
}

static void choose_in_a_container(void)
{
	char point[256], chosen[512], where[512];
	view_from_here(point, 0);
	for (int i = 0; i < 2; i++) {
		must(cgroup_choose_parent(NULL, NULL, chosen, sizeof chosen, &err) == 0);
		must(strcmp(chosen, "/containers") == 0);
		must(cgroup_of(0, where, sizeof where, &err) == 0);
		must(strcmp(where, "/init") == 0);
	}
}

static void choose_where_nothing_can_be_written(void)
{
	char point[256], chosen[512], wanted[512];
	view_from_here(point, MS_RDONLY);
	must(cgroup_choose_parent("/a/b", NULL, chosen, sizeof chosen, &err) == -EACCES);
	must(strcmp(err.text, "cgroup parent \"/a/b\": cannot be written") == 0);
	(void)snprintf(wanted, sizeof wanted,
		       "no cgroup to make groups in can be written (cgroup2 is at %s): mount it "
		       "read-write, or run in a systemd unit with Delegate=yes, or name a group "
		       "with --cgroup-parent or CAISSON_CGROUP_PARENT",
		       point);
	must(cgroup_choose_parent(NULL, NULL, chosen, sizeof chosen, &err) == -EROFS);
	must(strcmp(err.text, wanted) == 0);
}

START_TEST(what_a_container_sees_is_its_own)
{
	as_one_in("box", choose_in_a_container);
	ck_assert(exists("box/init") && exists("box/containers"));
	ok(cgroup_remove(below("box"), &err));
	as_one_in("box", choose_where_nothing_can_be_written);
	ck_assert(!exists("box/init"));
	ok(cgroup_remove(below("box"), &err));
}
END_TEST

/* A mount that shows more than our namespace: "/x" there is not our "/x". */
static void choose_beside_a_foreign_view(void)
{
	char chosen[512], where[512];
	must(unshare(CLONE_NEWCGROUP) == 0);
	must(cgroup_of(0, where, sizeof where, &err) == 0 && strcmp(where, "/") == 0);
	must(cgroup_choose_parent(NULL, NULL, chosen, sizeof chosen, &err) == 0);
	must(strcmp(chosen, "/caisson") == 0);
}

START_TEST(a_foreign_view_is_not_taken_for_ours)
{
	make_only("view");
	mark_delegated("view");
	as_one_in("view", choose_beside_a_foreign_view);
	ck_assert(!exists("view/init"));
	ok(cgroup_remove(below("view"), &err));
}
END_TEST

/* ---- main ------------------------------------------------------------------------------------ */

static void sweep(void)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	if (cgroup_open(base, &cg, NULL) < 0)
		return;
	(void)cgroup_kill(&cg, NULL);
	(void)cgroup_wait_empty(&cg, 10000, NULL);
	(void)cgroup_remove(base, NULL);
}

static Suite *suite(void)
{
	Suite *s = suite_create("cgroups (live)");
	TCase *groups = tcase_create("groups");
	tcase_set_timeout(groups, 60);
	tcase_add_test(groups, made_opened_and_removed);
	tcase_add_test(groups, levels_of_others_stay);
	tcase_add_test(groups, a_group_in_use_is_not_removed);
	tcase_add_test(groups, groups_that_the_workload_nested_go_too);
	tcase_add_test(groups, neighbours_do_not_disturb_each_other);
	tcase_add_test(groups, attached_and_asked_where);
	suite_add_tcase(s, groups);

	TCase *events = tcase_create("events");
	tcase_set_timeout(events, 60);
	tcase_add_test(events, frozen_groups_stand_still);
	tcase_add_test(events, an_empty_group_freezes_too);
	tcase_add_test(events, kill_leaves_nobody);
	tcase_add_test(events, signals_reach_every_level);
	tcase_add_test(events, signals_reach_those_that_fork);
	tcase_add_test(events, a_caller_does_not_freeze_itself);
	tcase_add_test(events, waiting_wakes_at_the_end);
	tcase_add_test(events, waiting_ends_when_the_group_vanishes);
	suite_add_tcase(s, events);

	TCase *devices = tcase_create("devices");
	tcase_set_timeout(devices, 60);
	tcase_add_test(devices, device_rules_are_obeyed);
	tcase_add_test(devices, rules_of_before_are_cleared);
	tcase_add_test(devices, long_lists_of_device_rules_load);
	suite_add_tcase(s, devices);

	TCase *parents = tcase_create("parents");
	tcase_set_timeout(parents, 60);
	tcase_add_test(parents, a_delegated_group_is_split);
	tcase_add_test(parents, another_group_is_left_alone);
	tcase_add_test(parents, what_a_container_sees_is_its_own);
	tcase_add_test(parents, a_foreign_view_is_not_taken_for_ours);
	suite_add_tcase(s, parents);

	TCase *limits = tcase_create("limits");
	tcase_set_timeout(limits, 60);
	tcase_add_loop_test(limits, limits_read_back_or_are_refused, 0, (int)COUNT(live_limits));
	tcase_add_test(limits, io_limits_read_back_or_are_refused);
	tcase_add_test(limits, a_quota_and_its_burst_grow_and_shrink_together);
	tcase_add_test(limits, oom_kills_are_counted);
	suite_add_tcase(s, limits);
	return s;
}

int main(void)
{
	char mount[256];
	if (geteuid() != 0) {
		(void)puts("skipped: needs root");
		return SKIPPED;
	}
	if (cgroup_find_mount(mount, sizeof mount, &err) < 0 || access(mount, W_OK) < 0) {
		(void)printf("skipped: no cgroup2 to write to: %s\n", err.text);
		return SKIPPED;
	}
	(void)snprintf(base, sizeof base, "/csn-test-%d", (int)getpid());
	SRunner *runner = srunner_create(suite());
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	sweep();
	return failed ? 1 : 0;
}
