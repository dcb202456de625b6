/* csn create: a container that start can start; of an image, or of a service. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "bin/engine/deploy.h"
#include "bin/engine/health.h"
#include "bin/engine/mounts.h"
#include "bin/engine/security.h"

static const char *spec, *service, *secrets_file;
static int replica = 1;

static const struct opt options[] = {
	MAKE_OPTIONS,
	SECURITY_OPTIONS,
	HEALTH_OPTIONS,
	NETWORK_OPTIONS,
	MOUNT_OPTIONS,
	{ 0, "spec", "FILE", "a deployment; the container is one of its --service", OPT_TEXT,
	  &spec },
	{ 0, "service", "NAME", "the service, with --spec", OPT_TEXT, &service },
	{ 0, "secrets-file", "FILE", "what $S: stands for in its env, with --spec", OPT_TEXT,
	  &secrets_file },
	{ 0, "replica", "NUMBER", "which replica of the service (1)", OPT_INT, &replica },
	{ 0 },
};

/* ---- of a service -----------------------------------------------------------------------------
 */

/* What the options above set, each as a number, before anything was parsed. */
static intptr_t before[COUNT(options)];

static intptr_t value_of(const struct opt *o)
{
	switch (o->kind) {
	case OPT_FLAG:
		return *(const bool *)o->target;
	case OPT_TEXT:
		return (intptr_t) * (const char *const *)o->target;
	case OPT_INT:
		return *(const int *)o->target;
	case OPT_LIST:
		return (intptr_t)((const struct opt_list *)o->target)->count;
	case OPT_IGNORED:
	case OPT_IGNORED_FLAG:
		break;
	}
	return 0;
}

static bool is_of_service(const struct opt *o)
{
	return o->target == &spec || o->target == &service || o->target == &replica ||
	       o->target == &secrets_file;
}

static int of_service(struct csn_error *err)
{
	struct csn_deployment *d AUTO(deploy_free)
	= NULL;
	struct csn_container_id id;
	char name[CSN_CONTAINER_ID_TEXT], hex[CSN_ID_SIZE];
	struct csn_rt *rt = engine_rt();

	TRY(deploy_read(spec, &d, err));
	const struct csn_service *s = deploy_find(d, service);
	if (!s)
		return fail(err, ENOENT, "%s: it has no service \"%s\"", spec, service);
	TRY(csn_container_id_make(service, (uint32_t)replica, &id, err));
	TRY(csn_container_id_format(&id, name, err));
	TRY(deploy_configure(rt, csn_deployment_name(d), secrets_file, err));
	TRY(deploy_pull(rt, csn_service_info(s), err));
	TRY(csn_rt_create_container(rt, &id, s, err));
	TRY(csn_container_resolve(csn_rt_engine(rt), name, hex, err));
	puts(hex);
	return 0;
}

static int check_of_service(int argc, struct csn_error *err)
{
	if (!service)
		return fail(err, EINVAL, "--spec: --service is missing");
	if (replica < 0)
		return fail(err, EINVAL, "--replica: expected 0 or more, not %d", replica);
	bool more = argc > 0;
	for (size_t i = 0; options[i].name; i++)
		more |= !is_of_service(&options[i]) && value_of(&options[i]) != before[i];
	if (more)
		return fail(err, EINVAL,
			    "--spec: the service says it all; nothing else can be given with it");
	return 0;
}

/* ---- of an image ------------------------------------------------------------------------------
 */

static int of_image(int argc, char **argv, struct csn_error *err)
{
	char id[CSN_ID_SIZE];
	if (service)
		return fail(err, EINVAL, "--service: only together with --spec");
	if (argc < 1)
		return fail(err, EINVAL, "an image is missing, or --spec");
	TRY(make_container(argc, argv, id, err));
	puts(id);
	return 0;
}

/* ---- the command ------------------------------------------------------------------------------
 */

/* Asked for before anything is parsed. */
static const struct opt *get_options(void)
{
	for (size_t i = 0; options[i].name; i++)
		before[i] = value_of(&options[i]);
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	int r;

	if (spec && check_of_service(argc, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	if (spec ? !engine_rt() : !engine_runtime())
		return STATUS_FAILED;
	r = spec ? of_service(&err) : of_image(argc, argv, &err);
	return r < 0 ? engine_fail(&err, STATUS_FAILED) : 0;
}

const struct command command_create = { "create",
					"[IMAGE [COMMAND [ARGUMENT…]]]",
					"make a container without starting it",
					0,
					-1,
					get_options,
					run };
