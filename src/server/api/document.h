/*
 * document.h -- the OpenAPI document: its parts, which are built into the program (openapi/, embed.cmake), made one.
 *
 * openapi/api.yaml has what there is once (info, what all answers share); every other part adds `tags`, `paths` and
 * `components`. A path or a component that two parts have is a bug, as is a part that does not read: an assert.
 */
#pragma once
#include "base/json.h"

typedef struct ctn_api_part {
    const char *name; /* "chains.yaml" */
    const unsigned char *bytes;
    size_t count;
} ctn_api_part;

extern const ctn_api_part ctn_api_parts[]; /* generated */
extern const size_t ctn_api_part_count;

/* Lives in the arena. */
const ctn_json *ctn_api_document(ctn_arena *arena);
/* What a value of the document means: itself, or where its $ref leads. */
const ctn_json *ctn_api_resolve(const ctn_json *document, const ctn_json *value);
