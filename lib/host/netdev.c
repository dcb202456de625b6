/*
 * linux.netDevices: links of the host that go into the container's network namespace
 * (config-linux.md "Network Devices"). Done when the child has its namespace and waits, before the
 * hooks, which may want to see them. Of a container that exists they are never taken back: when its
 * namespace ends, the kernel decides. Only when the creation fails do they return, for it must
 * leave no trace.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "host/launch.h"
#include "netns/netns.h"

static int open_ns(pid_t pid, struct csn_error *err)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "linux.netDevices: %s", path) : fd;
}

int netdev_move(const struct spec *spec, pid_t pid, struct moved_device *moved, size_t *ret_count,
		struct csn_error *err)
{
	const struct spec_linux *l = &spec->linux_;
	if (!l->net_devices_count)
		return 0;

	auto_fd ns = open_ns(pid, err);
	TRY(ns);
	for (size_t i = 0; i < l->net_devices_count; i++) {
		const struct spec_net_device *n = &l->net_devices[i];
		struct net_move m = { .name = n->host_name,
				      .new_name = n->name ? n->name : n->host_name,
				      .ns = ns };
		int r = netns_move_link(&m, err);
		if (r < 0)
			return within(err, r, "linux.netDevices: \"%s\"", n->host_name);
		moved[i] = (struct moved_device){ .was_up = m.was_up };
		memcpy(moved[i].name, m.got_name, sizeof moved[i].name);
		*ret_count = i + 1;
	}
	return 0;
}

struct way_back {
	const struct spec_net_device *device;
	const struct moved_device *moved;
	int home;
};

static int move_back(void *data, struct csn_error *err)
{
	const struct way_back *w = data;
	struct net_move m = { .name = w->moved->name,
			      .new_name = w->device->host_name,
			      .ns = w->home,
			      .leave_down = !w->moved->was_up };
	return netns_move_link(&m, err);
}

void netdev_return(const struct spec *spec, pid_t pid, const struct moved_device *moved,
		   size_t count)
{
	if (!count)
		return;
	auto_fd ns = open_ns(pid, NULL);
	auto_fd home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	for (size_t i = count; ns >= 0 && home >= 0 && i-- > 0;) {
		struct way_back w = { &spec->linux_.net_devices[i], &moved[i], home };
		(void)netns_run(ns, move_back, &w, NULL);
	}
}
