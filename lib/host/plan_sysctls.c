/* linux.sysctl → paths below /proc/sys. lib/spec has refused names that are not the container's. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "host/plan_build.h"

int plan_sysctls(const struct plan_input *in, struct built_plan *ret, struct csn_error *err)
{
	const struct spec_map *map = &in->spec->linux_.sysctl;
	struct plan_sysctl *out = arena_array(&ret->arena, map->count, sizeof *out);
	if (!out)
		return fail(err, ENOMEM, "out of memory");

	for (size_t i = 0; i < map->count; i++) {
		char *path = arena_strdup(&ret->arena, map->items[i].key);
		if (!path)
			return fail(err, ENOMEM, "out of memory");
		/* "net.ipv4.x", or "net/ipv4/eth0.1/x" where dots are part of a name. */
		if (strcspn(path, ".") < strcspn(path, "/"))
			for (char *p = path; *p; p++)
				*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
		if (strchr(map->items[i].value, '\n'))
			return fail(err, EINVAL, "linux.sysctl: value of \"%s\" has several lines",
				    map->items[i].key);
		out[i] = (struct plan_sysctl){ path, map->items[i].value };
	}
	ret->plan.sysctls = out;
	ret->plan.sysctls_count = map->count;
	return 0;
}
