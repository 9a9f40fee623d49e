/*
 * requires.h -- `requires` of a chain: labels that a node must have to advance its executions, {gpu: true}.
 *
 * A requirement is met by labels that have each of its names with an equal value (numbers by value). A sub-chain lives
 * beside its parent, so what it requires is required of the parent's node from the start: a plan's requirement is the
 * chain's own and that of every sub-chain in its definitions.
 *
 * Two requirements are the same one when their canonical texts are the same: by that text the store knows them.
 *
 * Pure. Everything that is returned lives in the arena.
 */
#pragma once
#include "base/json.h"

#define CTN_REQUIRES_MAX       16 /* labels of one requirement */
#define CTN_REQUIRES_BYTES_MAX 64 /* of a name, and of a text */

bool ctn_is_label_value(const ctn_json *v); /* a text, a number, true or false */
/* NULL or {}: nothing is required, and whatever meets that. labels NULL: none. */
bool ctn_labels_meet(const ctn_json *labels, const ctn_json *requires);
/* The same of texts: JSON objects; what is none has no labels. */
bool ctn_labels_text_meets(ctn_str labels, ctn_str requires);
/* Both together. *ret_clash: a name that they give different values (the first one's stays); empty: none. */
const ctn_json *ctn_requires_merge(ctn_arena *arena, const ctn_json *a, const ctn_json *b, ctn_str *ret_clash);
ctn_str ctn_requires_text(ctn_arena *arena, const ctn_json *requires); /* canonical; empty when it requires nothing */
