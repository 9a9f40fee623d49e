/*
 * fleet.h -- asking a fleet: a request is put on disk for the node that holds its shard, and its execution is followed
 * in the store.
 *
 * As remote.h, for a store that several processes share: there is no socket, the store is all that is between them.
 */
#pragma once
#include "cli/cli.h"
#include "cli/remote.h"
#include "host/workspace.h"

typedef struct ctn_fleet_asked {
    ctn_execution_id id;  /* set once it is known; all zero: not yet */
    bool is_acknowledged; /* what was asked for is on disk, done */
    uint32_t shard;       /* UNREACHABLE: what has to be taken by whoever does it himself; UINT32_MAX: any */
} ctn_fleet_asked;

/* q NULL: only follow asked->id. UNREACHABLE: no node lives, and nothing was asked; LOST: none lives any more. A start
 * has its id and its key's shard afterwards. */
ctn_remote_outcome ctn_fleet_do(const ctn_cli *cli, const ctn_workspace *ws, ctn_request *q, bool follows,
                                ctn_fleet_asked *asked, ctn_err *err);
