/* caisson list: all containers of the state directory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/utc.h"
#include "bin/oci/oci.h"
#include "bin/out.h"

static const char *format = "table";
static bool quiet;

static const struct opt options[] = {
	{ 'f', "format", "FORMAT", "table or json", OPT_TEXT, &format },
	{ 'q', "quiet", NULL, "print ids only", OPT_FLAG, &quiet },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

struct listing {
	struct record *records;
	enum status *statuses;
	size_t count;
};

/* An entry that cannot be read is told on stderr and passed over: the others are still asked for.
 */
static int read_all(struct listing *l, struct csn_error *err)
{
	struct store store AUTO(store_close) = STORE_INIT;
	char **ids = NULL;
	size_t count = 0;

	int r = store_open(oci_context()->root, false, &store, err);
	if (r == -ENOENT && !oci_root_was_given())
		return 0;
	TRY(r);
	TRY(store_list(&store, &ids, &count, err));
	l->records = calloc(count + 1, sizeof *l->records);
	l->statuses = calloc(count + 1, sizeof *l->statuses);
	for (size_t i = 0; l->records && l->statuses && i < count; i++) {
		struct csn_error why;
		if (host_state(oci_context(), ids[i], &l->records[l->count], &l->statuses[l->count],
			       &why) == 0)
			l->count++;
		else
			fprintf(stderr, "%s\n", why.text);
	}
	store_list_free(ids, count);
	return l->records && l->statuses ? 0 : fail(err, ENOMEM, "out of memory");
}

static void print_table(const struct listing *l)
{
	static const char *const heads[] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
	struct out_table t = { .columns = COUNT(heads) };
	for (size_t i = 0; i < COUNT(heads); i++)
		out_table_add(&t, heads[i]);
	for (size_t i = 0; i < l->count; i++) {
		const struct record *r = &l->records[i];
		char pid[16], created[UTC_SIZE], owner[16];
		(void)snprintf(pid, sizeof pid, "%d",
			       l->statuses[i] == STATUS_STOPPED ? 0 : (int)r->pid);
		(void)snprintf(owner, sizeof owner, "#%u", r->owner);
		utc_print(&r->created, created);
		out_table_add(&t, r->id);
		out_table_add(&t, pid);
		out_table_add(&t, status_name(l->statuses[i]));
		out_table_add(&t, r->bundle);
		out_table_add(&t, created);
		out_table_add(&t, r->owner ? owner : "root");
	}
	out_table_print(&t);
}

static int print_json(const struct listing *l)
{
	struct csn_error err;
	auto_mem char *text = NULL;
	if (state_list_document(l->records, l->statuses, l->count, &text, &err) < 0)
		return oci_fail(&err, 1);
	puts(text);
	return 0;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct listing l = { 0 };
	(void)argc;
	(void)argv;
	bool json = strcmp(format, "json") == 0;

	int status = oci_need_root();
	if (status)
		return status;
	if (!json && strcmp(format, "table") != 0)
		return oci_fail_text(1, "--format: expected table or json, not \"%s\"", format);
	if (read_all(&l, &err) < 0)
		status = oci_fail(&err, 1);
	else if (quiet)
		for (size_t i = 0; i < l.count; i++)
			puts(l.records[i].id);
	else if (json)
		status = print_json(&l);
	else
		print_table(&l);
	for (size_t i = 0; i < l.count; i++)
		record_done(&l.records[i]);
	free(l.records);
	free(l.statuses);
	return status;
}

const struct command command_list = { "list", NULL, "list containers", 0, 0, get_options, run };
