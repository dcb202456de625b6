/*
 * exec for callers of the library: the process is started by caisson-monitor, which is told what to
 * run in a file that has no name, and speaks the attach protocol over a socket that we give it. It
 * is a child of ours, reaped in passing, and ends when the handle is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/path.h"
#include "runtime/runtime.h"

static int process_file(const char *json, int *ret, struct csn_error *err)
{
	auto_fd fd = memfd_create("process", MFD_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "memfd_create");
	int r = write_all(fd, json, strlen(json));
	if (r < 0)
		return fail(err, -r, "memfd: %s", strerror(-r));
	*ret = take_fd(&fd);
	return 0;
}

static int run(struct csn_runtime *rt, const char *id, int process_fd, int attach_fd,
	       bool has_input, struct csn_error *err)
{
	int fds[2];
	auto_mem char *state = path_join(rt->run_root, "state");
	if (!state)
		return fail(err, ENOMEM, "out of memory");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe");
	auto_fd read_end = fds[0];
	auto_fd write_end = fds[1];
	const int extra[] = { write_end, attach_fd, process_fd };
	const char *const args[] = { "--exec", "--state",      state, "--id",
				     id,       "--status-fd",  "3",   "--attach-fd",
				     "4",      "--process-fd", "5",   has_input ? "--stdin" : NULL,
				     NULL };
	const struct spawn s = {
		.program = MONITOR_PROGRAM,
		.args = args,
		.in_fd = -1,
		.out_fd = -1,
		.extra = extra,
		.extra_count = COUNT(extra),
		.session = true,
	};
	pid_t pid;
	TRY(spawn_program(rt, &s, &pid, err));
	close_fd(&write_end);
	int r = monitor_status(read_end, err);
	spawn_forget(rt, pid);
	return r;
}

int csn_container_exec(struct csn_runtime *rt, const char *container,
		       const struct csn_exec_options *options, struct csn_attach **ret,
		       struct csn_error *err)
{
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	auto_mem char *json = NULL;
	char id[CSN_ID_SIZE];
	int pair[2];

	TRY(take_struct(&o, sizeof o, options, "struct csn_exec_options", err));
	TRY(csn_container_resolve(rt, container, id, err));
	TRY(csn_container_process(rt, id, options, &json, err));
	auto_fd process_fd = -1;
	TRY(process_file(json, &process_fd, err));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno(err, "socketpair");
	auto_fd ours = pair[0];
	auto_fd theirs = pair[1];
	TRY(run(rt, id, process_fd, theirs, o.stdin_open || o.tty, err));
	return attach_new(take_fd(&ours), ret, err);
}
