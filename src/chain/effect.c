/*
 * effect.c -- the words for effects.
 */
#include "chain/effect.h"

static const char *const NAMES[] = {"none", "read", "idempotent", "write"};
#define NAME_COUNT (int) (sizeof NAMES / sizeof NAMES[0])

const char *ctn_effect_name(ctn_effect effect)
{
    return effect >= CTN_EFFECT_NONE && (int) effect < NAME_COUNT ? NAMES[effect] : "unknown";
}

bool ctn_effect_from_name(ctn_str name, ctn_effect *ret_effect)
{
    for (int i = 0; i < NAME_COUNT; i++)
        if (ctn_str_is(name, NAMES[i])) {
            *ret_effect = (ctn_effect) i;
            return true;
        }
    return false;
}
