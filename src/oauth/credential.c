/*
 * credential.c -- see credential.h.
 */
#include "oauth/credential.h"
#include "base/err.h"

/* A token that ends while the request is on its way is refused: it is renewed so much earlier. */
static const int64_t EARLY_MS = 30000;

typedef struct text_field {
    const char *name;
    size_t offset;
} text_field;

static const text_field FIELDS[] = {
    {"url", offsetof(ctn_credential, url)},
    {"issuer", offsetof(ctn_credential, issuer)},
    {"resource", offsetof(ctn_credential, resource)},
    {"tokenUrl", offsetof(ctn_credential, token_url)},
    {"scopes", offsetof(ctn_credential, scopes)},
    {"granted", offsetof(ctn_credential, granted)},
    {"accessToken", offsetof(ctn_credential, access_token)},
    {"refreshToken", offsetof(ctn_credential, refresh_token)},
    {"clientId", offsetof(ctn_credential, client.id)},
    {"clientSecret", offsetof(ctn_credential, client.secret)},
    {"redirectUrl", offsetof(ctn_credential, redirect_url)},
};
enum { FIELD_COUNT = sizeof FIELDS / sizeof *FIELDS };

static ctn_str *field(ctn_credential *c, size_t i)
{
    return (ctn_str *) (void *) ((char *) c + FIELDS[i].offset);
}

ctn_str ctn_credential_write(ctn_arena *arena, const ctn_credential *credential)
{
    ctn_credential c = *credential;
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (field(&c, i)->len)
            ctn_json_put_str(&b, FIELDS[i].name, *field(&c, i));
    ctn_json_put_str(&b, "clientMethod", ctn_str_from(ctn_oauth_method_name(c.client.method)));
    ctn_json_put_int(&b, "expiresAtMs", c.expires_at_ms);
    return ctn_json_to_str(arena, ctn_json_finish(&b));
}

int ctn_credential_read(ctn_arena *arena, ctn_str text, ctn_credential *ret_credential, ctn_err *err)
{
    const ctn_json *object = NULL;
    ctn_credential c = {0};
    if (ctn_json_parse(arena, text, NULL, &object, NULL) || !ctn_json_is(object, CTN_JSON_OBJECT))
        return ctn_fail(err, CTN_E_CORRUPT, "what is kept does not read as a credential");
    for (size_t i = 0; i < FIELD_COUNT; i++)
        *field(&c, i) = ctn_json_str_or(object, FIELDS[i].name, (ctn_str){0});
    ctn_str method = ctn_json_str_or(object, "clientMethod", (ctn_str){0});
    for (int i = 0; i < CTN_OAUTH_METHOD_COUNT; i++)
        if (ctn_str_is(method, ctn_oauth_method_name((ctn_oauth_method) i)))
            c.client.method = (ctn_oauth_method) i;
    c.expires_at_ms = ctn_json_int_or(object, "expiresAtMs", 0);
    *ret_credential = c;
    return CTN_OK;
}

ctn_credential ctn_credential_copy(ctn_arena *arena, const ctn_credential *credential)
{
    ctn_credential c = *credential;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        *field(&c, i) = ctn_arena_str(arena, *field(&c, i));
    return c;
}

bool ctn_credential_is_valid(const ctn_credential *c, int64_t now_ms)
{
    return c->access_token.len && (c->expires_at_ms == 0 || now_ms + EARLY_MS < c->expires_at_ms);
}
