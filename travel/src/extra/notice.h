/*
 * notice.h -- the short letters of the small chains, in the pack's four languages: subject and message, ready to leave.
 *
 * The sentences stand in notice.c, one table a letter, and take names, dates and money as they come: nothing is bent,
 * so no place needs an article and no count a case. What a letter needs and is not there is told, never left empty.
 */
#pragma once

#include "base/err.h"
#include "kit/words.h"

typedef enum travel_notice_kind {
    TRAVEL_NOTICE_VISA,      /* place, day: apply in time */
    TRAVEL_NOTICE_VISA_LAST, /* place, day: the last reminder */
    TRAVEL_NOTICE_PRICE,     /* place, day, money, money_before: the flights cost less than was last told */
    TRAVEL_NOTICES,
} travel_notice_kind;

typedef struct travel_notice_facts {
    ctn_str name;   /* of the client; empty: not known */
    ctn_str place;  /* "Japan", "Rome and Naples" */
    travel_day day; /* of departure */
    travel_cents money, money_before;
    const char *currency;
    ctn_str signature; /* may have lines */
} travel_notice_facts;

typedef struct travel_notice {
    ctn_str subject, message;
} travel_notice;

/* False: no such kind. */
bool travel_notice_kind_from(ctn_str name, travel_notice_kind *ret_kind);
bool travel_notice_needs_money(travel_notice_kind kind);
travel_notice travel_notice_write(ctn_arena *arena, travel_notice_kind kind, const travel_notice_facts *facts,
                                  travel_language language);
