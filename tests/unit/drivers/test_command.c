/*
 * The driver of commands against real programs: what they are given, what they may not do, and how they are ended
 * whatever they do. Every test ends with the proof that none is left.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "drivers/command/command.h"
#include "support/cmocka.h"

#define PEER        CATENA_BUILD_DIR "/tests/peer_socket"
#define CALLS_MAX   16
#define PATIENCE_MS 30000

typedef struct answer {
    unsigned count;
    ctn_failure failure;
    bool was_sent, peer_is_dead;
    char value[300000], message[3000];
} answer;

typedef struct fixture {
    ctn_loop *loop;
    ctn_command_driver *driver;
    ctn_driver iface;
    ctn_arena *arena;
    ctn_timer *patience;
    answer *answers; /* by token */
    unsigned begun, answered, awaited;
    char folder[64];
} fixture;

static ctn_spawner *the_spawner; /* forked once, before anything else */

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    fixture *f = ctx;
    answer *a = &f->answers[token];
    a->count++;
    a->failure = result->failure;
    a->was_sent = result->was_sent;
    a->peer_is_dead = result->peer_is_dead;
    ctn_str value = result->value ? ctn_json_to_str(f->arena, result->value) : CTN_STR("");
    (void) snprintf(a->value, sizeof a->value, "%.*s", CTN_STR_ARG(value));
    (void) snprintf(a->message, sizeof a->message, "%.*s", CTN_STR_ARG(result->message));
    f->answered++;
    ctn_loop_stop(f->loop);
}

static void out_of_patience(void *ctx)
{
    fixture *f = ctx;
    ctn_loop_stop(f->loop);
}

static int setup(void **state)
{
    static const char *const ENVIRONMENT[] = {"INHERITED=from catena", "SECRET=do not tell", NULL};
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->answers = calloc(CALLS_MAX + 1, sizeof *f->answers);
    assert_non_null(f->answers);
    (void) snprintf(f->folder, sizeof f->folder, "/tmp/catena-command-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->arena = ctn_arena_new(65536);
    f->loop = ctn_loop_new();
    ctn_spawner_attach(the_spawner, f->loop);
    f->patience = ctn_timer_new(f->loop, out_of_patience, f);
    f->driver = ctn_command_driver_new(&(ctn_command_options){.loop = f->loop,
                                                              .spawner = the_spawner,
                                                              .sink = {.done = on_done, .ctx = f},
                                                              .folder = f->folder,
                                                              .environment = ENVIRONMENT,
                                                              .grace_ms = 150});
    f->iface = ctn_command_driver_interface(f->driver);
    *state = f;
    return 0;
}

/* Runs the loop until something happens, or for the span. */
static void run(fixture *f, int64_t span_ms)
{
    ctn_timer_set(f->patience, ctn_loop_now_ms(f->loop) + span_ms);
    ctn_loop_run(f->loop);
    ctn_timer_clear(f->patience);
}

static int teardown(void **state)
{
    fixture *f = *state;
    for (int i = 0; ctn_command_running(f->driver) > 0 && i < 500; i++)
        run(f, 10);
    assert_int_equal(ctn_command_running(f->driver), 0);
    for (unsigned i = 1; i <= f->begun; i++)
        assert_true(f->answers[i].count <= 1);
    ctn_command_driver_free(f->driver);
    ctn_timer_free(f->patience);
    ctn_loop_free(f->loop);
    ctn_arena_free(f->arena);
    char line[128];
    (void) snprintf(line, sizeof line, "rm -r %s", f->folder);
    assert_int_equal(system(line), 0);
    free(f->answers);
    free(f);
    return 0;
}

/* Begins a command; the object is written with ' for ". */
static uint64_t begin(fixture *f, int64_t timeout_ms, const char *object)
{
    ctn_str text = ctn_arena_str(f->arena, ctn_str_from(object));
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\'')
            ((char *) text.ptr)[i] = '"';
    const ctn_json *args = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(f->arena, text, NULL, &args, &err))
        fail_msg("%s: %s", object, err.message);
    uint64_t token = ++f->begun;
    assert_true(token <= CALLS_MAX);
    f->iface.begin(f->iface.ctx, &(ctn_call_request){.token = token,
                                                     .target = CTN_STR("command"),
                                                     .args = args,
                                                     .idempotency_key = CTN_STR("the-key"),
                                                     .traceparent = CTN_STR("00-trace"),
                                                     .timeout_ms = timeout_ms});
    return token;
}

static const answer *await(fixture *f, uint64_t token)
{
    for (int i = 0; !f->answers[token].count && i < 100; i++)
        run(f, PATIENCE_MS);
    if (!f->answers[token].count)
        fail_msg("no answer within %d ms", PATIENCE_MS);
    return &f->answers[token];
}

static const answer *call(fixture *f, const char *object)
{
    return await(f, begin(f, 20000, object));
}

static void assert_value(const answer *a, const char *value)
{
    if (a->failure || strcmp(a->value, value) != 0)
        fail_msg("%s: got %s %s, wanted %s", ctn_failure_name(a->failure), a->value, a->message, value);
}

static void assert_failed(const answer *a, ctn_failure failure, const char *part)
{
    if (a->failure != failure)
        fail_msg("%s: %s %s, wanted %s", ctn_failure_name(a->failure), a->message, a->value, ctn_failure_name(failure));
    assert_holds(a->message, part);
}

/* ---- what a command is given, and gives ---- */

static void a_value_is_one_argument_whatever_it_holds(void **state)
{
    assert_value(call(*state, "{'argv': ['printf', '<%s>', 'a b; $(id) `id` | & *', '--help', '', 7, {'a': [1]}]}"),
                 "\"<a b; $(id) `id` | & *><--help><><7><{\\\"a\\\":[1]}>\"");
    assert_failed(call(*state, "{'argv': ['echo', 'a\\u0000b']}"), CTN_FAILURE_INVALID_INPUT, "holds a NUL");
}

static void in_a_shells_text_values_are_its_arguments(void **state)
{
    assert_value(call(*state, "{'shell': true, 'argv': ['echo $# \\\"$1\\\" | tr a-z A-Z', 'a  b; rm -r /', 'c']}"),
                 "\"2 A  B; RM -R /\"");
}

static void the_environment_is_what_the_set_lists(void **state)
{
    const answer *a =
        call(*state, "{'argv': ['env'], 'env': {'A': 'b c', 'N': 5}, 'inheritEnv': ['INHERITED', 'GONE']}");
    assert_value(a, "\"CATENA_IDEMPOTENCY_KEY=the-key\\nTRACEPARENT=00-trace\\nA=b c\\nN=5\\nINHERITED=from catena\"");
}

static void input_is_text_or_json_and_need_not_be_read(void **state)
{
    fixture *f = *state;
    assert_value(call(f, "{'argv': ['cat'], 'stdin': 'as it\\nis'}"), "\"as it\\nis\"");
    assert_value(call(f, "{'argv': ['cat'], 'stdin': {'a': [1.50]}, 'stdout': 'json'}"), "{\"a\":[1.50]}");
    assert_value(call(f, "{'argv': ['cat']}"), "\"\"");
    char *large = malloc(400100);
    assert_non_null(large);
    int len = snprintf(large, 400100, "{'shell': true, 'argv': ['exec <&-; sleep 0.1; echo well'], 'stdin': '");
    memset(large + len, 'x', 400000);
    (void) snprintf(large + len + 390000, 100, "'}");
    assert_value(call(f, large), "\"well\"");
    free(large);
}

static void output_is_what_the_set_says_it_is(void **state)
{
    fixture *f = *state;
    assert_value(call(f, "{'argv': ['printf', '123\\r\\n\\n']}"), "\"123\\r\\n\"");
    assert_value(call(f, "{'argv': ['printf', ' [1, 2]\\n'], 'stdout': 'json'}"), "[1,2]");
    assert_failed(call(f, "{'argv': ['printf', '{} x'], 'stdout': 'json'}"), CTN_FAILURE_INVALID_OUTPUT,
                  "not one JSON");
    assert_failed(call(f, "{'argv': ['true'], 'stdout': 'json'}"), CTN_FAILURE_INVALID_OUTPUT, "empty");
    assert_failed(call(f, "{'argv': ['printf', 'a\\\\377\\\\000b']}"), CTN_FAILURE_INVALID_OUTPUT, "UTF-8");
}

static void exit_codes_mean_what_the_set_says(void **state)
{
    fixture *f = *state;
    const answer *a = call(f, "{'shell': true, 'argv': ['echo out; echo the disk is full >&2; exit 3']}");
    assert_failed(a, CTN_FAILURE_TOOL_ERROR, "exit code 3: the disk is full");
    assert_true(a->was_sent && a->peer_is_dead);
    assert_failed(call(f, "{'shell': true, 'argv': ['exit 75']}"), CTN_FAILURE_UNAVAILABLE, "try later");
    assert_value(call(f, "{'shell': true, 'argv': ['echo no match; exit 1'], 'exitCodes': {'ok': [0, 1]}}"),
                 "\"no match\"");
    assert_failed(call(f, "{'shell': true, 'argv': ['exit 9'], 'exitCodes': {'transient': [9]}}"),
                  CTN_FAILURE_UNAVAILABLE, "exit code 9");
    assert_failed(call(f, "{'shell': true, 'argv': ['exit 75'], 'exitCodes': {'transient': []}}"),
                  CTN_FAILURE_TOOL_ERROR, "75");
    /* Not our signal: what it had done by then nobody knows. */
    assert_failed(call(f, "{'shell': true, 'argv': ['kill -SEGV $$']}"), CTN_FAILURE_TRANSPORT, "SIGSEGV");
}

static void what_cannot_be_started_was_not_sent(void **state)
{
    fixture *f = *state;
    const answer *a = call(f, "{'argv': ['no-such-program']}");
    assert_failed(a, CTN_FAILURE_PROTOCOL_ERROR, "there is no program");
    assert_false(a->was_sent);
    assert_failed(call(f, "{'argv': ['echo'], 'cwd': 'gone'}"), CTN_FAILURE_PROTOCOL_ERROR, "no folder");
    assert_failed(call(f, "{'argv': ['echo'], 'writable': ['gone']}"), CTN_FAILURE_PROTOCOL_ERROR, "gone\", which it");
}

/* ---- how it is ended ---- */

static void one_that_ignores_sigterm_is_killed_with_its_group(void **state)
{
    fixture *f = *state;
    const answer *a =
        await(f, begin(f, 200, "{'shell': true, 'argv': ['trap \\\"\\\" TERM; sleep 600 & sleep 600; echo']}"));
    assert_failed(a, CTN_FAILURE_TIMEOUT, "within 200 ms");
    assert_true(a->was_sent && a->peer_is_dead);
}

static void one_that_hears_sigterm_may_say_why(void **state)
{
    fixture *f = *state;
    const answer *a = await(
        f,
        begin(f, 300,
              "{'shell': true, 'argv': ['trap \\\"echo tidied >&2; exit 1\\\" TERM; while :; do sleep 0.02; done']}"));
    assert_failed(a, CTN_FAILURE_TIMEOUT, "tidied");
}

/* How many processes have this word in their arguments. */
static int alive(const char *word)
{
    char line[200];
    (void) snprintf(line, sizeof line, "grep -ls '%s' /proc/[0-9]*/cmdline | wc -l", word);
    FILE *out = popen(line, "r");
    int count = -1;
    assert_non_null(out);
    assert_int_equal(fscanf(out, "%d", &count), 1);
    (void) pclose(out);
    return count;
}

static void what_it_left_in_the_background_ends_with_it(void **state)
{
    fixture *f = *state;
    char object[300], word[40];
    (void) snprintf(word, sizeof word, "60[0]%d", (int) getpid());
    (void) snprintf(object, sizeof object,
                    "{'shell': true, 'argv': ['sleep 600%d & sleep 600%d & (sleep 600%d &) ; echo done']}",
                    (int) getpid(), (int) getpid(), (int) getpid());
    assert_value(call(f, object), "\"done\"");
    for (int i = 0; alive(word) > 0 && i < 200; i++)
        (void) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(alive(word), 0);
}

static void a_bomb_of_forks_ends_with_its_time(void **state)
{
    fixture *f = *state;
    char object[400], word[40];
    (void) snprintf(word, sizeof word, "70[0]%d", (int) getpid());
    /* Six generations deaf to SIGTERM, each twice as many. */
    (void) snprintf(object, sizeof object,
                    "{'shell': true, 'argv': ['trap \\\"\\\" TERM; b() { [ $1 -gt "
                    "0 ] && { b $(($1-1)) & "
                    "b $(($1-1)) & }; sleep 700%d; }; b 5; echo']}",
                    (int) getpid());
    uint64_t token = begin(f, 700, object);
    for (int i = 0; alive(word) < 8 && !f->answers[token].count && i < 100; i++)
        run(f, 10);
    assert_true(alive(word) > 0 || f->answers[token].count);
    assert_failed(await(f, token), CTN_FAILURE_TIMEOUT, "within 700 ms");
    for (int i = 0; alive(word) > 0 && i < 200; i++)
        (void) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(alive(word), 0);
}

static void a_flood_is_cut_off(void **state)
{
    fixture *f = *state;
    const answer *a = call(f, "{'argv': ['yes'], 'outputBytes': 100000}");
    assert_failed(a, CTN_FAILURE_LIMIT, "100000 outputBytes");
    assert_true(a->peer_is_dead);
    assert_failed(call(f, "{'shell': true, 'argv': ['yes on stderr | head -c 3000000 >&2; exit 4']}"),
                  CTN_FAILURE_TOOL_ERROR, "on stderr");
    assert_failed(call(f, "{'shell': true, 'argv': ['printf 12345678901; exit 0'], 'outputBytes': 10}"),
                  CTN_FAILURE_LIMIT, "10 outputBytes");
    assert_value(call(f, "{'shell': true, 'argv': ['printf 1234567890'], 'outputBytes': 10}"), "\"1234567890\"");
}

static void one_that_closes_its_output_is_waited_for(void **state)
{
    fixture *f = *state;
    assert_failed(call(f, "{'shell': true, 'argv': ['exec >&- 2>&-; sleep 0.2; exit 6']}"), CTN_FAILURE_TOOL_ERROR,
                  "6");
}

/* A daemon holds the pipes: the command has ended all the same. */
static void one_that_left_the_group_does_not_hold_up_the_answer(void **state)
{
    fixture *f = *state;
    assert_value(call(f, "{'shell': true, 'argv': ['setsid sleep 1 & echo gone']}"), "\"gone\"");
}

static void a_cancelled_command_is_ended_and_not_told(void **state)
{
    fixture *f = *state;
    uint64_t token = begin(f, 0, "{'shell': true, 'argv': ['trap \\\"\\\" TERM; sleep 600; echo']}");
    run(f, 50);
    assert_true(f->iface.may_still_arrive(f->iface.ctx, token, CTN_STR("command")));
    f->iface.cancel(f->iface.ctx, token);
    assert_int_equal(ctn_command_running(f->driver), 1);
    for (int i = 0; ctn_command_running(f->driver) && i < 100; i++)
        run(f, 50);
    assert_false(f->iface.may_still_arrive(f->iface.ctx, token, CTN_STR("command")));
    assert_int_equal(f->answers[token].count, 0);
}

/* ---- what it may not ---- */

static void its_limits_are_the_kernels(void **state)
{
    fixture *f = *state;
    const answer *a = call(f, "{'argv': ['cat', '/proc/self/limits'], 'memoryBytes': 1073741824, 'openFiles': 32, "
                              "'fileBytes': 4096, 'cpuMs': 2500, 'processes': 10}");
    assert_int_equal(a->failure, CTN_FAILURE_NONE);
    assert_holds(a->value, "Max address space         1073741824");
    assert_holds(a->value, "Max open files            32 ");
    assert_holds(a->value, "Max file size             4096 ");
    assert_holds(a->value, "Max cpu time              3 ");
    assert_holds(a->value, "Max core file size        0 ");
    assert_null(strstr(a->value, "Max processes             unlimited"));
    assert_holds(call(f, "{'argv': ['grep', 'NoNewPrivs', '/proc/self/status']}")->value, "1");
    assert_failed(
        call(f, "{'shell': true, 'argv': ['head -c 10000 /dev/zero >f'], 'fileBytes': 4096, 'writable': ['.']}"),
        CTN_FAILURE_TOOL_ERROR, "");
    assert_failed(call(f, "{'argv': ['head', '-c', '100000000', '/dev/zero'], 'outputBytes': 10}"), CTN_FAILURE_LIMIT,
                  "");
}

static void one_that_computes_for_ever_is_ended(void **state)
{
    assert_failed(call(*state, "{'shell': true, 'argv': ['while :; do :; done'], 'cpuMs': 100}"), CTN_FAILURE_LIMIT,
                  "cpuMs");
}

static void it_reads_and_writes_only_what_is_named(void **state)
{
    fixture *f = *state;
    if (!ctn_spawn_can_confine_files())
        skip();
    char path[128];
    (void) snprintf(path, sizeof path, "%s/in", f->folder);
    assert_int_equal(mkdir(path, 0755), 0);
    (void) snprintf(path, sizeof path, "%s/secret.db", f->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void) fclose(file);
    assert_failed(call(f, "{'argv': ['cat', 'secret.db']}"), CTN_FAILURE_TOOL_ERROR, "ermission denied");
    assert_value(call(f, "{'argv': ['cat', 'secret.db'], 'readable': ['secret.db']}"), "\"\"");
    assert_failed(call(f, "{'shell': true, 'argv': ['echo x >secret.db'], 'readable': ['.']}"), CTN_FAILURE_TOOL_ERROR,
                  "ermission denied");
    assert_failed(call(f, "{'shell': true, 'argv': ['echo x >/tmp/catena-escaped']}"), CTN_FAILURE_TOOL_ERROR,
                  "ermission denied");
    assert_value(call(f, "{'shell': true, 'argv': ['echo x >in/f && mv in/f in/g && cat in/g'], 'writable': ['in']}"),
                 "\"x\"");
    assert_value(
        call(f, "{'shell': true, 'argv': ['echo x >/dev/null; cat /etc/hostname >/dev/null; pwd'], 'cwd': '/'}"),
        "\"/\"");
}

static void a_program_that_a_folder_holds_may_be_run(void **state)
{
    fixture *f = *state;
    char path[128];
    (void) snprintf(path, sizeof path, "%s/tool", f->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void) fputs("#!/bin/sh\necho ran $1\n", file);
    (void) fclose(file);
    assert_int_equal(chmod(path, 0755), 0);
    assert_value(call(f, "{'argv': ['./tool', 'it']}"), "\"ran it\"");
}

static void it_has_no_network_unless_it_is_said(void **state)
{
    fixture *f = *state;
    static const char *const FAMILIES[] = {"inet", "inet6", "unix"};
    char object[400];
    for (size_t i = 0; i < 3; i++) {
        (void) snprintf(object, sizeof object, "{'argv': ['%s', '%s']}", PEER, FAMILIES[i]);
        assert_failed(call(f, object), CTN_FAILURE_TOOL_ERROR, "no socket: Permission denied");
    }
    (void) snprintf(object, sizeof object, "{'argv': ['%s', 'inet'], 'network': true}", PEER);
    assert_value(call(f, object), "\"\"");
}

static void it_cannot_signal_the_engine(void **state)
{
    fixture *f = *state;
    if (!ctn_spawn_can_confine_files())
        skip();
    char object[100];
    (void) snprintf(object, sizeof object, "{'shell': true, 'argv': ['kill -0 %d']}", (int) getpid());
    const answer *a = call(f, object);
    if (a->failure == CTN_FAILURE_NONE)
        skip(); /* landlock before its version 6 */
    assert_failed(a, CTN_FAILURE_TOOL_ERROR, "ermitted");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_value_is_one_argument_whatever_it_holds),
        CASE(in_a_shells_text_values_are_its_arguments),
        CASE(the_environment_is_what_the_set_lists),
        CASE(input_is_text_or_json_and_need_not_be_read),
        CASE(output_is_what_the_set_says_it_is),
        CASE(exit_codes_mean_what_the_set_says),
        CASE(what_cannot_be_started_was_not_sent),
        CASE(one_that_ignores_sigterm_is_killed_with_its_group),
        CASE(one_that_hears_sigterm_may_say_why),
        CASE(what_it_left_in_the_background_ends_with_it),
        CASE(a_bomb_of_forks_ends_with_its_time),
        CASE(a_flood_is_cut_off),
        CASE(one_that_closes_its_output_is_waited_for),
        CASE(one_that_left_the_group_does_not_hold_up_the_answer),
        CASE(a_cancelled_command_is_ended_and_not_told),
        CASE(its_limits_are_the_kernels),
        CASE(one_that_computes_for_ever_is_ended),
        CASE(it_reads_and_writes_only_what_is_named),
        CASE(a_program_that_a_folder_holds_may_be_run),
        CASE(it_has_no_network_unless_it_is_said),
        CASE(it_cannot_signal_the_engine),
    };
    ctn_err err = {0};
    if (ctn_spawner_start(&the_spawner, &err)) {
        (void) fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ctn_spawner_stop(the_spawner);
    return failed;
}
