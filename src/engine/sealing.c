/*
 * sealing.c -- sensitive values on their way to disk and back.
 *
 * What must hold: an execution with sensitive values has a data key from its first entry on (wrapped, in the
 * transaction of that entry), and each of its entries becomes a record through it. One whose key cannot be had is not
 * advanced: it cannot be loaded, or, when it has ended, only looked at. An execution without any costs one look at a
 * flag.
 */
#include "engine/sealing.h"
#include "engine/state.h"

const ctn_sensitivity *ctn_eng_sensitivity(ctn_engine *e, const ctn_plan *plan, const ctn_json *also)
{
    return ctn_sensitivity_with(plan, also, e->scratch);
}

static int seal_missing(const ctn_plan *plan, ctn_err *err)
{
    return ctn_fail(
        err, CTN_E_DENIED,
        "the chain %.*s has sensitive values, and nothing says what to seal them with: write `sealing: {key: "
        "{file: catena.key}}` into catena.yaml (the file is made when it is first needed)",
        CTN_STR_ARG(plan->chain_id));
}

int ctn_eng_seal_start(ctn_engine *e, const ctn_plan *plan, ctn_execution_id id, const ctn_sensitivity *s,
                       ctn_str *queue_key, ctn_seal_key *ret_key, ctn_data_key *ret_wrapped, ctn_err *err)
{
    ctn_seal *seal = e->options.seal;
    if (!seal)
        return seal_missing(plan, err);
    int rc = ctn_seal_key_make(seal, e->options.store, id, e->scratch, ret_key, ret_wrapped, err);
    if (rc == CTN_OK && queue_key->len && ctn_sensitive_queue_key(s))
        rc = ctn_seal_digest(seal, e->options.store, *queue_key, e->scratch, queue_key, err);
    return rc;
}

ctn_record ctn_eng_sealed_record(ctn_engine *e, loaded *l, const ctn_entry *entry, ctn_arena *arena)
{
    ctn_places places = ctn_sensitive_places(ctn_execution_sensitivity(l->x), entry, e->scratch);
    return ctn_seal_record(&l->seal.key, l->id, entry, &places, &l->hash, arena);
}

int ctn_eng_seal_loaded(const ctn_engine *e, const ctn_execution *x, ctn_opening *o, bool is_final, ctn_err *err)
{
    if (!ctn_execution_sensitivity(x) || e->options.seals_nothing)
        return CTN_OK;
    if (!o->seal)
        return is_final ? CTN_OK : seal_missing(ctn_execution_plan(x), err);
    if (!o->has_key && !o->is_shredded) {
        int rc = ctn_seal_key_read(o->seal, o->store, o->exec_no, o->id, &o->key, err);
        o->is_shredded = rc == CTN_E_NOT_FOUND;
        o->has_key = rc == CTN_OK;
        if (rc && !o->is_shredded)
            return rc;
    }
    if (o->is_shredded && !is_final)
        return ctn_fail(err, CTN_E_CORRUPT, "its data key is gone: its sensitive values cannot be read");
    return CTN_OK;
}
