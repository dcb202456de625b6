/*
 * CPUs of a process that exec starts (config.md "execCPUAffinity"). While it is born it has the
 * initial ones, which it inherits from us: we take them just before clone3 and give them back after
 * it. Once it is in the container's cgroup, and before it may run its program, it gets the final
 * ones. Either may be absent: then the kernel decides.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "host/launch.h"

/* "0-3,7" → bits; lib/spec has checked the form. */
static int parse_cpus(const char *field, const char *list, struct cpus *ret, struct csn_error *err)
{
	memset(ret, 0, sizeof *ret);
	for (const char *p = list; *p;) {
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (end == p || last < first || last >= CPUS_MAX)
			return fail(err, EINVAL, "process.execCPUAffinity.%s: no such CPUs: \"%s\"",
				    field, list);
		for (unsigned long cpu = first; cpu <= last; cpu++)
			ret->bits[cpu / CPUS_WORD] |= 1UL << cpu % CPUS_WORD;
		p = end + strspn(end, ", ");
	}
	return 0;
}

static int set_cpus(pid_t pid, const char *field, const char *list, struct csn_error *err)
{
	struct cpus cpus;
	TRY(parse_cpus(field, list, &cpus, err));
	if (sched_setaffinity(pid, sizeof cpus, (const cpu_set_t *)&cpus) < 0)
		return fail_errno(err, "process.execCPUAffinity.%s: \"%s\"", field, list);
	return 0;
}

int affinity_initial(const struct spec_process *process, struct cpus *ret_before,
		     struct csn_error *err)
{
	const char *list = process->exec_cpu_affinity.initial;
	if (!list)
		return 0;
	memset(ret_before, 0, sizeof *ret_before);
	if (sched_getaffinity(0, sizeof *ret_before, (cpu_set_t *)ret_before) < 0)
		return fail_errno(err, "sched_getaffinity");
	return set_cpus(0, "initial", list, err);
}

void affinity_restore(const struct spec_process *process, const struct cpus *before)
{
	if (process->exec_cpu_affinity.initial)
		(void)sched_setaffinity(0, sizeof *before, (const cpu_set_t *)before);
}

int affinity_final(const struct spec_process *process, pid_t pid, struct csn_error *err)
{
	const char *list = process->exec_cpu_affinity.final;
	return list ? set_cpus(pid, "final", list, err) : 0;
}
