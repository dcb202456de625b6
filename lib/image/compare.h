/* Are two trees the same, in everything that a layer has? */
#ifndef CSN_IMAGE_COMPARE_H
#define CSN_IMAGE_COMPARE_H

#include "caisson.h"

/* 0, or -EUCLEAN with the first difference: "etc/passwd: its content differs". */
int compare_trees(int want_dir, int got_dir, struct csn_error *err);

#endif
