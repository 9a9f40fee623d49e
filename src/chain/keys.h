/*
 * keys.h -- objects of a chain file read by a table: which keys there are, what each may hold, where it goes.
 *
 * Every object of the language (a chain, a step, an instruction set, retryConfig, ...) is one table of
 * ctn_key and one struct. Reading it reports every fault it finds (unknown keys with the nearest known one,
 * wrong types, values out of range, keys that are missing, templates and expressions that do not compile)
 * and goes on, so that one check shows them all. A key that is absent or faulty leaves its default behind.
 *
 * Ownership  What is read borrows the source's tree; compiled parts live in the reader's arena.
 */
#pragma once
#include "chain/source.h"
#include "value/expression.h"
#include "value/path.h"
#include "value/schema.h"
#include "value/template.h"
#include <stddef.h>

/* ---- what keys are read into ---- */

/* A value of the file and what it compiled to; node NULL: not said. */
typedef struct ctn_chain_template {
    const ctn_json *node;
    ctn_template *template;
} ctn_chain_template;
typedef struct ctn_chain_tree {
    const ctn_json *node;
    ctn_tree *tree;
} ctn_chain_tree;
typedef struct ctn_chain_expression {
    const ctn_json *node;
    ctn_str text;
    ctn_expression *expression;
} ctn_chain_expression;
/* As ctn_template_reads; the node of each read is the template's. */
void ctn_chain_template_reads(const ctn_chain_template *template, ctn_arena *arena, ctn_reads *reads);
typedef enum ctn_said { CTN_UNSAID, CTN_SAID_FALSE, CTN_SAID_TRUE } ctn_said;

/* ---- the reader ---- */

typedef struct ctn_reader {
    ctn_arena *arena;
    const ctn_source *source;
    ctn_findings *findings;
    size_t fault_count;
    ctn_finding fault_first;
} ctn_reader;

/* An error at the node (a value or key of the reader's source). */
void ctn_reader_fault(ctn_reader *reader, const ctn_json *node, const char *rule, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

typedef enum ctn_key_type {
    CTN_KEY_TEXT,        /* const ctn_json *: a string */
    CTN_KEY_NAME,        /* const ctn_json *: a string that is not empty */
    CTN_KEY_BOOL,        /* ctn_said */
    CTN_KEY_INT,         /* int64_t, in min..max; `otherwise` when absent */
    CTN_KEY_NUMBER,      /* double, in min..max */
    CTN_KEY_WORD,        /* int: index in `words` + 1; 0 when absent */
    CTN_KEY_OBJECT,      /* const ctn_json * */
    CTN_KEY_LIST,        /* const ctn_json * */
    CTN_KEY_NAMES,       /* const ctn_json *: a list of strings that are not empty */
    CTN_KEY_ANY,         /* const ctn_json * */
    CTN_KEY_TEMPLATE,    /* ctn_chain_template */
    CTN_KEY_EXPRESSION,  /* ctn_chain_expression; true and false are taken as their text */
    CTN_KEY_TREE,        /* ctn_chain_tree: any value whose strings are templates */
    CTN_KEY_TREE_OBJECT, /* the same, an object */
    CTN_KEY_SCHEMA,      /* const ctn_json *: a schema that compiles */
} ctn_key_type;

typedef struct ctn_key {
    const char *name;
    ctn_key_type type;
    size_t offset;
    const char *about; /* what it is for, in a line, for editors */
    int64_t min, max;
    int64_t otherwise;
    double otherwise_number;
    const char *const *words; /* ended by NULL */
    /* What more is to be done with a value of the right type; NULL: nothing. */
    void (*read)(ctn_reader *reader, const ctn_json *value, void *target);
    bool is_required;
    bool is_confidential; /* secrets are looked for here: what stands in its place is not repeated in a finding */
    bool is_choice; /* of the choices of an object exactly one is said; that is for the object's reader to judge */
} ctn_key;
/* A row of a table: the key `key` is read into structure.member. Behind it what it is for, and whatever else the row
 * says: CTN_KEY("burst", CTN_KEY_INT, rate_keys, burst, "Calls at once after a pause.", .min = 1, .max = 1000000). */
#define CTN_KEY(key, key_type, structure, member, ...)                                                                 \
    {                                                                                                                  \
        .name = key, .type = key_type, .offset = offsetof(structure, member), .about = __VA_ARGS__                     \
    }

/* A table by name, for whoever looks at all of them (editor_schema.h). */
typedef struct ctn_key_table {
    const char *name;
    const ctn_key *keys;
    size_t count;
    const char *about; /* what such an object is; NULL: its key says it */
} ctn_key_table;

/* `what` names the object in sentences: "a step". The target's fields get their values or defaults. */
void ctn_keys_read(ctn_reader *reader, const ctn_json *object, const char *what, const ctn_key *keys, size_t count,
                   void *target);
/* One value by one row of a table; false after a fault. */
bool ctn_key_read(ctn_reader *reader, const ctn_key *key, const ctn_json *value, void *target);

/* "did you mean 'x'?" or, when nothing is near, "known are: a, b, c" (shortened). */
ctn_str ctn_suggest(ctn_arena *arena, ctn_str word, const ctn_str *names, size_t count);
/* [A-Za-z_][A-Za-z0-9_]*, and no reserved root; else a fault (type, reserved-name) at `node`. `what`: "an output
 * variable". */
bool ctn_reader_variable(ctn_reader *reader, const ctn_json *node, ctn_str name, const char *what);

#define CTN_TEN_YEARS_MS INT64_C(315576000000)
