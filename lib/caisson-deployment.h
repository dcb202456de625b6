/*
 * Deployments: several services with what they need of each other, as a program that brings them up
 * needs to know it. The conventions of caisson.h hold. Nothing here needs a runtime.
 */
#ifndef CAISSON_DEPLOYMENT_H
#define CAISSON_DEPLOYMENT_H

#include "caisson-runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- one service ------------------------------------------------------------------------------
 */

enum csn_service_kind {
	CSN_SERVICE_SERVICE, /* runs until it is stopped */
	CSN_SERVICE_JOB,     /* runs once, to its end */
	CSN_SERVICE_CRON,    /* a job by the clock */
};

enum csn_condition {
	CSN_CONDITION_STARTED, /* it runs, or has run */
	CSN_CONDITION_HEALTHY, /* its health check passes; without one: it runs; a job: it ended
				* with 0 */
	CSN_CONDITION_READY,   /* and it can be reached: that is the same where no proxy stands
				* between */
};
enum csn_on_timeout { CSN_ON_TIMEOUT_FAIL, CSN_ON_TIMEOUT_WARN, CSN_ON_TIMEOUT_CONTINUE };

/* What a service waits for before it starts. */
struct csn_dependency {
	const char *service;
	enum csn_condition condition;
	int64_t timeout_ms;
	enum csn_on_timeout on_timeout;
};

/* What is known of a service without making a container of it. Texts are the service's. */
struct csn_service_info {
	const char *name, *deployment; /* NULL: it was parsed alone */
	enum csn_service_kind kind;
	const char *image;
	enum csn_pull_policy pull_policy;
	uint32_t replicas;    /* to begin with: fixed, or the least of an adaptive scale; else 1 */
	bool has_health;      /* it has a health check */
	bool restarts;	      /* it has a restart policy: its end may not be its last word */
	bool has_groups;      /* it has replica groups, which are an agent's */
	const char *network;  /* the bridge that it names; NULL: none, or the default one */
	bool default_network; /* it says nothing of a network */
	const char *const *volumes; /* the names of its named volumes; ends with NULL */
	const struct csn_dependency *dependencies;
	size_t dependencies_count;
	/* SHA-256 of what was written, whatever the order of its members: two with the same one ask
	 * for the same. */
	const char *digest;
};
/* Owned by the service. */
CSN_API const struct csn_service_info *csn_service_info(const struct csn_service *service);

/* Labels of a container that was made for a service. */
#define CSN_LABEL_DEPLOYMENT "caisson.deployment"
#define CSN_LABEL_SERVICE    "caisson.service"
#define CSN_LABEL_DIGEST     "caisson.digest" /* csn_service_info's */

/* ---- all of them ------------------------------------------------------------------------------
 */

struct csn_deployment;

/* As csn_service_parse, with every service. A dependency on a service that is not there, or in a
 * circle, is CSN_ERROR_INVALID_SPEC too. */
CSN_API int csn_deployment_parse(const char *text, size_t size, enum csn_service_format format,
				 struct csn_deployment **ret, struct csn_error *err) CSN_MUST_CHECK;
CSN_API void csn_deployment_free(struct csn_deployment *deployment);
CSN_API const char *csn_deployment_name(const struct csn_deployment *deployment);
/* Services, each behind those that it depends on. */
CSN_API size_t csn_deployment_count(const struct csn_deployment *deployment);
/* Owned by the deployment. index must be less than the count. */
CSN_API const struct csn_service *csn_deployment_get(const struct csn_deployment *deployment,
						     size_t index);

#ifdef __cplusplus
}
#endif

#endif
