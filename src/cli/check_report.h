/*
 * check_report.h -- findings on stdout, in the three formats of `check`.
 */
#pragma once
#include "cli/cli.h"

/* format: text, json or sarif. Sorts them. CTN_EXIT_USAGE when one is an error. */
int ctn_check_report(ctn_cli *cli, ctn_findings *findings, ctn_str format);
/* What a rule means and how to mend what breaks it; false: there is no such rule. */
bool ctn_rule_explain(const ctn_cli *cli, ctn_str name);
