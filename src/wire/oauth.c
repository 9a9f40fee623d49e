/*
 * oauth.c -- see oauth.h: metadata, scopes and how a client says who it is. What is asked and answered: oauth_ask.c.
 */
#include "wire/oauth.h"
#include "base/err.h"
#include "base/text.h"

/* ---- where metadata is ---- */

static ctn_str without_slash(ctn_str path)
{
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    return path;
}

static void add(ctn_arena *arena, ctn_oauth_places *places, ctn_str origin, ctn_str before, const char *name,
                ctn_str after)
{
    places->urls[places->count++] = ctn_arena_printf(arena, "%.*s%.*s/.well-known/%s%.*s", CTN_STR_ARG(origin),
                                                     CTN_STR_ARG(before), name, CTN_STR_ARG(after));
}

ctn_oauth_places ctn_oauth_resource_places(ctn_arena *arena, ctn_str origin, ctn_str path)
{
    ctn_oauth_places places = {0};
    ctn_str none = {0};
    path = without_slash(path);
    if (path.len)
        add(arena, &places, origin, none, "oauth-protected-resource", path);
    add(arena, &places, origin, none, "oauth-protected-resource", none);
    return places;
}

ctn_oauth_places ctn_oauth_issuer_places(ctn_arena *arena, ctn_str origin, ctn_str path)
{
    ctn_oauth_places places = {0};
    ctn_str none = {0};
    path = without_slash(path);
    add(arena, &places, origin, none, "oauth-authorization-server", path);
    add(arena, &places, origin, none, "openid-configuration", path);
    if (path.len)
        add(arena, &places, origin, path, "openid-configuration", none);
    return places;
}

/* ---- what it says ---- */

/* A text that may stand in a URL, a header or a sentence: visible, and not too long. */
static bool is_plain(ctn_str text, size_t bytes_max)
{
    if (text.len == 0 || text.len > bytes_max)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

/* false: it is there and cannot be used. */
static bool read_plain(const ctn_json *document, const char *key, ctn_str *ret_text)
{
    const ctn_json *value = ctn_json_member_of(document, key);
    *ret_text = ctn_json_is(value, CTN_JSON_STRING) ? ctn_json_text(value) : (ctn_str){0};
    return !value || is_plain(*ret_text, CTN_OAUTH_TEXT_BYTES_MAX);
}

static ctn_str read_scopes(ctn_arena *arena, const ctn_json *list)
{
    ctn_str scopes = {0};
    ctn_buf all;
    ctn_buf_init(&all, CTN_OAUTH_SCOPES_BYTES_MAX);
    for (size_t i = 0; ctn_json_is(list, CTN_JSON_ARRAY) && i < list->count; i++) {
        if (all.len)
            ctn_buf_append_char(&all, ' ');
        ctn_buf_append(&all, ctn_json_text(&list->items[i]));
    }
    if (!all.overflowed)
        scopes = ctn_scopes_union(arena, ctn_buf_str(&all), (ctn_str){0});
    ctn_buf_done(&all);
    return scopes;
}

int ctn_oauth_resource_read(ctn_arena *arena, const ctn_json *document, ctn_oauth_resource *ret_resource, ctn_err *err)
{
    ctn_oauth_resource r = {0};
    const ctn_json *issuers = ctn_json_member_of(document, "authorization_servers");
    if (!read_plain(document, "resource", &r.resource) || !r.resource.len)
        return ctn_fail(err, CTN_E_INVALID, "it names no `resource`");
    if (memchr(r.resource.ptr, '#', r.resource.len))
        return ctn_fail(err, CTN_E_INVALID, "its `resource` has a fragment");
    for (size_t i = 0; ctn_json_is(issuers, CTN_JSON_ARRAY) && i < issuers->count; i++) {
        ctn_str issuer = ctn_json_text(&issuers->items[i]);
        if (ctn_json_is(&issuers->items[i], CTN_JSON_STRING) && is_plain(issuer, CTN_OAUTH_TEXT_BYTES_MAX) &&
            r.issuer_count < CTN_OAUTH_SERVERS_MAX)
            r.issuers[r.issuer_count++] = issuer;
    }
    if (!r.issuer_count)
        return ctn_fail(err, CTN_E_INVALID, "it names no `authorization_servers`");
    r.scopes = read_scopes(arena, ctn_json_member_of(document, "scopes_supported"));
    *ret_resource = r;
    return CTN_OK;
}

bool ctn_oauth_resource_covers(ctn_str resource_origin, ctn_str resource_path, ctn_str server_origin,
                               ctn_str server_path)
{
    ctn_str above = without_slash(resource_path), below = without_slash(server_path);
    return ctn_str_equal(resource_origin, server_origin) && ctn_str_starts_with(below, above) &&
           (below.len == above.len || below.ptr[above.len] == '/');
}

static const char *const METHODS[CTN_OAUTH_METHOD_COUNT] = {"none", "client_secret_basic", "client_secret_post",
                                                            "private_key_jwt"};

const char *ctn_oauth_method_name(ctn_oauth_method method)
{
    return METHODS[method];
}

int ctn_oauth_issuer_read(ctn_arena *arena, const ctn_json *document, ctn_str expected, ctn_oauth_issuer *ret_issuer,
                          ctn_err *err)
{
    ctn_oauth_issuer m = {0};
    if (!read_plain(document, "issuer", &m.issuer) || !m.issuer.len)
        return ctn_fail(err, CTN_E_INVALID, "it names no `issuer`");
    if (!ctn_str_equal(m.issuer, expected))
        return ctn_fail(err, CTN_E_INVALID, "it calls itself %.*s, and %.*s led to it: nothing it says is believed",
                        CTN_STR_ARG(m.issuer), CTN_STR_ARG(expected));
    if (!read_plain(document, "token_endpoint", &m.token_url) ||
        !read_plain(document, "authorization_endpoint", &m.authorization_url) ||
        !read_plain(document, "registration_endpoint", &m.registration_url))
        return ctn_fail(err, CTN_E_INVALID, "an endpoint that it names is no URL");
    if (!m.token_url.len)
        return ctn_fail(err, CTN_E_INVALID, "it names no `token_endpoint`");
    m.has_s256 = ctn_json_has_text(ctn_json_member_of(document, "code_challenge_methods_supported"), CTN_STR("S256"));
    m.knows_client_documents = ctn_json_bool_or(document, "client_id_metadata_document_supported", false);
    m.sends_issuer = ctn_json_bool_or(document, "authorization_response_iss_parameter_supported", false);
    m.has_offline_access =
        ctn_scopes_has(read_scopes(arena, ctn_json_member_of(document, "scopes_supported")), CTN_STR("offline_access"));
    const ctn_json *methods = ctn_json_member_of(document, "token_endpoint_auth_methods_supported");
    m.has_methods = ctn_json_is(methods, CTN_JSON_ARRAY) && ctn_json_count(methods);
    for (int i = 0; i < CTN_OAUTH_METHOD_COUNT; i++)
        m.methods[i] = ctn_json_has_text(methods, ctn_str_from(METHODS[i]));
    *ret_issuer = m;
    return CTN_OK;
}

int ctn_oauth_method_choose(const ctn_oauth_issuer *issuer, bool has_secret, bool has_key, ctn_oauth_method wanted,
                            ctn_oauth_method *ret_method, ctn_err *err)
{
    bool can[CTN_OAUTH_METHOD_COUNT] = {
        [CTN_OAUTH_NONE] = !has_key, /* some give a secret to whom they register as public */
        [CTN_OAUTH_BASIC] = has_secret,
        [CTN_OAUTH_POST] = has_secret,
        [CTN_OAUTH_PRIVATE_KEY] = has_key,
    };
    if (wanted < CTN_OAUTH_METHOD_COUNT && can[wanted]) {
        *ret_method = wanted; /* what the registration said is said for this client */
        return CTN_OK;
    }
    static const ctn_oauth_method ORDER[] = {CTN_OAUTH_PRIVATE_KEY, CTN_OAUTH_BASIC, CTN_OAUTH_POST, CTN_OAUTH_NONE};
    for (size_t i = 0; i < sizeof ORDER / sizeof *ORDER; i++)
        /* Who says nothing takes Basic (RFC 8414); a public client and a key are tried: who does not take them says so.
         */
        if (can[ORDER[i]] && (issuer->methods[ORDER[i]] || !issuer->has_methods)) {
            *ret_method = ORDER[i];
            return CTN_OK;
        }
    return ctn_fail(err, CTN_E_UNSUPPORTED, "%.*s takes no client with %s", CTN_STR_ARG(issuer->issuer),
                    has_key      ? "a key (private_key_jwt)"
                    : has_secret ? "a secret (client_secret_basic, client_secret_post)"
                                 : "no secret");
}

/* ---- scopes ---- */

static bool is_scope(ctn_str scope)
{
    return is_plain(scope, 256) && !memchr(scope.ptr, '"', scope.len) && !memchr(scope.ptr, '\\', scope.len);
}

bool ctn_scopes_has(ctn_str scopes, ctn_str scope)
{
    while (scopes.ptr)
        if (ctn_str_equal(ctn_str_cut(&scopes, ' '), scope))
            return true;
    return false;
}

static void join(ctn_buf *all, ctn_str scopes)
{
    while (scopes.ptr) {
        ctn_str scope = ctn_str_cut(&scopes, ' ');
        if (!is_scope(scope) || ctn_scopes_has(ctn_buf_str(all), scope) ||
            all->len + 1 + scope.len > CTN_OAUTH_SCOPES_BYTES_MAX)
            continue;
        if (all->len)
            ctn_buf_append_char(all, ' ');
        ctn_buf_append(all, scope);
    }
}

ctn_str ctn_scopes_union(ctn_arena *arena, ctn_str a, ctn_str b)
{
    ctn_buf all;
    ctn_buf_init(&all, CTN_OAUTH_SCOPES_BYTES_MAX);
    join(&all, a);
    join(&all, b);
    ctn_str scopes = all.len ? ctn_arena_str(arena, ctn_buf_str(&all)) : (ctn_str){0};
    ctn_buf_done(&all);
    return scopes;
}
