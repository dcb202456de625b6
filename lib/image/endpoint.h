/*
 * Where an image is fetched from: the registry of its name, and mirrors before it, as
 * registries.conf (version 2) or containerd's hosts.toml say.
 */
#ifndef CSN_IMAGE_ENDPOINT_H
#define CSN_IMAGE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "image/http.h"
#include "image/ref.h"

#define DOCKER_DOMAIN "docker.io"
#define DOCKER_HOST   "registry-1.docker.io"

struct endpoint {
	char *host;	  /* with its port */
	char *scheme;	  /* "https", "http"; NULL: https, and http where that is allowed */
	char *api;	  /* in front of the repository: "/v2" */
	char *repository; /* what the image's is called there */
	char *name;	  /* by which credentials are found: "docker.io" */
	char *space;	  /* "?ns=": tells a mirror whose image is meant; or NULL */
	bool insecure;	  /* no certificate is needed, and plain http is allowed */
	bool loopback;
	bool mirror;
	bool push; /* images may be pushed there */
	const char **headers;
	size_t header_count;
	struct http_tls tls;
	char base[512]; /* "https://host", once it is known */
};

struct endpoint_options {
	bool insecure;	      /* the user said so for this registry */
	bool secure;	      /* the user said so: whatever the files say */
	const char *cert_dir; /* instead of the certs.d directories, or NULL */
};

/* In the order in which they are tried; the registry itself is the last. Strings in the arena. */
int endpoints_find(const struct endpoint_options *o, const struct image_ref *ref,
		   struct arena *arena, struct endpoint **ret, size_t *ret_count,
		   struct csn_error *err);
/* The same from texts (either may be NULL); for tests, and as the one place that knows the rules.
 */
int endpoints_from_registries_conf(const char *text, size_t size, const char *name,
				   const struct image_ref *ref, struct arena *arena,
				   struct endpoint **ret, size_t *ret_count, struct csn_error *err);
int endpoints_from_hosts_toml(const char *text, size_t size, const char *name, const char *dir,
			      const struct image_ref *ref, struct arena *arena,
			      struct endpoint **ret, size_t *ret_count, struct csn_error *err);
/* CA and client certificates for a host: *.crt, *.cert with *.key. */
int certificates_find(const char *cert_dir, const char *host, struct arena *arena,
		      struct http_tls *ret, struct csn_error *err);

#endif
