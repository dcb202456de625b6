/*
 * libcaisson: containers that are started again when they end. The conventions are those of
 * caisson.h.
 */
#ifndef CAISSON_RESTART_H
#define CAISSON_RESTART_H

#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

enum csn_restart_kind {
	CSN_RESTART_NO,
	CSN_RESTART_ALWAYS,	    /* whatever its end; after a reboot even if it was stopped */
	CSN_RESTART_UNLESS_STOPPED, /* the same, but what was stopped stays so */
	CSN_RESTART_ON_FAILURE,	    /* when its exit code is not 0 */
};
/*
 * Whether a container is started again when it ends, by its monitor, which needs no other process
 * for that. Not after csn_container_stop, nor after csn_container_kill with SIGKILL or its stop
 * signal. Its files stay, its networks are made anew.
 */
struct csn_restart_policy {
	size_t size;
	enum csn_restart_kind kind;
	unsigned max_restarts; /* on failure: so many at most; 0: no limit */
	int64_t delay_ms;      /* before each start; 0: 100 ms, doubled with each restart up to a
				* minute until it runs for 10 s. Five restarts within 300 s are a
				* crash loop: from then on it is at least 30 s */
};
#define CSN_RESTART_POLICY_INIT                                                                    \
	{                                                                                          \
		sizeof(struct csn_restart_policy), CSN_RESTART_NO, 0, 0                            \
	}
/* "no", "always", "unless-stopped", "on-failure". */
CSN_API const char *csn_restart_kind_name(enum csn_restart_kind kind);
/* From one of these words, with the most restarts as in "on-failure:3"; "" is "no". The delay
 * stays. -EINVAL. */
CSN_API int csn_restart_policy_parse(const char *text, struct csn_restart_policy *ret,
				     struct csn_error *err) CSN_MUST_CHECK;

/* Changes the restart policy, also of one that runs or waits for its restart: it counts from its
 * next end on. -EINVAL: bad, or not for one that removes itself. */
CSN_API int csn_container_set_restart(struct csn_runtime *rt, const char *container,
				      const struct csn_restart_policy *policy,
				      struct csn_error *err) CSN_MUST_CHECK;
/*
 * Starts what its restart policy wants to run and nobody does: after a reboot, or when its monitor
 * was killed. tell (may be NULL) hears of each, with NULL when it was started and the failure when
 * it was not. How many were started.
 */
CSN_API int csn_start_wanted(struct csn_runtime *rt,
			     void (*tell)(void *data, const char *container,
					  const struct csn_error *failure),
			     void *data, struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
