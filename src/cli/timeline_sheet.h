/*
 * timeline_sheet.h -- a timeline as text on stdout, as wide as the terminal.
 */
#pragma once
#include "cli/cli.h"
#include "journal/timeline.h"
#include "store/store.h"

void ctn_timeline_sheet_print(const ctn_cli *cli, const ctn_timeline *timeline, const ctn_plan *plan,
                              const ctn_execution_row *row, int64_t now_ms);
