/*
 * Unpacking layers: what comes out for layers over layers, and that nothing hostile gets out. Each
 * case is one or two tar files and the tree that the upper one must become, or its error.
 * Needs root (devices, owners, trusted.* attributes); without it everything is skipped.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/unit/unpack_harness.h"

#define ENTRIES 12

struct layer_case {
	const char *name;
	struct tar_entry lower[ENTRIES], upper[ENTRIES];
	const char *tree;  /* of the upper layer */
	const char *error; /* what the error text starts with; NULL: none */
	bool independent;  /* the result does not depend on the lower layer */
};

static const struct layer_case layer_cases[] = {
	{ .name = "all types",
	  .upper = { T_DIR("d"),
		     { '0', "d/f", "text", 04755, 1, 2 },
		     T_LINK("d/h", "d/f"),
		     { '2', "s", "d/f", 0777, 3, 4 },
		     { '3', "c", NULL, 0660, 0, 5, 1, 3 },
		     { '4', "b", NULL, 0600, 0, 0, 8, 1 },
		     { '6', "p", NULL, 02622, 6, 0 },
		     { '5', "t", NULL, 03777, 7, 8 } },
	  .tree = "b 600 b 8:1\nc 660 c 1:3 0:5\nd 755 d\nf 4755 d/f=text 1:2\nh d/h = d/f\n"
		  "p 2622 p 6:0\nl s -> d/f 3:4\nd 3777 t 7:8\n",
	  .independent = true },
	{ .name = "names are cleaned",
	  .upper = { T_DIR("./"), T_DIR("/a"), T_FILE("../../a/b", "1"), T_FILE("a//./c", "2"),
		     T_FILE("a/x/../d", "3") },
	  .tree = "d 755 a\nf 644 a/b=1\nf 644 a/c=2\nf 644 a/d=3\n",
	  .independent = true },
	{ .name = "of two entries the last counts",
	  .upper = { T_FILE("a", "first"), T_FILE("a", "second"), T_DIR("d"), T_FILE("d/x", ""),
		     T_FILE("d", "file"), T_FILE("e", "file"), T_DIR("e"), T_FILE("e/y", "") },
	  .tree = "f 644 a=second\nf 644 d=file\nd 755 e opaque\nf 644 e/y=\n",
	  .independent = true },
	{ .name = "a directory again, only its attributes change",
	  .upper = { { '5', "d", NULL, 0700, 1, 1 },
		     T_FILE("d/f", "x"),
		     { '5', "d", NULL, 01777 } },
	  .tree = "d 1777 d\nf 644 d/f=x\n",
	  .independent = true },
	{ .name = "extended attributes",
	  .upper = { { '0', "f", "x", .pax = "SCHILY.xattr.user.a=b\nSCHILY.xattr.user.c=d" },
		     { '5', "d", .pax = "SCHILY.xattr.user.e=f" },
		     { '0', "skip", "x", .pax = "SCHILY.xattr.security.ima=1" } },
	  .tree = "d 755 d user.e=f\nf 644 f=x user.a=b user.c=d\nf 644 skip=x\n",
	  .independent = true },
	{ .name = "parents that are not described look as below",
	  .lower = { { '5', "a", NULL, 02750, 1, 2, .pax = "SCHILY.xattr.user.x=y" },
		     { '5', "a/b", NULL, 01777 } },
	  .upper = { T_FILE("a/b/c", "x") },
	  .tree = "d 2750 a 1:2 user.x=y\nd 1777 a/b\nf 644 a/b/c=x\n" },
	{ .name = "parents that are nowhere",
	  .upper = { T_FILE("a/b/c", "x") },
	  .tree = "d 755 a\nd 755 a/b\nf 644 a/b/c=x\n" },
	{ .name = "a parent described later",
	  .lower = { { '5', "a", NULL, 0700 } },
	  .upper = { T_FILE("a/c", "x"), { '5', "a", NULL, 0711, 1, 1 } },
	  .tree = "d 711 a 1:1\nf 644 a/c=x\n" },
	{ .name = "a setgid directory hands its group to what nobody describes only",
	  .lower = { { '5', "a", NULL, 02755, 0, 9 } },
	  .upper = { T_FILE("a/n/f", "x"), T_DIR("a/d"), T_FILE("a/d/f", "y") },
	  .tree = "d 2755 a 0:9\nd 755 a/d\nf 644 a/d/f=y\nd 2755 a/n 0:9\nf 644 a/n/f=x\n" },
	{ .name = "symlinks of this layer lead on inside",
	  .upper = { T_DIR("real"), T_SYM("s", "real"), T_FILE("s/f", "1"), T_SYM("abs", "/real"),
		     T_FILE("abs/g", "2"), T_SYM("up", "../../../real"), T_FILE("up/h", "3") },
	  .tree = "l abs -> /real\nd 755 real\nf 644 real/f=1\nf 644 real/g=2\nf 644 real/h=3\n"
		  "l s -> real\nl up -> ../../../real\n",
	  .independent = true },
	{ .name = "symlinks of a lower layer lead on",
	  .lower = { T_DIR("usr"), { '5', "usr/lib", NULL, 0711 }, T_SYM("lib", "usr/lib") },
	  .upper = { T_FILE("lib/x", "1") },
	  .tree = "d 755 usr\nd 711 usr/lib\nf 644 usr/lib/x=1\n" },
	{ .name = "a dangling symlink's target is made",
	  .upper = { T_SYM("s", "to/where"), T_FILE("s/f", "1") },
	  .tree = "l s -> to/where\nd 755 to\nd 755 to/where\nf 644 to/where/f=1\n" },
	{ .name = "a directory replaces a symlink",
	  .lower = { T_DIR("x"), T_SYM("s", "x") },
	  .upper = { T_DIR("s"), T_FILE("s/f", "1") },
	  .tree = "d 755 s\nf 644 s/f=1\n",
	  .independent = true },
	{ .name = "a symlink replaces a symlink and leads elsewhere",
	  .upper = { T_DIR("x"), T_DIR("y"), T_SYM("s", "x"), T_FILE("s/1", ""), T_SYM("s", "y"),
		     T_FILE("s/2", "") },
	  .tree = "l s -> y\nd 755 x\nf 644 x/1=\nd 755 y\nf 644 y/2=\n",
	  .independent = true },
	{ .name = "a file replaces a symlink, not its target",
	  .upper = { T_FILE("t", "target"), T_SYM("s", "t"), T_FILE("s", "new") },
	  .tree = "f 644 s=new\nf 644 t=target\n",
	  .independent = true },
	{ .name = "whiteouts",
	  .lower = { T_FILE("f", "x"), T_DIR("d"), T_FILE("d/g", ""), T_SYM("s", "f") },
	  .upper = { T_FILE(".wh.f", ""), T_FILE("d/.wh.g", ""), T_FILE(".wh.s", "") },
	  .tree = "d 755 d\nw d/g\nw f\nw s\n" },
	{ .name = "a whiteout of nothing leaves nothing",
	  .lower = { T_DIR("d") },
	  .upper = { T_FILE(".wh.f", ""), T_FILE("d/.wh.g", ""), T_FILE("no/such/.wh.h", "") },
	  .tree = "" },
	{ .name = "a whiteout below a file",
	  .lower = { T_FILE("f", "x") },
	  .upper = { T_FILE("f/.wh.g", "") },
	  .tree = "" },
	{ .name = "a file added again wins over its whiteout, before",
	  .lower = { T_FILE("f", "x") },
	  .upper = { T_FILE("f", "new"), T_FILE(".wh.f", "") },
	  .tree = "f 644 f=new\n",
	  .independent = true },
	{ .name = "a file added again wins over its whiteout, after",
	  .lower = { T_FILE("f", "x") },
	  .upper = { T_FILE(".wh.f", ""), T_FILE("f", "new") },
	  .tree = "f 644 f=new\n",
	  .independent = true },
	{ .name = "a directory deleted and made again hides the old one",
	  .lower = { { '5', "d", NULL, 0700, 1, 1 }, T_FILE("d/old", "") },
	  .upper = { T_FILE(".wh.d", ""), T_DIR("d"), T_FILE("d/new", "") },
	  .tree = "d 755 d opaque\nf 644 d/new=\n",
	  .independent = true },
	{ .name = "the same, not described",
	  .lower = { { '5', "d", NULL, 0700, 1, 1 }, T_FILE("d/old", "") },
	  .upper = { T_FILE(".wh.d", ""), T_FILE("d/new", "") },
	  .tree = "d 755 d opaque\nf 644 d/new=\n",
	  .independent = true },
	{ .name = "the same, deleted last",
	  .lower = { { '5', "d", NULL, 0700, 1, 1 }, T_FILE("d/old", "") },
	  .upper = { T_FILE("d/new", ""), T_FILE(".wh.d", "") },
	  .tree = "d 700 d 1:1 opaque\nf 644 d/new=\n" },
	{ .name = "a deleted symlink does not lead on",
	  .lower = { T_DIR("x"), T_SYM("s", "x") },
	  .upper = { T_FILE(".wh.s", ""), T_FILE("s/f", "1") },
	  .tree = "d 755 s opaque\nf 644 s/f=1\n",
	  .independent = true },
	{ .name = "an opaque directory, marked first",
	  .lower = { T_DIR("d"), T_FILE("d/old", "") },
	  .upper = { T_DIR("d"), T_FILE("d/.wh..wh..opq", ""), T_FILE("d/new", "") },
	  .tree = "d 755 d opaque\nf 644 d/new=\n",
	  .independent = true },
	{ .name = "an opaque directory, marked last",
	  .lower = { T_DIR("d"), T_FILE("d/old", "") },
	  .upper = { T_DIR("d"), T_FILE("d/new", ""), T_FILE("d/.wh..wh..opq", "") },
	  .tree = "d 755 d opaque\nf 644 d/new=\n",
	  .independent = true },
	{ .name = "an opaque directory that only the lower layer has",
	  .lower = { { '5', "d", NULL, 0711, 1, 0 }, T_FILE("d/old", "") },
	  .upper = { T_FILE("d/.wh..wh..opq", "") },
	  .tree = "d 711 d 1:0 opaque\n" },
	{ .name = "an opaque directory nowhere",
	  .upper = { T_FILE("d/.wh..wh..opq", "") },
	  .tree = "" },
	{ .name = "no whiteouts in an opaque directory",
	  .lower = { T_DIR("d"), T_FILE("d/old", "") },
	  .upper = { T_DIR("d"), T_FILE("d/.wh.old", ""), T_FILE("d/.wh..wh..opq", "") },
	  .tree = "d 755 d opaque\n",
	  .independent = true },
	{ .name = "storage drivers' own files are passed over",
	  .upper = { T_DIR(".wh..wh.plnk"), T_FILE(".wh..wh.plnk/1.2", ""),
		     T_FILE(".wh..wh.aufs", "") },
	  .tree = "",
	  .independent = true },
	{ .name = "a file over a directory, a directory over a file",
	  .lower = { T_DIR("d"), T_FILE("d/x", ""), T_FILE("f", "x") },
	  .upper = { T_FILE("d", "file"), T_DIR("f"), T_FILE("f/y", "") },
	  .tree = "f 644 d=file\nd 755 f\nf 644 f/y=\n",
	  .independent = true },
	{ .name = "a hard link to a file of the lower layer",
	  .lower = { { '5', "d", NULL, 0750 },
		     { '0', "d/f", "low", 04711, 3, 4, .pax = "SCHILY.xattr.user.a=b" } },
	  .upper = { T_LINK("h", "d/f"), T_LINK("i", "./d/f") },
	  .tree = "d 750 d\nf 4711 d/f=low 3:4 user.a=b\nh h = d/f\nh i = d/f\n" },
	{ .name = "hard links to other things of the lower layer",
	  .lower = { { '2', "s", "to", 0777, 1, 2 }, { '6', "p", NULL, 0640 } },
	  .upper = { T_LINK("h", "s"), T_LINK("q", "p") },
	  .tree = "l h -> to 1:2\np 640 p\nh q = p\nh s = h\n" },
	{ .name = "a hard link through a lower symlink",
	  .lower = { T_DIR("usr"), T_FILE("usr/f", "x"), T_SYM("u", "usr") },
	  .upper = { T_LINK("h", "u/f") },
	  .tree = "f 644 h=x\nd 755 usr\nh usr/f = h\n" },
	{ .name = "a hard link to a symlink is to the symlink",
	  .upper = { T_FILE("f", "x"), T_SYM("s", "f"), T_LINK("h", "s") },
	  .tree = "f 644 f=x\nl h -> f\nh s = h\n",
	  .independent = true },
	{ .name = "a hard link replaces what was there",
	  .upper = { T_FILE("f", "x"), T_FILE("g", "y"), T_LINK("g", "f"), T_DIR("d"),
		     T_FILE("d/z", ""), T_LINK("d", "f") },
	  .tree = "f 644 d=x\nh f = d\nh g = d\n",
	  .independent = true },
	{ .name = "a hard link to a file the layer deletes",
	  .lower = { T_FILE("f", "x") },
	  .upper = { T_FILE(".wh.f", ""), T_LINK("h", "f") },
	  .error = "entry 'h': hard link to 'f': the file does not exist" },
	{ .name = "a hard link to nothing",
	  .upper = { T_LINK("h", "no/such") },
	  .error = "entry 'h': hard link to 'no/such': the file does not exist" },
	{ .name = "a hard link to itself",
	  .upper = { T_FILE("f", "x"), T_LINK("f", "f") },
	  .error = "entry 'f': a hard link to itself" },
	{ .name = "a hard link to a directory",
	  .upper = { T_DIR("d"), T_LINK("h", "d") },
	  .error = "entry 'h': hard link to 'd': a hard link to a directory" },
	{ .name = "a hard link to a lower directory",
	  .lower = { T_DIR("d") },
	  .upper = { T_LINK("h", "d") },
	  .error = "entry 'h': hard link to 'd': a hard link to a directory" },
	{ .name = "a hard link to the root",
	  .upper = { T_LINK("h", "/") },
	  .error = "entry 'h': hard link to '/': a hard link to a directory" },
	{ .name = "a file below a file",
	  .upper = { T_FILE("f", "x"), T_FILE("f/g", "y") },
	  .error = "entry 'f/g': 'f' in its path is not a directory" },
	{ .name = "a file below a lower device",
	  .lower = { { '3', "c", NULL, 0600, 0, 0, 1, 3 } },
	  .upper = { T_FILE("c/g", "y") },
	  .error = "entry 'c/g': 'c' in its path is not a directory" },
	{ .name = "symlinks in a circle",
	  .upper = { T_SYM("a", "b"), T_SYM("b", "a"), T_FILE("a/f", "x") },
	  .error = "entry 'a/f': too many symlinks" },
	{ .name = "the root as a file",
	  .upper = { T_FILE(".", "x") },
	  .error = "entry '.': the root directory cannot become something else" },
	{ .name = "the root as a symlink",
	  .upper = { T_SYM("./", "/tmp") },
	  .error = "entry './': the root directory cannot become something else" },
	{ .name = "the root as a hard link",
	  .upper = { T_FILE("f", ""), T_LINK("a/..", "f") },
	  .error = "entry 'a/..': the root directory cannot become something else" },
	{ .name = "a whiteout as a device",
	  .upper = { { '3', "w", NULL, 0600, 0, 0, 0, 0 } },
	  .error = "entry 'w': a character device 0:0 would delete what lies below" },
	{ .name = "overlayfs's attributes, trusted",
	  .upper = { { '5', "d", .pax = "SCHILY.xattr.trusted.overlay.redirect=/etc" } },
	  .error = "entry 'd': a layer must not set the extended attribute "
		   "'trusted.overlay.redirect'" },
	{ .name = "overlayfs's attributes, user",
	  .upper = { { '0', "f", "", .pax = "SCHILY.xattr.user.overlay.opaque=y" } },
	  .error = "entry 'f': a layer must not set the extended attribute 'user.overlay.opaque'" },
	{ .name = "whiteouts of nothing by name",
	  .upper = { T_FILE("d/.wh.", "") },
	  .error = "entry 'd/.wh.': a whiteout that names nothing" },
	{ .name = "whiteouts of dots",
	  .upper = { T_FILE(".wh...", "") },
	  .error = "entry '.wh...': a whiteout that names nothing" },
	{ .name = "an owner out of range",
	  .upper = { { '0', "f", "", .pax = "uid=4294967295" } },
	  .error = "entry 'f': uid 4294967295 is out of range" },
	{ .name = "an unknown type",
	  .upper = { { 'Z', "f", "" } },
	  .tree = "f 644 f=\n",
	  .independent = true },
};

START_TEST(layer)
{
	const struct layer_case *c = &layer_cases[_i];
	AUTO(tar_done)
	struct tar lower = { 0 }, upper = { 0 };
	struct unpack_result result;
	struct csn_error err = { 0 };
	auto_fd lower_fs = make_dir("lower"), upper_fs = make_dir("upper");
	const struct lower_view none = { NULL, 0 }, below = { &lower_fs, 1 };

	tar_make(&lower, c->lower);
	ck_assert_msg(unpack_tar(&lower, lower_fs, &none, &result, &err) == 0, "%s: %s", c->name,
		      err.text);
	tar_make(&upper, c->upper);
	int r = unpack_tar(&upper, upper_fs, &below, &result, &err);
	if (c->error) {
		ck_assert_msg(r < 0, "%s: was accepted", c->name);
		ck_assert_msg(strcmp(err.text, c->error) == 0, "%s: '%s'", c->name, err.text);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", c->name, err.text);
	auto_mem char *tree = tree_text(upper_fs);
	ck_assert_msg(strcmp(tree, c->tree) == 0, "%s:\n%s", c->name, tree);
	ck_assert_msg(result.dependent == !c->independent, "%s: dependent is wrong", c->name);
}
END_TEST

/* Ways out, each with a file behind it; @ stands for the scratch directory. Whatever becomes of
 * them, the canary is as before and nothing new is next to it. */
static const struct tar_entry ways_out[][4] = {
	{ T_FILE("../canary/file", "bad") },
	{ T_FILE("../../../../../../@/canary/file", "bad") },
	{ T_FILE("@/canary/file", "bad") },
	{ T_SYM("s", "@/canary"), T_FILE("s/file", "bad") },
	{ T_SYM("s", "../canary"), T_FILE("s/file", "bad") },
	{ T_SYM("s", "../canary/file"), { '0', "s", "bad", 04777 } },
	{ T_SYM("s", "@/canary/file"), T_LINK("h", "s"), { '0', "h", "bad", 04777 } },
	{ T_LINK("h", "@/canary/file"), T_FILE("h", "bad") },
	{ T_LINK("h", "../canary/file"), T_FILE("h", "bad") },
	{ T_SYM("s", "@/canary"), T_LINK("h", "s/file"), T_FILE("h", "bad") },
	{ T_SYM("s", "@/canary"), { '5', "s", NULL, 0777, 1, 1 }, T_FILE("s/new", "bad") },
	{ T_SYM("a", "b"), T_SYM("b", "@/canary"), T_FILE("a/file", "bad") },
	{ T_DIR("d"), T_SYM("d/s", "../../canary"), T_FILE("d/s/file", "bad") },
	{ T_DIR("d"), T_FILE("d/x", ""), T_SYM("d", "@/canary"), T_FILE("d/file", "bad") },
	{ T_SYM("s", "@/canary"), T_FILE("s/.wh.file", "") },
	{ T_SYM("s", "@/canary"), T_FILE("s/.wh..wh..opq", "") },
	{ T_SYM("s", "@/canary/file"), { '2', "s", "x", .pax = "SCHILY.xattr.trusted.a=b" } },
	{ T_SYM("s", "/proc/self/root@/canary"), T_FILE("s/file", "bad") },
	{ T_SYM(".", "@/canary"), T_FILE("file", "bad") },
};

static const char *expand(const char *s, char *buf)
{
	const char *at = s ? strchr(s, '@') : NULL;

	if (!at)
		return s;
	(void)sprintf(buf, "%.*s%s%s", (int)(at - s), s, scratch, at + 1);
	return buf;
}

START_TEST(way_out)
{
	AUTO(tar_done)
	struct tar t = { 0 };
	struct unpack_result result;
	struct csn_error err = { 0 };
	struct stat before, after;
	auto_fd fs = make_dir("fs");
	auto_fd canary = openat(scratch_fd, "canary", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct lower_view none = { NULL, 0 };

	ck_assert_int_eq(fstatat(canary, "file", &before, 0), 0);
	for (size_t i = 0; i < 4 && ways_out[_i][i].type; i++) {
		char name[200], text[200];
		struct tar_entry e = ways_out[_i][i];
		e.name = expand(e.name, name);
		e.text = expand(e.text, text);
		tar_add(&t, &e);
	}
	tar_end(&t);
	(void)unpack_tar(&t, fs, &none, &result, &err);

	ck_assert_int_eq(fstatat(canary, "file", &after, 0), 0);
	ck_assert_int_eq(memcmp(&before.st_ctim, &after.st_ctim, sizeof before.st_ctim), 0);
	ck_assert_uint_eq(after.st_nlink, 1);
	auto_mem char *tree = tree_text(canary);
	ck_assert_str_eq(tree, "f 644 file=untouched\n");
}
END_TEST

/* Times to the nanosecond, before 1970 too; directories' although files came later. */
START_TEST(times)
{
	static const struct tar_entry entries[] = {
		{ '5', "d", .mtime = 1000 },
		{ '0', "d/f", "x", .pax = "mtime=1500000000.123456789" },
		{ '0', "d/old", "x", .pax = "mtime=-1000.5" },
		{ '2', "d/s", "f", .mtime = 2000 },
		{ '6', "d/p", .mtime = 3000 },
		{ 0 },
	};
	static const struct {
		const char *name;
		struct timespec time;
	} expected[] = {
		{ "d", { 1000, 0 } },
		{ "d/f", { 1500000000, 123456789 } },
		{ "d/old", { -1001, 500000000 } },
		{ "d/s", { 2000, 0 } },
		{ "d/p", { 3000, 0 } },
	};
	AUTO(tar_done)
	struct tar t = { 0 };
	struct unpack_result result;
	auto_fd fs = make_dir("fs");
	const struct lower_view none = { NULL, 0 };

	tar_make(&t, entries);
	ck_assert_int_eq(unpack_tar(&t, fs, &none, &result, NULL), 0);
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct stat st;
		ck_assert_int_eq(fstatat(fs, expected[i].name, &st, AT_SYMLINK_NOFOLLOW), 0);
		ck_assert_msg(st.st_mtim.tv_sec == expected[i].time.tv_sec &&
				      st.st_mtim.tv_nsec == expected[i].time.tv_nsec,
			      "%s: %lld.%ld", expected[i].name, (long long)st.st_mtim.tv_sec,
			      st.st_mtim.tv_nsec);
	}
}
END_TEST

/* Names are bytes: composed and decomposed letters stay what they are, so does what is no UTF-8. */
START_TEST(names)
{
	static const struct tar_entry entries[] = {
		{ '0', "x", "1", .pax = "path=nfd-e\xcc\x81" },
		{ '0', "x", "2", .pax = "path=nfc-\xc3\xa9" },
		T_FILE("latin-\xe9", "3"),
		{ '0', "x", "4", .pax = "path=bad-\xe9" },
		{ '2', "s", "x", .pax = "linkpath=to-e\xcc\x81" },
		{ '1', "h", "x", .pax = "linkpath=nfd-e\xcc\x81" },
		{ 0 },
	};
	AUTO(tar_done)
	struct tar t = { 0 };
	struct unpack_result result;
	struct csn_error err = { 0 };
	auto_fd fs = make_dir("fs");
	const struct lower_view none = { NULL, 0 };

	tar_make(&t, entries);
	ck_assert_msg(unpack_tar(&t, fs, &none, &result, &err) == 0, "%s", err.text);
	auto_mem char *tree = tree_text(fs);
	ck_assert_str_eq(tree, "f 644 bad-\xe9=4\nf 644 h=1\nf 644 latin-\xe9=3\n"
			       "f 644 nfc-\xc3\xa9=2\nh nfd-e\xcc\x81 = h\nl s -> to-e\xcc\x81\n");
}
END_TEST

/* GNU's sparse format 1.0: data at the right places, holes between. */
/* Without the padding of the last file and the blocks of zeros; and with less than its content. */
START_TEST(cut)
{
	static const struct tar_entry entries[] = { T_FILE("a", "first"),
						    T_FILE("b", "content"),
						    { 0 } };
	const struct lower_view lowers = { 0 };
	struct unpack_result result;
	struct csn_error err = { 0 };
	struct tar t = { 0 };
	tar_make(&t, entries);
	size_t end = 3 * 512 + strlen("content");

	t.size = end;
	auto_fd whole = make_dir("cut");
	ck_assert_msg(unpack_tar(&t, whole, &lowers, &result, &err) == 0, "%s", err.text);
	auto_mem char *text = tree_text(whole);
	ck_assert_str_eq(text, "f 644 a=first\nf 644 b=content\n");
	for (size_t less = 1; less < 1024; less += 7) {
		char name[24];
		(void)snprintf(name, sizeof name, "cut%zu", less);
		t.size = end - less;
		auto_fd dir = make_dir(name);
		/* A whole number of entries is a whole archive, as other tools have it. */
		bool whole_entries = t.size == 1024 || t.size == 512 + strlen("first");
		ck_assert_msg((unpack_tar(&t, dir, &lowers, &result, &err) < 0) != whole_entries,
			      "%zu", less);
	}
	tar_done(&t);
}
END_TEST

START_TEST(sparse)
{
	static const char map[] = "2\n1048576\n4\n3145728\n0\n";
	AUTO(tar_done)
	struct tar t = { 0 };
	struct unpack_result result;
	struct csn_error err = { 0 };
	char content[512 + 5] = { 0 };
	auto_fd fs = make_dir("fs");
	const struct lower_view none = { NULL, 0 };

	memset(content, '\n', 512);
	memcpy(content, map, sizeof map - 1);
	memcpy(content + 512, "data", 5);
	const struct tar_entry e = { '0', "x", content,
				     .pax = "GNU.sparse.major=1\n"
					    "GNU.sparse.minor=0\n"
					    "GNU.sparse.name=sparse\n"
					    "GNU.sparse.realsize=3145728" };
	tar_add(&t, &e);
	tar_end(&t);
	ck_assert_msg(unpack_tar(&t, fs, &none, &result, &err) == 0, "%s", err.text);

	struct stat st;
	char buf[6] = { 0 };
	ck_assert_int_eq(fstatat(fs, "sparse", &st, 0), 0);
	ck_assert_int_eq(st.st_size, 3145728);
	ck_assert_int_lt(st.st_blocks * 512, 1048576);
	auto_fd fd = openat(fs, "sparse", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(pread(fd, buf, 5, 1048575), 5);
	ck_assert_int_eq(memcmp(buf, "\0data", 5), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image unpack");
	TCase *tc = tcase_create("unpack");

	if (geteuid() != 0) {
		(void)printf("needs root: skipped\n");
		return 77;
	}
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, unpack_setup, unpack_teardown);
	tcase_add_loop_test(tc, layer, 0, (int)COUNT(layer_cases));
	tcase_add_loop_test(tc, way_out, 0, (int)COUNT(ways_out));
	tcase_add_test(tc, times);
	tcase_add_test(tc, names);
	tcase_add_test(tc, cut);
	tcase_add_test(tc, sparse);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
