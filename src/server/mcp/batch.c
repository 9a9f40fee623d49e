/*
 * batch.c -- several messages in an array, which revision 2025-03-26 has and no other: each is taken as if it had come
 * alone. Over HTTP their answers are collected, and the last one sends them off as an array; over a pipe each goes when
 * it is there.
 */
#include <stdlib.h>
#include "base/memory.h"
#include "server/mcp/internal.h"

#define MESSAGES_MAX 100

struct ctn_mcp_batch {
    ctn_mcp_endpoint *endpoint;
    ctn_mcp_channel inner; /* what the messages are taken with */
    ctn_mcp_channel *outer;
    size_t open_count; /* over HTTP every message is answered, if only with 202 */
    ctn_buf answers;
    struct ctn_mcp_batch *next;
};

bool ctn_mcp_is_batch(ctn_str text)
{
    text = ctn_str_trim(text);
    return text.len && text.ptr[0] == '[';
}

static void free_batch(ctn_mcp_batch *batch)
{
    for (ctn_mcp_batch **at = &batch->endpoint->batches; *at; at = &(*at)->next)
        if (*at == batch) {
            *at = batch->next;
            break;
        }
    ctn_buf_done(&batch->answers);
    free(batch);
}

static void send_on(ctn_mcp_channel *inner, ctn_str message)
{
    ctn_mcp_batch *batch = inner->ctx;
    batch->outer->send(batch->outer, message);
}

static void answer_later(ctn_mcp_channel *inner, int http_status, ctn_str message)
{
    ctn_mcp_batch *batch = inner->ctx;
    (void) http_status;
    if (message.len) {
        ctn_buf_append_char(&batch->answers, batch->answers.len ? ',' : '[');
        ctn_buf_append(&batch->answers, message);
    }
    if (--batch->open_count)
        return;
    bool is_empty = batch->answers.len == 0;
    if (!is_empty)
        ctn_buf_append_char(&batch->answers, ']');
    if (batch->answers.overflowed)
        ctn_mcp_refuse(batch->endpoint, batch->outer, NULL, 200, CTN_RPC_INTERNAL_ERROR,
                       CTN_STR("the answers are larger than a message may be"));
    else
        batch->outer->answer(batch->outer, is_empty ? 202 : 200, ctn_buf_str(&batch->answers));
    free_batch(batch);
}

void ctn_mcp_batch_drop(ctn_mcp_endpoint *e, ctn_mcp_channel *outer)
{
    ctn_mcp_batch *batch = e->batches;
    while (batch && outer && batch->outer != outer)
        batch = batch->next;
    if (!batch)
        return;
    ctn_mcp_endpoint_channel_gone(e, &batch->inner);
    free_batch(batch);
}

static bool is_allowed(const ctn_mcp_channel *channel, const ctn_mcp_headers *headers)
{
    if (headers)
        return !headers->protocol_version.ptr || ctn_str_is(headers->protocol_version, "2025-03-26");
    return channel->pipe && ctn_str_is(channel->pipe->version, "2025-03-26");
}

void ctn_mcp_take_batch(ctn_mcp_endpoint *e, ctn_mcp_channel *channel, ctn_str text, const ctn_mcp_headers *headers)
{
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *list = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(arena, text, NULL, &list, &err)) {
        ctn_mcp_refuse(e, channel, NULL, 400, CTN_RPC_PARSE_ERROR, ctn_str_from(err.message));
    } else if (!is_allowed(channel, headers) || list->count == 0 || list->count > MESSAGES_MAX) {
        ctn_mcp_refuse(e, channel, NULL, 400, CTN_RPC_INVALID_REQUEST,
                       list->count > MESSAGES_MAX ? CTN_STR("at most 100 messages come in one array")
                                                  : CTN_STR("a message must be an object: only revision 2025-03-26 has "
                                                            "arrays of them"));
    } else if (!channel->is_http) {
        for (size_t i = 0; i < list->count; i++)
            ctn_mcp_take_one(e, channel, ctn_json_to_str(arena, ctn_json_at(list, i)), NULL);
    } else {
        ctn_mcp_batch *batch = ctn_malloc(sizeof *batch);
        *batch = (ctn_mcp_batch){
            .endpoint = e, .outer = channel, .inner = *channel, .open_count = list->count, .next = e->batches};
        batch->inner.ctx = batch;
        batch->inner.send = send_on;
        batch->inner.answer = answer_later;
        ctn_buf_init(&batch->answers, CTN_RPC_LINE_BYTES_MAX);
        e->batches = batch;
        for (size_t i = 0, count = list->count; i < count; i++) /* the last answer may come from inside, and free it */
            ctn_mcp_take_one(e, &batch->inner, ctn_json_to_str(arena, ctn_json_at(list, i)), headers);
    }
    ctn_arena_free(arena);
}
