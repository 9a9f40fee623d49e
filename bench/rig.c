/*
 * rig.c -- see rig.h.
 *
 * A chain's number is its input and comes back in its output, so the time of its start stands in a ring by number:
 * with so many in flight none is further back than the ring is long, as long as every one of them moves on (the lines
 * of a store are fair enough; a number that was overwritten is found out and ends the run).
 */
#include "rig.h"
#include "base/memory.h"
#include "chain/library.h"
#include "drivers/mcp/mcp.h"
#include "drivers/native.h"
#include "engine/writer.h"
#include "fleet/member.h"
#include "loop/loop.h"
#include "step.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#define RING (1 << 20)

static const char five_text[] =
    BENCH_CHAIN("five-steps", "%s, effect: idempotent, " BENCH_FIRST, "%s, effect: idempotent, " BENCH_NEXT);

#define NOOP "native: noop, effect: idempotent, arguments: {state: \"{chain}\"}"
static const char five_in_catena_text[] = BENCH_CHAIN("five-in-catena", NOOP, NOOP);

static const char parked_text[] = "id: parked\n"
                                  "steps:\n"
                                  "  - {stepName: one, instructionSet: work, outputVariables: [state]}\n"
                                  "  - {stepName: ask, instructionSet: ask, outputVariables: [approved]}\n"
                                  "instructionSets:\n"
                                  "  work: {" NOOP "}\n"
                                  "  ask: {approval: {message: Well?, timeoutMs: 31536000000}}\n";

typedef struct started {
    uint64_t number;
    double at_s;
} started;

struct bench_rig {
    bench_rig_options o;
    ctn_loop *loop; /* NULL: in-thread */
    ctn_wakeup *wakeup;
    ctn_timer *timer;
    ctn_writer_thread *writer;
    ctn_store *store;
    ctn_engine *engine;
    ctn_member *member; /* NULL: the store is ours alone */
    ctn_native_driver *native;
    ctn_spawner *spawner;
    ctn_mcp_driver *tools;
    ctn_driver driver;
    const ctn_driver *drivers[1];
    uint64_t epoch, chance;
    ctn_rng_pool chance_of_ids;
    ctn_arena *arena, *scratch;
    ctn_start start;
    ctn_batch *submitted; /* in-thread */
    bool is_wanted, is_ended, is_cut;

    uint64_t started, ended, steps, commits;
    uint64_t last; /* no chain after this number */
    started *ring;

    /* of a measured run */
    double warm_until_s, measure_until_s; /* 0: none */
    bool is_measuring;
    bench_rig_figures *figures;
    double begin_s, begin_cpu_s, begin_loop_s, begin_children_s;
    bench_ticks begin_ticks;
    uint64_t begin_ended, begin_steps, begin_commits, begin_syncs;
};

/* ---- the engine's surroundings ---- */

static ctn_native_result on_native(void *ctx, const ctn_native_call *call, ctn_arena *arena)
{
    (void) ctx;
    return (ctn_native_result){.value = bench_step(arena, call->args)};
}

static int64_t still_clock(void *ctx)
{
    (void) ctx;
    return 1790000000000;
}

static void on_wanted(void *ctx)
{
    ((bench_rig *) ctx)->is_wanted = true;
}

static void on_submitted(void *ctx, ctn_batch *batch)
{
    ((bench_rig *) ctx)->submitted = batch;
}

static void on_committed(void *ctx) /* the writer's thread */
{
    ctn_wakeup_send(((bench_rig *) ctx)->wakeup);
}

static void on_woken(void *ctx)
{
    (void) ctx; /* a turn follows */
}

/* ---- the load ---- */

static void on_started(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    (void) ctx, (void) id;
    bench_must(rc, "start", err);
}

/* Of a fleet: when this node has its share, and no more. */
static bool may_start(const bench_rig *rig)
{
    uint32_t held = rig->member ? ctn_member_held_count(rig->member) : 0, nodes = rig->o.nodes ? rig->o.nodes : 1;
    return !rig->member || (held > 0 && held <= (ctn_member_shard_count(rig->member) + nodes - 1) / nodes);
}

static void start_more(bench_rig *rig)
{
    while (rig->started < rig->last && rig->started - rig->ended < rig->o.in_flight) {
        uint64_t number = ++rig->started;
        rig->ring[number % RING] = (started){number, bench_seconds(CLOCK_MONOTONIC)};
        ctn_arena_mark mark = ctn_arena_save(rig->scratch);
        ctn_json_builder input = ctn_json_object(rig->scratch);
        ctn_json_put_int(&input, "chain", (int64_t) number);
        rig->start.input = ctn_json_finish(&input);
        ctn_engine_start(rig->engine, &rig->start, on_started, rig);
        ctn_arena_restore(rig->scratch, mark);
    }
}

static void on_event(void *ctx, const ctn_engine_event *event)
{
    bench_rig *rig = ctx;
    rig->steps += event->kind == CTN_EVENT_ENTRY && event->record->kind == CTN_ENTRY_ATTEMPT_SUCCEEDED;
    if (rig->o.chain != BENCH_FIVE_STEPS) {
        ctn_status end = rig->o.chain == BENCH_PARKED ? CTN_STATUS_WAITING : CTN_STATUS_COMPLETED;
        rig->ended += event->kind == CTN_EVENT_STATUS && event->status == end;
        return;
    }
    if (event->kind != CTN_EVENT_STATUS || !ctn_status_is_final(event->status))
        return;
    const ctn_json *state = ctn_json_member_of(ctn_execution_outputs(event->execution), "state");
    const started *s = &rig->ring[ctn_json_int_or(state, "chain", 0) % RING];
    if (event->status != CTN_STATUS_COMPLETED || ctn_json_int_or(state, "step", 0) != BENCH_STEPS ||
        ctn_json_int_or(state, "total", 0) != BENCH_STEPS * (BENCH_STEPS + 1) / 2)
        bench_die("a chain did not end well", ctn_status_name(event->status));
    if (s->number != (uint64_t) ctn_json_int_or(state, "chain", 0))
        bench_die("a chain", "was overtaken by a million others");
    rig->ended++;
    if (rig->is_measuring)
        bench_samples_add(&rig->figures->latency_ms, (bench_seconds(CLOCK_MONOTONIC) - s->at_s) * 1e3);
}

/* ---- measuring ---- */

static uint64_t count_syncs(const bench_rig *rig)
{
    return rig->o.syncs ? bench_syncs_count(rig->o.syncs) : 0;
}

static void begin_measuring(bench_rig *rig)
{
    rig->is_measuring = true;
    rig->begin_s = bench_seconds(CLOCK_MONOTONIC);
    rig->begin_cpu_s = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);
    rig->begin_loop_s = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    rig->begin_children_s = rig->o.server ? bench_children_cpu_s() : 0;
    rig->begin_ticks = bench_machine_ticks();
    rig->begin_ended = rig->ended;
    rig->begin_steps = rig->steps;
    rig->begin_commits = rig->commits;
    rig->begin_syncs = count_syncs(rig);
}

static void end_measuring(bench_rig *rig)
{
    bench_rig_figures *f = rig->figures;
    f->span_s = bench_seconds(CLOCK_MONOTONIC) - rig->begin_s;
    f->cpu_s = bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - rig->begin_cpu_s;
    f->cpu_loop_s = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - rig->begin_loop_s;
    f->cpu_children_s = rig->o.server ? bench_children_cpu_s() - rig->begin_children_s : 0;
    bench_ticks ticks = bench_machine_ticks();
    f->steal_s = ticks.steal_s - rig->begin_ticks.steal_s;
    f->others_cpu_s = ticks.busy_s - rig->begin_ticks.busy_s - f->cpu_s - f->cpu_children_s;
    f->chains = rig->ended - rig->begin_ended;
    f->steps = rig->steps - rig->begin_steps;
    f->commits = rig->commits - rig->begin_commits;
    f->syncs = count_syncs(rig) - rig->begin_syncs;
    rig->is_measuring = false;
    rig->measure_until_s = 0;
    rig->last = rig->started; /* what is in flight ends */
}

/* A chain that is alone is measured whole: so what it costs is whole as well (syncs_per_chain). */
static void watch_time(bench_rig *rig)
{
    if (rig->measure_until_s <= 0 || (rig->o.in_flight == 1 && rig->started != rig->ended))
        return;
    double now_s = bench_seconds(CLOCK_MONOTONIC);
    if (!rig->is_measuring && now_s >= rig->warm_until_s)
        begin_measuring(rig);
    else if (rig->is_measuring && now_s >= rig->measure_until_s)
        end_measuring(rig);
}

/* ---- turning ---- */

static void take_committed(bench_rig *rig)
{
    for (ctn_batch *batch; (batch = rig->o.is_in_thread ? rig->submitted : ctn_writer_thread_take(rig->writer));) {
        if (rig->o.is_in_thread) {
            rig->submitted = NULL;
            batch->rc = ctn_store_commit(rig->store, batch->appends, batch->count, batch->outcomes, &batch->err);
        }
        bench_must(batch->rc, "commit", &batch->err);
        rig->commits++;
        ctn_engine_batch_done(rig->engine, batch);
    }
}

/* What ends in a turn makes room for more at once. */
static void turn(void *ctx)
{
    bench_rig *rig = ctx;
    int64_t due_ms;
    do {
        rig->is_wanted = false;
        take_committed(rig);
        watch_time(rig);
        if (rig->member)
            ctn_member_turn(rig->member);
        if (rig->started > 0 || may_start(rig))
            start_more(rig);
        rig->is_wanted = false; /* what these asked for comes now */
        due_ms = ctn_engine_turn(rig->engine);
        if (rig->started > 0 && rig->started < rig->last && rig->started - rig->ended < rig->o.in_flight)
            rig->is_wanted = true;
    } while (rig->is_wanted);
    if (rig->o.is_in_thread)
        return;
    if (due_ms)
        ctn_timer_set(rig->timer, due_ms);
    else
        ctn_timer_clear(rig->timer);
    if (rig->ended == rig->last && ctn_engine_is_idle(rig->engine))
        ctn_loop_stop(rig->loop);
}

static void run(bench_rig *rig)
{
    if (!rig->o.is_in_thread) {
        ctn_timer_set(rig->timer, ctn_loop_now_ms(rig->loop)); /* the first turn */
        ctn_loop_run(rig->loop);
        return;
    }
    do {
        turn(rig);
        if (!rig->submitted && rig->ended < rig->last)
            bench_die("the engine", "stands still");
    } while (rig->submitted || rig->ended < rig->last);
}

void bench_rig_run(bench_rig *rig, size_t chain_count)
{
    rig->last = rig->started + chain_count;
    run(rig);
}

void bench_rig_cut(bench_rig *rig, size_t chain_count, uint64_t commits)
{
    assert(rig->o.is_in_thread);
    rig->last = rig->started + chain_count;
    rig->is_cut = true;
    for (uint64_t until = rig->commits + commits; rig->commits < until;)
        turn(rig);
}

bench_rig_figures bench_rig_measure(bench_rig *rig, double warm_s, double span_s)
{
    bench_rig_figures figures = {0};
    rig->figures = &figures;
    rig->warm_until_s = bench_seconds(CLOCK_MONOTONIC) + warm_s;
    rig->measure_until_s = rig->warm_until_s + span_s;
    rig->last = UINT64_MAX;
    run(rig);
    rig->figures = NULL;
    return figures;
}

/* ---- making ---- */

static void make_driver(bench_rig *rig)
{
    ctn_err err = {0};
    const ctn_call_sink *sink = ctn_engine_sink(rig->engine);
    if (!rig->o.server) {
        rig->native = ctn_native_driver_new(*sink);
        bench_must(ctn_native_register(rig->native, CTN_STR("next"), CTN_EFFECT_IDEMPOTENT, on_native, rig, &err),
                   "native step", &err);
        rig->driver = ctn_native_driver_interface(rig->native);
    } else {
        ctn_mcp_server_config server = {.name = CTN_STR("bench"), .command = rig->o.server};
        ctn_mcp_driver_options options = {
            .loop = rig->loop, .spawner = rig->spawner, .sink = *sink, .servers = &server, .server_count = 1};
        bench_must(ctn_mcp_driver_new(&options, &rig->tools, &err), "tool server", &err);
        rig->driver = ctn_mcp_driver_interface(rig->tools);
    }
    rig->drivers[0] = &rig->driver;
}

static void add_plan(bench_rig *rig)
{
    ctn_err err = {0};
    ctn_arena *arena = ctn_arena_new(65536); /* the engine keeps it */
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    ctn_plan *plan = NULL;
    const char *how = rig->o.server ? "tool: bench/next" : "native: next";
    ctn_str text = rig->o.chain == BENCH_PARKED           ? ctn_str_from(parked_text)
                   : rig->o.chain == BENCH_FIVE_IN_CATENA ? ctn_str_from(five_in_catena_text)
                                                          : ctn_arena_printf(arena, five_text, how, how);
    if (ctn_library_add_text(library, CTN_STR("five-steps.yaml"), text, &findings, &chain) ||
        ctn_plan_compile(arena, library, chain, &findings, &plan))
        bench_die("chain", ctn_arena_printf(arena, "%.*s", CTN_STR_ARG(findings.items[0].message)).ptr);
    bench_must(ctn_engine_plan_add(rig->engine, plan, CTN_STR("bench"), &rig->start.plan, &rig->start.version, &err),
               "plan", &err);
    rig->start.actor = CTN_STR("bench");
}

static void on_member(void *ctx) /* its thread */
{
    ctn_wakeup_send(((bench_rig *) ctx)->wakeup);
}

/* Woken only once it has joined, when the loop is there. */
static void make_member(bench_rig *rig, const char *url)
{
    ctn_err err = {0};
    ctn_store_shards_held(rig->store, &(ctn_shard_set){{0}});
    bench_must(ctn_member_new(&(ctn_member_options){.store_url = url,
                                                    .name = ctn_arena_printf(rig->arena, "bench-%d", (int) getpid()),
                                                    .wake = on_member,
                                                    .wake_ctx = rig},
                              &rig->member, &err),
               "node", &err);
}

bench_rig *bench_rig_new(const bench_rig_options *o)
{
    assert(o->in_flight > 0 && !(o->server && o->is_in_thread));
    ctn_err err = {0};
    bench_rig *rig = ctn_malloc(sizeof *rig);
    *rig = (bench_rig){.o = *o, .chance = 7};
    rig->arena = ctn_arena_new(65536);
    rig->scratch = ctn_arena_new(1024);
    rig->ring = calloc(RING, sizeof *rig->ring);
    assert(rig->ring);
    if (o->server)
        bench_must(ctn_spawner_start(&rig->spawner, &err), "spawner", &err); /* before any thread */
    const char *url = strstr(o->file, "://") ? o->file
                                             : ctn_arena_printf(rig->arena, "sqlite:%s%s%s", o->file,
                                                                o->synchronous ? "?synchronous=" : "",
                                                                o->synchronous ? o->synchronous : "")
                                                   .ptr;
    bench_must(ctn_store_open(url, CTN_STORE_CREATE, &rig->store, &err), "store", &err);
    bool was_crash, is_fleet = ctn_store_url_is_fleet(url);
    assert(!is_fleet || !o->is_in_thread);
    if (is_fleet)
        make_member(rig, url);
    else
        bench_must(ctn_store_epoch_begin(rig->store, &rig->epoch, &was_crash, &err), "store", &err);
    ctn_engine_options options = {
        .store = rig->store,
        .epoch = rig->epoch,
        .leases = rig->member ? ctn_member_leases(rig->member) : NULL,
        .drivers = rig->drivers,
        .driver_count = 1,
        .active_max = o->in_flight + 1,
        .starting_max = o->in_flight + 1,
        .starting_bytes_max = SIZE_MAX,
        .on_event = on_event,
        .on_event_ctx = rig,
        .wake = on_wanted,
        .wake_ctx = rig,
    };
    if (o->is_in_thread) {
        ctn_rng chance = ctn_rng_system();
        if (o->chain != BENCH_FIVE_STEPS) /* that one counts instructions; the others add to a store */
            rig->chance = ctn_rng_next(&chance);
        options.clock = (ctn_clock){.now_ms = still_clock};
        options.id_rng = ctn_rng_seeded(&rig->chance);
        options.seed = 7;
        options.writer = (ctn_writer){.ctx = rig, .submit = on_submitted};
    } else {
        rig->loop = ctn_loop_new();
        rig->wakeup = ctn_wakeup_new(rig->loop, on_woken, rig);
        rig->timer = ctn_timer_new(rig->loop, on_woken, rig);
        ctn_loop_set_turn(rig->loop, turn, rig);
        if (rig->spawner)
            ctn_spawner_attach(rig->spawner, rig->loop);
        bench_must(ctn_writer_thread_start(url, is_fleet ? 2 : 1, on_committed, rig, &rig->writer, &err), "writer",
                   &err);
        options.clock = ctn_clock_system();
        options.id_rng = ctn_rng_pooled(&rig->chance_of_ids);
        options.seed = ctn_rng_next(&options.id_rng);
        options.writer = ctn_writer_thread_as_writer(rig->writer);
    }
    bench_must(ctn_engine_new(&options, &rig->engine, &err), "engine", &err);
    make_driver(rig);
    add_plan(rig);
    if (rig->member)
        bench_must(ctn_member_join(rig->member, (ctn_str){0}, rig->engine, rig->store, rig->writer, &err), "node",
                   &err);
    return rig;
}

/* ---- the end ---- */

static void on_servers_ended(void *ctx)
{
    bench_rig *rig = ctx;
    rig->is_ended = true;
    ctn_loop_stop(rig->loop);
}

static void no_turn(void *ctx)
{
    (void) ctx;
}

void bench_rig_free(bench_rig *rig)
{
    if (!rig)
        return;
    ctn_writer_thread_stop(rig->writer);
    if (rig->tools) {
        ctn_loop_set_turn(rig->loop, no_turn, rig);
        ctn_mcp_driver_shutdown(rig->tools, on_servers_ended, rig);
        if (!rig->is_ended)
            ctn_loop_run(rig->loop);
        ctn_mcp_driver_free(rig->tools);
    }
    ctn_member_close(rig->member);
    ctn_engine_free(rig->engine);
    ctn_native_driver_free(rig->native);
    ctn_wakeup_free(rig->wakeup);
    ctn_timer_free(rig->timer);
    ctn_loop_free(rig->loop);
    ctn_spawner_stop(rig->spawner);
    if (!rig->is_cut && rig->epoch)
        (void) ctn_store_epoch_end(rig->store, rig->epoch, NULL);
    ctn_store_close(rig->store);
    ctn_arena_free(rig->arena);
    ctn_arena_free(rig->scratch);
    free(rig->ring);
    free(rig);
}
