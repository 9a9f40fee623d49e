/*
 * fleet.c -- the loop of a fleet's world. There is one true time, which is the store's clock; it goes on to the next
 * event. What reaches a node that is stopped waits for its waking.
 *
 * When it is calm, beats alone would go on for as long as somebody waits for a time that is days ahead. So when nothing
 * but beats is to come, time leaps to what comes next, and every lease with it.
 */
#include "sim/fleet_state.h"

#include "chain/library.h"
#include "engine/fold.h"
#include "store/memory/memory.h"
#include "store/verify.h"

#include <stdarg.h>
#include <stdlib.h>

#define EVENTS_HANDLED_MAX 60000
#define CALM_MS_MAX        (60ll * 86400000)
#define HELD_IN_MS         6000 /* a lease, the time to settle, and some */
#define BEGAN_AT_MS        1790000000000

static const char *const count_names[FLEET_COUNT] = {
    [FLEET_EXECUTIONS] = "executions",
    [FLEET_ENTRIES] = "entries",
    [FLEET_WRITES] = "writes",
    [FLEET_KILLS] = "kills",
    [FLEET_LEAVES] = "leaves",
    [FLEET_STOPS] = "stops",
    [FLEET_SEND_STOPS] = "stops at a send",
    [FLEET_CUTS] = "cut links",
    [FLEET_LOST_ANSWERS] = "lost answers",
    [FLEET_LATE_BATCHES] = "late batches",
    [FLEET_REFUSED] = "refused appends",
    [FLEET_TAKES] = "shards taken",
    [FLEET_TAKEOVERS] = "taken over",
    [FLEET_BURIALS] = "burials",
    [FLEET_STALE_BEATS] = "taken for dead",
    [FLEET_HELD_BACK] = "held back",
    [FLEET_REQUESTS] = "requests",
    [FLEET_FAR_ASKS] = "asked by engines",
    [FLEET_SECOND_ASKS] = "asked again",
    [FLEET_LABELLED] = "calls by label",
    [FLEET_LATE_WRITES] = "late writes",
    [FLEET_REPEATED_WRITES] = "repeated writes",
};

const char *fleet_count_name(fleet_count count)
{
    return count_names[count];
}

void fleet_trace(const fleet *w, const char *format, ...)
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

event *fleet_event(fleet *w, event_kind kind, life *l, int64_t at_ms)
{
    w->events = ctn_array_room(w->events, w->event_count, &w->event_capacity, sizeof *w->events);
    event *e = &w->events[w->event_count++];
    *e = (event){.kind = kind, .l = l, .at_ms = at_ms > w->now_ms ? at_ms : w->now_ms, .order = w->order++};
    return e;
}

subject *fleet_subject(fleet *w, ctn_execution_id id)
{
    for (int i = 0; i < w->subject_count; i++)
        if (w->subjects[i].exec_no && ctn_id_equal(w->subjects[i].oracle.id, id))
            return &w->subjects[i];
    return NULL;
}

void fleet_tell(fleet *w, const history_event *e)
{
    history_add(w->history, e);
    if (history_broken(w->history))
        BROKEN(w, "%s", history_broken(w->history));
    if (e->kind == HISTORY_TAKEN || e->kind == HISTORY_RELEASED || e->kind == HISTORY_JOINED)
        w->moved_at_ms = w->now_ms;
    if (e->kind == HISTORY_TAKEN) {
        w->holders[e->shard] = e->node;
    } else if (e->kind == HISTORY_RELEASED)
        w->holders[e->shard] = 0;
    else if (e->kind == HISTORY_LEFT || e->kind == HISTORY_BURIED)
        for (uint32_t i = 0; i < SHARDS; i++)
            w->holders[i] = w->holders[i] == e->node ? 0 : w->holders[i];
}

/* ---- ticks ---- */

static int64_t draw_span(uint64_t *chance)
{
    return chance_percent(chance, 50)   ? chance_between(chance, 20, 1500)
           : chance_percent(chance, 50) ? chance_between(chance, 1500, 4000)
                                        : chance_between(chance, 4000, 12000);
}

static void harm(fleet *w)
{
    uint64_t *chance = &w->of_nodes;
    int number = (int) chance_below(chance, (uint64_t) w->node_count);
    life *l = w->nodes[number].life;
    if (chance_percent(chance, w->cuts)) {
        COUNT(w, FLEET_CUTS);
        w->nodes[number].cut_until_ms = w->now_ms + draw_span(chance);
        fleet_trace(w, "node %d is cut off for %lld ms", number,
                    (long long) (w->nodes[number].cut_until_ms - w->now_ms));
    }
    if (!l || l->is_leaving)
        return;
    if (chance_percent(chance, w->kills)) {
        fleet_kill(l, "by somebody");
    } else if (chance_percent(chance, w->stops)) {
        COUNT(w, FLEET_STOPS);
        fleet_stop(l, draw_span(chance), "by somebody");
    } else if (chance_percent(chance, w->leaves) && l->incarnation) {
        fleet_trace(w, "node %d leaves", number);
        l->is_leaving = true;
        fleet_event(w, EVENT_LOOK, l, w->now_ms);
    }
}

static void be_calm(fleet *w)
{
    w->is_calm = true;
    w->calm_at_ms = w->held_at_ms = w->moved_at_ms = w->now_ms; /* who was stopped has to hear what he is */
    for (int i = 0; i < w->node_count; i++) {
        w->nodes[i].cut_until_ms = 0;
        if (w->nodes[i].life && w->nodes[i].life->stopped_until_ms > w->now_ms)
            w->nodes[i].life->stopped_until_ms = w->now_ms;
    }
    for (size_t i = 0; i < w->event_count; i++) /* what waited for their waking */
        if (w->events[i].waits)
            w->events[i].at_ms = w->now_ms;
    fleet_trace(w, "it is calm");
}

static void tick(fleet *w)
{
    uint64_t *chance = &w->of_nodes;
    if (--w->ticks_left <= 0) {
        be_calm(w);
        return;
    }
    harm(w);
    if (chance_percent(chance, w->meddling))
        fleet_meddle(w);
    fleet_event(w, EVENT_TICK, NULL,
                w->now_ms + (chance_percent(chance, 60)   ? chance_between(chance, 1, 60)
                             : chance_percent(chance, 80) ? chance_between(chance, 60, 1000)
                                                          : chance_between(chance, 1000, 8000)));
}

/* ---- the loop ---- */

static bool is_for_node(event_kind kind)
{
    return kind == EVENT_TURN || kind == EVENT_COMMITTED || kind == EVENT_LOOK || kind == EVENT_OP_ANSWER ||
           kind == EVENT_REPLY;
}

static size_t next_event(const fleet *w)
{
    size_t first = 0;
    for (size_t i = 1; i < w->event_count; i++) {
        const event *e = &w->events[i], *f = &w->events[first];
        if (e->at_ms < f->at_ms || (e->at_ms == f->at_ms && e->order < f->order))
            first = i;
    }
    return first;
}

static void happen(fleet *w, const event *e)
{
    life *l = e->l;
    if (is_for_node(e->kind) && l->is_dead)
        return;
    switch (e->kind) {
    case EVENT_TURN: l->needs_turn = true; break;
    case EVENT_COMMIT: fleet_commit(l, e->batch); break;
    case EVENT_COMMITTED:
        ctn_engine_batch_done(l->engine, e->batch);
        l->needs_turn = true;
        break;
    case EVENT_LOOK:
        if (l->look_at_ms <= w->now_ms || l->is_leaving)
            fleet_look(l);
        break;
    case EVENT_OP:
        if (l->op.kind && l->op.number == e->number)
            fleet_op(l);
        break;
    case EVENT_OP_ANSWER:
        if (l->op.kind && l->op.number == e->number)
            fleet_op_answer(l);
        break;
    case EVENT_ARRIVE: fleet_arrive(w, e); break;
    case EVENT_EFFECT: fleet_effect(w, e); break;
    case EVENT_REPLY: fleet_reply(w, e); break;
    case EVENT_CLIENT: fleet_client(e->x); break;
    case EVENT_BIRTH:
        if (!w->nodes[e->node].life)
            fleet_birth(w, e->node);
        break;
    case EVENT_TICK: tick(w); break;
    }
}

/* Every shard has a holder that lives and knows. */
static bool all_are_held(const fleet *w)
{
    uint32_t held = 0;
    for (int i = 0; i < w->node_count; i++)
        for (uint32_t shard = 0; shard < SHARDS; shard++) {
            const life *l = w->nodes[i].life;
            held += l && ctn_shard_set_has(&l->held, shard) && w->holders[shard] == l->incarnation;
        }
    return held == SHARDS;
}

/* All that are there are leaving. */
static bool nobody_takes(const fleet *w)
{
    for (int i = 0; i < w->node_count; i++)
        if (w->nodes[i].life && !w->nodes[i].life->is_leaving)
            return false;
    return true;
}

/* And everybody lives, and nothing of all that is on its way. */
static bool is_settled(const fleet *w)
{
    for (int i = 0; i < w->node_count; i++) {
        const life *l = w->nodes[i].life;
        if (!l || !l->incarnation || l->is_leaving || ctn_shard_set_count(&l->draining) || l->needs_turn ||
            (l->op.kind != OP_NONE && l->op.kind != OP_BEAT))
            return false;
    }
    return all_are_held(w);
}

/* When something comes that is no beat; 0: nothing does. */
static int64_t next_but_beats_ms(const fleet *w)
{
    int64_t first_ms = 0;
    for (size_t i = 0; i < w->event_count; i++) {
        const event *e = &w->events[i];
        if (e->kind != EVENT_LOOK && e->kind != EVENT_OP && e->kind != EVENT_OP_ANSWER &&
            (!first_ms || e->at_ms < first_ms))
            first_ms = e->at_ms;
    }
    return first_ms;
}

static void leap(fleet *w, int64_t to_ms)
{
    for (size_t i = 0; i < w->event_count;) {
        event_kind kind = w->events[i].kind;
        if (kind == EVENT_LOOK || kind == EVENT_OP || kind == EVENT_OP_ANSWER)
            w->events[i] = w->events[--w->event_count];
        else
            i++;
    }
    w->now_ms = to_ms;
    for (int i = 0; i < w->node_count; i++) {
        life *l = w->nodes[i].life;
        ctn_arena *arena = ctn_arena_new(1024);
        ctn_beat beat;
        if (ctn_store_node_beat(l->inner, l->incarnation, TERM_MS, false, arena, &beat, NULL) == CTN_OK) {
            fleet_tell(w,
                       &(history_event){.kind = HISTORY_BEAT, .node = l->incarnation, .until_ms = w->now_ms + TERM_MS});
            l->lease_until_boot_ms = fleet_boot_ms(l) + TERM_MS;
            l->lease_until_wall_ms = w->now_ms + TERM_MS;
        } /* else it was taken for dead, has nothing, and hears that with its next beat */
        ctn_arena_free(arena);
        l->op.kind = OP_NONE;
        l->look_at_ms = w->now_ms;
        fleet_event(w, EVENT_LOOK, l, w->now_ms);
    }
}

static bool all_is_over(const fleet *w)
{
    for (int i = 0; i < w->subject_count; i++)
        if (!w->subjects[i].is_acked || !w->subjects[i].oracle.has_ended ||
            (w->has_families && !w->subjects[i].outer_end))
            return false;
    return true;
}

static bool somebody_helps(fleet *w)
{
    for (int i = 0; i < w->subject_count; i++)
        if (fleet_help(w, &w->subjects[i]))
            return true;
    return false;
}

/* False: it is at rest, and nothing more will happen. */
static bool go_on_calmly(fleet *w, int64_t *idle_since_ms)
{
    if (all_are_held(w) || nobody_takes(w))
        w->held_at_ms = w->now_ms;
    else if (w->now_ms > w->held_at_ms + HELD_IN_MS)
        BROKEN(w, "nothing fails any more, and for %d s not every shard has a holder that knows", HELD_IN_MS / 1000);
    if (!is_settled(w)) {
        *idle_since_ms = w->now_ms;
        return true;
    }
    int64_t next_ms = next_but_beats_ms(w);
    if (next_ms && next_ms <= w->now_ms + 2 * BEAT_MS) {
        *idle_since_ms = w->now_ms;
        return true;
    }
    if (!next_ms && all_is_over(w))
        return false;
    if (w->now_ms < *idle_since_ms + 2 * BEAT_MS || w->now_ms < w->moved_at_ms + 2 * BEAT_MS)
        return true; /* requests are found with a beat, and shards go where they belong after one */
    *idle_since_ms = w->now_ms;
    if (somebody_helps(w))
        return true;
    if (!next_ms)
        return false;
    leap(w, next_ms);
    if (w->now_ms > w->calm_at_ms + CALM_MS_MAX)
        BROKEN(w, "it does not come to an end in %lld days", CALM_MS_MAX / 86400000);
    return true;
}

static void run_turns(fleet *w)
{
    for (int i = 0; i < w->node_count && !w->failure->is_told; i++) {
        life *l = w->nodes[i].life;
        if (l && l->needs_turn && l->stopped_until_ms <= w->now_ms)
            fleet_turn(l);
    }
}

static void run(fleet *w)
{
    int64_t idle_since_ms = w->now_ms;
    for (int i = 0; i < w->node_count; i++)
        fleet_event(w, EVENT_BIRTH, NULL, w->now_ms + chance_between(&w->of_nodes, 0, 500))->node = i;
    fleet_event(w, EVENT_TICK, NULL, w->now_ms + 600);
    int handled = 0;
    for (; handled < EVENTS_HANDLED_MAX && !w->failure->is_told; handled++) {
        if (w->is_calm && !go_on_calmly(w, &idle_since_ms))
            break;
        size_t next = next_event(w);
        event e = w->events[next];
        if (is_for_node(e.kind) && e.l->stopped_until_ms > e.at_ms) {
            w->events[next].at_ms = e.l->stopped_until_ms;
            w->events[next].waits = true;
            continue;
        }
        w->events[next] = w->events[--w->event_count];
        w->now_ms = e.at_ms > w->now_ms ? e.at_ms : w->now_ms;
        happen(w, &e);
        run_turns(w);
    }
    if (handled == EVENTS_HANDLED_MAX)
        BROKEN(w, "it does not come to an end in %d events", EVENTS_HANDLED_MAX);
}

/* ---- at the end ---- */

static void check_disk(fleet *w, subject *x)
{
    ctn_execution_row row;
    ctn_err err = {0};
    const oracle *o = &x->oracle;
    ctn_execution *folded = NULL;
    ctn_arena *arena = ctn_arena_new(16384);
    if (ctn_store_execution_get(w->inner, arena, o->id, &row, &err) ||
        ctn_execution_load(w->inner, arena, &row, &folded, &err)) {
        BROKEN(w, "the journal of %d does not read back: %s", x->number, err.message);
        ctn_arena_free(arena);
        return;
    }
    if (ctn_status_is_final(row.status) != o->has_ended || (o->has_ended && row.status != o->end))
        BROKEN(w, "the row of %d says %s, the oracle saw %s", x->number, ctn_status_name(row.status),
               o->has_ended ? ctn_status_name(o->end) : "no end");
    if (ctn_execution_seq(folded) != o->seq)
        BROKEN(w, "the journal of %d has %llu entries, %llu came to disk", x->number,
               (unsigned long long) ctn_execution_seq(folded), (unsigned long long) o->seq);
    ctn_execution_unload(folded);
    ctn_arena_free(arena);
}

static void on_finding(void *ctx, const ctn_verify_finding *f)
{
    BROKEN((fleet *) ctx, "store verify: %s, entry %llu: %.*s [%s]", ctn_id_to_text(f->id).text,
           (unsigned long long) f->seq, CTN_STR_ARG(f->what), f->rule);
}

static void check_rest(fleet *w)
{
    for (int i = 0; i < w->subject_count && !w->failure->is_told; i++) {
        subject *x = &w->subjects[i];
        if (!x->is_acked)
            BROKEN(w, "%d was never accepted", i);
        fleet_check_family(w, x);
        if (!x->exec_no)
            continue;
        check_disk(w, x);
        if (x->oracle.has_ended || x->is_excused)
            continue;
        if (!x->oracle.is_started && w->person_is_absent && fleet_stands_behind(w, x))
            continue;
        if (!oracle_waits_for(&x->oracle))
            BROKEN(w, "nothing moves any more, and %d has not ended and waits for nothing", i);
        else if (!w->person_is_absent)
            BROKEN(w, "nothing moves any more, and %d still waits for %s", i, oracle_waits_for(&x->oracle));
    }
    for (int i = 0; i < w->subject_count && !w->failure->is_told; i++)
        oracle_end(&w->subjects[i].oracle);
    history_finish(w->history);
    if (history_broken(w->history))
        BROKEN(w, "%s", history_broken(w->history));
    ctn_err err = {0};
    ctn_verify_report report;
    ctn_verify_options options = {.on_finding = on_finding, .ctx = w};
    if (ctn_store_verify(w->inner, &options, &report, &err))
        BROKEN(w, "the store cannot be verified: %s", err.message);
}

/* ---- making one ---- */

static int draw_share(uint64_t *chance, int a, int b, int c, int d)
{
    int shares[] = {a, b, c, d};
    return CHANCE_OF(chance, shares);
}

static void draw_faults(fleet *w, uint64_t *chance)
{
    unsigned without = w->o.without;
    bool quiet = chance_percent(chance, 5); /* a world without faults: what goes wrong there is simply wrong */
    w->kills = draw_share(chance, 0, 2, 6, 15);
    w->leaves = draw_share(chance, 0, 0, 4, 12);
    w->stops = draw_share(chance, 0, 3, 10, 25);
    w->send_stops = draw_share(chance, 0, 0, 0, 5);
    w->cuts = draw_share(chance, 0, 2, 8, 20);
    w->lost_answers = draw_share(chance, 0, 0, 3, 12);
    w->tool_faults = draw_share(chance, 0, 20, 40, 70);
    w->checks_fail = draw_share(chance, 0, 0, 20, 50);
    w->meddling = draw_share(chance, 0, 10, 20, 40);
    int64_t errors_ms[] = {0, 20, 200, 5000};
    w->clock_error_ms = CHANCE_OF(chance, errors_ms);
    if (quiet || (without & FLEET_NO_KILLS))
        w->kills = 0;
    if (quiet || (without & FLEET_NO_LEAVES))
        w->leaves = 0;
    if (quiet || (without & FLEET_NO_STOPS))
        w->stops = 0;
    if (quiet || (without & FLEET_NO_SEND_STOPS))
        w->send_stops = 0;
    if (quiet || (without & FLEET_NO_CUTS))
        w->cuts = 0;
    if (quiet || (without & FLEET_NO_LOST_ANSWERS))
        w->lost_answers = 0;
    if (quiet || (without & FLEET_NO_CALL_FAULTS))
        w->tool_faults = w->checks_fail = 0;
    if (quiet || (without & FLEET_NO_CLOCK_FAULTS))
        w->clock_error_ms = 0;
    if (quiet || (without & FLEET_NO_MEDDLING))
        w->meddling = 0;
}

static ctn_plan *compile(fleet *w, const spec *s, int chain, bool requires_label)
{
    ctn_arena *arena = ctn_arena_new(65536); /* the plan's own */
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *parsed = NULL;
    ctn_plan *plan = NULL;
    for (int i = 0; i < s->document_count; i++)
        (void) ctn_library_add_template(library, (ctn_str){0}, s->documents[i].name, s->documents[i].text, &findings);
    ctn_str text =
        requires_label ? ctn_arena_printf(arena, "requires: {gpu: true}\n%.*s", CTN_STR_ARG(s->text)) : s->text;
    (void) ctn_library_add_text(library, CTN_STR("chain.yaml"), text, &findings, &parsed);
    if (parsed && w->has_families)
        (void) ctn_library_add_text(library, CTN_STR("outer.yaml"), fleet_outer_text(w, chain), &findings, &parsed);
    if (parsed)
        (void) ctn_plan_compile(arena, library, parsed, &findings, &plan);
    if (!plan)
        BROKEN(w, "chain.yaml: %.*s", CTN_STR_ARG(findings.items[0].message));
    return plan;
}

static void draw_chains(fleet *w, uint64_t *chance)
{
    w->chain_count = chance_percent(chance, 15) ? 2 : 1;
    w->has_families = chance_percent(chance, 30);
    if (w->has_families) /* a parent looks after its child for ever, and time would go on */
        w->person_is_absent = false;
    for (int i = 0; i < w->chain_count; i++) {
        uint64_t seed = w->o.seed;
        do
            w->specs[i] = spec_generate(w->arena, seed += 0x100000001, i);
        while (w->specs[i]->step_count > 8);
        for (int k = 0; k < w->specs[i]->document_count && w->o.trace; k++)
            fprintf(w->o.trace, "%.*s\n", CTN_STR_ARG(w->specs[i]->documents[k].text));
        if (w->o.trace)
            fprintf(w->o.trace, "%.*s\n", CTN_STR_ARG(w->specs[i]->text));
        w->plans[i] = compile(w, w->specs[i], i, w->requires_label && i == 0);
    }
}

static void draw(fleet *w)
{
    uint64_t seed = w->o.seed, chance = seed * 0xD6E8FEB86659FD93u + 17;
    uint64_t *states[] = {&w->of_nodes, &w->of_links, &w->of_tools, &w->of_people, &w->of_ids, &w->of_labels};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        *states[i] = seed * 0x9E3779B97F4A7C15u + 131 * (i + 1);
    draw_faults(w, &chance);
    w->tools_are_children = chance_percent(&chance, 40);
    w->person_is_absent = chance_percent(&chance, 15);
    w->retries_interrupted = chance_percent(&chance, 10);
    w->ticks_left = chance_between(&chance, 10, 60);
    w->node_count = (int) chance_between(&chance, 2, NODES_MAX);
    w->subject_count =
        (int) (chance_percent(&chance, 70) ? chance_between(&chance, 1, 4) : chance_between(&chance, 4, SUBJECTS_MAX));
    if (w->o.nodes_max && w->node_count > w->o.nodes_max)
        w->node_count = w->o.nodes_max;
    if (w->o.executions_max && w->subject_count > w->o.executions_max)
        w->subject_count = w->o.executions_max;
    w->requires_label = chance_percent(&w->of_labels, 30);
    draw_chains(w, &chance);
    for (int i = 0; i < w->node_count; i++) {
        int64_t off = w->clock_error_ms;
        w->nodes[i] = (node){.skew_ms = off ? chance_between(&chance, -off, off) : 0,
                             .boot_base_ms = chance_between(&chance, 1000, 1000000000),
                             .pace_ppm = off ? chance_between(&chance, -10000, 10000) : 0};
    }
    for (int i = 0; i < w->subject_count; i++) {
        subject *x = &w->subjects[i];
        *x = (subject){.w = w, .number = i, .chain = (int) chance_below(&chance, (uint64_t) w->chain_count)};
        x->oracle = (oracle){.spec = w->specs[x->chain],
                             .failure = w->failure,
                             .retries_interrupted = w->retries_interrupted,
                             .arena = w->arena,
                             .given = &w->given[x->chain],
                             .input_n = chance_between(&chance, 0, 9)};
        fleet_event(w, EVENT_CLIENT, NULL,
                    w->now_ms + 500 + (chance_percent(&chance, 60) ? 0 : chance_between(&chance, 1, 12000)))
            ->x = x;
    }
}

static int64_t store_now(void *ctx)
{
    return ((const fleet *) ctx)->now_ms;
}

static void count_all(fleet *w)
{
    uint64_t *counts = w->report->counts;
    const history_counts *h = history_counted(w->history);
    counts[FLEET_EXECUTIONS] = h->starts;
    counts[FLEET_LATE_WRITES] = h->late_writes;
    counts[FLEET_REPEATED_WRITES] = h->repeated_writes;
    uint64_t trouble = counts[FLEET_KILLS] + counts[FLEET_STOPS] + counts[FLEET_CUTS] + counts[FLEET_LOST_ANSWERS];
    w->report->has_counted = counts[FLEET_ENTRIES] >= 5 && trouble >= 1;
}

void fleet_run(const fleet_options *options, fleet_report *ret_report)
{
    fleet *w = ctn_calloc(1, sizeof *w);
    *ret_report = (fleet_report){0};
    w->o = *options;
    w->report = ret_report;
    w->failure = &ret_report->failure;
    w->arena = ctn_arena_new(65536);
    w->now_ms = w->began_at_ms = BEGAN_AT_MS;
    w->history = history_new(&(history_rules){.shard_count = SHARDS, .settle_ms = SETTLE_MS, .not_all_end = true});
    ctn_err err = {0};
    snprintf(w->url, sizeof w->url, "memory:fleet-%llu?shards=%d", (unsigned long long) options->seed, SHARDS);
    if (ctn_store_open(w->url, CTN_STORE_CREATE, &w->inner, &err))
        BROKEN(w, "no store: %s", err.message);
    ctn_memory_clock(w->inner, &(ctn_clock){.now_ms = store_now, .ctx = w});
    draw(w);
    if (!w->failure->is_told)
        run(w);
    if (!w->failure->is_told)
        check_rest(w);
    count_all(w);
    for (size_t i = 0; i < w->life_count; i++) {
        life *l = w->lives[i];
        ctn_engine_free(l->engine);
        faulty_store_free(l->link);
        ctn_store_close(l->inner);
        ctn_arena_free(l->beat_arena);
    }
    for (int i = 0; i < w->chain_count; i++)
        if (w->plans[i])
            ctn_arena_free(w->plans[i]->arena);
    ctn_store_close(w->inner);
    history_free(w->history);
    free(w->lives);
    free(w->events);
    ctn_arena_free(w->arena);
    free(w);
}
