/*
 * child.h -- sub-chains: executions that are the work of a step of another execution.
 */
#pragma once
#include "engine/engine.h"
#include "engine/inbox.h"
#include "engine/live.h"

/* Compares what is owed for its children with what there is, and asks for what is missing. */
void ctn_eng_perform_children(ctn_engine *e, loaded *l, const ctn_owed *owed);
/* A child of it has ended, and it has not heard of it: its row must not go to sleep. */
bool ctn_eng_has_ended_child(const ctn_engine *e, const loaded *l);
void ctn_eng_tell_parent(ctn_engine *e, loaded *l); /* once its end is on disk */
/* It ended as it was, by its row alone: a parent in memory looks after it; one that is not in this shard is told. */
void ctn_eng_child_was_given_up(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child, uint32_t shard);
/* What f (CHILD_NEWS) says has happened: f->in is that input if it means something now. */
int ctn_eng_look_at_child(ctn_engine *e, loaded *l, filed *f, bool *ret_is_news, ctn_err *err);
