/*
 * schema.h -- JSON Schema 2020-12: compiled once, validated many times.
 *
 * Passes the required cases of the official suite, references to remote documents excepted: nothing is ever
 * fetched. `format` is an annotation. Numbers are compared exactly, as decimals. Patterns are PCRE2 with
 * match limits. $ref, $anchor, $dynamicRef, $id inside the one document, and the 2020-12 meta-schema by
 * its URI, are resolved. Depth of schema and instance, and the number of subschemas, are bounded.
 *
 * Ownership  A compiled schema borrows the schema tree and lives in the compile arena; it is immutable.
 * Errors     compile: CTN_E_INVALID with ret_bad_node the place, CTN_E_UNSUPPORTED for another dialect.
 */
#pragma once
#include "base/json.h"

typedef struct ctn_schema ctn_schema;

int ctn_schema_compile(ctn_arena *arena, const ctn_json *source, ctn_schema **ret_schema, const ctn_json **ret_bad_node,
                       ctn_err *err);
/* PCRE2 codes are not in the arena: they are freed here. NULL is fine. */
void ctn_schema_done(ctn_schema *schema);
/* CTN_OK, or CTN_E_INVALID with a sentence on the first violation: JSON Pointer of the value, what was
 * expected, what is there ("/adults: expected integer, got string"); values themselves are not quoted when longer
 * than 40 bytes. CTN_E_LIMIT when the instance needs more than the bounded work. */
int ctn_schema_validate(const ctn_schema *schema, const ctn_json *value, ctn_arena *scratch, ctn_err *err);
/* The same, and the JSON Pointer of what is wrong by itself: of the member also when that is missing or not allowed, ""
 * when it is the whole value; cut when it is longer. Nobody need read the sentence for it. */
#define CTN_SCHEMA_POINTER_BYTES 256
int ctn_schema_validate_at(const ctn_schema *schema, const ctn_json *value, ctn_arena *scratch,
                           char ret_pointer[CTN_SCHEMA_POINTER_BYTES], ctn_err *err);
