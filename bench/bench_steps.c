/*
 * bench_steps -- how many durable steps a second, beside what the same disk gives to the plainest program.
 *
 *     bench_steps DIR [executions] [in flight] [threads of nothing else]
 *
 * The engine: executions of a chain of five native no-op steps, declared idempotent, on SQLite with synchronous=FULL;
 * each step's result is on disk before the next begins. The raw rate: one thread inserts rows of the same size and
 * keys into the real journal table, 100 a transaction. Both in this run, on this disk, the raw rate before and after,
 * because a busy neighbour changes everything: compare within one run only.
 */
#include "core/library.h"
#include "drivers/native.h"
#include "engine/writer.h"
#include "loop/loop.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define STEPS 5

static const char chain_text[] =
    "id: five-steps\n"
    "steps:\n"
    "  - {stepName: one, instructionSet: work, inputTemplate: 'start {order}', outputVariables: {a: input}}\n"
    "  - {stepName: two, instructionSet: work, inputTemplate: 'then {a}', outputVariables: {b: input}}\n"
    "  - {stepName: three, instructionSet: work, inputTemplate: 'then {b}', outputVariables: {c: input}}\n"
    "  - {stepName: four, instructionSet: work, inputTemplate: 'then {c}', outputVariables: {d: input}}\n"
    "  - {stepName: five, instructionSet: work, inputTemplate: 'then {d}', outputVariables: {e: input}}\n"
    "instructionSets:\n"
    "  work: {native: noop, effect: idempotent}\n";

typedef struct bench {
    ctn_loop *loop;
    ctn_engine *engine;
    ctn_writer_thread *writer;
    ctn_wakeup *wakeup;
    ctn_timer *timer;
    ctn_start start;
    int started, ended, total, in_flight;
    double *latency_ms;
    int64_t turns, batches;
} bench;

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void die(const char *what, const ctn_err *err)
{
    fprintf(stderr, "bench_steps: %s: %s\n", what, err->message);
    exit(1);
}

static void remove_store(const char *file)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};
    for (size_t i = 0; i < 4; i++) {
        char path[4200];
        snprintf(path, sizeof path, "%s%s", file, suffixes[i]);
        unlink(path);
    }
}

/* ---- the raw rate ---- */

static double raw_rows_per_second(const char *file, size_t batch, double span_s)
{
    char url[4200];
    ctn_err err = {0};
    ctn_store *store = NULL;
    snprintf(url, sizeof url, "sqlite:%s", file);
    remove_store(file);
    if (ctn_store_open(url, CTN_STORE_CREATE, &store, &err))
        die("raw store", &err);
    uint64_t epoch;
    bool was_crash;
    if (ctn_store_epoch_begin(store, &epoch, &was_crash, &err))
        die("raw store", &err);
    ctn_arena *arena = ctn_arena_new(1 << 20);
    ctn_append *appends = calloc(batch, sizeof *appends);
    ctn_record *records = calloc(batch, sizeof *records);
    ctn_execution_row *rows = calloc(batch, sizeof *rows);
    ctn_outcome *outcomes = calloc(batch, sizeof *outcomes);
    assert(appends && records && rows && outcomes);
    ctn_rng rng = ctn_rng_system();
    /* `batch` executions to begin with; from then on one row of each a transaction. */
    for (size_t i = 0; i < batch; i++) {
        rows[i] = (ctn_execution_row){.exec_no = (int64_t) i + 1,
                                      .id = ctn_id_new(1, &rng),
                                      .chain_id = CTN_STR("raw"),
                                      .chain_version = 1,
                                      .status = CTN_STATUS_RUNNING,
                                      .wake_at_ms = 1,
                                      .input = CTN_STR("{}"),
                                      .created_at_ms = 1};
        records[i] = (ctn_record){.kind = CTN_ENTRY_ATTEMPT_SUCCEEDED,
                                  .seq = 1,
                                  .at_ms = 1790000000000,
                                  .item = -1,
                                  .step = CTN_STR("three"),
                                  .attempt = 1,
                                  .actor = CTN_STR("engine"),
                                  .body = CTN_STR("{\"variables\":{\"c\":\"then then start 1234\"}}")};
        appends[i] = (ctn_append){
            .exec_no = rows[i].exec_no, .epoch = epoch, .row = &rows[i], .records = &records[i], .count = 1};
    }
    int rc = ctn_store_commit(store, appends, batch, outcomes, &err);
    if (rc)
        die("raw store", &err);
    uint64_t seq = 1, count = 0;
    double begin = seconds(CLOCK_MONOTONIC), now = begin;
    while ((now = seconds(CLOCK_MONOTONIC)) - begin < span_s) {
        for (size_t i = 0; i < batch; i++) {
            records[i].seq = seq + 1;
            appends[i].seq_expected = seq;
            appends[i].row = NULL;
        }
        seq++;
        if (ctn_store_commit(store, appends, batch, outcomes, &err))
            die("raw store", &err);
        count += batch;
    }
    ctn_store_close(store);
    ctn_arena_free(arena);
    free(appends);
    free(records);
    free(rows);
    free(outcomes);
    remove_store(file);
    return (double) count / (now - begin);
}

/* ---- the engine ---- */

static void on_wake(void *ctx)
{
    (void) ctx; /* the loop turns after every round anyway */
}

static void on_written(void *ctx)
{
    ctn_wakeup_send(((bench *) ctx)->wakeup);
}

static void take_written(void *ctx)
{
    bench *b = ctx;
    ctn_batch *batch = ctn_writer_thread_take(b->writer);
    if (!batch)
        return;
    b->batches++;
    ctn_engine_batch_done(b->engine, batch);
}

static void on_started(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    (void) ctx, (void) id;
    if (rc)
        die("start", err);
}

static void start_more(bench *b)
{
    ctn_arena *arena = ctn_arena_new(512);
    while (b->started < b->total && b->started - b->ended < b->in_flight) {
        ctn_json_builder input = ctn_json_object(arena);
        ctn_json_put_int(&input, "order", ++b->started);
        b->start.input = ctn_json_finish(&input);
        ctn_engine_start(b->engine, &b->start, on_started, b);
    }
    ctn_arena_free(arena);
}

static void on_event(void *ctx, const ctn_engine_event *event)
{
    bench *b = ctx;
    if (event->kind != CTN_EVENT_STATUS || !ctn_status_is_final(event->status))
        return;
    if (event->status != CTN_STATUS_COMPLETED) {
        fprintf(stderr, "bench_steps: an execution is %s\n", ctn_status_name(event->status));
        exit(1);
    }
    b->latency_ms[b->ended++] =
        (double) (ctn_execution_ended_at_ms(event->execution) - ctn_execution_started_at_ms(event->execution));
}

static void turn(void *ctx)
{
    bench *b = ctx;
    b->turns++;
    int64_t due_ms;
    do { /* what ended in this turn makes room for more */
        start_more(b);
        due_ms = ctn_engine_turn(b->engine);
    } while (b->started < b->total && b->started - b->ended < b->in_flight);
    if (due_ms)
        ctn_timer_set(b->timer, due_ms);
    else
        ctn_timer_clear(b->timer);
    if (b->ended == b->total)
        ctn_loop_stop(b->loop);
}

static void on_timer(void *ctx)
{
    (void) ctx; /* a turn follows */
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static double run_engine(const char *file, int total, int in_flight)
{
    char url[4200];
    ctn_err err = {0};
    snprintf(url, sizeof url, "sqlite:%s", file);
    remove_store(file);
    ctn_store *store = NULL;
    if (ctn_store_open(url, CTN_STORE_CREATE, &store, &err))
        die("store", &err);
    bench b = {.total = total, .in_flight = in_flight, .latency_ms = calloc((size_t) total, sizeof(double))};
    assert(b.latency_ms);
    uint64_t epoch;
    bool was_crash;
    if (ctn_store_epoch_begin(store, &epoch, &was_crash, &err))
        die("store", &err);
    b.loop = ctn_loop_new();
    b.wakeup = ctn_wakeup_new(b.loop, take_written, &b);
    b.timer = ctn_timer_new(b.loop, on_timer, &b);
    if (ctn_writer_thread_start(url, on_written, &b, &b.writer, &err))
        die("writer", &err);
    const ctn_driver *drivers[1];
    ctn_rng rng = ctn_rng_system();
    ctn_engine_options options = {
        .store = store,
        .epoch = epoch,
        .clock = ctn_clock_system(),
        .seed = ctn_rng_next(&rng),
        .id_rng = rng,
        .writer = ctn_writer_thread_as_writer(b.writer),
        .drivers = drivers,
        .driver_count = 1,
        .active_max = (size_t) in_flight + 1,
        .on_event = on_event,
        .on_event_ctx = &b,
        .wake = on_wake,
    };
    if (ctn_engine_new(&options, &b.engine, &err))
        die("engine", &err);
    ctn_native_driver *native = ctn_native_driver_new(*ctn_engine_sink(b.engine));
    ctn_driver driver = ctn_native_driver_interface(native);
    drivers[0] = &driver;

    ctn_arena *arena = ctn_arena_new(65536);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    ctn_plan *plan = NULL;
    if (ctn_library_add_text(library, CTN_STR("five.yaml"), ctn_str_from(chain_text), &findings, &chain) ||
        ctn_plan_compile(arena, library, chain, &findings, &plan)) {
        fprintf(stderr, "bench_steps: %.*s\n", CTN_STR_ARG(findings.items[0].message));
        exit(1);
    }
    if (ctn_engine_plan_add(b.engine, plan, CTN_STR("bench"), &b.start.plan, &b.start.version, &err))
        die("plan", &err);
    b.start.actor = CTN_STR("bench");
    ctn_loop_set_turn(b.loop, turn, &b);

    double begin = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    ctn_loop_run(b.loop);
    double took = seconds(CLOCK_MONOTONIC) - begin;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    double steps = (double) total * STEPS;
    qsort(b.latency_ms, (size_t) total, sizeof(double), compare_doubles);
    printf("engine: %d executions of %d steps, %d in flight: %.0f steps/s, %.1f us CPU a step, %lld commits of %.0f "
           "steps, "
           "chain p50 %.0f ms p99 %.0f ms\n",
           total, STEPS, in_flight, steps / took, cpu / steps * 1e6, (long long) b.batches,
           steps / (double) (b.batches ? b.batches : 1), b.latency_ms[total / 2], b.latency_ms[total * 99 / 100]);

    ctn_writer_thread_stop(b.writer);
    ctn_native_driver_free(native);
    ctn_engine_free(b.engine);
    ctn_wakeup_free(b.wakeup);
    ctn_timer_free(b.timer);
    ctn_loop_free(b.loop);
    ctn_store_close(store);
    free(b.latency_ms);
    remove_store(file);
    return steps / took;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_steps DIR [executions [in flight]]\n");
        return 2;
    }
    char file[4096];
    snprintf(file, sizeof file, "%s/bench.db", argv[1]);
    int total = argc > 2 ? (int) strtol(argv[2], NULL, 10) : 10000;
    int in_flight = argc > 3 ? (int) strtol(argv[3], NULL, 10) : 256;
    if (total < 1 || in_flight < 1) {
        fprintf(stderr, "bench_steps: the counts must be at least 1\n");
        return 2;
    }
    double raw_before = raw_rows_per_second(file, 100, 1.5);
    printf("raw:    one thread into the journal, 100 rows a transaction: %.0f rows/s\n", raw_before);
    (void) run_engine(file, total / 10 + 1, in_flight); /* warm-up */
    double engine = run_engine(file, total, in_flight);
    double raw_after = raw_rows_per_second(file, 100, 1.5);
    printf("raw:    the same afterwards: %.0f rows/s\n", raw_after);
    double raw = (raw_before + raw_after) / 2;
    printf("steps/s %.0f, %.2f of the raw rate\n", engine, engine / raw);
    return 0;
}
