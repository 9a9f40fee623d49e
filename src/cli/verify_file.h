/*
 * verify_file.h -- what `verify FILE` and `store verify FILE` do.
 */
#pragma once
#include "cli/cli.h"

/* Prints what is found in the file of an exported execution, and what it proves; the exit code. */
int ctn_verify_file(ctn_cli *cli, const char *path);
