/*
 * texts.h -- what follow-up messages say, in four languages, and an agency's own words for them.
 *
 *     followup:
 *       messages:
 *         reminder:                 # one of the pack's kinds, or a new one for followup.rules to send
 *           en:
 *             subject: "{{destination}}: shall we keep your plans going?"
 *             text: |
 *               It would be a pity ...
 *
 * The pack's kinds are check_in, details, proposal_review, reminder, re_engagement and permission. A language that the
 * agency does not write is the pack's, and of a kind that the pack does not have the one of agency.language, which must
 * be there. Texts are Mustache; what they may name is empty when it is not known, so sections keep it out:
 *     name                          of the client
 *     trip                          "Rome and Florence, from 12 to 19 June 2026"
 *     destination, dates, nights    its parts: "Rome and Florence", "12-19 June 2026", "7 nights"
 *     last_contact                  a sentence: "It is 5 days since we were last in touch."
 *     agency, phone, email, url
 * Greeting, closing and signature stand around the text (templates/followup-message.mustache), in the same language.
 */
#pragma once

#include "agency.h"
#include "kit/words.h"

typedef struct travel_text_request {
    ctn_str kind, client_name;
    travel_language language;
    const ctn_json *trip;       /* {destinations, start_date, end_date, month?, nights}; NULL: not known */
    int64_t days_since_contact; /* when it will be read; -1: not known */
} travel_text_request;

typedef struct travel_text {
    ctn_str subject, greeting, body, closing, signature, opt_out; /* opt_out may be empty */
    travel_language language;                                     /* what it is written in */
} travel_text;

bool travel_text_is_kind(const travel_agency *agency, ctn_str kind);
/* followup.messages is as it must be. CTN_E_INVALID with file:line:column. */
int travel_texts_check(const travel_agency *agency, ctn_err *err);
/* CTN_E_NOT_FOUND: there is no such kind. */
int travel_text_write(const travel_agency *agency, ctn_arena *arena, const travel_text_request *request,
                      travel_text *ret_text, ctn_err *err);
