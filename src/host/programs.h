/*
 * programs.h -- jq programs asked for their faults before anything runs: by `check`, and before a chain starts.
 */
#pragma once
#include "host/host.h"

/* CTN_OK, CTN_E_INVALID with jq's sentence, or why nobody could be asked. The host's drivers are made if need be. */
int ctn_program_compile(ctn_host *host, ctn_str program, ctn_err *err);
/* Every program of the plan; the sentence names the step and the instruction set. */
int ctn_programs_check(ctn_host *host, const ctn_plan *plan, ctn_err *err);
