/*
 * suite.c -- running the suite; and what its tests are made of.
 */
#include "suite.h"
#include "base/memory.h"
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int suite_run_parts(const char *url, const suite_part *const *parts, size_t part_count)
{
    size_t count = 0, done = 0;
    for (size_t i = 0; i < part_count; i++)
        count += parts[i]->count;
    struct CMUnitTest *tests = ctn_calloc(count, sizeof *tests);
    for (size_t i = 0; i < part_count; i++)
        for (size_t k = 0; k < parts[i]->count; k++) {
            tests[done] = parts[i]->tests[k];
            tests[done].setup_func = suite_setup;
            tests[done].teardown_func = suite_teardown;
            tests[done++].initial_state = (void *) (uintptr_t) url;
        }
    int failed = _cmocka_run_group_tests("store", tests, count, NULL, NULL);
    free(tests);
    return failed;
}

int suite_run(const char *url, const struct CMUnitTest *own, size_t own_count)
{
    const suite_part own_part = {own, own_count};
    const suite_part *parts[] = {&suite_commit,       &suite_handles, &suite_chains,     &suite_find, &suite_queue,
                                 &suite_small_tables, &suite_audit,   &suite_principals, &suite_keys, &suite_quarantine,
                                 &suite_retention,    &suite_model,   &suite_webhooks,   &own_part};
    return suite_run_parts(url, parts, sizeof parts / sizeof parts[0]);
}

/* ---- fixtures ---- */

int suite_setup(void **state)
{
    static int schemas;
    const char *url = *state, *folder = strstr(url, "FOLDER"), *schema = strstr(url, "SCHEMA");
    suite_fixture *f = ctn_calloc(1, sizeof *f);
    if (folder) {
        snprintf(f->folder, sizeof f->folder, "/tmp/catena-store-XXXXXX");
        if (!mkdtemp(f->folder))
            return -1;
        snprintf(f->url, sizeof f->url, "%.*s%s%s", (int) (folder - url), url, f->folder, folder + strlen("FOLDER"));
    } else if (schema) {
        snprintf(f->url, sizeof f->url, "%.*st%d%s", (int) (schema - url), url, ++schemas, schema + strlen("SCHEMA"));
    } else {
        snprintf(f->url, sizeof f->url, "%s", url);
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

/* ---- making things to store ---- */

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

/* ---- looking at what is stored ---- */

int suite_walk_record(void *ctx, const ctn_record *record, int64_t position)
{
    suite_walk *walk = ctx;
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
    suite_walk walk = {.is_right = true};
    ctn_err err = {0};
    if (ctn_store_journal_read(st, exec_no, 1, suite_walk_record, &walk, &err))
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

ctn_execution_row suite_read_row(suite_fixture *f, ctn_store *st, int64_t exec_no)
{
    ctn_execution_row row = {0};
    ctn_err err = {0};
    if (ctn_store_execution_by_no(st, f->arena, exec_no, &row, &err))
        fail_msg("%s", err.message);
    return row;
}

ctn_digest suite_hash_of(suite_fixture *f, int64_t exec_no)
{
    return suite_read_row(f, f->st, exec_no).hash_last;
}

ctn_append suite_next_append(suite_fixture *f, int64_t exec_no, uint64_t seq_last, size_t count)
{
    ctn_digest previous = suite_hash_of(f, exec_no);
    return (ctn_append){.exec_no = exec_no,
                        .epoch = f->epoch,
                        .seq_expected = seq_last,
                        .count = count,
                        .records = suite_records(f->arena, exec_no, seq_last, &previous, count)};
}

int suite_note(suite_seen *seen, const char *format, ...)
{
    size_t len = strlen(seen->text);
    if (len)
        seen->text[len++] = ' ';
    va_list args;
    va_start(args, format);
    vsnprintf(seen->text + len, sizeof seen->text - len, format, args);
    va_end(args);
    return ++seen->count == seen->stop_after;
}

int suite_note_row(void *ctx, const ctn_execution_row *row)
{
    return suite_note(ctx, "%" PRId64, row->exec_no);
}
