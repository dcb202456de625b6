/* An agent's document, decoded: one service, or a deployment of several. Inside lib/agent. */
#ifndef CSN_AGENT_DOCUMENT_H
#define CSN_AGENT_DOCUMENT_H

#include "base/arena.h"
#include "caisson-deployment.h"
#include "service/deployment.h"

struct csn_service {
	struct arena arena;	/* empty in a deployment, which has one for all */
	const char *name;	/* its key in the deployment; NULL alone */
	const char *deployment; /* NULL alone */
	struct service_spec spec;
	struct csn_service_info info; /* over spec */
};

struct csn_deployment {
	struct arena arena;
	char *version, *name;
	struct csn_service *services; /* as written; sorted by csn_deployment_parse */
	size_t count;
};

/* Decodes a deployment with all of its services, in the order in which they were written
 * (deployment.c). text is JSON. */
int deployment_decode(const char *text, size_t size, struct csn_deployment *ret,
		      struct csn_error *err);
/* The text as JSON; *ret_json is malloc'd, or NULL where it was JSON already (service.c). */
int document_to_json(const char **text, size_t *size, enum csn_service_format format,
		     const char *name, char **ret_json, struct csn_error *err);
/* Fills info from the rest; text is what the service says, as compact JSON (service.c). */
int service_describe(struct csn_service *s, const char *text, struct arena *arena,
		     struct csn_error *err);

#endif
