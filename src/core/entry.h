/*
 * entry.h -- the items of an execution's journal: what was decided, by whom, on what input, when.
 *
 * An entry is what decide returns and apply folds in; a record is its stored form. The body is a JSON
 * object whose members belong to the kind (`call` names one of a set's several calls):
 *
 *   queued                 chain, version, digests, input, labels?, parent?, principal?, traceparent?, priority? (if
 *                          it is not the chain's own); not started yet
 *                          parent: {id, step, item, attempt, depth} of the execution whose step this one is
 *                          from, reused: of one that goes on from another, see below
 *   started                the same when it was not queued before; else empty
 *                          sensitive: names of inputs that are so besides those that the chain declares
 *   step_skipped           reason: "condition"
 *   foreach_started        count, and from when the items are a range: the items of a list are those that the step's
 *                          template gives at this place of the journal; each then has entries of its own (`item`)
 *   attempt_started        call?, args, effect, effectFrom, key, kept: true (recorded though it may be repeated:
 *                          the step has an undo, and whoever stops the chain must know that it had begun; or
 *                          something is reserved), reserved? (tokens?, money?: the most that it may take of the budget)
 *   attempt_succeeded      call?, result? (of one call of several), variables? (then the step is complete);
 *                          items, failed: of a whole foreach: all have ended, and their values become the lists
 *                          child: the execution that did the work of a sub-chain
 *                          used? (bytes, tokens?, money?), here and below: what the call used up
 *   attempt_failed         call?, code, message, and at most one of
 *                            dueMs         back-off until then (free: it spends no retry; died: the
 *                                          one extra try after a death of the engine is used up)
 *                            unknown: true fate not known
 *                            final: true   no further attempt
 *                            fallback: n   none with this set: the n-th fallback (from 1) is taken
 *                          none of them: the other calls of this attempt still decide (free, died,
 *                          noRetry, retryAfterMs: what this one has to say about the verdict).
 *                          mayHaveHappened: true  it left us and nobody knows what became of it, or it did
 *                          succeed and its result could not be taken; settleAtMs: from then on the check's "no" counts
 *   waiting                for ("answer" | "approval" | "agent"), untilMs?, expires: true (then it has failed),
 *                          message?, who?; agent: instructions, input, schema?
 *                          without a step: for "budget", what, limit, spent: nothing starts until a decision is made
 *                          for "input" (of a call whose peer asks): call?, undo?, asks (engine/driver.h) or
 *                          atOnce: true (it wants to be asked again, and no answer), continuation, effect, args,
 *                          spentMs? (of its timeoutMs)
 *   accepted               call?, undo?, continuation, effect, args: the peer goes on by itself, and the call with it:
 *                          in flight still, and begun again with the continuation if the engine ends
 *   answered               answer; of a call that asks: call?, undo?, answer by what was asked
 *   checked                call?, happened: true | false | null, result?, variables? (what there is to undo), againMs?,
 *                          over: true
 *   interrupted            call?, code, message: a person must say what became of it
 *   decision               what ("retry" | "succeed" | "fail" | "set"), call?, value?, variables?, notHappened?;
 *                          without a step: "retry" grants the budget once more, "fail" ends it
 *   cancel_requested       code ("cancelled" | "timeout" | ...), message
 *   compensation_started   call?, args, effect, effectFrom, key, outcome? ("unknown")
 *   compensation_succeeded call?, result?
 *   compensation_failed    as attempt_failed
 *   paused, resumed        reason?; resumed: cause ("resume" | "crash" | "restart"), elsewhere: true (what was under
 *                          way may go on, on another machine: a check's "no" counts after settleMs)
 *   completed              outputs
 *   failed, rolled_back, rollback_failed, cancelled   error {code, message, step?, leftUndone?, notUndone?}
 *   cache_hit              as attempt_succeeded, from an earlier call with equal arguments: never undone
 *   fallback_taken         fallback: n (from 1), instructionSet? (else its value is the result)
 *   child_started          child (its id), chain, args: the execution that does the work of a sub-chain
 *   breaker_wait           target, untilMs: the tool's circuit breaker is open; no retry is spent
 *
 * An execution that goes on from another (rerun, fork) says so in its first entry:
 *   from                   execution (its id), reason ("rerun" | "fork"), step? (of a rerun)
 *   reused                 by step: status ("completed" | "skipped" | "failed": and the chain went on),
 *                          variables? (of a completed one), wrote: true (its calls changed the world), execution?
 *                          (where it was done, if not in `from`). Such a step has no entry of its own: it ends when
 *                          its turn comes, with these variables, and is never undone here.
 *
 * Every hash covers the hash before it and the record's own columns, so that a journal cannot be altered in
 * the middle without notice: hash = BLAKE2b(previous hash, seq, at_ms, kind, step, item, attempt, actor, body).
 * Sensitive values stand beside the body, in `sealed` (store/seal.h), and a commitment to each in it: so the chain of
 * hashes holds whether they can still be opened or not.
 */
#pragma once
#include "base/hash.h"
#include "base/id.h"
#include "base/json.h"

/* Every kind: how it is called here, how in a journal (names are stored: they never change), what it is about. */
#define CTN_ENTRY_KINDS(KIND)                                                                                          \
    KIND(QUEUED, "queued", EXECUTION)                                                                                  \
    KIND(STARTED, "started", EXECUTION)                                                                                \
    KIND(STEP_SKIPPED, "step_skipped", STEP)                                                                           \
    KIND(FOREACH_STARTED, "foreach_started", STEP)                                                                     \
    KIND(ATTEMPT_STARTED, "attempt_started", STEP)                                                                     \
    KIND(ATTEMPT_SUCCEEDED, "attempt_succeeded", STEP)                                                                 \
    KIND(ATTEMPT_FAILED, "attempt_failed", STEP)                                                                       \
    KIND(CACHE_HIT, "cache_hit", STEP)                                                                                 \
    KIND(FALLBACK_TAKEN, "fallback_taken", STEP)                                                                       \
    KIND(CHILD_STARTED, "child_started", STEP)                                                                         \
    KIND(WAITING, "waiting", EITHER)                                                                                   \
    KIND(ANSWERED, "answered", STEP)                                                                                   \
    KIND(ACCEPTED, "accepted", STEP)                                                                                   \
    KIND(CHECKED, "checked", STEP)                                                                                     \
    KIND(BREAKER_WAIT, "breaker_wait", STEP)                                                                           \
    KIND(INTERRUPTED, "interrupted", STEP)                                                                             \
    KIND(DECISION, "decision", EITHER)                                                                                 \
    KIND(CANCEL_REQUESTED, "cancel_requested", EXECUTION)                                                              \
    KIND(COMPENSATION_STARTED, "compensation_started", UNDO)                                                           \
    KIND(COMPENSATION_SUCCEEDED, "compensation_succeeded", UNDO)                                                       \
    KIND(COMPENSATION_FAILED, "compensation_failed", UNDO)                                                             \
    KIND(PAUSED, "paused", EXECUTION)                                                                                  \
    KIND(RESUMED, "resumed", EXECUTION)                                                                                \
    KIND(COMPLETED, "completed", EXECUTION)                                                                            \
    KIND(FAILED, "failed", EXECUTION)                                                                                  \
    KIND(ROLLED_BACK, "rolled_back", EXECUTION)                                                                        \
    KIND(ROLLBACK_FAILED, "rollback_failed", EXECUTION)                                                                \
    KIND(CANCELLED, "cancelled", EXECUTION)

typedef enum ctn_entry_kind {
#define KIND(kind, name, about) CTN_ENTRY_##kind,
    CTN_ENTRY_KINDS(KIND) CTN_ENTRY_KIND_COUNT
#undef KIND
} ctn_entry_kind;

typedef enum ctn_entry_about {
    CTN_ABOUT_EXECUTION, /* it names no step */
    CTN_ABOUT_STEP,      /* a step's work, or its undo when the body says undo: true */
    CTN_ABOUT_UNDO,      /* a step's undo */
    CTN_ABOUT_EITHER,    /* a step's work, or the execution when it names none */
} ctn_entry_about;

const char *ctn_entry_kind_name(ctn_entry_kind kind); /* "attempt_started" */
bool ctn_entry_kind_from_name(ctn_str name, ctn_entry_kind *ret_kind);
ctn_entry_about ctn_entry_kind_about(ctn_entry_kind kind);

typedef struct ctn_entry {
    ctn_entry_kind kind;
    uint64_t seq; /* 1, 2, 3, ... of its execution, in the order applied and stored */
    int64_t at_ms;
    ctn_str step;     /* empty: about the execution */
    int64_t item;     /* of a foreach, from 0; -1: about none */
    uint32_t attempt; /* 0: about no attempt */
    ctn_str actor;    /* who decided: "engine", or a person's or caller's name */
    const ctn_json *body;
    bool is_hidden; /* read back with "(sealed)" in the place of some values */
    size_t bytes;   /* read back: of its body, as it is stored */
} ctn_entry;

/* Starts of calls that may be repeated are applied but not recorded, unless their step has an undo. */
bool ctn_entry_is_stored(const ctn_entry *entry);

typedef struct ctn_record {
    ctn_entry_kind kind;
    uint64_t seq;
    int64_t at_ms;
    ctn_str step;
    int64_t item; /* of a foreach; -1: none */
    uint32_t attempt;
    ctn_str actor;
    ctn_str body; /* compact JSON; sensitive values as {"$sealed": commitment}: what the hash covers */
    ctn_digest hash;
    ctn_str sealed; /* what those hide: a JSON list of {"at": JSON pointer, "box": base64}; empty: nothing */
} ctn_record;

/* Body written into `arena`; hash chained from `previous` (all zero before the first). */
ctn_record ctn_entry_to_record(const ctn_entry *entry, const ctn_digest *previous, ctn_arena *arena);
/* Parses the body into `arena`; CTN_E_CORRUPT when it does not parse. What is sealed reads "(sealed)", or "(shredded)":
 * whoever may see it opens the record first (store/seal.h). */
int ctn_record_to_entry(const ctn_record *record, ctn_arena *arena, ctn_entry *ret_entry, ctn_err *err);
ctn_digest ctn_record_hash(const ctn_record *record, const ctn_digest *previous);
/* The text of the outputs in the body of a `completed`, which has nothing else in it; false: it is none. Borrowed. */
bool ctn_completed_outputs(ctn_str body, ctn_str *ret_outputs);
