/*
 * cost.h -- what requests to a model use up: tokens, and money by the model's prices. Decimal throughout.
 *
 * What a server tells is believed. What it does not tell (it was cut off, it does not count) is taken at its most, so
 * that a budget is not exceeded by what nobody saw: a token is a byte of text at least, so an input has no more of them
 * than bytes, and some hundreds for what the server puts around it; an answer has no more than it was allowed.
 */
#pragma once
#include "base/arena.h"
#include "wire/chat.h"

/* Per million tokens, as JSON numbers; input empty: not known. */
typedef struct ctn_prompt_price {
    ctn_str input, output;
    ctn_str cached; /* of the input, what the server had in its cache; empty: as the rest */
} ctn_prompt_price;

typedef struct ctn_prompt_use {
    int64_t input, cached, output; /* cached is a part of input */
} ctn_prompt_use;

/* The most that one request with this question can use. */
ctn_prompt_use ctn_prompt_use_most(const ctn_chat_ask *ask);
/* What it did use: as `answer` tells, and the most where it does not. */
ctn_prompt_use ctn_prompt_use_told(const ctn_chat_ask *ask, const ctn_chat_answer *answer);
void ctn_prompt_use_add(ctn_prompt_use *sum, const ctn_prompt_use *more);
static inline int64_t ctn_prompt_use_tokens(const ctn_prompt_use *use)
{
    return use->input + use->output;
}
/* A JSON number; empty when the price is not known. */
ctn_str ctn_prompt_use_money(ctn_arena *arena, const ctn_prompt_price *price, const ctn_prompt_use *use);
