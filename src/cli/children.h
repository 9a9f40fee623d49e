/*
 * children.h -- executions that wait for their sub-chains: what is true of the whole tree.
 */
#pragma once
#include "cli/cli.h"
#include "host/snapshot.h"

/* As ctn_snapshot_is_parked, by the store, and a step that waits for a sub-chain counts as that one does: nothing of
 * the tree can go on without somebody. False when the store cannot tell. */
bool ctn_tree_is_parked(ctn_store *store, ctn_execution_id id);
/* As ctn_tell_parked, and what its sub-chains need, each with the command for that execution. */
void ctn_tell_tree(const ctn_cli *cli, ctn_store *store, const ctn_execution *x, const ctn_snapshot *s);
