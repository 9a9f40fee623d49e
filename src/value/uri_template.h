/*
 * uri_template.h -- URIs with {name} in them (RFC 6570, level 1): compiled, matched against a URI, filled in. Pure.
 *
 * A {name} stands for one or more characters that are no '/', '?' or '#': what is matched is percent-decoded, what is
 * filled in is percent-encoded. Between two names there is text; where it stands in a value too, the first place
 * counts, so values come back as they went in wherever names are parted by a '/'. Text matches byte by byte.
 *
 * Ownership  Lives in the arena; the text is borrowed.
 */
#pragma once
#include "base/json.h"

#define CTN_URI_TEMPLATE_NAMES_MAX 32
#define CTN_URI_BYTES_MAX          8192

typedef struct ctn_uri_template {
    ctn_str text;
    ctn_str names[CTN_URI_TEMPLATE_NAMES_MAX]; /* in their order */
    ctn_str
        before[CTN_URI_TEMPLATE_NAMES_MAX + 1]; /* the text before each name; [name_count] is what follows them all */
    size_t name_count;                          /* 0: a plain URI */
} ctn_uri_template;

/* CTN_E_INVALID, with the sentence: no scheme, a brace without its other half, no name in it, a name twice, two names
 * with nothing in between, or too many. */
int ctn_uri_template_compile(ctn_arena *arena, ctn_str text, ctn_uri_template **ret_template, ctn_err *err);
/* NULL: it does not match. Else an object {NAME: text}. */
const ctn_json *ctn_uri_template_match(const ctn_uri_template *t, ctn_arena *arena, ctn_str uri);
/* NAMES' members of `values` (texts and numbers) filled in; empty: one of them is missing, or empty. */
ctn_str ctn_uri_template_fill(const ctn_uri_template *t, ctn_arena *arena, const ctn_json *values);
