/*
 * result.h -- how an execution is told: the result as JSON on stdout, the sentences on stderr, the exit code.
 */
#pragma once
#include "cli/cli.h"
#include "host/snapshot.h"
#include "host/workspace.h"

/* {"executionId","chain","version","status","outputs","error","durationMs"}; steps NULL: without. */
const ctn_json *ctn_result_json(ctn_arena *arena, const ctn_execution_row *row, const ctn_json *steps);
/* For `show --json`: one object a step. */
const ctn_json *ctn_result_steps_json(ctn_arena *arena, const ctn_snapshot *s);
/* A text of JSON on stdout. What JSON lets stand as it is (DEL, C1, marks of direction) is written as an escape: the
 * same value, and no terminal obeys it. */
void ctn_json_text_print(ctn_str text);
/* On stdout: on one line with --json, else indented. */
void ctn_result_print(const ctn_cli *cli, const ctn_json *v);
/* Text as it is, anything else as JSON. */
void ctn_value_print(const ctn_cli *cli, const ctn_json *v);

/* What somebody must do so that it goes on, one command a line on stderr; nothing when it goes on by itself. */
void ctn_tell_parked(const ctn_cli *cli, const ctn_snapshot *s);
/* The end of run, resume, answer, watch: reads the store, prints the result (or --output), tells what is to be told. */
int ctn_report(ctn_cli *cli, const ctn_workspace *ws, ctn_execution_id id);
/* --output NAME is one of the plan's outputs, or a sentence says which there are. */
int ctn_output_check(ctn_cli *cli, const ctn_plan *plan);
