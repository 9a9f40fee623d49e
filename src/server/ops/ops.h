/*
 * ops.h -- what operators look at, of one running service: counted, logged and exported from here on, and served where
 * there is a front.
 *
 *     /healthz   200 as long as the process turns its loop: restart it when this does not answer
 *     /readyz    200 when it takes work; 503 with the reasons when it does not: it is ending, or its store fails
 *     /metrics   Prometheus (exposition.h), for those who may `nodes.read`
 *
 * Ownership  The host is borrowed and outlives it; so do the front and the webhooks that it serves.
 * Threads    The loop's.
 */
#pragma once
#include "host/host.h"
#include "server/front.h"
#include "server/webhooks.h"

typedef struct ctn_ops ctn_ops;

/* After ctn_host_own. */
ctn_ops *ctn_ops_open(ctn_host *host);
void ctn_ops_serve(ctn_ops *ops, ctn_front *front, ctn_webhooks *webhooks);
/* Spans that wait are sent now; is_idle: none waits that its collector would take. */
void ctn_ops_flush(ctn_ops *ops);
bool ctn_ops_is_idle(const ctn_ops *ops);
void ctn_ops_close(ctn_ops *ops); /* NULL is fine; after the front was closed, before the host is */
