/*
 * elsewhere.h -- what the engine starts by itself (onFailure, schedules, sub-chains), and what it asks of executions,
 * when the shard for that may be another node's.
 *
 * Once, whatever dies: in a fleet the id of such a start follows from its idempotency key and time, so asking twice,
 * from whichever node, is one execution. Where the shard is not ours the options' start_elsewhere has it done.
 */
#pragma once
#include "engine/inbox.h"

/* An id in the shard where the start must live, or in `home` if it may live there. */
int ctn_eng_own_id(ctn_engine *e, const ctn_start *start, ctn_str name, int64_t at_ms, uint32_t home,
                   ctn_execution_id *ret_id, ctn_err *err);
/* Has it started, with its idempotency key, which the engine made up for that moment: here, or elsewhere. Not CTN_OK:
 * it cannot be just now, and nothing is acknowledged. ctx is copied, when it has a size. *ret_filed: NULL elsewhere. */
int ctn_eng_own_start(ctn_engine *e, ctn_start *start, int64_t at_ms, uint32_t home, ctn_ack_fn *ack, void *ctx,
                      size_t ctx_size, filed **ret_filed, ctn_err *err);
/* A start that was answered so is to be asked for again: its shard moves, or nobody has answered. */
bool ctn_eng_is_for_later(const ctn_engine *e, int rc);
void ctn_eng_away_free(ctn_engine *e); /* what was not acknowledged */
/* A start that was made, with its place: here, or elsewhere. */
void ctn_eng_send_start(ctn_engine *e, filed *f);
/* An input of the engine's own (ctn_engine_options.input_elsewhere says which). ctx is copied, when it has a size. */
void ctn_eng_own_input(ctn_engine *e, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ctx,
                       size_t ctx_size);
