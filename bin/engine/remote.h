/* What the commands that speak to registries share. */
#ifndef CSN_BIN_REMOTE_H
#define CSN_BIN_REMOTE_H

#include "bin/engine/engine.h"
#include "caisson-registry.h"

struct remote_args {
	const char *creds, *authfile, *cert_dir, *tls_verify, *progress;
	int stall_timeout;
	bool quiet;
};
extern struct remote_args remote_args;

#define REMOTE_OPTIONS                                                                             \
	{                                                                                          \
		0,	  "authfile",		"FILE", "look for credentials there only",         \
		OPT_TEXT, &remote_args.authfile                                                    \
	},                                                                                         \
		{ 0,	    "cert-dir",                                                            \
		  "DIR",    "certificates of a CA (*.crt) and of ours (*.cert, *.key)",            \
		  OPT_TEXT, &remote_args.cert_dir },                                               \
		{ 0,	    "tls-verify",                                                          \
		  "BOOL",   "false: no certificate is needed, and plain http will do",             \
		  OPT_TEXT, &remote_args.tls_verify },                                             \
	{                                                                                          \
		0, "stall-timeout", "SECONDS", "give up when nothing comes for so long (30)",      \
			OPT_INT, &remote_args.stall_timeout                                        \
	}

#define TRANSFER_OPTIONS                                                                           \
	{ 0,                                                                                       \
	  "creds",                                                                                 \
	  "USER[:PASSWORD]",                                                                       \
	  "instead of those of the auth files; the password is asked for",                         \
	  OPT_TEXT,                                                                                \
	  &remote_args.creds },                                                                    \
		REMOTE_OPTIONS,                                                                    \
		{ 0,	    "progress",                                                            \
		  "HOW",    "bars, plain (lines), json (lines on standard output) or none",        \
		  OPT_TEXT, &remote_args.progress },                                               \
	{                                                                                          \
		'q', "quiet", NULL, "print the id only", OPT_FLAG, &remote_args.quiet              \
	}

/* From the arguments. remote_options_done wipes and frees the texts, whatever this returned. */
int remote_options(struct csn_registry_options *ret, struct csn_error *err);
void remote_options_done(struct csn_registry_options *o);
/* One that is given instead of --creds: both malloc'd, and owned by o from now on. */
void remote_take_credentials(struct csn_registry_options *o, char *username, char *password);
/* Asks on the terminal, without echo. malloc'd. */
int remote_ask_password(const char *prompt, char **ret, struct csn_error *err);
/* The whole of standard input without the newline at its end. malloc'd. */
int remote_read_password(char **ret, struct csn_error *err);

/* ---- bars.c ---------------------------------------------------------------------------------- */

enum progress_kind { PROGRESS_NONE, PROGRESS_PLAIN, PROGRESS_BARS, PROGRESS_JSON };

struct bar {
	char layer[160], action[16];
	uint64_t bytes, total;
};

struct bars {
	enum progress_kind kind;
	struct bar *items;
	size_t count;
	size_t drawn; /* lines on the terminal */
	int64_t last; /* when, in nanoseconds */
	unsigned columns;
};

/* --progress and -q; bars on a terminal, else plain lines, unless told. */
int bars_open(struct bars *b, struct csn_error *err);
/* For csn_image_pull_options.progress; data is a struct bars. */
void bars_progress(void *data, const struct csn_image_progress *p);
/* Leaves the last state on the screen. */
void bars_close(struct bars *b);

#endif
