/*
 * The netlink socket and its batch. All requests go out in one sendmsg; the kernel works through
 * them in order and answers each, refused ones with a number and mostly a text (extended ack).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "netns/internal.h"

#ifndef NETLINK_EXT_ACK
#define NETLINK_EXT_ACK 11
#endif

static int open_here(enum nl_bus bus, struct nl *nl, struct csn_error *err)
{
	int on = 1, room = 1 << 20;
	nl->socket =
		mnl_socket_open2(bus == NL_ROUTE ? NETLINK_ROUTE : NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return fail_errno(err, "netlink");
	/* Older kernels answer without texts. */
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &on, sizeof on);
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &on, sizeof on);
	(void)setsockopt(mnl_socket_get_fd(nl->socket), SOL_SOCKET, SO_RCVBUFFORCE, &room,
			 sizeof room);
	nl->port = mnl_socket_get_portid(nl->socket);
	return 0;
}

struct opening {
	enum nl_bus bus;
	struct nl *nl;
};

static int open_there(void *data, struct csn_error *err)
{
	struct opening *o = data;
	return open_here(o->bus, o->nl, err);
}

int nl_open(enum nl_bus bus, int ns_fd, struct nl **ret, struct csn_error *err)
{
	struct nl *nl AUTO(nl_close_var)
	= malloc(sizeof *nl);
	if (!nl)
		return fail(err, ENOMEM, "out of memory");
	memset(nl, 0, offsetof(struct nl, batch));
	struct opening o = { bus, nl };
	TRY(ns_fd < 0 ? open_here(bus, nl, err) : netns_run(ns_fd, open_there, &o, err));
	*ret = take_ptr(nl);
	return 0;
}

void nl_close(struct nl *nl)
{
	if (!nl)
		return;
	if (nl->socket)
		(void)mnl_socket_close(nl->socket);
	free(nl);
}

/* ---- appending --------------------------------------------------------------------------------
 */

struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags)
{
	/* What does not fit is written over the spare room and never sent. */
	if (nl->count == NL_REQUESTS_MAX || nl->size > NL_BATCH_SIZE)
		nl->overflow = true;
	size_t at = nl->overflow ? NL_BATCH_SIZE : nl->size;
	struct nlmsghdr *h = mnl_nlmsg_put_header(nl->batch + at);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = ++nl->seq;
	if (nl->overflow)
		return h;
	if (nl->count == 0)
		nl->first_seq = h->nlmsg_seq;
	nl->requests[nl->count] = (struct nl_request){ .acked = flags & NLM_F_ACK };
	nl->count++;
	return h;
}

void nl_end(struct nl *nl, struct nlmsghdr *h)
{
	if (!nl->overflow)
		nl->size += MNL_ALIGN(h->nlmsg_len);
}

void nl_name(struct nl *nl, const char *fmt, ...)
{
	va_list ap;
	if (nl->count == 0)
		return;
	struct nl_request *r = &nl->requests[nl->count - 1];
	va_start(ap, fmt);
	(void)vsnprintf(r->name, sizeof r->name, fmt, ap);
	va_end(ap);
}

void nl_allow(struct nl *nl, int code)
{
	if (nl->count)
		nl->requests[nl->count - 1].allowed = code;
}

/* ---- sending and answers ----------------------------------------------------------------------
 */

static void reset(struct nl *nl)
{
	nl->count = 0;
	nl->size = 0;
	nl->overflow = false;
}

/* The text of an extended ack, or NULL. With NETLINK_CAP_ACK the request is not repeated. */
static const char *ack_text(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	size_t skip = sizeof *e;
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(e->msg.nlmsg_len) - sizeof e->msg;
	const struct nlattr *a;
	mnl_attr_for_each(a, h, skip)
	{
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(a);
	}
	return NULL;
}

static int word_refusal(const struct nl_request *r, int code, const char *text,
			struct csn_error *err)
{
	const char *name = r && r->name[0] ? r->name : "netlink";
	return text ? fail(err, code, "%s: %s (%s)", name, strerror(code), text)
		    : fail(err, code, "%s: %s", name, strerror(code));
}

struct answers {
	struct nl *nl;
	size_t left; /* acks to come */
	int result;
	struct csn_error *err;
};

/* One NLMSG_ERROR, which is an answer even when it is no error. */
static void take_answer(struct answers *a, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	uint32_t i = h->nlmsg_seq - a->nl->first_seq;
	if (i >= a->nl->count || h->nlmsg_len < mnl_nlmsg_size(sizeof *e))
		return; /* of an earlier batch */
	const struct nl_request *r = &a->nl->requests[i];
	if (r->acked && a->left)
		a->left--;
	if (e->error && -e->error != r->allowed && a->result == 0)
		a->result = word_refusal(r, -e->error, ack_text(h), a->err);
	/* A refused batch of nftables answers the refused ones only. */
	if (e->error && !r->acked)
		a->left = 0;
}

static int receive(struct answers *a)
{
	char buf[16384] __attribute__((aligned(8)));
	while (a->left) {
		ssize_t n = mnl_socket_recvfrom(a->nl->socket, buf, sizeof buf);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(a->err, "netlink");
		int size = (int)n;
		for (const struct nlmsghdr *h = (void *)buf; mnl_nlmsg_ok(h, size);
		     h = mnl_nlmsg_next(h, &size))
			if (h->nlmsg_type == NLMSG_ERROR)
				take_answer(a, h);
	}
	return a->result;
}

static int send_batch(struct nl *nl, struct csn_error *err)
{
	if (nl->overflow)
		return fail(err, E2BIG, "netlink: more than %d requests in one batch",
			    NL_REQUESTS_MAX);
	return mnl_socket_sendto(nl->socket, nl->batch, nl->size) < 0 ? fail_errno(err, "netlink")
								      : 0;
}

int nl_commit(struct nl *nl, struct csn_error *err)
{
	struct answers a = { .nl = nl, .err = err };
	for (size_t i = 0; i < nl->count; i++)
		a.left += nl->requests[i].acked;
	int r = nl->count || nl->overflow ? send_batch(nl, err) : 0;
	if (r == 0)
		r = receive(&a);
	reset(nl);
	return r;
}

int nl_query(struct nl *nl, mnl_cb_t fn, void *data, struct csn_error *err)
{
	char buf[65536] __attribute__((aligned(8)));
	uint32_t seq = nl->seq;
	const struct nl_request request = nl->count ? nl->requests[0] : (struct nl_request){ 0 };
	int r = send_batch(nl, err);
	reset(nl);
	while (r == 0) {
		ssize_t n = mnl_socket_recvfrom(nl->socket, buf, sizeof buf);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "netlink");
		int more = mnl_cb_run(buf, (size_t)n, seq, nl->port, fn, data);
		if (more < 0)
			return errno == request.allowed ? 0
							: word_refusal(&request, errno, NULL, err);
		if (more == MNL_CB_STOP)
			return 0;
	}
	return r;
}
