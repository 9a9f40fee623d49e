/*
 * editor_schema.h -- the files of the language as JSON Schemas (2020-12), for editors: what may stand where, with a
 * description for every key.
 *
 * They are made of the tables that files are read by (keys.h), so they cannot fall behind: a key whose value is an
 * object is described by the table of its name. What no table says is said by rows of ctn_key_shape. A schema takes
 * every file that check takes, and refuses unknown keys, wrong types and values out of range; what needs more than one
 * place to judge (names, templates, order) is check's alone.
 */
#pragma once
#include "chain/keys.h"

typedef struct ctn_key_shape {
    const char *table, *key; /* key NULL: the object itself */
    const char *schema;      /* JSON: members that come in place of (of an object: beside) what the table says */
} ctn_key_shape;

/* Of chains, steps and instruction sets. */
extern const ctn_key_shape ctn_language_shapes[];
extern const size_t ctn_language_shape_count;

typedef struct ctn_editor_schema {
    const char *title;
    const char *root; /* JSON: the members of the schema itself, beside $defs with one entry a table */
    const ctn_key_table *const *tables;
    size_t table_count;
    const ctn_key_shape *shapes;
    size_t shape_count;
} ctn_editor_schema;

const ctn_json *ctn_editor_schema_make(ctn_arena *arena, const ctn_editor_schema *schema);
/* what: "chain" (a file with a chain, and sets if it has some) or "sets" (a file with sets alone); NULL for another. */
const ctn_json *ctn_editor_schema_of(ctn_arena *arena, const char *what);
