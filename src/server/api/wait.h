/*
 * wait.h -- answers that come later: when what was asked is on disk, or when an execution has come to its end.
 *
 * The client may leave meanwhile: what it asked for is done all the same, and nobody is told. How much may be under way
 * at once has a bound, of all callers and of each; who comes then is answered 429 before anything is kept.
 */
#pragma once
#include "fleet/request.h"
#include "server/api/api.h"

typedef void ctn_api_then_fn(ctn_api_call *call, ctn_execution_id id);

/* Files the request on behalf of the caller: who asks, and `action` for the audit log, are filled in. When it is on
 * disk `then` is called, if the client is still there. A refusal of the engine is answered by itself; `pointer` says
 * which field an invalid value came from (may be empty). */
void ctn_api_file(ctn_api_call *call, ctn_action action, ctn_request *q, ctn_str pointer, ctn_api_then_fn *then);
/* Calls `then` when the execution has ended, when nothing of it can go on without somebody, or after wait_ms: at once,
 * if it is so already. */
void ctn_api_await(ctn_api_call *call, ctn_execution_id id, int64_t wait_ms, ctn_api_then_fn *then);

/* ---- api.c ---- */
void ctn_api_waits_open(ctn_api *api);
void ctn_api_waits_drain(ctn_api *api); /* who waits for an execution is told how it stands, now and from now on */
void ctn_api_waits_close(ctn_api *api); /* the clients are let go */
void ctn_api_waits_free(ctn_api *api);
