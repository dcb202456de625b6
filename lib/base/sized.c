/* Copying structs whose first member is their size, between a program and a library of other ages.
 */
#include "base/sized.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

int take_struct(void *dst, size_t dst_size, const void *src, const char *what,
		struct csn_error *err)
{
	if (!src)
		return 0;
	size_t size;
	memcpy(&size, src, sizeof size);
	if (size < sizeof size)
		return fail(err, EINVAL, "%s: made without its _INIT macro", what);
	for (size_t i = dst_size; i < size; i++)
		if (((const char *)src)[i])
			return fail(err, E2BIG, "%s: has a member that this version does not know",
				    what);
	size_t known = size < dst_size ? size : dst_size;
	memcpy((char *)dst + sizeof size, (const char *)src + sizeof size, known - sizeof size);
	return 0;
}

void give_struct(void *dst, const void *src, size_t src_size)
{
	size_t size;
	memcpy(&size, dst, sizeof size);
	if (size > src_size)
		size = src_size;
	if (size > sizeof size)
		memcpy((char *)dst + sizeof size, (const char *)src + sizeof size,
		       size - sizeof size);
}
