/* Lists of texts. */
#include "base/texts.h"

#include <stdlib.h>

#include "base/arena.h"

struct csn_texts {
	struct arena arena;
	char **items;
	size_t count, capacity;
};

struct csn_texts *texts_new(void)
{
	return calloc(1, sizeof(struct csn_texts));
}

bool texts_add(struct csn_texts *texts, const char *text)
{
	if (texts->count == texts->capacity) {
		size_t capacity = texts->capacity ? 2 * texts->capacity : 16;
		char **grown = reallocarray(texts->items, capacity, sizeof *grown);
		if (!grown)
			return false;
		texts->items = grown;
		texts->capacity = capacity;
	}
	char *copy = arena_strdup(&texts->arena, text);
	if (copy)
		texts->items[texts->count++] = copy;
	return copy != NULL;
}

void texts_release(struct csn_texts **texts)
{
	csn_texts_free(*texts);
}

size_t csn_texts_count(const struct csn_texts *texts)
{
	return texts ? texts->count : 0;
}

const char *csn_texts_get(const struct csn_texts *texts, size_t index)
{
	return texts->items[index];
}

void csn_texts_free(struct csn_texts *texts)
{
	if (!texts)
		return;
	arena_free(&texts->arena);
	free(texts->items);
	free(texts);
}
