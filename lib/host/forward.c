/*
 * File descriptors that leave for others over AF_UNIX: the pty master to a console socket, a pidfd
 * to whoever asked, the seccomp listener to its agent.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdpass.h"
#include "base/json.h"
#include "host/launch.h"

static int send_to(const char *path, const char *data, size_t size, int fd, struct csn_error *err)
{
	auto_fd sock = unix_connect(path, SOCK_STREAM, err);
	if (sock < 0)
		return sock;
	int r = send_with_fd(sock, data, size, fd);
	return r < 0 ? fail(err, -r, "%s: %s", path, strerror(-r)) : 0;
}

int forward_console(const char *socket_path, int master, struct csn_error *err)
{
	static const char name[] = "/dev/ptmx";
	return within(err, send_to(socket_path, name, sizeof name - 1, master, err),
		      "console socket");
}

void forward_window_size(int master)
{
	struct winsize size;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)ioctl(master, TIOCSWINSZ, &size);
}

int forward_pidfd(const char *socket_path, int pidfd, struct csn_error *err)
{
	static const char name[] = "pidfd";
	return within(err, send_to(socket_path, name, sizeof name - 1, pidfd, err), "pidfd socket");
}

int forward_listener(const struct spec *spec, int listener, pid_t pid, const char *state,
		     struct csn_error *err)
{
	const struct spec_seccomp *s = &spec->linux_.seccomp;
	if (!s->listener_path)
		return fail(err, EINVAL,
			    "linux.seccomp: SCMP_ACT_NOTIFY is used without a listenerPath");

	struct json_out out = JSON_OUT_COMPACT;
	json_open_object(&out, NULL);
	json_put_string(&out, "ociVersion", SPEC_VERSION);
	json_open_array(&out, "fds");
	json_put_string(&out, NULL, "seccompFd");
	json_close_array(&out);
	json_put_i64(&out, "pid", pid);
	if (s->listener_metadata)
		json_put_string(&out, "metadata", s->listener_metadata);
	if (state)
		json_put_raw(&out, "state", state);
	json_close_object(&out);

	auto_mem char *text = NULL;
	TRY(json_out_take(&out, &text, err));
	return within(err, send_to(s->listener_path, text, strlen(text), listener, err),
		      "linux.seccomp.listenerPath");
}
