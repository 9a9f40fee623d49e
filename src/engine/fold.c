/*
 * fold.c -- see fold.h. The first entry names the definitions that the plan was made of; from then on each entry is
 * replayed on the state that the one before it left.
 *
 * How large a journal is, is not ours to say: lack of memory is an error of the load, and nothing is left of it.
 */
#include "engine/fold.h"
#include "base/memory.h"
#include "engine/plans.h"
#include "engine/state.h"

typedef struct folding {
    ctn_store *store;
    ctn_engine *engine;       /* keeps the plan; NULL: it is compiled into the arena */
    const ctn_engine *beside; /* without engine: unless this one knows it */
    ctn_arena *scratch;
    const ctn_execution_row *row;
    ctn_plan *compiled;       /* and not kept by the engine (yet) */
    const ctn_record *record; /* the one that is folded in */
    ctn_entry entry;          /* ... decoded */
    ctn_folded *to;
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
    f->to->x = ctn_execution_new(f->to->arena, f->compiled ? f->compiled : f->to->plan->plan, f->row->id);
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
    const ctn_engine *knowing = f->engine ? f->engine : f->beside;
    f->to->plan = knowing ? ctn_eng_plan_by_key(knowing, &key) : NULL;
    if (f->to->plan)
        return new_execution(f);
    ctn_arena *arena = f->engine ? ctn_arena_new(16384) : f->to->arena;
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
        f->to->x = NULL;
        return rc;
    }
    if (f->to->x)
        return CTN_OK;
    f->to->plan = ctn_eng_plan_keep(f->engine, f->compiled);
    f->compiled = NULL;
    return ctn_guarded(new_execution, f, f->err);
}

static int decode(void *ctx)
{
    folding *f = ctx;
    ctn_record opened;
    int rc = ctn_opening_record(&f->to->opening, f->record, f->scratch, &opened, f->err);
    rc = rc ? rc : ctn_record_to_entry(&opened, f->scratch, &f->entry, f->err);
    f->entry.bytes = f->record->body.len; /* sealed, as it was counted when it was written */
    return rc;
}

static int replay(void *ctx)
{
    folding *f = ctx;
    return ctn_execution_replay(f->to->x, &f->entry, f->err);
}

static int fold_record(void *ctx, const ctn_record *record, int64_t position)
{
    folding *f = ctx;
    (void) position;
    ctn_arena_mark mark = ctn_arena_save(f->scratch);
    f->record = record;
    ctn_digest hash = ctn_record_hash(record, &f->to->hash);
    int rc = CTN_OK;
    if (memcmp(&hash, &record->hash, sizeof hash) != 0)
        rc = ctn_fail(f->err, CTN_E_CORRUPT, "entry %llu was altered: its hash does not fit",
                      (unsigned long long) record->seq);
    f->to->hash = hash;
    if (rc == CTN_OK)
        rc = ctn_guarded(decode, f, f->err);
    if (rc == CTN_OK && !f->to->x)
        rc = find_plan(f);
    if (rc == CTN_OK)
        rc = ctn_guarded(replay, f, f->err);
    ctn_arena_restore(f->scratch, mark);
    return rc;
}

bool ctn_fold_says_nothing(int rc)
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
    f->to->opening = (ctn_opening){.seal = seal, .store = f->store, .exec_no = f->row->exec_no, .id = f->row->id};
    int rc = ctn_guarded(make_scratch, f, f->err);
    if (rc)
        return rc;
    rc = ctn_store_journal_read(f->store, f->row->exec_no, 1, fold_record, f, f->err);
    if (rc == CTN_OK && !f->to->x)
        rc = ctn_fail(f->err, CTN_E_CORRUPT, "the journal is empty");
    ctn_arena_free(f->scratch);
    /* A definition that is not there, an entry that the rules do not allow: it does not read back. */
    if (rc && !ctn_fold_says_nothing(rc)) {
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
    return ctn_execution_load_beside(NULL, store, seal, arena, row, ret_execution, err);
}

int ctn_execution_load_beside(const ctn_engine *engine, ctn_store *store, ctn_seal *seal, ctn_arena *arena,
                              const ctn_execution_row *row, ctn_execution **ret_execution, ctn_err *err)
{
    ctn_folded folded = {.arena = arena};
    folding f = {.store = store, .beside = engine, .row = row, .to = &folded, .err = err};
    int rc = fold_journal(&f, seal);
    ctn_opening_done(&folded.opening);
    if (rc) {
        ctn_execution_unload_beside(engine, folded.x);
        return ctn_wrap(err, rc, "execution %s", ctn_id_to_text(row->id).text);
    }
    *ret_execution = folded.x;
    return CTN_OK;
}

void ctn_execution_unload(ctn_execution *x)
{
    if (x)
        ctn_plan_done((ctn_plan *) ctn_execution_plan(x)); /* made for it by load */
}

void ctn_execution_unload_beside(const ctn_engine *engine, ctn_execution *x)
{
    if (x && !(engine && ctn_eng_plan_ref(engine, ctn_execution_plan(x))))
        ctn_execution_unload(x);
}

int ctn_fold(ctn_engine *e, const ctn_execution_row *row, ctn_folded *ret_folded, ctn_err *err)
{
    folding f = {.store = e->options.store, .engine = e, .row = row, .to = ret_folded, .err = err};
    *ret_folded = (ctn_folded){.arena = ctn_arena_new(4096)};
    return fold_journal(&f, e->options.seal);
}
