/* Sizes as people write them: exact, in integers. */
#include "base/size.h"

#include <ctype.h>
#include <string.h>

/* Digits behind the point are counted up to here; what is smaller is less than a byte of 1p. */
#define FRACTION_MAX 1000000000000000000

static bool parse_unit(const char *text, unsigned *ret_shift)
{
	static const char units[] = "bkmgtp";
	while (*text == ' ')
		text++;
	*ret_shift = 0;
	if (!*text)
		return true;
	const char *unit = strchr(units, tolower((unsigned char)*text));
	if (!unit)
		return false;
	*ret_shift = (unsigned)(unit - units) * 10;
	text++;
	if (*ret_shift && tolower((unsigned char)*text) == 'i' &&
	    tolower((unsigned char)text[1]) == 'b')
		text++;
	if (*ret_shift && tolower((unsigned char)*text) == 'b')
		text++;
	return *text == '\0';
}

bool size_parse(const char *text, int64_t *ret)
{
	uint64_t whole = 0, fraction = 0, scale = 1, bytes;
	unsigned shift;
	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text); text++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*text - '0'), &whole))
			return false;
	if (*text == '.') {
		if (!isdigit((unsigned char)*++text))
			return false;
		for (; isdigit((unsigned char)*text); text++)
			if (scale < FRACTION_MAX) {
				fraction = fraction * 10 + (uint64_t)(*text - '0');
				scale *= 10;
			}
	}
	if (!parse_unit(text, &shift) ||
	    __builtin_mul_overflow(whole, UINT64_C(1) << shift, &bytes))
		return false;
	bytes += (uint64_t)(((unsigned __int128)fraction << shift) / scale);
	if (bytes > INT64_MAX)
		return false;
	*ret = (int64_t)bytes;
	return true;
}
