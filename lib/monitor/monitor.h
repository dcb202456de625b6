/*
 * caisson-monitor: one small process per engine container. What it reads, writes and says.
 *
 * Directories (made by libcaisson before it starts the monitor):
 *
 *	<root>/containers/<id>/		survives reboots
 *	    container.json		engine record: struct engine_record below
 *	    config.json			OCI config (this directory is the bundle)
 *	    rootfs/			empty: the root is attached over it inside the container
 *only upper/ work/		overlay's writable layer container.log		CRI lines
 *"2026-11-24T13:05:00.123456789Z stdout F text\n"
 *	    exit.json			the end, written once, atomically: struct exit_record below
 *	<run-root>/			dies at reboot
 *	    state/<id>/			lib/state entry (host verbs run with root =
 *<run-root>/state) monitor/<id>/		pid (decimal text), attach.sock
 *
 * Started as
 *	caisson-monitor --root ROOT --run-root RUN --id ID --status-fd N [--attach-fd M]
 *	                [--network-fd K --network-program FILE]
 * with fd N a pipe. It makes the overlay as a detached tree, takes from socket K the network
 * namespace to join (FILE is run when the container has ended), calls host_run, writes ONE line of
 * JSON to N and closes it:
 *	{"pid":123}				the program runs
 *	{"error":"sentence","code":2}		it does not; exit.json says runtime_error
 *
 * Started as
 *	caisson-monitor --exec --state DIR --id ID --status-fd N --attach-fd M --process-fd P
 *[--stdin] it runs the process object in fd P inside the container instead, says the same line, and
 *lives until that process has ended and M has all it wrote, or M is closed, which kills it.
 *
 * A container with a health check (healthcheck.json, see health.h) has one more process, a child of
 * the monitor's first image in an image of its own, --health, which makes the checks.
 *
 * Attach frames on M (SOCK_STREAM socketpair given by the starter, so that no early output is
 * lost) and on connections to attach.sock: one byte type, three bytes zero, u32 length (host byte
 * order), payload. Towards the monitor: STDIN, STDIN_EOF, RESIZE {u16 rows, cols}. From it:
 * STDOUT, STDERR, EXIT {u32 status 0–255}. A client that does not read is dropped from the stream
 * after 1 MiB of backlog; the container is never blocked by it.
 *
 * `--rm` (auto_remove in the record): after exit.json was written and clients have EXIT, the
 * monitor removes <root>/containers/<id> and its run directories.
 * The end is known to waiters without polling: the monitor holds an exclusive flock on
 * monitor/<id>/pid as long as it lives, and its pidfd can be polled; exit.json is there when it
 * ends. SIGTERM to the monitor does not end it; SIGKILL leaves the container running and the next
 * command can still stop and remove it (the cgroup is in the state record).
 *
 * Memory: after the start is done it is a fresh image (re-exec of itself with --supervise) or has
 * given everything back: at most 100 KiB private dirty.
 */
#ifndef CSN_MONITOR_MONITOR_H
#define CSN_MONITOR_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "caisson-restart.h"
#include "caisson.h"

enum attach_type {
	ATTACH_STDIN = 0,
	ATTACH_STDOUT = 1,
	ATTACH_STDERR = 2,
	ATTACH_RESIZE = 3,
	ATTACH_STDIN_EOF = 4,
	ATTACH_EXIT = 5,
};
struct attach_header {
	uint8_t type, zero[3];
	uint32_t length;
};

/* What to do when it ends. */
struct restart_policy {
	enum csn_restart_kind kind;
	uint32_t max_restarts; /* on failure; 0: no limit */
	int64_t delay_ms;      /* 0: a back-off */
};

/* container.json. All strings in the arena. */
struct engine_record {
	char *id;	  /* 64 hex digits */
	char *name;	  /* unique among containers */
	char *first_name; /* by which it is found, too, after it was renamed; or NULL */
	char *image;	  /* reference as normalised */
	char *image_digest;
	char **command; /* NULL-terminated, for ps */
	size_t command_count;
	char *created; /* RFC3339 with ns */
	bool tty, stdin_open, auto_remove;
	uint64_t log_max_size; /* bytes of each file; 0: no limit */
	uint32_t log_max_files;
	char *stop_signal; /* "SIGTERM" */
	int64_t stop_timeout_s;
	/* overlay: directories relative to <root>, bottom layer first */
	char **layers;
	size_t layers_count;
	bool read_only;
	char *cgroup;  /* cgroupsPath as in config.json */
	char *network; /* "none", "host" */
	struct restart_policy restart;
	bool init; /* its first process is caisson-init */
};
/* "always" … -EINVAL. */
int restart_kind_parse(const char *text, enum csn_restart_kind *ret);
int engine_record_read(int container_dir, struct engine_record *ret, struct arena *arena,
		       struct csn_error *err);
int engine_record_write(int container_dir, const struct engine_record *r, struct csn_error *err);

enum exit_reason { EXIT_EXITED, EXIT_SIGNAL, EXIT_OOM_KILLED, EXIT_RUNTIME_ERROR };
const char *exit_reason_name(enum exit_reason r); /* "exited", "signal", "oom_killed", … */

/* exit.json */
struct exit_record {
	enum exit_reason reason;
	int exit_code; /* 0–255; 128+N for signal N */
	int signal;    /* 0: none */
	bool core_dumped;
	bool restarting; /* while its monitor lives, it is about to be started again */
	uint64_t oom_kills;
	uint64_t memory_peak;			 /* bytes; 0: unknown */
	struct timespec started_at, finished_at; /* CLOCK_REALTIME */
	char error[256];			 /* runtime_error: the sentence */
};
int exit_record_read(int container_dir, struct exit_record *ret, struct csn_error *err);
int exit_record_write(int container_dir, const struct exit_record *r, struct csn_error *err);
/* What a shell would exit with, and 125 when it was not the program's fault. */
int start_exit_code(const struct csn_error *err);

#endif
