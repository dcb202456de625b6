/* csn ps: containers, newest first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "bin/engine/engine.h"
#include "bin/out.h"
#include "caisson-network.h"

static const char *format = "table";
static bool all, quiet, whole;

static const struct opt options[] = {
	{ 'a', "all", NULL, "also those that do not run", OPT_FLAG, &all },
	{ 'q', "quiet", NULL, "print ids only", OPT_FLAG, &quiet },
	{ 0, "no-trunc", NULL, "print whole ids and commands", OPT_FLAG, &whole },
	{ 0, "format", "FORMAT", "table or json", OPT_TEXT, &format },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static const char *health_text(const struct csn_container_info *i)
{
	static const struct {
		const char *status, *text;
	} rows[] = { { "starting", " (health: starting)" },
		     { "healthy", " (healthy)" },
		     { "unhealthy", " (unhealthy)" } };
	for (size_t n = 0; n < COUNT(rows); n++)
		if (strcmp(i->health, rows[n].status) == 0)
			return rows[n].text;
	return "";
}

static void status_text(char *buf, size_t size, const struct csn_container_info *i)
{
	char since[40];
	int64_t now = print_now();

	switch (i->state) {
	case CSN_STATE_PENDING:
		(void)snprintf(buf, size, "Created");
		break;
	case CSN_STATE_INITIALIZING:
		print_duration(since, sizeof since, now - i->finished_at_ns);
		if (i->restarting)
			(void)snprintf(buf, size, "Restarting (%d) %s ago%s", i->exit_code, since,
				       i->crash_loop ? " (crash loop)" : "");
		else
			(void)snprintf(buf, size, "Starting");
		break;
	case CSN_STATE_RUNNING:
	case CSN_STATE_STOPPING:
		print_duration(since, sizeof since, now - i->started_at_ns);
		if (since[0] == 'L' || since[0] == 'A')
			since[0] = (char)(since[0] + 'a' - 'A');
		(void)snprintf(buf, size, "%s %s%s%s",
			       i->state == CSN_STATE_STOPPING ? "Stopping, up" : "Up", since,
			       health_text(i), i->paused ? " (Paused)" : "");
		break;
	case CSN_STATE_EXITED:
	case CSN_STATE_FAILED:
		print_duration(since, sizeof since, now - i->finished_at_ns);
		(void)snprintf(buf, size, "%s (%d)%s%s%s",
			       i->state == CSN_STATE_EXITED ? "Exited" : "Failed", i->exit_code,
			       i->finished_at_ns ? " " : "", i->finished_at_ns ? since : "",
			       i->finished_at_ns ? " ago" : "");
		break;
	}
}

/* The words in quotes, cut to 20 characters unless the whole is wanted; control characters as '?':
 * a table must not be able to drive the terminal. */
static void command_text(char *buf, size_t size, const char *const *command)
{
	size_t limit = whole ? size - 2 : 20, at = 1;
	bool cut = false;

	buf[0] = '"';
	for (; command && *command && !cut; command++) {
		if (at > 1 && at < limit)
			buf[at++] = ' ';
		for (const char *p = *command; *p && !cut; p++) {
			cut = at >= limit;
			if (!cut)
				buf[at++] = (unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p;
		}
	}
	if (cut && !whole) {
		/* Not inside a character of several bytes. */
		while (at > 1 && ((unsigned char)buf[at - 1] & 0xc0) == 0x80)
			at--;
		at -= at > 1 && (unsigned char)buf[at - 1] >= 0xc0;
		(void)snprintf(buf + at, size - at, "…\"");
	} else {
		(void)snprintf(buf + at, size - at, "\"");
	}
}

/* Ports that follow each other on both sides are one range. */
static size_t range_length(const struct csn_container_info *i, size_t at)
{
	const struct csn_port *first = &i->ports[at];
	size_t n = 1;
	for (; at + n < i->ports_count; n++) {
		const struct csn_port *next = &i->ports[at + n];
		bool same_host = !first->host_ip == !next->host_ip &&
				 (!first->host_ip || strcmp(first->host_ip, next->host_ip) == 0);
		if (!same_host || strcmp(first->protocol, next->protocol) != 0 ||
		    next->host_port != first->host_port + n ||
		    next->container_port != first->container_port + n)
			break;
	}
	return n;
}

static void put_range(FILE *out, unsigned first, size_t length)
{
	fprintf(out, length > 1 ? "%u-%u" : "%u", first, first + (unsigned)length - 1);
}

/* "0.0.0.0:8080->80/tcp, [fd00::1]:9000-9003->9000-9003/udp"; NULL without memory. */
static char *ports_text(const struct csn_container_info *i)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	for (size_t at = 0, n; at < i->ports_count; at += n) {
		const struct csn_port *p = &i->ports[at];
		bool six = p->host_ip && strchr(p->host_ip, ':');
		n = range_length(i, at);
		fprintf(out, six ? "%s[%s]:" : "%s%s:", at ? ", " : "",
			p->host_ip ? p->host_ip : "0.0.0.0");
		put_range(out, p->host_port, n);
		fputs("->", out);
		put_range(out, p->container_port, n);
		fprintf(out, "/%s", p->protocol);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static void add_row(struct out_table *t, const struct csn_container_info *i)
{
	char id[CSN_ID_SIZE], command[4096], created[48], status[80], age[40];
	auto_mem char *ports = ports_text(i);

	(void)snprintf(id, sizeof id, "%.*s", whole ? CSN_ID_SIZE - 1 : 12, i->id);
	command_text(command, sizeof command, i->command);
	print_duration(age, sizeof age, print_now() - i->created_at_ns);
	(void)snprintf(created, sizeof created, "%s ago", age);
	status_text(status, sizeof status, i);
	out_table_add(t, id);
	out_table_add(t, print_reference(i->image));
	out_table_add(t, command);
	out_table_add(t, created);
	out_table_add(t, status);
	out_table_add(t, ports ? ports : "");
	out_table_add(t, i->name);
}

static void print_table(const struct csn_containers *l)
{
	static const char *const heads[] = { "CONTAINER ID", "IMAGE", "COMMAND", "CREATED",
					     "STATUS",	     "PORTS", "NAMES" };
	struct out_table t = { .columns = COUNT(heads) };
	out_table_row(&t, heads);
	for (size_t i = 0; i < csn_containers_count(l); i++)
		add_row(&t, csn_containers_get(l, i));
	out_table_print(&t);
}

static void put_container(struct json_out *o, const struct csn_container_info *i)
{
	bool ended = i->state == CSN_STATE_EXITED || i->state == CSN_STATE_FAILED || i->restarting;
	char status[80];

	json_open_object(o, NULL);
	json_put_string(o, "id", i->id);
	json_put_string(o, "name", i->name);
	json_put_string(o, "image", i->image);
	json_put_string(o, "image_digest", i->image_digest);
	json_open_array(o, "command");
	for (const char *const *word = i->command; word && *word; word++)
		json_put_string(o, NULL, *word);
	json_close_array(o);
	json_put_string(o, "network", i->network);
	json_open_array(o, "ports");
	for (size_t k = 0; k < i->ports_count; k++) {
		json_open_object(o, NULL);
		json_put_string(o, "protocol", i->ports[k].protocol);
		json_put_string(o, "host_ip", i->ports[k].host_ip);
		json_put_u64(o, "host_port", i->ports[k].host_port);
		json_put_u64(o, "container_port", i->ports[k].container_port);
		json_close_object(o);
	}
	json_close_array(o);
	print_json_time(o, "created_at", i->created_at_ns);
	print_json_time(o, "started_at", i->started_at_ns);
	print_json_time(o, "finished_at", i->finished_at_ns);
	json_put_string(o, "state", csn_state_name(i->state));
	json_put_bool(o, "restarting", i->restarting);
	json_put_u64(o, "restart_count", i->restart_count);
	json_put_bool(o, "paused", i->paused);
	json_put_i64(o, "pid", i->pid);
	json_put_string(o, "health", i->health);
	if (ended)
		json_put_i64(o, "exit_code", i->exit_code);
	else
		json_put_null(o, "exit_code");
	json_put_string(o, "reason", ended ? csn_wait_reason_name(i->reason) : NULL);
	json_put_string(o, "error", i->error[0] ? i->error : NULL);
	status_text(status, sizeof status, i);
	json_put_string(o, "status", status);
	json_close_object(o);
}

static int print_all(const struct csn_containers *l)
{
	struct json_out o = JSON_OUT_INDENT("  ");
	json_open_array(&o, NULL);
	for (size_t i = 0; i < csn_containers_count(l); i++)
		put_container(&o, csn_containers_get(l, i));
	json_close_array(&o);
	return print_json(&o);
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_containers *l = NULL;
	int status = 0;
	bool json;
	(void)argc;
	(void)argv;

	if (print_format(format, &json) < 0)
		return STATUS_FAILED;
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (csn_container_list(rt, all, &l, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	if (quiet)
		for (size_t i = 0; i < csn_containers_count(l); i++)
			printf("%.*s\n", whole ? CSN_ID_SIZE - 1 : 12,
			       csn_containers_get(l, i)->id);
	else if (json)
		status = print_all(l);
	else
		print_table(l);
	csn_containers_free(l);
	return status;
}

const struct command command_ps = { "ps", NULL, "list containers", 0, 0, get_options, run };
