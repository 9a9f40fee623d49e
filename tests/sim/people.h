/*
 * people.h -- what a person does in a simulated world, of one node or of several: what he starts with, and how he
 * settles a call of which nobody knows what became of it.
 */
#pragma once
#include "sim/oracle.h"

/* The input of a start. */
const ctn_json *people_input(const oracle *o, ctn_arena *arena);
/* Does this step wait for him? */
bool people_are_asked(const oracle *o, int step);
/* A settlement of the first call of this step that asks, and of which it can be known what became of it; false: none.
 */
bool people_settle(oracle *o, int step, uint64_t *chance, ctn_arena *arena, ctn_input *ret_in);
