/*
 * service.h -- what `catena serve` gives to others over HTTP: a front (front.h), and behind it MCP at /mcp, the API at
 * /v1 and /openapi.json, and what operators look at (/healthz, /readyz, /metrics).
 *
 * Ownership  The host and what operators look at are borrowed, and closed after the service.
 * Threads    The loop's.
 */
#pragma once
#include "server/ops/ops.h"

typedef struct ctn_service ctn_service;

/* address: "127.0.0.1:8642"; port 0: the system picks. CTN_E_INVALID: no address; CTN_E_DENIED: not loopback, and
 * nobody could be recognised; CTN_E_IO. */
int ctn_service_open(ctn_host *host, ctn_ops *ops, ctn_str address, ctn_service **ret_service, ctn_err *err);
/* It is about to be closed: readiness says so, what comes in is answered 503, streams of events end, and who waits for
 * an execution is told how it stands. What was filed is answered when it is on disk. */
void ctn_service_drain(ctn_service *service);
bool ctn_service_is_quiet(const ctn_service *service); /* all is answered */
/* Nothing that was begun is cancelled; who waits for it is let go. NULL is fine. */
void ctn_service_close(ctn_service *service);
const char *ctn_service_url(const ctn_service *service); /* "http://127.0.0.1:41233" */
