/*
 * judge.h -- what the end of a request to a model means for the step: a code to branch on and a sentence to read.
 *
 *   could not be reached, lost        transport        429                              rate_limited
 *   took too long, fell silent        timeout          408, 409, 5xx, 529               unavailable
 *   401, 403, no credit               denied           too much for the model, 413      limit
 *   404 and any other 4xx             invalid_input    cut at maxTokens, too large      limit
 *   refused by the model, filtered    tool_error       of another form, empty           invalid_output
 *   anything else                     protocol_error
 *
 * What a server says of a refused key is not repeated, for some repeat the key; of a sensitive call nothing it says is.
 */
#pragma once
#include "drivers/prompt/exchange.h"
#include "drivers/prompt/prompt.h"

typedef struct ctn_prompt_verdict {
    ctn_failure failure; /* NONE: the answer is whole, and not empty */
    ctn_str message;
    int64_t retry_after_ms;
    bool is_used; /* tokens may have been used up */
} ctn_prompt_verdict;

ctn_prompt_verdict ctn_prompt_judge(ctn_arena *arena, const ctn_prompt_model *model, const ctn_prompt_outcome *outcome,
                                    int64_t tokens_max, bool is_sensitive);
