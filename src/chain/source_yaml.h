/*
 * source_yaml.h -- the parts of reading YAML, for source_yaml.c: scalars of the core schema, and libyaml's
 * complaints as sentences that help. Nobody else includes this.
 */
#pragma once
#include "chain/source_internal.h"
#include <yaml.h>

/* The value of a plain scalar. *ret_fault is NULL, or a sentence when the scalar is refused. */
void ctn_yaml_resolve_plain(ctn_arena *arena, ctn_str text, ctn_json *ret_value, const char **ret_fault);

/* The sentence about a tab: which one it is, is known by its address. */
extern const char ctn_yaml_tab[];

/* What the parser complains about, for a person who never read the YAML specification. `at` is the byte offset
 * of the problem, `context_line` the line (from 1) of what encloses it, 0: none. */
ctn_str ctn_yaml_explain(const ctn_source *s, const yaml_parser_t *parser, size_t at, uint32_t context_line,
                         ctn_arena *arena);
