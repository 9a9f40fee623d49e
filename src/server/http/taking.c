/*
 * taking.c -- a request arrives: its head is looked at and admitted, its body gathered, and then it is handed over, or
 * refused.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "server/http/guard.h"
#include "server/http/parts.h"

#define BODIES_BYTES_MAX ((size_t) 512 << 20) /* of all that arrive at once */

static enum MHD_Result count_header(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                    const char *value, size_t value_len)
{
    (void) kind, (void) name, (void) name_len, (void) value, (void) value_len;
    ++*(size_t *) ctx;
    return MHD_YES;
}

static enum MHD_Result keep_header(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                   const char *value, size_t value_len)
{
    ctn_web_request *r = ctx;
    (void) kind;
    ((ctn_web_header *) r->ask.headers)[r->ask.header_count++] =
        (ctn_web_header){ctn_arena_str(r->arena, (ctn_str){name, name_len}),
                         ctn_arena_str(r->arena, (ctn_str){value ? value : "", value ? value_len : 0})};
    return MHD_YES;
}

static enum MHD_Result keep_argument(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                     const char *value, size_t value_len)
{
    ctn_web_request *r = ctx;
    (void) kind;
    ((ctn_web_header *) r->ask.query)[r->ask.query_count++] =
        (ctn_web_header){ctn_arena_str(r->arena, (ctn_str){name, name_len}),
                         ctn_arena_str(r->arena, (ctn_str){value ? value : "", value ? value_len : 0})};
    return MHD_YES;
}

static ctn_str from_of(ctn_web_request *r)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    char text[INET6_ADDRSTRLEN] = "";
    if (address && address->sa_family == AF_INET)
        (void) inet_ntop(AF_INET, &((const struct sockaddr_in *) address)->sin_addr, text, sizeof text);
    else if (address && address->sa_family == AF_INET6)
        (void) inet_ntop(AF_INET6, &((const struct sockaddr_in6 *) address)->sin6_addr, text, sizeof text);
    return ctn_arena_str(r->arena, ctn_str_from(text));
}

static void read_query(ctn_web_request *r)
{
    size_t count = 0;
    (void) MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, count_header, &count);
    r->ask.query = CTN_NEW_ARRAY(r->arena, ctn_web_header, count);
    (void) MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, keep_argument, r);
}

static void read_headers(ctn_web_request *r, const char *method, const char *path)
{
    size_t count = 0;
    (void) MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, count_header, &count);
    r->ask.headers = CTN_NEW_ARRAY(r->arena, ctn_web_header, count);
    (void) MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, keep_header, r);
    r->ask.method = ctn_arena_str(r->arena, ctn_str_from(method));
    r->ask.path = ctn_arena_str(r->arena, ctn_str_from(path));
    r->ask.from = from_of(r);
    read_query(r);
}

static enum MHD_Result begin(ctn_web_request *r, const char *method, const char *path)
{
    int64_t length = 0;
    read_headers(r, method, path);
    const char *fault = ctn_web_guard(r->ask.headers, r->ask.header_count);
    if (fault)
        return ctn_web_refuse(r, 400, fault);
    if (ctn_str_to_int64(ctn_web_header_of(r->ask.headers, r->ask.header_count, "content-length"), &length) &&
        (uint64_t) length > r->web->of.body_bytes_max)
        return ctn_web_refuse(r, 413, "the body is too large");
    r->is_inside = true;
    if (r->web->of.admit)
        r->web->of.admit(r->web->of.ctx, r);
    r->is_inside = false;
    return MHD_YES;
}

/* What comes after the limit, or of whom was answered already, is read and thrown away, or else the client would not
 * read our answer. */
static enum MHD_Result take_bytes(ctn_web_request *r, const char *bytes, size_t *count)
{
    r->is_one_too_many = r->is_one_too_many || r->web->body_bytes + *count > BODIES_BYTES_MAX;
    if (!r->is_too_large && !r->is_one_too_many && !r->response) {
        ctn_buf_append(&r->body, (ctn_str){bytes, *count});
        r->web->body_bytes += r->body.overflowed ? 0 : *count;
    }
    r->is_too_large = r->body.overflowed;
    *count = 0;
    return r->is_lost ? MHD_NO : MHD_YES;
}

static enum MHD_Result hand_over(ctn_web_request *r)
{
    r->is_whole = true;
    ctn_web_move(r, &r->web->taken);
    if (r->response) /* by `admit` */
        return ctn_web_queue(r);
    r->web->open_count++;
    r->ask.body = ctn_buf_str(&r->body);
    r->is_inside = true;
    r->web->of.take(r->web->of.ctx, r);
    r->is_inside = false;
    if (r->response)
        return ctn_web_queue(r);
    ctn_web_suspend(r);
    return MHD_YES;
}

enum MHD_Result ctn_web_on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                                   const char *version, const char *bytes, size_t *count, void **request)
{
    ctn_web_request *r = *request;
    (void) ctx, (void) version;
    assert(r && r->connection == connection);
    if (!r->ask.method.ptr)
        return begin(r, method, path);
    if (*count)
        return take_bytes(r, bytes, count);
    if (r->is_queued)
        return MHD_YES;
    if (r->is_lost)
        return MHD_NO;
    if (r->is_too_large)
        return ctn_web_refuse(r, 413, "the body is too large");
    if (r->is_one_too_many)
        return ctn_web_refuse(r, 503, "so much arrives at once that there is no room for this; come again");
    if (!r->is_whole)
        return hand_over(r);
    if (r->response)
        return ctn_web_queue(r);
    return MHD_NO; /* resumed for nothing: it was gone */
}
