/*
 * schema_change.h -- what became of a JSON Schema: which changes leave what fitted before fitting, and which do not.
 *
 * Schemas of tools are compared: one side takes values (arguments), one gives them (results). A change narrows when a
 * call that went well before may not go well now: a value that was taken is refused, or what is given may be what it
 * never was. A change of meaning leaves every value fitting and yet says another thing of it: another description,
 * another default.
 *
 * The comparison is of the schemas' words and never guesses: what it cannot compare (if, not, patterns, ...) and is not
 * the same is narrower. References within a schema are followed.
 *
 * Ownership  Sentences live in the arena.
 * Limits     Depth, size and the number of changes that are told are bounded: a server chooses its schemas, and is not to
 *            choose our time. Beyond, it cannot be compared; of the changes one says that there are more.
 */
#pragma once
#include "base/json.h"

typedef enum ctn_change_class {
    CTN_CHANGE_NONE,
    CTN_CHANGE_COMPATIBLE,
    CTN_CHANGE_NARROWING,
    CTN_CHANGE_MEANING,
} ctn_change_class;
/* "none", "compatible", "narrowing", "meaning" */
const char *ctn_change_class_name(ctn_change_class class_);

typedef struct ctn_change {
    ctn_change_class class_;
    ctn_str sentence; /* "it needs a new argument 'currency'" */
} ctn_change;

typedef struct ctn_changes {
    ctn_arena *arena;
    ctn_change *items;
    size_t count, capacity;
} ctn_changes;
#define CTN_CHANGES_MAX 100
/* Beyond CTN_CHANGES_MAX the last one says "and more", and is as bad as the worst of those. */
void ctn_changes_add(ctn_changes *changes, ctn_change_class class_, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
ctn_change_class ctn_changes_worst(const ctn_changes *changes);

typedef enum ctn_schema_side {
    CTN_SCHEMA_TAKES, /* arguments */
    CTN_SCHEMA_GIVES, /* results */
} ctn_schema_side;
/* from, to: NULL: nothing is said, so anything goes. */
void ctn_schema_changes(ctn_changes *changes, const ctn_json *from, const ctn_json *to, ctn_schema_side side);
