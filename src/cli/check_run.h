/*
 * check_run.h -- one look of `check` at everything: the configuration, what it includes, and the files that were named.
 */
#pragma once
#include "check/check.h"
#include "cli/cli.h"
#include "host/workspace.h"

typedef struct ctn_check_run {
    ctn_workspace ws;
    ctn_findings findings;
    const ctn_source **sources; /* of the named files that could be parsed */
    const ctn_chain **chains;   /* of each; NULL: it has none */
    size_t source_count;
} ctn_check_run;

/* All files are read before the first one is judged, so that a chain finds the sets of a file that comes after it.
 * An exit code; a sentence was said. */
int ctn_check_run_read(ctn_cli *cli, ctn_check_run *ret_run);
void ctn_check_run_judge(const ctn_cli *cli, ctn_check_run *run, const ctn_check_options *options);

/* check_fix.c: what can be mended mechanically is mended in the files, and said. `run` was judged, and is what was
 * found after that when this returns. An exit code. */
int ctn_check_fix(ctn_cli *cli, ctn_check_run *run, const ctn_check_options *options);
