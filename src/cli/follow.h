/*
 * follow.h -- a request, done by whoever owns the store, and its execution followed to its end.
 *
 * When nobody owns the store, this process becomes the owner for this execution only. When somebody does, the request
 * is handed over and followed there; and when that process ends in the middle, this one tries to become the
 * owner and goes on.
 */
#pragma once
#include "cli/cli.h"
#include "fleet/request.h"
#include "host/workspace.h"

/* follows false: only until it is acknowledged; then *ret_id is what was started or changed and CTN_EXIT_OK the answer.
 * Otherwise the result is printed and its exit code returned. The plan of a start is taken. */
int ctn_follow(ctn_cli *cli, const ctn_workspace *ws, ctn_request *q, bool follows, ctn_execution_id *ret_id);
