/* Deadlines for poll(2). */
#include <time.h>

#include "base/deadline.h"

int64_t deadline_in(int timeout_ms)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	return timeout_ms < 0 ? -1 : ms + timeout_ms;
}

int deadline_left(int64_t deadline)
{
	if (deadline < 0)
		return -1;
	int64_t left = deadline - deadline_in(0);
	return left < 0 ? 0 : (int)left;
}
