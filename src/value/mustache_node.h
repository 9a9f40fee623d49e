/*
 * mustache_node.h -- the tree of a compiled document, between its parser and its renderer.
 */
#pragma once
#include "value/mustache.h"

typedef enum mustache_kind {
    MUSTACHE_TEXT,
    MUSTACHE_VALUE, /* {{name}}: escaped where the document escapes */
    MUSTACHE_RAW,   /* {{{name}}} {{&name}} */
    MUSTACHE_SECTION,
    MUSTACHE_INVERTED,
    MUSTACHE_PARTIAL,
    MUSTACHE_PARENT, /* its children are the blocks that it overrides, and nothing else */
    MUSTACHE_BLOCK,
    MUSTACHE_CLOSE, /* tokens only, like the two that follow */
    MUSTACHE_COMMENT,
    MUSTACHE_DELIMITERS,
} mustache_kind;

typedef struct mustache_unit mustache_unit;
typedef struct mustache_node mustache_node;
struct mustache_node {
    mustache_kind kind;
    bool is_standalone;    /* the tag had its line to itself, which is gone */
    bool is_one_line;      /* of a standalone block: its closing tag stood on the same line */
    bool is_dynamic;       /* {{>*name}}: the name leads to the partial's name */
    size_t offset;         /* of the tag in the file */
    ctn_str text;          /* text, or name */
    ctn_str indent;        /* white space that goes before each line of a partial or of what replaces a block */
    mustache_unit *target; /* of a partial or parent with a plain name; never NULL, maybe without nodes */
    mustache_node *children;
    size_t count;
};

/* One template text: the document, a partial. */
struct mustache_unit {
    ctn_str name;
    mustache_node *nodes;
    size_t count;
    bool is_parsed;
    mustache_unit *next;
};

struct ctn_mustache {
    ctn_str content_type, variable;
    bool escapes;
    mustache_unit *root;
    mustache_unit *partials; /* every partial that can be named without looking at data */
    ctn_mustache_options options;
};

/* Parses every unit of *units that is not parsed yet, and all that these name; new ones go to the front of *units.
 * The text of a unit comes from options->partial. */
int mustache_parse_partials(ctn_arena *arena, const ctn_mustache_options *options, mustache_unit **units, ctn_err *err);
/* The unit of that name, made (not parsed) if there is none. */
mustache_unit *mustache_unit_named(ctn_arena *arena, mustache_unit **units, ctn_str name);
/* `text` is the whole file and the template begins at `start` in it. */
int mustache_parse_unit(ctn_arena *arena, ctn_str text, size_t start, mustache_unit *unit, mustache_unit **units,
                        ctn_err *err);
/* Front matter at the start of `text`; *ret_start is where the template begins. Any of the results may be NULL. */
int mustache_read_front_matter(ctn_arena *arena, ctn_str text, ctn_str *ret_content_type, ctn_str *ret_variable,
                               size_t *ret_start, ctn_err *err);
