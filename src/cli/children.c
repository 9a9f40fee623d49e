/*
 * children.c -- see children.h. A parent knows which executions work for it, the store knows how those are.
 */
#include "cli/children.h"
#include "cli/result.h"
#include "engine/fold.h"
#include "store/raw.h"

#define TASKS_MAX 64
#define DEPTH_MAX 32 /* more than chains may call chains */
#define TOLD_MAX  8

/* *ret_row says how it is; NULL when it cannot be read. Give it back with ctn_execution_unload. */
static ctn_execution *load(ctn_store *store, ctn_arena *arena, ctn_execution_id id, ctn_execution_row *ret_row)
{
    ctn_execution *x = NULL;
    if (ctn_store_execution_get(store, arena, id, ret_row, NULL) || ctn_execution_load(store, arena, ret_row, &x, NULL))
        return NULL;
    return x;
}

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
    ctn_execution *x = depth < DEPTH_MAX ? load(store, arena, id, &row) : NULL;
    bool result = false;
    if (x) {
        ctn_snapshot s = ctn_snapshot_of(x, arena);
        ctn_execution_id holder;
        (void) ctn_snapshot_look_at_line(&s, store, arena, &holder);
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

/* ---- telling ---- */

typedef struct telling {
    const ctn_cli *cli;
    ctn_store *store;
    size_t told, more;
} telling;

static void tell_children(telling *t, const ctn_execution *x, int depth);

/* A child that does not read back: what waits for it goes on when somebody repairs it or gives it up. */
static void tell_damaged(telling *t, ctn_str step, ctn_execution_id child)
{
    ctn_execution_row row;
    ctn_id_text id = ctn_id_to_text(child);
    if (ctn_store_execution_read_raw(t->store, t->cli->arena, ctn_str_from(id.text), &row, NULL))
        return; /* it is not there yet */
    ctn_cli_say(t->cli, "step %.*s waits for execution %s, which is damaged; see: %.*s", CTN_STR_ARG(step), id.text,
                CTN_STR_ARG(ctn_cli_command(t->cli, "show %s", id.text)));
}

static void tell_child(telling *t, ctn_str step, const ctn_step_view *v, int depth)
{
    ctn_arena *arena = t->cli->arena;
    ctn_execution_row row;
    ctn_execution *x = load(t->store, arena, v->child, &row);
    if (!x)
        tell_damaged(t, step, v->child);
    if (x && !ctn_status_is_final(row.status)) {
        ctn_snapshot s = ctn_snapshot_of(x, arena);
        ctn_execution_id holder;
        (void) ctn_snapshot_look_at_line(&s, t->store, arena, &holder);
        bool is_told = s.budget || s.queued_behind.len || s.status == CTN_STATUS_PAUSED;
        for (size_t i = 0; i < s.step_count; i++)
            is_told = is_told || ctn_step_needs_somebody(&s.steps[i].view);
        if (is_told && t->told == TOLD_MAX) {
            t->more++;
        } else if (is_told) {
            t->told++;
            ctn_str item = v->item < 0 ? (ctn_str){0} : ctn_arena_printf(arena, "[%lld]", (long long) v->item);
            ctn_cli_say(t->cli, "step %.*s%.*s waits for the chain %.*s, execution %s:", CTN_STR_ARG(step),
                        CTN_STR_ARG(item), CTN_STR_ARG(row.chain_id), ctn_id_to_text(row.id).text);
            ctn_tell_parked(t->cli, &s);
        }
        if (depth < DEPTH_MAX)
            tell_children(t, x, depth + 1);
    }
    ctn_execution_unload(x);
}

static void tell_children(telling *t, const ctn_execution *x, int depth)
{
    ctn_open_task tasks[TASKS_MAX];
    size_t count = ctn_execution_open_tasks(x, tasks, TASKS_MAX);
    for (size_t i = 0; i < count; i++)
        if (tasks[i].view.waits_for_child)
            tell_child(t, ctn_execution_plan(x)->steps[tasks[i].step].name, &tasks[i].view, depth);
}

void ctn_tell_tree(const ctn_cli *cli, ctn_store *store, const ctn_execution *x, const ctn_snapshot *s)
{
    telling t = {.cli = cli, .store = store};
    ctn_tell_parked(cli, s);
    if (ctn_status_is_final(s->status))
        return;
    tell_children(&t, x, 0);
    if (t.more)
        ctn_cli_say(cli, "and %zu more of its chains wait: %.*s", t.more,
                    CTN_STR_ARG(ctn_cli_command(cli, "list --status waiting")));
}
