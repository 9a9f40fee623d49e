/*
 * release.c -- what people say of a damaged execution: it reads again, and goes on; or it is given up, and ends failed
 * as it is, so that its line and its parent go on. Both stand in the audit log.
 */
#include "engine/release.h"
#include "engine/child.h"
#include "engine/fold.h"
#include "engine/load.h"
#include "engine/quarantine.h"
#include "engine/request.h"
#include "engine/shards.h"
#include "engine/state.h"
#include "store/audit.h"
#include "store/quarantine.h"
#include "store/raw.h"

static void note(ctn_engine *e, const filed *f, const char *action)
{
    ctn_err err = {0};
    ctn_id_text id = ctn_id_to_text(f->id);
    ctn_json_builder detail = ctn_json_object(e->scratch);
    if (f->in.message.len)
        ctn_json_put_str(&detail, "reason", f->in.message);
    ctn_audit_entry entry = {.at_ms = e->now_ms,
                             .actor = f->in.actor,
                             .action = ctn_str_from(action),
                             .subject = ctn_str_from(id.text),
                             .detail = ctn_json_to_str(e->scratch, ctn_json_finish(&detail))};
    if (ctn_store_audit(e->options.store, &entry, &err)) /* it is done all the same */
        ctn_log_line(e->options.log, CTN_LOG_ERROR, "the audit log cannot be written", "why", err.message, NULL);
}

/* CTN_E_CORRUPT: it is damaged, as it is now. */
static int read_back(ctn_engine *e, ctn_execution_id id, ctn_err *err)
{
    ctn_execution_row row;
    ctn_execution *x = NULL;
    ctn_arena *arena = ctn_arena_new(16384);
    int rc = ctn_store_execution_get(e->options.store, arena, id, &row, err);
    if (rc == CTN_OK)
        rc = ctn_execution_load(e->options.store, arena, &row, &x, err);
    ctn_execution_unload(x);
    ctn_arena_free(arena);
    return rc;
}

static int release(ctn_engine *e, const filed *f, int64_t exec_no, ctn_err *err)
{
    int rc = read_back(e, f->id, err);
    if (rc)
        return ctn_wrap(err, rc, "it is still damaged");
    rc = ctn_store_quarantine_remove(e->options.store, exec_no, err);
    if (rc)
        return rc;
    ctn_eng_quarantine_forget(e, exec_no);
    note(e, f, "execution.release");
    return CTN_OK;
}

static int give_up(ctn_engine *e, const filed *f, const ctn_execution_row *row, ctn_err *err)
{
    ctn_err why = {0};
    int rc = read_back(e, f->id, &why);
    if (rc == CTN_OK)
        return ctn_fail(err, CTN_E_STATE, "%s reads back: it can be released, or cancelled",
                        ctn_id_to_text(f->id).text);
    if (rc != CTN_E_CORRUPT) {
        *err = why;
        return rc;
    }
    loaded *l = ctn_live_find(&e->live, f->id);
    if (l && ctn_loaded_is_ahead(l))
        return ctn_fail(err, CTN_E_BUSY, "%s is being written just now; try again", ctn_id_to_text(f->id).text);
    if (l) /* read before it was damaged: it does not go on */
        ctn_eng_unload(e, l);
    ctn_eng_put_away(e, row->exec_no, f->id, row->chain_id, why.message);
    ctn_eng_quarantine_flush(e);
    ctn_json_builder error = ctn_json_object(e->scratch);
    ctn_json_put_str(&error, "code", CTN_STR("damaged"));
    ctn_json_put_str(&error, "message",
                     ctn_arena_printf(e->scratch, "damaged, and given up by %.*s%s%.*s", CTN_STR_ARG(f->in.actor),
                                      f->in.message.len ? ": " : "", CTN_STR_ARG(f->in.message)));
    ctn_give_up what = {
        .exec_no = row->exec_no, .error = ctn_json_to_str(e->scratch, ctn_json_finish(&error)), .at_ms = e->now_ms};
    rc = ctn_store_give_up(e->options.store, &what, err);
    if (rc)
        return rc;
    note(e, f, "execution.discard");
    if (!ctn_id_is_none(row->parent))
        ctn_eng_child_was_given_up(e, row->parent, f->id, f->shard);
    return CTN_OK;
}

void ctn_eng_take_release(ctn_engine *e, filed *f)
{
    ctn_err err = {0};
    ctn_execution_row row;
    ctn_quarantine_row known = {0};
    ctn_id_text id = ctn_id_to_text(f->id);
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_eng_quarantine_flush_now(e); /* so that what is done to it is done to the table too */
    int rc = ctn_eng_shard_of(e, f->id, &f->shard, &err);
    if (rc == CTN_OK)
        rc = ctn_store_execution_read_raw(e->options.store, e->scratch, ctn_str_from(id.text), &row, &err);
    if (rc == CTN_OK) {
        int found = ctn_store_quarantine_get(e->options.store, e->scratch, row.exec_no, &known, &err);
        if (found && found != CTN_E_NOT_FOUND)
            rc = found;
        else if (found && !f->gives_up && !ctn_eng_is_quarantined(e, row.exec_no))
            rc = ctn_fail(&err, CTN_E_NOT_FOUND, "%s is not in quarantine", id.text);
        else if (known.given_up_at_ms)
            rc = ctn_fail(&err, CTN_E_STATE, "%s was given up; that is its end", id.text);
    }
    if (rc == CTN_OK)
        rc = f->gives_up ? give_up(e, f, &row, &err) : release(e, f, row.exec_no, &err);
    if (rc == CTN_OK)
        ctn_eng_look_at_all(e);
    ctn_arena_restore(e->scratch, mark);
    ctn_eng_ack(e, f, rc, &err);
}
