/*
 * load.h -- clients of a fleet: they start executions at whatever node answers, ask again with the same idempotency key
 * until somebody says that it is on disk, and answer what waits for a person, at any node too.
 */
#pragma once
#include "fleet/audit.h"
#include "fleet/nodes.h"

typedef struct load load;

typedef struct load_counts {
    size_t acknowledged, asked, unanswered, refused; /* requests to start: in all, without an answer, with 4xx or 5xx */
    size_t asked_twice;                              /* starts that were sent to a second node as well */
    size_t answers;                                  /* of waiting ones that were taken */
} load_counts;

/* So many executions, at most so many a second (0: as fast as they are taken); begins at once, on threads of its own.
 */
load *load_start(nodes *all, size_t executions, unsigned per_second);
bool load_is_done(load *l); /* each is acknowledged, and what waits has been answered */
void load_end(load *l);     /* stops asking */
void load_free(load *l);
load_counts load_counted(load *l);
/* NULL, or what cannot be: two executions of one key, a start that was refused for good. */
const char *load_broken(load *l);
/* What was acknowledged, by time; *ret_count of them. After the end. */
const audit_accepted *load_accepted(load *l, size_t *ret_count);
