/*
 * What is known of containers: lists, one of them, and everything as JSON. Reads records and
 * facts, changes nothing, takes no lock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/names.h"
#include "base/utc.h"
#include "monitor/health.h"
#include "monitor/restart.h"
#include "runtime/network.h"

struct csn_containers {
	struct csn_runtime *rt;
	bool all;
	struct arena arena;
	struct published published;
	struct csn_container_info *items;
	size_t count, capacity;
};

size_t csn_containers_count(const struct csn_containers *containers)
{
	return containers->count;
}

const struct csn_container_info *csn_containers_get(const struct csn_containers *containers,
						    size_t index)
{
	return index < containers->count ? &containers->items[index] : NULL;
}

void csn_containers_free(struct csn_containers *containers)
{
	if (!containers)
		return;
	free(containers->items);
	published_free(&containers->published);
	arena_free(&containers->arena);
	free(containers);
}

static void free_containers(struct csn_containers **l)
{
	csn_containers_free(*l);
}

static int64_t nanoseconds(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static bool is_active(enum csn_state s)
{
	return s == CSN_STATE_RUNNING || s == CSN_STATE_STOPPING || s == CSN_STATE_INITIALIZING;
}

/* The start of one that runs: when lib/state's record was made. */
static int64_t running_since(struct csn_runtime *rt, const char *id)
{
	struct entry e AUTO(entry_close) = ENTRY_INIT;
	struct record r AUTO(record_done) = { 0 };
	if (store_get(&rt->state, id, ENTRY_SHARED_NONE, &e, NULL) < 0 ||
	    record_read(&e, &r, NULL) < 0)
		return 0;
	return nanoseconds(&r.created);
}

static const char *health_status(struct csn_containers *l, const struct container *c,
				 const struct facts *f)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct health_record r = { 0 };
	int bad = health_read(l->rt, c, f, &r, &arena, NULL);
	return csn_health_status_name(bad < 0 ? CSN_HEALTH_NONE : r.status);
}

static int fill_info(struct csn_containers *l, const struct container *c,
		     const struct engine_record *r, const struct facts *f)
{
	bool ended = f->has_exit || f->lost;
	const struct csn_port *ports;
	size_t ports_count;
	struct restart_history history;
	struct csn_restart_policy *restart = arena_alloc(&l->arena, sizeof *restart);
	restart_history_read(c->dir, &history);
	char *id = arena_strdup(&l->arena, c->id);
	char *error = arena_strdup(&l->arena, f->state == CSN_STATE_FAILED ? f->exit.error : "");
	if (!id || !error || !restart ||
	    published_of(&l->published, c->id, &ports, &ports_count) < 0)
		return -ENOMEM;
	*restart = (struct csn_restart_policy){ sizeof *restart, r->restart.kind,
						r->restart.max_restarts, r->restart.delay_ms };
	l->items[l->count++] = (struct csn_container_info){
		.id = id,
		.name = r->name ? r->name : "",
		.image = r->image ? r->image : "",
		.image_digest = r->image_digest ? r->image_digest : "",
		.command = (const char *const *)r->command,
		.network = r->network ? r->network : "",
		.created_at_ns = r->created ? utc_parse(r->created, strlen(r->created), NULL) : 0,
		.started_at_ns = ended ? nanoseconds(&f->exit.started_at)
				       : (is_active(f->state) ? running_since(l->rt, c->id) : 0),
		.finished_at_ns = ended ? nanoseconds(&f->exit.finished_at) : 0,
		.state = f->state,
		.paused = f->paused,
		.tty = r->tty,
		.auto_remove = r->auto_remove,
		.pid = f->pid,
		.exit_code = ended ? f->exit.exit_code : 0,
		.reason = ended ? (enum csn_wait_reason)f->exit.reason : CSN_WAIT_EXITED,
		.error = error,
		.ports = ports,
		.ports_count = ports_count,
		.health = health_status(l, c, f),
		.restarting = f->restarting,
		.crash_loop = f->restarting && history.crash_loop,
		.restart_count = history.count,
		.restart = restart,
	};
	return 0;
}

static int add_container(struct csn_containers *l, const struct container *c, struct csn_error *err)
{
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct engine_record r = { 0 };

	facts_read(l->rt, c, false, &f);
	if (!l->all && !is_active(f.state))
		return 0;
	TRY(engine_record_read(c->dir, &r, &l->arena, err));
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 16;
		struct csn_container_info *grown = reallocarray(l->items, capacity, sizeof *grown);
		if (!grown)
			return fail(err, ENOMEM, "out of memory");
		l->items = grown;
		l->capacity = capacity;
	}
	return fill_info(l, c, &r, &f) < 0 ? fail(err, ENOMEM, "out of memory") : 0;
}

static int list_one(void *data, const char *id)
{
	struct csn_containers *l = data;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	if (container_open(l->rt, id, &c, NULL) < 0)
		return 0; /* removed just now */
	return add_container(l, &c, NULL) == -ENOMEM ? -ENOMEM : 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct csn_container_info *x = a, *y = b;
	if (x->created_at_ns != y->created_at_ns)
		return x->created_at_ns < y->created_at_ns ? 1 : -1;
	return strcmp(x->id, y->id);
}

int csn_container_list(struct csn_runtime *rt, bool all, struct csn_containers **ret,
		       struct csn_error *err)
{
	struct csn_containers *l AUTO(free_containers)
	= calloc(1, sizeof *l);
	if (!l)
		return fail(err, ENOMEM, "out of memory");
	l->rt = rt;
	l->all = all;
	if (published_read(rt, &l->arena, &l->published) < 0)
		return fail(err, ENOMEM, "out of memory");
	TRY(container_each(rt, list_one, l, err));
	if (l->count)
		qsort(l->items, l->count, sizeof *l->items, newest_first);
	*ret = take_ptr(l);
	return 0;
}

int csn_container_get(struct csn_runtime *rt, const char *container, struct csn_containers **ret,
		      struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	TRY(container_find(rt, container, &c, err));
	struct csn_containers *l AUTO(free_containers)
	= calloc(1, sizeof *l);
	if (!l)
		return fail(err, ENOMEM, "out of memory");
	l->rt = rt;
	l->all = true;
	if (published_read(rt, &l->arena, &l->published) < 0)
		return fail(err, ENOMEM, "out of memory");
	TRY(add_container(l, &c, err));
	*ret = take_ptr(l);
	return 0;
}

/* ---- inspect ----------------------------------------------------------------------------------
 */

static void put_time(struct json_out *o, const char *key, int64_t ns)
{
	char buf[UTC_SIZE];
	const struct timespec t = { ns / 1000000000, ns % 1000000000 };
	utc_print(&t, buf);
	json_put_string(o, key, ns ? buf : NULL);
}

static void put_state(struct json_out *o, struct csn_runtime *rt, const struct container *c,
		      const struct csn_container_info *i, const struct facts *f)
{
	bool ended = f->has_exit || f->lost;
	json_open_object(o, "state");
	json_put_string(o, "status", csn_state_name(i->state));
	json_put_bool(o, "restarting", i->restarting);
	json_put_bool(o, "crash_loop", i->crash_loop);
	json_put_bool(o, "paused", i->paused);
	json_put_i64(o, "pid", i->pid);
	put_time(o, "started_at", i->started_at_ns);
	put_time(o, "finished_at", i->finished_at_ns);
	if (ended) {
		json_put_i64(o, "exit_code", f->exit.exit_code);
		json_put_string(o, "reason", csn_wait_reason_name(i->reason));
		json_put_string(o, "signal",
				f->exit.reason == EXIT_SIGNAL ? signal_name(f->exit.signal) : NULL);
		json_put_bool(o, "core_dumped", f->exit.core_dumped);
		json_put_u64(o, "oom_kills", f->exit.oom_kills);
		json_put_u64(o, "memory_peak_bytes", f->exit.memory_peak);
		json_put_string(o, "error", f->exit.error[0] ? f->exit.error : NULL);
	} else {
		json_put_null(o, "exit_code");
	}
	json_put_bool(o, "monitored", f->monitor_fd >= 0);
	health_put(rt, c, f, o);
	json_close_object(o);
}

static void put_list(struct json_out *o, const char *key, char *const *items, size_t count)
{
	json_open_array(o, key);
	for (size_t i = 0; i < count; i++)
		json_put_string(o, NULL, items[i]);
	json_close_array(o);
}

static void put_record(struct json_out *o, const struct engine_record *r)
{
	json_put_string(o, "name", r->name);
	json_put_string(o, "image", r->image);
	json_put_string(o, "image_digest", r->image_digest);
	put_list(o, "command", r->command, r->command_count);
	json_put_string(o, "created_at", r->created);
	json_put_string(o, "network", r->network);
	json_put_bool(o, "tty", r->tty);
	json_put_bool(o, "stdin_open", r->stdin_open);
	json_put_bool(o, "auto_remove", r->auto_remove);
	json_put_bool(o, "readonly_root", r->read_only);
	json_put_bool(o, "init", r->init);
	json_open_object(o, "restart_policy");
	json_put_string(o, "name", csn_restart_kind_name(r->restart.kind));
	json_put_u64(o, "max_restarts", r->restart.max_restarts);
	json_put_i64(o, "delay_ms", r->restart.delay_ms);
	json_close_object(o);
	json_put_string(o, "stop_signal", r->stop_signal);
	json_put_i64(o, "stop_timeout_s", r->stop_timeout_s);
	json_put_string(o, "cgroup", r->cgroup);
	put_list(o, "layers", r->layers, r->layers_count);
}

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

static void put_strings(struct json_out *o, const char *key, const struct spec_strings *list)
{
	put_list(o, key, list->items, list->count);
}

static void put_process(struct json_out *o, const struct spec_process *p)
{
	json_put_string(o, "working_dir", p->cwd);
	json_open_object(o, "user");
	json_put_u64(o, "uid", p->user.uid);
	json_put_u64(o, "gid", p->user.gid);
	json_open_array(o, "groups");
	for (size_t i = 0; i < p->user.additional_gids_count; i++)
		json_put_u64(o, NULL, p->user.additional_gids[i]);
	json_close_array(o);
	json_close_object(o);
	put_strings(o, "env", &p->env);
	put_strings(o, "capabilities", &p->capabilities.effective);
	json_put_bool(o, "no_new_privileges", p->no_new_privileges);
}

/* What its config says, without the long lists that are the same everywhere: those are in the file.
 * A damaged one leaves nulls. */
static void put_config(struct json_out *o, const struct container *c)
{
	struct spec *spec AUTO(free_spec)
	= NULL;
	if (spec_read_bundle(c->dir, c->id, &spec, NULL) < 0) {
		json_put_null(o, "config");
		return;
	}
	json_open_object(o, "config");
	json_put_string(o, "hostname", spec->hostname);
	put_process(o, &spec->process);
	service_put_resources(o, "resources", &spec->linux_.resources);
	json_open_object(o, "labels");
	for (size_t i = 0; i < spec->annotations.count; i++)
		json_put_string(o, spec->annotations.items[i].key,
				spec->annotations.items[i].value);
	json_close_object(o);
	json_open_array(o, "mounts");
	for (size_t i = 0; i < spec->mounts_count; i++) {
		json_open_object(o, NULL);
		json_put_string(o, "target", spec->mounts[i].destination);
		json_put_string(o, "type", spec->mounts[i].type);
		json_put_string(o, "source", spec->mounts[i].source);
		put_strings(o, "options", &spec->mounts[i].options);
		json_close_object(o);
	}
	json_close_array(o);
	json_close_object(o);
}

int csn_container_inspect(struct csn_runtime *rt, const char *container, char **ret_json,
			  struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record r = { 0 };
	struct csn_containers *l AUTO(free_containers)
	= NULL;
	TRY(container_find(rt, container, &c, err));
	TRY(engine_record_read(c.dir, &r, &arena, err));
	TRY(csn_container_get(rt, c.id, &l, err));
	facts_read(rt, &c, false, &f);
	char *bundle = arena_printf(&arena, "%s/containers/%s", rt->root, c.id);
	char *log = arena_printf(&arena, "%s/container.log", bundle);
	if (!bundle || !log)
		return fail(err, ENOMEM, "out of memory");

	struct json_out o = JSON_OUT_INDENT("  ");
	json_open_object(&o, NULL);
	json_put_string(&o, "id", c.id);
	put_record(&o, &r);
	json_put_u64(&o, "restart_count", csn_containers_get(l, 0)->restart_count);
	json_put_string(&o, "bundle", bundle);
	json_put_string(&o, "log_path", log);
	logs_put(rt, &c, &r, &o);
	network_put(rt, &c, &o);
	put_state(&o, rt, &c, csn_containers_get(l, 0), &f);
	put_config(&o, &c);
	json_close_object(&o);
	return json_out_take(&o, ret_json, err);
}
