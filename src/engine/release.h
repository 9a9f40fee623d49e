/*
 * release.h -- what people say of a damaged execution (ctn_engine_release).
 */
#pragma once
#include "engine/inbox.h"

void ctn_eng_take_release(ctn_engine *e, filed *f);
