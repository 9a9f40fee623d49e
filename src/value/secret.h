/*
 * secret.h -- the place of a secret in what was rendered: {secret.CRM} becomes a mark that names it, and whoever makes
 * the call puts the text there, at the last moment. So journals, caches and messages hold the name and never the text.
 *
 * A mark is U+FDD0 (a code point that is no character and stands in no text that is meant for others) and
 * "{secret.CRM}" behind it. A value that comes from data must not be taken for one: what a mark begins with is taken
 * out of values (disarmed) before they are rendered into what may hold secrets. Pure.
 */
#pragma once
#include "base/json.h"

#define CTN_SECRET_MARK "\xEF\xB7\x90"

/* The mark of this secret, as a value. */
const ctn_json *ctn_secret_place(ctn_arena *arena, ctn_str name);
/* The first mark in the text: SIZE_MAX, there is none; else where it begins, its bytes, and its secret's name. */
size_t ctn_secret_find(ctn_str text, size_t *ret_bytes, ctn_str *ret_name);
/* The value with U+FFFD in place of every U+FDD0, keys too; itself when it has none. */
const ctn_json *ctn_secret_disarm(ctn_arena *arena, const ctn_json *value);
/* The value as people read it: "{secret.CRM}" in place of its mark; itself when it has none. */
const ctn_json *ctn_secret_told(ctn_arena *arena, const ctn_json *value);

/* ---- a value with other texts ---- */

/* The text in another's place; itself: it stays. */
typedef ctn_str ctn_json_text_fn(void *ctx, ctn_arena *arena, ctn_str text);
/* The value with every text, and the keys too if they are wanted, as `change` gives it; what did not change is shared.
 */
const ctn_json *ctn_json_change_texts(ctn_arena *arena, const ctn_json *value, bool with_keys, ctn_json_text_fn *change,
                                      void *ctx);
