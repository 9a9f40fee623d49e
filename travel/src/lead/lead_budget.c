/*
 * lead_budget.c -- for how much: amount, currency, per whom.
 *
 * Every sum of money in the text is a candidate. The total beats a price per person, that beats one per night; among
 * equals the last one counts, because clients correct themselves.
 */
#include "lead/lead_parts.h"

#include <inttypes.h>

#define SIGN                                                                                                           \
    "(us ?\\$|ca ?\\$|a ?\\$|nz "                                                                                      \
    "?\\$|[\\x80\\xA3$]|\\b(?:gbp|eur|usd|cad|aud|nzd|chf|sek|nok|dkk|pln|aed|sgd|hkd|zar|inr|jpy) ?)"
#define UNIT                                                                                                           \
    "(\\x80|\\xA3|\\$|quid|pounds?(?: sterling)?|gbp|euros?|eur|bucks|dollars?|us dollars|usd|us\\$|\\$ "              \
    "?cad|cad|aud|nzd|chf|francs?|franken|sek|nok|dkk|kronor|kroner|pln|zloty|aed|dirhams?|sgd|hkd|zar|rand|inr|"      \
    "rupees|jpy|yen)(?![a-z])"
#define AMOUNT "(\\d{1,3}(?:[.,' ]\\d{3})+(?:[.,]\\d{2})?|\\d+(?:[.,]\\d{1,2})?)"
#define SCALE  "( ?(?:k|grand|thousand|mil|mille|tausend)(?![a-z]))?"

typedef struct candidate {
    ctn_str amount;
    const char *currency, *per;
    int rank;
} candidate;

static const char *currency_of(const lead *l, ctn_str sign)
{
    static const struct {
        const char *word, *code;
    } words[] = {
        {"\xA3", "GBP"},   {"quid", "GBP"},  {"pound", "GBP"}, {"gbp", "GBP"},   {"\x80", "EUR"},   {"euro", "EUR"},
        {"eur", "EUR"},    {"us", "USD"},    {"usd", "USD"},   {"ca$", "CAD"},   {"ca $", "CAD"},   {"cad", "CAD"},
        {"$ cad", "CAD"},  {"$cad", "CAD"},  {"aud", "AUD"},   {"a$", "AUD"},    {"a $", "AUD"},    {"nz", "NZD"},
        {"chf", "CHF"},    {"franc", "CHF"}, {"frank", "CHF"}, {"sek", "SEK"},   {"kronor", "SEK"}, {"nok", "NOK"},
        {"kroner", "NOK"}, {"dkk", "DKK"},   {"pln", "PLN"},   {"zloty", "PLN"}, {"aed", "AED"},    {"dirham", "AED"},
        {"sgd", "SGD"},    {"hkd", "HKD"},   {"zar", "ZAR"},   {"rand", "ZAR"},  {"inr", "INR"},    {"rupee", "INR"},
        {"jpy", "JPY"},    {"yen", "JPY"},
    };
    static const struct {
        const char *country, *code;
    } dollars[] = {
        {"Canada", "CAD"}, {"Australia", "AUD"}, {"New Zealand", "NZD"}, {"Singapore", "SGD"}, {"Hong Kong", "HKD"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (ctn_str_starts_with(sign, ctn_str_from(words[i].word)))
            return words[i].code;
    if (!ctn_str_starts_with(sign, CTN_STR("$")) && !ctn_str_starts_with(sign, CTN_STR("dollar")) &&
        !ctn_str_starts_with(sign, CTN_STR("bucks")))
        return NULL;
    for (size_t i = 0; l->origin_country && i < sizeof dollars / sizeof *dollars; i++)
        if (strcmp(l->origin_country, dollars[i].country) == 0)
            return dollars[i].code;
    return "USD";
}

/* "2.900" -> 2900, "1,6" + k -> 1600, "11,500.50" -> 11500.50: as JSON number text. */
static ctn_str number_text(lead *l, ctn_str amount, bool thousands)
{
    char whole[32], fraction[4] = "";
    size_t len = 0, part = 0;
    bool in_fraction = false;
    for (size_t i = 0; i < amount.len; i++) {
        char c = amount.ptr[i];
        if (c >= '0' && c <= '9') {
            if (in_fraction && part < 3)
                fraction[part++] = c;
            else if (!in_fraction && len < 12)
                whole[len++] = c;
            continue;
        }
        size_t run = 0;
        while (i + 1 + run < amount.len && amount.ptr[i + 1 + run] >= '0' && amount.ptr[i + 1 + run] <= '9')
            run++;
        in_fraction = run != 3 && (c == '.' || c == ',');
    }
    fraction[part] = '\0';
    int64_t value = 0;
    if (!ctn_str_to_int64((ctn_str){whole, len}, &value))
        return (ctn_str){NULL, 0};
    if (thousands) {
        int64_t thousandths = 0;
        for (size_t i = 0; i < 3; i++)
            thousandths = thousandths * 10 + (i < part ? fraction[i] - '0' : 0);
        return ctn_arena_printf(l->arena, "%" PRId64, value * 1000 + thousandths);
    }
    if (part == 0 || strcmp(fraction, "00") == 0 || strcmp(fraction, "0") == 0)
        return ctn_arena_printf(l->arena, "%lld", (long long) value);
    return ctn_arena_printf(l->arena, "%lld.%s", (long long) value, fraction);
}

static size_t sentence_start(ctn_str text, size_t at)
{
    size_t least = at > 60 ? at - 60 : 0; /* farther back nothing is about this sum */
    while (at > least && !strchr("\n!?;", text.ptr[at - 1]) &&
           !(text.ptr[at - 1] == ' ' && at > 1 && text.ptr[at - 2] == '.'))
        at--;
    return at;
}

#define IS_PERSON                                                                                                      \
    "\\b(?:each|pp|p\\.?p\\.?|p/p|per (?:person|head|pax|adult)|a (?:head|person|piece)|apiece|pro "                   \
    "(?:person|kopf|nase)|por (?:persona|cabeza)|par (?:personne|tete)|chacun|jeweils)(?![a-z])"
#define IS_NIGHT                                                                                                       \
    "(?:/|\\b(?:per|a|each|pro|por|par) ?)(?:room[ /]?(?:per |a )?)?(?:night|nacht|noche|nuit)\\b|\\bnightly\\b"
#define IS_TOTAL                                                                                                       \
    "\\b(?:total|all in\\b(?! ?cl)|altogether|in all|between (?:us|the (?:\\w+ )?of us|all \\w+ of us)|for (?:the "    \
    "(?:\\w+ of us|lot|family|group|everything|whole)|(?:all|both|everything|everyone|everybody)(?: of us)?|us "       \
    "(?:all|both))|"                                                                                                   \
    "per (?:couple|family)|the lot|en (?:total|tout)|insgesamt|gesamt|pour (?:nous|tous|tout|le tout|les)[a-z "        \
    "]*|para todos|total(?:es)?|fur alle|zusammen|the pot)\\b"

static const char *per_of(lead *l, ctn_str text, size_t start, size_t end, int *ret_rank)
{
    size_t stop = end;
    while (
        stop < text.len && stop - end < 48 && !strchr("\n;!?", text.ptr[stop]) &&
        !(text.ptr[stop] == '.' && (stop + 1 == text.len || text.ptr[stop + 1] == ' ' || text.ptr[stop + 1] == '\n')))
        stop++;
    ctn_str after = {text.ptr + end, stop - end};
    size_t back = sentence_start(text, start);
    ctn_str before = {text.ptr + back, start - back};
    lead_match person, total, night;
    bool is_person = lead_find(l->rules, IS_PERSON, after, 0, &person),
         is_total = lead_find(l->rules, IS_TOTAL, after, 0, &total),
         is_night = lead_find(l->rules, IS_NIGHT, after, 0, &night);
    *ret_rank = 2;
    if (is_night && (!is_person || night.start < person.start) && (!is_total || night.start < total.start)) {
        *ret_rank = 1;
        return "night";
    }
    if (is_person && (!is_total || person.start < total.start))
        return "person";
    if (is_total || lead_has(l->rules, IS_TOTAL, before)) {
        *ret_rank = 3;
        return "total";
    }
    if (lead_has(l->rules, IS_NIGHT, before)) {
        *ret_rank = 1;
        return "night";
    }
    return lead_has(l->rules, IS_PERSON, before) ? "person" : NULL;
}

static void consider(lead *l, ctn_str text, size_t start, size_t end, ctn_str amount, bool thousands, ctn_str sign,
                     candidate *best)
{
    candidate c = {.amount = number_text(l, amount, thousands), .currency = currency_of(l, sign)};
    c.per = per_of(l, text, start, end, &c.rank);
    if (c.amount.len == 0 || ctn_str_is(c.amount, "0") ||
        lead_before(
            l->rules,
            "\\b(?:costs?|fee(?: only)?|deposit|paid|was|saved|refund|insurance|save|off) ?(?:of |only |was )?$", text,
            start, 24, NULL))
        return;
    /* the upper end of a range comes second and has the unit: "8-10k usd" is one match whose amount is the 10 */
    if (best->amount.len == 0 || c.rank >= best->rank)
        *best = c;
}

static int word_value(ctn_str word)
{
    return lead_number(word);
}

static void find_spoken(lead *l, ctn_str text, candidate *best)
{
    lead_match m;
    for (size_t from = 0;
         lead_find(l->rules,
                   "\\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
                   "sixteen|eighteen|twenty|a|thirty|fifty) (hundred|thousand|grand)(?: (?:and "
                   ")?(one|two|three|four|five|six|seven|eight|nine) hundred)?(?: " UNIT ")?",
                   text, from, &m);
         from = m.end) {
        bool is_money =
            m.group[4].len > 0 || ctn_str_is(m.group[2], "grand") ||
            lead_before(l->rules, "\\b(?:budget|spend|around|about|up to|max\\w*|have|afford|manage)\\b[^.\\n]{0,14}$",
                        text, m.start, 30, NULL);
        int value = word_value(m.group[1]) * (ctn_str_is(m.group[2], "hundred") ? 100 : 1000);
        if (m.group[3].len > 0)
            value += word_value(m.group[3]) * 100;
        if (is_money && value > 0)
            consider(l, text, m.start, m.end, ctn_arena_printf(l->arena, "%d", value), false, m.group[4], best);
    }
}

static void find_sums(lead *l, ctn_str text, bool is_field, candidate *best)
{
    lead_match m;
    bool names_budget =
        lead_has(l->rules, "budget|spend|presupuesto|afford|\\bgo (?:up )?to\\b|stretch to|\\bmax", text);
    static const char SUM[] =
        "(?<![\\w.,])(?:(?:" SIGN ") ?)?(?:\\d[\\d.,]*k? ?(?:-|to|or|/) ?(?:[\\x80\\xA3$] ?)?)?" AMOUNT SCALE
        "(?: ?-? ?" UNIT ")?(?![\\d:])";
    for (size_t from = 0; lead_find(l->rules, SUM, text, from, &m); from = m.end > m.start ? m.end : m.start + 1) {
        ctn_str sign =
            m.group[4].len > 0 && !(m.group[1].len > 0 && ctn_str_is(m.group[4], "$")) ? m.group[4] : m.group[1];
        bool is_scaled = m.group[3].len > 0;
        bool is_near_word =
            lead_before(l->rules,
                        "\\b(?:budget\\w*|spend|presupuesto|tope|max(?:imum|i)?|up to|under|no more "
                        "than|around|about|approx\\w*|ideally|afford|stretch to|go to)\\b[^.\\n\\d]{0,12}$",
                        text, m.start, 32, NULL) &&
            (is_scaled || names_budget) && (is_scaled || m.group[2].len >= 2);
        bool is_per_person =
            lead_after(l->rules, " ?" IS_PERSON, text, m.end, 16) && (is_scaled || m.group[2].len >= 2);
        if (sign.len == 0 && !is_field && !(is_scaled && (is_near_word || is_per_person)) &&
            !(is_near_word && !is_scaled && m.group[2].len >= 3) && !(is_per_person && m.group[2].len >= 3))
            continue;
        if (sign.len == 0 && lead_after(l->rules,
                                        " ?(?:st|nd|rd|th|nights?|days?|adults?|people|pax|km|jan|feb|mar|apr|may|jun|"
                                        "jul|aug|sep|oct|nov|dec)\\b",
                                        text, m.end, 14))
            continue;
        consider(l, text, m.start, m.end, m.group[2], is_scaled, sign, best);
    }
    find_spoken(l, text, best);
}

void lead_read_budget(lead *l)
{
    candidate best = {0};
    find_sums(l, lead_text_folded(&l->said), false, &best);
    if (best.amount.len == 0 && lead_has_field(l, LEAD_BUDGET)) {
        lead_text t = lead_text_make(l->arena, l->fields[LEAD_BUDGET]);
        find_sums(l, lead_text_folded(&t), true, &best);
    }
    l->amount = best.amount;
    if (best.amount.len > 0) {
        l->currency = best.currency;
        l->per = best.per;
    }
}
