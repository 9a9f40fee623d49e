/*
 * breaker.h -- the circuit breaker of one tool (chain language, section 6). Pure.
 *
 *   CLOSED --failureRatio of the last `window` calls failed, and there were `minimum`--> OPEN
 *   OPEN --openMs are over, a call begins--> OPEN with a probe under way; nobody else begins
 *   probe succeeds --> CLOSED, with an empty memory      probe fails --> OPEN for openMs again
 *
 * What was neither a success nor a failure of the tool (cancelled, refused by policy, bad arguments) changes nothing;
 * of a probe it lets the next one try. Calls that began before it opened are heard no more.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ctn_breaker_rules {
    int64_t window, minimum, open_ms;
    double failure_ratio;
} ctn_breaker_rules;

typedef enum ctn_verdict_of_call { CTN_CALL_WENT_WELL, CTN_CALL_FAILED, CTN_CALL_SAYS_NOTHING } ctn_verdict_of_call;

typedef struct ctn_breaker {
    bool is_open, has_probe;
    int64_t until_ms; /* open: when a probe may go */
    bool *has_failed; /* the last calls, a ring */
    size_t first, count, capacity, failures;
    uint64_t opened; /* how often: a call that began before the last time is not heard */
} ctn_breaker;

void ctn_breaker_done(ctn_breaker *breaker);
/* As it was left in another life. */
void ctn_breaker_restore(ctn_breaker *breaker, int64_t until_ms);
/* Closed by somebody's word, with an empty memory; calls that began before are heard no more. */
void ctn_breaker_reset(ctn_breaker *breaker);
/* false: not before *ret_until_ms. */
bool ctn_breaker_may_begin(const ctn_breaker *breaker, const ctn_breaker_rules *rules, int64_t now_ms,
                           int64_t *ret_until_ms);
/* A call begins that may: true when it is the probe. *ret_opened goes back with its end. */
bool ctn_breaker_begun(ctn_breaker *breaker, uint64_t *ret_opened);
/* True when it opened, closed, opened anew, or lets another probe try: those who wait for it should ask again. */
bool ctn_breaker_ended(ctn_breaker *breaker, const ctn_breaker_rules *rules, bool is_probe, uint64_t opened,
                       ctn_verdict_of_call verdict, int64_t now_ms);
