/*
 * mcp.h -- the messages an MCP client sends and reads, for both eras. Pure: values in, lines out, and back.
 *
 * "Modern" is revision 2026-07-28: no handshake, every request introduces itself in params._meta. "Legacy" are
 * 2025-11-25 and before: initialize first, then bare requests. A ctn_mcp_speaker says who we are and which
 * revision we speak to this server; every writer takes it, so no request can forget its _meta.
 *
 * What servers send is read leniently where they differ in the wild and strictly where a mistake could
 * be taken for a success: an absent resultType is "complete", an unknown one is CTN_E_INVALID.
 *
 * Ownership  What a parse returns borrows the message's tree and lives in the arena.
 */
#pragma once
#include "wire/jsonrpc.h"
#include "wire/mcp_task.h"

#define CTN_MCP_VERSION_MODERN       "2026-07-28"
#define CTN_MCP_VERSION_LEGACY       "2025-11-25" /* the newest that has a handshake */
#define CTN_MCP_META_VERSION         "io.modelcontextprotocol/protocolVersion"
#define CTN_MCP_META_CAPABILITIES    "io.modelcontextprotocol/clientCapabilities"
#define CTN_MCP_META_CLIENT_INFO     "io.modelcontextprotocol/clientInfo"
#define CTN_MCP_META_SERVER_INFO     "io.modelcontextprotocol/serverInfo"
#define CTN_MCP_META_IDEMPOTENCY_KEY "dev.catena/idempotency-key"
#define CTN_MCP_META_USAGE           "dev.catena/usage"
#define CTN_MCP_META_FAILURE         "dev.catena/failure" /* of an isError: a code of the chain language */
#define CTN_MCP_META_TRACEPARENT     "traceparent" /* W3C trace context, by that name in _meta as in HTTP */

enum {
    CTN_MCP_HEADER_MISMATCH = -32020,
    CTN_MCP_MISSING_CAPABILITY = -32021,
    CTN_MCP_UNSUPPORTED_VERSION = -32022,
};

/* Versions this code speaks. */
bool ctn_mcp_is_modern(ctn_str version);
bool ctn_mcp_is_legacy(ctn_str version);
/* All of them, the newest first: a list of strings. */
const ctn_json *ctn_mcp_spoken_versions(ctn_arena *arena);
/* The best modern version in a list of strings (supportedVersions, or data.supported of -32022); empty: none. */
ctn_str ctn_mcp_choose_version(const ctn_json *list);

/* ---- what a client sends ---- */

typedef struct ctn_mcp_speaker {
    ctn_str version;        /* a modern one puts _meta on every request, a legacy one does not */
    ctn_str name;           /* "catena" */
    ctn_str client_version; /* "0.1.0" */
    bool answers_forms;     /* legacy: initialize declares elicitation (wire/mcp_elicit.h) */
} ctn_mcp_speaker;

typedef struct ctn_mcp_call {
    ctn_str tool;
    const ctn_json *arguments; /* an object; NULL: {} */
    int64_t progress_token;    /* 0: no progress wanted */
    ctn_str idempotency_key;   /* empty: none */
    ctn_str traceparent;       /* W3C trace context; empty: none */
    /* Of a call that goes on after the server asked: what was answered, {KEY: {action, content?}}, and its own
     * requestState, a string; NULL: none. */
    const ctn_json *input_responses, *request_state;
    int64_t task_ttl_ms; /* 2025-11-25: wanted as a task that is kept so long; 0: not as a task */
} ctn_mcp_call;

void ctn_mcp_write_discover(ctn_buf *out, ctn_arena *scratch, const ctn_mcp_speaker *self, int64_t id);
/* Offers self->version if it is a legacy one, else the newest legacy version. */
void ctn_mcp_write_initialize(ctn_buf *out, ctn_arena *scratch, const ctn_mcp_speaker *self, int64_t id);
void ctn_mcp_write_initialized(ctn_buf *out);
/* cursor NULL: the first page. An empty cursor is a cursor. */
void ctn_mcp_write_list(ctn_buf *out, ctn_arena *scratch, const ctn_mcp_speaker *self, int64_t id,
                        const ctn_str *cursor);
void ctn_mcp_write_call(ctn_buf *out, ctn_arena *scratch, const ctn_mcp_speaker *self, int64_t id,
                        const ctn_mcp_call *call);
/* Any other request. params: an object without _meta; NULL: none. */
void ctn_mcp_write_request(ctn_buf *out, ctn_arena *scratch, const ctn_mcp_speaker *self, int64_t id,
                           const char *method, const ctn_json *params);
void ctn_mcp_write_cancelled(ctn_buf *out, ctn_arena *scratch, int64_t request_id, ctn_str reason);

/* ---- what a client reads: results ---- */

/* The versions that the server speaks, for ctn_mcp_choose_version. CTN_E_INVALID when this is no DiscoverResult. */
int ctn_mcp_parse_discovery(const ctn_json *result, const ctn_json **ret_supported, ctn_err *err);
/* What the server wants to speak; it may be one that we cannot: ctn_mcp_is_legacy. */
int ctn_mcp_parse_initialized(const ctn_json *result, ctn_str *ret_version, ctn_err *err);

/* Hints are the server's claims, believed only when the operator trusts it. Absent ones have MCP's defaults. */
typedef struct ctn_mcp_hints {
    bool is_read_only;                    /* false */
    bool is_idempotent;                   /* false */
    bool is_open_world;                   /* true */
    bool says_read_only, says_idempotent; /* the hint was there */
} ctn_mcp_hints;

typedef struct ctn_mcp_tool {
    ctn_str name, title, description;
    const ctn_json *input_schema;
    const ctn_json *output_schema; /* NULL: none */
    const ctn_json *annotations;   /* as they came; NULL: none */
    ctn_mcp_hints hints;           /* what we read of them */
    bool is_task_only;             /* 2025-11-25: execution.taskSupport is "required" */
} ctn_mcp_tool;

typedef struct ctn_mcp_tools_page {
    ctn_mcp_tool *tools;
    size_t count; /* without entries that are no tool (no name, no schema object) */
    bool has_next;
    ctn_str next_cursor;
    int64_t ttl_ms; /* 0: absent or negative */
} ctn_mcp_tools_page;
int ctn_mcp_parse_tools(ctn_arena *arena, const ctn_json *result, ctn_mcp_tools_page *ret_page, ctn_err *err);

typedef enum ctn_mcp_result_kind {
    CTN_MCP_COMPLETE,
    CTN_MCP_INPUT_REQUIRED, /* input_requests and request_state: one of them at least (wire/mcp_task.h) */
    CTN_MCP_TASK,           /* `task`: a handle, to be asked for its result */
} ctn_mcp_result_kind;

typedef struct ctn_mcp_call_result {
    ctn_mcp_result_kind kind;
    bool is_error;      /* the tool ran, or looked at its arguments, and said no: error_text */
    ctn_str error_text; /* its text blocks */
    ctn_str failure;    /* of an error, _meta "dev.catena/failure", as it came; empty: not told */
    const ctn_json *input_requests, *request_state; /* NULL: not given */
    ctn_mcp_task_told task;
    const ctn_json *value; /* what the call yields (chain language, section 7) */
    int64_t used_tokens;   /* _meta "dev.catena/usage": {tokens, money}; 0: not told, or nothing that can be */
    ctn_str used_money;    /* a decimal without an exponent; empty: not told */
} ctn_mcp_call_result;
/* value: structuredContent; else the text blocks, joined by newlines, parsed as JSON if they are JSON and all there is;
 * else {"text": ...}, with "content" beside it, as it came, when there are blocks of another kind: nothing is lost. */
int ctn_mcp_parse_call(ctn_arena *arena, const ctn_json *result, ctn_mcp_call_result *ret_result, ctn_err *err);

typedef struct ctn_mcp_progress {
    int64_t token;
    double progress, total; /* total < 0: unknown */
    ctn_str message;
} ctn_mcp_progress;
/* params of notifications/progress; false when they say nothing usable (tokens of ours are integers). */
bool ctn_mcp_parse_progress(const ctn_json *params, ctn_mcp_progress *ret_progress);
