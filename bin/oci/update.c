/*
 * caisson update: new limits, as a resources object (of a file or of standard input) or as options.
 * Options are rows: what each writes to, how it is read, what it may be.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/size.h"
#include "bin/oci/oci.h"

enum { DOCUMENT_MAX = 16 << 20 };

static const char *resources_file;
static char *l3_cache_schema, *mem_bw_schema;

/* How the text of an option is read. */
enum kind {
	SIZE,	  /* opt_i64: "64m", or -1 */
	SIGNED,	  /* opt_i64 */
	UNSIGNED, /* opt_u64 */
	SMALL,	  /* opt_u32 */
	LIST,	  /* char * */
};

static struct limit_option {
	const char *name;
	enum kind kind;
	size_t offset;
	int64_t min, max;
	const char *value, *help; /* as in struct opt */
	const char *text;	  /* as given; NULL: not given */
} limit_options[] = {
#define LIMIT(name, kind, member, min, max, value, help)                                           \
	{                                                                                          \
		name, kind, offsetof(struct spec_resources, member), min, max, value, help, NULL   \
	}
	LIMIT("blkio-weight", SMALL, block_io.weight, 0, 1000, "WEIGHT",
	      "share of block I/O, 10 to 1000"),
	LIMIT("cpu-period", UNSIGNED, cpu.period, 0, INT64_MAX, "MICROSECONDS",
	      "length of a CPU period"),
	LIMIT("cpu-quota", SIGNED, cpu.quota, INT64_MIN, INT64_MAX, "MICROSECONDS",
	      "CPU time in a period; -1: no limit"),
	LIMIT("cpu-burst", UNSIGNED, cpu.burst, 0, INT64_MAX, "MICROSECONDS",
	      "unused CPU time that may be saved up"),
	LIMIT("cpu-share", UNSIGNED, cpu.shares, 0, INT64_MAX, "SHARES",
	      "share of the CPUs when they are busy; 1024 is usual"),
	LIMIT("cpu-idle", SIGNED, cpu.idle, 0, 1, "0|1", "1: run only when nobody else wants to"),
	LIMIT("cpu-rt-period", UNSIGNED, cpu.realtime_period, 0, INT64_MAX, "MICROSECONDS", NULL),
	LIMIT("cpu-rt-runtime", SIGNED, cpu.realtime_runtime, INT64_MIN, INT64_MAX, "MICROSECONDS",
	      NULL),
	LIMIT("cpuset-cpus", LIST, cpu.cpus, 0, 0, "LIST", "CPUs to run on, such as 0-1,3"),
	LIMIT("cpuset-mems", LIST, cpu.mems, 0, 0, "LIST", "memory nodes to use"),
	LIMIT("memory", SIZE, memory.limit, 0, 0, "SIZE", "memory, such as 512m; -1: no limit"),
	LIMIT("memory-reservation", SIZE, memory.reservation, 0, 0, "SIZE",
	      "memory that stays as long as others have some to give"),
	LIMIT("memory-swap", SIZE, memory.swap, 0, 0, "SIZE",
	      "memory and swap together; -1: no limit for swap"),
	LIMIT("kernel-memory", SIZE, memory.kernel, 0, 0, "SIZE", NULL),
	LIMIT("kernel-memory-tcp", SIZE, memory.kernel_tcp, 0, 0, "SIZE", NULL),
	LIMIT("pids-limit", SIGNED, pids_limit, INT64_MIN, INT64_MAX, "NUMBER",
	      "processes and threads; -1: no limit"),
#undef LIMIT
};

static const struct opt more_options[] = {
	{ 0, "l3-cache-schema", "SCHEMA", "cache of the container's resctrl group, such as L3:0=ff",
	  OPT_TEXT, &l3_cache_schema },
	{ 0, "mem-bw-schema", "SCHEMA", "memory bandwidth of that group, such as MB:0=50", OPT_TEXT,
	  &mem_bw_schema },
	{ 'r', "resources", "FILE", "the limits as a resources object (JSON); -: standard input",
	  OPT_TEXT, &resources_file },
	{ 0 },
};

static const struct opt *get_options(void)
{
	static struct opt options[COUNT(limit_options) + COUNT(more_options)];
	for (size_t i = 0; i < COUNT(limit_options); i++) {
		struct limit_option *o = &limit_options[i];
		options[i] = (struct opt){ 0, o->name, o->value, o->help, OPT_TEXT, &o->text };
	}
	memcpy(options + COUNT(limit_options), more_options, sizeof more_options);
	return options;
}

static int read_size(const struct limit_option *o, int64_t *ret, struct csn_error *err)
{
	*ret = -1;
	if (strcmp(o->text, "-1") == 0 || size_parse(o->text, ret))
		return 0;
	return fail(err, EINVAL, "option --%s: expected a size such as 512m, or -1, not \"%s\"",
		    o->name, o->text);
}

static int read_number(const struct limit_option *o, int64_t *ret, struct csn_error *err)
{
	char *end;
	errno = 0;
	*ret = strtoll(o->text, &end, 10);
	if (errno == 0 && end != o->text && !*end && *ret >= o->min && *ret <= o->max)
		return 0;
	if (o->max == INT64_MAX)
		return fail(err, EINVAL, "option --%s: expected a number%s, not \"%s\"", o->name,
			    o->min == 0 ? " of 0 or more" : "", o->text);
	return fail(err, EINVAL, "option --%s: expected a number from %lld to %lld, not \"%s\"",
		    o->name, (long long)o->min, (long long)o->max, o->text);
}

static int set_option(const struct limit_option *o, struct spec_resources *r, struct csn_error *err)
{
	char *at = (char *)r + o->offset;
	int64_t n = 0;
	if (o->kind == LIST) {
		*(const char **)(void *)at = *o->text ? o->text : NULL;
		return 0;
	}
	TRY(o->kind == SIZE ? read_size(o, &n, err) : read_number(o, &n, err));
	if (o->kind == UNSIGNED)
		*(struct opt_u64 *)(void *)at = (struct opt_u64){ true, (uint64_t)n };
	else if (o->kind == SMALL)
		*(struct opt_u32 *)(void *)at = (struct opt_u32){ true, (uint32_t)n };
	else
		*(struct opt_i64 *)(void *)at = (struct opt_i64){ true, n };
	return 0;
}

static int check_schema(const char *option, const char *schema, const char *start,
			struct csn_error *err)
{
	if (schema && (strncmp(schema, start, strlen(start)) != 0 || strchr(schema, '\n')))
		return fail(err, EINVAL, "option --%s: expected one line that begins with \"%s\"",
			    option, start);
	return 0;
}

/* NULL: none is given. */
static int read_rdt(struct spec_intel_rdt *rdt, const struct spec_intel_rdt **ret,
		    struct csn_error *err)
{
	TRY(check_schema("l3-cache-schema", l3_cache_schema, "L3:", err));
	TRY(check_schema("mem-bw-schema", mem_bw_schema, "MB:", err));
	*rdt = (struct spec_intel_rdt){ .l3_cache_schema = l3_cache_schema,
					.mem_bw_schema = mem_bw_schema };
	*ret = l3_cache_schema || mem_bw_schema ? rdt : NULL;
	return 0;
}

static int from_options(const char *id, struct csn_error *err)
{
	struct spec_resources r = { .set = true };
	const struct spec_intel_rdt *rdt;
	struct spec_intel_rdt schemas;
	TRY(read_rdt(&schemas, &rdt, err));
	for (size_t i = 0; i < COUNT(limit_options); i++)
		if (limit_options[i].text)
			TRY(set_option(&limit_options[i], &r, err));
	return host_update(oci_context(), id, &r, rdt, err);
}

static int read_input(char **ret, size_t *ret_size, struct csn_error *err)
{
	size_t size = 0, capacity = 4096;
	auto_mem char *text = malloc(capacity + 1);
	for (ssize_t n = 1; text && n > 0; size += (size_t)n) {
		if (size == capacity) {
			capacity *= 4;
			char *grown = realloc(text, capacity + 1);
			if (!grown)
				return fail(err, ENOMEM, "out of memory");
			text = grown;
		}
		do
			n = read(STDIN_FILENO, text + size, capacity - size);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return fail_errno(err, "read standard input");
		if (size + (size_t)n > DOCUMENT_MAX)
			return fail(err, EFBIG, "standard input: more than %d bytes", DOCUMENT_MAX);
	}
	if (!text)
		return fail(err, ENOMEM, "out of memory");
	text[size] = '\0';
	*ret = take_ptr(text);
	*ret_size = size;
	return 0;
}

static int from_document(const char *id, struct csn_error *err)
{
	bool input = strcmp(resources_file, "-") == 0;
	auto_mem char *text = NULL;
	struct spec *s = NULL;
	const struct spec_intel_rdt *rdt;
	struct spec_intel_rdt schemas;
	size_t size = 0;

	TRY(read_rdt(&schemas, &rdt, err));
	for (size_t i = 0; i < COUNT(limit_options); i++)
		if (limit_options[i].text)
			log_line(LOG_LEVEL_WARNING, "option --%s is ignored: --resources is given",
				 limit_options[i].name);
	TRY(input ? read_input(&text, &size, err)
		  : file_read(AT_FDCWD, resources_file, DOCUMENT_MAX, &text, &size, err));
	TRY(spec_parse_resources(text, size, input ? "standard input" : resources_file, &s, err));
	int r = host_update(oci_context(), id, &s->linux_.resources, rdt, err);
	spec_free(s);
	return r;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	(void)argc;
	int status = oci_need_root();
	if (status)
		return status;
	int r = resources_file ? from_document(argv[0], &err) : from_options(argv[0], &err);
	return r < 0 ? oci_fail(&err, 1) : 0;
}

const struct command command_update = { "update", "CONTAINER", "change limits of a container",
					1,	  1,	       get_options,
					run };
