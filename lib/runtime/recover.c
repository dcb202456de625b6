/*
 * After a crash: containers whose end nobody recorded, what half-made ones left, and the addresses,
 * ports and links of those that are gone. Safe at any time: what runs, or is being started, is left
 * alone.
 */
#include <errno.h>
#include <sys/file.h>

#include "base/error.h"
#include "runtime/network.h"
#include "runtime/volumes.h"

struct recovering {
	struct csn_runtime *rt;
	struct csn_recovered done;
};

/* Whoever holds the lock is at work on it. */
static int settle(void *data, const char *id)
{
	struct recovering *g = data;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	if (container_open(g->rt, id, &c, NULL) < 0)
		return 0;
	auto_fd lock = lock_dir(c.dir, LOCK_EX | LOCK_NB, NULL);
	if (lock < 0)
		return 0;
	facts_read(g->rt, &c, true, &f);
	if (facts_running(&f) || f.monitor_fd >= 0)
		return 0;
	if (f.lost || f.has_record) {
		g->done.containers += f.lost;
		(void)facts_settle(g->rt, &c, &f, NULL);
	}
	return 0;
}

/* The owners of leases are containers. */
static bool is_alive(void *data, const char *owner)
{
	struct recovering *g = data;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	if (!id_is_valid(owner) || container_open(g->rt, owner, &c, NULL) < 0)
		return false;
	facts_read(g->rt, &c, false, &f);
	return facts_running(&f) || f.state == CSN_STATE_INITIALIZING || f.monitor_fd >= 0;
}

int csn_recover(struct csn_runtime *rt, struct csn_recovered *ret, struct csn_error *err)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct recovering g = { .rt = rt, .done = CSN_RECOVERED_INIT };
	struct net_recovered net;
	TRY(container_each(rt, settle, &g, err));
	unfinished_sweep(rt);
	TRY(volumes_settle(rt, err));
	TRY(engine_net_open(rt, &en, err));
	TRY(net_recover(&en.net, is_alive, &g, &net, err));
	g.done.leases = net.owners + net.leases;
	g.done.ports = net.ports;
	g.done.links = net.links;
	g.done.rules = net.rules;
	if (ret)
		give_struct(ret, &g.done, sizeof g.done);
	return 0;
}
