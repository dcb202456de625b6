/*
 * Names by aardvark-dns, where it is installed: one process for all networks, which listens on
 * their gateways, knows whom we write into its directory, and asks the host's name servers for the
 * rest. It ends by itself when the last network has left that directory.
 *
 * Not for internal networks: it would carry their questions outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "netns/world.h"

enum { NAMES_MAX = 1 << 16 };

static const char *program(void)
{
	static const char *const places[] = { "/usr/lib/podman/aardvark-dns",
					      "/usr/libexec/podman/aardvark-dns",
					      "/usr/local/libexec/podman/aardvark-dns" };
	for (size_t i = 0; i < COUNT(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

bool net_dns_served(const struct network *n)
{
	return n->driver == NET_BRIDGE && n->dns && !n->internal && program();
}

/* ---- what it is told --------------------------------------------------------------------------
 */

struct writing {
	struct net *net;
	const struct network *n;
	FILE *out;
	int names; /* directory */
	size_t members;
};

/* The names behind the address in the first line of an owner's file, with commas between. */
static void put_names(FILE *out, const char *text)
{
	const char *p = strchr(text, '\n');
	p = p ? strchr(p + 1, '\t') : NULL;
	for (p = p ? p + 1 : ""; *p && *p != '\n'; p++)
		fputc(*p == ' ' ? ',' : *p, out);
}

static int put_member(void *data, const struct net_lease *l)
{
	struct writing *w = data;
	auto_mem char *text = NULL;
	size_t size;
	char v4[NET_TEXT] = "", v6[NET_TEXT] = "";
	if (file_read(w->names, l->owner, NAMES_MAX, &text, &size, NULL) < 0)
		return 0;
	fprintf(w->out, "%s %s %s ", l->owner, net_addr_print(&l->v4, v4),
		net_addr_print(&l->v6, v6));
	put_names(w->out, text);
	fputc('\n', w->out);
	w->members++;
	return 0;
}

static int write_members(struct writing *w, struct csn_error *err)
{
	char dir[80], v4[NET_TEXT] = "", v6[NET_TEXT] = "";
	(void)snprintf(dir, sizeof dir, "%s.names", w->n->name);
	auto_fd names = openat(w->net->run, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	net_addr_print(&w->n->v4.gateway, v4);
	net_addr_print(&w->n->v6.gateway, v6);
	fprintf(w->out, "%s%s%s\n", v4, v4[0] && v6[0] ? "," : "", v6);
	w->names = names;
	return names < 0 ? 0 : net_each_lease(w->net, w->n->name, put_member, w, err);
}

/* It reads every file that it finds: one that is not finished must not be there. */
static int write_file(struct net *net, const struct network *n, int dns, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	char file[80];
	struct writing w = { .net = net, .n = n, .out = open_memstream(&text, &size) };
	if (!w.out)
		return fail(err, ENOMEM, "out of memory");
	int r = write_members(&w, err);
	if (fclose(w.out) != 0 && r == 0)
		r = fail(err, ENOMEM, "out of memory");
	TRY(r);
	if (!w.members)
		return unlinkat(dns, n->name, 0) < 0 && errno != ENOENT
			       ? fail_errno(err, "dns of network \"%s\"", n->name)
			       : 0;
	(void)snprintf(file, sizeof file, "%s.dns", n->name);
	TRY(file_write_atomic(net->run, file, text, size, 0600, false, err));
	return renameat(net->run, file, dns, n->name) < 0
		       ? fail_errno(err, "dns of network \"%s\"", n->name)
		       : 0;
}

/* ---- the process ------------------------------------------------------------------------------
 */

static bool is_aardvark(pid_t pid)
{
	char path[40], name[16] = "";
	(void)snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, name, sizeof name - 1) > 0 &&
	       strncmp(name, "aardvark-dns", 12) == 0;
}

/* The one that runs: 0: none does. */
static pid_t running(int dns)
{
	char text[16] = "";
	auto_fd fd = openat(dns, "aardvark.pid", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		return 0;
	pid_t pid = (pid_t)strtol(text, NULL, 10);
	return pid > 1 && is_aardvark(pid) ? pid : 0;
}

static bool tell(int dns)
{
	pid_t pid = running(dns);
	return pid && kill(pid, SIGHUP) == 0;
}

/* It is nobody's child: a shell starts it and ends. */
static int start(int dns, struct csn_error *err)
{
	char dir[4096], path[40], sh[] = "sh", dash_c[] = "-c";
	char script[] = "setsid \"$0\" --config \"$1\" -p 53 run </dev/null >/dev/null 2>&1 &";
	char *const envp[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" }, NULL };
	pid_t pid;
	int status;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", dns);
	ssize_t n = readlink(path, dir, sizeof dir - 1);
	if (n < 0)
		return fail_errno(err, "aardvark-dns");
	dir[n] = '\0';
	auto_mem char *name = strdup(program());
	if (!name)
		return fail(err, ENOMEM, "out of memory");
	char *const argv[] = { sh, dash_c, script, name, dir, NULL };
	int e = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, envp);
	if (e)
		return fail(err, e, "start aardvark-dns: %s", strerror(e));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* Until it has said who it is: the next one would start another. */
	for (int tries = 0; tries < 200 && !running(dns); tries++)
		(void)usleep(5000);
	return 0;
}

int dns_update(struct net *net, const struct network *n, struct csn_error *err)
{
	if (mkdirat(net->run, "dns", 0700) < 0 && errno != EEXIST)
		return fail_errno(err, "make directory dns");
	auto_fd dns = openat(net->run, "dns", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd lock =
		openat(net->run, "dns.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (dns < 0 || lock < 0 || flock(lock, LOCK_EX) < 0)
		return fail_errno(err, "open directory dns");
	TRY(write_file(net, n, dns, err));
	if (tell(dns) || faccessat(dns, n->name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return start(dns, err);
}
