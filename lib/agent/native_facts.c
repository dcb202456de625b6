/* The native runtime's facts about containers: what the engine knows of one, and of all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/native.h"
#include "base/error.h"
#include "base/json.h"
#include "caisson-health.h"
#include "caisson-stats.h"

static void free_containers(struct csn_containers **list)
{
	csn_containers_free(*list);
}

static int get(struct csn_rt *rt, const struct container_ref *c, struct csn_containers **ret,
	       struct csn_error *err)
{
	return about(c, csn_container_get(engine_of(rt), c->text, ret, err), err);
}

/* ---- facts -------------------------------------------------------------------------------------
 */

int native_state(struct csn_rt *rt, const struct container_ref *c, struct csn_container_state *ret,
		 struct csn_error *err)
{
	struct csn_containers *list AUTO(free_containers)
	= NULL;
	TRY(get(rt, c, &list, err));
	const struct csn_container_info *info = csn_containers_get(list, 0);
	ret->state = info->state;
	ret->paused = info->paused;
	if (info->state == CSN_STATE_EXITED)
		ret->exit_code = info->exit_code;
	if (info->state == CSN_STATE_FAILED)
		(void)snprintf(ret->reason, sizeof ret->reason, "%s", info->error);
	return 0;
}

int native_pid(struct csn_rt *rt, const struct container_ref *c, int *ret, struct csn_error *err)
{
	struct csn_containers *list AUTO(free_containers)
	= NULL;
	TRY(get(rt, c, &list, err));
	*ret = csn_containers_get(list, 0)->pid;
	return 0;
}

int native_ip(struct csn_rt *rt, const struct container_ref *c, char ret[46], struct csn_error *err)
{
	struct csn_containers *list AUTO(free_containers)
	= NULL;
	char address[CSN_ADDRESS_SIZE] = "";
	TRY(get(rt, c, &list, err));
	ret[0] = '\0';
	if (csn_containers_get(list, 0)->pid == 0)
		return 0;
	int r = csn_container_ip(engine_of(rt), c->text, address, err);
	(void)snprintf(ret, 46, "%.45s", r == 1 ? address : "");
	return r == -ESRCH ? 0 : r;
}

/* A number that this host does not count is the value of none. */
static uint64_t number(const struct csn_stats *stats, enum csn_table table, unsigned column,
		       uint64_t none)
{
	uint64_t value = none;
	if (csn_stats_rows(stats, table) > 0)
		(void)csn_stats_value(stats, table, 0, column, &value);
	return value;
}

static void free_stats(struct csn_stats **stats)
{
	csn_stats_free(*stats);
}

int native_stats(struct csn_rt *rt, const struct container_ref *c, struct csn_rt_stats *ret,
		 struct csn_error *err)
{
	struct csn_stats *stats AUTO(free_stats)
	= NULL;
	TRY(about(c, csn_container_stats(engine_of(rt), c->text, &stats, err), err));
	ret->cpu_usage_usec = number(stats, CSN_TABLE_CPU, CSN_CPU_USAGE, 0);
	ret->memory_bytes = number(stats, CSN_TABLE_MEMORY, CSN_MEMORY_CURRENT, 0);
	ret->memory_limit = number(stats, CSN_TABLE_MEMORY, CSN_MEMORY_MAX, UINT64_MAX);
	ret->timestamp_ns = csn_stats_time_ns(stats);
	return 0;
}

int native_ports(struct csn_rt *rt, const struct container_ref *c, struct csn_ports **ret,
		 struct csn_error *err)
{
	return about(c, csn_container_ports(engine_of(rt), c->text, ret, err), err);
}

/* ---- everything of one ------------------------------------------------------------------------
 */

struct join_row {
	char *network, *ipv4;
	struct {
		char **items;
		size_t count;
		bool set;
	} aliases;
};
struct label {
	char *key, *value;
};
/* What is read of csn_container_inspect's document. */
struct inspect_row {
	struct {
		struct join_row *items;
		size_t count;
	} networks;
	struct {
		struct label *items;
		size_t count;
		bool set;
	} labels;
};

static const struct json_field join_fields[] = {
	FIELD("network", decode_text, struct join_row, network),
	FIELD("ipv4", decode_text, struct join_row, ipv4),
	FIELD("aliases", decode_strings, struct join_row, aliases), FIELDS_END
};
static const struct json_elements join_elements = { .element_size = sizeof(struct join_row),
						    .decode = decode_object,
						    .detail = join_fields };
static const struct json_field label_fields[] = {
	FIELD("labels", decode_map, struct inspect_row, labels), FIELDS_END
};
static const struct json_field inspect_fields[] = {
	FIELD_IN("networks", decode_array, struct inspect_row, networks, &join_elements),
	{ "config", decode_object, 0, label_fields, 0, 0, 0 },
	FIELDS_END
};

static int inspect(struct csn_rt *rt, const char *container, struct inspect_row *ret,
		   struct arena *arena, struct csn_error *err)
{
	auto_mem char *json = NULL;
	TRY(csn_container_inspect(engine_of(rt), container, &json, err));
	return json_decode(json, strlen(json), "container", inspect_fields, ret, arena, err);
}

static const char *label_of(const struct inspect_row *row, const char *key)
{
	for (size_t i = 0; i < row->labels.count; i++)
		if (strcmp(row->labels.items[i].key, key) == 0)
			return row->labels.items[i].value;
	return NULL;
}

static int fill_ports(struct csn_rt *rt, const struct container_ref *c, struct details *d,
		      struct csn_error *err)
{
	struct csn_ports *ports = NULL;
	TRY(csn_container_ports(engine_of(rt), c->text, &ports, err));
	size_t count = csn_ports_count(ports);
	struct csn_port_mapping *mine = arena_array(&d->arena, count, sizeof *mine);
	bool ok = mine != NULL;
	for (size_t i = 0; ok && i < count; i++) {
		mine[i] = *csn_ports_get(ports, i);
		mine[i].protocol = arena_strdup(&d->arena, mine[i].protocol);
		mine[i].host_ip = arena_strdup(&d->arena, mine[i].host_ip);
		ok = mine[i].protocol && mine[i].host_ip;
	}
	csn_ports_free(ports);
	d->is.ports = mine;
	d->is.ports_count = count;
	return ok ? 0 : fail(err, ENOMEM, "out of memory");
}

static int fill_networks(const struct inspect_row *row, struct details *d, struct csn_error *err)
{
	static const char *const none[] = { NULL };
	struct csn_network_attachment *mine =
		arena_array(&d->arena, row->networks.count, sizeof *mine);
	if (!mine)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < row->networks.count; i++) {
		const struct join_row *j = &row->networks.items[i];
		mine[i].network = j->network ? j->network : "";
		mine[i].ipv4 = j->ipv4;
		mine[i].aliases = j->aliases.count ? (const char *const *)j->aliases.items : none;
		if (!d->is.ipv4)
			d->is.ipv4 = j->ipv4;
	}
	d->is.networks = mine;
	d->is.networks_count = row->networks.count;
	return 0;
}

/* What has no check, or was never started, has no health. */
static int fill_health(struct csn_rt *rt, const struct container_ref *c, struct details *d,
		       struct csn_error *err)
{
	struct csn_health h = CSN_HEALTH_INIT;
	TRY(csn_container_health(engine_of(rt), c->text, &h, err));
	if (h.status == CSN_HEALTH_NONE)
		return 0;
	d->health.status = csn_health_status_name(h.status);
	d->health.failing_streak = h.failing_streak;
	d->health.has_failing_streak = true;
	d->is.health = &d->health;
	if (!h.started_at_ns)
		return 0;
	d->health.last_output = arena_strdup(&d->arena, h.output);
	return d->health.last_output ? 0 : fail(err, ENOMEM, "out of memory");
}

static int fill_details(struct csn_rt *rt, const struct container_ref *c, struct details *d,
			struct csn_error *err)
{
	struct csn_containers *list AUTO(free_containers)
	= NULL;
	struct inspect_row row = { 0 };
	TRY(csn_container_get(engine_of(rt), c->text, &list, err));
	TRY(inspect(rt, c->text, &row, &d->arena, err));
	TRY(fill_networks(&row, d, err));
	TRY(fill_ports(rt, c, d, err));
	TRY(fill_health(rt, c, d, err));
	const struct csn_container_info *info = csn_containers_get(list, 0);
	d->is.has_exit_code = info->finished_at_ns != 0;
	d->is.exit_code = info->exit_code;
	return 0;
}

int native_details(struct csn_rt *rt, const struct container_ref *c,
		   struct csn_container_details **ret, struct csn_error *err)
{
	struct details *d = details_new();
	if (!d)
		return fail(err, ENOMEM, "out of memory");
	int r = about(c, fill_details(rt, c, d, err), err);
	if (r < 0)
		csn_container_details_free(&d->is);
	else
		*ret = &d->is;
	return r;
}

/* ---- all --------------------------------------------------------------------------------------
 */

static int fill_list(struct csn_rt *rt, const struct csn_containers *all,
		     struct csn_container_summaries *l, struct csn_error *err)
{
	for (size_t i = 0; i < csn_containers_count(all); i++) {
		struct arena arena AUTO(arena_free) = { 0 };
		struct inspect_row row = { 0 };
		const char *id = csn_containers_get(all, i)->id;
		int r = inspect(rt, id, &row, &arena, err);
		if (r == -ENOENT)
			continue; /* removed just now */
		TRY(r);
		if (!summaries_add(l, id, label_of(&row, "com.zlayer.container_id")))
			return fail(err, ENOMEM, "out of memory");
	}
	return 0;
}

int native_list(struct csn_rt *rt, struct csn_container_summaries **ret, struct csn_error *err)
{
	struct csn_containers *all AUTO(free_containers)
	= NULL;
	TRY(csn_container_list(engine_of(rt), true, &all, err));
	struct csn_container_summaries *l = summaries_new();
	int r = l ? fill_list(rt, all, l, err) : fail(err, ENOMEM, "out of memory");
	if (r < 0)
		csn_container_summaries_free(l);
	else
		*ret = l;
	return r;
}
