/*
 * driver.h -- ways for a letter to leave: an outbox folder, a mail server, a webhook.
 *
 * A driver makes one try and tells what it saw; it never tries again by itself and decides nothing. What matters is
 * what it may claim:
 *     SENT      the other side has taken it
 *     NOT_SENT  it has surely not been taken, and never will be from this try
 *     UNKNOWN   it may have been taken
 * The outbox, and a webhook with `may_repeat`, take a letter whose key they have had without a second one coming of it;
 * there a try of unknown fate may be repeated, elsewhere a person has to look (delivery.c).
 *
 * Errors    With NOT_SENT and UNKNOWN a sentence stands in `err`, without the address, the text and any secret; its
 *           code is CTN_E_BUSY when a later try may succeed, else CTN_E_STATE (NOT_SENT) or CTN_E_TIMEOUT (UNKNOWN).
 * Settings  Section `delivery` of agency.yaml, see delivery.h.
 */
#pragma once

#include "agency.h"
#include "followup/letter.h"

typedef enum travel_fate { TRAVEL_SENT, TRAVEL_NOT_SENT, TRAVEL_FATE_UNKNOWN } travel_fate;

typedef enum travel_security { TRAVEL_STARTTLS, TRAVEL_TLS, TRAVEL_CLEARTEXT } travel_security;

typedef struct travel_outbox_settings {
    ctn_str folder; /* as the process sees it */
} travel_outbox_settings;

typedef struct travel_smtp_settings {
    ctn_str host, username, password, ca; /* ca: a file of certificates to believe beside the system's; may be empty */
    int64_t port, timeout_ms;
    travel_security security;
} travel_smtp_settings;

typedef struct travel_webhook_settings {
    ctn_str url, token, ca;
    int64_t timeout_ms;
    bool may_repeat; /* the receiver honours Idempotency-Key */
} travel_webhook_settings;

/* *ret_reference: what the other side calls it; in `arena`. */
travel_fate travel_outbox_send(const travel_outbox_settings *outbox, const travel_letter *letter, ctn_arena *arena,
                               ctn_str *ret_reference, ctn_err *err);
travel_fate travel_smtp_send(const travel_smtp_settings *smtp, const travel_letter *letter, ctn_arena *arena,
                             ctn_str *ret_reference, ctn_err *err);
travel_fate travel_webhook_send(const travel_webhook_settings *webhook, const travel_letter *letter, ctn_arena *arena,
                                ctn_str *ret_reference, ctn_err *err);

/* The letter's file is removed, if it is there; by its key, channel and created_at. That it was out is still known. */
int travel_outbox_forget(const travel_outbox_settings *outbox, const travel_letter *letter, ctn_arena *arena,
                         ctn_err *err);
/* Whether the outbox has had this letter, without writing anything. */
bool travel_outbox_has(const travel_outbox_settings *outbox, const travel_letter *letter, ctn_arena *arena);

/* "localhost", 127.*, ::1: what is sent there stays on this machine. */
bool travel_host_is_loopback(ctn_str host);
