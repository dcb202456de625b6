/*
 * The trusted half of unpacking: decompresses a layer into shared memory, while a confined process
 * makes files of it. This side never parses the tar data; the other never sees the blob, the store,
 * the network or this side's memory. Each layer has a process of its own, started by exec, so that
 * no credentials or keys of ours are in it.
 *
 * The two work at the same time: decompression and digests here, system calls there.
 */
#include "image/unpacker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdpass.h"
#include "image/wire.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define PATIENCE_SECONDS 300 /* for a process that says nothing */

struct unpacker {
	const struct unpacker_request *request;
	pid_t pid;
	int sock;
	unsigned char *ring;
	unsigned int free_slots[WIRE_SLOTS], free_count;
	bool used[WIRE_SLOTS];
	bool fed; /* END was sent */
	bool gave_lowers, done;
	int silent; /* seconds */
	struct unpack_result result;
};

/* ---- starting and ending --------------------------------------------------------------------- */

/* Returns a descriptor that can only be read from and mapped read-only. */
static int make_ring(struct unpacker *u, struct csn_error *err)
{
	auto_fd fd = memfd_create("layer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, WIRE_RING_SIZE) < 0)
		return fail_errno(err, "make shared memory");
	void *map = mmap(NULL, WIRE_RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return fail_errno(err, "map shared memory");
	u->ring = map;
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
		return fail_errno(err, "seal shared memory");
	for (unsigned int i = 0; i < WIRE_SLOTS; i++)
		u->free_slots[u->free_count++] = WIRE_SLOTS - 1 - i;
	return take_fd(&fd);
}

/* A mount of that directory alone: from its descriptor no ".." leads out. */
static int confine_dir(int dir, uint64_t attributes, struct csn_error *err)
{
	struct mount_attr attr = { .attr_set = attributes | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					       MOUNT_ATTR_NOEXEC };

	auto_fd tree = open_tree(dir, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return fail_errno(err, "confine the unpacking to its directory");
	return take_fd(&tree);
}

static int add_fds(posix_spawn_file_actions_t *actions, const int fds[3])
{
	int e = 0;

	for (int i = 0; e == 0 && i < STDERR_FILENO; i++)
		e = posix_spawn_file_actions_addopen(actions, i, "/dev/null", O_RDWR, 0);
	for (int i = 0; e == 0 && i < 3; i++)
		e = posix_spawn_file_actions_adddup2(actions, fds[i], WIRE_SOCKET_FD + i);
	return e ? e : posix_spawn_file_actions_addclosefrom_np(actions, WIRE_DIR_FD + 1);
}

static int spawn(const char *program, const int fds[3], pid_t *ret_pid, struct csn_error *err)
{
	char *argv[] = { (char *)(uintptr_t) "caisson-unpack", NULL };
	char *envp[] = { NULL };
	int moved[3] = { -1, -1, -1 };
	posix_spawn_file_actions_t actions;

	/* Above all targets, so that no dup2 closes what another needs. */
	for (int i = 0; i < 3; i++)
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, WIRE_DIR_FD + 1);
	int e = posix_spawn_file_actions_init(&actions);
	if (e == 0) {
		e = add_fds(&actions, moved);
		if (e == 0)
			e = posix_spawn(ret_pid, program, &actions, NULL, argv, envp);
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	for (int i = 0; i < 3; i++)
		close_fd(&moved[i]);
	return e ? fail(err, e, "start %s: %s", program, strerror(e)) : 0;
}

static int start(struct unpacker *u, struct csn_error *err)
{
	int pair[2];

	auto_fd ring = make_ring(u, err);
	TRY(ring);
	auto_fd dir = confine_dir(u->request->fs_dir, 0, err);
	TRY(dir);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno(err, "make a socket pair");
	u->sock = pair[0];
	auto_fd theirs = pair[1];
	return spawn(u->request->program, (const int[]){ theirs, ring, dir }, &u->pid, err);
}

/* Kills it if it still runs; its wait status. */
static int finish(struct unpacker *u)
{
	int status = 0;

	close_fd(&u->sock);
	if (u->ring)
		(void)munmap(u->ring, WIRE_RING_SIZE);
	if (u->pid <= 0)
		return 0;
	if (!u->done)
		(void)kill(u->pid, SIGKILL);
	while (waitpid(u->pid, &status, 0) < 0 && errno == EINTR)
		;
	u->pid = 0;
	return status;
}

/* It hung up without a result. */
static int died(struct unpacker *u, struct csn_error *err)
{
	u->done = true;
	int status = finish(u);

	if (WIFSIGNALED(status))
		return fail(err, EIO, "the process that unpacks was killed by signal %d",
			    WTERMSIG(status));
	return fail(err, EIO, "the process that unpacks ended without a result (status %d)",
		    WEXITSTATUS(status));
}

/* ---- the exchange ---------------------------------------------------------------------------- */

static int say(struct unpacker *u, const struct wire_message *m, int fd, struct csn_error *err)
{
	int r = send_with_fd(u->sock, m, sizeof *m, fd);

	/* Hung up: it has said why, or its end will tell. */
	return r == 0 || r == -EPIPE || r == -ECONNRESET
		       ? 0
		       : fail(err, -r, "send to the process that unpacks: %s", strerror(-r));
}

static int give_lowers(struct unpacker *u, struct csn_error *err)
{
	struct lower_view view;

	if (u->gave_lowers)
		return fail(err, EPROTO, "the process that unpacks asked twice");
	u->gave_lowers = true;
	TRY(u->request->get_lowers(u->request->data, &view, err));
	for (size_t i = 0; i < view.count; i++) {
		auto_fd tree = confine_dir(view.dirs[i], MOUNT_ATTR_RDONLY, err);
		TRY(tree);
		auto_fd dir = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return fail_errno(err, "open a lower layer");
		TRY(say(u, &(struct wire_message){ .type = WIRE_LOWER }, dir, err));
	}
	return say(u, &(struct wire_message){ .type = WIRE_LOWERS_END }, -1, err);
}

static int take_slot(struct unpacker *u, unsigned int slot, struct csn_error *err)
{
	if (slot >= WIRE_SLOTS || !u->used[slot])
		return fail(err, EPROTO, "the process that unpacks freed what it did not have");
	u->used[slot] = false;
	u->free_slots[u->free_count++] = slot;
	return 0;
}

/* What it says is as trustworthy as the layer. */
static int take_result(struct unpacker *u, const struct unpack_result *r, struct csn_error *err)
{
	if (!u->fed || r->entries > UNPACK_ENTRIES_MAX || r->root.mode > 07777)
		return fail(err, EPROTO, "the process that unpacks gave no proper result");
	u->result = *r;
	u->done = true;
	return 0;
}

static int hear(struct unpacker *u, struct wire_message *m, struct csn_error *err)
{
	u->silent = 0;
	switch (m->type) {
	case WIRE_FREE:
		return take_slot(u, m->slot, err);
	case WIRE_NEED_LOWERS:
		return give_lowers(u, err);
	case WIRE_WARNING:
		m->text[sizeof m->text - 1] = '\0';
		u->request->warn(u->request->data, m->text);
		return 0;
	case WIRE_RESULT:
		return take_result(u, &m->result, err);
	case WIRE_ERROR:
		m->text[sizeof m->text - 1] = '\0';
		return fail(err, m->code > 0 && m->code < 4096 ? m->code : EIO, "%s", m->text);
	default:
		return fail(err, EPROTO, "the process that unpacks said %u", m->type);
	}
}

/* Hears one message, or what is there at once; the second's end is a chance to stop. */
static int listen_to(struct unpacker *u, bool wait, struct csn_error *err)
{
	struct pollfd p = { .fd = u->sock, .events = POLLIN };
	struct wire_message m;

	if (wait && poll(&p, 1, 1000) == 0) {
		if (++u->silent > PATIENCE_SECONDS)
			return fail(err, ETIMEDOUT, "the process that unpacks does not go on");
		return u->request->check(u->request->data, err);
	}
	ssize_t n = recv(u->sock, &m, sizeof m, MSG_DONTWAIT);
	/* A reset comes before what it said last, which is still there. */
	if (n < 0 && errno == ECONNRESET)
		return listen_to(u, false, err);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return fail_errno(err, "hear from the process that unpacks");
	if (n != sizeof m)
		return n > 0 ? fail(err, EPROTO, "the process that unpacks said half a word")
			     : died(u, err);
	TRY(hear(u, &m, err));
	return 1;
}

/* Fills a free slot. */
static int feed(struct unpacker *u, struct csn_error *err)
{
	unsigned int slot = u->free_slots[u->free_count - 1];
	ssize_t n = stream_read(u->request->stream, u->ring + slot * WIRE_SLOT_SIZE, WIRE_SLOT_SIZE,
				err);
	if (n < 0)
		return (int)n;
	if (n == 0) {
		u->fed = true;
		return say(u, &(struct wire_message){ .type = WIRE_END }, -1, err);
	}
	u->free_count--;
	u->used[slot] = true;
	return say(u,
		   &(struct wire_message){ .type = WIRE_PIECE, .slot = slot, .size = (uint32_t)n },
		   -1, err);
}

static int run(struct unpacker *u, struct csn_error *err)
{
	TRY(start(u, err));
	while (!u->done) {
		bool can_feed = !u->fed && u->free_count > 0;
		if (can_feed)
			TRY(feed(u, err));
		int r = listen_to(u, !can_feed, err);
		TRY(r);
		while (r > 0 && !u->done) {
			r = listen_to(u, false, err);
			TRY(r);
		}
	}
	return 0;
}

int unpacker_run(const struct unpacker_request *request, struct unpack_result *ret,
		 struct csn_error *err)
{
	struct unpacker u = { .request = request, .sock = -1 };

	int r = run(&u, err);
	(void)finish(&u);
	if (r < 0)
		return r;
	*ret = u.result;
	return 0;
}
