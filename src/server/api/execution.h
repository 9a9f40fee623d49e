/*
 * execution.h -- what the operations about executions share: finding one, and telling how it stands.
 */
#pragma once
#include "server/api/internal.h"
#include "store/store.h"

/* The execution that path/id names, if the caller may do this to it; false: answered. */
bool ctn_api_find(ctn_api_call *call, ctn_action action, ctn_execution_row *ret_row);
/* wait=30s as a span; 0: not said. */
int64_t ctn_api_wait_of(const ctn_api_call *call);
/* As it stands, whole: 200 when it has ended, 202 when it has not. For ctn_api_file and ctn_api_await. */
void ctn_api_tell_execution(ctn_api_call *call, ctn_execution_id id);
/* The same without its steps: its journal is not read. */
void ctn_api_tell_head(ctn_api_call *call, ctn_execution_id id);
/* Waits as the request says (wait=), then tells it. */
void ctn_api_await_execution(ctn_api_call *call, ctn_execution_id id);
/* That, of one that was changed: who may not read it learns how it stands at once, and no value of it. */
void ctn_api_tell_changed(ctn_api_call *call, ctn_execution_id id);
/* Without steps: for lists. */
ctn_json_builder ctn_api_execution_head(ctn_arena *arena, const ctn_execution_row *row, int64_t now_ms);
/* Its Idempotency-Key, kept apart from those of other callers and of other ways in; empty: none was said. */
ctn_str ctn_api_own_key(const ctn_api_call *call);
/* A text of the body; empty: not said. */
ctn_str ctn_api_text(const ctn_json *from, const char *name);
