/*
 * jsonrpc.h -- JSON-RPC 2.0 as lines: one message a line, in and out. Pure.
 *
 * MCP over stdio and the control socket speak this. Batches are not spoken (MCP dropped them), so an array is
 * no message. An id is a string or an integer, never null; it is kept as the value it was, so an answer repeats
 * it exactly. A message is read from, and written as, one whole line: a writer whose line does not fit
 * into the buffer leaves no part of it there (the buffer says overflowed).
 *
 * Limits  A line of CTN_RPC_LINE_BYTES_MAX, an id of CTN_RPC_ID_BYTES_MAX, JSON's own depth.
 */
#pragma once
#include "base/json.h"

#define CTN_RPC_LINE_BYTES_MAX   ((size_t) 16 << 20)
#define CTN_RPC_ID_BYTES_MAX     256
#define CTN_RPC_METHOD_BYTES_MAX 256

enum {
    CTN_RPC_PARSE_ERROR = -32700,
    CTN_RPC_INVALID_REQUEST = -32600,
    CTN_RPC_METHOD_NOT_FOUND = -32601,
    CTN_RPC_INVALID_PARAMS = -32602,
    CTN_RPC_INTERNAL_ERROR = -32603,
};

typedef enum ctn_rpc_kind {
    CTN_RPC_BROKEN, /* no message: see ctn_rpc_parse */
    CTN_RPC_REQUEST,
    CTN_RPC_NOTIFICATION,
    CTN_RPC_RESULT,
    CTN_RPC_ERROR,
} ctn_rpc_kind;

typedef struct ctn_rpc_message {
    ctn_rpc_kind kind;
    const ctn_json *id;     /* string or integer; NULL: none (a notification, an error to an unreadable request) */
    ctn_str method;         /* request, notification */
    const ctn_json *params; /* request, notification: an object, or NULL for none */
    const ctn_json *result; /* result */
    int64_t error_code;     /* error; broken: the code to answer with */
    ctn_str error_message;
    const ctn_json *error_data; /* NULL: none */
} ctn_rpc_message;

/* Everything returned lives in the arena. CTN_E_INVALID or CTN_E_LIMIT: the line is no message; *ret_message is
 * set nevertheless: BROKEN, with the code to answer with and the id if one could be read. */
int ctn_rpc_parse(ctn_arena *arena, ctn_str line, ctn_rpc_message *ret_message, ctn_err *err);

/* Of a line that is too long to be read: what its first or last bytes say of it. An answer is known by its id, a
 * number, and by having no method. The tail is asked when the head does not tell. */
typedef enum ctn_rpc_peeked {
    CTN_RPC_PEEK_UNKNOWN, /* these bytes do not tell */
    CTN_RPC_PEEK_ANSWER,  /* *ret_id is set */
    CTN_RPC_PEEK_OTHER,   /* a request or a notification, or no object */
} ctn_rpc_peeked;
ctn_rpc_peeked ctn_rpc_peek_head(ctn_str head, int64_t *ret_id);
ctn_rpc_peeked ctn_rpc_peek_tail(ctn_str tail, int64_t *ret_id);

/* Each appends one line with its newline, or nothing. params, data: NULL leaves the member out. */
void ctn_rpc_write_request(ctn_buf *out, int64_t id, const char *method, const ctn_json *params);
void ctn_rpc_write_notification(ctn_buf *out, const char *method, const ctn_json *params);
void ctn_rpc_write_result(ctn_buf *out, const ctn_json *id, const ctn_json *result);
/* id NULL: the member is left out (the request could not be read). */
void ctn_rpc_write_error(ctn_buf *out, const ctn_json *id, int64_t code, ctn_str message, const ctn_json *data);
