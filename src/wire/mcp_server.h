/*
 * mcp_server.h -- the server's side of MCP for a table of tools: a line in, answer lines out. Pure, both eras.
 *
 * A whole stdio server is then a loop over getline:
 *
 *     while (getline(&line, &capacity, stdin) > 0) {
 *         ctn_mcp_server_line(server, ctn_str_trim(ctn_str_from(line)), &out);
 *         fwrite(out.data, 1, out.len, stdout), fflush(stdout), ctn_buf_clear(&out);
 *     }
 *
 * Each request is answered by itself (modern: nothing is remembered); one bit is kept, that initialize was
 * seen, because only then may a request come without _meta. Answers to notifications and to answers are
 * nothing. Arguments are handed to the tool as they came: checking them is the tool's (say so by `error`).
 *
 * Ownership  The server copies nothing of the options' table: it must outlive the server.
 */
#pragma once
#include "wire/mcp.h"

typedef struct ctn_mcp_server ctn_mcp_server;

typedef struct ctn_mcp_server_call {
    size_t tool;                    /* index into the table */
    const ctn_json *arguments;      /* an object */
    ctn_str idempotency_key;        /* empty: none was sent */
    const ctn_json *progress_token; /* NULL: nobody wants progress */
    ctn_arena *arena;               /* for the reply; gone after the line */
    ctn_buf *out;                   /* for ctn_mcp_write_progress */
} ctn_mcp_server_call;

typedef struct ctn_mcp_server_reply {
    const ctn_json *value;  /* the result: goes out as structuredContent and as text; NULL: only text */
    ctn_str text;           /* when there is no value */
    ctn_str error;          /* not empty: the tool failed, and why (isError) */
    const char *failure;    /* with error: timeout (nobody knows whether it happened), unavailable (it did not, and may
                             * later); NULL: it did not, for good */
    const ctn_json *usage;  /* {tokens, money}: what the call used up; NULL: not told */
    int64_t protocol_error; /* not 0: a JSON-RPC error with this code and `error` as its message */
} ctn_mcp_server_reply;

typedef struct ctn_mcp_server_tool {
    const char *name, *title, *description; /* title and description may be NULL */
    const char *input_schema;               /* JSON text, "type": "object"; NULL: takes no arguments */
    const char *output_schema;              /* JSON text; NULL: none */
    bool is_read_only, is_idempotent;
    bool is_additive;     /* not destructive */
    bool is_closed_world; /* deals with nothing outside */
} ctn_mcp_server_tool;

typedef struct ctn_mcp_server_options {
    const char *name, *version;
    const char *instructions; /* NULL: none */
    const ctn_mcp_server_tool *tools;
    size_t tool_count;
    size_t tools_per_page; /* 0: all on one */
    void (*call)(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply);
    void *ctx;
    bool without_modern, without_legacy; /* for tests: pretend to be of one era */
} ctn_mcp_server_options;

/* CTN_E_INVALID: a schema in the table is not JSON, naming the tool. */
int ctn_mcp_server_new(const ctn_mcp_server_options *options, ctn_mcp_server **ret_server, ctn_err *err);
void ctn_mcp_server_free(ctn_mcp_server *server); /* NULL is fine */
/* Appends the answer, if there is one. An answer too large for `out` becomes an internal error with that reason. */
void ctn_mcp_server_line(ctn_mcp_server *server, ctn_str line, ctn_buf *out);

/* notifications/progress for a call under way; total < 0: unknown. Nothing when token is NULL. */
void ctn_mcp_write_progress(ctn_buf *out, ctn_arena *scratch, const ctn_json *token, int64_t progress, int64_t total,
                            ctn_str message);
