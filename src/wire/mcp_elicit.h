/*
 * mcp_elicit.h -- what is answered at once to a legacy server that asks for input in the middle of a call. Pure.
 *
 * Nobody can be waited for there, so a form gets the defaults of its own schema: all that there are. It is declined
 * when a field that is required has none, when there is no default at all (such a form asks for a yes), and when it is
 * an address to be opened.
 */
#pragma once
#include "base/json.h"

/* The result of elicitation/create, for its params. */
const ctn_json *ctn_mcp_elicit_defaults(ctn_arena *arena, const ctn_json *params);
