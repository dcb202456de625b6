/*
 * A file of records of one size, under a lock: who has what. A record is written by one pwrite(2)
 * and carries a sum, so that a crash leaves it whole or not there. Records of an earlier boot, and
 * damaged ones, count as free.
 */
#ifndef CSN_NETNS_LEDGER_H
#define CSN_NETNS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "caisson.h"

/* Every record begins with this, which ledger_put() fills; its size is a multiple of eight. */
struct ledger_head {
	uint32_t sum;
	uint32_t used;
	uint64_t boot; /* of its id */
};

struct ledger {
	int fd;
	size_t record_size, count; /* count: with free ones in between */
	uint64_t cursor;	   /* for whoever uses it; ledger_set_cursor() */
	char *map;		   /* of the file, with room for LEDGER_NEW_MAX more */
	size_t map_size;
	uint8_t *used; /* one bit a record: it is there, of this boot and whole */
};
/* How many records may be added to one that is open. */
enum { LEDGER_NEW_MAX = 1024 };
#define LEDGER_INIT                                                                                \
	{                                                                                          \
		.fd = -1                                                                           \
	}
/* Opens dir/name and locks it: for writing (made if missing) alone, else shared. Reading one that
 * is not there gives an empty one. */
int ledger_open(int dir, const char *name, size_t record_size, bool write, struct ledger *ret,
		struct csn_error *err);
void ledger_close(struct ledger *l);
/* The n-th record, in place; NULL when it is free. */
const void *ledger_at(const struct ledger *l, size_t n);
/* Where a new record may go. */
size_t ledger_free_slot(const struct ledger *l);
/* Writes a record to a slot (at most one behind the last), and takes one away. */
int ledger_put(struct ledger *l, size_t n, void *record, struct csn_error *err);
int ledger_drop(struct ledger *l, size_t n, struct csn_error *err);
int ledger_set_cursor(struct ledger *l, uint64_t cursor, struct csn_error *err);

#endif
