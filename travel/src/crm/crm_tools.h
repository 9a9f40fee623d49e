/*
 * crm_tools.h -- what the files of the CRM's tools share: the CRM opened, keys kept, moments shown.
 */
#pragma once

#include "crm/crm.h"
#include "kit/arguments.h"
#include "kit/schemas.h"

/* Reading opens a file that is there, writing makes one. */
int travel_crm_of(const travel_call *call, bool is_reading, travel_crm **ret_crm, ctn_err *err);
/* A tool that writes: `work` under the call's key (its argument `key`, else the key that came with the call). */
int travel_crm_tool_once(const travel_call *call, const char *tool,
                         int (*work)(void *, ctn_arena *, const ctn_json **, ctn_err *), void *ctx,
                         const ctn_json **ret_result, bool *ret_is_repeated, ctn_err *err);
/* "2026-03-08T11:47:00.000Z"; never: "". */
ctn_str travel_crm_moment(ctn_arena *arena, int64_t at_ms);

#define KEY        "{\"type\":\"string\",\"maxLength\":200,\"description\":\"the same key changes nothing twice\"}"
#define EXECUTION  "{\"type\":[\"string\",\"null\"],\"maxLength\":200,\"description\":\"the run of a chain that calls\"}"
#define ID         "{\"type\":\"string\",\"maxLength\":200}"
#define ID_OR_NULL "{\"type\":[\"string\",\"null\"],\"maxLength\":200}"
#define OBJECT     "{\"type\":\"object\"}"
