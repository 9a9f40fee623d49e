/*
 * lead_budget.c -- for how much: amount, currency, per whom.
 *
 * Every sum of money in the text is a candidate. The total beats a price per person, that beats one per night; among
 * equals the last one counts, because clients correct themselves. A number without a currency is money only beside
 * words that say so.
 */
#include "lead/lead_parts.h"

#include <inttypes.h>

#define CODES                                                                                                          \
    "gbp|eur|usd|cad|aud|nzd|chf|sek|nok|dkk|isk|pln|czk|huf|ron|bgn|aed|sar|qar|sgd|hkd|zar|inr|jpy|cny|thb|myr|idr|" \
    "krw|brl|mxn|ars|clp|cop|egp|mad|ils|kes|ngn|pkr"
#define SIGN                                                                                                           \
    "((?<![a-z])(?:us|ca?|can|au?|nz|s|hk) ?\\$|[\\x80\\xA3$\\xA5\\x82]|(?<![a-z])r(?=\\d{1,3}[ "                      \
    ",.]?\\d{3})|(?<![a-z])(?:rs|kr)\\.? ?(?=\\d)|\\b(?:" CODES ") ?(?=\\d))"
#define UNIT                                                                                                           \
    "(\\x80|\\xA3|\\xA5|\\x82|us ?\\$|\\$ ?(?:cad|aud|nzd|usd)|\\$|quid|pounds?(?: "                                   \
    "sterling)?|libras?|livres?|pfund|euros?|"                                                                         \
    "(?:us|american|canadian|australian|aussie|new zealand|kiwi|singapore|hong kong) "                                 \
    "(?:dollars?|bucks)|bucks|dollars?|dolares|swiss francs?|francs? suisses?|schweizer franken|"                      \
    "francs?|franken|fr\\.|swedish (?:kronor|crowns?)|norwegian (?:kroner|crowns?)|danish "                            \
    "(?:kroner|crowns?)|kronor|kroner|kronen|kr|zlotys?|zl|dirhams?|rands?|rupees|yen|baht|pesos|reais|" CODES         \
    ")(?![a-z])"
#define AMOUNT "(\\d{1,3}(?:[.,' ]\\d{3})+(?:[.,]\\d{2})?|\\d+(?:[.,]\\d{1,2})?)"
#define SCALE  "( ?(?:k|grand|thousand|mil|mille|tausend|tsd\\.?)(?![a-z]))?"

typedef struct candidate {
    ctn_str amount;
    const char *currency, *per;
    int rank;
} candidate;

/* ---- currencies ---- */

/* A word for the money of several countries is that of the client's own, where it is one of them. */
static const struct {
    const char *word;  /* the sign begins with it */
    const char *code;  /* NULL: only if the country says which */
    const char *codes; /* of the countries that use the word */
} MONEY[] = {
    {"us$", "USD", ""},
    {"us $", "USD", ""},
    {"us d", "USD", ""},
    {"us b", "USD", ""},
    {"usd", "USD", ""},
    {"american", "USD", ""},
    {"$usd", "USD", ""},
    {"$ usd", "USD", ""},
    {"ca$", "CAD", ""},
    {"ca $", "CAD", ""},
    {"can$", "CAD", ""},
    {"c$", "CAD", ""},
    {"c $", "CAD", ""},
    {"canadian", "CAD", ""},
    {"$ cad", "CAD", ""},
    {"$cad", "CAD", ""},
    {"au$", "AUD", ""},
    {"a$", "AUD", ""},
    {"a $", "AUD", ""},
    {"austral", "AUD", ""},
    {"aussie", "AUD", ""},
    {"$ aud", "AUD", ""},
    {"$aud", "AUD", ""},
    {"nz", "NZD", ""},
    {"new zealand", "NZD", ""},
    {"kiwi", "NZD", ""},
    {"$nzd", "NZD", ""},
    {"$ nzd", "NZD", ""},
    {"s$", "SGD", ""},
    {"singapore", "SGD", ""},
    {"hk$", "HKD", ""},
    {"hong kong", "HKD", ""},
    {"\xA3", "GBP", ""},
    {"quid", "GBP", ""},
    {"pound", "GBP", ""},
    {"libra", "GBP", ""},
    {"livre", "GBP", ""},
    {"pfund", "GBP", ""},
    {"\x80", "EUR", ""},
    {"euro", "EUR", ""},
    {"swedish", "SEK", ""},
    {"norwegian", "NOK", ""},
    {"danish", "DKK", ""},
    {"kronor", "SEK", ""},
    {"swiss", "CHF", ""},
    {"franc", "CHF", ""},
    {"frank", "CHF", ""},
    {"schweizer", "CHF", ""},
    {"fr.", "CHF", ""},
    {"zl", "PLN", ""},
    {"dirham", "AED", "MAD"},
    {"rand", "ZAR", ""},
    {"r", "ZAR", ""},
    {"rupee", "INR", "PKR LKR NPR MUR"},
    {"rs", "INR", "PKR LKR NPR MUR"},
    {"\x82", "INR", ""},
    {"\xA5", "JPY", "CNY"},
    {"yen", "JPY", ""},
    {"baht", "THB", ""},
    {"reais", "BRL", ""},
    {"kroner", "NOK", "DKK"},
    {"kronen", "DKK", "NOK SEK"},
    {"kr", NULL, "SEK NOK DKK ISK"},
    {"peso", NULL, "MXN ARS CLP COP PHP UYU DOP"},
    {"$", "USD", "CAD AUD NZD SGD HKD TWD BBD BSD FJD JMD TTD"},
    {"dollar", "USD", "CAD AUD NZD SGD HKD TWD BBD BSD FJD JMD TTD"},
    {"dolar", "USD", ""},
    {"bucks", "USD", "CAD AUD NZD SGD HKD"},
};

/* What the client pays with at home; empty when nothing tells where that is. */
static const char *money_at_home(const lead *l)
{
    static const struct {
        const char *prefix, *code;
    } abroad[] = {{"+61", "AUD"}, {"+64", "NZD"}, {"+65", "SGD"}, {"+852", "HKD"}};
    const travel_place *place = l->origin_country ? travel_place_by_name(ctn_str_from(l->origin_country)) : NULL;
    const travel_country *country = place ? travel_country_of(place) : NULL;
    if (country)
        return country->currency;
    for (size_t i = 0; i < sizeof abroad / sizeof *abroad; i++)
        if (ctn_str_starts_with(l->phone_digits, ctn_str_from(abroad[i].prefix)))
            return abroad[i].code;
    return "";
}

static const char *currency_of(const lead *l, ctn_str sign)
{
    sign = ctn_str_trim(sign);
    if (sign.len == 3) { /* a code of its own */
        char code[4] = {0};
        for (size_t i = 0; i < 3; i++)
            code[i] = (char) (sign.ptr[i] >= 'a' && sign.ptr[i] <= 'z' ? sign.ptr[i] - 32 : sign.ptr[i]);
        static const char known[] =
            "GBP EUR USD CAD AUD NZD CHF SEK NOK DKK ISK PLN CZK HUF RON BGN AED SAR QAR SGD HKD ZAR INR JPY CNY THB "
            "MYR IDR KRW BRL MXN ARS CLP COP EGP MAD ILS KES NGN PKR";
        const char *found = strstr(known, code);
        if (found && !strchr(code, ' '))
            return ctn_arena_printf(l->arena, "%s", code).ptr;
    }
    for (size_t i = 0; i < sizeof MONEY / sizeof *MONEY; i++)
        if (sign.len > 0 && ctn_str_starts_with(sign, ctn_str_from(MONEY[i].word))) {
            const char *home = MONEY[i].codes[0] ? money_at_home(l) : "";
            return home[0] && strstr(MONEY[i].codes, home) ? home : MONEY[i].code;
        }
    return NULL;
}

/* ---- numbers ---- */

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

/* ---- per whom ---- */

#define COUNT                                                                                                          \
    "(?:two|three|four|five|six|seven|eight|nine|ten|twelve|\\d{1,2}|dos|tres|cuatro|cinco|seis|deux|trois|quatre|"    \
    "cinq|six|zwei|drei|vier|funf|sechs)"
#define IS_PERSON                                                                                                      \
    "(?:(?:\\b|(?<=\\d)|(?<=k))(?:each|pp|p\\.? ?p\\.?(?: ?p\\.?)?|p/p|per "                                           \
    "(?:person|head|pax|adult|pupil|child|student|traveller|traveler|guest|player|member|singer|capita)|a "            \
    "(?:head|person|piece|pop)|apiece|(?:pro|je) "                                                                     \
    "(?:person|kopf|nase|teilnehmer)|p\\. ?pers|por (?:persona|cabeza|adulto|barba)|cada un[oa]|c/u|par "              \
    "(?:personne|tete|pers|adulte)|chacune?|jeweils|every one of us)|/ ?(?:person|pers|pax|pp|head|persona))(?![a-z])"
#define IS_NIGHT                                                                                                       \
    "(?:/ ?|\\b(?:per|a|each|pro|por|par|la|die|one|every) ?)(?:room[ /]?(?:per |a )?|zimmer und "                     \
    ")?(?:night|nacht|noche|nuit)\\b|\\bnightly\\b|\\bp/?n\\b|/nt\\b"
#define IS_TOTAL                                                                                                       \
    "\\b(?:total(?:es|ly)?|all[- ]in\\b(?! ?cl)|all? ?together|in all|all told|overall|combined|together|between "     \
    "(?:us|the (?:\\w+ )?of us|all \\w+ of us|them|him|both)|for (?:the (?:" COUNT                                     \
    " of us|lot|family|group|everything|whole|pair|two|both|trip)|"                                                    \
    "(?:all|both|everything|everyone|everybody)(?: \\w+)?(?: of us)?|us (?:all|both|two)|(?:the )?" COUNT              \
    "(?: of us| people| adults| persons)?(?=[ ,.;!?)\\n]|$)(?! "                                                       \
    "(?:nights?|weeks?|days?|noches|nuits|nachte)))|(?:per|a) (?:couple|family)|the (?:whole )?(?:lot|"                \
    "pot)|whole thing|en (?:total|tout)|insgesamt|gesamt|alles zusammen|zusammen|pour (?:nous|tous|tout|le "           \
    "tout|les|deux|" COUNT ")[a-z ]*|para (?:todos|los|las|" COUNT                                                     \
    ")|(?:la|por|en) pareja|entre (?:los|las|todos|nosotros)[a-z ]*|(?:los|las) (?:dos|tres|cuatro)|les "              \
    "(?:deux|trois|quatre)|todo incluido en total|fur (?:alle|uns|beide|"                                              \
    "alles|die ganze|" COUNT ")[a-z ]*|le couple|tout compris pour)\\b"

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
    if (is_night && (!is_person || night.start <= person.start) && (!is_total || night.start <= total.start)) {
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

/* ---- candidates ---- */

/* Sums that are about something else. */
static const char NO_BUDGET[] =
    "\\b(?:costs?|fee(?: only)?|deposit|paid|was|were|saves?|refund|insurance|off|worth|won|started "
    "at|supplement|tip|instead of|rather than|not) ?(?:of |only |was |is |us )?$";

static void consider(lead *l, ctn_str text, size_t start, size_t end, ctn_str amount, const char *currency,
                     candidate *best)
{
    candidate c = {.amount = amount, .currency = currency};
    c.per = per_of(l, text, start, end, &c.rank);
    if (c.amount.len == 0 || ctn_str_is(c.amount, "0") || lead_before(l->rules, NO_BUDGET, text, start, 26, NULL))
        return;
    /* the upper end of a range comes second and has the unit: "8-10k usd" is one match whose amount is the 10 */
    if (best->amount.len == 0 || c.rank >= best->rank)
        *best = c;
}

/* Words that make a number near them a sum of money: surely, and perhaps. */
static const char MONEY_BEFORE[] =
    "\\b(?:budget\\w*|spend\\w*|presupuesto|gastar|afford|stretch to|go (?:up )?to|pay|keep it "
    "(?:under|below|to)|cost\\w*|price[ds]?|ausgeben|depenser|limit|preis\\w*|we have|i have|we've got|i've "
    "got|got|tope|topes)\\b[^.\\n\\d]{0,18}$";
static const char MAYBE_BEFORE[] = "\\b(?:max(?:imum|imal|i|imo)?|up to|under|no more than|not more than|less "
                                   "than|below|around|about|approx\\w*|roughly|circa|ca|ideally|hasta|menos "
                                   "de|unos|alrededor de|jusqu'a|environ|moins de|hochstens|maximal|etwa|ungefahr|"
                                   "unter|bis zu|prob(?:ably)?|say|like|manage)\\b[^.\\n\\d]{0,12}$";
static const char MONEY_AFTER[] = " ?(?:ish|max\\w*|tops?\\b|budget|limit|maxi)(?![a-z])|,? (?:max|tops|maximum)\\b";
static const char NO_MONEY_AFTER[] =
    " ?-?(?:st|nd|rd|th|nights?|noches|nuits|nachte|days?|weeks?|adults?|adultos|people|pax|persons?|personas|personen|"
    "personnes|km|kms|miles|m|metres|meters|minutes?|mins?|hours?|years?|yo|am|pm|%|star|jan|feb|mar|apr|may|"
    "jun|jul|aug|sep|oct|nov|dec)\\b";

static bool is_money(lead *l, ctn_str text, size_t start, size_t end, ctn_str digits, bool is_scaled, bool names_budget)
{
    if (lead_after(l->rules, NO_MONEY_AFTER, text, end, 14) || (!is_scaled && digits.len < 3) ||
        (!is_scaled && digits.len == 4 && ctn_str_starts_with(digits, CTN_STR("202"))))
        return false;
    return lead_before(l->rules, MONEY_BEFORE, text, start, 36, NULL) ||
           lead_after(l->rules, " ?" IS_PERSON, text, end, 18) ||
           lead_after(l->rules, " ?(?:in )?(?:" IS_TOTAL ")", text, end, 24) ||
           lead_after(l->rules, MONEY_AFTER, text, end, 12) ||
           ((is_scaled || names_budget) && lead_before(l->rules, MAYBE_BEFORE, text, start, 32, NULL));
}

static void find_sums(lead *l, ctn_str text, bool is_field, candidate *best)
{
    lead_match m, unit;
    bool names_budget = lead_has(
        l->rules, "budget|spend|presupuesto|gastar|afford|\\bgo (?:up )?to\\b|stretch to|ausgeben|depenser", text);
    static const char SUM[] =
        "(?<![\\w.,/])(?:(?:" SIGN
        ") ?)?(?:\\d[\\d.,]*k? ?(?:-|to|or|/|a|bis|o|ou|oder) ?(?:[\\x80\\xA3$] ?)?)?" AMOUNT SCALE
        "(?:,-+|\\.-+)?(?: ?-? ?" UNIT ")?(?![\\d:])";
    /* "2 grand each euro", "3000 per person in dollars" */
    static const char UNIT_LATER[] = "^ ?(?:each|pp|a head|per person|total|max|in total) ?(?:in )?" UNIT;
    for (size_t from = 0; lead_find(l->rules, SUM, text, from, &m); from = m.end > m.start ? m.end : m.start + 1) {
        ctn_str sign =
            m.group[4].len > 0 && !(m.group[1].len > 0 && ctn_str_is(m.group[4], "$")) ? m.group[4] : m.group[1];
        bool is_scaled = m.group[3].len > 0;
        if (sign.len == 0 && !is_field && !is_money(l, text, m.start, m.end, m.group[2], is_scaled, names_budget))
            continue;
        if (sign.len == 0 && lead_after(l->rules, NO_MONEY_AFTER, text, m.end, 14))
            continue;
        if (sign.len == 0 && lead_find(l->rules, UNIT_LATER, ctn_str_from_offset(text, m.end), 0, &unit))
            sign = unit.group[1];
        consider(l, text, m.start, m.end, number_text(l, m.group[2], is_scaled), currency_of(l, sign), best);
    }
}

/* ---- sums in words ---- */

/* "thirty five hundred" 3500, "four and a half grand" 4500, "dos mil quinientos" 2500; 0: no sum. */
static int64_t value_of_words(ctn_str words)
{
    static const struct {
        const char *word;
        int value;
    } hundreds[] = {{"cien", 100},          {"ciento", 100},     {"doscientos", 200},  {"trescientos", 300},
                    {"cuatrocientos", 400}, {"quinientos", 500}, {"seiscientos", 600}, {"setecientos", 700},
                    {"ochocientos", 800},   {"novecientos", 900}};
    int64_t total = 0, current = 0;
    bool has_half = false, has_scale = false;
    while (words.ptr) {
        ctn_str word = ctn_str_cut(&words, ' ');
        int number = lead_number(word);
        if (ctn_str_is(word, "half")) {
            has_half = true;
        } else if (ctn_str_is(word, "hundred") || ctn_str_is(word, "cent") || ctn_str_is(word, "cents") ||
                   ctn_str_is(word, "hundert")) {
            current = (current > 0 ? current : 1) * 100;
            has_scale = true;
        } else if (ctn_str_is(word, "thousand") || ctn_str_is(word, "grand") || ctn_str_is(word, "mil") ||
                   ctn_str_is(word, "mille") || ctn_str_is(word, "tausend")) {
            total += (current > 0 ? current : 1) * 1000 + (has_half ? 500 : 0);
            current = 0;
            has_half = false;
            has_scale = true;
        } else if (number > 0 && !(ctn_str_is(word, "a") && (current > 0 || total > 0))) {
            current += number;
        }
        for (size_t i = 0; i < sizeof hundreds / sizeof *hundreds; i++)
            if (ctn_str_is(word, hundreds[i].word)) {
                current += hundreds[i].value;
                has_scale = true;
            }
        if (total + current > 10000000)
            return 0;
    }
    return has_scale ? total + current : 0;
}

#define WORD                                                                                                           \
    "(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"         \
    "seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|grand|"        \
    "half|and|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|quince|veinte|mil|cien|ciento|\\w{3,8}cientos|"    \
    "quinientos|deux|trois|quatre|cinq|sept|huit|neuf|dix|quinze|vingt|mille|cents?|zwei|drei|vier|funf|sechs|acht|"   \
    "zehn|tausend|hundert)"

static void find_spoken(lead *l, ctn_str text, candidate *best)
{
    lead_match m;
    static const char WORDS[] = "(?<![\\d,.])(?<!\\d )\\b(" WORD "(?:[ -]" WORD "){0,7})(?: " UNIT ")?(?![a-z])";
    for (size_t from = 0; lead_find(l->rules, WORDS, text, from, &m); from = m.end) {
        int64_t value = value_of_words(m.group[1]);
        bool is_grand = lead_has(l->rules, "\\bgrand\\b", m.group[1]);
        if (value < 50 ||
            (m.group[2].len == 0 && !is_grand && !is_money(l, text, m.start, m.end, CTN_STR("000"), true, true)))
            continue;
        consider(l, text, m.start, m.end, ctn_arena_printf(l->arena, "%" PRId64, value), currency_of(l, m.group[2]),
                 best);
    }
}

/* ---- all together ---- */

static candidate read_field(lead *l)
{
    candidate best = {0};
    lead_match m;
    lead_text t = lead_text_make(l->arena, l->fields[LEAD_BUDGET]);
    ctn_str text = lead_text_folded(&t);
    find_sums(l, text, true, &best);
    if (best.amount.len == 0)
        find_spoken(l, text, &best);
    /* "Budget (GBP): 2000": the label says it */
    if (best.amount.len > 0 && !best.currency && lead_find(l->rules, "\\(" UNIT "\\)", text, 0, &m))
        best.currency = currency_of(l, m.group[1]);
    return best;
}

void lead_read_budget(lead *l)
{
    candidate best = {0};
    ctn_str text = lead_text_folded(&l->said);
    find_sums(l, text, false, &best);
    find_spoken(l, text, &best);
    if (best.amount.len == 0 && lead_has_field(l, LEAD_BUDGET))
        best = read_field(l);
    l->amount = best.amount;
    if (best.amount.len > 0) {
        l->currency = best.currency;
        l->per = best.per;
    }
}
