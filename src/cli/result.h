/*
 * result.h -- results on stdout: what an execution came to, and JSON for programs.
 */
#pragma once
#include "cli/cli.h"
#include "host/told.h"

/* As ctn_told_execution, and ctn_told_duration_ms: as of now. */
ctn_json_builder ctn_result_object(ctn_arena *arena, const ctn_execution_row *row);
int64_t ctn_result_duration_ms(const ctn_execution_row *row);
/* A text of JSON on stdout. What JSON lets stand as it is (DEL, C1, marks of direction) is written as an escape: the
 * same value, and no terminal obeys it. */
void ctn_json_text_print(ctn_str text);
/* On stdout: on one line with --json, else indented. */
void ctn_result_print(const ctn_cli *cli, const ctn_json *v);
/* Text as it is, anything else as JSON. */
void ctn_value_print(const ctn_cli *cli, const ctn_json *v);
