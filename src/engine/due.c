/*
 * due.c -- see due.h.
 */
#include "engine/due.h"
#include "base/plant.h"
#include "engine/advance.h"
#include "engine/fold.h"
#include "engine/load.h"
#include "engine/place.h"
#include "engine/quarantine.h"
#include "engine/shards.h"
#include "engine/state.h"

#define LOOK_AGAIN_MS 1000

typedef struct collecting {
    ctn_engine *engine;
    struct due_one {
        int64_t exec_no;
        ctn_execution_id id;
    } * ones;
    size_t count, max;
} collecting;

static int collect(void *ctx, const ctn_execution_row *row)
{
    collecting *a = ctx;
    if (ctn_eng_is_quarantined(a->engine, row->exec_no) || !ctn_eng_is_listed(a->engine, row->exec_no))
        return 0;
    a->ones[a->count++] = (struct due_one){.exec_no = row->exec_no, .id = row->id};
    return a->count == a->max;
}

/* A look at the store pays when a quarter of the places is free; a single one waits for the next look by time. */
static bool has_room_for_more(const ctn_engine *e)
{
    return e->due.has_more && ctn_eng_has_seat(e) &&
           4 * (e->options.active_max - e->queue.seats) >= e->options.active_max;
}

void ctn_eng_take_due(ctn_engine *e)
{
    bool is_time = has_room_for_more(e) || (e->due.look_at_ms && e->now_ms >= e->due.look_at_ms);
    if (e->options.own_only || e->is_stopping || e->store.is_failing || !is_time || !ctn_eng_has_seat(e))
        return;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    /* Those in memory are in the store's list too: they are passed by. */
    collecting a = {.engine = e, .max = e->options.active_max + e->live.count};
    a.ones = CTN_NEW_ARRAY(e->scratch, struct due_one, a.max);
    ctn_err err = {0};
    int rc =
        ctn_store_execution_due(e->options.store, e->now_ms, a.max + ctn_eng_quarantine_count(e), collect, &a, &err);
    if (rc) {
        ctn_trouble_begins(&e->store.reading, e->now_ms, err.message);
        e->due.look_at_ms = e->now_ms + LOOK_AGAIN_MS;
        e->due.is_unread = true;
        ctn_arena_restore(e->scratch, mark);
        return;
    }
    size_t admitted = 0, damaged = 0;
    e->due.is_unread = false;
    for (size_t i = 0; i < a.count && (ctn_eng_has_seat(e) || CTN_PLANT(ACTIVE_MAX_IGNORED)); i++) {
        loaded *l = ctn_live_find(&e->live, a.ones[i].id);
        if (l)
            continue;
        rc = ctn_eng_load_listed(e, a.ones[i].exec_no, a.ones[i].id, &l, &err);
        if (rc) { /* one damaged execution never stops the rest: it is in quarantine by now */
            damaged += rc == CTN_E_CORRUPT || rc == CTN_E_STATE;
            if (ctn_fold_says_nothing(rc) && !CTN_PLANT(UNREADABLE_IS_FORGOTTEN)) {
                ctn_trouble_begins(&e->store.reading, e->now_ms, err.message);
                e->due.is_unread = true; /* not damaged: it is looked at again */
            }
            continue;
        }
        admitted++;
        ctn_eng_advance(e, l);
    }
    bool all_seen = a.count < a.max && ctn_eng_has_seat(e);
    e->due.look_at_ms = e->now_ms + LOOK_AGAIN_MS;
    e->due.has_more = !all_seen && admitted + damaged > 0;
    if (!e->due.is_unread)
        ctn_trouble_ends(&e->store.reading, e->now_ms);
    if ((all_seen || admitted + damaged == 0) && !e->due.is_unread) {
        int64_t next = 0;
        if (ctn_store_next_wake(e->options.store, e->now_ms, &next, NULL) == CTN_OK)
            e->due.look_at_ms = next;
    }
    ctn_arena_restore(e->scratch, mark);
}

int64_t ctn_eng_due_turn_ms(const ctn_engine *e)
{
    if (e->options.own_only || e->is_stopping || !ctn_eng_has_seat(e))
        return 0;
    return has_room_for_more(e) ? e->now_ms : e->due.look_at_ms; /* places became free in this turn */
}
