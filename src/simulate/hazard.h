/*
 * hazard.h -- what can go wrong in a chain, as a world showed it.
 */
#pragma once
#include "base/str.h"

typedef enum ctn_hazard_kind {
    CTN_HAZARD_TWICE,        /* an effect that happened twice */
    CTN_HAZARD_LEFT,         /* an effect that stands although the chain did not complete */
    CTN_HAZARD_DEAD_END,     /* parked until a person says what happened */
    CTN_HAZARD_ENDLESS_WAIT, /* an answer that never came, and nothing ends the wait */
    CTN_HAZARD_BUDGET,       /* more was spent than the budget allows */
    CTN_HAZARD_MISSING,      /* a result without what the chain takes from it */
    CTN_HAZARD_BY_ITSELF,    /* it failed without any fault */
    CTN_HAZARD_STATUS,       /* an end that nothing explains */
    CTN_HAZARD_ENDLESS,      /* it did not come to an end */
    CTN_HAZARD_COUNT
} ctn_hazard_kind;
const char *ctn_hazard_name(ctn_hazard_kind kind); /* "effect-twice", for programs */

typedef struct ctn_hazard {
    ctn_hazard_kind kind;
    bool is_note; /* outside the fault model, or our own guess may be to blame */
    ctn_str step; /* empty: the chain */
    ctn_str text; /* the sentence */
    ctn_str same; /* hazards of one kind and step with an equal one are the same, whatever their sentences */
} ctn_hazard;
