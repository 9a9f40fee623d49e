/*
 * letter.h -- a message to a client as the text that leaves: RFC 5322 for e-mail, headers and text for other channels.
 * Pure.
 *
 * What a client, a lead or a model wrote can reach the subject, the names and the body, so none of it can make a header
 * of its own: control characters become blanks, what is not plain ASCII becomes encoded words (RFC 2047), and the body
 * is quoted-printable, which also keeps long lines and lines of a single dot whole. An address with anything odd in it
 * is refused instead.
 *
 * The Message-ID is made from the key alone, so whoever finds two messages with one id has found a duplicate.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/arena.h"

/* As a mail, or as a file of the outbox. */
#define TRAVEL_LETTER_BYTES_MAX ((size_t) 1 << 20)

typedef struct travel_letter {
    ctn_str key;        /* of the delivery; one message a key */
    ctn_str message_no; /* the CRM's id */
    ctn_str channel, language;
    ctn_str from_name, from_address; /* the address may be empty: then whoever sends an e-mail puts it in */
    ctn_str to_name, to_address;     /* an e-mail address or a telephone number */
    ctn_str subject, body;
    ctn_str created_at; /* RFC 3339: when it was planned, so that the text is the same however often it is written */
} travel_letter;

/* local@domain in ASCII, at most 254 bytes, nothing that a header or an SMTP command could misread. */
bool travel_mail_address_ok(ctn_str address);
/* + and digits, spaces, (), - and dots; 5 to 20 digits. */
bool travel_phone_ok(ctn_str phone);
/* CTN_E_INVALID with a sentence that does not repeat the address. */
int travel_letter_check(const travel_letter *letter, ctn_err *err);

/* "<0f3a...@domain>" */
ctn_str travel_letter_id(ctn_arena *arena, const travel_letter *letter);
/* "20260308T114700Z-email-0f3a5c7788990011.eml": the same for a key for ever. */
ctn_str travel_letter_file_name(ctn_arena *arena, const travel_letter *letter);
bool travel_letter_is_mail(const travel_letter *letter);
/* Lines end with CR LF in e-mail, with LF elsewhere. The letter was checked. */
void travel_letter_write(const travel_letter *letter, ctn_arena *scratch, ctn_buf *out);
