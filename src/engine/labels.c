/*
 * labels.c -- see labels.h. Requirements are few, so those that were asked for are a list, and never change.
 */
#include "engine/labels.h"
#include "base/memory.h"
#include "base/plant.h"
#include "chain/requires.h"
#include "engine/shards.h"
#include "engine/state.h"

#include <stdlib.h>

typedef struct known_need {
    struct known_need *next;
    char *requires;
    ctn_shard_set shards;
} known_need;

bool ctn_eng_lacks_labels(const ctn_engine *e, const ctn_plan *plan)
{
    return plan->requires && e->options.labels && !ctn_labels_meet(e->options.labels, plan->requires) &&
           !CTN_PLANT(LABELS_IGNORED);
}

int ctn_eng_check_labels(const ctn_engine *e, const ctn_plan *plan, ctn_err *err)
{
    if (ctn_eng_is_fleet(e) || !ctn_eng_lacks_labels(e, plan))
        return CTN_OK;
    return ctn_fail(
        err, CTN_E_UNSUPPORTED,
        "chain '%.*s' requires a node with the labels %.*s; this machine has %.*s, and its store is for one "
        "process (`node: {labels}` in catena.yaml)",
        CTN_STR_ARG(plan->chain_id), CTN_STR_ARG(plan->requires_text),
        CTN_STR_ARG(ctn_json_to_str(e->scratch, e->options.labels)));
}

int ctn_eng_shards_for(ctn_engine *e, const ctn_plan *plan, const ctn_shard_set **ret_among, ctn_err *err)
{
    *ret_among = NULL;
    if (!plan->requires || !ctn_eng_is_fleet(e))
        return CTN_OK;
    known_need *n = e->needs;
    while (n && !ctn_str_is(plan->requires_text, n->requires))
        n = n->next;
    if (!n) {
        ctn_shard_set shards;
        int rc = ctn_store_need_claim(e->options.store, plan->requires_text, &shards, err);
        if (rc)
            return ctn_wrap(err, rc, "chain '%.*s'", CTN_STR_ARG(plan->chain_id));
        n = ctn_malloc(sizeof *n);
        *n = (known_need){.next = e->needs, .requires = ctn_cstring(plan->requires_text), .shards = shards};
        e->needs = n;
    }
    *ret_among = &n->shards;
    return CTN_OK;
}

int ctn_engine_shards_for(ctn_engine *e, const ctn_plan *plan, const ctn_shard_set **ret_among, ctn_err *err)
{
    return ctn_eng_shards_for(e, plan, ret_among, err);
}

void ctn_eng_needs_free(ctn_engine *e)
{
    for (known_need *n; (n = e->needs);) {
        e->needs = n->next;
        free(n->requires);
        free(n);
    }
}
