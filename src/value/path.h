/*
 * path.h -- name, .name, [0], ["odd name"]: the way into a value (chain language, section 4).
 */
#pragma once
#include "value/scope.h"

typedef struct ctn_path_part {
    ctn_str name;  /* ptr NULL: an index */
    int64_t index; /* negative counts from the end */
} ctn_path_part;
typedef struct ctn_path {
    ctn_str text; /* as written */
    ctn_str root;
    ctn_path_part *parts; /* after the root */
    size_t count;
} ctn_path;

/* Reads the longest path at the start of `text` and tells its bytes; CTN_E_INVALID if none is there
 * (err->column is the byte offset + 1). A name is [A-Za-z_][A-Za-z0-9_]*. */
int ctn_path_parse(ctn_arena *arena, ctn_str text, ctn_path *ret_path, size_t *ret_bytes, ctn_err *err);
/* The member of its root that is read, b of {a.b.c}; empty: the whole, or an item. */
ctn_str ctn_read_member(ctn_arena *arena, const ctn_read *read);
/* NULL: missing somewhere on the way. */
const ctn_json *ctn_path_resolve(const ctn_path *path, const ctn_scope *scope);
/* From a value instead of a scope: the root names a member of it. For `variable: path in result`. */
const ctn_json *ctn_path_resolve_in(const ctn_path *path, const ctn_json *value);
/* The sentence of undefined_variable: names the path, where it stops, and the nearest known name. */
ctn_str ctn_path_explain_missing(ctn_arena *arena, const ctn_path *path, const ctn_scope *scope);
