/* What an agent sets once for all containers: copied, so that it may forget its own. */
#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/sized.h"

static int copy_text(struct arena *arena, const char **text)
{
	if (!*text)
		return 0;
	*text = arena_strdup(arena, *text);
	return *text ? 0 : -ENOMEM;
}

static int copy(struct csn_rt_options *o, struct arena *arena, struct csn_error *err)
{
	if (copy_text(arena, &o->network) < 0)
		return fail(err, ENOMEM, "out of memory");
	return o->auth ? auth_take(&o->auth, arena, err) : 0;
}

int csn_rt_configure(struct csn_rt *rt, const struct csn_rt_options *options, struct csn_error *err)
{
	struct csn_rt_options o = CSN_RT_OPTIONS_INIT;
	struct arena arena = { 0 };
	int r = take_struct(&o, sizeof o, options, "struct csn_rt_options", err);
	if (r == 0)
		r = copy(&o, &arena, err);
	if (r < 0) {
		arena_free(&arena);
		return as_kind(err, r, CSN_ERROR_CONFIGURATION, "");
	}
	arena_free(&rt->options_arena);
	rt->options_arena = arena;
	rt->options = o;
	return 0;
}
