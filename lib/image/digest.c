/*
 * Digests of blobs, layers and configs.
 *
 * A digest from a manifest becomes a file name in the store, so its text is checked here, in one
 * place, before anything else looks at it: known algorithm, exact length, lower-case hex. What is
 * hashed goes through libcrypto's EVP interface, which uses the processor's SHA instructions.
 */
#include "image/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"

static const struct algorithm {
	const char *prefix;
	size_t hex_length;
	const EVP_MD *(*method)(void);
} algorithms[] = {
	[DIGEST_SHA256] = { "sha256:", 64, EVP_sha256 },
	[DIGEST_SHA512] = { "sha512:", 128, EVP_sha512 },
};

static const struct algorithm *find_algorithm(const char *text)
{
	for (size_t i = 0; i < COUNT(algorithms); i++)
		if (strncmp(text, algorithms[i].prefix, strlen(algorithms[i].prefix)) == 0)
			return &algorithms[i];
	return NULL;
}

bool digest_is_valid(const char *text)
{
	const struct algorithm *a = find_algorithm(text);
	if (!a)
		return false;

	const char *hex = text + strlen(a->prefix);
	return strlen(hex) == a->hex_length && strspn(hex, "0123456789abcdef") == a->hex_length;
}

int digest_check(const char *text, struct csn_error *err)
{
	if (!find_algorithm(text))
		return fail(err, EINVAL, "digest '%.80s': expected sha256:… or sha512:…", text);
	if (!digest_is_valid(text))
		return fail(err, EINVAL, "digest '%.160s': expected %zu lower-case hex digits",
			    text, find_algorithm(text)->hex_length);
	return 0;
}

enum digest_algorithm digest_algorithm(const char *valid_text)
{
	return (enum digest_algorithm)(find_algorithm(valid_text) - algorithms);
}

const char *digest_hex(const char *valid_text)
{
	return strchr(valid_text, ':') + 1;
}

int hasher_init(struct hasher *h, enum digest_algorithm algorithm, struct csn_error *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	*h = (struct hasher){ .context = context, .algorithm = algorithm };
	if (!context)
		return fail(err, ENOMEM, "out of memory");
	if (EVP_DigestInit_ex(context, algorithms[algorithm].method(), NULL) != 1)
		return fail(err, ENOSYS, "libcrypto has no %.6s", algorithms[algorithm].prefix);
	return 0;
}

int hasher_update(struct hasher *h, const void *data, size_t size, struct csn_error *err)
{
	if (EVP_DigestUpdate(h->context, data, size) != 1)
		return fail(err, EIO, "libcrypto could not compute a digest");
	return 0;
}

int hasher_final(struct hasher *h, char ret[DIGEST_TEXT_MAX], struct csn_error *err)
{
	unsigned char value[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	static const char digits[] = "0123456789abcdef";

	if (EVP_DigestFinal_ex(h->context, value, &size) != 1)
		return fail(err, EIO, "libcrypto could not compute a digest");

	const struct algorithm *a = &algorithms[h->algorithm];
	char *out = stpcpy(ret, a->prefix);
	for (unsigned int i = 0; i < size && i < a->hex_length / 2; i++) {
		*out++ = digits[value[i] >> 4];
		*out++ = digits[value[i] & 15];
	}
	*out = '\0';
	hasher_done(h);
	return 0;
}

void hasher_done(struct hasher *h)
{
	EVP_MD_CTX_free(h->context);
	h->context = NULL;
}

int digest_of(enum digest_algorithm algorithm, const void *data, size_t size,
	      char ret[DIGEST_TEXT_MAX], struct csn_error *err)
{
	AUTO(hasher_done)
	struct hasher h = { 0 };

	TRY(hasher_init(&h, algorithm, err));
	TRY(hasher_update(&h, data, size, err));
	return hasher_final(&h, ret, err);
}
