/*
 * far.c -- see far.h.
 *
 * Parent and child are two executions in two shards, which two nodes may hold, and no transaction has both. What goes
 * between them is asked over the table of requests (elsewhere.h), and each side does what it is asked in a transaction
 * of its own. What is asked may be asked again and means the same: the child's id was chosen by the parent's
 * child_started, with the shard in it, and an end is read from the child's row and not from what somebody says of it.
 *
 *   parent                                      child
 *   child_started, the id in it         (1)
 *   start, to the shard in the id       (2)     first entry, and the request done, in one commit       (3)
 *   settled: its row may sleep          (4)     ... works ...
 *                                               its end; its final row owes the parent a word (wake)   (5)
 *   CHILD_NEWS: reads the child's row,  (7)     asks the parent's shard to look                        (6)
 *   step's end and the request done, in
 *   one commit                          (8)     its row owes nothing any more                          (9)
 *
 * Who dies, where:
 *   1-2  whoever has the parent next owes a child, finds none, and asks for it.
 *   2-3  the request is on disk; the parent's row does not sleep before it is answered, so whoever has the parent next
 *        finds no child and asks again. The second start of an id finds that it is there (CTN_OUTCOME_EXISTS).
 *   3-4  the child is there; who looks finds it, and settles.
 *   5-6  the row of the end says that something is owed, in the same transaction; whoever has the child's shard next
 *        finds it there (ctn_store_execution_owing), and asks.
 *   6-8  the request waits for whoever has the parent's shard.
 *   8-9  the parent is told once more, owes no such child any more, and says so. Nothing is decided twice.
 *
 * The owed word stands in the child's own shard, and not as a request for the parent's in the commit of the end: so it
 * holds also where the two shards are in two databases (docs/fleet.md).
 *
 * A child is stopped, paused, resumed and undone by requests too. One at a time is under way for a child
 * (watch.is_away), so they arrive in order; when it is answered what is owed by then is compared with what there is. A
 * stop is the one that must not be overtaken: while a start may be on its way, "there is no child" does not mean that
 * none will be. So a child that is to be stopped and is not there is started all the same, and cancelled in that very
 * commit (ctn_start.is_stopped): whatever start comes later finds its id taken.
 *
 * Should a word be lost all the same (a child that is given up by its row alone, somebody who empties the table): a
 * parent that sleeps has a wake time, and looks. At first after five seconds, then after a quarter of the time that the
 * child has been there, at most an hour.
 */
#include "engine/far.h"
#include "engine/batch.h"
#include "engine/elsewhere.h"
#include "engine/labels.h"
#include "engine/placement.h"
#include "engine/plans.h"
#include "engine/queue.h"
#include "engine/shards.h"
#include "engine/state.h"

#define TELL_AGAIN_MS 1000
#define LOOK_LEAST_MS 5000
#define LOOK_MOST_MS  3600000

/* ---- where it lives ---- */

/* As it will be compiled for the start; nothing is written here. NULL: the start will say why. */
static const ctn_plan *plan_of(ctn_engine *e, const loaded *l, ctn_str chain)
{
    for (const child_plan *p = l->plan->children; p; p = p->next)
        if (ctn_str_equal(p->plan->chain_id, chain))
            return p->plan;
    ctn_plan *plan = NULL;
    return ctn_plan_of_child(e->scratch, l->plan->plan, chain, &plan, NULL) ? NULL : plan;
}

/* A line that its parent stands in, or one above it: it is shared, and the child may live with its parent. */
static bool shares_its_line(ctn_engine *e, const loaded *l, ctn_str queue_key)
{
    const ctn_parent *above = ctn_execution_parent(l->x);
    ctn_parent parent = {.id = l->id, .depth = above ? above->depth + 1 : 1};
    return queue_key.len && ctn_eng_line_is_shared(e, &parent, queue_key);
}

static void place(ctn_engine *e, const loaded *l, uint32_t step, const ctn_plan *plan, const ctn_json *args,
                  ctn_execution_id *id)
{
    const ctn_json *input = NULL;
    ctn_str queue_key = {0};
    ctn_start start = {.plan = plan, .input = args};
    start.sensitive = ctn_sensitive_members(ctn_execution_sensitivity(l->x), step, args, e->scratch);
    if (ctn_plan_accept_input(plan, e->scratch, args, &input, NULL) ||
        ctn_plan_queue_key(plan, e->scratch, input, ctn_id_at_ms(*id), &queue_key, NULL))
        return; /* the start will be refused with that */
    if (!plan->max_concurrent && (!queue_key.len || shares_its_line(e, l, queue_key)))
        return;
    ctn_placement_room room = {.shard_count = ctn_eng_shard_count(e)};
    if (ctn_eng_shards_for(e, plan, &room.among, NULL))
        return;
    ctn_placement at = ctn_placement_by(&start, queue_key, &room, e->scratch);
    if (at.shard != l->shard)
        ctn_shard_into_id(id, at.shard);
}

void ctn_eng_place_child(void *ctx, const ctn_execution *x, uint32_t step, ctn_str chain, const ctn_json *args,
                         ctn_execution_id *id)
{
    ctn_engine *e = ctx;
    const loaded *l = ctn_live_find(&e->live, ctn_execution_id_of(x));
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    const ctn_plan *plan = l ? plan_of(e, l, chain) : NULL;
    if (plan && (plan->max_concurrent || plan->concurrency_key))
        place(e, l, step, plan, args, id);
    ctn_arena_restore(e->scratch, mark);
}

/* Two whose ids name one shard live in one, wherever they were copied from. For the others the store is asked: who was
 * copied need not live where the id says. Where it cannot say just now, they are far: what is asked finds its way. */
static bool are_apart(const ctn_engine *e, ctn_execution_id id, uint32_t shard, ctn_execution_id other)
{
    uint32_t its, count = ctn_eng_is_fleet(e) ? ctn_eng_shard_count(e) : 1;
    return count > 1 && ctn_shard_of_id(id, count) != ctn_shard_of_id(other, count) &&
           (ctn_store_shard_of_execution(e->options.store, other, &its, NULL) || its != shard);
}

bool ctn_eng_child_is_far(const ctn_engine *e, const loaded *l, ctn_execution_id child)
{
    return are_apart(e, l->id, l->shard, child);
}

int64_t ctn_eng_far_look_at_ms(const ctn_engine *e, const loaded *l, int64_t wake_at_ms)
{
    int64_t first_ms = wake_at_ms;
    for (const ctn_watch *w = NULL; (w = ctn_watches_next(&l->child.watches, w));) {
        int64_t in_ms = (e->now_ms - ctn_id_at_ms(w->child)) / 4;
        in_ms = in_ms < LOOK_LEAST_MS ? LOOK_LEAST_MS : in_ms > LOOK_MOST_MS ? LOOK_MOST_MS : in_ms;
        if (w->is_far && (!first_ms || e->now_ms + in_ms < first_ms))
            first_ms = e->now_ms + in_ms;
    }
    return first_ms;
}

/* ---- its end, to a parent elsewhere ---- */

void ctn_eng_far_loaded(const ctn_engine *e, loaded *l)
{
    const ctn_parent *parent = ctn_eng_is_fleet(e) ? ctn_execution_parent(l->x) : NULL;
    l->child.is_far = parent && are_apart(e, l->id, l->shard, parent->id);
    l->child.told_parent = 0;
    if (l->child.is_far && ctn_status_is_final(l->status_written) && !l->wake_written)
        l->child.told_parent = (int) l->status_written + 1;
}

typedef struct telling {
    ctn_engine *engine;
    ctn_execution_id child;
    ctn_status status;
} telling;

static void on_told(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    const telling *t = ctx;
    ctn_engine *e = t->engine;
    loaded *l = ctn_live_find(&e->live, t->child);
    if (!l || !l->child.is_telling)
        return;
    l->child.is_telling = false;
    if (ctn_eng_is_for_later(e, rc)) {
        ctn_live_wake_at(&e->live, l, e->now_ms + (ctn_eng_is_draining(e, l) ? 0 : TELL_AGAIN_MS));
        return;
    }
    if (rc) /* there is nobody who could go on */
        ctn_log_line(e->options.log, CTN_LOG_WARN, "the parent of a sub-chain does not hear of its end", "executionId",
                     ctn_id_to_text(id).text, "why", err ? err->message : "", NULL);
    l->child.told_parent = (int) t->status + 1;
    if (!l->is_lost)
        ctn_eng_touch(l);
    ctn_live_to_perform(&e->live, l);
}

static ctn_input news_of(ctn_engine *e, ctn_execution_id child)
{
    ctn_str text = ctn_arena_str(e->scratch, ctn_str_from(ctn_id_to_text(child).text));
    return (ctn_input){.kind = CTN_IN_CHILD_ENDED, .actor = CTN_STR("engine"), .name = text};
}

bool ctn_eng_tell_far_parent(ctn_engine *e, loaded *l)
{
    if (!ctn_eng_owes_end(l, l->status_written))
        return true;
    if (l->child.is_telling)
        return false;
    if (e->is_stopping || ctn_eng_is_draining(e, l))
        return true;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_input news = news_of(e, l->id);
    telling t = {.engine = e, .child = l->id, .status = l->status_written};
    l->child.is_telling = true;
    ctn_eng_own_input(e, ctn_execution_parent(l->x)->id, &news, on_told, &t, sizeof t);
    ctn_arena_restore(e->scratch, mark);
    return false;
}

void ctn_eng_far_was_given_up(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child)
{
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_input news = news_of(e, child);
    ctn_eng_own_input(e, parent, &news, NULL, NULL, 0);
    ctn_arena_restore(e->scratch, mark);
}
