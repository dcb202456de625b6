/*
 * lib/runtime without containers: names, look-ups inside layers, logs, attach frames, and the life
 * of container directories, with a shell script in the place of caisson-monitor.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sha256.h"
#include "base/utc.h"
#include "runtime/runtime.h"

static char world[64]; /* of one test: root, run, programs */
static struct csn_runtime *rt;

static void path_in_world(char *buf, size_t size, const char *path)
{
	int n = snprintf(buf, size, "%s/%s", world, path);
	ck_assert(n > 0 && (size_t)n < size);
}

static void put(const char *path, const char *text, mode_t mode)
{
	char whole[400];
	path_in_world(whole, sizeof whole, path);
	char *slash = strrchr(whole, '/');
	*slash = '\0';
	ck_assert_int_eq(make_dirs(whole, 0755, NULL), 0);
	*slash = '/';
	int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write_all(fd, text, strlen(text)), 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

/* What stands in for caisson-monitor: $id and the directories are set, fd 3 is the status. */
static void put_monitor(const char *script)
{
	char text[4096];
	(void)snprintf(text, sizeof text,
		       "#!/bin/sh\nroot=$2 run=$4 id=$6\ndir=$root/containers/$id\n%s\n", script);
	put("programs/caisson-monitor", text, 0755);
}

static void open_world(void)
{
	char root[100], run[100], programs[100];
	struct csn_error err = { 0 };
	struct csn_config config = CSN_CONFIG_INIT;

	(void)strcpy(world, "/tmp/test_runtime.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(world));
	path_in_world(root, sizeof root, "root");
	path_in_world(run, sizeof run, "run");
	path_in_world(programs, sizeof programs, "programs");
	put_monitor("echo '{\"pid\":1}' >&3");
	ck_assert_int_eq(setenv("CAISSON_LIBEXEC", programs, 1), 0);
	config.root = root;
	config.run_root = run;
	int r = csn_runtime_open_native(&config, &rt, &err);
	ck_assert_msg(r == 0, "%s", err.text);
}

static void close_world(void)
{
	csn_runtime_close(rt);
	rt = NULL;
	ck_assert_int_eq(remove_tree(AT_FDCWD, world, NULL), 0);
}

/* An image record of the layers given ("a b"), bottom first. */
static void put_image(const char *reference, const char *layers)
{
	struct sha256 hash;
	char hex[65], path[200], text[2000], list[500] = "", *copy = strdup(layers), *save;
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save))
		(void)snprintf(list + strlen(list), sizeof list - strlen(list),
			       "%s\"layers/%s/fs\"", list[0] ? "," : "", p);
	free(copy);
	(void)snprintf(text, sizeof text,
		       "{\"reference\":\"%s\",\"digest\":\"sha256:%s\",\"id\":\"sha256:abcdef%s\","
		       "\"size\":1,\"layers\":[%s],\"config\":{\"Cmd\":[\"sh\"]},"
		       "\"root\":{\"mode\":448,\"uid\":3,\"gid\":4}}",
		       reference, "d", strstr(reference, "two") ? "22" : "11", list);
	sha256_init(&hash);
	sha256_update(&hash, reference, strlen(reference));
	sha256_hex(&hash, hex);
	(void)snprintf(path, sizeof path, "root/images/%s.json", hex);
	put(path, text, 0644);
}

static int create(const char *name, char id[CSN_ID_SIZE], struct csn_error *err)
{
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;
	o.image = "one";
	o.name = name;
	return csn_container_create(rt, &o, id, err);
}

static void create_ok(const char *name, char id[CSN_ID_SIZE])
{
	struct csn_error err = { 0 };
	int r = create(name, id, &err);
	ck_assert_msg(r == 0, "%s", err.text);
}

static size_t entries(const char *path)
{
	char whole[300], command[400];
	path_in_world(whole, sizeof whole, path);
	(void)snprintf(command, sizeof command, "ls -A %s | wc -l", whole);
	FILE *f = popen(command, "r");
	size_t n = 999;
	ck_assert_int_eq(fscanf(f, "%zu", &n), 1);
	pclose(f);
	return n;
}

/* ---- references and look-ups ------------------------------------------------------------------
 */

static const struct {
	const char *given, *want;
} references[] = {
	{ "busybox", "docker.io/library/busybox:latest" },
	{ "busybox:1", "docker.io/library/busybox:1" },
	{ "me/app", "docker.io/me/app:latest" },
	{ "docker.io/busybox", "docker.io/library/busybox:latest" },
	{ "index.docker.io/me/app:2", "docker.io/me/app:2" },
	{ "localhost/app", "localhost/app:latest" },
	{ "host:5000/a", "host:5000/a:latest" },
	{ "host:5000/a/b:6", "host:5000/a/b:6" },
	{ "Host/a", "Host/a:latest" },
	{ "[::1]:5000/a", "[::1]:5000/a:latest" },
	{ "x@sha256:aa", "docker.io/library/x@sha256:aa" },
	{ "x:1@sha256:aa", "docker.io/library/x:1@sha256:aa" },
	{ "h.io/x@sha256:aa", "h.io/x@sha256:aa" },
};

START_TEST(normalises_references)
{
	char *got = reference_normalise(references[_i].given);
	ck_assert_str_eq(got, references[_i].want);
	free(got);
}
END_TEST

START_TEST(finds_images)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct image_record r;
	struct csn_error err;
	struct csn_images *l = NULL;

	open_world();
	put_image("docker.io/library/one:latest", "a");
	put_image("docker.io/library/two:latest", "a");
	put("root/images/junk.json", "{", 0644);
	ck_assert_int_eq(image_find(rt, "one", &r, &arena, &err), 0);
	ck_assert_str_eq(r.reference, "docker.io/library/one:latest");
	ck_assert_int_eq(image_find(rt, "abcdef2", &r, &arena, &err), 0);
	ck_assert_str_eq(r.reference, "docker.io/library/two:latest");
	ck_assert_int_eq(image_find(rt, "sha256:abcdef1", &r, &arena, &err), 0);
	ck_assert_int_eq(image_find(rt, "abcdef", &r, &arena, &err), -EINVAL);
	ck_assert_str_eq(err.text, "image \"abcdef\": several ids begin like this");
	ck_assert_int_eq(image_find(rt, "abc", &r, &arena, &err), -ENOENT);
	ck_assert_str_eq(err.text, "image \"abc\" does not exist");
	ck_assert_int_eq(image_find(rt, "", &r, &arena, &err), -EINVAL);

	ck_assert_int_eq(csn_image_list(rt, &l, NULL), 0);
	ck_assert_uint_eq(csn_images_count(l), 2);
	ck_assert_str_eq(csn_images_get(l, 0)->reference, "docker.io/library/one:latest");
	ck_assert_ptr_null(csn_images_get(l, 2));
	csn_images_free(l);
	csn_images_free(NULL);
	close_world();
}
END_TEST

/* ---- inside layers ----------------------------------------------------------------------------
 */

static const char *read_merged(const char *layers, const char *path)
{
	static char text[100];
	struct spec_strings list = { 0 };
	char *items[8], *copy = strdup(layers), *save;
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		items[list.count] = malloc(50);
		(void)snprintf(items[list.count++], 50, "layers/%s", p);
	}
	list.items = items;
	int fd = merged_open(rt, &list, path, NULL);
	for (size_t i = 0; i < list.count; i++)
		free(items[i]);
	free(copy);
	if (fd < 0)
		return strerrorname_np(-fd);
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void link_to(const char *target, const char *path)
{
	char whole[300];
	path_in_world(whole, sizeof whole, path);
	ck_assert_int_eq(symlink(target, whole), 0);
}

START_TEST(sees_layers_as_overlay_does)
{
	char path[300];
	open_world();
	put("root/layers/a/etc/passwd", "a", 0644);
	put("root/layers/a/etc/only", "a-only", 0644);
	put("root/layers/a/dir/f", "a-f", 0644);
	put("root/layers/a/was/f", "a-was", 0644);
	put("root/layers/b/etc/passwd", "b", 0644);
	put("root/layers/b/was", "now a file", 0644);
	put("root/layers/c/other", "c", 0644);
	link_to("etc", "root/layers/a/abs");
	link_to("/etc/../etc//passwd", "root/layers/c/link");
	link_to("../../../etc/only", "root/layers/a/etc/up");
	link_to("loop", "root/layers/a/loop");
	path_in_world(path, sizeof path, "root/layers/a/fifo");
	ck_assert_int_eq(mkfifo(path, 0644), 0);

	ck_assert_str_eq(read_merged("a", "/etc/passwd"), "a");
	ck_assert_str_eq(read_merged("a b", "/etc/passwd"), "b");
	ck_assert_str_eq(read_merged("a b c", "/etc/only"), "a-only");
	ck_assert_str_eq(read_merged("a b c", "/link"), "b");
	ck_assert_str_eq(read_merged("a b c", "/abs/only"), "a-only");
	ck_assert_str_eq(read_merged("a b c", "etc/up"), "a-only");
	ck_assert_str_eq(read_merged("a b c", "/../../etc/passwd"), "b");
	ck_assert_str_eq(read_merged("a b", "/was"), "now a file");
	ck_assert_str_eq(read_merged("a b", "/was/f"), "ENOTDIR");
	ck_assert_str_eq(read_merged("a b c", "/etc/none"), "ENOENT");
	ck_assert_str_eq(read_merged("a b c", "/etc"), "EISDIR");
	ck_assert_str_eq(read_merged("a", "/loop"), "ELOOP");
	ck_assert_str_eq(read_merged("a", "/fifo"), "EINVAL");
	ck_assert_str_eq(read_merged("", "/etc/passwd"), "ENOENT");
	ck_assert_str_eq(read_merged("nosuch", "/etc/passwd"), "ENOENT");
	close_world();
}
END_TEST

/* What needs root to be made: whiteouts and opaque directories. */
START_TEST(sees_deletions_as_overlay_does)
{
	char path[300];
	if (geteuid() != 0)
		return;
	open_world();
	put("root/layers/a/etc/passwd", "a", 0644);
	put("root/layers/a/gone/f", "a", 0644);
	put("root/layers/a/back/f", "a", 0644);
	put("root/layers/b/etc/group", "b", 0644);
	path_in_world(path, sizeof path, "root/layers/b/etc");
	if (setxattr(path, "trusted.overlay.opaque", "y", 1, 0) < 0) { /* not on this file system */
		close_world();
		return;
	}
	path_in_world(path, sizeof path, "root/layers/b/gone");
	ck_assert_int_eq(mknod(path, S_IFCHR, makedev(0, 0)), 0);
	path_in_world(path, sizeof path, "root/layers/b/back");
	ck_assert_int_eq(mknod(path, S_IFCHR, makedev(0, 0)), 0);
	put("root/layers/c/back/g", "c", 0644);

	ck_assert_str_eq(read_merged("a b", "/etc/passwd"), "ENOENT");
	ck_assert_str_eq(read_merged("a b", "/etc/group"), "b");
	ck_assert_str_eq(read_merged("b a", "/etc/passwd"), "a");
	ck_assert_str_eq(read_merged("a b", "/gone/f"), "ENOENT");
	ck_assert_str_eq(read_merged("a b c", "/back/g"), "c");
	/* A directory over a whiteout: the whiteout still ends what shows through. */
	ck_assert_str_eq(read_merged("a b c", "/back/f"), "ENOENT");
	close_world();
}
END_TEST

/* ---- times ------------------------------------------------------------------------------------
 */

START_TEST(parses_times)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		{ "1970-01-01T00:00:01Z", 1000000000 },
		{ "1970-01-01T00:00:01.5Z", 1500000000 },
		{ "1970-01-01T00:00:00.000000001Z", 1 },
		{ "1970-01-01T00:00:00.1234567899Z", 123456789 },
		{ "1970-01-01T01:00:01+01:00", 1000000000 },
		{ "1969-12-31T23:00:01.000-01:00", 1000000000 },
		{ "2026-11-24T13:05:00.123456789Z", 1795525500123456789 },
		{ "", 0 },
		{ "2026-11-24", 0 },
		{ "2026-11-24T13:05:00", 0 },
		{ "2026-11-24 13:05:00Z", 0 },
		{ "x026-11-24T13:05:00Z", 0 },
		{ "2026-11-24T13:05:00+1", 0 },
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		ck_assert_int_eq(utc_parse(rows[i].text, strlen(rows[i].text), NULL), rows[i].ns);
}
END_TEST

/* ---- containers -------------------------------------------------------------------------------
 */

START_TEST(makes_and_removes)
{
	char id[CSN_ID_SIZE], other[CSN_ID_SIZE], path[300];
	struct csn_error err;
	struct stat st;
	mode_t before = umask(077);

	open_world();
	put_image("docker.io/library/one:latest", "");
	create_ok("web", id);
	create_ok(NULL, other);
	ck_assert(id_is_valid(id) && id_is_valid(other));
	ck_assert_uint_eq(entries("root/containers"), 2);
	ck_assert_uint_eq(entries("root/names"), 2);
	ck_assert_uint_eq(entries("root/unfinished"), 0);
	(void)snprintf(path, sizeof path, "%s/root/containers/%s/upper", world, id);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	if (geteuid() == 0)
		ck_assert_uint_eq(st.st_uid, 3);
	(void)snprintf(path, sizeof path, "%s/root/containers/%s/hosts", world, id);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);

	ck_assert_int_eq(create("web", other, &err), -EEXIST);
	ck_assert_msg(strncmp(err.text, "name \"web\" is taken by container ", 33) == 0, "%s",
		      err.text);
	ck_assert_int_eq(create("-web", other, &err), -EINVAL);
	ck_assert_int_eq(create("", other, &err), -EINVAL);
	ck_assert_uint_eq(entries("root/containers"), 2);
	ck_assert_uint_eq(entries("root/unfinished"), 0);

	ck_assert_int_eq(csn_container_resolve(rt, "web", other, NULL), 0);
	ck_assert_str_eq(id, other);
	char prefix[13];
	(void)snprintf(prefix, sizeof prefix, "%.12s", id);
	ck_assert_int_eq(csn_container_resolve(rt, prefix, other, NULL), 0);
	ck_assert_str_eq(id, other);
	ck_assert_int_eq(csn_container_resolve(rt, "../web", other, &err), -ENOENT);
	ck_assert_str_eq(err.text, "container \"../web\" does not exist");

	ck_assert_int_eq(csn_container_remove(rt, "web", false, &err), 0);
	ck_assert_int_eq(csn_container_remove(rt, "web", true, &err), -ENOENT);
	ck_assert_uint_eq(entries("root/containers"), 1);
	ck_assert_uint_eq(entries("root/names"), 1);
	create_ok("web", id);
	close_world();
	(void)umask(before);
}
END_TEST

/* A name whose container is gone (a crash, --rm) is free; what is half made is swept. */
START_TEST(survives_crashes)
{
	char id[CSN_ID_SIZE], path[300];

	open_world();
	put_image("docker.io/library/one:latest", "");
	link_to("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"root/names/web");
	put("root/unfinished/1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/"
	    "upper/x",
	    "", 0644);
	put("root/unfinished/2123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/x",
	    "", 0644);
	path_in_world(
		path, sizeof path,
		"root/unfinished/2123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	int held = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(flock(held, LOCK_EX), 0);
	create_ok("web", id);
	ck_assert_uint_eq(entries("root/unfinished"), 1);
	close(held);
	create_ok(NULL, id);
	ck_assert_uint_eq(entries("root/unfinished"), 0);

	/* A damaged record can still be removed, and does not hide the others. */
	(void)snprintf(path, sizeof path, "root/containers/%s/container.json", id);
	put(path, "{\"id\":", 0600);
	struct csn_containers *l = NULL;
	ck_assert_int_eq(csn_container_list(rt, true, &l, NULL), 0);
	ck_assert_uint_eq(csn_containers_count(l), 1);
	csn_containers_free(l);
	ck_assert_int_eq(csn_container_remove(rt, id, false, NULL), 0);
	ck_assert_uint_eq(entries("root/containers"), 1);
	close_world();
}
END_TEST

/* Sixteen processes want one name: one gets it. */
START_TEST(one_name_one_container)
{
	open_world();
	put_image("docker.io/library/one:latest", "");
	pid_t pids[16];
	for (size_t i = 0; i < COUNT(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			char id[CSN_ID_SIZE];
			_exit(create("web", id, NULL) == 0 ? 0 : 1);
		}
	}
	int winners = 0;
	for (size_t i = 0; i < COUNT(pids); i++) {
		int status;
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		winners += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	ck_assert_int_eq(winners, 1);
	ck_assert_uint_eq(entries("root/containers"), 1);
	ck_assert_uint_eq(entries("root/unfinished"), 0);
	close_world();
}
END_TEST

static const char *const bad_names[] = {
	"", "-a", ".a", "_a", "a b", "a/b", "..", "a\n", "\xc3\xa4"
};

START_TEST(names)
{
	char longest[130];
	ck_assert(name_is_valid("a"));
	ck_assert(name_is_valid("A0_.-"));
	for (size_t i = 0; i < COUNT(bad_names); i++)
		ck_assert(!name_is_valid(bad_names[i]));
	memset(longest, 'a', sizeof longest);
	longest[128] = '\0';
	ck_assert(name_is_valid(longest));
	longest[128] = 'a';
	longest[129] = '\0';
	ck_assert(!name_is_valid(longest));
}
END_TEST

/* ---- starting ---------------------------------------------------------------------------------
 */

static enum csn_state state_of(const char *container)
{
	struct csn_containers *l = NULL;
	ck_assert_int_eq(csn_container_get(rt, container, &l, NULL), 0);
	enum csn_state s = csn_containers_get(l, 0)->state;
	csn_containers_free(l);
	return s;
}

START_TEST(tells_failed_starts)
{
	static const struct {
		const char *script, *error;
		int r, status;
	} rows[] = {
		{ "exit 1", "caisson-monitor ended before it had started anything", -EIO, 125 },
		{ "echo junk >&3", "caisson-monitor: line 1, column 4: ", -EINVAL, 125 },
		{ "echo '{}' >&3", "caisson-monitor failed without a word", -EIO, 125 },
		{ "echo '{\"error\":\"exec: \\\"x\\\": executable file not found in $PATH\","
		  "\"code\":2}' >&3",
		  "exec: \"x\": executable file not found in $PATH", -ENOENT, 127 },
		{ "echo '{\"error\":\"exec: \\\"x\\\": permission denied\",\"code\":13}' >&3",
		  "exec: \"x\": permission denied", -EACCES, 126 },
		{ "echo '{\"error\":\"mounts[3]: \\\"/x\\\": No such file\",\"code\":2}' >&3",
		  "mounts[3]: \"/x\": No such file", -ENOENT, 125 },
	};
	char id[CSN_ID_SIZE];
	struct csn_error err;

	open_world();
	put_image("docker.io/library/one:latest", "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct csn_wait_outcome o = CSN_WAIT_OUTCOME_INIT;
		create_ok(NULL, id);
		put_monitor(rows[i].script);
		int r = csn_container_start(rt, id, NULL, &err);
		/* The words of a JSON error are those of the parser: their beginning is ours. */
		ck_assert_msg(strncmp(err.text, rows[i].error,
				      strlen(rows[i].error) - (i == 1 ? 13 : 0)) == 0,
			      "%s", err.text);
		ck_assert_int_eq(r, rows[i].r);
		ck_assert_int_eq(csn_start_exit_code(&err), rows[i].status);
		ck_assert_int_eq(state_of(id), CSN_STATE_FAILED);
		ck_assert_int_eq(csn_container_wait(rt, id, 0, &o, NULL), 0);
		ck_assert_int_eq(o.exit_code, rows[i].status);
		ck_assert_int_eq(o.reason, CSN_WAIT_RUNTIME_ERROR);
		ck_assert_str_eq(o.error, err.text);
	}
	ck_assert_int_eq(csn_start_exit_code(NULL), 125);
	/* None stays our child: the last may be about to end. */
	for (int ms = 0; ms < 5000 && waitpid(-1, NULL, WNOHANG) != -1; ms++)
		(void)usleep(1000);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	close_world();
}
END_TEST

/* A "monitor" that writes exit.json and ends; one that vanishes. */
START_TEST(tells_ends)
{
	char id[CSN_ID_SIZE];
	struct csn_wait_outcome o = CSN_WAIT_OUTCOME_INIT;
	struct csn_error err;
	int fd;

	open_world();
	put_image("docker.io/library/one:latest", "");
	create_ok("a", id);
	ck_assert_int_eq(state_of("a"), CSN_STATE_PENDING);
	ck_assert_int_eq(csn_container_wait(rt, "a", 10, &o, &err), -ETIMEDOUT);
	ck_assert_int_eq(csn_container_wait_fd(rt, "a", &fd, &err), -EAGAIN);
	ck_assert_int_eq(csn_container_kill(rt, "a", NULL, &err), -ESRCH);
	ck_assert_int_eq(csn_container_kill(rt, "a", "FOO", &err), -EINVAL);
	ck_assert_str_eq(err.text, "unknown signal \"FOO\"");
	ck_assert_int_eq(csn_container_stop(rt, "a", 0, &err), 0);
	ck_assert_int_eq(state_of("a"), CSN_STATE_PENDING);

	/* Its monitor says that it runs, and dies without recording anything. */
	put_monitor("echo '{\"pid\":1}' >&3");
	ck_assert_int_eq(csn_container_start(rt, "a", NULL, NULL), 0);
	ck_assert_int_eq(state_of("a"), CSN_STATE_FAILED);
	ck_assert_int_eq(csn_container_wait(rt, "a", 0, &o, NULL), 0);
	ck_assert_int_eq(o.reason, CSN_WAIT_RUNTIME_ERROR);
	ck_assert_str_eq(o.error, facts_lost_text());
	ck_assert_int_eq(csn_container_wait_fd(rt, "a", &fd, NULL), 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	close(fd);
	/* Stopping settles it: from now on it is written down. */
	ck_assert_int_eq(csn_container_stop(rt, "a", 0, NULL), 0);
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct exit_record end;
	ck_assert_int_eq(container_open(rt, id, &c, NULL), 0);
	ck_assert_int_eq(exit_record_read(c.dir, &end, NULL), 0);

	/* Started again, the old end is forgotten, and a signal is told. */
	end = (struct exit_record){ .reason = EXIT_SIGNAL, .exit_code = 137, .signal = 9 };
	ck_assert_int_eq(csn_container_start(rt, "a", NULL, NULL), 0);
	ck_assert_int_lt(exit_record_read(c.dir, &end, NULL), 0);
	end = (struct exit_record){ .reason = EXIT_SIGNAL, .exit_code = 137, .signal = 9 };
	ck_assert_int_eq(exit_record_write(c.dir, &end, NULL), 0);
	ck_assert_int_eq(csn_container_wait(rt, "a", 0, &o, NULL), 0);
	ck_assert_int_eq(o.exit_code, 137);
	ck_assert_str_eq(o.signal_name, "SIGKILL");
	ck_assert_int_eq(state_of("a"), CSN_STATE_EXITED);
	close_world();
}
END_TEST

/* Waiters sleep until the record appears, and until the container is removed. */
START_TEST(wakes_waiters)
{
	char id[CSN_ID_SIZE];
	struct csn_wait_outcome o = CSN_WAIT_OUTCOME_INIT;
	struct csn_error err;

	open_world();
	put_image("docker.io/library/one:latest", "");
	create_ok("a", id);
	pid_t pid = fork();
	if (pid == 0) {
		struct container c = CONTAINER_INIT;
		struct exit_record end = { .exit_code = 7 };
		usleep(100000);
		_exit(container_open(rt, id, &c, NULL) == 0 &&
				      exit_record_write(c.dir, &end, NULL) == 0
			      ? 0
			      : 1);
	}
	ck_assert_int_eq(csn_container_wait(rt, "a", 5000, &o, NULL), 0);
	ck_assert_int_eq(o.exit_code, 7);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);

	create_ok("b", id);
	pid = fork();
	if (pid == 0) {
		usleep(100000);
		_exit(csn_container_remove(rt, "b", false, NULL) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(csn_container_wait(rt, "b", 5000, &o, &err), -ENOENT);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close_world();
}
END_TEST

/* ---- sized structs ----------------------------------------------------------------------------
 */

START_TEST(sized_structs)
{
	struct {
		size_t size;
		long a, b, later;
	} newer = { sizeof newer, 1, 2, 0 };
	struct known {
		size_t size;
		long a, b;
	} dst = { sizeof dst, 8, 9 };
	struct older {
		size_t size;
		long a;
	} older = { sizeof older, 5 };
	struct csn_error err;

	ck_assert_int_eq(take_struct(&dst, sizeof dst, &older, "struct x", &err), 0);
	ck_assert(dst.size == sizeof dst && dst.a == 5 && dst.b == 9);
	ck_assert_int_eq(take_struct(&dst, sizeof dst, &newer, "struct x", &err), 0);
	ck_assert(dst.size == sizeof dst && dst.a == 1 && dst.b == 2);
	newer.later = 1;
	ck_assert_int_eq(take_struct(&dst, sizeof dst, &newer, "struct x", &err), -E2BIG);
	ck_assert_int_eq(take_struct(&dst, sizeof dst, NULL, "struct x", &err), 0);
	newer.size = 0;
	ck_assert_int_eq(take_struct(&dst, sizeof dst, &newer, "struct x", &err), -EINVAL);
	ck_assert_str_eq(err.text, "struct x: made without its _INIT macro");

	newer.size = sizeof newer;
	give_struct(&newer, &(struct known){ sizeof dst, 3, 4 }, sizeof dst);
	ck_assert(newer.size == sizeof newer && newer.a == 3 && newer.b == 4 && newer.later == 1);
	give_struct(&older, &(struct known){ sizeof dst, 6, 7 }, sizeof dst);
	ck_assert(older.size == sizeof older && older.a == 6);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runtime");
	TCase *tc = tcase_create("runtime");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, normalises_references, 0, (int)COUNT(references));
	tcase_add_test(tc, finds_images);
	tcase_add_test(tc, sees_layers_as_overlay_does);
	tcase_add_test(tc, sees_deletions_as_overlay_does);
	tcase_add_test(tc, parses_times);
	tcase_add_test(tc, makes_and_removes);
	tcase_add_test(tc, survives_crashes);
	tcase_add_test(tc, one_name_one_container);
	tcase_add_test(tc, names);
	tcase_add_test(tc, tells_failed_starts);
	tcase_add_test(tc, tells_ends);
	tcase_add_test(tc, wakes_waiters);
	tcase_add_test(tc, sized_structs);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
