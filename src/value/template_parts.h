/* template_parts.h -- what template.c tells template_tree.c and check's flow of types beyond template.h. */
#pragma once
#include "value/filter.h"
#include "value/path.h"
#include "value/template.h"

/* One placeholder, as it was written. */
typedef struct ctn_template_hole {
    const ctn_path *path;
    bool is_optional; /* {x?} */
    const ctn_filter *filters;
    size_t filter_count;
} ctn_template_hole;
/* The placeholder number i, from 0; false when there are not so many. */
bool ctn_template_hole_at(const ctn_template *t, size_t i, ctn_template_hole *ret_hole);
/* It is one placeholder and nothing else, so it keeps the value's type. */
bool ctn_template_is_alone(const ctn_template *t);

/* The value of a template without a placeholder; NULL when it has one. */
const ctn_json *ctn_template_constant(const ctn_template *t, ctn_arena *arena);
/* As ctn_template_render, but *ret_value is NULL for {x?} alone with x missing. */
ctn_failure ctn_template_render_or_absent(const ctn_template *t, const ctn_scope *scope, ctn_arena *arena,
                                          size_t bytes_max, const ctn_json **ret_value, ctn_err *err);
