/* --restart and --restart-delay, of create, run and update. */
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "bin/engine/engine.h"

struct restart_args restart_args;

bool restart_given(void)
{
	return restart_args.policy || restart_args.delay;
}

int restart_collect(struct csn_restart_policy *ret, struct csn_error *err)
{
	if (restart_args.policy)
		TRY(csn_restart_policy_parse(restart_args.policy, ret, err));
	if (!restart_args.delay)
		return 0;
	char *end;
	errno = 0;
	double seconds = strtod(restart_args.delay, &end);
	if (errno || end == restart_args.delay || *end || !(seconds >= 0 && seconds < 1e6))
		return fail(err, EINVAL, "--restart-delay: expected seconds, not \"%.100s\"",
			    restart_args.delay);
	ret->delay_ms = (int64_t)(seconds * 1000 + 0.5);
	return 0;
}
