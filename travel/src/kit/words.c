/*
 * words.c -- see words.h. Tables by language, and the few functions that put them together.
 */
#include "kit/words.h"

#include "base/buf.h"

#include <assert.h>
#include <stdio.h>

#define NBSP        "\u00a0"
#define NARROW_NBSP "\u202f"
#define EN_DASH     "\u2013"

enum { LIST_BYTES_MAX = 65536 };

static const char *const CODES[TRAVEL_LANGUAGES] = {"en", "es", "fr", "de"};

bool travel_language_from(ctn_str code, travel_language *ret_language)
{
    if (code.len < 2 || (code.len > 2 && code.ptr[2] != '-' && code.ptr[2] != '_'))
        return false;
    for (int i = 0; i < TRAVEL_LANGUAGES; i++)
        if (ctn_str_equal_any_case((ctn_str){code.ptr, 2}, ctn_str_from(CODES[i]))) {
            *ret_language = (travel_language) i;
            return true;
        }
    return false;
}

const char *travel_language_code(travel_language language)
{
    return CODES[language];
}

/* ---- dates ---- */

typedef struct date_words {
    const char *months[12], *months_short[12], *weekdays[7], *weekdays_short[7]; /* from Monday */
    const char *day_point;                                                       /* behind the day's number */
    const char *first;          /* the first of a month, where it has a form of its own */
    const char *of_month;       /* between day and month */
    const char *of_year;        /* between month and year */
    const char *weekday_ends;   /* between weekday and date */
    const char *on, *from, *to; /* in a sentence */
} date_words;

static const date_words DATES[TRAVEL_LANGUAGES] = {
    [TRAVEL_EN] = {.months = {"January", "February", "March", "April", "May", "June", "July", "August", "September",
                              "October", "November", "December"},
                   .months_short = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov",
                                    "Dec"},
                   .weekdays = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
                   .weekdays_short = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"},
                   .day_point = "",
                   .of_month = " ",
                   .of_year = " ",
                   .weekday_ends = " ",
                   .on = "on ",
                   .from = "from ",
                   .to = " to "},
    [TRAVEL_ES] = {.months = {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
                              "octubre", "noviembre", "diciembre"},
                   .months_short = {"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov",
                                    "dic"},
                   .weekdays = {"lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"},
                   .weekdays_short = {"lun", "mar", "mié", "jue", "vie", "sáb", "dom"},
                   .day_point = "",
                   .of_month = " de ",
                   .of_year = " de ",
                   .weekday_ends = ", ",
                   .on = "el ",
                   .from = "del ",
                   .to = " al "},
    [TRAVEL_FR] = {.months = {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
                              "octobre", "novembre", "décembre"},
                   .months_short = {"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.",
                                    "nov.", "déc."},
                   .weekdays = {"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"},
                   .weekdays_short = {"lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."},
                   .day_point = "",
                   .first = "1er",
                   .of_month = " ",
                   .of_year = " ",
                   .weekday_ends = " ",
                   .on = "le ",
                   .from = "du ",
                   .to = " au "},
    [TRAVEL_DE] = {.months = {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
                              "Oktober", "November", "Dezember"},
                   .months_short = {"Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.",
                                    "Nov.", "Dez."},
                   .weekdays = {"Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"},
                   .weekdays_short = {"Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."},
                   .day_point = ".",
                   .of_month = " ",
                   .of_year = " ",
                   .weekday_ends = ", ",
                   .on = "am ",
                   .from = "vom ",
                   .to = " bis "},
};

typedef struct day_text {
    char text[64];
} day_text;

/* "12.", "1er" */
static day_text day_number(const date_words *w, int day)
{
    day_text out;
    if (day == 1 && w->first)
        (void) snprintf(out.text, sizeof out.text, "%s", w->first);
    else
        (void) snprintf(out.text, sizeof out.text, "%d%s", day, w->day_point);
    return out;
}

/* "12. Juni" */
static day_text day_and_month(const date_words *w, travel_civil c)
{
    day_text out;
    (void) snprintf(out.text, sizeof out.text, "%s%s%s", day_number(w, c.day).text, w->of_month,
                    w->months[c.month - 1]);
    return out;
}

/* "12. Juni 2026" */
static day_text whole_date(const date_words *w, travel_civil c)
{
    day_text out;
    (void) snprintf(out.text, sizeof out.text, "%.40s%s%d", day_and_month(w, c).text, w->of_year, c.year);
    return out;
}

ctn_str travel_date_shown(ctn_arena *arena, travel_day day, travel_language language)
{
    return ctn_arena_str(arena, ctn_str_from(whole_date(&DATES[language], travel_day_civil(day)).text));
}

ctn_str travel_date_long_shown(ctn_arena *arena, travel_day day, travel_language language)
{
    const date_words *w = &DATES[language];
    return ctn_arena_printf(arena, "%s%s%s", w->weekdays[travel_day_weekday(day)], w->weekday_ends,
                            whole_date(w, travel_day_civil(day)).text);
}

ctn_str travel_date_short_shown(ctn_arena *arena, travel_day day, travel_language language)
{
    const date_words *w = &DATES[language];
    travel_civil c = travel_day_civil(day);
    return ctn_arena_printf(arena, "%s%s%s %s", w->weekdays_short[travel_day_weekday(day)],
                            language == TRAVEL_DE ? ", " : " ", day_number(w, c.day).text,
                            w->months_short[c.month - 1]);
}

ctn_str travel_month_shown(ctn_arena *arena, int year, int month, travel_language language)
{
    assert(month >= 1 && month <= 12);
    return ctn_arena_printf(arena, "%s%s%d", DATES[language].months[month - 1], DATES[language].of_year, year);
}

/* What the two days share is written once, at the end. */
static day_text first_of_two(const date_words *w, travel_civil a, travel_civil b)
{
    return a.year != b.year ? whole_date(w, a) : a.month != b.month ? day_and_month(w, a) : day_number(w, a.day);
}

ctn_str travel_dates_shown(ctn_arena *arena, travel_day from, travel_day to, travel_language language)
{
    const date_words *w = &DATES[language];
    travel_civil a = travel_day_civil(from), b = travel_day_civil(to);
    if (from >= to)
        return travel_date_shown(arena, from, language);
    return ctn_arena_printf(arena, "%s%s%s", first_of_two(w, a, b).text,
                            a.year == b.year && a.month == b.month ? EN_DASH : " " EN_DASH " ", whole_date(w, b).text);
}

ctn_str travel_dates_said(ctn_arena *arena, travel_day from, travel_day to, travel_language language)
{
    const date_words *w = &DATES[language];
    travel_civil a = travel_day_civil(from), b = travel_day_civil(to);
    if (from >= to)
        return ctn_arena_printf(arena, "%s%s", w->on, whole_date(w, a).text);
    return ctn_arena_printf(arena, "%s%s%s%s", w->from, first_of_two(w, a, b).text, w->to, whole_date(w, b).text);
}

/* ---- numbers and money ---- */

typedef struct number_words {
    const char *group, *point, *before_percent;
    bool currency_first;
} number_words;

/* Spanish groups four digits too, as price lists do (CLDR would write 1234,50 beside 12.345,00). */
static const number_words NUMBERS[TRAVEL_LANGUAGES] = {
    [TRAVEL_EN] = {",", ".", "", true},
    [TRAVEL_ES] = {".", ",", NBSP, false},
    [TRAVEL_FR] = {NARROW_NBSP, ",", NBSP, false},
    [TRAVEL_DE] = {".", ",", NBSP, false},
};

typedef struct currency_words {
    const char *code, *in[TRAVEL_LANGUAGES];
} currency_words;

/* Every other currency is written by its code. */
static const currency_words CURRENCIES[] = {
    {"GBP", {"£", "£", "£", "£"}},
    {"EUR", {"€", "€", "€", "€"}},
    {"USD", {"US$", "US$", "$" NBSP "US", "US$"}},
    {"CAD", {"CA$", "CA$", "$" NBSP "CA", "CA$"}},
    {"AUD", {"A$", "AU$", "$" NBSP "AU", "AU$"}},
    {"NZD", {"NZ$", "NZ$", "$" NBSP "NZ", "NZ$"}},
    {"HKD", {"HK$", "HK$", "HKD", "HK$"}},
    {"MXN", {"MX$", "MX$", "$" NBSP "MX", "MX$"}},
    {"BRL", {"R$", "R$", "R$", "R$"}},
    {"JPY", {"JP¥", "JPY", "JPY", "¥"}},
    {"INR", {"₹", "INR", "₹", "₹"}},
};

static const char *currency_shown(const char *code, travel_language language)
{
    for (size_t i = 0; i < sizeof CURRENCIES / sizeof *CURRENCIES; i++)
        if (strcmp(CURRENCIES[i].code, code) == 0)
            return CURRENCIES[i].in[language];
    return code;
}

static uint64_t size_of(int64_t number)
{
    return number < 0 ? 0 - (uint64_t) number : (uint64_t) number;
}

/* "12.345"; ret_text takes 19 digits and 6 groups of at most 3 bytes. */
static void write_grouped(uint64_t number, const char *group, char ret_text[48])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long) number);
    size_t out = 0, group_len = strlen(group);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            memcpy(ret_text + out, group, group_len);
            out += group_len;
        }
        ret_text[out++] = digits[i];
    }
    ret_text[out] = '\0';
}

ctn_str travel_number_shown(ctn_arena *arena, int64_t number, travel_language language)
{
    char grouped[48];
    write_grouped(size_of(number), NUMBERS[language].group, grouped);
    return ctn_arena_printf(arena, "%s%s", number < 0 ? "-" : "", grouped);
}

ctn_str travel_percent_shown(ctn_arena *arena, int64_t hundredths, travel_language language)
{
    const number_words *n = &NUMBERS[language];
    uint64_t size = size_of(hundredths);
    char grouped[48], places[8] = "";
    write_grouped(size / 100, n->group, grouped);
    if (size % 100 > 0)
        (void) snprintf(places, sizeof places, size % 10 ? "%s%02d" : "%s%d", n->point,
                        (int) (size % 10 ? size % 100 : size % 100 / 10));
    return ctn_arena_printf(arena, "%s%s%s%s%%", hundredths < 0 ? "-" : "", grouped, places, n->before_percent);
}

static ctn_str show_money(ctn_arena *arena, travel_cents cents, const char *currency, bool has_places,
                          travel_language language)
{
    const number_words *n = &NUMBERS[language];
    const char *symbol = currency_shown(currency, language), *sign = cents < 0 ? "-" : "";
    uint64_t size = size_of(cents);
    char grouped[48], places[8] = "";
    if (has_places)
        (void) snprintf(places, sizeof places, "%s%02d", n->point, (int) (size % 100));
    write_grouped(has_places ? size / 100 : (size + 50) / 100, n->group, grouped);
    if (!n->currency_first)
        return ctn_arena_printf(arena, "%s%s%s" NBSP "%s", sign, grouped, places, symbol);
    bool is_code = strlen(symbol) == 3 && strcmp(symbol, currency) == 0;
    return ctn_arena_printf(arena, "%s%s%s%s%s", sign, symbol, is_code ? NBSP : "", grouped, places);
}

ctn_str travel_money_shown(ctn_arena *arena, travel_cents cents, const char *currency, travel_language language)
{
    return show_money(arena, cents, currency, travel_currency_places(currency) > 0, language);
}

ctn_str travel_money_short_shown(ctn_arena *arena, travel_cents cents, const char *currency, travel_language language)
{
    return show_money(arena, cents, currency, cents % 100 != 0 && travel_currency_places(currency) > 0, language);
}

/* ---- counts, durations and lists ---- */

typedef struct thing_words {
    const char *one, *other;
} thing_words;

static const thing_words THINGS[TRAVEL_THINGS][TRAVEL_LANGUAGES] = {
    [TRAVEL_NIGHT] = {{"night", "nights"}, {"noche", "noches"}, {"nuit", "nuits"}, {"Nacht", "Nächte"}},
    [TRAVEL_DAY] = {{"day", "days"}, {"día", "días"}, {"jour", "jours"}, {"Tag", "Tage"}},
    [TRAVEL_HOUR] = {{"hour", "hours"}, {"hora", "horas"}, {"heure", "heures"}, {"Stunde", "Stunden"}},
    [TRAVEL_WEEK] = {{"week", "weeks"}, {"semana", "semanas"}, {"semaine", "semaines"}, {"Woche", "Wochen"}},
    [TRAVEL_PERSON] = {{"person", "people"},
                       {"persona", "personas"},
                       {"personne", "personnes"},
                       {"Person", "Personen"}},
    [TRAVEL_TRAVELLER] = {{"traveller", "travellers"},
                          {"viajero", "viajeros"},
                          {"voyageur", "voyageurs"},
                          {"Reisender", "Reisende"}},
    [TRAVEL_ADULT] = {{"adult", "adults"}, {"adulto", "adultos"}, {"adulte", "adultes"}, {"Erwachsener", "Erwachsene"}},
    [TRAVEL_CHILD] = {{"child", "children"}, {"niño", "niños"}, {"enfant", "enfants"}, {"Kind", "Kinder"}},
    [TRAVEL_ROOM] = {{"room", "rooms"}, {"habitación", "habitaciones"}, {"chambre", "chambres"}, {"Zimmer", "Zimmer"}},
    [TRAVEL_STAR] = {{"star", "stars"}, {"estrella", "estrellas"}, {"étoile", "étoiles"}, {"Stern", "Sterne"}},
    [TRAVEL_CHANGE] = {{"change", "changes"}, {"escala", "escalas"}, {"escale", "escales"}, {"Umstieg", "Umstiege"}},
    [TRAVEL_OPTION] = {{"option", "options"}, {"opción", "opciones"}, {"option", "options"}, {"Option", "Optionen"}},
};

ctn_str travel_count_shown(ctn_arena *arena, int64_t count, travel_thing thing, travel_language language)
{
    /* CLDR: French takes the singular for 0 too; "many", for millions, has the plural's form of these words */
    bool is_one = count == 1 || (language == TRAVEL_FR && count == 0);
    const thing_words *w = &THINGS[thing][language];
    ctn_str number = travel_number_shown(arena, count, language);
    return ctn_arena_printf(arena, "%.*s %s", CTN_STR_ARG(number), is_one ? w->one : w->other);
}

ctn_str travel_travellers_shown(ctn_arena *arena, int adults, int children, travel_language language)
{
    ctn_str parts[2];
    size_t count = 0;
    if (adults > 0 || children == 0)
        parts[count++] = travel_count_shown(arena, adults, TRAVEL_ADULT, language);
    if (children > 0)
        parts[count++] = travel_count_shown(arena, children, TRAVEL_CHILD, language);
    return travel_list_shown(arena, parts, count, language);
}

ctn_str travel_duration_shown(ctn_arena *arena, int minutes)
{
    if (minutes < 60)
        return ctn_arena_printf(arena, "%d" NBSP "min", minutes);
    return ctn_arena_printf(arena, "%d" NBSP "h" NBSP "%02d" NBSP "min", minutes / 60, minutes % 60);
}

/* Lower-case ASCII letter at `at`, or 0. */
static char letter_at(ctn_str s, size_t at)
{
    char c = at < s.len ? s.ptr[at] : '\0';
    return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* Spanish: "y" becomes "e" before the sound i (Ibiza, Hilario, Íñigo; not Hiedra), "o" becomes "u" before the sound o.
 */
static bool starts_like(ctn_str next, char vowel, const char *accented_lower, const char *accented_upper)
{
    size_t at = letter_at(next, 0) == 'h' ? 1 : 0;
    ctn_str rest = ctn_str_from_offset(next, at);
    char after = letter_at(rest, 1);
    if (ctn_str_starts_with(rest, ctn_str_from(accented_lower)) ||
        ctn_str_starts_with(rest, ctn_str_from(accented_upper)))
        return true;
    return letter_at(rest, 0) == vowel && (vowel == 'o' || (after != 'a' && after != 'e' && after != 'o'));
}

static ctn_str join_with(ctn_arena *arena, const ctn_str *items, size_t count, const char *word)
{
    ctn_buf out;
    ctn_buf_init(&out, LIST_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && i + 1 == count)
            ctn_buf_printf(&out, " %s ", word);
        else if (i > 0)
            ctn_buf_append_literal(&out, ", ");
        ctn_buf_append(&out, items[i]);
    }
    ctn_str text = out.overflowed ? items[0] : ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

ctn_str travel_list_shown(ctn_arena *arena, const ctn_str *items, size_t count, travel_language language)
{
    static const travel_phrase AND = {{"and", "y", "et", "und"}};
    const char *word = AND.in[language];
    if (language == TRAVEL_ES && count > 1 && starts_like(items[count - 1], 'i', "í", "Í"))
        word = "e";
    return join_with(arena, items, count, word);
}

ctn_str travel_list_or_shown(ctn_arena *arena, const ctn_str *items, size_t count, travel_language language)
{
    static const travel_phrase OR = {{"or", "o", "ou", "oder"}};
    const char *word = OR.in[language];
    if (language == TRAVEL_ES && count > 1 && starts_like(items[count - 1], 'o', "ó", "Ó"))
        word = "u";
    return join_with(arena, items, count, word);
}

/* ---- letters ---- */

ctn_str travel_greeting_shown(ctn_arena *arena, ctn_str name, travel_language language)
{
    static const travel_phrase BEFORE = {{"Dear ", "Hola, ", "Bonjour ", "Guten Tag "}}, AFTER = {{",", ":", ",", ","}},
                               ALONE = {{"Hello,", "Hola:", "Bonjour,", "Guten Tag,"}};
    name = ctn_str_trim(name);
    if (name.len == 0)
        return travel_say(&ALONE, language);
    ctn_str parts[3] = {travel_say(&BEFORE, language), name, travel_say(&AFTER, language)};
    return ctn_arena_join(arena, parts, 3);
}

ctn_str travel_closing_shown(travel_language language)
{
    static const travel_phrase CLOSING = {
        {"Kind regards,", "Un cordial saludo,", "Bien cordialement,", "Mit freundlichen Grüßen"}};
    return travel_say(&CLOSING, language);
}
