/*
 * Many instances of one server: calls go to the least busy one, one that dies or is not there costs nothing but what it
 * had, and comes back; what belongs to an instance stays with it. Processes of peer_mcp, and servers over HTTP.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "drivers/mcp/mcp.h"
#include "web.h"
#include "support/cmocka.h"

#define PEER        CATENA_BUILD_DIR "/tests/peer_mcp"
#define CALLS_MAX   40
#define PATIENCE_MS 15000

typedef struct fixture {
    web webs[2];
    int web_count;
    ctn_spawner *spawner;
    ctn_loop *loop;
    ctn_http *http;
    ctn_mcp_driver *driver;
    ctn_driver iface;
    ctn_arena *arena;
    ctn_timer *patience;
    ctn_call_result answers[CALLS_MAX]; /* value and message copied */
    int counts[CALLS_MAX];
    int answered, awaited;
    FILE *warned;
    ctn_log log;
    char shape[40];
    bool is_running, is_impatient, is_ready, has_ended;
    int ready_code;
} fixture;

static ctn_spawner *the_spawner; /* forked once, before anything else */

static void stop(fixture *f)
{
    if (f->is_running)
        ctn_loop_stop(f->loop);
}

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    fixture *f = ctx;
    f->counts[token]++;
    f->answers[token] = *result;
    f->answers[token].value = result->value ? ctn_json_copy(f->arena, result->value) : NULL;
    f->answers[token].continuation = result->continuation ? ctn_json_copy(f->arena, result->continuation) : NULL;
    f->answers[token].message = ctn_arena_str(f->arena, result->message);
    if (++f->answered >= f->awaited)
        stop(f);
}

static void out_of_patience(void *ctx)
{
    fixture *f = ctx;
    f->is_impatient = true;
    ctn_loop_stop(f->loop);
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

static void run_for(fixture *f, int64_t ms)
{
    ctn_timer_set(f->patience, ctn_loop_now_ms(f->loop) + ms);
    ctn_loop_run(f->loop);
    f->is_impatient = false;
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = ctn_arena_new(65536);
    f->warned = tmpfile();
    assert_non_null(f->warned);
    *state = f;
    return 0;
}

static void configure(fixture *f, ctn_mcp_server_config config)
{
    config.name = CTN_STR("s");
    f->loop = ctn_loop_new();
    f->http = ctn_http_new(&(ctn_http_options){.loop = f->loop});
    ctn_spawner_attach(the_spawner, f->loop);
    f->patience = ctn_timer_new(f->loop, out_of_patience, f);
    f->log = (ctn_log){.fd = fileno(f->warned), .level_min = CTN_LOG_WARN, .clock = ctn_clock_system()};
    ctn_mcp_driver_options options = {
        .loop = f->loop,
        .spawner = the_spawner,
        .http = f->http,
        .sink = {.done = on_done, .ctx = f},
        .log = &f->log,
        .servers = &config,
        .server_count = 1,
        .discover_silence_ms = 300,
        .end_grace_ms = 300,
    };
    ctn_err err = {0};
    if (ctn_mcp_driver_new(&options, &f->driver, &err))
        fail_msg("%s", err.message);
    f->iface = ctn_mcp_driver_interface(f->driver);
}

#define PROCESSES(f, count, ...) processes((f), (count), (const char *const[]){"modern", __VA_ARGS__, NULL})
static void processes(fixture *f, size_t count, const char *const *args)
{
    configure(f, (ctn_mcp_server_config){.command = PEER, .args = args, .instances = count});
}

/* second: instead of the second server's URL; NULL: that one. */
static void addresses(fixture *f, bool (*serve)(web *w, http_asked *asked, const web_asked *what), const char *second)
{
    f->web_count = second ? 1 : 2;
    for (int i = 0; i < f->web_count; i++)
        web_start(&f->webs[i], WEB_MODERN, serve);
    const char *more[] = {second ? second : f->webs[1].url, NULL};
    configure(f, (ctn_mcp_server_config){.url = f->webs[0].url, .more_urls = more});
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
    ctn_mcp_driver_shutdown(f->driver, on_shut_down, f);
    if (!f->has_ended)
        run(f);
    ctn_mcp_driver_free(f->driver);
    run_for(f, 30);
    ctn_http_free(f->http);
    ctn_timer_free(f->patience);
    ctn_loop_free(f->loop);
    for (int i = 0; i < f->web_count; i++)
        web_stop(&f->webs[i]);
    if (f->shape[0])
        (void) unlink(f->shape);
    (void) fclose(f->warned);
    ctn_arena_free(f->arena);
    free(f);
    return 0;
}

/* ---- asking ---- */

static void begin_with(fixture *f, uint64_t token, const char *target, const char *args, const char *continuation)
{
    const ctn_json *value = NULL, *from = NULL;
    assert_int_equal(ctn_json_parse(f->arena, ctn_str_from(args), NULL, &value, NULL), CTN_OK);
    if (continuation)
        assert_int_equal(ctn_json_parse(f->arena, ctn_str_from(continuation), NULL, &from, NULL), CTN_OK);
    ctn_call_request request = {.token = token,
                                .target = ctn_str_from(target),
                                .args = value,
                                .continuation = from,
                                .timeout_ms = 10000,
                                .deadline_ms = ctn_loop_now_ms(f->loop) + 10000};
    f->iface.begin(f->iface.ctx, &request);
}

static void begin(fixture *f, uint64_t token, const char *target, const char *args)
{
    begin_with(f, token, target, args, NULL);
}

static void await(fixture *f, int count)
{
    f->awaited = count;
    if (f->answered < count)
        run(f);
}

static void echo(fixture *f, uint64_t token)
{
    begin(f, token, "s/echo", "{\"a\":1}");
    while (!f->counts[token])
        await(f, f->answered + 1);
    if (f->answers[token].failure)
        fail_msg("%.*s", CTN_STR_ARG(f->answers[token].message));
    assert_int_equal(f->counts[token], 1);
}

static void on_ready(void *ctx, int code, const char *why)
{
    fixture *f = ctx;
    (void) why;
    f->ready_code = code;
    f->is_ready = true;
    stop(f);
}

static void all_up(fixture *f)
{
    f->is_ready = false;
    ctn_mcp_ready_all(f->driver, CTN_STR("s"), on_ready, f);
    if (!f->is_ready)
        run(f);
    assert_int_equal(f->ready_code, CTN_OK);
}

static ctn_mcp_instance_state instance(const fixture *f, size_t i)
{
    ctn_mcp_instance_state s = {0};
    assert_true(ctn_mcp_instance(f->driver, CTN_STR("s"), i, &s));
    return s;
}

static void assert_warned(fixture *f, const char *part, bool is_wanted)
{
    char text[4096];
    (void) fseek(f->warned, 0, SEEK_SET);
    size_t len = fread(text, 1, sizeof text - 1, f->warned);
    text[len] = '\0';
    if ((strstr(text, part) != NULL) != is_wanted)
        fail_msg("warned: %s", text);
}

/* ---- processes ---- */

static void calls_go_to_the_least_busy(void **state)
{
    fixture *f = *state;
    PROCESSES(f, 3, "--mark", "x");
    all_up(f);
    for (uint64_t token = 1; token <= 9; token++)
        begin(f, token, "s/sleep_ms", "{\"ms\":150}");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(instance(f, i).calls, 3);
    await(f, 9);
    for (int token = 1; token <= 9; token++)
        assert_int_equal(f->answers[token].failure, CTN_FAILURE_NONE);
    assert_false(ctn_mcp_instance(f->driver, CTN_STR("s"), 3, &(ctn_mcp_instance_state){0}));
}

static void more_are_begun_only_while_all_are_busy(void **state)
{
    fixture *f = *state;
    PROCESSES(f, 2, "--mark", "x");
    for (uint64_t token = 1; token <= 3; token++)
        echo(f, token);
    assert_int_not_equal(instance(f, 0).pid, 0);
    assert_int_equal(instance(f, 1).pid, 0);
    begin(f, 4, "s/sleep_ms", "{\"ms\":700}");
    begin(f, 5, "s/sleep_ms", "{\"ms\":1}"); /* by the one that is up: nobody waits for the other to start */
    await(f, 4);
    assert_int_equal(f->counts[5], 1);
    for (int i = 0; i < 100 && strcmp(instance(f, 1).state, "up") != 0; i++)
        run_for(f, 20);
    assert_string_equal(instance(f, 1).state, "up");
    begin(f, 6, "s/sleep_ms", "{\"ms\":1}");
    assert_int_equal(instance(f, 1).calls, 1);
    await(f, 6);
}

static void one_that_dies_loses_its_own_calls_alone(void **state)
{
    fixture *f = *state;
    PROCESSES(f, 2, "--mark", "x");
    all_up(f);
    begin(f, 1, "s/sleep_ms", "{\"ms\":600}");
    begin(f, 2, "s/sleep_ms", "{\"ms\":600}");
    assert_int_equal(instance(f, 0).calls, 1);
    assert_int_equal(instance(f, 1).calls, 1);
    int survivor = instance(f, 1).pid;
    assert_int_equal(kill(instance(f, 0).pid, SIGKILL), 0);
    await(f, 1);
    assert_int_equal(f->counts[1], 1);
    assert_int_equal(f->answers[1].failure, CTN_FAILURE_TRANSPORT);
    assert_true(f->answers[1].was_sent && f->answers[1].peer_is_dead);
    assert_false(f->iface.may_still_arrive(f->iface.ctx, 1, CTN_STR("s/sleep_ms")));
    assert_true(f->iface.may_still_arrive(f->iface.ctx, 2, CTN_STR("s/sleep_ms")));
    echo(f, 3); /* the other one takes it at once */
    await(f, 3);
    assert_int_equal(f->answers[2].failure, CTN_FAILURE_NONE);
    assert_int_equal(instance(f, 1).pid, survivor);
}

static void when_none_can_be_had_the_call_is_told_so_once(void **state)
{
    fixture *f = *state;
    PROCESSES(f, 3, "dies-at-once");
    begin(f, 1, "s/echo", "{}");
    await(f, 1);
    assert_int_equal(f->counts[1], 1);
    assert_int_equal(f->answers[1].failure, CTN_FAILURE_UNAVAILABLE);
    assert_false(f->answers[1].was_sent);
}

static void lists_that_differ_are_warned_of(void **state)
{
    fixture *f = *state;
    (void) snprintf(f->shape, sizeof f->shape, "/tmp/catena-shape-%d", (int) getpid());
    PROCESSES(f, 2, "--shape", f->shape);
    echo(f, 1);
    assert_warned(f, "different tools", false);
    FILE *shape = fopen(f->shape, "we");
    assert_non_null(shape);
    assert_true(fputs("gone\n", shape) >= 0 && fclose(shape) == 0);
    all_up(f);
    assert_warned(f, "list different tools", true);
    size_t first = 0, second = 0;
    (void) ctn_mcp_tools_of(f->driver, CTN_STR("s"), 0, &first);
    (void) ctn_mcp_tools_of(f->driver, CTN_STR("s"), 1, &second);
    assert_int_equal(first, second + 1);
}

static void what_an_instance_has_goes_on_there(void **state)
{
    fixture *f = *state;
    PROCESSES(f, 2, "--mark", "x");
    all_up(f);
    for (uint64_t token = 1; token <= 3; token++) {
        begin_with(f, token, "s/peer_state", "{}", "{\"instance\":\"2\"}");
        await(f, (int) token);
        assert_int_equal(ctn_json_int_or(f->answers[token].value, "pid", 0), instance(f, 1).pid);
    }
    begin_with(f, 4, "s/peer_state", "{}", "{\"instance\":\"7\"}");
    assert_int_equal(f->counts[4], 1);
    assert_int_equal(f->answers[4].failure, CTN_FAILURE_TRANSPORT);
    assert_true(f->answers[4].was_sent); /* nobody knows what it did there */
}

/* The one that asked is the one that is answered. */
static void who_asked_in_the_middle_of_a_call_gets_the_answer(void **state)
{
    fixture *f = *state;
    PROCESSES(f, 2, "input-required");
    all_up(f);
    for (uint64_t token = 1; token <= 4; token++) {
        begin(f, token, "s/echo", "{}");
        size_t by = instance(f, 0).calls ? 0 : 1;
        await(f, (int) (2 * token - 1));
        assert_non_null(f->answers[token].continuation);
        ctn_str mark = ctn_json_str_or(f->answers[token].continuation, "instance", (ctn_str){0});
        assert_true(ctn_str_is(mark, by == 0 ? "1" : "2"));
        begin_with(f, token + 10, "s/echo", "{}", ctn_json_to_str(f->arena, f->answers[token].continuation).ptr);
        assert_int_equal(instance(f, by).calls, 1);
        await(f, (int) (2 * token));
    }
}

/* ---- addresses ---- */

static bool slow(web *w, http_asked *asked, const web_asked *what)
{
    (void) asked;
    if (strcmp(what->method, "tools/call") == 0)
        http_pause(w->peer, 150);
    return false;
}

static void two_addresses_share_the_calls(void **state)
{
    fixture *f = *state;
    addresses(f, slow, NULL);
    all_up(f);
    for (uint64_t token = 1; token <= 6; token++)
        begin(f, token, "s/echo", "{}");
    await(f, 6);
    assert_int_equal(web_count(&f->webs[0], "tools/call"), 3);
    assert_int_equal(web_count(&f->webs[1], "tools/call"), 3);
}

static void an_address_where_nobody_listens_costs_nothing(void **state)
{
    fixture *f = *state;
    addresses(f, NULL, "http://127.0.0.1:1/mcp");
    all_up(f);
    for (uint64_t token = 1; token <= 20; token++)
        begin(f, token, "s/echo", "{}");
    await(f, 20);
    for (int token = 1; token <= 20; token++)
        assert_int_equal(f->answers[token].failure, CTN_FAILURE_NONE);
    assert_string_equal(instance(f, 1).state, "left out");
    assert_non_null(strstr(instance(f, 1).why, "127.0.0.1:1"));
}

/* It was up, and its machine is gone: nothing could be sent, so the calls go to the other one. */
static void an_address_that_goes_away_costs_nothing(void **state)
{
    fixture *f = *state;
    addresses(f, NULL, NULL);
    all_up(f);
    web_stop(&f->webs[1]);
    f->web_count = 1;
    for (uint64_t token = 1; token <= 10; token++)
        echo(f, token);
    assert_int_equal(web_count(&f->webs[0], "tools/call"), 10);
    assert_warned(f, "is left out", true);
}

/* Answers no call, until step says so. */
static bool broken(web *w, http_asked *asked, const web_asked *what)
{
    bool is_broken = w->step == 1 && strcmp(what->method, "tools/call") == 0; /* its lock is held here */
    if (is_broken)
        http_reset(asked);
    return is_broken;
}

static void set_step(web *w, int step)
{
    pthread_mutex_lock(&w->lock);
    w->step = step;
    pthread_mutex_unlock(&w->lock);
}

static void one_that_loses_calls_is_left_out_until_one_gets_through(void **state)
{
    fixture *f = *state;
    addresses(f, broken, NULL);
    all_up(f);
    set_step(&f->webs[0], 1);
    uint64_t token = 1;
    int lost = 0;
    for (; token <= 12; token++) {
        begin(f, token, "s/echo", "{}");
        await(f, (int) token);
        lost += f->answers[token].failure == CTN_FAILURE_TRANSPORT;
    }
    assert_int_equal(lost, 3); /* what was sent is told, never repeated */
    assert_string_equal(instance(f, 0).state, "left out");
    size_t asked = web_count(&f->webs[0], "tools/call");
    run_for(f, 1100);
    begin(f, token, "s/echo", "{}"); /* the probe, or beside it */
    begin(f, token + 1, "s/echo", "{}");
    begin(f, token + 2, "s/echo", "{}");
    await(f, (int) token + 2);
    assert_int_equal(web_count(&f->webs[0], "tools/call"), asked + 1); /* one, no more */
    assert_string_equal(instance(f, 0).state, "left out");
    set_step(&f->webs[0], 0);
    run_for(f, 2100); /* twice as long */
    for (token += 3; token <= 20; token++)
        echo(f, token);
    assert_string_equal(instance(f, 0).state, "up");
    assert_warned(f, "an instance of a server is back", true);
}

int main(void)
{
    ctn_err err = {0};
    if (ctn_spawner_start(&the_spawner, &err)) {
        (void) fprintf(stderr, "%s\n", err.message);
        return 1;
    }
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(calls_go_to_the_least_busy),
        T(more_are_begun_only_while_all_are_busy),
        T(one_that_dies_loses_its_own_calls_alone),
        T(when_none_can_be_had_the_call_is_told_so_once),
        T(lists_that_differ_are_warned_of),
        T(what_an_instance_has_goes_on_there),
        T(who_asked_in_the_middle_of_a_call_gets_the_answer),
        T(two_addresses_share_the_calls),
        T(an_address_where_nobody_listens_costs_nothing),
        T(an_address_that_goes_away_costs_nothing),
        T(one_that_loses_calls_is_left_out_until_one_gets_through),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ctn_spawner_stop(the_spawner);
    return failed;
}
