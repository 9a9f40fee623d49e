/*
 * elsewhere.c -- see elsewhere.h.
 */
#include "engine/elsewhere.h"
#include "engine/labels.h"
#include "engine/placement.h"
#include "engine/request.h"
#include "engine/shards.h"
#include "engine/state.h"

/* A UUIDv7 that follows from a name. */
static ctn_execution_id id_of_name(ctn_str name, int64_t at_ms)
{
    ctn_digest digest = ctn_hash(name);
    ctn_execution_id id;
    memcpy(id.bytes, digest.bytes, sizeof id.bytes);
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t) ((uint64_t) at_ms >> (40 - 8 * i));
    id.bytes[6] = (uint8_t) (0x70 | (id.bytes[6] & 0x0F));
    id.bytes[8] = (uint8_t) (0x80 | (id.bytes[8] & 0x3F));
    return id;
}

int ctn_eng_own_id(ctn_engine *e, const ctn_start *start, ctn_str name, int64_t at_ms, uint32_t home,
                   ctn_execution_id *ret_id, ctn_err *err)
{
    ctn_placement at;
    ctn_start unkeyed = *start; /* its key says nothing about where: the id is the key */
    unkeyed.idempotency_key = (ctn_str){0};
    ctn_placement_room room = {.shard_count = ctn_eng_shard_count(e)};
    int rc = ctn_eng_shards_for(e, start->plan, &room.among, err);
    if (rc == CTN_OK)
        rc = ctn_placement_of(&unkeyed, at_ms, &room, e->scratch, &at, err);
    if (rc)
        return rc;
    if (at.is_anywhere)
        at.shard = !room.among || ctn_shard_set_has(room.among, home)
                       ? home
                       : ctn_placement_by_name(&room, CTN_STR("start"), name); /* the same, whoever asks */
    *ret_id = id_of_name(name, at_ms);
    ctn_shard_into_id(ret_id, at.shard);
    return CTN_OK;
}

bool ctn_eng_is_for_later(const ctn_engine *e, int rc)
{
    return ctn_eng_is_fleet(e) && (rc == CTN_E_STALE || rc == CTN_E_BUSY || rc == CTN_E_TOO_MANY ||
                                   rc == CTN_E_CLOSED || ctn_is_store_trouble(rc));
}

/* ---- what is away ---- */

typedef struct away {
    ctn_engine *engine;
    filed *f; /* with its acknowledgement, and what that needs */
    struct away *next;
} away;

static void on_back(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    away *a = ctx;
    ctn_engine *e = a->engine;
    away **at = &e->away;
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    if (a->f->kind == FILED_START)
        a->f->id = id;
    if (rc && !a->f->ack)
        ctn_log_line(e->options.log, CTN_LOG_WARN, "an execution of another node did not do what it was asked for",
                     "executionId", ctn_id_to_text(a->f->id).text, "why", err ? err->message : "", NULL);
    ctn_eng_ack(e, a->f, rc, err); /* a lives in f */
    ctn_eng_wake(e);
}

void ctn_eng_away_free(ctn_engine *e)
{
    for (away *a; (a = e->away);) {
        e->away = a->next;
        ctn_inbox_free(&e->inbox, a->f);
    }
}

static void send_away(ctn_engine *e, filed *f)
{
    const ctn_engine_options *o = &e->options;
    away *a = CTN_NEW(f->arena, away);
    *a = (away){.engine = e, .f = f, .next = e->away};
    e->away = a;
    if (f->kind == FILED_START)
        o->start_elsewhere(o->elsewhere_ctx, &f->start, on_back, a);
    else
        o->input_elsewhere(o->elsewhere_ctx, f->id, &f->in, on_back, a);
}

void ctn_eng_send_start(ctn_engine *e, filed *f)
{
    if (ctn_eng_may_begin_in(e, f->shard) || !e->options.start_elsewhere)
        ctn_eng_file(e, f);
    else
        send_away(e, f);
}

int ctn_eng_own_start(ctn_engine *e, ctn_start *start, int64_t at_ms, uint32_t home, ctn_ack_fn *ack, void *ctx,
                      size_t ctx_size, filed **ret_filed, ctn_err *err)
{
    bool is_ours = true;
    *ret_filed = NULL;
    if (ctn_eng_is_fleet(e)) {
        int rc = ctn_eng_own_id(e, start, start->idempotency_key, at_ms, home, &start->id, err);
        uint32_t shard = rc ? 0 : ctn_eng_shard_in(e, start->id);
        is_ours = rc == CTN_OK && ctn_eng_may_begin_in(e, shard);
        if (rc == CTN_OK && !is_ours && !e->options.start_elsewhere)
            rc = ctn_eng_refuse_elsewhere(e, shard, err);
        if (rc)
            return rc;
    }
    filed *f = ctn_eng_make_start(e, start, ack, ctx);
    if (ctx_size)
        f->ack_ctx = memcpy(ctn_arena_alloc(f->arena, ctx_size), ctx, ctx_size);
    if (is_ours) {
        *ret_filed = f;
        ctn_eng_file(e, f);
    } else {
        send_away(e, f);
    }
    return CTN_OK;
}

void ctn_eng_own_input(ctn_engine *e, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ctx,
                       size_t ctx_size)
{
    uint32_t shard;
    filed *f = ctn_eng_make_input(e, id, input, ack, ctx);
    if (ctx_size)
        f->ack_ctx = memcpy(ctn_arena_alloc(f->arena, ctx_size), ctx, ctx_size);
    if (ctn_eng_shard_of(e, id, &shard, NULL) == CTN_E_STALE && e->options.input_elsewhere) {
        send_away(e, f);
        return;
    }
    if (input->kind == CTN_IN_CHILD_ENDED) {
        f->kind = FILED_CHILD_NEWS;
        (void) ctn_id_parse(input->name, &f->child, NULL);
    }
    ctn_eng_file(e, f);
}
