/* Which of several images to take: the one that fits the platform best. */
#ifndef CSN_IMAGE_CHOOSE_H
#define CSN_IMAGE_CHOOSE_H

#include "image/manifest.h"

struct chooser {
	const struct platform *platform;
	/* Reads a nested index, verified. */
	int (*read)(void *data, const struct descriptor *d, struct document *ret,
		    struct csn_error *err);
	void *data;
};

/* What has been found so far; begins as zeros. */
struct choice {
	struct descriptor manifest;
	int rank;	/* 0: nothing fits */
	size_t equals;	/* others of the same rank */
	char seen[160]; /* platforms that were not right, for the error */
};

/* Attestations and what is no image are passed over; of equals the first is taken. */
int choose_consider(const struct chooser *c, const struct descriptor *d, struct choice *best,
		    struct csn_error *err);

#endif
