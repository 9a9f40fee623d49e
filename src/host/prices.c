/*
 * prices.c -- see prices.h.
 */
#include "host/prices.h"

typedef struct price_row {
    const char *model, *input, *cached, *output;
    const char *day, *list;
} price_row;

static const price_row ROWS[] = {
#define PRICE(model, input, cached, output, day, list) {model, input, cached, output, day, list},
#include "host/prices.data"
#undef PRICE
};

/* "-20250929" or "-2025-04-14" */
static bool is_date(ctn_str text)
{
    size_t digits = 0, others = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool is_digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        digits += is_digit;
        others += !is_digit && text.ptr[i] != '-';
    }
    return text.len && text.ptr[0] == '-' && digits == 8 && others == 0;
}

ctn_prompt_price ctn_price_of(ctn_str model)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        ctn_str name = ctn_str_from(ROWS[i].model);
        if (!ctn_str_starts_with(model, name))
            continue;
        ctn_str rest = ctn_str_from_offset(model, name.len);
        if (!rest.len || is_date(rest))
            return (ctn_prompt_price){.input = ctn_str_from(ROWS[i].input),
                                      .output = ctn_str_from(ROWS[i].output),
                                      .cached = ctn_str_from(ROWS[i].cached)};
    }
    return (ctn_prompt_price){0};
}
