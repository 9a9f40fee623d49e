/*
 * mustache.h -- documents: Mustache as its official specification has it (lambdas excepted), with an
 * optional front matter.
 *
 *     ---
 *     contentType: text/html
 *     variable: proposal_document
 *     ---
 *     Dear {{client_info.name}}, ...
 *
 * HTML escaping happens only where the content type is HTML (text/html, application/xhtml+xml); without
 * a front matter the type is text/plain. A missing name is empty text (Mustache's rule). Values are
 * never scanned for tags. A name is looked up in the sections around it, then in the scope; {{.}} outside of
 * any section is the scope's name ".". False are null, false, 0, "" and []. {{list.0}} is an item.
 *
 * Ownership  As template.h. Partials are resolved at compile through the callback; only a dynamic one ({{>*name}})
 *            is asked for at render, so where those are used the callback must live as long as the document.
 *            Recursion of partials is bounded at render (CTN_FAILURE_LIMIT), and so is the work.
 * Errors     compile: CTN_E_INVALID with line and column in the file (in the partial, which is then named).
 *            render: limit; invalid_input when a dynamic partial is no template. What was written to `out`
 *            until then stays there.
 */
#pragma once
#include "value/scope.h"

typedef struct ctn_mustache ctn_mustache;

typedef struct ctn_mustache_options {
    /* Text of a partial, or ptr NULL: none of that name (renders as nothing). */
    ctn_str (*partial)(void *ctx, ctn_str name);
    void *partial_ctx;
    bool always_escape; /* the specification's suite: escape whatever the content type is */
} ctn_mustache_options;

/* text is the whole file, front matter included. options may be NULL. */
int ctn_mustache_compile(ctn_arena *arena, ctn_str text, const ctn_mustache_options *options,
                         ctn_mustache **ret_document, ctn_err *err);
ctn_str ctn_mustache_content_type(const ctn_mustache *m);
ctn_str ctn_mustache_variable(const ctn_mustache *m); /* of the front matter; empty if none */
/* Names looked up in the context. A name inside a section, or in a partial, may be the section's own: those are told
 * too, with is_inner. All reads are optional: missing is empty. */
void ctn_mustache_reads(const ctn_mustache *m, ctn_arena *arena, ctn_reads *reads);
ctn_failure ctn_mustache_render(const ctn_mustache *m, const ctn_scope *scope, ctn_buf *out, ctn_err *err);
