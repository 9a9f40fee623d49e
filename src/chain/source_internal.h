/*
 * source_internal.h -- what the two halves of source share: source.c keeps the text and the places,
 * source_yaml.c turns libyaml's events into the tree. Nobody else includes this.
 *
 * A place is one byte offset into the copied text; lines and columns are looked up when somebody asks, because most
 * nodes are never complained about.
 */
#pragma once
#include "chain/source.h"

#define CTN_SOURCE_BYTES_MAX       (16u << 20) /* of one file */
#define CTN_SOURCE_ALIAS_BYTES_MAX (8u << 20)  /* that aliases may add to the tree, counted as if copied */
#define CTN_SOURCE_ANCHORS_MAX     1000
#define CTN_SOURCE_FAULTS_MAX      50 /* after which a file is not worth reading on */
#define CTN_SOURCE_WEIGHT          sizeof(ctn_json)

typedef struct ctn_source_place {
    const ctn_json *node; /* NULL: an empty slot */
    uint32_t offset;
} ctn_source_place;

typedef struct ctn_source_span {
    uint32_t begin, end;
} ctn_source_span;

struct ctn_source {
    ctn_arena *arena;
    ctn_str file_name;
    ctn_str text;
    bool is_json;
    const ctn_json *root;
    uint32_t *lines; /* offset of the first byte of each line */
    size_t line_count;
    ctn_source_place *places; /* open addressing, a power of two, at most half full */
    size_t place_count, place_capacity;
    ctn_source_span *blocks; /* scalars of several lines, in order: a '#' in there is no comment */
    size_t block_count, block_capacity;
};

void ctn_source_put_place(ctn_source *s, const ctn_json *node, size_t offset);
void ctn_source_put_block(ctn_source *s, size_t begin, size_t end);
ctn_position ctn_source_position_at(const ctn_source *s, size_t offset);

/* Sets s->root; false when the file has faults, which are findings by then. */
bool ctn_source_read_yaml(ctn_source *s, ctn_findings *findings);
