/*
 * report.h -- the end of a verb that has run something: the result on stdout, how it ended or what it waits for on
 * stderr, the exit code.
 */
#pragma once
#include "cli/cli.h"
#include "host/workspace.h"

/* As the store has it: prints the result (or --output), tells what is to be told; the exit code. */
int ctn_report(ctn_cli *cli, const ctn_workspace *ws, ctn_execution_id id);
/* --output NAME is one of the plan's outputs, or a sentence says which there are. */
int ctn_output_check(ctn_cli *cli, const ctn_plan *plan);
