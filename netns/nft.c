/*
 * nftables: elements by netlink (a few microseconds each), whole tables by a script.
 *
 * A batch begins and ends with messages of its own; the kernel applies all of it or nothing, and
 * answers every refused request.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "netns/internal.h"

static struct nlmsghdr *begin(struct nl *nl, uint16_t message, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *h = nl_begin(nl, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return h;
}

static void put_border(struct nl *nl, uint16_t type)
{
	struct nlmsghdr *h = nl_begin(nl, type, 0);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	g->version = NFNETLINK_V0;
	g->res_id = htons(NFNL_SUBSYS_NFTABLES);
	nl_end(nl, h);
	nl_name(nl, "nftables");
}

void nft_begin(struct nl *nl)
{
	put_border(nl, NFNL_MSG_BATCH_BEGIN);
}

void nft_end(struct nl *nl)
{
	put_border(nl, NFNL_MSG_BATCH_END);
}

static void put_value(struct nlmsghdr *h, uint16_t attribute, const void *value, size_t size)
{
	struct nlattr *nest = mnl_attr_nest_start(h, attribute);
	mnl_attr_put(h, NFTA_DATA_VALUE, size, value);
	mnl_attr_nest_end(h, nest);
}

static void put_element(struct nl *nl, uint16_t message, uint16_t flags, uint8_t family,
			const char *table, const char *set, const struct nft_element *e)
{
	struct nlmsghdr *h = begin(nl, message, flags, family);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
	struct nlattr *list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *element = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	put_value(h, NFTA_SET_ELEM_KEY, e->key, e->key_size);
	if (e->data && message != NFT_MSG_GETSETELEM)
		put_value(h, NFTA_SET_ELEM_DATA, e->data, e->data_size);
	mnl_attr_nest_end(h, element);
	mnl_attr_nest_end(h, list);
	nl_end(nl, h);
	nl_name(nl, "nftables: table %s, set %s", table, set);
}

void nft_add_element(struct nl *nl, uint8_t family, const char *table, const char *set,
		     const struct nft_element *e)
{
	put_element(nl, NFT_MSG_NEWSETELEM, NLM_F_ACK | NLM_F_CREATE, family, table, set, e);
}

void nft_delete_element(struct nl *nl, uint8_t family, const char *table, const char *set,
			const struct nft_element *e)
{
	put_element(nl, NFT_MSG_DELSETELEM, NLM_F_ACK, family, table, set, e);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

struct found {
	void *data;
	size_t size;
	int got;
};

static void take_value(const struct nlattr *nest, struct found *f)
{
	const struct nlattr *a;
	mnl_attr_for_each_nested(a, nest)
	{
		size_t size = mnl_attr_get_payload_len(a);
		if (mnl_attr_get_type(a) != NFTA_DATA_VALUE)
			continue;
		f->got = (int)size;
		memcpy(f->data, mnl_attr_get_payload(a), size < f->size ? size : f->size);
	}
}

static int take_element(const struct nlmsghdr *h, void *data)
{
	const struct nlattr *list, *element, *a;
	mnl_attr_for_each(list, h, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(element, list)
		{
			mnl_attr_for_each_nested(a, element)
			{
				if (mnl_attr_get_type(a) == NFTA_SET_ELEM_DATA)
					take_value(a, data);
			}
		}
	}
	return MNL_CB_STOP;
}

int nft_get_element(struct nl *nl, uint8_t family, const char *table, const char *set,
		    const struct nft_element *e, void *ret_data, size_t size, struct csn_error *err)
{
	struct found f = { .data = ret_data, .size = size };
	put_element(nl, NFT_MSG_GETSETELEM, 0, family, table, set, e);
	TRY(nl_query(nl, take_element, &f, err));
	return f.got;
}

static int seen(const struct nlmsghdr *h, void *data)
{
	(void)h;
	*(int *)data = 1;
	return MNL_CB_STOP;
}

int nft_has_table(struct nl *nl, uint8_t family, const char *table, struct csn_error *err)
{
	int there = 0;
	struct nlmsghdr *h = begin(nl, NFT_MSG_GETTABLE, 0, family);
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, table);
	nl_end(nl, h);
	nl_name(nl, "nftables: table %s", table);
	nl_allow(nl, ENOENT);
	TRY(nl_query(nl, seen, &there, err));
	return there;
}

int nft_delete_table(struct nl *nl, uint8_t family, const char *table, struct csn_error *err)
{
	nft_begin(nl);
	struct nlmsghdr *h = begin(nl, NFT_MSG_DELTABLE, NLM_F_ACK, family);
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, table);
	nl_end(nl, h);
	nl_name(nl, "nftables: delete table %s", table);
	nl_allow(nl, ENOENT);
	nft_end(nl);
	return nl_commit(nl, err);
}

/* ---- scripts ----------------------------------------------------------------------------------
 */

static int make_input(const char *text, struct csn_error *err)
{
	auto_fd fd = memfd_create("nft", MFD_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "nft: memfd");
	int r = write_all(fd, text, strlen(text));
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return fail(err, r < 0 ? -r : errno, "nft: write the script");
	return take_fd(&fd);
}

static int spawn_nft(int in, int out, pid_t *ret)
{
	static const char *const places[] = { "/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft",
					      "/usr/local/sbin/nft" };
	char nft[] = "nft", dash_f[] = "-f", dash[] = "-", env[] = "LC_ALL=C";
	char *const argv[] = { nft, dash_f, dash, NULL }, *const envp[] = { env, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	int e = posix_spawn_file_actions_init(&actions);
	if (e)
		return e;
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawn_file_actions_adddup2(&actions, in, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, out, 1);
	(void)posix_spawn_file_actions_adddup2(&actions, out, 2);
	e = ENOENT;
	for (size_t i = 0; e == ENOENT && i < COUNT(places); i++)
		e = posix_spawn(ret, places[i], &actions, &attr, argv, envp);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return e;
}

int nft_script(const char *text, struct csn_error *err)
{
	char said[400] = "";
	int status = 0;
	pid_t pid;
	auto_fd in = make_input(text, err);
	TRY(in);
	auto_fd out = memfd_create("nft-output", MFD_CLOEXEC);
	if (out < 0)
		return fail_errno(err, "nft: memfd");
	int e = spawn_nft(in, out, &pid);
	if (e)
		return fail(err, e, "start the program nft (package nftables): %s", strerror(e));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(err, "nft: wait");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	ssize_t n = pread(out, said, sizeof said - 1, 0);
	said[n > 0 ? strcspn(said, "\n") : 0] = '\0';
	return fail(err, EIO, "nft refused the table: %s", said[0] ? said : "no reason given");
}
