/*
 * A registry by the OCI distribution specification: what one asks of it, with everything that
 * stands between question and answer (which endpoint, http or https, tokens, redirects, trying
 * again). For any number of threads.
 */
#ifndef CSN_IMAGE_REGISTRY_H
#define CSN_IMAGE_REGISTRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/authfile.h"
#include "image/endpoint.h"
#include "image/http.h"
#include "image/image.h"
#include "image/ref.h"

#define REGISTRY_SCOPES_MAX 3

struct registry {
	const struct image_remote *options;
	struct image_ref ref;
	struct http *http;
	struct endpoint *endpoints;
	size_t endpoint_count;
	struct arena arena;
	pthread_mutex_t lock; /* tokens, and the endpoints' bases */
	struct token *tokens;
	void (*warn)(void *data, const char *text);
	void *data;
	char warned[256]; /* the last warning of a registry, so that it is said once */
};

int registry_open(const struct image_remote *options, const struct image_ref *ref,
		  const struct image_events *events, struct registry *ret, struct csn_error *err);
void registry_close(struct registry *r);

struct registry_call {
	const char *method;
	const char *path; /* below the repository: "manifests/latest"; or */
	const char *url; /* the Location of an upload, absolute or relative; or both NULL: "/v2/" */
	const char *query;	/* behind '?' or '&', or NULL */
	const char *headers[3]; /* NULL: none */
	const char *actions;	/* "pull", "pull,push" */
	const char *more_scope; /* another repository to be read: "repository:x:pull", or NULL */
	const void *body;
	uint64_t body_size;
	int body_fd; /* -1: none */
	void (*sent)(void *data, uint64_t bytes);
	size_t max_body; /* 0: 64 KiB */
	bool slow;	 /* as long as bytes come: blobs */
	int (*begin)(void *data, const struct http_response *r, struct csn_error *err);
	int (*receive)(void *data, const void *bytes, size_t size, struct csn_error *err);
	void *data;
};

/* One try: follows redirects and authenticates; 0 for any status. *ret needs http_response_done. */
int registry_try(struct registry *r, struct endpoint *e, const struct registry_call *c,
		 struct http_response *ret, struct csn_error *err);
/* Tries again while that may help. */
int registry_ask(struct registry *r, struct endpoint *e, const struct registry_call *c,
		 struct http_response *ret, struct csn_error *err);
/* Words an answer that is not what was hoped for: "registry H: WHAT: not found: …". */
int registry_refused(const struct endpoint *e, const char *what, const struct http_response *ret,
		     struct csn_error *err);
/* Could the same be answered otherwise in a moment? r is what a try returned. */
bool registry_may_retry(int r, const struct http_response *ret);
/* Sleeps before try number `attempt` (1, 2 …) as the answer or patience says. */
int registry_pause(struct registry *r, int attempt, const struct http_response *ret,
		   struct csn_error *err);

/* ---- auth.c ---------------------------------------------------------------------------------- */

/* The header to send to this origin, or NULL: not known yet. malloc'd. */
char *auth_header(struct registry *r, const struct endpoint *e, const struct registry_call *c);
/* After a 401: gets a header. refused: the last one did not help. 0: there is none to be had. */
int auth_answer(struct registry *r, const struct endpoint *e, const struct registry_call *c,
		const struct http_response *unauthorized, const char *refused,
		struct csn_error *err);
/* Checks credentials with the registry, for login. */
int auth_check(struct registry *r, struct csn_error *err);
void auth_close(struct registry *r);

#endif
