/*
 * linux.seccomp → BPF: the filter is loaded into a child that makes one call and tells what came
 * of it; the cache is found again, never believed when it is not whole; the engine's default
 * profile does what it says.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/sha256.h"
#include "plan_fixture.h"
#include "service/seccomp_default.h"

static struct fixture f;

static void setup(void)
{
	fixture_open(&f);
}

static void teardown(void)
{
	fixture_close(&f);
}

static int compile(const char *seccomp)
{
	char text[32768];
	(void)snprintf(text, sizeof text, "'seccomp':{%s}", seccomp);
	fixture_load(&f, (struct document){ .linux_ = text });
	return plan_seccomp(&f.in, &f.built, &f.err);
}

static void compiled(const char *seccomp)
{
	int r = compile(seccomp);
	ck_assert_msg(r == 0, "%s: %s", seccomp, f.err.text);
	ck_assert_ptr_nonnull(f.built.plan.seccomp.filter);
	ck_assert_uint_gt(f.built.plan.seccomp.len, 0);
}

enum { KILLED = 1000 };

/* errno of a system call below the filter (0: it worked), KILLED + signal when it ended us. */
static int call(long number, uint64_t a, uint64_t b, uint64_t c)
{
	struct sock_fprog prog = {
		.len = f.built.plan.seccomp.len,
		.filter = (struct sock_filter *)(uintptr_t)f.built.plan.seccomp.filter
	};
	int pipes[2], result = -1, status = 0;
	ck_assert_int_eq(pipe(pipes), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
			_exit(2);
		long r = syscall(number, a, b, c);
		result = r < 0 ? errno : 0;
		/* Raw: a sanitizer's wrappers may call what the filter forbids. */
		bool said = syscall(SYS_write, pipes[1], &result, sizeof result) == sizeof result;
		(void)syscall(SYS_exit_group, said ? 0 : 3);
	}
	close_fd(&pipes[1]);
	ssize_t n = read(pipes[0], &result, sizeof result);
	close_fd(&pipes[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return KILLED + WTERMSIG(status);
	ck_assert_msg(n == sizeof result && status == 0, "the filter was not loaded");
	return result;
}

/* ---- what rules become ----------------------------------------------------------------------- */

#define RULE(names, rest) "'syscalls':[{'names':[" names "]," rest "}]"
#define ALLOW		  "'defaultAction':'SCMP_ACT_ALLOW',"

static const struct {
	const char *profile;
	long number;
	uint64_t a, b;
	int result;
} verdicts[] = {
	{ ALLOW RULE("'getppid'", "'action':'SCMP_ACT_ERRNO'"), SYS_getppid, 0, 0, EPERM },
	{ ALLOW RULE("'getppid'", "'action':'SCMP_ACT_ERRNO','errnoRet':38"), SYS_getppid, 0, 0,
	  ENOSYS },
	{ ALLOW RULE("'getppid'", "'action':'SCMP_ACT_ERRNO','errnoRet':0"), SYS_getppid, 0, 0, 0 },
	{ ALLOW RULE("'getppid'", "'action':'SCMP_ACT_KILL_PROCESS'"), SYS_getppid, 0, 0,
	  KILLED + SIGSYS },
	{ ALLOW RULE("'getppid'", "'action':'SCMP_ACT_TRAP'"), SYS_getppid, 0, 0, KILLED + SIGSYS },
	{ ALLOW RULE("'getppid'", "'action':'SCMP_ACT_LOG'"), SYS_getppid, 0, 0, 0 },
	/* Names that no kernel knows are passed over, not refused. */
	{ ALLOW RULE("'fly','getppid','swim'", "'action':'SCMP_ACT_ERRNO'"), SYS_getppid, 0, 0,
	  EPERM },
	/* What a rule says anyway is no rule. */
	{ ALLOW RULE("'getppid'", "'action':'SCMP_ACT_ALLOW'"), SYS_getppid, 0, 0, 0 },
	/* One condition an argument: all of them. */
	{ ALLOW RULE("'dup3'", "'action':'SCMP_ACT_ERRNO','args':["
			       "{'index':0,'value':0,'op':'SCMP_CMP_EQ'},"
			       "{'index':1,'value':50,'op':'SCMP_CMP_GE'}]"),
	  SYS_dup3, 0, 50, EPERM },
	{ ALLOW RULE("'dup3'", "'action':'SCMP_ACT_ERRNO','args':["
			       "{'index':0,'value':0,'op':'SCMP_CMP_EQ'},"
			       "{'index':1,'value':50,'op':'SCMP_CMP_GE'}]"),
	  SYS_dup3, 0, 49, 0 },
	/* Two on one argument: any of them. */
	{ ALLOW RULE("'dup3'", "'action':'SCMP_ACT_ERRNO','args':["
			       "{'index':1,'value':41,'op':'SCMP_CMP_EQ'},"
			       "{'index':1,'value':42,'op':'SCMP_CMP_EQ'}]"),
	  SYS_dup3, 0, 42, EPERM },
	{ ALLOW RULE("'dup3'", "'action':'SCMP_ACT_ERRNO','args':["
			       "{'index':1,'value':41,'op':'SCMP_CMP_EQ'},"
			       "{'index':1,'value':42,'op':'SCMP_CMP_EQ'}]"),
	  SYS_dup3, 0, 43, 0 },
	/* Values of 64 bits. */
	{ ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':["
				"{'index':0,'value':18446744073709551615,'op':'SCMP_CMP_EQ'}]"),
	  SYS_umask, UINT64_MAX, 0, EPERM },
	{ ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':["
				"{'index':0,'value':18446744073709551615,'op':'SCMP_CMP_EQ'}]"),
	  SYS_umask, UINT32_MAX, 0, 0 },
	/* value is the mask, valueTwo what is compared. */
	{ ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':["
				"{'index':0,'value':255,'valueTwo':16,'op':'SCMP_CMP_MASKED_EQ'}]"),
	  SYS_umask, 0x110, 0, EPERM },
	{ ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':["
				"{'index':0,'value':255,'valueTwo':16,'op':'SCMP_CMP_MASKED_EQ'}]"),
	  SYS_umask, 0x111, 0, 0 },
	{ ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':["
				"{'index':0,'value':0,'op':'SCMP_CMP_NE'}]"),
	  SYS_umask, 1, 0, EPERM },
	{ ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':["
				"{'index':0,'value':9,'op':'SCMP_CMP_LT'}]"),
	  SYS_umask, 8, 0, EPERM },
	{ ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':["
				"{'index':0,'value':9,'op':'SCMP_CMP_GT'}]"),
	  SYS_umask, 9, 0, 0 },
	{ ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':["
				"{'index':0,'value':9,'op':'SCMP_CMP_LE'}]"),
	  SYS_umask, 9, 0, EPERM },
	/* An architecture that can make no call here is no reason to fail. */
	{ ALLOW "'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_AARCH64','SCMP_ARCH_S390X',"
		"'SCMP_ARCH_LOONGARCH64','SCMP_ARCH_M68K','SCMP_ARCH_X32']," RULE(
			"'getppid'", "'action':'SCMP_ACT_ERRNO'"),
	  SYS_getppid, 0, 0, EPERM },
	/* An allow-list: everything that the child needs but getppid. */
	{ "'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':5," RULE("'write','exit_group'",
								       "'action':'SCMP_ACT_ALLOW'"),
	  SYS_getppid, 0, 0, EIO },
};

START_TEST(test_verdict)
{
	compiled(verdicts[_i].profile);
	ck_assert_int_eq(call(verdicts[_i].number, verdicts[_i].a, verdicts[_i].b, 0),
			 verdicts[_i].result);
}
END_TEST

START_TEST(test_absent)
{
	fixture_load(&f, (struct document){ 0 });
	ck_assert_int_eq(plan_seccomp(&f.in, &f.built, &f.err), 0);
	ck_assert_ptr_null(f.built.plan.seccomp.filter);
}
END_TEST

START_TEST(test_flags)
{
	compiled("'defaultAction':'SCMP_ACT_ALLOW'");
	ck_assert_uint_eq(f.built.plan.seccomp.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	compiled("'defaultAction':'SCMP_ACT_ALLOW','flags':[]");
	ck_assert_uint_eq(f.built.plan.seccomp.flags, 0);
	compiled("'defaultAction':'SCMP_ACT_ALLOW','flags':['SECCOMP_FILTER_FLAG_LOG',"
		 "'SECCOMP_FILTER_FLAG_TSYNC']");
	ck_assert_uint_eq(f.built.plan.seccomp.flags,
			  SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC);
}
END_TEST

#define NOTIFY(names) ALLOW RULE(names, "'action':'SCMP_ACT_NOTIFY'")

START_TEST(test_notify)
{
	compiled(NOTIFY("'getppid'") ",'listenerPath':'/run/l'");
	ck_assert(f.built.plan.seccomp.notify);
	compiled("'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/run/l'");
	ck_assert(!f.built.plan.seccomp.notify);
	ck_assert_int_lt(compile(NOTIFY("'getppid'")), 0);
	ck_assert_str_eq(f.err.text,
			 "linux.seccomp: SCMP_ACT_NOTIFY is used without a listenerPath");
	ck_assert_int_lt(compile(NOTIFY("'getppid','sendmsg'") ",'listenerPath':'/run/l'"), 0);
	ck_assert_str_eq(f.err.text,
			 "linux.seccomp.syscalls[0]: \"sendmsg\" cannot have SCMP_ACT_NOTIFY: the "
			 "runtime needs it to hand the listener on");
}
END_TEST

/* ---- cache ----------------------------------------------------------------------------------- */

static const char profile[] = ALLOW RULE("'getppid'", "'action':'SCMP_ACT_ERRNO'");

/* The one file of the cache. */
static void cache_file(char *path, size_t size)
{
	char command[256];
	(void)snprintf(command, sizeof command, "ls -A %s/state/.cache/seccomp", f.dir);
	FILE *list = popen(command, "re");
	char name[128], more[128];
	ck_assert_ptr_nonnull(list);
	ck_assert_int_eq(fscanf(list, "%127s", name), 1);
	ck_assert_msg(fscanf(list, "%127s", more) != 1, "%s and %s", name, more);
	(void)pclose(list);
	(void)snprintf(path, size, "%s/state/.cache/seccomp/%s", f.dir, name);
}

static void copy_filter(struct sock_filter *to, unsigned short *len)
{
	*len = f.built.plan.seccomp.len;
	ck_assert_uint_le(*len, 64);
	memcpy(to, f.built.plan.seccomp.filter, *len * sizeof *to);
}

START_TEST(test_cache_hit)
{
	char path[256];
	struct sock_filter first[64];
	unsigned short len;
	struct stat made, again;

	compiled(profile);
	copy_filter(first, &len);
	cache_file(path, sizeof path);
	ck_assert_int_eq(stat(path, &made), 0);
	ck_assert_uint_eq(made.st_mode, S_IFREG | 0600);
	compiled(profile);
	ck_assert_uint_eq(f.built.plan.seccomp.len, len);
	ck_assert_mem_eq(f.built.plan.seccomp.filter, first, len * sizeof *first);
	ck_assert_int_eq(stat(path, &again), 0);
	ck_assert_uint_eq(again.st_ino, made.st_ino);
	(void)snprintf(path, sizeof path, "%s/state/.cache", f.dir);
	ck_assert_int_eq(stat(path, &made), 0);
	ck_assert_uint_eq(made.st_mode, S_IFDIR | 0700);
}
END_TEST

/* A hit is really read: a valid file with another program under the same name is what we get. */
START_TEST(test_cache_is_used)
{
	char path[256];
	compiled(profile);
	cache_file(path, sizeof path);
	auto_fd fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	ck_assert_int_eq(fstat(fd, &st), 0);
	struct sock_filter last;
	off_t at = st.st_size - (off_t)sizeof last;
	ck_assert_int_eq(pread(fd, &last, sizeof last, at), sizeof last);
	last.k ^= 1;
	ck_assert_int_eq(pwrite(fd, &last, sizeof last, at), sizeof last);
	compiled(profile);
	const struct plan_seccomp *p = &f.built.plan.seccomp;
	ck_assert_uint_eq(p->filter[p->len - 1].k, last.k);
}
END_TEST

static void spoil_truncate(const char *path)
{
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(truncate(path, st.st_size - 1), 0);
}

static void spoil_empty(const char *path)
{
	ck_assert_int_eq(truncate(path, 0), 0);
}

static void spoil_longer(const char *path)
{
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(truncate(path, st.st_size + 8), 0);
}

static void flip(const char *path, off_t at)
{
	unsigned char byte;
	auto_fd fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 0xff;
	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
}

static void spoil_magic(const char *path)
{
	flip(path, 0);
}

static void spoil_format(const char *path)
{
	flip(path, 8);
}

static void spoil_length(const char *path)
{
	flip(path, 12);
}

static void spoil_digest(const char *path)
{
	flip(path, 16);
}

static void spoil_mode(const char *path)
{
	ck_assert_int_eq(chmod(path, 0644), 0);
}

static void spoil_link(const char *path)
{
	char other[300];
	(void)snprintf(other, sizeof other, "%s/other", f.dir);
	ck_assert_int_eq(rename(path, other), 0);
	ck_assert_int_eq(symlink(other, path), 0);
}

static void spoil_fifo(const char *path)
{
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void spoil_directory(const char *path)
{
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void (*const spoilers[])(const char *path) = {
	spoil_truncate, spoil_empty, spoil_longer, spoil_magic, spoil_format,	 spoil_length,
	spoil_digest,	spoil_mode,  spoil_link,   spoil_fifo,	spoil_directory,
};

START_TEST(test_cache_is_not_believed)
{
	char path[256];
	struct sock_filter first[64];
	unsigned short len;

	compiled(profile);
	copy_filter(first, &len);
	cache_file(path, sizeof path);
	spoilers[_i](path);
	compiled(profile);
	ck_assert_uint_eq(f.built.plan.seccomp.len, len);
	ck_assert_mem_eq(f.built.plan.seccomp.filter, first, len * sizeof *first);
	/* What could be replaced was: whole, ours, and no temporary file is left. */
	struct stat st;
	cache_file(path, sizeof path);
	ck_assert_int_eq(lstat(path, &st), 0);
	if (spoilers[_i] != spoil_directory)
		ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
}
END_TEST

/* Whatever can change the program changes its name. */
static const char *const variants[] = {
	ALLOW RULE("'getppid'", "'action':'SCMP_ACT_ERRNO'"),
	ALLOW RULE("'getpid'", "'action':'SCMP_ACT_ERRNO'"),
	ALLOW RULE("'getpid','getppid'", "'action':'SCMP_ACT_ERRNO'"),
	ALLOW RULE("'getppid'", "'action':'SCMP_ACT_ERRNO','errnoRet':0"),
	ALLOW RULE("'getppid'", "'action':'SCMP_ACT_ERRNO','errnoRet':2"),
	ALLOW RULE("'getppid'", "'action':'SCMP_ACT_LOG'"),
	ALLOW "'architectures':['SCMP_ARCH_X86']," RULE("'getppid'", "'action':'SCMP_ACT_ERRNO'"),
	"'defaultAction':'SCMP_ACT_LOG'," RULE("'getppid'", "'action':'SCMP_ACT_ERRNO'"),
	"'defaultAction':'SCMP_ACT_ERRNO'," RULE("'getppid'", "'action':'SCMP_ACT_ALLOW'"),
	"'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':2," RULE("'getppid'",
								     "'action':'SCMP_ACT_ALLOW'"),
	ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':[{'index':0,'value':1,"
			      "'op':'SCMP_CMP_EQ'}]"),
	ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':[{'index':1,'value':1,"
			      "'op':'SCMP_CMP_EQ'}]"),
	ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':[{'index':0,'value':2,"
			      "'op':'SCMP_CMP_EQ'}]"),
	ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':[{'index':0,'value':1,"
			      "'op':'SCMP_CMP_NE'}]"),
	ALLOW RULE("'umask'", "'action':'SCMP_ACT_ERRNO','args':[{'index':0,'value':1,"
			      "'valueTwo':1,'op':'SCMP_CMP_EQ'}]"),
	ALLOW "'syscalls':[{'names':['getppid'],'action':'SCMP_ACT_ERRNO'},"
	      "{'names':['umask'],'action':'SCMP_ACT_ERRNO'}]",
};

START_TEST(test_cache_names_differ)
{
	char command[256];
	int count = 0;
	for (size_t i = 0; i < COUNT(variants); i++)
		compiled(variants[i]);
	(void)snprintf(command, sizeof command, "ls -A %s/state/.cache/seccomp | wc -l", f.dir);
	FILE *list = popen(command, "re");
	ck_assert_int_eq(fscanf(list, "%d", &count), 1);
	(void)pclose(list);
	ck_assert_int_eq(count, (int)COUNT(variants));
}
END_TEST

/* A state root that cannot be written costs the cache, not the container. */
START_TEST(test_no_cache)
{
	close_fd(&f.in.state_root);
	f.in.state_root = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	compiled(profile);
	ck_assert_int_eq(call(SYS_getppid, 0, 0, 0), EPERM);
}
END_TEST

/* ---- the engine's default profile ------------------------------------------------------------ */

static const struct {
	const char *name;
	long number;
	uint64_t a, b;
	int result;
} defaults[] = {
	{ "getppid", SYS_getppid, 0, 0, 0 },
	{ "mount", SYS_mount, 0, 0, EPERM },
	{ "bpf", SYS_bpf, 0, 0, EPERM },
	{ "keyctl", SYS_keyctl, 0, 0, EPERM },
	{ "unshare", SYS_unshare, CLONE_NEWUSER, 0, EPERM },
	{ "setns", SYS_setns, 0, 0, EPERM },
	/* Absent as on an old kernel, so that C libraries fall back to clone. */
	{ "clone3", SYS_clone3, 0, 0, ENOSYS },
	{ "one of the future", 900, 0, 0, ENOSYS },
	{ "clone into a user namespace", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, EPERM },
	{ "clone with a new pid namespace", SYS_clone, CLONE_NEWPID, 0, EPERM },
	{ "socket unix", SYS_socket, AF_UNIX, SOCK_STREAM, 0 },
	{ "socket inet", SYS_socket, AF_INET, SOCK_DGRAM, 0 },
	{ "socket netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0 },
	{ "socket alg", SYS_socket, AF_ALG, SOCK_SEQPACKET, EAFNOSUPPORT },
	{ "socket vsock", SYS_socket, AF_VSOCK, SOCK_STREAM, EAFNOSUPPORT },
	{ "socket packet", SYS_socket, AF_PACKET, SOCK_RAW, EAFNOSUPPORT },
	/* The kernel drops the upper half of an int argument; a filter sees it. */
	{ "socket alg in disguise", SYS_socket, UINT64_C(1) << 32 | AF_ALG, SOCK_SEQPACKET,
	  EAFNOSUPPORT },
	{ "TIOCSTI", SYS_ioctl, 0, TIOCSTI, EPERM },
	{ "TIOCLINUX", SYS_ioctl, 0, TIOCLINUX, EPERM },
	{ "TIOCSTI in disguise", SYS_ioctl, 0, UINT64_C(7) << 32 | TIOCSTI, EPERM },
	{ "an ioctl beside it", SYS_ioctl, UINT32_MAX, TIOCSTI + 1, EBADF },
	{ "FIONREAD", SYS_ioctl, UINT32_MAX, FIONREAD, EBADF },
	{ "personality, asked", SYS_personality, 0xffffffff, 0, 0 },
	{ "personality, no randomisation", SYS_personality, 0x0040000, 0, ENOSYS },
};

START_TEST(test_default_profile)
{
	static char *text;
	if (!text) {
		struct json_out out = JSON_OUT_COMPACT;
		json_open_object(&out, NULL);
		seccomp_default_put(&out, "seccomp");
		json_close_object(&out);
		ck_assert_int_eq(json_out_take(&out, &text, &f.err), 0);
		text[strlen(text) - 1] = '\0'; /* its members only */
	}
	fixture_load(&f, (struct document){ .linux_ = text + 1 });
	int r = plan_seccomp(&f.in, &f.built, &f.err);
	ck_assert_msg(r == 0, "%s", f.err.text);
	ck_assert_uint_lt(f.built.plan.seccomp.len, 2048);
	int result = call(defaults[_i].number, defaults[_i].a, defaults[_i].b, 0);
	ck_assert_msg(result == defaults[_i].result, "%s: %d, not %d", defaults[_i].name, result,
		      defaults[_i].result);
}
END_TEST

/* ---- SHA-256 --------------------------------------------------------------------------------- */

static const struct {
	const char *text, *digest;
} vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

START_TEST(test_sha256)
{
	struct sha256 s;
	char hex[65];
	for (size_t i = 0; i < COUNT(vectors); i++) {
		sha256_init(&s);
		sha256_update(&s, vectors[i].text, strlen(vectors[i].text));
		sha256_hex(&s, hex);
		ck_assert_str_eq(hex, vectors[i].digest);
	}
	/* A million times "a", in pieces that straddle blocks. */
	char piece[1000];
	memset(piece, 'a', sizeof piece);
	sha256_init(&s);
	for (size_t done = 0, n = 1; done < 1000000; done += n, n = n % 999 + 1) {
		if (n > 1000000 - done)
			n = 1000000 - done;
		sha256_update(&s, piece, n);
	}
	sha256_hex(&s, hex);
	ck_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan_seccomp");
	TCase *all = tcase_create("all");
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, test_verdict, 0, (int)COUNT(verdicts));
	tcase_add_test(all, test_absent);
	tcase_add_test(all, test_flags);
	tcase_add_test(all, test_notify);
	tcase_add_test(all, test_cache_hit);
	tcase_add_test(all, test_cache_is_used);
	tcase_add_loop_test(all, test_cache_is_not_believed, 0, (int)COUNT(spoilers));
	tcase_add_test(all, test_cache_names_differ);
	tcase_add_test(all, test_no_cache);
	tcase_add_loop_test(all, test_default_profile, 0, (int)COUNT(defaults));
	tcase_add_test(all, test_sha256);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
