/* Parts of the native runtime. Inside lib/agent. */
#ifndef CSN_AGENT_NATIVE_H
#define CSN_AGENT_NATIVE_H

#include "agent/agent.h"

/* What a service asks for, as options of an engine container of that name. All texts are the
 * service's or in the arena (native_options.c). */
int service_options(const struct csn_service *service, const char *name,
		    struct csn_container_options *ret, struct arena *arena, struct csn_error *err);

/* A stream over an exec's connection, which it owns, even on failure (native_exec.c). */
int exec_stream_of_attach(struct csn_attach *attach, struct csn_exec_stream **ret,
			  struct csn_error *err);
/* All of a stream. -ETIMEDOUT. */
int exec_stream_collect(struct csn_exec_stream *stream, int timeout_ms, struct csn_exec_result *ret,
			struct csn_error *err);

#endif
