/* What the commands that know deployments share: create --spec, up, down. */
#ifndef CSN_BIN_DEPLOY_H
#define CSN_BIN_DEPLOY_H

#include "base/arena.h"
#include "bin/engine/engine.h"
#include "caisson-deployment.h"

/* ---- deploy.c ---------------------------------------------------------------------------------
 */

/* The deployment of a file: JSON when its name ends so, else YAML; "-": standard input. */
int deploy_read(const char *file, struct csn_deployment **ret, struct csn_error *err);
void deploy_free(struct csn_deployment **deployment);
/* The service of that name, or NULL. */
const struct csn_service *deploy_find(const struct csn_deployment *deployment, const char *service);
/* Sets how containers of the deployment are made: its network, secrets from that file (NULL: there
 * are none), warnings on standard error. */
int deploy_configure(struct csn_rt *rt, const char *deployment, const char *secrets_file,
		     struct csn_error *err);
/* Pulls its image as the service says. */
int deploy_pull(struct csn_rt *rt, const struct csn_service_info *service, struct csn_error *err);

/* A container that was made for a service. */
struct deployed {
	const char *name, *deployment, *service, *digest; /* "" where it has no such label */
	uint32_t replica;
	const char *image, *image_digest;
	enum csn_state state;
	int exit_code;
};
struct deployed_list {
	struct arena arena;
	struct deployed *items;
	size_t count;
};
/* All of them, of every deployment; by name. */
int deployed_list(struct csn_runtime *rt, struct deployed_list *ret, struct csn_error *err);
void deployed_done(struct deployed_list *list);
const struct deployed *deployed_find(const struct deployed_list *list, const char *name);

/* ---- up_wait.c --------------------------------------------------------------------------------
 */

/* Waits until every replica of the service is as the condition says: 1; 0: not within timeout_ms.
 * Fails when it never will be. */
int up_wait(struct csn_runtime *rt, const struct csn_service_info *service,
	    enum csn_condition condition, int64_t timeout_ms, struct csn_error *err);

/* ---- down.c -----------------------------------------------------------------------------------
 */

/* Stops those containers, all at once, and removes them, telling so. */
int down_remove(struct csn_rt *rt, const struct deployed *const *containers, size_t count,
		int timeout_s, struct csn_error *err);

#endif
