/*
 * delivery.h -- one message to one client, once: through the CRM's message rows and a driver, whatever crashes.
 *
 *     delivery:
 *       from: {name: Oak & Sea Travel, address: hello@oaksea.example}   # default: agency.name, agency.email
 *       channels: {email: smtp, whatsapp: webhook}    # of email, sms, whatsapp, phone, desk; what is not named: outbox
 *       outbox: {folder: outbox}                      # seen from this file
 *       smtp:
 *         host: mail.oaksea.example
 *         port: 587                                   # default: 465 with tls, else 587
 *         security: starttls                          # tls, starttls or none; default: starttls, on this machine none
 *         username: desk
 *         password: {env: SMTP_PASSWORD}              # or {file: PATH}
 *         ca: PATH                                    # certificates to believe instead of the system's
 *         timeout_seconds: 30
 *       webhook:
 *         url: https://messages.example/send          # https, on this machine also http
 *         token: {env: MESSAGES_TOKEN}
 *         may_repeat: true                            # it honours Idempotency-Key; default false
 *         ca: PATH
 *         timeout_seconds: 30
 *
 * Promises
 *   1. A key has one message. The row says `sending`, on the disk, before anything leaves; `sent` once the driver says
 *      so. A key that is `sent` gets the answer of the first time and nothing leaves.
 *   2. A row that is found `sending` was left by a death, or by a try of unknown fate. It is handed over again only
 *      where that makes no second message: the outbox, and a webhook that may be repeated. Else it stays so until a
 *      person says what became of it (settle_message).
 *   3. Whoever has no address for the channel, or wants no messages (and has not written since), gets none; nothing is
 *      written then.
 *
 * The channel `desk` is the agency itself (agency.email, or a file in the outbox): what a person has to do, or to pass
 * on to a client whom no channel reaches. It needs no client.
 *
 * Errors  As tools.h has them: CTN_E_TIMEOUT nobody knows whether it was sent, CTN_E_BUSY it was not (or repeating does
 * no harm) and may be later, any other: it was not. Neither texts, addresses nor secrets stand in a sentence.
 */
#pragma once

#include "followup/driver.h"
#include "tools.h"

enum { TRAVEL_CHANNELS = 4, TRAVEL_DESK = TRAVEL_CHANNELS, TRAVEL_WAYS }; /* to clients, and the desk behind them */
extern const char *const travel_channel_names[TRAVEL_WAYS];               /* email sms whatsapp phone desk */

/* The section says what it may; for the start of the server. */
int travel_delivery_check(const travel_agency *agency, ctn_err *err);

typedef struct travel_delivery_request {
    ctn_str channel, subject, message;
    ctn_str client_id;                    /* empty for the desk only */
    ctn_str key;                          /* never empty */
    ctn_str lead_id, language, execution; /* may be empty: of no lead, in the client's language, of no chain */
} travel_delivery_request;

/* {message_id, delivered_at, driver, reference} */
int travel_deliver(const travel_call *call, const travel_delivery_request *request, const ctn_json **ret_result,
                   ctn_err *err);
/* {happened: true, result}, {happened: false}, or {happened: null, why}: nobody can tell. */
int travel_delivery_status(const travel_call *call, ctn_str key, const ctn_json **ret_result, ctn_err *err);
