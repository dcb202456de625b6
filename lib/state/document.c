/* The state of a container as others read it: `state`, `list --format json`, hooks. */
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "base/utc.h"
#include "state/state.h"

static void put_state(struct json_out *o, const struct record *r, enum status status, bool compact,
		      const char *owner)
{
	char created[UTC_SIZE];
	utc_print(&r->created, created);

	json_open_object(o, NULL);
	json_put_string(o, "ociVersion", SPEC_VERSION);
	json_put_string(o, "id", r->id);
	if (!compact || status != STATUS_STOPPED)
		json_put_i64(o, "pid", status == STATUS_STOPPED ? 0 : r->pid);
	json_put_string(o, "status", status_name(status));
	json_put_string(o, "bundle", r->bundle);
	if (!compact) {
		json_put_string(o, "rootfs", r->rootfs);
		json_put_string(o, "created", created);
	}
	if (r->annotations.count) {
		json_open_object(o, "annotations");
		for (size_t i = 0; i < r->annotations.count; i++)
			json_put_string(o, r->annotations.items[i].key,
					r->annotations.items[i].value);
		json_close_object(o);
	}
	if (!compact)
		json_put_string(o, "owner", owner);
	json_close_object(o);
}

int state_document(const struct record *r, enum status status, bool compact, char **ret,
		   struct csn_error *err)
{
	struct json_out o = { .indent = compact ? NULL : "  " };
	put_state(&o, r, status, compact, "");
	return json_out_take(&o, ret, err);
}

int state_list_document(const struct record *records, const enum status *statuses, size_t count,
			char **ret, struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	char owner[16];

	if (count == 0) {
		json_put_null(&o, NULL);
		return json_out_take(&o, ret, err);
	}
	json_open_array(&o, NULL);
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(owner, sizeof owner, "#%u", records[i].owner);
		put_state(&o, &records[i], statuses[i], false, records[i].owner ? owner : "root");
	}
	json_close_array(&o);
	return json_out_take(&o, ret, err);
}
