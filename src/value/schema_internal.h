/*
 * schema_internal.h -- a compiled schema, as its parts share it: schema_scan.c finds the subschemas and what
 * they are called, schema_compile.c turns keywords into the fields below, schema_validate.c obeys
 * them and schema_say.c says what is wrong.
 * Nobody else includes this.
 *
 * A node is one subschema in one resource. Nodes point at nodes, in circles where the schema is recursive,
 * so they are only ever walked together with an instance, under a bound.
 */
#pragma once
#include "value/regex.h"
#include "value/schema.h"

#define CTN_SCHEMA_NODES_MAX     20000
#define CTN_SCHEMA_RESOURCES_MAX 1000
#define CTN_SCHEMA_ANCHORS_MAX   10000
#define CTN_SCHEMA_REGEXES_MAX   1000
#define CTN_SCHEMA_DEPTH_MAX     200 /* of the schema's own text */
#define CTN_SCHEMA_META_COUNT    8

extern const char *const ctn_schema_meta_texts[CTN_SCHEMA_META_COUNT];

typedef struct ctn_schema_node ctn_schema_node;
typedef struct ctn_schema_resource ctn_schema_resource;

typedef struct ctn_schema_anchor {
    const ctn_schema_resource *resource;
    ctn_str name;
    ctn_schema_node *node;
    bool is_dynamic;
} ctn_schema_anchor;

struct ctn_schema_resource {
    ctn_str uri; /* absolute, without fragment */
    const ctn_json *root;
    ctn_schema_node *node;
    /* For $dynamicRef at run time: this resource's own. */
    ctn_schema_anchor *dynamic_anchors;
    size_t dynamic_count, dynamic_capacity;
};

typedef struct ctn_schema_list {
    ctn_schema_node **nodes;
    size_t count; /* 0: the keyword is not there (its shape forbids empty ones) */
} ctn_schema_list;

typedef struct ctn_schema_named {
    ctn_str name;
    ctn_schema_node *node;
} ctn_schema_named;
typedef struct ctn_schema_table { /* sorted by name */
    ctn_schema_named *items;
    size_t count;
} ctn_schema_table;

typedef struct ctn_schema_matched {
    const ctn_regex *regex;
    ctn_schema_node *node;
} ctn_schema_matched;

typedef struct ctn_schema_names { /* sorted, each once */
    ctn_str *names;
    size_t count;
} ctn_schema_names;
typedef struct ctn_schema_dependency {
    ctn_str name;
    ctn_schema_names needs;
} ctn_schema_dependency;

enum { CTN_SCHEMA_INTEGER = 1 << 7 }; /* beside 1 << ctn_json_kind */

struct ctn_schema_node {
    const ctn_json *source;
    ctn_schema_resource *resource;
    bool never; /* the schema false; true has no keywords */

    /* assertions: NULL or the neutral number when absent */
    uint32_t types; /* 0: any */
    const ctn_json *constant, *enumeration;
    uint64_t value_work; /* of comparing with both */
    const ctn_json *minimum, *maximum, *minimum_exclusive, *maximum_exclusive, *multiple_of;
    uint64_t length_min, length_max, items_min, items_max, members_min, members_max;
    const ctn_regex *pattern;
    ctn_str pattern_text;
    bool unique_items;
    ctn_schema_names required;
    ctn_schema_dependency *dependent_required;
    size_t dependent_required_count;

    /* applicators */
    ctn_schema_node *reference;
    ctn_schema_node *dynamic_reference; /* where it leads without a dynamic scope */
    ctn_str dynamic_name;               /* ptr NULL: like reference */
    ctn_schema_list all_of, any_of, one_of, prefix_items;
    ctn_schema_node *not_, *if_, *then_, *else_;
    ctn_schema_table properties, dependent_schemas;
    ctn_schema_matched *pattern_properties;
    size_t pattern_property_count;
    ctn_schema_node *additional_properties, *property_names, *items, *contains;
    uint64_t contains_min, contains_max;
    ctn_schema_node *unevaluated_items, *unevaluated_properties;
};

struct ctn_schema {
    ctn_schema_node *root;
    ctn_regex **regexes;
    size_t regex_count;
};

/* ---- compile ---- */

/* Where a node is found again: by its place in the tree and the resource around it, for trees may share parts. */
typedef struct ctn_schema_slot {
    const ctn_json *source;
    const ctn_schema_resource *around;
    ctn_schema_node *node;
} ctn_schema_slot;

typedef struct ctn_schema_compiler {
    ctn_arena *arena;
    ctn_err *err;
    const ctn_json *bad_node;
    ctn_schema *schema;
    ctn_schema_node **nodes; /* in order of discovery; compiled in that order, found ones are appended */
    size_t node_count, node_capacity;
    ctn_schema_slot *slots; /* open addressing */
    size_t slot_count, slot_capacity;
    ctn_schema_resource **resources;
    size_t resource_count;
    ctn_schema_anchor *anchors;
    size_t anchor_count, anchor_capacity;
    bool meta_is_loaded;
    size_t regex_capacity;
} ctn_schema_compiler;

/* Sets bad_node, writes the sentence and returns CTN_E_INVALID (or what is given). */
int ctn_schema_refuse(ctn_schema_compiler *c, int code, const ctn_json *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The node of a subschema seen from `around`; scans it and everything below when it is new. NULL around: the
 * document itself, under a base URI of its own. */
int ctn_schema_enter(ctn_schema_compiler *c, const ctn_json *source, ctn_schema_resource *around, uint32_t depth,
                     ctn_schema_node **ret_node);
/* Where a reference leads. *ret_dynamic_name: its fragment, if that names a $dynamicAnchor; ptr NULL otherwise. */
int ctn_schema_find(ctn_schema_compiler *c, const ctn_schema_node *from, const ctn_json *reference,
                    ctn_schema_node **ret_node, ctn_str *ret_dynamic_name);

/* ---- numbers ---- */

bool ctn_schema_is_integer(const ctn_json *number);
/* CTN_OK or CTN_E_LIMIT: numbers of more digits than anybody means. divisor > 0. */
int ctn_schema_is_multiple(const ctn_json *number, const ctn_json *divisor, bool *ret_is_multiple);

/* ---- validate ---- */

/* A call of the walk. The chain of frames is the way to the value and the dynamic scope. */
#define CTN_SCHEMA_FRAMES_MAX 1000u
typedef struct ctn_schema_frame {
    const struct ctn_schema_frame *outer;
    const ctn_schema_resource *resource;
    ctn_str name;   /* of the member stepped into; ptr NULL: none */
    int64_t index;  /* of the item stepped into; -1: none */
    uint32_t depth; /* frames around this one */
    uint32_t deep;  /* steps into the value */
} ctn_schema_frame;

typedef struct ctn_schema_report {
    ctn_err *err;
    uint32_t deep; /* of the value that the sentence is about */
    char pointer[CTN_SCHEMA_POINTER_BYTES];
} ctn_schema_report;
/* The sentence is about this member of what it was about. */
void ctn_schema_point_into(ctn_schema_report *to, ctn_str name);

/* "POINTER: sentence"; returns CTN_E_INVALID. */
int ctn_schema_say(const ctn_schema_frame *f, ctn_schema_report *to, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The value itself when it is short, else what kind of thing it is. */
ctn_str ctn_schema_show(ctn_arena *arena, const ctn_json *v);
/* A name of the schema or the value, in quotes, cut when it is long. */
ctn_str ctn_schema_quote(ctn_arena *arena, ctn_str name);
/* `; did you mean "x"?` or nothing. */
ctn_str ctn_schema_suggest(ctn_arena *arena, ctn_str word, const ctn_str *names, size_t count);
