/*
 * pattern.h -- a text that a regular expression matches, for schemas that say how a text must look.
 *
 * What most patterns of schemas are made of: letters, classes, groups, alternatives, repetitions, anchors. Anything
 * else (look-arounds, back references) is given up; whoever asks validates the text in any case.
 */
#pragma once
#include "base/arena.h"
#include "base/clock.h"

/* Empty and false when the pattern is beyond us. */
bool ctn_pattern_make(ctn_str pattern, const ctn_rng *chance, ctn_arena *arena, ctn_str *ret_text);
