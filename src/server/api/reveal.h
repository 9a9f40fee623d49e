/*
 * reveal.h -- ?reveal=true: sensitive values as they are, for one answer. It needs the action `reveal`, and that it was
 * used on this execution is in the audit log before anything is read.
 */
#pragma once
#include "server/api/internal.h"
#include "store/store.h"

/* *ret_seal: what opens the values; NULL: it was not asked for. False: answered. */
bool ctn_api_reveal(ctn_api_call *call, const ctn_execution_row *row, ctn_seal **ret_seal);
