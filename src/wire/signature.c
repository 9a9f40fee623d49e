/*
 * signature.c -- see signature.h.
 */
#include "wire/signature.h"
#include "base/base64.h"
#include "base/box.h"
#include "base/hash.h"

#define DIGITS_MAX 20

static const char *const HEADERS[] = {
    [CTN_SIGNATURE_STANDARD] = "webhook-signature",
    [CTN_SIGNATURE_STRIPE] = "stripe-signature",
    [CTN_SIGNATURE_GITHUB] = "x-hub-signature-256",
    [CTN_SIGNATURE_HMAC] = NULL,
};

const char *ctn_signature_header(ctn_signature_scheme scheme)
{
    return HEADERS[scheme];
}

/* ---- pieces ---- */

static ctn_str bytes_of(const ctn_digest *digest)
{
    return (ctn_str){(const char *) digest->bytes, sizeof digest->bytes};
}

/* A text of the digest, in hexadecimal digits or in base64; what it says is compared in constant time. */
static bool is_text_of(ctn_arena *arena, ctn_str text, const ctn_digest *digest)
{
    ctn_digest said;
    ctn_str bytes;
    if (ctn_digest_parse(text, &said))
        return ctn_secret_equal(bytes_of(&said), bytes_of(digest));
    return ctn_base64_read(arena, text, &bytes) && ctn_secret_equal(bytes, bytes_of(digest));
}

static ctn_str key_of(ctn_arena *arena, ctn_str secret)
{
    ctn_str bytes;
    if (ctn_str_starts_with(secret, CTN_STR("whsec_")) &&
        ctn_base64_read(arena, ctn_str_from_offset(secret, 6), &bytes) && bytes.len)
        return bytes;
    return secret;
}

/* Of decimal digits alone, so that a time has one text. */
static bool is_recent(ctn_str text, int64_t now_ms)
{
    int64_t seconds;
    if (text.len == 0 || text.len > DIGITS_MAX || text.ptr[0] < '0' || text.ptr[0] > '9' ||
        !ctn_str_to_int64(text, &seconds))
        return false;
    int64_t now_s = now_ms / 1000;
    return seconds >= now_s - CTN_SIGNATURE_WINDOW_S && seconds <= now_s + CTN_SIGNATURE_WINDOW_S;
}

static const char *const OLD = "the signature is of another time: more than five minutes from now";
static const char *const WRONG = "the signature does not fit";
static const char *const MISSING = "no signature came";

/* ---- schemes ---- */

static const char *standard_fault(ctn_arena *arena, ctn_str secret, const ctn_signed *w, int64_t now_ms)
{
    const ctn_str parts[] = {w->id, CTN_STR("."), w->timestamp, CTN_STR("."), w->body};
    ctn_str list = w->signature;
    bool fits = false;
    if (!w->id.len || !w->timestamp.len || !list.len)
        return MISSING;
    if (!is_recent(w->timestamp, now_ms))
        return OLD;
    ctn_digest digest = ctn_hmac_sha256(key_of(arena, secret), parts, sizeof parts / sizeof *parts);
    while (list.len) { /* several while a secret is changed */
        ctn_str one = ctn_str_cut(&list, ' '), version = ctn_str_cut(&one, ',');
        fits = (ctn_str_is(version, "v1") && one.ptr && is_text_of(arena, one, &digest)) || fits;
    }
    return fits ? NULL : WRONG;
}

static const char *stripe_fault(ctn_arena *arena, ctn_str secret, const ctn_signed *w, int64_t now_ms)
{
    ctn_str list = w->signature, time = {0};
    bool fits = false;
    while (list.len) {
        ctn_str one = ctn_str_cut(&list, ','), key = ctn_str_trim(ctn_str_cut(&one, '='));
        if (ctn_str_is(key, "t") && !time.ptr)
            time = ctn_str_trim(one);
    }
    if (!time.len)
        return MISSING;
    if (!is_recent(time, now_ms))
        return OLD;
    const ctn_str parts[] = {time, CTN_STR("."), w->body};
    ctn_digest digest = ctn_hmac_sha256(secret, parts, sizeof parts / sizeof *parts);
    for (list = w->signature; list.len;) {
        ctn_str one = ctn_str_cut(&list, ','), key = ctn_str_trim(ctn_str_cut(&one, '='));
        fits = (ctn_str_is(key, "v1") && one.ptr && is_text_of(arena, ctn_str_trim(one), &digest)) || fits;
    }
    return fits ? NULL : WRONG;
}

static const char *body_fault(ctn_arena *arena, ctn_str secret, const ctn_signed *w, bool needs_prefix)
{
    ctn_str text = ctn_str_trim(w->signature);
    bool has_prefix = ctn_str_starts_with(text, CTN_STR("sha256="));
    if (!text.len)
        return MISSING;
    if (has_prefix)
        text = ctn_str_from_offset(text, 7);
    ctn_digest digest = ctn_hmac_sha256(secret, &w->body, 1);
    return (has_prefix || !needs_prefix) && is_text_of(arena, text, &digest) ? NULL : WRONG;
}

const char *ctn_signature_fault(ctn_signature_scheme scheme, ctn_str secret, const ctn_signed *what, int64_t now_ms)
{
    const char *fault = WRONG;
    ctn_arena *arena = ctn_arena_new(512);
    if (!secret.len)
        fault = "there is no secret to hold it against"; /* an empty key would fit what anybody signs */
    else
        switch (scheme) {
        case CTN_SIGNATURE_STANDARD: fault = standard_fault(arena, secret, what, now_ms); break;
        case CTN_SIGNATURE_STRIPE: fault = stripe_fault(arena, secret, what, now_ms); break;
        case CTN_SIGNATURE_GITHUB: fault = body_fault(arena, secret, what, true); break;
        case CTN_SIGNATURE_HMAC: fault = body_fault(arena, secret, what, false); break;
        }
    ctn_arena_free(arena);
    return fault;
}

ctn_str ctn_signature_make(ctn_arena *arena, ctn_str secret, ctn_str id, int64_t timestamp_s, ctn_str body)
{
    const ctn_str parts[] = {id, CTN_STR("."), ctn_arena_printf(arena, "%lld", (long long) timestamp_s), CTN_STR("."),
                             body};
    ctn_digest digest = ctn_hmac_sha256(key_of(arena, secret), parts, sizeof parts / sizeof *parts);
    return ctn_arena_printf(arena, "v1,%.*s", CTN_STR_ARG(ctn_base64(arena, bytes_of(&digest))));
}
