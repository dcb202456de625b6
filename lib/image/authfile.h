/*
 * Where credentials are kept: docker's config.json and containers' auth.json, and the helper
 * programs that they name.
 */
#ifndef CSN_IMAGE_AUTHFILE_H
#define CSN_IMAGE_AUTHFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "caisson.h"

struct credentials {
	char *username, *password;
	char *identity_token; /* for a token server, instead of both */
};
void credentials_done(struct credentials *c); /* wipes them */
/* Both malloc'd copies of texts that may be NULL. */
int credentials_copy(const struct credentials *from, struct credentials *ret,
		     struct csn_error *err);

/*
 * For a registry ("docker.io") and a repository there. file: look there only; NULL:
 * $REGISTRY_AUTH_FILE only, else all the usual places. 1: *ret is filled; 0: there are none.
 * A file that cannot be understood is an error, one that is missing is not.
 */
int credentials_find(const char *file, const char *registry, const char *repository,
		     struct credentials *ret, struct csn_error *err);
/* The same in the text of one file. */
int credentials_from_text(const char *text, size_t size, const char *name, const char *registry,
			  const char *repository, struct credentials *ret, struct csn_error *err);

/* Puts credentials into the file (NULL: $REGISTRY_AUTH_FILE, else $DOCKER_CONFIG/config.json, else
 * ~/.docker/config.json), or gives them to the helper that the file names. Mode 0600. *ret_where is
 * malloc'd: who has them now. */
int credentials_store(const char *file, const char *registry, const struct credentials *c,
		      char **ret_where, struct csn_error *err);
/* 0: they were there and are gone; -ENOENT: there were none. */
int credentials_erase(const char *file, const char *registry, char **ret_where,
		      struct csn_error *err);

/* docker-credential-NAME VERB (authhelper.c); what it printed is malloc'd. -ENOENT: it has none for
 * this registry. */
int helper_run(const char *name, const char *verb, const char *input, char **ret,
	       struct csn_error *err);

#endif
