/*
 * trip_question.h -- the tool write_question: one polite message that asks a client for what is missing.
 */
#pragma once

#include "agency.h"
#include "kit/words.h"

#define TRAVEL_QUESTIONS_MAX 16

typedef struct travel_question {
    ctn_str name;              /* of the client; may be empty */
    const ctn_json *questions; /* sentences: 1 to TRAVEL_QUESTIONS_MAX */
    bool is_again;             /* he was asked before, and answered */
    travel_language language;
    const travel_agency *agency; /* who signs */
} travel_question;

/* {subject, message}: plain text. CTN_E_INVALID: no questions, too many, or one that is no sentence. */
int travel_question_write(ctn_arena *arena, const travel_question *question, const ctn_json **ret_message,
                          ctn_err *err);
