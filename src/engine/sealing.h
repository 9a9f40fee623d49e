/*
 * sealing.h -- sensitive values on their way to disk, and whether an execution that has some may be advanced.
 */
#pragma once
#include "engine/engine.h"
#include "engine/live.h"
#include "engine/opening.h"

/* What is sensitive in an execution of this plan, with the inputs that `also` names; NULL: nothing. In scratch. */
const ctn_sensitivity *ctn_eng_sensitivity(ctn_engine *e, const ctn_plan *plan, const ctn_json *also);
/* For a start: its data key, and its queue key as a digest when a sensitive value is in it. In scratch. */
int ctn_eng_seal_start(ctn_engine *e, const ctn_plan *plan, ctn_execution_id id, const ctn_sensitivity *s,
                       ctn_str *queue_key, ctn_seal_key *ret_key, ctn_data_key *ret_wrapped, ctn_err *err);
ctn_record ctn_eng_sealed_record(ctn_engine *e, loaded *l, const ctn_entry *entry, ctn_arena *arena);
/* Of one that was folded: may it be advanced? Then it has its key, if it needs one. CTN_E_DENIED: it cannot be opened
 * now. CTN_E_CORRUPT: it never can. */
int ctn_eng_seal_loaded(const ctn_engine *e, const ctn_execution *x, ctn_opening *o, bool is_final, ctn_err *err);
