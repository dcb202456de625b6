/*
 * libcaisson: images from and to registries. The conventions are those of caisson.h.
 */
#ifndef CAISSON_REGISTRY_H
#define CAISSON_REGISTRY_H

#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

/* if-not-present: an image that is here is taken as it is, else it is pulled. always: the registry
 * is asked, what differs is pulled, no answer is an error. newer: the same, but without an answer
 * an image that is here will do. never: an image that is here, or -ENOENT. */
enum csn_pull_policy { CSN_PULL_IF_NOT_PRESENT, CSN_PULL_ALWAYS, CSN_PULL_NEWER, CSN_PULL_NEVER };
/* By those names; -EINVAL for anything else. */
CSN_API int csn_pull_policy_parse(const char *text, enum csn_pull_policy *ret,
				  struct csn_error *err) CSN_MUST_CHECK;

/* As registries.conf and hosts.toml say; always; no certificate needed, and plain http will do. */
enum csn_tls_verify { CSN_TLS_AS_CONFIGURED, CSN_TLS_REQUIRED, CSN_TLS_OPTIONAL };

/* How to speak to a registry. */
struct csn_registry_options {
	size_t size;
	/* These win. All NULL: they are looked up for the registry in the auth files of podman and
	 * docker; where there are none, access is anonymous. */
	const char *username, *password;
	const char *identity_token; /* instead of both */
	const char *auth_file;	    /* look there only, or NULL */
	const char *cert_dir; /* certificates of a CA and of ours, or NULL: the usual places */
	enum csn_tls_verify tls_verify;
	bool anonymous;	     /* look nothing up */
	int stall_timeout_s; /* give up when nothing comes for so long; 0: 30 seconds */
};
#define CSN_REGISTRY_OPTIONS_INIT                                                                  \
	{                                                                                          \
		sizeof(struct csn_registry_options), NULL, NULL, NULL, NULL, NULL,                 \
			CSN_TLS_AS_CONFIGURED, false, 0                                            \
	}

struct csn_image_pull_options {
	size_t size;
	enum csn_pull_policy policy;
	const char *platform;			     /* "linux/arm64"; NULL: the host's */
	const struct csn_registry_options *registry; /* NULL: the defaults */
	void (*progress)(void *data, const struct csn_image_progress *progress);
	void *progress_data;
};
#define CSN_IMAGE_PULL_OPTIONS_INIT                                                                \
	{                                                                                          \
		sizeof(struct csn_image_pull_options), CSN_PULL_IF_NOT_PRESENT, NULL, NULL, NULL,  \
			NULL                                                                       \
	}

/*
 * Sees to it that the image is here, as the policy says. *ret (may be NULL) lists that image.
 * -EACCES: the registry wants other credentials; -ENOENT: it has no such image. What was fetched
 * of an interrupted pull is used by the next one.
 */
CSN_API int csn_image_pull(struct csn_runtime *rt, const char *image,
			   const struct csn_image_pull_options *options, struct csn_images **ret,
			   struct csn_error *err) CSN_MUST_CHECK;

/*
 * A pull or a load under way, whose progress is read: it is done by a process of its own, which
 * closing ends. csn_image_transfer_next: 1 with news, 0 when all is here, -EAGAIN when nothing
 * comes within timeout_ms (0: do not wait), or how it failed.
 */
struct csn_image_transfer;
CSN_API int csn_image_pull_begin(struct csn_runtime *rt, const char *image,
				 const struct csn_image_pull_options *options,
				 struct csn_image_transfer **ret,
				 struct csn_error *err) CSN_MUST_CHECK;
CSN_API int csn_image_load_begin(struct csn_runtime *rt,
				 const struct csn_image_load_options *options,
				 struct csn_image_transfer **ret,
				 struct csn_error *err) CSN_MUST_CHECK;
/* Texts in *ret are valid until the next call. */
CSN_API int csn_image_transfer_next(struct csn_image_transfer *transfer, int timeout_ms,
				    struct csn_image_progress *ret,
				    struct csn_error *err) CSN_MUST_CHECK;
/* Readable when csn_image_transfer_next may have news. Owned by the handle. */
CSN_API int csn_image_transfer_fd(const struct csn_image_transfer *transfer);
/* What came, after the end; owned by the handle. */
CSN_API const struct csn_images *csn_image_transfer_images(
	const struct csn_image_transfer *transfer);
CSN_API void csn_image_transfer_close(struct csn_image_transfer *transfer);

struct csn_image_push_options {
	size_t size;
	const char *destination; /* another name for it there; NULL: its own */
	const struct csn_registry_options *registry;
	void (*progress)(void *data, const struct csn_image_progress *progress);
	void *progress_data;
};
#define CSN_IMAGE_PUSH_OPTIONS_INIT                                                                \
	{                                                                                          \
		sizeof(struct csn_image_push_options), NULL, NULL, NULL, NULL                      \
	}

/* Sends an image to the registry of its name, byte for byte: with the same digest. */
CSN_API int csn_image_push(struct csn_runtime *rt, const char *image,
			   const struct csn_image_push_options *options, struct csn_images **ret,
			   struct csn_error *err) CSN_MUST_CHECK;

/* Checks the user name and the password with the registry ("host[:port]") and keeps them in the
 * auth file, or with the helper that it names. *ret_where (may be NULL): which; csn_free() it. */
CSN_API int csn_registry_login(struct csn_runtime *rt, const char *registry,
			       const struct csn_registry_options *options, char **ret_where,
			       struct csn_error *err) CSN_MUST_CHECK;
/* -ENOENT: there were no credentials. */
CSN_API int csn_registry_logout(struct csn_runtime *rt, const char *registry,
				const struct csn_registry_options *options, char **ret_where,
				struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
