/*
 * shape.h -- what a value must look like for those who read it, and values that look so.
 *
 * A shape gathers the uses of one value: {flight_options.cheapest.total | money: 'EUR'} says that flight_options is an
 * object with an object `cheapest` in it, whose `total` is a number; {status} == 'incomplete' says that 'incomplete'
 * is a value worth trying, and some other one too. Where a JSON Schema is known it has the last word, and the shape
 * chooses among what it allows.
 *
 * Ownership  Everything lives in the arena it was made in. Literals are borrowed from the plan.
 */
#pragma once
#include "base/clock.h"
#include "value/use.h"

typedef struct ctn_shape ctn_shape;

ctn_shape *ctn_shape_new(ctn_arena *arena);
/* The shape of what the parts lead to, made on the way. */
ctn_shape *ctn_shape_at(ctn_shape *shape, const ctn_path_part *parts, size_t count);
ctn_shape *ctn_shape_member(ctn_shape *shape, ctn_str name);
ctn_shape *ctn_shape_items(ctn_shape *shape); /* of a list */
void ctn_shape_use(ctn_shape *shape, ctn_use use, const ctn_json *literal);
/* From here on both are one: what is said of either is said of this. */
void ctn_shape_join(ctn_shape *shape, ctn_shape *other);
/* It should fit this schema, where others say nothing else: an input of a sub-chain. */
void ctn_shape_learn(ctn_shape *shape, const ctn_json *schema);

/* The plainest value, or one by chance. schema may be NULL; name is for texts. */
const ctn_json *ctn_shape_make(const ctn_shape *shape, const ctn_json *schema, ctn_str name, const ctn_rng *chance,
                               ctn_arena *arena);
