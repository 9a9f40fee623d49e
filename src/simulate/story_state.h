/*
 * story_state.h -- what the files of a story share:
 *   story.c         the tools of the world, and how they and the disk fail
 *   story_people.c  the people
 *   story_judge.c   what was wrong at its end
 *   story_tell.c    its lines
 * Nobody else includes this.
 */
#pragma once
#include "simulate/story.h"

/* What a call really did, over all its attempts. */
typedef struct deed {
    ctn_str key;    /* the idempotency key */
    ctn_str prefix; /* of the key: what it shares with the undo of the same step */
    const ctn_plan *plan;
    const ctn_plan_set *set;
    uint32_t step, call, fallback;
    ctn_role role;
    ctn_effect effect;
    uint32_t attempt; /* the last one */
    int count;        /* times it took effect */
    int in_error;     /* ... of them while saying that it failed */
    uint64_t last;    /* order of the last time; 0: never */
    bool fails;       /* it fails now and always */
    int check_faults; /* of the call that asks whether it happened */
} deed;

typedef struct own_failure {
    ctn_str step; /* empty: the chain's outputs */
    ctn_str code, message;
    bool is_guessed;
} own_failure;

#define OWN_FAILURES_MAX 4
#define DEAD_ENDS_MAX    8

typedef struct dead_end {
    ctn_str step;
    bool is_undo, by_deaths, after_check;
} dead_end;

typedef struct story {
    const ctn_story_options *o;
    ctn_story *result;
    ctn_arena *arena;
    ctn_stage *stage;
    ctn_world *world;
    deed *deeds;
    size_t deed_count, deed_capacity;
    uint64_t order;
    bool dies_before_commit, dies_after_commit; /* the next one */
    ctn_str storm_target;
    int storm_left;
    int lasting_failures; /* faults that a step will not survive */
    bool was_malformed, was_jumped, any_skipped;
    int64_t calls_spent; /* one for each attempt at a call, however often it had to be sent */
    int64_t bytes_spent; /* as the journal tells */
    int grants;
    ctn_str budget_reached; /* what was used up; empty: nothing */
    /* of the journal */
    ctn_str failed_works[8]; /* STEP, or STEP/N of its n-th fallback */
    size_t failed_count;
    bool undo_failed, check_is_over;
    own_failure own[OWN_FAILURES_MAX];
    size_t own_count;
    dead_end dead_ends[DEAD_ENDS_MAX];
    size_t dead_end_count;
    ctn_str asked_call; /* of the last interrupted entry */
} story;

/* story.c */
/* By the seed: the same key gives the same, however often it is asked, in whatever order. */
uint64_t story_of_key(const story *s, ctn_str key, uint64_t salt);
/* What the call with this idempotency key gives when it is done. */
const ctn_json *story_answer(const story *s, ctn_str key, const ctn_guess *guess, ctn_guess_work work, uint32_t call);

/* story_people.c: nothing moves; true when somebody said something that lets `x` go on. */
bool story_ask_people(story *s, const ctn_execution *x);

/* story_judge.c */
void story_take_record(story *s, const ctn_record *record, const ctn_plan *plan);
void story_judge(story *s);

/* story_tell.c; nothing happens when nobody listens. */
void story_tell(story *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void story_tell_record(story *s, const ctn_record *record, const ctn_plan *plan);
