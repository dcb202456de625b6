/* csn pull: an image of a registry. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "bin/engine/remote.h"

static const char *policy = "always", *platform;

static const struct opt options[] = {
	{ 0, "policy", "POLICY", "always (the default), newer, if-not-present or never", OPT_TEXT,
	  &policy },
	{ 0, "platform", "OS/ARCH[/VARIANT]", "take the image for this platform", OPT_TEXT,
	  &platform },
	TRANSFER_OPTIONS,
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int print_result(const struct csn_images *images, bool json)
{
	struct json_out o = JSON_OUT_COMPACT;
	const struct csn_image_info *i =
		csn_images_count(images) ? csn_images_get(images, 0) : NULL;

	if (!i)
		return 0;
	if (remote_args.quiet) {
		puts(i->id);
		return 0;
	}
	if (!json) {
		printf("%s\nDigest: %s\n", print_reference(i->reference), i->digest);
		return 0;
	}
	json_open_object(&o, NULL);
	json_put_string(&o, "type", "result");
	json_put_string(&o, "reference", i->reference);
	json_put_string(&o, "digest", i->digest);
	json_put_string(&o, "id", i->id);
	json_close_object(&o);
	return print_json(&o);
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_image_pull_options o = CSN_IMAGE_PULL_OPTIONS_INIT;
	struct csn_registry_options registry AUTO(remote_options_done) = CSN_REGISTRY_OPTIONS_INIT;
	struct csn_images *images = NULL;
	struct bars bars;

	(void)argc;
	if (csn_pull_policy_parse(policy, &o.policy, &err) < 0 ||
	    remote_options(&registry, &err) < 0 || bars_open(&bars, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	o.platform = platform;
	o.registry = &registry;
	o.progress = bars_progress;
	o.progress_data = &bars;
	bool json = bars.kind == PROGRESS_JSON;
	int r = csn_image_pull(rt, argv[0], &o, &images, &err);
	bars_close(&bars);
	if (r < 0)
		return engine_fail(&err, STATUS_FAILED);
	int status = print_result(images, json);
	csn_images_free(images);
	return status;
}

const struct command command_pull = { "pull",	   "IMAGE", "fetch an image from a registry", 1, 1,
				      get_options, run };
