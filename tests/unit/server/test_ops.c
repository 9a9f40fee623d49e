/*
 * test_ops.c -- figures and spans out of executions that really ran: what is told is right, well-formed, bounded, and
 * without a value.
 */
#include <stdio.h>
#include "server/ops/meters.h"
#include "server/ops/spans.h"
#include "support/cmocka.h"
#include "unit/server/engine_kit.h"
#include "support/strict_exposition.h"

#define PIN "pin-5f3a81c2"

static const char *const CHAINS[] = {"id: greet\n"
                                     "inputSchema: {type: object, properties: {name: {type: string}}}\n"
                                     "instructionSets: {nothing: {native: noop}}\n"
                                     "outputs: {said: \"{name}\"}\n"
                                     "steps: [{stepName: look, instructionSet: nothing, outputVariables: []}]\n",

                                     "id: fails\n"
                                     "instructionSets: {until-when: {wait: {until: \"{when}\"}}}\n"
                                     "steps: [{stepName: sleep, instructionSet: until-when}]\n",

                                     "id: above\n"
                                     "instructionSets: {below: {chain: doze}}\n"
                                     "outputs: []\n"
                                     "steps: [{stepName: call, instructionSet: below, outputVariables: []}]\n",

                                     "id: doze\n"
                                     "instructionSets: {sleep: {wait: {ms: 30}}}\n"
                                     "steps: [{stepName: nap, instructionSet: sleep}]\n",
                                     NULL};

typedef struct watching {
    engine_kit *kit;
    ctn_meters *meters;
    ctn_spans *spans;
    ctn_buf told; /* one span a line */
} watching;

static watching watched;

static void keep_span(void *ctx, ctn_str span)
{
    watching *w = ctx;
    ctn_buf_append(&w->told, span);
    ctn_buf_append_char(&w->told, '\n');
}

static void on_event(void *ctx, const ctn_engine_event *event)
{
    watching *w = ctx;
    int64_t now_ms = ctn_loop_now_ms(ctn_host_loop(w->kit->host));
    ctn_meters_event(w->meters, event, now_ms);
    ctn_spans_event(w->spans, event, now_ms);
}

static int setup(void **state)
{
    int rc = engine_kit_setup(state, CHAINS);
    watching *w = &watched;
    ctn_spans_options spans = {.tracing = {.is_on = true, .share = 1000000}, .told = keep_span, .ctx = w};
    *w = (watching){.kit = *state, .meters = ctn_meters_new(), .spans = ctn_spans_new(&spans)};
    ctn_buf_init(&w->told, 1 << 20);
    ctn_host_listen(w->kit->host, on_event, w);
    return rc;
}

static int teardown(void **state)
{
    ctn_host_unlisten(watched.kit->host, &watched);
    ctn_meters_free(watched.meters);
    ctn_spans_free(watched.spans);
    ctn_buf_done(&watched.told);
    return engine_kit_teardown(state);
}

/* The exposition, which is held to its rules in both formats. */
static ctn_str exposed(engine_kit *k, const ctn_meters *meters)
{
    ctn_str texts[2];
    for (size_t i = 0; i < 2; i++) {
        ctn_buf out;
        ctn_buf_init(&out, 4 << 20);
        ctn_expo e = {.out = &out, .is_open_metrics = i == 1};
        ctn_meters_write(meters, &e);
        ctn_expo_end(&e);
        assert_false(out.overflowed);
        texts[i] = ctn_arena_str(k->arena, ctn_buf_str(&out));
        ctn_buf_done(&out);
        strict_exposition(texts[i], i == 1);
    }
    return texts[0];
}

/* The n-th span of that name, in the order in which they were told. */
static const ctn_json *span_named(engine_kit *k, const char *name, size_t n)
{
    ctn_str lines = ctn_arena_str(k->arena, ctn_buf_str(&watched.told));
    while (lines.len) {
        const ctn_json *span;
        assert_int_equal(ctn_json_parse(k->arena, ctn_str_cut(&lines, '\n'), NULL, &span, NULL), CTN_OK);
        if (ctn_str_is(ctn_json_str_or(span, "name", (ctn_str){0}), name) && n-- == 0)
            return span;
    }
    fail_msg("no span %s in %.*s", name, CTN_STR_ARG(ctn_buf_str(&watched.told)));
    return NULL;
}

static const char *text_of(engine_kit *k, const ctn_json *v, const char *member)
{
    return ctn_arena_str(k->arena, ctn_json_str_or(v, member, CTN_STR(""))).ptr;
}

/* The attribute, as it is written there; "": it has none. */
static const char *attribute(engine_kit *k, const ctn_json *span, const char *key)
{
    const ctn_json *all = ctn_json_member_of(span, "attributes");
    for (size_t i = 0; i < ctn_json_count(all); i++)
        if (ctn_str_is(ctn_json_str_or(ctn_json_at(all, i), "key", (ctn_str){0}), key))
            return ctn_arena_str(k->arena,
                                 ctn_json_text(&ctn_json_member_of(ctn_json_at(all, i), "value")->members[0].value))
                .ptr;
    return "";
}

/* ---- figures ---- */

static void what_ran_is_counted_by_chain_kind_and_outcome(void **state)
{
    engine_kit *k = *state;
    (void) engine_kit_ask(k, "tools/call", "'name':'greet','arguments':{'name':'" PIN "'}");
    (void) engine_kit_ask(k, "tools/call", "'name':'greet','arguments':{'name':'b'}");
    (void) engine_kit_ask(k, "tools/call", "'name':'fails','arguments':{'when':'never'}");
    ctn_str text = exposed(k, watched.meters);
    assert_int_equal(strict_sample(text, "catena_executions_started_total{chain=\"greet\"}"), 2);
    assert_int_equal(strict_sample(text, "catena_executions_ended_total{chain=\"greet\",status=\"completed\"}"), 2);
    assert_int_equal(strict_sample(text, "catena_executions_ended_total{chain=\"fails\",status=\"failed\"}"), 1);
    assert_int_equal(strict_sample(text, "catena_attempts_total{work=\"native\",outcome=\"succeeded\"}"), 2);
    assert_int_equal(strict_sample(text, "catena_calls_total{kind=\"native\",outcome=\"succeeded\"}"), 2);
    assert_int_equal(strict_sample(text, "catena_call_duration_seconds_count{kind=\"native\"}"), 2);
    assert_int_equal(strict_sample(text, "catena_execution_duration_seconds_count"), 3);
    assert_int_equal(ctn_str_find(text, CTN_STR(PIN)), SIZE_MAX);
}

/* Thousands of chains must not become thousands of series, nor a name of theirs a line of its own. */
static void labels_are_bounded_and_cannot_break_out(void **state)
{
    engine_kit *k = *state;
    static char names[600][32];
    for (size_t i = 0; i < 600; i++) {
        (void) snprintf(names[i], sizeof names[i], i == 0 ? "a\"} 1\\\nb\xFF" : "operation-%zu", i);
        ctn_meters_request(watched.meters, &(ctn_web_told){.operation = names[i], .status = 200, .took_ms = 3});
    }
    ctn_meters_request(watched.meters, &(ctn_web_told){.operation = names[1], .status = 429});
    ctn_meters_request(watched.meters, &(ctn_web_told){.status = 0, .was_cut = true});
    ctn_str text = exposed(k, watched.meters);
    assert_int_equal(strict_sample(text, "catena_http_requests_total{operation=\"operation-1\",status=\"4xx\"}"), 1);
    assert_int_equal(strict_sample(text, "catena_http_too_many_requests_total"), 1);
    assert_int_equal(strict_sample(text, "catena_http_requests_total{operation=\"(other)\",status=\"2xx\"}"), 400);
    assert_int_equal(strict_sample(text, "catena_http_requests_total{operation=\"(other)\",status=\"none\"}"), 1);
    assert_true(ctn_str_find(text, CTN_STR("a\\\"} 1\\\\\\nb\xEF\xBF\xBD")) != SIZE_MAX);
}

static void a_duration_is_in_the_bucket_that_it_fits(void **state)
{
    (void) state;
    ctn_histogram h = {0};
    ctn_histogram_add_us(&h, -5);
    ctn_histogram_add_us(&h, 100);
    ctn_histogram_add_us(&h, 101);
    ctn_histogram_add_us(&h, INT64_C(3600000001));
    assert_int_equal(h.counts[0], 2);
    assert_int_equal(h.counts[1], 1);
    assert_int_equal(h.counts[CTN_HISTOGRAM_BOUNDS], 1);
    assert_int_equal(ctn_histogram_count(&h), 4);
    assert_int_equal(h.sum_us, INT64_C(3600000202));
}

static void open_metrics_is_for_those_who_ask_for_it(void **state)
{
    (void) state;
    assert_true(ctn_expo_wants_open_metrics(
        CTN_STR("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1")));
    assert_false(ctn_expo_wants_open_metrics(CTN_STR("text/plain, application/openmetrics-text;q=0")));
    assert_false(ctn_expo_wants_open_metrics(CTN_STR("*/*")));
    assert_false(ctn_expo_wants_open_metrics((ctn_str){0}));
}

/* ---- spans ---- */

static void an_execution_is_a_trace_with_a_span_an_attempt(void **state)
{
    engine_kit *k = *state;
    (void) engine_kit_ask(k, "tools/call", "'name':'greet','arguments':{'name':'" PIN "'}");
    const ctn_json *root = span_named(k, "greet", 0), *look = span_named(k, "look", 0);
    assert_string_equal(text_of(k, root, "parentSpanId"), "");
    assert_string_equal(text_of(k, look, "parentSpanId"), text_of(k, root, "spanId"));
    assert_string_equal(text_of(k, look, "traceId"), text_of(k, root, "traceId"));
    assert_string_equal(attribute(k, root, "catena.status"), "completed");
    assert_string_equal(attribute(k, look, "catena.work"), "native");
    assert_string_equal(attribute(k, look, "catena.target"), "noop");
    assert_string_equal(attribute(k, look, "catena.attempt"), "1");
    assert_string_equal(attribute(k, look, "catena.begin.unknown"), "");
    assert_int_equal(ctn_str_find(ctn_buf_str(&watched.told), CTN_STR(PIN)), SIZE_MAX);
    /* The trace is found by the execution's id. */
    char id[40] = "";
    const char *text = attribute(k, root, "catena.execution.id");
    for (size_t i = 0, n = 0; text[i]; i++)
        if (text[i] != '-')
            id[n++] = text[i];
    assert_string_equal(text_of(k, root, "traceId"), id);
}

static void a_failure_has_its_code_and_no_sentence(void **state)
{
    engine_kit *k = *state;
    (void) engine_kit_ask(k, "tools/call", "'name':'fails','arguments':{'when':'" PIN "'}");
    const ctn_json *root = span_named(k, "fails", 0), *step = span_named(k, "sleep", 0);
    assert_string_equal(text_of(k, ctn_json_member_of(root, "status"), "message"), "invalid_input");
    assert_string_equal(attribute(k, step, "error.type"), "invalid_input");
    assert_int_equal(ctn_str_find(ctn_buf_str(&watched.told), CTN_STR(PIN)), SIZE_MAX);
}

static void a_callers_trace_goes_through_and_down_into_sub_chains(void **state)
{
    engine_kit *k = *state;
    k->meta = "\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"";
    (void) engine_kit_ask(k, "tools/call", "'name':'above','arguments':{}");
    const ctn_json *root = span_named(k, "above", 0), *call = span_named(k, "call", 0),
                   *below = span_named(k, "doze", 0);
    assert_string_equal(text_of(k, root, "traceId"), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_string_equal(text_of(k, root, "parentSpanId"), "00f067aa0ba902b7");
    assert_string_equal(text_of(k, call, "parentSpanId"), text_of(k, root, "spanId"));
    assert_string_equal(text_of(k, below, "traceId"), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_string_equal(text_of(k, below, "parentSpanId"), text_of(k, call, "spanId"));
    assert_string_equal(text_of(k, span_named(k, "nap", 0), "parentSpanId"), text_of(k, below, "spanId"));
}

static void a_sub_chain_with_a_trace_of_its_own_links_to_who_called_it(void **state)
{
    engine_kit *k = *state;
    (void) engine_kit_ask(k, "tools/call", "'name':'above','arguments':{}");
    const ctn_json *call = span_named(k, "call", 0), *below = span_named(k, "doze", 0);
    const ctn_json *link = ctn_json_pointer(below, CTN_STR("/links/0"));
    assert_string_equal(text_of(k, below, "parentSpanId"), "");
    assert_string_equal(text_of(k, link, "traceId"), text_of(k, call, "traceId"));
    assert_string_equal(text_of(k, link, "spanId"), text_of(k, call, "spanId"));
}

static void who_says_no_to_sampling_is_not_told_of(void **state)
{
    engine_kit *k = *state;
    k->meta = "\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\"";
    (void) engine_kit_ask(k, "tools/call", "'name':'greet','arguments':{'name':'a'}");
    assert_int_equal(watched.told.len, 0);
}

int main(void)
{
#define WATCHED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WATCHED(what_ran_is_counted_by_chain_kind_and_outcome),
        WATCHED(labels_are_bounded_and_cannot_break_out),
        cmocka_unit_test(a_duration_is_in_the_bucket_that_it_fits),
        cmocka_unit_test(open_metrics_is_for_those_who_ask_for_it),
        WATCHED(an_execution_is_a_trace_with_a_span_an_attempt),
        WATCHED(a_failure_has_its_code_and_no_sentence),
        WATCHED(a_callers_trace_goes_through_and_down_into_sub_chains),
        WATCHED(a_sub_chain_with_a_trace_of_its_own_links_to_who_called_it),
        WATCHED(who_says_no_to_sampling_is_not_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
