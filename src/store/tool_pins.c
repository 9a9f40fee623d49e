/*
 * tool_pins.c -- see tool_pins.h: what is the same for every backend.
 */
#include "store/tool_pins.h"
#include "store/backend.h"

int ctn_store_tool_pin_put(ctn_store *st, const ctn_tool_pin *pins, size_t count, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        if (pins[i].target.len == 0 || pins[i].definition.len == 0)
            rc = ctn_fail(err, CTN_E_INVALID, "a pin names its tool and has a definition");
    return rc || count == 0 ? rc : st->ops->tool_pin_put(st, pins, count, err);
}

int ctn_store_tool_pin_list(ctn_store *st, ctn_tool_pin_fn *fn, void *ctx, ctn_err *err)
{
    return st->ops->tool_pin_list(st, fn, ctx, err);
}
