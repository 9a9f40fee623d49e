/* What a server says of a tool, kept and compared: which change means what. */
#include "drivers/mcp/definition.h"
#include "support/cmocka.h"

static const ctn_json *parse(ctn_arena *arena, const char *text)
{
    const ctn_json *value = NULL;
    assert_int_equal(ctn_json_parse(arena, ctn_str_from(text), NULL, &value, NULL), CTN_OK);
    return value;
}

static const ctn_json *definition(ctn_arena *arena, const char *item)
{
    ctn_mcp_tools_page page = {0};
    ctn_str list = ctn_arena_printf(arena, "{\"tools\":[%s]}", item);
    assert_int_equal(ctn_mcp_parse_tools(arena, parse(arena, list.ptr), &page, NULL), CTN_OK);
    assert_int_equal(page.count, 1);
    return ctn_mcp_definition(arena, &page.tools[0]);
}

#define TOOL(more) "{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\"}" more "}"

static void check(const char *from, const char *to, ctn_change_class class_, const char *said)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_changes changes = {.arena = arena};
    ctn_mcp_definition_changes(&changes, definition(arena, from), definition(arena, to));
    assert_int_equal(ctn_changes_worst(&changes), class_);
    assert_int_equal(changes.count, said ? 1 : 0);
    if (said && ctn_str_find(changes.items[0].sentence, ctn_str_from(said)) == SIZE_MAX)
        fail_msg("'%.*s', not '%s'", CTN_STR_ARG(changes.items[0].sentence), said);
    ctn_arena_free(arena);
}

static void what_a_tool_says_of_itself_is_its_meaning(void **state)
{
    (void) state;
    check(TOOL(""), "{\"inputSchema\":{\"type\":\"object\"},\"name\":\"t\"}", CTN_CHANGE_NONE, NULL);
    check(TOOL(",\"description\":\"Reads\""), TOOL(",\"description\":\"Writes\""), CTN_CHANGE_MEANING, "description");
    check(TOOL(",\"title\":\"A\""), TOOL(",\"title\":\"B\""), CTN_CHANGE_COMPATIBLE, "title");
    check(TOOL(",\"annotations\":{\"readOnlyHint\":true}"), TOOL(",\"annotations\":{\"readOnlyHint\":false}"),
          CTN_CHANGE_MEANING, "readOnlyHint was true and is false");
    check(TOOL(",\"annotations\":{\"idempotentHint\":true}"), TOOL(""), CTN_CHANGE_MEANING,
          "idempotentHint was true and is false (not said)");
    check(TOOL(",\"annotations\":{\"destructiveHint\":false}"), TOOL(",\"annotations\":{\"destructiveHint\":true}"),
          CTN_CHANGE_MEANING, "destructiveHint");
    check(TOOL(",\"annotations\":{\"x\":1}"), TOOL(",\"annotations\":{\"x\":2}"), CTN_CHANGE_COMPATIBLE, "otherwise");
}

static void what_a_tool_gives_may_be_said_or_not(void **state)
{
    (void) state;
    check(TOOL(""), TOOL(",\"outputSchema\":{\"type\":\"object\"}"), CTN_CHANGE_COMPATIBLE, "says now what it gives");
    check(TOOL(",\"outputSchema\":{\"type\":\"object\"}"), TOOL(""), CTN_CHANGE_NARROWING, "no longer says");
}

static void a_tool_that_is_gone_or_cannot_be_kept_is_told(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *tool = definition(arena, TOOL("")), *large = parse(arena, "\"too large\"");
    ctn_changes gone = {.arena = arena}, again = {.arena = arena}, unknown = {.arena = arena};
    ctn_mcp_definition_changes(&gone, tool, NULL);
    assert_int_equal(ctn_changes_worst(&gone), CTN_CHANGE_NARROWING);
    ctn_mcp_definition_changes(&again, &ctn_json_null, tool);
    assert_int_equal(ctn_changes_worst(&again), CTN_CHANGE_MEANING);
    ctn_mcp_definition_changes(&unknown, large, tool);
    assert_int_equal(ctn_changes_worst(&unknown), CTN_CHANGE_MEANING);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_tool_says_of_itself_is_its_meaning),
        cmocka_unit_test(what_a_tool_gives_may_be_said_or_not),
        cmocka_unit_test(a_tool_that_is_gone_or_cannot_be_kept_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
