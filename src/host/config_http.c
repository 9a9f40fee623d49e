/*
 * config_http.c -- see config_http.h.
 */
#include "host/config_http.h"
#include "host/access.h"
#include "host/config_oidc.h"
#include "host/config_where.h"

typedef struct http_keys {
    const ctn_json *listen, *hosts, *origins, *tokens, *authorization_servers, *resource, *tls, *oidc;
    int64_t body_bytes, rate, connections;
} http_keys;

typedef struct tls_keys {
    const ctn_json *cert, *key;
} tls_keys;

static const ctn_key KEYS[] = {
    {"listen", CTN_KEY_NAME, offsetof(http_keys, listen),
     "ADDRESS:PORT of `catena serve`, like 127.0.0.1:8642; other than loopback only with `tokens`."},
    {"hosts", CTN_KEY_NAMES, offsetof(http_keys, hosts),
     "Names that it is reached by, behind a proxy for instance; localhost and the address itself are known."},
    {"origins", CTN_KEY_NAMES, offsetof(http_keys, origins),
     "Web pages that may call it, like https://console.example.com."},
    {"tokens", CTN_KEY_OBJECT, offsetof(http_keys, tokens),
     "Bearer tokens by the name of who holds them: {ada: {env: ADA_TOKEN}}. With one, nobody comes in without.",
     .is_confidential = true},
    {"authorizationServers", CTN_KEY_NAMES, offsetof(http_keys, authorization_servers),
     "Issuers of tokens, told to clients that come without one."},
    {"resource", CTN_KEY_NAME, offsetof(http_keys, resource),
     "Its own URL as clients know it, like https://catena.example.com/mcp."},
    {"bodyBytes", CTN_KEY_INT, offsetof(http_keys, body_bytes), "The largest request; default 4194304.", .min = 1024,
     .max = INT64_C(1) << 24},
    {"rate", CTN_KEY_INT, offsetof(http_keys, rate),
     "Requests a second of one caller; twice as many at once after a pause; default 5000.", .min = 1, .max = 1000000},
    {"connections", CTN_KEY_INT, offsetof(http_keys, connections),
     "Connections at once, streams of events among them; default 12000, or as many as there are open files for.",
     .min = 8, .max = 1000000},
    {"oidc", CTN_KEY_LIST, offsetof(http_keys, oidc),
     "Issuers of OpenID Connect whose tokens are taken: [{issuer: https://..., audience: ...}]."},
    {"tls", CTN_KEY_OBJECT, offsetof(http_keys, tls), "HTTPS: the certificate that is shown."},
};

static const ctn_key TLS_KEYS[] = {
    {"cert", CTN_KEY_NAME, offsetof(tls_keys, cert),
     "The file of the certificate and those above it, PEM; read again when it has changed.", .is_required = true},
    {"key", CTN_KEY_NAME, offsetof(tls_keys, key), "The file of its key, PEM; not readable by others.",
     .is_required = true},
};

const ctn_key_table ctn_config_tls_table = {"tls", TLS_KEYS, sizeof TLS_KEYS / sizeof *TLS_KEYS, NULL};

const ctn_key_table ctn_config_http_table = {"http", KEYS, sizeof KEYS / sizeof *KEYS,
                                             "Where others reach `catena serve`, and who may."};

static ctn_str *read_names(ctn_reader *r, const ctn_json *list, size_t *ret_count)
{
    *ret_count = ctn_json_count(list);
    ctn_str *names = CTN_NEW_ARRAY(r->arena, ctn_str, *ret_count);
    for (size_t i = 0; i < *ret_count; i++)
        names[i] = ctn_json_text(ctn_json_at(list, i));
    return names;
}

/* ---- tokens ---- */

typedef struct token_keys {
    const ctn_json *env, *file, *roles, *tenant;
} token_keys;

static const ctn_key TOKEN_KEYS[] = {
    {"env", CTN_KEY_NAME, offsetof(token_keys, env), "A variable of the environment that holds it.", .is_choice = true},
    {"file", CTN_KEY_NAME, offsetof(token_keys, file), "A file that holds it.", .is_choice = true},
    {"roles", CTN_KEY_NAMES, offsetof(token_keys, roles),
     "What its holder may do: viewer, operator, author, admin. Default: [operator]."},
    {"tenant", CTN_KEY_NAME, offsetof(token_keys, tenant),
     "Its holder sees, and starts, what is of this tenant, and nothing else. Default: of none, so he sees all."},
};

const ctn_key_table ctn_config_token_table = {"token", TOKEN_KEYS, sizeof TOKEN_KEYS / sizeof *TOKEN_KEYS, NULL};

void ctn_config_check_roles(ctn_reader *r, const ctn_json *roles)
{
    ctn_access_role role;
    for (size_t i = 0; i < ctn_json_count(roles); i++)
        if (!ctn_access_role_from_name(ctn_json_text(ctn_json_at(roles, i)), &role))
            ctn_reader_fault(r, ctn_json_at(roles, i), "type",
                             "'%.*s' is no role: there are viewer, operator, author and admin",
                             CTN_STR_ARG(ctn_json_text(ctn_json_at(roles, i))));
}

static bool read_token(ctn_reader *r, const ctn_json *value, ctn_str folder, ctn_config_token *token)
{
    static const ctn_str OPERATOR = {"operator", 8};
    token_keys k = {0};
    if (!ctn_json_is(value, CTN_JSON_OBJECT)) /* it says so */
        return ctn_config_where_read(r, value, "a token", folder, &token->where);
    size_t faults = r->fault_count;
    ctn_keys_read(r, value, "a token", TOKEN_KEYS, sizeof TOKEN_KEYS / sizeof *TOKEN_KEYS, &k);
    ctn_config_check_roles(r, k.roles);
    if (r->fault_count > faults)
        return false;
    token->tenant = ctn_json_text(k.tenant);
    token->roles = read_names(r, k.roles, &token->role_count);
    if (!k.roles) {
        token->roles = CTN_NEW(r->arena, ctn_str);
        token->roles[0] = OPERATOR;
        token->role_count = 1;
    }
    return ctn_config_where_take(r, value, "a token", folder, k.env, k.file, &token->where);
}

static void read_tokens(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    c->http.tokens = CTN_NEW_ARRAY(r->arena, ctn_config_token, ctn_json_count(node));
    for (uint32_t i = 0; node && i < node->count; i++) {
        ctn_config_token *token = &c->http.tokens[c->http.token_count];
        ctn_str name = token->where.name = ctn_json_text(&node->members[i].key);
        if (ctn_str_is(name, "stdio") || ctn_str_is(name, "anonymous"))
            ctn_reader_fault(r, &node->members[i].key, "reserved-name",
                             "'%.*s' is who comes without a token: choose another name", CTN_STR_ARG(name));
        else if (!ctn_principal_name_is_good(name))
            ctn_reader_fault(r, &node->members[i].key, "type",
                             "'%.*s' is no name of a principal: letters, digits, '.', '_' and '-', at most 64",
                             CTN_STR_ARG(name));
        else
            c->http.token_count += read_token(r, &node->members[i].value, c->folder, token);
    }
}

static bool is_web_url(ctn_str text)
{
    return ctn_str_starts_with(text, CTN_STR("https://")) || ctn_str_starts_with(text, CTN_STR("http://"));
}

static void check_urls(ctn_reader *r, const ctn_json *list)
{
    for (size_t i = 0; i < ctn_json_count(list); i++)
        if (!is_web_url(ctn_json_text(ctn_json_at(list, i))))
            ctn_reader_fault(r, ctn_json_at(list, i), "type", "'%.*s' is no URL of the web: https://...",
                             CTN_STR_ARG(ctn_json_text(ctn_json_at(list, i))));
}

static const char *path_of(ctn_reader *r, const ctn_config *c, const ctn_json *node)
{
    return node ? ctn_path_join(r->arena, c->folder, ctn_json_text(node)).ptr : NULL;
}

static void read_tls(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    tls_keys k = {0};
    if (!node)
        return;
    ctn_keys_read(r, node, "tls", TLS_KEYS, sizeof TLS_KEYS / sizeof *TLS_KEYS, &k);
    c->http.tls_cert_file = path_of(r, c, k.cert);
    c->http.tls_key_file = path_of(r, c, k.key);
}

void ctn_config_http_read(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    http_keys k = {0};
    if (!node)
        return;
    ctn_keys_read(r, node, "http", KEYS, sizeof KEYS / sizeof *KEYS, &k);
    check_urls(r, k.origins);
    check_urls(r, k.authorization_servers);
    if (k.resource && !is_web_url(ctn_json_text(k.resource)))
        ctn_reader_fault(r, k.resource, "type", "'%.*s' is no URL of the web: https://...",
                         CTN_STR_ARG(ctn_json_text(k.resource)));
    c->http.listen = ctn_json_text(k.listen);
    c->http.resource = ctn_json_text(k.resource);
    c->http.body_bytes = (size_t) k.body_bytes;
    c->http.rate = k.rate;
    c->http.connections = (unsigned) k.connections;
    ctn_config_oidc_read(r, k.oidc, c);
    read_tls(r, k.tls, c);
    c->http.hosts = read_names(r, k.hosts, &c->http.host_count);
    c->http.origins = read_names(r, k.origins, &c->http.origin_count);
    c->http.issuers = read_names(r, k.authorization_servers, &c->http.issuer_count);
    read_tokens(r, k.tokens, c);
}
