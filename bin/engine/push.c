/* csn push: an image to a registry. */
#include <stdio.h>

#include "base/cleanup.h"
#include "bin/engine/remote.h"

static const struct opt options[] = { TRANSFER_OPTIONS, { 0 } };

static const struct opt *get_options(void)
{
	return options;
}

static int print_result(const struct csn_images *images, bool json)
{
	struct json_out o = JSON_OUT_COMPACT;

	if (!csn_images_count(images))
		return 0;
	const struct csn_image_info *i = csn_images_get(images, 0);
	if (!json) {
		if (remote_args.quiet)
			puts(i->digest);
		else
			printf("%s\nDigest: %s\n", i->reference, i->digest);
		return 0;
	}
	json_open_object(&o, NULL);
	json_put_string(&o, "type", "result");
	json_put_string(&o, "reference", i->reference);
	json_put_string(&o, "digest", i->digest);
	json_close_object(&o);
	return print_json(&o);
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_image_push_options o = CSN_IMAGE_PUSH_OPTIONS_INIT;
	struct csn_registry_options registry AUTO(remote_options_done) = CSN_REGISTRY_OPTIONS_INIT;
	struct csn_images *images = NULL;
	struct bars bars;

	if (remote_options(&registry, &err) < 0 || bars_open(&bars, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	o.destination = argc > 1 ? argv[1] : NULL;
	o.registry = &registry;
	o.progress = bars_progress;
	o.progress_data = &bars;
	bool json = bars.kind == PROGRESS_JSON;
	int r = csn_image_push(rt, argv[0], &o, &images, &err);
	bars_close(&bars);
	if (r < 0)
		return engine_fail(&err, STATUS_FAILED);
	int status = print_result(images, json);
	csn_images_free(images);
	return status;
}

const struct command command_push = {
	"push", "IMAGE [DESTINATION]", "send an image to a registry", 1, 2, get_options, run
};
