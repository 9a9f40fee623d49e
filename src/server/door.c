/*
 * door.c -- see door.h.
 */
#include "server/door.h"
#include <stdlib.h>
#include "base/memory.h"

#define RATE    5000
#define BUCKETS 4096 /* callers */
#define PROBES  8

struct ctn_door {
    const ctn_config_http *config;
    ctn_str address, port; /* "127.0.0.1:8642", "8642" */
    bool asks_host;
    char address_text[80];
    struct bucket {
        uint64_t who; /* a hash of the name; 0: nobody's */
        double left;  /* requests */
        int64_t at_ms;
    } buckets[BUCKETS];
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
    *door = (ctn_door){.config = config, .asks_host = is_loopback || config->host_count};
    size_t bytes = address.len < sizeof door->address_text ? address.len : sizeof door->address_text;
    memcpy(door->address_text, address.ptr, bytes);
    door->address = (ctn_str){door->address_text, bytes};
    door->port = port_of(door->address);
    return door;
}

void ctn_door_free(ctn_door *door)
{
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

/* ---- how often ---- */

/* His, or a free one; where there is neither, that of whoever came longest ago: he has forgotten by now. */
static struct bucket *bucket_of(ctn_door *door, uint64_t who)
{
    struct bucket *oldest = NULL;
    for (uint64_t i = 0; i < PROBES; i++) {
        struct bucket *b = &door->buckets[(who + i) % BUCKETS];
        if (b->who == who)
            return b;
        if (!oldest || b->at_ms < oldest->at_ms)
            oldest = b;
    }
    *oldest = (struct bucket){.who = who};
    return oldest;
}

bool ctn_door_may_come(ctn_door *door, ctn_str name, int64_t now_ms)
{
    struct bucket *b = bucket_of(door, ctn_str_hash(name) | 1);
    double rate = (double) (door->config->rate ? door->config->rate : RATE);
    double since_ms = b->at_ms && now_ms > b->at_ms ? (double) (now_ms - b->at_ms) : 0;
    b->left = b->at_ms ? b->left + since_ms * rate / 1000 : 2 * rate;
    b->left = b->left > 2 * rate ? 2 * rate : b->left;
    b->at_ms = now_ms;
    if (b->left < 1)
        return false;
    b->left--;
    return true;
}
