/*
 * tree.c -- see tree.h. A parent knows which executions work for it, the store knows how those are.
 */
#include "host/tree.h"
#include "engine/fold.h"
#include "host/snapshot.h"

#define TASKS_MAX 64

static bool is_parked(ctn_store *store, ctn_execution_id id, int depth);

static bool waits_for_nobody_else(ctn_store *store, const ctn_execution *x, int depth)
{
    ctn_open_task tasks[TASKS_MAX];
    size_t count = ctn_execution_open_tasks(x, tasks, TASKS_MAX);
    for (size_t i = 0; i < count; i++) {
        const ctn_step_view *v = &tasks[i].view;
        if (v->waits_for_child ? !is_parked(store, v->child, depth + 1)
                               : v->status == CTN_STEP_WAITING && !ctn_step_needs_somebody(v))
            return false;
    }
    return true;
}

static bool is_parked(ctn_store *store, ctn_execution_id id, int depth)
{
    ctn_arena *arena = ctn_arena_new(16384);
    ctn_execution_row row;
    ctn_execution *x = NULL;
    bool result = false;
    if (depth < CTN_CHAIN_DEPTH_MAX && ctn_store_execution_get(store, arena, id, &row, NULL) == CTN_OK &&
        ctn_execution_load(store, arena, &row, &x, NULL) == CTN_OK) {
        ctn_snapshot s = ctn_snapshot_in_store(x, store, arena);
        if (s.status == CTN_STATUS_WAITING || s.status == CTN_STATUS_INTERRUPTED)
            result = waits_for_nobody_else(store, x, depth);
        else
            result = ctn_snapshot_is_parked(&s);
    }
    ctn_execution_unload(x);
    ctn_arena_free(arena);
    return result;
}

bool ctn_tree_is_parked(ctn_store *store, ctn_execution_id id)
{
    return is_parked(store, id, 0);
}
