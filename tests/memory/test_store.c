/*
 * The store and what is read out of it: SQLite's own lack of memory and ours are errors, and nothing that was stored is
 * lost or half there.
 */
#include "points.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "chain/plan.h"
#include "engine/engine.h"
#include "engine/fold.h"
#include "fail.h"
#include "store/store.h"

/* Of the many allocations in which SQLite makes or reads a schema, so many are passed over. */
#if defined(__SANITIZE_ADDRESS__)
#define SOME 61
#define MANY 211
#else
#define SOME 7
#define MANY 53
#endif

static const char CHAIN[] = "id: trip\nsteps:\n  - {stepName: ask, instructionSet: ask, outputVariables: [a]}\n"
                            "instructionSets:\n  ask: {tool: t/ask, arguments: {q: '{city}'}, effect: read}\n";

typedef struct world {
    char folder[64], url[128];
    ctn_arena *arena;
    ctn_store *st;
    uint64_t epoch;
    ctn_plan *plan;
    int64_t version;
    int64_t exec_no; /* the last that was stored */
    uint64_t seq;    /* of the first one */
    ctn_digest hash;
} world;

static void open_store(world *w)
{
    ctn_err err = {0};
    if (ctn_store_open(w->url, CTN_STORE_CREATE, &w->st, &err))
        fail_msg("%s", err.message);
}

static ctn_execution_id id_of(int64_t exec_no)
{
    ctn_execution_id id = {{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80}};
    id.bytes[15] = (unsigned char) exec_no;
    id.bytes[14] = (unsigned char) (exec_no >> 8);
    id.bytes[13] = (unsigned char) (exec_no >> 16);
    return id;
}

static ctn_record record_of(const ctn_entry *e, ctn_arena *arena, const ctn_digest *previous)
{
    ctn_record r = {.kind = e->kind,
                    .seq = e->seq,
                    .at_ms = e->at_ms,
                    .step = e->step,
                    .item = e->item,
                    .attempt = e->attempt,
                    .actor = e->actor,
                    .body = ctn_json_to_str(arena, e->body)};
    r.hash = ctn_record_hash(&r, previous);
    return r;
}

/* An execution that was started, and has a large input. */
static int store_one(world *w, ctn_arena *arena, int64_t exec_no, ctn_err *err)
{
    static char city[30000];
    memset(city, 'x', sizeof city - 1);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "city", ctn_str_from(city));
    const ctn_json *input = ctn_json_finish(&b);
    ctn_entry first =
        ctn_execution_first_entry(w->plan, arena, false, w->version, input, NULL, NULL, (ctn_str){0}, 1000);
    first.seq = 1;
    ctn_record record = record_of(&first, arena, &(ctn_digest){{0}});
    ctn_execution_row row = {.exec_no = exec_no,
                             .id = id_of(exec_no),
                             .chain_id = CTN_STR("trip"),
                             .chain_version = w->version,
                             .status = CTN_STATUS_RUNNING,
                             .wake_at_ms = 1,
                             .input = ctn_json_to_str(arena, input),
                             .created_at_ms = 1000,
                             .started_at_ms = 1000};
    ctn_append append = {.exec_no = exec_no, .epoch = w->epoch, .row = &row, .records = &record, .count = 1};
    ctn_outcome outcome = CTN_OUTCOME_EXISTS;
    int rc = ctn_store_commit(w->st, &append, 1, &outcome, err);
    if (rc == CTN_OK)
        assert_int_equal(outcome, CTN_OUTCOME_ACCEPTED);
    return rc;
}

static int set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    ctn_err err = {0};
    ctn_findings findings;
    bool was_crash = false;
    assert_non_null(w);
    /* what is synced to a disk does not matter here, and it is done ten thousand times */
    snprintf(w->folder, sizeof w->folder, "%s/catena-mem-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->url, sizeof w->url, "sqlite:%s/s.db", w->folder);
    w->arena = ctn_arena_new(4096);
    open_store(w);
    assert_int_equal(ctn_store_epoch_begin(w->st, &w->epoch, &was_crash, &err), 0);
    ctn_findings_init(&findings, w->arena);
    ctn_library *library = ctn_library_new(w->arena);
    const ctn_chain *chain = NULL;
    assert_int_equal(ctn_library_add_text(library, CTN_STR("trip.yaml"), ctn_str_from(CHAIN), &findings, &chain), 0);
    assert_int_equal(ctn_plan_compile(w->arena, library, chain, &findings, &w->plan), 0);
    ctn_definition *definitions = CTN_NEW_ARRAY(w->arena, ctn_definition, w->plan->definition_count);
    for (uint32_t i = 0; i < w->plan->definition_count; i++)
        definitions[i] = (ctn_definition){.digest = w->plan->definitions[i].digest,
                                          .kind = w->plan->definitions[i].kind,
                                          .name = w->plan->definitions[i].name,
                                          .body = w->plan->definitions[i].body};
    assert_int_equal(ctn_store_definition_put(w->st, definitions, w->plan->definition_count, &err), 0);
    ctn_chain_row row = {.chain_id = CTN_STR("trip"), .digest = definitions[0].digest, .created_at_ms = 1};
    assert_int_equal(ctn_store_chain_put(w->st, &row, &w->version, &err), 0);
    assert_int_equal(store_one(w, w->arena, ++w->exec_no, &err), 0);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    static const char *const FILES[] = {"s.db",   "s.db-wal",   "s.db-shm",   "s.db-lock",     "s.db-journal",
                                        "new.db", "new.db-wal", "new.db-shm", "new.db-journal"};
    ctn_store_close(w->st);
    ctn_plan_done(w->plan);
    ctn_arena_free(w->arena);
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", w->folder, FILES[i]);
        (void) unlink(path);
    }
    (void) rmdir(w->folder);
    free(w);
    return 0;
}

static int count_record(void *ctx, const ctn_record *record, int64_t position)
{
    (void) position;
    assert_true(record->body.len > 0);
    ++*(int *) ctx;
    return 0;
}

static int count_row(void *ctx, const ctn_execution_row *row)
{
    assert_int_equal(row->damage.len, 0);
    ++*(int *) ctx;
    return 0;
}

/* All that was stored is there, whole. */
static void all_is_there(void *ctx)
{
    world *w = ctx;
    ctn_err err = {0};
    int rows = 0, records = 0;
    assert_int_equal(ctn_store_execution_list(w->st, &(ctn_execution_filter){0}, count_row, &rows, &err), 0);
    assert_int_equal(rows, w->exec_no);
    assert_int_equal(ctn_store_journal_read(w->st, 1, 1, count_record, &records, &err), 0);
    assert_int_equal(records, 1);
}

/* ---- reading ---- */

static int get_row(void *ctx, ctn_arena *arena, ctn_err *err)
{
    world *w = ctx;
    ctn_execution_row row = {0};
    int rc = ctn_store_execution_get(w->st, arena, id_of(1), &row, err);
    if (rc == CTN_OK)
        assert_true(row.input.len > 29000);
    return rc;
}

static int list_rows(void *ctx, ctn_arena *arena, ctn_err *err)
{
    world *w = ctx;
    int rows = 0;
    (void) arena;
    return ctn_store_execution_list(w->st, &(ctn_execution_filter){0}, count_row, &rows, err);
}

static int read_journal(void *ctx, ctn_arena *arena, ctn_err *err)
{
    world *w = ctx;
    int records = 0;
    (void) arena;
    return ctn_store_journal_read(w->st, 1, 1, count_record, &records, err);
}

static int get_definition(void *ctx, ctn_arena *arena, ctn_err *err)
{
    world *w = ctx;
    ctn_definition d = {0};
    int rc = ctn_store_definition_get(w->st, arena, &w->plan->definitions[0].digest, &d, err);
    if (rc == CTN_OK)
        assert_true(d.body.len > 10);
    return rc;
}

static int get_chain(void *ctx, ctn_arena *arena, ctn_err *err)
{
    world *w = ctx;
    ctn_chain_row row = {0};
    return ctn_store_chain_get(w->st, arena, CTN_STR("trip"), 0, &row, err);
}

static int load(void *ctx, ctn_arena *arena, ctn_err *err)
{
    world *w = ctx;
    ctn_execution_row row = {0};
    ctn_execution *x = NULL;
    int rc = ctn_store_execution_get(w->st, arena, id_of(1), &row, err);
    if (rc == CTN_OK)
        rc = ctn_execution_load(w->st, arena, &row, &x, err);
    if (rc == CTN_OK)
        assert_int_equal(ctn_execution_status(x), CTN_STATUS_RUNNING);
    ctn_execution_unload(rc ? NULL : x);
    return rc;
}

static void what_is_read_is_whole_or_an_error(void **state)
{
    world *w = *state;
    try_all(&(operation){
        .name = "ctn_store_execution_get", .run = get_row, .check = all_is_there, .ctx = w, .keeps = true});
    try_all(&(operation){
        .name = "ctn_store_execution_list", .run = list_rows, .check = all_is_there, .ctx = w, .keeps = true});
    try_all(&(operation){
        .name = "ctn_store_journal_read", .run = read_journal, .check = all_is_there, .ctx = w, .keeps = true});
    try_all(&(operation){
        .name = "ctn_store_definition_get", .run = get_definition, .check = all_is_there, .ctx = w, .keeps = true});
    try_all(
        &(operation){.name = "ctn_store_chain_get", .run = get_chain, .check = all_is_there, .ctx = w, .keeps = true});
    try_all(&(operation){.name = "ctn_execution_load", .run = load, .check = all_is_there, .ctx = w, .keeps = true});
}

/* ---- writing ---- */

static int commit(void *ctx, ctn_arena *arena, ctn_err *err)
{
    world *w = ctx;
    (void) arena;
    ctn_arena *own = w->arena; /* large enough by now: what the commit itself takes is what counts */
    ctn_arena_mark mark = ctn_arena_save(own);
    int rc = store_one(w, own, w->exec_no + 1, err);
    ctn_arena_restore(own, mark);
    if (rc == CTN_OK)
        w->exec_no++;
    return rc;
}

/* As the writer does after a failure: a fresh connection, and what was acknowledged is there, and nothing else. */
static void reopened_all_is_there(void *ctx)
{
    world *w = ctx;
    ctn_store_close(w->st);
    w->st = NULL;
    open_store(w);
    all_is_there(w);
}

static void a_commit_is_whole_or_nothing(void **state)
{
    world *w = *state;
    ctn_arena *warm = w->arena;
    ctn_err err = {0};
    for (int i = 0; i < 3; i++)
        assert_int_equal(commit(w, warm, &err), 0);
    try_all(&(operation){.name = "ctn_store_commit", .run = commit, .check = all_is_there, .ctx = w, .keeps = true});
    try_all(&(operation){.name = "ctn_store_commit, on a fresh connection",
                         .run = commit,
                         .check = reopened_all_is_there,
                         .every = SOME,
                         .ctx = w,
                         .keeps = true});
}

/* ---- opening ---- */

static int open_old(void *ctx, ctn_arena *arena, ctn_err *err)
{
    world *w = ctx;
    ctn_store *st = NULL;
    (void) arena;
    int rc = ctn_store_open(w->url, CTN_STORE_READ, &st, err);
    ctn_store_close(st);
    return rc;
}

static int open_new(void *ctx, ctn_arena *arena, ctn_err *err)
{
    world *w = ctx;
    ctn_store *st = NULL;
    char url[160];
    (void) arena;
    snprintf(url, sizeof url, "sqlite:%s/new.db", w->folder);
    int rc = ctn_store_open(url, CTN_STORE_CREATE, &st, err);
    ctn_store_close(st);
    return rc;
}

/* What was made of it can be gone on with. */
static void it_opens_now(void *ctx)
{
    static const char *const FILES[] = {"new.db", "new.db-wal", "new.db-shm", "new.db-journal"};
    world *w = ctx;
    ctn_err err = {0};
    if (open_new(w, NULL, &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", w->folder, FILES[i]);
        (void) unlink(path);
    }
}

static void a_store_opens_or_is_an_error(void **state)
{
    world *w = *state;
    try_all(&(operation){
        .name = "ctn_store_open", .run = open_old, .check = all_is_there, .every = SOME, .ctx = w, .keeps = true});
    it_opens_now(w);
    try_all(&(operation){.name = "ctn_store_open of a new one",
                         .run = open_new,
                         .check = it_opens_now,
                         .every = MANY,
                         .ctx = w,
                         .keeps = true});
}

/* ---- the engine ---- */

static void submit(void *ctx, ctn_batch *batch)
{
    (void) ctx, (void) batch;
}

static int make_engine(void *ctx, ctn_arena *arena, ctn_err *err)
{
    world *w = ctx;
    ctn_engine *engine = NULL;
    (void) arena;
    ctn_engine_options options = {.store = w->st,
                                  .epoch = w->epoch,
                                  .clock = ctn_clock_system(),
                                  .id_rng = ctn_rng_system(),
                                  .writer = {.submit = submit}};
    int rc = ctn_engine_new(&options, &engine, err);
    assert_int_equal(rc == CTN_OK, engine != NULL);
    ctn_engine_free(engine);
    return rc;
}

static void an_engine_is_made_or_is_an_error(void **state)
{
    world *w = *state;
    try_all(&(operation){.name = "ctn_engine_new", .run = make_engine, .check = all_is_there, .ctx = w, .keeps = true});
}

int main(void)
{
    fail_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_read_is_whole_or_an_error),
        TEST(a_commit_is_whole_or_nothing),
        TEST(a_store_opens_or_is_an_error),
        TEST(an_engine_is_made_or_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
