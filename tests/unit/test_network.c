/*
 * The network layer: addresses as numbers, ledgers that were damaged or are of another boot, and
 * attaching against the real kernel, each case in namespaces of its own. Not as root: only what
 * needs no kernel.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "netns/ledger.h"
#include "netns/network.h"
#include "netns/world.h"

static struct csn_error err;
#define OK(call) ck_assert_msg((call) >= 0, "%s", err.text)

/* ---- addresses ------------------------------------------------------------------------------- */

START_TEST(test_addresses)
{
	struct net_addr a, b;
	char text[NET_TEXT];
	OK(net_prefix_parse("10.1.2.3/20", &a));
	b = net_prefix_base(&a);
	ck_assert_str_eq(net_prefix_print(&b, text), "10.1.0.0/20");
	ck_assert_uint_eq(net_addr_index(&a, &a), 2 * 256 + 3);
	ck_assert_uint_eq(net_prefix_size(&a), 4096);
	b = net_addr_at(&a, 300);
	ck_assert_str_eq(net_addr_print(&b, text), "10.1.1.44");
	OK(net_prefix_parse("fd00::/64", &a));
	b = net_addr_at(&a, 0x10203);
	ck_assert_str_eq(net_addr_print(&b, text), "fd00::1:203");
	ck_assert_uint_eq(net_addr_index(&a, &b), 0x10203);
	ck_assert_uint_eq(net_prefix_size(&a), UINT64_MAX);
	OK(net_addr_parse("fd00::ff00:0:0:1", &b));
	ck_assert(net_prefix_contains(&a, &b));
	ck_assert_uint_eq(net_addr_index(&a, &b), 0xff00000000000001);
	OK(net_prefix_parse("fd00:0:0:1::/64", &b));
	ck_assert(!net_prefix_overlaps(&a, &b));
	OK(net_prefix_parse("fd00::/48", &b));
	ck_assert(net_prefix_overlaps(&a, &b) && net_prefix_overlaps(&b, &a));
}
END_TEST

START_TEST(test_bad_addresses)
{
	static const char *const prefixes[] = {
		"",	      "10.0.0.0", "10.0.0.0/",	 "10.0.0.0/33", "10.0.0/24",
		"fd00::/129", "::/1x",	  "10.0.0.0/-1", "10.0.0.0/+8"
	};
	static const char *const macs[] = { "",
					    "02:42:ac:11:00",
					    "02:42:ac:11:00:0g",
					    "01:00:00:00:00:00",
					    "02-42-ac-11-00-02",
					    "02:42:ac:11:00:022" };
	struct net_addr a;
	struct net_mac m;
	for (size_t i = 0; i < COUNT(prefixes); i++)
		ck_assert_msg(net_prefix_parse(prefixes[i], &a) < 0, "%s", prefixes[i]);
	for (size_t i = 0; i < COUNT(macs); i++)
		ck_assert_msg(net_mac_parse(macs[i], &m) < 0, "%s", macs[i]);
	OK(net_mac_parse("02:42:AC:11:00:fe", &m));
	ck_assert_uint_eq(m.bytes[5], 0xfe);
}
END_TEST

/* ---- ledgers --------------------------------------------------------------------------------- */

struct note {
	struct ledger_head head;
	char text[32];
};

static int dir;
static char dir_path[40];

static void make_dir(void)
{
	(void)strcpy(dir_path, "/tmp/test-network.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir_path));
	dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void drop_dir(void)
{
	close(dir);
	OK(remove_tree(AT_FDCWD, dir_path, &err));
}

static void put(const char *text)
{
	struct ledger l = LEDGER_INIT;
	struct note n = { 0 };
	(void)snprintf(n.text, sizeof n.text, "%s", text);
	OK(ledger_open(dir, "l", sizeof n, true, &l, &err));
	OK(ledger_put(&l, ledger_free_slot(&l), &n, &err));
	ledger_close(&l);
}

/* What is in it: "a.b": a free record between two. */
static const char *all(void)
{
	static char text[400];
	struct ledger l = LEDGER_INIT;
	OK(ledger_open(dir, "l", sizeof(struct note), false, &l, &err));
	text[0] = '\0';
	for (size_t i = 0; i < l.count; i++) {
		const struct note *n = ledger_at(&l, i);
		(void)strcat(text, n ? n->text : ".");
	}
	ledger_close(&l);
	return text;
}

START_TEST(test_ledger)
{
	struct ledger l = LEDGER_INIT;
	ck_assert_str_eq(all(), "");
	put("a");
	put("b");
	put("c");
	OK(ledger_open(dir, "l", sizeof(struct note), true, &l, &err));
	OK(ledger_drop(&l, 1, &err));
	OK(ledger_set_cursor(&l, 77, &err));
	ledger_close(&l);
	ck_assert_str_eq(all(), "a.c");
	put("d"); /* the free one first */
	ck_assert_str_eq(all(), "adc");
	OK(ledger_open(dir, "l", sizeof(struct note), false, &l, &err));
	ck_assert_uint_eq(l.cursor, 77);
	ledger_close(&l);
}
END_TEST

/* Any byte of a record that is not as it was written makes it free: so does half a record. */
START_TEST(test_ledger_damaged)
{
	put("a");
	put("b");
	int fd = openat(dir, "l", O_RDWR | O_CLOEXEC);
	struct stat st;
	ck_assert_int_eq(fstat(fd, &st), 0);
	for (off_t at = st.st_size - (off_t)sizeof(struct note); at < st.st_size; at++) {
		char byte, other;
		ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
		other = (char)(byte ^ 0x10);
		ck_assert_int_eq(pwrite(fd, &other, 1, at), 1);
		ck_assert_str_eq(all(), "a.");
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	}
	ck_assert_str_eq(all(), "ab");
	ck_assert_int_eq(ftruncate(fd, st.st_size - 1), 0);
	ck_assert_str_eq(all(), "a");
	put("c");
	ck_assert_str_eq(all(), "ac");
	ck_assert_int_eq(pwrite(fd, "another!", 8, 0), 8);
	ck_assert_str_eq(all(), "");
	put("new");
	ck_assert_str_eq(all(), "new");
	close(fd);
}
END_TEST

/* ---- attaching ------------------------------------------------------------------------------- */

static struct net net = NET_INIT;

static void own_world(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	make_dir();
	ck_assert_int_eq(mkdirat(dir, "definitions", 0700), 0);
	ck_assert_int_eq(mkdirat(dir, "run", 0700), 0);
	OK(net_open(openat(dir, "definitions", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		    openat(dir, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "test", &net, &err));
}

static void leave_world(void)
{
	net_close(&net);
	close(net.definitions);
	close(net.run);
	drop_dir();
}

static int count(void *data, const struct net_lease *l)
{
	(void)l;
	++*(int *)data;
	return 0;
}

static int leases(const char *network)
{
	int n = 0;
	OK(net_each_lease(&net, network, count, &n, &err));
	return n;
}

static int attach_to(const char *owner, const char *network, uint16_t port, struct net_lease *ret,
		     int *ret_ns)
{
	const struct net_join j = { .network = network, .ifname = "eth0", .gateway = true };
	const struct net_port p = { .protocol = IPPROTO_UDP,
				    .host_port = port,
				    .container_port = 9 };
	OK(netns_create(false, ret_ns, &err));
	const struct net_attach a = { .owner = owner,
				      .generation = 1,
				      .ns = *ret_ns,
				      .joins = &j,
				      .joins_count = 1,
				      .ports = &p,
				      .ports_count = port != 0 };
	return net_attach(&net, &a, ret, &err);
}

static bool nobody(void *data, const char *owner)
{
	(void)data;
	(void)owner;
	return false;
}

/* The kernel's own refusal would come when everything else has been made. */
START_TEST(test_a_full_bridge)
{
	struct net_create c = { .name = "n", .subnet4 = "10.9.0.0/16" };
	struct ledger l = LEDGER_INIT;
	struct net_lease lease;
	int ns;
	OK(net_create(&net, &c, &err));
	OK(leases_open(&net, "n", true, &l, &err));
	for (size_t i = 0; i < 1023; i++) {
		struct lease_record r = { .generation = 1, .owner = "somebody" };
		OK(ledger_put(&l, i, &r, &err));
	}
	ledger_close(&l);
	ck_assert_int_eq(attach_to("o", "n", 0, &lease, &ns), -ENOSPC);
	ck_assert_str_eq(err.text, "network \"n\": 1023 are attached, and a bridge holds no more: "
				   "make another network");
	close(ns);
	ck_assert_int_eq(leases("n"), 1023);
	OK(leases_open(&net, "n", true, &l, &err));
	OK(ledger_drop(&l, 500, &err));
	ledger_close(&l);
	OK(attach_to("o", "n", 0, &lease, &ns));
	OK(net_detach(&net, "o", NULL, true, &err));
	close(ns);
}
END_TEST

START_TEST(test_attach_detach_recover)
{
	struct net_create c = { .name = "n", .subnet4 = "10.9.0.0/29" };
	struct net_lease l[5];
	struct net_recovered done;
	char text[NET_TEXT], owner[8];
	int ns[6];
	OK(net_create(&net, &c, &err));
	for (int i = 0; i < 5; i++) {
		(void)snprintf(owner, sizeof owner, "o%d", i);
		OK(attach_to(owner, "n", (uint16_t)(7000 + i), &l[i], &ns[i]));
		ck_assert_uint_eq(l[i].v4.bytes[3], 2 + i);
	}
	ck_assert_int_eq(attach_to("o5", "n", 0, &l[0], &ns[5]), -ENOSPC);
	ck_assert_str_eq(err.text, "network \"n\": no address is free in 10.9.0.0/29");
	close(ns[5]);
	ck_assert_int_eq(attach_to("o1", "n", 0, &l[0], &ns[5]), -EEXIST);
	close(ns[5]);
	ck_assert_int_eq(net_remove(&net, "n", &err), -EBUSY);
	OK(net_detach(&net, "o3", NULL, false, &err));
	ck_assert_int_eq(leases("n"), 4);
	close(ns[3]);
	OK(attach_to("o6", "n", 7003, &l[3], &ns[3]));
	ck_assert_str_eq(net_addr_print(&l[3].v4, text), "10.9.0.5");
	/* One whose namespace went without a word: its address comes back when it is needed. */
	close(ns[0]);
	struct link_info link;
	for (int i = 0; i < 100 && nl_get_link(net.route, l[1].link, &link, NULL) == 0; i++)
		usleep(20000);
	OK(net_recover(&net, nobody, NULL, &done, &err));
	ck_assert_uint_eq(done.owners, 5);
	ck_assert_int_eq(leases("n"), 0);
	OK(net_recover(&net, nobody, NULL, &done, &err));
	ck_assert_uint_eq(done.owners + done.leases + done.ports + done.links, 0);
	OK(net_remove(&net, "n", &err));
	ck_assert_int_eq(nl_get_link(net.route, "csn0", &link, &err), -ENODEV);
	ck_assert_int_eq(nft_has_table(net.filter, 1, net.table, &err), 0);
}
END_TEST

START_TEST(test_exhausted_by_the_dead)
{
	struct net_create c = { .name = "n", .subnet4 = "10.9.0.0/30" };
	struct net_lease first, second;
	struct link_info link;
	int ns;
	OK(net_create(&net, &c, &err));
	OK(attach_to("dead", "n", 0, &first, &ns));
	ck_assert_int_eq(attach_to("next", "n", 0, &second, &(int){ -1 }), -ENOSPC);
	close(ns);
	for (int i = 0; i < 200 && nl_get_link(net.route, first.link, &link, NULL) == 0; i++)
		usleep(20000);
	OK(attach_to("next", "n", 0, &second, &ns));
	ck_assert(net_addr_equal(&first.v4, &second.v4));
	ck_assert_int_eq(leases("n"), 1);
	close(ns);
}
END_TEST

/* Somebody else's listener keeps its port, whichever way he has it. */
START_TEST(test_port_taken)
{
	struct net_create c = { .name = "n", .subnet4 = "10.9.0.0/24" };
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(7001) };
	struct net_lease l;
	int ns, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (void *)&here, sizeof here), 0);
	OK(net_create(&net, &c, &err));
	ck_assert_int_eq(attach_to("o", "n", 7001, &l, &ns), -EADDRINUSE);
	ck_assert_str_eq(err.text, "port 7001/udp: already in use on the host");
	ck_assert_int_eq(leases("n"), 0);
	close(fd);
	close(ns);
	OK(attach_to("o", "n", 7001, &l, &ns));
	close(ns);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("network");
	TCase *plain = tcase_create("plain"), *files = tcase_create("files"),
	      *kernel = tcase_create("kernel");
	tcase_add_test(plain, test_addresses);
	tcase_add_test(plain, test_bad_addresses);
	suite_add_tcase(s, plain);
	tcase_add_checked_fixture(files, make_dir, drop_dir);
	tcase_add_test(files, test_ledger);
	tcase_add_test(files, test_ledger_damaged);
	suite_add_tcase(s, files);
	if (geteuid() == 0 && access("/usr/sbin/nft", X_OK) == 0) {
		tcase_add_checked_fixture(kernel, own_world, leave_world);
		tcase_set_timeout(kernel, 30);
		tcase_add_test(kernel, test_attach_detach_recover);
		tcase_add_test(kernel, test_a_full_bridge);
		tcase_add_test(kernel, test_exhausted_by_the_dead);
		tcase_add_test(kernel, test_port_taken);
		suite_add_tcase(s, kernel);
	}
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
