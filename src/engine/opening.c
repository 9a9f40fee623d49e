/*
 * opening.c -- see opening.h. The key is read at the first record that is sealed.
 */
#include "engine/opening.h"

int ctn_opening_record(ctn_opening *o, const ctn_record *record, ctn_arena *scratch, ctn_record *ret_record,
                       ctn_err *err)
{
    *ret_record = *record;
    if (!record->sealed.len || !o->seal || o->is_shredded)
        return CTN_OK;
    if (!o->has_key) {
        int rc = ctn_seal_key_read(o->seal, o->store, o->exec_no, o->id, &o->key, err);
        o->is_shredded = rc == CTN_E_NOT_FOUND;
        if (rc)
            return o->is_shredded ? CTN_OK : rc;
        o->has_key = true;
    }
    return ctn_seal_open(&o->key, o->id, record, scratch, ret_record, err);
}

void ctn_opening_done(ctn_opening *o)
{
    ctn_seal_key_wipe(&o->key);
    o->has_key = false;
}
