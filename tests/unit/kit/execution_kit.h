/*
 * execution_kit.h -- one execution in a test's hands: a chain out of YAML, a clock that the test moves, a world that
 * answers what the test says.
 *
 * Calls are named as people would: "book" (the step's call), "trip.hotel" (a call of several), with "undo:" in front
 * for the step's compensation and "check:" in front of either for the check. Their effects follow the tool's name:
 * t/read_*, t/idem_*, t/none_*; any other tool is a write.
 *
 * Behind every move the kit checks what must always hold, and fails the test when it does not:
 *   - decide and next change nothing: asked twice, they say the same.
 *   - The records alone give the same execution: replayed after every one of them and advanced, it has the status,
 *     steps, variables, error, calls owed and wake time of the one that lived; and advancing it needs no entry that
 *     the living one did not have.
 *   - Nothing follows by itself at a time that owed() did not announce.
 *   - A call keeps its key and, unless a variable was set, its arguments over all attempts.
 * And when the test is over: every step and variable can be explained from the records (journal/why.h).
 */
#pragma once
#include "core/execution.h"

/* 2026-11-22T10:00:00.000Z */
#define KIT_START_MS 1795341600000LL

/* A chain whose steps follow: the tool of r reads, that of i may be repeated, that of w writes; u undoes. */
#define KIT_CHAIN                                                                                                      \
    "id: c\ninstructionSets:\n"                                                                                        \
    "  r: {tool: t/read_r}\n  i: {tool: t/idem_i}\n  w: {tool: t/write_w}\n  u: {tool: t/idem_u}\n"                    \
    "steps:\n"

typedef struct kit_options {
    const char *input;    /* JSON; NULL: {} */
    const char *document; /* text of a document template named "paper"; NULL: none */
    bool is_queued;
    bool retry_interrupted;
    size_t value_bytes_max, context_bytes_max;
    int64_t steps_max, journal_bytes_max, children_max;
    ctn_gate (*gate)(void *world, const ctn_execution *x, const ctn_plan_set *set, const ctn_plan_call *call,
                     int64_t now_ms, int64_t *ret_until_ms);
    bool (*most_of)(void *of_rules, const ctn_plan_call *call, const ctn_json *args, ctn_arena *arena,
                    ctn_used *ret_most);
    bool (*schema_of)(void *world, ctn_work_kind kind, ctn_str target, ctn_digest *ret_digest);
    ctn_cached (*cached)(void *world, const ctn_execution *x, ctn_str key, int64_t ttl_ms, int64_t now_ms,
                         const ctn_json **ret_value);
    void *world;
} kit_options;

typedef struct kit kit;

/* An execution that goes on from one that has ended (core/rerun.h). yaml NULL: the same chain; input NULL: the same;
 * from NULL: a fork; writes: steps that may write again, by spaces. kit_free of the old one frees it too. */
typedef struct kit_again {
    const char *yaml, *input, *from, *writes;
    const char *document; /* NULL: the same */
    bool is_queued;
} kit_again;
kit *kit_rerun(kit *old, kit_again again);
/* It is refused with that code, and the sentence holds `part`. */
void kit_rerun_refused(kit *old, int rc, const char *part, kit_again again);

/* Compiled, started and advanced. NULL options: all zero. */
kit *kit_new(const char *yaml, const kit_options *options);
void kit_free(kit *k);

/* ---- time ---- */
int64_t kit_now(const kit *k); /* since the start */
void kit_pass(kit *k, int64_t ms);
/* To the next time at which something may follow by itself; returns the span. */
int64_t kit_to_wake(kit *k);
/* Time goes by and no engine lives: kit_crash or kit_restart must follow. */
void kit_sleep_through(kit *k, int64_t ms);
int64_t kit_wakes_in(kit *k); /* -1: never by itself */
/* Of the next jitters: 0 (the lowest) .. 1. */
void kit_chance(kit *k, double share);

/* The options' gate or cache says something else by now. */
void kit_world_changed(kit *k);

/* ---- the world ---- */
/* All that is owed now, in the order of the steps: "book trip.hotel check:pay"; "" for nothing. */
void kit_owes(kit *k, const char *expected);
void kit_ok(kit *k, const char *call, const char *json);
void kit_fails(kit *k, const char *call, ctn_failure failure); /* the peer said so, or it was never sent */
void kit_lost(kit *k, const char *call, ctn_failure failure);  /* sent, and then nothing */
void kit_ends(kit *k, const char *call, ctn_input in);         /* failure, message, was_sent, ... as given */
/* Its peer asks, or accepted it and goes on by itself. */
void kit_asks(kit *k, const char *call, const char *asks, const char *continuation);
void kit_accepted(kit *k, const char *call, const char *continuation);
/* An owed call goes on with that, and that was answered; NULL: nothing. */
void kit_goes_on(kit *k, const char *call, const char *continuation, const char *answers);
/* Arguments of an owed call as compact JSON; that they are these. */
const char *kit_args(kit *k, const char *call);
void kit_sends(kit *k, const char *call, const char *json);
const char *kit_key(kit *k, const char *call); /* without the execution's id in front */
ctn_owed_call kit_owed(kit *k, const char *call);
/* The result of a call that is no longer owed is refused as stale: `before` is what kit_owed said of it. */
void kit_late(kit *k, ctn_owed_call before, const char *json);

/* ---- people and engines ---- */
void kit_says(kit *k, ctn_input in); /* accepted; it is sam who speaks, unless the input names another */
void kit_says_as(kit *k, const char *actor, ctn_input in);
/* Refused with that code, and the sentence holds `part`. */
void kit_refused(kit *k, int rc, const char *part, ctn_input in);
/* What people say; step NULL: the only one that it can be about. */
ctn_input kit_answer(kit *k, const char *step, const char *json);
ctn_input kit_settle_retry(const char *step);
ctn_input kit_settle_succeed(kit *k, const char *step, const char *json);
ctn_input kit_settle_fail(const char *step);
ctn_input kit_set(kit *k, const char *variable, const char *json);
void kit_cancel(kit *k);
void kit_pause(kit *k);
void kit_resume(kit *k);
const ctn_json *kit_json(kit *k, const char *json);
/* The process goes away and another loads the journal; so many times. */
void kit_crash(kit *k);
void kit_crashes(kit *k, int times);
void kit_restart(kit *k); /* after a clean stop */

/* ---- what came of it ---- */
void kit_is(kit *k, const char *status);
void kit_step_is(kit *k, const char *step, const char *status);
ctn_step_view kit_step(kit *k, const char *step);
void kit_variable_is(kit *k, const char *name, const char *json); /* NULL: never set */
void kit_outputs_are(kit *k, const char *json);                   /* NULL: there are none */
/* The error without its message, as JSON; NULL: there is none. */
void kit_error_is(kit *k, const char *json);
const char *kit_error_message(kit *k);
/* The journal so far: "started attempt_failed:book ...". */
void kit_journal_is(kit *k, const char *expected);
int kit_count(kit *k, ctn_entry_kind kind, const char *step); /* NULL: of any step */
const ctn_json *kit_body(kit *k, ctn_entry_kind kind, int n); /* of the n-th such entry, from 0 */
/* The first such entry has that text as that member. */
void kit_body_says(kit *k, ctn_entry_kind kind, const char *member, const char *text);
const ctn_execution *kit_execution(kit *k);
ctn_record *kit_records(kit *k, size_t *ret_count);
/* What a test asks of the execution may live there as long as the kit. */
ctn_arena *kit_arena(kit *k);
