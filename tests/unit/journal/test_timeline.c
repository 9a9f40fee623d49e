/* What a journal says about attempts, and what it does not say. */
#include "journal/timeline.h"
#include "support/cmocka.h"
#include "unit/kit/chain_kit.h"
#include "unit/kit/journal_lines.h"

static const char *const CHAIN =
    "id: c\nsteps:\n"
    "  - {stepName: a, instructionSet: look}\n"
    "  - {stepName: b, instructionSet: make, parallelExecution: true, rollbackAction: undo}\n"
    "  - {stepName: c, instructionSet: look, parallelExecution: true, onError: continue}\n"
    "  - {stepName: d, instructionSet: yes}\n"
    "instructionSets:\n"
    "  look: {tool: s/look, effect: read, arguments: {x: 1}}\n"
    "  make: {tool: s/make, effect: write, arguments: {x: 1}}\n"
    "  undo: {tool: s/undo, effect: idempotent, arguments: {x: 1}}\n"
    "  yes: {approval: {}}\n";

typedef struct kit {
    chain_kit chain;
    ctn_plan *plan;
    ctn_timeline *t;
    ctn_arena *scratch;
    uint64_t seq;
} kit;

static kit kit_of(const char *text)
{
    kit k = {.scratch = ctn_arena_new(4096)};
    chain_kit_init(&k.chain);
    chain_kit_add(&k.chain, "c.yaml", text);
    k.plan = chain_kit_compile(&k.chain);
    k.t = ctn_timeline_new(k.chain.arena, k.plan);
    return k;
}

static void kit_done(kit *k)
{
    ctn_timeline_free(k->t);
    ctn_plan_done(k->plan);
    ctn_arena_free(k->scratch);
    chain_kit_done(&k->chain);
}

static void add_entry(kit *k, ctn_str line)
{
    ctn_err err = {0};
    ctn_record r = journal_line(k->scratch, line, ++k->seq);
    if (ctn_timeline_add(k->t, &r, k->scratch, &err))
        fail_msg("%s", err.message);
    ctn_arena_reset(k->scratch); /* nothing may hang on it */
}

static void add(kit *k, const char *journal)
{
    ctn_str lines = ctn_str_from(journal);
    while (lines.len)
        add_entry(k, ctn_str_cut(&lines, '\n'));
}

static void add_item(kit *k, int64_t at_ms, const char *kind, int64_t item, uint32_t attempt, const char *body)
{
    add_entry(k, ctn_arena_printf(k->scratch, "%lld %s a[%lld] %u %s", (long long) at_ms, kind, (long long) item,
                                  attempt, body));
}

/* "a 1 100~150 completed; ..." with ~ where the start is not recorded, - where it is, and ... for no end. */
static void assert_rows(kit *k, int64_t now_ms, const char *wanted)
{
    size_t count;
    ctn_buf out;
    ctn_buf_init(&out, 65536);
    ctn_timeline_finish(k->t, now_ms);
    const ctn_timeline_row *rows = ctn_timeline_rows(k->t, &count);
    for (size_t i = 0; i < count; i++) {
        const ctn_timeline_row *r = &rows[i];
        ctn_buf_printf(&out, "%s%s%.*s", i ? "; " : "", r->role == CTN_ATTEMPT_UNDO ? "undo " : "",
                       CTN_STR_ARG(k->plan->steps[r->step].name));
        if (r->item >= 0)
            ctn_buf_printf(&out, "[%d]", (int) r->item);
        ctn_buf_printf(&out, " %u %d%s", r->attempt, (int) r->started_at_ms, r->start_is_recorded ? "-" : "~");
        if (r->ended_at_ms)
            ctn_buf_printf(&out, "%d", (int) r->ended_at_ms);
        else
            ctn_buf_append_literal(&out, "...");
        ctn_buf_printf(&out, " %s", ctn_attempt_status_name(r->status));
        if (r->code.len)
            ctn_buf_printf(&out, " %.*s", CTN_STR_ARG(r->code));
        if (r->wait_from_ms)
            ctn_buf_printf(&out, " waits %d", (int) r->wait_from_ms);
        if (r->next_at_ms)
            ctn_buf_printf(&out, " next %d", (int) r->next_at_ms);
        if (r->fallback)
            ctn_buf_printf(&out, " fallback %u", r->fallback);
        if (r->by.len)
            ctn_buf_printf(&out, " by %.*s", CTN_STR_ARG(r->by));
    }
    if (!ctn_str_is(ctn_buf_str(&out), wanted))
        fail_msg("%.*s\nis not\n%s", CTN_STR_ARG(ctn_buf_str(&out)), wanted);
    ctn_buf_done(&out);
    kit_done(k);
}

static void a_start_that_is_not_recorded_is_when_the_step_could_begin(void **state)
{
    (void) state;
    kit k = kit_of(CHAIN);
    add(&k, "50 queued\n"
            "100 started\n"
            "150 attempt_succeeded a 1 {'variables':{}}\n"
            "160 attempt_started b 1 {'effect':'write'}\n"
            "190 attempt_succeeded c 1 {'variables':{}}\n"
            "200 attempt_succeeded b 1 {'variables':{}}");
    assert_int_equal(ctn_timeline_begun_at_ms(k.t), 50);
    assert_int_equal(ctn_timeline_unseen_count(k.t), 1);
    assert_rows(&k, 300, "a 1 100~150 completed; c 1 150~190 completed; b 1 160-200 completed; d 1 200~... ready");
}

static void retries_are_rows_and_their_back_off_is_told(void **state)
{
    (void) state;
    kit k = kit_of(CHAIN);
    add(&k, "100 started\n"
            "120 attempt_failed a 1 {'code':'timeout','message':'m','dueMs':220}\n"
            "230 attempt_failed a 2 {'code':'transport','dueMs':430}");
    assert_rows(&k, 400, "a 1 100~120 failed timeout next 220; a 2 220~230 failed transport next 430");

    k = kit_of(CHAIN); /* the back-off is over: the next attempt is under way, or about to be */
    add(&k, "100 started\n"
            "120 attempt_failed a 1 {'code':'timeout','dueMs':220}");
    assert_rows(&k, 400, "a 1 100~120 failed timeout next 220; a 2 220~... ready");
}

static void waits_and_who_ended_them_are_told(void **state)
{
    (void) state;
    kit k = kit_of(CHAIN);
    add(&k, "100 started\n"
            "110 step_skipped a 0 {'reason':'condition'}\n"
            "120 step_skipped b 0 {'reason':'condition'}\n"
            "120 attempt_failed c 1 {'code':'tool_error','final':true}\n"
            "130 waiting d 1 {'for':'approval'}\n"
            "500 answered d 1 {'answer':{}}\n"
            "501 attempt_succeeded d 1 {'variables':{}}\n"
            "502 completed {'outputs':{}}");
    assert_int_equal(ctn_timeline_ended_at_ms(k.t), 502);
    assert_rows(&k, 900,
                "a 0 110-110 skipped; c 1 110~120 failed tool_error; b 0 120-120 skipped; d 1 130-501 completed waits "
                "130 by ann");
}

static void what_is_stopped_and_undone_is_told(void **state)
{
    (void) state;
    kit k = kit_of(CHAIN);
    add(&k, "100 started\n"
            "110 attempt_succeeded a 1 {'variables':{}}\n"
            "110 attempt_started b 1\n"
            "120 attempt_succeeded b 1 {'variables':{}}\n"
            "130 attempt_succeeded c 1 {'variables':{}}\n"
            "140 waiting d 1\n"
            "200 cancel_requested {'code':'cancelled','message':'no more'}\n"
            "210 compensation_started b 1\n"
            "220 compensation_failed b 1 {'code':'timeout','dueMs':240}\n"
            "240 compensation_started b 2\n"
            "250 compensation_succeeded b 2\n"
            "251 rolled_back {'error':{}}");
    size_t count;
    const ctn_timeline_mark *marks = ctn_timeline_marks(k.t, &count);
    assert_int_equal(count, 1);
    assert_string_equal(marks[0].what, "it was told to stop");
    assert_true(ctn_str_is(marks[0].text, "no more"));
    assert_rows(&k, 900,
                "a 1 100~110 completed; b 1 110-120 completed; c 1 110~130 completed; d 1 140-200 cancelled waits 140; "
                "undo b 1 210-220 failed timeout next 240; undo b 2 240-250 completed");
}

static void an_unknown_fate_stays_open_until_it_is_settled(void **state)
{
    (void) state;
    kit k = kit_of(CHAIN);
    add(&k, "100 started\n"
            "110 attempt_succeeded a 1 {'variables':{}}\n"
            "111 attempt_started b 1\n"
            "115 resumed {'cause':'crash'}\n"
            "120 attempt_failed b 1 {'code':'interrupted','unknown':true}\n"
            "121 interrupted b 1 {'code':'interrupted','message':'who knows'}\n"
            "300 decision b 1 {'what':'succeed'}\n"
            "301 attempt_succeeded b 1 {'variables':{}}\n"
            "302 attempt_succeeded c 1 {'variables':{}}");
    assert_rows(&k, 900,
                "a 1 100~110 completed; c 1 110~302 completed; b 1 111-301 completed waits 121 by ann; d 1 302~... "
                "ready");
}

static void calls_of_one_attempt_are_one_row(void **state)
{
    (void) state;
    kit k = kit_of(CHAIN);
    add(&k, "100 started\n"
            "110 attempt_succeeded a 1 {'call':'x','result':1}\n"
            "120 attempt_failed a 1 {'call':'y','code':'timeout'}\n"
            "130 attempt_failed a 1 {'code':'timeout','dueMs':150}\n"
            "160 attempt_succeeded a 2 {'call':'y','result':2,'variables':{}}\n"
            "161 cache_hit c 1 {'variables':{}}\n"
            "170 attempt_failed b 1 {'code':'breaker_open','fallback':1}\n"
            "171 fallback_taken b 1 {'fallback':1}\n"
            "190 attempt_succeeded b 2 {'variables':{}}");
    assert_rows(&k, 900,
                "a 1 100~130 failed timeout next 150; a 2 150~160 completed; b 1 160~170 failed breaker_open; b 2 "
                "171~190 completed fallback 1; c 1 160~161 cached; d 1 190~... ready");
}

static void items_have_rows_of_their_own(void **state)
{
    (void) state;
    kit k = kit_of(CHAIN);
    add(&k, "100 started");
    for (int i = 0; i < 2000; i++) /* more than any table begins with */
        add_item(&k, 101 + i, "attempt_succeeded", 1999 - i, 1, "{'variables':{}}");
    add(&k, "3000 attempt_failed a[2000] 1 {'code':'timeout','dueMs':3100}\n"
            "3101 attempt_succeeded a[2000] 2 {'variables':{}}");
    ctn_timeline_finish(k.t, 4000);
    size_t count;
    const ctn_timeline_row *rows = ctn_timeline_rows(k.t, &count);
    assert_int_equal(count, 2002);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(rows[i].item, i);
        assert_int_equal(rows[i].ended_at_ms, 101 + 1999 - i);
    }
    assert_int_equal(rows[2000].status, CTN_ATTEMPT_FAILED);
    assert_int_equal(rows[2001].attempt, 2);
    assert_int_equal(rows[2001].started_at_ms, 3100);
    kit_done(&k);
}

static void an_item_begins_when_a_place_is_free(void **state)
{
    (void) state;
    kit k = kit_of("id: c\nsteps:\n"
                   "  - {stepName: a, instructionSet: look, foreach: {items: {range: [0, 4]}, maxConcurrency: 2}, "
                   "rollbackAction: look}\n"
                   "instructionSets: {look: {tool: s/look, effect: read, arguments: {x: 1}}}\n");
    add(&k, "100 started\n"
            "105 foreach_started a 1 {'count':4}\n"
            "120 attempt_succeeded a[1] 1 {'variables':{}}\n"
            "130 attempt_failed a[2] 1 {'code':'timeout','dueMs':140}\n"
            "150 attempt_succeeded a[0] 1 {'variables':{}}\n"
            "170 attempt_succeeded a[2] 2 {'variables':{}}\n"
            "180 attempt_succeeded a[3] 1 {'variables':{}}\n"
            "181 attempt_succeeded a 1 {'items':4}\n"
            "190 cancel_requested {'code':'cancelled'}\n"
            "191 compensation_started a[3] 1\n"
            "191 compensation_succeeded a[3] 1\n"
            "191 compensation_started a[2] 1");
    assert_rows(&k, 200,
                "a 1 105-181 completed; a[0] 1 105~150 completed; a[1] 1 105~120 completed; a[2] 1 120~130 failed "
                "timeout next 140; a[2] 2 140~170 completed; a[3] 1 150~180 completed; undo a[3] 1 191-191 completed; "
                "undo a[2] 1 191-... running");
}

static void of_many_items_the_telling_ones_are_shown(void **state)
{
    (void) state;
    kit k = kit_of(CHAIN);
    add(&k, "100 started");
    for (int i = 0; i < 1000; i++) {
        int64_t took_ms = i == 500 ? 9000 : i == 600 ? 8000 : i == 700 ? 7000 : 10;
        bool fails = i % 100 == 50, is_tried_again = i == 20;
        if (is_tried_again)
            add_item(&k, 105, "attempt_failed", i, 1, "{'code':'timeout','dueMs':106}");
        add_item(&k, 100 + took_ms, fails ? "attempt_failed" : "attempt_succeeded", i, is_tried_again ? 2 : 1,
                 fails ? "{'code':'tool_error','final':true}" : "{'variables':{}}");
    }
    ctn_timeline_finish(k.t, 20000);
    static const int64_t SHOWN[] = {0, 1, 2, 50, 150, 250, 350, 500, 600, 700};
    size_t count, shown = sizeof SHOWN / sizeof *SHOWN;
    const ctn_timeline_line *lines = ctn_timeline_fold(k.t, k.chain.arena, 20000, &count);
    assert_int_equal(count, shown + 1);
    for (size_t i = 0; i < shown; i++)
        assert_int_equal(lines[i].row->item, SHOWN[i]);
    assert_null(lines[shown].row);
    assert_int_equal(lines[shown].left_out, 1001 - shown);
    assert_int_equal(lines[shown].failed, 6);
    assert_int_equal(lines[shown].retried, 1);
    assert_int_equal(lines[shown].completed, 1001 - shown - 7);
    assert_int_equal(lines[shown].from_ms, 100);
    assert_int_equal(lines[shown].to_ms, 110);
    kit_done(&k);
}

static void few_items_are_all_shown(void **state)
{
    (void) state;
    kit k = kit_of(CHAIN);
    add(&k, "100 started");
    for (int i = 0; i < CTN_TIMELINE_ITEMS; i++)
        add_item(&k, 110, "attempt_succeeded", i, 1, "{'variables':{}}");
    ctn_timeline_finish(k.t, 200);
    size_t count;
    const ctn_timeline_line *lines = ctn_timeline_fold(k.t, k.chain.arena, 200, &count);
    assert_int_equal(count, CTN_TIMELINE_ITEMS);
    for (size_t i = 0; i < count; i++)
        assert_non_null(lines[i].row);
    kit_done(&k);
}

static void a_record_that_lies_is_refused(void **state)
{
    (void) state;
    kit k = kit_of(CHAIN);
    ctn_err err = {0};
    ctn_record r = {
        .kind = CTN_ENTRY_ATTEMPT_SUCCEEDED, .seq = 3, .item = -1, .step = CTN_STR("zzz"), .body = CTN_STR("{}")};
    assert_int_equal(ctn_timeline_add(k.t, &r, k.scratch, &err), CTN_E_CORRUPT);
    assert_holds(err.message, "zzz");
    r.body = CTN_STR("{");
    assert_int_equal(ctn_timeline_add(k.t, &r, k.scratch, &err), CTN_E_CORRUPT);
    kit_done(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_that_is_not_recorded_is_when_the_step_could_begin),
        cmocka_unit_test(retries_are_rows_and_their_back_off_is_told),
        cmocka_unit_test(waits_and_who_ended_them_are_told),
        cmocka_unit_test(what_is_stopped_and_undone_is_told),
        cmocka_unit_test(an_unknown_fate_stays_open_until_it_is_settled),
        cmocka_unit_test(calls_of_one_attempt_are_one_row),
        cmocka_unit_test(items_have_rows_of_their_own),
        cmocka_unit_test(an_item_begins_when_a_place_is_free),
        cmocka_unit_test(of_many_items_the_telling_ones_are_shown),
        cmocka_unit_test(few_items_are_all_shown),
        cmocka_unit_test(a_record_that_lies_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
