/*
 * told.h -- executions as JSON for programs: `--json` of the command line, and the API.
 */
#pragma once
#include "chain/finding.h"
#include "host/snapshot.h"
#include "journal/timeline.h"

/* {"executionId","chain","version","status","outputs","error","durationMs"}; who knows more puts it behind. */
ctn_json_builder ctn_told_execution(ctn_arena *arena, const ctn_execution_row *row, int64_t now_ms);
/* From its start to its end, or until now; 0: it has not started. */
int64_t ctn_told_duration_ms(const ctn_execution_row *row, int64_t now_ms);
/* One object a step. */
const ctn_json *ctn_told_steps(ctn_arena *arena, const ctn_snapshot *s);
/* {"tokens", "money"}: what its calls used up, as their peers told; NULL: nothing was told. */
const ctn_json *ctn_told_used(ctn_arena *arena, const ctn_execution *x);
/* {"used": {...}, "reserved": {...}, "limits": {...} or null, "granted", "waits"}: what it may use up, and did. */
const ctn_json *ctn_told_budget(ctn_arena *arena, const ctn_execution *x, int64_t now_ms);
/* What a tenant has used, beside its limits (0: none): {"executions": {"used", "limit"?}, "calls", "bytes", "money"}.
 */
void ctn_told_usage(ctn_json_builder *b, const ctn_usage *used, const ctn_usage *limit);
/* What a row keeps as text (outputs, error, labels); null when it is empty. */
const ctn_json *ctn_told_parsed(ctn_arena *arena, ctn_str text);
/* A moment as text; 0: null. */
void ctn_json_put_time(ctn_json_builder *b, const char *key, int64_t at_ms);
/* An entry of a journal: {seq, position, at, kind, step?, item?, attempt?, actor, body}; what is sealed in it stays so.
 */
ctn_json_builder ctn_told_record(ctn_arena *arena, const ctn_record *record, int64_t position);
/* One attempt, as `timeline --json` has it. */
const ctn_json *ctn_told_attempt(ctn_arena *arena, const ctn_plan *plan, const ctn_timeline_row *row);
/* What check says of a file: [{file, line, column, severity, rule, message}] */
const ctn_json *ctn_told_findings(ctn_arena *arena, const ctn_findings *findings);
