/*
 * The supervisor of a container: the process that created it, and so is the parent of its first
 * process. It holds a lock on the state directory's file "supervisor" as long as it lives, so that
 * whoever asks in the moment between the end and exit.json knows that something is coming. It
 * writes under the container's own lock: once delete has had that, there is nowhere to write.
 *
 * Its creator hears from it on a pipe: warnings, and at last how it went.
 */
#include "bin/oci/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/names.h"
#include "base/utc.h"
#include "bin/oci/oci.h"

enum { END_WAIT_MS = 5000, RECORD_MAX = 4096 };

/* One message of the pipe; smaller than PIPE_BUF, so written whole. */
struct message {
	enum { MESSAGE_WARNING, MESSAGE_FAILED, MESSAGE_CREATED } kind;
	struct csn_error err; /* of a warning its text alone */
};
_Static_assert(sizeof(struct message) <= PIPE_BUF, "messages are written whole");

static void say(int pipe, int kind, const struct csn_error *err)
{
	struct message m = { .kind = kind };
	if (err)
		m.err = *err;
	(void)!write(pipe, &m, sizeof m);
}

static void warn(void *data, const char *text)
{
	struct csn_error err = { 0 };
	(void)snprintf(err.text, sizeof err.text, "%s", text);
	say(*(int *)data, MESSAGE_WARNING, &err);
}

/* ---- the supervisor ----------------------------------------------------------------------------
 */

static int open_state(const char *id, struct csn_error *err)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof path, "%s/%s", oci_context()->root, id);
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir < 0 ? fail_errno(err, "open %s", path) : dir;
}

/* Three descriptors that keep nothing open and nobody waiting. */
static int redirect(int output, struct csn_error *err)
{
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(output < 0 ? null : output, STDOUT_FILENO) < 0 ||
	    dup2(output < 0 ? null : output, STDERR_FILENO) < 0)
		return fail_errno(err, "standard streams");
	return 0;
}

/* Locks the mark by which others know of us. */
static int leave_mark(int dir, struct csn_error *err)
{
	int fd = openat(dir, "supervisor", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return fail_errno(err, "supervisor");
	return fd;
}

static void write_end(int dir, const siginfo_t *info)
{
	struct timespec now;
	char at[UTC_SIZE];
	bool exited = info->si_code == CLD_EXITED;
	auto_mem char *text = NULL;
	struct json_out o = JSON_OUT_COMPACT;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	utc_print(&now, at);
	json_open_object(&o, NULL);
	json_put_i64(&o, "exitCode", exited ? info->si_status & 0xff : 128 + info->si_status);
	json_put_string(&o, "signal", exited ? "" : signal_name(info->si_status));
	json_put_string(&o, "finishedAt", at);
	json_close_object(&o);
	if (json_out_take(&o, &text, NULL) < 0 || flock(dir, LOCK_EX) < 0)
		return;
	(void)file_write_atomic(dir, "exit.json", text, strlen(text), 0600, false, NULL);
	(void)flock(dir, LOCK_UN);
}

static pid_t init_of(const char *id, struct csn_error *err)
{
	struct record record AUTO(record_done) = { 0 };
	enum status status;
	TRY(host_state(oci_context(), id, &record, &status, err));
	return record.pid;
}

/* *ret_dir, ret_mark: for the rest of its life. */
static int create(const struct host_create *args, int output, int *pipe, int *ret_dir,
		  int *ret_mark, struct csn_error *err)
{
	struct host_context context = *oci_context();
	context.warn = warn;
	context.warn_data = pipe;
	TRY(redirect(output, err));
	TRY(host_create(&context, args, err));
	pid_t pid = init_of(args->id, err);
	*ret_dir = pid < 0 ? -1 : open_state(args->id, err);
	*ret_mark = *ret_dir < 0 ? -1 : leave_mark(*ret_dir, err);
	if (*ret_mark >= 0)
		return pid;
	int r = err && err->code ? -err->code : -EIO;
	(void)host_delete(&context, args->id, true, NULL);
	return r;
}

static void supervise(const struct host_create *args, int output, int pipe)
{
	struct csn_error err = { 0 };
	siginfo_t info = { 0 };
	int dir = -1, mark = -1;

	(void)setsid();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	pid_t pid = create(args, output, &pipe, &dir, &mark, &err);
	say(pipe, pid < 0 ? MESSAGE_FAILED : MESSAGE_CREATED, &err);
	close_fd(&pipe);
	close_fd(&output);
	if (pid < 0)
		return;
	(void)redirect(-1, NULL);
	(void)!chdir("/");
	int r;
	do
		r = waitid(P_PID, (id_t)pid, &info, WEXITED);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		write_end(dir, &info);
}

/* ---- who asked for it --------------------------------------------------------------------------
 */

static int listen_to(int pipe, struct csn_error *err)
{
	struct message m;
	for (;;) {
		ssize_t n = read(pipe, &m, sizeof m);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != sizeof m)
			return fail(err, EIO, "the container's supervisor died");
		if (m.kind == MESSAGE_CREATED)
			return 0;
		if (m.kind == MESSAGE_FAILED) {
			*err = m.err;
			return m.err.code ? -m.err.code : -EIO;
		}
		log_line(LOG_LEVEL_WARNING, "%s", m.err.text);
	}
}

int supervised_create(const struct host_create *args, const char *log, struct csn_error *err)
{
	int ends[2];
	auto_fd output = -1;
	if (log) {
		output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
		if (output < 0)
			return fail_errno(err, "--log %s", log);
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe");
	auto_fd reader = ends[0], writer = ends[1];
	pid_t pid = fork();
	if (pid < 0)
		return fail_errno(err, "fork");
	if (pid == 0) {
		close_fd(&reader);
		supervise(args, output, take_fd(&writer));
		_exit(0);
	}
	close_fd(&writer);
	return listen_to(reader, err);
}

/* ---- how it ended ------------------------------------------------------------------------------
 */

struct end_record {
	int32_t exit_code;
	char *signal, *finished_at;
};
static const struct json_field end_fields[] = {
	REQUIRED("exitCode", decode_i32, struct end_record, exit_code),
	FIELD("signal", decode_text, struct end_record, signal),
	FIELD("finishedAt", decode_text, struct end_record, finished_at),
	FIELDS_END,
};

/* Until its supervisor has nothing more to say. */
static void await_supervisor(int mark)
{
	for (int waited = 0; waited < END_WAIT_MS && flock(mark, LOCK_SH | LOCK_NB) < 0;
	     waited += 5)
		(void)poll(NULL, 0, 5);
}

int supervised_outcome(const char *id, struct supervised_end *ret, struct csn_error *err)
{
	struct end_record record = { 0 };
	struct arena arena AUTO(arena_free) = { 0 };
	auto_mem char *text = NULL;
	size_t size = 0;
	auto_fd dir = open_state(id, err);
	TRY(dir);
	auto_fd mark = openat(dir, "supervisor", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (mark < 0)
		return 0;
	await_supervisor(mark);
	*ret = (struct supervised_end){ 0 };
	int r = file_read(dir, "exit.json", RECORD_MAX, &text, &size, err);
	if (r == -ENOENT)
		return 1;
	TRY(r);
	TRY(json_decode(text, size, "exit.json", end_fields, &record, &arena, err));
	ret->known = true;
	ret->exit_code = record.exit_code;
	(void)snprintf(ret->signal, sizeof ret->signal, "%s", record.signal ? record.signal : "");
	(void)snprintf(ret->finished_at, sizeof ret->finished_at, "%s",
		       record.finished_at ? record.finished_at : "");
	return 1;
}
