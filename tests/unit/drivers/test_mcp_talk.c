/*
 * The driver and calls that are not over with their first answer, against peer_talk, a real child process: tools that
 * ask, and tasks.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "drivers/mcp/mcp.h"
#include "support/cmocka.h"

#define PEER        CATENA_BUILD_DIR "/tests/peer_talk"
#define CALLS_MAX   16
#define PATIENCE_MS 20000

typedef struct fixture {
    ctn_spawner *spawner;
    ctn_loop *loop;
    ctn_mcp_driver *driver;
    ctn_driver iface;
    ctn_arena *arena;
    ctn_timer *patience;
    char log[64];
    ctn_call_result ends[CALLS_MAX]; /* copied */
    bool has_ended[CALLS_MAX];
    const ctn_json *accepted[CALLS_MAX]; /* the last */
    int accepted_count[CALLS_MAX];
    int told; /* progress */
    uint64_t awaited;
    int awaits_accepted; /* so often */
    bool is_running, is_shut_down, is_impatient;
} fixture;

static ctn_spawner *the_spawner;

static void stop(fixture *f)
{
    if (f->is_running)
        ctn_loop_stop(f->loop);
}

static void on_done(void *ctx, uint64_t token, const ctn_call_result *r)
{
    fixture *f = ctx;
    assert_true(token < CALLS_MAX && !f->has_ended[token]);
    f->has_ended[token] = true;
    f->ends[token] = *r;
    f->ends[token].value = r->value ? ctn_json_copy(f->arena, r->value) : NULL;
    f->ends[token].asks = r->asks ? ctn_json_copy(f->arena, r->asks) : NULL;
    f->ends[token].continuation = r->continuation ? ctn_json_copy(f->arena, r->continuation) : NULL;
    f->ends[token].message = ctn_arena_str(f->arena, r->message);
    if (token == f->awaited)
        stop(f);
}

static void on_accepted(void *ctx, uint64_t token, const ctn_json *continuation)
{
    fixture *f = ctx;
    f->accepted[token] = ctn_json_copy(f->arena, continuation);
    if (++f->accepted_count[token] == f->awaits_accepted)
        stop(f);
}

static void on_progress(void *ctx, uint64_t token, double progress, double total, ctn_str message)
{
    fixture *f = ctx;
    (void) token, (void) progress;
    assert_true(total < 0 && message.len);
    f->told++;
}

static void out_of_patience(void *ctx)
{
    fixture *f = ctx;
    f->is_impatient = true;
    ctn_loop_stop(f->loop);
}

static void run_for(fixture *f, int64_t ms)
{
    ctn_timer_set(f->patience, ctn_loop_now_ms(f->loop) + ms);
    f->is_impatient = false;
    f->is_running = true;
    ctn_loop_run(f->loop);
    f->is_running = false;
    ctn_timer_clear(f->patience);
}

static void configure(fixture *f, const char *mode)
{
    const char *args[] = {"--log", f->log, mode, NULL};
    ctn_mcp_server_config config = {.name = CTN_STR("talk"), .command = PEER, .args = args};
    ctn_mcp_driver_options options = {
        .loop = f->loop,
        .spawner = f->spawner,
        .sink = {.done = on_done, .accepted = on_accepted, .progress = on_progress, .ctx = f},
        .servers = &config,
        .server_count = 1,
        .discover_silence_ms = 300,
        .end_grace_ms = 300};
    ctn_err err = {0};
    if (ctn_mcp_driver_new(&options, &f->driver, &err))
        fail_msg("%s", err.message);
    f->iface = ctn_mcp_driver_interface(f->driver);
}

static void on_shut_down(void *ctx)
{
    fixture *f = ctx;
    f->is_shut_down = true;
    stop(f);
}

static void shut_down(fixture *f)
{
    if (!f->driver)
        return;
    f->is_shut_down = false;
    ctn_mcp_driver_shutdown(f->driver, on_shut_down, f);
    if (!f->is_shut_down)
        run_for(f, PATIENCE_MS);
    assert_true(f->is_shut_down);
    ctn_mcp_driver_free(f->driver);
    f->driver = NULL;
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->spawner = the_spawner;
    f->arena = ctn_arena_new(65536);
    f->loop = ctn_loop_new();
    ctn_spawner_attach(f->spawner, f->loop);
    f->patience = ctn_timer_new(f->loop, out_of_patience, f);
    snprintf(f->log, sizeof f->log, "/tmp/catena-talk-%d-XXXXXX", (int) getpid());
    int fd = mkstemp(f->log);
    assert_true(fd >= 0);
    (void) close(fd);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    shut_down(f);
    (void) unlink(f->log);
    ctn_timer_free(f->patience);
    ctn_loop_free(f->loop);
    ctn_arena_free(f->arena);
    free(f);
    return 0;
}

static const ctn_json *json(fixture *f, const char *text)
{
    const ctn_json *value = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(f->arena, ctn_str_from(text), NULL, &value, &err))
        fail_msg("%s: %s", err.message, text);
    return value;
}

typedef struct going_on {
    const ctn_json *continuation;
    const char *answers;
    int64_t timeout_ms, idle_timeout_ms;
} going_on;

static void begin(fixture *f, uint64_t token, const char *target, going_on more)
{
    ctn_call_request request = {.token = token,
                                .target = ctn_str_from(target),
                                .args = json(f, "{\"a\":1}"),
                                .idempotency_key = CTN_STR("key"),
                                .timeout_ms = more.timeout_ms ? more.timeout_ms : 10000,
                                .idle_timeout_ms = more.idle_timeout_ms,
                                .continuation = more.continuation,
                                .answers = more.answers ? json(f, more.answers) : NULL};
    f->iface.begin(f->iface.ctx, &request);
}

static const ctn_call_result *end_of(fixture *f, uint64_t token)
{
    f->awaited = token;
    if (!f->has_ended[token])
        run_for(f, PATIENCE_MS);
    if (!f->has_ended[token])
        fail_msg("call %d has not ended", (int) token);
    return &f->ends[token];
}

static void until_accepted(fixture *f, uint64_t token, int times)
{
    f->awaits_accepted = times;
    if (f->accepted_count[token] < times)
        run_for(f, PATIENCE_MS);
    f->awaits_accepted = 0;
    assert_int_equal(f->accepted_count[token], times);
}

static void assert_json(fixture *f, const ctn_json *v, const char *expected)
{
    if (!v || !ctn_json_equal(v, json(f, expected)))
        fail_msg("got %s, want %s", v ? ctn_json_to_str(f->arena, v).ptr : "nothing", expected);
}

static void assert_failure(const ctn_call_result *r, ctn_failure failure, const char *part)
{
    if (r->failure != failure || !r->was_sent || ctn_str_find(r->message, ctn_str_from(part)) == SIZE_MAX)
        fail_msg("%s (want %s), was_sent %d, \"%.*s\" (want \"%s\")", ctn_failure_name(r->failure),
                 ctn_failure_name(failure), r->was_sent, CTN_STR_ARG(r->message), part);
}

/* Lines of the log that begin with that, behind the time; *ret_least_ms: the least time between two of them. */
static int logged(fixture *f, const char *what, long long *ret_least_ms)
{
    FILE *file = fopen(f->log, "re");
    assert_non_null(file);
    char line[1024];
    int count = 0;
    long long before = 0;
    while (fgets(line, sizeof line, file)) {
        char *text = NULL;
        long long at = strtoll(line, &text, 10);
        if (strncmp(text + 1, what, strlen(what)) != 0)
            continue;
        if (count++ && ret_least_ms && at - before < *ret_least_ms)
            *ret_least_ms = at - before;
        before = at;
    }
    (void) fclose(file);
    return count;
}

/* ---- tools that ask ---- */

static void a_tool_that_asks_is_answered_with_its_own_state(void **state)
{
    fixture *f = *state;
    configure(f, NULL);
    begin(f, 1, "talk/ask", (going_on){0});
    const ctn_call_result *r = end_of(f, 1);
    assert_int_equal(r->failure, CTN_FAILURE_NONE);
    assert_json(f, r->asks,
                "{\"who\":{\"message\":\"Name?\",\"schema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"
                "\"string\"}},\"required\":[\"name\"]}}}");
    begin(f, 2, "talk/ask",
          (going_on){.continuation = r->continuation,
                     .answers = "{\"who\":{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}}"});
    r = end_of(f, 2);
    assert_json(f, r->asks, "{\"pay\":{\"message\":\"Pay\",\"url\":\"https://pay.example/1\"}}");
    begin(f, 3, "talk/ask",
          (going_on){.continuation = r->continuation, .answers = "{\"pay\":{\"action\":\"accept\"}}"});
    assert_json(f, end_of(f, 3)->value, "{\"done\":true}");
    assert_int_equal(logged(f, "tools/call ask {\"who\":{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}}", NULL),
                     1);
    assert_int_equal(logged(f, "tools/call ask {\"pay\":{\"action\":\"accept\"}}", NULL), 1);
}

static void a_tool_that_wants_to_be_asked_again_asks_nothing(void **state)
{
    fixture *f = *state;
    configure(f, NULL);
    begin(f, 1, "talk/again", (going_on){0});
    const ctn_call_result *r = end_of(f, 1);
    assert_json(f, r->asks, "{}");
    begin(f, 2, "talk/again", (going_on){.continuation = r->continuation});
    assert_json(f, end_of(f, 2)->value, "{\"done\":true}");
}

static void what_was_not_offered_is_refused(void **state)
{
    fixture *f = *state;
    configure(f, NULL);
    begin(f, 1, "talk/model", (going_on){0});
    assert_failure(end_of(f, 1), CTN_FAILURE_PROTOCOL_ERROR, "did not offer");
}

/* ---- tasks ---- */

static void a_task_is_asked_for_no_faster_than_it_wishes(void **state)
{
    fixture *f = *state;
    configure(f, NULL);
    begin(f, 1, "talk/work", (going_on){.timeout_ms = 50}); /* which stands still */
    assert_json(f, end_of(f, 1)->value, "{\"answer\":42}");
    assert_json(f, f->accepted[1], "{\"task\":\"work-0\"}");
    long long least_ms = 10000;
    assert_int_equal(logged(f, "tasks/get work-0", &least_ms), 3);
    assert_true(least_ms >= 55);
    assert_int_equal(logged(f, "tools/call", NULL), 1);
    assert_true(f->told >= 3);
}

static void every_way_a_task_ends_is_kept_apart(void **state)
{
    fixture *f = *state;
    configure(f, NULL);
    begin(f, 1, "talk/fails", (going_on){0});
    begin(f, 2, "talk/says", (going_on){0});
    begin(f, 3, "talk/ends", (going_on){0});
    begin(f, 4, "talk/gone", (going_on){0});
    begin(f, 5, "talk/large", (going_on){0});
    assert_failure(end_of(f, 1), CTN_FAILURE_PROTOCOL_ERROR, "it broke");
    assert_failure(end_of(f, 2), CTN_FAILURE_TOOL_ERROR, "no");
    assert_failure(end_of(f, 3), CTN_FAILURE_TOOL_ERROR, "cancelled by the server");
    assert_failure(end_of(f, 4), CTN_FAILURE_TRANSPORT, "does not know the task any more");
    assert_failure(end_of(f, 5), CTN_FAILURE_INVALID_OUTPUT, "n");
}

static void a_question_that_fails_is_asked_again(void **state)
{
    fixture *f = *state;
    configure(f, NULL);
    begin(f, 1, "talk/flaky", (going_on){0});
    assert_json(f, end_of(f, 1)->value, "{\"answer\":42}");
}

static void a_task_that_asks_is_answered_once(void **state)
{
    fixture *f = *state;
    configure(f, NULL);
    begin(f, 1, "talk/asks", (going_on){0});
    const ctn_call_result *r = end_of(f, 1);
    assert_non_null(ctn_json_member_of(r->asks, "who"));
    assert_json(f, r->continuation, "{\"task\":\"asks-0\",\"answered\":[\"who\"]}");
    begin(f, 2, "talk/asks",
          (going_on){.continuation = r->continuation,
                     .answers = "{\"who\":{\"action\":\"accept\",\"content\":{\"name\":\"Ada\"}}}"});
    until_accepted(f, 2, 1);
    assert_json(f, f->accepted[2], "{\"task\":\"asks-0\",\"answered\":[\"who\"]}");
    assert_json(f, end_of(f, 2)->value, "{\"answer\":42}");
    assert_int_equal(logged(f, "tasks/update asks-0 {\"who\":", NULL), 1);
}

static void a_task_without_a_sign_of_progress_is_given_up_and_cancelled(void **state)
{
    fixture *f = *state;
    configure(f, NULL);
    begin(f, 1, "talk/stuck", (going_on){.idle_timeout_ms = 300});
    assert_failure(end_of(f, 1), CTN_FAILURE_TIMEOUT, "no sign of progress");
    run_for(f, 100);
    assert_int_equal(logged(f, "tasks/cancel stuck-0", NULL), 1);
}

static void cancelling_and_abandoning_tell_the_server(void **state)
{
    fixture *f = *state;
    configure(f, NULL);
    begin(f, 1, "talk/stuck", (going_on){0});
    until_accepted(f, 1, 1);
    f->iface.cancel(f->iface.ctx, 1);
    run_for(f, 150);
    assert_int_equal(logged(f, "tasks/cancel stuck-0", NULL), 1);
    begin(f, 2, "talk/asks", (going_on){0});
    f->iface.abandon(f->iface.ctx, CTN_STR("talk/asks"), end_of(f, 2)->continuation);
    run_for(f, 100);
    assert_int_equal(logged(f, "tasks/cancel asks-1", NULL), 1);
    f->iface.abandon(f->iface.ctx, CTN_STR("talk/ask"), json(f, "{\"state\":\"st\"}"));
    run_for(f, 50);
    assert_int_equal(logged(f, "tasks/cancel", NULL), 2);
    assert_false(f->has_ended[1]);
}

/* Another life of ours goes on with it, and then it must still be there. */
static void a_task_that_is_forgotten_is_not_cancelled_and_goes_on_later(void **state)
{
    fixture *f = *state;
    configure(f, "--durable");
    begin(f, 1, "talk/work", (going_on){0});
    until_accepted(f, 1, 1);
    f->iface.forget(f->iface.ctx, 1);
    shut_down(f);
    assert_int_equal(logged(f, "tasks/cancel", NULL), 0);
    configure(f, "--durable");
    begin(f, 2, "talk/work", (going_on){.continuation = f->accepted[1]});
    assert_json(f, end_of(f, 2)->value, "{\"answer\":42}");
    assert_int_equal(logged(f, "tools/call", NULL), 1);
}

/* The server dies between two questions, and the next one does not know it: nobody knows what became of it. */
static void a_server_that_forgot_a_task_leaves_its_fate_unknown(void **state)
{
    fixture *f = *state;
    configure(f, NULL);
    begin(f, 1, "talk/stuck", (going_on){0});
    until_accepted(f, 1, 1);
    ctn_mcp_server_state s;
    assert_true(ctn_mcp_server_state_of(f->driver, CTN_STR("talk"), &s));
    (void) kill(s.pid, SIGKILL);
    assert_failure(end_of(f, 1), CTN_FAILURE_TRANSPORT, "does not know the task any more");
    assert_false(f->ends[1].peer_is_dead);
}

static void a_tool_of_2025_that_demands_a_task_gets_one(void **state)
{
    fixture *f = *state;
    configure(f, "--legacy");
    begin(f, 1, "talk/work", (going_on){0});
    assert_json(f, end_of(f, 1)->value, "{\"answer\":42}");
    assert_json(f, f->accepted[1], "{\"task\":\"work-0\",\"legacy\":true}");
    assert_int_equal(logged(f, "tasks/result work-0", NULL), 1);
    begin(f, 2, "talk/asks", (going_on){0});
    assert_failure(end_of(f, 2), CTN_FAILURE_PROTOCOL_ERROR, "did not offer");
    run_for(f, 100);
    assert_int_equal(logged(f, "tasks/cancel asks-1", NULL), 1);
}

int main(void)
{
    ctn_err err = {0};
    if (ctn_spawner_start(&the_spawner, &err))
        return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_tool_that_asks_is_answered_with_its_own_state),
        TEST(a_tool_that_wants_to_be_asked_again_asks_nothing),
        TEST(what_was_not_offered_is_refused),
        TEST(a_task_is_asked_for_no_faster_than_it_wishes),
        TEST(every_way_a_task_ends_is_kept_apart),
        TEST(a_question_that_fails_is_asked_again),
        TEST(a_task_that_asks_is_answered_once),
        TEST(a_task_without_a_sign_of_progress_is_given_up_and_cancelled),
        TEST(cancelling_and_abandoning_tell_the_server),
        TEST(a_task_that_is_forgotten_is_not_cancelled_and_goes_on_later),
        TEST(a_server_that_forgot_a_task_leaves_its_fate_unknown),
        TEST(a_tool_of_2025_that_demands_a_task_gets_one),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ctn_spawner_stop(the_spawner);
    return failed;
}
