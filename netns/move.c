/*
 * Moves a link with its addresses into another namespace. Speaks netlink itself, without libmnl:
 * the OCI runtime links statically, to start fast, and Debian has no archive of that library. One
 * request and its answer at a time; that is all that is needed here.
 *
 * Order: whatever can be refused is asked first (is the name free?), for a link that has been
 * moved stays where it is. Then down, move and rename in one request, addresses, up. The index in
 * the target is ours to choose (IFLA_NEW_IFINDEX, Linux 5.12), so that the link can be found there
 * by it even when the kernel makes up its name ("eth%d").
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "netns/netns.h"

enum { REQUEST_MAX = 1024, ANSWER_MAX = 32768, ADDRESSES_MAX = 256, INDEX_TRIES = 64 };

/* A request under construction. */
struct request {
	struct nlmsghdr head;
	char body[REQUEST_MAX];
};

static void *begin(struct request *r, uint16_t type, uint16_t flags, size_t size)
{
	memset(r, 0, sizeof *r);
	r->head.nlmsg_len = (uint32_t)NLMSG_SPACE(size);
	r->head.nlmsg_type = type;
	r->head.nlmsg_flags = NLM_F_REQUEST | flags;
	return NLMSG_DATA(&r->head);
}

static void put(struct request *r, unsigned short type, const void *data, size_t size)
{
	struct rtattr *a = (void *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));
	if (NLMSG_ALIGN(r->head.nlmsg_len) + RTA_SPACE(size) > sizeof *r)
		return; /* cannot be: all that is put has a small fixed size */
	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	r->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->head.nlmsg_len) + RTA_SPACE(size));
}

static struct ifinfomsg *begin_link(struct request *r, uint16_t type, int index)
{
	struct ifinfomsg *i = begin(r, type, NLM_F_ACK, sizeof *i);
	i->ifi_index = index;
	return i;
}

/* Sends, and gives each message of the answer to fn, until its end or the acknowledgement: 0 or
 * the kernel's -errno. */
static int ask(int sock, struct request *r, void (*fn)(void *data, const struct nlmsghdr *h),
	       void *data)
{
	char buf[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));

	if (send(sock, r, r->head.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(sock, buf, sizeof buf, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPROTO;
		unsigned left = (unsigned)n;
		for (const struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (fn)
				fn(data, h);
		}
	}
}

/* ---- what is there --------------------------------------------------------------------------- */

struct link {
	int index; /* 0: there is none */
	bool up;
	char name[IFNAMSIZ];
};

static void take_link(void *data, const struct nlmsghdr *h)
{
	struct link *l = data;
	const struct ifinfomsg *i = NLMSG_DATA(h);
	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	l->index = i->ifi_index;
	l->up = i->ifi_flags & IFF_UP;
	int left = (int)IFLA_PAYLOAD(h);
	for (const struct rtattr *a = IFLA_RTA(i); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_IFNAME)
			(void)snprintf(l->name, sizeof l->name, "%.*s", (int)RTA_PAYLOAD(a),
				       (const char *)RTA_DATA(a));
}

/* By name, or with NULL by index. */
static int find_link(int sock, const char *name, int index, struct link *ret)
{
	struct request r;
	*ret = (struct link){ 0 };
	(void)begin_link(&r, RTM_GETLINK, index);
	if (name)
		put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	int e = ask(sock, &r, take_link, ret);
	return e == -ENODEV ? 0 : e;
}

struct kept_address {
	struct ifaddrmsg message;
	uint32_t flags;
	unsigned char address[16], local[16], broadcast[4];
	unsigned short address_size, local_size, broadcast_size;
};
struct addresses {
	int index;
	struct kept_address items[ADDRESSES_MAX];
	size_t count;
	bool too_many;
};

static unsigned short take(unsigned char *to, size_t room, const struct rtattr *a)
{
	size_t size = RTA_PAYLOAD(a);
	if (size > room)
		return 0;
	memcpy(to, RTA_DATA(a), size);
	return (unsigned short)size;
}

/* Permanent addresses of global scope: others belong to the network that the link leaves. */
static void keep_address(void *data, const struct nlmsghdr *h)
{
	struct addresses *all = data;
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	struct kept_address k = { .message = *m, .flags = m->ifa_flags };

	if (h->nlmsg_type != RTM_NEWADDR || (int)m->ifa_index != all->index)
		return;
	int left = (int)IFA_PAYLOAD(h);
	for (const struct rtattr *a = IFA_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFA_ADDRESS)
			k.address_size = take(k.address, sizeof k.address, a);
		else if (a->rta_type == IFA_LOCAL)
			k.local_size = take(k.local, sizeof k.local, a);
		else if (a->rta_type == IFA_BROADCAST)
			k.broadcast_size = take(k.broadcast, sizeof k.broadcast, a);
		else if (a->rta_type == IFA_FLAGS)
			memcpy(&k.flags, RTA_DATA(a), sizeof k.flags);
	}
	if (m->ifa_scope != RT_SCOPE_UNIVERSE || !(k.flags & IFA_F_PERMANENT))
		return;
	if (all->count < ADDRESSES_MAX)
		all->items[all->count++] = k;
	else
		all->too_many = true;
}

static int find_addresses(int sock, struct addresses *all)
{
	struct request r;
	(void)begin(&r, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	int e = ask(sock, &r, keep_address, all);
	return e < 0 ? e : all->too_many ? -E2BIG : 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

static int set_up(int sock, int index, bool up)
{
	struct request r;
	struct ifinfomsg *i = begin_link(&r, RTM_NEWLINK, index);
	i->ifi_change = IFF_UP;
	i->ifi_flags = up ? IFF_UP : 0;
	return ask(sock, &r, NULL, NULL);
}

/* Gives the index in the target. Its own may be taken there: then the next that is free. */
static int move(int sock, int index, const char *name, int ns_fd)
{
	for (int tries = 0; tries < INDEX_TRIES; tries++) {
		int32_t wanted = index + tries;
		struct request r;
		(void)begin_link(&r, RTM_NEWLINK, index);
		put(&r, IFLA_IFNAME, name, strlen(name) + 1);
		put(&r, IFLA_NET_NS_FD, &ns_fd, sizeof ns_fd);
		put(&r, IFLA_NEW_IFINDEX, &wanted, sizeof wanted);
		int e = ask(sock, &r, NULL, NULL);
		if (e != -EBUSY)
			return e < 0 ? e : wanted;
	}
	return -EBUSY;
}

static int add_address(int sock, int index, const struct kept_address *k)
{
	/* What the kernel says of an address, not what was asked of it. */
	uint32_t flags = k->flags & ~(uint32_t)(IFA_F_PERMANENT | IFA_F_SECONDARY |
						IFA_F_TENTATIVE | IFA_F_DADFAILED);
	struct request r;
	struct ifaddrmsg *m =
		begin(&r, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof *m);
	*m = k->message;
	m->ifa_index = (unsigned)index;
	m->ifa_flags = (unsigned char)flags;
	put(&r, IFA_FLAGS, &flags, sizeof flags);
	if (k->local_size)
		put(&r, IFA_LOCAL, k->local, k->local_size);
	if (k->address_size)
		put(&r, IFA_ADDRESS, k->address, k->address_size);
	if (k->broadcast_size)
		put(&r, IFA_BROADCAST, k->broadcast, k->broadcast_size);
	int e = ask(sock, &r, NULL, NULL);
	return e == -EEXIST ? 0 : e;
}

static int settle(int sock, int index, const struct addresses *all, bool up)
{
	for (size_t i = 0; i < all->count; i++) {
		int e = add_address(sock, index, &all->items[i]);
		if (e < 0)
			return e;
	}
	return up ? set_up(sock, index, true) : 0;
}

/* ---- */

static int open_socket(void *data, struct csn_error *err)
{
	int *fd = data;
	*fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	return *fd < 0 ? fail_errno(err, "netlink") : 0;
}

static int refused(int e, const char *what, struct csn_error *err)
{
	return fail(err, -e, "%s: %s", what, strerror(-e));
}

/* May it go, and what goes with it? */
static int look(struct net_move *m, int here, int there, struct addresses *all,
		struct csn_error *err)
{
	struct link link, taken = { 0 };
	int e = find_link(here, m->name, 0, &link);
	if (e < 0 || !link.index)
		return refused(e < 0 ? e : -ENODEV, "find it", err);
	e = strchr(m->new_name, '%') ? 0 : find_link(there, m->new_name, 0, &taken);
	if (e < 0)
		return refused(e, "look into the namespace", err);
	if (taken.index)
		return fail(err, EEXIST, "the namespace has a link \"%s\" already", m->new_name);
	all->index = link.index;
	m->was_up = link.up;
	e = find_addresses(here, all);
	return e < 0 ? refused(e, "list its addresses", err) : 0;
}

int netns_move_link(struct net_move *m, struct csn_error *err)
{
	struct addresses all = { 0 };
	struct link arrived;
	auto_fd here = -1, there = -1;
	TRY(open_socket(&here, err));
	TRY(netns_run(m->ns, open_socket, &there, err));
	TRY(look(m, here, there, &all, err));

	int e = set_up(here, all.index, false);
	if (e < 0)
		return refused(e, "set it down", err);
	int index = move(here, all.index, m->new_name, m->ns);
	if (index < 0) {
		(void)settle(here, all.index, &all, m->was_up);
		return refused(index, "move it", err);
	}
	e = settle(there, index, &all, !m->leave_down);
	if (e == 0)
		e = find_link(there, NULL, index, &arrived);
	if (e < 0)
		return refused(e, "set it up in the namespace", err);
	memcpy(m->got_name, arrived.name, sizeof m->got_name);
	return 0;
}
