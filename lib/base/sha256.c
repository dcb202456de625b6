/* SHA-256, straight from FIPS 180-4. Speed does not matter here: profiles are a few kilobytes. */
#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

void sha256_init(struct sha256 *s)
{
	*s = (struct sha256){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
					 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
}

static void add_block(struct sha256 *s, const unsigned char *block)
{
	uint32_t w[64], v[8];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
		w[i] = w[i - 16] + a + w[i - 7] + b;
	}
	memcpy(v, s->state, sizeof v);
	for (int i = 0; i < 64; i++) {
		uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
		uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		uint32_t t1 = v[7] + s1 + choice + k[i] + w[i];
		uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
		uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += t1;
		v[0] = t1 + s0 + majority;
	}
	for (int i = 0; i < 8; i++)
		s->state[i] += v[i];
}

void sha256_update(struct sha256 *s, const void *data, size_t size)
{
	const unsigned char *p = data;
	size_t have = s->length % 64;

	s->length += size;
	while (size) {
		size_t n = 64 - have < size ? 64 - have : size;
		memcpy(s->block + have, p, n);
		have += n;
		p += n;
		size -= n;
		if (have == 64) {
			add_block(s, s->block);
			have = 0;
		}
	}
}

void sha256_bytes(struct sha256 *s, unsigned char ret[32])
{
	unsigned char pad[72] = { 0x80 }, length[8];
	uint64_t bits = s->length * 8;

	for (int i = 0; i < 8; i++)
		length[i] = (unsigned char)(bits >> (56 - 8 * i));
	sha256_update(s, pad, (s->length % 64 < 56 ? 56 : 120) - s->length % 64);
	sha256_update(s, length, sizeof length);
	for (int i = 0; i < 32; i++)
		ret[i] = (unsigned char)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_hex(struct sha256 *s, char ret[65])
{
	unsigned char bytes[32];
	sha256_bytes(s, bytes);
	for (int i = 0; i < 32; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

/* The hash over a block of the key, each byte of it changed by mask, and the data. */
static void keyed(const unsigned char key[64], unsigned char mask, const void *data, size_t size,
		  unsigned char ret[32])
{
	unsigned char block[64];
	struct sha256 s;
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = key[i] ^ mask;
	sha256_init(&s);
	sha256_update(&s, block, sizeof block);
	sha256_update(&s, data, size);
	sha256_bytes(&s, ret);
	explicit_bzero(block, sizeof block);
	explicit_bzero(&s, sizeof s);
}

void sha256_hmac(const void *key, size_t key_size, const void *data, size_t size,
		 unsigned char ret[32])
{
	unsigned char block[64] = { 0 }, inner[32];
	if (key_size > sizeof block) {
		struct sha256 s;
		sha256_init(&s);
		sha256_update(&s, key, key_size);
		sha256_bytes(&s, block);
	} else if (key_size) {
		memcpy(block, key, key_size);
	}
	keyed(block, 0x36, data, size, inner);
	keyed(block, 0x5c, inner, sizeof inner, ret);
	explicit_bzero(block, sizeof block);
}
