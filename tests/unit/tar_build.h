/* Tar files for tests, made entry by entry, also such as no tar program would make. */
#ifndef CSN_TESTS_TAR_BUILD_H
#define CSN_TESTS_TAR_BUILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tar_entry {
	char type; /* '0' file, '1' hard link, '2' symlink, '3' char, '4' block, '5' dir, '6' fifo
		    */
	const char *name;
	const char *text; /* content, or the link's target */
	mode_t mode;	  /* 0: 0644, directories 0755 */
	unsigned int uid, gid;
	unsigned int major, minor;
	int64_t mtime;
	const char *pax; /* "key=value" lines; may be NULL */
	size_t size;	 /* of text; 0: up to its NUL */
};

#define T_FILE(n, t)                                                                               \
	{                                                                                          \
		.type = '0', .name = (n), .text = (t)                                              \
	}
#define T_DIR(n)                                                                                   \
	{                                                                                          \
		.type = '5', .name = (n)                                                           \
	}
#define T_LINK(n, t)                                                                               \
	{                                                                                          \
		.type = '1', .name = (n), .text = (t)                                              \
	}
#define T_SYM(n, t)                                                                                \
	{                                                                                          \
		.type = '2', .name = (n), .text = (t)                                              \
	}

struct tar {
	char *data;
	size_t size, capacity;
};

/* One entry; aborts the test program when memory is out. */
void tar_add(struct tar *t, const struct tar_entry *e);
/* Entries up to one without a type, then the two blocks of zeros. */
void tar_make(struct tar *t, const struct tar_entry *entries);
void tar_append(struct tar *t, const void *data, size_t size);
void tar_end(struct tar *t);
/* A memfd with the data, at its start. */
int tar_fd(const struct tar *t);
void tar_done(struct tar *t);

/*
 * A tree as text, one line per file, sorted: "d 755 a", "f 644 a/b=text", "l a/c -> x", "h a/d =
 * a/b", "c 660 dev 1:3", "p 644 fifo", "w a/x" (whiteout); with " 1:2" for another owner than 0:0,
 * " opaque", " user.x=y" behind. malloc'd. The root is not in it.
 */
char *tree_text(int dir_fd);

#endif
