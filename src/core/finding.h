/*
 * finding.h -- what check says about a file: a place, a rule, a sentence that tells how to mend it.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"

typedef enum ctn_severity { CTN_SEVERITY_WARNING, CTN_SEVERITY_ERROR } ctn_severity;

typedef struct ctn_finding {
    ctn_str file;
    uint32_t line, column; /* from 1; columns count bytes */
    ctn_severity severity;
    const char *rule; /* a literal of language.md's table: "unknown-key" */
    ctn_str message;
} ctn_finding;

typedef struct ctn_findings {
    ctn_arena *arena;
    ctn_finding *items;
    size_t count, capacity;
    size_t error_count;
} ctn_findings;

void ctn_findings_init(ctn_findings *f, ctn_arena *arena);
void ctn_findings_add(ctn_findings *f, ctn_str file, uint32_t line, uint32_t column, ctn_severity severity,
                      const char *rule, const char *format, ...) __attribute__((format(printf, 7, 8)));
/* By file, line, column, rule; equal ones once. */
void ctn_findings_sort(ctn_findings *f);
