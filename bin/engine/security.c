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
	return is_host("ipc", security_args.ipc, &ret->host_ipc, err);
}
