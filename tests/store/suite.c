/*
 * suite.c -- every promise of store.h as tests that do not know which backend they talk to.
 */
#include "suite.h"
#include "base/memory.h"
#include "store/quarantine.h"
#include "store/raw.h"
#include "store/data_keys.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <ftw.h>
#include <unistd.h>

#define S(text) ctn_str_from(text)
#define assert_str(a, text)                                                                                            \
    do {                                                                                                               \
        ctn_str given_ = (a);                                                                                          \
        assert_int_equal(given_.len, strlen(text));                                                                    \
        if (given_.len)                                                                                                \
            assert_memory_equal(given_.ptr, (text), given_.len);                                                       \
    } while (0)
#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        ctn_err err_ = {0};                                                                                            \
        int rc_ = (call);                                                                                              \
        if (rc_)                                                                                                       \
            fail_msg("%s: %d %s", #call, rc_, err_.message);                                                           \
    } while (0)

/* ---- fixtures ---- */

static int setup(void **state, bool is_file)
{
    suite_fixture *f = ctn_malloc(sizeof *f);
    memset(f, 0, sizeof *f);
    if (is_file) {
        snprintf(f->folder, sizeof f->folder, "/tmp/catena-store-XXXXXX");
        if (!mkdtemp(f->folder))
            return -1;
        snprintf(f->url, sizeof f->url, "sqlite:%s/test.db", f->folder);
    } else {
        snprintf(f->url, sizeof f->url, "memory:suite");
    }
    f->arena = ctn_arena_new(4096);
    bool was_crash;
    ctn_err err = {0};
    if (ctn_store_open(f->url, CTN_STORE_CREATE, &f->st, &err) ||
        ctn_store_open(f->url, CTN_STORE_WRITE, &f->second, &err) ||
        ctn_store_epoch_begin(f->st, &f->epoch, &was_crash, &err)) {
        print_error("%s\n", err.message);
        return -1;
    }
    *state = f;
    return 0;
}

int suite_setup_memory(void **state)
{
    return setup(state, false);
}
int suite_setup_sqlite(void **state)
{
    return setup(state, true);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void) info;
    (void) type;
    (void) walk;
    return remove(path);
}

int suite_teardown(void **state)
{
    suite_fixture *f = *state;
    ctn_store_close(f->st);
    ctn_store_close(f->second);
    ctn_arena_free(f->arena);
    if (f->folder[0])
        nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

ctn_execution_id suite_id(uint32_t number)
{
    ctn_execution_id id = {{0x01, 0x90, 0x00, 0x00, 0x00, 0x00, 0x70, 0x01, 0x80}};
    for (int i = 0; i < 4; i++)
        id.bytes[12 + i] = (uint8_t) (number >> (24 - 8 * i));
    return id;
}

ctn_execution_row suite_row(int64_t exec_no)
{
    return (ctn_execution_row){
        .exec_no = exec_no,
        .id = suite_id((uint32_t) exec_no),
        .chain_id = S("trip"),
        .chain_version = 3,
        .status = CTN_STATUS_QUEUED,
        .wake_at_ms = 1,
        .input = S("{\"raw\":\"A trip\"}"),
        .created_at_ms = 1700000000000 + exec_no,
    };
}

ctn_record *suite_records(ctn_arena *arena, int64_t exec_no, uint64_t seq_last, const ctn_digest *previous,
                          size_t count)
{
    ctn_record *records = CTN_NEW_ARRAY(arena, ctn_record, count);
    ctn_digest hash = previous ? *previous : (ctn_digest){0};
    for (size_t i = 0; i < count; i++) {
        uint64_t seq = seq_last + i + 1;
        records[i] = (ctn_record){
            .kind = seq == 1 ? CTN_ENTRY_STARTED : CTN_ENTRY_ATTEMPT_SUCCEEDED,
            .seq = seq,
            .at_ms = 1700000000000 + (int64_t) seq,
            .step = seq == 1 ? S("") : S("search"),
            .item = -1,
            .attempt = seq == 1 ? 0 : 1,
            .actor = S("engine"),
            .body = ctn_arena_printf(arena, "{\"variables\":{\"n\":%" PRIu64 ",\"of\":%" PRId64 "}}", seq, exec_no),
        };
        hash = ctn_record_hash(&records[i], &hash);
        records[i].hash = hash;
    }
    return records;
}

ctn_outcome suite_append(ctn_store *st, const ctn_append *append)
{
    ctn_outcome outcome = (ctn_outcome) 99;
    ctn_err err = {0};
    if (ctn_store_commit(st, append, 1, &outcome, &err))
        fail_msg("commit: %s", err.message);
    return outcome;
}

void suite_create(suite_fixture *f, const ctn_execution_row *row, size_t count)
{
    ctn_append append = {.exec_no = row->exec_no,
                         .epoch = f->epoch,
                         .row = row,
                         .count = count,
                         .records = suite_records(f->arena, row->exec_no, 0, NULL, count)};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
}

typedef struct journal_walk {
    uint64_t seq;
    int64_t position;
    ctn_digest hash;
    size_t count, count_max;
    bool is_right;
} journal_walk;

static int walk_record(void *ctx, const ctn_record *record, int64_t position)
{
    journal_walk *walk = ctx;
    ctn_digest hash = ctn_record_hash(record, &walk->hash);
    if (record->seq != walk->seq + 1 || position <= walk->position ||
        memcmp(hash.bytes, record->hash.bytes, sizeof hash.bytes) != 0)
        walk->is_right = false;
    walk->seq = record->seq;
    walk->position = position;
    walk->hash = record->hash;
    return ++walk->count == walk->count_max ? 77 : 0;
}

size_t suite_journal_check(ctn_store *st, int64_t exec_no)
{
    journal_walk walk = {.is_right = true};
    ctn_err err = {0};
    if (ctn_store_journal_read(st, exec_no, 1, walk_record, &walk, &err))
        fail_msg("journal of %" PRId64 ": %s", exec_no, err.message);
    assert_true(walk.is_right);
    return walk.count;
}

void suite_definition(suite_fixture *f, const char *body, ctn_digest *ret_digest)
{
    ctn_definition d = {.digest = ctn_hash(S(body)), .kind = S("chain"), .name = S("trip"), .body = S(body)};
    assert_int_equal(ctn_store_definition_put(f->st, &d, 1, NULL), CTN_OK);
    *ret_digest = d.digest;
}

static ctn_execution_row read_row(suite_fixture *f, ctn_store *st, int64_t exec_no)
{
    ctn_execution_row row = {0};
    ctn_err err = {0};
    if (ctn_store_execution_by_no(st, f->arena, exec_no, &row, &err))
        fail_msg("%s", err.message);
    return row;
}

/* The last record's hash, to go on from. */
static ctn_digest hash_of(suite_fixture *f, int64_t exec_no)
{
    return read_row(f, f->st, exec_no).hash_last;
}

static ctn_append next_append(suite_fixture *f, int64_t exec_no, uint64_t seq_last, size_t count)
{
    ctn_digest previous = hash_of(f, exec_no);
    return (ctn_append){.exec_no = exec_no,
                        .epoch = f->epoch,
                        .seq_expected = seq_last,
                        .count = count,
                        .records = suite_records(f->arena, exec_no, seq_last, &previous, count)};
}

/* ---- rows and journals ---- */

void a_new_execution_reads_back_whole(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(7);
    row.status = CTN_STATUS_WAITING;
    row.priority = -5;
    row.queue_key = S("agency");
    row.idempotency_key = S("lead-1");
    row.tenant = S("north");
    row.wake_at_ms = 1800000000000;
    row.labels = S("{\"a\":\"b\"}");
    row.started_at_ms = 5;
    row.finished_at_ms = 6;
    row.error = S("{\"code\":\"timeout\"}");
    suite_create(f, &row, 2);
    ctn_execution_row read = read_row(f, f->st, 7);
    assert_int_equal(read.exec_no, 7);
    assert_true(ctn_id_equal(read.id, row.id));
    assert_str(read.chain_id, "trip");
    assert_int_equal(read.chain_version, 3);
    assert_int_equal(read.status, CTN_STATUS_WAITING);
    assert_int_equal(read.priority, -5);
    assert_str(read.queue_key, "agency");
    assert_str(read.idempotency_key, "lead-1");
    assert_str(read.tenant, "north");
    assert_int_equal(read.wake_at_ms, 1800000000000);
    assert_str(read.labels, "{\"a\":\"b\"}");
    assert_str(read.input, "{\"raw\":\"A trip\"}");
    assert_str(read.outputs, "");
    assert_str(read.error, "{\"code\":\"timeout\"}");
    assert_int_equal(read.created_at_ms, 1700000000007);
    assert_int_equal(read.started_at_ms, 5);
    assert_int_equal(read.finished_at_ms, 6);
    ctn_record *records = suite_records(f->arena, 7, 0, NULL, 2);
    assert_memory_equal(read.hash_last.bytes, records[1].hash.bytes, CTN_DIGEST_BYTES);
    assert_int_equal(suite_journal_check(f->st, 7), 2);
}

void row_and_journal_change_together(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_append append = next_append(f, 1, 1, 2);
    ctn_execution_change change = {.status = CTN_STATUS_FAILED,
                                   .started_at_ms = 10,
                                   .finished_at_ms = 20,
                                   .error = S("{\"code\":\"tool_error\"}")};
    append.change = &change;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_execution_row read = read_row(f, f->second, 1);
    assert_int_equal(read.status, CTN_STATUS_FAILED);
    assert_int_equal(read.wake_at_ms, 0);
    assert_int_equal(read.started_at_ms, 10);
    assert_int_equal(read.finished_at_ms, 20);
    assert_str(read.error, "{\"code\":\"tool_error\"}");
    assert_memory_equal(read.hash_last.bytes, append.records[1].hash.bytes, CTN_DIGEST_BYTES);
    assert_int_equal(suite_journal_check(f->second, 1), 3);

    /* refused: neither the one nor the other */
    ctn_execution_change other = {.status = CTN_STATUS_RUNNING, .wake_at_ms = 99};
    append.change = &other;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(read_row(f, f->st, 1).status, CTN_STATUS_FAILED);
    assert_int_equal(suite_journal_check(f->st, 1), 3);
}

void a_row_and_a_change_in_the_first_append_merge(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    ctn_execution_change change = {.status = CTN_STATUS_RUNNING, .wake_at_ms = 5, .started_at_ms = 10};
    ctn_append append = {.exec_no = 1,
                         .epoch = f->epoch,
                         .row = &row,
                         .change = &change,
                         .count = 2,
                         .records = suite_records(f->arena, 1, 0, NULL, 2)};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_execution_row read = read_row(f, f->st, 1);
    assert_int_equal(read.status, CTN_STATUS_RUNNING);
    assert_int_equal(read.wake_at_ms, 5);
    assert_int_equal(read.started_at_ms, 10);
    assert_str(read.input, "{\"raw\":\"A trip\"}");
}

static void complete_with(suite_fixture *f, int64_t exec_no, const char *outputs, const char *body, bool at_once)
{
    ctn_execution_row row = suite_row(exec_no);
    ctn_execution_change change = {
        .status = CTN_STATUS_COMPLETED, .started_at_ms = 1, .finished_at_ms = 2, .outputs = S(outputs)};
    ctn_append append;
    if (at_once) {
        append = (ctn_append){.exec_no = exec_no,
                              .epoch = f->epoch,
                              .row = &row,
                              .count = 2,
                              .records = suite_records(f->arena, exec_no, 0, NULL, 2)};
    } else {
        suite_create(f, &row, 1);
        append = next_append(f, exec_no, 1, 1);
    }
    ctn_record *records = CTN_NEW_ARRAY(f->arena, ctn_record, append.count);
    memcpy(records, append.records, append.count * sizeof *records);
    ctn_record *last = &records[append.count - 1];
    ctn_digest previous = at_once ? records[0].hash : hash_of(f, exec_no);
    last->kind = CTN_ENTRY_COMPLETED;
    last->step = S("");
    last->body = S(body);
    last->hash = ctn_record_hash(last, &previous);
    append.records = records;
    append.change = &change;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_str(read_row(f, f->second, exec_no).outputs, outputs);
    assert_int_equal(suite_journal_check(f->second, exec_no), 2);
}

void outputs_read_back_wherever_they_are_kept(void **state)
{
    suite_fixture *f = *state;
    complete_with(f, 1, "{\"price\":19.990}", "{\"outputs\":{\"price\":19.990}}", false);
    complete_with(f, 2, "{\"price\":1}", "{\"outputs\":{\"price\":1}}", true);
    complete_with(f, 3, "{}", "{\"outputs\":{}}", false);
    /* the body says it in other words: the row keeps its own */
    complete_with(f, 4, "{\"a\":1}", "{\"outputs\":{\"a\":1},\"more\":true}", false);
    complete_with(f, 5, "{\"a\":1}", "{\"outputs\": {\"a\":1}}", false);
    complete_with(f, 6, "", "{\"outputs\":{\"b\":2}}", false);
}

void empty_strings_leave_what_is_there(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_execution_change change = {
        .status = CTN_STATUS_COMPENSATING, .outputs = S("{\"o\":1}"), .error = S("{\"e\":1}")};
    ctn_append append = next_append(f, 1, 1, 1);
    append.change = &change;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_execution_change later = {.status = CTN_STATUS_ROLLED_BACK, .finished_at_ms = 9};
    append = next_append(f, 1, 2, 1);
    append.change = &later;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    append = next_append(f, 1, 3, 1); /* no change at all */
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    ctn_execution_row read = read_row(f, f->st, 1);
    assert_int_equal(read.status, CTN_STATUS_ROLLED_BACK);
    assert_str(read.outputs, "{\"o\":1}");
    assert_str(read.error, "{\"e\":1}");
    assert_memory_equal(read.hash_last.bytes, append.records[0].hash.bytes, CTN_DIGEST_BYTES);
}

void a_journal_reads_back_in_order_and_whole(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 3; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, 1);
    }
    for (uint64_t seq = 1; seq < 50; seq++) { /* interleaved, three to a commit */
        ctn_append appends[3];
        ctn_outcome outcomes[3];
        for (int64_t no = 1; no <= 3; no++)
            appends[no - 1] = next_append(f, no, seq, 1);
        assert_int_equal(ctn_store_commit(f->st, appends, 3, outcomes, NULL), CTN_OK);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(outcomes[i], CTN_OUTCOME_ACCEPTED);
    }
    for (int64_t no = 1; no <= 3; no++)
        assert_int_equal(suite_journal_check(f->second, no), 50);
    assert_int_equal(suite_journal_check(f->st, 4), 0);
}

typedef struct seen_records {
    const ctn_record *expected;
    size_t count;
} seen_records;

static int compare_record(void *ctx, const ctn_record *r, int64_t position)
{
    seen_records *seen = ctx;
    const ctn_record *e = &seen->expected[seen->count++];
    assert_true(position > 0);
    assert_int_equal(r->kind, e->kind);
    assert_int_equal(r->seq, e->seq);
    assert_int_equal(r->at_ms, e->at_ms);
    assert_true(ctn_str_equal(r->step, e->step));
    assert_int_equal(r->item, e->item);
    assert_int_equal(r->attempt, e->attempt);
    assert_true(ctn_str_equal(r->actor, e->actor));
    assert_true(ctn_str_equal(r->body, e->body));
    assert_memory_equal(r->hash.bytes, e->hash.bytes, CTN_DIGEST_BYTES);
    return 0;
}

void every_kind_and_odd_bodies_survive(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    char *large = ctn_arena_alloc(f->arena, 300001);
    memset(large, 'x', 300000);
    large[0] = '"';
    large[299999] = '"';
    large[300000] = '\0';
    ctn_record *records = suite_records(f->arena, 1, 0, NULL, CTN_ENTRY_KIND_COUNT);
    for (int i = 0; i < CTN_ENTRY_KIND_COUNT; i++) {
        records[i].kind = (ctn_entry_kind) i;
        records[i].item = i == 3 ? 0 : i == 4 ? INT64_MAX : -1;
        records[i].attempt = i == 5 ? UINT32_MAX : (uint32_t) i;
        records[i].at_ms = i == 6 ? 0 : 1700000000000;
        records[i].actor = i == 7 ? S("") : S("J\xc3\xb6rg \xf0\x9f\x98\x80");
        records[i].step = i == 8 ? S("") : S("step's \"name\"; --");
        records[i].body = i == 9 ? S(large) : i == 10 ? S("") : S("{\"a\":\"\xe2\x82\xac \\u0000 ' %s ?1\"}");
    }
    ctn_append append = {
        .exec_no = 1, .epoch = f->epoch, .row = &row, .records = records, .count = CTN_ENTRY_KIND_COUNT};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    seen_records seen = {.expected = records};
    assert_ok(ctn_store_journal_read(f->second, 1, 0, compare_record, &seen, &err_));
    assert_int_equal(seen.count, CTN_ENTRY_KIND_COUNT);
}

/* ---- refusals ---- */

void a_stale_epoch_is_refused_alone(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row rows[3] = {suite_row(1), suite_row(2), suite_row(3)};
    uint64_t newer;
    bool was_crash;
    assert_ok(ctn_store_epoch_begin(f->second, &newer, &was_crash, &err_));
    ctn_append appends[3];
    ctn_outcome outcomes[3];
    for (int64_t i = 0; i < 3; i++)
        appends[i] = (ctn_append){.exec_no = i + 1,
                                  .epoch = i == 1 ? f->epoch : newer,
                                  .row = &rows[i],
                                  .count = 2,
                                  .records = suite_records(f->arena, i + 1, 0, NULL, 2)};
    assert_ok(ctn_store_commit(f->st, appends, 3, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(outcomes[1], CTN_OUTCOME_STALE_EPOCH);
    assert_int_equal(outcomes[2], CTN_OUTCOME_ACCEPTED);
    ctn_execution_row read;
    assert_int_equal(ctn_store_execution_by_no(f->st, f->arena, 2, &read, NULL), CTN_E_NOT_FOUND);
    assert_int_equal(suite_journal_check(f->st, 2), 0);
    assert_int_equal(suite_journal_check(f->st, 3), 2);
    ctn_append late = next_append(f, 1, 2, 1); /* the right sequence number does not help */
    assert_int_equal(suite_append(f->st, &late), CTN_OUTCOME_STALE_EPOCH);
    late.epoch = newer;
    assert_int_equal(suite_append(f->st, &late), CTN_OUTCOME_ACCEPTED);
}

void a_stale_sequence_number_is_refused_alone(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 4; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, 3);
    }
    ctn_append appends[] = {next_append(f, 1, 3, 1), next_append(f, 2, 2, 1), next_append(f, 3, 4, 1),
                            next_append(f, 4, 3, 1)};
    ctn_outcome outcomes[4];
    assert_ok(ctn_store_commit(f->second, appends, 4, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(outcomes[1], CTN_OUTCOME_STALE_SEQ); /* behind */
    assert_int_equal(outcomes[2], CTN_OUTCOME_STALE_SEQ); /* ahead: would leave a gap */
    assert_int_equal(outcomes[3], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_journal_check(f->st, 1), 4);
    assert_int_equal(suite_journal_check(f->st, 2), 3);
    assert_int_equal(suite_journal_check(f->st, 3), 3);
    assert_int_equal(suite_journal_check(f->st, 4), 4);
}

void a_repeated_append_is_refused(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_append first = {
        .exec_no = 1, .epoch = f->epoch, .row = &row, .count = 1, .records = suite_records(f->arena, 1, 0, NULL, 1)};
    assert_int_equal(suite_append(f->st, &first), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_append(f->second, &first), CTN_OUTCOME_STALE_SEQ);
    ctn_append append = next_append(f, 1, 1, 2);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_append(f->second, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_journal_check(f->st, 1), 3);
}

void an_append_to_nothing_is_refused(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_change change = {.status = CTN_STATUS_RUNNING};
    ctn_append append = {.exec_no = 12,
                         .epoch = f->epoch,
                         .seq_expected = 4,
                         .change = &change,
                         .count = 1,
                         .records = suite_records(f->arena, 12, 4, NULL, 1)};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_journal_check(f->st, 12), 0);
}

void records_with_a_gap_write_nothing(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row rows[2] = {suite_row(1), suite_row(2)};
    ctn_append appends[2];
    ctn_outcome outcomes[2];
    for (int64_t i = 0; i < 2; i++)
        appends[i] = (ctn_append){.exec_no = i + 1,
                                  .epoch = f->epoch,
                                  .row = &rows[i],
                                  .count = 3,
                                  .records = suite_records(f->arena, i + 1, 0, NULL, 3)};
    ((ctn_record *) appends[1].records)[2].seq = 4;
    ctn_err err = {0};
    assert_int_equal(ctn_store_commit(f->st, appends, 2, outcomes, &err), CTN_E_INVALID);
    assert_non_null(strstr(err.message, "entry 4 where 3 must follow"));
    assert_int_equal(suite_journal_check(f->st, 1), 0);
    ctn_execution_row read;
    assert_int_equal(ctn_store_execution_by_no(f->st, f->arena, 1, &read, NULL), CTN_E_NOT_FOUND);
}

void an_append_without_its_row_writes_nothing(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    ctn_outcome outcome;
    ctn_append append = {
        .exec_no = 1, .epoch = f->epoch, .count = 1, .records = suite_records(f->arena, 1, 0, NULL, 1)};
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, NULL), CTN_E_INVALID);
    append.row = &row;
    append.exec_no = 2;
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, NULL), CTN_E_INVALID);
    append.exec_no = 0;
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, NULL), CTN_E_INVALID);
    append.exec_no = 1;
    append.count = 0;
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, NULL), CTN_E_INVALID);
    assert_int_equal(ctn_store_commit(f->st, NULL, 0, NULL, NULL), CTN_OK);
    assert_int_equal(suite_journal_check(f->st, 1), 0);
}

void two_appends_of_one_execution_in_one_batch(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    ctn_record *records = suite_records(f->arena, 1, 0, NULL, 6);
    ctn_append appends[] = {
        {.exec_no = 1, .epoch = f->epoch, .row = &row, .records = records, .count = 2},
        {.exec_no = 1, .epoch = f->epoch, .seq_expected = 2, .records = records + 2, .count = 3},
        {.exec_no = 1, .epoch = f->epoch, .seq_expected = 3, .records = records + 3, .count = 1},
        {.exec_no = 1, .epoch = f->epoch, .seq_expected = 5, .records = records + 5, .count = 1},
    };
    ctn_outcome outcomes[4];
    assert_ok(ctn_store_commit(f->st, appends, 4, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(outcomes[1], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(outcomes[2], CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(outcomes[3], CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_journal_check(f->second, 1), 6);
}

void a_refused_first_append_refuses_the_next(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row taken = suite_row(1), again = suite_row(2);
    taken.idempotency_key = again.idempotency_key = S("same");
    suite_create(f, &taken, 1);
    ctn_record *records = suite_records(f->arena, 2, 0, NULL, 3);
    ctn_append appends[] = {
        {.exec_no = 2, .epoch = f->epoch, .row = &again, .records = records, .count = 2},
        {.exec_no = 2, .epoch = f->epoch, .seq_expected = 2, .records = records + 2, .count = 1},
    };
    ctn_outcome outcomes[2];
    assert_ok(ctn_store_commit(f->st, appends, 2, outcomes, &err_));
    assert_int_equal(outcomes[0], CTN_OUTCOME_EXISTS);
    assert_int_equal(outcomes[1], CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_journal_check(f->st, 2), 0);
}

void an_idempotency_key_is_taken_once(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row first = suite_row(1), second = suite_row(2), other_chain = suite_row(3), none = suite_row(4);
    first.idempotency_key = second.idempotency_key = other_chain.idempotency_key = S("lead-9");
    other_chain.chain_id = S("followup");
    suite_create(f, &first, 1);
    ctn_append append = {
        .exec_no = 2, .epoch = f->epoch, .row = &second, .count = 1, .records = suite_records(f->arena, 2, 0, NULL, 1)};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_EXISTS);
    assert_int_equal(suite_append(f->second, &append), CTN_OUTCOME_EXISTS);
    suite_create(f, &other_chain, 1);
    suite_create(f, &none, 1);
    ctn_execution_row none_again = suite_row(5);
    suite_create(f, &none_again, 1);
    second.idempotency_key = S("lead-10");
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
}

void an_id_is_taken_once(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row first = suite_row(1), second = suite_row(2);
    second.id = first.id;
    suite_create(f, &first, 1);
    ctn_append append = {
        .exec_no = 2, .epoch = f->epoch, .row = &second, .count = 1, .records = suite_records(f->arena, 2, 0, NULL, 1)};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_EXISTS);
    assert_int_equal(suite_journal_check(f->st, 2), 0);
}

/* ---- handles and epochs ---- */

void a_second_handle_sees_and_fences(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 2);
    assert_int_equal(suite_journal_check(f->second, 1), 2);
    uint64_t newer;
    bool was_crash;
    assert_ok(ctn_store_epoch_begin(f->second, &newer, &was_crash, &err_));
    assert_true(was_crash);
    ctn_append append = next_append(f, 1, 2, 1);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_EPOCH);
    append.epoch = newer;
    assert_int_equal(suite_append(f->second, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_journal_check(f->st, 1), 3);
}

/* What a handle remembers of sequence numbers must not outlive another handle's commit. */
void two_handles_that_write_in_turns_stay_right(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    for (uint64_t seq = 1; seq < 20; seq++) {
        ctn_append append = next_append(f, 1, seq, 1);
        ctn_store *writer = seq % 2 ? f->second : f->st, *other = seq % 2 ? f->st : f->second;
        assert_int_equal(suite_append(writer, &append), CTN_OUTCOME_ACCEPTED);
        assert_int_equal(suite_append(other, &append), CTN_OUTCOME_STALE_SEQ);
    }
    assert_int_equal(suite_journal_check(f->st, 1), 20);
}

void everything_is_there_after_reopening(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 3);
    ctn_digest digest;
    suite_definition(f, "{}", &digest);
    ctn_store_close(f->st);
    f->st = NULL;
    if (f->folder[0]) { /* a file needs nobody to hold it open */
        ctn_store_close(f->second);
        f->second = NULL;
    }
    assert_ok(ctn_store_open(f->url, CTN_STORE_WRITE, &f->st, &err_));
    assert_int_equal(suite_journal_check(f->st, 1), 3);
    assert_str(read_row(f, f->st, 1).chain_id, "trip");
    ctn_definition definition;
    assert_ok(ctn_store_definition_get(f->st, f->arena, &digest, &definition, &err_));
    ctn_append append = next_append(f, 1, 3, 1);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(suite_journal_check(f->st, 1), 4);
}

void epochs_grow_and_tell_a_crash(void **state)
{
    suite_fixture *f = *state;
    uint64_t epoch, before = f->epoch;
    bool was_crash = false;
    assert_ok(ctn_store_epoch_begin(f->second, &epoch, &was_crash, &err_));
    assert_true(epoch > before);
    assert_true(was_crash);
    assert_ok(ctn_store_epoch_end(f->second, epoch, &err_));
    before = epoch;
    assert_ok(ctn_store_epoch_begin(f->st, &epoch, &was_crash, &err_));
    assert_true(epoch > before);
    assert_false(was_crash);
    before = epoch;
    assert_ok(ctn_store_epoch_begin(f->st, &epoch, &was_crash, &err_));
    assert_true(epoch > before);
    assert_true(was_crash);
}

void a_replaced_owner_cannot_say_good_bye(void **state)
{
    suite_fixture *f = *state;
    uint64_t newer, newest;
    bool was_crash;
    assert_ok(ctn_store_epoch_begin(f->second, &newer, &was_crash, &err_));
    ctn_err err = {0};
    assert_int_equal(ctn_store_epoch_end(f->st, f->epoch, &err), CTN_E_STALE);
    assert_true(err.message[0] != '\0');
    assert_ok(ctn_store_epoch_begin(f->st, &newest, &was_crash, &err_));
    assert_true(was_crash);
}

/* ---- definitions and chains ---- */

void definitions_are_kept_by_content(void **state)
{
    suite_fixture *f = *state;
    ctn_definition two[2] = {
        {.digest = ctn_hash(S("a")), .kind = S("template"), .name = S("proposal"), .body = S("a")},
        {.digest = ctn_hash(S("b")), .kind = S("instruction_set"), .name = S("travel"), .body = S("b")},
    };
    assert_ok(ctn_store_definition_put(f->st, two, 2, &err_));
    two[0].name = S("renamed");
    assert_ok(ctn_store_definition_put(f->st, two, 2, &err_)); /* there already: no effect */
    assert_ok(ctn_store_definition_put(f->st, NULL, 0, &err_));
    ctn_definition read;
    assert_ok(ctn_store_definition_get(f->second, f->arena, &two[0].digest, &read, &err_));
    assert_str(read.kind, "template");
    assert_str(read.name, "proposal");
    assert_str(read.body, "a");
    assert_memory_equal(read.digest.bytes, two[0].digest.bytes, CTN_DIGEST_BYTES);
    ctn_digest unknown = ctn_hash(S("c"));
    ctn_err err = {0};
    assert_int_equal(ctn_store_definition_get(f->st, f->arena, &unknown, &read, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, ctn_digest_to_text(unknown).text));
}

static int64_t put_chain(suite_fixture *f, const char *id, int64_t version, ctn_digest digest)
{
    ctn_chain_row row = {
        .chain_id = S(id), .version = version, .digest = digest, .created_at_ms = 5, .created_by = S("ann")};
    int64_t got = 0;
    ctn_err err = {0};
    if (ctn_store_chain_put(f->st, &row, &got, &err))
        fail_msg("%s", err.message);
    return got;
}

void chains_get_their_version_by_content(void **state)
{
    suite_fixture *f = *state;
    ctn_digest a, b;
    suite_definition(f, "a", &a);
    suite_definition(f, "b", &b);
    assert_int_equal(put_chain(f, "trip", 0, a), 1);
    assert_int_equal(put_chain(f, "trip", 0, a), 1);
    assert_int_equal(put_chain(f, "trip", 0, b), 2);
    assert_int_equal(put_chain(f, "trip", 0, a), 1);
    assert_int_equal(put_chain(f, "other", 0, b), 1);
    ctn_chain_row row;
    assert_ok(ctn_store_chain_get(f->second, f->arena, S("trip"), 0, &row, &err_));
    assert_int_equal(row.version, 2);
    assert_memory_equal(row.digest.bytes, b.bytes, CTN_DIGEST_BYTES);
    assert_str(row.created_by, "ann");
    assert_int_equal(row.created_at_ms, 5);
    assert_ok(ctn_store_chain_get(f->second, f->arena, S("trip"), 1, &row, &err_));
    assert_memory_equal(row.digest.bytes, a.bytes, CTN_DIGEST_BYTES);
}

void a_stated_version_is_kept_or_refused(void **state)
{
    suite_fixture *f = *state;
    ctn_digest a, b;
    suite_definition(f, "a", &a);
    suite_definition(f, "b", &b);
    assert_int_equal(put_chain(f, "trip", 7, a), 7);
    assert_int_equal(put_chain(f, "trip", 7, a), 7);
    assert_int_equal(put_chain(f, "trip", 0, b), 8);
    ctn_chain_row row = {.chain_id = S("trip"), .version = 7, .digest = b};
    int64_t version = 0;
    ctn_err err = {0};
    assert_int_equal(ctn_store_chain_put(f->st, &row, &version, &err), CTN_E_EXISTS);
    assert_non_null(strstr(err.message, "version 7"));
    row.version = -1;
    assert_int_equal(ctn_store_chain_put(f->st, &row, &version, NULL), CTN_E_INVALID);
    row.version = 0;
    row.chain_id = S("");
    assert_int_equal(ctn_store_chain_put(f->st, &row, &version, NULL), CTN_E_INVALID);
    assert_int_equal(put_chain(f, "trip", 3, b), 3); /* an older number may be filled in */
    assert_ok(ctn_store_chain_get(f->st, f->arena, S("trip"), 0, &row, &err_));
    assert_int_equal(row.version, 8);
}

void a_chain_without_its_definition_is_refused(void **state)
{
    suite_fixture *f = *state;
    ctn_chain_row row = {.chain_id = S("trip"), .digest = ctn_hash(S("never put"))};
    int64_t version = 0;
    ctn_err err = {0};
    assert_int_equal(ctn_store_chain_put(f->st, &row, &version, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "trip"));
    assert_int_equal(ctn_store_chain_get(f->st, f->arena, S("trip"), 0, &row, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "\"trip\""));
    assert_int_equal(ctn_store_chain_get(f->st, f->arena, S("trip"), 4, &row, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "version 4"));
}

typedef struct seen_text {
    char text[256];
    size_t stop_after;
    size_t count;
} seen_text;

static int note_chain(void *ctx, const ctn_chain_row *row)
{
    seen_text *seen = ctx;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%.*s@%" PRId64 " ", CTN_STR_ARG(row->chain_id), row->version);
    return ++seen->count == seen->stop_after;
}

void chains_are_listed_by_id_with_their_newest_version(void **state)
{
    suite_fixture *f = *state;
    ctn_digest a, b;
    suite_definition(f, "a", &a);
    suite_definition(f, "b", &b);
    put_chain(f, "trip", 0, a);
    put_chain(f, "trip", 0, b);
    put_chain(f, "zeta", 0, a);
    put_chain(f, "alpha", 5, a);
    seen_text seen = {0};
    assert_ok(ctn_store_chain_list(f->second, note_chain, &seen, &err_));
    assert_string_equal(seen.text, "alpha@5 trip@2 zeta@1 ");
    seen_text one = {.stop_after = 1};
    assert_ok(ctn_store_chain_list(f->second, note_chain, &one, &err_));
    assert_string_equal(one.text, "alpha@5 ");
}

/* ---- finding and listing executions ---- */

void executions_are_found_by_id_number_and_key(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 3; no++) {
        ctn_execution_row row = suite_row(no);
        if (no == 2)
            row.idempotency_key = S("k");
        suite_create(f, &row, 1);
    }
    ctn_execution_row read;
    assert_ok(ctn_store_execution_get(f->second, f->arena, suite_id(3), &read, &err_));
    assert_int_equal(read.exec_no, 3);
    assert_ok(ctn_store_execution_by_key(f->second, f->arena, S("trip"), S("k"), &read, &err_));
    assert_int_equal(read.exec_no, 2);
    ctn_err err = {0};
    assert_int_equal(ctn_store_execution_by_key(f->st, f->arena, S("other"), S("k"), &read, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "\"k\""));
    assert_int_equal(ctn_store_execution_by_key(f->st, f->arena, S("trip"), S(""), &read, &err), CTN_E_NOT_FOUND);
    assert_int_equal(ctn_store_execution_get(f->st, f->arena, suite_id(4), &read, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, ctn_id_to_text(suite_id(4)).text));
    assert_int_equal(ctn_store_execution_by_no(f->st, f->arena, 4, &read, &err), CTN_E_NOT_FOUND);
    assert_int_equal(ctn_store_execution_by_no(f->st, f->arena, -1, &read, &err), CTN_E_NOT_FOUND);
}

static void check_prefix(suite_fixture *f, const char *prefix, int rc_expected, int64_t exec_no)
{
    ctn_execution_row read = {0};
    ctn_err err = {0};
    int rc = ctn_store_execution_by_prefix(f->second, f->arena, S(prefix), &read, &err);
    if (rc != rc_expected)
        fail_msg("prefix %s: %d instead of %d: %s", prefix, rc, rc_expected, err.message);
    assert_int_equal(read.exec_no, exec_no);
    if (rc)
        assert_non_null(strstr(err.message, prefix));
}

void executions_are_found_by_the_start_of_their_id(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row rows[3] = {suite_row(1), suite_row(2), suite_row(3)};
    rows[0].id = (ctn_execution_id){{0x01, 0x9a, 0xbc, 0xde, 0x12, 0x34, 0x71, 0x11, 0x81, 0x11}};
    rows[1].id = (ctn_execution_id){{0x01, 0x9a, 0xbc, 0xdf, 0x12, 0x34, 0x71, 0x11, 0x81, 0x11}};
    rows[2].id = (ctn_execution_id){
        {0x01, 0x9b, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    for (size_t i = 0; i < 3; i++)
        suite_create(f, &rows[i], 1);
    check_prefix(f, "019", CTN_E_INVALID, 0);
    check_prefix(f, "019a", CTN_E_INVALID, 0);
    check_prefix(f, "019b", CTN_OK, 3);
    check_prefix(f, "019abcd", CTN_E_INVALID, 0);
    check_prefix(f, "019abcde", CTN_OK, 1);
    check_prefix(f, "019ABCDF-", CTN_OK, 2);
    check_prefix(f, "019abcdf-1234-7", CTN_OK, 2);
    check_prefix(f, "019abcdf-1234-7111-8111-000000000000", CTN_OK, 2);
    check_prefix(f, "019abcdf-1234-7111-8111-0000000000000", CTN_E_NOT_FOUND, 0);
    check_prefix(f, "019abcdf-1234-7111-8111-000000000001", CTN_E_NOT_FOUND, 0);
    check_prefix(f, "019abcdf1", CTN_E_NOT_FOUND, 0); /* the hyphen is part of the text */
    check_prefix(f, "wxyz", CTN_E_NOT_FOUND, 0);
    check_prefix(f, "019c", CTN_E_NOT_FOUND, 0);
}

static int note_execution(void *ctx, const ctn_execution_row *row)
{
    seen_text *seen = ctx;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%" PRId64 " ", row->exec_no);
    return ++seen->count == seen->stop_after;
}

static void check_list(suite_fixture *f, ctn_execution_filter filter, const char *expected)
{
    seen_text seen = {0};
    ctn_err err = {0};
    if (ctn_store_execution_list(f->second, &filter, note_execution, &seen, &err))
        fail_msg("%s", err.message);
    assert_string_equal(seen.text, expected);
}

void lists_page_and_filter(void **state)
{
    suite_fixture *f = *state;
    static const ctn_status statuses[] = {CTN_STATUS_QUEUED,    CTN_STATUS_COMPLETED, CTN_STATUS_RUNNING,
                                          CTN_STATUS_FAILED,    CTN_STATUS_WAITING,   CTN_STATUS_COMPLETED,
                                          CTN_STATUS_CANCELLED, CTN_STATUS_RUNNING};
    for (int64_t no = 1; no <= 8; no++) {
        ctn_execution_row row = suite_row(no);
        row.status = statuses[no - 1];
        row.chain_id = no % 2 ? S("odd") : S("even");
        suite_create(f, &row, 1);
    }
    check_list(f, (ctn_execution_filter){0}, "8 7 6 5 4 3 2 1 ");
    check_list(f, (ctn_execution_filter){.limit = 3}, "8 7 6 ");
    check_list(f, (ctn_execution_filter){.limit = 3, .before_exec_no = 6}, "5 4 3 ");
    check_list(f, (ctn_execution_filter){.before_exec_no = 1}, "");
    check_list(f, (ctn_execution_filter){.chain_id = S("odd")}, "7 5 3 1 ");
    check_list(f, (ctn_execution_filter){.chain_id = S("od")}, "");
    check_list(f, (ctn_execution_filter){.unfinished_only = true}, "8 5 3 1 ");
    check_list(f, (ctn_execution_filter){.unfinished_only = true, .limit = 1, .before_exec_no = 5}, "3 ");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_COMPLETED}, "6 2 ");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_RUNNING}, "8 3 ");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_FAILED}, "4 ");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_CANCELLED, .chain_id = S("odd")},
               "7 ");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_FAILED, .unfinished_only = true}, "");
    check_list(f, (ctn_execution_filter){.by_status = true, .status = CTN_STATUS_QUEUED}, "1 ");
}

void a_list_stops_when_told(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 5; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, 1);
    }
    seen_text seen = {.stop_after = 2};
    assert_ok(ctn_store_execution_list(f->st, &(ctn_execution_filter){0}, note_execution, &seen, &err_));
    assert_string_equal(seen.text, "5 4 ");
    seen = (seen_text){.stop_after = 2};
    assert_ok(ctn_store_execution_due(f->st, 5, 0, note_execution, &seen, &err_));
    assert_string_equal(seen.text, "1 2 ");
}

static void check_due(suite_fixture *f, int64_t until_ms, size_t limit, const char *expected)
{
    seen_text seen = {0};
    ctn_err err = {0};
    if (ctn_store_execution_due(f->second, until_ms, limit, note_execution, &seen, &err))
        fail_msg("%s", err.message);
    assert_string_equal(seen.text, expected);
}

static void make_wakers(suite_fixture *f)
{
    static const int64_t wakes[] = {500, 0, 1, 300, 500, 200};
    for (int64_t no = 1; no <= 6; no++) {
        ctn_execution_row row = suite_row(no);
        row.wake_at_ms = wakes[no - 1];
        row.status = no == 6 ? CTN_STATUS_COMPLETED : no == 4 ? CTN_STATUS_PAUSED : CTN_STATUS_WAITING;
        suite_create(f, &row, 1);
    }
}

void due_gives_the_unfinished_in_order_of_wake_time(void **state)
{
    suite_fixture *f = *state;
    make_wakers(f);
    check_due(f, 0, 0, "");
    check_due(f, 1, 0, "3 ");
    check_due(f, 499, 0, "3 4 ");
    check_due(f, 500, 0, "3 4 1 5 ");
    check_due(f, 500, 3, "3 4 1 ");
    ctn_append append = next_append(f, 3, 1, 1);
    ctn_execution_change change = {.status = CTN_STATUS_WAITING, .wake_at_ms = 400};
    append.change = &change;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    check_due(f, 500, 0, "4 3 1 5 ");
    append = next_append(f, 4, 1, 1);
    change = (ctn_execution_change){.status = CTN_STATUS_FAILED, .wake_at_ms = 300};
    append.change = &change;
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    check_due(f, 500, 0, "3 1 5 ");
}

void next_wake_is_the_earliest_after(void **state)
{
    suite_fixture *f = *state;
    int64_t wake = -1;
    assert_ok(ctn_store_next_wake(f->st, 0, &wake, &err_));
    assert_int_equal(wake, 0);
    make_wakers(f);
    static const int64_t cases[][2] = {{-5, 1}, {0, 1}, {1, 300}, {299, 300}, {300, 500}, {500, 0}, {INT64_MAX, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(ctn_store_next_wake(f->second, cases[i][0], &wake, &err_));
        assert_int_equal(wake, cases[i][1]);
    }
}

/* ---- reading ---- */

/* ---- the queue ---- */

static void queue_up(suite_fixture *f, int64_t exec_no, const char *chain, int priority, const char *key)
{
    ctn_execution_row row = suite_row(exec_no);
    row.chain_id = S(chain);
    row.priority = priority;
    row.queue_key = S(key);
    row.wake_at_ms = 0;
    suite_create(f, &row, 1);
}

static void turn_into(suite_fixture *f, int64_t exec_no, uint64_t seq, ctn_status status, int64_t wake_at_ms)
{
    ctn_execution_row row;
    assert_ok(ctn_store_execution_by_no(f->st, f->arena, exec_no, &row, &err_));
    ctn_execution_change change = {.status = status,
                                   .wake_at_ms = wake_at_ms,
                                   .started_at_ms = 5,
                                   .finished_at_ms = ctn_status_is_final(status) ? 9 : 0,
                                   .queue_key = ctn_status_is_final(status) ? row.queue_key : S("")};
    ctn_append append = {.exec_no = exec_no, .epoch = f->epoch, .seq_expected = seq, .change = &change};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
}

static bool is_held(suite_fixture *f, int64_t exec_no)
{
    ctn_execution_row row;
    assert_ok(ctn_store_execution_by_no(f->second, f->arena, exec_no, &row, &err_));
    return row.is_held;
}

static int64_t first_of(suite_fixture *f, const char *key, int64_t before_exec_no)
{
    ctn_execution_row row;
    int rc = ctn_store_queue_first(f->second, f->arena, S(key), before_exec_no, &row, NULL);
    assert_true(rc == CTN_OK || rc == CTN_E_NOT_FOUND);
    return rc ? 0 : row.exec_no;
}

typedef struct told {
    char text[400];
} told;

static int tell_number(void *ctx, const ctn_execution_row *row)
{
    told *t = ctx;
    size_t len = strlen(t->text);
    snprintf(t->text + len, sizeof t->text - len, "%s%" PRId64, len ? " " : "", row->exec_no);
    return 0;
}

static int tell_lane(void *ctx, ctn_str chain_id, int priority)
{
    told *t = ctx;
    size_t len = strlen(t->text);
    snprintf(t->text + len, sizeof t->text - len, "%s%.*s/%d", len ? " " : "", CTN_STR_ARG(chain_id), priority);
    return 0;
}

static void check_queue(suite_fixture *f, const char *chain, int priority, int64_t after, size_t limit,
                        const char *expected)
{
    told t = {""};
    assert_ok(ctn_store_queue_next(f->st, S(chain), priority, after, limit, tell_number, &t, &err_));
    assert_string_equal(t.text, expected);
}

void those_with_one_key_stand_in_line(void **state)
{
    suite_fixture *f = *state;
    queue_up(f, 1, "trip", 5, "smith");
    queue_up(f, 2, "trip", 5, "smith");
    queue_up(f, 3, "other", 9, "smith");
    queue_up(f, 4, "trip", 5, "jones");
    queue_up(f, 5, "trip", 5, "");
    check_queue(f, "trip", 5, 0, 0, "1 4 5");
    check_queue(f, "other", 9, 0, 0, "");
    assert_int_equal(first_of(f, "smith", 0), 1);
    assert_int_equal(first_of(f, "smith", 1), 0);
    assert_int_equal(first_of(f, "smith", 3), 1);
    turn_into(f, 1, 1, CTN_STATUS_RUNNING, 1);
    assert_true(is_held(f, 2) && is_held(f, 3));
    turn_into(f, 1, 1, CTN_STATUS_WAITING, 0); /* parked: it keeps its turn */
    check_queue(f, "trip", 5, 0, 0, "4 5");
    turn_into(f, 1, 1, CTN_STATUS_COMPLETED, 0);
    check_queue(f, "trip", 5, 0, 0, "2 4 5");
    assert_true(is_held(f, 3));
    turn_into(f, 2, 1, CTN_STATUS_CANCELLED, 0); /* it never ran */
    check_queue(f, "other", 9, 0, 0, "3");
    assert_int_equal(first_of(f, "smith", 0), 3);
    turn_into(f, 3, 1, CTN_STATUS_ROLLED_BACK, 0);
    assert_int_equal(first_of(f, "smith", 0), 0);
    queue_up(f, 6, "trip", 5, "smith");
    assert_false(is_held(f, 6));
}

void who_leaves_the_middle_of_a_line_moves_nobody(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 4; no++)
        queue_up(f, no, "trip", 5, "smith");
    turn_into(f, 1, 1, CTN_STATUS_RUNNING, 1);
    turn_into(f, 2, 1, CTN_STATUS_CANCELLED, 0);
    assert_true(is_held(f, 3) && is_held(f, 4));
    turn_into(f, 1, 1, CTN_STATUS_FAILED, 0);
    assert_false(is_held(f, 3));
    assert_true(is_held(f, 4));
}

/* The end of the first and the arrival of the next in one batch, in both orders. */
void a_line_moves_on_within_one_batch(void **state)
{
    suite_fixture *f = *state;
    for (int k = 0; k < 2; k++) {
        int64_t no = 1 + 2 * k;
        queue_up(f, no, "trip", 5, "smith");
        ctn_execution_change change = {.status = CTN_STATUS_COMPLETED, .finished_at_ms = 9, .queue_key = S("smith")};
        ctn_execution_row row = suite_row(no + 1);
        row.queue_key = S("smith");
        ctn_append ends = {.exec_no = no, .epoch = f->epoch, .seq_expected = 1, .change = &change};
        ctn_append comes = {.exec_no = no + 1,
                            .epoch = f->epoch,
                            .row = &row,
                            .records = suite_records(f->arena, no + 1, 0, NULL, 1),
                            .count = 1};
        ctn_append appends[2] = {k ? comes : ends, k ? ends : comes};
        ctn_outcome outcomes[2];
        assert_ok(ctn_store_commit(f->st, appends, 2, outcomes, &err_));
        assert_int_equal(outcomes[0], CTN_OUTCOME_ACCEPTED);
        assert_int_equal(outcomes[1], CTN_OUTCOME_ACCEPTED);
        assert_false(is_held(f, no + 1));
        turn_into(f, no + 1, 1, CTN_STATUS_COMPLETED, 0);
    }
}

void lanes_are_told_once_each(void **state)
{
    suite_fixture *f = *state;
    told t = {""};
    assert_ok(ctn_store_queue_lanes(f->st, tell_lane, &t, &err_));
    assert_string_equal(t.text, "");
    queue_up(f, 1, "trip", 5, "");
    queue_up(f, 2, "trip", 0, "");
    queue_up(f, 3, "trip", 5, "");
    queue_up(f, 4, "mail", 9, "smith");
    queue_up(f, 5, "note", 9, "smith"); /* held: no lane */
    assert_ok(ctn_store_queue_lanes(f->st, tell_lane, &t, &err_));
    assert_string_equal(t.text, "mail/9 trip/0 trip/5");
    turn_into(f, 2, 1, CTN_STATUS_RUNNING, 1);
    turn_into(f, 4, 1, CTN_STATUS_FAILED, 0);
    t.text[0] = '\0';
    assert_ok(ctn_store_queue_lanes(f->second, tell_lane, &t, &err_));
    assert_string_equal(t.text, "note/9 trip/5");
}

void a_lane_pages_in_order_of_arrival(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 9; no++)
        queue_up(f, no, no % 3 ? "trip" : "mail", no == 5 ? 9 : 5, "");
    check_queue(f, "trip", 5, 0, 3, "1 2 4");
    check_queue(f, "trip", 5, 4, 3, "7 8");
    check_queue(f, "trip", 5, 8, 3, "");
    check_queue(f, "trip", 9, 0, 3, "5");
    check_queue(f, "mail", 5, 0, 0, "3 6 9");
    told t = {""};
    assert_ok(ctn_store_execution_due(f->st, INT64_MAX, 0, tell_number, &t, &err_));
    assert_string_equal(t.text, ""); /* queued ones are not among what the engine must load */
}

void what_ended_ones_owe_is_found_until_it_is_paid(void **state)
{
    suite_fixture *f = *state;
    told t = {""};
    for (int64_t no = 1; no <= 4; no++)
        queue_up(f, no, "trip", 5, "");
    turn_into(f, 1, 1, CTN_STATUS_FAILED, 1);
    turn_into(f, 2, 1, CTN_STATUS_RUNNING, 1);
    turn_into(f, 3, 1, CTN_STATUS_FAILED, 0);
    turn_into(f, 4, 1, CTN_STATUS_ROLLED_BACK, 1);
    assert_ok(ctn_store_execution_owing(f->second, 0, 0, tell_number, &t, &err_));
    assert_string_equal(t.text, "1 4");
    turn_into(f, 1, 1, CTN_STATUS_FAILED, 0);
    t.text[0] = '\0';
    assert_ok(ctn_store_execution_owing(f->st, 0, 0, tell_number, &t, &err_));
    assert_string_equal(t.text, "4");
    t.text[0] = '\0';
    assert_ok(ctn_store_execution_owing(f->st, 4, 0, tell_number, &t, &err_));
    assert_string_equal(t.text, "");
    assert_ok(ctn_store_execution_due(f->st, INT64_MAX, 0, tell_number, &t, &err_));
    assert_string_equal(t.text, "2");
}

static int tell_schedule(void *ctx, const ctn_schedule_row *row)
{
    told *t = ctx;
    size_t len = strlen(t->text);
    snprintf(t->text + len, sizeof t->text - len, "%.*s %.*s %.*s %" PRId64 " %" PRId64 ";", CTN_STR_ARG(row->chain_id),
             CTN_STR_ARG(row->cron), CTN_STR_ARG(row->timezone), row->seen_at_ms, row->next_at_ms);
    return 0;
}

static int tell_breaker(void *ctx, const ctn_breaker_row *row)
{
    told *t = ctx;
    size_t len = strlen(t->text);
    snprintf(t->text + len, sizeof t->text - len, "%.*s %.*s %" PRId64 " %" PRId64 ";", CTN_STR_ARG(row->name),
             CTN_STR_ARG(row->state), row->until_ms, row->changed_at_ms);
    return 0;
}

void schedules_and_breakers_are_kept(void **state)
{
    suite_fixture *f = *state;
    told t = {""};
    ctn_schedule_row weekly = {S("weekly"), S("0 9 * * 1"), S("UTC"), 100, 200};
    ctn_schedule_row daily = {S("daily"), S("0 9 * * *"), S("Europe/London"), 100, 0};
    assert_ok(ctn_store_schedule_put(f->st, &weekly, &err_));
    assert_ok(ctn_store_schedule_put(f->st, &daily, &err_));
    weekly.seen_at_ms = 200;
    assert_ok(ctn_store_schedule_put(f->st, &weekly, &err_));
    assert_ok(ctn_store_schedule_list(f->second, tell_schedule, &t, &err_));
    assert_string_equal(t.text, "daily 0 9 * * * Europe/London 100 0;weekly 0 9 * * 1 UTC 200 200;");
    ctn_breaker_row open = {S("tool travel/book"), S("open"), 30100, 100};
    ctn_breaker_row closed = {S("tool crm/note"), S("closed"), 0, 100};
    assert_ok(ctn_store_breaker_put(f->st, &open, &err_));
    assert_ok(ctn_store_breaker_put(f->st, &closed, &err_));
    open.until_ms = 40100;
    assert_ok(ctn_store_breaker_put(f->st, &open, &err_));
    t.text[0] = '\0';
    assert_ok(ctn_store_breaker_list(f->second, tell_breaker, &t, &err_));
    assert_string_equal(t.text, "tool crm/note closed 0 100;tool travel/book open 40100 100;");
}

typedef struct audited {
    ctn_digest previous;
    int64_t count;
    told told;
} audited;

static int check_audit(void *ctx, const ctn_audit_entry *entry)
{
    audited *a = ctx;
    ctn_digest hash = ctn_audit_hash(entry, &a->previous);
    assert_memory_equal(hash.bytes, entry->hash.bytes, sizeof hash.bytes);
    assert_int_equal(entry->n, ++a->count);
    a->previous = hash;
    size_t len = strlen(a->told.text);
    snprintf(a->told.text + len, sizeof a->told.text - len, "%" PRId64 " %.*s %.*s %.*s %.*s;", entry->at_ms,
             CTN_STR_ARG(entry->actor), CTN_STR_ARG(entry->action), CTN_STR_ARG(entry->subject),
             CTN_STR_ARG(entry->detail));
    return 0;
}

static void audit(ctn_store *st, int64_t at_ms, const char *action, const char *subject, const char *detail)
{
    ctn_audit_entry entry = {
        .at_ms = at_ms, .actor = S("mia"), .action = S(action), .subject = S(subject), .detail = S(detail)};
    assert_ok(ctn_store_audit(st, &entry, &err_));
}

void the_audit_log_is_a_chain_of_hashes(void **state)
{
    suite_fixture *f = *state;
    audited a = {.told = {""}};
    int64_t count = 7;
    assert_ok(ctn_store_audit_count(f->st, &count, &err_));
    assert_int_equal(count, 0);
    assert_ok(ctn_store_audit_list(f->st, check_audit, &a, &err_));
    assert_int_equal(a.count, 0);
    audit(f->st, 100, "store.init", "", "");
    audit(f->st, 90, "chains.import", "trip", "{\"version\":1}"); /* a clock may go back; the order stays */
    assert_ok(ctn_store_audit_list(f->second, check_audit, &a, &err_));
    assert_string_equal(a.told.text, "100 mia store.init  {};90 mia chains.import trip {\"version\":1};");
    assert_ok(ctn_store_audit_count(f->second, &count, &err_));
    assert_int_equal(count, 2);
    ctn_audit_entry nothing = {.actor = S("mia")};
    assert_int_equal(ctn_store_audit(f->st, &nothing, NULL), CTN_E_INVALID);
}

void two_writers_of_the_audit_log_make_one_chain(void **state)
{
    suite_fixture *f = *state;
    audited a = {.told = {""}};
    for (int i = 0; i < 10; i++)
        audit(i % 2 ? f->st : f->second, i, "chains.import", "", "");
    assert_ok(ctn_store_audit_list(f->st, check_audit, &a, &err_));
    assert_int_equal(a.count, 10);
}

static ctn_outcome append_with(suite_fixture *f, uint64_t seq_expected, const ctn_result_row *results, size_t count)
{
    ctn_record *all = suite_records(f->arena, 1, 0, NULL, (size_t) seq_expected + 1);
    ctn_append append = {.exec_no = 1,
                         .epoch = f->epoch,
                         .seq_expected = seq_expected,
                         .records = &all[seq_expected],
                         .count = 1,
                         .results = results,
                         .result_count = count};
    return suite_append(f->st, &append);
}

static const char *result_of(suite_fixture *f, const char *key)
{
    ctn_result_row row = {0};
    int rc = ctn_store_result_get(f->second, f->arena, ctn_str_from(key), &row, NULL);
    if (rc == CTN_E_NOT_FOUND)
        return "none";
    assert_int_equal(rc, CTN_OK);
    assert_true(ctn_str_equal(row.key, ctn_str_from(key)));
    return ctn_arena_printf(f->arena, "%.*s %" PRId64 " %" PRId64, CTN_STR_ARG(row.value), row.put_at_ms,
                            row.expires_at_ms)
        .ptr;
}

void results_are_kept_with_their_append(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_result_row first[] = {{S("k1"), S("{\"a\":1}"), 100, 200}, {S("k2"), S("[]"), 100, 900}};
    assert_int_equal(append_with(f, 1, first, 2), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(result_of(f, "k1"), "{\"a\":1} 100 200");
    assert_string_equal(result_of(f, "k2"), "[] 100 900");
    assert_string_equal(result_of(f, "k3"), "none");
    /* an append that is refused keeps nothing */
    ctn_result_row late = {S("k2"), S("0"), 150, 950};
    assert_int_equal(append_with(f, 1, &late, 1), CTN_OUTCOME_STALE_SEQ);
    assert_string_equal(result_of(f, "k2"), "[] 100 900");
    /* a later one replaces it */
    ctn_result_row again = {S("k2"), S("\"\""), 160, 960};
    assert_int_equal(append_with(f, 2, &again, 1), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(result_of(f, "k2"), "\"\" 160 960");
    assert_string_equal(result_of(f, "k1"), "{\"a\":1} 100 200");
    ctn_result_row nameless = {S(""), S("0"), 150, 950};
    ctn_append append = {.exec_no = 1, .epoch = f->epoch, .seq_expected = 3, .results = &nameless, .result_count = 1};
    ctn_outcome outcome;
    assert_int_equal(ctn_store_commit(f->st, &append, 1, &outcome, NULL), CTN_E_INVALID);
}

void expired_results_go_a_few_at_a_time(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_result_row many[10];
    for (int i = 0; i < 10; i++)
        many[i] = (ctn_result_row){ctn_arena_printf(f->arena, "k%d", i), S("1"), 100, 200 + i};
    assert_int_equal(append_with(f, 1, many, 10), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(result_of(f, "k0"), "1 100 200");
    ctn_result_row one = {S("fresh"), S("2"), 204, 900};
    assert_int_equal(append_with(f, 2, &one, 1), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(result_of(f, "k0"), "none"); /* the oldest first, and not all at once */
    assert_string_equal(result_of(f, "k3"), "none");
    assert_string_equal(result_of(f, "k4"), "1 100 204");
    one.put_at_ms = 205;
    assert_int_equal(append_with(f, 3, &one, 1), CTN_OUTCOME_ACCEPTED);
    assert_string_equal(result_of(f, "k5"), "none");
    assert_string_equal(result_of(f, "k6"), "1 100 206"); /* it is fresh */
    assert_string_equal(result_of(f, "fresh"), "2 205 900");
}

static int note_quarantined(void *ctx, const ctn_quarantine_row *row)
{
    told *t = ctx;
    size_t len = strlen(t->text);
    snprintf(t->text + len, sizeof t->text - len, "%s%" PRId64 "%s", len ? " " : "", row->exec_no,
             row->given_up_at_ms ? "!" : "");
    return 0;
}

void the_quarantine_keeps_what_was_put_and_forgets_what_is_released(void **state)
{
    suite_fixture *f = *state;
    ctn_quarantine_row read,
        rows[3] = {
            {.exec_no = 7, .id = suite_id(7), .chain_id = S("trip"), .reason = S("a"), .found_at_ms = 70},
            {.exec_no = 2, .reason = S("b"), .found_at_ms = 20},
            {.exec_no = 5, .id = suite_id(5), .reason = S("c"), .found_at_ms = 50},
        };
    told t = {""};
    assert_ok(ctn_store_quarantine_put(f->st, rows, 3, &err_));
    assert_ok(ctn_store_quarantine_list(f->second, note_quarantined, &t, &err_));
    assert_string_equal(t.text, "2 5 7");
    assert_ok(ctn_store_quarantine_get(f->second, f->arena, 7, &read, &err_));
    assert_true(ctn_id_equal(read.id, suite_id(7)));
    assert_str(read.chain_id, "trip");
    assert_str(read.reason, "a");
    assert_int_equal(read.found_at_ms, 70);
    assert_int_equal(read.given_up_at_ms, 0);
    assert_ok(ctn_store_quarantine_get(f->second, f->arena, 2, &read, &err_));
    assert_true(ctn_id_is_none(read.id));
    assert_int_equal(read.chain_id.len, 0);
    rows[0].reason = S("found again"); /* the first reason stands */
    assert_ok(ctn_store_quarantine_put(f->second, rows, 1, &err_));
    assert_ok(ctn_store_quarantine_get(f->st, f->arena, 7, &read, &err_));
    assert_str(read.reason, "a");
    assert_ok(ctn_store_quarantine_remove(f->second, 5, &err_));
    assert_ok(ctn_store_quarantine_remove(f->second, 5, &err_));
    assert_int_equal(ctn_store_quarantine_get(f->st, f->arena, 5, &read, NULL), CTN_E_NOT_FOUND);
    t.text[0] = '\0';
    assert_ok(ctn_store_quarantine_list(f->st, note_quarantined, &t, &err_));
    assert_string_equal(t.text, "2 7");
    rows[0].exec_no = 0;
    assert_int_equal(ctn_store_quarantine_put(f->st, rows, 1, NULL), CTN_E_INVALID);
    rows[0] = (ctn_quarantine_row){.exec_no = 9};
    assert_int_equal(ctn_store_quarantine_put(f->st, rows, 1, NULL), CTN_E_INVALID);
}

void who_is_given_up_lets_its_line_and_its_parent_go(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row parent = suite_row(1), child = suite_row(2), next = suite_row(3), read;
    ctn_quarantine_row found = {.exec_no = 2, .id = suite_id(2), .reason = S("a gap"), .found_at_ms = 5};
    told t = {""};
    parent.status = CTN_STATUS_WAITING;
    parent.wake_at_ms = 0;
    child.status = CTN_STATUS_RUNNING;
    child.parent = suite_id(1);
    child.queue_key = next.queue_key = S("desk");
    suite_create(f, &parent, 1);
    suite_create(f, &child, 1);
    suite_create(f, &next, 1);
    assert_ok(ctn_store_quarantine_put(f->st, &found, 1, &err_));
    assert_ok(ctn_store_execution_by_no(f->second, f->arena, 3, &read, &err_));
    assert_true(read.is_held);
    ctn_give_up what = {.exec_no = 2, .error = S("{\"code\":\"damaged\"}"), .at_ms = 99};
    assert_ok(ctn_store_give_up(f->st, &what, &err_));
    assert_ok(ctn_store_execution_by_no(f->second, f->arena, 2, &read, &err_));
    assert_int_equal(read.status, CTN_STATUS_FAILED);
    assert_int_equal(read.finished_at_ms, 99);
    assert_int_equal(read.wake_at_ms, 0);
    assert_str(read.error, "{\"code\":\"damaged\"}");
    assert_ok(ctn_store_execution_by_no(f->second, f->arena, 3, &read, &err_));
    assert_false(read.is_held);
    assert_ok(ctn_store_execution_by_no(f->second, f->arena, 1, &read, &err_));
    assert_int_equal(read.wake_at_ms, 1);
    assert_ok(ctn_store_quarantine_list(f->st, note_quarantined, &t, &err_));
    assert_string_equal(t.text, "2!");
    assert_int_equal(ctn_store_give_up(f->st, &what, NULL), CTN_E_NOT_FOUND); /* it has ended */
    what.exec_no = 77;
    assert_int_equal(ctn_store_give_up(f->st, &what, NULL), CTN_E_NOT_FOUND);
    assert_int_equal(suite_journal_check(f->st, 2), 1); /* its journal stays as it is */
}

typedef struct raw_seen {
    size_t count;
    ctn_digest hash;
} raw_seen;

static int check_raw(void *ctx, const ctn_raw_record *raw)
{
    raw_seen *seen = ctx;
    seen->count++;
    assert_null(raw->damage);
    assert_false(raw->is_lost);
    assert_int_equal(raw->record.seq, seen->count);
    assert_str(raw->kind_name, ctn_entry_kind_name(raw->record.kind));
    assert_true(raw->position > 0);
    seen->hash = ctn_record_hash(&raw->record, &seen->hash);
    assert_memory_equal(seen->hash.bytes, raw->record.hash.bytes, CTN_DIGEST_BYTES);
    return seen->count == 3 ? 42 : 0;
}

void what_is_whole_reads_raw_as_it_was_written(void **state)
{
    suite_fixture *f = *state;
    raw_seen seen = {0};
    ctn_execution_row row = suite_row(1), read;
    suite_create(f, &row, 2);
    assert_ok(ctn_store_journal_read_raw(f->second, 1, check_raw, &seen, &err_));
    assert_int_equal(seen.count, 2);
    assert_ok(ctn_store_journal_read_raw(f->second, 8, check_raw, &seen, &err_));
    assert_int_equal(seen.count, 2);
    row = suite_row(2);
    suite_create(f, &row, 5);
    seen = (raw_seen){0};
    assert_int_equal(ctn_store_journal_read_raw(f->second, 2, check_raw, &seen, NULL), 42);
    assert_int_equal(seen.count, 3);
    assert_ok(
        ctn_store_execution_read_raw(f->second, f->arena, S("01900000-0000-7001-8000-000000000002"), &read, &err_));
    assert_int_equal(read.exec_no, 2);
    assert_int_equal(read.damage.len, 0);
    assert_int_equal(ctn_store_execution_read_raw(f->second, f->arena, S("01900000"), &read, NULL), CTN_E_INVALID);
    assert_int_equal(ctn_store_execution_read_raw(f->second, f->arena, S("0777"), &read, NULL), CTN_E_NOT_FOUND);
}

void a_journal_is_read_from_the_middle_and_stops(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 10);
    ctn_record *records = suite_records(f->arena, 1, 0, NULL, 10);
    journal_walk walk = {.is_right = true, .seq = 6, .hash = records[5].hash};
    assert_ok(ctn_store_journal_read(f->st, 1, 7, walk_record, &walk, &err_));
    assert_true(walk.is_right);
    assert_int_equal(walk.count, 4);
    walk = (journal_walk){.is_right = true, .count_max = 3};
    assert_int_equal(ctn_store_journal_read(f->st, 1, 0, walk_record, &walk, NULL), 77); /* what the callback said */
    assert_int_equal(walk.count, 3);
    walk = (journal_walk){.is_right = true};
    assert_ok(ctn_store_journal_read(f->st, 1, 11, walk_record, &walk, &err_));
    assert_ok(ctn_store_journal_read(f->st, 1, UINT64_MAX, walk_record, &walk, &err_));
    assert_int_equal(walk.count, 0);
}

typedef struct nested {
    suite_fixture *f;
    size_t lists, records;
} nested;

/* ---- sealed values ---- */

static int note_sealed(void *ctx, const ctn_record *record, int64_t position)
{
    (void) position;
    char *text = ctx;
    snprintf(text + strlen(text), 200 - strlen(text), "%.*s;", CTN_STR_ARG(record->sealed));
    return 0;
}

void what_is_sealed_stands_beside_the_body(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    ctn_record *records = suite_records(f->arena, 1, 0, NULL, 3);
    records[1].sealed = S("[{\"at\":\"/variables/n\",\"box\":\"AAAA\"}]"); /* the hash does not cover it */
    ctn_append append = {.exec_no = 1, .epoch = f->epoch, .row = &row, .records = records, .count = 3};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_journal_check(f->second, 1), 3);
    char text[200] = "";
    assert_int_equal(ctn_store_journal_read(f->second, 1, 1, note_sealed, text, NULL), CTN_OK);
    assert_string_equal(text, ";[{\"at\":\"/variables/n\",\"box\":\"AAAA\"}];;");
}

static int note_key(void *ctx, int64_t exec_no, const ctn_data_key *key)
{
    char *text = ctx;
    snprintf(text + strlen(text), 200 - strlen(text), "%" PRId64 " %.*s %.*s;", exec_no, CTN_STR_ARG(key->master_id),
             CTN_STR_ARG(key->wrapped));
    return 0;
}

static const char *keys_of(suite_fixture *f, const char *but, int64_t after, size_t limit)
{
    char *text = ctn_arena_alloc(f->arena, 200);
    text[0] = '\0';
    assert_int_equal(ctn_store_data_key_list(f->second, ctn_str_from(but), after, limit, note_key, text, NULL), CTN_OK);
    return text;
}

static void create_with_key(suite_fixture *f, int64_t exec_no, const char *master_id, const char *wrapped)
{
    ctn_execution_row row = suite_row(exec_no);
    ctn_data_key key = {S(master_id), S(wrapped)};
    ctn_append append = {.exec_no = exec_no,
                         .epoch = f->epoch,
                         .row = &row,
                         .records = suite_records(f->arena, exec_no, 0, NULL, 1),
                         .count = 1,
                         .data_key = &key};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_STALE_SEQ); /* a refused append leaves no key */
}

void a_data_key_comes_with_its_execution_and_goes_when_shredded(void **state)
{
    suite_fixture *f = *state;
    ctn_data_key key;
    create_with_key(f, 1, "k1", "one");
    create_with_key(f, 2, "k1", "two");
    assert_int_equal(ctn_store_data_key_get(f->second, f->arena, 1, &key, NULL), CTN_OK);
    assert_str(key.wrapped, "one");
    assert_str(key.master_id, "k1");
    ctn_append late = next_append(f, 1, 1, 1);
    late.data_key = &key;
    assert_int_equal(ctn_store_commit(f->st, &late, 1, &(ctn_outcome){0}, NULL), CTN_E_INVALID);
    int64_t gone[] = {1, 99};
    assert_ok(ctn_store_data_key_shred(f->st, gone, 2, &err_));
    assert_int_equal(ctn_store_data_key_get(f->second, f->arena, 1, &key, NULL), CTN_E_NOT_FOUND);
    assert_string_equal(keys_of(f, "", -1, 0), "2 k1 two;");
    assert_int_equal(suite_journal_check(f->st, 1), 1); /* the journal stands */
}

void data_keys_are_wrapped_anew_unless_somebody_was_faster(void **state)
{
    suite_fixture *f = *state;
    ctn_data_key own = {S("k1"), S("zero")}, key;
    assert_ok(ctn_store_data_key_put(f->st, 0, &own, &err_));
    assert_int_equal(ctn_store_data_key_put(f->second, 0, &own, NULL), CTN_E_EXISTS);
    create_with_key(f, 1, "k1", "one");
    create_with_key(f, 2, "k1", "two");
    create_with_key(f, 3, "k2", "three");
    assert_string_equal(keys_of(f, "k2", -1, 2), "0 k1 zero;1 k1 one;");
    assert_string_equal(keys_of(f, "k2", 1, 2), "2 k1 two;");
    ctn_data_key_swap swaps[] = {{1, S("one"), {S("k2"), S("ONE")}}, {2, S("gone"), {S("k2"), S("TWO")}}};
    assert_ok(ctn_store_data_key_swap(f->second, swaps, 2, &err_));
    assert_int_equal(ctn_store_data_key_get(f->st, f->arena, 1, &key, NULL), CTN_OK);
    assert_str(key.wrapped, "ONE");
    assert_string_equal(keys_of(f, "k2", -1, 0), "0 k1 zero;2 k1 two;");
}

static int count_record(void *ctx, const ctn_record *record, int64_t position)
{
    nested *n = ctx;
    (void) record;
    (void) position;
    if (n->records++ == 0) { /* once more from inside: the same statement is in use */
        assert_int_equal(suite_journal_check(n->f->st, 2), 2);
        ctn_execution_row row;
        assert_int_equal(ctn_store_execution_by_no(n->f->st, n->f->arena, 2, &row, NULL), CTN_OK);
    }
    return 0;
}

static int list_inside(void *ctx, const ctn_execution_row *row)
{
    nested *n = ctx;
    n->lists++;
    assert_int_equal(ctn_store_journal_read(n->f->st, row->exec_no, 1, count_record, n, NULL), CTN_OK);
    if (row->exec_no == 3) {
        ctn_append append = next_append(n->f, 1, 2, 1);
        assert_int_equal(suite_append(n->f->second, &append), CTN_OUTCOME_ACCEPTED);
    }
    return 0;
}

void a_callback_may_use_the_store(void **state)
{
    suite_fixture *f = *state;
    for (int64_t no = 1; no <= 3; no++) {
        ctn_execution_row row = suite_row(no);
        suite_create(f, &row, 2);
    }
    nested n = {.f = f};
    assert_ok(ctn_store_execution_list(f->st, &(ctn_execution_filter){0}, list_inside, &n, &err_));
    assert_int_equal(n.lists, 3);
    assert_in_range(n.records, 6, 7);
    assert_int_equal(suite_journal_check(f->st, 1), 3);
}

void the_highest_number_is_remembered(void **state)
{
    suite_fixture *f = *state;
    int64_t last = -1;
    assert_ok(ctn_store_exec_no_last(f->st, &last, &err_));
    assert_int_equal(last, 0);
    ctn_execution_row rows[2] = {suite_row(40), suite_row(12)};
    suite_create(f, &rows[0], 1);
    suite_create(f, &rows[1], 1);
    assert_ok(ctn_store_exec_no_last(f->second, &last, &err_));
    assert_int_equal(last, 40);
}

void a_reader_cannot_write(void **state)
{
    suite_fixture *f = *state;
    ctn_execution_row row = suite_row(1);
    suite_create(f, &row, 1);
    ctn_store *reader = NULL;
    assert_ok(ctn_store_open(f->url, CTN_STORE_READ, &reader, &err_));
    assert_int_equal(suite_journal_check(reader, 1), 1);
    ctn_append append = next_append(f, 1, 1, 1);
    ctn_outcome outcome;
    ctn_err err = {0};
    assert_int_equal(ctn_store_commit(reader, &append, 1, &outcome, &err), CTN_E_DENIED);
    assert_true(err.message[0] != '\0');
    uint64_t epoch;
    bool was_crash;
    assert_int_equal(ctn_store_epoch_begin(reader, &epoch, &was_crash, NULL), CTN_E_DENIED);
    ctn_definition definition = {.kind = S("chain")};
    assert_int_equal(ctn_store_definition_put(reader, &definition, 1, NULL), CTN_E_DENIED);
    ctn_audit_entry entry = {.action = S("store.prune")};
    assert_int_equal(ctn_store_audit(reader, &entry, NULL), CTN_E_DENIED);
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(suite_journal_check(reader, 1), 2); /* and sees what others write */
    ctn_store_close(reader);
}

/* ---- a model ---- */

enum { MODEL_EXECUTIONS = 12, MODEL_BATCHES = 300 };
typedef struct model {
    uint64_t state, epoch;
    struct {
        uint64_t seq;
        ctn_digest hash;
        ctn_status status;
    } executions[MODEL_EXECUTIONS + 1];
    bool key_taken[3];
} model;

static uint64_t pick(model *m, uint64_t below)
{
    ctn_rng rng = ctn_rng_seeded(&m->state);
    return ctn_rng_next(&rng) % below;
}

/* Random batches over few executions, some of them stale, through two handles that are now and then reopened; what
 * was accepted must be what a plain count in memory says. */
void random_histories_agree_with_a_model(void **state)
{
    suite_fixture *f = *state;
    static const char *const keys[] = {"", "k1", "k2"};
    model m = {.state = 20261122, .epoch = f->epoch};
    for (int round = 0; round < MODEL_BATCHES; round++) {
        ctn_append appends[6];
        ctn_execution_row rows[6];
        ctn_execution_change changes[6];
        ctn_outcome expected[6], outcomes[6];
        size_t count = 1 + (size_t) pick(&m, 6);
        if (pick(&m, 25) == 0) {
            bool was_crash;
            assert_ok(ctn_store_epoch_begin(pick(&m, 2) ? f->st : f->second, &m.epoch, &was_crash, &err_));
        }
        for (size_t i = 0; i < count; i++) {
            int64_t no = 1 + (int64_t) pick(&m, MODEL_EXECUTIONS);
            uint64_t seq = m.executions[no].seq;
            uint64_t claimed = pick(&m, 8) == 0 ? seq + pick(&m, 3) : seq;
            bool old_epoch = pick(&m, 10) == 0;
            size_t key = pick(&m, 3);
            rows[i] = suite_row(no);
            rows[i].idempotency_key = S(keys[key]);
            changes[i] = (ctn_execution_change){.status = (ctn_status) pick(&m, CTN_STATUS_COUNT), .wake_at_ms = 1};
            size_t records = 1 + (size_t) pick(&m, 4);
            appends[i] = (ctn_append){.exec_no = no,
                                      .epoch = m.epoch - old_epoch,
                                      .seq_expected = claimed,
                                      .row = claimed ? NULL : &rows[i],
                                      .change = &changes[i],
                                      .count = records,
                                      .records = suite_records(f->arena, no, claimed, &m.executions[no].hash, records)};
            if (old_epoch)
                expected[i] = CTN_OUTCOME_STALE_EPOCH;
            else if (claimed != seq)
                expected[i] = CTN_OUTCOME_STALE_SEQ;
            else if (seq == 0 && key && m.key_taken[key])
                expected[i] = CTN_OUTCOME_EXISTS;
            else {
                expected[i] = CTN_OUTCOME_ACCEPTED;
                if (seq == 0 && key)
                    m.key_taken[key] = true;
                m.executions[no].seq += records;
                m.executions[no].hash = appends[i].records[records - 1].hash;
                m.executions[no].status = changes[i].status;
            }
        }
        assert_ok(ctn_store_commit(pick(&m, 4) ? f->st : f->second, appends, count, outcomes, &err_));
        for (size_t i = 0; i < count; i++)
            assert_int_equal(outcomes[i], expected[i]);
        if (pick(&m, 30) == 0) {
            ctn_store_close(f->st);
            assert_ok(ctn_store_open(f->url, CTN_STORE_WRITE, &f->st, &err_));
        }
    }
    for (int64_t no = 1; no <= MODEL_EXECUTIONS; no++) {
        assert_int_equal(suite_journal_check(f->second, no), m.executions[no].seq);
        if (m.executions[no].seq == 0)
            continue;
        ctn_execution_row row = read_row(f, f->second, no);
        assert_int_equal(row.status, m.executions[no].status);
        assert_memory_equal(row.hash_last.bytes, m.executions[no].hash.bytes, CTN_DIGEST_BYTES);
    }
}
