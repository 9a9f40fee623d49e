/*
 * signature.h -- what proves that a webhook comes from who shares a secret with us: HMAC-SHA256 over the raw body, as
 * the usual schemes write it. Pure: the time is handed in.
 *
 *     standard  webhook-id, webhook-timestamp, webhook-signature: "v1,BASE64 ..." over "ID.TIMESTAMP.BODY"
 *               (Standard Webhooks); a secret "whsec_BASE64" stands for its bytes
 *     stripe    Stripe-Signature: "t=TIMESTAMP,v1=HEX,..." over "TIMESTAMP.BODY"
 *     github    X-Hub-Signature-256: "sha256=HEX" over the body
 *     hmac      a header of the sender's choice: HEX or BASE64, with or without "sha256=" before it, over the body
 *
 * The first two are of a moment: outside the window they are refused, so that one who has heard a delivery cannot send
 * it again later. The others are not, and whoever takes them must know a delivery again by itself.
 */
#pragma once
#include "base/arena.h"

#define CTN_SIGNATURE_WINDOW_S 300

typedef enum ctn_signature_scheme {
    CTN_SIGNATURE_STANDARD,
    CTN_SIGNATURE_STRIPE,
    CTN_SIGNATURE_GITHUB,
    CTN_SIGNATURE_HMAC,
} ctn_signature_scheme;

/* What came; ptr NULL: the header is not there. */
typedef struct ctn_signed {
    ctn_str id, timestamp; /* webhook-id, webhook-timestamp */
    ctn_str signature;     /* the header of the scheme */
    ctn_str body;
} ctn_signed;
/* The header that holds the signature; NULL: of `hmac`, which has its own. */
const char *ctn_signature_header(ctn_signature_scheme scheme);
/* NULL: it is signed with this secret, now; else a sentence. Compared in constant time. */
const char *ctn_signature_fault(ctn_signature_scheme scheme, ctn_str secret, const ctn_signed *what, int64_t now_ms);

/* "v1,BASE64" as Standard Webhooks has it. */
ctn_str ctn_signature_make(ctn_arena *arena, ctn_str secret, ctn_str id, int64_t timestamp_s, ctn_str body);
