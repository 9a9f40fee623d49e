/*
 * native.h -- C functions as the driver of kind "native": how an embedding program does a step's work itself.
 *
 * A function is called on the loop's thread and must not block for long; its answer is told before begin returns,
 * so nothing is ever in flight, nothing is cancelled, and no request can arrive late. A native call counts as a write
 * unless its registration (or the instruction set) says otherwise.
 *
 * `noop` is always there: it answers with its arguments, {} when it has none, and has no effect. For benchmarks.
 *
 * Ownership  register borrows nothing but `fn` and `ctx`. The arena handed to a function is gone after the call.
 */
#pragma once
#include "engine/driver.h"

typedef struct ctn_native_call {
    ctn_str name;
    const ctn_json *args; /* NULL: none */
    ctn_str idempotency_key, execution_id, step;
    uint32_t attempt;
} ctn_native_call;

typedef struct ctn_native_result {
    ctn_failure failure;   /* NONE: succeeded */
    const ctn_json *value; /* NULL: {} */
    ctn_str message;       /* of a failure */
} ctn_native_result;

typedef ctn_native_result ctn_native_fn(void *ctx, const ctn_native_call *call, ctn_arena *arena);

typedef struct ctn_native_driver ctn_native_driver;

ctn_native_driver *ctn_native_driver_new(ctn_call_sink sink);
void ctn_native_driver_free(ctn_native_driver *driver); /* NULL is fine */
/* CTN_E_INVALID: no name. CTN_E_EXISTS: it is taken. effect UNKNOWN: not said. */
int ctn_native_register(ctn_native_driver *driver, ctn_str name, ctn_effect effect, ctn_native_fn *fn, void *ctx,
                        ctn_err *err);
ctn_driver ctn_native_driver_interface(ctn_native_driver *driver);
