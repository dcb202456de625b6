/*
 * Command lines of programs that we call (systemd-run, criu). Our callers may have given us no
 * environment at all, so where programs are is ours to say.
 */
#include "host/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"

void words_add(struct words *w, const char *fmt, ...)
{
	char text[4096 + 64];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	char *word = n < 0 || (size_t)n >= sizeof text ? NULL : arena_strdup(w->arena, text);
	if (!word || w->count == WORDS_MAX)
		w->failed = true;
	else
		w->items[w->count++] = word;
}

void words_exec(const struct words *w)
{
	static const char *const dirs[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					    "/usr/bin",	       "/sbin",		 "/bin" };
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *envp[] = { path, NULL };
	char program[256];
	for (size_t i = 0; i < COUNT(dirs); i++) {
		(void)snprintf(program, sizeof program, "%s/%s", dirs[i], w->items[0]);
		if (access(program, X_OK) == 0)
			(void)execve(program, w->items, envp);
	}
}
