/* What history, timeline and why say of an entry, kind by kind. */
#include "journal/entry_told.h"
#include "support/cmocka.h"

#define AT_MS 1795341600000LL /* 2026-11-22T10:00:00.000Z */
#define LATER "1795341600300" /* 300 ms afterwards */

typedef struct told {
    ctn_entry_kind kind;
    const char *step; /* empty: about the execution */
    const char *body;
    const char *history, *why;
    const char *mark; /* NULL: none */
} told;

static const told KINDS[] = {
    {CTN_ENTRY_QUEUED, "", "{\"chain\":\"trip\",\"version\":2,\"labels\":{\"for\":\"ann\"}}",
     "trip, version 2, for=ann", "queued", NULL},
    {CTN_ENTRY_STARTED, "",
     "{\"from\":{\"execution\":\"x\",\"reason\":\"rerun\",\"step\":\"b\"},\"reused\":{\"a\":{}}}",
     ", rerun of execution x from b, 1 step reused", "started", NULL},
    {CTN_ENTRY_STEP_SKIPPED, "a", "{\"reason\":\"condition\"}", "its condition said so", "skipped", NULL},
    {CTN_ENTRY_FOREACH_STARTED, "a", "{\"count\":3,\"from\":5}", "3 items from 5", "runs over 3 items", NULL},
    {CTN_ENTRY_ATTEMPT_STARTED, "a", "{\"effect\":\"write\",\"effectFrom\":\"default\",\"args\":{\"x\":1}}",
     "write (by default) {\"x\":1}", "attempt 1 began; its start is on record because it is write (default)", NULL},
    {CTN_ENTRY_ATTEMPT_SUCCEEDED, "a", "{\"variables\":{\"v\":1,\"w\":\"two\"}}", "v=1 w=two",
     "attempt 1 succeeded and gave v and w", NULL},
    {CTN_ENTRY_ATTEMPT_SUCCEEDED, "a", "{\"call\":\"hotel\",\"result\":7}", "call hotel: 7",
     "attempt 1: a call succeeded", NULL},
    {CTN_ENTRY_ATTEMPT_SUCCEEDED, "a", "{\"items\":4,\"failed\":1}", "all 4 items have ended, 1 of them failed",
     "ended for 4 items, 1 of which failed", NULL},
    {CTN_ENTRY_ATTEMPT_FAILED, "a", "{\"code\":\"timeout\",\"message\":\"no answer\",\"dueMs\":" LATER "}",
     "timeout: no answer; again in 300 ms",
     "attempt 1 failed: timeout: no answer; tried again after 300 ms (retry 2 of 5)", NULL},
    {CTN_ENTRY_ATTEMPT_FAILED, "a", "{\"code\":\"timeout\",\"message\":\"m\",\"unknown\":true}",
     "timeout: m; what became of it is not known",
     "attempt 1 failed: timeout: m; it is a write and may have happened, which has to be settled first", NULL},
    {CTN_ENTRY_ATTEMPT_FAILED, "a", "{\"code\":\"tool_error\",\"message\":\"m\",\"fallback\":2}",
     "tool_error: m; fallback 2 is next", "attempt 1 failed: tool_error: m; no more, so fallback 2 is taken", NULL},
    {CTN_ENTRY_ATTEMPT_FAILED, "a", "{\"code\":\"tool_error\",\"message\":\"m\",\"final\":true}",
     "tool_error: m; for good", "attempt 1 failed: tool_error: m; no more", NULL},
    {CTN_ENTRY_CACHE_HIT, "a", "{\"variables\":{\"v\":1}}", "from an earlier call with the same arguments: v=1",
     "an equal call was answered before: taken from the cache, nothing was called", NULL},
    {CTN_ENTRY_FALLBACK_TAKEN, "a", "{\"fallback\":1,\"instructionSet\":\"spare\"}", "1: spare",
     "fallback 1: instruction set spare", NULL},
    {CTN_ENTRY_CHILD_STARTED, "a", "{\"child\":\"id\",\"chain\":\"sub\"}", "chain sub as execution id",
     "execution id of chain sub was started for it", NULL},
    {CTN_ENTRY_WAITING, "a", "{\"for\":\"approval\",\"who\":[\"ann\",\"bob\"],\"message\":\"may we?\"}",
     "for an approval by [\"ann\",\"bob\"]: may we?", "waits for an approval of ann and bob: may we?", NULL},
    {CTN_ENTRY_WAITING, "", "{\"for\":\"budget\",\"what\":\"calls\",\"limit\":3}",
     "for a decision about the budget: calls, limit 3",
     "the execution's budget was reached (calls): nothing starts until somebody decides", "the budget was reached"},
    {CTN_ENTRY_ANSWERED, "a", "{\"answer\":{\"approved\":true}}", "{\"approved\":true}", "answered by ann", NULL},
    {CTN_ENTRY_WAITING, "a", "{\"for\":\"input\",\"asks\":{\"who\":{\"message\":\"Your name?\"}},\"effect\":\"read\"}",
     "its peer asks: who (Your name?)", "attempt 1: its peer asks: who (Your name?)", NULL},
    {CTN_ENTRY_WAITING, "a", "{\"for\":\"input\",\"atOnce\":true,\"effect\":\"read\"}",
     "its peer wants to be asked again, at once", "attempt 1: its peer wants to be asked again, at once", NULL},
    {CTN_ENTRY_ACCEPTED, "a", "{\"continuation\":{\"task\":\"t\"},\"effect\":\"write\"}",
     "its peer goes on by itself, and is asked for the result",
     "attempt 1: its peer accepted it and goes on by itself; it is asked for the result", NULL},
    {CTN_ENTRY_CHECKED, "a", "{\"happened\":false,\"againMs\":" LATER "}", "it did not happen; asked again in 300 ms",
     "its check was asked: not so far; the request may still arrive, so it is asked again", NULL},
    {CTN_ENTRY_BREAKER_WAIT, "a", "{\"target\":\"t/x\",\"untilMs\":" LATER "}",
     "the circuit breaker of t/x is open; it is tried in 300 ms",
     "waits, for the circuit breaker of t/x is open; no retry is spent", NULL},
    {CTN_ENTRY_INTERRUPTED, "a", "{\"code\":\"interrupted\",\"message\":\"m\"}",
     "interrupted: m; somebody must say what became of it",
     "interrupted (interrupted: m): a person must say what became of it", NULL},
    {CTN_ENTRY_DECISION, "a", "{\"what\":\"fail\",\"notHappened\":true}", "fail: nothing happened",
     "settled by ann: it has failed, and it is certain that nothing happened", NULL},
    {CTN_ENTRY_DECISION, "", "{\"what\":\"retry\"}", "retry", "ann granted the budget once more", NULL},
    {CTN_ENTRY_DECISION, "", "{\"what\":\"set\",\"variables\":{\"v\":1}}", "set v=1",
     "ann let the execution end at its budget", NULL},
    {CTN_ENTRY_CANCEL_REQUESTED, "", "{\"code\":\"cancelled\",\"message\":\"no more\"}", "cancelled: no more",
     "cancel_requested", "it was told to stop"},
    {CTN_ENTRY_COMPENSATION_STARTED, "a", "{\"effect\":\"write\",\"outcome\":\"unknown\"}", "write, outcome unknown",
     "undone, for the chain was stopping (pay failed); nobody knows whether it had happened", NULL},
    {CTN_ENTRY_COMPENSATION_SUCCEEDED, "a", "{}", "", "its undo succeeded", NULL},
    {CTN_ENTRY_COMPENSATION_FAILED, "a", "{\"code\":\"timeout\",\"message\":\"m\",\"final\":true}",
     "timeout: m; for good", "its undo failed: timeout: m; it is left undone", NULL},
    {CTN_ENTRY_PAUSED, "", "{\"reason\":\"lunch\"}", "lunch", "the execution was paused by ann", "paused"},
    {CTN_ENTRY_RESUMED, "", "{\"cause\":\"crash\"}", "after a death of the engine",
     "the engine had died; another went on", "the engine had died; another went on"},
    {CTN_ENTRY_COMPLETED, "", "{\"outputs\":{\"z\":1}}", "z=1", "completed", NULL},
    {CTN_ENTRY_FAILED, "", "{\"error\":{\"code\":\"tool_error\",\"step\":\"a\",\"message\":\"m\"}}",
     "tool_error at a: m", "failed", NULL},
    {CTN_ENTRY_ROLLED_BACK, "", "{\"error\":{\"code\":\"timeout\",\"notUndone\":[\"mail\"]}}",
     "timeout; has no undo: mail", "rolled_back", NULL},
    {CTN_ENTRY_ROLLBACK_FAILED, "", "{\"error\":{\"code\":\"timeout\",\"leftUndone\":[\"b\",\"c\"]}}",
     "timeout; left undone: b, c", "rollback_failed", NULL},
    {CTN_ENTRY_CANCELLED, "", "{\"error\":{\"code\":\"cancelled\"}}", "cancelled", "cancelled", NULL},
};

static void every_kind_is_told(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_entry_setting setting = {
        .retries = 1, .retries_max = 5, .no_retry = CTN_STR("no more"), .stopped = CTN_STR("pay failed")};
    bool is_told[CTN_ENTRY_KIND_COUNT] = {false};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const told *t = &KINDS[i];
        bool is_of_step = t->step[0] != 0;
        ctn_record record = {.kind = t->kind,
                             .seq = i + 1,
                             .at_ms = AT_MS,
                             .step = ctn_str_from(t->step),
                             .item = -1,
                             .attempt = is_of_step,
                             .actor = CTN_STR("ann"),
                             .body = ctn_str_from(t->body)};
        ctn_entry e;
        assert_int_equal(ctn_record_to_entry(&record, arena, &e, NULL), CTN_OK);
        is_told[t->kind] = true;
        assert_string_equal(ctn_arena_str(arena, ctn_entry_history(arena, &record, 160)).ptr, t->history);
        assert_string_equal(ctn_arena_str(arena, ctn_entry_why(arena, &e, &setting)).ptr, t->why);
        const char *mark = ctn_entry_meaning_of(&e).mark;
        assert_string_equal(mark ? mark : "none", t->mark ? t->mark : "none");
    }
    for (int kind = 0; kind < CTN_ENTRY_KIND_COUNT; kind++)
        if (!is_told[kind])
            fail_msg("no row tells of %s", ctn_entry_kind_name((ctn_entry_kind) kind));
    ctn_arena_free(arena);
}

/* What a tool or a person wrote moves nobody's cursor, and takes no more than its line. */
static void a_line_of_history_is_one_line(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_record record = {
        .kind = CTN_ENTRY_PAUSED, .item = -1, .body = CTN_STR("{\"reason\":\"a\\u001b[2J\\nb and so on and on\"}")};
    assert_string_equal(ctn_arena_str(arena, ctn_entry_history(arena, &record, 12)).ptr, "a [2J b a...");
    record.body = CTN_STR("{\"reason\":");
    assert_string_equal(ctn_arena_str(arena, ctn_entry_history(arena, &record, 80)).ptr, "(its body does not read)");
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_told),
        cmocka_unit_test(a_line_of_history_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
