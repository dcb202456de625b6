/* Memory behind what is told of containers: details of one, summaries of all. */
#include <stdlib.h>

#include "agent/agent.h"

struct details *details_new(void)
{
	return calloc(1, sizeof(struct details));
}

void csn_container_details_free(struct csn_container_details *details)
{
	struct details *d = (struct details *)details; /* its first member */
	if (!d)
		return;
	arena_free(&d->arena);
	free(d);
}

struct csn_container_summaries {
	struct arena arena;
	struct csn_container_summary *items;
	size_t count, capacity;
};

struct csn_container_summaries *summaries_new(void)
{
	return calloc(1, sizeof(struct csn_container_summaries));
}

bool summaries_add(struct csn_container_summaries *list, const char *runtime_id, const char *label)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 16;
		struct csn_container_summary *grown =
			reallocarray(list->items, capacity, sizeof *grown);
		if (!grown)
			return false;
		list->items = grown;
		list->capacity = capacity;
	}
	const struct csn_container_summary s = {
		.runtime_id = arena_strdup(&list->arena, runtime_id),
		.container_id_label = label ? arena_strdup(&list->arena, label) : NULL,
	};
	if (!s.runtime_id || (label && !s.container_id_label))
		return false;
	list->items[list->count++] = s;
	return true;
}

size_t csn_container_summaries_count(const struct csn_container_summaries *list)
{
	return list ? list->count : 0;
}

const struct csn_container_summary *csn_container_summaries_get(
	const struct csn_container_summaries *list, size_t index)
{
	return &list->items[index];
}

void csn_container_summaries_free(struct csn_container_summaries *list)
{
	if (!list)
		return;
	arena_free(&list->arena);
	free(list->items);
	free(list);
}
