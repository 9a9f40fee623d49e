/*
 * stage.c -- see stage.h.
 *
 * What must hold: what the stage knows of the execution it has from the disk, through on_disk, as a stranger would;
 * the engine's memory is only asked for what is quicker to have there and the same.
 */
#include "simulate/stage.h"

#include "base/memory.h"
#include "engine/fold.h"

#include <assert.h>
#include <stdlib.h>

#define MOVES_MAX   30000
#define REFUSED_MAX 20 /* who says what is never taken is heard no more */
#define ROOT_KEY    CTN_STR("simulated")

typedef struct subject {
    ctn_execution_id id;
    int64_t exec_no;
    ctn_status status;
    const ctn_plan *plan; /* NULL: not known yet */
} subject;

struct ctn_stage {
    ctn_stage_options o;
    ctn_world *world;
    const ctn_plan **plans;
    ctn_arena *arena;
    subject *subjects; /* [0] is the one that was started */
    size_t count, capacity;
    bool is_acked;
    int asking;  /* inputs on their way */
    int refused; /* of what people said */
    ctn_str refusal;
    ctn_execution **folded; /* what was read back, and who made its plan */
    size_t folded_count;
};

ctn_world *ctn_stage_world(ctn_stage *s)
{
    return s->world;
}

ctn_status ctn_stage_status(const ctn_stage *s)
{
    return s->count ? s->subjects[0].status : CTN_STATUS_QUEUED;
}

ctn_str ctn_stage_refusal(const ctn_stage *s)
{
    return s->refusal;
}

/* ---- what comes to disk ---- */

static subject *subject_of(ctn_stage *s, int64_t exec_no)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->subjects[i].exec_no == exec_no)
            return &s->subjects[i];
    return NULL;
}

/* The engine's plans go with the engine; ours stay. */
static const ctn_plan *own_plan(const ctn_stage *s, ctn_str chain_id)
{
    for (size_t i = 0; i <= s->o.plan_count; i++)
        if (ctn_str_equal(s->plans[i]->chain_id, chain_id))
            return s->plans[i];
    return NULL;
}

static subject *subject_add(ctn_stage *s, const ctn_append *a)
{
    s->subjects = ctn_array_room(s->subjects, s->count, &s->capacity, sizeof *s->subjects);
    s->subjects[s->count] = (subject){
        .id = a->row->id, .exec_no = a->exec_no, .status = a->row->status, .plan = own_plan(s, a->row->chain_id)};
    if (s->count == 0)
        assert(ctn_str_equal(a->row->idempotency_key, ROOT_KEY));
    return &s->subjects[s->count++];
}

static void on_disk(void *ctx, const ctn_append *a)
{
    ctn_stage *s = ctx;
    subject *x = subject_of(s, a->exec_no);
    if (!x && a->row)
        x = subject_add(s, a);
    assert(x);
    if (a->change)
        x->status = a->change->status;
    for (size_t i = 0; s->o.hooks.record && i < a->count; i++)
        s->o.hooks.record(s->o.hooks.ctx, &a->records[i], x->plan ? x->plan : s->o.plan);
}

/* ---- reading it back ---- */

typedef struct folding {
    ctn_execution *x;
    ctn_arena *scratch;
} folding;

static int fold_record(void *ctx, const ctn_record *record, int64_t position)
{
    folding *f = ctx;
    ctn_entry entry;
    (void) position;
    int rc = ctn_record_to_entry(record, f->scratch, &entry, NULL);
    return rc ? rc : ctn_execution_replay(f->x, &entry, NULL);
}

static const ctn_execution *fold(ctn_stage *s, const subject *x)
{
    ctn_err err = {0};
    if (!x->plan) {
        ctn_execution_row row;
        ctn_execution *loaded = NULL;
        int rc = ctn_store_execution_get(ctn_world_store(s->world), s->arena, x->id, &row, &err);
        if (rc == CTN_OK)
            rc = ctn_execution_load(ctn_world_store(s->world), s->arena, &row, &loaded, &err);
        if (rc)
            return NULL;
        s->folded = ctn_realloc_array(s->folded, s->folded_count + 1, sizeof(ctn_execution *));
        s->folded[s->folded_count++] = loaded;
        ctn_execution_reveal(loaded);
        return loaded;
    }
    folding f = {.x = ctn_execution_new(s->arena, x->plan, x->id), .scratch = s->arena};
    int rc = ctn_store_journal_read(ctn_world_store(s->world), x->exec_no, 1, fold_record, &f, &err);
    ctn_execution_reveal(f.x);
    return rc ? NULL : f.x;
}

const ctn_execution *ctn_stage_execution(ctn_stage *s, size_t i)
{
    return i < s->count ? fold(s, &s->subjects[i]) : NULL;
}

/* ---- calls ---- */

/* {id}/{step}[item]/{call}/{role}: the call is named in a set of several, the role is do, undo or fallbackN. */
static bool key_names_call(ctn_str key, ctn_str name)
{
    for (ctn_str part = ctn_str_cut(&key, '/'); part.ptr; part = ctn_str_cut(&key, '/')) {
        if (ctn_str_equal(part, name))
            return true;
        if (!key.ptr)
            break;
    }
    return false;
}

static void read_role(ctn_stage_call *c)
{
    ctn_str rest = c->request->idempotency_key, last = {0};
    while (rest.ptr)
        last = ctn_str_cut(&rest, '/');
    const ctn_plan_step *p = &c->plan->steps[c->step];
    int64_t n = 0;
    c->role = ctn_str_is(last, "undo") ? CTN_ROLE_UNDO : CTN_ROLE_DO;
    c->set = c->role == CTN_ROLE_UNDO ? p->undo : p->set;
    if (ctn_str_starts_with(last, CTN_STR("fallback")) && ctn_str_to_int64(ctn_str_from_offset(last, 8), &n) && n > 0 &&
        n <= (int64_t) p->fallback_count && p->fallbacks[n - 1].set) {
        c->fallback = (uint32_t) n;
        c->set = p->fallbacks[n - 1].set;
    }
}

static void find_call(ctn_stage_call *c)
{
    ctn_str target = c->request->target, key = c->request->idempotency_key;
    c->is_check = c->set->check != NULL;
    for (uint32_t i = 0; i < c->set->call_count; i++) {
        bool is_it = ctn_str_equal(c->set->calls[i].target, target);
        if (c->set->is_several && !key_names_call(key, c->set->calls[i].name))
            continue;
        c->call = i;
        if (is_it)
            c->is_check = false;
    }
    if (c->is_check && !ctn_str_equal(c->set->check->target, target))
        c->is_check = false;
}

static ctn_effect effect_of(const ctn_stage *s, const ctn_stage_call *c)
{
    const char *from = NULL;
    if (c->is_check)
        return CTN_EFFECT_READ;
    if (c->set->effect != CTN_EFFECT_UNKNOWN)
        return c->set->effect;
    ctn_effect effect =
        s->o.hooks.effect ? s->o.hooks.effect(s->o.hooks.ctx, c->kind, c->request->target, &from) : CTN_EFFECT_UNKNOWN;
    if (effect == CTN_EFFECT_UNKNOWN)
        effect = c->set->calls[c->call].effect;
    return effect == CTN_EFFECT_UNKNOWN ? CTN_EFFECT_WRITE : effect;
}

static void on_begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    ctn_stage *s = ctx;
    ctn_stage_call c = {.request = request, .kind = kind};
    ctn_execution_id id;
    int rc = ctn_id_parse(request->execution_id, &id, NULL);
    assert(rc == CTN_OK);
    c.execution = ctn_engine_find(ctn_world_engine(s->world), id);
    assert(c.execution);
    c.plan = own_plan(s, ctn_execution_plan(c.execution)->chain_id);
    assert(c.plan); /* nothing else is started here */
    c.step = ctn_plan_step_index(c.plan, request->step);
    read_role(&c);
    find_call(&c);
    c.effect = effect_of(s, &c);
    s->o.hooks.begin(s->o.hooks.ctx, &c);
}

static void on_let_go(void *ctx, uint64_t token)
{
    ctn_stage *s = ctx;
    s->o.hooks.let_go(s->o.hooks.ctx, token);
}

static ctn_effect on_effect(void *ctx, const char *kind, ctn_str target, const char **ret_from)
{
    ctn_stage *s = ctx;
    return s->o.hooks.effect ? s->o.hooks.effect(s->o.hooks.ctx, kind, target, ret_from) : CTN_EFFECT_UNKNOWN;
}

/* A slow server lives on after we gave its call up. */
static bool on_may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    (void) ctx, (void) token, (void) target;
    return true;
}

static void on_happen(void *ctx, const ctn_world_event *event)
{
    ctn_stage *s = ctx;
    s->o.hooks.happen(s->o.hooks.ctx, event);
}

static ctn_commit_fate on_commit(void *ctx, int number, const ctn_batch *batch)
{
    ctn_stage *s = ctx;
    (void) batch;
    return s->o.hooks.commit ? s->o.hooks.commit(s->o.hooks.ctx, number) : (ctn_commit_fate){0};
}

static void on_told(void *ctx, const ctn_engine_event *event)
{
    (void) ctx, (void) event;
}

/* ---- lives ---- */

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    ctn_stage *s = ctx;
    (void) id;
    s->is_acked = true;
    if (rc)
        s->refusal = ctn_arena_str(s->arena, ctn_str_from(err->message));
}

/* Who was not told that it is accepted asks again, under the same key. */
static void on_born(void *ctx, ctn_engine *engine)
{
    ctn_stage *s = ctx;
    ctn_err err = {0};
    const ctn_plan *plan = NULL;
    int64_t version = 0;
    s->asking = 0;
    if (s->is_acked)
        return;
    if (ctn_engine_plan_add(engine, (ctn_plan *) s->o.plan, CTN_STR("simulate"), &plan, &version, &err)) {
        s->refusal = ctn_arena_str(s->arena, ctn_str_from(err.message));
        return;
    }
    ctn_start start = {.plan = plan, .version = version, .input = s->o.input, .idempotency_key = ROOT_KEY};
    ctn_engine_start(engine, &start, on_ack, s);
}

static void on_died(void *ctx, const ctn_world_event *pending, size_t count)
{
    ctn_stage *s = ctx;
    if (s->o.hooks.died)
        s->o.hooks.died(s->o.hooks.ctx, pending, count);
}

/* ---- people ---- */

static void on_said(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    ctn_stage *s = ctx;
    (void) id, (void) err;
    s->asking--;
    s->refused += rc != CTN_OK;
}

void ctn_stage_say(ctn_stage *s, const ctn_execution *x, const ctn_input *input)
{
    s->asking++;
    ctn_engine_input(ctn_world_engine(s->world), ctn_execution_id_of(x), input, NULL, on_said, s);
    ctn_world_turn_soon(s->world);
}

/* Nothing moves. True: somebody said something. */
static bool show(ctn_stage *s)
{
    ctn_str why;
    if (s->asking || s->refused > REFUSED_MAX || ctn_engine_store_failing_since_ms(ctn_world_engine(s->world), &why))
        return false;
    for (size_t i = 0; i < s->count; i++) {
        ctn_status status = s->subjects[i].status;
        if (ctn_status_is_final(status) || status == CTN_STATUS_RUNNING || status == CTN_STATUS_QUEUED)
            continue;
        const ctn_execution *x = ctn_engine_find(ctn_world_engine(s->world), s->subjects[i].id);
        if (!x)
            x = fold(s, &s->subjects[i]);
        if (x && s->o.hooks.rest(s->o.hooks.ctx, x))
            return true;
    }
    return false;
}

static bool all_have_ended(const ctn_stage *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (!ctn_status_is_final(s->subjects[i].status))
            return false;
    return s->count > 0;
}

/* ---- outside ---- */

ctn_stage_end ctn_stage_run(ctn_stage *s)
{
    int moves_max = s->o.moves_max ? s->o.moves_max : MOVES_MAX;
    for (int moves = 0; moves < moves_max; moves++) {
        if (s->refusal.len)
            return CTN_STAGE_REFUSED;
        if (ctn_world_move(s->world))
            continue;
        if (all_have_ended(s))
            return CTN_STAGE_ENDED;
        if (!show(s) && !ctn_world_sleep(s->world))
            return ctn_status_is_final(ctn_stage_status(s)) ? CTN_STAGE_ENDED : CTN_STAGE_PARKED;
    }
    return CTN_STAGE_ENDLESS;
}

int ctn_stage_new(const ctn_stage_options *options, ctn_stage **ret_stage, ctn_err *err)
{
    static const char *const kinds[] = {
#define KIND(kind, name, ...) name,
        CTN_CALL_KINDS(KIND)
#undef KIND
    };
    ctn_stage *s = ctn_realloc_array(NULL, 1, sizeof *s);
    *s = (ctn_stage){.o = *options, .arena = ctn_arena_new(16384)};
    s->plans = ctn_realloc_array(NULL, options->plan_count + 1, sizeof(const ctn_plan *));
    s->plans[0] = options->plan;
    for (size_t i = 0; i < options->plan_count; i++)
        s->plans[i + 1] = options->plans[i];
    ctn_world_options o = {
        .seed = options->seed,
        .began_at_ms = options->began_at_ms,
        .kinds = kinds,
        .kind_count = sizeof kinds / sizeof *kinds,
        .plans = s->plans,
        .plan_count = options->plan_count + 1,
        .rules = options->rules,
        .hooks = {.ctx = s,
                  .begin = on_begin,
                  .let_go = on_let_go,
                  .effect = on_effect,
                  .may_still_arrive = on_may_still_arrive,
                  .happen = on_happen,
                  .commit = on_commit,
                  .on_disk = on_disk,
                  .on_event = on_told,
                  .born = on_born,
                  .died = on_died},
    };
    int rc = ctn_world_new(&o, &s->world, err);
    if (rc) {
        ctn_stage_free(s);
        return rc;
    }
    *ret_stage = s;
    return CTN_OK;
}

void ctn_stage_free(ctn_stage *s)
{
    if (!s)
        return;
    ctn_world_free(s->world);
    for (size_t i = 0; i < s->folded_count; i++)
        ctn_execution_unload(s->folded[i]);
    free(s->folded);
    free(s->subjects);
    free(s->plans);
    ctn_arena_free(s->arena);
    free(s);
}
