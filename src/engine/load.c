/*
 * load.c -- plans and executions in and out of memory.
 *
 * An execution in memory is the fold of its journal: loading is reading it and folding it, whether after a crash,
 * for an answer, or because its time has come. Parked ones are not in memory at all; the store gives them back by
 * their wake time.
 */
#include "engine/engine_state.h"

#include "base/memory.h"
#include "base/plant.h"
#include <assert.h>
#include <stdlib.h>

/* ---- the map ---- */

static size_t map_slot(const ctn_engine *e, ctn_execution_id id)
{
    uint64_t h;
    memcpy(&h, id.bytes + 8, sizeof h); /* the random end of a UUIDv7 */
    return (size_t) (h * 0x9E3779B97F4A7C15u >> 20) & (e->map_size - 1);
}

loaded *ctn_eng_find(const ctn_engine *e, ctn_execution_id id)
{
    for (loaded *l = e->map_size ? e->map[map_slot(e, id)] : NULL; l; l = l->map_next)
        if (ctn_id_equal(l->id, id))
            return l;
    return NULL;
}

static void map_grow(ctn_engine *e)
{
    if (e->loaded_count < e->map_size)
        return;
    free(e->map);
    e->map_size = e->map_size ? 2 * e->map_size : 512;
    e->map = ctn_calloc(e->map_size, sizeof *e->map);
    assert(e->map);
    for (loaded *l = e->list; l; l = l->next) {
        size_t slot = map_slot(e, l->id);
        l->map_next = e->map[slot];
        e->map[slot] = l;
    }
}

loaded *ctn_eng_loaded_new(ctn_engine *e, ctn_execution_id id, int64_t exec_no, plan_ref *plan, ctn_arena *arena,
                           ctn_execution *x)
{
    map_grow(e);
    loaded *l = ctn_calloc(1, sizeof *l);
    assert(l);
    l->arena = arena;
    l->id = id;
    l->exec_no = exec_no;
    l->plan = plan;
    l->x = x;
    size_t slot = map_slot(e, id);
    l->map_next = e->map[slot];
    e->map[slot] = l;
    l->next = e->list;
    if (e->list)
        e->list->prev = l;
    e->list = l;
    e->loaded_count++;
    return l;
}

void ctn_eng_unload(ctn_engine *e, loaded *l)
{
    assert(!l->build && !l->batches);
    ctn_eng_drop_flights(e, l, true);
    ctn_eng_cache_let_go(e, l, true);
    ctn_eng_forget(e, l);
    ctn_eng_gate_forget(e, l);
    ctn_heap_remove(&e->due, &l->due);
    if (l->is_to_perform) {
        loaded **at = &e->to_perform;
        loaded *before = NULL;
        while (*at != l) {
            before = *at;
            at = &(*at)->perform_next;
        }
        *at = l->perform_next;
        if (e->to_perform_last == l)
            e->to_perform_last = before;
    }
    loaded **at = &e->map[map_slot(e, l->id)];
    while (*at != l)
        at = &(*at)->map_next;
    *at = l->map_next;
    if (l->prev)
        l->prev->next = l->next;
    else
        e->list = l->next;
    if (l->next)
        l->next->prev = l->prev;
    e->loaded_count--;
    ctn_seal_key_wipe(&l->seal_key);
    ctn_arena_free(l->arena);
    free(l->flights);
    free(l->watches);
    free(l);
}

/* ---- plans ---- */

static ctn_digest plan_key(const ctn_plan *plan)
{
    ctn_hasher h;
    ctn_hasher_init(&h);
    for (uint32_t i = 0; i < plan->definition_count; i++)
        ctn_hasher_add(&h, (ctn_str){(const char *) plan->definitions[i].digest.bytes, CTN_DIGEST_BYTES});
    return ctn_hasher_finish(&h);
}

static plan_ref *plan_by_key(const ctn_engine *e, const ctn_digest *key)
{
    for (plan_ref *p = e->plans; p; p = p->next)
        if (memcmp(&p->key, key, sizeof *key) == 0)
            return p;
    return NULL;
}

plan_ref *ctn_eng_plan_ref(const ctn_engine *e, const ctn_plan *plan)
{
    for (plan_ref *p = e->plans; p; p = p->next)
        if (p->plan == plan)
            return p;
    return NULL;
}

static bool is_lent(const ctn_engine *e, const ctn_plan *plan)
{
    for (size_t i = 0; i < e->options.plan_count; i++)
        if (e->options.plans[i] == plan)
            return true;
    return false;
}

static void plan_free(const ctn_engine *e, ctn_plan *plan)
{
    if (!is_lent(e, plan))
        ctn_plan_free(plan);
}

void ctn_eng_plans_free(ctn_engine *e)
{
    for (plan_ref *p = e->plans, *next; p; p = next) {
        next = p->next;
        plan_free(e, p->plan);
        for (child_plan *c = p->children, *after; c; c = after) {
            after = c->next;
            free(c);
        }
        free(p);
    }
    e->plans = NULL;
}

static plan_ref *plan_keep(ctn_engine *e, ctn_plan *plan, int64_t version)
{
    ctn_digest key = plan_key(plan);
    plan_ref *p = plan_by_key(e, &key);
    if (p) {
        if (p->plan != plan)
            plan_free(e, plan);
        return p;
    }
    p = ctn_calloc(1, sizeof *p);
    assert(p);
    if (plan->may_be_sensitive && !plan->sensitivity && !is_lent(e, plan))
        plan->sensitivity = ctn_sensitivity_of(plan, NULL, plan->arena);
    *p = (plan_ref){.next = e->plans, .plan = plan, .key = key, .version = version, .engine = e};
    e->plans = p;
    ctn_eng_bind(e, p);
    return p;
}

int ctn_engine_plan_add(ctn_engine *e, ctn_plan *plan, ctn_str created_by, const ctn_plan **ret_plan,
                        int64_t *ret_version, ctn_err *err)
{
    int rc = CTN_OK;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    if (plan->unsupported.len) {
        rc = ctn_fail(err, CTN_E_UNSUPPORTED, "%.*s", CTN_STR_ARG(plan->unsupported));
        goto done;
    }
    ctn_definition *definitions = CTN_NEW_ARRAY(e->scratch, ctn_definition, plan->definition_count);
    for (uint32_t i = 0; i < plan->definition_count; i++)
        definitions[i] = (ctn_definition){.digest = plan->definitions[i].digest,
                                          .kind = plan->definitions[i].kind,
                                          .name = plan->definitions[i].name,
                                          .body = plan->definitions[i].body};
    rc = ctn_store_definition_put(e->options.store, definitions, plan->definition_count, err);
    if (rc)
        goto done;
    ctn_chain_row row = {.chain_id = plan->chain_id,
                         .version = plan->version_stated,
                         .digest = plan->definitions[0].digest,
                         .created_at_ms = ctn_clock_now_ms(&e->options.clock),
                         .created_by = created_by};
    rc = ctn_store_chain_put(e->options.store, &row, ret_version, err);
    if (rc)
        goto done;
    *ret_plan = plan_keep(e, plan, *ret_version)->plan;
done:
    ctn_arena_restore(e->scratch, mark);
    if (rc)
        plan_free(e, plan);
    return rc;
}

/* A lent plan is as good as compiled: executions that name its definitions use it. */
void ctn_eng_plans_lend(ctn_engine *e)
{
    for (size_t i = 0; i < e->options.plan_count; i++)
        (void) plan_keep(e, (ctn_plan *) e->options.plans[i], 0);
}

/* ---- folding a journal ---- */

typedef struct folding {
    ctn_store *store;
    ctn_engine *engine; /* NULL: the plan is compiled into the arena */
    ctn_arena *arena;   /* the execution's */
    ctn_arena *scratch;
    const ctn_execution_row *row;
    plan_ref *plan;
    ctn_plan *compiled; /* and not kept by the engine (yet) */
    ctn_execution *x;
    const ctn_record *record; /* the one that is folded in */
    ctn_entry entry;          /* ... decoded */
    ctn_digest hash;
    ctn_opening opening;
    ctn_err *err;
} folding;

/* Which plan the first entry names, over all its definitions' digests. */
static int read_digests(const folding *f, const ctn_json *list, ctn_digest *ret_digests, ctn_digest *ret_key)
{
    ctn_hasher h;
    ctn_hasher_init(&h);
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        ctn_str text = ctn_json_text(ctn_json_at(list, i));
        if (!ctn_digest_parse(text, &ret_digests[i]))
            return ctn_fail(f->err, CTN_E_CORRUPT, "not a digest: %.*s", CTN_STR_ARG(text));
        ctn_hasher_add(&h, (ctn_str){(const char *) ret_digests[i].bytes, CTN_DIGEST_BYTES});
    }
    *ret_key = ctn_hasher_finish(&h);
    return CTN_OK;
}

static int new_execution(void *ctx)
{
    folding *f = ctx;
    f->x = ctn_execution_new(f->arena, f->compiled ? f->compiled : f->plan->plan, f->row->id);
    return CTN_OK;
}

/* The engine's own, or compiled out of the store's definitions, and with that the execution if nobody keeps it. */
static int make_plan(void *ctx)
{
    folding *f = ctx;
    const ctn_json *list = ctn_json_member_of(f->entry.body, "digests");
    size_t count = ctn_json_count(list);
    ctn_digest key, *digests = CTN_NEW_ARRAY(f->scratch, ctn_digest, count);
    if (count == 0)
        return ctn_fail(f->err, CTN_E_CORRUPT, "the first entry names no definitions");
    int rc = read_digests(f, list, digests, &key);
    if (rc)
        return rc;
    f->plan = f->engine ? plan_by_key(f->engine, &key) : NULL;
    if (f->plan)
        return new_execution(f);
    ctn_arena *arena = f->engine ? ctn_arena_new(16384) : f->arena;
    ctn_plan_definition *definitions = CTN_NEW_ARRAY(arena, ctn_plan_definition, count);
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        ctn_definition d = {0};
        rc = ctn_store_definition_get(f->store, arena, &digests[i], &d, f->err);
        ctn_digest digest = ctn_hash(d.body);
        if (rc == CTN_OK && memcmp(&digest, &digests[i], sizeof digest) != 0)
            rc = ctn_fail(f->err, CTN_E_CORRUPT, "the definition %s was altered: its digest does not fit",
                          ctn_digest_to_text(digests[i]).text);
        definitions[i] = (ctn_plan_definition){.kind = d.kind, .name = d.name, .body = d.body, .digest = digests[i]};
    }
    if (rc == CTN_OK)
        rc = ctn_plan_from_definitions(arena, definitions, (uint32_t) count, &f->compiled, f->err);
    if (rc && f->engine)
        ctn_arena_free(arena);
    return rc || f->engine ? rc : new_execution(f);
}

/* The plan that the first entry names. The engine keeps one that was made, outside of what may be given up. */
static int find_plan(folding *f)
{
    int rc = ctn_guarded(make_plan, f, f->err);
    if (rc) {
        f->compiled = NULL;
        f->x = NULL;
        return rc;
    }
    if (f->x)
        return CTN_OK;
    f->plan = plan_keep(f->engine, f->compiled, f->row->chain_version);
    f->compiled = NULL;
    return ctn_guarded(new_execution, f, f->err);
}

/* How large a journal is, is not ours to say: lack of memory is an error of the load, and nothing is left of it. */
static int decode(void *ctx)
{
    folding *f = ctx;
    ctn_record opened;
    int rc = ctn_opening_record(&f->opening, f->record, f->scratch, &opened, f->err);
    return rc ? rc : ctn_record_to_entry(&opened, f->scratch, &f->entry, f->err);
}

static int replay(void *ctx)
{
    folding *f = ctx;
    return ctn_execution_replay(f->x, &f->entry, f->err);
}

static int fold_record(void *ctx, const ctn_record *record, int64_t position)
{
    folding *f = ctx;
    (void) position;
    ctn_arena_mark mark = ctn_arena_save(f->scratch);
    f->record = record;
    ctn_digest hash = ctn_record_hash(record, &f->hash);
    int rc = CTN_OK;
    if (memcmp(&hash, &record->hash, sizeof hash) != 0)
        rc = ctn_fail(f->err, CTN_E_CORRUPT, "entry %llu was altered: its hash does not fit",
                      (unsigned long long) record->seq);
    f->hash = hash;
    if (rc == CTN_OK)
        rc = ctn_guarded(decode, f, f->err);
    if (rc == CTN_OK && !f->x)
        rc = find_plan(f);
    if (rc == CTN_OK)
        rc = ctn_guarded(replay, f, f->err);
    ctn_arena_restore(f->scratch, mark);
    return rc;
}

/* Nothing was said about the execution. */
static bool is_of_the_store(int rc)
{
    return rc == CTN_E_IO || rc == CTN_E_BUSY || rc == CTN_E_DENIED || rc == CTN_E_CLOSED || rc == CTN_E_NOMEM;
}

static int make_scratch(void *ctx)
{
    folding *f = ctx;
    f->scratch = ctn_arena_new(16384);
    return CTN_OK;
}

static int fold_journal(folding *f, ctn_seal *seal)
{
    f->opening = (ctn_opening){.seal = seal, .store = f->store, .exec_no = f->row->exec_no, .id = f->row->id};
    int rc = ctn_guarded(make_scratch, f, f->err);
    if (rc)
        return rc;
    rc = ctn_store_journal_read(f->store, f->row->exec_no, 1, fold_record, f, f->err);
    if (rc == CTN_OK && !f->x)
        rc = ctn_fail(f->err, CTN_E_CORRUPT, "the journal is empty");
    ctn_arena_free(f->scratch);
    /* A definition that is not there, an entry that the rules do not allow: it does not read back. */
    if (rc && !is_of_the_store(rc)) {
        rc = CTN_E_CORRUPT;
        if (f->err)
            f->err->code = rc;
    }
    return rc;
}

int ctn_execution_load(ctn_store *store, ctn_arena *arena, const ctn_execution_row *row, ctn_execution **ret_execution,
                       ctn_err *err)
{
    return ctn_execution_load_open(store, NULL, arena, row, ret_execution, err);
}

int ctn_execution_load_open(ctn_store *store, ctn_seal *seal, ctn_arena *arena, const ctn_execution_row *row,
                            ctn_execution **ret_execution, ctn_err *err)
{
    folding f = {.store = store, .arena = arena, .row = row, .err = err};
    int rc = fold_journal(&f, seal);
    ctn_opening_done(&f.opening);
    if (rc) {
        ctn_execution_unload(f.x);
        return ctn_wrap(err, rc, "execution %s", ctn_id_to_text(row->id).text);
    }
    *ret_execution = f.x;
    return CTN_OK;
}

void ctn_execution_unload(ctn_execution *x)
{
    if (x)
        ctn_plan_done((ctn_plan *) ctn_execution_plan(x)); /* made for it by load */
}

/* ---- executions of the engine ---- */

/* Calls that were under way when another life ended are not ours: until the entry that says so is on disk, a
 * failed commit must not make them look as if this process had begun them. */
static void recovered(ctn_engine *e, loaded *l)
{
    ctn_input in = {.kind = CTN_IN_RECOVERED, .now_ms = e->now_ms, .was_crash = e->options.was_crash};
    ctn_entry entry;
    l->is_recovering = ctn_execution_decide(l->x, &e->rules, &in, e->scratch, &entry, NULL) == CTN_OK;
    if (l->is_recovering)
        ctn_eng_record(e, l, &entry);
}

/* Reads and folds what the store has. On failure nothing is left of it. */
static int fold_stored(ctn_engine *e, ctn_execution_id id, ctn_execution_row *ret_row, folding *ret_folding,
                       ctn_err *err)
{
    int rc = ctn_store_execution_get(e->options.store, e->scratch, id, ret_row, err);
    if (rc == CTN_OK && ctn_eng_is_quarantined(e, ret_row->exec_no) && !ctn_eng_is_closed(e, ret_row->exec_no))
        return ctn_eng_refuse_quarantined(e, ret_row, err);
    if (rc)
        return rc == CTN_E_CORRUPT ? ctn_eng_found_damaged(e, id, err) : rc;
    *ret_folding =
        (folding){.store = e->options.store, .engine = e, .arena = ctn_arena_new(4096), .row = ret_row, .err = err};
    rc = fold_journal(ret_folding, e->options.seal);
    if (rc == CTN_OK)
        rc = ctn_eng_seal_loaded(e, ret_folding->x, &ret_folding->opening, ctn_status_is_final(ret_row->status), err);
    if (rc == CTN_OK)
        ctn_eng_is_open(e, ret_row->exec_no);
    if (rc) {
        ctn_opening_done(&ret_folding->opening);
        ctn_arena_free(ret_folding->arena);
        if (rc == CTN_E_DENIED)
            rc = ctn_eng_found_closed(e, ret_row->exec_no, err);
        return rc == CTN_E_CORRUPT ? ctn_eng_found_damaged(e, id, err)
                                   : ctn_wrap(err, rc, "execution %s", ctn_id_to_text(id).text);
    }
    return CTN_OK;
}

static void note_stored(loaded *l, folding *f)
{
    l->is_sealed = f->opening.has_key;
    l->seal_key = f->opening.key;
    ctn_opening_done(&f->opening);
    l->hash = f->hash;
    l->status_written = f->row->status;
    l->wake_written = f->row->wake_at_ms;
}

int ctn_eng_load(ctn_engine *e, ctn_execution_id id, loaded **ret_loaded, ctn_err *err)
{
    *ret_loaded = ctn_eng_find(e, id);
    if (*ret_loaded)
        return CTN_OK;
    ctn_execution_row row;
    folding f;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    int rc = fold_stored(e, id, &row, &f, err);
    if (rc == CTN_OK) {
        *ret_loaded = ctn_eng_loaded_new(e, id, row.exec_no, f.plan, f.arena, f.x);
        note_stored(*ret_loaded, &f);
        (*ret_loaded)->is_over = ctn_status_is_final(row.status);
        ctn_eng_line_up(e, *ret_loaded, row.queue_key);
        (*ret_loaded)->is_follow_up = ctn_eng_is_follow_up_key(row.idempotency_key);
        ctn_eng_place_settle(e, *ret_loaded);
        recovered(e, *ret_loaded);
    }
    ctn_arena_restore(e->scratch, mark);
    return rc;
}

/* After a failed commit: what is on disk counts. Calls in flight stay in flight; this process has not died. */
int ctn_eng_reload(ctn_engine *e, loaded *l, ctn_err *err)
{
    ctn_execution_row row;
    folding f;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    int rc = fold_stored(e, l->id, &row, &f, err);
    if (rc == CTN_OK) {
        ctn_eng_cache_let_go(e, l, true);
        ctn_eng_line_up(e, l, (ctn_str){0}); /* its key lives in the arena that goes */
        ctn_arena_free(l->arena);
        l->arena = f.arena;
        l->x = f.x;
        ctn_eng_line_up(e, l, row.queue_key);
        ctn_eng_count(e, l);
        if (l->follow_up != FOLLOW_UP_GIVEN_UP)
            l->follow_up = FOLLOW_UP_NONE; /* what the row says counts; asking twice starts once */
        l->is_lost = l->is_new = false;
        note_stored(l, &f);
        ctn_eng_committed(e, l); /* a commit that looked failed may have reached the disk */
        ctn_eng_tell_parent(e, l);
        if (l->is_recovering && !CTN_PLANT(RECOVERY_FORGOTTEN))
            recovered(e, l);
    }
    ctn_arena_restore(e->scratch, mark);
    return rc;
}

/* ---- what is due ---- */

typedef struct admitting {
    ctn_engine *engine;
    struct due_one {
        int64_t exec_no;
        ctn_execution_id id;
    } * ones;
    size_t count, max;
} admitting;

static int collect_due(void *ctx, const ctn_execution_row *row)
{
    admitting *a = ctx;
    if (ctn_eng_is_quarantined(a->engine, row->exec_no))
        return 0;
    a->ones[a->count++] = (struct due_one){.exec_no = row->exec_no, .id = row->id};
    return a->count == a->max;
}

void ctn_eng_look_at_all(ctn_engine *e)
{
    e->due_hint_ms = e->now_ms;
    e->admission.is_known = false;
    e->admission.is_changed = true;
    e->owing_seen = 0;
}

/* A look at the store pays when a quarter of the places is free; a single one waits for the next look by time. */
bool ctn_eng_has_room_for_more(const ctn_engine *e)
{
    return e->more_is_due && e->loaded_count < e->options.active_max &&
           4 * (e->options.active_max - e->loaded_count) >= e->options.active_max;
}

/* Takes from the store what is due, as many as there is room for. */
void ctn_eng_admit(ctn_engine *e)
{
    bool is_time = ctn_eng_has_room_for_more(e) || (e->due_hint_ms && e->now_ms >= e->due_hint_ms);
    if (e->options.own_only || e->is_stopping || e->failing_since_ms || !is_time ||
        e->loaded_count >= e->options.active_max)
        return;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    /* Those in memory are in the store's list too: they are passed by. */
    admitting a = {.engine = e, .max = e->options.active_max + e->loaded_count};
    a.ones = CTN_NEW_ARRAY(e->scratch, struct due_one, a.max);
    ctn_err err = {0};
    int rc = ctn_store_execution_due(e->options.store, e->now_ms, a.max + e->quarantine.count, collect_due, &a, &err);
    if (rc) {
        (void) ctn_eng_trouble_begins(e, &e->read_trouble, err.message);
        e->due_hint_ms = e->now_ms + 1000;
        e->due_is_unread = true;
        ctn_arena_restore(e->scratch, mark);
        return;
    }
    size_t admitted = 0, damaged = 0;
    e->due_is_unread = false;
    for (size_t i = 0; i < a.count && (e->loaded_count < e->options.active_max || CTN_PLANT(ACTIVE_MAX_IGNORED)); i++) {
        loaded *l = ctn_eng_find(e, a.ones[i].id);
        if (l)
            continue;
        rc = ctn_id_is_none(a.ones[i].id) ? ctn_eng_found_nameless(e, a.ones[i].exec_no, &err)
                                          : ctn_eng_load(e, a.ones[i].id, &l, &err);
        if (rc) { /* one damaged execution never stops the rest: it is in quarantine by now */
            damaged += rc == CTN_E_CORRUPT || rc == CTN_E_STATE;
            if (is_of_the_store(rc) && !CTN_PLANT(UNREADABLE_IS_FORGOTTEN)) {
                (void) ctn_eng_trouble_begins(e, &e->read_trouble, err.message);
                e->due_is_unread = true; /* not damaged: it is looked at again */
            }
            continue;
        }
        admitted++;
        ctn_eng_advance(e, l);
    }
    bool all_seen = a.count < a.max && e->loaded_count < e->options.active_max;
    e->due_hint_ms = e->now_ms + 1000;
    e->more_is_due = !all_seen && admitted + damaged > 0;
    if (!e->due_is_unread)
        ctn_eng_trouble_ends(e, &e->read_trouble);
    if ((all_seen || admitted + damaged == 0) && !e->due_is_unread) {
        int64_t next = 0;
        if (ctn_store_next_wake(e->options.store, e->now_ms, &next, NULL) == CTN_OK)
            e->due_hint_ms = next;
    }
    ctn_arena_restore(e->scratch, mark);
}
