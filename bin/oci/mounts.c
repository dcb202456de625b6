/* caisson mounts: mounts that come and go while a container runs, with crun's command line. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "bin/oci/oci.h"

enum { MOUNTS_MAX = 16 << 20 };

static int change(const char *id, const char *path, bool remove, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	struct spec *list;
	TRY(file_read(AT_FDCWD, path, MOUNTS_MAX, &text, &size, err));
	TRY(spec_parse_mounts(text, size, path, &list, err));
	int r = host_mounts(oci_context(), id, list, remove, err);
	spec_free(list);
	return r;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	(void)argc;
	bool remove = strcmp(argv[0], "remove") == 0;

	int status = oci_need_root();
	if (status)
		return status;
	if (!remove && strcmp(argv[0], "add") != 0)
		return oci_fail_text(1, "mounts: expected add or remove, not \"%s\"", argv[0]);
	return change(argv[1], argv[2], remove, &err) < 0 ? oci_fail(&err, 1) : 0;
}

const struct command command_mounts = { "mounts",
					"add|remove CONTAINER FILE",
					"add or remove mounts of a running container",
					3,
					3,
					NULL,
					run };
