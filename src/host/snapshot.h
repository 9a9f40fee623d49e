/*
 * snapshot.h -- how far an execution is, for people: its status and that of each step. Made from the state, and
 * carried over the control socket as JSON.
 */
#pragma once
#include "core/execution.h"
#include "store/store.h"

typedef struct ctn_snapshot_step {
    ctn_str name;
    ctn_step_view view;
} ctn_snapshot_step;

typedef struct ctn_snapshot {
    ctn_execution_id id;
    ctn_str chain_id;
    ctn_status status;
    ctn_snapshot_step *steps;
    size_t step_count;
    const ctn_json *budget; /* waiting for somebody to grant it again: what was reached; NULL: no */
    ctn_str paused_because; /* what whoever paused it said; empty: nothing, or it is not paused */
    ctn_str queued_behind;  /* queued: what holds it back, if it is its line; else empty */
    ctn_str waits_for_node; /* not over, and no living node has the labels that its chain requires: a sentence */
    bool is_stuck;          /* queued, and who has the turn there goes on with somebody's help only */
} ctn_snapshot;

/* Names and messages are copied into the arena. */
ctn_snapshot ctn_snapshot_of(const ctn_execution *x, ctn_arena *arena);
ctn_snapshot_step ctn_snapshot_step_of(const ctn_execution *x, uint32_t step, ctn_arena *arena);

/* Of a queued one: fills queued_behind and is_stuck from what the store says; *ret_holder, if asked for: who has the
 * turn. False: its line does not hold it back. */
bool ctn_snapshot_look_at_line(ctn_snapshot *s, ctn_store *store, ctn_arena *arena, ctn_execution_id *ret_holder);

/* Both: of one that the store has, and what holds it back there. */
ctn_snapshot ctn_snapshot_in_store(const ctn_execution *x, ctn_store *store, ctn_arena *arena);

/* Which labels what is started by this plan would wait for, as a sentence; empty: some living node has them, or none
 * are required, or the store is for one process. */
ctn_str ctn_told_lack_of_labels(const ctn_plan *plan, ctn_store *store, ctn_arena *arena);

const ctn_json *ctn_snapshot_to_json(const ctn_snapshot *s, ctn_arena *arena);
const ctn_json *ctn_snapshot_step_to_json(const ctn_snapshot_step *step, ctn_arena *arena);
/* What does not say what it must reads as empty: the other side is our own program. */
ctn_snapshot ctn_snapshot_from_json(const ctn_json *v, ctn_arena *arena);
ctn_snapshot_step ctn_snapshot_step_from_json(const ctn_json *v, ctn_arena *arena);

bool ctn_snapshot_has_child(const ctn_step_view *v);
/* "price", or "price[3]" when the view is about an item. */
ctn_str ctn_snapshot_step_label(const ctn_snapshot_step *step, ctn_arena *arena);

/* It waits for a person, also when that has a deadline; a wait that ends by itself does not. */
bool ctn_step_needs_somebody(const ctn_step_view *v);
/* Another execution does the work of a step: it goes on as that one does. */
bool ctn_snapshot_waits_for_child(const ctn_snapshot *s);
/* Nothing can go on without somebody: some step waits for an answer or is interrupted, or all is paused, and nothing
 * waits for a time or is under way. */
bool ctn_snapshot_is_parked(const ctn_snapshot *s);
