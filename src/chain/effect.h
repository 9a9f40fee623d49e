/*
 * effect.h -- what a call does to the world outside, and so what may be done when its end is not known
 * (chain language, section 6). Ordered from harmless to most careful.
 */
#pragma once
#include "base/str.h"

typedef enum ctn_effect {
    CTN_EFFECT_UNKNOWN = -1, /* nobody said */
    CTN_EFFECT_NONE,
    CTN_EFFECT_READ,
    CTN_EFFECT_IDEMPOTENT,
    CTN_EFFECT_WRITE,
} ctn_effect;

const char *ctn_effect_name(ctn_effect effect);                  /* "write"; "unknown" */
bool ctn_effect_from_name(ctn_str name, ctn_effect *ret_effect); /* the four names */
