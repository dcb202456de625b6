/*
 * What is inside of real containers: files and what changed of them, archives in and out, images of
 * containers and what can be told of images.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract.h"

/* Runs a shell command in it; its output is in out. */
static void sh(struct csn_rt *rt, const struct csn_container_id *id, const char *command, char *out,
	       size_t size)
{
	const char *const argv[] = { "sh", "-c", command, NULL };
	struct csn_exec_result r = CSN_EXEC_RESULT_INIT;
	struct csn_error err;
	OK(csn_rt_exec(rt, id, argv, 20000, &r, &err));
	(void)snprintf(out, size, "%s", r.out);
	csn_exec_result_done(&r);
}

static int memory(void)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* ---- changes --------------------------------------------------------------------------------- */

static char kind_of(const struct csn_changes *l, const char *path)
{
	for (size_t i = 0; i < csn_changes_count(l); i++)
		if (strcmp(csn_changes_get(l, i)->path, path) == 0)
			return "CAD"[csn_changes_get(l, i)->kind];
	return '-';
}

START_TEST(changes_of_the_files)
{
	struct csn_container_id id;
	struct csn_rt *rt =
		started("changes",
			"mkdir -p /new/deep; echo x >/new/deep/file; echo y >>/etc/passwd; "
			"rm /etc/group; mkdir /etc/later; rm -rf /bin/../etc/later; "
			"echo z >/dev/shm/not-mine; echo ready; sleep 60",
			&id);
	struct csn_changes *l = NULL;
	struct csn_error err;
	char out[100];
	do
		sh(rt, &id, "test -e /dev/shm/not-mine && echo yes", out, sizeof out);
	while (strcmp(out, "yes\n") != 0);
	for (int running = 1; running >= 0; running--) {
		OK(csn_rt_changes_container(rt, &id, &l, &err));
		ck_assert_int_eq(kind_of(l, "/new"), 'A');
		ck_assert_int_eq(kind_of(l, "/new/deep/file"), 'A');
		ck_assert_int_eq(kind_of(l, "/etc"), 'C');
		ck_assert_int_eq(kind_of(l, "/etc/passwd"), 'C');
		ck_assert_int_eq(kind_of(l, "/etc/group"), 'D');
		ck_assert_int_eq(kind_of(l, "/etc/later"), '-');
		ck_assert_int_eq(kind_of(l, "/etc/hosts"), '-'); /* made to mount on */
		ck_assert_int_eq(kind_of(l, "/dev"), '-');
		for (size_t i = 1; i < csn_changes_count(l); i++)
			ck_assert_int_lt(strcmp(csn_changes_get(l, i - 1)->path,
						csn_changes_get(l, i)->path),
					 0);
		csn_changes_free(l);
		if (running)
			OK(csn_rt_stop_container(rt, &id, 100, &err));
	}
	done(rt, &id);
}
END_TEST

/* ---- archives -------------------------------------------------------------------------------- */

START_TEST(archives_out_and_in)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("archive",
				    "mkdir -p /a/b; printf hello >/a/b/f; ln -s b /a/l; "
				    "chmod 750 /a/b/f; sleep 60",
				    &id);
	struct csn_path_stat st = CSN_PATH_STAT_INIT;
	struct csn_archive_put_options keep = CSN_ARCHIVE_PUT_OPTIONS_INIT;
	struct csn_error err;
	char out[200];
	int fd = memory();
	while (csn_rt_archive_head(rt, &id, "/a/l", &st, &err) < 0)
		ck_assert_msg(err.kind == CSN_ERROR_NOT_FOUND, "%s", err.text);
	ck_assert_str_eq(st.name, "l");
	ck_assert_str_eq(st.link_target, "b");
	ck_assert(S_ISLNK(st.mode));
	do /* through the link */
		OK(csn_rt_archive_head(rt, &id, "/a/l/f", &st, &err));
	while ((st.mode & 07777) != 0750);
	ck_assert(S_ISREG(st.mode) && st.file_size == 5 && st.mtime_ns > 0);

	OK(csn_rt_archive_get(rt, &id, "/a", fd, &err));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	OK(csn_rt_archive_put(rt, &id, "/tmp", fd, NULL, &err));
	sh(rt, &id, "cat /tmp/a/b/f; readlink /tmp/a/l; stat -c %a /tmp/a/b/f", out, sizeof out);
	ck_assert_str_eq(out, "hellob\n750\n");

	/* Into what is there: a directory that is now a file. */
	sh(rt, &id, "rm -r /tmp/a; echo file >/tmp/a; echo ok", out, sizeof out);
	keep.no_overwrite_dir_non_dir = true;
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	FAILS(csn_rt_archive_put(rt, &id, "/tmp", fd, &keep, &err), CSN_ERROR_INVALID_SPEC);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	OK(csn_rt_archive_put(rt, &id, "/tmp", fd, NULL, &err));

	/* Also while it does not run, and what was put is there when it runs again. */
	OK(csn_rt_stop_container(rt, &id, 100, &err));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	OK(csn_rt_archive_put(rt, &id, "/etc", fd, NULL, &err));
	OK(csn_rt_archive_head(rt, &id, "/etc/a/b/f", &st, &err));
	OK(csn_rt_start_container(rt, &id, &err));
	sh(rt, &id, "cat /etc/a/b/f", out, sizeof out);
	ck_assert_str_eq(out, "hello");

	FAILS(csn_rt_archive_head(rt, &id, "/nowhere", &st, &err), CSN_ERROR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.text, "/nowhere"));
	FAILS(csn_rt_archive_get(rt, &id, "/nowhere/x", fd, &err), CSN_ERROR_NOT_FOUND);
	FAILS(csn_rt_archive_put(rt, &id, "/nowhere", fd, NULL, &err), CSN_ERROR_NOT_FOUND);
	FAILS(csn_rt_archive_put(rt, &id, "/a/b/f", fd, NULL, &err), CSN_ERROR_INVALID_SPEC);
	struct csn_container_id nobody = subject_id("nobody", 1);
	FAILS(csn_rt_archive_get(rt, &nobody, "/", fd, &err), CSN_ERROR_NOT_FOUND);
	(void)close(fd);
	done(rt, &id);
}
END_TEST

/* Links lead where they lead for the container, never to the host; mounts of it are seen. */
START_TEST(archives_stay_inside)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("stay",
				    "ln -s /etc /host; ln -s ../../../../etc/hostname /up; "
				    "printf shm >/dev/shm/f; echo mine >/etc/only-here; sleep 60",
				    &id);
	struct csn_path_stat st = CSN_PATH_STAT_INIT;
	struct csn_error err;
	char out[100];
	int fd = memory();
	do
		sh(rt, &id, "test -e /etc/only-here && echo yes", out, sizeof out);
	while (strcmp(out, "yes\n") != 0);
	OK(csn_rt_archive_head(rt, &id, "/host/only-here", &st, &err));
	ck_assert_int_eq(access("/etc/only-here", F_OK), -1);
	OK(csn_rt_archive_head(rt, &id, "/dev/shm/f", &st, &err));
	ck_assert_int_eq(st.file_size, 3);
	OK(csn_rt_archive_get(rt, &id, "/etc/only-here", fd, &err));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	/* Through the absolute link: into the container's /etc. */
	sh(rt, &id, "rm /etc/only-here; echo gone", out, sizeof out);
	OK(csn_rt_archive_put(rt, &id, "/host", fd, NULL, &err));
	sh(rt, &id, "cat /etc/only-here", out, sizeof out);
	ck_assert_str_eq(out, "mine\n");
	ck_assert_int_eq(access("/etc/only-here", F_OK), -1);
	(void)close(fd);
	done(rt, &id);
}
END_TEST

/* ---- images ---------------------------------------------------------------------------------- */

static size_t read_progress(struct csn_progress_stream *stream, char *ret_reference, size_t size)
{
	struct csn_progress p = CSN_PROGRESS_INIT;
	struct csn_error err;
	size_t statuses = 0, ends = 0;
	int r;
	ck_assert_int_ge(csn_progress_stream_fd(stream), 0);
	while ((r = csn_progress_stream_next(stream, 60000, &p, &err)) == 1) {
		ck_assert_uint_eq(ends, 0);
		if (p.kind == CSN_PROGRESS_DONE) {
			ends++;
			(void)snprintf(ret_reference, size, "%s", p.references[0]);
		} else {
			statuses++;
			ck_assert_uint_gt(strlen(p.status), 0);
		}
	}
	ck_assert_msg(r == 0, "%s", err.text);
	ck_assert_uint_eq(ends, 1);
	csn_progress_stream_close(stream);
	return statuses;
}

START_TEST(images_there_and_back)
{
	struct csn_rt *rt = subject_open();
	const char *const names[] = { subject->image, NULL }, *const none[] = { "none/here:1",
										NULL };
	struct csn_progress_stream *stream = NULL;
	struct csn_image_details *d = NULL;
	struct csn_image_history *h = NULL;
	struct csn_error err;
	char reference[200], *json = NULL;
	int fd = memory();
	OK(csn_rt_tag_image(rt, subject->image, subject->image, &err));
	OK(csn_rt_tag_image(rt, subject->image, "docker.io/library/second:1", &err));
	FAILS(csn_rt_tag_image(rt, "none/here:1", "a:1", &err), CSN_ERROR_NOT_FOUND);
	FAILS(csn_rt_tag_image(rt, "", "a:1", &err), CSN_ERROR_INVALID_SPEC);
	OK(csn_rt_inspect_image_native(rt, "second:1", &d, &err));
	ck_assert_int_eq(strncmp(d->id, "sha256:", 7), 0);
	ck_assert_ptr_nonnull(d->repo_tags[1]); /* both names */
	ck_assert_ptr_nonnull(strstr(d->repo_digests[0], "@sha256:"));
	ck_assert_ptr_nonnull(d->layers[0]);
	ck_assert_str_eq(d->os, "linux");
	ck_assert(d->has_size && d->size_bytes > 0);
	OK(csn_image_details_to_json(d, &json, &err));
	csn_free(json);
	csn_image_details_free(d);
	FAILS(csn_rt_inspect_image_native(rt, "none/here:1", &d, &err), CSN_ERROR_NOT_FOUND);
	OK(csn_rt_image_history(rt, subject->image, &h, &err));
	if (csn_image_history_count(h))
		ck_assert_int_eq(strncmp(csn_image_history_get(h, 0)->id, "sha256:", 7), 0);
	csn_image_history_free(h);
	FAILS(csn_rt_search_images(rt, "x", 1, &json, &err), CSN_ERROR_UNSUPPORTED);

	FAILS(csn_rt_save_images(rt, none, fd, &err), CSN_ERROR_NOT_FOUND);
	OK(csn_rt_save_images(rt, names, fd, &err));
	for (int quiet = 0; quiet < 2; quiet++) {
		ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
		OK(csn_rt_load_images(rt, fd, quiet, &stream, &err));
		size_t statuses = read_progress(stream, reference, sizeof reference);
		ck_assert(!quiet || statuses == 0);
		ck_assert_ptr_nonnull(strstr(reference, "box:latest"));
	}
	/* What is here is not pulled. */
	OK(csn_rt_pull_image_stream(rt, subject->image, NULL, &stream, &err));
	(void)read_progress(stream, reference, sizeof reference);
	ck_assert_ptr_nonnull(strstr(reference, "box:latest"));
	OK(csn_rt_remove_image(rt, "second:1", false, &err));
	(void)close(fd);
	csn_rt_close(rt);
}
END_TEST

START_TEST(an_archive_that_is_none_fails_the_load)
{
	struct csn_rt *rt = subject_open();
	struct csn_progress_stream *stream = NULL;
	struct csn_progress p = CSN_PROGRESS_INIT;
	struct csn_error err;
	int fd = memory(), r;
	ck_assert_int_eq(write(fd, "nonsense", 8), 8);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	OK(csn_rt_load_images(rt, fd, false, &stream, &err));
	while ((r = csn_progress_stream_next(stream, 60000, &p, &err)) == 1)
		;
	ck_assert_int_lt(r, 0);
	ck_assert_int_ne(r, -EAGAIN);
	ck_assert_int_eq(csn_progress_stream_next(stream, 60000, &p, &err), 0);
	csn_progress_stream_close(stream);
	(void)close(fd);
	csn_rt_close(rt);
}
END_TEST

START_TEST(images_of_containers)
{
	struct csn_container_id id;
	struct csn_rt *rt = started("commit", "echo made >/made; sleep 60", &id);
	struct csn_rt_commit_options o = CSN_RT_COMMIT_OPTIONS_INIT;
	struct csn_image_details *d = NULL;
	struct csn_error err;
	struct stat st;
	char out[100], *image = NULL;
	int fd = memory();
	do
		sh(rt, &id, "cat /made", out, sizeof out);
	while (strcmp(out, "made\n") != 0);
	FAILS(csn_rt_commit_container(rt, &id, &o, &image, &err), CSN_ERROR_INVALID_SPEC);
	o.repo = "made/here";
	o.changes = "CMD [\"cat\", \"/made\"]\nENV A=b\n";
	o.pause = true;
	OK(csn_rt_commit_container(rt, &id, &o, &image, &err));
	OK(csn_rt_inspect_image_native(rt, "made/here:latest", &d, &err));
	ck_assert_str_eq(d->id, image);
	ck_assert_str_eq(d->cmd[0], "cat");
	csn_image_details_free(d);
	csn_free(image);

	OK(csn_rt_export_container_fs(rt, &id, fd, &err));
	ck_assert(fstat(fd, &st) == 0 && st.st_size > 10000);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	OK(csn_rt_import_image(rt, fd, "imported/here", "2", &image, &err));
	ck_assert_int_eq(strncmp(image, "sha256:", 7), 0);
	csn_free(image);
	OK(csn_rt_remove_image(rt, "imported/here:2", false, &err));
	OK(csn_rt_remove_image(rt, "made/here:latest", false, &err));
	(void)close(fd);
	done(rt, &id);
}
END_TEST

TCase *inside_case(void)
{
	TCase *c = tcase_create("inside");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, changes_of_the_files);
	tcase_add_test(c, archives_out_and_in);
	tcase_add_test(c, archives_stay_inside);
	tcase_add_test(c, images_there_and_back);
	tcase_add_test(c, an_archive_that_is_none_fails_the_load);
	tcase_add_test(c, images_of_containers);
	return c;
}
