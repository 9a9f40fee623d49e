/*
 * backlog.h -- how much there is to do, as figures: the queue by tenant and chain, the tenants, the engine's own.
 *
 * The CTN_BACKLOG_ROWS_MAX longest queues, and tenants with the most that runs, have rows of their own; the rest is
 * told as "(other)".
 */
#pragma once
#include "engine/engine.h"
#include "server/ops/exposition.h"

#define CTN_BACKLOG_ROWS_MAX 100

void ctn_backlog_write(const ctn_engine *engine, int64_t now_ms, ctn_expo *expo);
