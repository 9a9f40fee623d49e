/* money.c -- see money.h. */
#include "kit/money.h"

#include <assert.h>
#include <stdio.h>

typedef struct currency {
    const char *code, *symbol;
    int64_t per_10000_gbp; /* units for 10,000 pounds */
} currency;

static const currency CURRENCIES[] = {
    {"GBP", "£", 10000},       {"EUR", "€", 11700},     {"USD", "$", 12800},      {"CAD", "CA$", 17600},
    {"AUD", "A$", 19500},      {"NZD", "NZ$", 21400},   {"CHF", "CHF ", 11200},   {"SEK", "SEK ", 134000},
    {"NOK", "NOK ", 136000},   {"DKK", "DKK ", 87200},  {"PLN", "PLN ", 50100},   {"CZK", "CZK ", 294000},
    {"HUF", "HUF ", 4620000},  {"RON", "RON ", 58300},  {"TRY", "TRY ", 445000},  {"AED", "AED ", 47000},
    {"SAR", "SAR ", 48000},    {"QAR", "QAR ", 46600},  {"INR", "INR ", 1075000}, {"PKR", "PKR ", 3570000},
    {"SGD", "S$", 17100},      {"HKD", "HK$", 99600},   {"JPY", "JPY ", 1930000}, {"CNY", "CNY ", 92500},
    {"KRW", "KRW ", 17700000}, {"THB", "THB ", 433000}, {"MYR", "MYR ", 56500},   {"ZAR", "ZAR ", 232000},
    {"MXN", "MX$", 245000},    {"BRL", "R$", 71000},    {"ILS", "ILS ", 46000},   {"KES", "KES ", 1655000},
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

travel_cents travel_from_pence(travel_cents pence, const char *code)
{
    const currency *c = find(ctn_str_from(code));
    assert(c && pence >= 0 && pence <= TRAVEL_CENTS_MAX);
    return travel_cents_divide(pence * c->per_10000_gbp, 10000);
}

ctn_str travel_cents_text(ctn_arena *arena, travel_cents cents)
{
    const char *sign = cents < 0 ? "-" : "";
    int64_t positive = cents < 0 ? -cents : cents;
    return ctn_arena_printf(arena, "%s%lld.%02lld", sign, (long long) (positive / 100), (long long) (positive % 100));
}

ctn_str travel_cents_shown(ctn_arena *arena, travel_cents cents, const char *code)
{
    const currency *c = find(ctn_str_from(code));
    char digits[32], grouped[48];
    int64_t positive = cents < 0 ? -cents : cents;
    int len = snprintf(digits, sizeof digits, "%lld", (long long) (positive / 100));
    int out = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            grouped[out++] = ',';
        grouped[out++] = digits[i];
    }
    grouped[out] = '\0';
    return ctn_arena_printf(arena, "%s%s%s.%02lld", cents < 0 ? "-" : "", c ? c->symbol : "", grouped,
                            (long long) (positive % 100));
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
