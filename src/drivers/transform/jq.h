/*
 * jq.h -- jq programs on our values, in this process: what a transform's worker does. libjq is in here and
 * nowhere else.
 *
 * jq knows doubles only. So that nothing is rounded unseen, a number over 2^53 (and one that is too large or too small
 * for a double) is refused on its way in, by its path. A number with a fraction that comes out as it went in keeps its
 * text (19.90, 34 digits of a third); every other number is written in the shortest way that reads back as the same
 * double, a whole one without a fraction.
 *
 * Compiled programs are kept, the last CTN_JQ_PROGRAMS_MAX of them: compiling takes 20 ms, running microseconds.
 *
 * A program may loop, fill the memory, or crash jq (a value nested a million deep): that is why this is run in a
 * process of its own. Threads: one.
 */
#pragma once
#include "base/json.h"

#define CTN_JQ_PROGRAMS_MAX  32
#define CTN_JQ_MESSAGE_BYTES 300                 /* of what a program raises */
#define CTN_JQ_BYTES_MAX     ((size_t) 15 << 20) /* of a result as JSON, give or take what is escaped */
#define CTN_JQ_DEPTH_MAX     120                 /* of a result; JSON's own limit leaves room for a message around it */

/* Also the codes of a worker's error answers. */
typedef enum ctn_jq_outcome {
    CTN_JQ_OK,
    CTN_JQ_BAD_PROGRAM, /* it does not compile */
    CTN_JQ_BAD_INPUT,   /* a number that jq cannot hold */
    CTN_JQ_FAILED,      /* the program raised an error */
    CTN_JQ_NO_RESULT,
    CTN_JQ_SEVERAL_RESULTS,
    CTN_JQ_LIMIT, /* the result is too large or too deep */
} ctn_jq_outcome;

typedef struct ctn_jq ctn_jq;
/* out_of_memory: called when jq gets none; it does not return. NULL: jq aborts. */
ctn_jq *ctn_jq_new(void (*out_of_memory)(void *ctx));
void ctn_jq_free(ctn_jq *jq); /* NULL is fine */
/* OK or BAD_PROGRAM, with jq's sentence; kept for a run. */
ctn_jq_outcome ctn_jq_compile(ctn_jq *jq, ctn_str program, ctn_err *err);
/* The one value that the program makes of input; it lives in the arena. */
ctn_jq_outcome ctn_jq_run(ctn_jq *jq, ctn_str program, const ctn_json *input, ctn_arena *arena,
                          const ctn_json **ret_value, ctn_err *err);
