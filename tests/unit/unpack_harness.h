/* What tests of unpacking share: a scratch directory with a canary, and one call to unpack. */
#ifndef CSN_TESTS_UNPACK_HARNESS_H
#define CSN_TESTS_UNPACK_HARNESS_H

#include "image/stream.h"
#include "image/unpack.h"
#include "tests/unit/tar_build.h"

extern char scratch[64];
extern int scratch_fd;

/* In it canary/file ("untouched"), outside of every layer: nothing may ever change it. */
void unpack_setup(void);
void unpack_teardown(void);
/* A new directory in the scratch directory, opened. */
int make_dir(const char *name);
int unpack_tar(const struct tar *t, int fs, const struct lower_view *lowers,
	       struct unpack_result *ret, struct csn_error *err);

#endif
