/*
 * csn down: what csn up has made goes. Containers are those with the deployment's label, whatever
 * its file says today; dependants go before what they depend on. Volumes hold data: they stay
 * unless told.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "bin/engine/deploy.h"
#include "caisson-volume.h"

/* ---- containers -------------------------------------------------------------------------------
 */

struct removal {
	struct csn_rt *rt;
	const struct deployed *container;
	int timeout_s, result;
	struct csn_error err;
};

static void *remove_one(void *data)
{
	struct removal *r = data;
	struct csn_runtime *engine = csn_rt_engine(r->rt);
	int timeout_ms = r->timeout_s < 0 ? -1 : r->timeout_s * 1000;
	r->result = csn_container_stop(engine, r->container->name, timeout_ms, &r->err);
	if (r->result == 0)
		r->result = csn_container_remove(engine, r->container->name, true, &r->err);
	if (r->result == -ENOENT)
		r->result = 0;
	return NULL;
}

int down_remove(struct csn_rt *rt, const struct deployed *const *containers, size_t count,
		int timeout_s, struct csn_error *err)
{
	auto_mem struct removal *removals = calloc(count, sizeof *removals);
	auto_mem pthread_t *threads = calloc(count, sizeof *threads);
	size_t started = 0;
	int result = 0;
	if (count && (!removals || !threads))
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		removals[i] = (struct removal){ .rt = rt,
						.container = containers[i],
						.timeout_s = timeout_s };
	while (started < count &&
	       pthread_create(&threads[started], NULL, remove_one, &removals[started]) == 0)
		started++;
	for (size_t i = started; i < count; i++)
		(void)remove_one(&removals[i]);
	for (size_t i = 0; i < count; i++) {
		if (i < started)
			(void)pthread_join(threads[i], NULL);
		if (removals[i].result < 0) {
			*err = removals[i].err;
			result = removals[i].result;
		} else {
			printf("%s: removed\n", containers[i]->name);
		}
	}
	return result;
}

/* Those of one service, or with NULL of all that the file does not name. */
static int remove_service(struct csn_rt *rt, const struct csn_deployment *d,
			  const struct deployed_list *list, const char *service, int timeout_s,
			  struct csn_error *err)
{
	auto_mem const struct deployed **chosen = calloc(list->count + 1, sizeof *chosen);
	size_t count = 0;
	if (!chosen)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < list->count; i++) {
		const struct deployed *c = &list->items[i];
		if (strcmp(c->deployment, csn_deployment_name(d)) != 0)
			continue;
		if (service ? strcmp(c->service, service) == 0 : !deploy_find(d, c->service))
			chosen[count++] = c;
	}
	return down_remove(rt, chosen, count, timeout_s, err);
}

static int remove_containers(struct csn_rt *rt, const struct csn_deployment *d, int timeout_s,
			     struct csn_error *err)
{
	struct deployed_list list AUTO(deployed_done) = { 0 };
	TRY(deployed_list(csn_rt_engine(rt), &list, err));
	TRY(remove_service(rt, d, &list, NULL, timeout_s, err));
	for (size_t i = csn_deployment_count(d); i-- > 0;) {
		const struct csn_service_info *s = csn_service_info(csn_deployment_get(d, i));
		TRY(remove_service(rt, d, &list, s->name, timeout_s, err));
	}
	return 0;
}

/* ---- networks and volumes ---------------------------------------------------------------------
 */

struct label {
	char *key, *value;
};
struct network_labels {
	struct {
		struct label *items;
		size_t count;
		bool set;
	} labels;
};
static const struct json_field network_fields[] = {
	FIELD("labels", decode_map, struct network_labels, labels),
	FIELDS_END,
};

static int is_ours(struct csn_runtime *rt, const char *network, const char *deployment,
		   struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct network_labels n = { 0 };
	auto_mem char *text = NULL;
	if (csn_network_inspect(rt, network, &text, NULL) < 0)
		return 0;
	TRY(json_decode(text, strlen(text), network, network_fields, &n, &arena, err));
	for (size_t i = 0; i < n.labels.count; i++)
		if (strcmp(n.labels.items[i].key, CSN_LABEL_DEPLOYMENT) == 0)
			return strcmp(n.labels.items[i].value, deployment) == 0;
	return 0;
}

static int remove_networks(struct csn_runtime *rt, const char *deployment, struct csn_error *err)
{
	struct csn_networks *list = NULL;
	TRY(csn_network_list(rt, &list, err));
	int r = 0;
	for (size_t i = 0; r >= 0 && i < csn_networks_count(list); i++) {
		const char *name = csn_networks_get(list, i)->name;
		r = is_ours(rt, name, deployment, err);
		if (r <= 0)
			continue;
		r = csn_network_remove(rt, name, err);
		if (r == 0)
			printf("network %s: removed\n", name);
	}
	csn_networks_free(list);
	return r < 0 ? r : 0;
}

/* Several services may name the same one. */
static int remove_volumes(struct csn_runtime *rt, const struct csn_deployment *d,
			  struct csn_error *err)
{
	for (size_t i = 0; i < csn_deployment_count(d); i++) {
		const struct csn_service_info *s = csn_service_info(csn_deployment_get(d, i));
		for (const char *const *volume = s->volumes; *volume; volume++) {
			int r = csn_volume_remove(rt, *volume, err);
			if (r == -ENOENT)
				continue;
			TRY(r);
			printf("volume %s: removed\n", *volume);
		}
	}
	return 0;
}

/* ---- the command ------------------------------------------------------------------------------
 */

static const char *file = "deployment.yaml";
static int timeout = -1;
static bool volumes;

static const struct opt options[] = {
	{ 'f', "file", "FILE", "the deployment (deployment.yaml); -: standard input", OPT_TEXT,
	  &file },
	{ 't', "time", "SECONDS", "how long to wait before killing (each container's own)", OPT_INT,
	  &timeout },
	{ 'v', "volumes", NULL, "remove the volumes that its services name, too", OPT_FLAG,
	  &volumes },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_deployment *d AUTO(deploy_free)
	= NULL;
	(void)argc;
	(void)argv;
	if (timeout > 2000000)
		return engine_fail_text(STATUS_FAILED, "--time: expected at most 2000000");
	struct csn_rt *rt = engine_rt();
	if (!rt)
		return STATUS_FAILED;
	if (deploy_read(file, &d, &err) < 0 || remove_containers(rt, d, timeout, &err) < 0 ||
	    remove_networks(csn_rt_engine(rt), csn_deployment_name(d), &err) < 0 ||
	    (volumes && remove_volumes(csn_rt_engine(rt), d, &err) < 0))
		return engine_fail(&err, STATUS_FAILED);
	return 0;
}

const struct command command_down = { "down",	   "", "stop and remove a deployment", 0, 0,
				      get_options, run };
