/* Content digests "sha256:<64 hex>" and "sha512:<128 hex>": checking the text, computing the value.
 */
#ifndef CSN_IMAGE_DIGEST_H
#define CSN_IMAGE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "caisson.h"

enum digest_algorithm { DIGEST_SHA256, DIGEST_SHA512 };

#define DIGEST_TEXT_MAX (sizeof "sha512:" + 128)

/*
 * -EINVAL unless text is a digest that we can compute: a known algorithm, then exactly as many
 * lower-case hex digits as it has. Only such a text is ever made part of a path. What is at fault
 * (a manifest, a layer) is for the caller to add.
 */
int digest_check(const char *text, struct csn_error *err);
bool digest_is_valid(const char *text);
enum digest_algorithm digest_algorithm(const char *valid_text);
/* The part behind the colon of a valid digest. */
const char *digest_hex(const char *valid_text);

/* One running computation. Not thread-safe; different hashers are independent. */
struct hasher {
	void *context;
	enum digest_algorithm algorithm;
};

int hasher_init(struct hasher *h, enum digest_algorithm algorithm, struct csn_error *err);
int hasher_update(struct hasher *h, const void *data, size_t size, struct csn_error *err);
/* Writes "sha256:…"; the hasher is done afterwards. */
int hasher_final(struct hasher *h, char ret[DIGEST_TEXT_MAX], struct csn_error *err);
/* Accepts a zeroed or finished hasher. */
void hasher_done(struct hasher *h);

/* The digest of a text in memory. */
int digest_of(enum digest_algorithm algorithm, const void *data, size_t size,
	      char ret[DIGEST_TEXT_MAX], struct csn_error *err);

#endif
