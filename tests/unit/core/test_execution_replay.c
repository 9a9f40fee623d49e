/* A journal that lies -- an entry lost, doubled, moved, altered -- is refused with a sentence; nothing crashes on it.
 */
#include <stdio.h>

#include "support/cmocka.h"
#include "unit/kit/execution_kit.h"

/* One life with a bit of everything. */
static kit *eventful(void)
{
    kit *k = kit_new(
        "id: eventful\nsteps:\n"
        "  - {stepName: get, instructionSet: r, outputVariables: [g], retryConfig: {maxRetries: 3, backoffMs: 10}}\n"
        "  - {stepName: skip, instructionSet: r, conditionalExecution: skip}\n"
        "  - {stepName: both, instructionSet: both, parallelExecution: true, rollbackAction: u}\n"
        "  - {stepName: book, instructionSet: w, parallelExecution: true, outputVariables: [ref], rollbackAction: u}\n"
        "  - {stepName: ok, instructionSet: yes, parallelExecution: true, outputVariables: [approved]}\n"
        "  - {stepName: rest, instructionSet: z}\n"
        "  - {stepName: pay, instructionSet: plain, rollbackAction: both}\n"
        "  - {stepName: end, instructionSet: r}\n"
        "instructionSets:\n"
        "  r: {tool: t/read_r}\n  w: {tool: t/write_w, settleMs: 100, check: {tool: t/read_c}}\n  plain: {tool: "
        "t/write_p}\n"
        "  both: {calls: {one: {tool: t/idem_one}, two: {tool: t/read_two}}}\n"
        "  yes: {approval: {}}\n  z: {wait: {ms: 1000}}\n  u: {tool: t/idem_u}\n",
        &(kit_options){.is_queued = true});
    kit_says(k, (ctn_input){.kind = CTN_IN_START});
    kit_fails(k, "get", CTN_FAILURE_UNAVAILABLE);
    kit_to_wake(k);
    kit_ok(k, "get", "{\"g\":1}");
    kit_ok(k, "both.one", "1");
    kit_lost(k, "book", CTN_FAILURE_TIMEOUT);
    kit_ok(k, "check:book", "{\"happened\":false}");
    kit_ok(k, "both.two", "2");
    kit_to_wake(k);
    kit_ok(k, "check:book", "{\"happened\":true,\"result\":{\"ref\":1}}");
    kit_pause(k);
    kit_says(k, kit_set(k, "g", "[2]"));
    kit_says(k, kit_answer(k, "ok", "{\"approved\":true}"));
    kit_resume(k);
    kit_to_wake(k);
    kit_crash(k);
    kit_is(k, "interrupted");
    kit_says(k, kit_settle_retry(NULL));
    kit_ok(k, "pay", "{}");
    kit_fails(k, "end", CTN_FAILURE_TOOL_ERROR);
    kit_ok(k, "undo:pay.one", "1");
    kit_fails(k, "undo:pay.two", CTN_FAILURE_TOOL_ERROR);
    kit_crash(k);
    kit_ok(k, "undo:book", "{}");
    kit_ok(k, "undo:both", "{}");
    kit_is(k, "rollback_failed");
    return k;
}

/* Replays as far as it goes, numbering anew; then asks the state everything that can be asked. */
static int replay(const kit *k, const ctn_plan *plan, const ctn_record *records, size_t count)
{
    (void) k;
    ctn_arena *arena = ctn_arena_new(16384);
    ctn_rules rules = {0};
    ctn_execution *x = ctn_execution_new(arena, plan, (ctn_execution_id){{0}});
    int rc = CTN_OK;
    ctn_err err = {0};
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        ctn_entry e;
        rc = ctn_record_to_entry(&records[i], arena, &e, &err);
        e.seq = i + 1;
        if (rc == CTN_OK)
            rc = ctn_execution_replay(x, &e, &err);
    }
    if (rc) {
        assert_int_equal(rc, CTN_E_CORRUPT);
        assert_true(strlen(err.message) > 10);
    }
    ctn_owed owed;
    (void) ctn_execution_status(x);
    ctn_execution_owed(x, &rules, records[count - 1].at_ms, arena, &owed);
    for (uint32_t i = 0; i < plan->step_count; i++)
        (void) ctn_execution_step(x, i);
    ctn_arena_free(arena);
    return rc;
}

static void a_lost_a_doubled_and_a_moved_entry_crash_nothing(void **state)
{
    (void) state;
    kit *k = eventful();
    const ctn_plan *plan = ctn_execution_plan(kit_execution(k));
    size_t count;
    ctn_record *all = kit_records(k, &count), copy[256];
    assert_true(count > 30 && count < 250);
    int refused = 0, tried = 0;
    assert_int_equal(replay(k, plan, all, count), CTN_OK);
    for (size_t i = 0; i < count; i++) {
        memcpy(copy, all, i * sizeof *copy); /* lost */
        memcpy(copy + i, all + i + 1, (count - i - 1) * sizeof *copy);
        refused += replay(k, plan, copy, count - 1) != CTN_OK;
        tried++;
        for (size_t at = 0; at < count; at++) {
            memcpy(copy, all, at * sizeof *copy); /* told again at `at` */
            copy[at] = all[i];
            memcpy(copy + at + 1, all + at, (count - at) * sizeof *copy);
            refused += replay(k, plan, copy, count + 1) != CTN_OK;
            memcpy(copy, all, count * sizeof *copy); /* in place of another */
            copy[at] = all[i];
            refused += replay(k, plan, copy, count) != CTN_OK;
            memcpy(copy, all, count * sizeof *copy); /* of another kind */
            copy[i].kind = (ctn_entry_kind) (at % CTN_ENTRY_KIND_COUNT);
            refused += replay(k, plan, copy, count) != CTN_OK;
            tried += 3;
        }
    }
    printf("  %d lies, %d noticed\n", tried, refused);
    assert_true(refused > tried / 2);
    kit_free(k);
}

static void an_altered_body_crashes_nothing(void **state)
{
    (void) state;
    kit *k = eventful();
    const ctn_plan *plan = ctn_execution_plan(kit_execution(k));
    size_t count;
    ctn_record *all = kit_records(k, &count);
    static const char *const bodies[] = {
        "{}",
        "{\"call\":\"two\"}",
        "{\"call\":\"none\"}",
        "{\"undo\":true}",
        "{\"undo\":true,\"call\":\"one\"}",
        "{\"unknown\":true}",
        "{\"final\":true}",
        "{\"dueMs\":\"x\"}",
        "{\"happened\":true}",
        "{\"happened\":false,\"againMs\":-1}",
        "{\"what\":\"succeed\"}",
        "{\"what\":\"set\",\"variables\":[1]}",
        "{\"variables\":7}",
        "{\"variables\":{\"nobody\":1,\"g\":2}}",
        "{\"cause\":\"crash\"}",
        "{\"code\":\"cancelled\"}",
        "{\"input\":3}",
        "{\"untilMs\":9e99}",
        "{\"effect\":\"read\",\"args\":{}}",
    };
    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < sizeof bodies / sizeof bodies[0]; b++) {
            ctn_record before = all[i];
            all[i].body = ctn_str_from(bodies[b]);
            (void) replay(k, plan, all, count);
            all[i].step = all[i].step.len ? (ctn_str){0} : CTN_STR("book");
            (void) replay(k, plan, all, count);
            all[i] = before;
        }
    kit_free(k);
}

static void numbers_must_follow_each_other(void **state)
{
    (void) state;
    kit *k = eventful();
    ctn_arena *arena = ctn_arena_new(4096);
    size_t count;
    ctn_record *all = kit_records(k, &count);
    ctn_execution *x = ctn_execution_new(arena, ctn_execution_plan(kit_execution(k)), (ctn_execution_id){{0}});
    ctn_entry e;
    ctn_err err = {0};
    assert_int_equal(ctn_record_to_entry(&all[1], arena, &e, &err), CTN_OK);
    assert_int_equal(ctn_execution_replay(x, &e, &err), CTN_E_CORRUPT);
    assert_int_equal(ctn_record_to_entry(&all[0], arena, &e, &err), CTN_OK);
    assert_int_equal(ctn_execution_replay(x, &e, &err), CTN_OK);
    assert_int_equal(ctn_execution_replay(x, &e, &err), CTN_E_CORRUPT);
    ctn_arena_free(arena);
    kit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_a_doubled_and_a_moved_entry_crash_nothing),
        cmocka_unit_test(an_altered_body_crashes_nothing),
        cmocka_unit_test(numbers_must_follow_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
