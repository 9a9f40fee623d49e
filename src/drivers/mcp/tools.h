/*
 * tools.h -- the tools of one server as it listed them: found by name, arguments and results checked.
 *
 * Made of pages: new, add each, finish. Schemas are compiled when they are first needed. A schema in an older
 * dialect that 2020-12 can read (draft-06, draft-07, 2019-09, which most servers in the wild name) is read so; one that
 * cannot be read is an error of its tool, told at each call and never passed over in silence.
 *
 * Ownership  A table copies what pages say and owns it.
 */
#pragma once
#include "wire/mcp.h"
#include "wire/mcp_http.h"

#define CTN_MCP_TOOLS_MAX      10000
#define CTN_MCP_TOOL_BYTES_MAX ((size_t) 64 << 20) /* of all definitions of a server */

typedef struct ctn_mcp_tool_table ctn_mcp_tool_table;

ctn_mcp_tool_table *ctn_mcp_tool_table_new(void);
/* CTN_E_LIMIT: more tools, or larger ones, than we keep. Of two tools with one name the first stays. */
int ctn_mcp_tool_table_add(ctn_mcp_tool_table *table, const ctn_mcp_tools_page *page, ctn_err *err);
void ctn_mcp_tool_table_finish(ctn_mcp_tool_table *table); /* sorts; before any reading */
void ctn_mcp_tool_table_free(ctn_mcp_tool_table *table);   /* NULL is fine */

const ctn_mcp_tool *ctn_mcp_tool_table_all(const ctn_mcp_tool_table *table, size_t *ret_count); /* by name */
const ctn_mcp_tool *ctn_mcp_tool_table_find(const ctn_mcp_tool_table *table, ctn_str name);     /* NULL: none */
ctn_str ctn_mcp_tool_table_nearest(const ctn_mcp_tool_table *table, ctn_str name);

/* The headers that a call over HTTP brings (x-mcp-header). */
const ctn_mcp_header *ctn_mcp_tool_headers(ctn_mcp_tool_table *table, const ctn_mcp_tool *tool,
                                           const ctn_json *arguments, ctn_arena *scratch, size_t *ret_count);
/* CTN_E_INVALID: the arguments break the schema. CTN_E_UNSUPPORTED: a schema of the tool, be it the output's,
 * cannot be used: better told before the tool runs than after. */
int ctn_mcp_tool_check_input(ctn_mcp_tool_table *table, const ctn_mcp_tool *tool, const ctn_json *arguments,
                             ctn_arena *scratch, ctn_err *err);
/* CTN_OK when the tool has no output schema. */
int ctn_mcp_tool_check_output(ctn_mcp_tool_table *table, const ctn_mcp_tool *tool, const ctn_json *value,
                              ctn_arena *scratch, ctn_err *err);
