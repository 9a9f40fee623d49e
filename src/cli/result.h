/*
 * result.h -- results on stdout: what an execution came to, and JSON for programs.
 */
#pragma once
#include "cli/cli.h"
#include "host/snapshot.h"
#include "store/store.h"

/* {"executionId","chain","version","status","outputs","error","durationMs"}; who knows more puts it behind. */
ctn_json_builder ctn_result_object(ctn_arena *arena, const ctn_execution_row *row);
/* What the row keeps as text (outputs, error); null when it is empty. */
const ctn_json *ctn_result_parsed(ctn_arena *arena, ctn_str text);
/* From its start to its end, or until now; 0: it has not started. */
int64_t ctn_result_duration_ms(const ctn_execution_row *row);
/* For `show --json`: one object a step. */
const ctn_json *ctn_result_steps_json(ctn_arena *arena, const ctn_snapshot *s);
/* A moment as text; 0: null. */
void ctn_json_put_time(ctn_json_builder *b, const char *key, int64_t at_ms);
/* A text of JSON on stdout. What JSON lets stand as it is (DEL, C1, marks of direction) is written as an escape: the
 * same value, and no terminal obeys it. */
void ctn_json_text_print(ctn_str text);
/* On stdout: on one line with --json, else indented. */
void ctn_result_print(const ctn_cli *cli, const ctn_json *v);
/* Text as it is, anything else as JSON. */
void ctn_value_print(const ctn_cli *cli, const ctn_json *v);
