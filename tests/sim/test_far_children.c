/*
 * Sub-chains that live in another shard than their parents, on two nodes that share a store: one node dies before and
 * after everything that it writes, and each child is started once, told once, stopped, paused and undone with its
 * parent.
 *
 * One node has the shard where the children's chain (or line) is kept, the other one all others. What goes between them
 * are real requests (fleet/request.h). Time is virtual; a call takes effect when it begins and is answered later.
 */
#include "chain/library.h"
#include "engine/placement.h"
#include "fleet/request.h"
#include "store/memory/memory.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS     16
#define TERM_MS    3500
#define TICK_MS    50
#define TICKS_MAX  6000
#define CALLS_MAX  32
#define ASKED_MAX  32
#define LEDGER_MAX 64

typedef struct call {
    uint64_t token; /* 0: free */
    char target[32], key[128];
    int64_t due_ms;
} call;

typedef struct region region;
typedef struct node node;

typedef struct asking { /* of another node, whose answer is waited for */
    int64_t no;         /* 0: free */
    uint32_t shard;
    ctn_execution_id id;
    ctn_ack_fn *ack;
    void *ctx;
} asking;

typedef struct serving {
    node *n;
    int64_t no; /* 0: free */
    uint32_t shard;
} serving;

struct node {
    region *r;
    const char *name;
    ctn_store *store, *writes;
    ctn_engine *engine; /* NULL: it is dead */
    ctn_leases leases;
    ctn_driver driver;
    const ctn_driver *drivers[1];
    ctn_batch *submitted[2]; /* of each strand */
    int64_t incarnation;
    uint64_t epochs[SHARDS], chance;
    bool was_crash[SHARDS];
    call calls[CALLS_MAX];
    asking askings[ASKED_MAX];
    serving servings[ASKED_MAX];
};

typedef struct deed {
    char what[16], key[128];
    int count;
} deed;

struct region {
    int64_t now_ms;
    char url[64];
    ctn_clock clock;
    ctn_arena *arena;
    node nodes[2]; /* the second one has the children */
    ctn_shard_set of_children;
    deed ledger[LEDGER_MAX];
    int deeds;
    /* the death */
    int points, die_at; /* writes so far; the one at which its node dies, from 1; 0: none */
    bool dies_before, heir_is_reborn;
    bool children_sleep; /* their node is slow: it does nothing but keep its lease */
    bool loses_words;    /* that a child has ended, when its parent's shard is asked to look */
    node *dead;
    int64_t died_at_ms;
    const char *one_at_a_time; /* a chain with maxConcurrent: 1, or NULL */
};

/* ---- deaths ---- */

static void die(node *n)
{
    n->r->dead = n;
    n->r->died_at_ms = n->r->now_ms;
}

/* Before anything is written: false when the node dies first. `after`: it dies with it done, and hears of nothing. */
static bool reaches_the_store(node *n, bool *ret_dies_after)
{
    region *r = n->r;
    *ret_dies_after = false;
    if (r->dead == n)
        return false;
    if (++r->points != r->die_at)
        return true;
    if (r->dies_before)
        die(n);
    *ret_dies_after = !r->dies_before;
    return !r->dies_before;
}

/* ---- tools ---- */

static deed *deed_of(region *r, const char *what, ctn_str key)
{
    for (int i = 0; i < r->deeds; i++)
        if (ctn_str_is(key, r->ledger[i].key) && strcmp(r->ledger[i].what, what) == 0)
            return &r->ledger[i];
    assert_true(r->deeds < LEDGER_MAX);
    deed *d = &r->ledger[r->deeds++];
    snprintf(d->what, sizeof d->what, "%s", what);
    snprintf(d->key, sizeof d->key, "%.*s", CTN_STR_ARG(key));
    return d;
}

static int done(const region *r, const char *what)
{
    int count = 0;
    for (int i = 0; i < r->deeds; i++)
        if (strcmp(r->ledger[i].what, what) == 0) {
            assert_true(r->ledger[i].count <= 1);
            count += r->ledger[i].count;
        }
    return count;
}

static void on_begin(void *ctx, const ctn_call_request *request)
{
    node *n = ctx;
    if (n->r->dead == n)
        return;
    call *c = n->calls;
    while (c->token)
        assert_true(++c < n->calls + CALLS_MAX);
    *c = (call){.token = request->token, .due_ms = n->r->now_ms + TICK_MS};
    snprintf(c->target, sizeof c->target, "%.*s", CTN_STR_ARG(request->target));
    snprintf(c->key, sizeof c->key, "%.*s", CTN_STR_ARG(request->idempotency_key));
    if (strcmp(c->target, "sim/write") == 0 || strcmp(c->target, "sim/undo") == 0)
        deed_of(n->r, c->target + 4, request->idempotency_key)->count++;
}

static void on_cancel(void *ctx, uint64_t token)
{
    node *n = ctx;
    for (int i = 0; i < CALLS_MAX; i++)
        if (n->calls[i].token == token)
            n->calls[i].token = 0;
}

static void answer_calls(node *n)
{
    for (int i = 0; i < CALLS_MAX; i++) {
        call c = n->calls[i];
        ctn_call_result result = {.was_sent = true};
        if (!c.token || c.due_ms > n->r->now_ms)
            continue;
        n->calls[i].token = 0;
        if (strcmp(c.target, "sim/fail") == 0)
            result =
                (ctn_call_result){.failure = CTN_FAILURE_TOOL_ERROR, .message = CTN_STR("so it is"), .was_sent = true};
        else {
            const deed *d =
                deed_of(n->r, strcmp(c.target, "sim/check_undo") == 0 ? "undo" : "write", ctn_str_from(c.key));
            const char *text = strncmp(c.target, "sim/check", 9) != 0 ? "{\"value\":7}"
                               : d->count                             ? "{\"happened\":true,\"result\":{\"value\":7}}"
                                                                      : "{\"happened\":false}";
            assert_int_equal(ctn_json_parse(n->r->arena, ctn_str_from(text), NULL, &result.value, NULL), CTN_OK);
        }
        const ctn_call_sink *sink = ctn_engine_sink(n->engine);
        sink->done(sink->ctx, c.token, &result);
    }
}

/* ---- what is asked of another node ---- */

static void put(node *n, ctn_request *q, uint32_t shard, ctn_ack_fn *ack, void *ctx)
{
    bool dies_after;
    ctn_err err = {0};
    ctn_request_row row;
    asking *a = n->askings;
    while (a->no)
        assert_true(++a < n->askings + ASKED_MAX);
    q->is_engines = true;
    assert_int_equal(ctn_request_to_row(q, NULL, shard, n->r->arena, &row, &err), CTN_OK);
    row.from = n->incarnation;
    if (!reaches_the_store(n, &dies_after))
        return;
    *a = (asking){.shard = shard, .id = q->id, .ack = ack, .ctx = ctx};
    assert_int_equal(ctn_store_requests_put(n->writes, &row, 1, &a->no, &err), CTN_OK);
    if (dies_after)
        die(n);
}

static void start_elsewhere(void *ctx, const ctn_start *start, ctn_ack_fn *ack, void *ack_ctx)
{
    ctn_request q = {.op = CTN_REQUEST_START,
                     .id = start->id,
                     .actor = start->actor,
                     .by = start->by,
                     .known_plan = start->plan,
                     .known_version = start->version,
                     .input = start->input,
                     .sensitive = start->sensitive,
                     .parent = start->parent,
                     .is_stopped = start->is_stopped};
    put(ctx, &q, ctn_shard_of_id(q.id, SHARDS), ack, ack_ctx);
}

static void input_elsewhere(void *ctx, ctn_execution_id id, const ctn_input *in, ctn_ack_fn *ack, void *ack_ctx)
{
    if (in->kind == CTN_IN_CHILD_ENDED && ((node *) ctx)->r->loses_words) {
        ack(ack_ctx, CTN_OK, id, NULL);
        return;
    }
    ctn_request_op op = in->kind == CTN_IN_CANCEL   ? CTN_REQUEST_CANCEL
                        : in->kind == CTN_IN_PAUSE  ? CTN_REQUEST_PAUSE
                        : in->kind == CTN_IN_RESUME ? CTN_REQUEST_RESUME
                        : in->kind == CTN_IN_UNDO   ? CTN_REQUEST_UNDO
                                                    : CTN_REQUEST_CHILD_ENDED;
    ctn_request q = {.op = op, .id = id, .actor = in->actor, .name = in->name, .reason = in->message};
    put(ctx, &q, ctn_shard_of_id(id, SHARDS), ack, ack_ctx);
}

static void hear_answers(node *n)
{
    for (int i = 0; i < ASKED_MAX; i++) {
        asking a = n->askings[i];
        ctn_request_row row;
        ctn_err err = {0};
        if (!a.no)
            continue;
        assert_int_equal(ctn_store_request_get(n->store, n->r->arena, a.shard, a.no, &row, NULL), CTN_OK);
        if (!row.is_done)
            continue;
        n->askings[i].no = 0;
        if (row.rc)
            ctn_fail(&err, row.rc, "%.*s", CTN_STR_ARG(row.sentence));
        a.ack(a.ctx, row.rc, a.id, &err);
    }
}

static void on_served(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    serving *s = ctx;
    bool dies_after;
    int64_t no = s->no;
    (void) id;
    s->no = 0;
    if (rc == CTN_E_STALE || rc == CTN_E_CLOSED || !reaches_the_store(s->n, &dies_after))
        return;
    (void) ctn_store_request_answer(s->n->writes, s->shard, no, rc, ctn_str_from(rc ? err->message : ""), NULL);
    if (dies_after)
        die(s->n);
}

typedef struct found {
    ctn_request_row rows[ASKED_MAX];
    int count;
    ctn_arena *arena;
} found;

static int keep(void *ctx, const ctn_request_row *row)
{
    found *f = ctx;
    if (f->count == ASKED_MAX)
        return 1;
    f->rows[f->count] = *row;
    f->rows[f->count++].body = ctn_arena_str(f->arena, row->body);
    return 0;
}

static void serve(node *n)
{
    found f = {.arena = n->r->arena};
    assert_int_equal(ctn_store_requests_waiting(n->store, 0, ASKED_MAX, keep, &f, NULL), CTN_OK);
    for (int i = 0; i < f.count && n->r->dead != n; i++) {
        serving *s = NULL;
        bool is_served = false;
        for (int k = 0; k < ASKED_MAX; k++) {
            is_served |= n->servings[k].no == f.rows[i].no;
            s = n->servings[k].no || s ? s : &n->servings[k];
        }
        if (is_served || !n->epochs[f.rows[i].shard])
            continue;
        ctn_request q = {0};
        ctn_plan *plan = NULL;
        const ctn_json *definitions = NULL;
        ctn_err err = {0};
        assert_non_null(s);
        *s = (serving){.n = n, .no = f.rows[i].no, .shard = f.rows[i].shard};
        assert_int_equal(ctn_request_from_row(&f.rows[i], NULL, n->r->arena, &q, &definitions, &err), CTN_OK);
        if (q.op == CTN_REQUEST_START) {
            assert_int_equal(ctn_request_find_plan(definitions, n->store, &plan, &err), CTN_OK);
            assert_int_equal(ctn_engine_plan_add(n->engine, plan, q.actor, &q.known_plan, &q.known_version, &err),
                             CTN_OK);
        }
        ctn_request_file(n->engine, n->store, &q, on_served, s);
    }
}

/* ---- nodes ---- */

static int64_t on_clock(void *ctx)
{
    return ((region *) ctx)->now_ms;
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
    return ((node *) ctx)->epochs[shard] ? TERM_MS : 0;
}

static void on_submit(void *ctx, ctn_batch *batch)
{
    ((node *) ctx)->submitted[batch->strand] = batch;
}

static void node_open(region *r, node *n)
{
    ctn_node_row row = {.name = ctn_str_from(n->name), .labels = CTN_STR("{}"), .version = CTN_STR("1")};
    uint64_t chance = n->chance + 1;
    *n = (node){.r = r, .name = n->name, .chance = chance};
    assert_int_equal(ctn_store_open(r->url, CTN_STORE_CREATE, &n->store, NULL), CTN_OK);
    assert_int_equal(ctn_store_open(r->url, CTN_STORE_CREATE, &n->writes, NULL), CTN_OK);
    ctn_memory_clock(n->store, &r->clock);
    assert_int_equal(ctn_store_node_join(n->store, &row, TERM_MS, &n->incarnation, NULL), CTN_OK);
    assert_int_equal(ctn_store_handle_of(n->writes, n->incarnation, NULL), CTN_OK);
    n->leases =
        (ctn_leases){.ctx = n, .epoch = on_epoch, .was_crash = on_was_crash, .left_ms = on_left, .send_ms = 500};
    n->driver = (ctn_driver){.kind = "tool", .ctx = n, .begin = on_begin, .cancel = on_cancel};
    n->drivers[0] = &n->driver;
    ctn_engine_options o = {.store = n->store,
                            .leases = &n->leases,
                            .clock = r->clock,
                            .seed = n->chance,
                            .id_rng = ctn_rng_seeded(&n->chance),
                            .writer = {.ctx = n, .submit = on_submit, .strands = 2},
                            .drivers = n->drivers,
                            .driver_count = 1,
                            .start_elsewhere = start_elsewhere,
                            .input_elsewhere = input_elsewhere,
                            .elsewhere_ctx = n};
    assert_int_equal(ctn_engine_new(&o, &n->engine, NULL), CTN_OK);
}

static void node_close(node *n)
{
    if (!n->engine)
        return;
    ctn_engine_free(n->engine);
    ctn_store_close(n->store);
    ctn_store_close(n->writes);
    n->engine = NULL;
}

static void take_shards(node *n, const ctn_shard_set *which)
{
    for (uint32_t i = 0; i < SHARDS; i++) {
        ctn_shard_lease lease;
        if (!ctn_shard_set_has(which, i))
            continue;
        assert_int_equal(ctn_store_shard_take(n->store, n->incarnation, i, &lease, NULL), CTN_OK);
        n->epochs[i] = lease.epoch;
        n->was_crash[i] = lease.was_crash;
    }
    ctn_engine_shards_gained(n->engine, which);
}

static ctn_shard_set others_of(const ctn_shard_set *set)
{
    ctn_shard_set others = {{0}};
    for (uint32_t i = 0; i < SHARDS; i++)
        if (!ctn_shard_set_has(set, i))
            ctn_shard_set_add(&others, i);
    return others;
}

/* Its lease runs out, and somebody has its shards. */
static void bury(region *r)
{
    node *dead = r->dead, *other = dead == &r->nodes[0] ? &r->nodes[1] : &r->nodes[0];
    ctn_shard_set its = dead == &r->nodes[1] ? r->of_children : others_of(&r->of_children);
    uint32_t buried = 0;
    if (dead->engine) {
        node_close(dead);
        memset(dead->epochs, 0, sizeof dead->epochs);
    }
    if (r->now_ms < r->died_at_ms + TERM_MS + CTN_SETTLE_MS + TICK_MS)
        return;
    assert_int_equal(ctn_store_nodes_bury(other->store, CTN_SETTLE_MS, &buried, NULL), CTN_OK);
    assert_int_equal(buried, 1);
    r->dead = NULL;
    node_open(r, dead);
    take_shards(r->heir_is_reborn ? dead : other, &its);
}

/* The row of a child's end says that its parent is to be told: in the same commit, so that no death comes between. */
static void check_ends(const region *r, const ctn_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const ctn_append *a = &batch->appends[i];
        bool is_end = a->count && a->change && ctn_status_is_final(a->change->status);
        if (is_end && ctn_shard_set_has(&r->of_children, (uint32_t) (a->exec_no % SHARDS)))
            assert_int_equal(a->change->wake_at_ms, 1);
    }
}

static void commit_one(node *n, uint32_t strand)
{
    bool dies_after;
    ctn_batch *batch = n->submitted[strand];
    n->submitted[strand] = NULL;
    if (!batch || !reaches_the_store(n, &dies_after))
        return;
    check_ends(n->r, batch);
    batch->err = (ctn_err){0};
    batch->rc = ctn_store_commit(n->writes, batch->appends, batch->count, batch->outcomes, &batch->err);
    if (dies_after)
        die(n);
    else
        ctn_engine_batch_done(n->engine, batch);
}

/* Those of two strands in any order. */
static void commit(node *n)
{
    uint32_t first = n->r->heir_is_reborn;
    commit_one(n, first);
    commit_one(n, !first);
}

static void work(node *n)
{
    ctn_beat beat;
    const region *r = n->r;
    assert_int_equal(ctn_store_node_beat(n->store, n->incarnation, TERM_MS, false, r->arena, &beat, NULL), CTN_OK);
    if (r->children_sleep && n == &r->nodes[1])
        return;
    answer_calls(n);
    if (r->dead != n)
        hear_answers(n);
    if (r->dead != n)
        serve(n);
    for (int i = 0; i < 8 && r->dead != n; i++) {
        (void) ctn_engine_turn(n->engine);
        if (!n->submitted[0] && !n->submitted[1])
            break;
        commit(n);
    }
}

typedef struct count {
    const region *r;
    int unfinished, running, all;
    bool owes;
} count;

static int count_one(void *ctx, const ctn_execution_row *row)
{
    count *c = ctx;
    bool is_over = ctn_status_is_final(row->status);
    c->all++;
    c->unfinished += !is_over;
    c->owes = c->owes || (is_over && row->wake_at_ms);
    if (c->r->one_at_a_time && ctn_str_is(row->chain_id, c->r->one_at_a_time))
        c->running += !is_over && row->status != CTN_STATUS_QUEUED;
    return 0;
}

static count look(region *r)
{
    count c = {.r = r};
    node *n = r->nodes[0].engine ? &r->nodes[0] : &r->nodes[1];
    assert_int_equal(ctn_store_execution_list(n->store, &(ctn_execution_filter){0}, count_one, &c, NULL), CTN_OK);
    return c;
}

static void tick(region *r)
{
    r->now_ms += TICK_MS;
    if (r->dead)
        bury(r);
    for (int i = 0; i < 2; i++)
        if (&r->nodes[i] != r->dead && r->nodes[i].engine)
            work(&r->nodes[i]);
    if (r->dead && r->dead->engine)
        node_close(r->dead);
}

static void pass(region *r, int64_t ms)
{
    for (int64_t until_ms = r->now_ms + ms; r->now_ms < until_ms;)
        tick(r);
}

/* Until everything has ended, and nobody is owed a word. */
static void run(region *r)
{
    for (int i = 0;; i++) {
        count c = look(r);
        assert_true(c.running <= 1);
        if (!c.unfinished && !c.owes && !r->dead)
            break;
        if (i == TICKS_MAX)
            fail_msg("%d of %d executions do not end (death at %d, %s)%s", c.unfinished, c.all, r->die_at,
                     r->dies_before ? "before" : "after", c.owes ? "; a word is owed" : "");
        tick(r);
    }
    pass(r, 200);
    found f = {.arena = r->arena};
    ctn_store *all;
    assert_int_equal(ctn_store_open(r->url, CTN_STORE_READ, &all, NULL), CTN_OK);
    assert_int_equal(ctn_store_requests_waiting(all, 0, ASKED_MAX, keep, &f, NULL), CTN_OK);
    ctn_store_close(all);
    assert_int_equal(f.count, 0);
}

/* ---- chains ---- */

#define WRITE(name)                                                                                                    \
    "  - {stepName: " name ", instructionSet: book, outputVariables: {f: value}, rollbackAction: unbook, "             \
    "retryConfig: {maxRetries: 5, backoffMs: 10}}\n"
#define SETS                                                                                                           \
    "instructionSets:\n"                                                                                               \
    "  book: {tool: sim/write, effect: write, check: {tool: sim/check}, settleMs: 100}\n"                              \
    "  unbook: {tool: sim/undo, effect: write, check: {tool: sim/check_undo}, settleMs: 100}\n"                        \
    "  nothing: {tool: sim/fail, effect: read}\n"                                                                      \
    "  rest: {wait: {ms: 9000}}\n"

static const char counted[] = "id: counted\nmaxConcurrent: 1\nsteps:\n" WRITE("write") SETS;
static const char lined[] = "id: lined\nconcurrencyKey: one-line\nsteps:\n" WRITE("write") SETS;
static const char slow[] = "id: slow\nmaxConcurrent: 1\nrollbackEnabled: true\nsteps:\n" WRITE(
    "write") "  - {stepName: rest, instructionSet: rest}\n" SETS;
static const char failing[] = "id: failing\nmaxConcurrent: 1\nrollbackEnabled: true\nsteps:\n" WRITE(
    "write") "  - {stepName: nothing, instructionSet: nothing}\n" SETS;

#define PARENT(child, keys, more)                                                                                      \
    "id: parent\nrollbackEnabled: true\nsteps:\n  - {stepName: child, instructionSet: child, outputVariables: {t: "    \
    "f}" keys "}\n" more "instructionSets:\n"                                                                          \
    "  child: {chain: " child ", arguments: {}}\n"                                                                     \
    "  nothing: {tool: sim/fail, effect: read}\n"

static ctn_plan *compile(region *r, const char *yaml, const char *child)
{
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL, *sub = NULL;
    ctn_plan *plan = NULL;
    (void) r;
    (void) ctn_library_add_text(library, CTN_STR("child.yaml"), ctn_str_from(child), &findings, &sub);
    (void) ctn_library_add_text(library, CTN_STR("parent.yaml"), ctn_str_from(yaml), &findings, &chain);
    if (!chain || ctn_plan_compile(arena, library, chain, &findings, &plan))
        fail_msg("%.*s", CTN_STR_ARG(findings.items[0].message));
    return plan;
}

/* ---- what a test wants ---- */

typedef struct story {
    const char *parent, *child;
    uint32_t shard; /* of the children */
    ctn_status ends;
    void (*meddle)(region *r, ctn_execution_id parent); /* at each tick; NULL: nobody does */
    const char *one_at_a_time;
    int written, undone; /* -1: as many as were written */
} story;

typedef struct acked {
    int count, rc;
} acked;

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    acked *a = ctx;
    (void) id, (void) err;
    a->count++;
    a->rc = rc;
}

static region *region_new(const story *s)
{
    static int number;
    region *r = calloc(1, sizeof *r);
    snprintf(r->url, sizeof r->url, "memory:far%d?shards=%d", ++number, SHARDS);
    r->now_ms = 1790000000000;
    r->clock = (ctn_clock){.now_ms = on_clock, .ctx = r};
    r->arena = ctn_arena_new(65536);
    r->one_at_a_time = s->one_at_a_time;
    ctn_shard_set_add(&r->of_children, s->shard);
    ctn_shard_set rest = others_of(&r->of_children);
    r->nodes[0].name = "parents";
    r->nodes[1].name = "children";
    for (int i = 0; i < 2; i++)
        node_open(r, &r->nodes[i]);
    take_shards(&r->nodes[0], &rest);
    take_shards(&r->nodes[1], &r->of_children);
    return r;
}

static void region_free(region *r)
{
    node_close(&r->nodes[0]);
    node_close(&r->nodes[1]);
    ctn_arena_free(r->arena);
    free(r);
}

static ctn_execution_id start_parent(region *r, const story *s)
{
    node *n = &r->nodes[0];
    const ctn_plan *plan = NULL;
    acked a = {0};
    ctn_rng rng = ctn_rng_seeded(&n->chance);
    ctn_start start = {.actor = CTN_STR("test"), .id = ctn_id_new(r->now_ms, &rng)};
    ctn_shard_into_id(&start.id, (s->shard + 3) % SHARDS);
    assert_int_equal(ctn_json_parse(r->arena, CTN_STR("{}"), NULL, &start.input, NULL), CTN_OK);
    assert_int_equal(
        ctn_engine_plan_add(n->engine, compile(r, s->parent, s->child), CTN_STR("test"), &plan, &start.version, NULL),
        CTN_OK);
    start.plan = plan;
    ctn_engine_start(n->engine, &start, on_ack, &a);
    (void) ctn_engine_turn(n->engine);
    commit(n);
    (void) ctn_engine_turn(n->engine);
    assert_int_equal(a.count, 1);
    r->points = 0;
    return start.id;
}

static ctn_execution_row row_of(region *r, ctn_execution_id id)
{
    ctn_execution_row row;
    node *n = r->nodes[0].engine ? &r->nodes[0] : &r->nodes[1];
    assert_int_equal(ctn_store_execution_get(n->store, r->arena, id, &row, NULL), CTN_OK);
    return row;
}

/* How many points there are. */
static int play(const story *s, int die_at, bool dies_before, bool heir_is_reborn)
{
    region *r = region_new(s);
    ctn_execution_id parent = start_parent(r, s);
    r->die_at = die_at;
    r->dies_before = dies_before;
    r->heir_is_reborn = heir_is_reborn;
    for (int i = 0; s->meddle && i < 600 && !ctn_status_is_final(row_of(r, parent).status); i++) {
        s->meddle(r, parent);
        tick(r);
    }
    run(r);
    ctn_status ended = row_of(r, parent).status;
    if (ended != s->ends)
        fail_msg("it ends %s (death at %d, %s, %s)", ctn_status_name(ended), die_at, dies_before ? "before" : "after",
                 heir_is_reborn ? "comes again" : "taken over");
    int written = done(r, "write"), undone = done(r, "undo"), points = r->points;
    if (s->written >= 0)
        assert_int_equal(written, s->written);
    assert_int_equal(undone, s->undone < 0 ? written : s->undone);
    region_free(r);
    return points;
}

static void play_all(const story *s, int points_least)
{
    int points = play(s, 0, false, false);
    assert_true(points >= points_least);
    for (int at = 1; at <= points; at++)
        for (int how = 0; how < 4; how++)
            (void) play(s, at, how & 1, how & 2);
}

/* The request is gone before anybody reads it: who waits looks by himself. */
static void a_word_that_is_lost_costs_seconds(void **state)
{
    (void) state;
    story s = {.parent = PARENT("counted", "", ""),
               .child = counted,
               .shard = ctn_shard_of_name(CTN_STR("chain"), CTN_STR("counted"), SHARDS)};
    region *r = region_new(&s);
    ctn_execution_id parent = start_parent(r, &s);
    int64_t began_at_ms = r->now_ms;
    r->loses_words = true;
    pass(r, 1000);
    assert_int_equal(look(r).unfinished, 1);
    run(r);
    assert_int_equal(row_of(r, parent).status, CTN_STATUS_COMPLETED);
    assert_true(r->now_ms - began_at_ms < 7000);
    region_free(r);
}

static uint32_t home_of(const char *chain_id)
{
    return ctn_shard_of_name(CTN_STR("chain"), ctn_str_from(chain_id), SHARDS);
}

/* ---- */

static void a_child_elsewhere_works_once_and_its_end_arrives_wherever_we_die(void **state)
{
    (void) state;
    play_all(&(story){.parent = PARENT("counted", "", ""),
                      .child = counted,
                      .shard = home_of("counted"),
                      .ends = CTN_STATUS_COMPLETED,
                      .written = 1},
             8);
    play_all(&(story){.parent = PARENT("lined", "", ""),
                      .child = lined,
                      .shard = ctn_shard_of_name(CTN_STR("line"), CTN_STR("one-line"), SHARDS),
                      .ends = CTN_STATUS_COMPLETED,
                      .written = 1},
             8);
}

static void a_child_elsewhere_is_undone_with_its_parent(void **state)
{
    (void) state;
    play_all(&(story){.parent = PARENT("counted", "", "  - {stepName: nothing, instructionSet: nothing}\n"),
                      .child = counted,
                      .shard = home_of("counted"),
                      .ends = CTN_STATUS_ROLLED_BACK,
                      .written = 1,
                      .undone = -1},
             12);
}

static void a_failing_child_elsewhere_is_its_parents_failure(void **state)
{
    (void) state;
    play_all(&(story){.parent = PARENT("failing", "", ""),
                      .child = failing,
                      .shard = home_of("failing"),
                      .ends = CTN_STATUS_ROLLED_BACK,
                      .written = 1,
                      .undone = -1},
             8);
}

static void places_of_the_childrens_chain_hold(void **state)
{
    (void) state;
    play_all(&(story){.parent = PARENT("counted", ", foreach: {items: {range: [0, 3]}, maxConcurrency: 3}", ""),
                      .child = counted,
                      .shard = home_of("counted"),
                      .ends = CTN_STATUS_COMPLETED,
                      .one_at_a_time = "counted",
                      .written = 3},
             12);
}

static void a_step_that_takes_too_long_stops_its_child(void **state)
{
    (void) state;
    play_all(&(story){.parent = PARENT("slow", ", timeoutMs: 1000", ""),
                      .child = slow,
                      .shard = home_of("slow"),
                      .ends = CTN_STATUS_ROLLED_BACK,
                      .written = -1,
                      .undone = -1},
             8);
}

static const char brief[] = "id: slow\nmaxConcurrent: 1\nrollbackEnabled: true\nsteps:\n" WRITE(
    "write") "  - {stepName: rest, instructionSet: rest}\n"
             "instructionSets:\n"
             "  book: {tool: sim/write, effect: write, check: {tool: sim/check}, settleMs: 100}\n"
             "  unbook: {tool: sim/undo, effect: write, check: {tool: sim/check_undo}, settleMs: 100}\n"
             "  rest: {wait: {ms: 3000}}\n";

/* Its parent's node was dead when it should have been told to stop. What it did stands, and its step says so. */
static void a_child_that_completed_in_spite_of_the_time_counts(void **state)
{
    (void) state;
    story s = {.parent = PARENT("slow", ", timeoutMs: 1000", ""), .child = brief, .shard = home_of("slow")};
    region *r = region_new(&s);
    ctn_execution_id parent = start_parent(r, &s);
    pass(r, 300);
    die(&r->nodes[0]);
    run(r);
    assert_int_equal(row_of(r, parent).status, CTN_STATUS_COMPLETED);
    assert_int_equal(done(r, "write"), 1);
    assert_int_equal(done(r, "undo"), 0);
    region_free(r);
}

static void ask(region *r, ctn_execution_id id, ctn_input_kind kind)
{
    for (int i = 0; i < 2; i++)
        if (r->nodes[i].engine && r->dead != &r->nodes[i] && r->nodes[i].epochs[ctn_shard_of_id(id, SHARDS)])
            ctn_engine_input(r->nodes[i].engine, id, &(ctn_input){.kind = kind, .actor = CTN_STR("ada")}, NULL, NULL,
                             NULL);
}

static int64_t cancel_at_ms;

static void cancel(region *r, ctn_execution_id parent)
{
    if (r->now_ms >= 1790000000000 + cancel_at_ms)
        ask(r, parent, CTN_IN_CANCEL);
}

/* Also before the child is there, while its start is on the way, and where we die meanwhile. */
static void a_cancel_reaches_a_child_elsewhere(void **state)
{
    (void) state;
    for (cancel_at_ms = 0; cancel_at_ms <= 200; cancel_at_ms += 50)
        play_all(&(story){.parent = PARENT("slow", "", ""),
                          .child = slow,
                          .shard = home_of("slow"),
                          .ends = CTN_STATUS_ROLLED_BACK,
                          .meddle = cancel,
                          .written = -1,
                          .undone = -1},
                 4);
}

/* The start is on disk and nobody has read it, the cancel of the parent too; who asked for the child dies, and who
 * comes next finds no child. That does not mean that there will be none. */
static void a_cancel_does_not_overtake_the_start(void **state)
{
    (void) state;
    story s = {.parent = PARENT("slow", "", ""), .child = slow, .shard = home_of("slow")};
    for (int dies = 0; dies < 2; dies++) {
        region *r = region_new(&s);
        ctn_execution_id parent = start_parent(r, &s);
        r->heir_is_reborn = r->children_sleep = true;
        pass(r, 200);
        ask(r, parent, CTN_IN_CANCEL);
        pass(r, 200);
        if (dies)
            die(&r->nodes[0]);
        pass(r, 7000);
        assert_int_equal(look(r).all, 1);
        r->children_sleep = false;
        run(r);
        assert_int_equal(look(r).all, 2);
        assert_int_equal(row_of(r, parent).status, CTN_STATUS_ROLLED_BACK);
        assert_int_equal(done(r, "write"), done(r, "undo"));
        region_free(r);
    }
}

static void pause_and_resume(region *r, ctn_execution_id parent)
{
    int64_t at_ms = r->now_ms - 1790000000000;
    if (at_ms == 300)
        ask(r, parent, CTN_IN_PAUSE);
    if (at_ms == 2500 && !r->die_at) {
        count c = {.r = r};
        node *n = &r->nodes[0];
        ctn_execution_filter paused = {.by_status = true, .status = CTN_STATUS_PAUSED};
        assert_int_equal(ctn_store_execution_list(n->store, &paused, count_one, &c, NULL), CTN_OK);
        assert_int_equal(c.all, 2);
    }
    if (at_ms >= 7000)
        ask(r, parent, CTN_IN_RESUME);
}

static void a_pause_reaches_a_child_elsewhere_and_ends(void **state)
{
    (void) state;
    play_all(&(story){.parent = PARENT("slow", "", ""),
                      .child = slow,
                      .shard = home_of("slow"),
                      .ends = CTN_STATUS_COMPLETED,
                      .meddle = pause_and_resume,
                      .written = 1},
             8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_elsewhere_works_once_and_its_end_arrives_wherever_we_die),
        cmocka_unit_test(a_word_that_is_lost_costs_seconds),
        cmocka_unit_test(a_child_elsewhere_is_undone_with_its_parent),
        cmocka_unit_test(a_failing_child_elsewhere_is_its_parents_failure),
        cmocka_unit_test(places_of_the_childrens_chain_hold),
        cmocka_unit_test(a_step_that_takes_too_long_stops_its_child),
        cmocka_unit_test(a_child_that_completed_in_spite_of_the_time_counts),
        cmocka_unit_test(a_cancel_reaches_a_child_elsewhere),
        cmocka_unit_test(a_cancel_does_not_overtake_the_start),
        cmocka_unit_test(a_pause_reaches_a_child_elsewhere_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
