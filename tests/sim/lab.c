#include "sim/lab.h"

#include "chain/library.h"

#include <stdlib.h>
#include <string.h>

enum { EVENT_REPLY, EVENT_NOTHING };

lab_seeds lab_seeds_of(uint64_t first, uint64_t last)
{
    const char *one = getenv("SIM_SEED");
    uint64_t seed = one ? strtoull(one, NULL, 10) : 0;
    return one ? (lab_seeds){seed, seed, true} : (lab_seeds){first, last, false};
}

ctn_plan *lab_compile(lab *l, const char *yaml)
{
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    assert_true(l->plan_count < LAB_PLANS_MAX);
    ctn_plan **ret_plan = &l->plans[l->plan_count];
    (void) ctn_library_add_text(library, CTN_STR("lab.yaml"), ctn_str_from(yaml), &findings, &chain);
    if (!chain || ctn_plan_compile(arena, library, chain, &findings, ret_plan))
        LAB_FAIL(l, "%.*s", CTN_STR_ARG(findings.items[0].message));
    assert_int_equal((*ret_plan)->unsupported.len, 0);
    l->plan_count++;
    return *ret_plan;
}

/* ---- wishes ---- */

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    lab_wish *w = ctx;
    (void) id;
    if (rc && !(w->l->may_refuse && rc == CTN_E_TOO_MANY))
        LAB_FAIL(w->l, "start refused: %s", err->message);
    w->refused = rc;
    w->is_acked = true;
}

static void ask(lab *l, ctn_engine *engine, int i)
{
    lab_wish *w = &l->wishes[i];
    const ctn_plan *plan = NULL;
    int64_t version = 0;
    char key[32];
    assert_int_equal(ctn_engine_plan_add(engine, w->plan, CTN_STR("sim"), &plan, &version, NULL), CTN_OK);
    snprintf(key, sizeof key, "run-%d", i);
    ctn_start start = {.plan = plan,
                       .version = version,
                       .input = w->input,
                       .idempotency_key = ctn_str_from(key),
                       .is_queued = w->is_queued,
                       .by = {.tenant = ctn_str_from(w->tenant ? w->tenant : "")},
                       .has_priority = w->priority >= 0,
                       .priority = w->priority};
    ctn_engine_start(engine, &start, on_ack, w);
}

static lab_wish *wish(lab *l, const lab_wish *what)
{
    assert_true(l->wish_count < LAB_ROWS_MAX);
    int i = l->wish_count++;
    l->wishes[i] = *what;
    l->wishes[i].l = l;
    l->wishes[i].asked_at_ms = l->world ? ctn_world_at_ms(l->world) : 0;
    if (lab_is_alive(l)) {
        ask(l, ctn_world_engine(l->world), i);
        ctn_world_turn_soon(l->world);
    }
    return &l->wishes[i];
}

void lab_wish_for(lab *l, ctn_plan *plan, const ctn_json *input, bool is_queued)
{
    (void) wish(l, &(lab_wish){.plan = plan, .input = input, .is_queued = is_queued, .priority = -1});
}

lab_wish *lab_wish_of(lab *l, ctn_plan *plan, const ctn_json *input, const char *tenant, int priority)
{
    return wish(l, &(lab_wish){.plan = plan, .input = input, .tenant = tenant, .priority = priority});
}

const lab_wish *lab_row_wish(const lab *l, const lab_row *row)
{
    int i = -1;
    return sscanf(row->idempotency_key, "run-%d", &i) == 1 && i >= 0 && i < l->wish_count ? &l->wishes[i] : NULL;
}

static void born(void *ctx, ctn_engine *engine)
{
    lab *l = ctx;
    for (int i = 0; i < l->wish_count; i++)
        if (!l->wishes[i].is_acked)
            ask(l, engine, i);
}

/* ---- flights ---- */

lab_flight *lab_fly(lab *l, const ctn_call_request *request, int what, int64_t delay_ms)
{
    static const ctn_json yes = {.kind = CTN_JSON_TRUE};
    int place = 0;
    while (l->flights[place].token)
        assert_true(++place < LAB_FLIGHTS_MAX);
    lab_flight *f = &l->flights[place];
    *f = (lab_flight){.token = request->token, .what = what, .value = &yes};
    snprintf(f->execution, sizeof f->execution, "%.*s", CTN_STR_ARG(request->execution_id));
    int64_t by_chance_ms = delay_ms ? delay_ms : 1 + (int64_t) ctn_world_roll(l->world, 20);
    ctn_world_later(l->world, by_chance_ms, EVENT_REPLY, request->token, NULL);
    return f;
}

int lab_flying(const lab *l, int what)
{
    int count = 0;
    for (int i = 0; i < LAB_FLIGHTS_MAX; i++)
        count += l->flights[i].token && l->flights[i].what == what;
    return count;
}

/* Takes the call out of those under way. */
static lab_flight land(lab *l, uint64_t token)
{
    lab_flight landed = {0};
    for (int i = 0; i < LAB_FLIGHTS_MAX; i++)
        if (l->flights[i].token == token) {
            landed = l->flights[i];
            l->flights[i].token = 0;
        }
    return landed;
}

static void let_go(void *ctx, uint64_t token)
{
    lab *l = ctx;
    ctn_world_drop(l->world, EVENT_REPLY, token);
    (void) land(l, token);
}

static void happen(void *ctx, const ctn_world_event *event)
{
    lab *l = ctx;
    if (event->kind == EVENT_NOTHING)
        return;
    lab_flight landed = land(l, event->token);
    assert_int_equal(landed.token, event->token);
    ctn_call_result result = {.failure = landed.fails ? CTN_FAILURE_TOOL_ERROR : CTN_FAILURE_NONE,
                              .value = landed.value,
                              .message = CTN_STR("so the simulator said"),
                              .was_sent = true};
    ctn_world_reply(l->world, event->token, &result);
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

lab_row *lab_row_of(lab *l, int64_t exec_no)
{
    for (int i = 0; i < l->row_count; i++)
        if (l->rows[i].exec_no == exec_no)
            return &l->rows[i];
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

void lab_on_disk(void *ctx, const ctn_append *a)
{
    lab *l = ctx;
    if (a->row) {
        assert_true(l->row_count < LAB_ROWS_MAX);
        lab_row *r = &l->rows[l->row_count++];
        *r = (lab_row){.exec_no = a->exec_no, .id = a->row->id};
        snprintf(r->chain, sizeof r->chain, "%.*s", CTN_STR_ARG(a->row->chain_id));
        snprintf(r->tenant, sizeof r->tenant, "%.*s", CTN_STR_ARG(a->row->tenant));
        snprintf(r->key, sizeof r->key, "%.*s", CTN_STR_ARG(a->row->queue_key));
        snprintf(r->idempotency_key, sizeof r->idempotency_key, "%.*s", CTN_STR_ARG(a->row->idempotency_key));
    }
    lab_row *r = lab_row_of(l, a->exec_no);
    for (size_t i = 0; i < a->count; i++) {
        ctn_status end = end_by(a->records[i].kind);
        if (a->records[i].kind == CTN_ENTRY_STARTED && !r->has_started) {
            r->has_started = true;
            r->start_no = ++l->starts;
            r->started_at_ms = ctn_world_at_ms(l->world);
        }
        if (end && r->ended)
            LAB_FAIL(l, "number %lld ends twice", (long long) r->exec_no);
        if (end)
            r->ended = end;
    }
}

bool lab_all_ended(const lab *l)
{
    for (int i = 0; i < l->wish_count; i++)
        if (!l->wishes[i].is_acked)
            return false;
    for (int i = 0; i < l->row_count; i++)
        if (!l->rows[i].ended)
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
    lab *l = ctx;
    (void) number;
    l->batch_most = batch->count > l->batch_most ? batch->count : l->batch_most;
    bool is_chosen = l->die_before_commit_with && has_kind(batch, l->die_before_commit_with - 1);
    ctn_commit_fate f = {.dies_before = ctn_world_percent(l->world, l->die_percent) || is_chosen};
    if (is_chosen)
        l->die_before_commit_with = 0;
    if (f.dies_before)
        return f;
    f.fails = ctn_world_percent(l->world, l->commit_fails_percent);
    f.is_written = f.fails && ctn_world_roll(l->world, 2);
    f.dies_after = ctn_world_percent(l->world, l->die_percent);
    return f;
}

void lab_died(void *ctx, const ctn_world_event *pending, size_t count)
{
    lab *l = ctx;
    (void) pending, (void) count;
    memset(l->flights, 0, sizeof l->flights);
    l->deaths++;
}

void *lab_new(size_t bytes, uint64_t seed)
{
    lab *l = calloc(1, bytes);
    assert_non_null(l);
    l->seed = seed;
    l->arena = ctn_arena_new(65536);
    return l;
}

ctn_world_options lab_options(lab *l)
{
    return (ctn_world_options){.seed = l->seed,
                               .plans = (const ctn_plan *const *) l->plans,
                               .plan_count = (size_t) l->plan_count,
                               .hooks = {.ctx = l,
                                         .let_go = let_go,
                                         .effect = effect_of,
                                         .may_still_arrive = may_still_arrive,
                                         .on_event = on_event,
                                         .happen = happen,
                                         .commit = fate,
                                         .on_disk = lab_on_disk,
                                         .born = born,
                                         .died = lab_died}};
}

void lab_open(lab *l, const ctn_world_options *options)
{
    ctn_err err = {0};
    if (ctn_world_new(options, &l->world, &err))
        LAB_FAIL(l, "%s", err.message);
}

void lab_close(lab *l)
{
    ctn_world_free(l->world);
    for (int i = 0; i < l->plan_count; i++) {
        ctn_arena *arena = l->plans[i]->arena;
        ctn_plan_done(l->plans[i]);
        ctn_arena_free(arena);
    }
    ctn_arena_free(l->arena);
    free(l);
}

bool lab_move(lab *l)
{
    if (l->moves++ > LAB_MOVES_MAX)
        LAB_FAIL(l, "it does not come to an end");
    return ctn_world_move(l->world) || ctn_world_sleep(l->world);
}

void lab_pass(lab *l, int64_t ms)
{
    int64_t until_ms = ctn_world_at_ms(l->world) + ms;
    while (ctn_world_at_ms(l->world) < until_ms) {
        ctn_world_later(l->world, until_ms - ctn_world_at_ms(l->world), EVENT_NOTHING, 0, NULL);
        while (ctn_world_at_ms(l->world) < until_ms && lab_move(l))
            continue; /* whoever dies takes what was due along */
    }
}

bool lab_is_alive(const lab *l)
{
    return l->world && ctn_world_engine(l->world) && !ctn_world_is_dead(l->world);
}

/* ---- people ---- */

void lab_retry(lab *l, ctn_execution_id id, ctn_str step)
{
    ctn_input retry = {.kind = CTN_IN_SETTLE, .actor = CTN_STR("sam"), .name = step, .settle = CTN_SETTLE_RETRY};
    ctn_engine_input(ctn_world_engine(l->world), id, &retry, NULL, NULL, NULL);
    ctn_world_turn_soon(l->world);
}

void lab_cancel(lab *l, ctn_execution_id id, ctn_ack_fn *ack, void *ctx)
{
    ctn_input cancel = {.kind = CTN_IN_CANCEL, .actor = CTN_STR("sam")};
    ctn_engine_input(ctn_world_engine(l->world), id, &cancel, NULL, ack, ctx);
    ctn_world_turn_soon(l->world);
}
