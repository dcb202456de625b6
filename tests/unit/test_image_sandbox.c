/*
 * The confinement of the process that unpacks: what it can still do, and what it cannot, each asked
 * of the kernel from within. Needs root.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/sandbox.h"
#include "tests/unit/unpack_harness.h"

/* 0: it did what it should not. */
static bool refused(long r, int code)
{
	return r < 0 && errno == code;
}

static bool sees_no_outside(void)
{
	return refused(open("/etc/passwd", O_RDONLY), ENOENT) &&
	       refused(open("/proc/self/exe", O_RDONLY), ENOENT) &&
	       refused(open("../../../../etc/passwd", O_RDONLY), ENOENT) &&
	       open("/inside", O_RDONLY) >= 0;
}

static bool has_no_network(void)
{
	return refused(socket(AF_INET, SOCK_STREAM, 0), EPERM) &&
	       refused(socket(AF_UNIX, SOCK_STREAM, 0), EPERM);
}

static bool starts_nothing(void)
{
	char *const argv[] = { (char *)(uintptr_t) "/inside", NULL };

	return refused(syscall(SYS_clone, 0, 0, 0, 0, 0), EPERM) &&
	       refused(execve("/inside", argv, argv), EPERM) &&
	       refused(syscall(SYS_clone3, NULL, 0), EPERM);
}

static bool maps_no_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED && data != MAP_FAILED &&
	       refused(mprotect(data, 4096, PROT_READ | PROT_EXEC), EPERM);
}

static bool uses_no_admin(void)
{
	return refused(mount("/", "/", NULL, MS_BIND, NULL), EPERM) &&
	       refused(unshare(CLONE_NEWNS), EPERM) && refused(setns(0, 0), EPERM) &&
	       refused(syscall(SYS_open_by_handle_at, -1, NULL, 0), EPERM) &&
	       refused(syscall(SYS_bpf, 0, NULL, 0), EPERM) &&
	       refused(syscall(SYS_kill, 1, 0), EPERM) &&
	       refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM) &&
	       refused(chroot("/"), EPERM) && refused(ioctl(0, FS_IOC_SETFLAGS, NULL), EPERM);
}

static bool is_bounded(void)
{
	return mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED;
}

static bool makes_files(void)
{
	int fd = openat(AT_FDCWD, "f", O_WRONLY | O_CREAT | O_EXCL, 0600);

	return fd >= 0 && fchown(fd, 5, 6) == 0 && fchmod(fd, 06755) == 0 &&
	       fsetxattr(fd, "trusted.x", "y", 1, 0) == 0 &&
	       mknodat(AT_FDCWD, "dev", S_IFCHR | 0600, makedev(1, 3)) == 0 &&
	       refused(open("dev", O_RDONLY), EACCES) && symlinkat("t", AT_FDCWD, "l") == 0 &&
	       linkat(AT_FDCWD, "f", AT_FDCWD, "h", 0) == 0 && mkdirat(AT_FDCWD, "d", 0755) == 0;
}

static const struct {
	const char *name;
	bool (*holds)(void);
} checks[] = {
	{ "sees nothing outside", sees_no_outside },
	{ "has no network", has_no_network },
	{ "starts no processes", starts_nothing },
	{ "maps no code", maps_no_code },
	{ "uses no privilege", uses_no_admin },
	{ "has bounded memory", is_bounded },
	{ "makes files", makes_files },
};

START_TEST(confined)
{
	auto_fd dir = make_dir("layer");
	auto_fd inside = openat(dir, "inside", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ck_assert_int_ge(inside, 0);
	auto_fd tree = open_tree(dir, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NODEV };
	int status;

	ck_assert_int_ge(tree, 0);
	ck_assert_int_eq(mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct csn_error err = { 0 };
		if (sandbox_enter(tree, &err) < 0)
			_exit(101);
		_exit(checks[_i].holds() ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %x",
		      checks[_i].name, (unsigned int)status);
}
END_TEST

int main(void)
{
#ifdef CSN_ASAN
	(void)printf("no seccomp under the sanitizers: skipped\n");
	return 77;
#endif
	if (geteuid() != 0) {
		(void)printf("needs root: skipped\n");
		return 77;
	}
	Suite *suite = suite_create("image sandbox");
	TCase *tc = tcase_create("sandbox");
	tcase_add_checked_fixture(tc, unpack_setup, unpack_teardown);
	tcase_add_loop_test(tc, confined, 0, COUNT(checks));
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
