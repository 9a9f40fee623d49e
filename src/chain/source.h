/*
 * source.h -- a YAML 1.2 or JSON file as a JSON tree that knows where each node stood.
 *
 * YAML: core schema (yes, no, on, off are text), no merge keys, no custom tags, a key given twice is an
 * error at the second, an alias to an unknown anchor too; alias expansion is bounded; keys must be strings
 * (a plain scalar key is taken as text). One document a file. A tab used for indentation is named as such.
 * A file whose name ends in .json is read as JSON, with the same positions.
 *
 * Ownership  Everything lives in the arena. `text` is copied.
 */
#pragma once
#include "base/json.h"
#include "chain/finding.h"

typedef struct ctn_source ctn_source;
typedef struct ctn_position {
    uint32_t line, column;
} ctn_position;

/* Faults become findings (rules syntax, duplicate-key) and the result is CTN_E_INVALID; so does the lack of memory
 * (CTN_E_NOMEM). */
int ctn_source_parse(ctn_arena *arena, ctn_str file_name, ctn_str text, ctn_findings *findings,
                     ctn_source **ret_source);
const ctn_json *ctn_source_root(const ctn_source *s);
ctn_str ctn_source_file_name(const ctn_source *s);
/* Of a value or key node of this source's tree; {0, 0} for a node that is not of it. */
ctn_position ctn_source_position(const ctn_source *s, const ctn_json *node);
/* "# catena: allow RULE: reason" on the line before `line` (YAML comments). */
bool ctn_source_allows(const ctn_source *s, uint32_t line, ctn_str rule);
/* The same of the line on which the node stands. */
bool ctn_source_allows_at(const ctn_source *s, const ctn_json *node, const char *rule);

/* Findings at a node of this source's tree. An error is always told, a warning unless the file allows it there. */
void ctn_source_error(const ctn_source *s, const ctn_json *node, ctn_findings *findings, const char *rule,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));
void ctn_source_warning(const ctn_source *s, const ctn_json *node, ctn_findings *findings, const char *rule,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));
