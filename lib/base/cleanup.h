/*
 * Cleanup attributes and ownership transfer. Header-only and free of library calls beyond close
 * and free, so that the child side may use the fd half of it.
 *
 *	auto_fd fd = open(...);		closed when it leaves scope
 *	auto_mem char *p = strdup(...);	freed when it leaves scope
 *	return take_fd(&fd);		the caller owns it now
 */
#ifndef CSN_BASE_CLEANUP_H
#define CSN_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Closes *fd if it is open and marks it closed; keeps errno. */
static inline void close_fd(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		(void)close(*fd);
		errno = saved;
	}
	*fd = -1;
}

static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

static inline void free_mem(void *p)
{
	int saved = errno;
	free(*(void **)p);
	*(void **)p = NULL;
	errno = saved;
}

#define AUTO(fn) __attribute__((cleanup(fn)))
#define auto_fd                                                                                    \
	AUTO(close_fd)                                                                             \
	int
#define auto_mem AUTO(free_mem)

/* Moves a pointer out of its variable: "return take_ptr(p)" leaves p NULL. */
#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(p) *p_ = &(p);                                                          \
		__typeof__(p) taken_ = *p_;                                                        \
		*p_ = NULL;                                                                        \
		taken_;                                                                            \
	})

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
