/*
 * A container's program for `wake`: goes on for a while, writes the time of CLOCK_MONOTONIC into a
 * file and ends at once, so that who waits for its end can tell how late it heard.
 *
 *	last FILE MILLISECONDS
 */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec t;
	if (argc != 3)
		_exit(2);
	int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		_exit(1);
	long ms = strtol(argv[2], NULL, 10);
	t = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
	(void)nanosleep(&t, NULL);
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	_exit(write(fd, &t, sizeof t) == sizeof t ? 0 : 1);
}
