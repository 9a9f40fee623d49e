/*
 * bench_neighbour -- W8: how long a quiet tenant's executions wait, alone and beside a noisy tenant that submits
 * 100,000.
 *
 *     bench_neighbour KEY DIR SECONDS NOISY [NOISY_RUNNING]
 *
 * The quiet tenant starts one execution each 20 ms, for SECONDS at least. The noisy one starts NOISY as fast as they
 * are taken: he goes on until he is refused, and asks again when one of his is on disk. The quiet one's run ends when
 * his time is over and all NOISY have ended, so his waits are of the time of the submitting and of that of the queue.
 *
 * A wait is the time from the request to start until the first call begins: the commit of the start, the queue if there
 * is one, and the commit of the admission. An execution is one call, which takes 10 ms and no processor; 64 run at once
 * (6,400 a second at most). NOISY_RUNNING: as many of the noisy one's may run (`running`); 0: what a
 * tenant has if nothing is said, seven eighths.
 */
#include "base/memory.h"
#include "chain/library.h"
#include "engine/engine.h"
#include "engine/writer.h"
#include "kit.h"
#include "loop/loop.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define RUNNING   64
#define CALL_MS   10
#define EVERY_MS  20
#define QUIET_MAX 100000

static const char chain_text[] = "id: one-call\nsteps:\n  - {stepName: call, instructionSet: call}\n"
                                 "instructionSets:\n  call: {tool: peer/call, effect: read, arguments: {n: '{n}'}}\n";

typedef struct under_way {
    uint64_t token;
    int64_t due_ms;
} under_way;

typedef struct street {
    ctn_loop *loop;
    ctn_wakeup *wakeup;
    ctn_timer *turn_timer, *call_timer, *quiet_timer;
    ctn_writer_thread *writer;
    ctn_store *store;
    ctn_engine *engine;
    ctn_driver driver;
    const ctn_driver *drivers[1];
    ctn_rng_pool chance_of_ids;
    ctn_arena *scratch;
    const ctn_plan *plan;
    int64_t version;
    bool is_wanted;

    under_way calls[RUNNING + 64]; /* a ring: they all take as long */
    size_t call_first, call_count;

    int64_t noisy_wanted, noisy_asked, noisy_acked, noisy_refused;
    bool is_refused; /* since the last of his that was acknowledged */
    double asked_at_s[QUIET_MAX];
    int64_t quiet_asked;
    bench_samples waits_ms;
    int64_t ended;
    double began_s, until_s, queued_most;
} street;

/* ---- calls ---- */

static void begin(void *ctx, const ctn_call_request *request)
{
    street *s = ctx;
    int64_t n = ctn_json_int_or(request->args, "n", 0);
    if (n > 0) /* the quiet one's */
        bench_samples_add(&s->waits_ms, (bench_seconds(CLOCK_MONOTONIC) - s->asked_at_s[n - 1]) * 1e3);
    assert(s->call_count < RUNNING + 64);
    under_way *call = &s->calls[(s->call_first + s->call_count++) % (RUNNING + 64)];
    *call = (under_way){.token = request->token, .due_ms = ctn_loop_now_ms(s->loop) + CALL_MS};
    if (s->call_count == 1)
        ctn_timer_set(s->call_timer, call->due_ms);
}

static void cancel(void *ctx, uint64_t token)
{
    (void) ctx, (void) token;
    bench_die("a call", "was cancelled");
}

static void end_calls(void *ctx)
{
    static const ctn_json nothing = {.kind = CTN_JSON_NULL};
    street *s = ctx;
    const ctn_call_sink *sink = ctn_engine_sink(s->engine);
    for (; s->call_count && s->calls[s->call_first].due_ms <= ctn_loop_now_ms(s->loop); s->call_count--) {
        uint64_t token = s->calls[s->call_first].token;
        s->call_first = (s->call_first + 1) % (RUNNING + 64);
        sink->done(sink->ctx, token, &(ctn_call_result){.value = &nothing, .was_sent = true});
    }
    if (s->call_count)
        ctn_timer_set(s->call_timer, s->calls[s->call_first].due_ms);
}

/* ---- tenants ---- */

static void on_quiet(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    (void) ctx, (void) id;
    bench_must(rc, "the quiet one's start", err);
}

static void on_noisy(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    street *s = ctx;
    (void) id;
    if (rc == CTN_E_TOO_MANY) {
        s->noisy_refused++;
        s->noisy_asked--;
        s->is_refused = true;
        return;
    }
    bench_must(rc, "the noisy one's start", err);
    s->noisy_acked++;
    s->is_refused = false;
}

static void start(street *s, const char *tenant, int64_t n, ctn_ack_fn *ack)
{
    ctn_arena_mark mark = ctn_arena_save(s->scratch);
    ctn_json_builder input = ctn_json_object(s->scratch);
    ctn_json_put_int(&input, "n", n);
    ctn_start what = {.plan = s->plan,
                      .version = s->version,
                      .input = ctn_json_finish(&input),
                      .actor = CTN_STR("bench"),
                      .by = {.tenant = ctn_str_from(tenant)}};
    ctn_engine_start(s->engine, &what, ack, s);
    ctn_arena_restore(s->scratch, mark);
}

static void quiet_one(void *ctx)
{
    street *s = ctx;
    if (s->quiet_asked == QUIET_MAX || (bench_seconds(CLOCK_MONOTONIC) > s->until_s &&
                                        s->noisy_acked == s->noisy_wanted && s->ended >= s->noisy_acked))
        return;
    s->asked_at_s[s->quiet_asked++] = bench_seconds(CLOCK_MONOTONIC);
    start(s, "quiet", s->quiet_asked, on_quiet);
    ctn_timer_set(s->quiet_timer, ctn_loop_now_ms(s->loop) + EVERY_MS);
}

/* A few each turn, as they would come over connections. */
static void noisy_ones(street *s)
{
    for (int i = 0; i < 256 && s->noisy_asked < s->noisy_wanted && !s->is_refused; i++) {
        s->noisy_asked++;
        start(s, "noisy", 0, on_noisy);
    }
}

/* ---- the engine's surroundings ---- */

static void on_wanted(void *ctx)
{
    ((street *) ctx)->is_wanted = true;
}

static void on_committed(void *ctx) /* the writer's thread */
{
    ctn_wakeup_send(((street *) ctx)->wakeup);
}

static void on_woken(void *ctx)
{
    (void) ctx; /* a turn follows */
}

static void on_event(void *ctx, const ctn_engine_event *event)
{
    street *s = ctx;
    if (event->kind == CTN_EVENT_STATUS && event->status == CTN_STATUS_COMPLETED)
        s->ended++;
    else if (event->kind == CTN_EVENT_STATUS && ctn_status_is_final(event->status))
        bench_die("an execution ended", ctn_status_name(event->status));
}

static int note_depth(void *ctx, const ctn_queue_figure *figure)
{
    *(double *) ctx += (double) figure->depth;
    return 0;
}

static void turn(void *ctx)
{
    street *s = ctx;
    int64_t due_ms;
    double queued = 0;
    do {
        s->is_wanted = false;
        ctn_batch *batch = ctn_writer_thread_take(s->writer);
        if (batch)
            ctn_engine_batch_done(s->engine, batch);
        noisy_ones(s);
        s->is_wanted = false;
        due_ms = ctn_engine_turn(s->engine);
    } while (s->is_wanted);
    (void) ctn_engine_queue(s->engine, note_depth, &queued);
    s->queued_most = queued > s->queued_most ? queued : s->queued_most;
    if (due_ms)
        ctn_timer_set(s->turn_timer, due_ms);
    else
        ctn_timer_clear(s->turn_timer);
    if (s->ended == s->noisy_wanted + s->quiet_asked && bench_seconds(CLOCK_MONOTONIC) > s->until_s &&
        ctn_engine_is_idle(s->engine))
        ctn_loop_stop(s->loop);
}

/* ---- making ---- */

static void add_plan(street *s)
{
    ctn_err err = {0};
    ctn_arena *arena = ctn_arena_new(65536); /* the engine keeps it */
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    ctn_plan *plan = NULL;
    if (ctn_library_add_text(library, CTN_STR("one-call.yaml"), ctn_str_from(chain_text), &findings, &chain) ||
        ctn_plan_compile(arena, library, chain, &findings, &plan))
        bench_die("chain", ctn_arena_printf(arena, "%.*s", CTN_STR_ARG(findings.items[0].message)).ptr);
    bench_must(ctn_engine_plan_add(s->engine, plan, CTN_STR("bench"), &s->plan, &s->version, &err), "plan", &err);
}

static void open_street(street *s, const char *file, int64_t noisy_running)
{
    ctn_err err = {0};
    uint64_t epoch = 0;
    bool was_crash;
    ctn_tenant_rules rules = {.name = CTN_STR("noisy"), .running = noisy_running};
    const char *url = ctn_arena_printf(s->scratch, "sqlite:%s", file).ptr;
    bench_must(ctn_store_open(url, CTN_STORE_CREATE, &s->store, &err), "store", &err);
    bench_must(ctn_store_epoch_begin(s->store, &epoch, &was_crash, &err), "store", &err);
    s->loop = ctn_loop_new();
    s->wakeup = ctn_wakeup_new(s->loop, on_woken, s);
    s->turn_timer = ctn_timer_new(s->loop, on_woken, s);
    s->call_timer = ctn_timer_new(s->loop, end_calls, s);
    s->quiet_timer = ctn_timer_new(s->loop, quiet_one, s);
    ctn_loop_set_turn(s->loop, turn, s);
    bench_must(ctn_writer_thread_start(url, 1, on_committed, s, &s->writer, &err), "writer", &err);
    s->driver = (ctn_driver){.kind = "tool", .ctx = s, .begin = begin, .cancel = cancel};
    s->drivers[0] = &s->driver;
    ctn_tenant_rules *kept = CTN_NEW(s->scratch, ctn_tenant_rules);
    *kept = rules;
    ctn_engine_options options = {
        .store = s->store,
        .epoch = epoch,
        .clock = ctn_clock_system(),
        .id_rng = ctn_rng_pooled(&s->chance_of_ids),
        .writer = ctn_writer_thread_as_writer(s->writer),
        .drivers = s->drivers,
        .driver_count = 1,
        .active_max = RUNNING,
        .tenants = kept,
        .tenant_count = noisy_running ? 1 : 0,
        .on_event = on_event,
        .on_event_ctx = s,
        .wake = on_wanted,
        .wake_ctx = s,
    };
    options.seed = ctn_rng_next(&options.id_rng);
    bench_must(ctn_engine_new(&options, &s->engine, &err), "engine", &err);
    add_plan(s);
}

static void close_street(street *s)
{
    ctn_writer_thread_stop(s->writer);
    ctn_engine_free(s->engine);
    ctn_wakeup_free(s->wakeup);
    ctn_timer_free(s->turn_timer);
    ctn_timer_free(s->call_timer);
    ctn_timer_free(s->quiet_timer);
    ctn_loop_free(s->loop);
    ctn_store_close(s->store);
    ctn_arena_free(s->scratch);
    bench_samples_free(&s->waits_ms);
    free(s);
}

static void say(const char *key, const char *name, double value)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", key, name);
    bench_say(path, value);
}

int main(int argc, char **argv)
{
    char file[BENCH_PATH_MAX];
    if (argc < 5)
        bench_die("usage", "bench_neighbour KEY DIR SECONDS NOISY [NOISY_RUNNING]");
    snprintf(file, sizeof file, "%s/neighbour.db", argv[2]);
    bench_store_remove(file);
    street *s = ctn_calloc(1, sizeof *s);
    s->scratch = ctn_arena_new(1024);
    s->noisy_wanted = strtol(argv[4], NULL, 10);
    open_street(s, file, argc > 5 ? strtol(argv[5], NULL, 10) : 0);
    s->began_s = bench_seconds(CLOCK_MONOTONIC);
    s->until_s = s->began_s + strtod(argv[3], NULL);
    ctn_timer_set(s->quiet_timer, ctn_loop_now_ms(s->loop));
    ctn_timer_set(s->turn_timer, ctn_loop_now_ms(s->loop));
    ctn_loop_run(s->loop);
    double span_s = bench_seconds(CLOCK_MONOTONIC) - s->began_s;
    say(argv[1], "quiet_p50_ms", bench_samples_at(&s->waits_ms, 0.5));
    say(argv[1], "quiet_p99_ms", bench_samples_at(&s->waits_ms, 0.99));
    say(argv[1], "quiet_worst_ms", bench_samples_at(&s->waits_ms, 1));
    say(argv[1], "quiet_count", (double) s->waits_ms.count);
    say(argv[1], "span_s", span_s);
    if (s->noisy_wanted) {
        say(argv[1], "noisy_per_s", (double) s->noisy_wanted / span_s);
        say(argv[1], "noisy_refused", (double) s->noisy_refused);
        say(argv[1], "queued_most", s->queued_most);
    }
    close_street(s);
    bench_store_remove(file);
    return 0;
}
