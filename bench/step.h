/*
 * step.h -- the body of a no-op step, as the peers' harness has it: takes the previous object, returns the next.
 *
 * {"chain": 17, "step": 3, "total": 6, "pad": "xxx..."}: about 200 bytes as JSON.
 */
#pragma once
#include "base/json.h"

/* args: {"chain": N, "previous": the object before it (absent at the first step)}. Gives {"state": the next object};
 * borrows from args. */
const ctn_json *bench_step(ctn_arena *arena, const ctn_json *args);
