/*
 * gate.c -- may this call begin now? Answers core's question for a set's rateLimit and maxConcurrent, for the tool's
 * circuit breaker, and for the place that the execution has in its chain, and wakes those who were told no.
 *
 * A place is taken when the start is recorded (the answer that went before was about this very call: nothing comes in
 * between), goes over to the flight when the call begins, and is given back when the flight closes, whatever the
 * reason. A start that never becomes a flight (its batch failed, the chain was stopped) gives its place back when the
 * execution has been looked at again, or is unloaded. So places cannot leak.
 *
 * A tool that is held (holds.h) is not called: the execution is paused when it was advanced.
 *
 * Waiters: one told "later" stands in the limit's queue; who is at the front when a place is given back is advanced
 * again in the next turn. A wait for time (tokens, openMs) is the execution's own due time. An execution that was
 * advanced and did not ask again has gone another way and leaves the queue.
 *
 * Breakers are one per tool ("tool server/name"), kept in the store when they open and close, so that an open one is
 * open after a restart. What was counted while it was closed is not kept.
 */
#include "engine/gate.h"
#include "base/memory.h"
#include "engine/breaker.h"
#include "engine/request.h"
#include "engine/holds.h"
#include "engine/limits.h"
#include "engine/place.h"
#include "engine/quota.h"
#include "engine/shares.h"
#include "engine/state.h"

#include <stdlib.h>

/* ---- limits and breakers by name ---- */

typedef struct gate_limit {
    ctn_limit limit;
    char *name; /* of the instruction set; of a probe: "probe of " and the breaker's */
    ctn_share share;
    int64_t settle_at_ms; /* 0: when somebody waits */
    struct gate_limit *next;
} gate_limit;

typedef struct gate_breaker {
    ctn_breaker breaker;
    ctn_breaker_rules rules; /* of the set that asked last */
    char *name;
    bool is_open_on_disk;
    int64_t known_at_ms; /* changed_at_ms of what the disk says, as far as we know */
    bool is_of_host;     /* that answers: an error of its own making ends as transport */
    struct gate_breaker *next;
} gate_breaker;

struct gate {
    gate_limit *limits;
    int64_t settle_at_ms; /* the earliest of theirs; 0: none is to be settled */
    gate_breaker *breakers;
    loaded *asking; /* whose next is being decided */
    bool has_answered;
    gate_pass answer; /* what the last yes was about */
};

static bool is_shared(const ctn_engine *e)
{
    return e->options.leases && e->options.leases->node;
}

static gate_limit *limit_by_name(ctn_engine *e, ctn_str name)
{
    gate_limit *g = e->gate->limits;
    while (g && !ctn_str_is(name, g->name))
        g = g->next;
    if (!g) {
        g = ctn_malloc(sizeof *g);
        *g = (gate_limit){.name = ctn_cstring(name), .next = e->gate->limits};
        e->gate->limits = g;
    }
    return g;
}

/* NULL: the set has no limit. */
static gate_limit *limit_of(ctn_engine *e, const ctn_plan_set *set)
{
    const ctn_set_limits *said = &set->limits;
    if (said->rate_per_second <= 0 && !said->max_concurrent)
        return NULL;
    gate_limit *g = limit_by_name(e, set->name);
    g->limit.rules = (ctn_limit_rules){.per_second = said->rate_per_second,
                                       .burst = said->rate_burst,
                                       .max_concurrent = said->max_concurrent,
                                       .is_shared = is_shared(e)};
    return g;
}

static gate_breaker *breaker_by_name(ctn_engine *e, ctn_str name)
{
    gate_breaker *g = e->gate->breakers;
    while (g && !ctn_str_is(name, g->name))
        g = g->next;
    if (!g) {
        g = ctn_malloc(sizeof *g);
        *g = (gate_breaker){.name = ctn_cstring(name), .next = e->gate->breakers};
        e->gate->breakers = g;
    }
    return g;
}

/* What is called stands in somebody else's power: a tool, a host. */
static bool has_breaker(const ctn_plan_call *call)
{
    return call->kind == CTN_WORK_TOOL || call->kind == CTN_WORK_HTTP;
}

/* NULL: it has none. */
static gate_breaker *breaker_of(ctn_engine *e, const ctn_plan_set *set, const ctn_plan_call *call)
{
    if (!has_breaker(call))
        return NULL;
    gate_breaker *g = breaker_by_name(e, call->target);
    const ctn_set_limits *said = &set->limits;
    g->is_of_host = call->kind == CTN_WORK_HTTP;
    g->rules = (ctn_breaker_rules){.window = said->breaker_window,
                                   .minimum = said->breaker_minimum,
                                   .open_ms = said->breaker_open_ms,
                                   .failure_ratio = said->breaker_failure_ratio};
    return g;
}

static int restore(void *ctx, const ctn_breaker_row *row)
{
    ctn_engine *e = ctx;
    if (ctn_str_is(row->state, "open")) {
        gate_breaker *g = breaker_by_name(e, row->name);
        int64_t span_ms = row->until_ms - row->changed_at_ms; /* no longer than it said, if the clock went back */
        ctn_breaker_restore(&g->breaker, row->until_ms < e->now_ms + span_ms ? row->until_ms : e->now_ms + span_ms);
        g->is_open_on_disk = true;
        g->known_at_ms = row->changed_at_ms;
    }
    return 0;
}

static void keep(ctn_engine *e, gate_breaker *g)
{
    bool is_open = g->breaker.is_open;
    if (!is_open && !g->is_open_on_disk)
        return;
    ctn_breaker_row row = {.name = ctn_str_from(g->name),
                           .state = is_open ? CTN_STR("open") : CTN_STR("closed"),
                           .until_ms = is_open ? g->breaker.until_ms : 0,
                           .changed_at_ms = e->now_ms};
    ctn_err err = {0};
    if (ctn_store_breaker_put(e->options.store, &row, &err))
        ctn_log_line(e->options.log, CTN_LOG_WARN, "a circuit breaker cannot be noted", "why", err.message, NULL);
    else {
        g->is_open_on_disk = is_open;
        g->known_at_ms = e->now_ms;
    }
    ctn_log_line(e->options.log, CTN_LOG_WARN, is_open ? "a circuit breaker is open" : "a circuit breaker has closed",
                 "tool", g->name, NULL);
}

/* ---- waking ---- */

static void wake_front(ctn_engine *e, gate_limit *g)
{
    size_t ready = ctn_limit_ready(&g->limit, e->now_ms);
    for (size_t i = 0; i < ready; i++) {
        loaded *l = ctn_live_find(&e->live, g->limit.queue[i]);
        if (l)
            ctn_live_wake_at(&e->live, l, e->now_ms);
    }
}

static void wake_those_at(ctn_engine *e)
{
    for (loaded *l = e->live.first; l; l = l->next)
        if (l->gate.waits_for_breaker)
            ctn_live_wake_at(&e->live, l, e->now_ms);
}

void ctn_eng_gate_turn(ctn_engine *e)
{
    struct gate *gate = e->gate;
    if (!gate->settle_at_ms || e->now_ms < gate->settle_at_ms || e->store.is_failing)
        return;
    gate->settle_at_ms = 0;
    for (gate_limit *g = gate->limits; g; g = g->next) {
        if (g->settle_at_ms && e->now_ms >= g->settle_at_ms &&
            ctn_eng_share_settle(e, &g->share, &g->limit, ctn_str_from(g->name), &g->settle_at_ms))
            wake_front(e, g);
        if (g->settle_at_ms && (!gate->settle_at_ms || g->settle_at_ms < gate->settle_at_ms))
            gate->settle_at_ms = g->settle_at_ms;
    }
}

int64_t ctn_eng_gate_turn_ms(const ctn_engine *e)
{
    return e->gate->settle_at_ms;
}

bool ctn_engine_breaker_reset(ctn_engine *e, ctn_str target)
{
    gate_breaker *g = e->gate->breakers;
    while (g && !ctn_str_is(target, g->name))
        g = g->next;
    if (!g)
        return false;
    ctn_breaker_reset(&g->breaker);
    keep(e, g);
    wake_those_at(e);
    ctn_eng_wake(e);
    return true;
}

/* ---- core asks ---- */

static bool stands_in(const loaded *l, const gate_limit *g)
{
    for (uint32_t i = 0; i < l->gate.wait_count; i++)
        if (l->gate.waits[i] == g)
            return true;
    return false;
}

/* It waits for this: until the time, if it is one, or until it is woken. */
static ctn_gate wait_for(ctn_engine *e, loaded *l, gate_limit *g, int64_t until_ms)
{
    if (until_ms)
        ctn_live_wake_at(&e->live, l, until_ms);
    if (!stands_in(l, g)) {
        l->gate.waits = ctn_realloc_array(l->gate.waits, l->gate.wait_count + 1, sizeof *l->gate.waits);
        l->gate.waits[l->gate.wait_count++] = g;
    }
    if (g->limit.rules.is_shared) { /* before this turn ends, or when it was going to be asked again */
        g->settle_at_ms = g->settle_at_ms ? g->settle_at_ms : e->now_ms;
        e->gate->settle_at_ms = e->now_ms;
    }
    return CTN_GATE_LATER;
}

/* Over a fleet one node sends the probe. NULL: this call is none, or nobody else could send one. */
static gate_limit *probe_of(ctn_engine *e, const gate_breaker *b)
{
    if (!b || !b->breaker.is_open || !is_shared(e))
        return NULL;
    gate_limit *g = limit_by_name(e, ctn_arena_printf(e->scratch, "probe of %s", b->name));
    g->limit.rules = (ctn_limit_rules){.max_concurrent = 1, .is_shared = true};
    return g;
}

static ctn_gate ask(void *ctx, const ctn_execution *x, const ctn_plan_set *set, const ctn_plan_call *call,
                    int64_t now_ms, int64_t *ret_until_ms)
{
    ctn_engine *e = ctx;
    loaded *l = e->gate->asking;
    int64_t until_ms = 0;
    e->gate->has_answered = false;
    if (!l || l->x != x) { /* what is owed is asked for, not a start: as the last advance left it */
        const loaded *asked = ctn_live_find(&e->live, ctn_execution_id_of(x));
        bool is_held = asked && (asked->lacks_labels || asked->gate.wait_count || asked->gate.waits_for_breaker ||
                                 asked->place.waits_in);
        return is_held ? CTN_GATE_LATER : CTN_GATE_OPEN;
    }
    if (l->lacks_labels || (e->holds && ctn_eng_holds_back(e, l, call)))
        return CTN_GATE_LATER; /* the first: until its shard is another's */
    gate_breaker *b = breaker_of(e, set, call);
    if (b && !ctn_breaker_may_begin(&b->breaker, &b->rules, now_ms, &until_ms)) {
        l->gate.waits_for_breaker = true;
        ctn_live_wake_at(&e->live, l, until_ms);
        *ret_until_ms = until_ms;
        return CTN_GATE_BREAKER;
    }
    if (!ctn_eng_place_to_go_on(e, l))
        return CTN_GATE_LATER;
    gate_limit *g = limit_of(e, set), *probe = probe_of(e, b);
    if (probe && !ctn_limit_ask(&probe->limit, l->id, now_ms, &until_ms)) {
        l->gate.waits_for_breaker = true; /* it may close meanwhile */
        return wait_for(e, l, probe, until_ms);
    }
    if (g && !ctn_limit_ask(&g->limit, l->id, now_ms, &until_ms))
        return wait_for(e, l, g, until_ms);
    e->gate->answer = (gate_pass){.limit = g, .breaker = b, .probe = probe};
    e->gate->has_answered = g || b;
    return CTN_GATE_OPEN;
}

/* Only while something may be forbidden is this asked. */
static ctn_failure forbids(void *ctx, const ctn_execution *x, const ctn_plan_set *set, ctn_err *err)
{
    ctn_engine *e = ctx;
    const loaded *l = e->gate->asking;
    (void) set;
    return l && l->x == x && ctn_eng_quota_allows_call(e, l->queue.tenant, err) ? CTN_FAILURE_LIMIT : CTN_FAILURE_NONE;
}

void ctn_eng_gate_begin(ctn_engine *e, loaded *l, gate_waits *ret_before)
{
    e->gate->asking = l;
    *ret_before =
        (gate_waits){.limits = l->gate.waits, .count = l->gate.wait_count, .chain = ctn_eng_place_forget_wait(e, l)};
    l->gate.waits = NULL;
    l->gate.wait_count = 0;
    l->gate.waits_for_breaker = false;
}

void ctn_eng_gate_recorded(ctn_engine *e, loaded *l, const ctn_entry *entry)
{
    bool is_start = entry->kind == CTN_ENTRY_ATTEMPT_STARTED || entry->kind == CTN_ENTRY_COMPENSATION_STARTED;
    if (!e->gate->has_answered)
        return;
    e->gate->has_answered = false;
    if (!is_start)
        return;
    gate_pass p = e->gate->answer;
    if (p.limit)
        ctn_limit_take(&p.limit->limit, l->id, e->now_ms);
    if (p.probe)
        ctn_limit_take(&p.probe->limit, l->id, e->now_ms);
    if (p.breaker)
        p.is_probe = ctn_breaker_begun(&p.breaker->breaker, &p.opened);
    l->gate.passes = ctn_realloc_array(l->gate.passes, l->gate.pass_count + 1, sizeof *l->gate.passes);
    l->gate.passes[l->gate.pass_count++] = p;
}

void ctn_eng_gate_end(ctn_engine *e, loaded *l, gate_waits *before)
{
    e->gate->asking = NULL;
    e->gate->has_answered = false;
    for (size_t i = 0; i < before->count; i++)
        if (!stands_in(l, before->limits[i])) {
            ctn_limit_leave(&before->limits[i]->limit, l->id);
            wake_front(e, before->limits[i]);
        }
    free(before->limits);
    ctn_eng_place_settle(e, l);
    if (!l->place.waits_in)
        ctn_eng_place_offer(e, before->chain); /* it took its place, or went another way: is there one more? */
}

/* ---- passes ---- */

void ctn_eng_pass_keep(loaded *l, gate_pass *p)
{
    if (p->limit || p->breaker) {
        l->gate.passes = ctn_realloc_array(l->gate.passes, l->gate.pass_count + 1, sizeof *l->gate.passes);
        l->gate.passes[l->gate.pass_count++] = *p;
    }
    *p = (gate_pass){0};
}

static void give_back(ctn_engine *e, gate_limit *g)
{
    if (!g)
        return;
    ctn_limit_give_back(&g->limit);
    wake_front(e, g);
    if (g->limit.rules.is_shared) /* it may be needed elsewhere */
        e->gate->settle_at_ms = g->settle_at_ms = e->now_ms;
}

void ctn_eng_pass_give_back(ctn_engine *e, gate_pass *p)
{
    give_back(e, p->limit);
    give_back(e, p->probe);
    if (p->breaker && p->is_probe &&
        ctn_breaker_ended(&p->breaker->breaker, &p->breaker->rules, true, p->opened, CTN_CALL_SAYS_NOTHING, e->now_ms))
        wake_those_at(e); /* nobody heard how the probe went: another one may try */
    *p = (gate_pass){0};
}

void ctn_eng_pass_heard(ctn_engine *e, gate_pass *p, ctn_failure failure)
{
    ctn_verdict_of_call verdict = CTN_CALL_FAILED;
    if (failure == CTN_FAILURE_NONE)
        verdict = CTN_CALL_WENT_WELL;
    else if (failure == CTN_FAILURE_CANCELLED || failure == CTN_FAILURE_DENIED || failure == CTN_FAILURE_INVALID_INPUT)
        verdict = CTN_CALL_SAYS_NOTHING;
    gate_breaker *b = p->breaker;
    if (b && b->is_of_host && failure == CTN_FAILURE_TOOL_ERROR) /* refused: what was asked was at fault */
        verdict = CTN_CALL_WENT_WELL;
    p->breaker = NULL; /* heard once */
    if (!b || !ctn_breaker_ended(&b->breaker, &b->rules, p->is_probe, p->opened, verdict, e->now_ms))
        return;
    if (verdict != CTN_CALL_SAYS_NOTHING)
        keep(e, b);
    wake_those_at(e);
}

gate_pass ctn_eng_pass_for(ctn_engine *e, loaded *l, const ctn_plan_set *set, const ctn_plan_call *call)
{
    for (uint32_t i = 0; i < l->gate.pass_count; i++) {
        gate_pass p = l->gate.passes[i];
        bool is_its_limit = p.limit ? ctn_str_is(set->name, p.limit->name) : limit_of(e, set) == NULL;
        bool is_its_tool =
            p.breaker ? has_breaker(call) && ctn_str_is(call->target, p.breaker->name) : !has_breaker(call);
        if (!is_its_limit || !is_its_tool)
            continue;
        l->gate.passes[i] = l->gate.passes[--l->gate.pass_count];
        return p;
    }
    gate_pass taken = {.limit = limit_of(e, set)}; /* it began in another life, and has to go on: it counts */
    if (taken.limit)
        ctn_limit_take(&taken.limit->limit, l->id, e->now_ms);
    return taken;
}

void ctn_eng_passes_drop(ctn_engine *e, loaded *l)
{
    while (l->gate.pass_count)
        ctn_eng_pass_give_back(e, &l->gate.passes[--l->gate.pass_count]);
}

void ctn_eng_gate_forget(ctn_engine *e, loaded *l)
{
    ctn_eng_passes_drop(e, l);
    for (uint32_t i = 0; i < l->gate.wait_count; i++) {
        ctn_limit_leave(&l->gate.waits[i]->limit, l->id);
        wake_front(e, l->gate.waits[i]);
    }
    free(l->gate.waits);
    free(l->gate.passes);
    l->gate.waits = NULL;
    l->gate.passes = NULL;
    l->gate.wait_count = 0;
}

/* ---- life ---- */

int ctn_eng_gate_init(ctn_engine *e, ctn_err *err)
{
    e->gate = ctn_calloc(1, sizeof *e->gate);
    e->rules.gate = ask;
    e->rules.gate_ctx = e;
    if (e->options.tenant_count) {
        e->rules.forbids = forbids;
        e->rules.forbids_ctx = e;
    }
    return ctn_store_breaker_list(e->options.store, restore, e, err);
}

/* Open where we know it closed, or for longer; or closed by somebody's word, or a probe's success. */
static int take_over(void *ctx, const ctn_breaker_row *row)
{
    ctn_engine *e = ctx;
    gate_breaker *g = breaker_by_name(e, row->name);
    bool is_open = ctn_str_is(row->state, "open");
    if (row->changed_at_ms <= g->known_at_ms)
        return 0;
    g->known_at_ms = row->changed_at_ms;
    g->is_open_on_disk = is_open;
    if (is_open)
        ctn_breaker_restore(&g->breaker, row->until_ms);
    else if (g->breaker.is_open)
        ctn_breaker_reset(&g->breaker);
    return 0;
}

void ctn_eng_gate_read(ctn_engine *e)
{
    ctn_err err = {0};
    if (ctn_store_breaker_list(e->options.store, take_over, e, &err))
        ctn_log_line(e->options.log, CTN_LOG_WARN, "the circuit breakers of other nodes cannot be read", "why",
                     err.message, NULL);
    wake_those_at(e);
}

void ctn_eng_gate_done(ctn_engine *e)
{
    for (gate_limit *g = e->gate->limits, *next; g; g = next) {
        next = g->next;
        ctn_limit_done(&g->limit);
        free(g->name);
        free(g);
    }
    for (gate_breaker *g = e->gate->breakers, *next; g; g = next) {
        next = g->next;
        ctn_breaker_done(&g->breaker);
        free(g->name);
        free(g);
    }
    free(e->gate);
}
