/* csn save and csn export: archives of images, and of a container's file system. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bin/engine/engine.h"

static const char *output;

static const struct opt *get_options(void)
{
	static const struct opt rows[] = {
		{ 'o', "output", "FILE", "write there, not to standard output", OPT_TEXT, &output },
		{ 0 },
	};
	return rows;
}

typedef int write_fn(struct csn_runtime *rt, char **argv, int fd, struct csn_error *err);

static int write_archive(const char *verb, char **argv, write_fn *fn)
{
	struct csn_runtime *rt = engine_runtime();
	struct csn_error err;

	if (!rt)
		return STATUS_FAILED;
	if (!output && isatty(STDOUT_FILENO))
		return engine_fail_text(STATUS_FAILED,
					"%s: an archive does not go to a terminal; use --output",
					verb);
	auto_fd fd = output ? open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
			    : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return engine_fail_text(STATUS_FAILED, "%s: open %s: %s", verb,
					output ? output : "standard output", strerror(errno));
	if (fn(rt, argv, fd, &err) == 0)
		return 0;
	/* Half an archive is worse than none. */
	if (output)
		(void)unlink(output);
	return engine_fail(&err, STATUS_FAILED);
}

static int save(struct csn_runtime *rt, char **argv, int fd, struct csn_error *err)
{
	return csn_image_save(rt, (const char *const *)argv, fd, err);
}

static int run_save(int argc, char **argv)
{
	(void)argc; /* argv ends with NULL */
	return write_archive("save", argv, save);
}

const struct command command_save = { "save",	   "IMAGE…", "write images to an archive", 1, -1,
				      get_options, run_save };

static int export(struct csn_runtime *rt, char **argv, int fd, struct csn_error *err)
{
	return csn_container_export(rt, argv[0], fd, err);
}

static int run_export(int argc, char **argv)
{
	(void)argc;
	return write_archive("export", argv, export);
}

const struct command command_export = {
	"export",    "CONTAINER", "write a container's file system to a tar file", 1, 1,
	get_options, run_export
};
