/*
 * libcaisson: containers for a host agent.
 *
 * Conventions, for every function here unless its comment says otherwise:
 *   - 0 or a positive number on success, a negative errno value on failure; the sentence for
 *     people is in *err (may be NULL).
 *   - inputs are borrowed for the call; ret_* outputs are owned by the caller, untouched on
 * failure.
 *   - functions ending in _free or _close accept NULL.
 *   - structs that begin with "size" are made with their _INIT macro, so that a newer library
 *     knows which members an older program has. Elements of an array all have the same size; the
 *     library steps by the first one's.
 *   - times are nanoseconds since 1970 (UTC), 0 where unknown; timeouts are milliseconds, negative
 *     for no limit; file descriptors that are handed out are close-on-exec.
 *   - texts that may hold any bytes come with a length.
 *
 * Threads: a struct csn_runtime may be shared by any number of threads, and several processes may
 * use the same directories. A handle made from it (struct csn_attach, struct csn_logs) belongs to
 * one thread at a time.
 *
 * The library changes no attribute of the calling process (working directory, umask, signal
 * dispositions, environment), prints nothing, never exits, starts no threads, and reaps no child
 * that it did not start. Its programs (caisson-monitor, caisson-image) are looked for in
 * $CAISSON_LIBEXEC as it is when the runtime is opened, else next to the running program's file
 * when that is a build tree, else where they were installed.
 *
 * "container" below is a container's name, its id (64 hex digits) or the beginning of its id. An
 * unknown one is -ENOENT, a prefix of several ids -EINVAL.
 */
#ifndef CAISSON_H
#define CAISSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CSN_API	       __attribute__((visibility("default")))
#define CSN_MUST_CHECK __attribute__((warn_unused_result))
#else
#define CSN_API
#define CSN_MUST_CHECK
#endif

/* What kind of failure a method of the Runtime interface met (caisson-runtime.h). */
enum csn_error_kind {
	CSN_ERROR_NONE, /* from a function that tells no kind */
	CSN_ERROR_NOT_FOUND,
	CSN_ERROR_PULL_FAILED,
	CSN_ERROR_CREATE_FAILED,
	CSN_ERROR_START_FAILED,
	CSN_ERROR_UNEXPECTED_EXIT,
	CSN_ERROR_HEALTH_CHECK_FAILED,
	CSN_ERROR_INIT_ACTION_FAILED,
	CSN_ERROR_TIMEOUT,
	CSN_ERROR_DEPENDENCY_TIMEOUT,
	CSN_ERROR_INVALID_SPEC,
	CSN_ERROR_NETWORK,
	CSN_ERROR_CONFIGURATION,
	CSN_ERROR_INTERNAL,
	CSN_ERROR_UNSUPPORTED,
};

/* What went wrong: code is a positive errno value, text one line without a full stop. */
struct csn_error {
	int code;
	enum csn_error_kind kind;
	unsigned short subject_at, subject_size, reason_at; /* where in text: csn_error_reason() */
	char text[498];
};

/* The library's version, "0.1.0". */
CSN_API const char *csn_version(void);

/* Frees a text that a function here gave out as char *. */
CSN_API void csn_free(void *text);

/* A list of texts; NULL is an empty one. */
struct csn_texts;
CSN_API size_t csn_texts_count(const struct csn_texts *texts);
/* Owned by the list. index must be less than the count. */
CSN_API const char *csn_texts_get(const struct csn_texts *texts, size_t index);
CSN_API void csn_texts_free(struct csn_texts *texts);

/* ---- runtime --------------------------------------------------------------------------------- */

struct csn_runtime;

struct csn_config {
	size_t size;
	const char *root;     /* images and containers; NULL: /var/lib/caisson */
	const char *run_root; /* what dies at reboot; NULL: /run/caisson-engine */
};
#define CSN_CONFIG_INIT                                                                            \
	{                                                                                          \
		sizeof(struct csn_config), NULL, NULL                                              \
	}

/* Opens the native runtime, making both directories (mode 0700) where they are missing. */
CSN_API int csn_runtime_open_native(const struct csn_config *config, struct csn_runtime **ret,
				    struct csn_error *err) CSN_MUST_CHECK;
/* No other call may be under way. Containers go on running. */
CSN_API void csn_runtime_close(struct csn_runtime *rt);

/* ---- images ---------------------------------------------------------------------------------- */

struct csn_image_info {
	const char *reference; /* "docker.io/library/busybox:latest" */
	const char *digest;    /* of the manifest, "sha256:…" */
	const char *id;	       /* of the config, "sha256:…" */
	const char *created;   /* RFC 3339; "" when the image does not say */
	const char *architecture, *os;
	uint64_t size_bytes; /* of the unpacked layers */
};

/* A list of images, as it was when it was made; NULL is an empty one. */
struct csn_images;
CSN_API size_t csn_images_count(const struct csn_images *images);
/* Owned by the list. index must be less than the count. */
CSN_API const struct csn_image_info *csn_images_get(const struct csn_images *images, size_t index);
CSN_API void csn_images_free(struct csn_images *images);

struct csn_image_progress {
	size_t size;
	const char *layer;     /* digest of the layer; NULL with a warning */
	uint64_t bytes, total; /* read so far, of the layer as stored; total 0: unknown */
	const char *warning;   /* a sentence, or NULL */
	/* With registries: "download", "unpack", "upload" while it is under way; "done", or
	 * "exists" when it was here already. NULL: it is being read and unpacked. */
	const char *action;
};

struct csn_image_load_options {
	size_t size;
	const char *file; /* path of an archive or a directory; NULL: read from fd */
	int fd;		  /* read until its end; not closed */
	const char *name; /* load: instead of the archive's own name, or NULL; import: required */
	const char *platform; /* "linux/arm64"; NULL: the host's */
	/* Called from the loading thread. NULL: nobody wants to know. */
	void (*progress)(void *data, const struct csn_image_progress *progress);
	void *progress_data;
	const char *const *changes; /* import: as struct csn_commit_options has them */
	const char *comment;	    /* import: words for the history; NULL: none */
};
#define CSN_IMAGE_LOAD_OPTIONS_INIT                                                                \
	{                                                                                          \
		sizeof(struct csn_image_load_options), NULL, -1, NULL, NULL, NULL, NULL, NULL,     \
			NULL                                                                       \
	}

/*
 * Loads every image of an OCI layout (directory or archive) or a docker-archive. *ret (may be
 * NULL) lists what was loaded. Digests are verified; a failure leaves no part of an image.
 */
CSN_API int csn_image_load(struct csn_runtime *rt, const struct csn_image_load_options *options,
			   struct csn_images **ret, struct csn_error *err) CSN_MUST_CHECK;
/* Makes an image of one layer from the tar archive of a root file system. */
CSN_API int csn_image_import(struct csn_runtime *rt, const struct csn_image_load_options *options,
			     struct csn_images **ret, struct csn_error *err) CSN_MUST_CHECK;
/* All images, sorted by reference. A record that cannot be read is left out. */
CSN_API int csn_image_list(struct csn_runtime *rt, struct csn_images **ret,
			   struct csn_error *err) CSN_MUST_CHECK;
/*
 * Removes the name and then every layer and blob that no image needs any more. -ENOENT: no such
 * image. -EBUSY: a container stands on it; with force the name goes and its layers stay until the
 * container is removed and another image is.
 */
CSN_API int csn_image_remove(struct csn_runtime *rt, const char *image, bool force,
			     struct csn_error *err) CSN_MUST_CHECK;

/* ---- containers: making them ------------------------------------------------------------------
 */

#define CSN_ID_SIZE 65 /* 64 hex digits and the end of the string */

enum csn_mount_kind {
	CSN_MOUNT_ANY,	  /* by the source: a bind or a volume */
	CSN_MOUNT_BIND,	  /* a directory or file of the host */
	CSN_MOUNT_VOLUME, /* a volume; a new or empty one is filled with what the image has there */
	CSN_MOUNT_TMPFS	  /* memory, empty at every start */
};
struct csn_volume_options; /* caisson-volume.h */
struct csn_mount {
	size_t size;
	const char *source; /* absolute path on the host, which must exist; or the name of a volume,
			     * which is made where it is missing; NULL: a volume of the
			     * container's own, removed with it. NULL also for a tmpfs */
	const char *target; /* absolute path in the container; made where it is missing */
	bool readonly;	    /* and all that is mounted below it */
	enum csn_mount_kind kind;
	/* Separated by commas; NULL: none. Of all: ro, rw, exec, noexec, suid, nosuid (the
	 * default), dev, nodev (the default), noatime, relatime. Of binds and volumes: bind
	 * (without what is mounted below), rbind (the default), private, rprivate (the default),
	 * slave, rslave, shared, rshared; z and Z mean nothing. Of volumes: nocopy, and nothing of
	 * the image is copied into it. Of a tmpfs: size=64m (half of the memory), mode=1777, uid=,
	 * gid=, nr_inodes=, tmpcopyup; noexec is its default. */
	const char *options;
	const struct csn_volume_options *volume; /* what a named volume is made with where it is
						  * missing; NULL: the defaults */
};
#define CSN_MOUNT_INIT                                                                             \
	{                                                                                          \
		sizeof(struct csn_mount), NULL, NULL, false, CSN_MOUNT_ANY, NULL, NULL             \
	}

enum csn_device_limit_kind {
	CSN_DEVICE_WEIGHT,    /* share of the device, 10 to 1000 */
	CSN_DEVICE_READ_BPS,  /* bytes a second */
	CSN_DEVICE_WRITE_BPS, /* bytes a second */
	CSN_DEVICE_READ_IOPS, /* operations a second */
	CSN_DEVICE_WRITE_IOPS /* operations a second */
};
/* A limit of one block device. */
struct csn_device_limit {
	size_t size;
	enum csn_device_limit_kind kind;
	const char *device; /* absolute path of the device node on the host */
	uint64_t value;	    /* rates: 0 takes the limit away */
};
#define CSN_DEVICE_LIMIT_INIT                                                                      \
	{                                                                                          \
		sizeof(struct csn_device_limit), CSN_DEVICE_WEIGHT, NULL, 0                        \
	}

/*
 * Limits of a container. 0 or NULL asks for nothing: no limit in a new container, in an update the
 * present one. -1 is "no limit" where a negative value makes sense. A limit whose cgroup controller
 * the host does not give is an error when the container starts, or when it is updated.
 */
struct csn_resources {
	size_t size;
	int64_t memory_bytes;
	int64_t memory_swap_bytes; /* memory and swap together. In a new container with a limit for
				    * memory 0 means twice that */
	int64_t memory_reservation_bytes; /* stays as long as others have some to give */
	int64_t nano_cpus;		  /* CPU time in 10^-9 CPUs: 1500000000 is one and a half */
	int64_t cpu_quota_us;  /* the same as time in a period; not together with nano_cpus */
	int64_t cpu_period_us; /* 0: 100000 */
	int64_t cpu_burst_us;  /* unused time that may be saved up */
	int64_t cpu_shares;    /* share of busy CPUs, 2 to 262144; 1024 is usual */
	const char *cpuset_cpus, *cpuset_mems; /* "0-1,3" */
	int64_t pids_limit; /* processes and threads. In a new container 0 means 2048 where the host
			     * counts them */
	int64_t blkio_weight; /* share of block I/O, 10 to 1000 */
	const struct csn_device_limit *devices;
	size_t devices_count;
};
#define CSN_RESOURCES_INIT                                                                         \
	{                                                                                          \
		sizeof(struct csn_resources), 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, 0, NULL, 0    \
	}

/*
 * What a container may do beyond the defaults: eleven capabilities, no new privileges, a seccomp
 * filter, kernel files masked. Lists of strings end with NULL; NULL is an empty one.
 */
struct csn_security {
	size_t size;
	const char *const *cap_add, *const *cap_drop; /* "NET_ADMIN", "ALL" */
	const char *const *options; /* "no-new-privileges[=true|false]", "seccomp=default" or
				     * "seccomp=unconfined", "apparmor=PROFILE", "label=LABEL" */
	const char *const *sysctls; /* "net.core.somaxconn=1024"; of the container's namespaces */
	const char *const *groups;  /* more groups of the user: names of the image, or numbers */
	bool privileged;	    /* all capabilities that the caller has, nothing masked, nothing
				     * filtered, kernel files writable */
	bool host_pid, host_ipc;    /* the host's namespace instead of one of its own */
	bool host_uts;		    /* likewise: it has the host's name, also a later one */
};
#define CSN_SECURITY_INIT                                                                          \
	{                                                                                          \
		sizeof(struct csn_security), NULL, NULL, NULL, NULL, NULL, false, false, false,    \
			false                                                                      \
	}

/* A device of the host that a container may use. It is looked at when the container is made. */
struct csn_device {
	size_t size;
	const char *host;      /* absolute path of its node */
	const char *container; /* absolute path of the node to make; NULL: the same */
	bool read, write, mknod;
	uint32_t mode; /* of the node, which is root's then; 0: the host's mode and owner */
};
#define CSN_DEVICE_INIT                                                                            \
	{                                                                                          \
		sizeof(struct csn_device), NULL, NULL, true, true, true, 0                         \
	}

/* Lists of strings end with NULL. NULL instead of a text or a list: what the image says. */
struct csn_container_options {
	size_t size;
	const char *image; /* reference, id or the beginning of an id; required */
	const char *name;  /* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 128; NULL: one is made up */
	const char *const *command;    /* arguments behind the entrypoint */
	const char *const *entrypoint; /* replaces the image's, and then its command too; an empty
					* list or one empty text: none */
	const char *const *env;	       /* "NAME=value"; replaces the image's NAME */
	const char *const *labels;     /* "key=value" */
	const char *working_dir;       /* absolute; made where it is missing */
	const char *user;	       /* "user[:group]", names or numbers */
	const char *hostname;	       /* NULL: the first 12 digits of the id */
	const char *network;	       /* "none" (also NULL), "host", "container:…", "ns:/…", or
					* the name of a network ("bridge": the default one) */
	const struct csn_mount *mounts;
	size_t mounts_count;
	const char *stop_signal; /* "SIGTERM", "15" */
	int64_t stop_timeout_ms; /* before stop kills; 0: 10 seconds; negative: at once */
	bool tty;		 /* a terminal */
	bool stdin_open;	 /* standard input stays open for attached clients */
	bool readonly_root;
	bool auto_remove;		       /* removed when it ends */
	const struct csn_resources *resources; /* NULL: the defaults */
	const char *const *ulimits;	       /* "nofile=1024:2048", "core=-1": soft[:hard] */
	int oom_score_adj;		       /* -1000 to 1000; 0: as it is */
	/* Group below which the container's own is made, below the cgroup2 mount: "/agents". NULL:
	 * $CAISSON_CGROUP_PARENT as it is when the runtime is opened; else the caller's own group
	 * where that was delegated to it (systemd's Delegate=) or is all that it sees: its
	 * processes then move to "init" there and containers go to "containers"; else "/caisson".
	 */
	const char *cgroup_parent;
	const struct csn_security *security;		/* NULL: the defaults */
	const struct csn_container_network *networking; /* caisson-network.h; NULL: as network
							 * says */
	int64_t shm_bytes;				/* size of /dev/shm; 0: 64 MiB */
	const struct csn_healthcheck *healthcheck;	/* caisson-health.h; NULL: what the image
							 * says */
	const struct csn_restart_policy *restart; /* caisson-restart.h; NULL: it stays ended */
	/* "max-size=10m": a log file is retired before it is larger; "max-file=3": so many are
	 * kept (with max-size 5). */
	const char *const *log_options;
	bool init; /* a small init as its first process, which reaps and hands signals on */
	const struct csn_device *devices; /* beyond the usual ones */
	size_t devices_count;
};
#define CSN_CONTAINER_OPTIONS_INIT                                                                 \
	{                                                                                          \
		sizeof(struct csn_container_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL,    \
			NULL, NULL, NULL, NULL, 0, NULL, 0, false, false, false, false, NULL,      \
			NULL, 0, NULL, NULL, NULL, 0, NULL, NULL, NULL, false, NULL, 0             \
	}

/*
 * Makes a container that can be started. -ENOENT: no such image. -EEXIST: the name is taken.
 * -EINVAL: a bad option, or a user or group that the image does not know.
 */
CSN_API int csn_container_create(struct csn_runtime *rt,
				 const struct csn_container_options *options,
				 char ret_id[CSN_ID_SIZE], struct csn_error *err) CSN_MUST_CHECK;
/* The full id of a container. */
CSN_API int csn_container_resolve(struct csn_runtime *rt, const char *container,
				  char ret_id[CSN_ID_SIZE], struct csn_error *err) CSN_MUST_CHECK;

/* ---- containers: their life -------------------------------------------------------------------
 */

struct csn_attach;

/*
 * Starts a container; its program runs when this returns. One that has ended is started again on
 * the same files, one that waits for its restart at once. With ret_attach not NULL nothing of its
 * output is lost to that handle. -EALREADY: it runs. When the program itself cannot be run,
 * csn_start_exit_code() tells from *err which status a shell would give.
 */
CSN_API int csn_container_start(struct csn_runtime *rt, const char *container,
				struct csn_attach **ret_attach,
				struct csn_error *err) CSN_MUST_CHECK;
/* 127: the program was not found; 126: it cannot be run; 125: something else failed. */
CSN_API int csn_start_exit_code(const struct csn_error *err);
/*
 * Sends the container's stop signal to its first process, waits up to timeout_ms (negative: the
 * container's own), then kills every process and waits until all are gone. 0 also when it is not
 * running. It is not started again until somebody starts it.
 */
CSN_API int csn_container_stop(struct csn_runtime *rt, const char *container, int timeout_ms,
			       struct csn_error *err) CSN_MUST_CHECK;
/* Sends a signal ("KILL", "SIGTERM", "15"; NULL: SIGKILL) to the container's first process.
 * -EINVAL: no such signal. -ESRCH: not running. */
CSN_API int csn_container_kill(struct csn_runtime *rt, const char *container, const char *signal,
			       struct csn_error *err) CSN_MUST_CHECK;
/*
 * Changes limits: those of a running container at once, and of every later start. All that is asked
 * for changes, or nothing. -EINVAL: values that do not go together. -ENOENT also: a controller that
 * the host does not give.
 */
CSN_API int csn_container_update(struct csn_runtime *rt, const char *container,
				 const struct csn_resources *resources,
				 struct csn_error *err) CSN_MUST_CHECK;
/* Sets variables ("NAME=value"; the list ends with NULL) of what runs in it from its next start on;
 * an image that is made of it does not get them. -EINVAL: no such form. */
CSN_API int csn_container_set_private_env(struct csn_runtime *rt, const char *container,
					  const char *const *env,
					  struct csn_error *err) CSN_MUST_CHECK;
/* Freezes all processes of a container; it keeps counting as running. -ESRCH: not running.
 * -EALREADY: paused. */
CSN_API int csn_container_pause(struct csn_runtime *rt, const char *container,
				struct csn_error *err) CSN_MUST_CHECK;
/* -EALREADY: not paused. */
CSN_API int csn_container_unpause(struct csn_runtime *rt, const char *container,
				  struct csn_error *err) CSN_MUST_CHECK;
/* Removes a container with its files, its log and the volumes of its own. -EBUSY: it runs and force
 * is not set; with force it is killed first. */
CSN_API int csn_container_remove(struct csn_runtime *rt, const char *container, bool force,
				 struct csn_error *err) CSN_MUST_CHECK;
/* Removes those that do not run. *ret_ids lists the ids of what went; *ret_bytes is what its files
 * took on disk. */
CSN_API int csn_container_prune(struct csn_runtime *rt, struct csn_texts **ret_ids,
				uint64_t *ret_bytes, struct csn_error *err) CSN_MUST_CHECK;
/* Gives a container another name, whether it runs or not. With keep it is still found by the name
 * that it had first, which nobody else can take. -EINVAL: a name that cannot be. -EEXIST: it is
 * taken. */
CSN_API int csn_container_rename(struct csn_runtime *rt, const char *container, const char *name,
				 bool keep, struct csn_error *err) CSN_MUST_CHECK;

/* ---- containers: what is known of them --------------------------------------------------------
 */

enum csn_state {
	CSN_STATE_PENDING,	/* made, not started */
	CSN_STATE_INITIALIZING, /* being started, or about to be started again */
	CSN_STATE_RUNNING,	/* also while paused */
	CSN_STATE_STOPPING,	/* asked to stop, still there */
	CSN_STATE_EXITED,
	CSN_STATE_FAILED, /* could not be started, or its end was not recorded */
};
/* "pending", "initializing", "running", "stopping", "exited", "failed". */
CSN_API const char *csn_state_name(enum csn_state state);

enum csn_wait_reason {
	CSN_WAIT_EXITED,
	CSN_WAIT_SIGNAL,
	CSN_WAIT_OOM_KILLED,
	CSN_WAIT_RUNTIME_ERROR, /* the program never ran, or its end was not recorded */
};
/* "exited", "signal", "oom_killed", "runtime_error". */
CSN_API const char *csn_wait_reason_name(enum csn_wait_reason reason);

/* How a container ended. */
struct csn_wait_outcome {
	size_t size;
	int exit_code; /* 0 to 255; 128+N for signal N */
	enum csn_wait_reason reason;
	int signal;	      /* its number with CSN_WAIT_SIGNAL, else 0 */
	char signal_name[24]; /* "SIGKILL", or "" */
	bool core_dumped;
	uint64_t oom_kills;
	uint64_t memory_peak_bytes; /* 0: unknown */
	int64_t started_at_ns, finished_at_ns;
	char error[256]; /* with CSN_WAIT_RUNTIME_ERROR: the sentence */
};
#define CSN_WAIT_OUTCOME_INIT                                                                      \
	{                                                                                          \
		sizeof(struct csn_wait_outcome), 0, CSN_WAIT_EXITED, 0, "", false, 0, 0, 0, 0, ""  \
	}

/*
 * Waits until the container is not running; one that is about to be started again counts as
 * running. One that was never started is waited for until it has
 * run and ended. -ETIMEDOUT. -ENOENT also when it is removed while nobody recorded its end.
 * Waiting costs no time: it sleeps in poll(2).
 */
CSN_API int csn_container_wait(struct csn_runtime *rt, const char *container, int timeout_ms,
			       struct csn_wait_outcome *ret, struct csn_error *err) CSN_MUST_CHECK;
enum csn_wait_condition {
	CSN_WAIT_NOT_RUNNING, /* as csn_container_wait */
	CSN_WAIT_NEXT_EXIT,   /* the next end, also of one that does not run now */
	CSN_WAIT_REMOVED,     /* until it is removed: the last end that was seen, or exit code 0 */
};
/* Waits for a condition. Removal is no failure with CSN_WAIT_REMOVED. */
CSN_API int csn_container_wait_for(struct csn_runtime *rt, const char *container,
				   enum csn_wait_condition condition, int timeout_ms,
				   struct csn_wait_outcome *ret,
				   struct csn_error *err) CSN_MUST_CHECK;
/* An fd that becomes readable (POLLIN) when csn_container_wait has an answer; close(2) it. Only for
 * a container that has been started: -EAGAIN for one that has not. */
CSN_API int csn_container_wait_fd(struct csn_runtime *rt, const char *container, int *ret_fd,
				  struct csn_error *err) CSN_MUST_CHECK;

struct csn_port;
struct csn_container_info {
	const char *id, *name, *image, *image_digest;
	const char *const *command; /* what runs: entrypoint and arguments; ends with NULL */
	const char *network;
	int64_t created_at_ns, started_at_ns, finished_at_ns;
	enum csn_state state;
	bool paused, tty, auto_remove;
	int pid;       /* of the first process on the host; 0 when not running */
	int exit_code; /* with CSN_STATE_EXITED and CSN_STATE_FAILED */
	enum csn_wait_reason reason;
	const char *error; /* with CSN_STATE_FAILED: the sentence; else "" */
	const struct csn_port
		*ports; /* published now (caisson-network.h), by number; each is one */
	size_t ports_count;
	const char *health; /* csn_health_status_name() of its health check; "none": it has none */
	bool restarting; /* with CSN_STATE_INITIALIZING: it ended, is about to be started again, and
			  * exit_code, reason and finished_at_ns tell of that end */
	bool crash_loop; /* its restarts are slowed down */
	unsigned restart_count;			  /* since it was started by hand */
	const struct csn_restart_policy *restart; /* caisson-restart.h; never NULL */
};

struct csn_containers;
/* Running containers, or all; newest first. One whose record cannot be read is left out. */
CSN_API int csn_container_list(struct csn_runtime *rt, bool all, struct csn_containers **ret,
			       struct csn_error *err) CSN_MUST_CHECK;
/* A list of one. */
CSN_API int csn_container_get(struct csn_runtime *rt, const char *container,
			      struct csn_containers **ret, struct csn_error *err) CSN_MUST_CHECK;
CSN_API size_t csn_containers_count(const struct csn_containers *containers);
/* Owned by the list. index must be less than the count. */
CSN_API const struct csn_container_info *csn_containers_get(const struct csn_containers *containers,
							    size_t index);
CSN_API void csn_containers_free(struct csn_containers *containers);

/* Everything known of a container as a JSON object (indented, no final newline); csn_free() it. */
CSN_API int csn_container_inspect(struct csn_runtime *rt, const char *container, char **ret_json,
				  struct csn_error *err) CSN_MUST_CHECK;

struct csn_recovered {
	size_t size;
	size_t containers;	     /* whose end nobody had recorded */
	size_t leases, ports, links; /* of networks, that nobody had any more */
	bool rules;		     /* packet rules were missing and are there again */
};
#define CSN_RECOVERED_INIT                                                                         \
	{                                                                                          \
		sizeof(struct csn_recovered), 0, 0, 0, 0, false                                    \
	}
/* Takes away what a crash (of the machine, of a program killed half-way) left. Running containers
 * go on. */
CSN_API int csn_recover(struct csn_runtime *rt, struct csn_recovered *ret,
			struct csn_error *err) CSN_MUST_CHECK;

/* ---- logs -------------------------------------------------------------------------------------
 */

enum csn_stream { CSN_STREAM_STDIN, CSN_STREAM_STDOUT, CSN_STREAM_STDERR };

struct csn_logs_options {
	size_t size;
	int64_t tail; /* only the last so many lines of both streams together; negative: all */
	bool follow;  /* wait for more until the container ends */
	bool no_stdout, no_stderr;
	int64_t since_ns, until_ns; /* only lines that began then; 0: no limit */
};
#define CSN_LOGS_OPTIONS_INIT                                                                      \
	{                                                                                          \
		sizeof(struct csn_logs_options), -1, false, false, false, 0, 0                     \
	}

struct csn_log_line {
	size_t size;
	enum csn_stream stream;
	int64_t time_ns;  /* when its first byte was read */
	const char *text; /* any bytes, no newline at the end; valid until the next call */
	size_t length;
	bool partial; /* no newline followed: the container ended, or the line goes on in the next
		       * one because it is longer than 1 MiB */
};
#define CSN_LOG_LINE_INIT                                                                          \
	{                                                                                          \
		sizeof(struct csn_log_line), CSN_STREAM_STDOUT, 0, NULL, 0, false                  \
	}

struct csn_logs;
/* Opens a container's log, oldest line first, both streams in the order in which they were read. */
CSN_API int csn_container_logs(struct csn_runtime *rt, const char *container,
			       const struct csn_logs_options *options, struct csn_logs **ret,
			       struct csn_error *err) CSN_MUST_CHECK;
/*
 * The next line: 1. 0: there are no more and, with follow, the container has ended. -EAGAIN: none
 * within timeout_ms (0: do not wait). A damaged record is passed over.
 */
CSN_API int csn_logs_next(struct csn_logs *logs, int timeout_ms, struct csn_log_line *ret,
			  struct csn_error *err) CSN_MUST_CHECK;
/* An fd (owned by the handle) that is readable when csn_logs_next may have news. -1 without
 * follow. */
CSN_API int csn_logs_fd(const struct csn_logs *logs);
CSN_API void csn_logs_close(struct csn_logs *logs);

/* ---- events -----------------------------------------------------------------------------------
 */

struct csn_events_options {
	size_t size;
	int64_t since_ns; /* also those that happened since then; 0: only what happens from now on
			   */
	int64_t until_ns; /* only until then; 0: no limit */
	bool no_follow;	  /* do not wait for more */
};
#define CSN_EVENTS_OPTIONS_INIT                                                                    \
	{                                                                                          \
		sizeof(struct csn_events_options), 0, 0, false                                     \
	}

/* Texts are valid until the next call; "" where there is nothing to say. */
struct csn_event {
	size_t size;
	int64_t time_ns;
	const char *type;   /* "container", "image" */
	const char *action; /* container: "create", "start", "oom", "kill", "die", "stop", "pause",
			     * "unpause", "update", "rename", "remove", "health_status: healthy" (or
			     * unhealthy); image: "load", "import", "commit", "remove" */
	const char *id, *name, *image;
	const char *signal; /* kill, die: "SIGKILL" */
	const char *reason; /* die: see csn_wait_reason_name() */
	const char *error;  /* die: with "runtime_error" */
	int exit_code;	    /* die */
	uint64_t oom_kills; /* oom, die: processes that the OOM killer has ended since the start */
	const char *json;   /* all of it as a JSON object on one line */
};
#define CSN_EVENT_INIT                                                                             \
	{                                                                                          \
		sizeof(struct csn_event), 0, "", "", "", "", "", "", "", "", 0, 0, ""              \
	}

struct csn_events;
/*
 * What happens to the containers and images of this runtime, whoever does it: oldest first, as far
 * back as this boot's last megabyte of events goes. "oom" comes while the container runs.
 */
CSN_API int csn_events_open(struct csn_runtime *rt, const struct csn_events_options *options,
			    struct csn_events **ret, struct csn_error *err) CSN_MUST_CHECK;
/* The next event: 1. 0: there are no more (no_follow, until_ns). -EAGAIN: none within timeout_ms
 * (0: do not wait). */
CSN_API int csn_events_next(struct csn_events *events, int timeout_ms, struct csn_event *ret,
			    struct csn_error *err) CSN_MUST_CHECK;
/* An fd (owned by the handle) that is readable when csn_events_next may have news. */
CSN_API int csn_events_fd(const struct csn_events *events);
CSN_API void csn_events_close(struct csn_events *events);

#ifdef __cplusplus
}
#endif

/* Streams to a container and into it. */
#include "caisson-exec.h"

#endif
