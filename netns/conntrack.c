/*
 * Forgetting tracked connections. A UDP flow that began before its port was published (or while
 * it went to a container that is gone) would otherwise keep its old translation for as long as
 * packets come. The kernel's dump is filtered here: it has no filter by port before Linux 5.10.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "base/error.h"
#include "netns/internal.h"

enum { FORGET_AT_ONCE = 32 };

struct forget {
	uint8_t protocol;
	uint16_t port; /* network order */
	size_t count;
	bool more;
	uint8_t families[FORGET_AT_ONCE];
	char tuples[FORGET_AT_ONCE][256]; /* CTA_TUPLE_ORIG as it came */
};

static const struct nlattr *nested(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;
	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

static bool matches(const struct nlattr *tuple, const struct forget *f)
{
	const struct nlattr *proto = nested(tuple, CTA_TUPLE_PROTO);
	const struct nlattr *number = proto ? nested(proto, CTA_PROTO_NUM) : NULL;
	const struct nlattr *port = proto ? nested(proto, CTA_PROTO_DST_PORT) : NULL;
	return number && port && mnl_attr_get_u8(number) == f->protocol &&
	       mnl_attr_get_u16(port) == f->port;
}

static int collect(const struct nlmsghdr *h, void *data)
{
	struct forget *f = data;
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	mnl_attr_for_each(a, h, sizeof *g)
	{
		if (mnl_attr_get_type(a) != CTA_TUPLE_ORIG || !matches(a, f) ||
		    a->nla_len > sizeof f->tuples[0])
			continue;
		if (f->count == FORGET_AT_ONCE) {
			f->more = true;
			break;
		}
		f->families[f->count] = g->nfgen_family;
		memcpy(f->tuples[f->count++], a, a->nla_len);
	}
	return MNL_CB_OK;
}

static struct nlmsghdr *begin(struct nl *nl, uint16_t message, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *h = nl_begin(nl, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | message), flags);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return h;
}

static int forget_some(struct nl *nl, struct forget *f, struct csn_error *err)
{
	f->count = 0;
	f->more = false;
	struct nlmsghdr *h = begin(nl, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
	nl_end(nl, h);
	nl_name(nl, "list tracked connections");
	TRY(nl_query(nl, collect, f, err));
	for (size_t i = 0; i < f->count; i++) {
		struct nlattr tuple;
		memcpy(&tuple, f->tuples[i], sizeof tuple);
		h = begin(nl, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, f->families[i]);
		mnl_attr_put(h, CTA_TUPLE_ORIG | NLA_F_NESTED, tuple.nla_len - sizeof tuple,
			     f->tuples[i] + sizeof tuple);
		nl_end(nl, h);
		nl_name(nl, "forget a tracked connection");
		nl_allow(nl, ENOENT);
	}
	return nl_commit(nl, err);
}

int conntrack_forget(struct nl *nl, uint8_t protocol, uint16_t port, struct csn_error *err)
{
	struct forget f = { .protocol = protocol, .port = htons(port) };
	int total = 0;
	/* Bounded: new ones come as fast as somebody likes to send. */
	for (int rounds = 0; rounds < 64; rounds++) {
		TRY(forget_some(nl, &f, err));
		total += (int)f.count;
		if (!f.more)
			break;
	}
	return total;
}
