/*
 * lead_days.h -- the days that a text names, in the order of the text: found by shape, resolved by whoever knows which
 * one is the start. Between lead_days.c and lead_dates.c.
 */
#pragma once

#include "lead/lead_parts.h"

enum { LEAD_DAYS_MAX = 40 };

typedef enum lead_day_kind {
    LEAD_DAY_DATE,    /* 3 June, with or without a year */
    LEAD_DAY_NUMBER,  /* the 24th */
    LEAD_DAY_WEEKDAY, /* Friday, this Friday; `is_next`: next Friday */
    LEAD_DAY_OFFSET,  /* tomorrow, in two weeks */
    LEAD_DAY_AFTER,   /* two days after an event */
} lead_day_kind;

typedef enum lead_day_role {
    LEAD_ROLE_NONE,
    LEAD_ROLE_START,
    LEAD_ROLE_END,
    LEAD_ROLE_EVENT,
    LEAD_ROLE_IGNORE
} lead_day_role;

typedef struct lead_day {
    lead_day_kind kind;
    size_t at, end;       /* in the text */
    int year, month, day; /* 0: not said */
    int weekday;          /* 0 Monday */
    int offset;           /* days */
    bool is_next;
    bool closes_range;          /* "10 to 13 April": the second of the two */
    int other_month, other_day; /* 05/06: the other reading, 0: none */
    lead_day_role role;
    travel_day resolved;
} lead_day;

typedef struct lead_days {
    lead_day items[LEAD_DAYS_MAX];
    size_t count;
} lead_days;

#define LEAD_MONTH                                                                                                     \
    "(jan(?:uary|uar|vier|ner)?|enero|ene|feb(?:ruary|ruar|rero)?|febr|fev(?:rier)?|mar(?:ch|zo|z|s)?|apr(?:il)?|"     \
    "avr(?:il)?|abr(?:il)?|may|mai|mayo|june?|juni|junio|juin|july?|juli|julio|juillet|juil|aug(?:ust)?|aout|agosto|"  \
    "ago|sept?(?:ember|embre|tiembre|iembre)?|setiembre|oct(?:ober|obre|ubre)?|okt(?:ober)?|"                          \
    "nov(?:ember|embre|iembre)?|dec(?:ember|embre)?|dez(?:ember)?|dic(?:iembre)?)(?![a-z])\\.?"

/* One group: the beginning of a weekday's name. */
#define LEAD_WEEKDAYS                                                                                                  \
    "(mon|tue|wed|thu|fri|sat|sun|lunes|martes|miercoles|jueves|viernes|sabado|domingo|lundi|mardi|mercredi|jeudi|"    \
    "vendredi|samedi|dimanche|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag)"

int lead_month_of(ctn_str word); /* 1..12, 0: none */
/* The days of the text, sorted; ret_rest: the text without them. */
void lead_find_days(lead *l, const lead_text *text, lead_days *ret_days, lead_text *ret_rest);

/* lead_duration.c: nights as stated, -1 if not; a month alone into l->month. `text` has no days any more. */
int lead_nights_of(lead *l, ctn_str text);
void lead_read_month(lead *l, ctn_str text);
