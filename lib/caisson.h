/*
 * libcaisson: containers for a host agent.
 *
 * Conventions, for every function here unless its comment says otherwise:
 *   - 0 or a positive number on success, a negative errno value on failure; the sentence for
 *     people is in *err (may be NULL).
 *   - inputs are borrowed for the call; ret_* outputs are owned by the caller, untouched on failure.
 *   - functions ending in _free or _close accept NULL.
 */
#ifndef CAISSON_H
#define CAISSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What went wrong: code is a positive errno value, text one line without a full stop. */
struct csn_error {
	int code;
	char text[508];
};

#ifdef __cplusplus
}
#endif

#endif
