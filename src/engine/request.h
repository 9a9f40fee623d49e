/*
 * request.h -- what is asked of the engine, from outside (engine.h) or by its own parts: filed, and answered once.
 */
#pragma once
#include "engine/inbox.h"

void ctn_eng_wake(ctn_engine *e);           /* a turn is needed */
void ctn_eng_file(ctn_engine *e, filed *f); /* taken in the next time that inputs are */
/* As ctn_engine_start and _input. What is filed lives until it is answered, and so does what its arena holds. */
filed *ctn_eng_make_start(ctn_engine *e, const ctn_start *start, ctn_ack_fn *ack, void *ctx); /* in no list yet */
filed *ctn_eng_make_input(ctn_engine *e, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ctx);
filed *ctn_eng_file_start(ctn_engine *e, const ctn_start *start, ctn_ack_fn *ack, void *ctx);
filed *ctn_eng_file_input(ctn_engine *e, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ctx);
void ctn_eng_ack(ctn_engine *e, filed *f, int rc, const ctn_err *err); /* answers it, and frees it */
/* Of what an execution starts: its sub-chains, and what onFailure names. */
ctn_requester ctn_eng_requester_of(const ctn_execution *x);
