/*
 * chaos_check.c -- what must hold in a random world between turns of its engine, and when nothing moves any more.
 */
#include "sim/chaos_state.h"

#include "engine/fold.h"
#include "store/verify.h"

bool chaos_disk_is_busy(chaos *w)
{
    ctn_str why;
    for (int i = 0; i < w->events_used; i++)
        if (w->events[i].kind == EVENT_COMMIT)
            return true;
    return ctn_engine_store_failing_since_ms(w->engine, &why) != 0;
}

/* Nothing is due at this moment: what is in memory has a reason to be there, and what is not will come back. */
void chaos_check_memory(chaos *w)
{
    size_t count = 0;
    if (w->is_clean_stop || chaos_disk_is_busy(w))
        return; /* what it has come to is not on disk yet */
    for (int i = 0; i < w->subject_count; i++) {
        subject *x = &w->subjects[i];
        const ctn_execution *loaded = x->exec_no ? ctn_engine_find(w->engine, x->oracle.id) : NULL;
        if (!loaded)
            continue;
        count++;
        oracle_rest(&x->oracle);
        ctn_status status = ctn_execution_status(loaded);
        bool is_parked = status == CTN_STATUS_WAITING || status == CTN_STATUS_INTERRUPTED;
        if ((is_parked && !oracle_is_in_doubt(&x->oracle)) || status == CTN_STATUS_QUEUED ||
            ctn_status_is_final(status))
            BROKEN(w, "execution %d is %s and stays in memory", i, ctn_status_name(status));
    }
    if (w->active_max && count > w->active_max + (size_t) w->requests_in_life)
        BROKEN(w, "%zu executions are in memory, at most %zu may be", count, w->active_max);
}

/* The disk, read as a stranger would: the fold of the journal is what the cached row says, and what the oracle saw. */
void chaos_check_disk(chaos *w, subject *x)
{
    ctn_execution_row row;
    ctn_err err = {0};
    ctn_execution *folded = NULL;
    ctn_arena *arena = ctn_arena_new(16384);
    oracle *o = &x->oracle;
    int i = (int) (x - w->subjects);
    if (ctn_store_execution_get(w->inner, arena, o->id, &row, &err) ||
        ctn_execution_load(w->inner, arena, &row, &folded, &err)) {
        BROKEN(w, "the journal of %d does not read back: %s", i, err.message);
        ctn_arena_free(arena);
        return;
    }
    ctn_status status = ctn_execution_status(folded);
    bool must_agree = ctn_status_is_final(status) || ctn_status_is_final(row.status) ||
                      row.status == CTN_STATUS_WAITING || row.status == CTN_STATUS_INTERRUPTED ||
                      row.status == CTN_STATUS_PAUSED || row.status == CTN_STATUS_QUEUED;
    if (must_agree && status != row.status)
        BROKEN(w, "the row of %d says %s, its journal %s", i, ctn_status_name(row.status), ctn_status_name(status));
    if (ctn_status_is_final(row.status) != o->has_ended || (o->has_ended && row.status != o->end))
        BROKEN(w, "the row of %d says %s, the oracle saw %s", i, ctn_status_name(row.status),
               o->has_ended ? ctn_status_name(o->end) : "no end");
    if (ctn_execution_seq(folded) != o->seq)
        BROKEN(w, "the journal of %d has %llu entries, %llu came to disk", i,
               (unsigned long long) ctn_execution_seq(folded), (unsigned long long) o->seq);
    if ((ctn_execution_outputs(folded) != NULL) != (status == CTN_STATUS_COMPLETED) ||
        (row.outputs.len > 0) != (status == CTN_STATUS_COMPLETED))
        BROKEN(w, "%d is %s, and its outputs are%s null", i, ctn_status_name(status), row.outputs.len ? " not" : "");
    for (int k = 0; k < o->spec->step_count; k++) {
        char name[8];
        snprintf(name, sizeof name, "v%d", k);
        int64_t number = -1;
        const ctn_json *v = ctn_execution_variable(folded, ctn_str_from(name));
        if (o->steps[k].whole.variable.kind == VARIABLE_NUMBER && o->steps[k].whole.end != NOT_ENDED &&
            (!ctn_json_to_int64(v, &number) || number != o->steps[k].whole.variable.number))
            BROKEN(w, "%s of %d is %lld in the journal, the oracle saw %lld", name, i, (long long) number,
                   (long long) o->steps[k].whole.variable.number);
    }
    /* Parked: the store must give it back at just the right time. */
    bool is_parked = !o->has_ended && (row.status == CTN_STATUS_WAITING || row.status == CTN_STATUS_INTERRUPTED ||
                                       row.status == CTN_STATUS_PAUSED);
    if (is_parked && w->engine && !chaos_disk_is_busy(w) && !w->is_clean_stop && !ctn_engine_find(w->engine, o->id) &&
        row.wake_at_ms != oracle_wake_at_ms(o) && row.wake_at_ms != 1)
        BROKEN(w, "%d is %s and is to be woken at %lld, not at %lld", i, ctn_status_name(row.status),
               (long long) row.wake_at_ms, (long long) oracle_wake_at_ms(o));
    ctn_execution_unload(folded);
    ctn_arena_free(arena);
}

void chaos_check_ends(chaos *w)
{
    for (int i = 0; i < w->subject_count; i++) {
        subject *x = &w->subjects[i];
        if (!x->oracle.has_ended || x->has_ended_rightly)
            continue;
        if (x->life_of_end == w->life && chaos_disk_is_busy(w))
            continue; /* it may look as if it had failed; then it is told when the store works again */
        if (x->life_of_end == w->life && !x->end_was_told)
            BROKEN(w, "the end of %d came to disk and nobody was told", i);
        x->has_ended_rightly = true;
    }
}

/* It is quiet: true when somebody did something about it. */
bool chaos_look_after_all(chaos *w)
{
    for (int i = 0; i < w->subject_count; i++)
        if (w->person != PERSON_ABSENT && chaos_help(w, &w->subjects[i]))
            return true;
    return false;
}

/* Of those with one key, of whatever chains, in order of arrival, one at a time: who comes later waits for who came
 * first, parked or not.
 */
static bool is_before(const subject *first, const subject *x)
{
    const spec *s = x->oracle.spec;
    return first != x && s->line && first->oracle.spec->line == s->line && first->exec_no && x->exec_no &&
           first->exec_no < x->exec_no && !first->oracle.has_ended &&
           (s->line == SPEC_KEY_ALL || first->oracle.input_n == x->oracle.input_n);
}

static bool stands_behind(const chaos *w, const subject *x)
{
    for (int i = 0; i < w->subject_count; i++)
        if (is_before(&w->subjects[i], x))
            return true;
    return false;
}

void chaos_check_line(chaos *w, const subject *x)
{
    if (x->oracle.is_started && !x->oracle.has_ended && stands_behind(w, x))
        BROKEN(w, "%d has started, and one with its key that came before it has not ended", (int) (x - w->subjects));
}

/* Nothing will happen any more: everything has ended, or says what it waits for. */
void chaos_check_rest(chaos *w)
{
    if (w->requests_open)
        BROKEN(w, "%d requests were never answered", w->requests_open);
    for (int i = 0; i < w->subject_count; i++) {
        subject *x = &w->subjects[i];
        if (!x->is_acked)
            BROKEN(w, "%d was never accepted", i);
        if (!x->exec_no)
            continue;
        chaos_check_disk(w, x);
        if (x->oracle.has_ended)
            continue;
        if (!x->oracle.is_started && stands_behind(w, x)) {
            COUNT(w, CHAOS_PARKED);
            continue;
        }
        if (!oracle_waits_for(&x->oracle))
            BROKEN(w, "nothing moves any more, and %d has not ended and waits for nothing", i);
        else if (w->person != PERSON_ABSENT)
            BROKEN(w, "nothing moves any more, and %d still waits for %s", i, oracle_waits_for(&x->oracle));
        COUNT(w, CHAOS_PARKED);
    }
}

static void on_finding(void *ctx, const ctn_verify_finding *f)
{
    BROKEN((chaos *) ctx, "store verify: %s, entry %llu: %.*s [%s]", ctn_id_to_text(f->id).text,
           (unsigned long long) f->seq, CTN_STR_ARG(f->what), f->rule);
}

/* In the middle of things, as left by the dead: verify finds nothing. */
void chaos_verify_disk(chaos *w)
{
    ctn_err err = {0};
    ctn_verify_report report;
    ctn_verify_options options = {.on_finding = on_finding, .ctx = w};
    if (ctn_store_verify(w->inner, &options, &report, &err))
        BROKEN(w, "the store cannot be verified: %s", err.message);
}
