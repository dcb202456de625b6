/*
 * Inside of the native runtime. One file per concern; what they share is here.
 *
 *	<root>/containers/<id>/		see monitor.h; and also
 *	    started			made by start: a container that has it and neither exit.json
 *nor a live process ended without anybody seeing it hosts hostname resolv.conf	bound over the
 *image's <root>/names/<name>		a symbolic link whose text is the id <root>/unfinished/<id>/
 *containers being made or taken apart; swept by the next create
 *
 * Locks (flock): <root>/containers shared while a container is made, exclusive while layers are
 * freed; containers/<id> exclusive while that container is started, settled, renamed or removed;
 * <root>/names exclusive while a name is claimed or freed. Always taken in this order, each through
 * a file description of its own, so that threads exclude each other as processes do.
 */
#ifndef CSN_RUNTIME_RUNTIME_H
#define CSN_RUNTIME_RUNTIME_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/sized.h"
#include "caisson-registry.h"
#include "caisson.h"
#include "monitor/journal.h"
#include "monitor/monitor.h"
#include "runtime/watch.h"
#include "service/service.h"
#include "state/state.h"

struct csn_runtime {
	char *root, *run_root; /* absolute */
	int root_dir, run_dir;
	int containers_dir, names_dir, unfinished_dir, images_dir, monitor_dir;
	struct store state;  /* <run-root>/state */
	char *programs;	     /* directory of caisson-monitor and caisson-image */
	char **env;	     /* what those programs get */
	char *cgroup_parent; /* $CAISSON_CGROUP_PARENT, or NULL */
	pthread_mutex_t lock;
	pid_t *children; /* started, not yet reaped; under the lock */
	size_t children_count;
	struct watches watches;
};

/* ---- programs (spawn.c) -----------------------------------------------------------------------
 */

#define MONITOR_PROGRAM "caisson-monitor"

/* Finds the directory of our programs; malloc'd. */
int programs_find(char **ret, struct csn_error *err);
/* The environment for them; one malloc'd block. */
char **programs_env(void);

struct spawn {
	const char *program;	 /* "caisson-monitor" */
	const char *const *args; /* behind argv[0]; end with NULL */
	int in_fd;		 /* standard input; -1: /dev/null */
	int out_fd;		 /* standard output; -1: /dev/null */
	const int *extra;	 /* become fds 3, 4 … */
	size_t extra_count;
	bool session;	  /* in a session of its own */
	char *const *env; /* NULL: the runtime's */
};
/* Starts it; the caller reaps with spawn_reap or spawn_forget. */
int spawn_program(struct csn_runtime *rt, const struct spawn *s, pid_t *ret_pid,
		  struct csn_error *err);
/* Waits for its end. The wait status as waitpid(2) has it, or -1 when somebody else took it. */
int spawn_reap(pid_t pid);
/* The monitor's one line about how its start went, until it closes the pipe (life.c). */
int monitor_status(int fd, struct csn_error *err);
/* Reaps it if it has ended, else keeps it in mind for later. */
void spawn_forget(struct csn_runtime *rt, pid_t pid);
/* At the close: all that are left. They have nothing more to do and are waited for a moment. */
void spawn_reap_all(struct csn_runtime *rt);

#define MONITOR_PROGRAM "caisson-monitor"
/* Reads the monitor's one line, until it closes the pipe: what it says went wrong. (life.c) */
int monitor_status(int fd, struct csn_error *err);

/* The environment for programs that go to the network: theirs, and what of the caller's concerns
 * proxies, certificates and credentials; in the arena. remote.c */
int remote_environment(struct csn_runtime *rt, char ***ret, struct arena *arena,
		       struct csn_error *err);

/* ---- limits (update.c) ------------------------------------------------------------------------
 */

/* Looks at the options' devices and gives the service their nodes and rules (devices.c). */
int devices_decide(const struct csn_container_options *o, struct service *s, struct arena *arena,
		   struct csn_error *err);
/* Options as OCI resources, with the numbers of devices looked up. given may be NULL. */
int resources_decide(const struct csn_resources *given, bool creating, struct spec_resources *ret,
		     struct arena *arena, struct csn_error *err);

/* ---- images (images.c, reference.c, merged.c) -------------------------------------------------
 */

/* "busybox" → "docker.io/library/busybox:latest"; malloc'd, NULL without memory. What is no
 * reference comes out as something that no image is called. */
char *reference_normalise(const char *text);

/* The image of that name, id or beginning of an id. */
int image_find(struct csn_runtime *rt, const char *text, struct image_record *ret,
	       struct arena *arena, struct csn_error *err);
/* Calls fn with each sound record, until it returns a negative value. */
int image_each(struct csn_runtime *rt, struct arena *arena,
	       int (*fn)(void *data, const struct image_record *r), void *data,
	       struct csn_error *err);
/* The first image of that digest, by any name; -ENOENT: "… is not here any more". */
int image_find_digest(struct csn_runtime *rt, const char *digest, struct image_record *ret,
		      struct arena *arena, struct csn_error *err);
/* Lists of images, to be filled. */
struct csn_images *images_new(void);
struct arena *images_arena(struct csn_images *images); /* for the strings of what is added */
int images_add(struct csn_images *l, const struct image_record *r);

/* One run of caisson-image. */
struct image_run {
	void (*progress)(void *data, const struct csn_image_progress *progress); /* or NULL */
	void *data;
	struct csn_images *images; /* filled from the result; NULL: not wanted */
	char *const *env;	   /* NULL: the usual */
	char *where;		   /* of the result, or NULL; malloc'd */
	char *document;		   /* of inspect, or NULL; malloc'd */
	int extra_fd;		   /* becomes 3; 0: none */
	bool done;		   /* a result or an error has come */
	bool busy;		   /* of gc: nothing was freed, somebody is at work */
};
/* Runs it to its end. args end with NULL; in_fd is its standard input, or -1. */
int image_program(struct csn_runtime *rt, const char *const *args, int in_fd, struct image_run *run,
		  struct csn_error *err);
/* The same in parts: *ret_fd has lines for image_take_line, until their end. */
int image_program_start(struct csn_runtime *rt, const char *const *args, int in_fd,
			const struct image_run *run, pid_t *ret_pid, int *ret_fd,
			struct csn_error *err);
int image_take_line(struct image_run *run, const char *line, size_t size, struct csn_error *err);
/* r: of its lines. Reaps it. */
int image_program_end(pid_t pid, const struct image_run *run, int r, struct csn_error *err);

/* A run whose lines are read by csn_image_transfer_next (transfer.c). NULL without memory. */
struct csn_image_transfer *transfer_new(struct csn_runtime *rt, const char *verb);
void transfer_release(struct csn_image_transfer **t);
struct image_run *transfer_run(struct csn_image_transfer *t);
int transfer_start(struct csn_image_transfer *t, const char *const *args, int in_fd,
		   struct csn_error *err);
/* There is nothing to do: the list has the image. */
int transfer_is_here(struct csn_image_transfer *t, struct csn_error *err);

/* The same for work that may take long: if an image was removed meanwhile, what it needed is freed
 * afterwards. The caller holds no lock. */
int image_work(struct csn_runtime *rt, const char *const *args, int in_fd, struct image_run *run,
	       struct csn_error *err);

/* Afterwards. */
void images_free_left(struct csn_runtime *rt);

/* Opens a file of the image as its containers will see it: in the topmost layer that has it, with
 * symbolic links inside the image followed. A regular file, or -ENOENT. */
int merged_open(const struct csn_runtime *rt, const struct spec_strings *layers, const char *path,
		struct csn_error *err);

/* ---- containers (container.c, names.c) --------------------------------------------------------
 */

struct container {
	int dir; /* containers/<id> */
	char id[CSN_ID_SIZE];
};
#define CONTAINER_INIT                                                                             \
	{                                                                                          \
		.dir = -1                                                                          \
	}
void container_close(struct container *c);
/* By name, id or the beginning of an id. */
int container_find(struct csn_runtime *rt, const char *text, struct container *ret,
		   struct csn_error *err);
int container_open(struct csn_runtime *rt, const char *id, struct container *ret,
		   struct csn_error *err);
/* Calls fn for every id until it returns a negative value. */
int container_each(struct csn_runtime *rt, int (*fn)(void *data, const char *id), void *data,
		   struct csn_error *err);
/* Takes the lock of a container, directory or name space: the fd that holds it. */
int lock_dir(int dir_fd, int how, struct csn_error *err);

/* Claims a name for id (names_dir is locked). name NULL: makes one up. buf gets it. */
int name_claim(struct csn_runtime *rt, const char *name, const char *id, char *buf, size_t size,
	       struct csn_error *err);
/* Frees the name if it is id's. */
void name_free(struct csn_runtime *rt, const char *name, const char *id);
/* The id that has this name, or -ENOENT. */
int name_lookup(struct csn_runtime *rt, const char *name, char ret_id[CSN_ID_SIZE]);
bool name_is_valid(const char *name);
bool id_is_valid(const char *text); /* 64 lower-case hex digits */

/* A new id of 64 random digits. create.c */
int make_id(char ret[CSN_ID_SIZE], struct csn_error *err);
/* Makes unfinished/<id> and locks it: the fd. It is swept once the lock is gone, unless it has been
 * renamed to where it belongs. */
int unfinished_begin(struct csn_runtime *rt, const char *id, struct csn_error *err);
/* Removes what crashed creations and removals left. create.c */
void unfinished_sweep(struct csn_runtime *rt);

/* ---- facts (facts.c) --------------------------------------------------------------------------
 */

struct facts {
	enum csn_state state;
	bool paused;
	bool has_exit;	 /* exit.json is there */
	bool lost;	 /* it ran, it is gone, and no monitor saw how */
	bool restarting; /* it ended, and its monitor is about to start it again */
	bool seen;	 /* lost, but how it ended is known all the same: see facts_see() */
	struct exit_record exit;
	int monitor_fd; /* pidfd of its monitor; -1: none */
	int init_fd;	/* pidfd of its first process; -1: not running */
	pid_t pid;
	bool has_record; /* lib/state knows it */
	char cgroup[PATH_MAX];
};
#define FACTS_INIT                                                                                 \
	{                                                                                          \
		.monitor_fd = -1, .init_fd = -1                                                    \
	}
/* locked: the caller holds the container's lock, so that a lock on it tells nothing. */
void facts_read(struct csn_runtime *rt, const struct container *c, bool locked, struct facts *ret);
void facts_done(struct facts *f);
bool facts_running(const struct facts *f);
/* Records the end of a container whose monitor could not, and clears what is left of it in the
 * kernel and in the run directories. The container is locked and not running. */
int facts_settle(struct csn_runtime *rt, const struct container *c, const struct facts *f,
		 struct csn_error *err);
/* The part of it that concerns the kernel, addresses and ports. */
int facts_clear(struct csn_runtime *rt, const struct container *c, struct csn_error *err);
/* Asks the kernel how a lost container's first process ended, by a pidfd that was held meanwhile.
 */
void facts_see(struct facts *f, int pidfd);
/* The sentence for a lost container. */
const char *facts_lost_text(void);

/* ---- health (health.c) ------------------------------------------------------------------------
 */

struct health_record;
int health_read(struct csn_runtime *rt, const struct container *c, const struct facts *f,
		struct health_record *ret, struct arena *arena, struct csn_error *err);
/* Writes member "health", if it is checked. */
void health_put(struct csn_runtime *rt, const struct container *c, const struct facts *f,
		struct json_out *o);
/* ---- restarts (restart.c, restart_here.c, restart_boot.c; policies: monitor/restart.h) ---------
 */

/* What was asked for, as the record has it; NULL: no policy. -EINVAL. */
int restart_policy_take(const struct csn_restart_policy *given, bool auto_remove,
			struct restart_policy *ret, struct csn_error *err);
/* Its end is not followed by a restart any more, until it is started by hand. Before the end is
 * brought about; locked or not. */
int restart_forbid(struct csn_runtime *rt, const struct container *c, struct csn_error *err);
/* Ends the wait for a restart, if it waits. The container is locked; reads f anew then. */
int restart_cancel(struct csn_runtime *rt, const struct container *c, struct facts *f,
		   struct csn_error *err);
/* What was before counts no more: it is started by hand. */
void restart_forget(const struct container *c);
/* The text of STOPPED_NAME: the same as long as the run root lives. */
#define GENERATION_SIZE 64
int restart_generation(struct csn_runtime *rt, char ret[GENERATION_SIZE], struct csn_error *err);

/* How the monitor is started, for a start by hand and in place. */
#define RESTART_PROGRAM "caisson-restart"
#define NETWORK_PROGRAM "caisson-network"

/* ---- logs (logs.c, logfile.c) -----------------------------------------------------------------
 */

/* Writes member "log": what is kept, and what could not be. */
void logs_put(struct csn_runtime *rt, const struct container *c, const struct engine_record *r,
	      struct json_out *o);

/* ---- events (events.c) ------------------------------------------------------------------------
 */

/* Writes an event of a container to the journal: action and what belongs to it; the rest is filled
 * in from its record, which must still be there. */
void event_tell(struct csn_runtime *rt, const struct container *c, struct journal_event e);
void event_tell_image(struct csn_runtime *rt, const char *action, const char *reference,
		      const char *id);

/* ---- users (users.c) --------------------------------------------------------------------------
 */

/* The user database of an image, and of a running container. Texts in the arena. */
int users_of_image(const struct csn_runtime *rt, const struct spec_strings *layers,
		   struct user_db *ret, struct arena *arena, struct csn_error *err);
int users_of_container(const struct facts *f, struct user_db *ret, struct arena *arena,
		       struct csn_error *err);

/* ---- attach (attach.c) ------------------------------------------------------------------------
 */

/* A handle over a connected socket, which it owns from now on, even on failure. */
int attach_new(int sock, struct csn_attach **ret, struct csn_error *err);

#endif
