/*
 * entry_told.h -- what is told of one entry of a journal, by its kind. Everything that `history`, `timeline` and `why`
 * know of a kind is asked here, so that a new kind is told in one place:
 *
 *   ctn_entry_history   the line of `history`
 *   ctn_entry_why       the line of `why`, among the events of a step
 *   ctn_entry_meaning   for an attempt or for the execution (timeline.h, why.h), and the variables that it sets
 *
 * Ownership  Texts are the arena's, or borrowed from the entry.
 */
#pragma once
#include "core/entry.h"

/* One line without control characters, at most columns_max wide: "timeout: no answer within 5 s; again in 300 ms".
 * Empty when the kind says it all. Sensitive values are hidden. */
ctn_str ctn_entry_history(ctn_arena *arena, const ctn_record *record, size_t columns_max);

/* What a walk through the journal knows at an entry, and the entry does not. */
typedef struct ctn_entry_setting {
    uint32_t retries; /* spent before it */
    int64_t retries_max;
    ctn_str no_retry; /* why it would not be tried again: "no retry: all 2 are spent" */
    ctn_str stopped;  /* why the chain was stopping: "step pay failed (timeout)" */
} ctn_entry_setting;
/* A sentence without its first capital and full stop. */
ctn_str ctn_entry_why(ctn_arena *arena, const ctn_entry *e, const ctn_entry_setting *setting);

typedef enum ctn_entry_sense {
    CTN_SENSE_NONE, /* it begins, ends and holds up nothing */
    /* of an attempt at a step, at an item of it or at its undo */
    CTN_SENSE_SKIPPED,
    CTN_SENSE_BEGUN,
    CTN_SENSE_SUCCEEDED, /* a call; with `variables` or `items`, the work */
    CTN_SENSE_FAILED,    /* what follows says the body (entry.h) */
    CTN_SENSE_FALLBACK,  /* other work begins in its place */
    CTN_SENSE_WAITS,
    CTN_SENSE_GOES_ON,     /* it is under way, and had begun before */
    CTN_SENSE_HELD,        /* it may not begin before untilMs */
    CTN_SENSE_INTERRUPTED, /* nobody knows what became of it */
    CTN_SENSE_SETTLED,     /* by somebody's word: the entry's actor */
    /* of the execution */
    CTN_SENSE_CREATED,
    CTN_SENSE_STOPS, /* what is open is let go, what was done is undone */
    CTN_SENSE_ENDED,
} ctn_entry_sense;

typedef struct ctn_entry_meaning {
    ctn_entry_sense sense;
    bool is_undo;      /* of the step's undo */
    bool is_each;      /* of a foreach as a whole */
    bool is_for_all;   /* about the execution, and told of every step that has not ended: a pause, a resumption */
    ctn_str child;     /* the execution that was started; empty: none */
    const char *mark;  /* what `timeline` says of it beside its rows: "paused"; NULL: nothing */
    ctn_str mark_text; /* ... and of what its body adds */
    /* Variables, by name; NULL: none. What an attempt gives is not among them: its step takes it. */
    const ctn_json *sets;
} ctn_entry_meaning;
ctn_entry_meaning ctn_entry_meaning_of(const ctn_entry *e);

/* Of the entry that ends a foreach: "4 items, 1 of which failed". */
ctn_str ctn_entry_items_text(ctn_arena *arena, const ctn_entry *e);
