/* template_parts.h -- what template.c tells template_tree.c beyond template.h. Internal to core. */
#pragma once
#include "core/template.h"

/* The value of a template without a placeholder; NULL when it has one. */
const ctn_json *ctn_template_constant(const ctn_template *t, ctn_arena *arena);
/* As ctn_template_render, but *ret_value is NULL for {x?} alone with x missing. */
ctn_failure ctn_template_render_or_absent(const ctn_template *t, const ctn_scope *scope, ctn_arena *arena,
                                          size_t bytes_max, const ctn_json **ret_value, ctn_err *err);
