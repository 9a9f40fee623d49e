/*
 * fleet_people.c -- people of a fleet's world. Who wants a start asks a node, and asks again, there or elsewhere, until
 * somebody says that it is on disk. What is for an execution that another node holds is filed for that one, and done
 * once (store/fleet.h). Who settles an interrupted call looks at the ledger first and says the truth.
 */
#include "sim/fleet_state.h"
#include "sim/people.h"

static life *some_node(fleet *w)
{
    life *l = w->nodes[chance_below(&w->of_people, (uint64_t) w->node_count)].life;
    return l && l->stopped_until_ms <= w->now_ms && l->incarnation ? l : NULL;
}

/* It says so itself, rightly or not: the shard is its own. */
static bool holds(const life *l, uint32_t shard)
{
    return l->epochs[shard] != 0 && !ctn_shard_set_has(&l->draining, shard);
}

bool fleet_store_is_away(life *l)
{
    return fleet_link_is_cut(l) || (!l->w->is_calm && chance_percent(&l->w->of_links, l->w->lost_answers));
}

/* ---- for another node ---- */

static void file(life *l, subject *x, ctn_execution_id id, const char *kind, int what)
{
    fleet *w = l->w;
    char body[16];
    ctn_err err = {0};
    int64_t no = 0;
    snprintf(body, sizeof body, "%d", what);
    ctn_request_row row = {.shard = ctn_shard_of_id(id, SHARDS),
                           .id = id,
                           .kind = ctn_str_from(kind),
                           .body = ctn_str_from(body),
                           .filed_at_ms = w->now_ms,
                           .from = l->incarnation};
    if (fleet_store_is_away(l) && chance_percent(&w->of_links, 50))
        return; /* or it is filed, and nobody hears of it */
    int rc = ctn_store_requests_put(l->inner, &row, 1, &no, &err);
    if (rc) {
        BROKEN(w, "a request cannot be filed: %s", err.message);
        return;
    }
    COUNT(w, FLEET_REQUESTS);
    fleet_trace(w, "node %d files %s %d for the holder of shard %u", l->node, kind, what, row.shard);
    if (ctn_str_is(row.kind, "start")) {
        x->request = no;
        x->request_shard = row.shard;
    }
    for (int i = 0; i < w->node_count; i++) { /* the store wakes its holder, mostly */
        life *holder = w->nodes[i].life;
        if (holder && holder->incarnation && holder->incarnation == w->holders[row.shard] &&
            chance_percent(&w->of_people, 60))
            holder->looks_for_requests = true;
    }
}

/* ---- what the engine answers ---- */

typedef struct answer {
    life *l;
    subject *x;
    bool is_start;
    int64_t request; /* 0: asked here, the person waits at this node */
    uint32_t shard;
} answer;

void fleet_request_done(life *l, int64_t no, uint32_t shard, int rc, const ctn_err *err)
{
    for (int i = 0; i < l->in_work_count; i++)
        if (l->in_work[i] == no)
            l->in_work[i] = -no; /* a list that was read before may name it still */
    if (rc == CTN_E_STALE || fleet_link_is_cut(l))
        return; /* whoever has the shard finds it */
    (void) ctn_store_request_answer(l->inner, shard, no, rc, ctn_str_from(rc && err ? err->message : ""), NULL);
}

static void answer_request(const answer *a, int rc, const ctn_err *err)
{
    fleet_request_done(a->l, a->request, a->shard, rc, err);
}

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    const answer *a = ctx;
    fleet *w = a->l->w;
    subject *x = a->x;
    if (a->l->is_dead)
        return;
    fleet_trace(w, "node %d answers %s%d: %s", a->l->node, a->is_start ? "the start of " : "", x->number,
                rc ? err->message : "done");
    if (a->request) {
        answer_request(a, rc, err);
        return;
    }
    if (rc == CTN_E_STALE && a->is_start && !ctn_id_is_none(id) && !fleet_link_is_cut(a->l))
        file(a->l, x, id, "start", x->number); /* it belongs to another node */
    if (rc || !a->is_start)
        return;
    if (!fleet_is_on_disk(w, x, id))
        BROKEN(w, "the start of %d is acknowledged, and it is not on disk", x->number);
    x->is_acked = true;
    history_event accepted = {.kind = HISTORY_ACCEPTED};
    snprintf(accepted.key, sizeof accepted.key, "run-%d", x->number);
    fleet_tell(w, &accepted);
}

static answer *answer_new(const answer *like)
{
    answer *a = CTN_NEW(like->l->w->arena, answer);
    *a = *like;
    return a;
}

/* ---- starts ---- */

static void start_here(life *l, subject *x, ctn_execution_id id, int64_t request, uint32_t shard)
{
    fleet *w = l->w;
    const ctn_plan *plan = NULL;
    int64_t version = 0;
    ctn_err err = {0};
    answer *a = answer_new(&(answer){.l = l, .x = x, .is_start = true, .request = request, .shard = shard});
    l->link_fails = fleet_link_is_cut(l) ? 100 : 0;
    if (ctn_engine_plan_add(l->engine, w->plans[x->chain], CTN_STR("world"), &plan, &version, &err)) {
        if (!fleet_link_is_cut(l))
            BROKEN(w, "the plan is refused: %s", err.message);
        if (request)
            answer_request(a, CTN_E_STALE, NULL);
        return;
    }
    char key[32];
    snprintf(key, sizeof key, "run-%d", x->number);
    ctn_start start = {.plan = plan,
                       .version = version,
                       .input = people_input(&x->oracle, w->arena),
                       .idempotency_key = ctn_str_from(key),
                       .id = id,
                       .by = {.request = request}};
    ctn_engine_start(l->engine, &start, on_ack, a);
    l->needs_turn = true;
}

static void want_start(subject *x, life *l)
{
    if (x->asked++)
        COUNT(x->w, FLEET_SECOND_ASKS);
    start_here(l, x, (ctn_execution_id){0}, 0, 0);
}

/* Somebody who wants this start looks after it. */
void fleet_client(subject *x)
{
    fleet *w = x->w;
    life *l = some_node(w);
    if (x->is_acked)
        return;
    fleet_event(w, EVENT_CLIENT, NULL, w->now_ms + chance_between(&w->of_people, 100, 2500))->x = x;
    if (!l)
        return;
    ctn_request_row row;
    if (x->request && !fleet_store_is_away(l)) {
        ctn_arena *arena = ctn_arena_new(1024);
        if (ctn_store_request_get(l->inner, arena, x->request_shard, x->request, &row, NULL) == CTN_OK && row.is_done) {
            x->request = 0;
            x->is_acked = row.rc == CTN_OK;
            if (x->is_acked && !(w->has_families ? x->outer_no : x->exec_no))
                BROKEN(w, "the start of %d is said to be done, and it is not on disk", x->number);
        }
        ctn_arena_free(arena);
    }
    if (!x->is_acked && (!x->request || chance_percent(&w->of_people, 30)))
        want_start(x, l);
}

/* ---- requests for this node ---- */

static void input_here(life *l, const ask *k, int64_t request)
{
    uint32_t shard = ctn_shard_of_id(k->id, SHARDS);
    ctn_requester by = {.request = request};
    l->link_fails = fleet_link_is_cut(l) ? 100 : 0;
    ctn_engine_input(l->engine, k->id, &k->input, &by, on_ack,
                     answer_new(&(answer){.l = l, .x = k->x, .request = request, .shard = shard}));
    l->needs_turn = true;
}

void fleet_dispatch(life *l, const request_read *r)
{
    fleet *w = l->w;
    for (int i = 0; i < l->in_work_count; i++)
        if (l->in_work[i] == r->no || l->in_work[i] == -r->no)
            return;
    if (!holds(l, r->shard) || l->in_work_count == REQUESTS_MAX)
        return;
    l->in_work[l->in_work_count++] = r->no;
    if (r->row) {
        fleet_serve_engine(l, r);
        return;
    }
    if (!r->is_start) {
        input_here(l, &w->asks[r->what], r->no);
        return;
    }
    subject *x = &w->subjects[r->what];
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_request_row row;
    if (ctn_store_request_get(l->inner, arena, r->shard, r->no, &row, NULL) == CTN_OK && !row.is_done)
        start_here(l, x, row.id, r->no, r->shard);
    ctn_arena_free(arena);
}

static void ask_of(fleet *w, subject *x, ctn_execution_id id, const ctn_input *in)
{
    static const char *const names[] = {
        [CTN_IN_ANSWER] = "answer", [CTN_IN_SETTLE] = "settlement", [CTN_IN_SET] = "set",
        [CTN_IN_CANCEL] = "cancel", [CTN_IN_PAUSE] = "pause",       [CTN_IN_RESUME] = "resume",
    };
    life *l = some_node(w);
    if (!l || w->ask_count == ASKS_MAX)
        return;
    ask *k = &w->asks[w->ask_count];
    *k = (ask){.x = x, .id = id, .input = *in};
    k->input.actor = CTN_STR("sam");
    fleet_trace(w, "somebody sends a %s for %d to node %d (%.*s)", names[in->kind], x->number, l->node,
                CTN_STR_ARG(in->name));
    if (holds(l, ctn_shard_of_id(id, SHARDS)))
        input_here(l, k, 0);
    else
        file(l, x, id, "input", w->ask_count);
    w->ask_count++;
}

static void ask_for(fleet *w, subject *x, const ctn_input *in)
{
    ask_of(w, x, x->oracle.id, in);
}

/* ---- lines ---- */

/* Of those in one line, in order of arrival, one at a time. A chain that is counted keeps its lines for itself
 * (engine/placement.h). */
static bool is_before(const fleet *w, const subject *first, const subject *x)
{
    const spec *s = x->oracle.spec, *t = first->oracle.spec;
    bool are_alike =
        !w->requires_label || (first->chain == 0) == (x->chain == 0); /* what requires labels lives apart */
    bool is_shared = first->chain == x->chain || (are_alike && !s->max_concurrent && !t->max_concurrent);
    return first != x && s->line && t->line == s->line && is_shared && first->exec_no && x->exec_no &&
           first->exec_no < x->exec_no && !first->oracle.has_ended &&
           (s->line == SPEC_KEY_ALL || first->oracle.input_n == x->oracle.input_n);
}

bool fleet_stands_behind(const fleet *w, const subject *x)
{
    for (int i = 0; i < w->subject_count; i++)
        if (is_before(w, &w->subjects[i], x))
            return true;
    return false;
}

/* ---- help ---- */

static void give_answer(fleet *w, subject *x, int step)
{
    const spec_step *s = &x->oracle.spec->steps[step];
    ctn_input in = {.kind = CTN_IN_ANSWER, .name = ctn_str_from(s->name)};
    ctn_json_builder b = ctn_json_object(w->arena);
    if (s->work.kind == SPEC_APPROVAL)
        ctn_json_put_bool(&b, "approved", chance_percent(&w->of_people, 60));
    else if (s->work.kind == SPEC_AGENT)
        ctn_json_put_int(&b, "value", chance_between(&w->of_people, 0, 9));
    in.value = ctn_json_finish(&b);
    ask_for(w, x, &in);
}

static bool settle(fleet *w, subject *x, int step)
{
    ctn_input in;
    if (!people_settle(&x->oracle, step, &w->of_people, w->arena, &in))
        return false;
    ask_for(w, x, &in);
    return true;
}

bool fleet_help(fleet *w, subject *x)
{
    oracle *o = &x->oracle;
    if (!x->exec_no || o->has_ended || w->person_is_absent)
        return false;
    for (int i = 0; i < o->spec->step_count; i++) {
        if (settle(w, x, i))
            return true;
        if (people_are_asked(o, i)) {
            give_answer(w, x, i);
            return true;
        }
    }
    if (!o->is_paused)
        return false;
    ask_for(w, x, &(ctn_input){.kind = CTN_IN_RESUME});
    return true;
}

void fleet_meddle(fleet *w)
{
    uint64_t *chance = &w->of_people;
    subject *x = &w->subjects[chance_below(chance, (uint64_t) w->subject_count)];
    if (!x->exec_no || x->is_excused)
        return;
    int step = (int) chance_below(chance, (uint64_t) x->oracle.spec->step_count);
    const spec_step *s = &x->oracle.spec->steps[step];
    switch (chance_below(chance, 9)) {
    case 0:
        x->oracle.cancel_is_requested = true;
        ask_of(w, x, w->has_families && chance_percent(chance, 50) ? x->outer_id : x->oracle.id,
               &(ctn_input){.kind = CTN_IN_CANCEL});
        break;
    case 1:
    case 2: ask_for(w, x, &(ctn_input){.kind = CTN_IN_PAUSE}); break;
    case 3: ask_for(w, x, &(ctn_input){.kind = CTN_IN_RESUME}); break;
    case 4:
    case 5:
        if (s->gives_variable && s->items == SPEC_ONE)
            ask_for(w, x,
                    &(ctn_input){.kind = CTN_IN_SET,
                                 .name = ctn_arena_printf(w->arena, "v%d", step),
                                 .value = s->work.kind == SPEC_APPROVAL
                                              ? ctn_json_bool(chance_percent(chance, 50))
                                              : ctn_json_int(w->arena, chance_between(chance, 0, 9))});
        break;
    default: (void) fleet_help(w, x); break;
    }
}
