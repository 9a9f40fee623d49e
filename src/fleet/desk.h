/*
 * desk.h -- the desk where something is asked of an execution, whoever holds its shard.
 *
 * What this node holds goes to its engine. What another one holds is put on disk for it (store/fleet.h, requests), and
 * its answer is waited for; when the shard moves meanwhile, the next holder finds it there. And the other way round:
 * what others have put on disk for our shards is found, done by the engine, and answered. On a store of one process
 * everything is ours.
 *
 * A start gets its id here, with its shard in it (engine/placement.h). One with an idempotency key claims the key
 * first, on disk: so whoever starts it, at however many nodes, starts the one execution of that id.
 *
 * What holds when this process dies:
 *   - before the request is on disk: nothing was asked, and nobody was told so.
 *   - after: it will be done, once, by the holder; who asked was not told yet.
 *   - between a claim and the start: the key has an id of nothing; who starts it again starts that id.
 *
 * An acknowledgement comes once (ctn_ack_fn); it is CTN_E_BUSY when no holder has answered in CTN_DESK_WAIT_MS: then
 * the request stays, and is done when its shard has a holder.
 *
 * Threads    The engine's. What waits for the store is done on the member's thread.
 */
#pragma once
#include "fleet/member.h"
#include "fleet/request.h"

#define CTN_DESK_WAIT_MS 20000
#define CTN_DESK_MAX     8192 /* askings under way: more are refused (CTN_E_TOO_MANY) */

typedef struct ctn_desk ctn_desk;

typedef struct ctn_desk_options {
    ctn_engine *engine;
    ctn_store *store;
    ctn_member *member; /* NULL: the store is ours alone */
    ctn_seal *seal;     /* NULL: no keyring */
    ctn_clock clock;
    const ctn_log *log;
} ctn_desk_options;

ctn_desk *ctn_desk_new(const ctn_desk_options *options);
/* Nothing is acknowledged any more; before the member is closed. NULL is fine, here and below. */
void ctn_desk_stop(ctn_desk *desk);
void ctn_desk_free(ctn_desk *desk); /* after the member was closed */
/* As ctn_request_file. Everything is copied; takes the plan. */
void ctn_desk_file(ctn_desk *desk, ctn_request *q, ctn_ack_fn *ack, void *ctx);
/* What an engine starts, or asks, by itself in another node's shard; ctx is the desk (engine.h, start_elsewhere). */
void ctn_desk_start_elsewhere(void *ctx, const ctn_start *start, ctn_ack_fn *ack, void *ack_ctx);
void ctn_desk_input_elsewhere(void *ctx, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ack_ctx);
/* After ctn_member_turn: looks for what others have asked and answered. */
void ctn_desk_turn(ctn_desk *desk);
/* Nobody waits for another node's answer, and nothing of others is under way. */
bool ctn_desk_is_quiet(const ctn_desk *desk);
/* Is this execution ours to decide on, so that the engine tells its events? */
bool ctn_desk_is_ours(const ctn_desk *desk, ctn_execution_id id);

/* Sensitive values are sealed before they go on disk: CTN_E_DENIED when this execution may have some and there is no
 * keyring here (seal NULL). */
int ctn_desk_check_sealed(ctn_store *store, const ctn_seal *seal, const ctn_request *q, ctn_arena *scratch,
                          ctn_err *err);
/* The same without an engine, for a command: gives q its id and the shard that it must go to, claims its key (which may
 * give the id of an earlier one). is_anywhere: any shard will do; *ret_shard is one by chance. Waits for the store. */
int ctn_desk_place(ctn_store *store, ctn_clock clock, ctn_request *q, const ctn_plan *plan, ctn_arena *scratch,
                   uint32_t *ret_shard, bool *ret_is_anywhere, ctn_err *err);
