/*
 * scope.h -- what a placeholder or an expression can see: names that lead to values.
 *
 * The context's variables first, then the reserved roots (input, result, item, execution, step, now,
 * secret). Whoever renders supplies one of these; templates and expressions know nothing more.
 */
#pragma once
#include "base/json.h"
#include "value/failure.h"

typedef struct ctn_scope {
    /* NULL: no such name (missing). A null value counts as missing for templates. */
    const ctn_json *(*lookup)(void *ctx, ctn_str name);
    void *ctx;
    /* Every name that lookup knows, for "did you mean"; may be NULL. Returns how many it wrote. */
    size_t (*names)(void *ctx, ctn_str *ret_names, size_t max);
    int64_t now_ms; /* what `now` is: the time of the entry that made the step ready */
} ctn_scope;

/* A name that some text reads, as the plan and the lint want it. */
typedef struct ctn_read {
    ctn_str root;         /* the variable or reserved root */
    ctn_str path;         /* as written: trip.nights[0] */
    uint32_t offset;      /* of the path in the text, in bytes */
    bool is_optional;     /* {x?}, default(..), or in a condition: null will do */
    bool is_inner;        /* inside a section of a document: may be the section's own */
    const ctn_json *node; /* the string of a tree, or of a file, that it stands in; NULL: not known */
} ctn_read;
/* What texts of all kinds add theirs to (ctn_template_reads, ctn_tree_reads, ...; NULL reads nothing). */
typedef struct ctn_reads {
    ctn_read *items;
    size_t count, capacity;
} ctn_reads;
void ctn_reads_add(ctn_arena *arena, ctn_reads *reads, ctn_read read);
bool ctn_reads_have(const ctn_reads *reads, const char *root);

/* True for input, result, item, execution, step, now, secret. */
bool ctn_is_reserved_root(ctn_str name);
