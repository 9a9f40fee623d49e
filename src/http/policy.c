/*
 * policy.c -- who may be reached: what kind of network an address stands for, and whether a policy allows it.
 *
 * The tables are those of IANA (special-purpose addresses) as far as a machine could answer there. What is in no table
 * is public. The order matters: the first row that holds the address says what it is.
 */
#include "http/policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

typedef struct range4 {
    uint32_t first;
    unsigned bits;
    ctn_network network;
} range4;

static const range4 RANGES4[] = {
    {0x00000000, 8, CTN_NETWORK_NEVER},    /* 0/8: "this" network; Linux takes 0.0.0.0 for itself */
    {0x7f000000, 8, CTN_NETWORK_LOOPBACK}, /* 127/8 */
    {0xa9fe0000, 16, CTN_NETWORK_NEVER},   /* 169.254/16: link-local, where clouds keep their metadata */
    {0x646464c8, 32, CTN_NETWORK_NEVER},   /* 100.100.100.200: metadata */
    {0xc00000c0, 32, CTN_NETWORK_NEVER},   /* 192.0.0.192: metadata */
    {0xa83f8110, 32, CTN_NETWORK_NEVER},   /* 168.63.129.16: the host of a virtual machine, public as it looks */
    {0x0a000000, 8, CTN_NETWORK_PRIVATE},  /* 10/8 */
    {0xac100000, 12, CTN_NETWORK_PRIVATE}, /* 172.16/12 */
    {0xc0a80000, 16, CTN_NETWORK_PRIVATE}, /* 192.168/16 */
    {0x64400000, 10, CTN_NETWORK_PRIVATE}, /* 100.64/10: shared by a provider's customers */
    {0xc0000000, 24, CTN_NETWORK_PRIVATE}, /* 192.0.0/24: of protocols */
    {0xc0000200, 24, CTN_NETWORK_PRIVATE}, /* 192.0.2/24, 198.51.100/24, 203.0.113/24: documentation */
    {0xc6336400, 24, CTN_NETWORK_PRIVATE}, {0xcb007100, 24, CTN_NETWORK_PRIVATE},
    {0xc6120000, 15, CTN_NETWORK_PRIVATE}, /* 198.18/15: benchmarks */
    {0xe0000000, 4, CTN_NETWORK_NEVER},    /* 224/4: multicast */
    {0xf0000000, 4, CTN_NETWORK_NEVER},    /* 240/4: reserved, and broadcast */
};

typedef struct range6 {
    uint8_t first[16];
    unsigned bits;
    ctn_network network;
} range6;

static const range6 RANGES6[] = {
    {{[15] = 1}, 128, CTN_NETWORK_LOOPBACK},                                           /* ::1 */
    {{0}, 128, CTN_NETWORK_NEVER},                                                     /* :: */
    {{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}, 128, CTN_NETWORK_NEVER},      /* metadata */
    {{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54}, 128, CTN_NETWORK_NEVER},      /* metadata */
    {{0xfd, 0x00, 0x00, 0xc1, [12] = 0xa9, 0xfe, 0xa9, 0xfe}, 128, CTN_NETWORK_NEVER}, /* metadata */
    {{0xfc}, 7, CTN_NETWORK_PRIVATE},                                                  /* fc00::/7 */
    {{0xfe, 0x80}, 10, CTN_NETWORK_NEVER},                                             /* link-local */
    {{0xfe, 0xc0}, 10, CTN_NETWORK_PRIVATE},                                           /* site-local, of old */
    {{0xff}, 8, CTN_NETWORK_NEVER},                                                    /* multicast */
    {{0x20, 0x01, 0x00, 0x00}, 32, CTN_NETWORK_NEVER},                                 /* Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, CTN_NETWORK_PRIVATE},                               /* documentation */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, CTN_NETWORK_PRIVATE},                   /* NAT64 of one's own */
    {{0x01, 0x00}, 64, CTN_NETWORK_NEVER},                                             /* discarded */
};

/* Prefixes before an IPv4 address, and where in the address it stands. */
static const struct {
    uint8_t first[16];
    unsigned bits, at;
} CARRIERS[] = {
    {{[10] = 0xff, [11] = 0xff}, 96, 12}, /* ::ffff:0:0/96: mapped */
    {{[8] = 0xff, [9] = 0xff}, 96, 12},   /* ::ffff:0:0:0/96: translated */
    {{0}, 96, 12},                        /* ::/96: compatible, of old; :: and ::1 come before */
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12},   /* 64:ff9b::/96: NAT64 */
    {{0x20, 0x02}, 16, 2},                /* 2002::/16: 6to4 */
};

static ctn_network network_of4(uint32_t address)
{
    for (size_t i = 0; i < sizeof RANGES4 / sizeof *RANGES4; i++)
        if ((address ^ RANGES4[i].first) >> (32 - RANGES4[i].bits) == 0)
            return RANGES4[i].network;
    return CTN_NETWORK_PUBLIC;
}

static bool is_within(const uint8_t *address, const uint8_t *first, unsigned bits)
{
    unsigned rest = bits % 8;
    return memcmp(address, first, bits / 8) == 0 &&
           (rest == 0 || (address[bits / 8] ^ first[bits / 8]) >> (8 - rest) == 0);
}

static ctn_network network_of6(const uint8_t *address)
{
    for (size_t i = 0; i < sizeof RANGES6 / sizeof *RANGES6; i++)
        if (is_within(address, RANGES6[i].first, RANGES6[i].bits))
            return RANGES6[i].network;
    for (size_t i = 0; i < sizeof CARRIERS / sizeof *CARRIERS; i++)
        if (is_within(address, CARRIERS[i].first, CARRIERS[i].bits)) {
            const uint8_t *carried = address + CARRIERS[i].at;
            return network_of4((uint32_t) carried[0] << 24 | (uint32_t) carried[1] << 16 | (uint32_t) carried[2] << 8 |
                               carried[3]);
        }
    return CTN_NETWORK_PUBLIC;
}

ctn_network ctn_network_of(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return network_of4(ntohl(((const struct sockaddr_in *) (const void *) address)->sin_addr.s_addr));
    if (address->sa_family == AF_INET6)
        return network_of6(((const struct sockaddr_in6 *) (const void *) address)->sin6_addr.s6_addr);
    return CTN_NETWORK_NEVER;
}

ctn_network ctn_network_of_text(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return network_of4(ntohl(v4.s_addr));
    if (inet_pton(AF_INET6, address, &v6) == 1)
        return network_of6(v6.s6_addr);
    return CTN_NETWORK_NEVER;
}

const char *ctn_policy_objection(const ctn_http_policy *policy, const ctn_hop *hop, ctn_network network)
{
    switch (network) {
    case CTN_NETWORK_LOOPBACK:
        /* A name of the outer world that leads to this machine, and a stranger who sends us here, mean no good. */
        if (policy->allows_private || (hop->names_loopback && !hop->is_strangers && !policy->denies_loopback))
            return NULL;
        return "it leads to this machine itself (loopback), which was not asked for (allowPrivate would allow it)";
    case CTN_NETWORK_PRIVATE:
        if (!policy->allows_private)
            return "its address is of a private network (allowPrivate would allow it)";
        break;
    case CTN_NETWORK_NEVER:
        return "its address is link-local, of a metadata service or otherwise special: never allowed";
    case CTN_NETWORK_PUBLIC: break;
    }
    if (hop->is_cleartext && !policy->allows_cleartext)
        return "http:// outside this machine is not allowed, only https:// (allowCleartext would allow it)";
    return NULL;
}

const char *ctn_policy_proxy_objection(const ctn_http_policy *policy, const ctn_hop *hop, ctn_str host)
{
    char text[64] = "";
    if (host.len >= 2 && host.ptr[0] == '[')
        host = (ctn_str){host.ptr + 1, host.len - 2};
    if (host.len < sizeof text)
        memcpy(text, host.ptr, host.len);
    struct in6_addr any;
    bool is_address = inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1;
    ctn_network network = hop->names_loopback ? CTN_NETWORK_LOOPBACK
                          : is_address        ? ctn_network_of_text(text)
                                              : CTN_NETWORK_PUBLIC;
    return ctn_policy_objection(policy, hop, network);
}
