/*
 * labels.h -- chains that require labels (chain/requires.h), and an engine that has them or not (engine.h, labels).
 *
 * What must hold: of an execution whose chain requires what this engine lacks no call is made here: no start of one is
 * recorded (the gate says later), none is begun that its journal owes (begun elsewhere: to be repeated, checked,
 * undone), and no sub-chain is started or undone for it. What needs no call goes on: waits by the clock, conditions,
 * answers, cancels, pauses. It is here only while nobody has the labels: a start is given a shard that is set aside for
 * what it requires (store/fleet.h), and who has the labels holds those shards (fleet/balance.h). Somebody without them
 * holds one until then, so that requests are heard, and whatever else lives in it goes on.
 *
 * With a store of our own nobody else would come: such a start is refused.
 */
#pragma once
#include "engine/engine.h"
#include "engine/live.h"

bool ctn_eng_lacks_labels(const ctn_engine *e, const ctn_plan *plan);
/* CTN_E_UNSUPPORTED: a start on a store of our own that would wait for ever. */
int ctn_eng_check_labels(const ctn_engine *e, const ctn_plan *plan, ctn_err *err);
/* The shards in which such a start must live; NULL: in any. Asks the store once for each requirement. */
int ctn_eng_shards_for(ctn_engine *e, const ctn_plan *plan, const ctn_shard_set **ret_among, ctn_err *err);
void ctn_eng_needs_free(ctn_engine *e);
