/* The mock's queues of what its streams are to say (mock_queues.c). Inside lib/agent. */
#ifndef CSN_AGENT_MOCK_H
#define CSN_AGENT_MOCK_H

#include <pthread.h>

#include "agent/agent.h"

enum mock_kind { MOCK_LOGS, MOCK_SAMPLES, MOCK_PROGRESS };

struct mock_queues {
	pthread_mutex_t lock;
	struct mock_queue *first; /* under the lock */
};
void mock_queues_init(struct mock_queues *q);
void mock_queues_done(struct mock_queues *q);
/* Takes what is queued of that kind under that name: empties it. */
void mock_queues_take(struct mock_queues *q, enum mock_kind kind, const char *name,
		      struct queue *ret);

/* Those of a mock; NULL: rt is none (mock.c). */
struct mock_queues *mock_queues_of(struct csn_rt *rt);

#endif
