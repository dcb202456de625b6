/* Which platform an image is for, and whether the host can run it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/manifest.h"

/* Other names of architectures, uname(2)'s among them, in the words of the OCI image spec. */
static const struct {
	const char *name, *architecture, *variant;
} architectures[] = {
	{ "x86_64", "amd64", NULL },
	{ "x86-64", "amd64", NULL },
	{ "aarch64", "arm64", NULL },
	{ "armhf", "arm", "v7" },
	{ "armv7l", "arm", "v7" },
	{ "armv8l", "arm", "v7" },
	{ "armel", "arm", "v6" },
	{ "armv6l", "arm", "v6" },
	{ "i386", "386", NULL },
	{ "i486", "386", NULL },
	{ "i586", "386", NULL },
	{ "i686", "386", NULL },
	{ "loongarch64", "loong64", NULL },
};

/* Variants an architecture runs, the best first; "" is none given. */
static const struct {
	const char *architecture, *wanted;
	const char *variants[6];
} variants[] = {
	{ "amd64", "", { "", "v1" } },
	{ "amd64", "v1", { "v1", "" } },
	{ "arm64", "", { "v8", "" } },
	{ "arm64", "v8", { "v8", "" } },
	{ "arm", "v8", { "v8", "v7", "v6", "v5", "" } },
	{ "arm", "v7", { "v7", "", "v6", "v5" } },
	{ "arm", "", { "v7", "", "v6", "v5" } },
	{ "arm", "v6", { "v6", "", "v5" } },
};

static void normalise(struct platform *p, struct arena *arena)
{
	for (size_t i = 0; i < COUNT(architectures); i++)
		if (strcmp(p->architecture, architectures[i].name) == 0) {
			p->architecture = arena_strdup(arena, architectures[i].architecture);
			if (!p->variant && architectures[i].variant)
				p->variant = arena_strdup(arena, architectures[i].variant);
			return;
		}
}

int platform_parse(const char *text, struct platform *ret, struct arena *arena,
		   struct csn_error *err)
{
	struct utsname host;
	char own[sizeof host.machine + sizeof "linux/"];

	if (!text) {
		if (uname(&host) < 0)
			return fail_errno(err, "uname");
		(void)snprintf(own, sizeof own, "linux/%s", host.machine);
		text = own;
	}

	char *copy = arena_strdup(arena, text);
	if (!copy)
		return fail(err, ENOMEM, "out of memory");
	*ret = (struct platform){ .set = true, .os = copy };
	char *slash = strchr(copy, '/');
	if (slash) {
		*slash = '\0';
		ret->architecture = slash + 1;
		slash = strchr(slash + 1, '/');
	}
	if (slash) {
		*slash = '\0';
		ret->variant = slash + 1;
	}
	if (!ret->architecture || !*ret->os || !*ret->architecture ||
	    (ret->variant && (!*ret->variant || strchr(ret->variant, '/'))))
		return fail(err, EINVAL, "platform '%.100s': expected OS/ARCHITECTURE[/VARIANT]",
			    text);
	normalise(ret, arena);
	return ret->architecture ? 0 : fail(err, ENOMEM, "out of memory");
}

int platform_rank(const struct platform *want, const struct platform *have)
{
	if (strcmp(want->os, have->os) != 0 || strcmp(want->architecture, have->architecture) != 0)
		return 0;

	const char *wanted = want->variant ? want->variant : "";
	const char *variant = have->variant ? have->variant : "";
	for (size_t i = 0; i < COUNT(variants); i++) {
		if (strcmp(variants[i].architecture, want->architecture) != 0 ||
		    strcmp(variants[i].wanted, wanted) != 0)
			continue;
		for (size_t j = 0; j < COUNT(variants[i].variants) && variants[i].variants[j]; j++)
			if (strcmp(variants[i].variants[j], variant) == 0)
				return 10 - (int)j;
		return 0;
	}
	return strcmp(wanted, variant) == 0 ? 10 : !*variant || !*wanted ? 5 : 0;
}

void platform_format(const struct platform *p, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%.40s/%.40s%s%.40s", p->os, p->architecture,
		       p->variant ? "/" : "", p->variant ? p->variant : "");
}
