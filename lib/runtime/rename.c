/*
 * Another name for a container. The new one is claimed, then the record says it, then the old one
 * is free: whoever is killed in between leaves a container that both names find.
 */
#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "base/error.h"
#include "runtime/runtime.h"

int csn_container_rename(struct csn_runtime *rt, const char *container, const char *name, bool keep,
			 struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record r = { 0 };
	char claimed[160], owner[CSN_ID_SIZE];

	TRY(container_find(rt, container, &c, err));
	/* In the order of all others: the container, then the names. */
	auto_fd lock = lock_dir(c.dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	auto_fd names = lock_dir(rt->names_dir, LOCK_EX, err);
	if (names < 0)
		return names;
	TRY(engine_record_read(c.dir, &r, &arena, err));
	if (strcmp(r.name, name) == 0)
		return 0;
	/* Its kept name is its own already. */
	bool mine = name_lookup(rt, name, owner) == 0 && strcmp(owner, c.id) == 0;
	if (!mine)
		TRY(name_claim(rt, name, c.id, claimed, sizeof claimed, err));

	char *old = r.name;
	r.name = (char *)(uintptr_t)name;
	if (keep && !r.first_name)
		r.first_name = old;
	int result = engine_record_write(c.dir, &r, err);
	if (result < 0) {
		if (!mine)
			name_free(rt, name, c.id);
		return within(err, result, "container \"%s\"", container);
	}
	if (!r.first_name || strcmp(r.first_name, old) != 0)
		name_free(rt, old, c.id);
	event_tell(rt, &c, (struct journal_event){ .action = "rename" });
	return 0;
}
