/*
 * caisson-unpack: makes files of one layer's tar data. Started by caisson-image with three
 * descriptors (lib/image/wire.h has them, and the exchange); it takes no arguments and is of no use
 * to anybody else.
 *
 * Before it looks at the first byte it confines itself (lib/image/sandbox.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdpass.h"
#include "image/sandbox.h"
#include "image/wire.h"

#define LOWERS_MAX 500 /* overlayfs's bound */

static struct {
	const unsigned char *ring;
	struct wire_message queue[WIRE_SLOTS + 1]; /* came while lower layers were waited for */
	size_t queue_first, queue_count;
	bool ended; /* END came; libarchive may ask again */
	int held;   /* the slot of the last piece, -1: none */
	int lowers[LOWERS_MAX];
} state = { .held = -1 };

static void say(const struct wire_message *m)
{
	/* Nobody to talk to: nothing more to do. */
	if (send_with_fd(WIRE_SOCKET_FD, m, sizeof *m, -1) < 0)
		_exit(1);
}

static void hear(struct wire_message *m, int *ret_fd)
{
	if (recv_with_fd(WIRE_SOCKET_FD, m, sizeof *m, ret_fd) != sizeof *m)
		_exit(1);
}

static void next_message(struct wire_message *m)
{
	int fd = -1;

	if (state.queue_first < state.queue_count) {
		*m = state.queue[state.queue_first++];
		return;
	}
	hear(m, &fd);
	close_fd(&fd);
}

static ssize_t next_piece(void *data, const void **ret, struct csn_error *err)
{
	struct wire_message m;

	(void)data;
	if (state.held >= 0)
		say(&(struct wire_message){ .type = WIRE_FREE, .slot = (uint32_t)state.held });
	state.held = -1;
	if (state.ended)
		return 0;
	next_message(&m);
	if (m.type == WIRE_END) {
		state.ended = true;
		return 0;
	}
	if (m.type != WIRE_PIECE || m.slot >= WIRE_SLOTS || m.size > WIRE_SLOT_SIZE)
		return fail(err, EPROTO, "message %u was not expected", m.type);
	state.held = (int)m.slot;
	*ret = state.ring + m.slot * WIRE_SLOT_SIZE;
	return (ssize_t)m.size;
}

static int get_lowers(void *data, struct lower_view *ret, struct csn_error *err)
{
	struct wire_message m;
	size_t count = 0;
	int fd;

	(void)data;
	say(&(struct wire_message){ .type = WIRE_NEED_LOWERS });
	for (;;) {
		hear(&m, &fd);
		if (m.type == WIRE_LOWERS_END)
			break;
		if (m.type == WIRE_LOWER && fd >= 0 && count < LOWERS_MAX)
			state.lowers[count++] = fd;
		else if (state.queue_count < COUNT(state.queue))
			state.queue[state.queue_count++] = m;
		else
			return fail(err, EPROTO, "message %u was not expected", m.type);
	}
	*ret = (struct lower_view){ state.lowers, count };
	return 0;
}

static void warn(void *data, const char *text)
{
	struct wire_message m = { .type = WIRE_WARNING };

	(void)data;
	(void)snprintf(m.text, sizeof m.text, "%s", text);
	say(&m);
}

/* Character sets that libarchive will want: their tables must not be looked for in the layer. */
static void load_charsets(void)
{
	iconv_t c = iconv_open("UTF-8", "ANSI_X3.4-1968");
	if (c != (iconv_t)-1)
		(void)iconv_close(c);
	c = iconv_open("ANSI_X3.4-1968", "UTF-8");
	if (c != (iconv_t)-1)
		(void)iconv_close(c);
}

static int run(struct unpack_result *ret, struct csn_error *err)
{
	struct warner warner = { .warn = warn };
	void *ring = mmap(NULL, WIRE_RING_SIZE, PROT_READ, MAP_SHARED, WIRE_RING_FD, 0);
	if (ring == MAP_FAILED)
		return fail_errno(err, "map shared memory");
	state.ring = ring;
	(void)close(WIRE_RING_FD);
	load_charsets();
	(void)umask(0);
	int r = sandbox_enter(WIRE_DIR_FD, err);
	if (r < 0)
		return within(err, r, "confine the process that unpacks");
	/* What we were given is only good to mount it. */
	auto_fd root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail_errno(err, "open the layer's directory");
	(void)close(WIRE_DIR_FD);
	const struct unpack_options o = {
		.fs_dir = root,
		.next = next_piece,
		.get_lowers = get_lowers,
		.warner = &warner,
	};
	return unpack_layer(&o, ret, err);
}

int main(void)
{
	struct wire_message m = { .type = WIRE_RESULT };
	struct unpack_result result = { 0 };
	struct csn_error err = { 0 };

	if (run(&result, &err) == 0) {
		m.result = result;
	} else {
		m.type = WIRE_ERROR;
		m.code = err.code;
		(void)snprintf(m.text, sizeof m.text, "%s", err.text);
	}
	say(&m);
	_exit(0);
}
