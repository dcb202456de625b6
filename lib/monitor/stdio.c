/*
 * Pipes for the container's streams. The process that host_run and host_exec start inherits 0, 1
 * and 2, so ours are replaced just before and made /dev/null just after.
 */
#include "monitor/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "monitor/supervise.h"

/* Its pages are there only while something waits in them. */
enum { PIPE_ROOM = 1 << 20 };

static int make_pipe(struct stdio *s, int stream, struct csn_error *err)
{
	int pair[2], read_end = stream != 0 ? 0 : 1; /* which end is ours */
	if (pipe2(pair, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe");
	s->ours[stream] = pair[read_end];
	s->theirs[stream] = pair[!read_end];
	return fcntl(s->ours[stream], F_SETFL, O_NONBLOCK) < 0 ? fail_errno(err, "fcntl") : 0;
}

int stdio_make(struct stdio *s, bool has_input, struct csn_error *err)
{
	for (int stream = has_input ? 0 : 1; stream < 3; stream++)
		TRY(make_pipe(s, stream, err));
	return 0;
}

void stdio_widen(const struct stdio *s)
{
	for (int stream = 1; stream < 3; stream++)
		if (s->ours[stream] >= 0)
			(void)fcntl(s->ours[stream], F_SETPIPE_SZ, PIPE_ROOM);
}

int stdio_lend(const struct stdio *s)
{
	for (int fd = 0; fd < 3; fd++)
		if (s->theirs[fd] >= 0 && dup2(s->theirs[fd], fd) < 0)
			return -errno;
	return 0;
}

int stdio_null(void)
{
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -errno;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	return 0;
}

void stdio_done(struct stdio *s)
{
	for (int fd = 0; fd < 3; fd++) {
		close_fd(&s->ours[fd]);
		close_fd(&s->theirs[fd]);
	}
}

void say_status(int fd, pid_t pid, const struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	if (err) {
		json_put_string(&o, "error", err->text);
		json_put_i64(&o, "code", err->code);
	} else {
		json_put_i64(&o, "pid", pid);
	}
	json_close_object(&o);
	auto_mem char *text = NULL;
	if (json_out_take(&o, &text, NULL) == 0) {
		(void)write_all(fd, text, strlen(text));
		(void)write_all(fd, "\n", 1);
	}
	(void)close(fd);
}
