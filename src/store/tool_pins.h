/*
 * tool_pins.h -- what a tool was when chains began to rely on it, so that a change of it is seen.
 *
 * A pin holds the definition that the tool's server listed when a chain that uses it was imported, or first started:
 * name, description, schemas, annotations. When the server lists another one, that is noted beside it (`seen`), until
 * the old one is listed again or somebody accepts the new one. What a change means, and what follows from it, is for
 * others to say (value/schema_change.h, host/guard.h): this keeps what was seen.
 *
 * Ownership, errors and threads as in store.h. Written on the caller's thread, one transaction each.
 */
#pragma once
#include "store/store.h"

typedef struct ctn_tool_pin {
    ctn_str target;     /* "server/tool" */
    ctn_digest digest;  /* of the definition, in its canonical form */
    ctn_str definition; /* JSON; null: it was not listed; a text: it is too large to be kept */
    int64_t pinned_at_ms;
    ctn_str pinned_by;
    ctn_str seen; /* JSON: how it is listed now; "null": it is not; empty: as it is pinned */
    int64_t seen_at_ms;
    bool owes_resume; /* what was paused for it is to go on, and has not been told so yet */
} ctn_tool_pin;

/* Each replaces the one of its target. */
int ctn_store_tool_pin_put(ctn_store *st, const ctn_tool_pin *pins, size_t count, ctn_err *err);

typedef int ctn_tool_pin_fn(void *ctx, const ctn_tool_pin *pin); /* not 0: stop; the call returns CTN_OK */
int ctn_store_tool_pin_list(ctn_store *st, ctn_tool_pin_fn *fn, void *ctx, ctn_err *err); /* by target */
