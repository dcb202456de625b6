/* csn up: waiting for what a service depends on. */
#include <errno.h>
#include <time.h>

#include "base/error.h"
#include "bin/engine/deploy.h"
#include "caisson-health.h"

#define LOOK_EVERY_MS 50

enum verdict { NOT_YET, AS_ASKED, NEVER };

static int64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool has_started(enum csn_state state)
{
	return state == CSN_STATE_RUNNING || state == CSN_STATE_STOPPING ||
	       state == CSN_STATE_EXITED;
}

/* One that has ended, and will not come again, does not become healthy; a job is when it ended
 * well. */
static enum verdict judge_end(const struct csn_service_info *service,
			      const struct csn_container_info *c)
{
	if (service->kind != CSN_SERVICE_SERVICE && c->exit_code == 0 &&
	    c->state == CSN_STATE_EXITED)
		return AS_ASKED;
	return service->restarts ? NOT_YET : NEVER;
}

/* An unhealthy one may recover: the timeout tells when that is too late. */
static enum verdict judge_health(struct csn_runtime *rt, const struct csn_container_info *c)
{
	struct csn_health health = CSN_HEALTH_INIT;
	if (csn_container_health(rt, c->id, &health, NULL) < 0)
		return NOT_YET;
	return health.status == CSN_HEALTH_HEALTHY || health.status == CSN_HEALTH_NONE ? AS_ASKED
										       : NOT_YET;
}

static enum verdict judge(struct csn_runtime *rt, const struct csn_service_info *service,
			  enum csn_condition condition, const struct csn_container_info *c)
{
	bool ended = c->state == CSN_STATE_EXITED || c->state == CSN_STATE_FAILED;
	if (condition == CSN_CONDITION_STARTED && has_started(c->state))
		return AS_ASKED;
	if (ended)
		return judge_end(service, c);
	if (service->kind != CSN_SERVICE_SERVICE || c->state != CSN_STATE_RUNNING)
		return NOT_YET;
	return judge_health(rt, c);
}

static int look_at(struct csn_runtime *rt, const struct csn_service_info *service, uint32_t replica,
		   enum csn_condition condition, enum verdict *ret, struct csn_error *err)
{
	struct csn_container_id id;
	char name[CSN_CONTAINER_ID_TEXT];
	struct csn_containers *list = NULL;
	TRY(csn_container_id_make(service->name, replica, &id, err));
	TRY(csn_container_id_format(&id, name, err));
	TRY(csn_container_get(rt, name, &list, err));
	const struct csn_container_info *c = csn_containers_get(list, 0);
	*ret = judge(rt, service, condition, c);
	int r = 0;
	if (*ret == NEVER && c->state == CSN_STATE_FAILED)
		r = fail(err, ECHILD, "container \"%s\" could not be started: %s", name, c->error);
	else if (*ret == NEVER)
		r = fail(err, ECHILD, "container \"%s\" has ended with %d", name, c->exit_code);
	csn_containers_free(list);
	return r;
}

int up_wait(struct csn_runtime *rt, const struct csn_service_info *service,
	    enum csn_condition condition, int64_t timeout_ms, struct csn_error *err)
{
	const struct timespec pause = { 0, LOOK_EVERY_MS * 1000000 };
	int64_t end = now_ms() + timeout_ms;
	for (uint32_t replica = 1; replica <= service->replicas;) {
		enum verdict verdict;
		TRY(look_at(rt, service, replica, condition, &verdict, err));
		if (verdict == AS_ASKED) {
			replica++;
			continue;
		}
		if (now_ms() >= end)
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	return 1;
}
