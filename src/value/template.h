/*
 * template.h -- text with placeholders, {path | filter: arg} (chain language, section 4), and JSON trees
 * whose strings are such text (arguments).
 *
 * What a value contains is inserted once and never scanned again: values are data. A template that is
 * one placeholder alone keeps the value's type. {x?} alone as a member of an object leaves the member out
 * (in a list, or as the whole tree, it is empty text). Filters are described in filter.h; null passes them.
 *
 * Ownership  Compiled templates are immutable, live in the compile arena and may be shared. A tree borrows the
 *            source's nodes, and results may point into the scope's values and into the tree.
 * Errors     compile: CTN_E_INVALID (unknown filter, bad literal), err->column = byte offset in the text + 1.
 *            render: undefined_variable (names the path and its nearest known name), invalid_input (a filter
 *            was given a value it cannot take), limit.
 */
#pragma once
#include "value/scope.h"

typedef struct ctn_template ctn_template;

int ctn_template_compile(ctn_arena *arena, ctn_str text, ctn_template **ret_template, ctn_err *err);
/* A URL: its scheme and host are literal, or the whole beginning is one {secret.NAME}, so that no value can change who is
 * called. Values are percent-encoded where they stand; one that would change the path (empty, or dots) is invalid_input
 * when it is rendered. Always gives a string. */
int ctn_template_compile_url(ctn_arena *arena, ctn_str text, ctn_template **ret_template, ctn_err *err);
void ctn_template_reads(const ctn_template *t, ctn_arena *arena, ctn_reads *reads);
/* Any kind when it is one placeholder alone, else a string. bytes_max bounds the text (limit). */
ctn_failure ctn_template_render(const ctn_template *t, const ctn_scope *scope, ctn_arena *arena, size_t bytes_max,
                                const ctn_json **ret_value, ctn_err *err);
/* The value as text: strings raw, the rest compact JSON; for keys and messages. */
ctn_str ctn_value_to_text(ctn_arena *arena, const ctn_json *v);

/* A tree of arguments: every string (not the keys) is a template. */
typedef struct ctn_tree ctn_tree;
/* on_bad is told the string node at fault, so that the caller can place it; the first fault ends compile. */
int ctn_tree_compile(ctn_arena *arena, const ctn_json *source, ctn_tree **ret_tree, const ctn_json **ret_bad_node,
                     ctn_err *err);
/* How a member of an object is taken: its texts as templates, itself as it stands, or its text as a URL. */
typedef enum ctn_tree_way { CTN_TREE_TEMPLATES, CTN_TREE_LITERAL, CTN_TREE_URL } ctn_tree_way;
typedef ctn_tree_way ctn_tree_way_fn(ctn_str member);
/* The same of an object whose members are taken in different ways. */
int ctn_tree_compile_members(ctn_arena *arena, const ctn_json *object, ctn_tree_way_fn *way, ctn_tree **ret_tree,
                             const ctn_json **ret_bad_node, ctn_err *err);
void ctn_tree_reads(const ctn_tree *t, ctn_arena *arena, ctn_reads *reads);
/* Of a tree that is an object: its members, 0 for any other. */
size_t ctn_tree_member_count(const ctn_tree *t);
const ctn_tree *ctn_tree_member(const ctn_tree *t, size_t i, ctn_str *ret_name);
/* NULL: it has no such member, or nothing in it is rendered. */
const ctn_tree *ctn_tree_get(const ctn_tree *t, ctn_str name);
ctn_failure ctn_tree_render(const ctn_tree *t, const ctn_scope *scope, ctn_arena *arena, size_t bytes_max,
                            const ctn_json **ret_value, ctn_err *err);
