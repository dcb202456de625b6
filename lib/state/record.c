/*
 * state.json: written whole, replaced by rename, read by a table. A record says what was; what is
 * now is asked of the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdpass.h"
#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "state/state.h"

enum { RECORD_MAX = 4 << 20 };

/* The shape in JSON; times as two numbers so that nothing is lost. */
struct row {
	char *id, *bundle, *rootfs, *cgroup, *boot_id, *rdt_group, *rdt_monitor;
	bool cgroup_created, has_pid_namespace, started, systemd_cgroup;
	int32_t pid;
	uint64_t start_time;
	int64_t created_s, created_ns;
	uint32_t owner, hooks, cgroup_kept;
	struct spec_map annotations;
};

#define ROW(name, decode, member, presence)                                                        \
	{                                                                                          \
		name, decode, offsetof(struct row, member), NULL, presence, 0, 0                   \
	}
static const struct json_field fields[] = {
	ROW("id", decode_string, id, JSON_REQUIRED),
	ROW("bundle", decode_string, bundle, JSON_REQUIRED),
	ROW("rootfs", decode_string, rootfs, JSON_REQUIRED),
	ROW("cgroup", decode_string, cgroup, JSON_REQUIRED),
	ROW("cgroupKept", decode_u32, cgroup_kept, JSON_OPTIONAL),
	ROW("cgroupCreated", decode_bool, cgroup_created, JSON_REQUIRED),
	ROW("pid", decode_i32, pid, JSON_REQUIRED),
	ROW("startTime", decode_u64, start_time, JSON_REQUIRED),
	ROW("bootId", decode_string, boot_id, JSON_REQUIRED),
	ROW("createdSeconds", decode_i64, created_s, JSON_REQUIRED),
	ROW("createdNanoseconds", decode_i64, created_ns, JSON_REQUIRED),
	ROW("owner", decode_u32, owner, JSON_REQUIRED),
	ROW("hasPidNamespace", decode_bool, has_pid_namespace, JSON_REQUIRED),
	ROW("started", decode_bool, started, JSON_REQUIRED),
	ROW("hooks", decode_u32, hooks, JSON_REQUIRED),
	ROW("systemdCgroup", decode_bool, systemd_cgroup, JSON_OPTIONAL),
	ROW("rdtGroup", decode_text, rdt_group, JSON_OPTIONAL),
	ROW("rdtMonitor", decode_text, rdt_monitor, JSON_OPTIONAL),
	ROW("annotations", decode_map, annotations, JSON_OPTIONAL),
	{ NULL, NULL, 0, NULL, 0, 0, 0 },
};
#undef ROW

static int copy_map(const struct spec_map *from, struct spec_map *to)
{
	to->set = from->set;
	to->items = calloc(from->count ? from->count : 1, sizeof *to->items);
	if (!to->items)
		return -ENOMEM;
	for (size_t i = 0; i < from->count; i++) {
		to->items[i].key = strdup(from->items[i].key);
		to->items[i].value = strdup(from->items[i].value);
		to->count++;
		if (!to->items[i].key || !to->items[i].value)
			return -ENOMEM;
	}
	return 0;
}

static int copy_text(const char *from, char **to)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

static int record_of(const struct row *row, struct record *r)
{
	r->id = strdup(row->id);
	r->bundle = strdup(row->bundle);
	r->rootfs = strdup(row->rootfs);
	r->cgroup = strdup(row->cgroup);
	if (!r->id || !r->bundle || !r->rootfs || !r->cgroup ||
	    copy_text(row->rdt_group, &r->rdt_group) < 0 ||
	    copy_text(row->rdt_monitor, &r->rdt_monitor) < 0)
		return -ENOMEM;
	(void)snprintf(r->boot_id, sizeof r->boot_id, "%s", row->boot_id);
	r->cgroup_created = row->cgroup_created;
	r->cgroup_kept = row->cgroup_kept;
	r->pid = row->pid;
	r->start_time = row->start_time;
	r->created = (struct timespec){ row->created_s, row->created_ns };
	r->owner = row->owner;
	r->has_pid_namespace = row->has_pid_namespace;
	r->started = row->started;
	r->systemd_cgroup = row->systemd_cgroup;
	for (int kind = 0; kind < HOOK_KINDS; kind++)
		r->has_hooks[kind] = row->hooks >> kind & 1;
	return copy_map(&row->annotations, &r->annotations);
}

int record_read(const struct entry *e, struct record *ret, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct row row = { 0 };
	struct csn_error why;
	auto_mem char *text = NULL;
	size_t size = 0;

	/* Only content is damage: what the kernel refuses to read today may be whole. */
	int r = file_read(e->dir, "state.json", RECORD_MAX, &text, &size, &why);
	bool damaged = r == -ENOENT || r == -EINVAL || r == -EFBIG;
	if (r == 0) {
		r = json_decode(text, size, "state.json", fields, &row, &arena, &why);
		damaged = r < 0 && r != -ENOMEM;
	}
	if (damaged)
		return fail(err, EBADMSG, "container \"%s\": its record is damaged: %s", e->id,
			    why.text);
	if (r < 0)
		return fail(err, -r, "container \"%s\": %s", e->id, why.text);
	struct record record = { 0 };
	if (record_of(&row, &record) < 0) {
		record_done(&record);
		return fail(err, ENOMEM, "out of memory");
	}
	*ret = record;
	return 0;
}

static int print_record(const struct record *r, char **ret, size_t *ret_size, struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	uint32_t hooks = 0;
	for (int kind = 0; kind < HOOK_KINDS; kind++)
		hooks |= (uint32_t)r->has_hooks[kind] << kind;

	json_open_object(&o, NULL);
	json_put_string(&o, "id", r->id);
	json_put_string(&o, "bundle", r->bundle);
	json_put_string(&o, "rootfs", r->rootfs);
	json_put_string(&o, "cgroup", r->cgroup);
	json_put_bool(&o, "cgroupCreated", r->cgroup_created);
	json_put_u64(&o, "cgroupKept", r->cgroup_kept);
	json_put_i64(&o, "pid", r->pid);
	json_put_u64(&o, "startTime", r->start_time);
	json_put_string(&o, "bootId", r->boot_id);
	json_put_i64(&o, "createdSeconds", r->created.tv_sec);
	json_put_i64(&o, "createdNanoseconds", r->created.tv_nsec);
	json_put_u64(&o, "owner", r->owner);
	json_put_bool(&o, "hasPidNamespace", r->has_pid_namespace);
	json_put_bool(&o, "started", r->started);
	json_put_u64(&o, "hooks", hooks);
	json_put_bool(&o, "systemdCgroup", r->systemd_cgroup);
	if (r->rdt_group)
		json_put_string(&o, "rdtGroup", r->rdt_group);
	if (r->rdt_monitor)
		json_put_string(&o, "rdtMonitor", r->rdt_monitor);
	if (r->annotations.count) {
		json_open_object(&o, "annotations");
		for (size_t i = 0; i < r->annotations.count; i++)
			json_put_string(&o, r->annotations.items[i].key,
					r->annotations.items[i].value);
		json_close_object(&o);
	}
	json_close_object(&o);

	*ret_size = o.size;
	return json_out_take(&o, ret, err);
}

int record_write(const struct entry *e, const struct record *r, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	TRY(print_record(r, &text, &size, err));
	return within(err, file_write_atomic(e->dir, "state.json", text, size, 0600, false, err),
		      "container \"%s\"", e->id);
}

int record_write_first(const struct entry *e, const struct record *r, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	TRY(print_record(r, &text, &size, err));
	auto_fd fd = openat(e->dir, "state.json",
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int n = fd < 0 ? -errno : write_all(fd, text, size);
	return n < 0 ? fail(err, -n, "container \"%s\": write its record: %s", e->id, strerror(-n))
		     : 0;
}

void record_done(struct record *r)
{
	free(r->id);
	free(r->bundle);
	free(r->rootfs);
	free(r->cgroup);
	free(r->rdt_group);
	free(r->rdt_monitor);
	for (size_t i = 0; i < r->annotations.count; i++) {
		free(r->annotations.items[i].key);
		free(r->annotations.items[i].value);
	}
	free(r->annotations.items);
	*r = (struct record){ 0 };
}

bool record_alive(const struct record *r)
{
	return r->pid > 0 && strcmp(r->boot_id, proc_boot_id()) == 0 &&
	       proc_alive(r->pid, r->start_time);
}

/* Does init wait for `start`? Once start was asked for, only a knock tells. */
static bool waits_at_gate(const struct entry *e, const struct record *r)
{
	if (faccessat(e->dir, "gate", F_OK, 0) < 0)
		return false;
	if (!r->started)
		return true;
	auto_fd knock = unix_connect_at(e->dir, "gate", SOCK_SEQPACKET | SOCK_NONBLOCK, NULL);
	return knock >= 0 || knock == -EAGAIN;
}

/* While an id is being created its directory is locked by the creator and the pid is not written
 * yet; a record without pid whose creator is gone is the rest of a crash. */
enum status record_status(const struct entry *e, const struct record *r, bool frozen)
{
	if (r->pid == 0)
		return strcmp(r->boot_id, proc_boot_id()) == 0 ? STATUS_CREATING : STATUS_STOPPED;
	if (!record_alive(r))
		return STATUS_STOPPED;
	if (waits_at_gate(e, r))
		return STATUS_CREATED;
	return frozen ? STATUS_PAUSED : STATUS_RUNNING;
}

const char *status_name(enum status s)
{
	static const char *const names[] = { "creating", "created", "running", "paused",
					     "stopped" };
	return names[s];
}
