/* catena-travel over a pipe: both eras of MCP, errors as errors, and an end when its input ends. */
#include "support.h"

#include <fcntl.h>
#include <sys/wait.h>

/* Sends the lines to `catena-travel serve`, gives what came back; the program must end by itself with 0. */
static ctn_str converse(ctn_arena *arena, ctn_str lines)
{
    char path[] = "/tmp/catena-travel-in-XXXXXX";
    int in = mkstemp(path), out[2], status;
    assert_true(in >= 0);
    (void) unlink(path);
    assert_true(write(in, lines.ptr, lines.len) == (ssize_t) lines.len && lseek(in, 0, SEEK_SET) == 0);
    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void) unsetenv("CRM");
        dup2(in, 0);
        dup2(out[1], 1);
        close(out[0]);
        execl(TRAVEL_PROGRAM, "catena-travel", "serve", (char *) NULL);
        _exit(127);
    }
    close(in);
    close(out[1]);
    enum { ANSWER_MAX = 4 << 20 };
    char *bytes = ctn_arena_alloc(arena, ANSWER_MAX);
    size_t len = 0;
    ssize_t got;
    while ((got = read(out[0], bytes + len, ANSWER_MAX - len)) > 0)
        len += (size_t) got;
    close(out[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return (ctn_str){bytes, len};
}

static const ctn_json *answer(ctn_arena *arena, ctn_str *answers)
{
    ctn_str line = ctn_str_cut(answers, '\n');
    assert_true(line.len > 0);
    return json_from(arena, line);
}

#define META                                                                                                           \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/"                 \
    "clientCapabilities\":{}}"

/* They may neither be repeated nor called a read; the messages. */
static const char *const PLAIN_WRITES[] = {"schedule_delivery", "deliver_message", NULL};
/* They may deal with something outside this machine, as the agency's configuration says. */
static const char *const OUTSIDE[] = {
    "search_flights",  "search_hotels",   "hold_flight",     "hold_hotel",     "take_deposit",
    "confirm_booking", "release_flight",  "release_hotel",   "refund_deposit", "cancel_booking",
    "booking_status",  "provider_ledger", "deliver_message", "check_offers",   NULL};

static bool is_among(ctn_str name, const char *const *names)
{
    while (*names && !ctn_str_is(name, *names))
        names++;
    return *names != NULL;
}

static void the_modern_era_is_spoken(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_str answers = converse(
        arena, CTN_STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" META "}}\n"
                       "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{" META "}}\n"
                       "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{" META
                       ",\"name\":\"extract_lead\",\"arguments\":{\"raw_lead\":\"Two of us to Rome, 3 nights\"}}}\n"
                       "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/call\",\"params\":{" META
                       ",\"name\":\"extract_lead\",\"arguments\":{}}}\n"
                       "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{" META
                       ",\"name\":\"no_such_tool\",\"arguments\":{}}}\n"));
    assert_non_null(ctn_json_pointer(answer(arena, &answers), CTN_STR("/result/supportedVersions/0")));
    const ctn_json *tools = ctn_json_pointer(answer(arena, &answers), CTN_STR("/result/tools"));
    size_t tool_count;
    (void) travel_tools_list(arena, &tool_count);
    assert_int_equal(ctn_json_count(tools), tool_count);
    for (size_t i = 0; i < tool_count; i++) {
        const ctn_json *tool = ctn_json_at(tools, i);
        static const char *const members[] = {"name",        "title",        "description",
                                              "inputSchema", "outputSchema", "annotations"};
        for (size_t m = 0; m < 6; m++)
            assert_non_null(ctn_json_member_of(tool, members[m]));
        ctn_str name = ctn_json_text(ctn_json_member_of(tool, "name"));
        const ctn_json *hints = ctn_json_member_of(tool, "annotations");
        bool is_safe =
            ctn_json_bool_or(hints, "readOnlyHint", false) || ctn_json_bool_or(hints, "idempotentHint", false);
        assert_int_equal(is_safe, !is_among(name, PLAIN_WRITES));
        assert_int_equal(ctn_json_bool_or(hints, "openWorldHint", true), is_among(name, OUTSIDE));
    }
    assert_true(ctn_json_bool_or(ctn_json_pointer(answer(arena, &answers), CTN_STR("/result/structuredContent")),
                                 "is_lead", false));
    assert_true(ctn_json_bool_or(ctn_json_member_of(answer(arena, &answers), "result"), "isError", false));
    assert_non_null(ctn_json_member_of(answer(arena, &answers), "error"));
    ctn_arena_free(arena);
}

static void the_legacy_era_is_spoken(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_str answers = converse(
        arena, CTN_STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-"
                       "11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}\n"
                       "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"
                       "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/"
                       "call\",\"params\":{\"name\":\"create_client_record\",\"arguments\":{\"client\":{}}}}\n"
                       "this is no JSON\n"
                       "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}\n"));
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(answer(arena, &answers), CTN_STR("/result/protocolVersion"))),
                           "2025-11-25"));
    const ctn_json *failed = answer(arena, &answers);
    assert_true(ctn_json_bool_or(ctn_json_member_of(failed, "result"), "isError", false));
    assert_true(ctn_str_find(ctn_json_text(ctn_json_pointer(failed, CTN_STR("/result/content/0/text"))),
                             CTN_STR("CRM")) != SIZE_MAX);
    assert_non_null(ctn_json_member_of(answer(arena, &answers), "error"));
    assert_non_null(ctn_json_member_of(answer(arena, &answers), "result"));
    ctn_arena_free(arena);
}

static void a_line_without_end_does_not_take_all_memory(void **state)
{
    (void) state;
    enum { BYTES = 9 << 20 };
    ctn_arena *arena = ctn_arena_new(65536);
    static const char ping[] = "\n{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\",\"params\":{" META "}}\n";
    char *line = ctn_arena_alloc(arena, BYTES + sizeof ping);
    memset(line, 'x', BYTES);
    memcpy(line + BYTES, ping, sizeof ping);
    ctn_str answers = converse(arena, (ctn_str){line, BYTES + sizeof ping - 1});
    assert_int_equal(ctn_json_int_or(answer(arena, &answers), "id", 0), 7);
    ctn_arena_free(arena);
}

static int exit_code_of(const char *verb, const char *second, const char *third)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, 0);
        dup2(nowhere, 1);
        dup2(nowhere, 2);
        execl(TRAVEL_PROGRAM, "catena-travel", verb, second, third, (char *) NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void the_command_line_tells_bad_use_from_failure(void **state)
{
    (void) state;
    assert_int_equal(exit_code_of("help", NULL, NULL), 0);
    assert_int_equal(exit_code_of("version", NULL, NULL), 0);
    assert_int_equal(exit_code_of("tools", NULL, NULL), 0);
    assert_int_equal(
        exit_code_of("call", "recommend_followup", "{\"status_category\":\"warm\",\"engagement_level\":\"low\"}"), 0);
    assert_int_equal(exit_code_of(NULL, NULL, NULL), 2);
    assert_int_equal(exit_code_of("srve", NULL, NULL), 2);
    assert_int_equal(exit_code_of("serve", "now", NULL), 2);
    assert_int_equal(exit_code_of("call", NULL, NULL), 2);
    assert_int_equal(exit_code_of("call", "extract_lead", "{"), 2);
    assert_int_equal(exit_code_of("call", "extract_lead", "[]"), 2);
    assert_int_equal(exit_code_of("call", "extract_lead", "{\"raw_lead\":5}"), 2);
    assert_int_equal(exit_code_of("call", "no_such_tool", "{}"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_modern_era_is_spoken),
        cmocka_unit_test(the_legacy_era_is_spoken),
        cmocka_unit_test(a_line_without_end_does_not_take_all_memory),
        cmocka_unit_test(the_command_line_tells_bad_use_from_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
