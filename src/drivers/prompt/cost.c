/*
 * cost.c -- see cost.h.
 */
#include "drivers/prompt/cost.h"
#include "value/decimal.h"
#include <stdio.h>

#define FRAME_TOKENS                                                                                                   \
    640 /* what servers put around it: marks of roles some ten, a tool that must be called some 350                    \
         */

static size_t bytes_of(const ctn_chat_ask *ask)
{
    return ask->instructions.len + ask->input.len + ask->refused.len + ask->objection.len +
           (ask->schema ? ctn_json_bytes(ask->schema) : 0);
}

ctn_prompt_use ctn_prompt_use_most(const ctn_chat_ask *ask)
{
    return (ctn_prompt_use){.input = (int64_t) bytes_of(ask) + FRAME_TOKENS, .output = ask->tokens_max};
}

ctn_prompt_use ctn_prompt_use_told(const ctn_chat_ask *ask, const ctn_chat_answer *answer)
{
    ctn_prompt_use use = ctn_prompt_use_most(ask);
    int64_t text = (int64_t) answer->text.len;
    if (answer->input_tokens != CTN_CHAT_UNTOLD)
        use.input = answer->input_tokens;
    if (answer->cached_tokens > 0)
        use.cached = answer->cached_tokens < use.input ? answer->cached_tokens : use.input;
    if (answer->is_over && answer->output_tokens != CTN_CHAT_UNTOLD)
        use.output = answer->output_tokens;
    else if (answer->is_over && text < use.output) /* not counted, and all of it is here */
        use.output = text;
    return use;
}

void ctn_prompt_use_add(ctn_prompt_use *sum, const ctn_prompt_use *more)
{
    sum->input += more->input;
    sum->cached += more->cached;
    sum->output += more->output;
}

/* sum += tokens * price */
static bool add(ctn_decimal *sum, int64_t tokens, ctn_str price)
{
    ctn_decimal a, b;
    char number[24];
    ctn_decimal_init(&a);
    ctn_decimal_init(&b);
    (void) snprintf(number, sizeof number, "%lld", (long long) tokens);
    bool is_good = ctn_decimal_parse(&a, ctn_str_from(number)) && ctn_decimal_parse(&b, price) &&
                   !ctn_decimal_multiply(&a, &a, &b) && !ctn_decimal_add(sum, sum, &a);
    ctn_decimal_done(&a);
    ctn_decimal_done(&b);
    return is_good;
}

ctn_str ctn_prompt_use_money(ctn_arena *arena, const ctn_prompt_price *price, const ctn_prompt_use *use)
{
    ctn_str money = {0};
    ctn_decimal sum, millionth;
    if (!price->input.len)
        return money;
    ctn_decimal_init(&sum);
    ctn_decimal_init(&millionth);
    if (ctn_decimal_parse(&millionth, CTN_STR("0.000001")) && add(&sum, use->input - use->cached, price->input) &&
        add(&sum, use->cached, price->cached.len ? price->cached : price->input) &&
        add(&sum, use->output, price->output) && !ctn_decimal_multiply(&sum, &sum, &millionth))
        money = ctn_decimal_to_str(arena, &sum);
    ctn_decimal_done(&sum);
    ctn_decimal_done(&millionth);
    return money;
}
