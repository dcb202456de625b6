/*
 * Wording failures. Nothing here allocates, so an out-of-memory failure can be worded too; a text
 * that does not fit is cut, never dropped.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One line is promised: control characters from file names and JSON must not break logs. */
static void one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
}

/* A failure that is just worded has no kind yet; the text is what was said of it. */
static void set_code(struct csn_error *err, int code)
{
	err->code = code;
	err->kind = CSN_ERROR_NONE;
	err->subject_at = err->subject_size = err->reason_at = 0;
	one_line(err->text);
}

int fail(struct csn_error *err, int code, const char *fmt, ...)
{
	if (err) {
		va_list ap;
		va_start(ap, fmt);
		(void)vsnprintf(err->text, sizeof err->text, fmt, ap);
		va_end(ap);
		set_code(err, code);
	}
	return -code;
}

int fail_errno(struct csn_error *err, const char *fmt, ...)
{
	int code = errno ? errno : EIO;

	if (err) {
		va_list ap;
		va_start(ap, fmt);
		int n = vsnprintf(err->text, sizeof err->text, fmt, ap);
		va_end(ap);
		if (n >= 0 && (size_t)n < sizeof err->text)
			(void)snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s",
				       strerror(code));
		set_code(err, code);
	}
	return -code;
}

int within(struct csn_error *err, int r, const char *fmt, ...)
{
	if (err && r < 0) {
		char below[sizeof err->text];
		memcpy(below, err->text, sizeof below);

		va_list ap;
		va_start(ap, fmt);
		int n = vsnprintf(err->text, sizeof err->text, fmt, ap);
		va_end(ap);
		if (n >= 0 && (size_t)n < sizeof err->text)
			(void)snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", below);
		one_line(err->text);
	}
	return r;
}
