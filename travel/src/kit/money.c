/* money.c -- see money.h. */
#include "kit/money.h"

#include <assert.h>
#include <stdio.h>

typedef struct currency {
    const char *code;
    int64_t per_10000_gbp; /* units for 10,000 pounds */
    int places;
} currency;

static const currency CURRENCIES[] = {
    {"GBP", 10000, 2},  {"EUR", 11700, 2},   {"USD", 12800, 2},   {"CAD", 17600, 2},   {"AUD", 19500, 2},
    {"NZD", 21400, 2},  {"CHF", 11200, 2},   {"SEK", 134000, 2},  {"NOK", 136000, 2},  {"DKK", 87200, 2},
    {"PLN", 50100, 2},  {"CZK", 294000, 2},  {"HUF", 4620000, 0}, {"RON", 58300, 2},   {"TRY", 445000, 2},
    {"AED", 47000, 2},  {"SAR", 48000, 2},   {"QAR", 46600, 2},   {"INR", 1075000, 2}, {"PKR", 3570000, 0},
    {"SGD", 17100, 2},  {"HKD", 99600, 2},   {"JPY", 1930000, 0}, {"CNY", 92500, 2},   {"KRW", 17700000, 0},
    {"THB", 433000, 2}, {"MYR", 56500, 2},   {"ZAR", 232000, 2},  {"MXN", 245000, 2},  {"BRL", 71000, 2},
    {"ILS", 46000, 2},  {"KES", 1655000, 2},
};

static const currency *find(ctn_str code)
{
    for (size_t i = 0; i < sizeof CURRENCIES / sizeof *CURRENCIES; i++)
        if (ctn_str_is(code, CURRENCIES[i].code))
            return &CURRENCIES[i];
    return NULL;
}

const char *travel_currency_known(ctn_str code)
{
    const currency *c = find(code);
    return c ? c->code : NULL;
}

travel_cents travel_cents_divide(travel_cents cents, int64_t by)
{
    assert(by > 0 && cents >= 0);
    return (cents + by / 2) / by;
}

int64_t travel_currency_per_10000(const char *code)
{
    const currency *c = find(ctn_str_from(code));
    assert(c);
    return c->per_10000_gbp;
}

int travel_currency_places(const char *code)
{
    const currency *c = find(ctn_str_from(code));
    return c ? c->places : 2;
}

travel_cents travel_cents_round(travel_cents cents, const char *code)
{
    return travel_currency_places(code) == 0 ? travel_cents_divide(cents, 100) * 100 : cents;
}

travel_cents travel_from_pence(travel_cents pence, const char *code)
{
    const currency *c = find(ctn_str_from(code));
    assert(c && pence >= 0 && pence <= TRAVEL_CENTS_MAX);
    return travel_cents_round(travel_cents_divide(pence * c->per_10000_gbp, 10000), code);
}

ctn_str travel_cents_text(ctn_arena *arena, travel_cents cents)
{
    const char *sign = cents < 0 ? "-" : "";
    int64_t positive = cents < 0 ? -cents : cents;
    return ctn_arena_printf(arena, "%s%lld.%02lld", sign, (long long) (positive / 100), (long long) (positive % 100));
}

bool travel_cents_parse(ctn_str text, travel_cents *ret_cents)
{
    int64_t whole = 0, fraction = 0;
    size_t i = 0;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
        whole = whole * 10 + (text.ptr[i] - '0');
        if (whole > TRAVEL_CENTS_MAX / 100)
            return false;
    }
    if (i == 0)
        return false;
    bool rounds_up = false;
    if (i < text.len && text.ptr[i] == '.') {
        size_t start = ++i;
        for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
            if (i - start < 2)
                fraction = fraction * 10 + (text.ptr[i] - '0');
            else if (i - start == 2)
                rounds_up = text.ptr[i] >= '5';
        }
        if (i == start)
            return false;
        if (i - start == 1)
            fraction *= 10;
    }
    if (i != text.len)
        return false;
    *ret_cents = whole * 100 + fraction + (rounds_up ? 1 : 0);
    return true;
}
