/* What the commands of `caisson` share. One command a file; main.c has the list. */
#ifndef CSN_BIN_OCI_H
#define CSN_BIN_OCI_H

#include "bin/opts.h"
#include "host/host.h"

extern const struct command command_checkpoint, command_create, command_delete, command_events,
	command_exec, command_features, command_kill, command_list, command_mounts, command_pause,
	command_ps, command_restore, command_resume, command_run, command_runtime, command_spec,
	command_start, command_state, command_update;

/* Set by main from the global options. */
const struct host_context *oci_context(void);
/* Another state directory than theirs. */
int oci_set_root(const char *root, struct csn_error *err);
bool oci_root_was_given(void);

/* Words a failure on the log (and plainly on stderr when the log is a file); returns status. */
int oci_fail(const struct csn_error *err, int status);
/* The same for a failure with no error at hand. */
int oci_fail_text(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --empty-ns of checkpoint and restore. */
int oci_empty_namespaces(const struct opt_list *list, struct host_criu *ret, struct csn_error *err);

/* 0, or the exit status after having said that root is needed. */
int oci_need_root(void);
/* The same for a command whose child enters a container: see bin/guard.h. */
int oci_need_guard(void);

/* The verbs of `caisson runtime` (contract.c), which --state-root asks for, too. */
extern const struct command *const contract_commands[];

/* Of events: its options, and what it does with each event of a container. The exit status. */
const struct opt *events_options(void);
int events_show(const char *id, host_event_fn print);

#endif
