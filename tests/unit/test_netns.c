/*
 * netns/ against the real kernel: each case in a network namespace of its own (Check forks). Not
 * as root: skipped.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "netns/netns.h"

static struct csn_error err;
#define OK(call) ck_assert_msg((call) >= 0, "%s", err.text)

static void own_namespace(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

static struct net_addr address(const char *text, uint8_t prefix)
{
	struct net_addr a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET, .prefix = prefix };
	ck_assert_int_eq(inet_pton(a.family, text, a.bytes), 1);
	return a;
}

static struct nl *open_nl(enum nl_bus bus, int ns)
{
	struct nl *nl = NULL;
	OK(nl_open(bus, ns, &nl, &err));
	return nl;
}

static ino_t inode(const char *path)
{
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_ino;
}

/* ---- namespaces ------------------------------------------------------------------------------ */

START_TEST(test_create_comes_back)
{
	int fd = -1;
	struct stat st;
	ino_t before = inode("/proc/thread-self/ns/net");
	OK(netns_create(false, &fd, &err));
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_ne(st.st_ino, before);
	ck_assert_uint_eq(inode("/proc/thread-self/ns/net"), before);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
}
END_TEST

static int read_ipv6_off(void *data, struct csn_error *e)
{
	(void)e;
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, data, 1);
	close(fd);
	return n == 1 ? 7 : -1;
}

START_TEST(test_ipv6_is_off_before_the_first_link)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		int fd = -1;
		char value = '?';
		OK(netns_create(ipv6, &fd, &err));
		ck_assert_int_eq(netns_run(fd, read_ipv6_off, &value, &err), 7);
		ck_assert_int_eq(value, ipv6 ? '0' : '1');
		close(fd);
	}
}
END_TEST

START_TEST(test_pin)
{
	char dir[] = "/tmp/test-netns.XXXXXX", path[64];
	struct stat st;
	int fd = -1;
	ck_assert_ptr_nonnull(mkdtemp(dir));
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OK(netns_create(false, &fd, &err));
	OK(netns_pin(fd, dir_fd, "one", &err));
	(void)snprintf(path, sizeof path, "%s/one", dir);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(inode(path), st.st_ino);
	ck_assert_int_eq(netns_pin(fd, dir_fd, "one", &err), -EEXIST);
	ck_assert_str_eq(err.text, "pin network namespace \"one\": File exists");
	OK(netns_unpin(dir_fd, "one", &err));
	ck_assert_int_lt(stat(path, &st), 0);
	OK(netns_unpin(dir_fd, "one", &err));
	close(dir_fd);
	close(fd);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* ---- links ----------------------------------------------------------------------------------- */

/* A bridge "br" with 10.0.0.1/24 and one namespace behind it with 10.0.0.2: as an attach does it.
 */
static int attach(struct nl *nl, const char *host_name, const char *addr)
{
	int ns = -1;
	struct net_addr a = address(addr, 24), gateway = address("10.0.0.1", 24);
	const struct net_mac mac = { { 0x02, 0x42, 10, 0, 0, a.bytes[3] } };
	OK(netns_create(false, &ns, &err));
	nl_add_veth(nl, &(struct veth){ .host_name = host_name,
					.peer_name = "eth0",
					.peer_ns = ns,
					.peer_mac = mac,
					.mtu = 1400,
					.group = 77 });
	OK(nl_commit(nl, &err));
	struct nl *inside = open_nl(NL_ROUTE, ns);
	struct link_info eth0;
	OK(nl_get_link(inside, "eth0", &eth0, &err));
	nl_set_up(inside, "lo", true);
	nl_add_address(inside, eth0.index, &a);
	nl_set_up(inside, "eth0", true);
	nl_set_up(nl, host_name, true);
	nl_add_port(nl, &(struct bridge_port){ .link = host_name, .bridge = "br" });
	OK(nl_commit(nl, &err));
	nl_add_default_route(inside, eth0.index, &gateway, 0);
	OK(nl_commit(inside, &err));
	nl_close(inside);
	return ns;
}

static void make_bridge(struct nl *nl)
{
	struct net_addr gateway = address("10.0.0.1", 24);
	struct link_info br;
	nl_add_bridge(nl, &(struct bridge){ .name = "br", .group = 77 });
	OK(nl_commit(nl, &err));
	OK(nl_get_link(nl, "br", &br, &err));
	nl_add_address(nl, br.index, &gateway);
	nl_set_up(nl, "br", true);
	nl_set_up(nl, "lo", true);
	OK(nl_commit(nl, &err));
}

/* One datagram from here to 10.0.0.2:99 and back. */
static int echo(void *data, struct csn_error *e)
{
	(void)e;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(99) };
	struct timeval second = { .tv_sec = 2 };
	char buf[8] = "";
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	to.sin_addr.s_addr = inet_addr("10.0.0.2");
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second), 0);
	ck_assert_int_eq(sendto(fd, "ping", 4, 0, (void *)&to, sizeof to), 4);
	int server = *(int *)data;
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	ck_assert_int_eq(recvfrom(server, buf, sizeof buf, 0, (void *)&from, &size), 4);
	ck_assert_int_eq(sendto(server, "pong", 4, 0, (void *)&from, size), 4);
	ck_assert_int_eq(recv(fd, buf, sizeof buf, 0), 4);
	ck_assert_mem_eq(buf, "pong", 4);
	close(fd);
	return 0;
}

static int serve(void *data, struct csn_error *e)
{
	(void)e;
	struct timeval second = { .tv_sec = 2 };
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(99) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
	*(int *)data = fd;
	return bind(fd, (void *)&here, sizeof here);
}

START_TEST(test_two_namespaces_talk)
{
	struct nl *nl = open_nl(NL_ROUTE, -1);
	struct link_info l;
	int server = -1;
	make_bridge(nl);
	int one = attach(nl, "v1", "10.0.0.2"), two = attach(nl, "v2", "10.0.0.3");
	OK(nl_get_link(nl, "v1", &l, &err));
	ck_assert_str_eq(l.kind, "veth");
	ck_assert_uint_eq(l.group, 77);
	ck_assert_uint_eq(l.mtu, 1400);
	ck_assert(l.up && l.master);
	ck_assert_int_eq(netns_run(one, serve, &server, &err), 0);
	OK(netns_run(two, echo, &server, &err));
	OK(echo(&server, &err));
	OK(nl_get_link(nl, "v1", &l, &err));
	ck_assert_uint_ge(l.tx_packets, 2);
	ck_assert_uint_ge(l.rx_bytes, 8);
	close(server);
	close(one);
	close(two);
	nl_close(nl);
}
END_TEST

START_TEST(test_refusals_have_words)
{
	struct nl *nl = open_nl(NL_ROUTE, -1);
	struct link_info l;
	make_bridge(nl);
	nl_add_bridge(nl, &(struct bridge){ .name = "br" });
	ck_assert_int_eq(nl_commit(nl, &err), -EEXIST);
	ck_assert_str_eq(err.text, "make bridge br: File exists");
	struct net_addr gateway = address("192.0.2.1", 0);
	OK(nl_get_link(nl, "br", &l, &err));
	nl_add_default_route(nl, l.index, &gateway, 0);
	ck_assert_int_eq(nl_commit(nl, &err), -ENETUNREACH);
	ck_assert_str_eq(err.text, "add the default route through 192.0.2.1: Network is "
				   "unreachable (Nexthop has invalid gateway)");
	ck_assert_int_eq(nl_get_link(nl, "nothing", &l, &err), -ENODEV);
	ck_assert_str_eq(err.text, "link nothing: No such device");
	nl_delete_link(nl, "nothing");
	OK(nl_commit(nl, &err));
	nl_delete_link(nl, "br");
	OK(nl_commit(nl, &err));
	ck_assert_int_eq(nl_get_link(nl, "br", &l, &err), -ENODEV);
	for (int i = 0; i < 100; i++)
		nl_set_up(nl, "lo", true);
	ck_assert_int_eq(nl_commit(nl, &err), -E2BIG);
	nl_set_up(nl, "lo", true);
	OK(nl_commit(nl, &err)); /* the overflow is over */
	nl_close(nl);
}
END_TEST

static int find_prefix(void *data, const struct net_addr *p, uint32_t index)
{
	(void)index;
	struct net_addr want = address("10.0.0.0", 24);
	if (memcmp(p, &want, sizeof want) == 0)
		*(bool *)data = true;
	return 0;
}

START_TEST(test_prefixes_are_listed)
{
	struct nl *nl = open_nl(NL_ROUTE, -1);
	bool found = false;
	OK(nl_each_prefix(nl, find_prefix, &found, &err));
	ck_assert(!found);
	make_bridge(nl);
	OK(nl_each_prefix(nl, find_prefix, &found, &err));
	ck_assert(found);
	nl_close(nl);
}
END_TEST

START_TEST(test_ipv6_address_is_usable_at_once)
{
	struct nl *nl = open_nl(NL_ROUTE, -1);
	struct net_addr a = address("fd00::2", 64);
	struct sockaddr_in6 here = { .sin6_family = AF_INET6 };
	struct link_info br;
	make_bridge(nl);
	OK(nl_get_link(nl, "br", &br, &err));
	nl_add_address(nl, br.index, &a);
	OK(nl_commit(nl, &err));
	memcpy(&here.sin6_addr, a.bytes, 16);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (void *)&here, sizeof here), 0);
	close(fd);
	nl_close(nl);
}
END_TEST

/* ---- nftables -------------------------------------------------------------------------------- */

START_TEST(test_elements)
{
	if (nft_script("add table inet t\nadd map inet t m { type ipv4_addr . inet_service : "
		       "ipv4_addr; }\n",
		       &err) == -ENOENT)
		return; /* no nft here */
	struct nl *nl = open_nl(NL_NETFILTER, -1);
	const uint8_t key[8] = { 10, 0, 0, 1, 0, 80 }, value[4] = { 10, 0, 0, 2 };
	uint8_t got[4] = { 0 };
	const struct nft_element e = { key, sizeof key, value, sizeof value };
	ck_assert_int_eq(nft_has_table(nl, NFPROTO_INET, "t", &err), 1);
	ck_assert_int_eq(nft_has_table(nl, NFPROTO_INET, "u", &err), 0);
	nft_begin(nl);
	nft_add_element(nl, NFPROTO_INET, "t", "m", &e);
	nft_end(nl);
	OK(nl_commit(nl, &err));
	ck_assert_int_eq(nft_get_element(nl, NFPROTO_INET, "t", "m", &e, got, 4, &err), 4);
	ck_assert_mem_eq(got, value, 4);
	nft_begin(nl);
	nft_add_element(nl, NFPROTO_INET, "t", "m", &e);
	nft_end(nl);
	OK(nl_commit(nl, &err));
	const uint8_t other[4] = { 10, 0, 0, 3 };
	const struct nft_element moved = { key, sizeof key, other, sizeof other };
	nft_begin(nl);
	nft_add_element(nl, NFPROTO_INET, "t", "m", &moved);
	nft_end(nl);
	ck_assert_int_eq(nl_commit(nl, &err), -EEXIST);
	nft_begin(nl);
	nft_delete_element(nl, NFPROTO_INET, "t", "m", &e);
	nft_end(nl);
	OK(nl_commit(nl, &err));
	ck_assert_int_eq(nft_get_element(nl, NFPROTO_INET, "t", "m", &e, got, 4, &err), -ENOENT);
	nft_begin(nl);
	nft_delete_element(nl, NFPROTO_INET, "t", "m", &e);
	nft_end(nl);
	ck_assert_int_eq(nl_commit(nl, &err), -ENOENT);
	OK(nft_delete_table(nl, NFPROTO_INET, "t", &err));
	ck_assert_int_eq(nft_has_table(nl, NFPROTO_INET, "t", &err), 0);
	nft_begin(nl);
	nft_add_element(nl, NFPROTO_INET, "t", "m", &e);
	nft_end(nl);
	ck_assert_int_eq(nl_commit(nl, &err), -ENOENT);
	ck_assert_int_eq(nft_script("this is no nft\n", &err), -EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "nft refused the table"));
	nl_close(nl);
}
END_TEST

START_TEST(test_forget_connections)
{
	struct nl *nl = open_nl(NL_NETFILTER, -1), *rt = open_nl(NL_ROUTE, -1);
	int server = -1;
	make_bridge(rt);
	int ns = attach(rt, "v1", "10.0.0.2");
	/* Tracking begins with a rule that asks for it. */
	if (nft_script("add table inet t\nadd chain inet t c { type filter hook output priority "
		       "0; }\nadd rule inet t c ct state new accept\n",
		       &err) == -ENOENT)
		return;
	OK(netns_run(ns, serve, &server, &err));
	OK(echo(&server, &err));
	OK(echo(&server, &err));
	ck_assert_int_eq(conntrack_forget(nl, IPPROTO_TCP, 99, &err), 0);
	ck_assert_int_eq(conntrack_forget(nl, IPPROTO_UDP, 98, &err), 0);
	ck_assert_int_eq(conntrack_forget(nl, IPPROTO_UDP, 99, &err), 2);
	ck_assert_int_eq(conntrack_forget(nl, IPPROTO_UDP, 99, &err), 0);
	nl_close(nl);
	nl_close(rt);
	close(ns);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("netns");
	TCase *t = tcase_create("kernel");
	if (geteuid() != 0)
		return 77;
	tcase_add_checked_fixture(t, own_namespace, NULL);
	tcase_add_test(t, test_create_comes_back);
	tcase_add_test(t, test_ipv6_is_off_before_the_first_link);
	tcase_add_test(t, test_pin);
	tcase_add_test(t, test_two_namespaces_talk);
	tcase_add_test(t, test_refusals_have_words);
	tcase_add_test(t, test_prefixes_are_listed);
	tcase_add_test(t, test_ipv6_address_is_usable_at_once);
	tcase_add_test(t, test_elements);
	tcase_add_test(t, test_forget_connections);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
