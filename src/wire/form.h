/*
 * form.h -- application/x-www-form-urlencoded: what a query and the body of a token request are written in. Pure.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"

/* "name=value", with a '&' before it when something stands in the buffer's form already (is_first: nothing does). */
void ctn_form_put(ctn_buf *out, bool is_first, const char *name, ctn_str value);

/* The value of a name, decoded. CTN_E_NOT_FOUND, without a sentence: it is not there; CTN_E_INVALID: twice, or badly
 * escaped. */
int ctn_form_get(ctn_arena *arena, ctn_str form, const char *name, ctn_str *ret_value);
