/*
 * peer_gossip -- a tool server for tests that cannot keep anything to itself.
 *
 * Of every call it tells its arguments, and the variable GOSSIP_SECRET of its environment, wherever a server can tell
 * something: on stderr, in progress, in the sentence of a failure, in its last words. Tools: hear (answers with what it
 * was told), refuse (fails), issue (answers with the text of the file GOSSIP_ISSUE names), book and unbook (a write and
 * its undo), unbook_badly (fails), looked (was it booked? no), slow (takes `ms`), die (ends in the call), vanish
 * (ends without a word, so its last ones are of earlier calls), leak (answers with the secret).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "wire/mcp_server.h"

enum { HEAR, REFUSE, ISSUE, BOOK, UNBOOK, UNBOOK_BADLY, LOOKED, SLOW, DIE, VANISH, LEAK, TOOL_COUNT };
#define ANY "{\"type\":\"object\"}"
static const ctn_mcp_server_tool TOOLS[TOOL_COUNT] = {
    [HEAR] = {.name = "hear", .input_schema = ANY, .is_idempotent = true},
    [REFUSE] = {.name = "refuse", .input_schema = ANY, .is_idempotent = true},
    [ISSUE] = {.name = "issue", .input_schema = ANY, .is_idempotent = true},
    [BOOK] = {.name = "book", .input_schema = ANY},
    [UNBOOK] = {.name = "unbook", .input_schema = ANY, .is_idempotent = true},
    [UNBOOK_BADLY] = {.name = "unbook_badly", .input_schema = ANY, .is_idempotent = true},
    [LOOKED] = {.name = "looked", .input_schema = ANY, .is_read_only = true},
    [SLOW] = {.name = "slow", .input_schema = ANY},
    [DIE] = {.name = "die", .input_schema = ANY, .is_idempotent = true},
    [VANISH] = {.name = "vanish", .input_schema = ANY, .is_idempotent = true},
    [LEAK] = {.name = "leak", .input_schema = ANY, .is_idempotent = true},
};

static ctn_str issued(ctn_arena *arena)
{
    char text[200] = "";
    const char *name = getenv("GOSSIP_ISSUE");
    FILE *file = name ? fopen(name, "re") : NULL;
    size_t count = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        (void) fclose(file);
    return ctn_arena_str(arena, (ctn_str){text, count});
}

static void on_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    (void) ctx;
    if (call->tool == VANISH)
        _exit(3);
    const char *secret = getenv("GOSSIP_SECRET");
    ctn_str said =
        ctn_arena_printf(call->arena, "I was told %.*s and I know %s",
                         CTN_STR_ARG(ctn_json_to_str(call->arena, call->arguments)), secret ? secret : "nothing");
    (void) fprintf(stderr, "%.*s\n", CTN_STR_ARG(said));
    ctn_mcp_write_progress(call->out, call->arena, call->progress_token, 1, 2, said);
    (void) fwrite(call->out->data, 1, call->out->len, stdout);
    (void) fflush(stdout);
    ctn_buf_clear(call->out);
    ctn_json_builder value = ctn_json_object(call->arena);
    switch (call->tool) {
    case ISSUE: ctn_json_put_str(&value, "number", issued(call->arena)); break;
    case BOOK: ctn_json_put_str(&value, "booking", CTN_STR("B-1")); break;
    case LOOKED: ctn_json_put_bool(&value, "happened", false); break;
    case REFUSE:
    case UNBOOK_BADLY: ret_reply->error = said; return;
    case DIE: _exit(3);
    case LEAK: ctn_json_put_str(&value, "told", said); break;
    case SLOW: {
        int64_t ms = ctn_json_int_or(call->arguments, "ms", 0);
        struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
        (void) nanosleep(&span, NULL);
        break;
    }
    default: ctn_json_put(&value, CTN_STR("heard"), call->arguments); break;
    }
    ret_reply->value = ctn_json_finish(&value);
}

int main(void)
{
    ctn_mcp_server *server = NULL;
    ctn_err err;
    ctn_mcp_server_options options = {
        .name = "gossip", .version = "1", .tools = TOOLS, .tool_count = TOOL_COUNT, .call = on_call};
    if (ctn_mcp_server_new(&options, &server, &err))
        return 2;
    ctn_buf out;
    ctn_buf_init(&out, 1 << 20);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    while ((len = getline(&line, &capacity, stdin)) > 0) {
        ctn_mcp_server_line(server, ctn_str_trim((ctn_str){line, (size_t) len}), &out);
        (void) fwrite(out.data, 1, out.len, stdout);
        (void) fflush(stdout);
        ctn_buf_clear(&out);
    }
    free(line);
    ctn_mcp_server_free(server);
    ctn_buf_done(&out);
    return 0;
}
