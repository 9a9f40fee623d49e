/*
 * test_copy.c -- a store is copied whole, or not at all, into one of its own kind and of another (store/copy.h).
 */
#include "suite.h"
#include "sql_shards.h"
#include "sqlite_file.h"
#include "base/buf.h"
#include "store/audit.h"
#include "store/copy.h"
#include "store/data_keys.h"
#include "store/export.h"
#include "store/fleet.h"
#include "store/principals.h"
#include "store/quarantine.h"
#include "store/tool_pins.h"
#include "store/verify.h"
#include "store/webhooks.h"
#include "support/pg_server.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXECUTIONS = 600, DAY = 19675 };

/* ---- a store with something of everything ---- */

static ctn_append make_append(suite_fixture *f, int64_t no)
{
    static const ctn_status STATUSES[] = {CTN_STATUS_COMPLETED, CTN_STATUS_WAITING, CTN_STATUS_FAILED,
                                          CTN_STATUS_QUEUED, CTN_STATUS_RUNNING};
    ctn_execution_row *made = CTN_NEW(f->arena, ctn_execution_row),
                      row = suite_made_row(no, STATUSES[no % 5], no % 7 == 0 ? no - 3 : 0);
    row.id.bytes[14] = (uint8_t) (no * 37 >> 5);
    row.id.bytes[15] = (uint8_t) (no * 151);
    if (no % 7 == 0) { /* its parent's id, as that is made above */
        row.parent.bytes[14] = (uint8_t) ((no - 3) * 37 >> 5);
        row.parent.bytes[15] = (uint8_t) ((no - 3) * 151);
    }
    row.chain_id = no % 11 == 0 ? S("counted") : S("trip");
    row.idempotency_key = no % 4 == 0 ? ctn_arena_printf(f->arena, "key %" PRId64, no) : (ctn_str){0};
    row.queue_key =
        no % 3 == 0 && no % 7 ? ctn_arena_printf(f->arena, "line %" PRId64 "%d", no % 4, no % 11 == 0) : (ctn_str){0};
    row.tenant = no % 2 ? S("acme") : (ctn_str){0};
    row.labels = S("{\"team\":\"a\"}");
    row.outputs = row.status == CTN_STATUS_COMPLETED ? S("{\"x\":1}") : (ctn_str){0};
    row.error = row.status == CTN_STATUS_FAILED ? S("{\"code\":\"E\"}") : (ctn_str){0};
    size_t count = no == 500 ? 4500 : (size_t) (no % 4 + 1);
    ctn_record *records = suite_records(f->arena, no, 0, NULL, count);
    if (row.status == CTN_STATUS_COMPLETED && count > 1) { /* where its outputs are stored, too */
        records[count - 1].kind = CTN_ENTRY_COMPLETED;
        records[count - 1].body = S("{\"outputs\":{\"x\":1}}");
        records[count - 1].sealed = S("[{\"at\":\"/x\",\"box\":\"AAAA\"}]");
        records[count - 1].hash = ctn_record_hash(&records[count - 1], &records[count - 2].hash);
    }
    ctn_data_key *key = CTN_NEW(f->arena, ctn_data_key);
    *key = (ctn_data_key){.master_id = S("m1"), .wrapped = ctn_arena_printf(f->arena, "wrapped %" PRId64, no)};
    ctn_usage_row *usage = CTN_NEW(f->arena, ctn_usage_row);
    *usage = (ctn_usage_row){.tenant = S("acme"), .day = DAY, .used = {.executions = no, .calls = 2 * no}};
    ctn_result_row *result = CTN_NEW(f->arena, ctn_result_row);
    *result = (ctn_result_row){.key = ctn_arena_printf(f->arena, "result %" PRId64, no),
                               .value = S("{}"),
                               .put_at_ms = 1,
                               .expires_at_ms = INT64_MAX};
    ctn_audit_entry *audit = CTN_NEW(f->arena, ctn_audit_entry);
    *audit = (ctn_audit_entry){.at_ms = no, .actor = S("ada"), .action = S("executions.start"), .subject = S("x")};
    *made = row;
    return (ctn_append){.exec_no = no,
                        .epoch = f->epoch,
                        .row = made,
                        .records = records,
                        .count = count,
                        .data_key = no % 5 == 0 ? key : NULL,
                        .usage = usage,
                        .usage_count = 1,
                        .results = result,
                        .result_count = no % 100 == 0,
                        .audits = audit,
                        .audit_count = no % 50 == 0};
}

static void put_executions(suite_fixture *f)
{
    enum { BATCH = 100 };
    ctn_append appends[BATCH];
    ctn_outcome outcomes[BATCH];
    for (int64_t no = 1; no <= EXECUTIONS; no += BATCH) {
        for (int i = 0; i < BATCH; i++)
            appends[i] = make_append(f, no + i);
        assert_ok(ctn_store_commit(f->st, appends, BATCH, outcomes, &err_));
        for (int i = 0; i < BATCH; i++)
            assert_int_equal(outcomes[i], CTN_OUTCOME_ACCEPTED);
    }
}

static void put_chain(suite_fixture *f, const char *chain_id, const char *body)
{
    ctn_definition d = {.digest = ctn_hash(S(body)), .kind = S("chain"), .name = S(chain_id), .body = S(body)};
    ctn_chain_row row = {.chain_id = S(chain_id), .digest = d.digest, .created_at_ms = 5, .created_by = S("ada")};
    int64_t version;
    assert_ok(ctn_store_definition_put(f->st, &d, 1, &err_));
    assert_ok(ctn_store_chain_put(f->st, &row, &version, &err_));
}

static void fill(suite_fixture *f)
{
    put_chain(f, "trip", "{\"id\":\"trip\",\"steps\":[]}");
    put_chain(f, "trip", "{\"id\":\"trip\",\"steps\":[],\"priority\":1}");
    put_chain(f, "counted", "{\"id\":\"counted\",\"maxConcurrent\":2,\"steps\":[]}");
    put_executions(f);
    ctn_principal_row ada = {.name = S("ada"), .tenant = S("acme"), .created_at_ms = 3, .created_by = S("root")};
    ctn_grant_row grant = {.principal = S("ada"), .what = S("operator"), .granted_at_ms = 4, .granted_by = S("root")};
    ctn_api_key_row key = {.id = S("k1"), .principal = S("ada"), .hash = ctn_hash(S("secret")), .created_at_ms = 5};
    assert_ok(ctn_store_principal_put(
        f->st, &(ctn_principal_put){.row = &ada, .grants = &grant, .grant_count = 1, .key = &key}, &err_));
    assert_ok(ctn_store_api_key_revoke(f->st, S("k1"), 77, &err_));
    ctn_schedule_row schedule = {.chain_id = S("trip"),
                                 .cron = S("0 * * * *"),
                                 .timezone = S("UTC"),
                                 .seen_at_ms = 9,
                                 .next_at_ms = 10,
                                 .fired_at_ms = 8,
                                 .paused_at_ms = 7,
                                 .paused_by = S("ada")};
    assert_ok(ctn_store_schedule_put(f->st, &schedule, &err_));
    ctn_breaker_row breaker = {.name = S("tool a/b"), .state = S("open"), .until_ms = 12, .changed_at_ms = 11};
    assert_ok(ctn_store_breaker_put(f->st, &breaker, &err_));
    ctn_webhook_row hook = {.name = S("h"),
                            .definition = S("{}"),
                            .secret = S("sealed"),
                            .position = 17,
                            .created_at_ms = 1,
                            .created_by = S("ada"),
                            .stopped = S("it answers 500")};
    assert_ok(ctn_store_webhook_put(f->st, &hook, &err_));
    ctn_dead_letter letter = {.webhook = S("h"),
                              .position = 9,
                              .execution = suite_id(3),
                              .kind = S("started"),
                              .attempts = 3,
                              .why = S("500"),
                              .died_at_ms = 99};
    assert_ok(ctn_store_dead_letter_put(f->st, &letter, &err_));
    ctn_tool_pin pin = {.target = S("a/b"),
                        .digest = ctn_hash(S("t")),
                        .definition = S("{}"),
                        .pinned_at_ms = 1,
                        .pinned_by = S("ada"),
                        .seen = S("null"),
                        .seen_at_ms = 2,
                        .owes_resume = true};
    assert_ok(ctn_store_tool_pin_put(f->st, &pin, 1, &err_));
    ctn_quarantine_row ill[2] = {
        {.exec_no = 7, .id = suite_id(7), .chain_id = S("trip"), .reason = S("odd"), .found_at_ms = 4},
        {.exec_no = 999999, .reason = S("it is gone"), .found_at_ms = 4}};
    assert_ok(ctn_store_quarantine_put(f->st, ill, 2, &err_));
    ctn_data_key own = {.master_id = S("m1"), .wrapped = S("the store's own")};
    assert_ok(ctn_store_data_key_put(f->st, 0, &own, &err_));
}

/* ---- what two stores say ---- */

static int add_text(void *ctx, ctn_str text, ctn_err *err)
{
    (void) err;
    ctn_buf_append(ctx, text);
    return CTN_OK;
}

static void print(ctn_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void print(ctn_buf *b, const char *format, ...)
{
    char line[2048];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    ctn_buf_append(b, (ctn_str){line, (size_t) len < sizeof line ? (size_t) len : sizeof line - 1});
}

typedef struct reading {
    ctn_store *st;
    ctn_buf text;
    ctn_arena *arena;
    const char **findings; /* of verify, which goes by shards where there are some */
    size_t finding_count, finding_capacity;
} reading;

static int tell_row(void *ctx, const ctn_execution_row *row)
{
    reading *r = ctx;
    ctn_data_key key = {0};
    ctn_quarantine_row ill = {0};
    ctn_export_report report;
    (void) ctn_store_data_key_get(r->st, r->arena, row->exec_no, &key, NULL);
    (void) ctn_store_quarantine_get(r->st, r->arena, row->exec_no, &ill, NULL);
    print(&r->text, "%s held %d key %.*s ill %.*s\n", ctn_id_to_text(row->id).text, row->is_held,
          CTN_STR_ARG(key.wrapped), CTN_STR_ARG(ill.reason));
    ctn_export_options options = {
        .id = row->id, .actor = S("ada"), .program = S("test"), .write = add_text, .ctx = &r->text};
    assert_ok(ctn_store_export(r->st, &options, &report, &err_));
    return 0;
}

static int tell_tail(void *ctx, const ctn_tail_entry *e)
{
    reading *r = ctx;
    print(&r->text, "%" PRId64 " %s %" PRIu64 " %s\n", e->position, ctn_id_to_text(e->id).text, e->record->seq,
          ctn_digest_to_text(e->record->hash).text);
    return 0;
}

static int tell_chain_version(void *ctx, const ctn_chain_row *row)
{
    reading *r = ctx;
    print(&r->text, "%.*s %" PRId64 " %s %" PRId64 " %.*s\n", CTN_STR_ARG(row->chain_id), row->version,
          ctn_digest_to_text(row->digest).text, row->created_at_ms, CTN_STR_ARG(row->created_by));
    return 0;
}
static int tell_chain(void *ctx, const ctn_chain_row *row)
{
    reading *r = ctx;
    assert_ok(ctn_store_chain_versions(r->st, row->chain_id, tell_chain_version, r, &err_));
    return 0;
}
static int tell_principal(void *ctx, const ctn_principal_row *p)
{
    print(&((reading *) ctx)->text, "%.*s %.*s %d %" PRId64 "\n", CTN_STR_ARG(p->name), CTN_STR_ARG(p->tenant),
          p->is_service, p->created_at_ms);
    return 0;
}
static int tell_grant(void *ctx, const ctn_grant_row *g)
{
    print(&((reading *) ctx)->text, "%.*s %.*s %" PRId64 "\n", CTN_STR_ARG(g->principal), CTN_STR_ARG(g->what),
          g->granted_at_ms);
    return 0;
}
static int tell_key(void *ctx, const ctn_api_key_row *k)
{
    print(&((reading *) ctx)->text, "%.*s %s revoked %" PRId64 "\n", CTN_STR_ARG(k->id),
          ctn_digest_to_text(k->hash).text, k->revoked_at_ms);
    return 0;
}
static int tell_schedule(void *ctx, const ctn_schedule_row *s)
{
    print(&((reading *) ctx)->text, "%.*s %.*s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %.*s\n",
          CTN_STR_ARG(s->chain_id), CTN_STR_ARG(s->cron), s->seen_at_ms, s->next_at_ms, s->fired_at_ms, s->paused_at_ms,
          CTN_STR_ARG(s->paused_by));
    return 0;
}
static int tell_breaker(void *ctx, const ctn_breaker_row *b)
{
    print(&((reading *) ctx)->text, "%.*s %.*s %" PRId64 "\n", CTN_STR_ARG(b->name), CTN_STR_ARG(b->state),
          b->until_ms);
    return 0;
}
static int tell_letter(void *ctx, const ctn_dead_letter *l)
{
    print(&((reading *) ctx)->text, "%.*s %" PRId64 " %.*s\n", CTN_STR_ARG(l->webhook), l->position,
          CTN_STR_ARG(l->why));
    return 0;
}
static int tell_webhook(void *ctx, const ctn_webhook_row *h)
{
    reading *r = ctx;
    print(&r->text, "%.*s %" PRId64 " %.*s %.*s\n", CTN_STR_ARG(h->name), h->position, CTN_STR_ARG(h->secret),
          CTN_STR_ARG(h->stopped));
    assert_ok(ctn_store_dead_letter_list(r->st, h->name, 0, 100, tell_letter, r, &err_));
    return 0;
}
static int tell_pin(void *ctx, const ctn_tool_pin *p)
{
    print(&((reading *) ctx)->text, "%.*s %.*s %d\n", CTN_STR_ARG(p->target), CTN_STR_ARG(p->seen), p->owes_resume);
    return 0;
}
static int tell_usage(void *ctx, const ctn_usage_row *u)
{
    print(&((reading *) ctx)->text, "%.*s %" PRId64 " %" PRId64 "\n", CTN_STR_ARG(u->tenant), u->used.executions,
          u->used.calls);
    return 0;
}
static int tell_audit(void *ctx, const ctn_audit_entry *e)
{
    print(&((reading *) ctx)->text, "%.*s %" PRId64 " %.*s %s\n", CTN_STR_ARG(e->node), e->n, CTN_STR_ARG(e->action),
          ctn_digest_to_text(e->hash).text);
    return 0;
}

static void tell_finding(void *ctx, const ctn_verify_finding *f)
{
    reading *r = ctx;
    r->findings = ctn_arena_room(r->arena, r->findings, r->finding_count, &r->finding_capacity, sizeof *r->findings);
    r->findings[r->finding_count++] = ctn_arena_printf(r->arena, "%s %s %" PRIu64 " %.*s%c", ctn_id_to_text(f->id).text,
                                                       f->rule, f->seq, CTN_STR_ARG(f->what), 0)
                                          .ptr;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Everything that a copy must hold as it was; the caller's to free. */
static reading read_all(const char *url)
{
    reading r = {.arena = ctn_arena_new(4096)};
    ctn_buf_init(&r.text, 1 << 28);
    assert_ok(ctn_store_open(url, CTN_STORE_READ, &r.st, &err_));
    ctn_execution_filter all = {0};
    assert_ok(ctn_store_execution_list(r.st, &all, tell_row, &r, &err_));
    assert_ok(ctn_store_journal_after(r.st, 0, SIZE_MAX, tell_tail, &r, &err_));
    assert_ok(ctn_store_chain_list(r.st, tell_chain, &r, &err_));
    assert_ok(ctn_store_principal_list(r.st, tell_principal, &r, &err_));
    assert_ok(ctn_store_grant_list(r.st, tell_grant, &r, &err_));
    assert_ok(ctn_store_api_key_list(r.st, tell_key, &r, &err_));
    assert_ok(ctn_store_schedule_list(r.st, tell_schedule, &r, &err_));
    assert_ok(ctn_store_breaker_list(r.st, tell_breaker, &r, &err_));
    assert_ok(ctn_store_webhook_list(r.st, tell_webhook, &r, &err_));
    assert_ok(ctn_store_tool_pin_list(r.st, tell_pin, &r, &err_));
    assert_ok(ctn_store_usage_list(r.st, DAY, tell_usage, &r, &err_));
    assert_ok(ctn_store_audit_list(r.st, tell_audit, &r, &err_));
    ctn_data_key own = {0};
    (void) ctn_store_data_key_get(r.st, r.arena, 0, &own, NULL);
    ctn_result_row result = {0};
    print(&r.text, "result %d\n", ctn_store_result_get(r.st, r.arena, S("result 600"), &result, NULL));
    int64_t position;
    assert_ok(ctn_store_position_last(r.st, &position, &err_));
    print(&r.text, "own key %.*s, last position %" PRId64 "\n", CTN_STR_ARG(own.wrapped), position);
    ctn_verify_report report;
    ctn_verify_options options = {.is_quick = true, .on_finding = tell_finding, .ctx = &r};
    assert_ok(ctn_store_verify(r.st, &options, &report, &err_));
    qsort(r.findings, r.finding_count, sizeof *r.findings, by_text);
    for (size_t i = 0; i < r.finding_count; i++)
        print(&r.text, "%s\n", r.findings[i]);
    print(&r.text,
          "verified: %" PRId64 " executions, %" PRId64 " entries, %" PRId64 " definitions, %" PRId64
          " audit entries, %" PRId64 " findings\n",
          report.executions, report.entries, report.definitions, report.audit_entries, report.findings);
    ctn_store_close(r.st);
    return r;
}

static void free_reading(reading *r)
{
    ctn_buf_done(&r->text);
    ctn_arena_free(r->arena);
}

static void assert_same(const char *first_url, const char *second_url)
{
    reading first = read_all(first_url), second = read_all(second_url);
    ctn_str a = ctn_buf_str(&first.text), b = ctn_buf_str(&second.text);
    size_t at = 0, line = 0;
    while (at < a.len && at < b.len && a.ptr[at] == b.ptr[at])
        if (a.ptr[at++] == '\n')
            line = at;
    if (a.len != b.len || at < a.len)
        fail_msg("the stores differ:\n%.400s\n%.400s", a.ptr + line, b.ptr + line);
    free_reading(&first);
    free_reading(&second);
}

static ctn_copy_report copy(const char *from, const char *to)
{
    ctn_copy_report report;
    ctn_copy_options options = {.now_ms = DAY * INT64_C(86400000)};
    assert_ok(ctn_store_copy(from, to, &options, &report, &err_));
    return report;
}

static void copy_fails(const char *from, const char *to, int code, const char *words)
{
    ctn_copy_report report;
    ctn_copy_options options = {.now_ms = DAY * INT64_C(86400000)};
    ctn_err err = {0};
    assert_int_equal(ctn_store_copy(from, to, &options, &report, &err), code);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" is not in: %s", words, err.message);
}

static const char *beside(suite_fixture *f, const char *name)
{
    return ctn_arena_printf(f->arena, "sqlite:%s/%s%c", f->folder, name, 0).ptr;
}

/* ---- the tests ---- */

static void a_copy_holds_everything_as_it_was(void **state)
{
    suite_fixture *f = *state;
    fill(f);
    const char *to = beside(f, "copy.db");
    ctn_copy_report report = copy(f->url, to);
    assert_int_equal(report.executions, EXECUTIONS);
    assert_int_equal(report.moved + report.damaged + report.lost, 0);
    assert_same(f->url, to);
}

static void a_copy_goes_on_where_its_source_stood(void **state)
{
    suite_fixture *f = *state;
    fill(f);
    const char *to = beside(f, "copy.db");
    copy(f->url, to);
    suite_fixture there = *f;
    bool was_crash = false;
    int64_t before, after;
    assert_ok(ctn_store_open(to, CTN_STORE_WRITE, &there.st, &err_));
    assert_ok(ctn_store_epoch_begin(there.st, &there.epoch, &was_crash, &err_));
    assert_true(was_crash); /* calls may have been under way */
    assert_ok(ctn_store_position_last(f->st, &before, &err_));
    ctn_execution_row row = suite_row(EXECUTIONS + 1);
    suite_create(&there, &row, 1);
    assert_ok(ctn_store_position_last(there.st, &after, &err_));
    assert_int_equal(after, before + 1);
    row = suite_row(EXECUTIONS + 2);
    row.chain_id = S("trip");
    row.idempotency_key = S("key 4"); /* has an execution */
    ctn_append again = {.exec_no = row.exec_no,
                        .epoch = there.epoch,
                        .row = &row,
                        .records = suite_records(f->arena, row.exec_no, 0, NULL, 1),
                        .count = 1};
    assert_int_equal(suite_append(there.st, &again), CTN_OUTCOME_EXISTS);
    ctn_store_close(there.st);
}

static void pruned_numbers_and_positions_do_not_come_again(void **state)
{
    suite_fixture *f = *state;
    fill(f);
    suite_make(f, EXECUTIONS + 1, CTN_STATUS_COMPLETED, 0, 3);
    ctn_prune what = suite_older_than(EXECUTIONS + 2);
    suite_prune_all(f->st, &what, NULL);
    const char *to = beside(f, "copy.db");
    copy(f->url, to);
    ctn_store *st = NULL;
    int64_t here, there;
    assert_ok(ctn_store_open(to, CTN_STORE_READ, &st, &err_));
    assert_ok(ctn_store_position_last(f->st, &here, &err_));
    assert_ok(ctn_store_position_last(st, &there, &err_));
    assert_int_equal(here, there);
    ctn_store_close(st);
}

static void a_store_that_holds_something_is_not_copied_over(void **state)
{
    suite_fixture *f = *state;
    fill(f);
    const char *to = beside(f, "copy.db");
    ctn_store *st = NULL;
    assert_ok(ctn_store_open(to, CTN_STORE_CREATE, &st, &err_));
    ctn_audit_entry made = {.at_ms = 1, .actor = S("ada"), .action = S("store.init")};
    assert_ok(ctn_store_audit(st, &made, &err_));
    copy(f->url, to); /* its making alone is nothing */
    copy_fails(f->url, to, CTN_E_EXISTS, "not empty");
    ctn_store_close(st);
    assert_same(f->url, to);
}

static void nobody_may_own_either_meanwhile(void **state)
{
    suite_fixture *f = *state;
    ctn_store_lock *lock = NULL;
    const char *to = beside(f, "copy.db");
    assert_ok(ctn_store_lock_take(f->url, &lock, &err_));
    copy_fails(f->url, to, CTN_E_BUSY, "in use");
    ctn_store_lock_release(lock);
    assert_ok(ctn_store_lock_take(to, &lock, &err_));
    copy_fails(f->url, to, CTN_E_BUSY, "in use");
    ctn_store_lock_release(lock);
    copy_fails(f->url, f->url, CTN_E_BUSY, "in use");
    copy_fails(beside(f, "none.db"), to, CTN_E_NOT_FOUND, "none.db");
}

static void a_copy_that_fails_leaves_an_empty_store(void **state)
{
    suite_fixture *f = *state;
    fill(f);
    char text[512];
    const char *to = beside(f, "copy.db");
    file_shell(file_path(f), "PRAGMA foreign_keys = OFF; INSERT INTO chains VALUES('lone', 1, zeroblob(32), 1, 'x')",
               text);
    copy_fails(f->url, to, CTN_E_NOT_FOUND, "lone");
    ctn_store *st = NULL;
    int64_t last = 1;
    assert_ok(ctn_store_open(to, CTN_STORE_READ, &st, &err_));
    assert_ok(ctn_store_exec_no_last(st, &last, &err_));
    assert_int_equal(last, 0);
    ctn_store_close(st);
    file_shell(file_path(f), "DELETE FROM chains WHERE chain_id = 'lone'", text);
    copy(f->url, to); /* and can be tried again */
    assert_same(f->url, to);
}

static void a_damaged_execution_is_copied_as_far_as_it_reads(void **state)
{
    suite_fixture *f = *state;
    fill(f);
    char text[512];
    file_shell(file_path(f), "UPDATE execution_journal SET kind = 'nonsense' WHERE exec_no = 6 AND seq = 2", text);
    file_shell(file_path(f), "UPDATE execution_journal SET body = '{}' WHERE exec_no = 10 AND seq = 1", text);
    const char *to = beside(f, "copy.db");
    ctn_copy_report report = copy(f->url, to);
    assert_int_equal(report.executions, EXECUTIONS);
    assert_int_equal(report.damaged, 1);
    assert_int_equal(report.lost, 1);
    reading there = read_all(to);
    assert_true(ctn_str_find(ctn_buf_str(&there.text), S("altered")) != SIZE_MAX); /* the other damage is still seen */
    free_reading(&there);
}

/* ---- a fleet's ---- */

#define FLEET  "memory:fleet?shards=16"
#define SHARDS 16

typedef struct living {
    ctn_store *st;
    size_t children, lines, counted;
    ctn_arena *arena;
} living;

static int check_home(void *ctx, const ctn_execution_row *row)
{
    living *l = ctx;
    uint32_t shard = (uint32_t) (row->exec_no % SHARDS), found = 99;
    bool is_root = ctn_id_is_none(row->parent), has_ended = ctn_status_is_final(row->status);
    if (!is_root) {
        ctn_execution_row parent;
        assert_ok(ctn_store_execution_get(l->st, l->arena, row->parent, &parent, &err_));
        assert_int_equal(shard, parent.exec_no % SHARDS);
        l->children++;
    } else if (!has_ended && ctn_str_is(row->chain_id, "counted")) {
        assert_int_equal(shard, ctn_shard_of_name(S("chain"), row->chain_id, SHARDS));
        l->counted++;
    } else if (!has_ended && row->queue_key.len) {
        assert_int_equal(shard, ctn_shard_of_name(S("line"), row->queue_key, SHARDS));
        l->lines++;
    } else {
        assert_int_equal(shard, ctn_shard_of_id(row->id, SHARDS));
    }
    assert_ok(ctn_store_shard_of_execution(l->st, row->id, &found, &err_));
    assert_int_equal(found, shard);
    return 0;
}

/* There, and back into one file. */
static void into_a_fleet_and_back(suite_fixture *f, const char *fleet)
{
    living l = {.arena = f->arena};
    fill(f);
    assert_ok(ctn_store_open(fleet, CTN_STORE_CREATE, &l.st, &err_));
    ctn_copy_report report = copy(f->url, fleet);
    assert_int_equal(report.executions, EXECUTIONS);
    assert_true(report.moved > 50);
    ctn_execution_filter all = {0};
    assert_ok(ctn_store_execution_list(l.st, &all, check_home, &l, &err_));
    assert_true(l.children > 50 && l.lines > 50 && l.counted > 10);
    assert_same(f->url, fleet);
    const char *back = beside(f, "back.db");
    assert_int_equal(copy(fleet, back).moved, 0);
    assert_same(f->url, back);
    ctn_store_close(l.st);
}

static void a_fleet_finds_together_what_belongs_together(void **state)
{
    into_a_fleet_and_back(*state, FLEET);
}

/* One key of two chains, one of which is counted: apart they are two lines, and nobody waits for the other's first. */
static void a_line_that_is_cut_moves_in_both_halves(void **state)
{
    suite_fixture *f = *state;
    ctn_store *st = NULL;
    ctn_execution_row found;
    put_chain(f, "counted", "{\"id\":\"counted\",\"maxConcurrent\":2,\"steps\":[]}");
    for (int64_t no = 1; no <= 3; no++) {
        ctn_execution_row row = suite_row(no);
        row.chain_id = no == 2 ? S("counted") : S("trip");
        row.queue_key = S("k");
        row.wake_at_ms = 0;
        suite_create(f, &row, 1);
    }
    assert_true(suite_read_row(f, f->st, 2).is_held && suite_read_row(f, f->st, 3).is_held);
    assert_ok(ctn_store_open(FLEET, CTN_STORE_CREATE, &st, &err_));
    copy(f->url, FLEET);
    assert_ok(ctn_store_execution_get(st, f->arena, suite_id(2), &found, &err_));
    assert_false(found.is_held);
    assert_ok(ctn_store_execution_get(st, f->arena, suite_id(3), &found, &err_));
    assert_true(found.is_held);
    const char *back = beside(f, "back.db");
    copy(FLEET, back);
    assert_same(f->url, back);
    ctn_store_close(st);
}

static pg_server *server; /* NULL: none can be had here */

static const char *new_database(suite_fixture *f)
{
    char *url = pg_server_new_database(server);
    ctn_str kept = ctn_arena_printf(f->arena, "%s?shards=%d%c", url, SHARDS, 0);
    free(url);
    return kept.ptr;
}

static void a_store_grows_into_postgresql_and_back(void **state)
{
    suite_fixture *f = *state;
    if (!server)
        skip();
    into_a_fleet_and_back(f, new_database(f));
}

/* A stream of events, or a webhook, that had told everything there misses nothing here. */
static void positions_go_on_in_postgresql(void **state)
{
    suite_fixture *f = *state, there = *f;
    if (!server)
        skip();
    fill(f);
    const char *to = new_database(f);
    copy(f->url, to);
    int64_t before, after, first;
    bool was_crash;
    reading r = {.arena = ctn_arena_new(4096)};
    assert_ok(ctn_store_open(to, CTN_STORE_WRITE, &there.st, &err_));
    assert_ok(ctn_store_epoch_begin(there.st, &there.epoch, &was_crash, &err_));
    assert_true(was_crash);
    assert_ok(ctn_store_position_last(there.st, &before, &err_));
    assert_ok(ctn_store_exec_nos_reserve(there.st, 1, &first, &err_));
    assert_true(first > EXECUTIONS * SHARDS);
    ctn_execution_row row = suite_row(first + ctn_shard_of_id(suite_id(7), SHARDS));
    row.id = suite_id(7);
    suite_create(&there, &row, 2);
    assert_ok(ctn_store_position_last(there.st, &after, &err_));
    assert_true(after > before);
    ctn_buf_init(&r.text, 1 << 20);
    assert_ok(ctn_store_journal_after(there.st, before, SIZE_MAX, tell_tail, &r, &err_));
    size_t lines = 0;
    for (size_t i = 0; i < ctn_buf_str(&r.text).len; i++)
        lines += ctn_buf_str(&r.text).ptr[i] == '\n';
    assert_int_equal(lines, 2);
    free_reading(&r);
    ctn_store_close(there.st);
}

static void a_copy_into_postgresql_that_fails_leaves_nothing(void **state)
{
    suite_fixture *f = *state;
    char text[512];
    if (!server)
        skip();
    fill(f);
    const char *to = new_database(f);
    file_shell(file_path(f), "PRAGMA foreign_keys = OFF; INSERT INTO chains VALUES('lone', 1, zeroblob(32), 1, 'x')",
               text);
    copy_fails(f->url, to, CTN_E_NOT_FOUND, "lone");
    file_shell(file_path(f), "DELETE FROM chains WHERE chain_id = 'lone'", text);
    copy(f->url, to);
    assert_same(f->url, to);
    copy_fails(f->url, to, CTN_E_EXISTS, "not empty");
}

static void a_fleet_that_lives_is_not_copied(void **state)
{
    suite_fixture *f = *state;
    ctn_store *st = NULL;
    ctn_node_row node = {.name = S("ann"), .version = S("1"), .labels = S("{}")};
    int64_t ann;
    assert_ok(ctn_store_open(FLEET, CTN_STORE_CREATE, &st, &err_));
    assert_ok(ctn_store_node_join(st, &node, 60000, &ann, &err_));
    copy_fails(FLEET, beside(f, "copy.db"), CTN_E_BUSY, "node ann lives");
    copy_fails(f->url, FLEET, CTN_E_BUSY, "node ann lives");
    ctn_request_row request = {.shard = 3, .id = suite_id(3), .kind = S("start"), .body = S("{}"), .filed_at_ms = 1};
    int64_t no;
    assert_ok(ctn_store_requests_put(st, &request, 1, &no, &err_));
    assert_ok(ctn_store_node_leave(st, ann, &err_));
    copy_fails(FLEET, beside(f, "copy.db"), CTN_E_STATE, "waits to be answered");
    ctn_store_close(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST_SQLITE(a_copy_holds_everything_as_it_was),
        SUITE_TEST_SQLITE(a_copy_goes_on_where_its_source_stood),
        SUITE_TEST_SQLITE(pruned_numbers_and_positions_do_not_come_again),
        SUITE_TEST_SQLITE(a_store_that_holds_something_is_not_copied_over),
        SUITE_TEST_SQLITE(nobody_may_own_either_meanwhile),
        SUITE_TEST_SQLITE(a_copy_that_fails_leaves_an_empty_store),
        SUITE_TEST_SQLITE(a_damaged_execution_is_copied_as_far_as_it_reads),
        SUITE_TEST_SQLITE(a_fleet_finds_together_what_belongs_together),
        SUITE_TEST_SQLITE(a_line_that_is_cut_moves_in_both_halves),
        SUITE_TEST_SQLITE(a_fleet_that_lives_is_not_copied),
        SUITE_TEST_SQLITE(a_store_grows_into_postgresql_and_back),
        SUITE_TEST_SQLITE(positions_go_on_in_postgresql),
        SUITE_TEST_SQLITE(a_copy_into_postgresql_that_fails_leaves_nothing),
    };
    const char *missing = pg_server_missing();
    if (missing)
        fprintf(stderr, "on PostgreSQL: skipped: %s\n", missing);
    else
        server = pg_server_start(SQL_SHARDS_SETTING);
    int failed = cmocka_run_group_tests_name("copy", tests, NULL, NULL);
    if (server)
        failed += sql_shards_check(server, 40);
    pg_server_end(server);
    return failed;
}
