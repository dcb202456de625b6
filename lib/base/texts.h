/* A list of texts that the library gives out: struct csn_texts of caisson.h. */
#ifndef CSN_BASE_TEXTS_H
#define CSN_BASE_TEXTS_H

#include <stdbool.h>

#include "caisson.h"

/* An empty one; NULL without memory. */
struct csn_texts *texts_new(void);
/* Appends a copy. False without memory. */
bool texts_add(struct csn_texts *texts, const char *text);
/* For AUTO(). */
void texts_release(struct csn_texts **texts);

#endif
