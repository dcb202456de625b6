/* Details and history of an image, from the engine's document about it. Inside lib/agent. */
#ifndef CSN_AGENT_IMAGE_DETAILS_H
#define CSN_AGENT_IMAGE_DETAILS_H

#include "agent/agent.h"

/* What csn_rt_inspect_image_native gives out, with the memory behind it. */
struct image_details {
	struct csn_image_details is;
	struct arena arena;
};
struct image_details *image_details_new(void);

/* json: of csn_image_inspect. all: the images that there are, for the names. */
int image_details_of(const char *json, const struct csn_images *all, struct csn_image_details **ret,
		     struct csn_error *err);
int image_history_of(const char *json, const struct csn_images *all, struct csn_image_history **ret,
		     struct csn_error *err);

#endif
