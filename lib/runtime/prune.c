/* Removing all containers that do not run, and what their files took. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/texts.h"
#include "base/tree_size.h"
#include "runtime/runtime.h"

struct pruning {
	struct csn_runtime *rt;
	struct csn_texts *ids;
	uint64_t bytes;
};

static int prune_one(void *data, const char *id)
{
	struct pruning *p = data;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	if (container_open(p->rt, id, &c, NULL) < 0)
		return 0;
	facts_read(p->rt, &c, false, &f);
	if (facts_running(&f) || f.state == CSN_STATE_INITIALIZING)
		return 0;
	uint64_t bytes = tree_size(p->rt->containers_dir, id);
	/* Started in between, or gone by itself: not ours. */
	if (csn_container_remove(p->rt, id, false, NULL) < 0)
		return 0;
	p->bytes += bytes;
	return texts_add(p->ids, id) ? 0 : -ENOMEM;
}

int csn_container_prune(struct csn_runtime *rt, struct csn_texts **ret_ids, uint64_t *ret_bytes,
			struct csn_error *err)
{
	struct csn_texts *ids AUTO(texts_release)
	= texts_new();
	struct pruning p = { rt, ids, 0 };
	if (!ids)
		return fail(err, ENOMEM, "out of memory");
	TRY(container_each(rt, prune_one, &p, err));
	*ret_ids = take_ptr(ids);
	*ret_bytes = p.bytes;
	return 0;
}
