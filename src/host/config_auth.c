/*
 * config_auth.c -- see config_auth.h.
 */
#include "host/config_auth.h"
#include "host/config_where.h"

typedef struct auth_keys {
    int type;
    const ctn_json *token, *client_id, *client_secret, *private_key, *client_metadata_url, *scopes, *token_url, *issuer;
    int64_t redirect_port;
} auth_keys;

static const char *const TYPES[] = {"bearer", "client_credentials", "oauth", NULL}; /* as ctn_auth_kind, from 1 */

static const ctn_key KEYS[] = {
    CTN_KEY("type", CTN_KEY_WORD, auth_keys, type,
            "bearer: a token that you have; client_credentials: one that this client gets by itself; oauth: one that a "
            "person gives leave for (catena tools login).",
            .words = TYPES, .is_required = true),
    CTN_KEY("token", CTN_KEY_ANY, auth_keys, token, "bearer: where the token is; read anew when it was refused."),
    CTN_KEY("clientId", CTN_KEY_NAME, auth_keys, client_id, "The client as the issuer knows it."),
    CTN_KEY("clientSecret", CTN_KEY_ANY, auth_keys, client_secret, "Where its secret is."),
    CTN_KEY("privateKey", CTN_KEY_ANY, auth_keys, private_key,
            "Where its private key is (PEM, P-256), in the place of a secret."),
    CTN_KEY("clientMetadataUrl", CTN_KEY_NAME, auth_keys, client_metadata_url,
            "oauth: the address of a document about the client, which is its id where the issuer takes such."),
    CTN_KEY("scopes", CTN_KEY_NAMES, auth_keys, scopes, "What leave is asked for. Default: what the server names."),
    CTN_KEY("tokenUrl", CTN_KEY_NAME, auth_keys, token_url,
            "client_credentials: where tokens are given. Default: found out."),
    CTN_KEY("issuer", CTN_KEY_NAME, auth_keys, issuer,
            "The authorization server that clientId belongs to: it is shown to no other."),
    CTN_KEY("redirectPort", CTN_KEY_INT, auth_keys, redirect_port,
            "oauth: the port of 127.0.0.1 that the browser comes back to. Default: one that is free.", .min = 1,
            .max = 65535),
};

const ctn_key_table ctn_config_auth_table = {"auth", KEYS, sizeof KEYS / sizeof *KEYS, "Who we are to a server."};

static const char *text_of(ctn_reader *r, const ctn_json *value)
{
    return value ? ctn_arena_str(r->arena, ctn_json_text(value)).ptr : NULL;
}

static ctn_auth_source source_of(ctn_reader *r, const ctn_json *value, const char *what, ctn_str folder)
{
    ctn_config_secret where = {0};
    ctn_auth_source source = {0};
    if (value && ctn_config_where_read(r, value, what, folder, &where)) {
        source.env = where.env.len ? ctn_arena_str(r->arena, where.env).ptr : NULL;
        source.file = where.file.len ? ctn_arena_str(r->arena, where.file).ptr : NULL;
    }
    return source;
}

static const char *scopes_of(ctn_reader *r, const ctn_json *list)
{
    ctn_str scopes = {0};
    for (size_t i = 0; i < ctn_json_count(list); i++)
        scopes = ctn_arena_printf(r->arena, "%.*s%s%.*s", CTN_STR_ARG(scopes), i ? " " : "",
                                  CTN_STR_ARG(ctn_json_text(ctn_json_at(list, i))));
    return list ? scopes.ptr : NULL;
}

/* What the type needs, and what would be ignored with it. */
static void check(ctn_reader *r, const ctn_json *value, const auth_keys *k)
{
    bool is_bearer = k->type == CTN_AUTH_BEARER, is_client = k->type == CTN_AUTH_CLIENT_CREDENTIALS;
    const char *type = TYPES[k->type - 1];
    if (is_bearer && !k->token)
        ctn_reader_fault(r, value, "type", "bearer needs its token: token: {env: NAME} or token: {file: PATH}");
    if (!is_bearer && k->token)
        ctn_reader_fault(r, k->token, "type", "%s gets its token itself: `token` belongs to bearer", type);
    if (is_client && (!k->client_id || !k->client_secret == !k->private_key))
        ctn_reader_fault(r, value, "type", "client_credentials needs clientId, and clientSecret or privateKey");
    if (!is_client && k->token_url)
        ctn_reader_fault(r, k->token_url, "type", "`tokenUrl` belongs to client_credentials");
    if (!is_client && (k->client_secret || k->private_key) && !k->client_id)
        ctn_reader_fault(r, value, "type", "a secret belongs to a clientId");
}

const ctn_auth_config *ctn_config_auth_read(ctn_reader *r, const ctn_json *value, const ctn_config *config)
{
    auth_keys k = {0};
    size_t faults = r->fault_count;
    ctn_keys_read(r, value, "auth", KEYS, sizeof KEYS / sizeof *KEYS, &k);
    if (r->fault_count == faults)
        check(r, value, &k);
    ctn_auth_config *a = CTN_NEW(r->arena, ctn_auth_config);
    *a = (ctn_auth_config){
        .kind = (ctn_auth_kind) k.type,
        .token = source_of(r, k.token, "a token", config->folder),
        .client_id = text_of(r, k.client_id),
        .client_secret = source_of(r, k.client_secret, "a secret", config->folder),
        .private_key = source_of(r, k.private_key, "a key", config->folder),
        .client_metadata_url = text_of(r, k.client_metadata_url),
        .scopes = scopes_of(r, k.scopes),
        .token_url = text_of(r, k.token_url),
        .issuer = text_of(r, k.issuer),
        .redirect_port = (int) k.redirect_port,
    };
    return r->fault_count == faults ? a : NULL;
}
