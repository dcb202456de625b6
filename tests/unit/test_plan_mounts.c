/*
 * OCI mounts → struct plan_mount: what each kind of option becomes, what is refused and in which
 * words, and (as root) the detached trees of bind mounts: their attributes, ids and peers.
 */
#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "plan_fixture.h"

static struct fixture f;

static void setup(void)
{
	fixture_open(&f);
}

static void teardown(void)
{
	fixture_close(&f);
}

/* Plans these mounts; the result is f.built.plan.mounts. */
static int plan(const char *mounts)
{
	char top[8192];
	(void)snprintf(top, sizeof top, "'mounts':[%s]", mounts);
	fixture_load(&f, (struct document){ .top = top });
	return plan_mounts(&f.in, &f.built, &f.err);
}

static const struct plan_mount *plan_one(const char *mount)
{
	int r = plan(mount);
	ck_assert_msg(r == 0, "%s: %s", mount, f.err.text);
	ck_assert_uint_eq(f.built.plan.mounts_count, 1);
	return &f.built.plan.mounts[0];
}

static void refused(const char *mounts, const char *text)
{
	ck_assert_int_lt(plan(mounts), 0);
	ck_assert_str_eq(f.err.text, text);
}

/* ---- options --------------------------------------------------------------------------------- */

static const struct {
	const char *options;
	uint64_t set, clr;
} attributes[] = {
	{ "'ro'", MOUNT_ATTR_RDONLY, 0 },
	{ "'ro','rw'", 0, MOUNT_ATTR_RDONLY },
	{ "'rw','ro'", MOUNT_ATTR_RDONLY, 0 },
	{ "'nosuid','nodev','noexec'", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	  0 },
	{ "'nosuid','suid','nodev'", MOUNT_ATTR_NODEV, MOUNT_ATTR_NOSUID },
	{ "'noatime'", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "'strictatime'", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "'noatime','relatime'", 0, MOUNT_ATTR__ATIME },
	{ "'relatime','noatime','nodiratime'", MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME,
	  MOUNT_ATTR__ATIME },
	{ "'strictatime','nostrictatime'", 0, MOUNT_ATTR__ATIME },
	{ "'nosymfollow'", MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "'rro','rnosuid'", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0 },
	{ "'ro','rrw'", 0, MOUNT_ATTR_RDONLY },
	{ "'noatime','rstrictatime'", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "'defaults','loud','silent','mand','iversion'", 0, 0 },
};

START_TEST(test_attributes)
{
	char text[256];
	(void)snprintf(text, sizeof text, "{'destination':'/x','type':'mqueue','options':[%s]}",
		       attributes[_i].options);
	const struct plan_mount *m = plan_one(text);
	ck_assert_uint_eq(m->attr_set, attributes[_i].set);
	ck_assert_uint_eq(m->attr_clr, attributes[_i].clr);
	ck_assert_uint_eq(m->rec_attr_set | m->rec_attr_clr, 0);
	ck_assert_uint_eq(m->options_count, 0);
}
END_TEST

/* "key=value key=value" of a mount's fsconfig parameters. */
static const char *data_of(const struct plan_mount *m)
{
	static char text[512];
	text[0] = '\0';
	for (size_t i = 0; i < m->options_count; i++) {
		size_t at = strlen(text);
		const char *value = m->options[i].value;
		(void)snprintf(text + at, sizeof text - at, "%s%s%s%s", at ? " " : "",
			       m->options[i].key, value ? "=" : "", value ? value : "");
	}
	return text;
}

static const struct {
	const char *mount, *data;
} data[] = {
	{ "'type':'tmpfs','options':['mode=1777','size=65536k']", "mode=1777 size=65536k" },
	{ "'type':'tmpfs','options':['mode=755,size=1m',',nr_inodes=5,']",
	  "mode=755 size=1m nr_inodes=5" },
	{ "'type':'tmpfs','options':['context=\\\"a:b:s0:c1,c2\\\",uid=1']",
	  "context=a:b:s0:c1,c2 uid=1" },
	{ "'type':'tmpfs','options':['context=\\\"a,b','uid=1']", "context=a,b uid=1" },
	{ "'type':'tmpfs','options':['huge=']", "huge=" },
	{ "'type':'devpts','options':['newinstance','ptmxmode=0666','mode=0620','gid=5']",
	  "ptmxmode=0666 mode=0620 gid=5" },
	{ "'type':'tmpfs','options':['newinstance']", "newinstance" },
	{ "'type':'overlay','options':['lowerdir=/a:/b,upperdir=/u','workdir=/w']",
	  "lowerdir=/a:/b upperdir=/u workdir=/w" },
	{ "'type':'ext4','options':['sync','dirsync','lazytime','data=ordered']",
	  "sync dirsync lazytime data=ordered" },
	/* A device must know that it is not to be written; shared superblocks must not. */
	{ "'type':'ext4','source':'/dev/sdz','options':['ro']", "ro" },
	{ "'type':'sysfs','source':'/x','options':['ro']", "" },
	{ "'type':'debugfs','source':'debugfs','options':['ro']", "" },
	/* The host's cgroup2 hierarchy must not get the options of one container. */
	{ "'type':'cgroup','options':['memory_recursiveprot','ro']", "" },
};

START_TEST(test_data)
{
	char text[256];
	(void)snprintf(text, sizeof text, "{'destination':'/x',%s}", data[_i].mount);
	ck_assert_str_eq(data_of(plan_one(text)), data[_i].data);
}
END_TEST

START_TEST(test_propagation)
{
	const struct plan_mount *m = plan_one("{'destination':'/x','type':'tmpfs','options':"
					      "['private','rshared']}");
	ck_assert_uint_eq(m->propagation[0], MS_PRIVATE);
	ck_assert_uint_eq(m->propagation[1], MS_SHARED | MS_REC);
	ck_assert_uint_eq(m->propagation[2], 0);
	refused("{'destination':'/x','type':'tmpfs','options':['shared','slave','private','shared',"
		"'slave']}",
		"mounts[0].options: too many propagation options");
}
END_TEST

/* ---- new file systems ------------------------------------------------------------------------ */

START_TEST(test_readonly_late)
{
	const struct plan_mount *m = plan_one("{'destination':'/run','type':'tmpfs','options':"
					      "['ro']}");
	ck_assert_uint_eq(m->flags, PLAN_READONLY_LATE);
	/* Devices are made below it first, however "read-only" was spelt. */
	m = plan_one("{'destination':'/dev/','type':'tmpfs','options':['rro']}");
	ck_assert_uint_eq(m->flags, PLAN_READONLY_LATE | PLAN_IS_DEV);
	ck_assert_uint_eq(m->attr_set, MOUNT_ATTR_RDONLY);
	m = plan_one("{'destination':'/run','type':'tmpfs','options':['ro','rw']}");
	ck_assert_uint_eq(m->flags, 0);
}
END_TEST

START_TEST(test_kernel_types)
{
	const struct plan_mount *m = plan_one("{'destination':'/proc','type':'proc'}");
	ck_assert_int_eq(m->source, PLAN_MOUNT_NEW);
	ck_assert_uint_eq(m->flags, PLAN_TARGET_NOFOLLOW);
	ck_assert_str_eq(m->device, "proc");
	m = plan_one("{'destination':'/sys','type':'sysfs','source':'s'}");
	ck_assert_uint_eq(m->flags, PLAN_TARGET_NOFOLLOW);
	ck_assert_str_eq(m->device, "s");
	for (int i = 0; i < 2; i++) {
		m = plan_one(i ? "{'destination':'/sys/fs/cgroup','type':'cgroup2'}"
			       : "{'destination':'/sys/fs/cgroup','type':'cgroup'}");
		ck_assert_int_eq(m->source, PLAN_MOUNT_CGROUP);
		ck_assert_str_eq(m->fstype, "cgroup2");
	}
	m = plan_one("{'destination':'/x','type':'tmpfs','options':['tmpcopyup','dest-nofollow']}");
	ck_assert_uint_eq(m->flags, PLAN_TMPCOPYUP | PLAN_TARGET_ITSELF);
	m = plan_one("{'destination':'/x','type':'none','options':['remount','bind','nosuid']}");
	ck_assert_int_eq(m->source, PLAN_MOUNT_REMOUNT);
	ck_assert_uint_eq(m->attr_set, MOUNT_ATTR_NOSUID);
	ck_assert_int_eq(m->tree_fd, -1);
}
END_TEST

static const struct {
	const char *destination, *target;
} targets[] = {
	{ "/a/b", "/a/b" },
	{ "/a//b/./c/", "/a/b/c" },
	{ "/a/../../../b", "/b" },
	{ "a/b", "/a/b" },
	{ "../../etc", "/etc" },
	{ "/proc/../x", "/x" },
	{ "/proc/stat", "/proc/stat" },
};

START_TEST(test_target)
{
	char text[256];
	(void)snprintf(text, sizeof text, "{'destination':'%s','type':'tmpfs'}",
		       targets[_i].destination);
	ck_assert_str_eq(plan_one(text)->target, targets[_i].target);
	ck_assert_int_eq(targets[_i].destination[0] != '/', f.warnings[0] != '\0');
}
END_TEST

START_TEST(test_relative_target_warns)
{
	(void)plan_one("{'destination':'a','type':'tmpfs'}");
	ck_assert(fixture_warned(&f,
				 "mounts[0].destination: \"a\" is not absolute: taken from \"/\""));
}
END_TEST

/* Mounts that nobody can make, the first of two where the index matters. */
#define FINE "{'destination':'/fine','type':'tmpfs'},"
static const struct {
	const char *mounts, *text;
} bad[] = {
	{ FINE "{'destination':'/x'}", "mounts[1].type: needed unless options has bind" },
	{ FINE "{'destination':'/x','type':'bind','options':['bind']}",
	  "mounts[1].source: a bind mount needs one" },
	{ FINE "{'destination':'/x','source':'/','options':['bind','ro','x=1']}",
	  "mounts[1].options[2]: unknown mount option \"x=1\"" },
	{ "{'destination':'/x','options':['remount','speed']}",
	  "mounts[0].options[1]: unknown mount option \"speed\"" },
	{ "{'destination':'/x','source':'/','options':['rbind','idmap=uids=0-1-2']}",
	  "mounts[0].options[1]: \"idmap=uids=0-1-2\": give uidMappings and gidMappings instead" },
	{ "{'destination':'/x','type':'proc','options':['tmpcopyup']}",
	  "mounts[0].options: tmpcopyup is for tmpfs" },
	{ "{'destination':'/x','type':'tmpfs','options':['idmap']}",
	  "mounts[0]: ids can be mapped for bind mounts only" },
	{ "{'destination':'/proc/sys','type':'tmpfs'}",
	  "mounts[0].destination: \"/proc/sys\": nothing may be mounted there" },
	{ "{'destination':'/x/../proc/./self','type':'tmpfs'}",
	  "mounts[0].destination: \"/proc/self\": nothing may be mounted there" },
	{ "{'destination':'proc/1','type':'tmpfs'}",
	  "mounts[0].destination: \"/proc/1\": nothing may be mounted there" },
	{ "{'destination':'/proc','type':'tmpfs'}",
	  "mounts[0].destination: \"/proc\": only a proc file system may be there" },
	{ "{'destination':'/proc//','type':'sysfs'}",
	  "mounts[0].destination: \"/proc\": only a proc file system may be there" },
};

START_TEST(test_bad)
{
	refused(bad[_i].mounts, bad[_i].text);
}
END_TEST

START_TEST(test_label_without_selinux)
{
	if (access("/sys/fs/selinux/enforce", F_OK) == 0)
		return;
	fixture_load(&f,
		     (struct document){
			     .top = "'mounts':[{'destination':'/x','type':'tmpfs'}]",
			     .linux_ = "'namespaces':[{'type':'mount'}],'mountLabel':'a:b:c'" });
	ck_assert_int_lt(plan_mounts(&f.in, &f.built, &f.err), 0);
	ck_assert_str_eq(f.err.text, "linux.mountLabel: SELinux is not enabled on this host");
}
END_TEST

/* ---- bind mounts (root) ---------------------------------------------------------------------- */

/* A mount namespace of our own with a tmpfs on DIR/bundle/src. */
static void own_mounts(void)
{
	char src[128];
	(void)snprintf(src, sizeof src, "%s/src", f.bundle);
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mkdir(src, 0755), 0);
	ck_assert_int_eq(mount("src", src, "tmpfs", 0, NULL), 0);
	fixture_file(&f, "src/file", "text");
}

static void teardown_mounts(void)
{
	char path[128];
	fixture_forget(&f);
	(void)snprintf(path, sizeof path, "%s/src", f.bundle);
	(void)umount2(path, MNT_DETACH);
	(void)snprintf(path, sizeof path, "%s/target", f.bundle);
	(void)umount2(path, MNT_DETACH);
	fixture_close(&f);
}

static unsigned long flags_of(int fd)
{
	struct statvfs st;
	ck_assert_int_eq(fstatvfs(fd, &st), 0);
	return st.f_flag;
}

START_TEST(test_bind)
{
	own_mounts();
	const struct plan_mount *m = plan_one("{'destination':'/x','source':'src','options':"
					      "['bind','ro','nosuid','sync']}");
	ck_assert_int_eq(m->source, PLAN_MOUNT_TREE);
	ck_assert_uint_eq(m->flags, 0);
	ck_assert_uint_eq(m->attr_set | m->attr_clr | m->options_count, 0);
	ck_assert_uint_eq(flags_of(m->tree_fd) & (ST_RDONLY | ST_NOSUID), ST_RDONLY | ST_NOSUID);
	ck_assert_int_eq(fcntl(m->tree_fd, F_GETFD), FD_CLOEXEC);

	m = plan_one("{'destination':'/dev','type':'bind','source':'src','options':['rbind']}");
	ck_assert_uint_eq(m->flags, PLAN_IS_DEV);
	ck_assert_uint_eq(flags_of(m->tree_fd) & (ST_RDONLY | ST_NOSUID), 0);
	m = plan_one("{'destination':'/x','source':'src/file','options':['bind']}");
	ck_assert_uint_eq(m->flags, PLAN_TARGET_FILE);
	refused(FINE "{'destination':'/x','source':'gone','options':['bind']}",
		"mounts[1]: source \"gone\": No such file or directory");
	refused("{'destination':'/proc','source':'src','options':['bind']}",
		"mounts[0].destination: \"/proc\": only a proc file system may be there");
	(void)plan_one("{'destination':'/proc','source':'/proc','options':['rbind']}");
}
END_TEST

START_TEST(test_bind_link)
{
	char link[160];
	own_mounts();
	(void)snprintf(link, sizeof link, "%s/src/link", f.bundle);
	ck_assert_int_eq(symlink("/nowhere", link), 0);
	refused("{'destination':'/x','source':'src/link','options':['bind']}",
		"mounts[0]: source \"src/link\": No such file or directory");
	const struct plan_mount *m = plan_one("{'destination':'/x','source':'src/link','options':"
					      "['bind','src-nofollow']}");
	struct stat st;
	ck_assert_int_eq(fstat(m->tree_fd, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

/* Submounts follow rbind alone; rro reaches them. */
START_TEST(test_bind_recursive)
{
	char sub[160];
	own_mounts();
	(void)snprintf(sub, sizeof sub, "%s/src/sub", f.bundle);
	ck_assert_int_eq(mkdir(sub, 0755), 0);
	ck_assert_int_eq(mount("sub", sub, "tmpfs", 0, NULL), 0);
	fixture_file(&f, "src/sub/inner", "");

	const struct plan_mount *m = plan_one("{'destination':'/x','source':'src','options':"
					      "['bind']}");
	ck_assert_int_lt(faccessat(m->tree_fd, "sub/inner", F_OK, 0), 0);
	m = plan_one("{'destination':'/x','source':'src','options':['rbind','ro']}");
	auto_fd plain = openat(m->tree_fd, "sub/inner", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(plain, 0);
	ck_assert_uint_eq(flags_of(m->tree_fd) & ST_RDONLY, ST_RDONLY);
	ck_assert_uint_eq(flags_of(plain) & ST_RDONLY, 0);
	m = plan_one("{'destination':'/x','source':'src','options':['rbind','rro']}");
	auto_fd inner = openat(m->tree_fd, "sub/inner", O_RDONLY | O_CLOEXEC);
	ck_assert_uint_eq(flags_of(inner) & ST_RDONLY, ST_RDONLY);
}
END_TEST

/* The optional fields of mountinfo for what is mounted at path: "shared:1 master:2". */
static void peers_of(const char *path, char *ret, size_t size)
{
	char line[4096], at[1024];
	FILE *info = fopen("/proc/self/mountinfo", "re");
	ck_assert_ptr_nonnull(info);
	ret[0] = '\0';
	while (fgets(line, sizeof line, info)) {
		int end = 0;
		if (sscanf(line, "%*s %*s %*s %*s %1023s %*s %n", at, &end) == 1 &&
		    strcmp(at, path) == 0) {
			char *dash = strstr(line + end, "- ");
			ck_assert_ptr_nonnull(dash);
			(void)snprintf(ret, size, "%.*s", (int)(dash - line - end), line + end);
		}
	}
	(void)fclose(info);
}

static const struct {
	const char *option, *root; /* of the mount; linux.rootfsPropagation */
	bool shared, master;
} peers[] = {
	{ "rbind", "", false, false },
	{ "rbind", ",'rootfsPropagation':'rslave'", false, true },
	{ "rbind", ",'rootfsPropagation':'private'", false, false },
	{ "rbind", ",'rootfsPropagation':'rshared'", false, false },
	{ "rslave", "", false, true },
	{ "rslave", ",'rootfsPropagation':'shared'", false, true },
	{ "rprivate", ",'rootfsPropagation':'shared'", false, false },
	{ "rprivate", ",'rootfsPropagation':'rslave'", false, false },
	{ "rshared", "", false, true },
	{ "rshared", ",'rootfsPropagation':'shared'", true, false },
};

/* What a container mounts below a bind must not appear on the host. */
START_TEST(test_bind_is_no_peer)
{
	char src[128], target[128], text[256], mounts[256], found[256];
	own_mounts();
	(void)snprintf(src, sizeof src, "%s/src", f.bundle);
	(void)snprintf(target, sizeof target, "%s/target", f.bundle);
	ck_assert_int_eq(mkdir(target, 0755), 0);
	ck_assert_int_eq(mount(NULL, src, NULL, MS_SHARED, NULL), 0);

	(void)snprintf(text, sizeof text, "'namespaces':[{'type':'mount'}]%s", peers[_i].root);
	(void)snprintf(mounts, sizeof mounts,
		       "'mounts':[{'destination':'/x','source':'src','options':['rbind','%s']}]",
		       peers[_i].option);
	fixture_load(&f, (struct document){ .top = mounts, .linux_ = text });
	ck_assert_int_eq(plan_mounts(&f.in, &f.built, &f.err), 0);
	ck_assert_int_eq(move_mount(f.built.plan.mounts[0].tree_fd, "", AT_FDCWD, target,
				    MOVE_MOUNT_F_EMPTY_PATH),
			 0);
	peers_of(target, found, sizeof found);
	ck_assert_msg(!!strstr(found, "shared:") == peers[_i].shared, "%s", found);
	ck_assert_msg(!!strstr(found, "master:") == peers[_i].master, "%s", found);
}
END_TEST

START_TEST(test_idmap)
{
	struct stat st;
	own_mounts();
	const struct plan_mount *m =
		plan_one("{'destination':'/x','source':'src','options':['bind','idmap'],"
			 "'uidMappings':[{'containerID':0,'hostID':4000,'size':10}],"
			 "'gidMappings':[{'containerID':0,'hostID':5000,'size':10}]}");
	if (fstatat(m->tree_fd, "file", &st, 0) < 0)
		ck_abort_msg("file of an idmapped mount");
	ck_assert_uint_eq(st.st_uid, 4000);
	ck_assert_uint_eq(st.st_gid, 5000);
	/* Mappings alone are enough. */
	m = plan_one("{'destination':'/x','source':'src','options':['bind'],"
		     "'uidMappings':[{'containerID':0,'hostID':4001,'size':10}],"
		     "'gidMappings':[{'containerID':0,'hostID':5000,'size':10}]}");
	ck_assert_int_eq(fstatat(m->tree_fd, "file", &st, 0), 0);
	ck_assert_uint_eq(st.st_uid, 4001);
	refused("{'destination':'/x','source':'src','options':['bind','idmap']}",
		"mounts[0]: options: idmap needs uidMappings and gidMappings, or a user namespace");
}
END_TEST

START_TEST(test_idmap_of_container)
{
	struct stat st;
	own_mounts();
	fixture_load(&f, (struct document){
				 .top = "'mounts':[{'destination':'/x','source':'src','options':"
					"['bind','ridmap']}]",
				 .linux_ = "'namespaces':[{'type':'mount'},{'type':'user'}],"
					   "'uidMappings':[{'containerID':0,'hostID':7000,"
					   "'size':5}],'gidMappings':[{'containerID':0,'hostID':"
					   "7100,'size':5}]" });
	ck_assert_int_eq(plan_namespaces(&f.in, &f.built, &f.err), 0);
	int r = plan_mounts(&f.in, &f.built, &f.err);
	ck_assert_msg(r == 0, "%s", f.err.text);
	ck_assert_int_eq(fstatat(f.built.plan.mounts[0].tree_fd, "file", &st, 0), 0);
	ck_assert_uint_eq(st.st_uid, 7000);
	ck_assert_uint_eq(st.st_gid, 7100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan_mounts");
	TCase *pure = tcase_create("pure"), *root = tcase_create("root");
	tcase_add_checked_fixture(pure, setup, teardown);
	tcase_add_checked_fixture(root, setup, teardown_mounts);
	tcase_add_loop_test(pure, test_attributes, 0, (int)COUNT(attributes));
	tcase_add_loop_test(pure, test_data, 0, (int)COUNT(data));
	tcase_add_test(pure, test_propagation);
	tcase_add_test(pure, test_readonly_late);
	tcase_add_test(pure, test_kernel_types);
	tcase_add_loop_test(pure, test_target, 0, (int)COUNT(targets));
	tcase_add_test(pure, test_relative_target_warns);
	tcase_add_loop_test(pure, test_bad, 0, (int)COUNT(bad));
	tcase_add_test(pure, test_label_without_selinux);
	tcase_add_test(root, test_bind);
	tcase_add_test(root, test_bind_link);
	tcase_add_test(root, test_bind_recursive);
	tcase_add_loop_test(root, test_bind_is_no_peer, 0, (int)COUNT(peers));
	tcase_add_test(root, test_idmap);
	tcase_add_test(root, test_idmap_of_container);
	suite_add_tcase(suite, pure);
	if (geteuid() == 0)
		suite_add_tcase(suite, root);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
