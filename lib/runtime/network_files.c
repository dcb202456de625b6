/*
 * /etc/hosts and /etc/resolv.conf of a container. What stands here is written once; the lines of
 * its own addresses and of the others in its networks are put behind by netns/ at each start.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "runtime/network.h"

#define RESOLV_CONF_MAX 65536

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

/* ---- hosts ------------------------------------------------------------------------------------
 */

/* The host, seen from the container: the gateway of its first network that has one. */
static bool host_address(struct csn_runtime *rt, const struct run_network *n, char buf[NET_TEXT])
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct network found;
	if (n->mode == MODE_HOST || n->mode == MODE_NONE) {
		(void)strcpy(buf, "127.0.0.1");
		return n->mode == MODE_HOST;
	}
	if (n->mode != MODE_NETWORKS || engine_net_open(rt, &en, NULL) < 0)
		return false;
	for (size_t i = 0; i < n->joins.count; i++) {
		if (net_find(&en.net, n->joins.items[i].network, &found, &arena, NULL) < 0 ||
		    found.driver != NET_BRIDGE)
			continue;
		const struct net_addr *gateway =
			found.v4.gateway.family ? &found.v4.gateway : &found.v6.gateway;
		net_addr_print(gateway, buf);
		return gateway->family;
	}
	return false;
}

static bool name_ok(const char *name, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	return size > 0 && size <= 253 && strspn(name, allowed) >= size && name[0] != '-';
}

static int put_extra(struct csn_runtime *rt, const struct run_network *n, const char *entry,
		     FILE *out, struct csn_error *err)
{
	char address[NET_TEXT];
	struct net_addr a;
	const char *colon = strchr(entry, ':');
	if (!colon || !name_ok(entry, (size_t)(colon - entry)))
		return fail(err, EINVAL, "extra host \"%.200s\": expected NAME:ADDRESS", entry);
	const char *text = colon + 1;
	if (strcmp(text, "host-gateway") == 0) {
		if (!host_address(rt, n, address))
			return fail(err, EINVAL,
				    "extra host \"%.200s\": this network has no way to the host",
				    entry);
		text = address;
	} else if (net_addr_parse(text, &a) < 0) {
		return fail(err, EINVAL,
			    "extra host \"%.200s\": expected an IP address or host-gateway behind "
			    "the ':'",
			    entry);
	}
	fprintf(out, "%s\t%.*s\n", text, (int)(colon - entry), entry);
	return 0;
}

static int put_hosts(struct csn_runtime *rt, const struct csn_container_network *o,
		     const struct run_network *n, FILE *out, struct csn_error *err)
{
	fputs("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n", out);
	/* In a network it has an address of its own, and its lines come with it. */
	if (n->mode != MODE_NETWORKS)
		fprintf(out, "%s\t%s\n", n->mode == MODE_NONE ? "127.0.0.1" : "127.0.1.1",
			n->hostname);
	for (size_t i = 0; o->extra_hosts && o->extra_hosts[i]; i++)
		TRY(put_extra(rt, n, o->extra_hosts[i], out, err));
	return 0;
}

/* ---- resolv.conf ------------------------------------------------------------------------------
 */

static bool has_word(const char *line, const char *word)
{
	size_t size = strlen(word);
	return strncmp(line, word, size) == 0 && (line[size] == ' ' || line[size] == '\t');
}

static bool is_loopback(const char *line)
{
	const char *p = line + strlen("nameserver");
	p += strspn(p, " \t");
	return strncmp(p, "127.", 4) == 0 ||
	       (strncmp(p, "::1", 3) == 0 && strspn(p + 3, ":.0123456789abcdef") == 0);
}

/* systemd-resolved listens on the host's loopback and keeps the true list elsewhere. */
static int read_host(char **ret, size_t *ret_size)
{
	int r = file_read(AT_FDCWD, "/etc/resolv.conf", RESOLV_CONF_MAX, ret, ret_size, NULL);
	if (r < 0 || !strstr(*ret, "127.0.0.53"))
		return r;
	char *better = NULL;
	size_t size;
	if (file_read(AT_FDCWD, "/run/systemd/resolve/resolv.conf", RESOLV_CONF_MAX, &better, &size,
		      NULL) == 0) {
		free(*ret);
		*ret = better;
		*ret_size = size;
	}
	return 0;
}

/* The host's lines, but those that are said anew, and resolvers that are not to be reached. */
static void put_host_lines(const struct csn_container_network *o, bool loopback, FILE *out)
{
	auto_mem char *text = NULL;
	size_t size;
	char *rest = NULL;
	if (read_host(&text, &size) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if ((has_word(line, "nameserver") &&
		     (o->dns || (!loopback && is_loopback(line)))) ||
		    ((has_word(line, "search") || has_word(line, "domain")) && o->dns_search) ||
		    (has_word(line, "options") && o->dns_options))
			continue;
		fprintf(out, "%s\n", line);
	}
}

static int check_word(const char *field, const char *word, struct csn_error *err)
{
	size_t size = strlen(word);
	if (size == 0 || size > 253)
		return fail(err, EINVAL, "%s \"%.80s\": expected 1 to 253 characters", field, word);
	for (size_t i = 0; i < size; i++)
		if (word[i] <= ' ' || word[i] == 0x7f)
			return fail(err, EINVAL, "%s \"%.80s\": expected no blanks", field, word);
	return 0;
}

static int put_list(const char *field, const char *key, const char *const *words, FILE *out,
		    struct csn_error *err)
{
	if (!words)
		return 0;
	for (size_t i = 0; words[i]; i++) {
		TRY(check_word(field, words[i], err));
		fprintf(out, "%s %s", i ? "" : key, words[i]);
	}
	if (words[0])
		fputc('\n', out);
	return 0;
}

/* Networks whose gateway answers for names: before the others, which know nothing of them. */
static bool put_own_servers(struct csn_runtime *rt, const struct csn_container_network *o,
			    const struct run_network *n, FILE *out)
{
	struct engine_net en AUTO(engine_net_close) = ENGINE_NET_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	bool any = false;
	if (n->mode != MODE_NETWORKS || engine_net_open(rt, &en, NULL) < 0)
		return false;
	for (size_t i = 0; i < n->joins.count; i++) {
		struct network found;
		char text[NET_TEXT];
		if (net_find(&en.net, n->joins.items[i].network, &found, &arena, NULL) < 0 ||
		    !net_dns_served(&found))
			continue;
		const struct net_addr *gateway =
			found.v4.gateway.family ? &found.v4.gateway : &found.v6.gateway;
		if (!any && !o->dns_search)
			fputs("search dns.podman\n", out); /* what aardvark-dns calls its own */
		fprintf(out, "nameserver %s\n", net_addr_print(gateway, text));
		any = true;
	}
	return any;
}

static int put_resolv_conf(struct csn_runtime *rt, const struct csn_container_network *o,
			   const struct run_network *n, FILE *out, struct csn_error *err)
{
	struct net_addr a;
	/* It asks the host's servers itself. */
	if (!put_own_servers(rt, o, n, out))
		put_host_lines(o, n->mode == MODE_HOST, out);
	for (size_t i = 0; o->dns && o->dns[i]; i++) {
		if (net_addr_parse(o->dns[i], &a) < 0)
			return fail(err, EINVAL, "dns \"%.80s\": expected an IP address",
				    o->dns[i]);
		fprintf(out, "nameserver %s\n", o->dns[i]);
	}
	TRY(put_list("dns search", "search", o->dns_search, out, err));
	return put_list("dns option", "options", o->dns_options, out, err);
}

/* ---- both -------------------------------------------------------------------------------------
 */

struct memory_file {
	FILE *out;
	char *text;
	size_t size;
};

static int finish_file(struct memory_file *f, int r, char **ret, struct arena *arena,
		       struct csn_error *err)
{
	if (fclose(f->out) != 0 && r == 0)
		r = no_memory(err);
	if (r == 0) {
		*ret = arena_strdup(arena, f->text);
		r = *ret ? 0 : no_memory(err);
	}
	free(f->text);
	return r;
}

int network_files_make(struct csn_runtime *rt, const struct csn_container_options *options,
		       const struct run_network *n, struct network_files *ret, struct arena *arena,
		       struct csn_error *err)
{
	struct csn_container_network o = CSN_CONTAINER_NETWORK_INIT;
	TRY(take_struct(&o, sizeof o, options->networking, "struct csn_container_network", err));
	struct memory_file f = { 0 };
	f.out = open_memstream(&f.text, &f.size);
	if (!f.out)
		return no_memory(err);
	TRY(finish_file(&f, put_hosts(rt, &o, n, f.out, err), &ret->hosts, arena, err));
	if (n->mode == MODE_CONTAINER)
		ret->shared = n->target;
	/* Without a network there is nobody to ask. */
	if (n->mode == MODE_NONE && !o.dns && !o.dns_search && !o.dns_options)
		return 0;
	f = (struct memory_file){ 0 };
	f.out = open_memstream(&f.text, &f.size);
	if (!f.out)
		return no_memory(err);
	return finish_file(&f, put_resolv_conf(rt, &o, n, f.out, err), &ret->resolv_conf, arena,
			   err);
}
