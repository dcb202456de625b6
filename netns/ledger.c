/*
 * Records of one size in a file. The head of the file says which size; a file with another one (of
 * another version) is begun anew: its records are of things that the kernel forgets too.
 */
#include "netns/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/proc.h"

enum { LEDGER_MAX = 64 << 20 };

struct file_head {
	char magic[8];
	uint64_t record_size, cursor;
};
static const char magic[8] = "csnledg2";

/* Of what is behind the sum itself. A thousand records are read at each attach, so four sums go
 * side by side: a processor works on all of them at once. */
static uint32_t sum(const char *record, size_t size)
{
	enum { LANES = 4 };
	const uint64_t prime = 1099511628211ULL;
	uint64_t h[LANES] = { 14695981039346656037ULL, 1, 2, 3 }, word;
	uint32_t first;
	memcpy(&first, record + sizeof first, sizeof first);
	h[0] = (h[0] ^ first) * prime;
	size_t i = sizeof word;
	for (; i + LANES * sizeof word <= size; i += LANES * sizeof word) {
		for (size_t k = 0; k < LANES; k++) {
			memcpy(&word, record + i + k * sizeof word, sizeof word);
			h[k] = (h[k] ^ word) * prime;
		}
	}
	for (; i + sizeof word <= size; i += sizeof word) {
		memcpy(&word, record + i, sizeof word);
		h[0] = (h[0] ^ word) * prime;
	}
	for (size_t k = 1; k < LANES; k++)
		h[0] = (h[0] ^ h[k] ^ h[k] >> 32) * prime;
	return (uint32_t)(h[0] ^ h[0] >> 32);
}

/* A boot's id, as far as it is needed to tell two of them apart. */
static uint64_t boot(void)
{
	uint64_t h = 14695981039346656037ULL;
	for (const char *p = proc_boot_id(); *p; p++)
		h = (h ^ (uint8_t)*p) * 1099511628211ULL;
	return h;
}

static bool valid(const char *record, size_t size, uint64_t now)
{
	struct ledger_head head;
	memcpy(&head, record, sizeof head);
	return head.used == 1 && head.boot == now && head.sum == sum(record, size);
}

void ledger_close(struct ledger *l)
{
	close_fd(&l->fd);
	if (l->map)
		(void)munmap(l->map, l->map_size);
	free(l->used);
	l->map = NULL;
	l->used = NULL;
	l->count = 0;
}

static char *record_at(const struct ledger *l, size_t n)
{
	return l->map + sizeof(struct file_head) + n * l->record_size;
}

static void set_used(struct ledger *l, size_t n, bool used)
{
	uint8_t bit = (uint8_t)(1 << n % 8);
	l->used[n / 8] = (uint8_t)(used ? l->used[n / 8] | bit : l->used[n / 8] & ~bit);
}

static int lock_file(int fd, bool write)
{
	while (flock(fd, write ? LOCK_EX : LOCK_SH) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

static int begin_anew(struct ledger *l, const char *name, struct csn_error *err)
{
	struct file_head h = { .record_size = l->record_size };
	memcpy(h.magic, magic, sizeof magic);
	if (ftruncate(l->fd, 0) < 0 || pwrite(l->fd, &h, sizeof h, 0) != sizeof h)
		return fail_errno(err, "write %s", name);
	return 0;
}

/* Pages behind the end of the file are touched only when a record has been written there. */
static int map_records(struct ledger *l, const char *name, struct csn_error *err)
{
	const uint64_t now = boot();
	size_t room = l->count + LEDGER_NEW_MAX;
	l->map_size = sizeof(struct file_head) + room * l->record_size;
	void *map = mmap(NULL, l->map_size, PROT_READ, MAP_SHARED, l->fd, 0);
	if (map == MAP_FAILED)
		return fail_errno(err, "map %s", name);
	l->map = map;
	l->used = calloc(room / 8 + 1, 1);
	if (!l->used)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < l->count; i++)
		set_used(l, i, valid(record_at(l, i), l->record_size, now));
	return 0;
}

static int read_head(struct ledger *l, const char *name, bool write, struct csn_error *err)
{
	struct file_head h = { 0 };
	struct stat st;
	if (fstat(l->fd, &st) < 0 || pread(l->fd, &h, sizeof h, 0) < 0)
		return fail_errno(err, "read %s", name);
	if (st.st_size > LEDGER_MAX)
		return fail(err, EFBIG, "read %s: more than %d bytes", name, LEDGER_MAX);
	if (memcmp(h.magic, magic, sizeof magic) != 0 || h.record_size != l->record_size) {
		if (!write)
			return 0;
		TRY(begin_anew(l, name, err));
		return map_records(l, name, err);
	}
	l->cursor = h.cursor;
	l->count = ((size_t)st.st_size - sizeof h) / l->record_size;
	return map_records(l, name, err);
}

int ledger_open(int dir, const char *name, size_t record_size, bool write, struct ledger *ret,
		struct csn_error *err)
{
	struct ledger l AUTO(ledger_close) = { .record_size = record_size };
	int flags = (write ? O_RDWR | O_CREAT : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC;
	l.fd = openat(dir, name, flags, 0600);
	if (l.fd < 0 && !(errno == ENOENT && !write))
		return fail_errno(err, "open %s", name);
	if (l.fd >= 0) {
		if (lock_file(l.fd, write) < 0)
			return fail_errno(err, "lock %s", name);
		TRY(read_head(&l, name, write, err));
	}
	*ret = l;
	l = (struct ledger)LEDGER_INIT;
	return 0;
}

const void *ledger_at(const struct ledger *l, size_t n)
{
	return n < l->count && l->used[n / 8] & 1 << n % 8 ? record_at(l, n) : NULL;
}

size_t ledger_free_slot(const struct ledger *l)
{
	size_t n = 0;
	while (n < l->count && ledger_at(l, n))
		n++;
	return n;
}

static int write_record(struct ledger *l, size_t n, const void *record, struct csn_error *err)
{
	off_t at = (off_t)(sizeof(struct file_head) + n * l->record_size);
	ssize_t written = pwrite(l->fd, record, l->record_size, at);
	if (written == (ssize_t)l->record_size)
		return 0;
	if (written >= 0)
		errno = ENOSPC;
	return fail_errno(err, "write a lease");
}

int ledger_put(struct ledger *l, size_t n, void *record, struct csn_error *err)
{
	struct ledger_head head = { .used = 1, .boot = boot() };
	memcpy(record, &head, sizeof head);
	head.sum = sum(record, l->record_size);
	memcpy(record, &head, sizeof head);
	if (sizeof(struct file_head) + (n + 1) * l->record_size > l->map_size)
		return fail(err, ENOSPC, "more than %d leases at once", LEDGER_NEW_MAX);
	TRY(write_record(l, n, record, err));
	if (n >= l->count)
		l->count = n + 1;
	set_used(l, n, true);
	return 0;
}

int ledger_drop(struct ledger *l, size_t n, struct csn_error *err)
{
	char *zeros AUTO(free_mem)
	= calloc(1, l->record_size);
	if (!zeros)
		return fail(err, ENOMEM, "out of memory");
	TRY(write_record(l, n, zeros, err));
	set_used(l, n, false);
	return 0;
}

int ledger_set_cursor(struct ledger *l, uint64_t cursor, struct csn_error *err)
{
	l->cursor = cursor;
	if (pwrite(l->fd, &cursor, sizeof cursor, offsetof(struct file_head, cursor)) !=
	    sizeof cursor)
		return fail_errno(err, "write a lease");
	return 0;
}
