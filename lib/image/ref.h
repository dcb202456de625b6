/*
 * Image references: [domain[:port]/]path[:tag][@digest], normalised as docker and podman do it:
 * "debian" is docker.io/library/debian:latest.
 */
#ifndef CSN_IMAGE_REF_H
#define CSN_IMAGE_REF_H

#include "caisson.h"
#include "image/digest.h"

#define REF_NAME_MAX 255 /* domain and path together */
#define REF_TAG_MAX  128
#define REF_TEXT_MAX (REF_NAME_MAX + 1 + REF_TAG_MAX + 1 + DIGEST_TEXT_MAX)

struct image_ref {
	char domain[REF_NAME_MAX + 1]; /* "docker.io", "[::1]:5000" */
	char path[REF_NAME_MAX + 1];   /* "library/debian" */
	char tag[REF_TAG_MAX + 1];     /* "" only with a digest */
	char digest[DIGEST_TEXT_MAX];  /* "" or a valid digest: it wins over the tag */
};

/* -EINVAL: "image name 'X': …". */
int ref_parse(const char *text, struct image_ref *ret, struct csn_error *err);
/* domain/path[:tag][@digest] */
void ref_format(const struct image_ref *ref, char ret[REF_TEXT_MAX]);
/* Parses and formats: the whole normalised reference. */
int ref_normalise(const char *text, char ret[REF_TEXT_MAX], struct csn_error *err);

#endif
