/* A set of hashes: open addressing over their own first digits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "volume/volume.h"

static size_t place_of(const char *hash)
{
	char digits[16];
	memcpy(digits, hash, 15);
	digits[15] = '\0';
	return (size_t)strtoull(digits, NULL, 16);
}

/* Where it is, or where it would be. */
static struct hash_slot *find(const struct hash_set *set, const char *hash)
{
	for (size_t i = place_of(hash);; i++) {
		struct hash_slot *slot = &set->slots[i & (set->capacity - 1)];
		if (!slot->hash[0] || memcmp(slot->hash, hash, 64) == 0)
			return slot;
	}
}

bool hash_set_has(const struct hash_set *set, const char *hash)
{
	return set->capacity && find(set, hash)->hash[0];
}

static int grow(struct hash_set *set)
{
	struct hash_set larger = { .capacity = set->capacity ? 2 * set->capacity : 64,
				   .count = set->count };
	larger.slots = calloc(larger.capacity, sizeof *larger.slots);
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->capacity; i++)
		if (set->slots[i].hash[0])
			*find(&larger, set->slots[i].hash) = set->slots[i];
	free(set->slots);
	*set = larger;
	return 0;
}

int hash_set_add(struct hash_set *set, const char *hash)
{
	if (2 * set->count >= set->capacity && grow(set) < 0)
		return -ENOMEM;
	struct hash_slot *slot = find(set, hash);
	if (!slot->hash[0]) {
		memcpy(slot->hash, hash, 64);
		set->count++;
	}
	return 0;
}

void hash_set_done(struct hash_set *set)
{
	free(set->slots);
	*set = (struct hash_set){ 0 };
}
