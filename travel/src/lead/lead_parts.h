/*
 * lead_parts.h -- the stages of reading a lead, shared by the lead_*.c files and by nobody else.
 *
 * prepare   what the client said, apart from headers, time stamps, the agency's own lines and form fields
 * places    origin and destinations       client   name, e-mail, phone
 * dates     start, end, nights, month     people   adults, children
 * budget    amount, currency, per         wishes   interests
 * language  en, es, fr or de            kind     whether it is a lead at all, trip type
 */
#pragma once

#include "base/json.h"
#include "kit/calendar.h"
#include "kit/words.h"
#include "lead/lead_text.h"
#include "places/places.h"

typedef enum lead_field {
    LEAD_NAME,
    LEAD_FIRST_NAME,
    LEAD_SURNAME,
    LEAD_EMAIL,
    LEAD_PHONE,
    LEAD_ORIGIN,
    LEAD_DESTINATION,
    LEAD_START,
    LEAD_END,
    LEAD_DATES,
    LEAD_NIGHTS,
    LEAD_ADULTS,
    LEAD_CHILDREN,
    LEAD_BUDGET,
    LEAD_COMMENT,
    LEAD_OTHER,
    LEAD_FIELD_COUNT
} lead_field;

enum { LEAD_DESTINATIONS_MAX = 8 };

/* A place named somewhere in a text (lead_mentions.c). */
typedef struct lead_mention {
    size_t start, end;
    const travel_place *place;
    const char *name;              /* what to call it: "St Anton" */
    const travel_airport *airport; /* named by the name or the code of an airport too; NULL: not */
    bool is_only_airport;          /* and by nothing else: Gatwick, LGW */
    bool is_origin, is_out;
} lead_mention;

enum { LEAD_MENTIONS_MAX = 200 };

typedef struct lead_mentions { /* in order, none overlaps another */
    lead_mention items[LEAD_MENTIONS_MAX];
    size_t count;
} lead_mentions;

typedef struct lead {
    ctn_arena *arena;
    lead_rules *rules;
    travel_day received;
    lead_text raw;                    /* all of it: a form's labels, the agency's lines */
    lead_text body;                   /* the client's words */
    lead_text said;                   /* the same, with what was taken back or is beside the point blanked */
    ctn_str fields[LEAD_FIELD_COUNT]; /* of a form; len 0: not there */
    ctn_str speaker, speaker_phone;   /* the client's name, or number, in a chat's header */
    ctn_str forwarded_name, forwarded_email;

    /* results; ptr NULL, TRAVEL_NO_DAY and -1 are "not said" */
    ctn_str name, email, phone;
    ctn_str phone_digits; /* as found, before the country was known; a leading '+' is kept */
    const char *origin, *origin_country;
    const char *destinations[LEAD_DESTINATIONS_MAX];
    size_t destination_count;
    bool is_alternatives;
    travel_day start, end;
    int nights, month_year, month;
    int adults, children;
    bool says_children;  /* the text speaks of children, or says that there are none */
    bool is_total;       /* "four of us": adults is all of them, as far as the text tells */
    bool is_month_first; /* 05/06 is the sixth of May */
    ctn_str amount;      /* JSON number text */
    const char *currency, *per;
    const char *trip_type;
    uint64_t interests; /* bits, in the order of lead_interest_name */
    bool has_leisure_wish;
    bool is_lead;
    travel_language language;
} lead;

extern const size_t lead_interest_count;
const char *lead_interest_name(size_t i);

void lead_prepare(lead *l, ctn_str raw);
void lead_find_mentions(lead *l, const lead_text *t, bool is_field, lead_mentions *list);
void lead_read_places(lead *l);
void lead_read_client(lead *l);  /* name and e-mail, phone digits */
void lead_settle_phone(lead *l); /* after places and budget: the country */
void lead_read_dates(lead *l);
void lead_read_people(lead *l);
void lead_read_budget(lead *l);
void lead_read_wishes(lead *l);
void lead_read_kind(lead *l); /* after all others */
void lead_read_language(lead *l);

/* All stages, in their order. known_origin: where we know that they start, if the text does not say it; may be empty.
 */
void lead_read(lead *ret_lead, ctn_arena *arena, ctn_str raw, travel_day received, ctn_str known_origin);
/* Is the piece of the text a word of the client's name: Mrs Pool wants no pool. */
bool lead_overlaps_name(const lead *l, const lead_text *t, size_t start, size_t end);
/* The name that the text is, title dropped; empty when it is something else. */
ctn_str lead_whole_name(lead *l, ctn_str text);

const ctn_json *lead_client_json(const lead *l);
const ctn_json *lead_trip_json(const lead *l);
const ctn_json *lead_budget_json(const lead *l);

static inline bool lead_has_field(const lead *l, lead_field f)
{
    return l->fields[f].len > 0;
}
