/*
 * What a container may do: capabilities, privileges, profiles, kernel settings. The defaults are
 * the hardened ones; each option takes away or adds by name, and a privileged container has what
 * its maker has.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/names.h"
#include "service/service.h"

#define SYSCTL_NAME_SIZE 256

/* What programs in images commonly need, and none that reaches beyond the container. */
static const char *const default_capabilities[] = {
	"CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",	 "CAP_FSETID",
	"CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",	 "CAP_SETGID",
	"CAP_SETPCAP", "CAP_SETUID",	       "CAP_SYS_CHROOT",
};

static uint64_t bit(int capability)
{
	return UINT64_C(1) << capability;
}

/* ---- capabilities ---------------------------------------------------------------------------- */

/* One name, or ALL, as a mask. */
static int name_mask(const char *option, const char *name, uint64_t all, uint64_t *ret,
		     struct csn_error *err)
{
	if (strcasecmp(name, "ALL") == 0) {
		*ret = all;
		return 0;
	}
	int number = capability_number(name);
	if (number < 0)
		return fail(err, EINVAL, "%s \"%.100s\": unknown capability", option, name);
	*ret = bit(number);
	return 0;
}

static int list_mask(const char *option, const char *const *names, uint64_t all, uint64_t *ret,
		     bool *ret_has_all, struct csn_error *err)
{
	*ret = 0;
	*ret_has_all = false;
	for (; names && *names; names++) {
		uint64_t mask = 0;
		TRY(name_mask(option, *names, all, &mask, err));
		*ret |= mask;
		*ret_has_all |= mask == all;
	}
	return 0;
}

/* A name that is added is there even when ALL are dropped, and one that is dropped is gone even
 * when ALL are added. */
static int decide_capabilities(const struct csn_security *o, uint64_t available,
			       struct service_security *s, struct csn_error *err)
{
	uint64_t add, drop, mask = 0;
	bool add_all, drop_all;

	for (size_t i = 0; i < COUNT(default_capabilities); i++)
		mask |= bit(capability_number(default_capabilities[i]));
	TRY(list_mask("cap_add", o->cap_add, available, &add, &add_all, err));
	TRY(list_mask("cap_drop", o->cap_drop, available, &drop, &drop_all, err));
	if (add_all && drop_all)
		return fail(err, EINVAL, "cap_add and cap_drop: both have ALL");
	if (o->privileged)
		mask = available;
	s->capabilities = drop_all ? add : ((mask | add) & ~drop);
	uint64_t missing = add_all ? 0 : add & ~available;
	for (int i = 0; i <= capability_last(); i++)
		if (missing & bit(i))
			return fail(err, EPERM, "cap_add \"%s\": who makes the container lacks it",
				    capability_name(i));
	return 0;
}

/* ---- security options ------------------------------------------------------------------------ */

struct option_row {
	const char *name;
	bool needs_value;
	int (*set)(struct service_security *s, const char *value);
};

static int set_no_new_privileges(struct service_security *s, const char *value)
{
	if (!value || strcmp(value, "true") == 0)
		s->no_new_privileges = true;
	else if (strcmp(value, "false") == 0)
		s->no_new_privileges = false;
	else
		return -EINVAL;
	return 0;
}

static int set_seccomp(struct service_security *s, const char *value)
{
	s->unconfined = strcmp(value, "unconfined") == 0;
	return s->unconfined || strcmp(value, "default") == 0 ? 0 : -EINVAL;
}

static int set_apparmor(struct service_security *s, const char *value)
{
	s->apparmor = value;
	return 0;
}

static int set_label(struct service_security *s, const char *value)
{
	s->selinux_label = strcmp(value, "disable") == 0 ? NULL : value;
	return 0;
}

static int decide_option(const char *text, struct service_security *s, struct csn_error *err)
{
	static const struct option_row rows[] = {
		{ "no-new-privileges", false, set_no_new_privileges },
		{ "seccomp", true, set_seccomp },
		{ "apparmor", true, set_apparmor },
		{ "label", true, set_label },
	};
	size_t size = strcspn(text, "=:");
	const char *value = text[size] ? text + size + 1 : NULL;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (strlen(rows[i].name) != size || memcmp(rows[i].name, text, size) != 0)
			continue;
		if ((rows[i].needs_value && (!value || !*value)) || rows[i].set(s, value) < 0)
			break;
		return 0;
	}
	return fail(err, EINVAL,
		    "security option \"%.100s\": expected no-new-privileges[=true|false], "
		    "seccomp=default|unconfined, apparmor=PROFILE or label=LABEL",
		    text);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int check_sysctls(const char *const *sysctls, struct csn_error *err)
{
	for (; sysctls && *sysctls; sysctls++) {
		size_t size = strcspn(*sysctls, "=");
		if (size == 0 || size >= SYSCTL_NAME_SIZE || !(*sysctls)[size])
			return fail(err, EINVAL, "sysctl \"%.100s\": expected NAME=VALUE",
				    *sysctls);
	}
	return 0;
}

int service_security_decide(const struct csn_security *options, uint64_t available,
			    struct service_security *ret, struct csn_error *err)
{
	static const struct csn_security defaults = CSN_SECURITY_INIT;
	const struct csn_security *o = options ? options : &defaults;
	struct service_security s = { .options = o,
				      .no_new_privileges = !o->privileged,
				      .unconfined = o->privileged };

	TRY(decide_capabilities(o, available, &s, err));
	for (const char *const *text = o->options; text && *text; text++)
		TRY(decide_option(*text, &s, err));
	TRY(check_sysctls(o->sysctls, err));
	*ret = s;
	return 0;
}

void service_put_capabilities(struct json_out *o, uint64_t mask)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };
	json_open_object(o, "capabilities");
	for (size_t i = 0; i < COUNT(sets); i++) {
		json_open_array(o, sets[i]);
		for (int c = 0; c <= capability_last(); c++)
			if (mask & bit(c))
				json_put_string(o, NULL, capability_name(c));
		json_close_array(o);
	}
	json_close_object(o);
}

void service_put_sysctls(struct json_out *o, const char *const *sysctls)
{
	char name[SYSCTL_NAME_SIZE];
	if (!sysctls || !*sysctls)
		return;
	json_open_object(o, "sysctl");
	for (; *sysctls; sysctls++) {
		size_t size = strcspn(*sysctls, "=");
		memcpy(name, *sysctls, size);
		name[size] = '\0';
		json_put_string(o, name, *sysctls + size + 1);
	}
	json_close_object(o);
}
