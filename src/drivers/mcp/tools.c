/*
 * tools.c -- see tools.h.
 *
 * What must hold: `tools` and `checks` are parallel and sorted by name once finished, so that a tool's
 * pointer gives the place of its compiled schemas.
 */
#include "drivers/mcp/tools.h"
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"
#include "value/schema.h"

typedef struct compiled_schema {
    bool is_tried;
    ctn_schema *schema; /* NULL after a try: cannot be used, `why` */
    char why[300];
} compiled_schema;

typedef struct tool_checks {
    compiled_schema input, output;
    bool has_params; /* they were read */
    ctn_mcp_params params;
} tool_checks;

struct ctn_mcp_tool_table {
    ctn_arena *arena;
    ctn_mcp_tool *tools;
    ctn_str *names;
    tool_checks **checks; /* made when first needed */
    size_t count, capacity;
    bool is_finished;
};

ctn_mcp_tool_table *ctn_mcp_tool_table_new(void)
{
    ctn_mcp_tool_table *table = ctn_malloc(sizeof *table);
    *table = (ctn_mcp_tool_table){.arena = ctn_arena_new(16384)};
    return table;
}

void ctn_mcp_tool_table_free(ctn_mcp_tool_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; table->checks && i < table->count; i++) {
        if (!table->checks[i])
            continue;
        ctn_schema_done(table->checks[i]->input.schema);
        ctn_schema_done(table->checks[i]->output.schema);
    }
    free(table->tools);
    ctn_arena_free(table->arena);
    free(table);
}

static ctn_mcp_tool copy_tool(ctn_arena *arena, const ctn_mcp_tool *tool)
{
    return (ctn_mcp_tool){
        .name = ctn_arena_str(arena, tool->name),
        .title = ctn_arena_str(arena, tool->title),
        .description = ctn_arena_str(arena, tool->description),
        .input_schema = ctn_json_copy(arena, tool->input_schema),
        .output_schema = tool->output_schema ? ctn_json_copy(arena, tool->output_schema) : NULL,
        .annotations = tool->annotations ? ctn_json_copy(arena, tool->annotations) : NULL,
        .hints = tool->hints,
        .is_task_only = tool->is_task_only,
    };
}

int ctn_mcp_tool_table_add(ctn_mcp_tool_table *table, const ctn_mcp_tools_page *page, ctn_err *err)
{
    assert(!table->is_finished);
    if (page->count > CTN_MCP_TOOLS_MAX - table->count)
        return ctn_fail(err, CTN_E_LIMIT, "the server lists more than %d tools", CTN_MCP_TOOLS_MAX);
    if (table->count + page->count > table->capacity) {
        table->capacity = (table->count + page->count) * 2;
        table->tools = ctn_realloc_array(table->tools, table->capacity, sizeof *table->tools);
    }
    for (size_t i = 0; i < page->count; i++) {
        table->tools[table->count++] = copy_tool(table->arena, &page->tools[i]);
        if (ctn_arena_used_bytes(table->arena) > CTN_MCP_TOOL_BYTES_MAX)
            return ctn_fail(err, CTN_E_LIMIT, "the server's tool definitions are larger than %zu MiB",
                            CTN_MCP_TOOL_BYTES_MAX >> 20);
    }
    return CTN_OK;
}

typedef struct ranked {
    ctn_mcp_tool tool;
    size_t rank; /* place in the server's list: qsort is not stable */
} ranked;

static int compare_ranked(const void *a, const void *b)
{
    const ranked *left = a, *right = b;
    int order = ctn_str_compare(left->tool.name, right->tool.name);
    return order ? order : left->rank < right->rank ? -1 : 1;
}

void ctn_mcp_tool_table_finish(ctn_mcp_tool_table *table)
{
    assert(!table->is_finished);
    ranked *all = ctn_realloc_array(NULL, table->count, sizeof *all);
    for (size_t i = 0; i < table->count; i++)
        all[i] = (ranked){.tool = table->tools[i], .rank = i};
    qsort(all, table->count, sizeof *all, compare_ranked);
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++)
        if (kept == 0 || !ctn_str_equal(table->tools[kept - 1].name, all[i].tool.name))
            table->tools[kept++] = all[i].tool;
    free(all);
    table->count = kept;
    table->names = CTN_NEW_ARRAY(table->arena, ctn_str, kept);
    table->checks = CTN_NEW_ARRAY(table->arena, tool_checks *, kept);
    for (size_t i = 0; i < kept; i++)
        table->names[i] = table->tools[i].name;
    table->is_finished = true;
}

const ctn_mcp_tool *ctn_mcp_tool_table_all(const ctn_mcp_tool_table *table, size_t *ret_count)
{
    *ret_count = table ? table->count : 0;
    return table ? table->tools : NULL;
}

const ctn_mcp_tool *ctn_mcp_tool_table_find(const ctn_mcp_tool_table *table, ctn_str name)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = ctn_str_compare(name, table->tools[middle].name);
        if (order == 0)
            return &table->tools[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

ctn_str ctn_mcp_tool_table_nearest(const ctn_mcp_tool_table *table, ctn_str name)
{
    return ctn_str_nearest(name, table->names, table->count);
}

/* ---- checking ---- */

static tool_checks *checks_of(ctn_mcp_tool_table *table, const ctn_mcp_tool *tool)
{
    assert(table->is_finished && tool >= table->tools && tool < table->tools + table->count);
    tool_checks **slot = &table->checks[tool - table->tools];
    if (!*slot)
        *slot = CTN_NEW(table->arena, tool_checks);
    return *slot;
}

const ctn_mcp_header *ctn_mcp_tool_headers(ctn_mcp_tool_table *table, const ctn_mcp_tool *tool,
                                           const ctn_json *arguments, ctn_arena *scratch, size_t *ret_count)
{
    tool_checks *checks = checks_of(table, tool);
    if (!checks->has_params) /* one that breaks the rules is in no list over HTTP */
        (void) ctn_mcp_params_read(table->arena, tool->input_schema, &checks->params, NULL);
    checks->has_params = true;
    return ctn_mcp_params_headers(scratch, &checks->params, arguments, ret_count);
}

/* Dialects whose schemas mean the same in 2020-12 for what tools use them for; what differs (a list under `items`)
 * fails to compile and is told. */
static bool is_older_dialect(const ctn_json *schema)
{
    static const char *const older[] = {
        "http://json-schema.org/draft-06/schema",
        "http://json-schema.org/draft-07/schema",
        "https://json-schema.org/draft/2019-09/schema",
    };
    ctn_str dialect = ctn_json_str_or(schema, "$schema", (ctn_str){0});
    if (dialect.len && dialect.ptr[dialect.len - 1] == '#')
        dialect.len--;
    for (size_t i = 0; i < sizeof older / sizeof *older; i++)
        if (ctn_str_is(dialect, older[i]))
            return true;
    return false;
}

static const ctn_json *without_dialect(ctn_arena *arena, const ctn_json *schema)
{
    if (!is_older_dialect(schema))
        return schema;
    ctn_json_builder copy = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(schema); i++)
        if (!ctn_str_is(ctn_json_text(&schema->members[i].key), "$schema"))
            ctn_json_put(&copy, ctn_json_text(&schema->members[i].key), &schema->members[i].value);
    return ctn_json_finish(&copy);
}

/* CTN_E_UNSUPPORTED: it cannot be used. */
static int compile(ctn_mcp_tool_table *table, compiled_schema *compiled, const char *which, const ctn_json *source,
                   ctn_err *err)
{
    if (!compiled->is_tried) {
        ctn_err why = {0};
        compiled->is_tried = true;
        if (ctn_schema_compile(table->arena, without_dialect(table->arena, source), &compiled->schema, NULL, &why)) {
            compiled->schema = NULL;
            size_t len = strlen(why.message);
            if (len >= sizeof compiled->why)
                len = sizeof compiled->why - 1;
            memcpy(compiled->why, why.message, len);
        }
    }
    if (compiled->schema)
        return CTN_OK;
    return ctn_fail(err, CTN_E_UNSUPPORTED, "its %s schema cannot be used: %s", which, compiled->why);
}

int ctn_mcp_tool_check_input(ctn_mcp_tool_table *table, const ctn_mcp_tool *tool, const ctn_json *arguments,
                             ctn_arena *scratch, ctn_err *err)
{
    tool_checks *checks = checks_of(table, tool);
    int rc = compile(table, &checks->input, "input", tool->input_schema, err);
    if (!rc && tool->output_schema)
        rc = compile(table, &checks->output, "output", tool->output_schema, err);
    return rc ? rc : ctn_schema_validate(checks->input.schema, arguments, scratch, err);
}

int ctn_mcp_tool_check_output(ctn_mcp_tool_table *table, const ctn_mcp_tool *tool, const ctn_json *value,
                              ctn_arena *scratch, ctn_err *err)
{
    if (!tool->output_schema)
        return CTN_OK;
    tool_checks *checks = checks_of(table, tool);
    int rc = compile(table, &checks->output, "output", tool->output_schema, err);
    return rc ? rc : ctn_schema_validate(checks->output.schema, value, scratch, err);
}
