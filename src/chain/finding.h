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
    const char *rule; /* a name of rules.c: "unknown-key"; of catena.yaml also "include" */
    ctn_str message;
    ctn_str wrong, right; /* writing `right` where `wrong` stands, there or behind, mends it; empty: nothing does so */
} ctn_finding;

typedef struct ctn_findings {
    ctn_arena *arena;
    ctn_finding *items;
    size_t count, capacity;
    size_t error_count;
    ctn_finding last; /* of which there is no memory to tell in another way */
} ctn_findings;

void ctn_findings_init(ctn_findings *f, ctn_arena *arena);
void ctn_findings_add(ctn_findings *f, ctn_str file, uint32_t line, uint32_t column, ctn_severity severity,
                      const char *rule, const char *format, ...) __attribute__((format(printf, 7, 8)));
void ctn_findings_vadd(ctn_findings *f, ctn_str file, uint32_t line, uint32_t column, ctn_severity severity,
                       const char *rule, const char *format, va_list args) __attribute__((format(printf, 7, 0)));
/* The last one is mended by writing `right` in place of `wrong`; nothing when `right` is empty. */
void ctn_findings_mend(ctn_findings *f, ctn_str wrong, ctn_str right);
/* The same finding once more, in another list. */
void ctn_findings_copy(ctn_findings *f, const ctn_finding *finding);
/* work(ctx) under a guard (base/memory.h): CTN_E_NOMEM leaves the list as it was, and one finding more. */
int ctn_findings_guarded(ctn_findings *f, ctn_str file, int (*work)(void *ctx), void *ctx);
/* By file, line, column, rule; equal ones once. */
void ctn_findings_sort(ctn_findings *f);
