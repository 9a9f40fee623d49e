/*
 * lead_places.c -- where from and where to.
 *
 * Every place of the tables that the text names becomes a mention. A mention is an origin by the words around it
 * ("from", "ex", "leaving", "X to Y", "X airport"), ruled out by others ("scrap", "forget", "not"), and else a
 * destination. A destination that contains another one (Italy, with Rome) is dropped.
 */
#include "lead/lead_parts.h"

#include <stdlib.h>

enum { MENTIONS_MAX = 200 };

typedef struct mention {
    size_t start, end;
    const char *name; /* canonical */
    const char *country;
    bool is_airport; /* named by an airport's own name or code */
    bool is_origin, is_out;
} mention;

typedef struct mentions {
    mention items[MENTIONS_MAX];
    size_t count;
} mentions;

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

static bool starts_sentence(ctn_str text, size_t at)
{
    while (at > 0 && (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == '"'))
        at--;
    return at == 0 || strchr("\n.!?", text.ptr[at - 1]) != NULL;
}

static void add_mention(mentions *list, mention m)
{
    for (size_t i = 0; i < list->count; i++) {
        mention *other = &list->items[i];
        if (m.start >= other->end || m.end <= other->start)
            continue;
        if (m.end - m.start <= other->end - other->start)
            return; /* the longer name wins: Ho Chi Minh City over Ho Chi Minh */
        *other = m;
        return;
    }
    if (list->count < MENTIONS_MAX)
        list->items[list->count++] = m;
}

/* All places where the alias stands as a word of its own. */
static void find_alias(const lead_text *t, ctn_str alias, mention model, bool is_field, mentions *list)
{
    bool wants_capital = alias.ptr[0] == '^', wants_capitals = alias.ptr[0] == '=';
    if (wants_capital || wants_capitals)
        alias = ctn_str_from_offset(alias, 1);
    ctn_str text = lead_text_folded(t);
    for (size_t from = 0; from + alias.len <= text.len;) {
        const char *hit = memmem(text.ptr + from, text.len - from, alias.ptr, alias.len);
        if (!hit)
            return;
        size_t start = (size_t) (hit - text.ptr), end = start + alias.len;
        from = start + 1;
        if ((start > 0 && is_word_byte(text.ptr[start - 1])) || (end < text.len && is_word_byte(text.ptr[end])))
            continue;
        if (start > 0 && strchr("@.", text.ptr[start - 1]) && end < text.len && text.ptr[end] == '.')
            continue; /* inside an address */
        if (start > 0 && text.ptr[start - 1] == '@')
            continue;
        if (wants_capitals && !all_upper(t, start, end))
            continue;
        if (wants_capital && (!is_upper(t, start) || (!is_field && starts_sentence(text, start))))
            continue;
        model.start = start;
        model.end = end;
        add_mention(list, model);
    }
}

static void find_aliases(const lead_text *t, const char *aliases, mention model, bool is_field, mentions *list)
{
    ctn_str rest = ctn_str_from(aliases);
    while (rest.ptr) {
        ctn_str alias = ctn_str_cut(&rest, '|');
        if (alias.len > 1)
            find_alias(t, alias, model, is_field, list);
    }
}

static bool is_currency_code(const char *code)
{
    return strcmp(code, "CAD") == 0 || strcmp(code, "SEK") == 0 || strcmp(code, "BOB") == 0;
}

static void find_codes(const lead_text *t, mentions *list)
{
    ctn_str text = lead_text_folded(t);
    for (size_t i = 0; i + 3 <= text.len; i++) {
        if ((i > 0 && is_word_byte(text.ptr[i - 1])) || (i + 3 < text.len && is_word_byte(text.ptr[i + 3])) ||
            !is_upper(t, i) || !is_upper(t, i + 1) || !is_upper(t, i + 2))
            continue;
        const travel_airport *airport = travel_airport_by_code(lead_text_original(t, i, i + 3));
        if (airport && !is_currency_code(airport->code))
            add_mention(list, (mention){.start = i, .end = i + 3, .name = airport->city, .is_airport = true});
    }
}

static void lower(char *to, size_t size, const char *from)
{
    size_t i = 0;
    for (; from[i] && i + 1 < size; i++)
        to[i] = (char) (from[i] >= 'A' && from[i] <= 'Z' ? from[i] + 32 : from[i]);
    to[i] = '\0';
}

static int by_start(const void *a, const void *b)
{
    const mention *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static void find_mentions(lead *l, const lead_text *t, bool is_field, mentions *list)
{
    for (size_t i = 0; i < travel_place_count; i++) {
        const travel_place *p = &travel_places[i];
        find_aliases(t, p->aliases, (mention){.name = p->name}, is_field, list);
    }
    for (size_t i = 0; i < travel_airport_count; i++) {
        const travel_airport *a = &travel_airports[i];
        char city[64];
        find_aliases(t, a->aliases, (mention){.name = a->city, .is_airport = true}, is_field, list);
        lower(city, sizeof city, a->city);
        if (memmem(t->folded, t->len, city, strlen(city)) && !travel_place_by_name(ctn_str_from(a->city)))
            find_aliases(t, city, (mention){.name = a->city}, is_field, list);
    }
    find_codes(t, list);
    lead_match m;
    if (lead_find(l->rules, "\\bmed(?= cruise|$)|cruise [^.\\n]{0,20}\\b(?:the )?med\\b", lead_text_folded(t), 0, &m))
        add_mention(list, (mention){.start = m.end - 3, .end = m.end, .name = "Mediterranean"});
    for (size_t i = 0; i < list->count; i++) {
        const travel_airport *airport = travel_airport_for(ctn_str_from(list->items[i].name));
        list->items[i].country = airport ? airport->country : NULL;
    }
    qsort(list->items, list->count, sizeof *list->items, by_start);
}

/* ---- what a mention is ---- */

static const char FROM_BEFORE[] =
    "(?:\\b(?:from|ex|out of|outta|leaving|departing|departs?|fly|flying|abflug|abflug ab|ab|von|desde|aus|"
    "(?:part\\w*|depart\\w*|sal\\w+|saliendo|vol\\w*|vuelo\\w*) (?:de |d'|desde )?|(?:based|living|live) in|all in|i'm "
    "in|im in|home is)"
    "|\\bflights?(?= $)) ?(?:-|: ?)?(?:the |here in |either |london |new york )?$";
static const char FROM_AFTER[] = " ?(?:airport\\b|pref\\b|preferred\\b|preferably\\b|if poss|departures?\\b)";
static const char OUT_BEFORE[] = "\\b(?:scrap|forget|not|skip|except|rather than|instead of|don'?t want|not keen "
                                 "on|avoid|anywhere but|bored of|no more|driving to|"
                                 "(?:been|went|was|were|gone) (?:to|in)|pas|nicht|kein\\w*|ya no|sin|hate)(?: "
                                 "(?:to|the|a|in|at|going to|go to|want|really))* ?$";
static const char TO_BEFORE[] =
    "\\b(?:to|into|in|at|near|nr|visit|visiting|for|nach|a|au|aux|en|towards|around|via) (?:the )?$";

static bool is_pair(lead *l, ctn_str text, const mention *first, const mention *second)
{
    if (second->start < first->end || second->start - first->end > 12)
        return false;
    ctn_str between = {text.ptr + first->end, second->start - first->end};
    if (lead_has(l->rules, "^ ?(?:to|->|>|nach|a|al) ?(?:the )?$", between))
        return true;
    return (first->is_airport || second->is_airport) && lead_has(l->rules, "^ ?[-/] ?$", between);
}

static void find_origin(lead *l, ctn_str text, mentions *list)
{
    mention *origin = NULL, *preferred = NULL;
    for (size_t i = 0; i < list->count; i++) {
        mention *m = &list->items[i];
        bool is_from = lead_before(l->rules, FROM_BEFORE, text, m->start, 32, NULL);
        bool is_preferred = lead_after(l->rules, FROM_AFTER, text, m->end, 24) &&
                            !lead_before(l->rules, TO_BEFORE, text, m->start, 12, NULL);
        /* "from Manchester or Leeds": both are origins, the first counts */
        bool goes_on = i > 0 && list->items[i - 1].is_origin && m->start - list->items[i - 1].end <= 10 &&
                       lead_has(l->rules, "^ ?(?:or|/|,|ou|o|oder|and) ?(?:from )?$",
                                (ctn_str){text.ptr + list->items[i - 1].end, m->start - list->items[i - 1].end});
        m->is_origin = is_from || is_preferred ||
                       (goes_on && lead_before(l->rules, "(?:or|ou|oder|/) ?(?:from )?$", text, m->start, 10, NULL));
        if (m->is_origin && !m->is_out && !origin)
            origin = m;
        if (is_preferred && !m->is_out && !preferred)
            preferred = m;
    }
    if (preferred)
        origin = preferred;
    for (size_t i = 0; !origin && i + 1 < list->count; i++)
        if (!list->items[i].is_out && is_pair(l, text, &list->items[i], &list->items[i + 1]))
            origin = &list->items[i];
    if (!origin && lead_has(l->rules, "\\b(?:from|out of|leaving) here\\b", text) && list->count > 0)
        origin = &list->items[0];
    for (size_t i = 0; !origin && i < list->count; i++) {
        mention *m = &list->items[i];
        /* an airport nobody goes "to", beside another place to go to */
        if (m->is_airport && !m->is_out && list->count > 1 &&
            !lead_before(l->rules, TO_BEFORE, text, m->start, 12, NULL))
            origin = m;
    }
    if (!origin)
        return;
    origin->is_origin = true;
    l->origin = origin->name;
    l->origin_country = origin->country;
}

static bool overlaps_name(const lead *l, const lead_text *t, const mention *m)
{
    if (l->name.len == 0)
        return false;
    ctn_str piece = lead_text_original(t, m->start, m->end);
    ctn_str rest = l->name; /* a word of the client's name is no place: Florence Smith */
    while (rest.ptr)
        if (ctn_str_equal(ctn_str_cut(&rest, ' '), piece))
            return true;
    return false;
}

static void add_destination(lead *l, const char *name)
{
    for (size_t i = 0; i < l->destination_count; i++)
        if (strcmp(l->destinations[i], name) == 0)
            return;
    if (l->destination_count < LEAD_DESTINATIONS_MAX && (!l->origin || strcmp(l->origin, name) != 0))
        l->destinations[l->destination_count++] = name;
}

static void drop_containers(lead *l)
{
    size_t kept = 0;
    const char *all[LEAD_DESTINATIONS_MAX];
    memcpy(all, l->destinations, sizeof all);
    for (size_t i = 0; i < l->destination_count; i++) {
        bool contains = false;
        for (size_t j = 0; j < l->destination_count; j++)
            contains = contains || (i != j && travel_place_contains(all[i], all[j]));
        if (!contains)
            l->destinations[kept++] = all[i];
    }
    l->destination_count = kept;
}

static void read_destinations(lead *l, const lead_text *t, mentions *list)
{
    ctn_str text = lead_text_folded(t);
    const mention *last = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const mention *m = &list->items[i];
        if (m->is_origin || m->is_out || overlaps_name(l, t, m))
            continue;
        if (last && m->start > last->end && m->start - last->end < 60 &&
            lead_has(l->rules, "\\b(?:or|ou|oder|o)\\b|\\?.*\\bmaybe\\b",
                     (ctn_str){text.ptr + last->end, m->start - last->end}) &&
            (!l->origin || (strcmp(l->origin, m->name) != 0 && strcmp(l->origin, last->name) != 0)))
            l->is_alternatives = true;
        last = m;
        add_destination(l, m->name);
    }
}

static void read_field(lead *l, lead_field field, mentions *list)
{
    *list = (mentions){0};
    if (!lead_has_field(l, field))
        return;
    lead_text *t = CTN_NEW(l->arena, lead_text);
    *t = lead_text_make(l->arena, l->fields[field]);
    find_mentions(l, t, true, list);
    if (field == LEAD_DESTINATION)
        read_destinations(l, t, list);
}

void lead_read_places(lead *l)
{
    mentions *list = CTN_NEW(l->arena, mentions), *field = CTN_NEW(l->arena, mentions);
    ctn_str text = lead_text_folded(&l->said);
    find_mentions(l, &l->said, false, list);
    for (size_t i = 0; i < list->count; i++) {
        list->items[i].is_out = lead_before(l->rules, OUT_BEFORE, text, list->items[i].start, 32, NULL);
        for (size_t j = 0; list->items[i].is_out && j < i; j++) /* "Prague ... actually scrap Prague" */
            if (strcmp(list->items[j].name, list->items[i].name) == 0)
                list->items[j].is_out = true;
    }
    read_field(l, LEAD_ORIGIN, field);
    if (field->count > 0) {
        l->origin = field->items[0].name;
        l->origin_country = field->items[0].country;
    }
    find_origin(l, text, list);
    read_field(l, LEAD_DESTINATION, field);
    bool has_field = l->destination_count > 0;
    if (!has_field) {
        read_destinations(l, &l->said, list);
    } else if (lead_has(l->rules, "\\b(?:actually|instead|changed? (?:my|our) mind|rather)\\b", text)) {
        /* the comment beats the field */
        l->destination_count = 0;
        read_destinations(l, &l->said, list);
        if (l->destination_count == 0)
            read_field(l, LEAD_DESTINATION, field);
    }
    drop_containers(l);
    if (l->destination_count < 2)
        l->is_alternatives = false;
}
