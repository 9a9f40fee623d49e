/*
 * chaos_people.c -- people of a random world. Who settles an interrupted call looks at the ledger first and says the
 * truth; everything else they do is as people are: late, twice, at the wrong moment.
 */
#include "sim/chaos_state.h"
#include "sim/people.h"

/* A request that was answered with "it is on disk" is there: as many records of its kind as were promised. */
static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    const request *r = ctx;
    subject *x = r->x;
    (void) id;
    if (x->w->is_dead)
        return;
    x->w->requests_open--;
    if (rc) {
        chaos_trace(x->w, "refused: %s", err ? err->message : "");
        return;
    }
    if (r->makes == CTN_ENTRY_KIND_COUNT)
        return;
    if (++x->acked[r->makes] > x->oracle.kinds[r->makes])
        BROKEN(x->w, "%s was acknowledged %d times, on disk it is %d times", ctn_entry_kind_name(r->makes),
               x->acked[r->makes], x->oracle.kinds[r->makes]);
    chaos_may_die(x->w, "in an acknowledgement");
}

static void ask(chaos *w, subject *x, ctn_input *in, ctn_entry_kind makes)
{
    static const char *const names[] = {
        [CTN_IN_ANSWER] = "answer", [CTN_IN_SETTLE] = "settlement", [CTN_IN_SET] = "set",
        [CTN_IN_CANCEL] = "cancel", [CTN_IN_PAUSE] = "pause",       [CTN_IN_RESUME] = "resume",
    };
    request *r = CTN_NEW(w->arena, request);
    *r = (request){.x = x, .makes = makes};
    in->actor = chance_percent(&w->of_people, 80) ? CTN_STR("sam") : CTN_STR("desk");
    x->was_paused = x->was_paused || in->kind == CTN_IN_PAUSE;
    w->requests_in_life++;
    w->requests_open++;
    chaos_trace(w, "somebody sends a %s for %d (%.*s)", names[in->kind], (int) (x - w->subjects),
                CTN_STR_ARG(in->name));
    ctn_engine_input(w->engine, x->oracle.id, in, NULL, on_ack, r);
}

static void on_start_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    subject *x = ctx;
    if (x->w->is_dead)
        return;
    if (rc) { /* only a store that cannot be read is a reason */
        if (x->w->is_calm)
            BROKEN(x->w, "a start is refused: %s", err->message);
        x->was_asked_for = false;
        return;
    }
    if (!x->exec_no || !ctn_id_equal(x->oracle.id, id))
        BROKEN(x->w, "a start is acknowledged that is not on disk");
    x->is_acked = true;
    chaos_may_die(x->w, "in the acknowledgement of a start");
}

void chaos_start(chaos *w, subject *x, const ctn_plan *plan, int64_t version)
{
    char key[32];
    snprintf(key, sizeof key, "run-%d", (int) (x - w->subjects));
    ctn_start start = {.plan = plan,
                       .version = version,
                       .input = people_input(&x->oracle, w->arena),
                       .idempotency_key = ctn_str_from(key),
                       .is_queued = chance_percent(&w->of_people, 30)};
    x->was_asked_for = true;
    ctn_engine_start(w->engine, &start, on_start_ack, x);
}

/* ---- help ---- */

static void answer(chaos *w, subject *x, int step)
{
    const spec_step *s = &x->oracle.spec->steps[step];
    ctn_input in = {.kind = CTN_IN_ANSWER, .name = ctn_str_from(s->name)};
    ctn_json_builder b = ctn_json_object(w->arena);
    if (s->work.kind == SPEC_APPROVAL)
        ctn_json_put_bool(&b, "approved", chance_percent(&w->of_people, 60));
    else if (s->work.kind == SPEC_AGENT && chance_percent(&w->of_people, 70))
        ctn_json_put_int(&b, "value", chance_between(&w->of_people, 0, 9));
    else if (s->work.kind == SPEC_AGENT)
        ctn_json_put_str(&b, "value", CTN_STR("none")); /* does not fit: it is refused */
    in.value = ctn_json_finish(&b);
    ask(w, x, &in, CTN_ENTRY_ANSWERED);
}

static bool settle(chaos *w, subject *x, int step)
{
    ctn_input in;
    if (!people_settle(&x->oracle, step, &w->of_people, w->arena, &in))
        return false;
    ask(w, x, &in, CTN_ENTRY_DECISION);
    return true;
}

bool chaos_help(chaos *w, subject *x)
{
    oracle *o = &x->oracle;
    if (!x->exec_no || o->has_ended)
        return false;
    for (int i = 0; i < o->spec->step_count; i++) {
        if (settle(w, x, i))
            return true;
        if (people_are_asked(o, i)) {
            answer(w, x, i);
            return true;
        }
    }
    if (!o->is_paused)
        return false;
    ctn_input in = {.kind = CTN_IN_RESUME};
    ask(w, x, &in, CTN_ENTRY_KIND_COUNT);
    return true;
}

void chaos_people_tick(chaos *w)
{
    if (w->person == PERSON_ABSENT || (w->person == PERSON_LATE && !chance_percent(&w->of_people, 10)))
        return;
    (void) chaos_help(w, &w->subjects[chance_below(&w->of_people, (uint64_t) w->subject_count)]);
}

/* ---- meddling ---- */

void chaos_meddle(chaos *w)
{
    uint64_t *chance = &w->of_people;
    subject *x = &w->subjects[chance_below(chance, (uint64_t) w->subject_count)];
    oracle *o = &x->oracle;
    if (!x->exec_no)
        return;
    int step = (int) chance_below(chance, (uint64_t) o->spec->step_count);
    ctn_input in = {0};
    switch (chance_below(chance, 10)) {
    case 0:
        in.kind = CTN_IN_CANCEL;
        o->cancel_is_requested = true;
        ask(w, x, &in, CTN_ENTRY_CANCEL_REQUESTED);
        break;
    case 1:
    case 2:
        in.kind = CTN_IN_PAUSE;
        ask(w, x, &in, CTN_ENTRY_PAUSED);
        break;
    case 3:
    case 4:
        in.kind = CTN_IN_RESUME;
        ask(w, x, &in, CTN_ENTRY_KIND_COUNT);
        break;
    case 5: /* whether it waits or not, and twice */
        if (o->spec->steps[step].work.call_count == 0) {
            answer(w, x, step);
            answer(w, x, step);
        }
        break;
    case 6: /* nobody asks about a step that is over */
        if (o->steps[step].whole.end == NOT_ENDED || o->is_stopping)
            break;
        in.kind = CTN_IN_SETTLE;
        in.name = ctn_str_from(o->spec->steps[step].name);
        in.settle = CTN_SETTLE_RETRY;
        ask(w, x, &in, CTN_ENTRY_DECISION);
        break;
    default: {
        const spec_step *s = &o->spec->steps[step];
        if (!s->gives_variable || s->items != SPEC_ONE)
            break;
        in.kind = CTN_IN_SET;
        in.name = ctn_arena_printf(w->arena, "v%d", step);
        in.value = s->work.kind == SPEC_APPROVAL ? ctn_json_bool(chance_percent(chance, 50))
                                                 : ctn_json_int(w->arena, chance_between(chance, 0, 9));
        ask(w, x, &in, CTN_ENTRY_DECISION);
        break;
    }
    }
}
