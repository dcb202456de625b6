/*
 * Container ids and their one text, which names the container, its directories and its cgroup.
 * Writing and reading are opposites: what is written is read back as the same id. A text that would
 * be read as another id is refused, because two containers would share it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "base/error.h"

#define LEGACY_MARK "-rep-"
#define NODE_MARK   "-on-"

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool service_is_valid(const char *name)
{
	size_t n = strnlen(name, sizeof((struct csn_container_id *)0)->service);
	if (n == 0 || n >= sizeof((struct csn_container_id *)0)->service)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(name[i]) && !strchr("_.-", name[i]))
			return false;
	return is_alnum(name[0]) && is_alnum(name[n - 1]);
}

static bool role_is_valid(const char *role)
{
	size_t n = strnlen(role, sizeof((struct csn_container_id *)0)->role);
	if (n == 0 || n > 30 || role[0] < 'a' || role[0] > 'z' || role[n - 1] == '-')
		return false;
	return strspn(role, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

bool csn_container_id_is_legacy(const struct csn_container_id *id)
{
	return id->node_id == 0 && strcmp(id->role, "default") == 0;
}

static int check(const struct csn_container_id *id, struct csn_error *err)
{
	if (!service_is_valid(id->service))
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "",
				 "service: expected 1 to 63 of [A-Za-z0-9_.-], first and last a "
				 "letter or digit");
	if (!role_is_valid(id->role))
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "",
				 "role: expected 1 to 30 of [a-z0-9-], first a letter, last no "
				 "\"-\"");
	return 0;
}

int csn_container_id_make(const char *service, uint32_t replica, struct csn_container_id *ret,
			  struct csn_error *err)
{
	struct csn_container_id id = { .role = "default", .replica = replica };
	(void)snprintf(id.service, sizeof id.service, "%s", service);
	if (strlen(service) >= sizeof id.service)
		id.service[0] = '\0';
	TRY(check(&id, err));
	*ret = id;
	return 0;
}

static int print_id(const struct csn_container_id *id, char *ret, size_t size)
{
	if (csn_container_id_is_legacy(id))
		return snprintf(ret, size, "%s" LEGACY_MARK "%u", id->service, id->replica);
	return snprintf(ret, size, "%s-%s-%u" NODE_MARK "%llu", id->service, id->role, id->replica,
			(unsigned long long)id->node_id);
}

int csn_container_id_format(const struct csn_container_id *id, char ret_text[CSN_CONTAINER_ID_TEXT],
			    struct csn_error *err)
{
	TRY(check(id, err));
	int n = print_id(id, ret_text, CSN_CONTAINER_ID_TEXT);
	if (n >= CSN_CONTAINER_ID_TEXT)
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "",
				 "service, role and node make a name of more than 128 bytes");
	struct csn_container_id back;
	if (csn_container_id_parse(ret_text, &back, NULL) < 0 || strcmp(back.role, id->role) != 0)
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "",
				 "role: with a \"-\" in it the name could be another container's");
	return 0;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* A number as it is printed: digits only, no zero in front. */
static bool read_number(const char *text, uint64_t max, uint64_t *ret)
{
	size_t n = strspn(text, "0123456789");
	if (n == 0 || n > 20 || text[n] || (n > 1 && text[0] == '0'))
		return false;
	errno = 0;
	*ret = strtoull(text, NULL, 10);
	return errno == 0 && *ret <= max;
}

/* The last place of mark in text, or NULL. */
static char *find_last(char *text, const char *mark)
{
	char *found = NULL;
	for (char *p = text; (p = strstr(p, mark)); p++)
		found = p;
	return found;
}

/* Cuts text at the last mark; what is behind it is the number. */
static bool cut_number(char *text, const char *mark, uint64_t max, uint64_t *ret)
{
	char *at = find_last(text, mark);
	if (!at || !read_number(at + strlen(mark), max, ret))
		return false;
	*at = '\0';
	return true;
}

static bool read_cluster(char *text, struct csn_container_id *id)
{
	uint64_t replica;
	if (!cut_number(text, NODE_MARK, UINT64_MAX, &id->node_id) ||
	    !cut_number(text, "-", UINT32_MAX, &replica))
		return false;
	char *role = find_last(text, "-");
	if (!role || strlen(role + 1) >= sizeof id->role || strlen(text) >= 200)
		return false;
	id->replica = (uint32_t)replica;
	(void)snprintf(id->role, sizeof id->role, "%s", role + 1);
	*role = '\0';
	return true;
}

static bool read_legacy(char *text, struct csn_container_id *id)
{
	uint64_t replica;
	if (!cut_number(text, LEGACY_MARK, UINT32_MAX, &replica))
		return false;
	id->replica = (uint32_t)replica;
	(void)snprintf(id->role, sizeof id->role, "default");
	return true;
}

int csn_container_id_parse(const char *text, struct csn_container_id *ret, struct csn_error *err)
{
	static bool (*const shapes[])(char *, struct csn_container_id *) = { read_cluster,
									     read_legacy };
	for (size_t i = 0; i < COUNT(shapes); i++) {
		struct csn_container_id id = { 0 };
		char copy[CSN_CONTAINER_ID_TEXT];
		if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
			break;
		if (!shapes[i](copy, &id) || strlen(copy) >= sizeof id.service)
			continue;
		(void)snprintf(id.service, sizeof id.service, "%.63s", copy);
		if (check(&id, NULL) == 0) {
			*ret = id;
			return 0;
		}
	}
	return fail_kind(
		err, CSN_ERROR_INVALID_SPEC, "",
		"expected a container id, \"SERVICE-rep-N\" or \"SERVICE-ROLE-N-on-NODE\"");
}
