/* See plan_fixture.h. */
#include "plan_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

static void remember(void *data, const char *text)
{
	struct fixture *f = data;
	size_t at = strlen(f->warnings);
	(void)snprintf(f->warnings + at, sizeof f->warnings - at, "%s\n", text);
}

void fixture_open(struct fixture *f)
{
	char path[128];

	*f = (struct fixture){ .req = HOST_CREATE_INIT };
	(void)snprintf(f->dir, sizeof f->dir, "/tmp/csn-test-plan-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	(void)snprintf(f->bundle, sizeof f->bundle, "%s/bundle", f->dir);
	(void)snprintf(f->rootfs, sizeof f->rootfs, "%s/bundle/rootfs", f->dir);
	(void)snprintf(path, sizeof path, "%s/state", f->dir);
	ck_assert_int_eq(mkdir(f->bundle, 0755), 0);
	ck_assert_int_eq(mkdir(f->rootfs, 0755), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	f->ctx.warn = remember;
	f->ctx.warn_data = f;
	f->in = (struct plan_input){ .ctx = &f->ctx,
				     .req = &f->req,
				     .id = "test",
				     .rootfs = f->rootfs,
				     .rootfs_dir = open(f->rootfs, O_PATH | O_CLOEXEC),
				     .bundle = f->bundle,
				     .cgroup_fs = "/sys/fs/cgroup/none",
				     .state_root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) };
	ck_assert(f->in.state_root >= 0 && f->in.rootfs_dir >= 0);
}

void fixture_load(struct fixture *f, struct document d)
{
	char text[65536];
	int n = snprintf(
		text, sizeof text,
		"{'ociVersion':'1.0.2','root':{'path':'rootfs'}%s%s,"
		"'process':{'cwd':'/','args':['/bin/true']%s%s},'linux':{%s}}",
		d.top ? "," : "", d.top ? d.top : "", d.process ? "," : "",
		d.process ? d.process : "",
		d.linux_ ? d.linux_
			 : "'namespaces':[{'type':'mount'},{'type':'pid'},{'type':'network'}]");
	ck_assert_int_lt(n, sizeof text);
	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';

	fixture_forget(f);
	spec_free(f->spec);
	f->spec = NULL;
	int r = spec_parse(text, (size_t)n, "config.json", &f->spec, &f->err);
	ck_assert_msg(r == 0, "%s", f->err.text);
	f->in.spec = f->spec;
}

void fixture_forget(struct fixture *f)
{
	plan_done(&f->built);
	f->built = (struct built_plan){ 0 };
	f->err = (struct csn_error){ 0 };
	f->warnings[0] = '\0';
}

void fixture_close(struct fixture *f)
{
	fixture_forget(f);
	spec_free(f->spec);
	close_fd(&f->in.state_root);
	close_fd(&f->in.rootfs_dir);
	ck_assert_int_eq(remove_tree(AT_FDCWD, f->dir, &f->err), 0);
}

void fixture_file(struct fixture *f, const char *name, const char *text)
{
	char path[256];
	(void)snprintf(path, sizeof path, "%s/%s", f->bundle, name);
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_msg(fd >= 0, "%s", path);
	ck_assert_int_eq(write_all(fd, text, strlen(text)), 0);
}

bool fixture_warned(const struct fixture *f, const char *text)
{
	char line[512];
	(void)snprintf(line, sizeof line, "%s\n", text);
	const char *at = strstr(f->warnings, line);
	return at && (at == f->warnings || at[-1] == '\n');
}
