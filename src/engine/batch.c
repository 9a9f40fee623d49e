/*
 * batch.c -- see batch.h.
 */
#include "engine/batch.h"
#include "base/memory.h"
#include "base/plant.h"
#include "engine/abandon.h"
#include "engine/place.h"
#include "engine/sealing.h"
#include "engine/state.h"
#include "store/audit.h"

#include <assert.h>
#include <stdlib.h>

void ctn_eng_batches_init(ctn_engine *e)
{
    e->batches = ctn_calloc(1, sizeof *e->batches);
    e->batches->count = e->options.leases && e->options.writer.strands > 1 ? e->options.writer.strands : 1;
    assert(e->batches->count <= CTN_STRANDS_MAX);
    for (size_t k = 0; k < e->batches->count; k++) {
        strand *s = &e->batches->strands[k];
        for (size_t i = 0; i < 2; i++) {
            s->both[i].arena = ctn_arena_new(65536);
            s->both[i].batch.memory = &s->both[i];
            s->both[i].batch.strand = (uint32_t) k;
        }
        s->gathering = &s->both[0];
    }
}

void ctn_eng_batch_reset(batch_memory *m)
{
    ctn_arena_reset(m->arena);
    m->builds = NULL;
    m->count = m->capacity = 0;
    m->batch.count = 0;
    m->kept = (filed_list){0};
}

void ctn_eng_batches_done(ctn_engine *e)
{
    for (size_t k = 0; k < e->batches->count; k++)
        for (size_t i = 0; i < 2; i++) {
            batch_memory *m = &e->batches->strands[k].both[i];
            for (filed *f; (f = ctn_filed_take(&m->kept));)
                ctn_inbox_free(&e->inbox, f);
            for (filed *f; (f = ctn_filed_take(&m->waiting));)
                ctn_inbox_free(&e->inbox, f);
            ctn_arena_free(m->arena);
        }
    free(e->batches);
}

/* Spread evenly, whichever shards a node has: a range, or each second one. */
void ctn_eng_strand_join(const ctn_engine *e, loaded *l)
{
    l->strand = &e->batches->strands[(l->shard * 2654435761u >> 16) % e->batches->count];
}

void ctn_eng_keep(const loaded *l, filed *f)
{
    if (CTN_PLANT(ACK_BEFORE_COMMIT) && f->ack) {
        f->ack(f->ack_ctx, CTN_OK, f->id, NULL);
        f->ack = NULL;
    }
    ctn_filed_append(&l->strand->gathering->kept, f);
}

void ctn_eng_keep_with(const loaded *l, filed *f)
{
    ctn_filed_append(l->build ? &l->strand->gathering->kept : &l->strand->under_way->kept, f);
}

/* Each is found through its execution: when the table moves, they are told. */
static append_build *build_of(loaded *l)
{
    if (l->build)
        return l->build;
    batch_memory *m = l->strand->gathering;
    append_build *builds = ctn_arena_room(m->arena, m->builds, m->count, &m->capacity, sizeof *builds);
    for (size_t i = 0; builds != m->builds && i < m->count; i++)
        builds[i].l->build = &builds[i];
    m->builds = builds;
    l->build = &m->builds[m->count++];
    *l->build = (append_build){.l = l, .seq_expected = ctn_execution_seq(l->x), .is_new = l->is_new};
    return l->build;
}

void ctn_eng_record(ctn_engine *e, loaded *l, ctn_entry *entry)
{
    append_build *b = ctn_entry_is_stored(entry) ? build_of(l) : NULL;
    if (entry->item >= 0 && entry->body) /* when an item ends its memory is the next one's */
        entry->body = ctn_json_copy(e->scratch, entry->body);
    struct left_call *left = ctn_eng_left_before(e, l, entry);
    ctn_execution_apply(l->x, entry);
    if (left)
        ctn_eng_left_after(l, left);
    if (entry->kind == CTN_ENTRY_STARTED) {
        ctn_eng_seat_settle(e, l);
        ctn_eng_place_take(e, l);
    }
    ctn_eng_place_leave_if_done(e, l);
    if (!b) {
        if (l->queue.tenant->quota)
            ctn_eng_quota_see(e, l->queue.tenant, entry, 0);
        return;
    }
    ctn_arena *arena = l->strand->gathering->arena;
    b->records = ctn_arena_room(arena, b->records, b->count, &b->capacity, sizeof *b->records);
    entry->actor = ctn_arena_str(arena, entry->actor);
    b->records[b->count] =
        l->seal.is_on ? ctn_eng_sealed_record(e, l, entry, arena) : ctn_entry_to_record(entry, &l->hash, arena);
    ctn_execution_note_stored(l->x, b->records[b->count].body.len);
    l->hash = b->records[b->count++].hash;
    if (l->queue.tenant->quota)
        ctn_eng_quota_see(e, l->queue.tenant, entry, b->records[b->count - 1].body.len);
}

ctn_arena *ctn_eng_batch_arena(const loaded *l)
{
    return l->strand->gathering->arena;
}

void ctn_eng_record_result(loaded *l, const ctn_result_row *row)
{
    append_build *b = l->build;
    b->results =
        ctn_arena_room(ctn_eng_batch_arena(l), b->results, b->result_count, &b->result_capacity, sizeof *b->results);
    b->results[b->result_count++] = *row;
}

static ctn_str audit_detail(const loaded *l, const ctn_requester *by, ctn_arena *arena)
{
    const ctn_origin *origin = ctn_execution_origin(l->x);
    ctn_json_builder detail = ctn_json_object(arena);
    ctn_json_put_str(&detail, "from", by->from);
    ctn_json_put_str(&detail, "chain", ctn_execution_plan(l->x)->chain_id);
    ctn_json_put_int(&detail, "seq", (int64_t) ctn_execution_seq(l->x)); /* what was done is in this entry */
    if (origin->tenant.len)
        ctn_json_put_str(&detail, "tenant", origin->tenant);
    return ctn_json_to_str(arena, ctn_json_finish(&detail));
}

void ctn_eng_record_audit(ctn_engine *e, loaded *l, const ctn_requester *by)
{
    if (!by->audit_action.len)
        return;
    append_build *b = build_of(l);
    ctn_arena *arena = l->strand->gathering->arena;
    b->audits = ctn_arena_room(arena, b->audits, b->audit_count, &b->audit_capacity, sizeof *b->audits);
    b->audits[b->audit_count++] =
        (ctn_audit_entry){.at_ms = e->now_ms,
                          .actor = ctn_arena_str(arena, by->audit_actor),
                          .action = ctn_arena_str(arena, by->audit_action),
                          .subject = ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(l->id).text)),
                          .detail = audit_detail(l, by, arena)};
}

void ctn_eng_record_request(loaded *l, const ctn_requester *by)
{
    if (by->request)
        build_of(l)->request = by->request;
}

filed_list ctn_eng_batch_forget(loaded *l)
{
    batch_memory *m = l->strand->gathering;
    filed_list kept = {0}, others = {0};
    if (!l->build)
        return kept;
    for (append_build *b = l->build; b + 1 < m->builds + m->count; b++) {
        *b = b[1];
        b->l->build = b;
    }
    m->count--;
    l->build = NULL;
    for (filed *f; (f = ctn_filed_take(&m->kept));)
        ctn_filed_append(ctn_id_equal(f->id, l->id) ? &kept : &others, f);
    m->kept = others;
    return kept;
}

void ctn_eng_touch(loaded *l)
{
    (void) build_of(l);
}
