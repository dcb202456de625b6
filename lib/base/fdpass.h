/* AF_UNIX sockets by path and file descriptors over them. */
#ifndef CSN_BASE_FDPASS_H
#define CSN_BASE_FDPASS_H

#include <stddef.h>
#include <sys/types.h>

#include "caisson.h"

/* connect(2) and bind(2)+listen(2) to a path of any length: longer than sun_path goes through
 * /proc/self/fd of its directory. type: SOCK_STREAM or SOCK_SEQPACKET. Returns the fd, CLOEXEC. */
int unix_connect(const char *path, int type, struct csn_error *err);
int unix_listen(int dir_fd, const char *name, int type, mode_t mode, struct csn_error *err);
/* bind(2) alone, for SOCK_DGRAM. */
int unix_bind(int dir_fd, const char *name, int type, mode_t mode, struct csn_error *err);
/* The same relative to a directory fd. */
int unix_connect_at(int dir_fd, const char *name, int type, struct csn_error *err);

/* Sends data with one fd (fd < 0: none). */
int send_with_fd(int sock, const void *data, size_t size, int fd);
/* Receives up to size bytes and at most one fd (*ret_fd = -1 if none, CLOEXEC). Bytes received,
 * 0 at the end of file, -errno. Surplus fds are closed. */
ssize_t recv_with_fd(int sock, void *data, size_t size, int *ret_fd);

#endif
