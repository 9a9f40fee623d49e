/*
 * meters.h -- what is counted while a service runs: executions, attempts, calls and requests, out of what the engine
 * and the listener tell (engine.h, web.h). An event costs a look into a small table and a few adds.
 *
 * Cardinality is bounded: the first CTN_METERS_CHAINS_MAX chains and CTN_METERS_OPERATIONS_MAX operations that come
 * have a row of their own, all others share the row "(other)", which no chain can be called. Counters begin at zero
 * with the process, as Prometheus expects them to.
 *
 * Ownership  Names are copied.
 * Threads    The loop's.
 */
#pragma once
#include "engine/engine.h"
#include "server/ops/exposition.h"
#include "server/web.h"

#define CTN_METERS_CHAINS_MAX     200
#define CTN_METERS_OPERATIONS_MAX 200
#define CTN_METERS_OTHER          "(other)"

typedef struct ctn_meters ctn_meters;

ctn_meters *ctn_meters_new(void);
void ctn_meters_free(ctn_meters *meters); /* NULL is fine */
void ctn_meters_event(ctn_meters *meters, const ctn_engine_event *event, int64_t now_ms);
void ctn_meters_request(ctn_meters *meters, const ctn_web_told *told);
void ctn_meters_write(const ctn_meters *meters, ctn_expo *expo);
