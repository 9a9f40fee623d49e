/*
 * step.c -- see step.h.
 */
#include "step.h"

const ctn_json *bench_step(ctn_arena *arena, const ctn_json *args)
{
    static const char PAD[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                              "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    _Static_assert(sizeof PAD == 151, "the object has about 200 bytes");
    const ctn_json *previous = ctn_json_member_of(args, "previous");
    int64_t step = ctn_json_int_or(previous, "step", 0) + 1;
    ctn_json_builder state = ctn_json_object(arena);
    ctn_json_put(&state, CTN_STR("chain"), ctn_json_member_of(args, "chain"));
    ctn_json_put_int(&state, "step", step);
    ctn_json_put_int(&state, "total", ctn_json_int_or(previous, "total", 0) + step);
    ctn_json_put_str(&state, "pad", (ctn_str){PAD, sizeof PAD - 1});
    ctn_json_builder result = ctn_json_object(arena);
    ctn_json_put(&result, CTN_STR("state"), ctn_json_finish(&state));
    return ctn_json_finish(&result);
}
