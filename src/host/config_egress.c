/*
 * config_egress.c -- see config_egress.h.
 */
#include "host/config_egress.h"
#include "host/files.h"

typedef struct egress_keys {
    const ctn_json *hosts, *allow_private, *allow_cleartext, *ca_file, *proxy;
} egress_keys;

static const ctn_key KEYS[] = {
    {"hosts", CTN_KEY_NAMES, offsetof(egress_keys, hosts),
     "The hosts that may be called, like api.example.com or *.example.com. Default: every public one."},
    {"allowPrivate", CTN_KEY_NAMES, offsetof(egress_keys, allow_private),
     "Hosts that may be of this machine or in a private network."},
    {"allowCleartext", CTN_KEY_NAMES, offsetof(egress_keys, allow_cleartext),
     "Hosts that may be called by http:// and not https:// alone."},
    {"caFile", CTN_KEY_NAME, offsetof(egress_keys, ca_file),
     "Certificates (PEM) that hosts are believed by. Default: the system's."},
    {"proxy", CTN_KEY_TEXT, offsetof(egress_keys, proxy),
     "The proxy to them; empty: none. Default: as http_proxy, https_proxy and no_proxy say."},
};

const ctn_key_table ctn_config_egress_table = {"egress", KEYS, sizeof KEYS / sizeof *KEYS,
                                               "Which hosts the http calls of chains may reach, and how."};

/* A name or an address, without port or path; "*." before it for what is below it. */
static void check_hosts(ctn_reader *r, const ctn_json *list)
{
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        ctn_str host = ctn_json_text(ctn_json_at(list, i)), name = host;
        if (ctn_str_starts_with(name, CTN_STR("*.")))
            name = ctn_str_from_offset(name, 2);
        bool is_v6 = name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
        bool is_odd = name.len == 0;
        for (size_t k = 0; k < name.len; k++)
            is_odd = is_odd || strchr("/*?# @\\", name.ptr[k]) || (name.ptr[k] == ':' && !is_v6);
        if (is_odd)
            ctn_reader_fault(r, ctn_json_at(list, i), "type",
                             "'%.*s' is no host: write a name like api.example.com, all below one as *.example.com, or "
                             "an address (IPv6 in brackets), without scheme, port or path",
                             CTN_STR_ARG(host));
    }
}

void ctn_config_egress_read(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    egress_keys k = {0};
    if (!node)
        return;
    ctn_keys_read(r, node, "egress", KEYS, sizeof KEYS / sizeof *KEYS, &k);
    const ctn_json *lists[] = {k.hosts, k.allow_private, k.allow_cleartext};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        check_hosts(r, lists[i]);
    c->egress = (ctn_config_egress){.hosts = k.hosts,
                                    .private_hosts = k.allow_private,
                                    .cleartext_hosts = k.allow_cleartext,
                                    .proxy = k.proxy ? ctn_arena_str(r->arena, ctn_json_text(k.proxy)).ptr : NULL};
    if (k.ca_file)
        c->egress.ca_file = ctn_arena_str(r->arena, ctn_path_join(r->arena, c->folder, ctn_json_text(k.ca_file))).ptr;
}

static bool names_host(const ctn_json *list, ctn_str host)
{
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        ctn_str said = ctn_json_text(ctn_json_at(list, i));
        bool is_below = ctn_str_starts_with(said, CTN_STR("*."));
        ctn_str end = is_below ? ctn_str_from_offset(said, 1) : said; /* with its dot */
        if (is_below ? host.len > end.len && ctn_str_equal_any_case(ctn_str_from_offset(host, host.len - end.len), end)
                     : ctn_str_equal_any_case(host, said))
            return true;
    }
    return false;
}

int ctn_config_egress_policy(void *config, ctn_str host, ctn_http_policy *ret_policy, ctn_err *err)
{
    const ctn_config_egress *e = &((const ctn_config *) config)->egress;
    if (e->hosts && !names_host(e->hosts, host))
        return ctn_fail(err, CTN_E_DENIED,
                        "it is not among the hosts that may be called (`egress` of the configuration)");
    bool is_private = names_host(e->private_hosts, host);
    *ret_policy = (ctn_http_policy){.allows_private = is_private,
                                    .denies_loopback = !is_private,
                                    .allows_cleartext = names_host(e->cleartext_hosts, host),
                                    .ca_file = e->ca_file,
                                    .proxy = e->proxy};
    return CTN_OK;
}
