/*
 * remote.h -- the other side of control.h: asking the process that owns a store, and following an execution there.
 */
#pragma once
#include "cli/cli.h"
#include "fleet/request.h"
#include "host/workspace.h"

typedef enum ctn_remote_outcome {
    CTN_REMOTE_DONE,        /* acknowledged; followed to its end, or until somebody is needed */
    CTN_REMOTE_REFUSED,     /* err says why; nothing was done */
    CTN_REMOTE_UNREACHABLE, /* nobody listens */
    CTN_REMOTE_LOST,        /* the owner went away */
    CTN_REMOTE_INTERRUPTED, /* a signal */
} ctn_remote_outcome;

/* Asks the store's owner for something that names no execution ("pins"); false: nobody answers within a moment. */
bool ctn_remote_tell(const ctn_cli *cli, const ctn_workspace *ws, const char *method);
/* A line on stderr when the store has an owner that cannot write it. An owner that does not answer within a moment is
 * not waited for. */
void ctn_remote_tell_health(const ctn_cli *cli, const ctn_workspace *ws);

/* q NULL: only follow. *id is set, and *ret_is_acknowledged, once the request was acknowledged. */
ctn_remote_outcome ctn_remote_do(const ctn_cli *cli, const ctn_workspace *ws, const ctn_request *q, bool follows,
                                 ctn_execution_id *id, bool *ret_is_acknowledged, ctn_err *err);
