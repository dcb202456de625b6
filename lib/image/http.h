/*
 * HTTP requests for any number of threads. One thread of its own moves all bytes (libcurl's multi
 * interface, so that connections are kept and HTTP/2 carries several requests at once); whoever
 * asks waits for the answer and is written as straight-line code.
 *
 * Nothing here follows a redirect, authenticates or tries again: registry.c decides that.
 */
#ifndef CSN_IMAGE_HTTP_H
#define CSN_IMAGE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "caisson.h"

#define HTTP_CHALLENGES_MAX 8

struct http;

struct http_options {
	int stall_seconds; /* give up when nothing has come for so long */
	bool (*interrupted)(void *data);
	void *data;
};

/* Whom to trust and who we are. Borrowed. */
struct http_tls {
	bool no_verify;
	const char *ca_pem;		      /* certificates beside the system's; NULL: none */
	const char *client_cert, *client_key; /* files; NULL: none */
};

struct http_response {
	int status;
	char *location, *content_type, *content_range, *retry_after, *content_digest, *warning,
		*etag;
	char *challenges[HTTP_CHALLENGES_MAX]; /* WWW-Authenticate */
	size_t challenge_count;
	char *body; /* what no receiver took; NUL-terminated; NULL: nothing */
	size_t body_size;
};

struct http_request {
	const char *method, *url;
	const char *const *headers; /* "Name: value" */
	size_t header_count;
	const struct http_tls *tls; /* NULL: the system's certificates */
	bool no_local;		    /* refuse to connect to loopback and link-local addresses */

	const void *body; /* sent; or a file: */
	uint64_t body_size;
	int body_fd; /* read by offset; -1: none */
	/* Called as the file goes out. May be NULL. */
	void (*sent)(void *data, uint64_t bytes);

	size_t max_body; /* of an answer that is kept in memory: more is -EFBIG */
	int max_seconds; /* for the whole; 0: as long as something comes */
	/* Called once, before the first byte of a 2xx answer: negative refuses it. NULL: the body
	 * is kept in memory. */
	int (*begin)(void *data, const struct http_response *r, struct csn_error *err);
	int (*receive)(void *data, const void *bytes, size_t size, struct csn_error *err);
	void *data;
};

int http_open(const struct http_options *o, struct http **ret, struct csn_error *err);
void http_close(struct http *h);
/* Ends what is under way, and everything that is asked later, with -ECANCELED. */
void http_cancel(struct http *h);
/* Sleeps; -ECANCELED or -EINTR when it is over before. */
int http_sleep(struct http *h, int milliseconds, struct csn_error *err);

/*
 * 0: there is an answer, whatever its status. -EPROTO: the other side does not speak TLS or not
 * with us; -EKEYREJECTED: its certificate is not trusted; see http_is_transient for the others.
 * What begin and receive return is passed on. *ret needs http_response_done in every case.
 */
int http_perform(struct http *h, const struct http_request *q, struct http_response *ret,
		 struct csn_error *err);
void http_response_done(struct http_response *r);
/* May the same request succeed in a moment? */
bool http_is_transient(int error);

#endif
