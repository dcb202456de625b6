/* From the options of create and run to what a container may do. */
#include "bin/engine/security.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"

struct security_args security_args;

static int is_host(const char *option, const char *value, bool *ret, struct csn_error *err)
{
	*ret = value && strcmp(value, "host") == 0;
	if (!value || *ret || strcmp(value, "private") == 0)
		return 0;
	return fail(err, EINVAL, "--%s \"%s\": expected \"host\" or \"private\"", option, value);
}

int security_collect(struct csn_security *ret, struct csn_error *err)
{
	*ret = (struct csn_security)CSN_SECURITY_INIT;
	const struct {
		const struct opt_list *given;
		const char *const **to;
	} lists[] = {
		{ &security_args.cap_add, &ret->cap_add },
		{ &security_args.cap_drop, &ret->cap_drop },
		{ &security_args.options, &ret->options },
		{ &security_args.sysctls, &ret->sysctls },
		{ &security_args.groups, &ret->groups },
	};
	for (size_t i = 0; i < COUNT(lists); i++)
		*lists[i].to = lists[i].given->items;
	ret->privileged = security_args.privileged;
	TRY(is_host("pid", security_args.pid, &ret->host_pid, err));
	TRY(is_host("ipc", security_args.ipc, &ret->host_ipc, err));
	return is_host("uts", security_args.uts, &ret->host_uts, err);
}

/* "rw", in any order, each once. */
static bool parse_access(const char *text, struct csn_device *ret)
{
	ret->read = ret->write = ret->mknod = false;
	for (const char *c = text; *c; c++) {
		bool *one = *c == 'r'	? &ret->read
			    : *c == 'w' ? &ret->write
			    : *c == 'm' ? &ret->mknod
					: NULL;
		if (!one || *one)
			return false;
		*one = true;
	}
	return *text;
}

static int parse_device(struct arena *arena, const char *text, struct csn_device *ret,
			struct csn_error *err)
{
	char *host = arena_strdup(arena, text);
	if (!host)
		return fail(err, ENOMEM, "out of memory");
	char *second = strchr(host, ':'), *third = NULL;
	*ret = (struct csn_device)CSN_DEVICE_INIT;
	ret->host = host;
	if (second)
		*second++ = '\0';
	/* One that is no path can only be the access. */
	if (second && second[0] == '/') {
		ret->container = second;
		third = strchr(second, ':');
		if (third)
			*third++ = '\0';
	} else {
		third = second;
	}
	if (host[0] != '/' || (third && !parse_access(third, ret)))
		return fail(
			err, EINVAL,
			"--device \"%s\": expected HOST[:CONTAINER][:ACCESS], where ACCESS is of "
			"\"rwm\"",
			text);
	return 0;
}

int devices_collect(struct arena *arena, struct csn_container_options *o, struct csn_error *err)
{
	const struct opt_list *given = &security_args.devices;
	struct csn_device *devices = arena_array(arena, given->count, sizeof *devices);
	if (!devices)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < given->count; i++)
		TRY(parse_device(arena, given->items[i], &devices[i], err));
	o->devices = devices;
	o->devices_count = given->count;
	return 0;
}
