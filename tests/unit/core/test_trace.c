/*
 * test_trace.c -- traces of executions: a caller's is gone on with, others are our own, and ids of spans are computed.
 */
#include "core/trace.h"
#include "support/cmocka.h"

#define CALLERS "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static const ctn_tracing ON = {.is_on = true, .share = 1000000};

static ctn_execution_id id_of(const char *text)
{
    ctn_execution_id id;
    assert_int_equal(ctn_id_parse(ctn_str_from(text), &id, NULL), CTN_OK);
    return id;
}
#define ID id_of("01901b2c-3d4e-7f60-8a1b-2c3d4e5f6071")

static void a_text_that_is_no_traceparent_is_not_taken_for_one(void **state)
{
    (void) state;
    static const char *const BAD[] = {
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0z",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
    };
    ctn_trace_context c;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_true(!ctn_trace_parse(ctn_str_from(BAD[i]), &c));
}

static void one_of_a_later_version_is_read_as_far_as_we_know_it(void **state)
{
    (void) state;
    ctn_trace_context c;
    assert_true(ctn_trace_parse(CTN_STR("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-more"), &c));
    assert_true(c.is_sampled);
    assert_string_equal(ctn_trace_to_text(&c).text, CALLERS);
    assert_true(ctn_trace_parse(CTN_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02"), &c));
    assert_true(!c.is_sampled);
}

static void the_callers_trace_is_gone_on_with_and_others_are_named_by_the_execution(void **state)
{
    (void) state;
    ctn_trace_context c = ctn_trace_of_execution(&ON, ID, CTN_STR(CALLERS));
    assert_string_equal(ctn_trace_id_to_text(c.trace).text, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_true(c.is_sampled);
    c = ctn_trace_of_execution(&ON, ID, CTN_STR("rubbish"));
    assert_string_equal(ctn_trace_id_to_text(c.trace).text, "01901b2c3d4e7f608a1b2c3d4e5f6071");
    assert_true(c.is_sampled);
    c = ctn_trace_of_execution(&ON, ID, CTN_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"));
    assert_true(!c.is_sampled);
}

static void every_attempt_has_a_span_of_its_own_and_the_same_one_after_a_restart(void **state)
{
    (void) state;
    ctn_traced_attempt attempts[] = {
        {ID, CTN_STR("a"), -1, 1, false},
        {ID, CTN_STR("a"), -1, 2, false},
        {ID, CTN_STR("a"), 0, 1, false},
        {ID, CTN_STR("a"), 1, 1, false},
        {ID, CTN_STR("b"), -1, 1, false},
        {ID, CTN_STR("a"), -1, 1, true},
        {id_of("01901b2c-3d4e-7f60-8a1b-2c3d4e5f6072"), CTN_STR("a"), -1, 1, false},
    };
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        for (size_t k = 0; k <= i; k++) {
            ctn_traced_attempt again = attempts[k];
            ctn_span_id one = ctn_span_of_attempt(&attempts[i]), other = ctn_span_of_attempt(&again);
            assert_int_equal(memcmp(&one, &other, sizeof one) == 0, i == k);
        }
    /* Stored nowhere, and yet in other people's traces: it may not change from version to version. */
    assert_string_equal(ctn_span_id_to_text(ctn_span_of_attempt(&attempts[0])).text, "ebd12451efcf9ce4");
    assert_string_equal(ctn_span_id_to_text(ctn_span_of_execution(ID)).text, "c496457e99da755d");
}

static void a_call_takes_the_callers_context_along_when_nobody_is_told_of_spans(void **state)
{
    (void) state;
    ctn_trace_text room;
    ctn_tracing off = {0};
    ctn_traced_attempt a = {ID, CTN_STR("a"), -1, 1, false};
    ctn_str text = ctn_trace_for_call(&off, &a, CTN_STR(CALLERS), &room);
    assert_true(ctn_str_is(text, CALLERS));
    assert_int_equal(ctn_trace_for_call(&off, &a, (ctn_str){0}, &room).len, 0);
    text = ctn_trace_for_call(&ON, &a, CTN_STR(CALLERS), &room);
    assert_int_equal(text.len, CTN_TRACEPARENT_BYTES);
    ctn_trace_context c;
    assert_true(ctn_trace_parse(text, &c));
    ctn_span_id span = ctn_span_of_attempt(&a);
    assert_memory_equal(&c.span, &span, sizeof span);
    assert_string_equal(ctn_trace_id_to_text(c.trace).text, "4bf92f3577b34da6a3ce929d0e0e4736");
}

static void about_so_many_are_sampled_as_was_asked_for(void **state)
{
    (void) state;
    uint64_t seed = 7;
    ctn_rng rng = ctn_rng_seeded(&seed);
    size_t count[3] = {0};
    static const uint32_t SHARES[] = {0, 250000, 1000000};
    for (size_t n = 0; n < 4000; n++)
        for (size_t i = 0; i < 3; i++) {
            ctn_tracing tracing = {.is_on = true, .share = SHARES[i]};
            count[i] += ctn_trace_of_execution(&tracing, ctn_id_new(1, &rng), (ctn_str){0}).is_sampled;
        }
    assert_int_equal(count[0], 0);
    assert_in_range(count[1], 900, 1100);
    assert_int_equal(count[2], 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_that_is_no_traceparent_is_not_taken_for_one),
        cmocka_unit_test(one_of_a_later_version_is_read_as_far_as_we_know_it),
        cmocka_unit_test(the_callers_trace_is_gone_on_with_and_others_are_named_by_the_execution),
        cmocka_unit_test(every_attempt_has_a_span_of_its_own_and_the_same_one_after_a_restart),
        cmocka_unit_test(a_call_takes_the_callers_context_along_when_nobody_is_told_of_spans),
        cmocka_unit_test(about_so_many_are_sampled_as_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
