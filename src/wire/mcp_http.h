/*
 * mcp_http.h -- what MCP over HTTP repeats in headers: values as they go out and come in, and the arguments that a
 * tool's schema marks with x-mcp-header. Pure, for both sides.
 *
 * A header carries visible ASCII, so a text that is anything else, or that would change on its way, travels as
 * =?base64?...?= (Mcp-Name and Mcp-Param-* alike). What has one of the two marks only is a text like any other.
 *
 * A property may be marked if it is a string, an integer or a boolean that is reached from the root of the schema
 * through `properties` alone; its mark is an HTTP token, and no two of a tool are the same but for case. A schema that
 * breaks this cannot be called over HTTP, and its tool is to be left out of the list.
 *
 * Ownership  What is returned lives in the arena and borrows the schema and the arguments.
 */
#pragma once
#include "base/json.h"

#define CTN_MCP_HEADER_VERSION "MCP-Protocol-Version"
#define CTN_MCP_HEADER_METHOD  "Mcp-Method"
#define CTN_MCP_HEADER_NAME    "Mcp-Name"
#define CTN_MCP_HEADER_PARAM   "Mcp-Param-"
#define CTN_MCP_HEADER_SESSION "Mcp-Session-Id"
#define CTN_MCP_PARAMS_MAX     64 /* marked arguments of one tool */

typedef struct ctn_mcp_header {
    ctn_str name, value; /* the value as it travels */
} ctn_mcp_header;

/* The text as a header's value. */
ctn_str ctn_mcp_header_write(ctn_arena *arena, ctn_str text);
/* Back; white space around it is dropped. False: its Base64 is broken. */
bool ctn_mcp_header_read(ctn_arena *arena, ctn_str value, ctn_str *ret_text);

/* Is this a name that a header may have? */
bool ctn_mcp_header_is_name(ctn_str name);
/* One of those that a client says by itself, so that nobody else may. */
bool ctn_mcp_header_is_ours(ctn_str name);

typedef struct ctn_mcp_param {
    ctn_str header;      /* "Mcp-Param-Region" */
    const ctn_str *path; /* names of properties, from the arguments down */
    size_t depth;        /* 1 or more */
} ctn_mcp_param;

typedef struct ctn_mcp_params {
    ctn_mcp_param *items;
    size_t count;
} ctn_mcp_params;

/* CTN_E_INVALID: the sentence says which property breaks which rule. CTN_E_LIMIT: more than CTN_MCP_PARAMS_MAX. */
int ctn_mcp_params_read(ctn_arena *arena, const ctn_json *input_schema, ctn_mcp_params *ret_params, ctn_err *err);
/* The headers of a call; an argument that is not there, or null, gives none. */
const ctn_mcp_header *ctn_mcp_params_headers(ctn_arena *arena, const ctn_mcp_params *params, const ctn_json *arguments,
                                             size_t *ret_count);
/* The text that a value has in a header, not encoded; false: no header carries such a value. */
bool ctn_mcp_param_text(ctn_arena *arena, const ctn_json *value, ctn_str *ret_text);
