/*
 * lead_mentions.c -- which words of a lead name places.
 *
 * There is hardly a word that is no village somewhere, so a name alone is not enough. How much more is wanted depends
 * on how well known the place is, on whether the name is an English word (Nice, Reading, Split) or a first name
 * (Florence, Jordan), on its capital, and on the words around it: "to", "nach", "from" before it, "airport" behind it,
 * another place beside it in a list. In a form's field for places everything that is one counts.
 */
#include "lead/lead_parts.h"

enum { UNREACHABLE = 1000 };

typedef enum context { NO_CONTEXT, WEAK, STRONG, LISTED } context;

typedef struct reading { /* what judge() looks at */
    lead *l;
    const lead_text *t;
    ctn_str text;
    bool is_field, is_shouted;  /* written in capitals throughout */
    const lead_mentions *known; /* what a first reading found; NULL in that one */
} reading;

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_upper(const lead_text *t, size_t at)
{
    ctn_str piece = lead_text_original(t, at, at + 1);
    if (piece.len == 1)
        return piece.ptr[0] >= 'A' && piece.ptr[0] <= 'Z';
    return piece.len == 2 && (uint8_t) piece.ptr[0] == 0xC3 && (uint8_t) piece.ptr[1] >= 0x80 &&
           (uint8_t) piece.ptr[1] <= 0x9E;
}

static bool all_upper(const lead_text *t, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++)
        if (t->folded[i] >= 'a' && t->folded[i] <= 'z' && !is_upper(t, i))
            return false;
    return true;
}

static bool is_shouted(const lead_text *t)
{
    size_t letters = 0, upper = 0;
    for (size_t i = 0; i < t->len; i++)
        if (t->folded[i] >= 'a' && t->folded[i] <= 'z') {
            letters++;
            upper += is_upper(t, i);
        }
    return letters > 20 && upper * 10 > letters * 7;
}

static bool starts_sentence(ctn_str text, size_t at)
{
    while (at > 0 && (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == '"'))
        at--;
    return at == 0 || strchr("\n.!?:", text.ptr[at - 1]) != NULL;
}

/* ---- the words around ---- */

#define ARTICLE "(?:the |la |le |les |l'|los |las |el |den |die |der |das |dem |isle of |island of |isla de |ile de )?"

static const char STRONG_BEFORE[] =
    "\\b(?:to|from|ex|into|in|at|near|nr|visit|visiting|around|via|towards|through|across|exploring|out of|outta|"
    "nach|aus|ab|von|uber|durch|bis|a|al|au|aux|vers|depuis|hasta|hacia|desde|en|por|departs?|"
    "(?:depart|abflug|abflughafen|salida|salgo|salimos|saliendo|partons|partant|destination|departure|departing|"
    "leaving|flying|flights?|vuelo|vol|flug)(?: (?:de|d'|ab|von|desde|city|airport))?|"
    "(?:part\\w*|depart\\w*|sal\\w+|viv\\w+|habit\\w+|komm\\w*|wohn\\w*|arriv\\w+|somos|soy|trip|holiday|"
    "honeymoon|week|weekend|cruise|break|nights|nts|days|tour|safari|viaje|voyage|reise|urlaub|sejour)"
    " (?:a|de|desde|en|of|d'|aus)|"
    "preferably|ideally|especially|(?:to|wanna|gonna|can|we|i|and) go|particularly|such "
    "as|airport|conocer|visitar|descubrir|recorrer|ver|voir|visiter|decouvrir|besuchen|sehen|entdecken|discover|"
    "explore|tour|do|"
    "see|add|adding|include|anadir|ajouter)[ :]*" ARTICLE "$";
static const char WEAK_BEFORE[] =
    "\\b(?:seeing|doing|love|like|want|wants|wanna|de|del|d'|du|des|over|on|auf|um|per|sur|dans|dann|then|puis|"
    "luego|for|para|pour|fur|maybe|perhaps|somewhere like|thinking(?: "
    "of)?|hate|scrap|forget|not|considering|price|quote|deals?)"
    "[ :]*" ARTICLE "$";
static const char AFTER[] = "^ ?(?:airport\\b|flughafen\\b|pref\\b|preferred\\b|preferably\\b|if poss|departures?\\b|"
                            "island\\b|city break|-> ?|\\? )";
static const char KIN_BEFORE[] =
    "\\b(?:son|daughter|wife|husband|hubby|friend|mate|brother|sister|mum|mom|dad|mother|father|partner|boss|cousin|"
    "niece|nephew|aunt|uncle|fiancee?|mr|mrs|ms|miss|dr|hij[oa]|herman[oa]|fille|fils|tochter|sohn|frau|herr) $";
static const char PERSON_BEFORE[] = "\\b(?:hi|hello|hey|dear|thanks|regards|cheers|love|is|im|i'm|am|hola|bonjour|"
                                    "hallo|liebe|lieber|querid[oa]|chere|cher)[ ,:]*$";
static const char PERSON_AFTER[] =
    "^(?:'s\\b| ?,? ?\\(?(?:aged? )?\\d{1,2}\\)?(?:,| and |\\)| ?y/?o\\b)| here\\b| xx?\\b| speaking\\b|"
    " (?:wants?|will|is|are|and (?:i|me)|lives?|has|have|can|would|needs?|loves?|likes?|says|turns?|who)\\b)";
/* "Nancy, could your people ..." */
static const char SPOKEN_TO[] = "^, ?(?:could|can|would|will|please|pls|my|i|we|here|this)\\b";
/* Behind a lower-case name that is a word too, when it is used as a name. */
static const char NOUN_AFTER[] =
    "^ ?(?:$|\\n|[.,;?!/)-]|\\d|(?:for|in|on|from|with|and|or|please|pls|airport|next|this|via|to|early|mid|late|"
    "then)\\b)";

/* What makes a list of places: ", " and "or", also behind "(3 nights)". */
static const char BETWEEN[] =
    "^ ?(?:\\([^)]{0,16}\\)|\\d{1,2} ?(?:nights?|nts?|nites?|n|days?))? ?"
    "(?:[,/&+>:!(-]|->|,? "
    "?(?:and|or|then|to|with|y|e|et|und|oder|ou|o|u|puis|dann|luego|plus|a|nach|mit|con|avec|maybe))"
    " ?(?:the |la |le |les |l'|in |then |to )?$";

/* In such a list of places no person stands: "Vancouver, Jasper", but "Rome with Martin and Jasper". */
static const char COMMA[] = "^ ?(?:\\([^)]{0,16}\\))? ?(?:[,/]|or|ou|oder) ?$";

static bool is_beside(const reading *r, size_t end, size_t start)
{
    return end <= start && start - end <= 28 &&
           lead_has(r->l->rules, BETWEEN, (ctn_str){r->text.ptr + end, start - end});
}

static bool is_before_a_known_one(const reading *r, size_t end)
{
    for (size_t i = 0; r->known && i < r->known->count; i++)
        if (r->known->items[i].start >= end)
            return is_beside(r, end, r->known->items[i].start);
    return false;
}

static context context_of(const reading *r, size_t start, size_t end, const lead_mention *last)
{
    lead_rules *rules = r->l->rules;
    if (lead_before(rules, STRONG_BEFORE, r->text, start, 40, NULL) || lead_after(rules, AFTER, r->text, end, 16))
        return STRONG;
    if ((last && is_beside(r, last->end, start)) || is_before_a_known_one(r, end))
        return last && lead_has(rules, COMMA, (ctn_str){r->text.ptr + last->end, start - last->end}) ? LISTED : STRONG;
    return lead_before(rules, WEAK_BEFORE, r->text, start, 32, NULL) ? WEAK : NO_CONTEXT;
}

static bool is_about_a_person(const reading *r, unsigned flags, size_t start, size_t end)
{
    lead_rules *rules = r->l->rules;
    if (lead_before(rules, KIN_BEFORE, r->text, start, 24, NULL))
        return true;
    if ((flags & TRAVEL_NAME_PERSON) && (start == 0 || r->text.ptr[start - 1] == '\n') &&
        lead_after(rules, SPOKEN_TO, r->text, end, 16))
        return true;
    return (flags & TRAVEL_NAME_PERSON) && (lead_before(rules, PERSON_BEFORE, r->text, start, 24, NULL) ||
                                            lead_after(rules, PERSON_AFTER, r->text, end, 16));
}

/* ---- is it meant? ---- */

/* How well known a place must be for its name to be read. */
static int threshold(const reading *r, const travel_match *m, size_t start, context c)
{
    bool is_capital = is_upper(r->t, start) && !r->is_shouted;
    bool is_word = m->flags & TRAVEL_NAME_WORD, is_person = m->flags & TRAVEL_NAME_PERSON;
    size_t end = start + m->len;
    if (is_word && is_capital && c == NO_CONTEXT && starts_sentence(r->text, start))
        is_capital = false;
    if (c < STRONG && is_about_a_person(r, m->flags, start, end))
        return UNREACHABLE;
    if (is_word || is_person) {
        if (is_capital)
            return c == LISTED ? 45 : c == STRONG ? (is_person ? 62 : 50) : is_person ? 100 : c == WEAK ? 85 : 105;
        if (c < STRONG || !lead_after(r->l->rules, NOUN_AFTER, r->text, end, 16))
            return r->is_shouted && c >= STRONG ? 90 : UNREACHABLE;
        return 90;
    }
    int care = m->flags & TRAVEL_NAME_ALTERNATE ? 20 : 0;
    if (is_capital)
        return care + (c >= STRONG ? 25 : c == WEAK ? 42 : 70);
    /* In English a word that is none of the dictionary's is a name; the other languages' dictionaries we do not have,
     * and in German names have capitals. */
    bool is_english = r->l->language == TRAVEL_EN && !r->is_shouted;
    if (r->l->language == TRAVEL_DE && c < STRONG)
        return UNREACHABLE;
    if (m->flags & TRAVEL_NAME_FOREIGN)
        care += is_english ? 30 : 0;
    return care + (c >= STRONG ? (is_english ? 40 : 66) : c == WEAK ? (is_english ? 50 : 72) : 88);
}

/* "Hvar ... in Croatia": the country it lies in is named too. */
static bool is_in_a_known_area(const reading *r, const travel_place *place)
{
    for (size_t i = 0; r->known && i < r->known->count; i++)
        if (travel_place_is_area(r->known->items[i].place) && travel_place_holds(r->known->items[i].place, place))
            return true;
    return false;
}

/* German has capitals for the food too. */
static bool is_a_meal(const reading *r, size_t start, size_t end)
{
    return lead_has(r->l->rules, "^essen$", (ctn_str){r->text.ptr + start, end - start}) &&
           lead_before(r->l->rules, "\\b(?:gut\\w*|lecker\\w*|fein\\w*|toll\\w*|das|zum|beim|vom|gern|gerne) $",
                       r->text, start, 16, NULL);
}

static bool is_a_street(const reading *r, size_t end)
{
    static const char STREET[] = "^ (?:street|st|road(?! trip)|rd|avenue|ave|lane|drive|terrace|close|square)\\b";
    return lead_after(r->l->rules, STREET, r->text, end, 12);
}

/* "Milford Sound", "Paris Hilton", "the Inca trail": the name of something else begins with this place's. */
static bool goes_on_as_something_else(const reading *r, size_t end)
{
    if (lead_after(r->l->rules, "^ (?:trail|ferry|bridge|station|festival|club|university|style|lights)\\b", r->text,
                   end, 12))
        return true;
    size_t next = end + 1;
    if (r->is_shouted || next >= r->text.len || r->text.ptr[end] != ' ' || !is_word_byte(r->text.ptr[next]) ||
        r->text.ptr[next] <= '9' || !is_upper(r->t, next))
        return false;
    travel_match m;
    static const char TIMES[] =
        "^ (?:airport|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|"
        "sun)[a-z]*|i|i'm)\\b";
    return !travel_match_at(r->text, next, &m) && !lead_after(r->l->rules, TIMES, r->text, end, 16);
}

/* "Elena Soto": the word before, with nothing but a blank between, is a first name. */
static bool is_a_surname(const reading *r, size_t start)
{
    size_t end = start > 0 && r->text.ptr[start - 1] == ' ' ? start - 1 : 0, first = end;
    while (first > 0 && is_word_byte(r->text.ptr[first - 1]))
        first--;
    return first < end && is_upper(r->t, first) && is_upper(r->t, start) &&
           travel_is_first_name((ctn_str){r->text.ptr + first, end - first});
}

/* Heathrow is a village in Florida too. */
static bool is_rather_the_airport(const travel_match *m)
{
    return m->place && m->airport && m->airport->hub >= 3 && travel_place_prominence(m->place) < 40 &&
           travel_place_country(m->place) != travel_place_country(m->airport->place);
}

static bool is_meant(const reading *r, const travel_match *m, size_t start, const lead_mention *last)
{
    size_t end = start + m->len;
    if (m->flags & TRAVEL_NAME_CODE) /* "Portland, OR" */
        return last && last->end < start && start - last->end <= 2 && all_upper(r->t, start, end);
    if ((m->flags & TRAVEL_NAME_CAPITALS) && (!all_upper(r->t, start, end) || r->is_shouted))
        return false;
    if (r->is_field || (m->flags & TRAVEL_NAME_CAPITALS))
        return true;
    context c = context_of(r, start, end, last);
    if (m->place && !is_rather_the_airport(m)) {
        int known = travel_place_prominence(m->place) + (is_in_a_known_area(r, m->place) ? 20 : 0);
        return known >= threshold(r, m, start, c) && !is_a_street(r, end) && !is_a_meal(r, start, end) &&
               (known >= 100 || (!goes_on_as_something_else(r, end) && !is_a_surname(r, start)));
    }
    /* only an airport's name: often that of a person or a place nearby */
    bool says_airport =
        lead_after(r->l->rules, "^ ?(?:airport|flughafen|intl|international)\\b", r->text, end, 24) ||
        lead_before(r->l->rules, "\\b(?:aeroport|aeropuerto|flughafen)(?: de| d')? $", r->text, start, 20, NULL);
    if (says_airport)
        return true;
    if (m->flags & (TRAVEL_NAME_WORD | TRAVEL_NAME_PERSON))
        return c >= STRONG && is_upper(r->t, start) && m->airport->hub >= 3 &&
               !is_about_a_person(r, m->flags, start, end);
    return m->airport->hub >= 2 || c >= STRONG;
}

static bool is_code_of_something_else(ctn_str code)
{
    static const char others[] =
        " CAD SEK BOB JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC ENE ABR AGO DIC MAI OKT DEZ "
        "MON TUE WED THU FRI SAT SUN PAX ADT CHD INF RTN DBL SGL TPL APT TBC TBA ASA VIP ";
    const char *hit = memmem(others, sizeof others, code.ptr, code.len);
    return hit && hit[-1] == ' ' && hit[code.len] == ' ';
}

static const travel_airport *code_at(const reading *r, size_t at, size_t end)
{
    if (end - at != 3 || !all_upper(r->t, at, end))
        return NULL;
    ctn_str code = lead_text_original(r->t, at, end);
    const travel_airport *airport = code.len == 3 ? travel_airport_by_code(code) : NULL;
    if (!airport || is_code_of_something_else(code))
        return NULL;
    if (!r->is_field && (airport->is_word || airport->hub < 2 || r->is_shouted)) {
        bool is_pair = lead_after(r->l->rules, "^ ?(?:[-/>]|->|to) ?[a-z]{3}\\b", r->text, end, 12) ||
                       lead_before(r->l->rules, "\\b[a-z]{3} ?(?:[-/>]|->|to) ?$", r->text, at, 12, NULL);
        if (!is_pair && (r->is_shouted || context_of(r, at, end, NULL) < STRONG))
            return NULL;
    }
    return airport;
}

static bool is_in_an_address(ctn_str text, size_t start, size_t end)
{
    if (start > 0 && (text.ptr[start - 1] == '@' || text.ptr[start - 1] == '#'))
        return true;
    if (end < text.len && text.ptr[end] == '@')
        return true;
    return start > 0 && strchr(".-_", text.ptr[start - 1]) && start > 1 && is_word_byte(text.ptr[start - 2]) &&
           end < text.len && (text.ptr[end] == '.' || text.ptr[end] == '@') && end + 1 < text.len &&
           is_word_byte(text.ptr[end + 1]);
}

/* "Lake Bled", "Mount Teide": called so, and it lies by the town of that name. */
static void take_word_before(const reading *r, lead_mention *m)
{
    lead_match w;
    if (!lead_before(r->l->rules, "\\b(?:lake|loch|mount) $", r->text, m->start, 8, &w) || !is_upper(r->t, m->start))
        return;
    m->start -= w.end - w.start;
    m->name = ctn_arena_str(r->l->arena, lead_text_original(r->t, m->start, m->end)).ptr;
}

/* "Savannah, Georgia", "Paris (Texas)": the second says which of the first is meant, and both are one mention. */
static bool settle_pair(const reading *r, lead_mention *town, const lead_mention *outer)
{
    ctn_str between = {r->text.ptr + town->end, outer->start - town->end};
    if (!town->place || town->is_only_airport || outer->is_only_airport || between.len > 4 ||
        !lead_has(r->l->rules, "^(?:, ?| ?\\(| in | )$", between))
        return false;
    const travel_place *holder = NULL;
    const travel_place *found =
        travel_place_pair((ctn_str){r->text.ptr + town->start, town->end - town->start},
                          (ctn_str){r->text.ptr + outer->start, outer->end - outer->start}, &holder);
    if (!found)
        return false;
    if (found != town->place)
        town->name = travel_place_name(found);
    town->place = found;
    town->end = outer->end;
    return true;
}

/* A name that several places share is the one that lies in a country or a region named anywhere in the text. */
static void settle_by_areas(const reading *r, lead_mentions *list)
{
    for (size_t i = 0; i < list->count; i++) {
        lead_mention *m = &list->items[i];
        bool is_held = m->is_only_airport || travel_place_is_area(m->place);
        for (size_t j = 0; !is_held && j < list->count; j++)
            is_held = travel_place_holds(list->items[j].place, m->place);
        for (size_t j = 0; !is_held && j < list->count; j++) {
            const travel_place *area = list->items[j].place;
            if (!travel_place_is_area(area) || travel_place_prominence(m->place) > 120)
                continue;
            const travel_place *found = travel_place_within((ctn_str){r->text.ptr + m->start, m->end - m->start}, area);
            if (found && travel_place_prominence(found) >= 45) {
                m->place = found;
                m->name = travel_place_name(found);
                break;
            }
        }
    }
}

/* A cruise in "the Med": what the name of nobody else is short for. */
static bool is_med(const reading *r, size_t start, size_t end)
{
    return end - start == 3 && memcmp(r->text.ptr + start, "med", 3) == 0 &&
           (lead_after(r->l->rules, "^ cruise", r->text, end, 8) ||
            lead_before(r->l->rules, "cruise [^.\\n]{0,20}$", r->text, start, 30, NULL));
}

/* In German, Iceland; the tables leave the name out, because every other language has the word in its hotels. */
static bool is_iceland(const reading *r, size_t start, size_t end)
{
    return r->l->language == TRAVEL_DE && end - start == 6 && memcmp(r->text.ptr + start, "island", 6) == 0 &&
           is_upper(r->t, start) &&
           (r->is_field ||
            lead_before(r->l->rules, "\\b(?:nach|auf|in|durch|um|uber|von|oder|und|,) $", r->text, start, 8, NULL));
}

static void read_mentions(const reading *r, lead_mentions *list)
{
    const lead_text *t = r->t;
    list->count = 0;
    for (size_t i = 0; i < t->len && list->count < LEAD_MENTIONS_MAX;) {
        size_t end = i;
        while (end < t->len && is_word_byte(r->text.ptr[end]))
            end++;
        if (end == i) {
            i++;
            continue;
        }
        lead_mention *last = list->count > 0 ? &list->items[list->count - 1] : NULL;
        const travel_airport *code = code_at(r, i, end);
        travel_match m;
        if (is_in_an_address(r->text, i, end)) {
            i = end;
        } else if (is_med(r, i, end)) {
            list->items[list->count++] = (lead_mention){.start = i,
                                                        .end = end,
                                                        .place = travel_place_by_name(CTN_STR("Mediterranean")),
                                                        .name = "Mediterranean"};
            i = end;
        } else if (code) {
            list->items[list->count++] = (lead_mention){.start = i,
                                                        .end = end,
                                                        .place = code->place,
                                                        .name = code->city,
                                                        .airport = code,
                                                        .is_only_airport = true};
            i = end;
        } else if (is_iceland(r, i, end)) {
            const travel_place *iceland = travel_place_by_name(CTN_STR("iceland"));
            if (iceland)
                list->items[list->count++] =
                    (lead_mention){.start = i, .end = end, .place = iceland, .name = travel_place_name(iceland)};
            i = end;
        } else if (!travel_match_at(r->text, i, &m)) {
            i = end;
        } else if (m.is_airline) { /* "Air France" is nowhere to go */
            i += m.len;
        } else if (!is_meant(r, &m, i, last)) {
            i = end;
        } else {
            if (is_rather_the_airport(&m))
                m.place = NULL;
            const travel_place *place = m.place ? m.place : m.airport->place;
            list->items[list->count++] = (lead_mention){.start = i,
                                                        .end = i + m.len,
                                                        .place = place,
                                                        .name = m.place ? m.name : m.airport->city,
                                                        .airport = m.airport,
                                                        .is_only_airport = !m.place};
            take_word_before(r, &list->items[list->count - 1]);
            if (last && settle_pair(r, last, &list->items[list->count - 1]))
                list->count--;
            i += m.len;
        }
    }
    settle_by_areas(r, list);
}

void lead_find_mentions(lead *l, const lead_text *t, bool is_field, lead_mentions *list)
{
    reading r = {
        .l = l, .t = t, .text = lead_text_folded(t), .is_field = is_field, .is_shouted = !is_field && is_shouted(t)};
    lead_mentions *known = CTN_NEW(l->arena, lead_mentions);
    read_mentions(&r, known);
    r.known = known; /* places that were sure help those beside them, and those that lie in them */
    read_mentions(&r, list);
}
