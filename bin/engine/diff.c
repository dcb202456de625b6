/* csn diff: what a container changed of its image's files. */
#include <stdio.h>

#include "bin/engine/engine.h"
#include "caisson-inside.h"

/* A name may hold any byte: what could drive a terminal is shown as '?'. */
static void print_path(const char *path)
{
	for (; *path; path++)
		putchar((unsigned char)*path < ' ' || *path == 0x7f ? '?' : *path);
	putchar('\n');
}

static int run(int argc, char **argv)
{
	static const char letters[] = "CAD"; /* by enum csn_change_kind */
	struct csn_error err;
	struct csn_changes *changes = NULL;
	struct csn_runtime *rt = engine_runtime();
	(void)argc;

	if (!rt)
		return STATUS_FAILED;
	if (csn_container_changes(rt, argv[0], &changes, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	for (size_t i = 0; i < csn_changes_count(changes); i++) {
		const struct csn_change *c = csn_changes_get(changes, i);
		printf("%c ", letters[c->kind]);
		print_path(c->path);
	}
	csn_changes_free(changes);
	return 0;
}

const struct command command_diff = {
	"diff", "CONTAINER", "print what it changed of its image's files", 1, 1, NULL, run
};
