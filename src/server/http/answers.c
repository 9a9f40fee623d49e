/*
 * answers.c -- what a request is answered: a body, or a stream that grows until it is ended (server/web.h).
 *
 * A stream that its client does not read fast enough is cut off when more waits than may.
 */
#include <assert.h>
#include "base/memory.h"
#include "host/access.h"
#include "server/http/parts.h"

#define STREAM_BLOCK 1024 /* of clients of HTTP/1.0 only: chunks go through the connection's own memory */
#define STREAM_KEEP  1024 /* a stream that waits keeps no more than this */

const ctn_web_ask *ctn_web_ask_of(const ctn_web_request *r)
{
    return &r->ask;
}

ctn_arena *ctn_web_arena(ctn_web_request *r)
{
    return r->arena;
}

void ctn_web_set_caller(ctn_web_request *r, const struct ctn_caller *caller)
{
    r->caller = caller;
    r->caller_name = caller ? ctn_arena_str(r->arena, caller->name) : (ctn_str){0};
}

void ctn_web_set_operation(ctn_web_request *r, const char *operation)
{
    r->operation = operation;
}

const struct ctn_caller *ctn_web_caller(const ctn_web_request *r)
{
    return r->caller;
}

void ctn_web_when_gone(ctn_web_request *r, void (*gone)(void *ctx), void *ctx)
{
    r->gone = gone;
    r->gone_ctx = ctx;
}

static void set_response(ctn_web_request *r, int status, struct MHD_Response *response, const ctn_web_header *headers,
                         size_t count)
{
    if (!response)
        ctn_memory_gone(sizeof *r);
    if (r->web->is_draining)
        (void) MHD_add_response_header(response, "Connection", "close");
    for (size_t i = 0; i < count; i++)
        (void) MHD_add_response_header(response, ctn_arena_str(r->arena, headers[i].name).ptr,
                                       ctn_arena_str(r->arena, headers[i].value).ptr);
    r->status = status;
    r->response = response;
}

enum MHD_Result ctn_web_queue(ctn_web_request *r)
{
    r->is_queued = true;
    return MHD_queue_response(r->connection, (unsigned) r->status, r->response);
}

enum MHD_Result ctn_web_refuse(ctn_web_request *r, int status, const char *sentence)
{
    ctn_str body = ctn_arena_printf(r->arena, "{\"error\":\"%s\"}\n", sentence);
    const ctn_web_header headers[] = {{CTN_STR("Content-Type"), CTN_STR("application/json")},
                                      {CTN_STR("Connection"), CTN_STR("close")}};
    r->is_over = true;
    r->bytes_out = body.len;
    set_response(r, status, MHD_create_response_from_buffer(body.len, (void *) body.ptr, MHD_RESPMEM_MUST_COPY),
                 headers, 2);
    return ctn_web_queue(r);
}

/* From inside a callback the library goes on by itself. */
static void go_on(ctn_web_request *r)
{
    if (!r->is_inside)
        ctn_web_resume(r);
}

void ctn_web_answer(ctn_web_request *r, int status, const ctn_web_header *headers, size_t count, ctn_str body)
{
    assert(!r->is_over && !r->response);
    ctn_web_over(r);
    r->bytes_out = body.len;
    set_response(r, status, MHD_create_response_from_buffer(body.len, (void *) body.ptr, MHD_RESPMEM_MUST_COPY),
                 headers, count);
    go_on(r);
}

/* The library wants more of a stream: what there is, or it waits. */
static ssize_t read_stream(void *ctx, uint64_t at, char *out, size_t room)
{
    ctn_web_request *r = ctx;
    (void) at;
    if (r->is_lost)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (r->stream.len == 0 && r->is_over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (r->stream.len == 0) {
        ctn_web_suspend(r);
        return 0;
    }
    size_t bytes = r->stream.len < room ? r->stream.len : room;
    memcpy(out, r->stream.data, bytes);
    ctn_buf_consume(&r->stream, bytes);
    r->bytes_out += bytes;
    if (r->stream.len == 0 && r->stream.capacity > STREAM_KEEP)
        ctn_buf_done(&r->stream);
    return (ssize_t) bytes;
}

void ctn_web_stream(ctn_web_request *r, int status, const ctn_web_header *headers, size_t count)
{
    assert(!r->is_over && !r->response);
    r->is_stream = true;
    ctn_buf_init(&r->stream, r->web->of.stream_bytes_max);
    set_response(r, status, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, r, NULL),
                 headers, count);
    go_on(r);
}

bool ctn_web_send(ctn_web_request *r, ctn_str bytes)
{
    assert(r->is_stream && !r->is_over);
    ctn_buf_append(&r->stream, bytes);
    if (r->stream.overflowed && !r->is_lost)
        ctn_web_cut_off(r); /* the watch tells */
    go_on(r);
    return !r->is_lost;
}

size_t ctn_web_waiting_bytes(const ctn_web_request *r)
{
    return r->stream.len;
}

void ctn_web_end(ctn_web_request *r)
{
    assert(r->is_stream && !r->is_over);
    ctn_web_over(r);
    go_on(r);
}
