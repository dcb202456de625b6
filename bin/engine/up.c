/*
 * csn up: a deployment as its file says. Whatever is so already stays; a container whose service or
 * image has changed is made anew. Services come one after the other, each once those that it
 * depends on are as it asks. Killed half-way, the next run goes on.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "bin/engine/deploy.h"

static const char *file = "deployment.yaml", *secrets_file;
static int wait_timeout = 300;
static bool wait_healthy, remove_orphans;

static const struct opt options[] = {
	{ 'f', "file", "FILE", "the deployment (deployment.yaml); -: standard input", OPT_TEXT,
	  &file },
	{ 0, "wait", NULL, "return when all services are healthy", OPT_FLAG, &wait_healthy },
	{ 0, "wait-timeout", "SECONDS", "for how long at most, each of them (300)", OPT_INT,
	  &wait_timeout },
	{ 0, "secrets-file", "FILE", "what $S: stands for: an object of names and values", OPT_TEXT,
	  &secrets_file },
	{ 0, "remove-orphans", NULL, "remove containers of services that it does not have any more",
	  OPT_FLAG, &remove_orphans },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

struct up {
	struct csn_rt *rt;
	struct csn_runtime *engine;
	struct csn_deployment *d;
	struct deployed_list list; /* as it was at the beginning */
	struct csn_images *images;
};

static void up_done(struct up *u)
{
	csn_images_free(u->images);
	deployed_done(&u->list);
	csn_deployment_free(u->d);
}

/* ---- before anything is made ------------------------------------------------------------------
 */

static int check_service(const struct csn_service_info *s, struct csn_error *err)
{
	if (s->has_groups)
		return fail(err, ENOTSUP,
			    "services.%s.replica_groups: they are for an agent, not for csn",
			    s->name);
	if (s->kind == CSN_SERVICE_CRON)
		fprintf(stderr, "csn: service \"%s\" is left out: its schedule is for an agent\n",
			s->name);
	return 0;
}

/* A name can be taken by another deployment only once. */
static int check_owners(const struct up *u, struct csn_error *err)
{
	const char *name = csn_deployment_name(u->d);
	for (size_t i = 0; i < u->list.count; i++) {
		const struct deployed *c = &u->list.items[i];
		if (strcmp(c->deployment, name) == 0 || !deploy_find(u->d, c->service))
			continue;
		if (!c->deployment[0])
			return fail(err, EEXIST, "container \"%s\" is there and of no deployment",
				    c->name);
		return fail(err, EEXIST, "container \"%s\" is of deployment \"%s\"", c->name,
			    c->deployment);
	}
	return 0;
}

/* ---- networks and images ----------------------------------------------------------------------
 */

static bool network_exists(struct csn_runtime *rt, const char *name)
{
	auto_mem char *text = NULL;
	return csn_network_inspect(rt, name, &text, NULL) == 0;
}

static int ensure_network(struct up *u, const char *name, struct csn_error *err)
{
	struct csn_network_options o = CSN_NETWORK_OPTIONS_INIT;
	char label[200];
	const char *const labels[] = { label, NULL };
	if (network_exists(u->engine, name))
		return 0;
	(void)snprintf(label, sizeof label, CSN_LABEL_DEPLOYMENT "=%s", csn_deployment_name(u->d));
	o.name = name;
	o.labels = labels;
	TRY(csn_network_create(u->engine, &o, err));
	printf("network %s: created\n", name);
	return 0;
}

/* Services that name no network are in one of the deployment's own, where they know each other by
 * name. */
static int ensure_networks(struct up *u, struct csn_error *err)
{
	bool own = false;
	for (size_t i = 0; i < csn_deployment_count(u->d); i++) {
		const struct csn_service_info *s = csn_service_info(csn_deployment_get(u->d, i));
		if (s->network && s->replicas)
			TRY(ensure_network(u, s->network, err));
		own |= s->default_network && s->replicas;
	}
	if (own)
		TRY(ensure_network(u, csn_deployment_name(u->d), err));
	return deploy_configure(u->rt, csn_deployment_name(u->d), secrets_file, err);
}

static int pull_images(struct up *u, struct csn_error *err)
{
	for (size_t i = 0; i < csn_deployment_count(u->d); i++) {
		const struct csn_service_info *s = csn_service_info(csn_deployment_get(u->d, i));
		int r = s->replicas ? deploy_pull(u->rt, s, err) : 0;
		if (r < 0)
			return within(err, r, "service \"%s\"", s->name);
	}
	return csn_image_list(u->engine, &u->images, err);
}

/* ---- containers -------------------------------------------------------------------------------
 */

/* The name stands for the image that the container was made of. */
static bool same_image(const struct up *u, const struct deployed *c)
{
	for (size_t i = 0; i < csn_images_count(u->images); i++) {
		const struct csn_image_info *image = csn_images_get(u->images, i);
		if (strcmp(image->reference, c->image) == 0)
			return strcmp(image->digest, c->image_digest) == 0;
	}
	return true; /* its name is gone: nothing newer is known */
}

static bool is_done(const struct csn_service_info *s, const struct deployed *c)
{
	if (c->state == CSN_STATE_RUNNING || c->state == CSN_STATE_INITIALIZING)
		return true;
	return s->kind == CSN_SERVICE_JOB && c->state == CSN_STATE_EXITED && c->exit_code == 0;
}

static int start(struct up *u, const struct csn_container_id *id, const char *name,
		 const char *what, struct csn_error *err)
{
	TRY(csn_rt_start_container(u->rt, id, err));
	printf("%s: %s\n", name, what);
	return 0;
}

static int bring_replica(struct up *u, const struct csn_service *service, uint32_t replica,
			 struct csn_error *err)
{
	const struct csn_service_info *s = csn_service_info(service);
	struct csn_container_id id;
	char name[CSN_CONTAINER_ID_TEXT];
	TRY(csn_container_id_make(s->name, replica, &id, err));
	TRY(csn_container_id_format(&id, name, err));
	const struct deployed *c = deployed_find(&u->list, name);
	bool same = c && strcmp(c->digest, s->digest) == 0 && same_image(u, c);
	if (same && is_done(s, c)) {
		printf("%s: %s\n", name, c->state == CSN_STATE_EXITED ? "done" : "running");
		return 0;
	}
	if (same)
		return start(u, &id, name, "started again", err);
	/* Not the five seconds that leftovers get. */
	if (c && c->state == CSN_STATE_RUNNING)
		TRY(csn_container_stop(u->engine, name, -1, err));
	TRY(csn_rt_create_container(u->rt, &id, service, err));
	return start(u, &id, name, c ? "made anew" : "started", err);
}

/* Replicas that are too many, and with service NULL what is of no service of the file. */
static int remove_surplus(struct up *u, const struct csn_service_info *service,
			  struct csn_error *err)
{
	auto_mem const struct deployed **chosen = calloc(u->list.count + 1, sizeof *chosen);
	size_t count = 0;
	if (!chosen)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < u->list.count; i++) {
		const struct deployed *c = &u->list.items[i];
		if (strcmp(c->deployment, csn_deployment_name(u->d)) != 0)
			continue;
		if (service ? strcmp(c->service, service->name) == 0 &&
				      c->replica > service->replicas
			    : !deploy_find(u->d, c->service))
			chosen[count++] = c;
	}
	if (!service && !remove_orphans) {
		for (size_t i = 0; i < count; i++)
			fprintf(stderr,
				"csn: container \"%s\" is of no service any more "
				"(--remove-orphans)\n",
				chosen[i]->name);
		return 0;
	}
	return down_remove(u->rt, chosen, count, -1, err);
}

/* ---- dependencies -----------------------------------------------------------------------------
 */

static const char *const conditions[] = { [CSN_CONDITION_STARTED] = "started",
					  [CSN_CONDITION_HEALTHY] = "healthy",
					  [CSN_CONDITION_READY] = "ready" };

static int await_dependency(struct up *u, const struct csn_service_info *s,
			    const struct csn_dependency *on, struct csn_error *err)
{
	const struct csn_service_info *other = csn_service_info(deploy_find(u->d, on->service));
	if (other->kind == CSN_SERVICE_CRON)
		return 0;
	int r = up_wait(u->engine, other, on->condition, on->timeout_ms, err);
	if (r < 0)
		r = within(err, r, "service \"%s\" depends on \"%s\"", s->name, on->service);
	if (r == 0)
		r = fail(err, ETIMEDOUT, "service \"%s\": \"%s\" was not %s within %" PRId64 " ms",
			 s->name, on->service, conditions[on->condition], on->timeout_ms);
	if (r > 0 || on->on_timeout == CSN_ON_TIMEOUT_CONTINUE)
		return 0;
	if (on->on_timeout == CSN_ON_TIMEOUT_WARN) {
		(void)engine_fail(err, 0);
		return 0;
	}
	return r;
}

static int bring_service(struct up *u, const struct csn_service *service, struct csn_error *err)
{
	const struct csn_service_info *s = csn_service_info(service);
	if (s->kind == CSN_SERVICE_CRON)
		return 0;
	for (size_t i = 0; i < s->dependencies_count && s->replicas; i++)
		TRY(await_dependency(u, s, &s->dependencies[i], err));
	TRY(remove_surplus(u, s, err));
	for (uint32_t replica = 1; replica <= s->replicas; replica++)
		TRY(bring_replica(u, service, replica, err));
	return 0;
}

static int await_all(struct up *u, struct csn_error *err)
{
	for (size_t i = 0; i < csn_deployment_count(u->d); i++) {
		const struct csn_service_info *s = csn_service_info(csn_deployment_get(u->d, i));
		if (s->kind == CSN_SERVICE_CRON)
			continue;
		int r = up_wait(u->engine, s, CSN_CONDITION_HEALTHY, wait_timeout * 1000LL, err);
		TRY(r);
		if (r == 0)
			return fail(err, ETIMEDOUT, "service \"%s\" was not healthy within %d s",
				    s->name, wait_timeout);
	}
	return 0;
}

/* ---- the command ------------------------------------------------------------------------------
 */

static int bring_up(struct up *u, struct csn_error *err)
{
	TRY(deploy_read(file, &u->d, err));
	for (size_t i = 0; i < csn_deployment_count(u->d); i++)
		TRY(check_service(csn_service_info(csn_deployment_get(u->d, i)), err));
	TRY(deployed_list(u->engine, &u->list, err));
	TRY(check_owners(u, err));
	TRY(pull_images(u, err));
	TRY(ensure_networks(u, err));
	for (size_t i = 0; i < csn_deployment_count(u->d); i++)
		TRY(bring_service(u, csn_deployment_get(u->d, i), err));
	TRY(remove_surplus(u, NULL, err));
	return wait_healthy ? await_all(u, err) : 0;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct up u AUTO(up_done) = { 0 };
	(void)argc;
	(void)argv;
	if (wait_timeout < 0 || wait_timeout > 2000000)
		return engine_fail_text(STATUS_FAILED, "--wait-timeout: expected 0 to 2000000");
	/* In order with what is told on standard error. */
	setlinebuf(stdout);
	u.rt = engine_rt();
	if (!u.rt)
		return STATUS_FAILED;
	u.engine = csn_rt_engine(u.rt);
	return bring_up(&u, &err) < 0 ? engine_fail(&err, STATUS_FAILED) : 0;
}

const struct command command_up = { "up", "", "bring a deployment up, as its file says",
				    0,	  0,  get_options,
				    run };
