/*
 * lead_people.h -- the words that name people, for lead_people.c. Data only; the words are in lead_people_words.c.
 */
#pragma once

#include "lead/lead_parts.h"

typedef enum lead_person_kind {
    LEAD_ADULT,    /* "adults": said to be grown up */
    LEAD_KIN,      /* somebody's wife, brother, boss: grown up, and the writer is beside them */
    LEAD_SOMEBODY, /* friends, lads, singers: counted as they stand */
    LEAD_TOTAL,    /* people, persons, pax: all of them, children too */
    LEAD_CHILD,
} lead_person_kind;

typedef struct lead_person {
    const char *words; /* " a b " */
    lead_person_kind kind;
    int count; /* of each: "wife" 1, "parents" 2; 0: a plural that needs a number */
} lead_person;

/* NULL: no word for a person. Words are folded. */
const lead_person *lead_person_word(ctn_str word);
/* Is the word in the list? Lists begin and end with a blank: " a b ". */
bool lead_word_in(const char *list, ctn_str word);

extern const char LEAD_DETERMINERS[], LEAD_ADJECTIVES[], LEAD_JOINS[];
extern const char LEAD_AGE_LEADS[]; /* what stands between a person and an age */
extern const char LEAD_MONTHS_OLD[];
extern const char LEAD_NOT_NAMES[];        /* written with a capital, and nobody's name */
extern const char LEAD_NOT_PEOPLE_AFTER[]; /* "kids club": not about people */
extern const char LEAD_NOT_PEOPLE_BEFORE[];
extern const char LEAD_NONE[];   /* "no kids" */
extern const char LEAD_TO_ME[];  /* "call me": not the traveller */
extern const char LEAD_JUST[];   /* "just me" */
extern const char LEAD_TO_SEE[]; /* "visit my sister": she does not travel */
extern const char LEAD_WITH[];   /* "with my wife" */
extern const char LEAD_COMES[];  /* "my mother comes too" */
extern const char LEAD_FOR[];    /* "for my parents": the writer does not travel */
