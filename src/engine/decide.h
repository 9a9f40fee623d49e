/*
 * decide.h -- what was filed is taken: decided and kept with its batch, or answered.
 */
#pragma once
#include "engine/inbox.h"

void ctn_eng_take_filed(ctn_engine *e, filed *f);
