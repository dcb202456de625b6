/*
 * What the network of one container costs: namespace, links, address, route and one published
 * port, and taking all of it back. Ours in this process, as libcaisson does it; netavark and the
 * CNI plugins (bridge, portmap), where they are installed, as the programs that their users run.
 * In every round each does one container, so that whatever else the machine does hits all alike.
 *
 *	netattach ROUNDS [COUNT]
 *
 * COUNT: then ours are attached until so many are there, and the last ones are compared with the
 * 10th: in two hosts (network namespaces), by turns. "Kernel alone" is the same with nothing but
 * the requests for a namespace, two links, a bridge's port, an address and a route: whatever grows
 * there is none of ours. To be run in network and mount namespaces of its own (tests/bench/net).
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "netns/network.h"

enum { WARM_UP = 3 };
enum what { OURS, OURS_BACK, NETAVARK, NETAVARK_BACK, CNI, CNI_BACK, WHATS };
static const char *const names[] = { "caisson",	       "caisson, back", "netavark",
				     "netavark, back", "CNI",		"CNI, back" };
static double *samples[WHATS];
static size_t counts[WHATS];
static const char *dir; /* for all files */

/* One host: its network namespace, and our files there. */
struct host {
	int ns;
	struct net net;
	uint32_t bridge; /* of the kernel alone: index */
	struct nl *nl;
	unsigned count;
};
#define HOST_INIT                                                                                  \
	{                                                                                          \
		.ns = -1, .net = NET_INIT                                                          \
	}
static struct host here = HOST_INIT;

static void die(const struct csn_error *err)
{
	fprintf(stderr, "netattach: %s\n", err->text);
	exit(1);
}

static double now_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double cpu_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof *v, compare);
	return n ? v[n / 2] : 0;
}

/* ---- ours -------------------------------------------------------------------------------------
 */

static double attach_one(struct host *h, int *ret_ns)
{
	struct csn_error err;
	char owner[32];
	double start = now_us();
	(void)snprintf(owner, sizeof owner, "bench%u", h->count);
	const struct net_join join = { .network = NET_DEFAULT, .ifname = "eth0", .gateway = true };
	const struct net_port port = { .protocol = IPPROTO_TCP,
				       .host_port = (uint16_t)(20000 + h->count),
				       .container_port = 80 };
	h->count++;
	if (netns_create(false, ret_ns, &err) < 0)
		die(&err);
	const struct net_attach a = { .owner = owner,
				      .generation = (uint64_t)start,
				      .ns = *ret_ns,
				      .joins = &join,
				      .joins_count = 1,
				      .ports = &port,
				      .ports_count = 1 };
	if (net_attach(&h->net, &a, NULL, &err) < 0)
		die(&err);
	return now_us() - start;
}

static double detach_one(struct host *h, unsigned i, int ns)
{
	struct csn_error err;
	char owner[32];
	double start = now_us();
	(void)snprintf(owner, sizeof owner, "bench%u", i);
	(void)close(ns);
	if (net_detach(&h->net, owner, NULL, false, &err) < 0)
		die(&err);
	return now_us() - start;
}

/* Definitions and state of their own. */
static void open_net(struct net *net, const char *name)
{
	struct csn_error err;
	struct arena arena AUTO(arena_free) = { 0 };
	struct network n;
	char definitions[200], run_dir[200];
	(void)snprintf(definitions, sizeof definitions, "%s/%s-definitions", dir, name);
	(void)snprintf(run_dir, sizeof run_dir, "%s/%s-run", dir, name);
	(void)mkdir(definitions, 0700);
	(void)mkdir(run_dir, 0700);
	int d = open(definitions, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (net_open(d, r, "bench", net, &err) < 0 || net_find_default(net, &n, &arena, &err) < 0)
		die(&err);
}

/* ---- theirs -----------------------------------------------------------------------------------
 */

extern char **environ;

/* A program with a text on its standard input; what it prints goes to output. */
static void run(const char *const *argv, const char *input, char *output, size_t size)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;
	auto_fd in = memfd_create("in", MFD_CLOEXEC);
	auto_fd out = memfd_create("out", MFD_CLOEXEC);
	if (in < 0 || out < 0 || write(in, input, strlen(input)) < 0 || lseek(in, 0, SEEK_SET) < 0)
		exit(1);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, in, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, out, 1);
	int e = posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	ssize_t n = -1;
	if (e == 0 && waitpid(pid, &status, 0) == pid && status == 0)
		n = pread(out, output, size - 1, 0);
	if (n < 0) {
		(void)!pread(out, output, size - 1, 0);
		fprintf(stderr, "netattach: %s failed: %.300s\n", argv[0], output);
		exit(1);
	}
	output[n] = '\0';
}

/* A pinned namespace, as those programs want one; its making is a part of their time too. */
static void make_netns(const char *path)
{
	struct csn_error err;
	auto_fd ns = -1;
	auto_fd at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (netns_create(false, &ns, &err) < 0 ||
	    netns_pin(ns, at, strrchr(path, '/') + 1, &err) < 0)
		die(&err);
}

static void drop_netns(const char *path)
{
	struct csn_error err;
	auto_fd at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (netns_unpin(at, strrchr(path, '/') + 1, &err) < 0)
		die(&err);
}

static double netavark(const char *program, const char *verb, const char *path)
{
	char config[200], output[8192];
	static const char options[] =
		"{\"container_id\":\"bench\",\"container_name\":\"bench\",\"port_mappings\":[{"
		"\"host_ip\":\"\",\"container_port\":80,\"host_port\":19999,\"range\":1,"
		"\"protocol\":\"tcp\"}],\"networks\":{\"n\":{\"static_ips\":[\"10.77.0.2\"],"
		"\"interface_name\":\"eth0\"}},\"network_info\":{\"n\":{\"name\":\"n\",\"id\":"
		"\"53ce4390f2adb1681eb1a90ec8b48c49c015e0a8d336c197637e7f65e365fa9e\","
		"\"driver\":\"bridge\",\"network_interface\":\"nbr0\",\"subnets\":[{\"subnet\":"
		"\"10.77.0.0/16\",\"gateway\":\"10.77.0.1\"}],\"ipv6_enabled\":false,"
		"\"internal\":false,\"dns_enabled\":false,\"ipam_options\":{\"driver\":"
		"\"host-local\"}}}}";
	double start = now_us();
	(void)snprintf(config, sizeof config, "%s/netavark", dir);
	if (strcmp(verb, "setup") == 0)
		make_netns(path);
	const char *argv[] = { program, "--config", config, verb, path, NULL };
	run(argv, options, output, sizeof output);
	if (strcmp(verb, "setup") != 0)
		drop_netns(path);
	return now_us() - start;
}

#define CNI_HEAD "{\"cniVersion\":\"0.4.0\",\"name\":\"n\","
static void plugin(const char *name, const char *config)
{
	static char path[300], output[8192];
	(void)snprintf(path, sizeof path, "%s/%s", getenv("CNI_PATH"), name);
	const char *argv[] = { path, NULL };
	run(argv, config, output, sizeof output);
}

static double cni(const char *verb, const char *path)
{
	static char portmap[9000], bridge[600], output[8192], plugin_path[300];
	double start = now_us();
	(void)setenv("CNI_COMMAND", verb, 1);
	(void)setenv("CNI_NETNS", path, 1);
	(void)snprintf(bridge, sizeof bridge,
		       CNI_HEAD "\"type\":\"bridge\",\"bridge\":\"cbr0\",\"isGateway\":true,"
				"\"ipMasq\":true,\"ipam\":{\"type\":\"host-local\",\"dataDir\":"
				"\"%s/cni\",\"ranges\":[[{\"subnet\":\"10.78.0.0/16\"}]]}}",
		       dir);
	bool add = strcmp(verb, "ADD") == 0;
	if (add)
		make_netns(path);
	(void)snprintf(plugin_path, sizeof plugin_path, "%s/bridge", getenv("CNI_PATH"));
	const char *argv[] = { plugin_path, NULL };
	if (add)
		run(argv, bridge, output, sizeof output);
	(void)snprintf(portmap, sizeof portmap,
		       CNI_HEAD "\"type\":\"portmap\",\"capabilities\":{\"portMappings\":true},"
				"\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":19998,"
				"\"containerPort\":80,\"protocol\":\"tcp\"}]}%s%s}",
		       add ? ",\"prevResult\":" : "", add ? output : "");
	plugin("portmap", portmap);
	if (!add) {
		plugin("bridge", bridge);
		drop_netns(path);
	}
	return now_us() - start;
}

/* ---- all --------------------------------------------------------------------------------------
 */

static void keep(enum what what, double us)
{
	samples[what][counts[what]++] = us;
}

static void compare_all(unsigned rounds)
{
	char path[200];
	const char *program = getenv("NETAVARK");
	(void)snprintf(path, sizeof path, "%s/netns", dir);
	for (unsigned i = 0; i < rounds + WARM_UP; i++) {
		int ns;
		if (i == WARM_UP)
			memset(counts, 0, sizeof counts);
		keep(OURS, attach_one(&here, &ns));
		keep(OURS_BACK, detach_one(&here, i, ns));
		if (program) {
			keep(NETAVARK, netavark(program, "setup", path));
			keep(NETAVARK_BACK, netavark(program, "teardown", path));
		}
		if (getenv("CNI_PATH")) {
			keep(CNI, cni("ADD", path));
			keep(CNI_BACK, cni("DEL", path));
		}
	}
	double ours = median(samples[OURS], counts[OURS]);
	for (int i = 0; i < WHATS; i++) {
		double m = median(samples[i], counts[i]);
		if (counts[i])
			printf("%-16s %9.0f us  %6.1f x\n", names[i], m, m / ours);
	}
}

/* ---- growth -----------------------------------------------------------------------------------
 */

enum { NEAR = 10, AROUND = 5, TURNS = 8 }; /* the 10th is the 5th to the 15th */

/* The requests alone, in the order in which ours sends them. */
static double bare_one(struct host *h, int *ret_ns)
{
	struct csn_error err;
	char name[IFNAMSIZ];
	struct nl *inside;
	struct link_info l;
	double start = now_us();
	unsigned n = h->count++;
	const struct net_addr gateway = { AF_INET, 32, { 10, 99, 0, 1 } };
	const struct net_addr a = { AF_INET, 16, { 10, 99, (uint8_t)(n >> 8), (uint8_t)(n + 2) } };
	const struct net_mac mac = { { 2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n } };
	(void)snprintf(name, sizeof name, "bare%u", n);
	const struct veth v = { .host_name = name, .peer_name = "eth0", .peer_mac = mac };
	const struct bridge_port p = { .link = name, .bridge = "bare", .bridge_index = h->bridge };
	if (unshare(CLONE_NEWNET) < 0)
		exit(1);
	*ret_ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int r = nl_open(NL_ROUTE, -1, &inside, &err);
	if (r < 0 || setns(h->ns, CLONE_NEWNET) < 0)
		die(&err);
	struct veth pair = v;
	pair.peer_ns = *ret_ns;
	nl_add_veth(h->nl, &pair);
	nl_set_up(h->nl, name, true);
	if (nl_commit(h->nl, &err) < 0 || nl_get_link(inside, "eth0", &l, &err) < 0)
		die(&err);
	nl_set_up(inside, "eth0", true);
	nl_add_address(inside, l.index, &a);
	nl_add_default_route(inside, l.index, &gateway, 0);
	nl_add_port(h->nl, &p);
	if (nl_commit(inside, &err) < 0 || nl_commit(h->nl, &err) < 0)
		die(&err);
	nl_close(inside);
	return now_us() - start;
}

static struct host new_host(const char *name)
{
	struct csn_error err;
	struct link_info l;
	struct host h = HOST_INIT;
	const struct bridge bare = { .name = "bare", .mac = { { 2, 1 } } };
	if (unshare(CLONE_NEWNET) < 0)
		exit(1);
	h.ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	open_net(&h.net, name);
	if (nl_open(NL_ROUTE, -1, &h.nl, &err) < 0)
		die(&err);
	nl_set_up(h.nl, "lo", true);
	nl_add_bridge(h.nl, &bare);
	nl_set_up(h.nl, "bare", true);
	if (nl_commit(h.nl, &err) < 0 || nl_get_link(h.nl, "bare", &l, &err) < 0)
		die(&err);
	h.bridge = l.index;
	return h;
}

typedef double attach_fn(struct host *h, int *ret_ns);

/* Attaches one there; its namespace stays open in the list. */
static double turn(struct host *h, attach_fn *fn, int *list, size_t *count)
{
	if (setns(h->ns, CLONE_NEWNET) < 0)
		exit(1);
	return fn(h, &list[(*count)++]);
}

/* The time on the clock, and of the processor: the former is what somebody waits for, the latter
 * says the same on a machine that has other things to do. */
struct sample {
	double us[TURNS * NEAR], cpu_us[TURNS * NEAR];
	size_t count;
};

static void measured_turn(struct host *h, attach_fn *fn, int *list, size_t *count, struct sample *s)
{
	const struct timespec pause = {
		0, 2000000
	}; /* what the last one left to the kernel's workers */
	(void)nanosleep(&pause, NULL);
	double cpu = cpu_us();
	s->us[s->count] = turn(h, fn, list, count);
	s->cpu_us[s->count++] = cpu_us() - cpu;
}

/* Links and namespaces go in the kernel's own time. */
static void settle(int *list, size_t *count)
{
	while (*count)
		(void)close(list[--*count]);
	const struct timespec while_that_happens = { 1, 500000000 };
	(void)nanosleep(&while_that_happens, NULL);
}

static void grow(const char *what, attach_fn *fn, unsigned count)
{
	char name[40];
	size_t n = 0, few = 0;
	struct sample far = { .count = 0 }, near = { .count = 0 };
	int *many = calloc(count + NEAR, sizeof *many), small[NEAR + AROUND];
	if (!many)
		exit(1);
	(void)snprintf(name, sizeof name, "many-%.8s", what);
	struct host big = new_host(name);
	while (n + NEAR < count)
		(void)turn(&big, fn, many, &n);
	for (int t = 0; t < TURNS; t++) {
		(void)snprintf(name, sizeof name, "few-%d-%.8s", t, what);
		struct host h = new_host(name);
		while (few < AROUND)
			(void)turn(&h, fn, small, &few);
		for (int i = 0; i < NEAR; i++) {
			if (i % 2)
				measured_turn(&big, fn, many, &n, &far);
			measured_turn(&h, fn, small, &few, &near);
			if (i % 2 == 0)
				measured_turn(&big, fn, many, &n, &far);
		}
		/* Back to where it was. */
		for (; fn == attach_one && n + NEAR > count; n--)
			(void)detach_one(&big, --big.count, many[n - 1]);
		for (; fn != attach_one && n + NEAR > count; n--, big.count--)
			(void)close(many[n - 1]);
		settle(small, &few);
		net_close(&h.net);
		nl_close(h.nl);
		(void)close(h.ns);
	}
	double last = median(far.us, far.count), tenth = median(near.us, near.count);
	printf("%-13s the 10th %5.0f us, number %u %5.0f us: %.2f x", what, tenth, count, last,
	       last / tenth);
	last = median(far.cpu_us, far.count);
	tenth = median(near.cpu_us, near.count);
	printf("; of the processor %5.0f us, %5.0f us: %.2f x\n", tenth, last, last / tenth);
	if (fn == attach_one) {
		double start = now_us();
		for (unsigned i = big.count; i > 0; i--)
			(void)detach_one(&big, i - 1, many[i - 1]);
		printf("%u taken back: %.0f us each\n", big.count,
		       (now_us() - start) / (double)big.count);
		n = 0;
	}
	settle(many, &n);
	net_close(&big.net);
	nl_close(big.nl);
	(void)close(big.ns);
	free(many);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 50;
	unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	dir = getenv("TMPDIR");
	if (!dir)
		dir = "/tmp";
	for (int i = 0; i < WHATS; i++)
		samples[i] = calloc(rounds + WARM_UP, sizeof **samples);
	open_net(&here.net, "here");
	if (rounds)
		compare_all(rounds);
	net_close(&here.net);
	if (count > NEAR) {
		grow("kernel alone", bare_one, count);
		grow("caisson", attach_one, count);
	}
	return 0;
}
