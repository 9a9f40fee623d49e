/*
 * prepare.h -- what a plan needs, made ready before anything of it is begun.
 */
#pragma once
#include "host/host.h"

/* Asks these servers for their tools. ret_whys, one a server, in the arena of the workspace: why it cannot be had;
 * NULL: one instance of it is up, and each was asked. CTN_E_CLOSED: a signal came. */
int ctn_prepare_servers(ctn_host *host, const ctn_str *names, size_t count, const char **ret_whys, ctn_err *err);
/* Starts the plan's servers, finds its tools there and has its jq programs compiled. CTN_E_CLOSED: a signal came; other
 * codes: the chain could not run, and err says why. Nothing but the servers has been started. */
int ctn_prepare(ctn_host *host, const ctn_plan *plan, ctn_err *err);
