/*
 * caisson-network: takes a container's addresses and ports back when it has ended. A program of its
 * own, because what speaks to networks is no part of the monitor, which stays as long as the
 * container does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "bin/opts.h"
#include "netns/network.h"

static const char *root, *run_root, *id;

static const struct opt options[] = {
	{ 0, "root", "DIR", "networks are below it", OPT_TEXT, &root },
	{ 0, "run-root", "DIR", "what dies at reboot", OPT_TEXT, &run_root },
	{ 0, "id", "ID", "whose addresses and ports are taken back", OPT_TEXT, &id },
	{ 0 },
};

static int open_below(const char *dir, const char *name, struct csn_error *err)
{
	auto_fd top = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = top < 0 ? -1 : openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "%s/%s", dir, name) : fd;
}

static int detach(struct csn_error *err)
{
	struct net net AUTO(net_close) = NET_INIT;
	auto_fd definitions = open_below(root, "networks", err);
	TRY(definitions);
	auto_fd run = open_below(run_root, "network", err);
	TRY(run);
	TRY(net_open(definitions, run, net_world(run_root), &net, err));
	return net_detach(&net, id, NULL, false, err);
}

int main(int argc, char **argv)
{
	struct csn_error err;
	bool help;
	int first;

	if (opts_parse(options, argc, argv, false, &first, &help, &err) < 0 || help ||
	    first < argc || !root || !run_root || !id) {
		fprintf(stderr, "caisson-network is started by caisson-monitor: --root DIR "
				"--run-root DIR --id ID\n");
		return 1;
	}
	if (detach(&err) < 0) {
		fprintf(stderr, "caisson-network: %s\n", err.text);
		return 1;
	}
	return 0;
}
