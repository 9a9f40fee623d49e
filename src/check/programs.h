/*
 * programs.h -- the jq programs of transforms, compiled by whoever can (options.h, `compile`).
 *
 * A program that does not compile is a fault of its set, told like the set's other faults: an error (bad-expression)
 * at the program, and one at each step that uses the set. Each set's programs are compiled once.
 */
#pragma once
#include "chain/library.h"
#include "check/options.h"

typedef struct ctn_programs ctn_programs;

ctn_programs *ctn_programs_new(ctn_arena *arena, const ctn_library *library, const ctn_check_options *options,
                               ctn_findings *findings);
/* False: a program does not compile. Where nobody compiles, all do. */
bool ctn_programs_check_set(ctn_programs *programs, const ctn_instruction_set *set);
bool ctn_programs_check_chain(ctn_programs *programs, const ctn_chain *chain);
