/*
 * The thread that moves bytes. It alone touches curl's multi handle; requests come to it on a list
 * and go back as done. Callbacks of a request run on this thread while its asker sleeps.
 *
 * A transfer has stalled when fewer than STALL_BYTES a second came for the time of the options.
 * Only http and https are spoken; TLS is 1.2 or later. libcurl reads the proxies from the
 * environment.
 */
#include "image/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "config.h"

#define STALL_BYTES	64L
#define POLL_MS		200
#define CONNECTIONS_MAX 6L
#define HEADER_MAX	((size_t)64 << 10)

struct job {
	struct job *next;
	const struct http_request *request;
	struct http_response *response;
	CURL *easy;
	struct curl_slist *headers;
	uint64_t body_sent;
	size_t header_bytes;
	bool begun;  /* the receiver was told */
	bool local;  /* the address is one that the request may not go to */
	int refused; /* by begin, receive, or a bound */
	struct csn_error why;
	CURLcode code;
	long os_error;
	bool done;
};

struct http {
	struct http_options options;
	CURLM *multi;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job *waiting; /* not yet seen by the thread */
	struct job *active;  /* the thread's own */
	bool cancel, interrupted, quit;
};

/* ---- answers --------------------------------------------------------------------------------- */

void http_response_done(struct http_response *r)
{
	char *texts[] = { r->location,	     r->content_type, r->content_range, r->retry_after,
			  r->content_digest, r->warning,      r->etag,		r->body };

	/* It may have been a token. */
	if (r->body)
		explicit_bzero(r->body, r->body_size);
	for (size_t i = 0; i < COUNT(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < r->challenge_count; i++)
		free(r->challenges[i]);
	*r = (struct http_response){ 0 };
}

static void put_header(struct http_response *r, const char *name, size_t name_size, char *value)
{
	const struct {
		const char *name;
		char **slot;
	} rows[] = {
		{ "location", &r->location },
		{ "content-type", &r->content_type },
		{ "content-range", &r->content_range },
		{ "retry-after", &r->retry_after },
		{ "docker-content-digest", &r->content_digest },
		{ "warning", &r->warning },
		{ "etag", &r->etag },
	};
	static const char challenge[] = "www-authenticate";

	for (size_t i = 0; i < COUNT(rows); i++)
		if (strlen(rows[i].name) == name_size &&
		    strncasecmp(name, rows[i].name, name_size) == 0) {
			free(*rows[i].slot);
			*rows[i].slot = value;
			return;
		}
	if (name_size == strlen(challenge) && strncasecmp(name, challenge, name_size) == 0 &&
	    r->challenge_count < HTTP_CHALLENGES_MAX)
		r->challenges[r->challenge_count++] = value;
	else
		free(value);
}

static int refuse(struct job *j, int code, const char *text)
{
	j->refused = fail(&j->why, code, "%s", text);
	return j->refused;
}

/* One line of the header, not terminated. A status line begins a new header: of a redirect that a
 * proxy made, or behind "100 Continue". */
static size_t on_header(char *line, size_t one, size_t size, void *data)
{
	struct job *j = data;
	char *colon;

	(void)one;
	j->header_bytes += size;
	if (j->header_bytes > HEADER_MAX) {
		(void)refuse(j, EFBIG, "the header of the answer is too large");
		return 0;
	}
	if (size > 5 && strncmp(line, "HTTP/", 5) == 0) {
		http_response_done(j->response);
		return size;
	}
	colon = memchr(line, ':', size);
	if (!colon)
		return size;

	size_t start = (size_t)(colon - line) + 1, end = size;
	while (start < end && strchr(" \t", line[start]))
		start++;
	while (end > start && strchr(" \t\r\n", line[end - 1]))
		end--;
	char *value = strndup(line + start, end - start);
	if (!value) {
		(void)refuse(j, ENOMEM, "out of memory");
		return 0;
	}
	put_header(j->response, line, (size_t)(colon - line), value);
	return size;
}

static int keep_body(struct job *j, const char *bytes, size_t size)
{
	struct http_response *r = j->response;

	if (size > j->request->max_body - r->body_size)
		return fail(&j->why, EFBIG, "the answer is larger than %zu bytes",
			    j->request->max_body);
	char *more = realloc(r->body, r->body_size + size + 1);
	if (!more)
		return fail(&j->why, ENOMEM, "out of memory");
	r->body = more;
	memcpy(r->body + r->body_size, bytes, size);
	r->body_size += size;
	r->body[r->body_size] = '\0';
	return 0;
}

static int take_status(struct job *j)
{
	long status = 0;

	(void)curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
	j->response->status = (int)status;
	return (int)status;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *data)
{
	struct job *j = data;
	const struct http_request *q = j->request;
	int status = take_status(j);

	(void)one;
	if (!q->begin || status < 200 || status > 299) {
		/* Of an error's text only the beginning matters. */
		size_t keep = size;
		if (status > 299 && keep > q->max_body - j->response->body_size)
			keep = q->max_body - j->response->body_size;
		j->refused = keep_body(j, bytes, keep);
		return j->refused < 0 ? 0 : size;
	}
	if (!j->begun) {
		j->begun = true;
		j->refused = q->begin(q->data, j->response, &j->why);
	}
	if (j->refused >= 0)
		j->refused = q->receive(q->data, bytes, size, &j->why);
	return j->refused < 0 ? 0 : size;
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static size_t on_read(char *buf, size_t one, size_t size, void *data)
{
	struct job *j = data;
	uint64_t left = j->request->body_size - j->body_sent;
	size_t want = one * size;

	if (want > left)
		want = (size_t)left;
	if (want == 0)
		return 0;
	ssize_t n = pread(j->request->body_fd, buf, want, (off_t)j->body_sent);
	if (n <= 0) {
		(void)refuse(j, EIO, "the file that is sent became shorter");
		return CURL_READFUNC_ABORT;
	}
	j->body_sent += (uint64_t)n;
	if (j->request->sent)
		j->request->sent(j->request->data, j->body_sent);
	return (size_t)n;
}

static int on_seek(void *data, curl_off_t offset, int origin)
{
	struct job *j = data;

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	j->body_sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* ---- where it goes --------------------------------------------------------------------------- */

static bool is_local_v4(uint32_t address)
{
	return address >> 24 == 127 || address >> 16 == 0xa9fe || address == 0;
}

static bool is_local(const struct sockaddr *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uint32_t mapped;

	if (a->sa_family == AF_INET) {
		memcpy(&v4, a, sizeof v4);
		return is_local_v4(ntohl(v4.sin_addr.s_addr));
	}
	if (a->sa_family != AF_INET6)
		return false;
	memcpy(&v6, a, sizeof v6);
	if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
		memcpy(&mapped, &v6.sin6_addr.s6_addr[12], sizeof mapped);
		return is_local_v4(ntohl(mapped));
	}
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) || IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) ||
	       IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
}

/* Behind a proxy the address is the proxy's, which the user chose. */
static bool has_proxy(void)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY",
					     "all_proxy", "ALL_PROXY" };

	for (size_t i = 0; i < COUNT(names); i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return true;
	}
	return false;
}

static curl_socket_t on_socket(void *data, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct job *j = data;

	(void)purpose;
	if (j->request->no_local && is_local(&a->addr) && !has_proxy()) {
		j->local = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* ---- one transfer ---------------------------------------------------------------------------- */

static void set_tls(CURL *e, const struct http_tls *tls)
{
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");

	(void)curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* The directory is searched by name; the one large file would be parsed as a whole. */
	if (file && *file)
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, file);
	else if (access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0)
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	if (dir && *dir)
		(void)curl_easy_setopt(e, CURLOPT_CAPATH, dir);
	if (!tls)
		return;
	if (tls->no_verify) {
		(void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (tls->ca_pem) {
		struct curl_blob blob = { (void *)(uintptr_t)tls->ca_pem, strlen(tls->ca_pem),
					  CURL_BLOB_NOCOPY };
		(void)curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &blob);
	}
	if (tls->client_cert)
		(void)curl_easy_setopt(e, CURLOPT_SSLCERT, tls->client_cert);
	if (tls->client_key)
		(void)curl_easy_setopt(e, CURLOPT_SSLKEY, tls->client_key);
}

static void set_body(CURL *e, struct job *j)
{
	const struct http_request *q = j->request;

	if (q->body_fd >= 0) {
		(void)curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->body_size);
		(void)curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
		(void)curl_easy_setopt(e, CURLOPT_READDATA, j);
		(void)curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek);
		(void)curl_easy_setopt(e, CURLOPT_SEEKDATA, j);
		(void)curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
	} else if (q->body || strcmp(q->method, "POST") == 0) {
		(void)curl_easy_setopt(e, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_size);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body ? q->body : "");
	}
	if (strcmp(q->method, "HEAD") == 0)
		(void)curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	else
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);
}

static int set_headers(struct job *j)
{
	static const char *const own[] = { "Expect:", "User-Agent: caisson/" PACKAGE_VERSION };
	const struct http_request *q = j->request;

	for (size_t i = 0; i < q->header_count + COUNT(own); i++) {
		const char *text = i < COUNT(own) ? own[i] : q->headers[i - COUNT(own)];
		struct curl_slist *more = curl_slist_append(j->headers, text);
		if (!more)
			return fail(&j->why, ENOMEM, "out of memory");
		j->headers = more;
	}
	(void)curl_easy_setopt(j->easy, CURLOPT_HTTPHEADER, j->headers);
	return 0;
}

static int set_up(struct http *h, struct job *j)
{
	const struct http_request *q = j->request;
	CURL *e = j->easy = curl_easy_init();

	if (!e)
		return fail(&j->why, ENOMEM, "out of memory");
	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, j);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	(void)curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
	(void)curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	(void)curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 256L << 10);
	(void)curl_easy_setopt(
		e, CURLOPT_CONNECTTIMEOUT,
		(long)(h->options.stall_seconds < 30 ? h->options.stall_seconds : 30));
	(void)curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES);
	(void)curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)h->options.stall_seconds);
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)q->max_seconds);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, j);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, j);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, j);
	set_tls(e, q->tls);
	set_body(e, j);
	TRY(set_headers(j));
	if (curl_easy_setopt(e, CURLOPT_URL, q->url) != CURLE_OK)
		return fail(&j->why, ENOMEM, "out of memory");
	return 0;
}

static void unlink_job(struct job **list, struct job *j)
{
	while (*list && *list != j)
		list = &(*list)->next;
	if (*list)
		*list = j->next;
}

/* Wakes the asker; the job is his again. */
static void finish(struct http *h, struct job *j, CURLcode code)
{
	j->code = code;
	if (j->easy) {
		(void)take_status(j);
		(void)curl_easy_getinfo(j->easy, CURLINFO_OS_ERRNO, &j->os_error);
		(void)curl_multi_remove_handle(h->multi, j->easy);
		curl_easy_cleanup(j->easy);
	}
	curl_slist_free_all(j->headers);
	(void)pthread_mutex_lock(&h->lock);
	unlink_job(&h->active, j);
	j->done = true;
	(void)pthread_cond_broadcast(&h->changed);
	(void)pthread_mutex_unlock(&h->lock);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void begin_jobs(struct http *h)
{
	for (;;) {
		(void)pthread_mutex_lock(&h->lock);
		struct job *j = h->waiting;
		if (j) {
			h->waiting = j->next;
			j->next = h->active;
			h->active = j;
		}
		(void)pthread_mutex_unlock(&h->lock);
		if (!j)
			return;
		j->refused = set_up(h, j);
		if (j->refused < 0 || curl_multi_add_handle(h->multi, j->easy) != CURLM_OK)
			finish(h, j, CURLE_OUT_OF_MEMORY);
	}
}

static void end_jobs(struct http *h)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left))) {
		struct job *j = NULL;
		CURLcode code = m->data.result;
		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&j);
		finish(h, j, code);
	}
}

/* True when no more work may be done. */
static bool check_cancel(struct http *h)
{
	bool interrupted = h->options.interrupted && h->options.interrupted(h->options.data);

	(void)pthread_mutex_lock(&h->lock);
	h->interrupted |= interrupted;
	bool stop = h->cancel || h->interrupted;
	if (stop)
		(void)pthread_cond_broadcast(&h->changed);
	(void)pthread_mutex_unlock(&h->lock);
	return stop;
}

static void *move_bytes(void *data)
{
	struct http *h = data;
	int running;

	for (;;) {
		begin_jobs(h);
		if (check_cancel(h))
			while (h->active)
				finish(h, h->active, CURLE_ABORTED_BY_CALLBACK);
		(void)curl_multi_perform(h->multi, &running);
		end_jobs(h);
		(void)pthread_mutex_lock(&h->lock);
		bool quit = h->quit, idle = !h->waiting;
		(void)pthread_mutex_unlock(&h->lock);
		if (quit)
			return NULL;
		if (idle)
			(void)curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL);
	}
}

/* ---- asking ---------------------------------------------------------------------------------- */

static const struct {
	CURLcode code;
	int error;
	const char *text; /* NULL: curl's own */
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, EHOSTUNREACH, "its name cannot be resolved" },
	{ CURLE_COULDNT_RESOLVE_PROXY, EHOSTUNREACH, "the proxy's name cannot be resolved" },
	{ CURLE_COULDNT_CONNECT, ECONNREFUSED, "cannot connect" },
	{ CURLE_OPERATION_TIMEDOUT, ETIMEDOUT, "nothing came for too long" },
	{ CURLE_SSL_CONNECT_ERROR, EPROTO, "the TLS handshake failed" },
	{ CURLE_PEER_FAILED_VERIFICATION, EKEYREJECTED, "its certificate is not trusted" },
	{ CURLE_SSL_CACERT_BADFILE, EINVAL, "the CA certificates cannot be read" },
	{ CURLE_SSL_CERTPROBLEM, EINVAL, "the client certificate cannot be used" },
	{ CURLE_PARTIAL_FILE, ECONNRESET, "the connection ended too early" },
	{ CURLE_GOT_NOTHING, ECONNRESET, "the connection ended without an answer" },
	{ CURLE_RECV_ERROR, ECONNRESET, "the connection broke" },
	{ CURLE_SEND_ERROR, ECONNRESET, "the connection broke" },
	{ CURLE_HTTP2, ECONNRESET, "the HTTP/2 connection broke" },
	{ CURLE_HTTP2_STREAM, ECONNRESET, "the HTTP/2 stream broke" },
	{ CURLE_OUT_OF_MEMORY, ENOMEM, "out of memory" },
	{ CURLE_URL_MALFORMAT, EINVAL, "the URL is malformed" },
	{ CURLE_UNSUPPORTED_PROTOCOL, EINVAL, "the URL is neither http nor https" },
	{ CURLE_WEIRD_SERVER_REPLY, EBADMSG, "the answer is no HTTP" },
	{ CURLE_UNSUPPORTED_PROTOCOL, EBADMSG, "the answer is no HTTP" },
	{ CURLE_HTTP3, EBADMSG, NULL },
};

bool http_is_transient(int error)
{
	return error == -ECONNREFUSED || error == -ECONNRESET || error == -ETIMEDOUT ||
	       error == -EHOSTUNREACH;
}

static int word_failure(const struct http *h, const struct job *j, struct csn_error *err)
{
	if (j->refused < 0)
		return fail(err, -j->refused, "%s", j->why.text);
	if (j->local)
		return fail(err, EPERM, "its address is local to this machine");
	if (j->code == CURLE_ABORTED_BY_CALLBACK)
		return h->interrupted ? fail(err, EINTR, "interrupted")
				      : fail(err, ECANCELED, "canceled");
	for (size_t i = 0; i < COUNT(failures); i++)
		if (failures[i].code == j->code) {
			const char *text =
				failures[i].text ? failures[i].text : curl_easy_strerror(j->code);
			const char *os = j->os_error && j->code == CURLE_COULDNT_CONNECT
						 ? strerror((int)j->os_error)
						 : NULL;
			return fail(err, failures[i].error, "%s%s%s", text, os ? ": " : "",
				    os ? os : "");
		}
	return fail(err, EIO, "%s", curl_easy_strerror(j->code));
}

int http_perform(struct http *h, const struct http_request *q, struct http_response *ret,
		 struct csn_error *err)
{
	struct job j = { .request = q, .response = ret };

	*ret = (struct http_response){ 0 };
	(void)pthread_mutex_lock(&h->lock);
	struct job **last = &h->waiting;
	while (*last)
		last = &(*last)->next;
	*last = &j;
	(void)curl_multi_wakeup(h->multi);
	while (!j.done)
		(void)pthread_cond_wait(&h->changed, &h->lock);
	(void)pthread_mutex_unlock(&h->lock);

	if (j.code != CURLE_OK || j.refused < 0)
		return word_failure(h, &j, err);
	if (q->begin && !j.begun && ret->status >= 200 && ret->status <= 299)
		return q->begin(q->data, ret, err);
	return 0;
}

int http_sleep(struct http *h, int milliseconds, struct csn_error *err)
{
	struct timespec until;
	int r = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += milliseconds % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	(void)pthread_mutex_lock(&h->lock);
	while (!h->cancel && !h->interrupted && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&h->changed, &h->lock, &until);
	r = h->interrupted ? EINTR : h->cancel ? ECANCELED : 0;
	(void)pthread_mutex_unlock(&h->lock);
	return r ? fail(err, r, r == EINTR ? "interrupted" : "canceled") : 0;
}

void http_cancel(struct http *h)
{
	(void)pthread_mutex_lock(&h->lock);
	h->cancel = true;
	(void)pthread_cond_broadcast(&h->changed);
	(void)pthread_mutex_unlock(&h->lock);
	(void)curl_multi_wakeup(h->multi);
}

/* ---- opening --------------------------------------------------------------------------------- */

int http_open(const struct http_options *o, struct http **ret, struct csn_error *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return fail(err, ENOSYS, "libcurl cannot be initialised");
	struct http *h = calloc(1, sizeof *h);
	CURLM *multi = curl_multi_init();
	if (!h || !multi) {
		free(h);
		(void)curl_multi_cleanup(multi);
		return fail(err, ENOMEM, "out of memory");
	}

	h->options = *o;
	h->multi = multi;
	(void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	(void)curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_MAX);
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_cond_init(&h->changed, NULL);
	int e = pthread_create(&h->thread, NULL, move_bytes, h);
	if (e) {
		(void)curl_multi_cleanup(multi);
		free(h);
		return fail(err, e, "start a thread: %s", strerror(e));
	}
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	(void)pthread_mutex_lock(&h->lock);
	h->quit = true;
	(void)pthread_mutex_unlock(&h->lock);
	(void)curl_multi_wakeup(h->multi);
	(void)pthread_join(h->thread, NULL);
	(void)curl_multi_cleanup(h->multi);
	(void)pthread_cond_destroy(&h->changed);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}
