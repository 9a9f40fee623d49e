#include "sim/stage.h"

#include "chain/library.h"

#include <stdlib.h>
#include <string.h>

enum { EVENT_REPLY };

stage_seeds stage_seeds_of(uint64_t first, uint64_t last)
{
    const char *one = getenv("SIM_SEED");
    uint64_t seed = one ? strtoull(one, NULL, 10) : 0;
    return one ? (stage_seeds){seed, seed, true} : (stage_seeds){first, last, false};
}

ctn_plan *stage_compile(stage *st, const char *yaml)
{
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    assert_true(st->plan_count < STAGE_PLANS_MAX);
    ctn_plan **ret_plan = &st->plans[st->plan_count];
    (void) ctn_library_add_text(library, CTN_STR("stage.yaml"), ctn_str_from(yaml), &findings, &chain);
    if (!chain || ctn_plan_compile(arena, library, chain, &findings, ret_plan))
        STAGE_FAIL(st, "%.*s", CTN_STR_ARG(findings.items[0].message));
    assert_int_equal((*ret_plan)->unsupported.len, 0);
    st->plan_count++;
    return *ret_plan;
}

/* ---- wishes ---- */

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    stage_wish *w = ctx;
    (void) id;
    if (rc)
        STAGE_FAIL(w->st, "start refused: %s", err->message);
    w->is_acked = true;
}

static void ask(stage *st, ctn_engine *engine, int i)
{
    stage_wish *w = &st->wishes[i];
    const ctn_plan *plan = NULL;
    int64_t version = 0;
    char key[32];
    assert_int_equal(ctn_engine_plan_add(engine, w->plan, CTN_STR("sim"), &plan, &version, NULL), CTN_OK);
    snprintf(key, sizeof key, "run-%d", i);
    ctn_start start = {.plan = plan,
                       .version = version,
                       .input = w->input,
                       .idempotency_key = ctn_str_from(key),
                       .is_queued = w->is_queued};
    ctn_engine_start(engine, &start, on_ack, w);
}

void stage_wish_for(stage *st, ctn_plan *plan, const ctn_json *input, bool is_queued)
{
    assert_true(st->wish_count < STAGE_ROWS_MAX);
    int i = st->wish_count++;
    st->wishes[i] = (stage_wish){.st = st, .plan = plan, .input = input, .is_queued = is_queued};
    if (stage_is_alive(st)) {
        ask(st, ctn_world_engine(st->world), i);
        ctn_world_turn_soon(st->world);
    }
}

static void born(void *ctx, ctn_engine *engine)
{
    stage *st = ctx;
    for (int i = 0; i < st->wish_count; i++)
        if (!st->wishes[i].is_acked)
            ask(st, engine, i);
}

/* ---- flights ---- */

stage_flight *stage_fly(stage *st, const ctn_call_request *request, int what, int64_t delay_ms)
{
    static const ctn_json yes = {.kind = CTN_JSON_TRUE};
    int place = 0;
    while (st->flights[place].token)
        assert_true(++place < STAGE_FLIGHTS_MAX);
    stage_flight *f = &st->flights[place];
    *f = (stage_flight){.token = request->token, .what = what, .value = &yes};
    snprintf(f->execution, sizeof f->execution, "%.*s", CTN_STR_ARG(request->execution_id));
    int64_t by_chance_ms = delay_ms ? delay_ms : 1 + (int64_t) ctn_world_roll(st->world, 20);
    ctn_world_later(st->world, by_chance_ms, EVENT_REPLY, request->token, NULL);
    return f;
}

int stage_flying(const stage *st, int what)
{
    int count = 0;
    for (int i = 0; i < STAGE_FLIGHTS_MAX; i++)
        count += st->flights[i].token && st->flights[i].what == what;
    return count;
}

/* Takes the call out of those under way. */
static stage_flight land(stage *st, uint64_t token)
{
    stage_flight landed = {0};
    for (int i = 0; i < STAGE_FLIGHTS_MAX; i++)
        if (st->flights[i].token == token) {
            landed = st->flights[i];
            st->flights[i].token = 0;
        }
    return landed;
}

static void let_go(void *ctx, uint64_t token)
{
    stage *st = ctx;
    ctn_world_drop(st->world, EVENT_REPLY, token);
    (void) land(st, token);
}

static void happen(void *ctx, const ctn_world_event *event)
{
    stage *st = ctx;
    stage_flight landed = land(st, event->token);
    assert_int_equal(landed.token, event->token);
    ctn_call_result result = {.failure = landed.fails ? CTN_FAILURE_TOOL_ERROR : CTN_FAILURE_NONE,
                              .value = landed.value,
                              .message = CTN_STR("so the simulator said"),
                              .was_sent = true};
    ctn_world_reply(st->world, event->token, &result);
}

static ctn_effect effect_of(void *ctx, const char *kind, ctn_str target, const char **ret_from)
{
    (void) ctx, (void) kind, (void) target, (void) ret_from;
    return CTN_EFFECT_UNKNOWN; /* the sets say it */
}

static bool may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    (void) ctx, (void) token, (void) target;
    return false;
}

static void on_event(void *ctx, const ctn_engine_event *event)
{
    (void) ctx, (void) event;
}

/* ---- rows ---- */

stage_row *stage_row_of(stage *st, int64_t exec_no)
{
    for (int i = 0; i < st->row_count; i++)
        if (st->rows[i].exec_no == exec_no)
            return &st->rows[i];
    fail_msg("an execution that has no row");
    return NULL;
}

static ctn_status end_by(ctn_entry_kind kind)
{
    switch ((int) kind) {
    case CTN_ENTRY_COMPLETED: return CTN_STATUS_COMPLETED;
    case CTN_ENTRY_FAILED: return CTN_STATUS_FAILED;
    case CTN_ENTRY_ROLLED_BACK: return CTN_STATUS_ROLLED_BACK;
    case CTN_ENTRY_ROLLBACK_FAILED: return CTN_STATUS_ROLLBACK_FAILED;
    case CTN_ENTRY_CANCELLED: return CTN_STATUS_CANCELLED;
    default: return 0;
    }
}

void stage_on_disk(void *ctx, const ctn_append *a)
{
    stage *st = ctx;
    if (a->row) {
        assert_true(st->row_count < STAGE_ROWS_MAX);
        stage_row *r = &st->rows[st->row_count++];
        *r = (stage_row){.exec_no = a->exec_no, .id = a->row->id};
        snprintf(r->chain, sizeof r->chain, "%.*s", CTN_STR_ARG(a->row->chain_id));
        snprintf(r->key, sizeof r->key, "%.*s", CTN_STR_ARG(a->row->queue_key));
        snprintf(r->idempotency_key, sizeof r->idempotency_key, "%.*s", CTN_STR_ARG(a->row->idempotency_key));
    }
    stage_row *r = stage_row_of(st, a->exec_no);
    for (size_t i = 0; i < a->count; i++) {
        ctn_status end = end_by(a->records[i].kind);
        r->has_started = r->has_started || a->records[i].kind == CTN_ENTRY_STARTED;
        if (end && r->ended)
            STAGE_FAIL(st, "number %lld ends twice", (long long) r->exec_no);
        if (end)
            r->ended = end;
    }
}

bool stage_all_ended(const stage *st)
{
    for (int i = 0; i < st->wish_count; i++)
        if (!st->wishes[i].is_acked)
            return false;
    for (int i = 0; i < st->row_count; i++)
        if (!st->rows[i].ended)
            return false;
    return true;
}

/* ---- lives ---- */

static bool has_kind(const ctn_batch *batch, int kind)
{
    for (size_t i = 0; i < batch->count; i++)
        for (size_t k = 0; k < batch->appends[i].count; k++)
            if ((int) batch->appends[i].records[k].kind == kind)
                return true;
    return false;
}

static ctn_commit_fate fate(void *ctx, int number, const ctn_batch *batch)
{
    stage *st = ctx;
    (void) number;
    bool is_chosen = st->die_before_commit_with && has_kind(batch, st->die_before_commit_with - 1);
    ctn_commit_fate f = {.dies_before = ctn_world_percent(st->world, st->die_percent) || is_chosen};
    if (is_chosen)
        st->die_before_commit_with = 0;
    if (f.dies_before)
        return f;
    f.fails = ctn_world_percent(st->world, st->commit_fails_percent);
    f.is_written = f.fails && ctn_world_roll(st->world, 2);
    f.dies_after = ctn_world_percent(st->world, st->die_percent);
    return f;
}

void stage_died(void *ctx, const ctn_world_event *pending, size_t count)
{
    stage *st = ctx;
    (void) pending, (void) count;
    memset(st->flights, 0, sizeof st->flights);
    st->deaths++;
}

void *stage_new(size_t bytes, uint64_t seed)
{
    stage *st = calloc(1, bytes);
    assert_non_null(st);
    st->seed = seed;
    st->arena = ctn_arena_new(65536);
    return st;
}

ctn_world_options stage_options(stage *st)
{
    return (ctn_world_options){.seed = st->seed,
                               .plans = (const ctn_plan *const *) st->plans,
                               .plan_count = (size_t) st->plan_count,
                               .hooks = {.ctx = st,
                                         .let_go = let_go,
                                         .effect = effect_of,
                                         .may_still_arrive = may_still_arrive,
                                         .on_event = on_event,
                                         .happen = happen,
                                         .commit = fate,
                                         .on_disk = stage_on_disk,
                                         .born = born,
                                         .died = stage_died}};
}

void stage_open(stage *st, const ctn_world_options *options)
{
    ctn_err err = {0};
    if (ctn_world_new(options, &st->world, &err))
        STAGE_FAIL(st, "%s", err.message);
}

void stage_close(stage *st)
{
    ctn_world_free(st->world);
    for (int i = 0; i < st->plan_count; i++) {
        ctn_arena *arena = st->plans[i]->arena;
        ctn_plan_done(st->plans[i]);
        ctn_arena_free(arena);
    }
    ctn_arena_free(st->arena);
    free(st);
}

bool stage_move(stage *st)
{
    if (st->moves++ > STAGE_MOVES_MAX)
        STAGE_FAIL(st, "it does not come to an end");
    return ctn_world_move(st->world) || ctn_world_sleep(st->world);
}

bool stage_is_alive(const stage *st)
{
    return st->world && ctn_world_engine(st->world) && !ctn_world_is_dead(st->world);
}

/* ---- people ---- */

void stage_retry(stage *st, ctn_execution_id id, ctn_str step)
{
    ctn_input retry = {.kind = CTN_IN_SETTLE, .actor = CTN_STR("sam"), .name = step, .settle = CTN_SETTLE_RETRY};
    ctn_engine_input(ctn_world_engine(st->world), id, &retry, NULL, NULL);
    ctn_world_turn_soon(st->world);
}

void stage_cancel(stage *st, ctn_execution_id id, ctn_ack_fn *ack, void *ctx)
{
    ctn_input cancel = {.kind = CTN_IN_CANCEL, .actor = CTN_STR("sam")};
    ctn_engine_input(ctn_world_engine(st->world), id, &cancel, ack, ctx);
    ctn_world_turn_soon(st->world);
}
