/*
 * start.h -- an execution begins: its request is checked, and its first entry recorded, queued or started.
 */
#pragma once
#include "engine/inbox.h"

void ctn_eng_take_start(ctn_engine *e, filed *f);
