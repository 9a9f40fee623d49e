/*
 * lead_places.c -- where from and where to.
 *
 * lead_mentions.c says which words are places. A place is the origin by the words around it ("from", "ex", "we live
 * in", "X to Y", "X airport"), ruled out by others ("scrap", "not", "we did X last year"), and else a destination. A
 * destination that another one lies in (Italy, with Rome) is dropped.
 */
#include "lead/lead_parts.h"

static const char FROM_BEFORE[] =
    "(?:\\b(?:from|ex|out of|outta|leaving|departing|departs?|departure(?: airport| city)?|fly|flying|origin|starting|"
    "start(?:ing)? (?:in|from|at)|abflug(?:hafen)?|abflug (?:ab|von|in)|ab|von|aus|desde|depuis|"
    "(?:part\\w*|depart\\w*|sal\\w+|vol\\w*|vuelo\\w*|au depart) (?:de |d'|desde |depuis )?|"
    "(?:part\\w*|depart\\w*|sal\\w+|abflug) (?:le |el |am )?\\d{1,2}\\.? ?(?:de )?[a-z]+ (?:de|desde|ab|von|d')|"
    "(?:nearest|closest|local|home|preferred|our) airport(?: is| would be|:)?|"
    "(?:we are|we're) an? (?:[a-z]+ ){1,3}(?:in|from)|(?:school|club|church|parish|college|team|choir|company|office) "
    "in|"
    "(?:based|resident|all|(?:we|i|we're|i'm|we are|i am|im|currently|all)(?: (?:are|am|both|all))?"
    " (?:based|living|live|located|staying)(?: just outside| near)?|we're|we are|i'm|im|i am) (?:in|near)|home is|"
    "(?:somos|soy|estoy|estamos|vivimos|vivo)(?: [a-z0-9 ]{0,24})? (?:de|en)|"
    "(?:j'habite|nous habitons|habitons|habite|on est|je suis)(?: a| en| de)?|"
    "(?:wir|ich|freundin und ich|freund und ich|frau und ich|mann und ich) (?:kommen?|wohnen?|leben?|sind) "
    "(?:aus|in|bei))"
    "|[.!,\\n] ?liv(?:e|ing) (?:in|near)|\\bflights?(?= $)) ?(?:-|: ?)?"
    "(?:the |here in |either |downtown |beautiful |sunny )?$";
/* Beats a bare "from": "walk from Sarria, flying out of Cork". */
static const char FLY_BEFORE[] =
    "\\b(?:fly|flying|flights?|depart\\w*|leaving|leave|abflug|volando|vol|saliendo|salida)"
    "(?: (?:out of|from|ab|von|de|desde|airport))*[ :]*(?:the )?$";
static const char FROM_AFTER[] =
    "^ ?(?:airport\\b(?! hotel)|pref\\b|preferred\\b|preferably\\b|if poss|departures?\\b|based\\b|origin\\b)";
/* Would do, but is not the first: "Bristol at a push". */
static const char WOULD_DO[] =
    "^,? (?:at a push|would (?:also )?(?:do|work|suit)|also (?:ok|fine|works|possible)|(?:is|would be) "
    "(?:ok|okay|fine|also)|"
    "works|(?:is|would be|is probably|probably|ideally) (?:our |my |the "
    ")?(?:easiest|nearest|closest|best|ideal|handiest|local))\\b";
static const char BEST[] = "^,? (?:(?:is|would be) )?(?:probably )?(?:our |my |the )?(?:best|ideal|easiest)\\b";
static const char OUT_BEFORE[] =
    "\\b(?:scrap|forget|not|skip|except|rather than|instead of|don'?t want|not keen on|avoid|anywhere but|bored of|"
    "no more|driving to|can'?t do|ruled out|fed up with|sick of|tired of|already (?:did|done|seen|been to)|nothing in|"
    "(?:we|i)(?:'ve)? (?:did|done)|(?:their|his|her|last|previous|first) (?:trip|holiday|visit) "
    "to|(?:been|went|was|were|gone|got back|came back|back)(?: already)? (?:to|in|from)|"
    "pas|plus|nicht|kein\\w*|ya no|sin|hate|ni|statt|anstatt|au lieu de|en vez de)"
    "(?: (?:to|the|a|in|at|going to|go to|do|want|really|nach|mehr|du|de|d'))* ?$";
static const char OUT_AFTER[] =
    "^,? (?:last (?:year|summer|winter|time|month|week)|is out\\b|again,? (?:skip|no|not)|the year before|already\\b|"
    "l'an(?:nee)? dernier|el ano pasado|letztes jahr|(?:looked|was|were) )";
/* "X instead": X takes the place of what was named before. */
static const char INSTEAD_AFTER[] = "^,? (?:instead(?! of)|stattdessen|en su lugar|a la place(?! d))\\b";
static const char INSTEAD_BEFORE[] = "\\b(?:instead(?! of)|stattdessen|en su lugar|a la place(?! d))[, ]+(?:to |nach "
                                     "|a |en |go to |do |we want |maybe )?$";
static const char TO_BEFORE[] =
    "\\b(?:to|into|in|at|near|nr|visit|visiting|for|nach|a|au|aux|en|towards|around|via) (?:the )?$";

static bool is_pair(lead *l, ctn_str text, const lead_mention *first, const lead_mention *second)
{
    if (second->start < first->end || second->start - first->end > 12)
        return false;
    ctn_str between = {text.ptr + first->end, second->start - first->end};
    if (lead_has(l->rules, "^ ?(?:to|->|>|nach|a|al|-+>) ?(?:the )?$", between))
        return true;
    if (!lead_has(l->rules, "^ ?[-/] ?$", between))
        return false;
    bool are_towns = !travel_place_is_area(first->place) && !travel_place_is_area(second->place);
    if (are_towns && between.len == 3 && between.ptr[1] == '-' &&
        travel_place_country(first->place) != travel_place_country(second->place))
        return true; /* "Toronto - Punta Cana" */
    return first->airport || second->airport ||
           lead_before(l->rules, "\\b(?:flights?|vuelos?|vols?|flug|fluge) $", text, first->start, 12, NULL);
}

/* "from Manchester or Leeds": both are origins, the first counts. */
static bool goes_on(lead *l, ctn_str text, const lead_mention *before, const lead_mention *m)
{
    if (!before->is_origin || m->start - before->end > 12)
        return false;
    return lead_has(l->rules, "^ ?,? ?(?:or|/|ou|o|oder)? ?(?:from )?$",
                    (ctn_str){text.ptr + before->end, m->start - before->end}) &&
           lead_before(l->rules, "(?:or|ou|oder|\\bo|/) ?(?:from )?$", text, m->start, 10, NULL);
}

/* "Malaga please. Glasgow, 11 nights": in another country than all that was named, and the nights are said once. */
static bool is_where_a_stay_begins(lead *l, ctn_str text, const lead_mentions *list, size_t at)
{
    const lead_mention *m = &list->items[at];
    if (at + 1 != list->count || !travel_place_airport(m->place) ||
        !lead_after(l->rules, "^, ?(?:\\d{1,2}|a|one|two) ?(?:nights?|nts|weeks?|wks?)\\b", text, m->end, 16) ||
        lead_has(l->rules, "\\b(?:nights?|nts|weeks?)\\b", (ctn_str){text.ptr, m->start}))
        return false;
    for (size_t i = 0; i < at; i++)
        if (travel_place_country(list->items[i].place) == travel_place_country(m->place))
            return false;
    return true;
}

/* "... Turkey, Cyprus. Exeter or Bristol.": towns alone in a sentence behind others. */
static lead_mention *origin_alone(lead *l, ctn_str text, lead_mentions *list)
{
    for (size_t i = 1; i < list->count; i++) {
        lead_mention *m = &list->items[i];
        bool is_first = lead_before(l->rules, "[.!?\\n]\"? ?$", text, m->start, 4, NULL);
        size_t last = i;
        while (
            is_first && last + 1 < list->count &&
            lead_has(l->rules, "^ ?(?:or|/|,) ?$",
                     (ctn_str){text.ptr + list->items[last].end, list->items[last + 1].start - list->items[last].end}))
            last++;
        if (!is_first || m->is_out || travel_place_is_area(m->place) || last > i + 1 ||
            !(lead_after(l->rules, "^ ?(?:[.!\\n]|$)", text, list->items[last].end, 2) ||
              is_where_a_stay_begins(l, text, list, i)))
            continue;
        for (size_t j = i; j <= last; j++)
            list->items[j].is_origin = true;
        return m;
    }
    return NULL;
}

static lead_mention *origin_by_words(lead *l, ctn_str text, lead_mentions *list)
{
    lead_mention *origin = NULL, *preferred = NULL, *flown = NULL;
    for (size_t i = 0; i < list->count; i++) {
        lead_mention *m = &list->items[i];
        bool is_from = lead_before(l->rules, FROM_BEFORE, text, m->start, 48, NULL);
        bool is_preferred = lead_after(l->rules, FROM_AFTER, text, m->end, 24) &&
                            !lead_before(l->rules, TO_BEFORE, text, m->start, 12, NULL);
        bool would_do = lead_after(l->rules, WOULD_DO, text, m->end, 32) && travel_place_airport(m->place) &&
                        !lead_before(l->rules, TO_BEFORE, text, m->start, 12, NULL);
        m->is_origin = is_from || is_preferred || would_do || (i > 0 && goes_on(l, text, &list->items[i - 1], m));
        if (m->is_origin && !m->is_out && !origin)
            origin = m;
        is_preferred = is_preferred || (would_do && lead_after(l->rules, BEST, text, m->end, 32));
        if (is_preferred && !m->is_out && !preferred)
            preferred = m;
        if (is_from && !m->is_out && !flown && lead_before(l->rules, FLY_BEFORE, text, m->start, 40, NULL))
            flown = m;
    }
    return preferred ? preferred : flown ? flown : origin;
}

/* From Luton or LTN: London. From Newcastle: so it stays, though the airport's town is Newcastle upon Tyne. */
static void take_origin(lead *l, const lead_mention *m)
{
    const travel_airport *airport = m->airport;
    bool is_by_airport = airport && !ctn_str_starts_with(ctn_str_from(airport->city), ctn_str_from(m->name));
    const travel_place *country = travel_place_country(is_by_airport ? airport->place : m->place);
    l->origin = is_by_airport ? airport->city : m->name;
    l->origin_country = country ? travel_place_name(country) : NULL;
}

static void find_origin(lead *l, ctn_str text, lead_mentions *list)
{
    lead_mention *origin = origin_by_words(l, text, list);
    for (size_t i = 0; !origin && i + 1 < list->count; i++)
        if (!list->items[i].is_out && is_pair(l, text, &list->items[i], &list->items[i + 1]))
            origin = &list->items[i];
    if (!origin && lead_has(l->rules, "\\b(?:from|out of|leaving) here\\b", text) && list->count > 0)
        origin = &list->items[0];
    if (!origin)
        origin = origin_alone(l, text, list);
    for (size_t i = 0; !origin && i < list->count; i++) {
        lead_mention *m = &list->items[i];
        /* an airport nobody goes "to", beside another place to go to */
        if (m->is_only_airport && !m->is_out && list->count > 1 &&
            !lead_before(l->rules, TO_BEFORE, text, m->start, 12, NULL))
            origin = m;
    }
    if (!origin)
        return;
    origin->is_origin = true;
    take_origin(l, origin);
}

/* ---- destinations ---- */

typedef struct goals {
    const lead_mention *items[LEAD_MENTIONS_MAX];
    size_t count;
} goals;

/* "Patagonia: El Calafate and Ushuaia", "Georgia (Tbilisi)": what follows lies in the area, whatever the tables say. */
static bool introduces(lead *l, ctn_str text, const lead_mention *area, const lead_mention *next)
{
    if (!travel_place_is_area(area->place) || travel_place_kind(next->place) <= travel_place_kind(area->place) ||
        next->start < area->end || next->start - area->end > 16)
        return false;
    ctn_str between = {text.ptr + area->end, next->start - area->end};
    return lead_has(l->rules, "^ ?(?:[:(]|with|incl\\w*\\.?|mit|con|avec) ?(?:the )?$", between);
}

/* "Uwe Brandt, Bremen": where the client is at home is no goal. But "Zsofia Halasz, Krakow for her hen do". */
static bool stands_behind_the_name(const lead *l, const lead_text *t, const lead_mention *m)
{
    size_t gap = 2, len = 0;
    if (!lead_after(l->rules, "^ ?(?:$|\\n|[.|(])", lead_text_folded(t), m->end, 2))
        return false;
    for (; l->name.len > 0 && len < m->start && len < 2 * l->name.len; len++) {
        ctn_str before = lead_text_original(t, m->start - len, m->start);
        if (before.len >= l->name.len + gap)
            return ctn_str_starts_with(before, l->name) && strchr(",(", before.ptr[l->name.len]) != NULL;
    }
    return false;
}

static void read_goals(lead *l, const lead_text *t, const lead_mentions *list, goals *g)
{
    ctn_str text = lead_text_folded(t);
    const lead_mention *last = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const lead_mention *m = &list->items[i];
        if (m->is_origin || m->is_out || stands_behind_the_name(l, t, m))
            continue;
        if (i + 1 < list->count && introduces(l, text, m, &list->items[i + 1]))
            continue;
        bool is_origin_again = l->origin && strcmp(l->origin, m->name) == 0;
        if (last && m->start > last->end && m->start - last->end < 60 && !is_origin_again &&
            lead_has(l->rules, "\\b(?:or|ou|oder|o)\\b|\\?.*\\bmaybe\\b",
                     (ctn_str){text.ptr + last->end, m->start - last->end}))
            l->is_alternatives = true;
        last = is_origin_again ? last : m;
        if (!is_origin_again && g->count < LEAD_MENTIONS_MAX)
            g->items[g->count++] = m;
    }
}

/* Each once, and none that another of them lies in. */
static void settle_goals(lead *l, const goals *g)
{
    l->destination_count = 0;
    for (size_t i = 0; i < g->count && l->destination_count < LEAD_DESTINATIONS_MAX; i++) {
        bool is_beside_the_point = false;
        for (size_t j = 0; j < g->count; j++)
            is_beside_the_point = is_beside_the_point || travel_place_holds(g->items[i]->place, g->items[j]->place) ||
                                  (j < i && strcmp(g->items[i]->name, g->items[j]->name) == 0);
        if (!is_beside_the_point)
            l->destinations[l->destination_count++] = g->items[i]->name;
    }
    if (l->destination_count < 2)
        l->is_alternatives = false;
}

static void find_in_field(lead *l, lead_field field, lead_mentions *list, lead_text *t)
{
    list->count = 0;
    if (!lead_has_field(l, field))
        return;
    *t = lead_text_make(l->arena, l->fields[field]);
    lead_find_mentions(l, t, true, list);
}

static bool overlaps_name(const lead *l, const lead_text *t, const lead_mention *m)
{
    if (l->name.len == 0)
        return false;
    ctn_str piece = lead_text_original(t, m->start, m->end);
    ctn_str rest = l->name; /* a word of the client's name is no place: Florence Smith */
    while (rest.ptr)
        if (ctn_str_equal(ctn_str_cut(&rest, ' '), piece))
            return true;
    return ctn_str_find(l->name, piece) < l->name.len;
}

/* Without what is the client's name: Florence Smith, Mr Tran. */
static void drop_names(const lead *l, const lead_text *t, lead_mentions *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!overlaps_name(l, t, &list->items[i]))
            list->items[kept++] = list->items[i];
    list->count = kept;
}

static void mark_rejected(lead *l, ctn_str text, lead_mentions *list)
{
    for (size_t i = 0; i < list->count; i++) {
        lead_mention *m = &list->items[i];
        m->is_out = lead_before(l->rules, OUT_BEFORE, text, m->start, 40, NULL) ||
                    lead_after(l->rules, OUT_AFTER, text, m->end, 24);
        for (size_t j = 0; m->is_out && j < i; j++) /* "Prague ... actually scrap Prague" */
            if (list->items[j].place == m->place)
                list->items[j].is_out = true;
        bool is_instead = lead_after(l->rules, INSTEAD_AFTER, text, m->end, 24) ||
                          lead_before(l->rules, INSTEAD_BEFORE, text, m->start, 40, NULL);
        if (!is_instead || m->is_out || lead_before(l->rules, "\\b(?:or|from|ou|oder|o) $", text, m->start, 8, NULL))
            continue;
        for (size_t j = 0; j < i; j++)
            if (!lead_before(l->rules, FROM_BEFORE, text, list->items[j].start, 48, NULL))
                list->items[j].is_out = true;
    }
}

void lead_read_places(lead *l)
{
    lead_mentions *list = CTN_NEW(l->arena, lead_mentions), *field = CTN_NEW(l->arena, lead_mentions);
    goals *said = CTN_NEW(l->arena, goals), *filled = CTN_NEW(l->arena, goals);
    lead_text *t = CTN_NEW(l->arena, lead_text);
    ctn_str text = lead_text_folded(&l->said);
    lead_find_mentions(l, &l->said, false, list);
    drop_names(l, &l->said, list);
    mark_rejected(l, text, list);
    find_in_field(l, LEAD_ORIGIN, field, t);
    if (field->count > 0)
        take_origin(l, &field->items[0]);
    find_origin(l, text, list);
    find_in_field(l, LEAD_DESTINATION, field, t);
    read_goals(l, t, field, filled);
    read_goals(l, &l->said, list, said);
    /* the comment beats the field */
    bool is_changed = lead_has(l->rules, "\\b(?:actually|instead|changed? (?:my|our) mind|rather)\\b", text);
    settle_goals(l, filled->count == 0 || (is_changed && said->count > 0) ? said : filled);
}
