/*
 * Progress of layers: a bar for each on a terminal, redrawn in place; a line for each change of
 * state elsewhere; or JSON lines for programs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bin/engine/remote.h"

#define REDRAW_NS 50000000LL
#define WIDTH_MIN 60

static const struct {
	const char *name, *words;
	bool moves; /* has bytes */
} actions[] = {
	{ "download", "Downloading", true }, { "unpack", "Unpacking", true },
	{ "upload", "Uploading", true },     { "done", "Done", false },
	{ "exists", "Here already", false },
};

static size_t action_row(const char *name)
{
	size_t i = 0;

	while (i + 1 < COUNT(actions) && strcmp(actions[i].name, name) != 0)
		i++;
	return i;
}

static int wrong(struct csn_error *err)
{
	err->code = EINVAL;
	(void)snprintf(err->text, sizeof err->text,
		       "--progress: expected bars, plain, json or none, not \"%.100s\"",
		       remote_args.progress);
	return -EINVAL;
}

int bars_open(struct bars *b, struct csn_error *err)
{
	static const char *const kinds[] = { [PROGRESS_NONE] = "none",
					     [PROGRESS_PLAIN] = "plain",
					     [PROGRESS_BARS] = "bars",
					     [PROGRESS_JSON] = "json" };
	const char *term = getenv("TERM");
	struct winsize size = { 0 };
	size_t i = 0;

	*b = (struct bars){ .columns = 80 };
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		b->columns = size.ws_col;
	if (remote_args.quiet)
		return 0;
	if (!remote_args.progress) {
		bool able = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
		b->kind = able ? PROGRESS_BARS : PROGRESS_PLAIN;
		return 0;
	}
	while (i < COUNT(kinds) && strcmp(kinds[i], remote_args.progress) != 0)
		i++;
	if (i == COUNT(kinds))
		return wrong(err);
	b->kind = (enum progress_kind)i;
	return 0;
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void draw_bar(const struct bar *bar, unsigned columns)
{
	char done[24], total[24], line[256];
	const char *hex = strchr(bar->layer, ':');
	size_t row = action_row(bar->action);
	int n = snprintf(line, sizeof line, "%.12s: %-12s", hex ? hex + 1 : bar->layer,
			 actions[row].words);

	if (actions[row].moves && bar->total && columns >= WIDTH_MIN) {
		unsigned width = columns - 52 < 50 ? columns - 52 : 50;
		unsigned full =
			(unsigned)(width * (bar->bytes < bar->total ? bar->bytes : bar->total) /
				   bar->total);
		print_size(done, sizeof done, bar->bytes);
		print_size(total, sizeof total, bar->total);
		n += snprintf(line + n, sizeof line - (size_t)n, " [");
		for (unsigned i = 0; i < width; i++)
			line[n++] = i < full ? '=' : i == full ? '>' : ' ';
		(void)snprintf(line + n, sizeof line - (size_t)n, "] %8s/%s", done, total);
	}
	fprintf(stderr, "\r%.*s\x1b[K\n", (int)columns - 1, line);
}

static void redraw(struct bars *b)
{
	if (b->drawn)
		fprintf(stderr, "\x1b[%zuA", b->drawn);
	for (size_t i = 0; i < b->count; i++)
		draw_bar(&b->items[i], b->columns);
	b->drawn = b->count;
	fflush(stderr);
	b->last = print_now();
}

static void print_line(const struct bar *bar)
{
	char total[24] = "";
	const char *hex = strchr(bar->layer, ':');
	size_t row = action_row(bar->action);

	if (actions[row].moves && bar->total)
		print_size(total, sizeof total, bar->total);
	fprintf(stderr, "%.12s: %s%s%s\n", hex ? hex + 1 : bar->layer, actions[row].words,
		*total ? " " : "", total);
}

static void print_json_line(const struct csn_image_progress *p)
{
	struct json_out o = JSON_OUT_COMPACT;

	json_open_object(&o, NULL);
	if (p->warning) {
		json_put_string(&o, "type", "warning");
		json_put_string(&o, "warning", p->warning);
	} else {
		json_put_string(&o, "type", "progress");
		json_put_string(&o, "layer", p->layer);
		json_put_string(&o, "action", p->action);
		json_put_u64(&o, "bytes", p->bytes);
		json_put_u64(&o, "total", p->total);
	}
	json_close_object(&o);
	(void)print_json(&o);
	fflush(stdout);
}

/* ---- taking progress in ---------------------------------------------------------------------- */

static struct bar *find_bar(struct bars *b, const char *layer)
{
	for (size_t i = 0; i < b->count; i++)
		if (strncmp(b->items[i].layer, layer, sizeof b->items[i].layer - 1) == 0)
			return &b->items[i];
	struct bar *grown = realloc(b->items, (b->count + 1) * sizeof *grown);
	if (!grown)
		return NULL;
	b->items = grown;
	struct bar *new = &grown[b->count++];
	*new = (struct bar){ 0 };
	(void)snprintf(new->layer, sizeof new->layer, "%s", layer);
	return new;
}

static void warn(struct bars *b, const char *text)
{
	fprintf(stderr, "%swarning: %s\n", b->drawn ? "\r\x1b[K" : "", text);
	b->drawn = 0;
}

void bars_progress(void *data, const struct csn_image_progress *p)
{
	struct bars *b = data;

	if (b->kind == PROGRESS_JSON) {
		print_json_line(p);
		return;
	}
	if (p->warning) {
		warn(b, p->warning);
		return;
	}
	if (b->kind == PROGRESS_NONE || !p->layer || !p->action)
		return;
	struct bar *bar = find_bar(b, p->layer);
	/* Unpacking goes on behind the download; what people wait for is shown. */
	bool behind = bar && strcmp(bar->action, "download") == 0 && bar->bytes < bar->total &&
		      strcmp(p->action, "unpack") == 0;
	if (!bar || behind)
		return;
	bool changed = strcmp(bar->action, p->action) != 0;
	(void)snprintf(bar->action, sizeof bar->action, "%s", p->action);
	bar->bytes = p->bytes;
	bar->total = p->total;
	if (b->kind == PROGRESS_BARS && (changed || print_now() - b->last >= REDRAW_NS))
		redraw(b);
	if (b->kind == PROGRESS_PLAIN && changed)
		print_line(bar);
}

void bars_close(struct bars *b)
{
	if (b->kind == PROGRESS_BARS && b->count)
		redraw(b);
	free(b->items);
	*b = (struct bars){ 0 };
}
