/* What create and run have in common about what a container may do. */
#ifndef CSN_BIN_ENGINE_SECURITY_H
#define CSN_BIN_ENGINE_SECURITY_H

#include "base/arena.h"
#include "bin/opts.h"
#include "caisson.h"

struct security_args {
	struct opt_list cap_add, cap_drop, options, sysctls, groups, devices;
	const char *pid, *ipc, *uts;
	bool privileged;
};
extern struct security_args security_args;

/* clang-format off: a row an option */
#define SECURITY_OPTIONS                                                                           \
	{                                                                                          \
		0,                                                                                 \
		"cap-add",                                                                         \
		"CAPABILITY",                                                                      \
		"give a capability, or ALL",                                                       \
		OPT_LIST,                                                                          \
		&security_args.cap_add                                                             \
	},                                                                                         \
		{ 0,                                                                               \
		  "cap-drop",                                                                      \
		  "CAPABILITY",                                                                    \
		  "take a capability away, or ALL",                                                \
		  OPT_LIST,                                                                        \
		  &security_args.cap_drop },                                                       \
		{ 0,	    "privileged",                                                          \
		  NULL,	    "all capabilities, nothing masked or filtered",                        \
		  OPT_FLAG, &security_args.privileged },                                           \
		{ 0,                                                                               \
		  "security-opt",                                                                  \
		  "OPTION",                                                                        \
		  "no-new-privileges[=false], seccomp=unconfined, apparmor=PROFILE, label=LABEL",  \
		  OPT_LIST,                                                                        \
		  &security_args.options },                                                        \
		{ 0,                                                                               \
		  "sysctl",                                                                        \
		  "NAME=VALUE",                                                                    \
		  "set a kernel parameter of its namespaces",                                      \
		  OPT_LIST,                                                                        \
		  &security_args.sysctls },                                                        \
		{ 0,	    "group-add",	  "GROUP", "one more group of the user",           \
		  OPT_LIST, &security_args.groups },                                               \
		{ 0,                                                                               \
		  "device",                                                                        \
		  "HOST[:CONTAINER][:rwm]",                                                        \
		  "a device of the host",                                                          \
		  OPT_LIST,                                                                        \
		  &security_args.devices },                                                        \
		{ 0, "pid", "host", "see the host's processes", OPT_TEXT, &security_args.pid },    \
		{ 0, "uts", "host", "have the host's name", OPT_TEXT, &security_args.uts },        \
	{                                                                                          \
		0, "ipc", "host|private", "share the host's System V IPC", OPT_TEXT,               \
			&security_args.ipc                                                         \
	}
/* clang-format on */

int security_collect(struct csn_security *ret, struct csn_error *err);
/* Texts live as long as the arena. */
int devices_collect(struct arena *arena, struct csn_container_options *o, struct csn_error *err);

#endif
