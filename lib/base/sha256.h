/* SHA-256 (FIPS 180-4) for cache keys on the start path, and with a key (RFC 2104) for the tokens
 * of libcaisson, which links no crypto library. */
#ifndef CSN_BASE_SHA256_H
#define CSN_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t state[8];
	uint64_t length;
	unsigned char block[64];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t size);
void sha256_bytes(struct sha256 *s, unsigned char ret[32]);
/* 64 hex digits and a NUL. */
void sha256_hex(struct sha256 *s, char ret[65]);
/* HMAC-SHA256. */
void sha256_hmac(const void *key, size_t key_size, const void *data, size_t size,
		 unsigned char ret[32]);

#endif
