/*
 * door.c -- see door.h.
 */
#include "server/door.h"
#include <stdlib.h>
#include "base/box.h"
#include "base/memory.h"
#include "host/config_where.h"

#define TOKENS_AGE_MS_MAX 1000
#define RATE              5000
#define BEARER            CTN_STR("bearer ")

struct ctn_door {
    const ctn_config_http *config;
    ctn_str address, port; /* "127.0.0.1:8642", "8642" */
    bool asks_host;
    char address_text[80];
    ctn_arena *arena; /* the tokens as they were read; wiped before it is read again */
    ctn_str *tokens;  /* by the configuration's order; empty: cannot be had */
    int64_t read_at_ms;
    struct bucket {
        double left; /* requests */
        int64_t at_ms;
    } * buckets; /* by the configuration's order; the last one is of who comes without a token */
};

static ctn_str port_of(ctn_str address)
{
    size_t at = address.len;
    while (at > 0 && address.ptr[at - 1] != ':' && address.ptr[at - 1] != ']')
        at--;
    return at > 0 && address.ptr[at - 1] == ':' ? ctn_str_from_offset(address, at) : (ctn_str){0};
}

static ctn_str name_of(ctn_str address)
{
    ctn_str port = port_of(address);
    return port.ptr ? (ctn_str){address.ptr, address.len - port.len - 1} : address;
}

ctn_door *ctn_door_new(const ctn_config_http *config, ctn_str address, bool is_loopback)
{
    ctn_door *door = ctn_malloc(sizeof *door);
    *door = (ctn_door){.config = config, .arena = ctn_arena_new(1024), .asks_host = is_loopback || config->host_count};
    size_t bytes = address.len < sizeof door->address_text ? address.len : sizeof door->address_text;
    memcpy(door->address_text, address.ptr, bytes);
    door->address = (ctn_str){door->address_text, bytes};
    door->port = port_of(door->address);
    door->buckets = ctn_calloc(config->token_count + 1, sizeof *door->buckets);
    return door;
}

static void forget_tokens(ctn_door *door)
{
    for (size_t i = 0; door->tokens && i < door->config->token_count; i++)
        if (door->tokens[i].len)
            explicit_bzero((char *) door->tokens[i].ptr, door->tokens[i].len);
    door->tokens = NULL;
    ctn_arena_reset(door->arena);
}

void ctn_door_free(ctn_door *door)
{
    if (!door)
        return;
    forget_tokens(door);
    ctn_arena_free(door->arena);
    free(door->buckets);
    free(door);
}

/* ---- Host and Origin ---- */

/* Without a port in what is configured any is meant; our own names have ours. */
static bool is_our_host(const ctn_door *door, ctn_str host)
{
    static const char *const LOCAL[] = {"localhost", "127.0.0.1", "[::1]"};
    ctn_str name = name_of(host), port = port_of(host);
    bool is_our_port = ctn_str_equal(port, door->port) || (!port.ptr && ctn_str_is(door->port, "80"));
    if (is_our_port && ctn_str_equal_any_case(name, name_of(door->address)))
        return true;
    for (size_t i = 0; is_our_port && i < sizeof LOCAL / sizeof *LOCAL; i++)
        if (ctn_str_equal_any_case(name, ctn_str_from(LOCAL[i])))
            return true;
    for (size_t i = 0; i < door->config->host_count; i++)
        if (ctn_str_equal_any_case(host, door->config->hosts[i]) ||
            ctn_str_equal_any_case(name, door->config->hosts[i]))
            return true;
    return false;
}

static bool is_our_origin(const ctn_door *door, ctn_str origin)
{
    for (size_t i = 0; i < door->config->origin_count; i++)
        if (ctn_str_equal_any_case(origin, door->config->origins[i]))
            return true;
    ctn_str host = origin;
    size_t at = ctn_str_find(origin, CTN_STR("://"));
    bool is_web = at != SIZE_MAX &&
                  (ctn_str_starts_with(origin, CTN_STR("http://")) || ctn_str_starts_with(origin, CTN_STR("https://")));
    host = ctn_str_from_offset(origin, is_web ? at + 3 : origin.len);
    return is_web && is_our_host(door, host);
}

const char *ctn_door_foreign(const ctn_door *door, const ctn_web_header *headers, size_t count)
{
    ctn_str host = ctn_str_trim(ctn_web_header_of(headers, count, "host"));
    ctn_str origin = ctn_web_header_of(headers, count, "origin");
    if (door->asks_host && !is_our_host(door, host))
        return "this is not the server of that name (http: hosts)";
    if (origin.ptr && !is_our_origin(door, ctn_str_trim(origin)))
        return "requests of that web page are not allowed (http: origins)";
    return NULL;
}

/* ---- tokens ---- */

static void read_tokens(ctn_door *door, int64_t now_ms)
{
    forget_tokens(door);
    door->read_at_ms = now_ms;
    door->tokens = CTN_NEW_ARRAY(door->arena, ctn_str, door->config->token_count);
    for (size_t i = 0; i < door->config->token_count; i++)
        if (ctn_config_where_text(&door->config->tokens[i].where, door->arena, &door->tokens[i], NULL))
            door->tokens[i] = (ctn_str){0};
}

static ctn_door_verdict let_in(ctn_door *door, size_t holder, int64_t now_ms)
{
    struct bucket *b = &door->buckets[holder];
    double rate = (double) (door->config->rate ? door->config->rate : RATE);
    double since_ms = b->at_ms && now_ms > b->at_ms ? (double) (now_ms - b->at_ms) : 0;
    b->left = b->at_ms ? b->left + since_ms * rate / 1000 : 2 * rate;
    b->left = b->left > 2 * rate ? 2 * rate : b->left;
    b->at_ms = now_ms;
    if (b->left < 1)
        return CTN_DOOR_OFTEN;
    b->left--;
    return CTN_DOOR_OPEN;
}

ctn_door_verdict ctn_door_who(ctn_door *door, const ctn_web_header *headers, size_t count, int64_t now_ms,
                              ctn_str *ret_principal)
{
    ctn_str said = ctn_str_trim(ctn_web_header_of(headers, count, "authorization"));
    if (door->config->token_count == 0) {
        *ret_principal = CTN_STR("anonymous");
        return let_in(door, 0, now_ms);
    }
    if (said.len <= BEARER.len || !ctn_str_equal_any_case((ctn_str){said.ptr, BEARER.len}, BEARER))
        return CTN_DOOR_UNKNOWN;
    said = ctn_str_trim(ctn_str_from_offset(said, BEARER.len));
    if (!door->tokens || now_ms < door->read_at_ms || now_ms - door->read_at_ms > TOKENS_AGE_MS_MAX)
        read_tokens(door, now_ms);
    size_t holder = SIZE_MAX;
    for (size_t i = 0; i < door->config->token_count; i++) /* all of them: which one it is shall not be told by time */
        if (door->tokens[i].len && ctn_secret_equal(said, door->tokens[i]))
            holder = i;
    if (holder == SIZE_MAX)
        return CTN_DOOR_UNKNOWN;
    *ret_principal = door->config->tokens[holder].where.name;
    return let_in(door, holder, now_ms);
}
