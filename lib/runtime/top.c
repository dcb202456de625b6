/*
 * The processes of a container as a table, in the words of ps(1): all that are in its cgroup, read
 * from the host's procfs. ps itself is not run, so it need not be there; columns are rows of a
 * table. Users have the names that the container's own passwd gives them.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "caisson-inside.h"
#include "cgroups/cgroups.h"
#include "runtime/runtime.h"

enum { COLUMNS_MAX = 32, CELL_MAX = 4096, FILE_MAX = 1 << 20 };

/* ---- one process ------------------------------------------------------------------------------
 */

struct process {
	pid_t pid;
	char comm[64], state;
	long long ppid, pgid, sid, tty, nice, threads, rss_pages;
	unsigned long long utime, stime, start, vsize; /* ticks; bytes */
	unsigned uid, gid;
	char *args; /* in the arena of the table */
};

/* What is the same for all of them. */
struct scene {
	struct user_db users;
	double ticks, uptime, memory_pages;
	time_t now;
};

static int read_file(pid_t pid, const char *name, char **ret, size_t *ret_size)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return file_read(AT_FDCWD, path, FILE_MAX, ret, ret_size, NULL);
}

/* The name is between the first and the last bracket, whatever it holds. */
static bool parse_stat(const char *text, struct process *p)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	if (!open || !close || close < open)
		return false;
	(void)snprintf(p->comm, sizeof p->comm, "%.*s", (int)(close - open - 1), open + 1);
	return sscanf(close + 2,
		      "%c %lld %lld %lld %lld %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %lld "
		      "%lld %*d %llu %llu %lld",
		      &p->state, &p->ppid, &p->pgid, &p->sid, &p->tty, &p->utime, &p->stime,
		      &p->nice, &p->threads, &p->start, &p->vsize, &p->rss_pages) == 12;
}

/* The effective numbers: the second of each line. */
static bool parse_status(const char *text, struct process *p)
{
	const char *uid = strstr(text, "\nUid:"), *gid = strstr(text, "\nGid:");
	return uid && gid && sscanf(uid + 5, "%*u %u", &p->uid) == 1 &&
	       sscanf(gid + 5, "%*u %u", &p->gid) == 1;
}

/* Bytes that could drive a terminal are shown as '?'. */
static void make_printable(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

static int read_args(struct process *p, struct arena *arena)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	int r = read_file(p->pid, "cmdline", &text, &size);
	if (r < 0 && r != -EFBIG)
		return r;
	while (size && text[size - 1] == '\0')
		size--;
	for (size_t i = 0; i < size; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	/* One without arguments (a zombie, say) is known by its name. */
	p->args = size ? arena_printf(arena, "%.*s", (int)size, text)
		       : arena_printf(arena, "[%s]", p->comm);
	if (!p->args)
		return -ENOMEM;
	make_printable(p->args);
	make_printable(p->comm);
	return 0;
}

/* 0; or it is gone. */
static int read_process(pid_t pid, struct process *p, struct arena *arena)
{
	auto_mem char *stat = NULL, *status = NULL;
	size_t size;
	*p = (struct process){ .pid = pid };
	TRY(read_file(pid, "stat", &stat, &size));
	TRY(read_file(pid, "status", &status, &size));
	if (!parse_stat(stat, p) || !parse_status(status, p))
		return -ESRCH;
	return read_args(p, arena);
}

/* ---- columns ----------------------------------------------------------------------------------
 */

/* The first name that a database gives a number; else the number. */
static void put_name(const char *db, size_t db_size, unsigned number, char *cell)
{
	const char *at = db, *end = db ? db + db_size : db;
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t size = (size_t)((line_end ? line_end : end) - at);
		const char *name_end = memchr(at, ':', size);
		const char *word =
			name_end ? memchr(name_end + 1, ':', size - (size_t)(name_end + 1 - at))
				 : NULL;
		unsigned found;
		if (word && isdigit((unsigned char)word[1]) &&
		    sscanf(word + 1, "%u", &found) == 1 && found == number && name_end > at) {
			(void)snprintf(cell, CELL_MAX, "%.*s", (int)(name_end - at), at);
			make_printable(cell);
			return;
		}
		at += size + 1;
	}
	(void)snprintf(cell, CELL_MAX, "%u", number);
}

static double seconds_alive(const struct scene *s, const struct process *p)
{
	double seconds = s->uptime - (double)p->start / s->ticks;
	return seconds > 0 ? seconds : 0;
}

static double cpu_percent(const struct scene *s, const struct process *p)
{
	double seconds = seconds_alive(s, p);
	return seconds > 0 ? (double)(p->utime + p->stime) / s->ticks / seconds * 100 : 0;
}

typedef void put_fn(const struct scene *s, const struct process *p, char *cell);

#define NUMBER(name, format, value)                                                                \
	static void put_##name(const struct scene *s, const struct process *p, char *cell)         \
	{                                                                                          \
		(void)s;                                                                           \
		(void)snprintf(cell, CELL_MAX, format, value);                                     \
	}
NUMBER(pid, "%d", (int)p->pid)
NUMBER(ppid, "%lld", p->ppid)
NUMBER(pgid, "%lld", p->pgid)
NUMBER(sid, "%lld", p->sid)
NUMBER(uid, "%u", p->uid)
NUMBER(gid, "%u", p->gid)
NUMBER(nice, "%lld", p->nice)
NUMBER(threads, "%lld", p->threads)
NUMBER(vsz, "%llu", p->vsize / 1024)
NUMBER(rss, "%lld", p->rss_pages *(sysconf(_SC_PAGESIZE) / 1024))
NUMBER(comm, "%s", p->comm)
NUMBER(args, "%s", p->args)
NUMBER(c, "%d", (int)cpu_percent(s, p))
NUMBER(pcpu, "%.1f", cpu_percent(s, p))
NUMBER(pmem, "%.1f", s->memory_pages > 0 ? (double)p->rss_pages / s->memory_pages * 100 : 0)

static void put_user(const struct scene *s, const struct process *p, char *cell)
{
	put_name(s->users.passwd, s->users.passwd_size, p->uid, cell);
}

static void put_group(const struct scene *s, const struct process *p, char *cell)
{
	put_name(s->users.group, s->users.group_size, p->gid, cell);
}

/* Today's as a time, others as a day. */
static void put_start(const struct scene *s, const struct process *p, char *cell)
{
	time_t started = s->now - (time_t)seconds_alive(s, p);
	struct tm start, now;
	bool today = localtime_r(&started, &start) && localtime_r(&s->now, &now) &&
		     start.tm_yday == now.tm_yday && start.tm_year == now.tm_year;
	(void)strftime(cell, CELL_MAX, today ? "%H:%M" : "%b%d", &start);
}

static void put_tty(const struct scene *s, const struct process *p, char *cell)
{
	unsigned device = (unsigned)p->tty, major = device >> 8 & 0xfff;
	unsigned minor = (device & 0xff) | (device >> 12 & 0xfff00);
	(void)s;
	if (major >= 136 && major <= 143)
		(void)snprintf(cell, CELL_MAX, "pts/%u", minor + (major - 136) * 256);
	else if (major == 4 && minor < 64)
		(void)snprintf(cell, CELL_MAX, "tty%u", minor);
	else
		(void)snprintf(cell, CELL_MAX, "?");
}

static void put_clock(unsigned long long seconds, bool days, char *cell)
{
	unsigned long long hours = seconds / 3600;
	if (days && hours >= 24)
		(void)snprintf(cell, CELL_MAX, "%llu-%02llu:%02llu:%02llu", hours / 24, hours % 24,
			       seconds / 60 % 60, seconds % 60);
	else
		(void)snprintf(cell, CELL_MAX, "%02llu:%02llu:%02llu", hours, seconds / 60 % 60,
			       seconds % 60);
}

static void put_time(const struct scene *s, const struct process *p, char *cell)
{
	put_clock((unsigned long long)((double)(p->utime + p->stime) / s->ticks), true, cell);
}

static void put_etime(const struct scene *s, const struct process *p, char *cell)
{
	put_clock((unsigned long long)seconds_alive(s, p), true, cell);
}

static void put_stat(const struct scene *s, const struct process *p, char *cell)
{
	(void)s;
	(void)snprintf(cell, CELL_MAX, "%c%s%s%s", p->state,
		       p->nice < 0   ? "<"
		       : p->nice > 0 ? "N"
				     : "",
		       p->sid == p->pid ? "s" : "", p->threads > 1 ? "l" : "");
}

static const struct column {
	const char *name, *title;
	put_fn *put;
} columns[] = {
	{ "pid", "PID", put_pid },
	{ "ppid", "PPID", put_ppid },
	{ "pgid", "PGID", put_pgid },
	{ "pgrp", "PGRP", put_pgid },
	{ "sid", "SID", put_sid },
	{ "sess", "SESS", put_sid },
	{ "uid", "UID", put_uid },
	{ "euid", "EUID", put_uid },
	{ "gid", "GID", put_gid },
	{ "egid", "EGID", put_gid },
	{ "user", "USER", put_user },
	{ "euser", "EUSER", put_user },
	{ "group", "GROUP", put_group },
	{ "egroup", "EGROUP", put_group },
	{ "c", "C", put_c },
	{ "pcpu", "%CPU", put_pcpu },
	{ "%cpu", "%CPU", put_pcpu },
	{ "pmem", "%MEM", put_pmem },
	{ "%mem", "%MEM", put_pmem },
	{ "stime", "STIME", put_start },
	{ "start", "START", put_start },
	{ "tty", "TT", put_tty },
	{ "tt", "TT", put_tty },
	{ "time", "TIME", put_time },
	{ "cputime", "TIME", put_time },
	{ "etime", "ELAPSED", put_etime },
	{ "stat", "STAT", put_stat },
	{ "s", "S", put_stat },
	{ "ni", "NI", put_nice },
	{ "nice", "NI", put_nice },
	{ "nlwp", "NLWP", put_threads },
	{ "vsz", "VSZ", put_vsz },
	{ "vsize", "VSZ", put_vsz },
	{ "rss", "RSS", put_rss },
	{ "comm", "COMMAND", put_comm },
	{ "ucmd", "CMD", put_comm },
	{ "args", "COMMAND", put_args },
	{ "cmd", "CMD", put_args },
	{ "command", "COMMAND", put_args },
};

/* ---- which columns ----------------------------------------------------------------------------
 */

struct choice {
	size_t count;
	put_fn *put[COLUMNS_MAX];
	const char *titles[COLUMNS_MAX];
};

static int choose(struct choice *ch, const char *name, size_t size, const char *title,
		  struct csn_error *err)
{
	if (ch->count == COLUMNS_MAX)
		return fail(err, EINVAL, "ps: more than %d columns", COLUMNS_MAX);
	for (size_t i = 0; i < COUNT(columns); i++) {
		if (strlen(columns[i].name) != size || memcmp(columns[i].name, name, size) != 0)
			continue;
		ch->put[ch->count] = columns[i].put;
		ch->titles[ch->count++] = title ? title : columns[i].title;
		return 0;
	}
	return fail(err, EINVAL, "ps: no column \"%.*s\"", (int)size, name);
}

/* "pid,comm=NAME": a title goes to the end of the word, as ps has it. */
static int choose_list(struct choice *ch, const char *list, struct arena *arena,
		       struct csn_error *err)
{
	while (*list) {
		size_t size = strcspn(list, ",=");
		const char *title = NULL;
		if (list[size] == '=') {
			title = arena_strdup(arena, list + size + 1);
			if (!title)
				return fail(err, ENOMEM, "out of memory");
		}
		TRY(choose(ch, list, size, title, err));
		if (title)
			return 0;
		list += size;
		if (*list == ',')
			list++;
	}
	return 0;
}

static int choose_full(struct choice *ch, struct csn_error *err)
{
	TRY(choose_list(ch, "user,pid,ppid,c,stime,tty,time,cmd", NULL, err));
	ch->titles[0] = "UID";
	ch->titles[5] = "TTY";
	return 0;
}

static int choose_bsd(struct choice *ch, struct csn_error *err)
{
	TRY(choose_list(ch, "user,pid,pcpu,pmem,vsz,rss,tty,stat,start,time,args", NULL, err));
	ch->titles[6] = "TTY";
	return 0;
}

/* One word of letters. *ret_list: where the list of -o is; "" in the next word. */
static int take_word(const char *word, bool *full, bool *bsd, const char **ret_list,
		     struct csn_error *err)
{
	*ret_list = NULL;
	for (const char *c = word + (word[0] == '-'); *c; c++) {
		if (strchr("eAaxwH", *c)) /* which processes: all that there are */
			continue;
		if (*c == 'f' || *c == 'F')
			*full = true;
		else if (*c == 'u')
			*bsd = true;
		else if (*c == 'o') {
			*ret_list = c + 1;
			return 0;
		} else
			return fail(err, EINVAL, "ps: option \"%.100s\" is not known", word);
	}
	return 0;
}

static int choose_columns(const char *const *args, struct choice *ch, struct arena *arena,
			  struct csn_error *err)
{
	bool full = false, bsd = false;
	for (; args && *args; args++) {
		const char *list;
		TRY(take_word(*args, &full, &bsd, &list, err));
		if (list && !*list) {
			list = *++args;
			if (!list)
				return fail(err, EINVAL, "ps: -o needs a list of columns");
		}
		if (list)
			TRY(choose_list(ch, list, arena, err));
	}
	if (ch->count)
		return 0;
	return bsd && !full ? choose_bsd(ch, err) : choose_full(ch, err);
}

/* ---- the table --------------------------------------------------------------------------------
 */

struct csn_top {
	struct arena arena;
	struct choice choice;
	char **cells; /* row by row */
	size_t rows;
};

size_t csn_top_columns(const struct csn_top *top)
{
	return top->choice.count;
}

size_t csn_top_rows(const struct csn_top *top)
{
	return top->rows;
}

const char *csn_top_title(const struct csn_top *top, size_t column)
{
	return top->choice.titles[column];
}

const char *csn_top_cell(const struct csn_top *top, size_t row, size_t column)
{
	return top->cells[row * top->choice.count + column];
}

void csn_top_free(struct csn_top *top)
{
	if (!top)
		return;
	arena_free(&top->arena);
	free(top);
}

static void free_top(struct csn_top **top)
{
	csn_top_free(*top);
}

static void set_scene(const struct facts *f, struct scene *s, struct arena *arena)
{
	struct timespec up;
	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	s->ticks = (double)sysconf(_SC_CLK_TCK);
	s->uptime = (double)up.tv_sec + (double)up.tv_nsec / 1e9;
	s->memory_pages = (double)sysconf(_SC_PHYS_PAGES);
	s->now = time(NULL);
	/* Without it everybody is a number. */
	if (users_of_container(f, &s->users, arena, NULL) < 0)
		s->users = (struct user_db){ 0 };
}

static int add_row(struct csn_top *t, const struct scene *s, pid_t pid)
{
	char cell[CELL_MAX];
	struct process p;
	int r = read_process(pid, &p, &t->arena);
	if (r < 0)
		return r == -ENOMEM ? r : 0; /* gone meanwhile */
	for (size_t i = 0; i < t->choice.count; i++) {
		t->choice.put[i](s, &p, cell);
		char *copy = arena_strdup(&t->arena, cell);
		if (!copy)
			return -ENOMEM;
		t->cells[t->rows * t->choice.count + i] = copy;
	}
	t->rows++;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
	return (x > y) - (x < y);
}

static int fill(struct csn_top *t, const struct facts *f, struct csn_error *err)
{
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	auto_mem pid_t *pids = NULL;
	struct scene s = { 0 };
	size_t count = 0;
	TRY(cgroup_open(f->cgroup, &cg, err));
	TRY(cgroup_pids(&cg, &pids, &count, err));
	if (count)
		qsort(pids, count, sizeof *pids, by_number);
	set_scene(f, &s, &t->arena);
	t->cells = arena_array(&t->arena, count * t->choice.count, sizeof *t->cells);
	if (!t->cells)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		if (add_row(t, &s, pids[i]) < 0)
			return fail(err, ENOMEM, "out of memory");
	return 0;
}

int csn_container_top(struct csn_runtime *rt, const char *container, const char *const *ps_args,
		      struct csn_top **ret, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	TRY(container_find(rt, container, &c, err));
	struct csn_top *t AUTO(free_top)
	= calloc(1, sizeof *t);
	if (!t)
		return fail(err, ENOMEM, "out of memory");
	TRY(choose_columns(ps_args, &t->choice, &t->arena, err));
	facts_read(rt, &c, false, &f);
	if (f.init_fd < 0)
		return fail(err, ESRCH, "container \"%s\" is not running", container);
	TRY(within(err, fill(t, &f, err), "container \"%s\"", container));
	*ret = take_ptr(t);
	return 0;
}
