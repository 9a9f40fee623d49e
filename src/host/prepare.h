/*
 * prepare.h -- what a plan needs, made ready before anything of it is begun.
 */
#pragma once
#include "host/host.h"

/* Starts the plan's servers, finds its tools there and has its jq programs compiled. CTN_E_CLOSED: a signal came; other
 * codes: the chain could not run, and err says why. Nothing but the servers has been started. */
int ctn_prepare(ctn_host *host, const ctn_plan *plan, ctn_err *err);
