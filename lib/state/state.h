/*
 * The runtime's record of its containers, and their status computed from facts.
 *
 *	<root>/<id>/		mode 0711, locked (flock) by whoever changes the container
 *	    state.json		the record below, replaced atomically
 *	    config.json		the bytes create was given: later edits of the bundle have no effect
 *	    gate		the listening socket on which a created container waits for `start`
 *
 * The directory's existence is what makes an id taken. A record is written before anything that
 * it names is made (status "creating"), so whoever finds one can undo what was begun.
 */
#ifndef CSN_STATE_STATE_H
#define CSN_STATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "caisson.h"
#include "spec/spec.h"

/* Checks an id: 1 to 255 bytes of A-Z a-z 0-9 _ + - . ; not "." or "..". -EINVAL. */
int state_check_id(const char *id, struct csn_error *err);

struct store {
	int dir;    /* <root>, O_PATH-free directory fd */
	char *root; /* absolute */
};
#define STORE_INIT                                                                                 \
	{                                                                                          \
		.dir = -1                                                                          \
	}

/* Opens root (made with mode 0700 and its parents when create is set). "/" is refused. */
int store_open(const char *root, bool create, struct store *ret, struct csn_error *err);
void store_close(struct store *s);

/* One container's directory, held open and locked. */
struct entry {
	int dir; /* flock'ed while open, unless opened for reading only */
	char *id;
};
#define ENTRY_INIT                                                                                 \
	{                                                                                          \
		.dir = -1                                                                          \
	}

enum entry_lock { ENTRY_SHARED_NONE, ENTRY_LOCKED };

/* Claims a new id: mkdir + lock. -EEXIST: 'container with id "x" already exists'. */
int store_add(const struct store *s, const char *id, struct entry *ret, struct csn_error *err);
/* Opens an existing one. -ENOENT: 'container "x" does not exist'. */
int store_get(const struct store *s, const char *id, enum entry_lock lock, struct entry *ret,
	      struct csn_error *err);
/* Removes the directory and all that is in it. The entry stays open (and locked) until closed. */
int store_remove(const struct store *s, const struct entry *e, struct csn_error *err);
/* Lets others change it meanwhile; it stays open. */
void entry_unlock(struct entry *e);
/* -ENOENT: it was removed, or is another container's by now. */
int entry_relock(const struct store *s, struct entry *e);
void entry_close(struct entry *e);
/* Names of all entries, sorted; malloc'd array of malloc'd strings, freed by store_list_free. */
int store_list(const struct store *s, char ***ret, size_t *ret_count, struct csn_error *err);
void store_list_free(char **ids, size_t count);

enum status { STATUS_CREATING, STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED };
const char *status_name(enum status s);

/* What state.json holds. Strings are malloc'd; freed by record_done. */
struct record {
	char *id, *bundle, *rootfs;
	char *cgroup;		 /* path below the cgroup2 mount */
	bool cgroup_created;	 /* we made its last level: delete removes it */
	uint32_t cgroup_kept;	 /* bytes of cgroup: the ancestor that was there before us */
	pid_t pid;		 /* 0 while creating */
	uint64_t start_time;	 /* field 22 of /proc/PID/stat: tells a reused pid */
	char boot_id[37];	 /* a record of another boot is stopped */
	struct timespec created; /* CLOCK_REALTIME */
	uid_t owner;
	bool has_pid_namespace; /* killing init kills all */
	bool started;		/* start has been asked */
	bool has_hooks[HOOK_KINDS];
	bool systemd_cgroup;
	char *rdt_group, *rdt_monitor; /* resctrl directories that delete removes; or NULL */
	struct spec_map annotations;   /* malloc'd here, not arena */
};

/* Reads and writes state.json. A damaged file is -EBADMSG and names the file. */
int record_read(const struct entry *e, struct record *ret, struct csn_error *err);
int record_write(const struct entry *e, const struct record *r, struct csn_error *err);
/* The first write of a new entry, which nobody can have read before. */
int record_write_first(const struct entry *e, const struct record *r, struct csn_error *err);
void record_done(struct record *r);

/*
 * Status from facts: process gone, zombie or of another start time → stopped; somebody waits at the
 * gate → created; cgroup frozen → paused; else running. frozen is asked by the caller (cgroups/)
 * and passed in, so that this layer needs no cgroup code.
 */
enum status record_status(const struct entry *e, const struct record *r, bool frozen);
/* True while the recorded process lives (not a zombie, same start time, same boot). */
bool record_alive(const struct record *r);

/* The OCI state document (runtime.md "State"), as `state` prints it: 2-space indent, no final
 * newline; compact for hooks. pid is printed as 0 when stopped (compact: left out). malloc'd. */
int state_document(const struct record *r, enum status status, bool compact, char **ret,
		   struct csn_error *err);
/* As a JSON array for `list --format json` ("null" when count is 0). malloc'd. */
int state_list_document(const struct record *records, const enum status *statuses, size_t count,
			char **ret, struct csn_error *err);
#endif
