/* Changing the limits of a running container, for libcaisson: resources on standard input, the
 * outcome on the fd, as a start has it. The container's own monitor is not concerned. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "host/host.h"
#include "monitor/supervise.h"

enum { DOCUMENT_MAX = 16 << 20 };

static int update(const char *run_root, const char *id, struct csn_error *err)
{
	char state[4096];
	auto_mem char *text = NULL;
	struct spec *s = NULL;
	size_t size = 0;
	if ((size_t)snprintf(state, sizeof state, "%s/state", run_root) >= sizeof state)
		return fail(err, ENAMETOOLONG, "%.200s...: too long", run_root);
	TRY(file_read(AT_FDCWD, "/proc/self/fd/0", DOCUMENT_MAX, &text, &size, err));
	TRY(spec_parse_resources(text, size, "resources", &s, err));
	const struct host_context ctx = { .root = state };
	int r = host_update(&ctx, id, &s->linux_.resources, NULL, err);
	spec_free(s);
	return r;
}

int monitor_update(const char *run_root, const char *id, int reply_fd)
{
	struct csn_error err;
	int r = update(run_root, id, &err);
	say_status(reply_fd, getpid(), r < 0 ? &err : NULL);
	return r < 0;
}
