/* Progress as JSON. */
#include "agent/agent.h"
#include "base/error.h"
#include "base/json.h"
#include "base/sized.h"

static void put_status(struct json_out *o, const struct csn_progress *p)
{
	json_put_string(o, "kind", "status");
	if (p->id)
		json_put_string(o, "id", p->id);
	json_put_string(o, "status", p->status ? p->status : "");
	if (p->progress)
		json_put_string(o, "progress", p->progress);
	if (p->current || p->total)
		json_put_u64(o, "current", p->current);
	if (p->total)
		json_put_u64(o, "total", p->total);
}

static void put_done(struct json_out *o, const struct csn_progress *p)
{
	json_put_string(o, "kind", "done");
	json_open_array(o, "references");
	for (size_t i = 0; p->references && p->references[i]; i++)
		json_put_string(o, NULL, p->references[i]);
	json_close_array(o);
	if (p->digest)
		json_put_string(o, "digest", p->digest);
}

int csn_progress_to_json(const struct csn_progress *progress, char **ret_json,
			 struct csn_error *err)
{
	struct csn_progress p = CSN_PROGRESS_INIT;
	struct json_out o = JSON_OUT_COMPACT;
	TRY(as_kind(err, take_struct(&p, sizeof p, progress, "struct csn_progress", err),
		    CSN_ERROR_INVALID_SPEC, ""));
	json_open_object(&o, NULL);
	if (p.kind == CSN_PROGRESS_DONE)
		put_done(&o, &p);
	else
		put_status(&o, &p);
	json_close_object(&o);
	return as_kind(err, json_out_take(&o, ret_json, err), CSN_ERROR_INTERNAL, "");
}
