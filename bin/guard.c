/*
 * A container can make the runtime run its own binary ("/bin/sh" is a link to, or a script for,
 * /proc/self/exe), hold /proc/<pid>/exe open and write to it when nobody runs it any more: the
 * host's runtime is then the container's (CVE-2019-5736). What decides is the mount through which
 * the binary was started. So, before anything else, we take a detached clone of that one file's
 * mount, make it read-only and execute ourselves through it. No namespace has that mount: nobody
 * can make it writable again, and every child of ours has it as its /proc/self/exe.
 *
 * This runs as the program's entry point, before libc and before relocation, so that the first,
 * discarded image costs little more than an execve: raw system calls, no libc function, no pointer
 * in static data, no TLS (built without stack protector and sanitizers; tests/lint/child-symbols
 * looks at what it calls). Where we have no entry code a constructor does the same, later.
 *
 * Should any of it fail, the program goes on without, and the commands that need the guard refuse.
 */
#include "bin/guard.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool on;

bool guard_is_on(void)
{
	return on;
}

#if defined(__x86_64__)
#define GUARD_AT_ENTRY
__asm__(".text\n"
	".globl guard_start\n"
	".hidden guard_start\n"
	".type guard_start, @function\n"
	"guard_start:\n"
	"	endbr64\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	push %rdx\n" /* ld.so's fini, for _start */
	"	sub $8, %rsp\n"
	"	call guard_self\n"
	"	add $8, %rsp\n"
	"	pop %rdx\n"
	"	jmp _start\n");

static long call5(long number, long a, long b, long c, long d, long e)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
#define GUARD_AT_ENTRY
__asm__(".text\n"
	".globl guard_start\n"
	".hidden guard_start\n"
	".type guard_start, %function\n"
	"guard_start:\n"
	"	mov x19, x0\n" /* ld.so's fini, for _start */
	"	mov x0, sp\n"
	"	bl guard_self\n"
	"	mov x0, x19\n"
	"	b _start\n");

static long call5(long number, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}
#else
static long call5(long number, long a, long b, long c, long d, long e)
{
	return syscall(number, a, b, c, d, e);
}
#endif

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static bool wanted(char *const *argv)
{
	for (char *const *arg = argv; *arg; arg++)
		for (int i = 0; i < guard_words_count; i++)
			if (same(*arg, guard_words[i]))
				return true;
	return false;
}

static const char self[] = "/proc/self/exe";

/* Executed through a mount that nobody can write to? Whoever started us by fd may have had another
 * one, so this asks the kernel. */
static bool is_guarded(void)
{
	struct statfs fs;
	return call5(SYS_statfs, (long)self, (long)&fs, 0, 0, 0) == 0 && (fs.f_flags & ST_RDONLY);
}

/* Comes back only when it failed. */
static void run_guarded(char *const *argv, char *const *envp)
{
	long fd = call5(SYS_open_tree, AT_FDCWD, (long)self, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, 0,
			0);
	struct mount_attr attr;
	attr.attr_set = MOUNT_ATTR_RDONLY;
	attr.attr_clr = attr.propagation = attr.userns_fd = 0;

	if (fd < 0)
		return;
	if (call5(SYS_mount_setattr, fd, (long)"", AT_EMPTY_PATH, (long)&attr, sizeof attr) == 0)
		(void)call5(SYS_execveat, fd, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH);
	(void)call5(SYS_close, fd, 0, 0, 0, 0);
}

/* The kernel names a process that was executed by fd after the fd (before Linux 6.14). */
static void set_name(const char *path)
{
	const char *name = path;
	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	(void)call5(SYS_prctl, PR_SET_NAME, (long)name, 0, 0, 0);
}

/* stack: what the kernel puts there. argc, argv…, NULL, envp…, NULL, auxv. */
__attribute__((used, visibility("hidden"))) void guard_self(long *stack);
void guard_self(long *stack)
{
	char **argv = (char **)(stack + 1);
	char **envp = argv + stack[0] + 1;
	char **end = envp;

	if (!wanted(argv))
		return;
	while (*end)
		end++;
	const char *started_as = NULL;
	for (const ElfW(auxv_t) *a = (const void *)(end + 1); a->a_type != AT_NULL; a++)
		if (a->a_type == AT_EXECFN)
			started_as = (const char *)a->a_un.a_val;

	/* execveat(2) of an fd: "/dev/fd/N". */
	bool by_fd = started_as && started_as[0] == '/' && started_as[1] == 'd' &&
		     started_as[5] == 'f' && started_as[6] == 'd';
	if (by_fd && is_guarded()) {
		set_name(argv[0]);
		on = true;
		return;
	}
	run_guarded(argv, envp);
}

#ifndef GUARD_AT_ENTRY
static __attribute__((constructor)) void guard_late(int argc, char **argv)
{
	(void)argc;
	guard_self((long *)argv - 1);
}
#endif
