/*
 * Names of kernel numbers: three tables and three look-ups. Numbers come from the kernel's
 * headers; names are as signal(7), capabilities(7) and getrlimit(2) spell them.
 */
#include "base/names.h"

#include <ctype.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "base/cleanup.h"

/* The kernel's real-time signals: glibc keeps the first two for itself, but they can be sent. */
enum { KERNEL_SIGRTMIN = 34, KERNEL_SIGRTMAX = 64 };

static const char *const signals[] = {
	[SIGHUP] = "HUP",   [SIGINT] = "INT",	    [SIGQUIT] = "QUIT", [SIGILL] = "ILL",
	[SIGTRAP] = "TRAP", [SIGABRT] = "ABRT",	    [SIGBUS] = "BUS",	[SIGFPE] = "FPE",
	[SIGKILL] = "KILL", [SIGUSR1] = "USR1",	    [SIGSEGV] = "SEGV", [SIGUSR2] = "USR2",
	[SIGPIPE] = "PIPE", [SIGALRM] = "ALRM",	    [SIGTERM] = "TERM", [SIGSTKFLT] = "STKFLT",
	[SIGCHLD] = "CHLD", [SIGCONT] = "CONT",	    [SIGSTOP] = "STOP", [SIGTSTP] = "TSTP",
	[SIGTTIN] = "TTIN", [SIGTTOU] = "TTOU",	    [SIGURG] = "URG",	[SIGXCPU] = "XCPU",
	[SIGXFSZ] = "XFSZ", [SIGVTALRM] = "VTALRM", [SIGPROF] = "PROF", [SIGWINCH] = "WINCH",
	[SIGIO] = "IO",	    [SIGPWR] = "PWR",	    [SIGSYS] = "SYS",
};

static const struct {
	const char *name;
	int number;
} signal_aliases[] = {
	{ "IOT", SIGIOT },
	{ "POLL", SIGPOLL },
	{ "CLD", SIGCHLD },
	/* The C library's own have no other name; records are read back by it. */
	{ "32", 32 },
	{ "33", 33 },
};

/* A whole decimal number in [low, high], or -1. */
static int whole_number(const char *text, int low, int high)
{
	if (!isdigit((unsigned char)*text) || strlen(text) > 3)
		return -1;
	char *end;
	long n = strtol(text, &end, 10);
	return *end == '\0' && n >= low && n <= high ? (int)n : -1;
}

static int realtime_signal(const char *name)
{
	if (strncasecmp(name, "RTMIN", 5) == 0) {
		int n = name[5] == '+' ? whole_number(name + 6, 0, 30) : name[5] ? -1 : 0;
		return n < 0 ? -1 : KERNEL_SIGRTMIN + n;
	}
	if (strncasecmp(name, "RTMAX", 5) == 0) {
		int n = name[5] == '-' ? whole_number(name + 6, 0, 30) : name[5] ? -1 : 0;
		return n < 0 ? -1 : KERNEL_SIGRTMAX - n;
	}
	return -1;
}

int signal_number(const char *name)
{
	if (isdigit((unsigned char)*name))
		return whole_number(name, 1, KERNEL_SIGRTMAX);
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (size_t i = 1; i < COUNT(signals); i++)
		if (signals[i] && strcasecmp(signals[i], name) == 0)
			return (int)i;
	for (size_t i = 0; i < COUNT(signal_aliases); i++)
		if (strcasecmp(signal_aliases[i].name, name) == 0)
			return signal_aliases[i].number;
	return realtime_signal(name);
}

const char *signal_name(int number)
{
	static _Thread_local char name[16];
	if (number > 0 && (size_t)number < COUNT(signals) && signals[number])
		(void)snprintf(name, sizeof name, "SIG%s", signals[number]);
	else if (number == KERNEL_SIGRTMIN)
		return "SIGRTMIN";
	else if (number > KERNEL_SIGRTMIN && number <= KERNEL_SIGRTMAX)
		(void)snprintf(name, sizeof name, "SIGRTMIN+%d", number - KERNEL_SIGRTMIN);
	else if (number == 32 || number == 33)
		(void)snprintf(name, sizeof name, "SIG%d", number);
	else
		return "unknown";
	return name;
}

static const char *const capabilities[] = {
	[CAP_CHOWN] = "CAP_CHOWN",
	[CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
	[CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
	[CAP_FOWNER] = "CAP_FOWNER",
	[CAP_FSETID] = "CAP_FSETID",
	[CAP_KILL] = "CAP_KILL",
	[CAP_SETGID] = "CAP_SETGID",
	[CAP_SETUID] = "CAP_SETUID",
	[CAP_SETPCAP] = "CAP_SETPCAP",
	[CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
	[CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
	[CAP_NET_BROADCAST] = "CAP_NET_BROADCAST",
	[CAP_NET_ADMIN] = "CAP_NET_ADMIN",
	[CAP_NET_RAW] = "CAP_NET_RAW",
	[CAP_IPC_LOCK] = "CAP_IPC_LOCK",
	[CAP_IPC_OWNER] = "CAP_IPC_OWNER",
	[CAP_SYS_MODULE] = "CAP_SYS_MODULE",
	[CAP_SYS_RAWIO] = "CAP_SYS_RAWIO",
	[CAP_SYS_CHROOT] = "CAP_SYS_CHROOT",
	[CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
	[CAP_SYS_PACCT] = "CAP_SYS_PACCT",
	[CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
	[CAP_SYS_BOOT] = "CAP_SYS_BOOT",
	[CAP_SYS_NICE] = "CAP_SYS_NICE",
	[CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
	[CAP_SYS_TIME] = "CAP_SYS_TIME",
	[CAP_SYS_TTY_CONFIG] = "CAP_SYS_TTY_CONFIG",
	[CAP_MKNOD] = "CAP_MKNOD",
	[CAP_LEASE] = "CAP_LEASE",
	[CAP_AUDIT_WRITE] = "CAP_AUDIT_WRITE",
	[CAP_AUDIT_CONTROL] = "CAP_AUDIT_CONTROL",
	[CAP_SETFCAP] = "CAP_SETFCAP",
	[CAP_MAC_OVERRIDE] = "CAP_MAC_OVERRIDE",
	[CAP_MAC_ADMIN] = "CAP_MAC_ADMIN",
	[CAP_SYSLOG] = "CAP_SYSLOG",
	[CAP_WAKE_ALARM] = "CAP_WAKE_ALARM",
	[CAP_BLOCK_SUSPEND] = "CAP_BLOCK_SUSPEND",
	[CAP_AUDIT_READ] = "CAP_AUDIT_READ",
	[CAP_PERFMON] = "CAP_PERFMON",
	[CAP_BPF] = "CAP_BPF",
	[CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};

int capability_number(const char *name)
{
	if (strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	for (size_t i = 0; i < COUNT(capabilities); i++)
		if (strcasecmp(capabilities[i] + 4, name) == 0)
			return (int)i;
	return -1;
}

const char *capability_name(int number)
{
	return number >= 0 && (size_t)number < COUNT(capabilities) ? capabilities[number] : NULL;
}

int capability_last(void)
{
	return (int)COUNT(capabilities) - 1;
}

static const char *const rlimits[] = {
	[RLIMIT_CPU] = "RLIMIT_CPU",	       [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
	[RLIMIT_DATA] = "RLIMIT_DATA",	       [RLIMIT_STACK] = "RLIMIT_STACK",
	[RLIMIT_CORE] = "RLIMIT_CORE",	       [RLIMIT_RSS] = "RLIMIT_RSS",
	[RLIMIT_NPROC] = "RLIMIT_NPROC",       [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
	[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",   [RLIMIT_AS] = "RLIMIT_AS",
	[RLIMIT_LOCKS] = "RLIMIT_LOCKS",       [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
	[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE",
	[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",     [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
};

int rlimit_number(const char *name)
{
	for (size_t i = 0; i < COUNT(rlimits); i++)
		if (strcmp(rlimits[i], name) == 0)
			return (int)i;
	return -1;
}

const char *rlimit_name(int number)
{
	return number >= 0 && (size_t)number < COUNT(rlimits) ? rlimits[number] : NULL;
}
