/*
 * Runs a fuzz target over files instead of inventions: the seeds and whatever was once found, in
 * `make check`, with any compiler.
 *
 *	replay_TARGET FILE-OR-DIRECTORY...
 */
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 16 << 20 };

static size_t count;

static int replay(const char *path, const struct stat *st, int type, struct FTW *where)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	(void)st, (void)where;
	if (type != FTW_F)
		return 0;
	if (file_read(AT_FDCWD, path, INPUT_MAX, &text, &size, NULL) < 0) {
		perror(path);
		return 1;
	}
	/* A copy of exactly its size, so that a sanitizer sees a byte read beyond. */
	uint8_t *exact = malloc(size ? size : 1);
	MUST(exact);
	memcpy(exact, text, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	count++;
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (nftw(argv[i], replay, 16, FTW_PHYS) != 0)
			return 1;
	printf("%zu inputs\n", count);
	return count == 0;
}
