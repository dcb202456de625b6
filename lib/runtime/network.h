/*
 * A container's networks: from the options to containers/<id>/network.json at create, from there to
 * addresses and files at start. Between lib/runtime's containers and netns/, whose owners they are.
 *
 *	<root>/networks/	definitions
 *	<run-root>/network/	who has which address (netns/network.h)
 */
#ifndef CSN_RUNTIME_NETWORK_H
#define CSN_RUNTIME_NETWORK_H

#include "base/json.h"
#include "caisson-network.h"
#include "netns/network.h"
#include "runtime/runtime.h"

enum network_mode {
	MODE_NONE,
	MODE_HOST,
	MODE_NETWORKS,	/* joins */
	MODE_CONTAINER, /* target: an id */
	MODE_NAMESPACE, /* target: a path */
	MODES
};

struct run_join {
	char *network, *ip, *ip6, *mac; /* addresses NULL: any */
	struct spec_strings aliases;
};
struct run_port {
	char *protocol, *host_ip; /* NULL: every address */
	uint32_t host_port;	  /* 0: one that is free */
	uint32_t container_port;
};

/* network.json. Everything in an arena. */
struct run_network {
	enum network_mode mode;
	char *target, *hostname;
	struct {
		struct run_join *items;
		size_t count;
	} joins;
	struct {
		struct run_port *items;
		size_t count;
	} ports;
};
/* A container without the file has no network (or the host's, which its config says). */
int run_network_read(int container_dir, struct run_network *ret, struct arena *arena,
		     struct csn_error *err);
int run_network_text(const struct run_network *n, char **ret, size_t *ret_size,
		     struct csn_error *err);

/* The network layer, opened for one operation. */
struct engine_net {
	struct net net;
	int definitions, run;
};
#define ENGINE_NET_INIT                                                                            \
	{                                                                                          \
		.net = NET_INIT, .definitions = -1, .run = -1                                      \
	}
int engine_net_open(struct csn_runtime *rt, struct engine_net *ret, struct csn_error *err);
void engine_net_close(struct engine_net *n);

/* Options to what network.json holds, checked; networks are there. *ret_text is what a person sees
 * as the network of the container. */
int run_network_decide(struct csn_runtime *rt, const struct csn_container_options *o,
		       const struct image_config *image, const char *hostname,
		       struct run_network *ret, const char **ret_text, struct arena *arena,
		       struct csn_error *err);
/* One join, checked; its network is there. */
int run_join_decide(struct engine_net *en, const struct csn_network_join *j, struct run_join *ret,
		    struct arena *arena, struct csn_error *err);

/* The files that are bound over /etc: texts in the arena; resolv_conf NULL: none. */
struct network_files {
	char *hosts, *resolv_conf;
	const char *shared; /* id of the container whose files serve; NULL: its own */
};
int network_files_make(struct csn_runtime *rt, const struct csn_container_options *o,
		       const struct run_network *n, struct network_files *ret, struct arena *arena,
		       struct csn_error *err);

/* The namespace that the container is to join, attached: an fd; -1: its config has all that is to
 * be said. *ret_detach: network_end() is due when the start fails. */
int network_begin(struct csn_runtime *rt, const struct container *c, const struct run_network *n,
		  const char *name, int *ret_fd, struct csn_error *err);
/* The last of its joins, in a container that runs. */
int network_join_running(struct csn_runtime *rt, const struct container *c,
			 const struct run_network *n, pid_t pid, struct csn_error *err);
/* Out of one, of which n says nothing any more. */
int network_leave_running(struct csn_runtime *rt, const struct container *c,
			  const struct run_network *n, const char *network, pid_t pid,
			  struct csn_error *err);
/* Its lease in a network: false when it has none. */
bool network_lease(struct engine_net *en, const char *network, const char *id,
		   struct net_lease *ret);
/* Takes back what the container has; absent is fine. */
/* network_begin, and its namespace over a socket to the monitor. */
int network_give(struct csn_runtime *rt, const struct container *c, const struct run_network *n,
		 int sock, struct csn_error *err);
int network_end(struct csn_runtime *rt, const char *id, struct csn_error *err);
/* Ports of all containers (published.c). */
struct published_port;
struct published {
	struct arena *arena;
	struct published_port *items;
	size_t count, capacity;
};
/* -ENOMEM; what cannot be read is nobody's. */
int published_read(struct csn_runtime *rt, struct arena *arena, struct published *ret);
void published_free(struct published *l);
/* Those of one, in the arena. -ENOMEM. */
int published_of(const struct published *l, const char *id, const struct csn_port **ret,
		 size_t *ret_count);
/* Names, addresses and ports, as members of an open object. */
void network_put(struct csn_runtime *rt, const struct container *c, struct json_out *o);

#endif
