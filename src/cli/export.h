/*
 * export.h -- files of exported executions, for `verify` and `store verify`.
 */
#pragma once
#include "cli/cli.h"

/* Prints what is found in the file, and what it proves; the exit code. */
int ctn_verify_export(ctn_cli *cli, const char *path);
