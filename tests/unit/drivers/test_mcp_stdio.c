/*
 * The driver against peer_mcp, a real child process each time: what a server may do to us, and what the engine
 * is told of it. Every test ends with a shutdown and the proof that no server is left behind.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "drivers/mcp/mcp.h"
#include "support/cmocka.h"

#define PEER        CATENA_BUILD_DIR "/tests/peer_mcp"
#define CALLS_MAX   300
#define PATIENCE_MS 20000

typedef struct answer {
    int count;
    ctn_call_result result; /* value and message copied */
    int64_t at_ms;
} answer;

typedef struct fixture {
    ctn_spawner *spawner;
    ctn_loop *loop;
    ctn_mcp_driver *driver;
    ctn_driver iface;
    ctn_arena *arena;
    ctn_timer *patience;
    answer answers[CALLS_MAX];
    int answered; /* tokens answered so far */
    int awaited;
    int progress_count;
    int64_t idle_timeout_ms; /* of the calls that are begun */
    uint64_t again_after;    /* when this token is answered, begin one more call with the next token */
    bool is_running, is_impatient, is_ready, has_ended;
    int ready_code;
    char ready_why[600];
} fixture;

static ctn_spawner *the_spawner; /* forked once, before anything else */

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result);

static void on_progress(void *ctx, uint64_t token, double progress, double total, ctn_str message)
{
    fixture *f = ctx;
    (void) token;
    assert_true(progress > 0 && total > 2.5 && ctn_str_is(message, "working"));
    f->progress_count++;
}

static void out_of_patience(void *ctx)
{
    fixture *f = ctx;
    f->is_impatient = true;
    ctn_loop_stop(f->loop);
}

/* Only what happens while the loop runs may stop it: a stop before it would end the next run. */
static void stop(fixture *f)
{
    if (f->is_running)
        ctn_loop_stop(f->loop);
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->spawner = the_spawner;
    f->arena = ctn_arena_new(65536);
    *state = f;
    return 0;
}

#define CONFIGURE(f, ...) configure((f), (const char *const[]){__VA_ARGS__, NULL})
static ctn_mcp_server_config peer(const char *const *args)
{
    static const char *const env[] = {"PEER_VARIABLE=here", NULL};
    return (ctn_mcp_server_config){.name = CTN_STR("peer"), .command = PEER, .args = args, .env = env};
}

static void configure_with(fixture *f, const ctn_mcp_server_config *servers, size_t count)
{
    f->loop = ctn_loop_new();
    ctn_spawner_attach(f->spawner, f->loop);
    f->patience = ctn_timer_new(f->loop, out_of_patience, f);
    ctn_mcp_driver_options options = {
        .loop = f->loop,
        .spawner = f->spawner,
        .sink = {.done = on_done, .progress = on_progress, .ctx = f},
        .servers = servers,
        .server_count = count,
        .discover_silence_ms = 300,
        .end_grace_ms = 300,
    };
    ctn_err err = {0};
    if (ctn_mcp_driver_new(&options, &f->driver, &err))
        fail_msg("%s", err.message);
    f->iface = ctn_mcp_driver_interface(f->driver);
}

static void configure(fixture *f, const char *const *args)
{
    ctn_mcp_server_config config = peer(args);
    configure_with(f, &config, 1);
}

static void run(fixture *f)
{
    ctn_timer_set(f->patience, ctn_loop_now_ms(f->loop) + PATIENCE_MS);
    f->is_running = true;
    ctn_loop_run(f->loop);
    f->is_running = false;
    ctn_timer_clear(f->patience);
    if (f->is_impatient)
        fail_msg("nothing happened for %d ms; %d of %d answered", PATIENCE_MS, f->answered, f->awaited);
}

/* Nothing stops this one but the time. */
static void run_for(fixture *f, int64_t ms)
{
    ctn_timer_set(f->patience, ctn_loop_now_ms(f->loop) + ms);
    ctn_loop_run(f->loop);
    f->is_impatient = false;
}

static void await(fixture *f, int count)
{
    f->awaited = count;
    if (f->answered < count)
        run(f);
}

static const ctn_json *json(fixture *f, const char *text)
{
    const ctn_json *value = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(f->arena, ctn_str_from(text), NULL, &value, &err))
        fail_msg("%s: %s", err.message, text);
    return value;
}

static void begin(fixture *f, uint64_t token, const char *target, const char *args, int64_t timeout_ms)
{
    ctn_call_request request = {.token = token,
                                .target = ctn_str_from(target),
                                .args = args ? json(f, args) : NULL,
                                .idempotency_key = ctn_arena_printf(f->arena, "key-%d", (int) token),
                                .timeout_ms = timeout_ms,
                                .idle_timeout_ms = f->idle_timeout_ms,
                                .deadline_ms = timeout_ms ? ctn_loop_now_ms(f->loop) + timeout_ms : 0};
    f->iface.begin(f->iface.ctx, &request);
}

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    fixture *f = ctx;
    assert_true(token < CALLS_MAX);
    answer *a = &f->answers[token];
    a->count++;
    a->result = *result;
    a->result.value = result->value ? ctn_json_copy(f->arena, result->value) : NULL;
    a->result.message = ctn_arena_str(f->arena, result->message);
    a->result.used_money = ctn_arena_str(f->arena, result->used_money);
    a->at_ms = ctn_loop_now_ms(f->loop);
    f->answered++;
    if (f->again_after && token == f->again_after) {
        f->again_after = 0;
        begin(f, token + 1, "peer/echo", "{\"again\":1}", 5000);
    }
    if (f->answered >= f->awaited)
        stop(f);
}

static const ctn_call_result *call(fixture *f, uint64_t token, const char *target, const char *args)
{
    begin(f, token, target, args, 10000);
    await(f, f->answered + (f->answers[token].count ? 0 : 1));
    assert_int_equal(f->answers[token].count, 1);
    return &f->answers[token].result;
}

static void assert_value(fixture *f, const ctn_call_result *r, const char *expected)
{
    if (r->failure != CTN_FAILURE_NONE || !ctn_json_equal(r->value, json(f, expected)))
        fail_msg("failure %d, %.*s, value %s; want %s", (int) r->failure, CTN_STR_ARG(r->message),
                 r->value ? ctn_json_to_str(f->arena, r->value).ptr : "none", expected);
}

static void assert_failure(const ctn_call_result *r, ctn_failure failure, bool was_sent, const char *part)
{
    if (r->failure != failure || r->was_sent != was_sent || ctn_str_find(r->message, ctn_str_from(part)) == SIZE_MAX)
        fail_msg("failure %d (want %d), was_sent %d (want %d), \"%.*s\" (want \"%s\")", (int) r->failure, (int) failure,
                 r->was_sent, was_sent, CTN_STR_ARG(r->message), part);
}

/* The server died with the call in its hands. */
static void assert_died(const ctn_call_result *r, const char *part)
{
    assert_failure(r, CTN_FAILURE_TRANSPORT, true, part);
    assert_true(r->peer_is_dead);
}

static ctn_mcp_server_state state_of(const fixture *f)
{
    ctn_mcp_server_state s = {0};
    assert_true(ctn_mcp_server_state_of(f->driver, CTN_STR("peer"), &s));
    return s;
}

static void on_shut_down(void *ctx)
{
    fixture *f = ctx;
    f->has_ended = true;
    stop(f);
}

static int teardown(void **state)
{
    fixture *f = *state;
    if (f->driver) {
        int pid = state_of(f).pid;
        ctn_mcp_driver_shutdown(f->driver, on_shut_down, f);
        if (!f->has_ended)
            run(f);
        assert_true(f->has_ended);
        ctn_mcp_driver_free(f->driver);
        for (int i = 0; i < 100 && pid && kill(pid, 0) == 0; i++)
            run_for(f, 30); /* the spawner reaps what was released */
        if (pid && kill(pid, 0) == 0)
            fail_msg("server process %d is left behind", pid);
        ctn_timer_free(f->patience);
    }
    ctn_loop_free(f->loop);
    ctn_arena_free(f->arena);
    free(f);
    return 0;
}

/* ---- behaving servers ---- */

static void a_modern_server_is_found_out_and_called(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern", "--per-page", "3");
    assert_int_equal(state_of(f).starts, 0); /* lazily */
    assert_value(f, call(f, 1, "peer/echo", "{\"a\":1.50}"), "{\"a\":1.50}");
    assert_true(ctn_str_is(state_of(f).version, "2026-07-28"));
    const ctn_call_result *r = call(f, 2, "peer/peer_state", "{}");
    assert_true(ctn_str_is(ctn_json_str_or(r->value, "key", (ctn_str){0}), "key-2"));
    assert_true(ctn_str_is(ctn_json_str_or(r->value, "variable", (ctn_str){0}), "here"));
    assert_int_equal(ctn_json_int_or(r->value, "pid", 0), state_of(f).pid);
    assert_int_equal(state_of(f).starts, 1);
}

static void a_legacy_server_gets_its_handshake(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "legacy", "--per-page", "1");
    assert_value(f, call(f, 1, "peer/echo", "{\"a\":1}"), "{\"a\":1}");
    assert_true(ctn_str_is(state_of(f).version, "2025-11-25"));
}

static void a_server_that_is_silent_to_the_probe_is_taken_for_legacy(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "discover-silent");
    assert_value(f, call(f, 1, "peer/echo", "{}"), "{}");
    assert_true(ctn_str_is(state_of(f).version, "2025-11-25"));
}

static void a_pinned_version_is_spoken_or_the_start_fails(void **state)
{
    fixture *f = *state;
    const char *const args[] = {"modern", NULL};
    ctn_mcp_server_config servers[2] = {peer(NULL), peer(args)};
    servers[0].version = CTN_STR("2025-06-18");
    servers[1].version = CTN_STR("2025-06-18");
    servers[1].name = CTN_STR("stubborn");
    configure_with(f, servers, 2);
    assert_value(f, call(f, 1, "peer/echo", "{}"), "{}");
    assert_true(ctn_str_is(state_of(f).version, "2025-06-18"));
    assert_failure(call(f, 2, "stubborn/echo", "{}"), CTN_FAILURE_UNAVAILABLE, false, "refuses initialize");
}

static void a_refused_version_is_tried_again_but_not_for_ever(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "--refuse-version", "1");
    assert_value(f, call(f, 1, "peer/echo", "{}"), "{}");
}

static void a_version_that_is_always_refused_makes_the_server_unavailable(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "--refuse-version", "1000");
    assert_failure(call(f, 1, "peer/echo", "{}"), CTN_FAILURE_UNAVAILABLE, false, "keeps refusing");
}

static void many_calls_share_one_process_and_answers_come_in_any_order(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    int64_t start_ms = ctn_loop_now_ms(f->loop);
    for (uint64_t i = 0; i < 20; i++) {
        char args[64];
        (void) snprintf(args, sizeof args, "{\"ms\":%d}", 400 - (int) i * 20);
        begin(f, i + 1, "peer/sleep_ms", args, 10000);
    }
    await(f, 20);
    assert_int_equal(state_of(f).starts, 1);
    assert_true(ctn_loop_now_ms(f->loop) - start_ms < 4000); /* in turn they would take 4.2 s */
    for (int i = 0; i < 20; i++) {
        assert_int_equal(f->answers[i + 1].count, 1);
        assert_int_equal(ctn_json_int_or(f->answers[i + 1].result.value, "ms", -1), 400 - i * 20);
    }
}

static void progress_reaches_the_sink(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "progress");
    call(f, 1, "peer/echo", "{}");
    assert_int_equal(f->progress_count, 3);
}

static void a_call_that_shows_no_progress_is_ended(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    call(f, 1, "peer/echo", "{}"); /* the server is up */
    f->idle_timeout_ms = 300;
    int64_t from_ms = ctn_loop_now_ms(f->loop);
    assert_failure(call(f, 2, "peer/sleep_ms", "{\"ms\":60000}"), CTN_FAILURE_TIMEOUT, true,
                   "no sign of progress from peer/sleep_ms within 300 ms");
    assert_true(f->answers[2].at_ms - from_ms >= 300 && f->answers[2].at_ms - from_ms < 5000);
}

static void progress_keeps_a_call_alive_until_its_timeout(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    call(f, 1, "peer/echo", "{}");
    f->idle_timeout_ms = 600;
    assert_value(f, call(f, 2, "peer/sleep_ms", "{\"ms\":2000,\"tick\":100}"), "{\"ms\":2000}");
    assert_true(f->progress_count >= 15);
    begin(f, 3, "peer/sleep_ms", "{\"ms\":60000,\"tick\":100}", 1500);
    await(f, 3);
    assert_failure(&f->answers[3].result, CTN_FAILURE_TIMEOUT, true, "no answer from peer/sleep_ms within 1500 ms");
    begin(f, 4, "peer/sleep_ms", "{\"ms\":60000}", 500); /* the timeout comes first */
    await(f, 4);
    assert_failure(&f->answers[4].result, CTN_FAILURE_TIMEOUT, true, "no answer from peer/sleep_ms within 500 ms");
}

static void a_server_sees_only_what_it_needs_of_our_environment(void **state)
{
    fixture *f = *state;
    assert_int_equal(setenv("CATENA_TEST_SECRET", "x", 1), 0);
    CONFIGURE(f, "modern");
    const ctn_call_result *r = call(f, 1, "peer/peer_state", "{}");
    assert_false(ctn_json_bool_or(r->value, "seesSecret", true));
    (void) unsetenv("CATENA_TEST_SECRET");
}

static void legacy_servers_that_ask_are_answered(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "legacy", "asks");
    call(f, 1, "peer/peer_state", "{}");
    const ctn_call_result *r = call(f, 2, "peer/peer_state", "{}");
    assert_int_equal(ctn_json_int_or(r->value, "answersToPings", 0), 1);
}

static void a_changed_list_is_fetched_before_the_next_call(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "legacy", "list-changed");
    call(f, 1, "peer/echo", "{}");
    assert_int_equal(call(f, 2, "peer/extra", "{}")->failure, CTN_FAILURE_NONE);
}

static void a_call_begun_from_an_answer_is_answered_too(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    f->again_after = 1;
    begin(f, 1, "peer/echo", "{}", 5000);
    await(f, 2);
    assert_value(f, &f->answers[2].result, "{\"again\":1}");
}

/* ---- what is checked ---- */

static void arguments_that_break_the_schema_never_leave(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    assert_failure(call(f, 1, "peer/typed", "{}"), CTN_FAILURE_INVALID_INPUT, false, "peer/typed");
    assert_failure(call(f, 2, "peer/typed", "{\"n\":\"7\"}"), CTN_FAILURE_INVALID_INPUT, false, "/n");
    assert_failure(call(f, 3, "peer/typed", "[1]"), CTN_FAILURE_INVALID_INPUT, false, "expected object, got array");
    assert_value(f, call(f, 4, "peer/typed", "{\"n\":7}"), "{\"n\":7}");
    assert_value(f, call(f, 5, "peer/echo", NULL), "{}");
}

static void results_that_break_the_schema_are_no_success(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    assert_failure(call(f, 1, "peer/bad_output", "{}"), CTN_FAILURE_INVALID_OUTPUT, true, "/n");
}

static void unknown_tools_and_servers_are_named_with_the_nearest(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    assert_failure(call(f, 1, "peer/write_lime", "{}"), CTN_FAILURE_PROTOCOL_ERROR, false,
                   "did you mean \"write_line\"");
    assert_failure(call(f, 2, "peer/zzzzzz", "{}"), CTN_FAILURE_PROTOCOL_ERROR, false, "has no tool");
    assert_failure(call(f, 3, "pear/echo", "{}"), CTN_FAILURE_PROTOCOL_ERROR, false, "did you mean \"peer\"");
    assert_failure(call(f, 4, "peer", "{}"), CTN_FAILURE_PROTOCOL_ERROR, false, "server/tool");
}

static void failures_of_tool_and_protocol_are_told_apart(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    assert_failure(call(f, 1, "peer/fail", "{\"message\":\"no rooms\"}"), CTN_FAILURE_TOOL_ERROR, true, "no rooms");
    assert_failure(call(f, 2, "peer/protocol_fail", "{}"), CTN_FAILURE_PROTOCOL_ERROR, true,
                   "refused as asked (-32603)");
}

/* A tool whose own provider did not answer must not look as if nothing had happened. */
static void a_tool_may_say_that_nobody_knows(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    assert_failure(call(f, 1, "peer/fail", "{\"message\":\"sent?\",\"failure\":\"timeout\"}"), CTN_FAILURE_TIMEOUT,
                   true, "sent?");
    assert_failure(call(f, 2, "peer/fail", "{\"message\":\"later\",\"failure\":\"unavailable\"}"),
                   CTN_FAILURE_UNAVAILABLE, true, "later");
    assert_failure(call(f, 3, "peer/fail", "{\"message\":\"no\",\"failure\":\"denied\"}"), CTN_FAILURE_TOOL_ERROR, true,
                   "no");
}

static void what_a_call_used_up_is_told(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    const ctn_call_result *r = call(f, 1, "peer/echo", "{\"usage\":{\"tokens\":120,\"money\":0.0450}}");
    assert_int_equal(r->used_tokens, 120);
    assert_true(ctn_str_is(r->used_money, "0.0450"));
    r = call(f, 2, "peer/fail", "{\"usage\":{\"tokens\":7}}");
    assert_int_equal(r->failure, CTN_FAILURE_TOOL_ERROR);
    assert_int_equal(r->used_tokens, 7);
    assert_int_equal(r->used_money.len, 0);
    assert_int_equal(call(f, 3, "peer/echo", "{}")->used_tokens, 0);
}

static void schemas_are_known_by_their_content_once_the_server_runs(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    ctn_driver driver = ctn_mcp_driver_interface(f->driver);
    ctn_digest line, again, typed;
    assert_false(driver.schema(driver.ctx, CTN_STR("peer/write_line"), &line));
    (void) call(f, 1, "peer/echo", "{}");
    assert_true(driver.schema(driver.ctx, CTN_STR("peer/write_line"), &line));
    assert_true(driver.schema(driver.ctx, CTN_STR("peer/read_line"), &again));
    assert_true(driver.schema(driver.ctx, CTN_STR("peer/typed"), &typed));
    assert_memory_equal(&line, &again, sizeof line);
    assert_memory_not_equal(&line, &typed, sizeof line);
    assert_false(driver.schema(driver.ctx, CTN_STR("peer/nothing"), &line));
    assert_false(driver.schema(driver.ctx, CTN_STR("pear/echo"), &line));
}

static void effects_come_from_the_operator_then_from_a_trusted_server(void **state)
{
    fixture *f = *state;
    const ctn_mcp_tool_effect effects[] = {{CTN_STR("echo"), CTN_EFFECT_WRITE}, {CTN_STR("unlisted"), CTN_EFFECT_READ}};
    ctn_mcp_server_config servers[2] = {peer(NULL), peer(NULL)};
    servers[0].effects = effects;
    servers[0].effect_count = 2;
    servers[0].is_trusted = true;
    servers[1].name = CTN_STR("stranger");
    configure_with(f, servers, 2);
    const char *from = "?";
    assert_int_equal(ctn_mcp_effect(f->driver, CTN_STR("peer/echo"), &from), CTN_EFFECT_WRITE);
    assert_string_equal(from, "operator");
    assert_int_equal(ctn_mcp_effect(f->driver, CTN_STR("peer/read_line"), &from),
                     CTN_EFFECT_UNKNOWN); /* not listed yet */
    assert_null(from);
    call(f, 1, "peer/echo", "{}");
    call(f, 2, "stranger/echo", "{}");
    assert_int_equal(ctn_mcp_effect(f->driver, CTN_STR("peer/read_line"), &from), CTN_EFFECT_READ);
    assert_string_equal(from, "annotations");
    assert_int_equal(ctn_mcp_effect(f->driver, CTN_STR("peer/idempotent_line"), NULL), CTN_EFFECT_IDEMPOTENT);
    assert_int_equal(ctn_mcp_effect(f->driver, CTN_STR("peer/write_line"), NULL), CTN_EFFECT_WRITE);
    assert_int_equal(ctn_mcp_effect(f->driver, CTN_STR("peer/unlisted"), NULL), CTN_EFFECT_READ);
    assert_int_equal(ctn_mcp_effect(f->driver, CTN_STR("stranger/read_line"), NULL), CTN_EFFECT_UNKNOWN);
    assert_int_equal(ctn_mcp_effect(f->driver, CTN_STR("nobody/read_line"), NULL), CTN_EFFECT_UNKNOWN);
}

/* ---- readiness ---- */

static void on_ready(void *ctx, int code, const char *why)
{
    fixture *f = ctx;
    f->is_ready = true;
    f->ready_code = code;
    (void) snprintf(f->ready_why, sizeof f->ready_why, "%s", why);
    stop(f);
}

static void on_prepared(void *ctx)
{
    on_ready(ctx, CTN_OK, "");
}

static void ready_lists_the_tools_without_calling_any(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "--per-page", "2");
    size_t count = 1;
    assert_null(ctn_mcp_tools(f->driver, CTN_STR("peer"), &count));
    assert_int_equal(count, 0);
    ctn_mcp_ready(f->driver, CTN_STR("peer"), on_ready, f);
    run(f);
    assert_true(f->is_ready);
    assert_int_equal(f->ready_code, CTN_OK);
    const ctn_mcp_tool *tools = ctn_mcp_tools(f->driver, CTN_STR("peer"), &count);
    assert_int_equal(count, 11);
    for (size_t i = 1; i < count; i++)
        assert_true(ctn_str_compare(tools[i - 1].name, tools[i].name) < 0);
    f->is_ready = false;
    f->iface.prepare(f->iface.ctx, CTN_STR("peer/echo"), on_prepared, f);
    assert_true(f->is_ready); /* at once: it is up */
    f->is_ready = false;
    f->iface.prepare(f->iface.ctx, CTN_STR("nobody/echo"), on_prepared, f);
    assert_true(f->is_ready);
    ctn_mcp_ready(f->driver, CTN_STR("nobody"), on_ready, f);
    assert_int_equal(f->ready_code, CTN_E_NOT_FOUND);
}

static void ready_tells_why_there_is_no_server(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "dies-at-once");
    ctn_mcp_ready(f->driver, CTN_STR("peer"), on_ready, f);
    run(f);
    assert_int_not_equal(f->ready_code, CTN_OK);
    assert_holds(f->ready_why, "exit status 3");
}

/* ---- servers that do not start ---- */

static void a_command_that_does_not_exist_is_named(void **state)
{
    fixture *f = *state;
    ctn_mcp_server_config config = peer(NULL);
    config.command = "no-such-tool-server";
    configure_with(f, &config, 1);
    assert_failure(call(f, 1, "peer/echo", "{}"), CTN_FAILURE_UNAVAILABLE, false, "no-such-tool-server");
    assert_failure(call(f, 2, "peer/echo", "{}"), CTN_FAILURE_UNAVAILABLE, false, "no-such-tool-server");
}

static void a_server_that_dies_at_once_is_given_up_after_a_few_starts(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "dies-at-once");
    const ctn_call_result *r = call(f, 1, "peer/echo", "{}");
    assert_failure(r, CTN_FAILURE_UNAVAILABLE, false, "exit status 3");
    assert_failure(r, CTN_FAILURE_UNAVAILABLE, false, "cannot open the licence file");
    assert_failure(r, CTN_FAILURE_UNAVAILABLE, false, "peer_mcp");
    assert_true(r->retry_after_ms > 0);
    uint64_t starts = state_of(f).starts;
    assert_int_equal(starts, 3);
    for (uint64_t i = 2; i < 100; i++) /* a storm of calls is no storm of starts */
        assert_failure(call(f, i, "peer/echo", "{}"), CTN_FAILURE_UNAVAILABLE, false, "exit status 3");
    assert_true(state_of(f).starts <= starts + 2);
}

static void a_server_that_says_nothing_runs_into_its_start_limit(void **state)
{
    fixture *f = *state;
    const char *const args[] = {"hang-all", NULL};
    ctn_mcp_server_config config = peer(args);
    config.start_limit_ms = 800;
    configure_with(f, &config, 1);
    begin(f, 1, "peer/echo", "{}", 100); /* the start does not count for its timeout */
    await(f, 1);
    assert_failure(&f->answers[1].result, CTN_FAILURE_UNAVAILABLE, false, "not ready within 800 ms");
}

/* ---- servers that fail in the middle ---- */

static void a_server_that_dies_in_a_call_leaves_its_fate_unknown_but_is_dead(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "dies-in-call");
    const ctn_call_result *r = call(f, 1, "peer/echo", "{}");
    assert_died(r, "exit status 5");
    assert_died(r, "dying as asked");
    assert_false(f->iface.may_still_arrive(f->iface.ctx, 1, CTN_STR("peer/echo")));
    r = call(f, 2, "peer/echo", "{}"); /* started again */
    assert_failure(r, CTN_FAILURE_TRANSPORT, true, "exit status 5");
    assert_int_equal(state_of(f).starts, 2);
}

static void half_an_answer_is_none(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "half-line");
    assert_died(call(f, 1, "peer/echo", "{\"a\":[1,2,3]}"), "exit status 5");
}

/* Line by line: what it is asked before the first call (probe, handshake, pages of the list), and the calls themselves;
 * as the line comes, in the middle of the answer, after it. Whatever was lost is started again; a call is executed
 * once, and told to be of unknown fate if it was on its way. */
static void killed_in_any_phase_it_is_started_again_and_no_call_runs_twice(void **state)
{
    static const char *const moments[] = {"--die-at", "--die-in", "--die-after"};
    static const char *const eras[] = {"modern", "legacy"};
    fixture *f = *state;
    char once[] = "/tmp/catena-once-XXXXXX", ledger[] = "/tmp/catena-ledger-XXXXXX", line[32];
    close(mkstemp(once));
    close(mkstemp(ledger));
    int deaths = 0;
    for (int era = 0; era < 2; era++)
        for (int moment = 0; moment < 3; moment++)
            for (int n = 1; n <= 7; n++) {
                (void) unlink(once);
                assert_int_equal(truncate(ledger, 0), 0);
                (void) snprintf(line, sizeof line, "%d", n);
                fixture *g = NULL;
                (void) setup((void **) &g);
                CONFIGURE(g, eras[era], "--per-page", "6", moments[moment], line, "--once", once, "--ledger", ledger);
                for (uint64_t token = 1; token <= 2; token++) {
                    const ctn_call_result *r = call(g, token, "peer/write_line", "{\"line\":\"x\"}");
                    if (r->failure && r->was_sent)
                        assert_died(r, "signal 9");
                    else if (r->failure) /* its pipe is closed, and its death not told yet */
                        assert_failure(r, CTN_FAILURE_UNAVAILABLE, false, "does not read");
                }
                int has_died = access(once, F_OK) == 0;
                deaths += has_died;
                assert_true(state_of(g).starts <= 1 + (uint64_t) has_died);
                FILE *file = fopen(ledger, "re");
                char text[600] = "";
                size_t len = fread(text, 1, sizeof text - 1, file);
                (void) fclose(file);
                int executed[3] = {0};
                for (char *at = text; len && (at = strstr(at, "key-")); at++)
                    executed[at[4] - '0']++;
                for (int token = 1; token <= 2; token++)
                    assert_true(executed[token] <=
                                    (g->answers[token].result.was_sent || !g->answers[token].result.failure) &&
                                (executed[token] || g->answers[token].result.failure));
                (void) teardown((void **) &g);
            }
    assert_true(deaths > 25); /* 5 and 7 lines, three times, some without an answer */
    (void) unlink(once);
    (void) unlink(ledger);
    CONFIGURE(f, "modern");
}

static void a_grandchild_that_holds_the_pipes_delays_the_news_a_moment_only(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "grandchild");
    assert_died(call(f, 1, "peer/echo", "{}"), "exit status 5");
}

static void a_server_that_is_killed_takes_all_its_calls_with_it(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "hang");
    for (uint64_t i = 1; i <= 10; i++)
        begin(f, i, "peer/echo", "{}", 10000);
    run_for(f, 300);
    int pid = state_of(f).pid;
    assert_true(pid > 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    await(f, 10);
    for (int i = 1; i <= 10; i++)
        assert_died(&f->answers[i].result, "signal 9");
}

static void a_closed_stdout_ends_the_server_and_then_its_calls(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "close-stdout", "ignore-end");
    assert_died(call(f, 1, "peer/echo", "{}"), "signal 9");
}

static void garbage_between_messages_is_passed_over_and_counted(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "garbage");
    assert_value(f, call(f, 1, "peer/echo", "{\"a\":1}"), "{\"a\":1}");
    assert_int_equal(state_of(f).strays, 5);
}

static void endless_garbage_ends_the_conversation(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "garbage-flood");
    assert_died(call(f, 1, "peer/echo", "{}"), "no MCP messages");
}

static void answers_nobody_waits_for_are_dropped(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "unknown-ids", "double-answer");
    assert_value(f, call(f, 1, "peer/echo", "{\"a\":1}"), "{\"a\":1}");
    assert_value(f, call(f, 2, "peer/echo", "{\"a\":2}"), "{\"a\":2}");
    assert_int_equal(f->answers[1].count, 1);
    assert_true(state_of(f).strays >= 7);
}

static void a_line_over_the_limit_loses_its_call_not_the_server(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "long-line");
    const ctn_call_result *r = call(f, 1, "peer/echo", "{}");
    assert_failure(r, CTN_FAILURE_LIMIT, true, "peer/echo: its answer is larger than the 16 MiB");
    assert_false(r->peer_is_dead);
    assert_false(f->iface.may_still_arrive(f->iface.ctx, 1, CTN_STR("peer/echo")));
    assert_value(f, call(f, 2, "peer/sleep_ms", "{\"ms\":1}"), "{\"ms\":1}");
    assert_int_equal(state_of(f).starts, 1);
}

/* With others in flight, wherever the id stands. */
static void a_line_over_the_limit_loses_no_other_call(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "long-tail");
    begin(f, 1, "peer/sleep_ms", "{\"ms\":1500}", 0); /* answers when the flood is over */
    begin(f, 2, "peer/echo", "{}", 0);
    await(f, 2);
    assert_failure(&f->answers[2].result, CTN_FAILURE_LIMIT, true, "16 MiB");
    assert_value(f, &f->answers[1].result, "{\"ms\":1500}");
    assert_int_equal(state_of(f).starts, 1);
}

static void a_notice_over_the_limit_is_nobodys_answer(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "long-notice");
    assert_value(f, call(f, 1, "peer/echo", "{\"a\":1}"), "{\"a\":1}");
    assert_int_equal(state_of(f).strays, 1);
}

static void a_list_of_tools_over_the_limit_makes_the_server_unavailable(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "long-list");
    assert_failure(call(f, 1, "peer/echo", "{}"), CTN_FAILURE_UNAVAILABLE, false, "tools/list: its answer is larger");
}

static void a_line_without_end_ends_the_server_and_its_calls_with_it(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "endless-line");
    begin(f, 1, "peer/sleep_ms", "{\"ms\":60000}", 0);
    begin(f, 2, "peer/echo", "{}", 0);
    await(f, 2);
    assert_died(&f->answers[1].result, "a line of more than 512 MiB");
    assert_died(&f->answers[2].result, "a line of more than 512 MiB");
    assert_value(f, call(f, 3, "peer/sleep_ms", "{\"ms\":1}"), "{\"ms\":1}"); /* a new one */
    assert_int_equal(state_of(f).starts, 2);
}

static void a_flood_on_stderr_does_not_stand_in_the_way(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "flood-stderr");
    assert_value(f, call(f, 1, "peer/echo", "{}"), "{}");
}

/* ---- time ---- */

static void a_call_that_takes_too_long_times_out_and_its_late_answer_is_dropped(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    call(f, 1, "peer/echo", "{}");
    int64_t start_ms = ctn_loop_now_ms(f->loop);
    begin(f, 2, "peer/sleep_ms", "{\"ms\":600}", 150);
    await(f, 2);
    assert_failure(&f->answers[2].result, CTN_FAILURE_TIMEOUT, true, "peer/sleep_ms within 150 ms");
    assert_true(f->answers[2].at_ms - start_ms >= 150);
    assert_true(f->iface.may_still_arrive(f->iface.ctx, 2, CTN_STR("peer/sleep_ms")));
    run_for(f, 900);
    assert_int_equal(f->answers[2].count, 1);
    /* It has answered: what was to happen has happened. */
    assert_false(f->iface.may_still_arrive(f->iface.ctx, 2, CTN_STR("peer/sleep_ms")));
    assert_value(f, call(f, 3, "peer/echo", "{}"), "{}");
}

static void a_timed_out_call_can_arrive_until_its_server_is_dead(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "hang");
    begin(f, 1, "peer/echo", "{}", 100);
    await(f, 1);
    assert_failure(&f->answers[1].result, CTN_FAILURE_TIMEOUT, true, "");
    assert_true(f->iface.may_still_arrive(f->iface.ctx, 1, CTN_STR("peer/echo")));
    assert_int_equal(kill(state_of(f).pid, SIGKILL), 0);
    run_for(f, 300);
    assert_false(f->iface.may_still_arrive(f->iface.ctx, 1, CTN_STR("peer/echo")));
}

static void nothing_is_heard_of_a_cancelled_call(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "modern");
    begin(f, 1, "peer/echo", "{}", 5000); /* waits for the start */
    f->iface.cancel(f->iface.ctx, 1);
    assert_false(f->iface.may_still_arrive(f->iface.ctx, 1, CTN_STR("peer/echo")));
    call(f, 2, "peer/echo", "{}");
    begin(f, 3, "peer/sleep_ms", "{\"ms\":300}", 5000); /* sent */
    f->iface.cancel(f->iface.ctx, 3);
    f->iface.cancel(f->iface.ctx, 3);
    f->iface.cancel(f->iface.ctx, 99);
    run_for(f, 600);
    assert_int_equal(f->answers[1].count, 0);
    assert_int_equal(f->answers[3].count, 0);
}

static void a_server_that_ignores_its_end_is_killed(void **state)
{
    fixture *f = *state;
    CONFIGURE(f, "ignore-end");
    assert_value(f, call(f, 1, "peer/echo", "{}"), "{}"); /* it is up: teardown proves the rest */
}

static void configurations_that_cannot_work_are_refused(void **state)
{
    fixture *f = *state;
    f->loop = ctn_loop_new();
    ctn_mcp_driver *driver = NULL;
    ctn_mcp_server_config servers[2] = {peer(NULL), peer(NULL)};
    ctn_mcp_driver_options options = {.loop = f->loop,
                                      .spawner = f->spawner,
                                      .sink = {.done = on_done, .ctx = f},
                                      .servers = servers,
                                      .server_count = 2};
    ctn_err err = {0};
    assert_int_equal(ctn_mcp_driver_new(&options, &driver, &err), CTN_E_INVALID);
    assert_holds(err.message, "twice");
    servers[1].name = CTN_STR("a/b");
    assert_int_equal(ctn_mcp_driver_new(&options, &driver, &err), CTN_E_INVALID);
    servers[1].name = CTN_STR("b");
    servers[1].version = CTN_STR("2031-01-01");
    assert_int_equal(ctn_mcp_driver_new(&options, &driver, &err), CTN_E_INVALID);
    assert_holds(err.message, "2026-07-28");
    servers[1].version = (ctn_str){0};
    servers[1].command = NULL;
    assert_int_equal(ctn_mcp_driver_new(&options, &driver, &err), CTN_E_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    ctn_err err = {0};
    if (ctn_spawner_start(&the_spawner, &err)) {
        (void) fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        TEST(a_modern_server_is_found_out_and_called),
        TEST(a_legacy_server_gets_its_handshake),
        TEST(a_server_that_is_silent_to_the_probe_is_taken_for_legacy),
        TEST(a_pinned_version_is_spoken_or_the_start_fails),
        TEST(a_refused_version_is_tried_again_but_not_for_ever),
        TEST(a_version_that_is_always_refused_makes_the_server_unavailable),
        TEST(many_calls_share_one_process_and_answers_come_in_any_order),
        TEST(progress_reaches_the_sink),
        TEST(a_call_that_shows_no_progress_is_ended),
        TEST(progress_keeps_a_call_alive_until_its_timeout),
        TEST(a_server_sees_only_what_it_needs_of_our_environment),
        TEST(legacy_servers_that_ask_are_answered),
        TEST(a_changed_list_is_fetched_before_the_next_call),
        TEST(a_call_begun_from_an_answer_is_answered_too),
        TEST(arguments_that_break_the_schema_never_leave),
        TEST(results_that_break_the_schema_are_no_success),
        TEST(unknown_tools_and_servers_are_named_with_the_nearest),
        TEST(failures_of_tool_and_protocol_are_told_apart),
        TEST(a_tool_may_say_that_nobody_knows),
        TEST(what_a_call_used_up_is_told),
        TEST(schemas_are_known_by_their_content_once_the_server_runs),
        TEST(effects_come_from_the_operator_then_from_a_trusted_server),
        TEST(ready_lists_the_tools_without_calling_any),
        TEST(ready_tells_why_there_is_no_server),
        TEST(a_command_that_does_not_exist_is_named),
        TEST(a_server_that_dies_at_once_is_given_up_after_a_few_starts),
        TEST(a_server_that_says_nothing_runs_into_its_start_limit),
        TEST(a_server_that_dies_in_a_call_leaves_its_fate_unknown_but_is_dead),
        TEST(half_an_answer_is_none),
        TEST(killed_in_any_phase_it_is_started_again_and_no_call_runs_twice),
        TEST(a_grandchild_that_holds_the_pipes_delays_the_news_a_moment_only),
        TEST(a_server_that_is_killed_takes_all_its_calls_with_it),
        TEST(a_closed_stdout_ends_the_server_and_then_its_calls),
        TEST(garbage_between_messages_is_passed_over_and_counted),
        TEST(endless_garbage_ends_the_conversation),
        TEST(answers_nobody_waits_for_are_dropped),
        TEST(a_line_over_the_limit_loses_its_call_not_the_server),
        TEST(a_line_over_the_limit_loses_no_other_call),
        TEST(a_notice_over_the_limit_is_nobodys_answer),
        TEST(a_list_of_tools_over_the_limit_makes_the_server_unavailable),
        TEST(a_line_without_end_ends_the_server_and_its_calls_with_it),
        TEST(a_flood_on_stderr_does_not_stand_in_the_way),
        TEST(a_call_that_takes_too_long_times_out_and_its_late_answer_is_dropped),
        TEST(a_timed_out_call_can_arrive_until_its_server_is_dead),
        TEST(nothing_is_heard_of_a_cancelled_call),
        TEST(a_server_that_ignores_its_end_is_killed),
        TEST(configurations_that_cannot_work_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ctn_spawner_stop(the_spawner);
    return failed;
}
