/* type_internal.h -- what type.c lends to type_fit.c. */
#pragma once
#include "check/type.h"

#define CTN_TYPE_DEPTH_MAX 24

/* NULL: it has none of this name; `rest` says what it is then. */
const ctn_type_member *ctn_type_find_member(const ctn_type *t, ctn_str name);
/* For what walks the members of both. */
bool ctn_type_are_too_large(const ctn_type *a, const ctn_type *b);
/* The value is one of the type's. */
bool ctn_type_accepts(const ctn_type *t, const ctn_json *value);
