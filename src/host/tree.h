/*
 * tree.h -- an execution and those of its sub-chains: what is true of all of them.
 */
#pragma once
#include "store/store.h"

/* As ctn_snapshot_is_parked, by the store, and a step that waits for a sub-chain counts as that one does: nothing of
 * the tree can go on without somebody. False when the store cannot tell. */
bool ctn_tree_is_parked(ctn_store *store, ctn_execution_id id);
