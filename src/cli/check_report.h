/*
 * check_report.h -- findings on stdout, in the three formats of `check`.
 */
#pragma once
#include "cli/cli.h"

/* format: text, json or sarif. Sorts them. CTN_EXIT_USAGE when one is an error. */
int ctn_check_report(ctn_cli *cli, ctn_findings *findings, ctn_str format);
