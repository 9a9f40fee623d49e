/*
 * rules.c -- see rules.h. Every number is read from its decimal text and bounded here, so that no sum can overflow
 * later.
 */
#include "proposal/rules.h"

#include <assert.h>

enum {
    AMOUNT_MAX = 100000000, /* cents: a million */
    PERCENT_MAX = 100000,   /* hundredths: 1000 % */
    RATE_MAX = 1000000000,  /* 100,000 units for a pound */
    VALID_DAYS_MAX = 365,
};

static const char *const TIER_KEYS[TRAVEL_TIERS] = {"good", "better", "best"};
static const char *const KIND_KEYS[TRAVEL_ITEM_KINDS] = {"flight", "hotel"};

const char *travel_tier_key(travel_tier tier)
{
    return TIER_KEYS[tier];
}

travel_cents travel_percent_of(travel_cents amount, int64_t percent)
{
    return travel_cents_divide(amount * percent, 10000);
}

/* ---- reading ---- */

typedef struct reader {
    const travel_agency *agency;
    ctn_err *err;
} reader;

/* Only these keys may stand in the object. */
static int check_keys(const reader *r, const ctn_json *object, const char *what, const char *const *keys, size_t count)
{
    ctn_str names[16];
    assert(count <= sizeof names / sizeof *names);
    if (!ctn_json_is(object, CTN_JSON_OBJECT))
        return travel_agency_fault(r->agency, object, r->err, "%s must have keys of its own, not %s", what,
                                   ctn_json_kind_name(object));
    for (size_t k = 0; k < count; k++)
        names[k] = ctn_str_from(keys[k]);
    for (size_t i = 0; i < object->count; i++) {
        ctn_str key = ctn_json_text(&object->members[i].key);
        bool is_known = false;
        for (size_t k = 0; k < count; k++)
            is_known = is_known || ctn_str_equal(key, names[k]);
        if (is_known)
            continue;
        ctn_str nearest = ctn_str_nearest(key, names, count);
        return travel_agency_fault(r->agency, &object->members[i].key, r->err, "%s has no \"%.*s\"%s%.*s%s", what,
                                   CTN_STR_ARG(key), nearest.len ? "; did you mean " : "", CTN_STR_ARG(nearest),
                                   nearest.len ? "?" : "");
    }
    return CTN_OK;
}

/* Hundredths of what is written, 4 or "12.50"; absent leaves the default. */
static int read_hundredths(const reader *r, const ctn_json *from, const char *key, int64_t max, int64_t *ret_value)
{
    const ctn_json *v = ctn_json_member_of(from, key);
    travel_cents value;
    if (!v)
        return CTN_OK;
    ctn_str text = ctn_json_text(v);
    size_t point = ctn_str_find(text, CTN_STR("."));
    bool is_fine = point != SIZE_MAX && text.len - point > 3;
    if (is_fine || !travel_cents_parse(text, &value) || value > max)
        return travel_agency_fault(r->agency, v, r->err, "%s must be a number from 0 to %lld with at most two places",
                                   key, (long long) (max / 100));
    *ret_value = value;
    return CTN_OK;
}

static int read_choice(const reader *r, const ctn_json *from, const char *key, const char *const *words, size_t count,
                       size_t *ret_which)
{
    const ctn_json *v = ctn_json_member_of(from, key);
    if (!v)
        return CTN_OK;
    for (size_t i = 0; i < count; i++)
        if (ctn_str_is(ctn_json_text(v), words[i])) {
            *ret_which = i;
            return CTN_OK;
        }
    return travel_agency_fault(r->agency, v, r->err, "%s must be %s%s%s%s%s", key, words[0], count > 2 ? ", " : " or ",
                               words[1], count > 2 ? " or " : "", count > 2 ? words[2] : "");
}

static int read_bool(const reader *r, const ctn_json *from, const char *key, bool *ret_value)
{
    const ctn_json *v = ctn_json_member_of(from, key);
    if (!v)
        return CTN_OK;
    if (!ctn_json_is_bool(v))
        return travel_agency_fault(r->agency, v, r->err, "%s must be true or false", key);
    *ret_value = ctn_json_is(v, CTN_JSON_TRUE);
    return CTN_OK;
}

static int read_list(const reader *r, const ctn_json *section, const char *key, size_t max, const ctn_json **ret_list)
{
    const ctn_json *list = ctn_json_member_of(section, key);
    if (list && (!ctn_json_is(list, CTN_JSON_ARRAY) || ctn_json_count(list) > max))
        return travel_agency_fault(r->agency, list, r->err, "%s must be a list of at most %zu", key, max);
    *ret_list = list;
    return CTN_OK;
}

static int read_markup(const reader *r, const ctn_json *from, travel_markup *ret_markup)
{
    static const char *const keys[] = {"kind", "tier", "percent", "amount", "minimum"};
    size_t kind = TRAVEL_ITEM_KINDS, tier = TRAVEL_TIERS;
    int rc = check_keys(r, from, "a markup", keys, sizeof keys / sizeof *keys);
    if (!rc)
        rc = read_choice(r, from, "kind", KIND_KEYS, TRAVEL_ITEM_KINDS, &kind);
    if (!rc)
        rc = read_choice(r, from, "tier", TIER_KEYS, TRAVEL_TIERS, &tier);
    if (!rc)
        rc = read_hundredths(r, from, "percent", PERCENT_MAX, &ret_markup->percent);
    if (!rc)
        rc = read_hundredths(r, from, "amount", AMOUNT_MAX, &ret_markup->amount);
    if (!rc)
        rc = read_hundredths(r, from, "minimum", AMOUNT_MAX, &ret_markup->minimum);
    for (size_t i = 0; i < TRAVEL_ITEM_KINDS; i++)
        ret_markup->for_kind[i] = kind == TRAVEL_ITEM_KINDS || kind == i;
    for (size_t i = 0; i < TRAVEL_TIERS; i++)
        ret_markup->for_tier[i] = tier == TRAVEL_TIERS || tier == i;
    return rc;
}

/* A text for all languages, or one for each; a language without one has English's, else the first that is there. */
static int read_names(const reader *r, const ctn_json *from, ctn_str names[TRAVEL_LANGUAGES])
{
    static const char *const codes[] = {"en", "es", "fr", "de"};
    const ctn_json *name = ctn_json_member_of(from, "name");
    ctn_str any = ctn_json_text(name);
    if (ctn_json_is(name, CTN_JSON_OBJECT)) {
        int rc = check_keys(r, name, "name", codes, TRAVEL_LANGUAGES);
        if (rc)
            return rc;
        for (int l = TRAVEL_LANGUAGES - 1; l >= 0; l--) {
            names[l] = ctn_json_str_or(name, codes[l], (ctn_str){NULL, 0});
            any = names[l].len ? names[l] : any;
        }
    }
    for (int l = 0; l < TRAVEL_LANGUAGES; l++)
        if (names[l].len == 0)
            names[l] = any;
    if (any.len == 0)
        return travel_agency_fault(r->agency, name ? name : from, r->err, "name must be what clients read, as in %s",
                                   "{en: Booking fee, de: Buchungsgebühr}");
    return CTN_OK;
}

static int read_charge(const reader *r, const ctn_json *from, bool is_tax, travel_charge *ret_charge)
{
    static const char *const fee_keys[] = {"name", "percent", "amount", "per"}, *const tax_keys[] = {"name", "percent",
                                                                                                     "on"};
    static const char *const pers[] = {"booking", "person"}, *const ons[] = {"total", "service"};
    size_t per = 0, on = 0;
    int rc = is_tax ? check_keys(r, from, "a tax", tax_keys, 3) : check_keys(r, from, "a fee", fee_keys, 4);
    if (!rc)
        rc = read_names(r, from, ret_charge->names);
    if (!rc)
        rc = read_hundredths(r, from, "percent", PERCENT_MAX, &ret_charge->percent);
    if (!rc)
        rc = read_hundredths(r, from, "amount", AMOUNT_MAX, &ret_charge->amount);
    if (!rc)
        rc = read_choice(r, from, "per", pers, 2, &per);
    if (!rc)
        rc = read_choice(r, from, "on", ons, 2, &on);
    ret_charge->is_per_person = per == 1;
    ret_charge->on_service = on == 1;
    return rc;
}

/* Units for a pound, to four places, as units for 10,000 pounds. */
static bool rate_of(ctn_str text, int64_t *ret_per_10000)
{
    int64_t value = 0;
    int places = -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.' && places < 0 && i > 0) {
            places = 0;
            continue;
        }
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || places == 4 || value > RATE_MAX)
            return false;
        value = value * 10 + (text.ptr[i] - '0');
        places += places >= 0;
    }
    for (places = places < 0 ? 0 : places; places < 4; places++)
        value *= 10;
    *ret_per_10000 = value;
    return text.len > 0 && value > 0 && value <= RATE_MAX;
}

static int read_rates(const reader *r, const ctn_json *section, travel_pricing_rules *rules)
{
    const ctn_json *rates = ctn_json_member_of(section, "rates");
    if (rates && (!ctn_json_is(rates, CTN_JSON_OBJECT) || ctn_json_count(rates) > TRAVEL_RATES_MAX))
        return travel_agency_fault(r->agency, rates, r->err,
                                   "rates must be currencies with what a pound buys, as in "
                                   "{EUR: 1.17}");
    for (size_t i = 0; i < ctn_json_count(rates); i++) {
        const ctn_json_member *m = &rates->members[i];
        travel_rate *rate = &rules->rates[rules->rate_count++];
        rate->currency = travel_currency_known(ctn_json_text(&m->key));
        if (!rate->currency)
            return travel_agency_fault(r->agency, &m->key, r->err, "\"%.*s\" is no currency that we know",
                                       CTN_STR_ARG(ctn_json_text(&m->key)));
        if (!rate_of(ctn_json_text(&m->value), &rate->per_10000))
            return travel_agency_fault(r->agency, &m->value, r->err,
                                       "a rate must be what one pound buys, up to 100000, with at most four places");
    }
    return CTN_OK;
}

static int read_section(const reader *r, const ctn_json *section, travel_pricing_rules *rules)
{
    static const char *const keys[] = {"currency", "markup",    "fees",       "taxes",        "deposit",
                                       "round_to", "tolerance", "valid_days", "shows_markup", "rates"};
    static const char *const deposit_keys[] = {"percent", "minimum"}, *const tolerance_keys[] = {"percent", "amount"};
    const ctn_json *markups = NULL, *fees = NULL, *taxes = NULL, *v;
    int rc = check_keys(r, section, "pricing", keys, sizeof keys / sizeof *keys);
    if (!rc && (v = ctn_json_member_of(section, "currency"))) {
        rules->currency = travel_currency_known(ctn_json_text(v));
        if (!rules->currency)
            rc = travel_agency_fault(r->agency, v, r->err, "currency must be a code such as GBP or EUR");
    }
    if (!rc)
        rc = read_list(r, section, "markup", TRAVEL_MARKUPS_MAX, &markups);
    if (!rc)
        rc = read_list(r, section, "fees", TRAVEL_CHARGES_MAX, &fees);
    if (!rc)
        rc = read_list(r, section, "taxes", TRAVEL_CHARGES_MAX, &taxes);
    if (markups)
        rules->markup_count = 0;
    for (size_t i = 0; !rc && i < ctn_json_count(markups); i++) {
        rules->markups[i] = (travel_markup){0};
        rc = read_markup(r, ctn_json_at(markups, i), &rules->markups[rules->markup_count++]);
    }
    for (size_t i = 0; !rc && i < ctn_json_count(fees); i++)
        rc = read_charge(r, ctn_json_at(fees, i), false, &rules->fees[rules->fee_count++]);
    for (size_t i = 0; !rc && i < ctn_json_count(taxes); i++)
        rc = read_charge(r, ctn_json_at(taxes, i), true, &rules->taxes[rules->tax_count++]);
    if (!rc && (v = ctn_json_member_of(section, "deposit"))) {
        rc = check_keys(r, v, "deposit", deposit_keys, 2);
        if (!rc)
            rc = read_hundredths(r, v, "percent", 10000, &rules->deposit_percent);
        if (!rc)
            rc = read_hundredths(r, v, "minimum", AMOUNT_MAX, &rules->deposit_minimum);
    }
    if (!rc && (v = ctn_json_member_of(section, "tolerance"))) {
        rules->tolerance_percent = 0;
        rc = check_keys(r, v, "tolerance", tolerance_keys, 2);
        if (!rc)
            rc = read_hundredths(r, v, "percent", 10000, &rules->tolerance_percent);
        if (!rc)
            rc = read_hundredths(r, v, "amount", AMOUNT_MAX, &rules->tolerance_amount);
    }
    if (!rc)
        rc = read_hundredths(r, section, "round_to", AMOUNT_MAX, &rules->round_to);
    if (!rc && rules->round_to < 1)
        rc = travel_agency_fault(r->agency, ctn_json_member_of(section, "round_to"), r->err,
                                 "round_to must be at least 0.01");
    if (!rc && (v = ctn_json_member_of(section, "valid_days"))) {
        int64_t days = 0;
        if (!ctn_json_to_int64(v, &days) || days < 1 || days > VALID_DAYS_MAX)
            rc = travel_agency_fault(r->agency, v, r->err, "valid_days must be a whole number from 1 to %d",
                                     VALID_DAYS_MAX);
        rules->valid_days = (int) days;
    }
    if (!rc)
        rc = read_bool(r, section, "shows_markup", &rules->shows_markup);
    return rc ? rc : read_rates(r, section, rules);
}

int travel_pricing_rules_read(const travel_agency *agency, travel_pricing_rules *ret_rules, ctn_err *err)
{
    const reader r = {agency, err};
    const ctn_json *section = travel_agency_section(agency, "pricing");
    travel_pricing_rules rules = {
        .currency = "GBP",
        .markups = {{.for_tier = {true, true, true}, .for_kind = {[TRAVEL_ITEM_FLIGHT] = true}, .percent = 500},
                    {.for_tier = {true, true, true}, .for_kind = {[TRAVEL_ITEM_HOTEL] = true}, .percent = 1000}},
        .markup_count = 2,
        .deposit_percent = 2000,
        .tolerance_percent = 100,
        .round_to = 1,
        .valid_days = 7,
    };
    int rc = section ? read_section(&r, section, &rules) : CTN_OK;
    if (rc == CTN_OK)
        *ret_rules = rules;
    return rc;
}

int travel_pricing_rules_override(travel_pricing_rules *rules, ctn_str text, ctn_err *err)
{
    ctn_str number = ctn_str_trim(text);
    travel_cents percent;
    if (number.len > 6 && ctn_str_equal_any_case((ctn_str){number.ptr, 6}, CTN_STR("markup")))
        number = ctn_str_trim(ctn_str_from_offset(number, 6));
    if (ctn_str_ends_with(number, CTN_STR("%")))
        number = ctn_str_trim((ctn_str){number.ptr, number.len - 1});
    if (!travel_cents_parse(number, &percent) || percent > PERCENT_MAX)
        return ctn_fail(err, CTN_E_INVALID, "markup must be a percentage up to 1000, as in \"7.5 %%\"");
    rules->markups[0] = (travel_markup){.for_tier = {true, true, true}, .for_kind = {true, true}, .percent = percent};
    rules->markup_count = 1;
    return CTN_OK;
}

/* ---- currencies ---- */

static int64_t rate_for(const travel_pricing_rules *rules, const char *currency)
{
    for (size_t i = 0; i < rules->rate_count; i++)
        if (strcmp(rules->rates[i].currency, currency) == 0)
            return rules->rates[i].per_10000;
    return travel_currency_per_10000(currency);
}

int travel_pricing_convert(const travel_pricing_rules *rules, travel_cents amount, const char *currency,
                           travel_cents *ret_amount, ctn_err *err)
{
    assert(amount >= 0 && amount <= AMOUNT_MAX);
    int64_t from = rate_for(rules, rules->currency), to = rate_for(rules, currency);
    travel_cents converted = strcmp(rules->currency, currency) == 0 ? amount : travel_cents_divide(amount * to, from);
    if (converted > TRAVEL_CENTS_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "an amount of agency.yaml is too large in %s", currency);
    *ret_amount = travel_cents_round(converted, currency);
    return CTN_OK;
}
