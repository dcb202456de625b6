/*
 * Names. A name is claimed by making a symbolic link <root>/names/<name> whose text is the id: one
 * atomic call that also holds the answer to look-ups. A link to a container that does not exist is
 * left from a crash or from a container that removed itself; it counts as free.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "runtime/runtime.h"

#define ALNUM	      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAME_MAX_SIZE 128

static const char *const adjectives[] = {
	"able",	   "amber",  "brave",  "brisk",	 "calm",   "clear", "clever", "cosy",
	"crisp",   "daring", "deft",   "eager",	 "early",  "fair",  "fine",   "fleet",
	"fond",	   "fresh",  "gentle", "glad",	 "golden", "grand", "green",  "happy",
	"hardy",   "honest", "ideal",  "jolly",	 "keen",   "kind",  "light",  "lively",
	"loyal",   "lucky",  "mellow", "merry",	 "mild",   "neat",  "nimble", "noble",
	"patient", "plain",  "polite", "prime",	 "proud",  "quick", "quiet",  "rapid",
	"ready",   "rosy",   "sharp",  "silver", "sleek",  "smart", "snug",   "solid",
	"steady",  "sunny",  "swift",  "tidy",	 "trusty", "vivid", "warm",   "wise",
};

static const char *const nouns[] = {
	"acorn",  "anchor",  "badger", "barge",	 "beacon",  "birch",	"brook",   "canal",
	"cedar",  "clover",  "comet",  "coral",	 "crane",   "dune",	"eagle",   "ember",
	"falcon", "fern",    "finch",  "fjord",	 "garnet",  "glacier",	"harbor",  "hazel",
	"heron",  "island",  "ivy",    "jetty",	 "juniper", "kestrel",	"lagoon",  "lark",
	"maple",  "marlin",  "meadow", "meteor", "moss",    "oak",	"orchid",  "osprey",
	"otter",  "pebble",  "petrel", "pier",	 "pine",    "plover",	"quartz",  "quay",
	"raven",  "reef",    "river",  "robin",	 "rowan",   "schooner", "sparrow", "spruce",
	"swan",	  "thistle", "tide",   "topaz",	 "trout",   "tulip",	"willow",  "wren",
};

bool name_is_valid(const char *name)
{
	size_t size = strlen(name);
	return size > 0 && size <= NAME_MAX_SIZE && strchr(ALNUM, name[0]) &&
	       strspn(name, ALNUM "_.-") == size;
}

bool id_is_valid(const char *text)
{
	return strspn(text, "0123456789abcdef") == 64 && text[64] == '\0';
}

int name_lookup(struct csn_runtime *rt, const char *name, char ret_id[CSN_ID_SIZE])
{
	char id[CSN_ID_SIZE + 1];
	ssize_t n = name_is_valid(name) ? readlinkat(rt->names_dir, name, id, sizeof id - 1) : -1;
	if (n != CSN_ID_SIZE - 1)
		return -ENOENT;
	id[n] = '\0';
	struct stat st;
	if (!id_is_valid(id) || fstatat(rt->containers_dir, id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -ENOENT;
	memcpy(ret_id, id, CSN_ID_SIZE);
	return 0;
}

/* 0, -EEXIST (somebody has it) or another -errno. */
static int claim(struct csn_runtime *rt, const char *name, const char *id)
{
	char owner[CSN_ID_SIZE];

	if (symlinkat(id, rt->names_dir, name) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (name_lookup(rt, name, owner) == 0)
		return -EEXIST;
	/* Left behind. The lock on the names keeps this from being two steps. */
	if (unlinkat(rt->names_dir, name, 0) < 0 || symlinkat(id, rt->names_dir, name) < 0)
		return -errno;
	return 0;
}

static int make_up(struct csn_runtime *rt, const char *id, char *buf, size_t size,
		   struct csn_error *err)
{
	for (unsigned tries = 0; tries < 1000; tries++) {
		uint16_t random[3];
		if (getrandom(random, sizeof random, 0) != sizeof random)
			return fail_errno(err, "getrandom");
		int n = snprintf(buf, size, "%s-%s", adjectives[random[0] % COUNT(adjectives)],
				 nouns[random[1] % COUNT(nouns)]);
		/* Plain ones first; they get rare after some thousands. */
		if (tries >= 16)
			(void)snprintf(buf + n, size - (size_t)n, "-%u", random[2]);
		int r = claim(rt, buf, id);
		if (r != -EEXIST)
			return r < 0 ? fail(err, -r, "name %s: %s", buf, strerror(-r)) : 0;
	}
	return fail(err, EEXIST, "no free name was found");
}

int name_claim(struct csn_runtime *rt, const char *name, const char *id, char *buf, size_t size,
	       struct csn_error *err)
{
	if (!name)
		return make_up(rt, id, buf, size, err);
	if (!name_is_valid(name))
		return fail(err, EINVAL,
			    "name \"%.150s\": expected [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most %d",
			    name, NAME_MAX_SIZE);
	int r = claim(rt, name, id);
	if (r == -EEXIST) {
		char owner[CSN_ID_SIZE] = "?";
		(void)name_lookup(rt, name, owner);
		return fail(err, EEXIST, "name \"%s\" is taken by container %.12s", name, owner);
	}
	if (r < 0)
		return fail(err, -r, "name \"%s\": %s", name, strerror(-r));
	(void)snprintf(buf, size, "%s", name);
	return 0;
}

void name_free(struct csn_runtime *rt, const char *name, const char *id)
{
	char owner[CSN_ID_SIZE + 1];
	ssize_t n =
		name_is_valid(name) ? readlinkat(rt->names_dir, name, owner, sizeof owner - 1) : -1;
	if (n == CSN_ID_SIZE - 1 && memcmp(owner, id, CSN_ID_SIZE - 1) == 0)
		(void)unlinkat(rt->names_dir, name, 0);
}
