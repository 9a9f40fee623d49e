/*
 * quarantine.c -- executions that do not read back, kept out of everybody's way.
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
 */
#include "engine/quarantine.h"
#include "base/memory.h"
#include "engine/state.h"
#include "store/quarantine.h"
#include "store/raw.h"

#include <stdio.h>
#include <stdlib.h>

#define WRITE_AGAIN_MS 5000
#define FORGET_MS      60000

struct quarantine {
    int64_t *numbers; /* ascending: passed by */
    size_t count, capacity;
    ctn_quarantine_row *found; /* and not in the store's table yet */
    size_t found_count, found_capacity;
    ctn_arena *arena; /* their texts */
    int64_t *closed;  /* not damaged: what is sealed in them cannot be opened. Passed by for a minute, then looked at */
    size_t closed_count, closed_capacity;
    int64_t closed_until_ms; /* 0: there are none */
    ctn_trouble closed_trouble;
    int64_t retry_at_ms;
    ctn_trouble write_trouble;
};
typedef struct quarantine quarantine;

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
    size_t place = place_of(e->quarantine, exec_no);
    return place < e->quarantine->count && e->quarantine->numbers[place] == exec_no;
}

static void add_number(quarantine *q, int64_t exec_no)
{
    size_t place = place_of(q, exec_no);
    if (place < q->count && q->numbers[place] == exec_no)
        return;
    q->numbers = ctn_array_room(q->numbers, q->count, &q->capacity, sizeof *q->numbers);
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
        add_number(e->quarantine, row->exec_no);
    return 0;
}

void ctn_eng_quarantine_read(ctn_engine *e)
{
    ctn_err err = {0};
    if (ctn_store_quarantine_list(e->options.store, know_one, e, &err))
        ctn_log_line(e->options.log, CTN_LOG_ERROR, "the quarantine cannot be read; what is damaged is found again",
                     "why", err.message, NULL);
}

void ctn_eng_quarantine_init(ctn_engine *e)
{
    quarantine *q = e->quarantine = ctn_calloc(1, sizeof *q);
    q->arena = ctn_arena_new(1024);
    q->write_trouble = (ctn_trouble){
        .log = e->options.log,
        .begins = "the quarantine cannot be written; what is damaged is passed by all the same",
        .goes_on = "the quarantine still cannot be written",
        .ends = "the quarantine can be written again",
    };
    q->closed_trouble = (ctn_trouble){
        .log = e->options.log,
        .begins = "what is sealed in executions cannot be opened; they are tried again each minute, all others go on",
        .goes_on = "what is sealed in executions still cannot be opened",
        .ends = "what is sealed in executions can be opened again",
    };
    ctn_eng_quarantine_read(e);
    if (q->count && !e->options.own_only) {
        char text[32];
        snprintf(text, sizeof text, "%zu", q->count);
        ctn_log_line(e->options.log, CTN_LOG_WARN, "executions are in quarantine; see: catena store quarantine",
                     "count", text, NULL);
    }
}

void ctn_eng_quarantine_done(ctn_engine *e)
{
    free(e->quarantine->numbers);
    free(e->quarantine->found);
    free(e->quarantine->closed);
    ctn_arena_free(e->quarantine->arena);
    free(e->quarantine);
}

size_t ctn_eng_quarantine_count(const ctn_engine *e)
{
    return e->quarantine->count;
}

/* ---- putting away ---- */

void ctn_eng_put_away(ctn_engine *e, int64_t exec_no, ctn_execution_id id, ctn_str chain_id, const char *why)
{
    quarantine *q = e->quarantine;
    if (ctn_eng_is_quarantined(e, exec_no))
        return;
    add_number(q, exec_no);
    q->found = ctn_array_room(q->found, q->found_count, &q->found_capacity, sizeof *q->found);
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
                 "executionId", ctn_id_is_none(id) ? number : ctn_id_to_text(id).text, "why", why, NULL);
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
        ctn_eng_put_away(e, row.exec_no, id, row.chain_id,
                         err && err->message[0] ? err->message : "it does not read back");
    return CTN_E_CORRUPT;
}

int ctn_eng_found_nameless(ctn_engine *e, int64_t exec_no, ctn_err *err)
{
    int rc = probe(e, err);
    if (rc)
        return rc;
    ctn_eng_put_away(e, exec_no, (ctn_execution_id){{0}}, (ctn_str){0}, "its row, with its id, does not read");
    return CTN_E_CORRUPT;
}

int ctn_eng_refuse_quarantined(ctn_engine *e, const ctn_execution_row *row, ctn_err *err)
{
    ctn_quarantine_row q;
    ctn_str reason = CTN_STR("it does not read back");
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    for (size_t i = 0; i < e->quarantine->found_count; i++)
        if (e->quarantine->found[i].exec_no == row->exec_no)
            reason = e->quarantine->found[i].reason;
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
    for (size_t i = 0; i < e->quarantine->closed_count; i++)
        if (e->quarantine->closed[i] == exec_no)
            return true;
    return false;
}

void ctn_eng_is_open(ctn_engine *e, int64_t exec_no)
{
    quarantine *q = e->quarantine;
    for (size_t i = 0; i < q->closed_count; i++)
        if (q->closed[i] == exec_no) {
            q->closed[i] = q->closed[--q->closed_count];
            remove_number(q, exec_no);
            return;
        }
}

int ctn_eng_found_closed(ctn_engine *e, int64_t exec_no, ctn_err *err)
{
    quarantine *q = e->quarantine;
    int rc = probe(e, NULL);
    if (rc)
        return rc;
    ctn_trouble_begins(&q->closed_trouble, e->now_ms, err ? err->message : "there is no key");
    if (ctn_eng_is_quarantined(e, exec_no))
        return CTN_E_STATE;
    add_number(q, exec_no);
    q->closed = ctn_array_room(q->closed, q->closed_count, &q->closed_capacity, sizeof *q->closed);
    q->closed[q->closed_count++] = exec_no;
    if (!q->closed_until_ms)
        q->closed_until_ms = e->now_ms + FORGET_MS;
    return CTN_E_STATE;
}

void ctn_eng_look_at_all(ctn_engine *e)
{
    ctn_due_at(&e->due, e->now_ms);
    e->due.owing_seen = 0;
    e->queue.is_known = false;
    e->queue.was_let_go = true;
}

static void look_at_closed(ctn_engine *e)
{
    quarantine *q = e->quarantine;
    if (!q->closed_until_ms && q->closed_trouble.since_ms) /* they were looked at, and none is closed any more */
        ctn_trouble_ends(&q->closed_trouble, e->now_ms);
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
    quarantine *q = e->quarantine;
    ctn_err err = {0};
    look_at_closed(e);
    if (q->found_count == 0 || e->now_ms < q->retry_at_ms)
        return;
    if (ctn_store_quarantine_put(e->options.store, q->found, q->found_count, &err) == CTN_OK) {
        written(q);
        ctn_trouble_ends(&q->write_trouble, e->now_ms);
        return;
    }
    ctn_trouble_begins(&q->write_trouble, e->now_ms, err.message);
    q->retry_at_ms = e->now_ms + WRITE_AGAIN_MS;
    if (e->now_ms - q->found[q->found_count - 1].found_at_ms < FORGET_MS)
        return;
    for (size_t i = 0; i < q->found_count; i++)
        remove_number(q, q->found[i].exec_no);
    written(q);
    ctn_eng_look_at_all(e);
}

void ctn_eng_quarantine_flush_now(ctn_engine *e)
{
    e->quarantine->retry_at_ms = 0;
    ctn_eng_quarantine_flush(e);
}

int64_t ctn_eng_quarantine_turn_ms(const ctn_engine *e)
{
    const quarantine *q = e->quarantine;
    int64_t write_ms = q->found_count ? q->retry_at_ms : 0;
    return !write_ms || (q->closed_until_ms && q->closed_until_ms < write_ms) ? q->closed_until_ms : write_ms;
}

/* ---- out again ---- */

void ctn_eng_quarantine_forget(ctn_engine *e, int64_t exec_no)
{
    quarantine *q = e->quarantine;
    for (size_t i = 0; i < q->found_count; i++)
        if (q->found[i].exec_no == exec_no)
            q->found[i--] = q->found[--q->found_count];
    remove_number(q, exec_no);
}
