/*
 * advance.c -- see advance.h. Core says what is next; the gate says whether a call may begin, and takes note of what
 * was recorded.
 */
#include "engine/advance.h"
#include "engine/batch.h"
#include "engine/cache.h"
#include "engine/gate.h"
#include "engine/holds.h"
#include "engine/plans.h"
#include "engine/shards.h"
#include "engine/state.h"

void ctn_eng_advance(ctn_engine *e, loaded *l)
{
    if (l->is_lost || !l->plan->is_bound || !ctn_eng_is_ours(e, l))
        return;
    if (ctn_eng_is_draining(e, l)) { /* as it is; it goes when nothing of it is under way, also after a failed commit */
        l->advance_at_ms = 0;
        ctn_live_to_perform(&e->live, l);
        return;
    }
    if (e->is_stopping)
        return;
    gate_waits before;
    l->advance_at_ms = 0;
    ctn_eng_gate_begin(e, l, &before);
    for (;;) {
        ctn_arena_mark mark = ctn_arena_save(e->scratch);
        ctn_entry entry;
        bool more = ctn_execution_next(l->x, &e->rules, e->now_ms, ctn_eng_chance(e), e->scratch, &entry);
        if (more) {
            ctn_eng_record(e, l, &entry);
            ctn_eng_cache_see(e, l, &entry);
            ctn_eng_gate_recorded(e, l, &entry);
        }
        ctn_arena_restore(e->scratch, mark);
        if (!more)
            break;
    }
    ctn_eng_gate_end(e, l, &before);
    if (l->gate.held_by)
        ctn_eng_pause_held(e, l);
    ctn_live_to_perform(&e->live, l);
}
