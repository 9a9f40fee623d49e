/* Two engines on one store of 16 shards: each decides on its own shards alone, and what moves goes on once. */
#include "chain/library.h"
#include "engine/placement.h"
#include "store/memory/memory.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SHARDS  16
#define TERM_MS 3500
#define CALLS   64

typedef struct call {
    uint64_t token;
    char target[32];
    bool is_over, was_let_go;
} call;

typedef struct town town;
typedef struct node {
    town *t;
    ctn_store *store, *writes;
    ctn_engine *engine;
    ctn_leases leases;
    ctn_driver driver;
    const ctn_driver *drivers[1];
    ctn_log log;
    ctn_batch *submitted[CTN_STRANDS_MAX];
    bool has_gpu;
    int64_t incarnation, left_ms, next_ms;
    uint64_t epochs[SHARDS], chance;
    bool was_crash[SHARDS];
    call calls[CALLS];
    int call_count, sent_elsewhere, batches;
    ctn_execution_id elsewhere;
} node;

struct town {
    int64_t now_ms;
    ctn_clock clock;
    node a, b;
    ctn_schedule schedule;
    uint32_t strands;
    ctn_arena *arena;
};

typedef struct acked {
    int count, rc;
    ctn_execution_id id;
} acked;

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    acked *a = ctx;
    (void) err;
    a->count++;
    a->rc = rc;
    a->id = id;
}

/* ---- a node ---- */

static int64_t on_clock(void *ctx)
{
    return ((town *) ctx)->now_ms;
}

static uint64_t on_epoch(void *ctx, uint32_t shard)
{
    return ((node *) ctx)->epochs[shard];
}

static bool on_was_crash(void *ctx, uint32_t shard)
{
    return ((node *) ctx)->was_crash[shard];
}

static int64_t on_left(void *ctx, uint32_t shard)
{
    return ((node *) ctx)->epochs[shard] ? ((node *) ctx)->left_ms : 0;
}

static void on_begin(void *ctx, const ctn_call_request *request)
{
    node *n = ctx;
    assert_true(n->call_count < CALLS);
    call *c = &n->calls[n->call_count++];
    *c = (call){.token = request->token};
    snprintf(c->target, sizeof c->target, "%.*s", CTN_STR_ARG(request->target));
}

static void on_cancel(void *ctx, uint64_t token)
{
    node *n = ctx;
    for (int i = 0; i < n->call_count; i++)
        if (n->calls[i].token == token)
            n->calls[i].was_let_go = true;
}

static void on_submit(void *ctx, ctn_batch *batch)
{
    ((node *) ctx)->submitted[batch->strand] = batch;
}

static bool has_logged_an_error(const node *n)
{
    return lseek(n->log.fd, 0, SEEK_END) > 0;
}

/* The first time nobody answers. */
static void on_elsewhere(void *ctx, const ctn_start *start, ctn_ack_fn *ack, void *ack_ctx)
{
    node *n = ctx;
    assert_true(n->sent_elsewhere == 0 || ctn_id_equal(n->elsewhere, start->id));
    n->elsewhere = start->id;
    ack(ack_ctx, n->sent_elsewhere++ ? CTN_OK : CTN_E_BUSY, start->id, &(ctn_err){0});
}

static const char pay_chain[] =
    "id: pay\n"
    "steps: [{stepName: pay, instructionSet: pay, retryConfig: {maxRetries: 2, backoffMs: 10}}]\n"
    "instructionSets:\n"
    "  pay: {tool: sim/pay, effect: write, check: {tool: sim/check}, settleMs: 8000}\n";
static const char two_chain[] =
    "id: two\n"
    "steps: [{stepName: pay, instructionSet: pay}, {stepName: again, instructionSet: pay}]\n"
    "instructionSets:\n"
    "  pay: {tool: sim/pay, effect: write}\n";
static const char line_chain[] = "id: line\n"
                                 "concurrencyKey: '{who}'\n"
                                 "steps: [{stepName: pay, instructionSet: pay}]\n"
                                 "instructionSets:\n"
                                 "  pay: {tool: sim/pay, effect: write}\n";
static const char failing_chain[] = "id: failing\n"
                                    "onFailure: one-at-a-time\n"
                                    "steps: [{stepName: pay, instructionSet: pay}]\n"
                                    "instructionSets:\n"
                                    "  pay: {tool: sim/fail, effect: read}\n";
static const char one_chain[] = "id: one-at-a-time\n"
                                "maxConcurrent: 1\n"
                                "steps: [{stepName: read, instructionSet: read}]\n"
                                "instructionSets:\n"
                                "  read: {tool: sim/read, effect: read}\n";
static const char answer_chain[] = "id: asking\n"
                                   "steps: [{stepName: ask, instructionSet: ask}]\n"
                                   "instructionSets: {ask: {wait: {ms: 600000}}}\n";

static const char gpu_chain[] = "id: gpu\n"
                                "requires: {gpu: true}\n"
                                "steps: [{stepName: pay, instructionSet: gpu-pay}]\n"
                                "instructionSets: {gpu-pay: {tool: sim/pay, effect: write}}\n";
static const char calls_gpu_chain[] =
    "id: calls-gpu\n"
    "steps: [{stepName: read, instructionSet: read}, {stepName: sub, instructionSet: sub}]\n"
    "instructionSets:\n"
    "  read: {tool: sim/read, effect: read}\n"
    "  sub: {chain: gpu}\n";
static const char gpu_line_chain[] = "id: gpu-line\n"
                                     "requires: {gpu: true, zone: north}\n"
                                     "concurrencyKey: '{who}'\n"
                                     "steps: [{stepName: pay, instructionSet: pay}]\n"
                                     "instructionSets: {pay: {tool: sim/pay, effect: write}}\n";
static const ctn_placement_room all_shards = {.shard_count = SHARDS};

static ctn_plan *compile(const char *yaml)
{
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    ctn_plan *plan = NULL;
    if (yaml == calls_gpu_chain)
        (void) ctn_library_add_text(library, CTN_STR("gpu.yaml"), ctn_str_from(gpu_chain), &findings, NULL);
    (void) ctn_library_add_text(library, CTN_STR("test.yaml"), ctn_str_from(yaml), &findings, &chain);
    if (!chain || ctn_plan_compile(arena, library, chain, &findings, &plan))
        fail_msg("%.*s", CTN_STR_ARG(findings.items[0].message));
    return plan;
}

static int on_find(void *ctx, ctn_str chain_id, ctn_plan **ret_plan, ctn_err *err)
{
    (void) ctx;
    if (!ctn_str_is(chain_id, "one-at-a-time"))
        return ctn_fail(err, CTN_E_NOT_FOUND, "no such chain");
    *ret_plan = compile(one_chain);
    return CTN_OK;
}

static void node_open(town *t, node *n, const char *name, const char *url)
{
    const ctn_json *labels = NULL;
    ctn_str labels_text = n->has_gpu ? CTN_STR("{\"gpu\":true}") : CTN_STR("{}");
    ctn_node_row row = {.name = ctn_str_from(name), .labels = labels_text, .version = CTN_STR("1")};
    assert_int_equal(ctn_json_parse(t->arena, labels_text, NULL, &labels, NULL), CTN_OK);
    n->t = t;
    n->chance = (uint64_t) name[0];
    n->left_ms = TERM_MS;
    assert_int_equal(ctn_store_open(url, CTN_STORE_CREATE, &n->store, NULL), CTN_OK);
    assert_int_equal(ctn_store_open(url, CTN_STORE_CREATE, &n->writes, NULL), CTN_OK);
    ctn_memory_clock(n->store, &t->clock);
    assert_int_equal(ctn_store_node_join(n->store, &row, TERM_MS, &n->incarnation, NULL), CTN_OK);
    assert_int_equal(ctn_store_handle_of(n->writes, n->incarnation, NULL), CTN_OK);
    n->leases =
        (ctn_leases){.ctx = n, .epoch = on_epoch, .was_crash = on_was_crash, .left_ms = on_left, .send_ms = 500};
    n->driver = (ctn_driver){.kind = "tool", .ctx = n, .begin = on_begin, .cancel = on_cancel};
    n->drivers[0] = &n->driver;
    n->log = (ctn_log){.fd = memfd_create("log", MFD_CLOEXEC), .level_min = CTN_LOG_ERROR, .clock = t->clock};
    ctn_engine_options o = {.store = n->store,
                            .labels = labels,
                            .leases = &n->leases,
                            .clock = t->clock,
                            .seed = n->chance,
                            .id_rng = ctn_rng_seeded(&n->chance),
                            .log = &n->log,
                            .writer = {.ctx = n, .submit = on_submit, .strands = t->strands},
                            .drivers = n->drivers,
                            .driver_count = 1,
                            .chain_find = on_find,
                            .schedules = &t->schedule,
                            .schedule_count = t->schedule.cron.len ? 1 : 0,
                            .start_elsewhere = on_elsewhere,
                            .elsewhere_ctx = n};
    assert_int_equal(ctn_engine_new(&o, &n->engine, NULL), CTN_OK);
}

static town *town_of(ctn_schedule schedule, uint32_t strands)
{
    static int number;
    char url[64];
    town *t = calloc(1, sizeof *t);
    snprintf(url, sizeof url, "memory:leases%d?shards=%d", ++number, SHARDS);
    t->now_ms = 1790000000000;
    t->clock = (ctn_clock){.now_ms = on_clock, .ctx = t};
    t->schedule = schedule;
    t->strands = strands;
    t->arena = ctn_arena_new(4096);
    t->b.has_gpu = true;
    node_open(t, &t->a, "a", url);
    node_open(t, &t->b, "b", url);
    return t;
}

static town *town_new(void)
{
    return town_of((ctn_schedule){0}, 1);
}

static void town_free(town *t)
{
    node *both[] = {&t->a, &t->b};
    for (int i = 0; i < 2; i++) {
        ctn_engine_free(both[i]->engine);
        ctn_store_close(both[i]->store);
        ctn_store_close(both[i]->writes);
        close(both[i]->log.fd);
    }
    ctn_arena_free(t->arena);
    free(t);
}

static void take_shards(node *n, uint32_t from, uint32_t until)
{
    ctn_shard_set gained = {{0}};
    for (uint32_t i = from; i < until; i++) {
        ctn_shard_lease lease;
        assert_int_equal(ctn_store_shard_take(n->store, n->incarnation, i, &lease, NULL), CTN_OK);
        n->epochs[i] = lease.epoch;
        n->was_crash[i] = lease.was_crash;
        ctn_shard_set_add(&gained, i);
    }
    ctn_engine_shards_gained(n->engine, &gained);
}

static ctn_shard_set range(uint32_t from, uint32_t until)
{
    ctn_shard_set set = {{0}};
    for (uint32_t i = from; i < until; i++)
        ctn_shard_set_add(&set, i);
    return set;
}

static void lose_shards(node *n, uint32_t from, uint32_t until)
{
    ctn_shard_set lost = range(from, until);
    for (uint32_t i = from; i < until; i++)
        n->epochs[i] = 0;
    ctn_engine_shards_lost(n->engine, &lost);
}

static bool commit_of(node *n, uint32_t strand)
{
    ctn_batch *batch = n->submitted[strand];
    if (!batch)
        return false;
    n->submitted[strand] = NULL;
    batch->err = (ctn_err){0};
    batch->rc = ctn_store_commit(n->writes, batch->appends, batch->count, batch->outcomes, &batch->err);
    n->batches++;
    ctn_engine_batch_done(n->engine, batch);
    return true;
}

static bool commit(node *n)
{
    bool was_one = false;
    for (uint32_t i = 0; i < CTN_STRANDS_MAX; i++)
        was_one = commit_of(n, i) || was_one;
    return was_one;
}

static void turns(node *n)
{
    do
        n->next_ms = ctn_engine_turn(n->engine);
    while (commit(n));
}

static void pass(town *t, int64_t ms)
{
    for (int64_t until_ms = t->now_ms + ms; t->now_ms < until_ms;) {
        t->now_ms += 50;
        turns(&t->a);
        turns(&t->b);
    }
}

/* It holds all shards, and its lease goes on; the other one's has run out long ago. */
static void die_and_be_taken_over(town *t, node *dead, node *heir, uint32_t from, uint32_t until)
{
    ctn_beat beat;
    uint32_t buried = 0;
    (void) dead;
    t->now_ms += TERM_MS - 1;
    assert_int_equal(ctn_store_node_beat(heir->store, heir->incarnation, TERM_MS, false, t->arena, &beat, NULL),
                     CTN_OK);
    t->now_ms += CTN_SETTLE_MS + 2;
    assert_int_equal(ctn_store_nodes_bury(heir->store, CTN_SETTLE_MS, &buried, NULL), CTN_OK);
    assert_int_equal(buried, 1);
    take_shards(heir, from, until);
}

static int calls_of(const node *n, const char *target)
{
    int count = 0;
    for (int i = 0; i < n->call_count; i++)
        count += strcmp(n->calls[i].target, target) == 0;
    return count;
}

static void answer(node *n, const char *target, const char *value)
{
    const ctn_call_sink *sink = ctn_engine_sink(n->engine);
    for (int i = 0; i < n->call_count; i++) {
        call *c = &n->calls[i];
        if (c->is_over || c->was_let_go || strcmp(c->target, target) != 0)
            continue;
        c->is_over = true;
        ctn_call_result result = {.was_sent = true};
        if (value)
            assert_int_equal(ctn_json_parse(n->t->arena, ctn_str_from(value), NULL, &result.value, NULL), CTN_OK);
        else
            result = (ctn_call_result){.failure = CTN_FAILURE_UNAVAILABLE, .message = CTN_STR("not now")};
        sink->done(sink->ctx, c->token, &result);
        return;
    }
    fail_msg("no call of %s is under way", target);
}

static const ctn_json *input_of(town *t, const char *text)
{
    const ctn_json *input = NULL;
    assert_int_equal(ctn_json_parse(t->arena, ctn_str_from(text), NULL, &input, NULL), CTN_OK);
    return input;
}

static ctn_start start_of(node *n, const char *yaml)
{
    ctn_start start = {.input = input_of(n->t, "{}"), .actor = CTN_STR("test")};
    assert_int_equal(ctn_engine_plan_add(n->engine, compile(yaml), CTN_STR("test"), &start.plan, &start.version, NULL),
                     CTN_OK);
    return start;
}

static acked started(node *n, const ctn_start *start)
{
    acked a = {0};
    ctn_engine_start(n->engine, start, on_ack, &a);
    turns(n);
    assert_int_equal(a.count, 1);
    return a;
}

static ctn_execution_row row_of(town *t, ctn_execution_id id)
{
    ctn_execution_row row;
    assert_int_equal(ctn_store_execution_get(t->a.writes, t->arena, id, &row, NULL), CTN_OK);
    return row;
}

static ctn_execution_id id_in(town *t, uint32_t shard)
{
    ctn_rng rng = ctn_rng_seeded(&t->a.chance);
    ctn_execution_id id = ctn_id_new(t->now_ms, &rng);
    ctn_shard_into_id(&id, shard);
    return id;
}

/* ---- ids and numbers ---- */

static void number_and_id_of_a_start_say_a_shard_of_its_node(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 3, 6);
    take_shards(&t->b, 6, 9);
    ctn_start at_a = start_of(&t->a, answer_chain), at_b = start_of(&t->b, answer_chain);
    int64_t last_no = 0;
    for (int i = 0; i < 12; i++) {
        acked a = started(i % 2 ? &t->b : &t->a, i % 2 ? &at_b : &at_a);
        uint32_t shard = ctn_shard_of_id(a.id, SHARDS);
        assert_int_equal(a.rc, CTN_OK);
        assert_true(i % 2 ? shard >= 6 && shard < 9 : shard >= 3 && shard < 6);
        ctn_execution_row row = row_of(t, a.id);
        assert_int_equal(row.exec_no % SHARDS, shard);
        assert_true(row.exec_no / SHARDS > last_no / SHARDS);
        last_no = row.exec_no;
        t->now_ms += 1000;
    }
    town_free(t);
}

/* Whoever had the shard may have numbered from a later block. */
static void numbers_in_a_shard_ascend_when_it_moves(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, 8);
    take_shards(&t->b, 8, 16);
    ctn_start at_a = start_of(&t->a, answer_chain), at_b = start_of(&t->b, answer_chain);
    assert_int_equal(started(&t->b, &at_b).rc, CTN_OK); /* b has a block, and then a a later one */
    at_a.id = id_in(t, 5);
    assert_int_equal(started(&t->a, &at_a).rc, CTN_OK);
    ctn_shard_set five = range(5, 6);
    pass(t, 100);
    lose_shards(&t->a, 5, 6);
    assert_int_equal(ctn_store_shards_release(t->a.store, t->a.incarnation, &five, NULL), CTN_OK);
    take_shards(&t->b, 5, 6);
    at_b.id = id_in(t, 5);
    assert_int_equal(started(&t->b, &at_b).rc, CTN_OK);
    assert_true(row_of(t, at_b.id).exec_no > row_of(t, at_a.id).exec_no);
    town_free(t);
}

static void a_start_for_another_nodes_shard_is_sent_there(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, 8);
    take_shards(&t->b, 8, 16);
    ctn_start at_a = start_of(&t->a, answer_chain);
    at_a.id = id_in(t, 9);
    assert_int_equal(started(&t->a, &at_a).rc, CTN_E_STALE);
    /* A line lives in one shard, wherever it is asked for. */
    ctn_start line_a = start_of(&t->a, line_chain), line_b = start_of(&t->b, line_chain);
    ctn_placement at;
    line_a.input = line_b.input = input_of(t, "{\"who\":\"ada\"}");
    assert_int_equal(ctn_placement_of(&line_a, t->now_ms, &all_shards, t->arena, &at, NULL), CTN_OK);
    assert_false(at.is_anywhere);
    acked a = started(&t->a, &line_a), b = started(&t->b, &line_b);
    assert_int_equal(a.rc, at.shard < 8 ? CTN_OK : CTN_E_STALE);
    assert_int_equal(b.rc, at.shard < 8 ? CTN_E_STALE : CTN_OK);
    assert_int_equal(ctn_shard_of_id(a.id, SHARDS), at.shard);
    assert_int_equal(ctn_shard_of_id(b.id, SHARDS), at.shard);
    /* Nor does it start where its line is not, under an id that says so. */
    node *holder = at.shard < 8 ? &t->a : &t->b;
    ctn_start *line = at.shard < 8 ? &line_a : &line_b;
    line->id = id_in(t, at.shard < 8 ? (at.shard + 1) % 8 : 8 + (at.shard + 1) % 8);
    assert_int_equal(started(holder, line).rc, CTN_E_INVALID);
    town_free(t);
}

static void a_start_that_comes_again_under_its_id_is_one(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, 16);
    ctn_start start = start_of(&t->a, one_chain);
    ctn_placement at;
    assert_int_equal(ctn_placement_of(&start, t->now_ms, &all_shards, t->arena, &at, NULL), CTN_OK);
    start.id = id_in(t, at.shard);
    acked first = {0}, second = {0};
    ctn_engine_start(t->a.engine, &start, on_ack, &first);
    ctn_engine_start(t->a.engine, &start, on_ack, &second);
    (void) ctn_engine_turn(t->a.engine);
    assert_int_equal(first.count + second.count, 0); /* nothing is on disk */
    turns(&t->a);
    assert_int_equal(first.count, 1);
    assert_int_equal(second.count, 1);
    assert_int_equal(second.rc, CTN_OK);
    assert_int_equal(calls_of(&t->a, "sim/read"), 1);
    answer(&t->a, "sim/read", "1");
    turns(&t->a);
    assert_int_equal(row_of(t, start.id).status, CTN_STATUS_COMPLETED);
    acked third = started(&t->a, &start); /* out of memory by now */
    assert_int_equal(third.rc, CTN_OK);
    assert_true(ctn_id_equal(third.id, start.id));
    assert_int_equal(calls_of(&t->a, "sim/read"), 1);
    assert_false(has_logged_an_error(&t->a));
    town_free(t);
}

/* ---- what is lost ---- */

static void a_node_that_wakes_late_records_nothing(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, 16);
    ctn_start start = start_of(&t->a, pay_chain);
    (void) start_of(&t->b, pay_chain);
    acked a = started(&t->a, &start);
    assert_int_equal(calls_of(&t->a, "sim/pay"), 1);
    die_and_be_taken_over(t, &t->a, &t->b, 0, 16);
    turns(&t->b);
    assert_int_equal(calls_of(&t->b, "sim/check"), 1);
    assert_int_equal(calls_of(&t->b, "sim/pay"), 0);
    /* a was stopped, and goes on before it has heard anything */
    answer(&t->a, "sim/pay", "1");
    turns(&t->a);
    assert_int_equal(row_of(t, a.id).status, CTN_STATUS_RUNNING);
    assert_null(ctn_engine_find(t->a.engine, a.id));
    acked late = {0};
    int batches = t->a.batches;
    ctn_engine_input(t->a.engine, a.id, &(ctn_input){.kind = CTN_IN_CANCEL, .actor = CTN_STR("ada")}, NULL, on_ack,
                     &late);
    turns(&t->a);
    assert_int_equal(late.rc, CTN_E_STALE);
    for (int i = 0; i < 40; i++) { /* nor does it try again and again */
        t->now_ms += 50;
        turns(&t->a);
    }
    assert_int_equal(t->a.batches, batches);
    assert_false(has_logged_an_error(&t->a));
    answer(&t->b, "sim/check", "{\"happened\":true,\"result\":1}");
    turns(&t->b);
    assert_int_equal(row_of(t, a.id).status, CTN_STATUS_COMPLETED);
    town_free(t);
}

/* The lease says so a moment before the engine is told. */
static void under_another_epoch_nothing_is_decided(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, 16);
    ctn_start start = start_of(&t->a, two_chain);
    acked a = started(&t->a, &start), late = {0};
    uint32_t shard = ctn_shard_of_id(a.id, SHARDS);
    int batches = t->a.batches;
    t->a.epochs[shard]++;
    answer(&t->a, "sim/pay", "1");
    ctn_engine_input(t->a.engine, a.id, &(ctn_input){.kind = CTN_IN_PAUSE, .actor = CTN_STR("ada")}, NULL, on_ack,
                     &late);
    turns(&t->a);
    pass(t, 2000);
    assert_int_equal(t->a.batches, batches);
    assert_int_equal(late.rc, CTN_E_STALE);
    assert_int_equal(calls_of(&t->a, "sim/pay"), 1);
    town_free(t);
}

/* The dead node's servers may be at it still. */
static void after_a_takeover_a_no_counts_when_settle_ms_are_over(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, 16);
    ctn_start start = start_of(&t->a, pay_chain);
    (void) start_of(&t->b, pay_chain);
    acked a = started(&t->a, &start);
    die_and_be_taken_over(t, &t->a, &t->b, 0, 16);
    turns(&t->b);
    int64_t taken_at_ms = t->now_ms;
    t->a.left_ms = 0;
    while (calls_of(&t->b, "sim/pay") == 0 && t->now_ms < taken_at_ms + 60000) {
        for (int i = 0; i < t->b.call_count; i++)
            if (!t->b.calls[i].is_over)
                answer(&t->b, "sim/check", "{\"happened\":false}");
        t->now_ms += 50;
        turns(&t->b);
    }
    assert_true(t->now_ms - taken_at_ms >= 8000);
    assert_int_equal(calls_of(&t->b, "sim/pay"), 1);
    answer(&t->b, "sim/pay", "1");
    turns(&t->b);
    assert_int_equal(row_of(t, a.id).status, CTN_STATUS_COMPLETED);
    town_free(t);
}

static void of_a_lost_shard_calls_are_let_go_and_who_waits_is_told(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, 16);
    ctn_start start = start_of(&t->a, pay_chain);
    acked a = started(&t->a, &start), waits = {0};
    ctn_engine_input(t->a.engine, a.id, &(ctn_input){.kind = CTN_IN_PAUSE, .actor = CTN_STR("ada")}, NULL, on_ack,
                     &waits);
    (void) ctn_engine_turn(t->a.engine); /* decided, and with the writer */
    acked behind = {0};
    ctn_engine_input(t->a.engine, a.id, &(ctn_input){.kind = CTN_IN_CANCEL, .actor = CTN_STR("ada")}, NULL, on_ack,
                     &behind);
    (void) ctn_engine_turn(t->a.engine); /* decided behind that */
    lose_shards(&t->a, 0, 16);
    assert_true(t->a.calls[0].was_let_go);
    assert_int_equal(behind.rc, CTN_E_STALE);
    assert_int_equal(waits.count, 0);
    turns(&t->a);
    assert_int_equal(waits.count, 1);
    assert_int_equal(waits.rc, CTN_OK); /* the store had taken it */
    assert_int_equal(ctn_engine_figures_now(t->a.engine).loaded, 0);
    assert_false(has_logged_an_error(&t->a));
    town_free(t);
}

/* ---- sending ---- */

static void a_write_waits_until_its_lease_is_long_enough(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, 16);
    ctn_start start = start_of(&t->a, pay_chain), reads = start_of(&t->a, one_chain);
    t->a.left_ms = 500;
    (void) started(&t->a, &start);
    (void) started(&t->a, &reads);
    assert_int_equal(calls_of(&t->a, "sim/pay"), 0);
    assert_int_equal(calls_of(&t->a, "sim/read"), 1); /* what may be repeated does not wait */
    assert_true(t->a.next_ms > t->now_ms && t->a.next_ms <= t->now_ms + 1000);
    pass(t, 1000);
    assert_int_equal(calls_of(&t->a, "sim/pay"), 0);
    t->a.left_ms = 501;
    pass(t, 200);
    assert_int_equal(calls_of(&t->a, "sim/pay"), 1);
    assert_int_equal(ctn_engine_figures_now(t->a.engine).late_sends, 0);
    town_free(t);
}

/* ---- giving back ---- */

static void a_drained_shard_is_quiet_when_its_calls_have_ended(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, 16);
    ctn_start start = start_of(&t->a, two_chain), asking = start_of(&t->a, answer_chain),
              reads = start_of(&t->a, one_chain);
    (void) start_of(&t->b, two_chain);
    acked a = started(&t->a, &start), ignored = {0};
    ctn_shard_set all = range(0, 16);
    ctn_engine_start(t->a.engine, &reads, on_ack, &ignored);
    (void) ctn_engine_turn(t->a.engine); /* its call is decided, and begins when that is on disk */
    ctn_engine_shards_drain(t->a.engine, &all);
    turns(&t->a);
    assert_int_equal(calls_of(&t->a, "sim/read"), 0);
    assert_false(ctn_engine_shards_are_quiet(t->a.engine, &all));
    assert_int_equal(started(&t->a, &asking).rc, CTN_E_STALE);
    answer(&t->a, "sim/pay", "1"); /* the next step is for who comes next */
    turns(&t->a);
    assert_true(ctn_engine_shards_are_quiet(t->a.engine, &all));
    assert_int_equal(calls_of(&t->a, "sim/pay"), 1);
    assert_int_equal(ctn_store_shards_release(t->a.store, t->a.incarnation, &all, NULL), CTN_OK);
    lose_shards(&t->a, 0, 16);
    take_shards(&t->b, 0, 16);
    pass(t, 200);
    assert_int_equal(calls_of(&t->b, "sim/pay"), 1);
    answer(&t->b, "sim/pay", "1");
    turns(&t->b);
    assert_int_equal(row_of(t, a.id).status, CTN_STATUS_COMPLETED);
    town_free(t);
}

static void a_drain_that_is_called_off_goes_on_here(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, 16);
    ctn_start start = start_of(&t->a, pay_chain);
    acked a = started(&t->a, &start);
    ctn_shard_set all = range(0, 16);
    ctn_engine_shards_drain(t->a.engine, &all);
    turns(&t->a);
    ctn_engine_shards_gained(t->a.engine, &all);
    answer(&t->a, "sim/pay", NULL);
    pass(t, 200);
    assert_int_equal(calls_of(&t->a, "sim/pay"), 2);
    answer(&t->a, "sim/pay", "1");
    turns(&t->a);
    assert_int_equal(row_of(t, a.id).status, CTN_STATUS_COMPLETED);
    town_free(t);
}

/* ---- requests ---- */

static int64_t request_put(town *t, ctn_execution_id id, const char *kind)
{
    int64_t no = 0;
    ctn_request_row row = {.shard = ctn_shard_of_id(id, SHARDS),
                           .id = id,
                           .kind = ctn_str_from(kind),
                           .body = CTN_STR("{}"),
                           .filed_at_ms = t->now_ms};
    assert_int_equal(ctn_store_requests_put(t->b.store, &row, 1, &no, NULL), CTN_OK);
    return no;
}

static bool is_done(town *t, ctn_execution_id id, int64_t no)
{
    ctn_request_row row;
    assert_int_equal(ctn_store_request_get(t->b.store, t->arena, ctn_shard_of_id(id, SHARDS), no, &row, NULL), CTN_OK);
    return row.is_done;
}

static void requests_are_done_with_the_commit_of_what_they_did(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, 16);
    ctn_start start = start_of(&t->a, answer_chain);
    start.id = id_in(t, 7);
    start.by.request = request_put(t, start.id, "start");
    acked a = {0};
    ctn_engine_start(t->a.engine, &start, on_ack, &a);
    (void) ctn_engine_turn(t->a.engine);
    assert_false(is_done(t, start.id, start.by.request));
    turns(&t->a);
    assert_int_equal(a.rc, CTN_OK);
    assert_true(is_done(t, start.id, start.by.request));
    /* Two for one execution, which are decided while the writer is busy */
    ctn_start other = start_of(&t->a, answer_chain);
    acked ignored = {0};
    ctn_engine_start(t->a.engine, &other, on_ack, &ignored);
    (void) ctn_engine_turn(t->a.engine);
    assert_non_null(t->a.submitted[0]);
    int64_t nos[2] = {request_put(t, start.id, "input"), request_put(t, start.id, "input")};
    ctn_input_kind kinds[2] = {CTN_IN_PAUSE, CTN_IN_RESUME};
    acked acks[2] = {{0}};
    for (int i = 0; i < 2; i++)
        ctn_engine_input(t->a.engine, start.id, &(ctn_input){.kind = kinds[i], .actor = CTN_STR("ada")},
                         &(ctn_requester){.request = nos[i]}, on_ack, &acks[i]);
    turns(&t->a);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(acks[i].count, 1);
        assert_int_equal(acks[i].rc, CTN_OK);
        assert_true(is_done(t, start.id, nos[i]));
    }
    town_free(t);
}

/* ---- what the engine starts itself ---- */

static void on_failure_starts_where_its_chain_is_counted(void **state)
{
    (void) state;
    town *t = town_new();
    uint32_t shard = ctn_shard_of_name(CTN_STR("chain"), CTN_STR("one-at-a-time"), SHARDS);
    take_shards(&t->a, 0, shard);
    take_shards(&t->a, shard + 1, 16);
    take_shards(&t->b, shard, shard + 1);
    ctn_start start = start_of(&t->a, failing_chain);
    acked a = started(&t->a, &start);
    answer(&t->a, "sim/fail", NULL);
    pass(t, 2000);
    assert_int_equal(t->a.sent_elsewhere, 2);
    assert_int_equal(ctn_shard_of_id(t->a.elsewhere, SHARDS), shard);
    assert_int_equal(row_of(t, a.id).status, CTN_STATUS_FAILED);
    assert_int_equal(row_of(t, a.id).wake_at_ms, 0); /* nothing is owed any more */
    town_free(t);
}

static int count_rows(void *ctx, const ctn_execution_row *row)
{
    (void) row;
    ++*(int *) ctx;
    return 0;
}

static void a_schedule_fires_once_when_its_shard_moves_at_that_moment(void **state)
{
    (void) state;
    town *t = town_of((ctn_schedule){.chain_id = CTN_STR("one-at-a-time"), .cron = CTN_STR("* * * * *")}, 1);
    take_shards(&t->a, 0, 16);
    turns(&t->a);
    turns(&t->b);
    t->now_ms += 60000 - t->now_ms % 60000;
    (void) ctn_engine_turn(t->a.engine); /* due, and asked for */
    (void) ctn_engine_turn(t->a.engine);
    assert_non_null(t->a.submitted[0]);
    assert_true(commit(&t->a)); /* on disk, and a never hears of it */
    die_and_be_taken_over(t, &t->a, &t->b, 0, 16);
    for (int i = 0; i < 16; i++)
        t->a.epochs[i] = 0;
    turns(&t->b);
    turns(&t->a);
    int count = 0;
    assert_int_equal(ctn_store_execution_list(t->b.writes, &(ctn_execution_filter){0}, count_rows, &count, NULL),
                     CTN_OK);
    assert_int_equal(count, 1);
    assert_int_equal(calls_of(&t->b, "sim/read"), 1);
    answer(&t->b, "sim/read", "1");
    turns(&t->b);
    t->now_ms += 60000;
    turns(&t->b);
    assert_int_equal(calls_of(&t->b, "sim/read"), 2);
    town_free(t);
}

/* What shares no shard with what failed does not wait for it, and what failed
 * is read back and goes on. */
static void a_commit_fails_in_one_strand_and_the_other_goes_on(void **state)
{
    (void) state;
    enum { STARTS = 8 };
    town *t = town_of((ctn_schedule){0}, 2);
    acked acks[STARTS] = {0};
    take_shards(&t->a, 0, SHARDS);
    ctn_start start = start_of(&t->a, two_chain);
    for (int i = 0; i < STARTS; i++)
        ctn_engine_start(t->a.engine, &start, on_ack, &acks[i]);
    (void) ctn_engine_turn(t->a.engine);
    ctn_batch *lost = t->a.submitted[1];
    assert_non_null(t->a.submitted[0]);
    assert_non_null(lost);
    size_t kept = t->a.submitted[0]->count;

    lost->err = (ctn_err){0};
    lost->rc = ctn_fail(&lost->err, CTN_E_IO, "the link is cut");
    t->a.submitted[1] = NULL;
    ctn_engine_batch_done(t->a.engine, lost);
    assert_true(commit_of(&t->a, 0));
    (void) ctn_engine_turn(t->a.engine);
    size_t told = 0;
    for (int i = 0; i < STARTS; i++)
        told += acks[i].count == 1 && acks[i].rc == CTN_OK;
    assert_int_equal(told, kept);
    pass(t, 2000);
    for (int i = 0; i < STARTS; i++) {
        assert_int_equal(acks[i].count, 1);
        assert_int_equal(acks[i].rc, CTN_OK);
    }
    assert_int_equal(calls_of(&t->a, "sim/pay"), STARTS);
    town_free(t);
}

/* ---- labels ---- */

static void give(node *from, node *to, uint32_t shard)
{
    ctn_shard_set one = range(shard, shard + 1);
    lose_shards(from, shard, shard + 1);
    assert_int_equal(ctn_store_shards_release(from->store, from->incarnation, &one, NULL), CTN_OK);
    take_shards(to, shard, shard + 1);
    turns(to);
}

/* a has no gpu, b has. */
static void what_requires_labels_waits_where_they_are_not_and_begins_where_they_are(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->a, 0, SHARDS);
    ctn_start start = start_of(&t->a, gpu_chain);
    acked first = started(&t->a, &start), second = started(&t->a, &start);
    assert_int_equal(first.rc, CTN_OK); /* it is kept */
    uint32_t shard = ctn_shard_of_id(first.id, SHARDS);
    assert_int_equal(ctn_shard_of_id(second.id, SHARDS), shard); /* that is set aside */
    pass(t, 5000);
    assert_int_equal(t->a.call_count, 0);
    acked ended = {0}; /* who waits can be ended */
    ctn_engine_input(t->a.engine, second.id, &(ctn_input){.kind = CTN_IN_CANCEL, .actor = CTN_STR("ada")}, NULL, on_ack,
                     &ended);
    turns(&t->a);
    assert_int_equal(ended.rc, CTN_OK);
    assert_int_equal(row_of(t, second.id).status, CTN_STATUS_CANCELLED);
    give(&t->a, &t->b, shard);
    assert_int_equal(calls_of(&t->b, "sim/pay"), 1);
    answer(&t->b, "sim/pay", "{}");
    turns(&t->b);
    assert_int_equal(row_of(t, first.id).status, CTN_STATUS_COMPLETED);
    assert_int_equal(t->a.call_count, 0);
    town_free(t);
}

/* It had begun where the label is, and its shard went where it is not: what was under way waits for the next one. */
static void what_was_begun_is_not_gone_on_with_where_the_labels_are_not(void **state)
{
    (void) state;
    town *t = town_new();
    take_shards(&t->b, 0, SHARDS);
    ctn_start start = start_of(&t->b, calls_gpu_chain); /* its sub-chain requires it */
    acked a = started(&t->b, &start);
    uint32_t shard = ctn_shard_of_id(a.id, SHARDS);
    assert_int_equal(calls_of(&t->b, "sim/read"), 1);
    give(&t->b, &t->a, shard);
    pass(t, 5000);
    assert_int_equal(t->a.call_count, 0);
    give(&t->a, &t->b, shard);
    assert_int_equal(calls_of(&t->b, "sim/read"), 2);
    answer(&t->b, "sim/read", "{}");
    turns(&t->b);
    assert_int_equal(calls_of(&t->b, "sim/pay"), 1);
    give(&t->b, &t->a, shard);
    pass(t, 5000);
    assert_int_equal(t->a.call_count, 0);
    town_free(t);
}

static void lines_of_what_requires_labels_are_in_shards_that_are_set_aside(void **state)
{
    (void) state;
    town *t = town_new();
    ctn_shard_set gpu, north;
    take_shards(&t->b, 0, SHARDS);
    assert_int_equal(ctn_store_need_claim(t->a.store, CTN_STR("{\"gpu\":true}"), &gpu, NULL), CTN_OK);
    ctn_start line = start_of(&t->b, gpu_line_chain);
    line.input = input_of(t, "{\"who\":\"ada\"}");
    acked a = started(&t->b, &line), b = started(&t->b, &line);
    assert_int_equal(ctn_store_need_claim(t->a.store, CTN_STR("{\"gpu\":true,\"zone\":\"north\"}"), &north, NULL),
                     CTN_OK);
    assert_true(ctn_shard_set_has(&north, ctn_shard_of_id(a.id, SHARDS)));
    assert_true(ctn_shard_set_has(&north, ctn_shard_of_id(b.id, SHARDS)));
    assert_int_equal(ctn_shard_set_count_in(&gpu, &north), 0);
    assert_int_equal(t->b.call_count, 0); /* it has no zone */
    town_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_fails_in_one_strand_and_the_other_goes_on),
        cmocka_unit_test(what_requires_labels_waits_where_they_are_not_and_begins_where_they_are),
        cmocka_unit_test(what_was_begun_is_not_gone_on_with_where_the_labels_are_not),
        cmocka_unit_test(lines_of_what_requires_labels_are_in_shards_that_are_set_aside),
        cmocka_unit_test(number_and_id_of_a_start_say_a_shard_of_its_node),
        cmocka_unit_test(numbers_in_a_shard_ascend_when_it_moves),
        cmocka_unit_test(a_start_for_another_nodes_shard_is_sent_there),
        cmocka_unit_test(a_start_that_comes_again_under_its_id_is_one),
        cmocka_unit_test(a_node_that_wakes_late_records_nothing),
        cmocka_unit_test(under_another_epoch_nothing_is_decided),
        cmocka_unit_test(after_a_takeover_a_no_counts_when_settle_ms_are_over),
        cmocka_unit_test(of_a_lost_shard_calls_are_let_go_and_who_waits_is_told),
        cmocka_unit_test(a_write_waits_until_its_lease_is_long_enough),
        cmocka_unit_test(a_drained_shard_is_quiet_when_its_calls_have_ended),
        cmocka_unit_test(a_drain_that_is_called_off_goes_on_here),
        cmocka_unit_test(requests_are_done_with_the_commit_of_what_they_did),
        cmocka_unit_test(on_failure_starts_where_its_chain_is_counted),
        cmocka_unit_test(a_schedule_fires_once_when_its_shard_moves_at_that_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
