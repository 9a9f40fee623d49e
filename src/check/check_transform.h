/*
 * check_transform.h -- the jq programs of the library's instruction sets, compiled by whoever can (check.h, `compile`).
 *
 * A program that does not compile is a fault of its set, told like the set's other faults: an error (bad-expression)
 * at the program, and one at each step that uses the set.
 */
#pragma once
#include "check/check.h"

/* As ctn_check; CTN_OK at once when options ask nobody. */
int ctn_check_transforms(const ctn_library *library, const ctn_source *source, const ctn_check_options *options,
                         ctn_findings *findings);
