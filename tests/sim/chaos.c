/*
 * chaos.c -- the loop of a random world. Time stands still while anything can happen at once; then it goes on to the
 * next event or to the time that the engine named, whichever is first. After every turn what must hold is checked.
 *
 * A tick is a moment at which the world does something of itself. When the ticks are used up it is calm: no faults any
 * more, and whoever can end must.
 */
#include "sim/chaos_state.h"

#include "chain/library.h"

#include <stdarg.h>
#include <stdlib.h>

#define TURNS_MAX     60000
#define CALM_MS_MAX   (60ll * 86400000) /* twelve waits of a day, and some */
#define BEGAN_AT_MS   1790000000000
#define STOP_GRACE_MS 5000

static const char *const count_names[CHAOS_COUNT] = {
    [CHAOS_EXECUTIONS] = "executions",
    [CHAOS_STEPS] = "steps",
    [CHAOS_RECORDS] = "records",
    [CHAOS_CALLS] = "calls",
    [CHAOS_EFFECTS] = "effects",
    [CHAOS_CALLS_FAILED] = "calls failed",
    [CHAOS_DEATHS] = "deaths",
    [CHAOS_STOPS] = "clean stops",
    [CHAOS_COMMITS] = "commits",
    [CHAOS_COMMITS_FAILED] = "commits failed",
    [CHAOS_COMMITS_LOST] = "commits lost",
    [CHAOS_READS_FAILED] = "reads failed",
    [CHAOS_STALE_APPENDS] = "stale appends",
    [CHAOS_JUMPS] = "clock jumps",
    [CHAOS_QUEUED] = "queued",
    [CHAOS_BACKOFFS] = "back-offs",
    [CHAOS_FALLBACKS] = "fallbacks",
    [CHAOS_ITEMS] = "items",
    [CHAOS_CACHE_HITS] = "cache hits",
    [CHAOS_UNKNOWNS] = "unknown outcomes",
    [CHAOS_CHECKS] = "checks",
    [CHAOS_INTERRUPTIONS] = "interruptions",
    [CHAOS_SETTLEMENTS] = "settlements",
    [CHAOS_SETS] = "sets",
    [CHAOS_WAITS] = "waits",
    [CHAOS_ANSWERS] = "answers",
    [CHAOS_SKIPS] = "skips",
    [CHAOS_PAUSES] = "pauses",
    [CHAOS_CANCELS] = "cancels",
    [CHAOS_TIMEOUTS] = "time-outs",
    [CHAOS_UNDONE] = "undone",
    [CHAOS_UNDO_FAILED] = "undo failed",
    [CHAOS_COMPLETED] = "completed",
    [CHAOS_FAILED] = "failed",
    [CHAOS_ROLLED_BACK] = "rolled back",
    [CHAOS_ROLLBACK_FAILED] = "rollback failed",
    [CHAOS_CANCELLED] = "cancelled",
    [CHAOS_PARKED] = "parked",
};

const char *chaos_count_name(chaos_count count)
{
    return count_names[count];
}

void chaos_trace(const chaos *w, const char *format, ...)
{
    if (!w->o.trace)
        return;
    va_list args;
    va_start(args, format);
    fprintf(w->o.trace, "%9lld ", (long long) (w->now_ms - w->began_at_ms));
    vfprintf(w->o.trace, format, args);
    fputc('\n', w->o.trace);
    va_end(args);
}

event *chaos_event(chaos *w, event_kind kind, int64_t delay_ms)
{
    int i = 0;
    while (i < w->events_used && w->events[i].kind != EVENT_NONE)
        i++;
    if (i == EVENTS_MAX) {
        BROKEN(w, "the world has too many events");
        i = 0;
    }
    if (i >= w->events_used)
        w->events_used = i + 1;
    w->events[i] = (event){.kind = kind, .at_ms = w->now_ms + delay_ms, .order = w->order++};
    return &w->events[i];
}

static event *next_event(chaos *w)
{
    event *first = NULL;
    while (w->events_used && w->events[w->events_used - 1].kind == EVENT_NONE)
        w->events_used--;
    for (int i = 0; i < w->events_used; i++) {
        event *e = &w->events[i];
        if (e->kind != EVENT_NONE &&
            (!first || e->at_ms < first->at_ms || (e->at_ms == first->at_ms && e->order < first->order)))
            first = e;
    }
    return first;
}

subject *chaos_subject(chaos *w, ctn_execution_id id)
{
    for (int i = 0; i < w->subject_count; i++)
        if (w->subjects[i].exec_no && ctn_id_equal(w->subjects[i].oracle.id, id))
            return &w->subjects[i];
    return NULL;
}

/* ---- death ---- */

void chaos_die(chaos *w, const char *where)
{
    if (w->is_dead)
        return;
    chaos_trace(w, "the engine dies %s", where);
    COUNT(w, CHAOS_DEATHS);
    w->is_dead = true;
}

void chaos_may_die(chaos *w, const char *where)
{
    if (!w->is_calm && chance_percent(&w->of_life, w->callback_deaths))
        chaos_die(w, where);
}

/* ---- what the engine tells ---- */

static void on_event(void *ctx, const ctn_engine_event *told)
{
    chaos *w = ctx;
    subject *x = chaos_subject(w, ctn_execution_id_of(told->execution));
    if (w->is_dead || (told->kind != CTN_EVENT_ENTRY && told->kind != CTN_EVENT_STATUS))
        return;
    if (!x) {
        BROKEN(w, "something is told of an execution that is not on disk");
        return;
    }
    if (x->end_was_told)
        BROKEN(w, "something is told after the end");
    if (told->kind == CTN_EVENT_STATUS) {
        x->end_was_told = ctn_status_is_final(told->status);
        if (x->end_was_told && (!x->oracle.has_ended || x->oracle.end != told->status))
            BROKEN(w, "an end is told that is not on disk: %s", ctn_status_name(told->status));
    } else if (told->record->seq > x->oracle.seq || told->record->seq <= x->seq_told) {
        BROKEN(w, "entry %llu is told after %llu, on disk are %llu", (unsigned long long) told->record->seq,
               (unsigned long long) x->seq_told, (unsigned long long) x->oracle.seq);
    } else {
        x->seq_told = told->record->seq;
    }
    chaos_may_die(w, "telling something");
}

static void on_wake(void *ctx)
{
    ((chaos *) ctx)->needs_turn = true;
}

static int64_t now(void *ctx)
{
    return ((chaos *) ctx)->now_ms;
}

/* ---- lives ---- */

static ctn_plan *compile(chaos *w, int chain)
{
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *parsed = NULL;
    const spec *s = w->specs[chain];
    ctn_plan *plan = NULL;
    for (int i = 0; i < s->document_count; i++)
        (void) ctn_library_add_template(library, (ctn_str){0}, s->documents[i].name, s->documents[i].text, &findings);
    (void) ctn_library_add_text(library, CTN_STR("chain.yaml"), s->text, &findings, &parsed);
    if (parsed)
        (void) ctn_plan_compile(arena, library, parsed, &findings, &plan);
    for (size_t i = 0; !plan && i < findings.count; i++)
        BROKEN(w, "chain.yaml:%u: %.*s", findings.items[i].line, CTN_STR_ARG(findings.items[i].message));
    return plan;
}

/* Who was not told that it is accepted asks again, and so does who comes now. */
static void ask_for_starts(chaos *w)
{
    for (int chain = 0; chain < w->chain_count && !w->failure->is_told; chain++) {
        bool any = false;
        for (int i = 0; i < w->subject_count; i++)
            any = any || (w->subjects[i].chain == chain && !w->subjects[i].is_acked && !w->subjects[i].was_asked_for &&
                          w->subjects[i].start_due <= w->tick);
        const ctn_plan *plan = NULL;
        int64_t version = 0;
        ctn_err err = {0};
        ctn_plan *compiled = any ? compile(w, chain) : NULL;
        if (!compiled)
            continue;
        if (ctn_engine_plan_add(w->engine, compiled, CTN_STR("world"), &plan, &version, &err)) {
            BROKEN(w, "the plan is refused: %s", err.message);
            return;
        }
        for (int i = 0; i < w->subject_count; i++) {
            subject *x = &w->subjects[i];
            if (x->chain == chain && !x->is_acked && !x->was_asked_for && x->start_due <= w->tick)
                chaos_start(w, x, plan, version);
        }
    }
}

static void begin_life(chaos *w)
{
    ctn_err err = {0};
    w->life++;
    if ((w->o.seed + w->life) % 4 == 0)
        chaos_verify_disk(w);
    w->is_dead = w->is_clean_stop = false;
    w->requests_in_life = w->requests_open = 0;
    bool was_crash = false;
    if (ctn_store_epoch_begin(w->inner, &w->epoch, &was_crash, &err))
        BROKEN(w, "no epoch: %s", err.message);
    if (w->life > 1 && was_crash != w->was_crash)
        BROKEN(w, "the store says that its last owner %s", was_crash ? "died" : "did not die");
    ctn_engine_options o = {
        .store = faulty_store_handle(w->faulty),
        .epoch = w->epoch,
        .was_crash = was_crash,
        .clock = {.now_ms = now, .ctx = w},
        .seed = w->o.seed ^ (w->life << 32),
        .id_rng = ctn_rng_seeded(&w->of_ids),
        .writer = {.ctx = w, .submit = chaos_submit},
        .drivers = w->drivers,
        .driver_count = 2,
        .rules = {.retry_interrupted = w->retries_interrupted},
        .active_max = w->active_max,
        .on_event = on_event,
        .on_event_ctx = w,
        .wake = on_wake,
        .wake_ctx = w,
    };
    int tries = 0;
    while (ctn_engine_new(&o, &w->engine, &err) && tries++ < 100)
        w->now_ms += 1000;
    for (int i = 0; i < w->subject_count; i++)
        w->subjects[i].end_was_told = w->subjects[i].was_asked_for = false; /* a new audience */
    w->was_crash = true;
    w->needs_turn = true;
    chaos_disk_tick(w); /* what the dead owner had under way may come just now */
    if (w->engine)
        ask_for_starts(w);
    else
        BROKEN(w, "the engine does not come up: %s", err.message);
}

static void end_life(chaos *w)
{
    ctn_engine_free(w->engine);
    w->engine = NULL;
    w->was_crash = !w->is_clean_stop;
    ctn_err err = {0};
    if (w->is_clean_stop && ctn_store_epoch_end(w->inner, w->epoch, &err))
        BROKEN(w, "the good-bye is refused: %s", err.message);
    chaos_tools_end(w);
    w->now_ms += 10 + (int64_t) chance_below(&w->of_life, w->is_calm ? 100 : 1500);
}

/* ---- ticks ---- */

static void tick(chaos *w)
{
    uint64_t *chance = &w->of_life;
    w->tick++;
    w->is_calm = --w->ticks_left <= 0;
    if (w->is_calm) {
        w->calm_at_ms = w->now_ms;
        w->deaths = w->commit_faults = w->read_faults = w->callback_deaths = w->stale = 0;
        chaos_trace(w, "it is calm");
        w->tick = 1 << 20;
    } else {
        chaos_event(w, EVENT_TICK,
                    chance_percent(chance, 70)   ? chance_between(chance, 0, 30)
                    : chance_percent(chance, 80) ? chance_between(chance, 30, 1500)
                                                 : chance_between(chance, 1500, 20000));
    }
    chaos_disk_tick(w);
    ask_for_starts(w);
    chaos_people_tick(w);
    if (w->is_calm)
        return;
    if (chance_percent(chance, w->meddling))
        chaos_meddle(w);
    if (chance_percent(chance, w->jumps)) {
        COUNT(w, CHAOS_JUMPS);
        w->now_ms +=
            chance_percent(chance, 80) ? chance_between(chance, 100, 60000) : chance_between(chance, 60000, 7200000);
        chaos_trace(w, "the clock jumps");
        for (int i = 0; i < w->events_used; i++) /* a machine that slept: outside the time went on */
            if (w->events[i].kind == EVENT_EFFECT && w->events[i].at_ms <= w->now_ms) {
                w->events[i].kind = EVENT_NONE;
                chaos_effect(w, &w->events[i]);
            }
    }
    if (chance_percent(chance, w->deaths))
        chaos_die(w, "by itself");
    else if (!w->is_clean_stop && chance_percent(chance, w->stops)) {
        COUNT(w, CHAOS_STOPS);
        chaos_trace(w, "a clean stop");
        w->is_clean_stop = true;
        ctn_engine_stop(w->engine);
        event *e = chaos_event(w, EVENT_TICK, STOP_GRACE_MS);
        e->is_broken = true; /* the grace is over */
    }
}

static void happen(chaos *w, event *e)
{
    if (e->at_ms > w->now_ms)
        w->now_ms = e->at_ms;
    event copy = *e;
    e->kind = EVENT_NONE;
    switch (copy.kind) {
    case EVENT_COMMIT: chaos_commit(w, copy.batch); break;
    case EVENT_EFFECT: chaos_effect(w, &copy); break;
    case EVENT_REPLY: chaos_reply(w, &copy); break;
    case EVENT_TICK:
        if (copy.is_broken && w->is_clean_stop)
            chaos_die(w, "in its stop");
        else if (!copy.is_broken)
            tick(w);
        break;
    case EVENT_NONE: break;
    }
}

/* ---- the loop ---- */

static void run(chaos *w)
{
    begin_life(w);
    chaos_event(w, EVENT_TICK, 0);
    int turns = 0;
    for (; turns < TURNS_MAX && !w->failure->is_told; turns++) {
        if (w->is_dead) {
            end_life(w);
            for (int i = 0; i < w->subject_count && !w->failure->is_told; i++)
                if (w->subjects[i].exec_no && chance_percent(&w->of_life, 25)) {
                    /* what a stranger sees between two owners */
                    chaos_check_disk(w, &w->subjects[i]);
                }
            begin_life(w);
            continue;
        }
        w->needs_turn = false;
        int64_t wake_at_ms = ctn_engine_turn(w->engine);
        if (w->needs_turn || w->is_dead)
            continue;
        if (w->is_clean_stop && ctn_engine_is_quiet(w->engine)) {
            w->is_dead = true;
            continue;
        }
        chaos_check_ends(w);
        event *e = next_event(w);
        if (e && (wake_at_ms == 0 || e->at_ms <= wake_at_ms || e->at_ms <= w->now_ms)) {
            if (e->at_ms > w->now_ms)
                chaos_check_memory(w);
            happen(w, e);
            continue;
        }
        if (!wake_at_ms || wake_at_ms > w->now_ms)
            chaos_check_memory(w);
        if (w->is_calm && (!wake_at_ms || wake_at_ms > w->now_ms) && !chaos_disk_is_busy(w) && chaos_look_after_all(w))
            continue;
        if (!wake_at_ms) {
            chaos_check_rest(w);
            break;
        }
        w->now_ms = wake_at_ms > w->now_ms ? wake_at_ms : w->now_ms + 1;
        if (w->is_calm && w->now_ms > w->calm_at_ms + CALM_MS_MAX)
            BROKEN(w, "it does not come to an end in %lld days", CALM_MS_MAX / 86400000);
    }
    if (turns == TURNS_MAX)
        BROKEN(w, "it does not come to an end in %d turns", TURNS_MAX);
}

/* ---- making one ---- */

static int draw_share(uint64_t *chance, int a, int b, int c, int d)
{
    int shares[] = {a, b, c, d};
    return CHANCE_OF(chance, shares);
}

static void draw(chaos *w)
{
    uint64_t seed = w->o.seed, chance = seed * 0xD6E8FEB86659FD93u + 11;
    uint64_t *states[] = {&w->of_life, &w->of_tools, &w->of_disk, &w->of_reads, &w->of_people, &w->of_ids};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        *states[i] = seed * 0x9E3779B97F4A7C15u + 77 * (i + 1);
    unsigned without = w->o.without;
    int quiet = chance_percent(&chance, 5); /* a world without faults: what goes wrong there is simply wrong */
    w->tool_faults = draw_share(&chance, 0, 10, 25, 50);
    w->checks_fail = draw_share(&chance, 0, 0, 20, 60);
    w->commit_faults = draw_share(&chance, 0, 0, 5, 20);
    w->read_faults = draw_share(&chance, 0, 0, 0, 4);
    w->deaths = draw_share(&chance, 0, 1, 3, 8);
    w->callback_deaths = draw_share(&chance, 0, 0, 1, 2);
    w->stops = draw_share(&chance, 0, 0, 2, 6);
    w->jumps = draw_share(&chance, 0, 0, 1, 5);
    w->meddling = draw_share(&chance, 0, 0, 10, 40);
    w->stale = draw_share(&chance, 0, 0, 20, 60);
    w->person = chance_percent(&chance, 60)   ? PERSON_PRESENT
                : chance_percent(&chance, 60) ? PERSON_LATE
                                              : PERSON_ABSENT;
    w->retries_interrupted = chance_percent(&chance, 10);
    w->ticks_left = chance_between(&chance, 10, 120);
    w->chain_count = chance_percent(&chance, 15) ? 2 : 1;
    w->subject_count = (int) (chance_percent(&chance, 60)   ? chance_between(&chance, 1, 3)
                              : chance_percent(&chance, 80) ? chance_between(&chance, 3, 8)
                                                            : chance_between(&chance, 8, SUBJECTS_MAX));
    w->active_max = (size_t) (chance_percent(&chance, 40) ? chance_between(&chance, 1, 4) : 0);
    if (quiet || (without & CHAOS_NO_CALL_FAULTS))
        w->tool_faults = w->checks_fail = 0;
    if (quiet || (without & CHAOS_NO_COMMIT_FAULTS))
        w->commit_faults = 0;
    if (quiet || (without & CHAOS_NO_READ_FAULTS))
        w->read_faults = 0;
    if (quiet || (without & CHAOS_NO_DEATHS))
        w->deaths = w->callback_deaths = 0;
    if (quiet || (without & CHAOS_NO_STOPS))
        w->stops = 0;
    if (quiet || (without & CHAOS_NO_JUMPS))
        w->jumps = 0;
    if (quiet || (without & CHAOS_NO_MEDDLING))
        w->meddling = 0;
    if (quiet || (without & CHAOS_NO_STALE))
        w->stale = 0;
    if (w->o.executions_max && w->subject_count > w->o.executions_max)
        w->subject_count = w->o.executions_max;
    for (int i = 0; i < w->chain_count; i++) {
        w->specs[i] = spec_generate(w->arena, seed, i);
        for (int k = 0; k < w->specs[i]->document_count && w->o.trace; k++)
            fprintf(w->o.trace, "%.*s\n", CTN_STR_ARG(w->specs[i]->documents[k].text));
        if (w->o.trace)
            fprintf(w->o.trace, "%.*s\n", CTN_STR_ARG(w->specs[i]->text));
    }
    for (int i = 0; i < w->subject_count; i++) {
        subject *x = &w->subjects[i];
        x->w = w;
        x->chain = (int) chance_below(&chance, (uint64_t) w->chain_count);
        x->start_due = chance_percent(&chance, 70) ? 0 : chance_between(&chance, 1, 30);
        x->oracle = (oracle){.spec = w->specs[x->chain],
                             .failure = w->failure,
                             .retries_interrupted = w->retries_interrupted,
                             .arena = w->arena,
                             .given = &w->given[x->chain],
                             .input_n = chance_between(&chance, 0, 9)};
    }
}

static void count_all(chaos *w)
{
    static const struct {
        ctn_entry_kind kind;
        chaos_count count;
    } kinds[] = {{CTN_ENTRY_INTERRUPTED, CHAOS_INTERRUPTIONS},
                 {CTN_ENTRY_WAITING, CHAOS_WAITS},
                 {CTN_ENTRY_ANSWERED, CHAOS_ANSWERS},
                 {CTN_ENTRY_STEP_SKIPPED, CHAOS_SKIPS},
                 {CTN_ENTRY_FALLBACK_TAKEN, CHAOS_FALLBACKS},
                 {CTN_ENTRY_QUEUED, CHAOS_QUEUED},
                 {CTN_ENTRY_PAUSED, CHAOS_PAUSES},
                 {CTN_ENTRY_COMPENSATION_SUCCEEDED, CHAOS_UNDONE},
                 {CTN_ENTRY_COMPLETED, CHAOS_COMPLETED},
                 {CTN_ENTRY_FAILED, CHAOS_FAILED},
                 {CTN_ENTRY_ROLLED_BACK, CHAOS_ROLLED_BACK},
                 {CTN_ENTRY_ROLLBACK_FAILED, CHAOS_ROLLBACK_FAILED},
                 {CTN_ENTRY_CANCELLED, CHAOS_CANCELLED}};
    uint64_t *counts = w->report->counts;
    for (int i = 0; i < w->subject_count; i++) {
        const oracle *o = &w->subjects[i].oracle;
        counts[CHAOS_EXECUTIONS] += w->subjects[i].exec_no != 0;
        counts[CHAOS_STEPS] += (uint64_t) o->spec->step_count;
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
            counts[kinds[k].count] += (uint64_t) o->kinds[kinds[k].kind];
        counts[CHAOS_BACKOFFS] += (uint64_t) o->backoffs;
        counts[CHAOS_CACHE_HITS] += (uint64_t) o->hits;
        counts[CHAOS_UNKNOWNS] += (uint64_t) o->unknowns;
        counts[CHAOS_SETS] += o->set_seq != 0;
        counts[CHAOS_SETTLEMENTS] += (uint64_t) o->settlements;
        if (o->kinds[CTN_ENTRY_CANCEL_REQUESTED])
            counts[o->cause == CTN_FAILURE_CANCELLED ? CHAOS_CANCELS : CHAOS_TIMEOUTS]++;
        for (int k = 0; k < o->spec->step_count; k++) {
            counts[CHAOS_UNDO_FAILED] += o->steps[k].whole.work[CTN_ROLE_UNDO].has_failed;
            for (const judged_task *t = o->steps[k].items; t; t = t->next) {
                counts[CHAOS_UNDO_FAILED] += t->work[CTN_ROLE_UNDO].has_failed;
                counts[CHAOS_ITEMS]++;
            }
        }
    }
    counts[CHAOS_READS_FAILED] += (uint64_t) faulty_store_failures(w->faulty);
    uint64_t trouble = counts[CHAOS_DEATHS] + counts[CHAOS_STOPS] + counts[CHAOS_COMMITS_FAILED] +
                       counts[CHAOS_COMMITS_LOST] + counts[CHAOS_CALLS_FAILED] + counts[CHAOS_PAUSES] +
                       counts[CHAOS_CANCELS] + counts[CHAOS_SETS];
    w->report->has_counted = counts[CHAOS_RECORDS] >= 5 && trouble >= 1;
}

void chaos_run(const chaos_options *options, chaos_report *ret_report)
{
    chaos *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    *ret_report = (chaos_report){0};
    w->o = *options;
    w->report = ret_report;
    w->failure = &ret_report->failure;
    w->arena = ctn_arena_new(65536);
    w->now_ms = w->began_at_ms = BEGAN_AT_MS;
    draw(w);
    char url[64];
    snprintf(url, sizeof url, "memory:chaos-%llu", (unsigned long long) options->seed);
    ctn_err err = {0};
    if (ctn_store_open(url, CTN_STORE_CREATE, &w->inner, &err)) {
        BROKEN(w, "no store: %s", err.message);
    } else {
        w->faulty = faulty_store_new(w->inner, &w->of_reads, &w->read_faults);
        chaos_tools_init(w);
        run(w);
        for (int i = 0; i < w->subject_count; i++)
            oracle_end(&w->subjects[i].oracle);
        count_all(w);
        chaos_verify_disk(w);
    }
    ctn_engine_free(w->engine);
    faulty_store_free(w->faulty);
    ctn_store_close(w->inner);
    ctn_arena_free(w->arena);
    free(w);
}
