/* csn top: the processes of a container, in the columns that ps(1) would have. */
#include "bin/engine/engine.h"
#include "bin/out.h"
#include "caisson-inside.h"

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct csn_top *top = NULL;
	struct csn_runtime *rt = engine_runtime();
	(void)argc; /* argv ends with NULL */

	if (!rt)
		return STATUS_FAILED;
	if (csn_container_top(rt, argv[0], (const char *const *)(argv + 1), &top, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	struct out_table t = { .columns = csn_top_columns(top) };
	for (size_t c = 0; c < csn_top_columns(top); c++)
		out_table_add(&t, csn_top_title(top, c));
	for (size_t r = 0; r < csn_top_rows(top); r++)
		for (size_t c = 0; c < csn_top_columns(top); c++)
			out_table_add(&t, csn_top_cell(top, r, c));
	out_table_print(&t);
	csn_top_free(top);
	return 0;
}

const struct command command_top = {
	"top", "CONTAINER [PS-OPTION…]", "list the processes of a container", 1, -1, NULL, run
};
