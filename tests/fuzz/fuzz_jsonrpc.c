/*
 * Any bytes as a JSON-RPC line: no crash, and a message that parses keeps its meaning through write and parse.
 */
#include <stdlib.h>
#include "wire/jsonrpc.h"

static void check_same(const ctn_json *a, const ctn_json *b)
{
    if ((a == NULL) != (b == NULL) || (a && !ctn_json_equal(a, b)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_buf out;
    ctn_buf_init(&out, 1 << 22);
    ctn_rpc_message m;
    ctn_err err;
    int rc = ctn_rpc_parse(arena, (ctn_str){(const char *) data, size}, &m, &err);
    if ((rc != CTN_OK) != (m.kind == CTN_RPC_BROKEN))
        abort();
    if (m.kind == CTN_RPC_RESULT)
        ctn_rpc_write_result(&out, m.id, m.result);
    else if (m.kind == CTN_RPC_ERROR)
        ctn_rpc_write_error(&out, m.id, m.error_code, m.error_message, m.error_data);
    if (out.len > 0) {
        ctn_rpc_message again;
        if (memchr(out.data, '\n', out.len - 1) || ctn_rpc_parse(arena, (ctn_str){out.data, out.len - 1}, &again, &err))
            abort();
        if (again.kind != m.kind || again.error_code != m.error_code)
            abort();
        check_same(m.id, again.id);
        check_same(m.result, again.result);
        check_same(m.error_data, again.error_data);
    }
    int64_t id = 0;
    ctn_str line = {(const char *) data, size};
    if (ctn_rpc_peek_head(line, &id) == CTN_RPC_PEEK_ANSWER && id <= 0)
        abort();
    if (ctn_rpc_peek_tail(line, &id) == CTN_RPC_PEEK_ANSWER && id <= 0)
        abort();
    ctn_buf_done(&out);
    ctn_arena_free(arena);
    return 0;
}
