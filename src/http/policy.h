/*
 * policy.h -- who may be reached: what kind of network an address stands for, and whether a policy allows it.
 *
 * Judged by the address that is connected to, so a name that leads elsewhere the second time (DNS rebinding) gains
 * nothing. IPv6 addresses that carry an IPv4 one (mapped, compatible, 6to4, NAT64) are judged by what they carry.
 */
#pragma once
#include <sys/socket.h>

#include "http/http.h"

typedef enum ctn_network {
    CTN_NETWORK_PUBLIC,
    CTN_NETWORK_LOOPBACK,
    CTN_NETWORK_PRIVATE,
    CTN_NETWORK_NEVER, /* link-local, metadata services, multicast, nobody's: no request of ours is meant for these */
} ctn_network;

ctn_network ctn_network_of(const struct sockaddr *address); /* any other family: NEVER */
ctn_network ctn_network_of_text(const char *address);       /* as inet_pton reads it */

/* A hop, and what the policy says of it. */
typedef struct ctn_hop {
    bool is_cleartext;   /* http, not https */
    bool names_loopback; /* the URL itself says so: localhost, 127/8, ::1 */
    bool is_strangers;   /* a redirect from elsewhere named it, not the caller */
} ctn_hop;
/* NULL: it may be reached; else the sentence that says why not. */
const char *ctn_policy_objection(const ctn_http_policy *policy, const ctn_hop *hop, ctn_network network);
/* The same for a hop through a proxy, where only the proxy sees the address: by what the URL names. */
const char *ctn_policy_proxy_objection(const ctn_http_policy *policy, const ctn_hop *hop, ctn_str host);
