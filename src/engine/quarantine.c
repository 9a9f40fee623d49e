/*
 * quarantine.c -- executions that do not read back, kept out of everybody's way; and how a failing store is told.
 *
 * An execution is found damaged when it is loaded. It goes into the set of numbers that due, queue and owing pass by,
 * so it is not looked at again, and into the store's table, so that people and the next life know. The set works alone:
 * a store that cannot take the table's row (or has lost the table) changes nothing for the others. What could not be
 * written for a minute is forgotten and looked at again, for what made it unreadable may have gone with what kept us
 * from writing.
 *
 * Damage is a thing of one execution only if the store reads otherwise: before one is put away the store is asked
 * something simple. When that fails, too, the store is what is broken: nobody is damaged, and it is tried again.
 *
 * One whose sealed values cannot be opened (the keyring is not there, or lacks the key) is not damaged: it is passed by
 * for a minute and looked at again, so that it holds nobody up and goes on by itself when the key is there.
 *
 * A failing store is told once when it begins, once a minute while it lasts, and once when it is over: not each try.
 */
#include "engine/engine_state.h"

#include "base/memory.h"
#include "store/audit.h"
#include "store/raw.h"

#include <stdio.h>
#include <stdlib.h>

#define TELL_AGAIN_MS  60000
#define WRITE_AGAIN_MS 5000
#define FORGET_MS      60000

/* ---- telling ---- */

static void tell_for(ctn_engine *e, ctn_log_level level, const char *what, int64_t since_ms, const char *why)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long) (e->now_ms - since_ms) / 1000);
    ctn_log_line(e->options.log, level, what, "seconds", text, why ? "why" : NULL, why, NULL);
}

bool ctn_eng_trouble_begins(ctn_engine *e, store_trouble *t, const char *why)
{
    bool is_new = !t->since_ms;
    if (is_new)
        t->since_ms = t->told_ms = e->now_ms;
    bool is_told_again = !is_new && e->now_ms - t->told_ms >= TELL_AGAIN_MS;
    if (is_new)
        ctn_log_line(e->options.log, CTN_LOG_ERROR, t->begins, "why", why, NULL);
    else if (is_told_again)
        tell_for(e, CTN_LOG_ERROR, t->goes_on, t->since_ms, why);
    if (is_told_again)
        t->told_ms = e->now_ms;
    return is_new;
}

void ctn_eng_trouble_ends(ctn_engine *e, store_trouble *t)
{
    if (!t->since_ms)
        return;
    tell_for(e, CTN_LOG_WARN, t->ends, t->since_ms, NULL);
    t->since_ms = 0;
}

/* ---- the set ---- */

static size_t place_of(const quarantine *q, int64_t exec_no)
{
    size_t low = 0, high = q->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (q->numbers[middle] < exec_no)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool ctn_eng_is_quarantined(const ctn_engine *e, int64_t exec_no)
{
    size_t place = place_of(&e->quarantine, exec_no);
    return place < e->quarantine.count && e->quarantine.numbers[place] == exec_no;
}

static void add_number(quarantine *q, int64_t exec_no)
{
    size_t place = place_of(q, exec_no);
    if (place < q->count && q->numbers[place] == exec_no)
        return;
    if (q->count == q->capacity) {
        q->capacity = q->capacity ? 2 * q->capacity : 16;
        q->numbers = ctn_realloc_array(q->numbers, q->capacity, sizeof *q->numbers);
    }
    memmove(&q->numbers[place + 1], &q->numbers[place], (q->count - place) * sizeof *q->numbers);
    q->numbers[place] = exec_no;
    q->count++;
}

static void remove_number(quarantine *q, int64_t exec_no)
{
    size_t place = place_of(q, exec_no);
    if (place == q->count || q->numbers[place] != exec_no)
        return;
    memmove(&q->numbers[place], &q->numbers[place + 1], (--q->count - place) * sizeof *q->numbers);
}

static int know_one(void *ctx, const ctn_quarantine_row *row)
{
    ctn_engine *e = ctx;
    if (!row->given_up_at_ms)
        add_number(&e->quarantine, row->exec_no);
    return 0;
}

void ctn_eng_quarantine_init(ctn_engine *e)
{
    quarantine *q = &e->quarantine;
    ctn_err err = {0};
    q->arena = ctn_arena_new(1024);
    q->write_trouble = (store_trouble){
        .begins = "the quarantine cannot be written; what is damaged is passed by all the same",
        .goes_on = "the quarantine still cannot be written",
        .ends = "the quarantine can be written again",
    };
    q->closed_trouble = (store_trouble){
        .begins = "what is sealed in executions cannot be opened; they are tried again each minute, all others go on",
        .goes_on = "what is sealed in executions still cannot be opened",
        .ends = "what is sealed in executions can be opened again",
    };
    if (ctn_store_quarantine_list(e->options.store, know_one, e, &err))
        ctn_log_line(e->options.log, CTN_LOG_ERROR, "the quarantine cannot be read; what is damaged is found again",
                     "why", err.message, NULL);
    if (q->count && !e->options.own_only) {
        char text[32];
        snprintf(text, sizeof text, "%zu", q->count);
        ctn_log_line(e->options.log, CTN_LOG_WARN, "executions are in quarantine; see: catena store quarantine",
                     "count", text, NULL);
    }
}

void ctn_eng_quarantine_done(ctn_engine *e)
{
    free(e->quarantine.numbers);
    free(e->quarantine.found);
    free(e->quarantine.closed);
    ctn_arena_free(e->quarantine.arena);
}

/* ---- putting away ---- */

static void put_away(ctn_engine *e, int64_t exec_no, ctn_execution_id id, ctn_str chain_id, const char *why)
{
    quarantine *q = &e->quarantine;
    if (ctn_eng_is_quarantined(e, exec_no))
        return;
    add_number(q, exec_no);
    if (q->found_count == q->found_capacity) {
        q->found_capacity = q->found_capacity ? 2 * q->found_capacity : 16;
        q->found = ctn_realloc_array(q->found, q->found_capacity, sizeof *q->found);
    }
    q->found[q->found_count++] = (ctn_quarantine_row){
        .exec_no = exec_no,
        .id = id,
        .chain_id = ctn_arena_str(q->arena, chain_id),
        .reason = ctn_arena_str(q->arena, ctn_str_from(why)),
        .found_at_ms = e->now_ms,
    };
    char number[32];
    snprintf(number, sizeof number, "number %lld", (long long) exec_no);
    ctn_log_line(e->options.log, CTN_LOG_ERROR, "an execution is damaged and put into quarantine; all others go on",
                 "execution", ctn_id_is_none(id) ? number : ctn_id_to_text(id).text, "why", why, NULL);
}

/* Asks the store something simple. */
static int probe(ctn_engine *e, ctn_err *err)
{
    int64_t ignored;
    ctn_err inner = {0};
    int rc = ctn_store_exec_no_last(e->options.store, &ignored, &inner);
    if (rc == CTN_OK)
        return CTN_OK;
    if (err)
        *err = inner;
    return rc == CTN_E_CORRUPT ? CTN_E_IO : rc;
}

int ctn_eng_found_damaged(ctn_engine *e, ctn_execution_id id, ctn_err *err)
{
    ctn_execution_row row;
    ctn_id_text text = ctn_id_to_text(id);
    int rc = probe(e, err);
    if (rc)
        return rc;
    if (ctn_store_execution_read_raw(e->options.store, e->scratch, ctn_str_from(text.text), &row, NULL) == CTN_OK)
        put_away(e, row.exec_no, id, row.chain_id, err && err->message[0] ? err->message : "it does not read back");
    return CTN_E_CORRUPT;
}

int ctn_eng_found_nameless(ctn_engine *e, int64_t exec_no, ctn_err *err)
{
    int rc = probe(e, err);
    if (rc)
        return rc;
    put_away(e, exec_no, (ctn_execution_id){{0}}, (ctn_str){0}, "its row, with its id, does not read");
    return CTN_E_CORRUPT;
}

int ctn_eng_refuse_quarantined(ctn_engine *e, const ctn_execution_row *row, ctn_err *err)
{
    ctn_quarantine_row q;
    ctn_str reason = CTN_STR("it does not read back");
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    for (size_t i = 0; i < e->quarantine.found_count; i++)
        if (e->quarantine.found[i].exec_no == row->exec_no)
            reason = e->quarantine.found[i].reason;
    if (ctn_store_quarantine_get(e->options.store, e->scratch, row->exec_no, &q, NULL) == CTN_OK)
        reason = q.reason;
    int rc = ctn_fail(err, CTN_E_STATE, "%s is damaged and in quarantine until it is repaired and released: %.*s",
                      ctn_id_to_text(row->id).text, CTN_STR_ARG(reason));
    ctn_arena_restore(e->scratch, mark);
    return rc;
}

/* ---- closed ---- */

bool ctn_eng_is_closed(const ctn_engine *e, int64_t exec_no)
{
    for (size_t i = 0; i < e->quarantine.closed_count; i++)
        if (e->quarantine.closed[i] == exec_no)
            return true;
    return false;
}

void ctn_eng_is_open(ctn_engine *e, int64_t exec_no)
{
    quarantine *q = &e->quarantine;
    for (size_t i = 0; i < q->closed_count; i++)
        if (q->closed[i] == exec_no) {
            q->closed[i] = q->closed[--q->closed_count];
            remove_number(q, exec_no);
            return;
        }
}

int ctn_eng_found_closed(ctn_engine *e, int64_t exec_no, ctn_err *err)
{
    quarantine *q = &e->quarantine;
    int rc = probe(e, NULL);
    if (rc)
        return rc;
    (void) ctn_eng_trouble_begins(e, &q->closed_trouble, err ? err->message : "there is no key");
    if (ctn_eng_is_quarantined(e, exec_no))
        return CTN_E_STATE;
    add_number(q, exec_no);
    if (q->closed_count == q->closed_capacity) {
        q->closed_capacity = q->closed_capacity ? 2 * q->closed_capacity : 16;
        q->closed = ctn_realloc_array(q->closed, q->closed_capacity, sizeof *q->closed);
    }
    q->closed[q->closed_count++] = exec_no;
    if (!q->closed_until_ms)
        q->closed_until_ms = e->now_ms + FORGET_MS;
    return CTN_E_STATE;
}

static void look_at_closed(ctn_engine *e)
{
    quarantine *q = &e->quarantine;
    if (!q->closed_until_ms && q->closed_trouble.since_ms) /* they were looked at, and none is closed any more */
        ctn_eng_trouble_ends(e, &q->closed_trouble);
    if (!q->closed_until_ms || e->now_ms < q->closed_until_ms)
        return;
    for (size_t i = 0; i < q->closed_count; i++)
        remove_number(q, q->closed[i]);
    q->closed_count = 0;
    q->closed_until_ms = 0;
    ctn_eng_look_at_all(e);
}

/* ---- into the store ---- */

static void written(quarantine *q)
{
    q->found_count = 0;
    q->retry_at_ms = 0;
    ctn_arena_reset(q->arena);
}

void ctn_eng_quarantine_flush(ctn_engine *e)
{
    quarantine *q = &e->quarantine;
    ctn_err err = {0};
    look_at_closed(e);
    if (q->found_count == 0 || e->now_ms < q->retry_at_ms)
        return;
    if (ctn_store_quarantine_put(e->options.store, q->found, q->found_count, &err) == CTN_OK) {
        written(q);
        ctn_eng_trouble_ends(e, &q->write_trouble);
        return;
    }
    (void) ctn_eng_trouble_begins(e, &q->write_trouble, err.message);
    q->retry_at_ms = e->now_ms + WRITE_AGAIN_MS;
    if (e->now_ms - q->found[q->found_count - 1].found_at_ms < FORGET_MS)
        return;
    for (size_t i = 0; i < q->found_count; i++)
        remove_number(q, q->found[i].exec_no);
    written(q);
    ctn_eng_look_at_all(e);
}

int64_t ctn_eng_quarantine_turn_ms(const ctn_engine *e)
{
    const quarantine *q = &e->quarantine;
    int64_t write_ms = q->found_count ? q->retry_at_ms : 0;
    return !write_ms || (q->closed_until_ms && q->closed_until_ms < write_ms) ? q->closed_until_ms : write_ms;
}

/* ---- what people say about them ---- */

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

static void forget_found(quarantine *q, int64_t exec_no)
{
    for (size_t i = 0; i < q->found_count; i++)
        if (q->found[i].exec_no == exec_no)
            q->found[i--] = q->found[--q->found_count];
    remove_number(q, exec_no);
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
    forget_found(&e->quarantine, exec_no);
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
    loaded *l = ctn_eng_find(e, f->id);
    if (l && (l->build || l->batches))
        return ctn_fail(err, CTN_E_BUSY, "%s is being written just now; try again", ctn_id_to_text(f->id).text);
    if (l) /* read before it was damaged: it does not go on */
        ctn_eng_unload(e, l);
    put_away(e, row->exec_no, f->id, row->chain_id, why.message);
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
        ctn_eng_child_was_given_up(e, row->parent, f->id);
    return CTN_OK;
}

void ctn_eng_take_release(ctn_engine *e, filed *f)
{
    ctn_err err = {0};
    ctn_execution_row row;
    ctn_quarantine_row known = {0};
    ctn_id_text id = ctn_id_to_text(f->id);
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    e->quarantine.retry_at_ms = 0;
    ctn_eng_quarantine_flush(e); /* so that what is done to it is done to the table too */
    int rc = ctn_store_execution_read_raw(e->options.store, e->scratch, ctn_str_from(id.text), &row, &err);
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

void ctn_engine_release(ctn_engine *e, ctn_execution_id id, bool gives_up, ctn_str actor, ctn_str reason,
                        ctn_ack_fn *ack, void *ctx)
{
    filed *f = ctn_eng_filed_new(e, FILED_RELEASE);
    f->id = id;
    f->gives_up = gives_up;
    f->in.actor = ctn_arena_str(f->arena, actor);
    f->in.message = ctn_arena_str(f->arena, reason);
    f->ack = ack;
    f->ack_ctx = ctx;
    ctn_eng_file(e, f);
}
