/*
 * event_log.h -- lines of the log about executions and requests, each with the ids by which it is found elsewhere.
 *
 *     info   an execution's status has changed; an attempt has failed; a request is over
 *     debug  every entry of a journal, and every call
 *
 * No line has a value, a sentence of a tool, a query or a header in it.
 */
#pragma once
#include "engine/engine.h"
#include "server/web.h"

void ctn_event_log(const ctn_log *log, const ctn_tracing *tracing, const ctn_engine_event *event);
void ctn_request_log(const ctn_log *log, const ctn_web_told *told);
