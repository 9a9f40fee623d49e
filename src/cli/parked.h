/*
 * parked.h -- what somebody must do so that an execution goes on.
 */
#pragma once
#include "cli/cli.h"
#include "host/snapshot.h"

/* One command a line on stderr; then what its sub-chains need, each with the command for that execution. Nothing when
 * it goes on by itself. */
void ctn_tell_parked(const ctn_cli *cli, ctn_store *store, const ctn_execution *x, const ctn_snapshot *s);
