/*
 * The plan but for mounts and seccomp: namespaces, devices, the process, capabilities, sysctls,
 * the hooks of the child.
 */
#include <check.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "host/idmap.h"
#include "plan_fixture.h"

static struct fixture f;

static void setup(void)
{
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_PID");
	fixture_open(&f);
}

static void teardown(void)
{
	fixture_close(&f);
}

static const struct plan *namespaces(const char *list)
{
	char text[1024];
	(void)snprintf(text, sizeof text, "'namespaces':[%s]", list);
	fixture_load(&f, (struct document){ .linux_ = text });
	int r = plan_namespaces(&f.in, &f.built, &f.err);
	ck_assert_msg(r == 0, "%s", f.err.text);
	return &f.built.plan;
}

/* ---- namespaces ------------------------------------------------------------------------------ */

START_TEST(test_new_namespaces)
{
	const struct plan *p = namespaces("{'type':'pid'},{'type':'network'},{'type':'mount'},"
					  "{'type':'ipc'},{'type':'uts'},{'type':'cgroup'},"
					  "{'type':'time'}");
	ck_assert_uint_eq(p->clone_flags,
			  CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS);
	ck_assert_uint_eq(p->late_flags, CLONE_NEWCGROUP);
	ck_assert_uint_eq(p->joins_count, 0);
	ck_assert(p->loopback_up && p->set_groups && !p->new_userns);
}
END_TEST

/* The list's order does not matter; the user namespace is entered first. */
START_TEST(test_joins)
{
	const struct plan *p = namespaces("{'type':'network','path':'/proc/self/ns/net'},"
					  "{'type':'mount'},{'type':'pid'},{'type':'uts'},"
					  "{'type':'user','path':'/proc/self/ns/user'},"
					  "{'type':'ipc','path':'/proc/self/ns/ipc'}");
	ck_assert_uint_eq(p->joins_count, 3);
	ck_assert_uint_eq(p->joins[0].flag, CLONE_NEWUSER);
	ck_assert_uint_eq(p->joins[1].flag, CLONE_NEWIPC);
	ck_assert_uint_eq(p->joins[2].flag, CLONE_NEWNET);
	ck_assert_str_eq(p->joins[2].name, "network");
	/* What is new belongs to the joined user namespace, so it is made inside it. */
	ck_assert_uint_eq(p->clone_flags, CLONE_NEWPID);
	ck_assert_uint_eq(p->late_flags, CLONE_NEWNS | CLONE_NEWUTS);
	ck_assert(!p->loopback_up && !p->new_userns && p->set_groups);
}
END_TEST

static const struct {
	const char *namespace, *text;
} bad_joins[] = {
	{ "{'type':'network','path':'/gone'}",
	  "linux.namespaces: network: path \"/gone\": No such file or directory" },
	{ "{'type':'uts','path':'/dev/null'}",
	  "linux.namespaces: uts: path \"/dev/null\" is no namespace" },
	{ "{'type':'mount','path':'/proc/self/ns/net'}",
	  "linux.namespaces: mount: path \"/proc/self/ns/net\" is a namespace of another type" },
};

START_TEST(test_bad_join)
{
	char text[256];
	(void)snprintf(text, sizeof text, "'namespaces':[%s]", bad_joins[_i].namespace);
	fixture_load(&f, (struct document){ .linux_ = text });
	ck_assert_int_lt(plan_namespaces(&f.in, &f.built, &f.err), 0);
	ck_assert_str_eq(f.err.text, bad_joins[_i].text);
}
END_TEST

/* ---- devices --------------------------------------------------------------------------------- */

static const struct plan *devices(const char *mounts, const char *linux_)
{
	char top[1024], text[1024];
	(void)snprintf(top, sizeof top, "'mounts':[%s]", mounts);
	(void)snprintf(text, sizeof text, "'namespaces':[{'type':'mount'}]%s", linux_);
	fixture_load(&f, (struct document){ .top = top, .linux_ = text });
	f.built.plan.has_mntns = true;
	ck_assert_int_eq(plan_mounts(&f.in, &f.built, &f.err), 0);
	ck_assert_int_eq(plan_devices(&f.in, &f.built, &f.err), 0);
	return &f.built.plan;
}

static const struct plan_device *device(const struct plan *p, const char *path)
{
	const struct plan_device *found = NULL;
	for (size_t i = 0; i < p->devices_count; i++)
		if (strcmp(p->devices[i].path, path) == 0) {
			ck_assert_msg(!found, "%s twice", path);
			found = &p->devices[i];
		}
	return found;
}

START_TEST(test_standard_devices)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} all[] = { { "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
		    { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 } };
	const struct plan *p = devices("", "");
	ck_assert_uint_eq(p->devices_count, COUNT(all));
	for (size_t i = 0; i < COUNT(all); i++) {
		const struct plan_device *d = device(p, all[i].path);
		ck_assert_ptr_nonnull(d);
		ck_assert_uint_eq(d->mode, S_IFCHR | 0666);
		ck_assert_uint_eq(d->rdev, makedev(all[i].major, all[i].minor));
		ck_assert(!d->listed);
	}
	/* Without /proc and /dev/pts the links would lead nowhere. */
	ck_assert_uint_eq(p->symlinks_count, 0);
	p = devices("{'destination':'/proc/','type':'proc'}", "");
	ck_assert_uint_eq(p->symlinks_count, 5);
	p = devices("{'destination':'/dev/pts','type':'devpts'}", "");
	ck_assert_uint_eq(p->symlinks_count, 1);
	ck_assert_str_eq(p->symlinks[0].path, "/dev/ptmx");
	ck_assert_str_eq(p->symlinks[0].target, "pts/ptmx");
}
END_TEST

START_TEST(test_listed_devices)
{
	const struct plan *p = devices(
		"", ",'devices':[{'type':'c','path':'/dev/null','major':1,'minor':3,'fileMode':432,"
		    "'uid':5,'gid':6},{'type':'b','path':'/srv/disk','major':8,'minor':300000},"
		    "{'type':'p','path':'/dev/pipe','fileMode':384},"
		    "{'type':'u','path':'/dev/u','major':4,'minor':64}]");
	ck_assert_uint_eq(p->devices_count, 9);
	const struct plan_device *d = device(p, "/dev/null");
	ck_assert(d->listed);
	ck_assert_uint_eq(d->mode, S_IFCHR | 0660);
	ck_assert_uint_eq(d->uid, 5);
	ck_assert_uint_eq(d->gid, 6);
	d = device(p, "/srv/disk");
	ck_assert_uint_eq(d->mode, S_IFBLK | 0666);
	ck_assert_uint_eq(d->rdev, makedev(8, 300000));
	d = device(p, "/dev/pipe");
	ck_assert_uint_eq(d->mode, S_IFIFO | 0600);
	ck_assert_uint_eq(d->rdev, 0);
	ck_assert_uint_eq(device(p, "/dev/u")->mode, S_IFCHR | 0666);
	ck_assert(!p->bind_devices);
	p = devices("", ",'maskedPaths':[]");
	ck_assert(!p->bind_devices);
}
END_TEST

START_TEST(test_devices_in_userns)
{
	fixture_load(&f, (struct document){
				 .linux_ = "'namespaces':[{'type':'mount'},{'type':'user','path':"
					   "'/proc/self/ns/user'}]" });
	f.built.plan.has_mntns = true;
	ck_assert_int_eq(plan_devices(&f.in, &f.built, &f.err), 0);
	ck_assert(f.built.plan.bind_devices);
}
END_TEST

/* ---- process --------------------------------------------------------------------------------- */

static const struct plan *process(const char *members)
{
	fixture_load(&f, (struct document){ .process = members });
	int r = plan_process(&f.in, &f.spec->process, &f.built, &f.err);
	ck_assert_msg(r == 0, "%s", f.err.text);
	return &f.built.plan;
}

static const char *env_of(const struct plan *p)
{
	static char text[1024];
	text[0] = '\0';
	for (char *const *e = p->envp; *e; e++) {
		size_t at = strlen(text);
		(void)snprintf(text + at, sizeof text - at, "%s%s", at ? " " : "", *e);
	}
	return text;
}

START_TEST(test_environment)
{
	const struct plan *p = process("'env':['A=1','HOME=/h','AB=2','A=3','PATH=/p:/q','B=']");
	ck_assert_str_eq(env_of(p), "A=3 HOME=/h AB=2 PATH=/p:/q B=");
	ck_assert_str_eq(p->search_path, "/p:/q");
	p = process("'env':['A=x=y']");
	ck_assert_str_eq(env_of(p), "A=x=y HOME=/");
	ck_assert_ptr_nonnull(p->search_path);
	p = process("'env':['HOME=','Z=1']");
	ck_assert_str_eq(env_of(p), "HOME=/ Z=1");
}
END_TEST

static const struct {
	const char *passwd, *uid, *env;
} homes[] = {
	{ "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/srv/www:/bin/sh\n", "33", "HOME=/srv/www" },
	{ "web:x:33:33::/srv/www", "33", "HOME=/srv/www" },
	{ "web:x:33:33::/srv/www", "34", "HOME=/" },
	{ "a:x:33\nb:x:033x:1::/no:\nc:x::1::/no:\nd:x:33:1::relative:\ne:x:33:1::/yes:s\n", "33",
	  "HOME=/yes" },
	{ "a:x:-1:0::/minus:\nb:x:4294967295:0::/max:\n", "4294967295", "HOME=/max" },
	{ "a:x:4294967329:0::/wraps:\n", "33", "HOME=/" },
	{ ":::::::\n\n\n:\n", "0", "HOME=/" },
	{ "", "0", "HOME=/" },
};

START_TEST(test_home)
{
	char user[128];
	char etc[128];
	(void)snprintf(etc, sizeof etc, "%s/etc", f.rootfs);
	ck_assert_int_eq(mkdir(etc, 0755), 0);
	fixture_file(&f, "rootfs/etc/passwd", homes[_i].passwd);
	(void)snprintf(user, sizeof user, "'user':{'uid':%s,'gid':0}", homes[_i].uid);
	ck_assert_str_eq(env_of(process(user)), homes[_i].env);
}
END_TEST

/* The root file system is somebody else's: links stay inside, and nothing may block. */
START_TEST(test_hostile_passwd)
{
	char etc[128], passwd[160], outside[160];
	(void)snprintf(etc, sizeof etc, "%s/etc", f.rootfs);
	(void)snprintf(passwd, sizeof passwd, "%s/passwd", etc);
	(void)snprintf(outside, sizeof outside, "%s/secret", f.bundle);
	fixture_file(&f, "secret", "root:x:0:0::/outside:\n");
	ck_assert_int_eq(mkdir(etc, 0755), 0);
	ck_assert_int_eq(symlink("../../secret", passwd), 0);
	ck_assert_str_eq(env_of(process("'env':[]")), "HOME=/");
	ck_assert_int_eq(unlink(passwd), 0);
	ck_assert_int_eq(symlink(outside, passwd), 0);
	ck_assert_str_eq(env_of(process("'env':[]")), "HOME=/");
	ck_assert_int_eq(unlink(passwd), 0);
	ck_assert_int_eq(mkfifo(passwd, 0644), 0);
	ck_assert_str_eq(env_of(process("'env':[]")), "HOME=/");
	ck_assert_int_eq(unlink(passwd), 0);
	ck_assert_int_eq(mkdir(passwd, 0755), 0);
	ck_assert_str_eq(env_of(process("'env':[]")), "HOME=/");
	ck_assert_int_eq(rmdir(passwd), 0);
	fixture_file(&f, "rootfs/etc/passwd", "root:x:0:0::/root:\n");
	ck_assert_int_eq(truncate(passwd, 2 << 20), 0);
	ck_assert_str_eq(env_of(process("'env':[]")), "HOME=/");
}
END_TEST

START_TEST(test_listen_fds)
{
	char pid[16];
	f.req.preserve_fds = 2;
	ck_assert_int_eq(process("'env':['HOME=/']")->keep_fds, 5);
	ck_assert_int_eq(setenv("LISTEN_FDS", "3", 1), 0);
	const struct plan *p = process("'env':['HOME=/','LISTEN_PID=77']");
	ck_assert_int_eq(p->keep_fds, 8);
	ck_assert_str_eq(env_of(p), "HOME=/ LISTEN_PID=1 LISTEN_FDS=3");
	/* Meant for another process: not ours to pass on. */
	ck_assert_int_eq(setenv("LISTEN_PID", "1", 1), 0);
	p = process("'env':['HOME=/']");
	ck_assert_int_eq(p->keep_fds, 5);
	ck_assert_str_eq(env_of(p), "HOME=/");
	(void)snprintf(pid, sizeof pid, "%d", (int)getpid());
	ck_assert_int_eq(setenv("LISTEN_PID", pid, 1), 0);
	ck_assert_int_eq(process("'env':['HOME=/']")->keep_fds, 8);
	ck_assert_int_eq(setenv("LISTEN_FDS", "-3", 1), 0);
	ck_assert_int_eq(process("'env':['HOME=/']")->keep_fds, 5);
}
END_TEST

START_TEST(test_process_members)
{
	const struct plan *p = process(
		"'terminal':true,'consoleSize':{'height':24,'width':80},'noNewPrivileges':true,"
		"'user':{'uid':7,'gid':8,'umask':63,'additionalGids':[9,10]},"
		"'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':4},"
		"'scheduler':{'policy':'SCHED_FIFO','priority':5,"
		"'flags':['SCHED_FLAG_RESET_ON_FORK']}");
	ck_assert(p->terminal && p->bind_console && p->no_new_privs && p->scheduler.set);
	ck_assert_uint_eq(p->rows, 24);
	ck_assert_uint_eq(p->cols, 80);
	ck_assert_uint_eq(p->uid, 7);
	ck_assert_uint_eq(p->gid, 8);
	ck_assert_uint_eq(p->umask, 077);
	ck_assert_uint_eq(p->groups_count, 2);
	ck_assert_uint_eq(p->groups[1], 10);
	ck_assert_int_eq(p->ioprio, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4));
	ck_assert_uint_eq(p->scheduler.policy, SCHED_FIFO);
	ck_assert_uint_eq(p->scheduler.flags, 1);
	ck_assert_str_eq(p->argv[0], "/bin/true");
	ck_assert_ptr_null(p->argv[1]);
	p = process("'terminal':false");
	ck_assert_uint_eq(p->umask, 0022);
	ck_assert(!p->bind_console);
}
END_TEST

static int memory_policy(const char *nodes)
{
	char text[256];
	(void)snprintf(text, sizeof text, "'memoryPolicy':{'mode':'MPOL_BIND','nodes':'%s'}",
		       nodes);
	fixture_load(&f, (struct document){ .linux_ = text });
	return plan_process(&f.in, &f.spec->process, &f.built, &f.err);
}

START_TEST(test_memory_policy)
{
	static const char *const bad[] = { "1,,2", "3-1", "x",	 "1024", "0-1024",
					   "1-",   "-1",  "1 2", "0x1" };
	const unsigned long *nodes = f.built.plan.mempolicy_nodes;
	ck_assert_int_eq(memory_policy("0-2,5,1023"), 0);
	ck_assert_uint_eq(nodes[0], 0x27);
	ck_assert_uint_eq(nodes[1023 / (8 * sizeof(long))], 1UL << (1023 % (8 * sizeof(long))));
	for (size_t i = 0; i < COUNT(bad); i++) {
		char text[128];
		ck_assert_msg(memory_policy(bad[i]) < 0, "%s", bad[i]);
		(void)snprintf(text, sizeof text,
			       "linux.memoryPolicy.nodes: \"%s\" is no list of nodes", bad[i]);
		ck_assert_str_eq(f.err.text, text);
	}
}
END_TEST

START_TEST(test_apparmor)
{
	if (access("/sys/module/apparmor/parameters/enabled", F_OK) == 0)
		return;
	ck_assert_ptr_null(process("'apparmorProfile':'unconfined'")->apparmor_exec);
	fixture_load(&f, (struct document){ .process = "'apparmorProfile':'mine'" });
	ck_assert_int_lt(plan_process(&f.in, &f.spec->process, &f.built, &f.err), 0);
	ck_assert_str_eq(f.err.text,
			 "process.apparmorProfile: AppArmor is not enabled on this host");
}
END_TEST

/* ---- capabilities ---------------------------------------------------------------------------- */

static int caps(const char *sets)
{
	char text[1024];
	(void)snprintf(text, sizeof text, "'capabilities':{%s}", sets);
	fixture_load(&f, (struct document){ .process = text });
	return plan_caps(&f.in, &f.spec->process, &f.built, &f.err);
}

#define BIT(cap) (UINT64_C(1) << (cap))

START_TEST(test_caps)
{
	int r = caps("'bounding':['CAP_CHOWN','CAP_KILL'],'permitted':['cap_kill'],"
		     "'inheritable':['CAP_KILL'],'ambient':['CAP_KILL','CAP_CHOWN','CAP_KILL']");
	ck_assert_msg(r == 0, "%s", f.err.text);
	const struct plan_caps *c = &f.built.plan.caps;
	ck_assert(c->set);
	ck_assert_uint_eq(c->bounding, BIT(CAP_CHOWN) | BIT(CAP_KILL));
	ck_assert_uint_eq(c->permitted, BIT(CAP_KILL));
	ck_assert_uint_eq(c->ambient, BIT(CAP_KILL));
	ck_assert_uint_eq(c->effective, 0);
	ck_assert_str_eq(f.warnings, "process.capabilities.ambient: what is not both permitted "
				     "and inheritable is left out\n");
	/* No object: nothing is kept. */
	fixture_load(&f, (struct document){ 0 });
	ck_assert_int_eq(plan_caps(&f.in, &f.spec->process, &f.built, &f.err), 0);
	ck_assert(f.built.plan.caps.set);
	ck_assert_uint_eq(f.built.plan.caps.bounding, 0);
}
END_TEST

START_TEST(test_unknown_caps_warn)
{
	ck_assert_int_eq(caps("'bounding':['CAP_FLY','CAP_CHOWN','CAP_SWIM','CAP_FLY'],"
			      "'effective':['CAP_FLY']"),
			 0);
	ck_assert_str_eq(f.warnings, "process.capabilities.bounding: unknown capability "
				     "\"CAP_FLY\": left out\n"
				     "process.capabilities.bounding: unknown capability "
				     "\"CAP_SWIM\": left out\n");
	ck_assert_uint_eq(f.built.plan.caps.bounding, BIT(CAP_CHOWN));
}
END_TEST

START_TEST(test_missing_cap_is_named)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	ck_assert_int_eq((int)syscall(SYS_capset, &header, none), 0);
	ck_assert_int_eq(caps("'bounding':['CAP_SYS_BOOT'],'permitted':['CAP_SYS_BOOT']"), 0);
	ck_assert_uint_eq(f.built.plan.caps.bounding | f.built.plan.caps.permitted, 0);
	ck_assert_str_eq(f.warnings,
			 "process.capabilities.bounding: \"CAP_SYS_BOOT\" cannot be given, the "
			 "runtime itself does not have it: left out\n");
	/* In a user namespace of its own the container has them all. */
	fixture_load(&f,
		     (struct document){ .process = "'capabilities':{'bounding':['CAP_SYS_BOOT']}",
					.linux_ = "'namespaces':[{'type':'user','path':"
						  "'/proc/self/ns/user'}]" });
	ck_assert_int_eq(plan_caps(&f.in, &f.spec->process, &f.built, &f.err), 0);
	ck_assert_uint_eq(f.built.plan.caps.bounding, BIT(CAP_SYS_BOOT));
}
END_TEST

/* ---- sysctls, hooks, what is refused --------------------------------------------------------- */

START_TEST(test_sysctls)
{
	fixture_load(
		&f, (struct document){ .linux_ = "'namespaces':[{'type':'network'},{'type':'ipc'}],"
						 "'sysctl':{'net.ipv4.ip_forward':'1',"
						 "'net.ipv4.conf.eth0/1.forwarding':'0',"
						 "'net/ipv4/conf/eth0.1/forwarding':'2',"
						 "'kernel.msgmax':'65536'}" });
	ck_assert_int_eq(plan_sysctls(&f.in, &f.built, &f.err), 0);
	const struct plan_sysctl *s = f.built.plan.sysctls;
	ck_assert_uint_eq(f.built.plan.sysctls_count, 4);
	ck_assert_str_eq(s[0].path, "net/ipv4/ip_forward");
	ck_assert_str_eq(s[0].value, "1");
	ck_assert_str_eq(s[1].path, "net/ipv4/conf/eth0.1/forwarding");
	ck_assert_str_eq(s[2].path, "net/ipv4/conf/eth0.1/forwarding");
	ck_assert_str_eq(s[3].path, "kernel/msgmax");

	fixture_load(&f, (struct document){ .linux_ = "'namespaces':[{'type':'network'}],"
						      "'sysctl':{'net.a':'1\\n2'}" });
	ck_assert_int_lt(plan_sysctls(&f.in, &f.built, &f.err), 0);
	ck_assert_str_eq(f.err.text, "linux.sysctl: value of \"net.a\" has several lines");
}
END_TEST

START_TEST(test_child_hooks)
{
	fixture_load(&f, (struct document){
				 .top = "'annotations':{'a':'\\\"pid\\\":0'},'hooks':{"
					"'createContainer':[{'path':'/c','args':['c','x'],"
					"'env':['E=1'],'timeout':7},{'path':'/d'}],"
					"'startContainer':[{'path':'/s'},{'path':'/t','env':[]}]}",
				 .process = "'env':['HOME=/h']" });
	ck_assert_int_eq(plan_process(&f.in, &f.spec->process, &f.built, &f.err), 0);
	ck_assert_int_eq(plan_hooks(&f.in, &f.built, &f.err), 0);
	const struct plan *p = &f.built.plan;
	ck_assert_uint_eq(p->create_hooks_count, 2);
	ck_assert_str_eq(p->create_hooks[0].path, "/c");
	ck_assert_str_eq(p->create_hooks[0].argv[1], "x");
	ck_assert_str_eq(p->create_hooks[0].envp[0], "E=1");
	ck_assert_int_eq(p->create_hooks[0].timeout_s, 7);
	ck_assert_str_eq(p->create_hooks[1].argv[0], "/d");
	ck_assert_ptr_null(p->create_hooks[1].argv[1]);
	ck_assert_ptr_null(p->create_hooks[1].envp[0]);
	/* Only what runs in the container may fall back to the container's environment. */
	ck_assert_str_eq(p->start_hooks[0].envp[0], "HOME=/h");
	ck_assert_ptr_null(p->start_hooks[1].envp[0]);
	ck_assert(!p->host_hooks);

	char state[1024], expected[1024];
	(void)snprintf(state, sizeof state, "%s42%s", p->create_state.before,
		       p->create_state.after);
	(void)snprintf(expected, sizeof expected,
		       "{\"ociVersion\":\"%s\",\"id\":\"test\",\"status\":\"creating\",\"pid\":42,"
		       "\"bundle\":\"%s\",\"annotations\":{\"a\":\"\\\"pid\\\":0\"}}",
		       SPEC_VERSION, f.bundle);
	ck_assert_str_eq(state, expected);
	ck_assert_ptr_nonnull(strstr(p->start_state.before, "\"status\":\"created\""));
}
END_TEST

/* What the host does while the child waits: that there is something to wait for. */
START_TEST(test_waits_for_host)
{
	fixture_load(&f, (struct document){ .linux_ = "'intelRdt':{}" });
	ck_assert_msg(plan_build(&f.in, &f.built, &f.err) == 0, "%s", f.err.text);
	ck_assert(f.built.plan.host_hooks);
	fixture_load(&f, (struct document){ .linux_ = "'namespaces':[{'type':'network'}],"
						      "'netDevices':{'eth9':{}}" });
	ck_assert_msg(plan_build(&f.in, &f.built, &f.err) == 0, "%s", f.err.text);
	ck_assert(f.built.plan.host_hooks);
}
END_TEST

START_TEST(test_whole)
{
	fixture_load(&f, (struct document){ .top = "'hostname':'h','mounts':[{'destination':"
						   "'/proc','type':'proc'}]",
					    .linux_ = "'namespaces':[{'type':'mount'},{'type':'uts'"
						      "}],'rootfsPropagation':'rprivate',"
						      "'maskedPaths':['/proc/kcore']" });
	f.built.plan.rootfs = "stale";
	int r = plan_build(&f.in, &f.built, &f.err);
	ck_assert_msg(r == 0, "%s", f.err.text);
	const struct plan *p = &f.built.plan;
	ck_assert(p->has_mntns && !p->exec_only && p->new_keyring);
	ck_assert_str_eq(p->rootfs, f.rootfs);
	ck_assert_int_eq(p->rootfs_tree, -1);
	ck_assert_int_eq(p->join_pidfd, -1);
	ck_assert_int_eq(p->ioprio, -1);
	ck_assert_str_eq(p->hostname, "h");
	ck_assert_uint_eq(p->root_propagation, MS_PRIVATE | MS_REC);
	ck_assert_uint_eq(p->masked_count, 1);
	ck_assert_ptr_null(p->seccomp.filter);

	fixture_forget(&f);
	ck_assert_int_eq(plan_build_exec(&f.in, &f.spec->process, &f.built, &f.err), 0);
	ck_assert(p->exec_only && p->set_groups && !p->has_mntns && !p->bind_console);
	ck_assert_uint_eq(p->mounts_count + p->devices_count + p->joins_count, 0);
}
END_TEST

/* ---- id maps (root) -------------------------------------------------------------------------- */

/* A child in a new user namespace, waiting to be killed. */
static pid_t sleeper(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

static void read_map(pid_t pid, const char *file, unsigned ret[3][3])
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	FILE *map = fopen(path, "re");
	ck_assert_ptr_nonnull(map);
	memset(ret, 0, 9 * sizeof(unsigned));
	for (int i = 0; i < 3; i++)
		if (fscanf(map, "%u %u %u", &ret[i][0], &ret[i][1], &ret[i][2]) != 3)
			break;
	(void)fclose(map);
}

START_TEST(test_idmap_write)
{
	struct spec_idmap uids[] = { { 0, 100000, 65536 }, { 70000, 5, 1 } };
	struct spec_idmap gids[] = { { 0, 4000000000U, 294967295 } };
	struct spec_idmaps u = { uids, 2, true }, g = { gids, 1, true };
	unsigned map[3][3];

	pid_t pid = sleeper();
	int r = idmap_write(pid, &u, &g, &f.err);
	ck_assert_msg(r == 0, "%s", f.err.text);
	read_map(pid, "uid_map", map);
	ck_assert(map[0][0] == 0 && map[0][1] == 100000 && map[0][2] == 65536);
	ck_assert(map[1][0] == 70000 && map[1][1] == 5 && map[1][2] == 1);
	read_map(pid, "gid_map", map);
	ck_assert(map[0][1] == 4000000000U && map[0][2] == 294967295);
	/* A map is written once. */
	ck_assert_int_lt(idmap_write(pid, &u, &g, &f.err), 0);
	ck_assert_ptr_nonnull(strstr(f.err.text, "linux.uidMappings: "));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(test_setgroups_denied)
{
	struct spec_idmap ids[] = { { 0, 1000, 1 } };
	struct spec_idmaps maps = { ids, 1, true };
	char path[64];
	auto_fd open_ns = idmap_namespace(&maps, &maps, &f.err);
	ck_assert_int_ge(open_ns, 0);
	ck_assert(!idmap_setgroups_denied(open_ns));

	pid_t pid = sleeper();
	(void)snprintf(path, sizeof path, "/proc/%d/setgroups", (int)pid);
	auto_fd setgroups_file = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(write(setgroups_file, "deny", 4), 4);
	(void)snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
	auto_fd denied = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(denied, 0);
	ck_assert(idmap_setgroups_denied(denied));

	char linux_[256];
	(void)snprintf(linux_, sizeof linux_, "'namespaces':[{'type':'user','path':'%s'}]", path);
	fixture_load(&f, (struct document){ .linux_ = linux_ });
	ck_assert_int_eq(plan_namespaces(&f.in, &f.built, &f.err), 0);
	ck_assert(!f.built.plan.set_groups);
	/* Groups that were asked for are tried, and refused by the kernel, not dropped. */
	fixture_load(&f, (struct document){ .linux_ = linux_,
					    .process = "'user':{'uid':0,'gid':0,"
						       "'additionalGids':[1]}" });
	ck_assert_int_eq(plan_namespaces(&f.in, &f.built, &f.err), 0);
	ck_assert(f.built.plan.set_groups);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *pure = tcase_create("pure"), *root = tcase_create("root");
	tcase_add_checked_fixture(pure, setup, teardown);
	tcase_add_checked_fixture(root, setup, teardown);
	tcase_add_test(pure, test_new_namespaces);
	tcase_add_test(pure, test_joins);
	tcase_add_loop_test(pure, test_bad_join, 0, (int)COUNT(bad_joins));
	tcase_add_test(pure, test_standard_devices);
	tcase_add_test(pure, test_listed_devices);
	tcase_add_test(pure, test_devices_in_userns);
	tcase_add_test(pure, test_environment);
	tcase_add_loop_test(pure, test_home, 0, (int)COUNT(homes));
	tcase_add_test(pure, test_hostile_passwd);
	tcase_add_test(pure, test_listen_fds);
	tcase_add_test(pure, test_process_members);
	tcase_add_test(pure, test_memory_policy);
	tcase_add_test(pure, test_apparmor);
	tcase_add_test(pure, test_missing_cap_is_named);
	tcase_add_test(pure, test_sysctls);
	tcase_add_test(pure, test_child_hooks);
	tcase_add_test(pure, test_waits_for_host);
	tcase_add_test(pure, test_whole);
	tcase_add_test(root, test_caps);
	tcase_add_test(root, test_unknown_caps_warn);
	tcase_add_test(root, test_idmap_write);
	tcase_add_test(root, test_setgroups_denied);
	suite_add_tcase(suite, pure);
	if (geteuid() == 0)
		suite_add_tcase(suite, root);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
