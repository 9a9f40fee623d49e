/*
 * progress.h -- how far a long command is, on stderr: from the first second on, in place on a terminal, a line every
 * ten seconds elsewhere.
 */
#pragma once
#include "cli/cli.h"

typedef struct ctn_progress {
    const ctn_cli *cli;
    int64_t began_ms, told_ms;
} ctn_progress;

ctn_progress ctn_progress_begin(const ctn_cli *cli);
/* Nothing, as long as it is too early; as often as one likes. */
void ctn_progress_tell(ctn_progress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What was told in place is gone; how long it took, in ms. */
int64_t ctn_progress_end(const ctn_progress *p);
