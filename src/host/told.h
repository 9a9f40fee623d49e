/*
 * told.h -- executions as JSON for programs: `--json` of the command line, and the API.
 */
#pragma once
#include "host/snapshot.h"

/* {"executionId","chain","version","status","outputs","error","durationMs"}; who knows more puts it behind. */
ctn_json_builder ctn_told_execution(ctn_arena *arena, const ctn_execution_row *row, int64_t now_ms);
/* From its start to its end, or until now; 0: it has not started. */
int64_t ctn_told_duration_ms(const ctn_execution_row *row, int64_t now_ms);
/* One object a step. */
const ctn_json *ctn_told_steps(ctn_arena *arena, const ctn_snapshot *s);
/* What a row keeps as text (outputs, error, labels); null when it is empty. */
const ctn_json *ctn_told_parsed(ctn_arena *arena, ctn_str text);
/* A moment as text; 0: null. */
void ctn_json_put_time(ctn_json_builder *b, const char *key, int64_t at_ms);
