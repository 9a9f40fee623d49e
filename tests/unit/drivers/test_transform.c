/*
 * The driver of transforms against real workers: what a program may do to its worker, and what is told of it. Every
 * test ends with the proof that no worker is left.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "drivers/transform/transform.h"
#include "support/cmocka.h"

#define PEER        CATENA_BUILD_DIR "/tests/peer_transform"
#define CALLS_MAX   128
#define PATIENCE_MS 60000

typedef struct answer {
    unsigned count;
    ctn_failure failure;
    bool was_sent;
    ctn_str value, message;
} answer;

typedef struct fixture {
    ctn_loop *loop;
    ctn_transform_driver *driver;
    ctn_driver iface;
    ctn_arena *arena;
    ctn_timer *patience;
    answer answers[CALLS_MAX + 1]; /* by token */
    unsigned begun, answered, awaited;
    unsigned compiled;
    int compiled_code;
    char compiled_why[600];
    bool is_running, is_impatient;
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
    answer *a = &f->answers[token];
    a->count++;
    a->failure = result->failure;
    a->was_sent = result->was_sent;
    a->value = result->value ? ctn_json_to_str(f->arena, result->value) : (ctn_str){0};
    a->message = ctn_arena_str(f->arena, result->message);
    if (++f->answered >= f->awaited)
        stop(f);
}

static void out_of_patience(void *ctx)
{
    fixture *f = ctx;
    f->is_impatient = true;
    ctn_loop_stop(f->loop);
}

static void make_large_driver(fixture *f, const char *program, unsigned workers_max, int64_t idle_ms,
                              unsigned memory_mib)
{
    const char *argv[] = {program, NULL};
    ctn_transform_options options = {.loop = f->loop,
                                     .spawner = the_spawner,
                                     .sink = {.done = on_done, .ctx = f},
                                     .argv = argv,
                                     .workers_max = workers_max,
                                     .memory_mib = memory_mib,
                                     .idle_ms = idle_ms};
    f->driver = ctn_transform_driver_new(&options);
    f->iface = ctn_transform_driver_interface(f->driver);
}

static void make_driver(fixture *f, const char *program, unsigned workers_max, int64_t idle_ms)
{
    make_large_driver(f, program, workers_max, idle_ms, 96);
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = ctn_arena_new(65536);
    f->loop = ctn_loop_new();
    ctn_spawner_attach(the_spawner, f->loop);
    f->patience = ctn_timer_new(f->loop, out_of_patience, f);
    make_driver(f, PEER, 2, 0);
    *state = f;
    return 0;
}

/* Runs the loop until stop, or for the span. */
static void run(fixture *f, int64_t span_ms)
{
    ctn_timer_set(f->patience, ctn_loop_now_ms(f->loop) + span_ms);
    f->is_impatient = false;
    f->is_running = true;
    ctn_loop_run(f->loop);
    f->is_running = false;
    ctn_timer_clear(f->patience);
}

static void await(fixture *f, unsigned answered)
{
    f->awaited = answered;
    if (f->answered < answered)
        run(f, PATIENCE_MS);
    if (f->answered < answered)
        fail_msg("nothing happened for %d ms; %u of %u answered", PATIENCE_MS, f->answered, answered);
}

static bool is_alive(int pid)
{
    return kill(pid, 0) == 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    int pid = ctn_transform_busy_pid(f->driver);
    ctn_transform_driver_free(f->driver);
    ctn_timer_free(f->patience);
    ctn_loop_free(f->loop);
    for (int i = 0; pid && is_alive(pid) && i < 500; i++)
        (void) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_false(pid && is_alive(pid));
    for (size_t i = 0; i <= CALLS_MAX; i++)
        assert_true(f->answers[i].count <= 1);
    ctn_arena_free(f->arena);
    free(f);
    return 0;
}

static unsigned begin_for(fixture *f, const char *program, const char *input, int64_t timeout_ms)
{
    const ctn_json *args = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(f->arena, ctn_str_from(input), NULL, &args, &err))
        fail_msg("%s", err.message);
    ctn_call_request request = {
        .token = ++f->begun, .target = ctn_str_from(program), .args = args, .timeout_ms = timeout_ms};
    f->iface.begin(f->iface.ctx, &request);
    return f->begun;
}

static unsigned begin(fixture *f, const char *program, const char *input)
{
    return begin_for(f, program, input, 30000);
}

static void gives(fixture *f, const char *program, const char *input, const char *value)
{
    const answer *a = &f->answers[begin(f, program, input)];
    await(f, f->begun);
    if (a->failure || !ctn_str_is(a->value, value))
        fail_msg("%s of %s\ngives %.*s (%s %.*s)\nnot %s", program, input, CTN_STR_ARG(a->value),
                 ctn_failure_name(a->failure), CTN_STR_ARG(a->message), value);
}

static void told(fixture *f, unsigned token, ctn_failure failure, const char *fragment)
{
    const answer *a = &f->answers[token];
    if (a->count != 1 || a->failure != failure || ctn_str_find(a->message, ctn_str_from(fragment)) == SIZE_MAX)
        fail_msg("call %u: %u times %s %.*s\nnot %s ...%s...", token, a->count, ctn_failure_name(a->failure),
                 CTN_STR_ARG(a->message), ctn_failure_name(failure), fragment);
}

static void fails(fixture *f, const char *program, const char *input, ctn_failure failure, const char *fragment)
{
    unsigned token = begin(f, program, input);
    await(f, f->begun);
    told(f, token, failure, fragment);
}

/* ---- tests ---- */

static void a_program_makes_one_value_of_its_arguments(void **state)
{
    fixture *f = *state;
    gives(f, "{total: ([.items[].price] | add)}", "{\"items\":[{\"price\":20},{\"price\":22}]}", "{\"total\":42}");
    gives(f, ".name | ascii_upcase", "{\"name\":\"anna\"}", "\"ANNA\"");
    gives(f, "keys", "{\"b\":1,\"a\":2}", "[\"a\",\"b\"]");
    gives(f, "{b, a}", "{\"a\":1,\"b\":{\"x\":[null,true,false]}}", "{\"b\":{\"x\":[null,true,false]},\"a\":1}");
    gives(f, ".", "{\"text\":\"\\u0000 \\\" \\u00e9 \\ud83d\\ude00\"}",
          "{\"text\":\"\\u0000 \\\" \xC3\xA9 \xF0\x9F\x98\x80\"}");
    gives(f, "null", "{}", "null");
    gives(f, "[.a[] | select(test(\"^h\"))]", "{\"a\":[\"hotel\",\"bus\"]}", "[\"hotel\"]"); /* with patterns */
    assert_int_equal(ctn_transform_state_of(f->driver).starts, 1); /* one after the other: one worker */
}

static void a_number_is_never_rounded_unseen(void **state)
{
    fixture *f = *state;
    gives(f, ".n", "{\"n\":9007199254740992}", "9007199254740992");
    gives(f, ".n", "{\"n\":-9007199254740992}", "-9007199254740992");
    fails(f, ".n", "{\"n\":9007199254740993}", CTN_FAILURE_INVALID_INPUT, "the number at .n is over 2^53");
    fails(f, "1", "{\"a\":[0,{\"b\":[-9007199254740993]}]}", CTN_FAILURE_INVALID_INPUT, "at .a[1].b[0] is over");
    fails(f, "1", "{\"a\":1e400}", CTN_FAILURE_INVALID_INPUT, "at .a is over 2^53");
    fails(f, "1", "{\"a\":9007199254740992.5}", CTN_FAILURE_INVALID_INPUT, "at .a is over 2^53");
    fails(f, "1", "{\"a\":1e-400}", CTN_FAILURE_INVALID_INPUT, "at .a is so small");
    gives(f, ".n | tostring", "{\"n\":\"9007199254740993\"}", "\"9007199254740993\"");
}

static void a_fraction_that_is_passed_on_keeps_its_text(void **state)
{
    fixture *f = *state;
    gives(f, ".", "{\"a\":0.1,\"b\":19.90,\"c\":0.3333333333333333333333333333333333,\"d\":-2.50e0}",
          "{\"a\":0.1,\"b\":19.90,\"c\":0.3333333333333333333333333333333333,\"d\":-2.50e0}");
    gives(f, "[.[] | . * 2]", "[0.1, 19.90, 0.5]", "[0.2,39.8,1]");
    gives(f, "[.a + .b, (.l | length)]", "{\"a\":0.1,\"b\":0.2,\"l\":[1.0]}", "[0.30000000000000004,1]");
    gives(f, ".", "[19.90, 19.9]", "[19.9,19.9]"); /* two texts of one double */
    gives(f, ".", "[100.00, 1e3, 0, -0.0]", "[100,1000,0,0]");
    gives(f, "[nan, infinite, 123456789012345678, 1/3]", "{}",
          "[null,1.7976931348623157e+308,123456789012345680,"
          "0.3333333333333333]");
}

static void what_a_program_raises_is_told_at_bounded_length(void **state)
{
    fixture *f = *state;
    fails(f, ".a.b", "{\"a\":[1]}", CTN_FAILURE_TOOL_ERROR, "Cannot index array with");
    fails(f, "error(\"no price for \" + .hotel)", "{\"hotel\":\"Ritz\"}", CTN_FAILURE_TOOL_ERROR, "no price for Ritz");
    fails(f, "error({secret: 1})", "{}", CTN_FAILURE_TOOL_ERROR, "no text but of kind object");
    fails(f, "error(\"x\" + ([range(5000)|\"\\u20ac\"] | add))", "{}", CTN_FAILURE_TOOL_ERROR, "x\xE2\x82\xAC");
    const answer *a = &f->answers[f->begun];
    assert_int_equal(a->message.len, 298); /* whole characters */
    assert_true(ctn_str_is_utf8(a->message));
    fails(f, "1, error(\"late\")", "{}", CTN_FAILURE_TOOL_ERROR, "late");
}

static void a_result_is_exactly_one_value(void **state)
{
    fixture *f = *state;
    fails(f, "empty", "{}", CTN_FAILURE_INVALID_OUTPUT, "no result");
    fails(f, ".[]", "[1,2]", CTN_FAILURE_INVALID_OUTPUT, "more than one result");
    gives(f, ".[]", "[1]", "1");
    gives(f, "[.[]]", "[1,2]", "[1,2]"); /* the worker is none the worse for it */
}

static void a_program_that_does_not_compile_is_told_with_jqs_words(void **state)
{
    fixture *f = *state;
    fails(f, "{", "{}", CTN_FAILURE_PROTOCOL_ERROR, "syntax error, unexpected $end, in line 1 of the program");
    fails(f, ".a\n| nosuch(1)", "{}", CTN_FAILURE_PROTOCOL_ERROR, "nosuch/1 is not defined, in line 2 of the program");
}

static void a_program_without_end_is_ended_at_its_deadline(void **state)
{
    fixture *f = *state;
    int64_t from = ctn_loop_now_ms(f->loop);
    unsigned token = begin_for(f, "def f: f; f", "{}", 400);
    await(f, 1);
    told(f, token, CTN_FAILURE_TIMEOUT, "did not end within 400 ms");
    assert_true(ctn_loop_now_ms(f->loop) - from >= 400);
    gives(f, ".a", "{\"a\":1}", "1");
    assert_int_equal(ctn_transform_state_of(f->driver).starts, 2);
}

static void a_program_shows_no_progress_so_its_idle_time_is_its_time(void **state)
{
    fixture *f = *state;
    ctn_call_request request = {
        .token = ++f->begun, .target = CTN_STR("def f: f; f"), .timeout_ms = 30000, .idle_timeout_ms = 300};
    f->iface.begin(f->iface.ctx, &request);
    await(f, 1);
    told(f, 1, CTN_FAILURE_TIMEOUT, "did not end within 300 ms");
}

static void a_program_that_fills_its_memory_is_ended(void **state)
{
    fixture *f = *state;
    fails(f, "[range(1e9)]", "{}", CTN_FAILURE_LIMIT, "more than 96 MiB");
    fails(f, "def f: 1 + f; f", "{}", CTN_FAILURE_LIMIT, "more than 96 MiB");
    gives(f, ".a", "{\"a\":1}", "1");
}

static void a_result_without_measure_is_a_limit(void **state)
{
    fixture *f = *state;
    ctn_transform_driver_free(f->driver);
    make_large_driver(f, PEER, 1, 0, 0);
    fails(f, "reduce range(40) as $i (1; [., .])", "{}", CTN_FAILURE_LIMIT, "larger than 15 MiB"); /* shared in jq */
    fails(f, "\"x\" * 16000000", "{}", CTN_FAILURE_LIMIT, "larger than 15 MiB");
    fails(f, "[range(950000) | \"\\u0001\"] | add | [., ., .]", "{}", CTN_FAILURE_LIMIT, "larger than 16 MiB");
    fails(f, "reduce range(121) as $i (0; [.])", "{}", CTN_FAILURE_LIMIT, "deeper than 120");
    assert_int_equal(ctn_transform_state_of(f->driver).starts, 1); /* all of that is no reason to end */
    begin(f, "reduce range(120) as $i (0; [.])", "{}");
    await(f, f->begun);
    assert_int_equal(f->answers[f->begun].failure, CTN_FAILURE_NONE);
    fails(f, "reduce range(1000000) as $i (0; [.])", "{}", CTN_FAILURE_LIMIT, "made jq crash");
}

static ctn_str nested(fixture *f, int depth)
{
    ctn_buf text;
    ctn_buf_init(&text, 1000);
    for (int i = 0; i < depth; i++)
        ctn_buf_append_char(&text, '[');
    for (int i = 0; i < depth; i++)
        ctn_buf_append_char(&text, ']');
    ctn_str kept = ctn_arena_str(f->arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}

static void arguments_without_measure_are_refused(void **state)
{
    fixture *f = *state;
    gives(f, "1", nested(f, 120).ptr, "1");
    fails(f, "1", nested(f, 121).ptr, CTN_FAILURE_INVALID_INPUT, "deeper than 120");
    size_t bytes = 17 << 20;
    char *text = malloc(bytes + 3);
    assert_non_null(text);
    memset(text, 'x', bytes);
    text[0] = text[bytes] = '"';
    text[bytes + 1] = '\0';
    fails(f, "1", text, CTN_FAILURE_INVALID_INPUT, "larger than 16 MiB");
    assert_false(f->answers[f->begun].was_sent);
    free(text);
}

static void a_worker_that_is_killed_takes_its_job_alone(void **state)
{
    fixture *f = *state;
    gives(f, ".", "1", "1"); /* a worker is up: the next job is with it at once */
    unsigned token = begin(f, "def f: f; f", "{}");
    run(f, 100);
    int pid = ctn_transform_busy_pid(f->driver);
    assert_true(pid > 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    await(f, 2);
    told(f, token, CTN_FAILURE_TRANSPORT, "ended by signal 9");
    assert_true(f->answers[token].was_sent);
    run(f, 200);
    assert_int_equal(ctn_transform_state_of(f->driver).starts, 1); /* it is not sent again */
    gives(f, ".", "2", "2");
}

static void jobs_wait_in_turn_for_a_worker(void **state)
{
    fixture *f = *state;
    for (unsigned i = 1; i <= 100; i++)
        begin(f, ".n * 2", ctn_arena_printf(f->arena, "{\"n\":%u}", i).ptr);
    ctn_transform_state at_once = ctn_transform_state_of(f->driver);
    assert_int_equal(at_once.workers, 2);
    assert_int_equal(at_once.waiting, 98);
    await(f, 100);
    for (unsigned i = 1; i <= 100; i++)
        assert_true(ctn_str_equal(f->answers[i].value, ctn_arena_printf(f->arena, "%u", 2 * i)));
    assert_int_equal(ctn_transform_state_of(f->driver).starts, 2);
}

static void a_job_that_hangs_holds_up_none_of_the_others(void **state)
{
    fixture *f = *state;
    unsigned hangs = begin_for(f, "def f: f; f", "{}", 1500);
    for (unsigned i = 0; i < 20; i++)
        begin(f, ".", "{}");
    await(f, 20);
    assert_int_equal(f->answers[hangs].count, 0);
    await(f, 21);
    told(f, hangs, CTN_FAILURE_TIMEOUT, "");
}

static void waiting_for_a_worker_spends_no_time(void **state)
{
    fixture *f = *state;
    ctn_transform_driver_free(f->driver);
    make_driver(f, PEER, 1, 0);
    unsigned hangs = begin_for(f, "def f: f; f", "{}", 1500);
    unsigned waits = begin_for(f, ".a", "{\"a\":1}", 1000);
    await(f, 2);
    told(f, hangs, CTN_FAILURE_TIMEOUT, "");
    assert_int_equal(f->answers[waits].failure, CTN_FAILURE_NONE);
}

static void a_cancelled_job_is_heard_of_no_more(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 3; i++)
        begin(f, "def f: f; f", "{}"); /* two are sent, one waits */
    for (unsigned token = 3; token >= 1; token--)
        f->iface.cancel(f->iface.ctx, token);
    f->iface.cancel(f->iface.ctx, 77); /* never heard of */
    assert_int_equal(ctn_transform_state_of(f->driver).waiting, 0);
    begin(f, ".", "5"); /* both workers are on their way out; a new one does this */
    f->answered = 0;
    await(f, 1);
    assert_true(ctn_str_is(f->answers[4].value, "5"));
    for (unsigned token = 1; token <= 3; token++)
        assert_int_equal(f->answers[token].count, 0);
    assert_false(f->iface.may_still_arrive(f->iface.ctx, 1, CTN_STR("")));
}

static void a_worker_that_nobody_needs_ends(void **state)
{
    fixture *f = *state;
    ctn_transform_driver_free(f->driver);
    make_driver(f, PEER, 2, 200);
    gives(f, ".", "1", "1");
    assert_int_equal(ctn_transform_state_of(f->driver).workers, 1);
    for (int i = 0; i < 100 && ctn_transform_state_of(f->driver).workers; i++)
        run(f, 100);
    assert_int_equal(ctn_transform_state_of(f->driver).workers, 0);
    gives(f, ".", "2", "2");
    assert_int_equal(ctn_transform_state_of(f->driver).starts, 2);
}

static void a_worker_that_is_none_is_told(void **state)
{
    fixture *f = *state;
    ctn_transform_driver_free(f->driver);
    make_driver(f, "/no/such/worker", 2, 0);
    fails(f, ".", "1", CTN_FAILURE_UNAVAILABLE, "no worker for transforms could be started");
    assert_false(f->answers[1].was_sent);
    ctn_transform_driver_free(f->driver);
    make_driver(f, "/bin/false", 2, 0);
    fails(f, ".", "1", CTN_FAILURE_TRANSPORT, "ended with exit code 1");
    ctn_transform_driver_free(f->driver);
    make_driver(f, "/bin/echo", 2, 0); /* "96" is no answer */
    fails(f, ".", "1", CTN_FAILURE_TRANSPORT, "");
}

static void on_compiled(void *ctx, int code, const char *why)
{
    fixture *f = ctx;
    f->compiled++;
    f->compiled_code = code;
    (void) snprintf(f->compiled_why, sizeof f->compiled_why, "%s", why);
    stop(f);
}

static void compiles(fixture *f, const char *program, int code, const char *fragment)
{
    unsigned before = f->compiled;
    ctn_transform_compile(f->driver, ctn_str_from(program), on_compiled, f);
    if (f->compiled == before)
        run(f, PATIENCE_MS);
    assert_int_equal(f->compiled, before + 1);
    if (f->compiled_code != code || !strstr(f->compiled_why, fragment))
        fail_msg("%s: %d %s\nnot %d ...%s...", program, f->compiled_code, f->compiled_why, code, fragment);
}

static void a_program_can_be_asked_for_its_faults_alone(void **state)
{
    fixture *f = *state;
    compiles(f, ".a", CTN_OK, "");
    compiles(f, "[", CTN_E_INVALID, "syntax error");
    compiles(f, "nosuch", CTN_E_INVALID, "nosuch/0 is not defined");
    compiles(f, "", CTN_OK, "");
    ctn_transform_driver_free(f->driver);
    make_driver(f, "/no/such/worker", 2, 0);
    compiles(f, ".a", CTN_E_CLOSED, "no worker");
}

/* Whatever the check of core lets through: the worker has nothing that it could tell or touch. */
static void a_worker_has_no_environment_and_no_files(void **state)
{
    fixture *f = *state;
    gives(f, "[env, $ENV] | map(del(.ASAN_OPTIONS, .TSAN_OPTIONS))", "{}", "[{},{}]");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their runtimes open files */
    char folder[] = "/tmp/catena-transform-XXXXXX", file[64], program[100];
    assert_non_null(mkdtemp(folder));
    (void) snprintf(file, sizeof file, "%s/it.jq", folder);
    (void) snprintf(program, sizeof program, "include \"it\" {search: \"%s\"}; f", folder);
    FILE *module = fopen(file, "w");
    assert_non_null(module);
    assert_true(fputs("def f: 1;", module) >= 0 && fclose(module) == 0);
    unsigned token = begin(f, program, "{}");
    await(f, f->begun);
    (void) unlink(file);
    (void) rmdir(folder);
    told(f, token, CTN_FAILURE_PROTOCOL_ERROR, "Could not open");
#endif
}

int main(void)
{
    ctn_err err = {0};
    if (ctn_spawner_start(&the_spawner, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    (void) signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_program_makes_one_value_of_its_arguments),
        TEST(a_number_is_never_rounded_unseen),
        TEST(a_fraction_that_is_passed_on_keeps_its_text),
        TEST(what_a_program_raises_is_told_at_bounded_length),
        TEST(a_result_is_exactly_one_value),
        TEST(a_program_that_does_not_compile_is_told_with_jqs_words),
        TEST(a_program_without_end_is_ended_at_its_deadline),
        TEST(a_program_shows_no_progress_so_its_idle_time_is_its_time),
        TEST(a_program_that_fills_its_memory_is_ended),
        TEST(a_result_without_measure_is_a_limit),
        TEST(arguments_without_measure_are_refused),
        TEST(a_worker_that_is_killed_takes_its_job_alone),
        TEST(jobs_wait_in_turn_for_a_worker),
        TEST(a_job_that_hangs_holds_up_none_of_the_others),
        TEST(waiting_for_a_worker_spends_no_time),
        TEST(a_cancelled_job_is_heard_of_no_more),
        TEST(a_worker_that_nobody_needs_ends),
        TEST(a_worker_that_is_none_is_told),
        TEST(a_program_can_be_asked_for_its_faults_alone),
        TEST(a_worker_has_no_environment_and_no_files),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ctn_spawner_stop(the_spawner);
    return failed;
}
