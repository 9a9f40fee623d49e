/*
 * jwt.c -- see jwt.h.
 */
#include "wire/jwt.h"
#include "base/base64.h"

static const char *const ALGS[] = {"RS256", "PS256", "ES256", "EdDSA"};

static bool alg_from_name(ctn_str name, ctn_jwt_alg *ret_alg)
{
    for (int i = 0; i < CTN_JWT_ALG_COUNT; i++)
        if (ctn_str_is(name, ALGS[i])) {
            *ret_alg = (ctn_jwt_alg) i;
            return true;
        }
    return false;
}

static ctn_str text_of(const ctn_json *object, const char *key)
{
    const ctn_json *value = ctn_json_member_of(object, key);
    return ctn_json_is(value, CTN_JSON_STRING) ? ctn_json_text(value) : (ctn_str){0};
}

/* ---- tokens ---- */

bool ctn_jwt_is_one(ctn_str token)
{
    size_t dots = 0;
    for (size_t i = 0; i < token.len; i++)
        dots += token.ptr[i] == '.';
    return dots == 2 && ctn_str_starts_with(token, CTN_STR("eyJ"));
}

static int read_object(ctn_arena *arena, ctn_str part, const char *what, const ctn_json **ret, ctn_err *err)
{
    static const ctn_json_options OPTIONS = {
        .depth_max = 16, .bytes_max = CTN_JWT_BYTES_MAX, .reject_duplicates = true};
    ctn_str text = {0};
    if (!ctn_base64_url_read(arena, part, &text) || ctn_json_parse(arena, text, &OPTIONS, ret, NULL) ||
        !ctn_json_is(*ret, CTN_JSON_OBJECT))
        return ctn_fail(err, CTN_E_INVALID, "the token's %s is no JSON object in base64url", what);
    return CTN_OK;
}

static int read_header(const ctn_json *header, ctn_jwt *jwt, ctn_err *err)
{
    static const char *const REFUSED[] = {"crit", "jku", "jwk", "x5u", "x5c", "enc", "zip"};
    const ctn_json *type = ctn_json_member_of(header, "typ"), *kid = ctn_json_member_of(header, "kid");
    if (!alg_from_name(text_of(header, "alg"), &jwt->alg))
        return ctn_fail(err, CTN_E_DENIED, "the token is not signed by RS256, PS256, ES256 or EdDSA");
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++)
        if (ctn_json_member_of(header, REFUSED[i]))
            return ctn_fail(err, CTN_E_DENIED, "the token's header says '%s', which is not taken", REFUSED[i]);
    if (type && !ctn_str_equal_any_case(ctn_json_text(type), CTN_STR("JWT")) &&
        !ctn_str_equal_any_case(ctn_json_text(type), CTN_STR("at+jwt")))
        return ctn_fail(err, CTN_E_DENIED, "the token is of another type than JWT");
    if (kid && !ctn_json_is(kid, CTN_JSON_STRING))
        return ctn_fail(err, CTN_E_INVALID, "the token's kid is no text");
    jwt->kid = ctn_json_text(kid);
    return CTN_OK;
}

int ctn_jwt_read(ctn_arena *arena, ctn_str token, ctn_jwt *ret, ctn_err *err)
{
    ctn_jwt jwt = {0};
    const ctn_json *header = NULL;
    if (token.len > CTN_JWT_BYTES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "the token has more than %d bytes", CTN_JWT_BYTES_MAX);
    ctn_str rest = token;
    ctn_str first = ctn_str_cut(&rest, '.'), second = ctn_str_cut(&rest, '.');
    if (!rest.ptr || memchr(rest.ptr, '.', rest.len))
        return ctn_fail(err, CTN_E_INVALID, "a signed token has three parts");
    jwt.signed_ = (ctn_str){token.ptr, first.len + 1 + second.len};
    int rc = read_object(arena, first, "header", &header, err);
    if (rc == CTN_OK)
        rc = read_header(header, &jwt, err);
    if (rc == CTN_OK)
        rc = read_object(arena, second, "payload", &jwt.claims, err);
    if (rc == CTN_OK && (!ctn_base64_url_read(arena, rest, &jwt.signature) || !jwt.signature.len))
        rc = ctn_fail(err, CTN_E_INVALID, "the token has no signature in base64url");
    if (rc == CTN_OK)
        *ret = jwt;
    return rc;
}

ctn_str ctn_jwt_issuer(const ctn_jwt *jwt)
{
    return text_of(jwt->claims, "iss");
}

/* ---- keys ---- */

static bool read_bytes(ctn_arena *arena, const ctn_json *object, const char *key, ctn_str *ret)
{
    return ctn_base64_url_read(arena, text_of(object, key), ret) && ret->len > 0;
}

static bool read_key(ctn_arena *arena, const ctn_json *object, ctn_jwk *ret)
{
    ctn_jwk key = {.kid = text_of(object, "kid")};
    ctn_str type = text_of(object, "kty"), curve = text_of(object, "crv"), use = text_of(object, "use");
    const ctn_json *operations = ctn_json_member_of(object, "key_ops"), *alg = ctn_json_member_of(object, "alg");
    if ((use.len && !ctn_str_is(use, "sig")) || (operations && !ctn_json_has_text(operations, CTN_STR("verify"))))
        return false;
    key.is_alg_said = alg != NULL;
    if (alg && !alg_from_name(ctn_json_text(alg), &key.alg))
        return false;
    bool is_good = false;
    if (ctn_str_is(type, "RSA")) {
        key.kind = CTN_JWK_RSA;
        is_good = read_bytes(arena, object, "n", &key.a) && read_bytes(arena, object, "e", &key.b);
        while (is_good && key.a.len > 1 && key.a.ptr[0] == '\0')
            key.a = ctn_str_from_offset(key.a, 1);
        is_good = is_good && key.a.len >= 256 && key.a.len <= 1024 && key.b.len <= 8;
    } else if (ctn_str_is(type, "EC") && ctn_str_is(curve, "P-256")) {
        key.kind = CTN_JWK_P256;
        is_good = read_bytes(arena, object, "x", &key.a) && read_bytes(arena, object, "y", &key.b) && key.a.len == 32 &&
                  key.b.len == 32;
    } else if (ctn_str_is(type, "OKP") && ctn_str_is(curve, "Ed25519")) {
        key.kind = CTN_JWK_ED25519;
        is_good = read_bytes(arena, object, "x", &key.a) && key.a.len == 32;
    }
    if (is_good)
        *ret = key;
    return is_good;
}

int ctn_jwks_read(ctn_arena *arena, const ctn_json *document, ctn_jwk *keys, size_t *ret_count, ctn_err *err)
{
    const ctn_json *list = ctn_json_member_of(document, "keys");
    size_t count = 0;
    if (!ctn_json_is(list, CTN_JSON_ARRAY))
        return ctn_fail(err, CTN_E_INVALID, "it is no set of keys: there is no list 'keys'");
    for (size_t i = 0; i < list->count && count < CTN_JWT_KEYS_MAX; i++)
        count += read_key(arena, ctn_json_at(list, i), &keys[count]);
    *ret_count = count;
    return CTN_OK;
}

bool ctn_jwk_fits(const ctn_jwk *key, const ctn_jwt *jwt)
{
    static const int KINDS[] = {CTN_JWK_RSA, CTN_JWK_RSA, CTN_JWK_P256, CTN_JWK_ED25519};
    return (int) key->kind == KINDS[jwt->alg] && (!key->is_alg_said || key->alg == jwt->alg) &&
           (!jwt->kid.len || ctn_str_equal(jwt->kid, key->kid));
}

/* ---- claims ---- */

static bool has_audience(const ctn_json *audience, ctn_str wanted)
{
    if (ctn_json_is(audience, CTN_JSON_STRING))
        return ctn_str_equal(ctn_json_text(audience), wanted);
    return ctn_json_is(audience, CTN_JSON_ARRAY) && ctn_json_has_text(audience, wanted);
}

static bool is_client(const ctn_jwt_rules *rules, const ctn_json *authorized)
{
    bool is_one = rules->client_count == 0 && (!authorized || ctn_json_is(authorized, CTN_JSON_STRING));
    for (size_t i = 0; i < rules->client_count; i++)
        is_one = is_one || (ctn_json_is(authorized, CTN_JSON_STRING) &&
                            ctn_str_equal(ctn_json_text(authorized), rules->clients[i]));
    return is_one;
}

/* Seconds since 1970, also with a fraction (RFC 7519, 2). False: it is there, and is no such number. */
static bool read_time(const ctn_json *claims, const char *key, int64_t *ret_ms)
{
    const ctn_json *value = ctn_json_member_of(claims, key);
    ctn_str text = ctn_json_text(value);
    int64_t seconds;
    *ret_ms = 0;
    if (!value)
        return true;
    if (!ctn_json_is(value, CTN_JSON_NUMBER))
        return false;
    if (!ctn_json_to_int64(value, &seconds) && !ctn_str_to_int64(ctn_str_cut(&text, '.'), &seconds))
        return false;
    if (seconds <= 0 || seconds > INT64_C(100000000000))
        return false;
    *ret_ms = seconds * 1000;
    return true;
}

int ctn_jwt_check(const ctn_jwt *jwt, const ctn_jwt_rules *rules, ctn_err *err)
{
    const ctn_json *claims = jwt->claims, *audience = ctn_json_member_of(claims, "aud");
    const ctn_json *authorized = ctn_json_member_of(claims, "azp");
    int64_t expires_ms, not_before_ms, issued_ms;
    if (!rules->issuer.len || !ctn_str_equal(ctn_jwt_issuer(jwt), rules->issuer))
        return ctn_fail(err, CTN_E_DENIED, "the token is of another issuer");
    if (!rules->audience.len || !has_audience(audience, rules->audience))
        return ctn_fail(err, CTN_E_DENIED, "the token is for another audience");
    if (!is_client(rules, authorized))
        return ctn_fail(err, CTN_E_DENIED, "the token was given to a client that is not listed");
    if (!read_time(claims, "exp", &expires_ms) || !read_time(claims, "nbf", &not_before_ms) ||
        !read_time(claims, "iat", &issued_ms) || !expires_ms)
        return ctn_fail(err, CTN_E_INVALID, "the token does not say rightly until when it is good");
    if (rules->now_ms >= expires_ms + CTN_JWT_SKEW_MS)
        return ctn_fail(err, CTN_E_DENIED, "the token has expired");
    if (not_before_ms > rules->now_ms + CTN_JWT_SKEW_MS || issued_ms > rules->now_ms + CTN_JWT_SKEW_MS)
        return ctn_fail(err, CTN_E_DENIED, "the token is not good yet");
    return CTN_OK;
}
