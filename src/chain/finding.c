/*
 * finding.c -- see finding.h.
 */
#include "chain/finding.h"
#include "base/memory.h"
#include <stdlib.h>

void ctn_findings_init(ctn_findings *f, ctn_arena *arena)
{
    *f = (ctn_findings){.arena = arena};
}

/* Files come in runs, so a name is copied once a run and the findings of one file share it. */
static ctn_str keep_file_name(ctn_findings *f, ctn_str file)
{
    if (f->count > 0 && ctn_str_equal(f->items[f->count - 1].file, file))
        return f->items[f->count - 1].file;
    return ctn_arena_str(f->arena, file);
}

void ctn_findings_vadd(ctn_findings *f, ctn_str file, uint32_t line, uint32_t column, ctn_severity severity,
                       const char *rule, const char *format, va_list args)
{
    f->items = ctn_arena_room(f->arena, f->items, f->count, &f->capacity, sizeof *f->items);
    ctn_finding finding = {
        .file = keep_file_name(f, file),
        .line = line,
        .column = column,
        .severity = severity,
        .rule = rule,
        .message = ctn_arena_vprintf(f->arena, format, args),
    };
    f->items[f->count++] = finding;
    if (severity == CTN_SEVERITY_ERROR)
        f->error_count++;
}

void ctn_findings_add(ctn_findings *f, ctn_str file, uint32_t line, uint32_t column, ctn_severity severity,
                      const char *rule, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_findings_vadd(f, file, line, column, severity, rule, format, args);
    va_end(args);
}

void ctn_findings_mend(ctn_findings *f, ctn_str wrong, ctn_str right)
{
    if (!right.len || !wrong.len || f->count == 0)
        return;
    f->items[f->count - 1].wrong = ctn_arena_str(f->arena, wrong);
    f->items[f->count - 1].right = ctn_arena_str(f->arena, right);
}

void ctn_findings_copy(ctn_findings *f, const ctn_finding *finding)
{
    ctn_findings_add(f, finding->file, finding->line, finding->column, finding->severity, finding->rule, "%.*s",
                     CTN_STR_ARG(finding->message));
    ctn_findings_mend(f, finding->wrong, finding->right);
}

static int compare(const void *left, const void *right)
{
    const ctn_finding *a = left, *b = right;
    int order = ctn_str_compare(a->file, b->file);
    if (order == 0)
        order = (a->line > b->line) - (a->line < b->line);
    if (order == 0)
        order = (a->column > b->column) - (a->column < b->column);
    if (order == 0)
        order = strcmp(a->rule, b->rule);
    if (order == 0) /* the worse one first */
        order = (a->severity < b->severity) - (a->severity > b->severity);
    return order ? order : ctn_str_compare(a->message, b->message);
}

void ctn_findings_sort(ctn_findings *f)
{
    if (f->count == 0)
        return;
    qsort(f->items, f->count, sizeof *f->items, compare);
    size_t kept = 1;
    for (size_t i = 1; i < f->count; i++)
        if (compare(&f->items[kept - 1], &f->items[i]) != 0)
            f->items[kept++] = f->items[i];
        else if (f->items[i].severity == CTN_SEVERITY_ERROR)
            f->error_count--;
    f->count = kept;
}

typedef struct telling {
    ctn_findings *findings;
    ctn_str file;
    const char *message;
} telling;

static int tell(void *ctx)
{
    const telling *t = ctx;
    ctn_findings_add(t->findings, t->file, 1, 1, CTN_SEVERITY_ERROR, "syntax", "%s", t->message);
    return CTN_OK;
}

int ctn_findings_guarded(ctn_findings *f, ctn_str file, int (*work)(void *ctx), void *ctx)
{
    ctn_findings before = *f; /* what is added meanwhile may go with what is given back */
    ctn_err err = {0};
    int rc = ctn_guarded(work, ctx, &err);
    if (rc != CTN_E_NOMEM || err.code != CTN_E_NOMEM)
        return rc;
    *f = before;
    telling t = {.findings = f, .file = file, .message = err.message};
    if (ctn_guarded(tell, &t, NULL) == CTN_OK)
        return rc;
    *f = before;
    if (f->count == 0) {
        f->last = (ctn_finding){.file = file,
                                .line = 1,
                                .column = 1,
                                .severity = CTN_SEVERITY_ERROR,
                                .rule = "syntax",
                                .message = CTN_STR("there is not enough memory")};
        f->items = &f->last;
        f->count = f->capacity = f->error_count = 1;
    }
    return rc;
}
