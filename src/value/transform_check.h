/*
 * transform_check.h -- what a jq program of a `transform` may not say, found without jq.
 *
 * A transform is a pure function of its arguments: in a replay, a simulation or a second attempt it must come to the
 * same. So whatever makes jq look at the clock, the environment, other inputs or files, or write something beside its
 * result, is refused when the instruction set is read. This is a tokenizer, not a parser: whether the program is
 * good jq at all is jq's to say (ctn_check_options.compile). It knows jq 1.6's tokens well enough to tell a call from
 * a field (.now), a key of an object ({now: 1}), a variable ($now), the text of a string and a comment.
 *
 * A program that defines such a name itself (def now: 1;) is refused as well: one name, one meaning.
 */
#pragma once
#include "base/err.h"
#include "base/str.h"

#define CTN_TRANSFORM_BYTES_MAX 65536

/* CTN_OK, or CTN_E_INVALID with a sentence that names the word, says why and what to do instead; err->column is the
 * character it begins at, counted in bytes from 1 (the program is one text, whatever its lines). CTN_E_LIMIT: longer
 * than CTN_TRANSFORM_BYTES_MAX, or nested deeper than 200. */
int ctn_transform_check(ctn_str program, ctn_err *err);
