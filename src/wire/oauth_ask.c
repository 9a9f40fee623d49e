/*
 * oauth_ask.c -- see oauth.h: what an authorization server is asked, and what it answers.
 *
 * No sentence here repeats what could be a secret: of an error of the server its code is told and what it says of it,
 * cut to a line; never a parameter that we sent.
 */
#include "base/base64.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/percent.h"
#include "base/text.h"
#include "wire/form.h"
#include "wire/oauth.h"

enum { FORM_BYTES_MAX = 65536 };

/* ---- the person's leave ---- */

ctn_oauth_proof ctn_oauth_proof_make(ctn_arena *arena, const unsigned char random[64])
{
    ctn_oauth_proof proof = {.verifier = ctn_base64_url(arena, (ctn_str){(const char *) random, 32}),
                             .state = ctn_base64_url(arena, (ctn_str){(const char *) random + 32, 32})};
    ctn_digest digest = ctn_sha256(proof.verifier);
    proof.challenge = ctn_base64_url(arena, (ctn_str){(const char *) digest.bytes, sizeof digest.bytes});
    return proof;
}

ctn_str ctn_oauth_authorization_url(ctn_arena *arena, const ctn_oauth_issuer *issuer, ctn_str client_id,
                                    ctn_str redirect_url, ctn_str scopes, ctn_str resource,
                                    const ctn_oauth_proof *proof)
{
    ctn_buf url;
    ctn_buf_init(&url, FORM_BYTES_MAX);
    ctn_buf_append(&url, issuer->authorization_url);
    bool has_query = memchr(issuer->authorization_url.ptr, '?', issuer->authorization_url.len);
    if (!has_query)
        ctn_buf_append_char(&url, '?');
    ctn_form_put(&url, !has_query, "response_type", CTN_STR("code"));
    ctn_form_put(&url, false, "client_id", client_id);
    ctn_form_put(&url, false, "redirect_uri", redirect_url);
    ctn_form_put(&url, false, "state", proof->state);
    ctn_form_put(&url, false, "code_challenge", proof->challenge);
    ctn_form_put(&url, false, "code_challenge_method", CTN_STR("S256"));
    ctn_form_put(&url, false, "resource", resource);
    if (scopes.len)
        ctn_form_put(&url, false, "scope", scopes);
    if (ctn_scopes_has(scopes, CTN_STR("offline_access"))) /* OpenID Connect, 11: without it the scope is passed by */
        ctn_form_put(&url, false, "prompt", CTN_STR("consent"));
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(&url));
    ctn_buf_done(&url);
    return text;
}

/* "invalid_grant (it was used before)": what the server says of an error. */
static ctn_str error_text(ctn_arena *arena, ctn_str code, ctn_str description)
{
    code = ctn_text_clean(arena, code, 64);
    description = ctn_text_clean(arena, description, 200);
    return description.len ? ctn_arena_printf(arena, "%.*s (%.*s)", CTN_STR_ARG(code), CTN_STR_ARG(description)) : code;
}

int ctn_oauth_redirect_read(ctn_arena *arena, ctn_str query, const ctn_oauth_issuer *issuer,
                            const ctn_oauth_proof *proof, ctn_str *ret_code, ctn_err *err)
{
    ctn_str state, from, code, error, description = {0};
    if (ctn_form_get(arena, query, "state", &state) || !ctn_str_equal(state, proof->state))
        return ctn_fail(err, CTN_E_NOT_FOUND, "the redirect's state is not the one that was sent: it is not ours");
    int rc = ctn_form_get(arena, query, "iss", &from);
    if (rc == CTN_E_INVALID || (rc == CTN_OK && !ctn_str_equal(from, issuer->issuer)))
        return ctn_fail(err, CTN_E_INVALID, "the redirect comes from another issuer than %.*s: its code is not used",
                        CTN_STR_ARG(issuer->issuer));
    if (rc && issuer->sends_issuer)
        return ctn_fail(err, CTN_E_INVALID,
                        "the redirect does not name its issuer, and %.*s says that it would: its code is "
                        "not used",
                        CTN_STR_ARG(issuer->issuer));
    if (ctn_form_get(arena, query, "error", &error) == CTN_OK) {
        (void) ctn_form_get(arena, query, "error_description", &description);
        return ctn_fail(err, CTN_E_DENIED, "%.*s says no: %.*s", CTN_STR_ARG(issuer->issuer),
                        CTN_STR_ARG(error_text(arena, error, description)));
    }
    if (ctn_form_get(arena, query, "code", &code) || !code.len || code.len > CTN_OAUTH_TOKEN_BYTES_MAX)
        return ctn_fail(err, CTN_E_INVALID, "the redirect brings no code");
    *ret_code = code;
    return CTN_OK;
}

/* ---- registration ---- */

ctn_str ctn_oauth_registration(ctn_arena *arena, ctn_str redirect_url, ctn_str scopes, ctn_oauth_method method)
{
    ctn_json_builder b = ctn_json_object(arena), redirects = ctn_json_array(arena), grants = ctn_json_array(arena),
                     responses = ctn_json_array(arena);
    ctn_json_push(&redirects, ctn_json_string(arena, redirect_url));
    ctn_json_push(&grants, ctn_json_string(arena, CTN_STR("authorization_code")));
    ctn_json_push(&grants, ctn_json_string(arena, CTN_STR("refresh_token")));
    ctn_json_push(&responses, ctn_json_string(arena, CTN_STR("code")));
    ctn_json_put_str(&b, "client_name", CTN_STR("catena"));
    ctn_json_put_str(&b, "application_type", CTN_STR("native"));
    ctn_json_put(&b, CTN_STR("redirect_uris"), ctn_json_finish(&redirects));
    ctn_json_put(&b, CTN_STR("grant_types"), ctn_json_finish(&grants));
    ctn_json_put(&b, CTN_STR("response_types"), ctn_json_finish(&responses));
    ctn_json_put_str(&b, "token_endpoint_auth_method", ctn_str_from(ctn_oauth_method_name(method)));
    if (scopes.len)
        ctn_json_put_str(&b, "scope", scopes);
    return ctn_json_to_str(arena, ctn_json_finish(&b));
}

/* A secret or token: what may stand in a header. */
static bool is_token(const ctn_json *value)
{
    ctn_str text = ctn_json_text(value);
    if (!ctn_json_is(value, CTN_JSON_STRING) || text.len == 0 || text.len > CTN_OAUTH_TOKEN_BYTES_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

int ctn_oauth_registration_read(ctn_arena *arena, const ctn_json *answer, ctn_oauth_client *ret_client, ctn_err *err)
{
    const ctn_json *id = ctn_json_member_of(answer, "client_id"), *secret = ctn_json_member_of(answer, "client_secret");
    ctn_str method = ctn_json_str_or(answer, "token_endpoint_auth_method", CTN_STR(""));
    if (!is_token(id)) {
        ctn_str error = ctn_json_str_or(answer, "error", CTN_STR(""));
        ctn_str description = ctn_json_str_or(answer, "error_description", CTN_STR(""));
        return error.len ? ctn_fail(err, CTN_E_DENIED, "%.*s", CTN_STR_ARG(error_text(arena, error, description)))
                         : ctn_fail(err, CTN_E_INVALID, "its answer has no `client_id`");
    }
    if (secret && !ctn_json_is(secret, CTN_JSON_NULL) && !is_token(secret))
        return ctn_fail(err, CTN_E_INVALID, "the client's secret that it gives cannot be one");
    ctn_oauth_client client = {.id = ctn_json_text(id), .secret = ctn_json_text(secret)};
    client.method = CTN_OAUTH_METHOD_COUNT;
    for (int i = 0; i < CTN_OAUTH_METHOD_COUNT; i++)
        if (ctn_str_is(method, ctn_oauth_method_name((ctn_oauth_method) i)))
            client.method = (ctn_oauth_method) i;
    *ret_client = client;
    return CTN_OK;
}

/* ---- tokens ---- */

ctn_str ctn_oauth_token_request(ctn_arena *arena, const ctn_oauth_client *client, const ctn_oauth_request *request,
                                ctn_str *ret_authorization)
{
    const struct {
        const char *name;
        ctn_str value;
    } FIELDS[] = {
        {"code", request->code},
        {"redirect_uri", request->redirect_url},
        {"code_verifier", request->verifier},
        {"refresh_token", request->refresh_token},
        {"scope", request->scopes},
        {"resource", request->resource},
        /* With Basic the id stands in the header alone: some refuse it twice. */
        {"client_id", client->method == CTN_OAUTH_BASIC ? (ctn_str){0} : client->id},
        {"client_secret", client->method == CTN_OAUTH_POST ? client->secret : (ctn_str){0}},
        {"client_assertion", request->assertion},
        {"client_assertion_type",
         request->assertion.len ? CTN_STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") : (ctn_str){0}},
    };
    ctn_buf body;
    ctn_buf_init(&body, FORM_BYTES_MAX);
    ctn_form_put(&body, true, "grant_type", ctn_str_from(request->grant_type));
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++)
        if (FIELDS[i].value.len)
            ctn_form_put(&body, false, FIELDS[i].name, FIELDS[i].value);
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(&body));
    if (body.data)
        explicit_bzero(body.data, body.capacity);
    ctn_buf_done(&body);
    *ret_authorization = (ctn_str){0};
    if (client->method == CTN_OAUTH_BASIC) {
        ctn_str pair = ctn_arena_printf(arena, "%.*s:%.*s", CTN_STR_ARG(ctn_percent_encode(arena, client->id)),
                                        CTN_STR_ARG(ctn_percent_encode(arena, client->secret)));
        *ret_authorization = ctn_arena_printf(arena, "Basic %.*s", CTN_STR_ARG(ctn_base64(arena, pair)));
    }
    return text;
}

static bool is_bearer(ctn_str type)
{
    static const char NAME[] = "bearer";
    for (size_t i = 0; type.len == sizeof NAME - 1 && i < type.len; i++)
        if ((type.ptr[i] | 0x20) != NAME[i])
            return false;
    return type.len == sizeof NAME - 1;
}

int ctn_oauth_grant_read(ctn_arena *arena, int status, const ctn_json *answer, ctn_oauth_grant *ret_grant, ctn_err *err)
{
    if (status < 200 || status > 299) {
        ctn_str error = ctn_json_str_or(answer, "error", CTN_STR(""));
        ctn_str description = ctn_json_str_or(answer, "error_description", CTN_STR(""));
        if (status == 429 || status >= 500 || !error.len)
            return ctn_fail(err, status == 400 || status == 401 || status == 403 ? CTN_E_DENIED : CTN_E_IO,
                            "it answers with status %d", status);
        return ctn_fail(err, CTN_E_DENIED, "%.*s", CTN_STR_ARG(error_text(arena, error, description)));
    }
    const ctn_json *access = ctn_json_member_of(answer, "access_token"),
                   *refresh = ctn_json_member_of(answer, "refresh_token"),
                   *life = ctn_json_member_of(answer, "expires_in");
    ctn_str type = ctn_json_str_or(answer, "token_type", CTN_STR(""));
    if (!is_token(access))
        return ctn_fail(err, CTN_E_INVALID, "its answer has no `access_token`");
    if (!is_bearer(type))
        return ctn_fail(err, CTN_E_INVALID, "its token is of the type '%.*s', and only Bearer is spoken",
                        CTN_STR_ARG(ctn_text_clean(arena, type, 32)));
    if (refresh && !ctn_json_is(refresh, CTN_JSON_NULL) && !is_token(refresh))
        return ctn_fail(err, CTN_E_INVALID, "its refresh token cannot be one");
    ctn_oauth_grant grant = {.access_token = ctn_json_text(access), .refresh_token = ctn_json_text(refresh)};
    grant.scopes = ctn_scopes_union(arena, ctn_json_str_or(answer, "scope", CTN_STR("")), (ctn_str){0});
    int64_t seconds = -1;
    if (!ctn_json_to_int64(life, &seconds) && ctn_json_is(life, CTN_JSON_STRING)) /* some give it as a text */
        (void) ctn_str_to_int64(ctn_json_text(life), &seconds);
    grant.life_ms = seconds < 0 ? -1 : (seconds > 315360000 ? 315360000 : seconds) * 1000; /* 10 years */
    *ret_grant = grant;
    return CTN_OK;
}

ctn_str ctn_oauth_assertion(ctn_arena *arena, ctn_str client_id, ctn_str audience, ctn_str id, int64_t now_ms)
{
    ctn_json_builder head = ctn_json_object(arena), claims = ctn_json_object(arena);
    ctn_json_put_str(&head, "alg", CTN_STR("ES256"));
    ctn_json_put_str(&head, "typ", CTN_STR("JWT"));
    ctn_json_put_str(&claims, "iss", client_id);
    ctn_json_put_str(&claims, "sub", client_id);
    ctn_json_put_str(&claims, "aud", audience);
    ctn_json_put_str(&claims, "jti", id);
    ctn_json_put_int(&claims, "iat", now_ms / 1000);
    ctn_json_put_int(&claims, "exp", now_ms / 1000 + 300);
    return ctn_arena_printf(arena, "%.*s.%.*s",
                            CTN_STR_ARG(ctn_base64_url(arena, ctn_json_to_str(arena, ctn_json_finish(&head)))),
                            CTN_STR_ARG(ctn_base64_url(arena, ctn_json_to_str(arena, ctn_json_finish(&claims)))));
}
