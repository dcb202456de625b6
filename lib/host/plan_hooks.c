/*
 * Hooks that the child runs (createContainer, startContainer) laid out for it, and the state
 * document that they read, parted around the pid, which only the child knows as it sees it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "host/plan_build.h"

static int lay_out(const struct spec_hooks *hooks, char *const *default_env, struct arena *arena,
		   const struct plan_hook **ret, size_t *ret_count, struct csn_error *err)
{
	static char *const no_env[] = { NULL };
	struct plan_hook *out = arena_array(arena, hooks->count, sizeof *out);
	if (!out)
		return fail(err, ENOMEM, "out of memory");

	for (size_t i = 0; i < hooks->count; i++) {
		const struct spec_hook *h = &hooks->items[i];
		char **argv = h->args.items;
		if (!h->args.count) {
			argv = arena_array(arena, 2, sizeof *argv);
			if (!argv)
				return fail(err, ENOMEM, "out of memory");
			argv[0] = h->path;
		}
		out[i] = (struct plan_hook){
			.path = h->path,
			.argv = argv,
			.envp = h->env.set    ? h->env.items
				: default_env ? default_env
					      : no_env,
			.timeout_s = h->timeout.set ? (int)h->timeout.value : 0,
		};
	}
	*ret = out;
	*ret_count = hooks->count;
	return 0;
}

/* before = {…,"pid":   after = ,"bundle":…} */
static int state_around_pid(const struct plan_input *in, const char *status, struct arena *arena,
			    struct plan_hook_state *ret, struct csn_error *err)
{
	static const char mark[] = "\"pid\":0";
	struct json_out o = JSON_OUT_COMPACT;

	json_open_object(&o, NULL);
	json_put_string(&o, "ociVersion", SPEC_VERSION);
	json_put_string(&o, "id", in->id);
	json_put_string(&o, "status", status);
	json_put_i64(&o, "pid", 0);
	json_put_string(&o, "bundle", in->bundle);
	json_open_object(&o, "annotations");
	for (size_t i = 0; i < in->spec->annotations.count; i++)
		json_put_string(&o, in->spec->annotations.items[i].key,
				in->spec->annotations.items[i].value);
	json_close_object(&o);
	json_close_object(&o);

	auto_mem char *text = NULL;
	TRY(json_out_take(&o, &text, err));
	/* The first one is ours: id and status before it hold no quotes. */
	char *before = arena_strdup(arena, text);
	char *at = before ? strstr(before, mark) : NULL;
	if (!at)
		return fail(err, ENOMEM, "out of memory");
	at += sizeof mark - 2;
	*at = '\0';
	*ret = (struct plan_hook_state){ before, at + 1 };
	return 0;
}

int plan_hooks(const struct plan_input *in, struct built_plan *ret, struct csn_error *err)
{
	const struct spec_hooks *hooks = in->spec->hooks;
	struct plan *p = &ret->plan;

	p->host_hooks = hooks[HOOK_PRESTART].count || hooks[HOOK_CREATE_RUNTIME].count ||
			in->spec->linux_.net_devices_count || in->spec->linux_.intel_rdt.set;
	if (hooks[HOOK_CREATE_CONTAINER].count)
		TRY(state_around_pid(in, "creating", &ret->arena, &p->create_state, err));
	if (hooks[HOOK_START_CONTAINER].count)
		TRY(state_around_pid(in, "created", &ret->arena, &p->start_state, err));
	TRY(lay_out(&hooks[HOOK_CREATE_CONTAINER], NULL, &ret->arena, &p->create_hooks,
		    &p->create_hooks_count, err));
	return lay_out(&hooks[HOOK_START_CONTAINER], p->envp, &ret->arena, &p->start_hooks,
		       &p->start_hooks_count, err);
}
