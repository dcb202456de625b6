/* Parts of the native runtime. Inside lib/agent. */
#ifndef CSN_AGENT_NATIVE_H
#define CSN_AGENT_NATIVE_H

#include "agent/agent.h"

/* What a service asks for, as options of an engine container of that name. All texts are the
 * service's or in the arena (native_options.c). */
int service_options(const struct csn_service *service, const char *name,
		    struct csn_container_options *ret, struct arena *arena, struct csn_error *err);

/* Of a service on the host's network (native_port.c): one that is free; 0: it is on another network
 * or says a PORT itself. What its program and a later host_port_read() learn it from; NULL without
 * memory. */
struct service_spec;
int host_port_choose(const struct service_spec *s, uint16_t *ret, struct csn_error *err);
const char *host_port_env(uint16_t port, struct arena *arena);
const char *host_port_label(uint16_t port, struct arena *arena);
int host_port_read(struct csn_runtime *engine, const char *container, uint16_t *ret,
		   struct csn_error *err);
/* Its health as the engine's check; NULL: it says nothing, and the image's stands
 * (native_health.c). */
int service_healthcheck(const struct service_spec *s, const struct csn_healthcheck **ret,
			struct arena *arena, struct csn_error *err);

/* A stream over an exec's connection, which it owns, even on failure (native_exec.c). */
int exec_stream_of_attach(struct csn_attach *attach, struct csn_exec_stream **ret,
			  struct csn_error *err);
/* All of a stream. -ETIMEDOUT. */
int exec_stream_collect(struct csn_exec_stream *stream, int timeout_ms, struct csn_exec_result *ret,
			struct csn_error *err);

#endif
