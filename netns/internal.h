/* What the files of netns/ share: the open batch. */
#ifndef CSN_NETNS_INTERNAL_H
#define CSN_NETNS_INTERNAL_H

#include <libmnl/libmnl.h>

#include "netns/netns.h"

enum { NL_REQUESTS_MAX = 64 };

/* Room for a batch, and behind it for one request more, so that appending cannot overrun. */
enum { NL_BATCH_SIZE = 65536, NL_REQUEST_MAX = 4096 };

struct nl_request {
	char name[128];
	int allowed; /* errno that is fine, or 0 */
	bool acked;  /* the kernel will answer it */
};

struct nl {
	struct mnl_socket *socket;
	uint32_t seq, port;
	struct nl_request requests[NL_REQUESTS_MAX];
	size_t count;
	uint32_t first_seq;
	size_t size; /* of the batch */
	bool overflow;
	_Alignas(8) char batch[NL_BATCH_SIZE + NL_REQUEST_MAX];
};

/* Appends the head of a request, with room for NL_REQUEST_MAX bytes; NLM_F_REQUEST is added.
 * Finish it with nl_end(). */
struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags);
void nl_end(struct nl *nl, struct nlmsghdr *h);
/* Sends what was appended and calls fn for each message that comes back, until the answer is over.
 */
int nl_query(struct nl *nl, mnl_cb_t fn, void *data, struct csn_error *err);

static inline size_t addr_size(const struct net_addr *a)
{
	return a->family == AF_INET6 ? 16 : 4;
}

#endif
