/*
 * start.h -- an execution begins: its request is checked, and its first entry recorded, queued or started.
 */
#pragma once
#include "engine/inbox.h"
#include "engine/live.h"

void ctn_eng_take_start(ctn_engine *e, filed *f);
void ctn_eng_start_queued(ctn_engine *e, loaded *l, ctn_str actor); /* records that it is admitted */
