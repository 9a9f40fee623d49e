#include "sim.h"

#include "core/library.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define EVENTS_MAX 256
#define LEDGER_MAX 4096
#define TURNS_MAX 200000

typedef enum event_kind { EVENT_COMMIT, EVENT_EFFECT, EVENT_REPLY } event_kind;

typedef struct event {
    bool used;
    event_kind kind;
    int64_t at_ms;
    uint64_t order;
    uint64_t life; /* of the engine it belongs to */
    ctn_batch *batch;
    uint64_t token;
    char tool[64], key[160];
    ctn_failure failure;
    bool was_sent;
    bool happened; /* check: what it answers */
} event;

typedef struct deed {
    char tool[64], key[160];
    int count;
} deed;

struct sim {
    sim_options o;
    uint64_t chance;
    int64_t now_ms;
    char url[64];
    ctn_store *store;
    ctn_engine *engine;
    uint64_t epoch, life, order;
    bool is_dead, needs_turn;
    int commits, deaths;
    event events[EVENTS_MAX];
    deed *effects, *calls;
    size_t effect_count, call_count;
    ctn_driver driver;
    const ctn_driver *drivers[1];
    ctn_execution_id id;
    bool is_started, is_acked, cancel_sent;
    int64_t started_at_ms;
    ctn_arena *arena;
    int settles_pending;
};

static uint64_t roll(sim *s, uint64_t below)
{
    ctn_rng rng = ctn_rng_seeded(&s->chance);
    return ctn_rng_next(&rng) % below;
}

static bool percent(sim *s, int share)
{
    return share > 0 && (int) roll(s, 100) < share;
}

#define SIM_FAIL(s, ...)                                                                                               \
    do {                                                                                                               \
        fprintf(stderr, "seed %llu, die_before %d, die_after %d: ", (unsigned long long) (s)->o.seed,                 \
                (s)->o.die_before_commit, (s)->o.die_after_commit);                                                    \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fprintf(stderr, "\n");                                                                                         \
        fail();                                                                                                        \
    } while (0)

/* SIM_TRACE=1 tells everything that happens, SIM_SEED=n runs one world. */
__attribute__((format(printf, 2, 3))) static void trace(const sim *s, const char *format, ...)
{
    if (!getenv("SIM_TRACE"))
        return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%lld ", (long long) s->now_ms);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static event *event_new(sim *s, event_kind kind, int64_t delay_ms)
{
    for (size_t i = 0; i < EVENTS_MAX; i++) {
        event *e = &s->events[i];
        if (e->used)
            continue;
        *e = (event){.used = true, .kind = kind, .at_ms = s->now_ms + delay_ms, .order = s->order++, .life = s->life};
        return e;
    }
    SIM_FAIL(s, "too many events");
    return NULL;
}

/* ---- ledgers ---- */

static void note(deed *deeds, size_t *count, const char *tool, const char *key)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(deeds[i].tool, tool) == 0 && strcmp(deeds[i].key, key) == 0) {
            deeds[i].count++;
            return;
        }
    assert_true(*count < LEDGER_MAX);
    deed *d = &deeds[(*count)++];
    snprintf(d->tool, sizeof d->tool, "%s", tool);
    snprintf(d->key, sizeof d->key, "%s", key);
    d->count = 1;
}

static int total(const deed *deeds, size_t count, const char *tool, const char *key, bool most)
{
    int sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(deeds[i].tool, tool) != 0 || (key && strcmp(deeds[i].key, key) != 0))
            continue;
        sum = most ? (deeds[i].count > sum ? deeds[i].count : sum) : sum + deeds[i].count;
    }
    return sum;
}

int sim_effects(const sim *s, const char *tool)
{
    return total(s->effects, s->effect_count, tool, NULL, false);
}

int sim_effects_of_one_key(const sim *s, const char *tool)
{
    return total(s->effects, s->effect_count, tool, NULL, true);
}

int sim_calls(const sim *s, const char *tool)
{
    return total(s->calls, s->call_count, tool, NULL, false);
}

static void take_effect(sim *s, const char *tool, const char *key)
{
    trace(s, "effect %s %s", tool, key);
    bool once = strncmp(tool, "idem_", 5) == 0 || strncmp(tool, "undo_", 5) == 0;
    if (once && total(s->effects, s->effect_count, tool, key, false) > 0)
        return;
    note(s->effects, &s->effect_count, tool, key);
    if (strncmp(tool, "write_", 6) == 0 && total(s->effects, s->effect_count, tool, key, false) > 1)
        SIM_FAIL(s, "the write %s ran twice under %s", tool, key);
}

/* ---- the tool driver ---- */

static void driver_begin(void *ctx, const ctn_call_request *request)
{
    sim *s = ctx;
    char tool[64], key[160];
    const char *slash = memchr(request->target.ptr, '/', request->target.len);
    assert_non_null(slash);
    snprintf(tool, sizeof tool, "%.*s", (int) (request->target.ptr + request->target.len - slash - 1), slash + 1);
    snprintf(key, sizeof key, "%.*s", CTN_STR_ARG(request->idempotency_key));
    note(s->calls, &s->call_count, tool, key);
    trace(s, "begin %s attempt %u", key, request->attempt);
    int64_t delay_ms = 1 + (int64_t) roll(s, 20);
    bool is_check = strncmp(tool, "check_", 6) == 0;
    bool has_effect = !is_check && strncmp(tool, "read_", 5) != 0 && strncmp(tool, "fail_", 5) != 0;

    ctn_failure failure = strncmp(tool, "fail_", 5) == 0 ? CTN_FAILURE_TOOL_ERROR : CTN_FAILURE_NONE;
    bool was_sent = true, effect_happens = has_effect;
    if (!failure && percent(s, s->o.fault_percent)) {
        switch (roll(s, 5)) {
        case 0: failure = CTN_FAILURE_UNAVAILABLE; was_sent = false; break;
        case 1: failure = CTN_FAILURE_TRANSPORT; was_sent = false; break;
        case 2: failure = CTN_FAILURE_TRANSPORT; effect_happens = has_effect && roll(s, 2); break;
        case 3: failure = CTN_FAILURE_TIMEOUT; effect_happens = has_effect && roll(s, 2); delay_ms = 500; break;
        default: failure = CTN_FAILURE_TOOL_ERROR; break;
        }
    }
    if (failure == CTN_FAILURE_TOOL_ERROR || !was_sent)
        effect_happens = false;
    if (effect_happens) {
        event *e = event_new(s, EVENT_EFFECT, (int64_t) roll(s, (uint64_t) delay_ms));
        snprintf(e->tool, sizeof e->tool, "%s", tool);
        snprintf(e->key, sizeof e->key, "%s", key);
    }
    event *e = event_new(s, EVENT_REPLY, delay_ms);
    snprintf(e->tool, sizeof e->tool, "%s", tool);
    snprintf(e->key, sizeof e->key, "%s", key);
    e->token = request->token;
    e->failure = failure;
    e->was_sent = was_sent;
}

static void driver_cancel(void *ctx, uint64_t token)
{
    sim *s = ctx;
    for (size_t i = 0; i < EVENTS_MAX; i++)
        if (s->events[i].used && s->events[i].kind == EVENT_REPLY && s->events[i].token == token)
            s->events[i].used = false;
}

static ctn_effect driver_effect(void *ctx, ctn_str target, const char **ret_from)
{
    (void) ctx;
    *ret_from = "annotations";
    if (ctn_str_find(target, CTN_STR("/read_")) != SIZE_MAX || ctn_str_find(target, CTN_STR("/check_")) != SIZE_MAX)
        return CTN_EFFECT_READ;
    if (ctn_str_find(target, CTN_STR("/idem_")) != SIZE_MAX || ctn_str_find(target, CTN_STR("/undo_")) != SIZE_MAX)
        return CTN_EFFECT_IDEMPOTENT;
    return CTN_EFFECT_WRITE;
}

/* Effects of a call that was given up may come a little later, as with a slow server that still lives. */
static bool driver_may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    (void) ctx, (void) token, (void) target;
    return true;
}

static void reply(sim *s, event *e)
{
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "value", ctn_str_from(e->tool));
    ctn_json_put_str(&b, "key", ctn_str_from(e->key));
    if (strncmp(e->tool, "check_", 6) == 0) {
        char write[64];
        snprintf(write, sizeof write, "write_%s", e->tool + 6);
        ctn_json_put_bool(&b, "happened", total(s->effects, s->effect_count, write, e->key, false) > 0);
        ctn_json_builder result = ctn_json_object(arena);
        ctn_json_put_str(&result, "value", ctn_str_from(write));
        ctn_json_put_str(&result, "key", ctn_str_from(e->key));
        ctn_json_put(&b, CTN_STR("result"), ctn_json_finish(&result));
    }
    ctn_call_result result = {
        .failure = e->failure,
        .value = e->failure ? NULL : ctn_json_finish(&b),
        .message = CTN_STR("so the simulator said"),
        .was_sent = e->was_sent,
    };
    const ctn_call_sink *sink = ctn_engine_sink(s->engine);
    trace(s, "reply %s %s %s", e->tool, e->key, ctn_failure_name(e->failure));
    sink->done(sink->ctx, e->token, &result);
    ctn_arena_free(arena);
}

/* ---- the writer ---- */

static void writer_submit(void *ctx, ctn_batch *batch)
{
    sim *s = ctx;
    event *e = event_new(s, EVENT_COMMIT, (int64_t) roll(s, 4));
    e->batch = batch;
}

static void on_wake(void *ctx)
{
    ((sim *) ctx)->needs_turn = true;
}

static void die(sim *s)
{
    trace(s, "death");
    s->deaths++;
    s->is_dead = true;
}

static void commit(sim *s, ctn_batch *batch)
{
    int n = s->commits++;
    if (n == s->o.die_before_commit || percent(s, s->o.die_chance_percent)) {
        die(s);
        return;
    }
    bool fails = percent(s, s->o.commit_fails_percent);
    for (size_t i = 0; i < batch->count; i++)
        for (size_t k = 0; k < batch->appends[i].count; k++)
            trace(s, "commit%s %s %.*s", fails ? " (fails)" : "", ctn_entry_kind_name(batch->appends[i].records[k].kind),
                  CTN_STR_ARG(batch->appends[i].records[k].body));
    batch->rc = CTN_OK;
    if (!fails || roll(s, 2))
        batch->rc = ctn_store_commit(s->store, batch->appends, batch->count, batch->outcomes, &batch->err);
    if (fails)
        batch->rc = ctn_fail(&batch->err, CTN_E_IO, "the simulated disk does not answer");
    if (n == s->o.die_after_commit || percent(s, s->o.die_chance_percent)) {
        die(s);
        return;
    }
    ctn_engine_batch_done(s->engine, batch);
}

/* ---- lives of the engine ---- */

static int64_t sim_now(void *ctx)
{
    return ((sim *) ctx)->now_ms;
}

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    sim *s = ctx;
    if (rc)
        SIM_FAIL(s, "start refused: %s", err->message);
    s->is_acked = true;
    s->id = id;
}

static ctn_plan *compile(sim *s)
{
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    ctn_plan *plan = NULL;
    (void) ctn_library_add_text(library, CTN_STR("sim.yaml"), ctn_str_from(s->o.chain), &findings, &chain);
    if (chain)
        (void) ctn_plan_compile(arena, library, chain, &findings, &plan);
    for (size_t i = 0; i < findings.count; i++)
        if (findings.items[i].severity == CTN_SEVERITY_ERROR)
            SIM_FAIL(s, "sim.yaml:%u:%u: %.*s", findings.items[i].line, findings.items[i].column,
                     CTN_STR_ARG(findings.items[i].message));
    assert_non_null(plan);
    return plan;
}

static void begin_life(sim *s)
{
    ctn_err err = {0};
    bool was_crash = s->life > 0;
    s->life++;
    s->is_dead = false;
    bool ignored;
    assert_int_equal(ctn_store_epoch_begin(s->store, &s->epoch, &ignored, &err), CTN_OK);
    ctn_engine_options o = {
        .store = s->store,
        .epoch = s->epoch,
        .was_crash = was_crash,
        .clock = {.now_ms = sim_now, .ctx = s},
        .seed = s->o.seed ^ s->life,
        .id_rng = ctn_rng_seeded(&s->chance),
        .writer = {.ctx = s, .submit = writer_submit},
        .drivers = s->drivers,
        .driver_count = 1,
        .wake = on_wake,
        .wake_ctx = s,
    };
    assert_int_equal(ctn_engine_new(&o, &s->engine, &err), CTN_OK);
    if (!s->is_acked) { /* nobody was told that it is accepted: the caller asks again */
        const ctn_plan *plan = NULL;
        int64_t version = 0;
        int rc = ctn_engine_plan_add(s->engine, compile(s), CTN_STR("sim"), &plan, &version, &err);
        if (rc)
            SIM_FAIL(s, "plan refused: %s", err.message);
        const ctn_json *input = NULL;
        assert_int_equal(ctn_json_parse(s->arena, ctn_str_from(s->o.input ? s->o.input : "{}"), NULL, &input, &err), 0);
        ctn_start start = {.plan = plan, .version = version, .input = input, .idempotency_key = CTN_STR("the-one")};
        ctn_engine_start(s->engine, &start, on_ack, s);
        s->started_at_ms = s->now_ms;
    }
    s->needs_turn = true;
}

static void end_life(sim *s)
{
    ctn_engine_free(s->engine);
    s->engine = NULL;
    /* Its tool servers were its children: what they had not done by now is never done; what they did is done. */
    for (size_t i = 0; i < EVENTS_MAX; i++) {
        event *e = &s->events[i];
        if (e->used && e->kind == EVENT_EFFECT && roll(s, 2) && e->at_ms <= s->now_ms + 5)
            take_effect(s, e->tool, e->key);
        e->used = false;
    }
    s->settles_pending = 0;
    s->now_ms += 10 + (int64_t) roll(s, 1000);
}

sim *sim_new(const sim_options *options)
{
    static int counter;
    sim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->o = *options;
    s->chance = options->seed * 2654435761u + 1;
    s->now_ms = 1790000000000;
    s->effects = calloc(LEDGER_MAX, sizeof *s->effects);
    s->calls = calloc(LEDGER_MAX, sizeof *s->calls);
    s->arena = ctn_arena_new(4096);
    snprintf(s->url, sizeof s->url, "memory:sim-%d", counter++);
    ctn_err err = {0};
    if (ctn_store_open(s->url, CTN_STORE_CREATE, &s->store, &err))
        SIM_FAIL(s, "%s", err.message);
    s->driver = (ctn_driver){
        .kind = "tool",
        .ctx = s,
        .begin = driver_begin,
        .cancel = driver_cancel,
        .effect = driver_effect,
        .may_still_arrive = driver_may_still_arrive,
    };
    s->drivers[0] = &s->driver;
    return s;
}

void sim_free(sim *s)
{
    ctn_engine_free(s->engine);
    ctn_store_close(s->store);
    ctn_arena_free(s->arena);
    free(s->effects);
    free(s->calls);
    free(s);
}

/* ---- running ---- */

static event *next_event(sim *s)
{
    event *first = NULL;
    for (size_t i = 0; i < EVENTS_MAX; i++) {
        event *e = &s->events[i];
        if (e->used && (!first || e->at_ms < first->at_ms || (e->at_ms == first->at_ms && e->order < first->order)))
            first = e;
    }
    return first;
}

static void happen(sim *s, event *e)
{
    if (e->at_ms > s->now_ms)
        s->now_ms = e->at_ms;
    event copy = *e;
    e->used = false;
    switch (copy.kind) {
    case EVENT_COMMIT: commit(s, copy.batch); break;
    case EVENT_EFFECT: take_effect(s, copy.tool, copy.key); break;
    case EVENT_REPLY: reply(s, &copy); break;
    }
}

static void on_settled(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    (void) rc, (void) id, (void) err;
    ((sim *) ctx)->settles_pending--;
}

/* A person who looks at the ledger and says the truth. */
static bool help(sim *s, const ctn_execution *x)
{
    ctn_status status = ctn_execution_status(x);
    if (s->settles_pending)
        return false; /* it was said; time goes on */
    const ctn_plan *plan = ctn_execution_plan(x);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        ctn_step_view v = ctn_execution_step(x, i);
        ctn_input in = {.name = plan->steps[i].name, .actor = CTN_STR("sam")};
        if (v.status == CTN_STEP_WAITING && v.wants_approval) {
            in.kind = CTN_IN_ANSWER;
            ctn_json_builder b = ctn_json_object(s->arena);
            ctn_json_put_bool(&b, "approved", true);
            in.value = ctn_json_finish(&b);
        } else if (v.status == CTN_STEP_INTERRUPTED && !s->o.person_is_absent) {
            in.kind = CTN_IN_SETTLE;
            const ctn_plan_call *call = &(v.is_undoing ? plan->steps[i].undo : plan->steps[i].set)->calls[0];
            const char *tool = ctn_arena_str(s->arena, ctn_str_from_offset(call->target, 4)).ptr;
            char key[160];
            snprintf(key, sizeof key, "%s/%.*s/%s", ctn_id_to_text(s->id).text, CTN_STR_ARG(plan->steps[i].name),
                     v.is_undoing ? "undo" : "do");
            bool happened = total(s->effects, s->effect_count, tool, key, false) > 0;
            in.settle = happened ? CTN_SETTLE_SUCCEED : roll(s, 2) ? CTN_SETTLE_RETRY : CTN_SETTLE_FAIL;
            in.not_happened = true;
            ctn_json_builder b = ctn_json_object(s->arena);
            ctn_json_put_str(&b, "value", ctn_str_from(tool));
            ctn_json_put_str(&b, "key", ctn_str_from(key));
            in.value = ctn_json_finish(&b);
        } else {
            continue;
        }
        s->settles_pending++;
        ctn_engine_input(s->engine, s->id, &in, on_settled, s);
        return true;
    }
    (void) status;
    return false;
}

const ctn_execution *sim_execution(sim *s)
{
    ctn_arena_reset(s->arena);
    ctn_execution_row row;
    ctn_err err = {0};
    ctn_execution *x = NULL;
    if (ctn_store_execution_get(s->store, s->arena, s->id, &row, &err) ||
        ctn_execution_load(s->store, s->arena, &row, &x, &err))
        SIM_FAIL(s, "the journal does not read back: %s", err.message);
    if (row.status != ctn_execution_status(x) &&
        (ctn_status_is_final(row.status) || ctn_status_is_final(ctn_execution_status(x))))
        SIM_FAIL(s, "the row says %s, the journal %s", ctn_status_name(row.status),
                 ctn_status_name(ctn_execution_status(x)));
    return x;
}

ctn_status sim_run(sim *s)
{
    begin_life(s);
    for (int turns = 0; turns < TURNS_MAX; turns++) {
        int64_t wake_at_ms = 0;
        if (s->needs_turn || turns == 0) {
            s->needs_turn = false;
            wake_at_ms = ctn_engine_turn(s->engine);
            if (s->needs_turn)
                continue;
        }
        if (s->o.cancel_at_ms && s->is_acked && !s->cancel_sent && s->now_ms >= s->started_at_ms + s->o.cancel_at_ms) {
            s->cancel_sent = true;
            ctn_input in = {.kind = CTN_IN_CANCEL, .actor = CTN_STR("sam")};
            s->settles_pending++;
            ctn_engine_input(s->engine, s->id, &in, on_settled, s);
            continue;
        }
        event *e = next_event(s);
        wake_at_ms = s->engine ? ctn_engine_turn(s->engine) : 0;
        if (s->needs_turn)
            continue;
        e = next_event(s);
        if (e && (wake_at_ms == 0 || e->at_ms <= wake_at_ms)) {
            happen(s, e);
            s->needs_turn = true;
            if (s->is_dead) {
                end_life(s);
                begin_life(s);
            }
            continue;
        }
        if (s->is_acked) { /* at rest: has it ended, or does it need somebody? */
            const ctn_execution *x = sim_execution(s);
            ctn_status status = ctn_execution_status(x);
            if (ctn_status_is_final(status))
                return status;
            if (ctn_engine_find(s->engine, s->id) == NULL || status == CTN_STATUS_COMPENSATING ||
                status == CTN_STATUS_INTERRUPTED || status == CTN_STATUS_WAITING) {
                if (help(s, x))
                    continue;
                if (status == CTN_STATUS_INTERRUPTED && !wake_at_ms && !s->settles_pending)
                    return status;
            }
        }
        if (wake_at_ms > s->now_ms) {
            s->now_ms = wake_at_ms;
            s->needs_turn = true;
            continue;
        }
        if (wake_at_ms) {
            s->needs_turn = true;
            s->now_ms++;
            continue;
        }
        const ctn_execution *x = s->is_acked ? sim_execution(s) : NULL;
        SIM_FAIL(s, "nothing moves any more; it is %s", x ? ctn_status_name(ctn_execution_status(x)) : "not accepted");
    }
    SIM_FAIL(s, "it does not come to an end");
    return CTN_STATUS_FAILED;
}

int sim_deaths(const sim *s)
{
    return s->deaths;
}

int sim_commits(const sim *s)
{
    return s->commits;
}

typedef struct counting {
    ctn_entry_kind kind;
    int count;
} counting;

static int count_record(void *ctx, const ctn_record *record, int64_t position)
{
    counting *c = ctx;
    (void) position;
    c->count += record->kind == c->kind;
    return 0;
}

int sim_entries(sim *s, ctn_entry_kind kind)
{
    counting c = {.kind = kind};
    ctn_execution_row row;
    ctn_err err = {0};
    assert_int_equal(ctn_store_execution_get(s->store, s->arena, s->id, &row, &err), CTN_OK);
    assert_int_equal(ctn_store_journal_read(s->store, row.exec_no, 1, count_record, &c, &err), CTN_OK);
    return c.count;
}
