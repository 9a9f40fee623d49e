/* Any bytes as a chain file: read, compiled, checked beside a small library and against tools' schemas, mended. No
 * crash; findings lie in the file; what compiles is made again from its definitions. */
#include "check/check.h"
#include "chain/plan.h"
#include "check/fix.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char SETS[] =
    "instructionSets:\n"
    "  a: {tool: s/a, effect: read}\n"
    "  b: {native: b, arguments: {x: '{x}', y: '{y?}'}}\n"
    "  c: {calls: {p: {tool: s/p}, q: {native: q, arguments: {p: '{p.id}'}}}, result: {r: '{q}'}}\n"
    "  w: {wait: {ms: 5}}\n"
    "  ok: {approval: {message: '{x}', onTimeout: approve}}\n";
static const char DOCUMENT[] = "---\nvariable: d\n---\n{{#x}}{{y}}{{/x}}{{>t}}";

static void recompile(const ctn_plan *plan)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_plan *again = NULL;
    ctn_err err = {0};
    assert(ctn_plan_from_definitions(arena, plan->definitions, plan->definition_count, &again, &err) == CTN_OK);
    assert(again->step_count == plan->step_count && again->variable_count == plan->variable_count &&
           again->input_count == plan->input_count && again->result_count == plan->result_count);
    for (uint32_t i = 0; i < plan->variable_count; i++)
        assert(ctn_str_equal(again->variables[i], plan->variables[i]));
    for (uint32_t i = 0; i < plan->step_count; i++)
        assert(again->steps[i].predecessor_count == plan->steps[i].predecessor_count &&
               again->steps[i].output_count == plan->steps[i].output_count);
    ctn_plan_done(again);
    ctn_arena_free(arena);
}

static const char IN[] =
    "{\"type\":\"object\",\"required\":[\"n\"],\"additionalProperties\":false,\"properties\":"
    "{\"n\":{\"type\":\"integer\"},\"l\":{\"type\":\"array\",\"items\":{\"enum\":[1,\"a\"]}},\"input\":{}}}";
static const char OUT[] = "{\"type\":\"object\",\"required\":[\"id\"],\"additionalProperties\":false,\"properties\":"
                          "{\"id\":{\"type\":\"string\"},\"next\":{\"$ref\":\"#\"},\"l\":{\"type\":\"array\",\"items\":"
                          "{\"$ref\":\"#\"}},\"n\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"number\"}]}}}";

/* Every third tool is unknown, of every third only results are known. */
static bool tool_of(void *ctx, ctn_str target, ctn_check_tool *ret_tool)
{
    *ret_tool = (ctn_check_tool){0};
    const ctn_json *in = NULL, *out = NULL, *seen = NULL;
    assert(ctn_json_parse(ctx, ctn_str_from(IN), NULL, &in, NULL) == CTN_OK);
    assert(ctn_json_parse(ctx, ctn_str_from(OUT), NULL, &out, NULL) == CTN_OK);
    assert(ctn_json_parse(ctx, CTN_STR("[{\"id\":1},{\"id\":\"x\",\"l\":[]}]"), NULL, &seen, NULL) == CTN_OK);
    switch (target.len % 3) {
    case 0:
        ret_tool->input_schema = in;
        ret_tool->output_schema = out;
        return true;
    case 1: ret_tool->observed = seen; return true;
    default:
        ret_tool->fault = CTN_STR("there is no such tool");
        ret_tool->meant = CTN_STR("s/a");
        return true;
    }
}

static void read_as(const char *name, ctn_str text)
{
    ctn_arena *arena = ctn_arena_new(16 * 1024);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    assert(ctn_library_add_text(library, CTN_STR("sets.yaml"), ctn_str_from(SETS), &findings, NULL) == CTN_OK);
    assert(ctn_library_add_template(library, CTN_STR("t"), CTN_STR("t.mustache"), ctn_str_from(DOCUMENT), &findings) ==
           CTN_OK);
    const ctn_chain *chain = NULL;
    int rc = ctn_library_add_text(library, ctn_str_from(name), text, &findings, &chain);
    assert((rc == CTN_OK) == (findings.error_count == 0));
    ctn_check_options options = {.tool = tool_of, .tool_ctx = arena};
    rc = ctn_check(library, NULL, &options, &findings);
    assert(rc == CTN_OK || findings.error_count > 0);
    for (size_t i = 0; i < findings.count; i++)
        assert(findings.items[i].line > 0 && findings.items[i].column > 0 && findings.items[i].message.len > 0);
    bool is_good = findings.error_count == 0;
    ctn_fixes fixes;
    ctn_str mended = ctn_fix_text(arena, ctn_str_from(name), text, &findings, SIZE_MAX, &fixes);
    assert(fixes.count > 0 || ctn_str_equal(mended, text));
    ctn_plan *plan = NULL;
    if (chain && ctn_plan_compile(arena, library, chain, &findings, &plan) == CTN_OK) {
        recompile(plan);
        const ctn_json *taken = NULL;
        (void) ctn_plan_accept_input(plan, arena, NULL, &taken, NULL);
        ctn_plan_done(plan);
    } else {
        assert(!chain || !is_good);
    }
    ctn_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_str text = {(const char *) data, size};
    read_as("a.yaml", text);
    read_as("a.json", text);
    return 0;
}
