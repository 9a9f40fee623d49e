/*
 * trip_question.h -- the tool write_question: one polite message that asks a client for what is missing.
 */
#pragma once

#include "agency.h"
#include "kit/words.h"

#define TRAVEL_QUESTIONS_MAX 16

typedef struct travel_question {
    ctn_str name, email, phone; /* of the client; any may be empty */
    ctn_str channel;            /* how he came; may be empty */
    const ctn_json *questions;  /* sentences: 1 to TRAVEL_QUESTIONS_MAX */
    bool is_again;              /* he was asked before, and answered */
    travel_language language;
    const travel_agency *agency; /* who signs */
} travel_question;

/* {subject, message, channel}: plain text, and how it reaches him: as he came, if there is an address for that; else by
 * e-mail, else by phone, else `desk`: somebody has to pass it on where he wrote. CTN_E_INVALID: no questions, too many,
 * or one that is no sentence. */
int travel_question_write(ctn_arena *arena, const travel_question *question, const ctn_json **ret_message,
                          ctn_err *err);
