/*
 * tool_pins.h -- what the tools of chains were when the chains began to rely on them, held against what their servers
 * list now: for the guard of a running host (tool_guard.h) and for the verbs `tools diff` and `tools accept`.
 *
 * Ownership  What is given lives in the arena of the call.
 */
#pragma once
#include "base/names.h"
#include "chain/plan.h"
#include "drivers/mcp/definition.h"
#include "engine/engine.h"
#include "host/config.h"
#include "store/tool_pins.h"

/* "server/tool", as often as it is named: in the plan's sets, checks, undos, fallbacks, and those of its sub-chains. */
void ctn_tools_named(const ctn_plan *plan, ctn_names *targets);
/* All pins of the store. */
int ctn_tool_pins_read(ctn_store *store, ctn_arena *arena, ctn_tool_pin **ret_pins, size_t *ret_count, ctn_err *err);

/* How a server lists a tool now: canonical JSON; "null", and a digest of zeros: not at all; a text: it is too large
 * to be kept, and only its digest is known. False: the server has not listed its
 * tools in this process. Of several instances one counts that lists another than the pinned one (NULL: none is). */
typedef struct ctn_tool_now {
    ctn_str definition;
    ctn_digest digest;
    bool is_listed;
} ctn_tool_now;
bool ctn_tool_now_of(const ctn_mcp_driver *servers, ctn_str target, const ctn_digest *pinned, ctn_arena *arena,
                     ctn_tool_now *ret_now);
ctn_tool_pin ctn_tool_pin_of(ctn_str target, const ctn_tool_now *now, int64_t at_ms, ctn_str by);
/* Pins those of the targets that are listed now, and not among `pins`. *ret_count: how many. */
int ctn_tool_pins_add(ctn_store *store, const ctn_mcp_driver *servers, const ctn_names *targets,
                      const ctn_tool_pin *pins, size_t count, ctn_str by, size_t *ret_count, ctn_err *err);

/* What became of a tool: `now` is a definition as ctn_tool_now has it. */
void ctn_tool_pin_changes(const ctn_tool_pin *pin, ctn_str now, ctn_changes *changes);
/* What follows from a change by the server's onToolChange. */
ctn_hold_kind ctn_tool_hold(const ctn_config *config, ctn_str target, ctn_change_class class_);
/* "travel/book is not what it was when it was pinned (narrowing): ...; see `catena tools diff travel/book`, ..." */
ctn_str ctn_tool_change_told(ctn_arena *arena, ctn_str target, const ctn_changes *changes);
