/*
 * schema_dice.h -- values by chance for a JSON Schema out of an OpenAPI document: such as it takes, and such as it may
 * not take. Whether it does is for the schema's validator to say: the dice know the keywords that our document uses,
 * and their pattern's samples are tried.
 */
#pragma once
#include "base/clock.h"
#include "base/json.h"

typedef struct dice {
    ctn_arena *arena;
    const ctn_json *document; /* where $ref leads */
    ctn_rng rng;
} dice;

uint64_t dice_below(dice *d, uint64_t bound);
/* What a value of the document means: itself, or where its $ref leads. */
const ctn_json *dice_resolve(const dice *d, const ctn_json *value);
const ctn_json *dice_value(dice *d, const ctn_json *schema, unsigned depth);
/* The same with something changed, somewhere. */
const ctn_json *dice_spoil(dice *d, const ctn_json *value);
/* {components, allOf: [schema]}: what can be compiled by itself. */
const ctn_json *dice_schema_alone(const dice *d, const ctn_json *schema);
