/* The options of logs, as text: one row each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"
#include "service/service.h"

enum { FILES_DEFAULT = 5, FILES_MAX = 1000 };

static int take_size(const char *value, struct service_log *ret, struct csn_error *err)
{
	int64_t size;
	ret->max_size = 0;
	if (strcmp(value, "-1") == 0)
		return 0;
	if (!size_parse(value, &size) || size < 1)
		return fail(err, EINVAL,
			    "log option \"max-size=%.100s\": expected a size such as 10m, or -1",
			    value);
	ret->max_size = (uint64_t)size;
	return 0;
}

static int take_files(const char *value, struct service_log *ret, struct csn_error *err)
{
	char *end;
	errno = 0;
	long n = strtol(value, &end, 10);
	if (errno || end == value || *end || n < 1 || n > FILES_MAX)
		return fail(err, EINVAL,
			    "log option \"max-file=%.100s\": expected a number from 1 to %d", value,
			    FILES_MAX);
	ret->max_files = (uint32_t)n;
	return 0;
}

static int take_option(const char *text, struct service_log *ret, struct csn_error *err)
{
	static const struct {
		const char *name;
		int (*take)(const char *value, struct service_log *ret, struct csn_error *err);
	} rows[] = { { "max-size=", take_size }, { "max-file=", take_files } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strncmp(text, rows[i].name, strlen(rows[i].name)) == 0)
			return rows[i].take(text + strlen(rows[i].name), ret, err);
	return fail(err, EINVAL, "log option \"%.100s\": expected max-size=SIZE or max-file=NUMBER",
		    text);
}

int service_log_decide(const char *const *options, struct service_log *ret, struct csn_error *err)
{
	struct service_log log = { 0 };
	for (; options && *options; options++)
		TRY(take_option(*options, &log, err));
	if (log.max_files > 1 && !log.max_size)
		return fail(err, EINVAL, "log option \"max-file\": goes with max-size");
	if (!log.max_files)
		log.max_files = FILES_DEFAULT;
	*ret = log;
	return 0;
}
