/*
 * lead_people.c -- who travels: adults and children.
 *
 * From the surest to the weakest: stated adults ("2 adults", "2A2C"), a stated total ("five of us", "4 pax"), couples,
 * one alone. Children are counted beside; a total that names them is split.
 */
#include "lead/lead_parts.h"

#define CHILD                                                                                                          \
    "(?:children|child|kids?|ninos?|ninas?|menores?|enfants?|kinder|kind|toddlers?|babies|baby|bebes?|bebe|infants?|"  \
    "teenagers?|teens?|little ones?|under[- ]?\\d+s?)"
#define SPOUSE                                                                                                         \
    "(?:hubby|husband|wife|partner|boyfriend|girlfriend|bf|gf|fiancee?|spouse|mum|mom|mother|dad|father|sister|"       \
    "brother|friend|best friend|bestie|other half|missus|mate|daughter-in-law|colleague)"
#define PEOPLE                                                                                                         \
    "(?:of "                                                                                                           \
    "us|pax|people|persons?|ppl|lads|blokes|guys|ladies|lasses|girls|women|men|friends|travell?ers?|personas|"         \
    "personnes|personen|guests|seniors|students|players|colleagues|gents|passengers|mates|couples)"

typedef struct people {
    int adults, children, total; /* -1: not said */
    bool names_children;
} people;

static int small(ctn_str word)
{
    int number = lead_number(word);
    return number >= 0 && number <= 500 ? number : -1;
}

/* Ages in a list after the adults: "+ Alfie 12, Mabel 9, Otis 3". */
static int ages_after(lead *l, ctn_str text, size_t at, int *ret_grown)
{
    lead_match m;
    int children = 0;
    size_t end = at;
    while (end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '.')
        end++;
    ctn_str rest = {text.ptr, end};
    for (size_t from = at;
         lead_find(l->rules, "\\G(?:[ ,&+]|and |plus )*[a-z]{2,20} \\(?(\\d{1,2})\\)?(?=[ ,&+.]|$)", rest, from, &m);
         from = m.end) {
        int age = small(m.group[1]);
        if (age < 18)
            children++;
        else
            ++*ret_grown;
    }
    return children;
}

static void count_children(lead *l, ctn_str text, people *p)
{
    lead_match m;
    int stated = -1, single = 0;
    for (size_t from = 0;
         lead_find(l->rules,
                   "\\b" LEAD_NUMBER " (?:(?:young|small|little|teenage|school[- ]age|of the|our) )?" CHILD
                   "\\b(?!'?s?'? ?(?:club|menu|pool|room|meal))",
                   text, from, &m);
         from = m.end) {
        int number = small(m.group[1]);
        if (number >= 0)
            stated = stated < 0 || lead_before(l->rules, "(?:and|&|\\+|,|plus|y|et|und) ?$", text, m.start, 8, NULL)
                         ? (stated > 0 ? stated : 0) + number
                         : number;
    }
    for (size_t from = 0; lead_find(l->rules,
                                    "(\\d{1,2}|sixteen|seventeen|fifteen|fourteen|thirteen|twelve|ten|eight|six|five|"
                                    "four|three|two)[ -]?(?:years?|yrs?)[ -]?olds?\\b",
                                    text, from, &m);
         from = m.end)
        if (small(m.group[1]) < 18 && !lead_before(l->rules, CHILD "[^.\\n]{0,12}$", text, m.start, 24, NULL))
            single++;
    for (size_t from = 0; lead_find(l->rules,
                                    "\\b(?:who (?:will be|is|turns)|who'?s|will be|aged|age) (\\d{1,2})\\b(?! "
                                    "?(?:nights|days|of|adults|people|years? of))",
                                    text, from, &m);
         from = m.end)
        if (small(m.group[1]) < 18 && !lead_before(l->rules, CHILD "[^.\\n]{0,12}$", text, m.start, 24, NULL))
            single++;
    if (stated < 0 && single == 0 &&
        lead_has(l->rules,
                 "(?:\\b(?:our|my|the|plus|with|et|and|&)|\\+) ?(?:our |my |a |the |un |une "
                 ")?(?:baby|bebe|toddler|infant|newborn|little one)\\b",
                 text))
        single = 1;
    if (stated < 0 && single == 0 &&
        lead_find(l->rules, "\\b(?:my|our) (sons?|daughters?|grandsons?|granddaughters?)\\b(?!-in)", text, 0, &m) &&
        !lead_has(l->rules, "\\b(?:adult|grown[- ]up|married) (?:son|daughter)", text) &&
        m.group[1].ptr[m.group[1].len - 1] != 's')
        single = 1;
    p->names_children =
        stated >= 0 || single > 0 || lead_has(l->rules, "\\b(?:kids|children|ninos|enfants|kinder)\\b(?! ?club)", text);
    p->children = stated >= 0 ? stated : single > 0 ? single : -1;
}

static void count_adults(lead *l, ctn_str text, people *p)
{
    lead_match m;
    if (lead_find(l->rules, "\\b(\\d{1,2}) ?a(?:d|ds|dults?)? ?[+,&]? ?(\\d{1,2}) ?(?:c|ch|chd)\\b", text, 0, &m)) {
        p->adults = small(m.group[1]);
        p->children = small(m.group[2]);
        p->names_children = true;
        return;
    }
    for (size_t from = 0;
         lead_find(l->rules,
                   "\\b" LEAD_NUMBER
                   " (?:adults?|adultos?|adultes?|erwachsenen?|erw|ads|grown[- ]?ups?|oaps?|pensioners?)\\b",
                   text, from, &m);
         from = m.end) {
        int grown = 0;
        if (small(m.group[1]) < 0)
            continue;
        p->adults = small(m.group[1]);
        int listed = ages_after(l, text, m.end, &grown);
        if (p->children < 0 && listed > 0) {
            p->children = listed;
            p->names_children = true;
        }
        p->adults += grown;
    }
}

static void count_total(lead *l, ctn_str text, people *p)
{
    lead_match m;
    for (size_t from = 0;
         lead_find(l->rules,
                   "\\b(?:(me|i|myself|us|my wife|my husband)(?:,| and|,? plus| &| \\+| with)? )?(?:all |the |my "
                   "|other )?" LEAD_NUMBER " (?:more |other |of my |best |old |adult )?(" PEOPLE "|buddies)\\b",
                   text, from, &m);
         from = m.end) {
        int number = small(m.group[2]);
        if (number <= 0 || ctn_str_is(m.group[2], "a") || ctn_str_is(m.group[2], "an") ||
            (number == 1 && !ctn_str_starts_with(m.group[3], CTN_STR("person")) &&
             !ctn_str_starts_with(m.group[3], CTN_STR("travel"))))
            continue;
        if (ctn_str_is(m.group[3], "couples"))
            number *= 2;
        p->total = number + (m.group[1].len > 0 ? 1 : 0);
    }
    if (lead_find(l->rules, "\\b(?:group|party|team|squad) of " LEAD_NUMBER "\\b", text, 0, &m) &&
        small(m.group[1]) > 0)
        p->total = small(m.group[1]);
    if (p->total < 0 &&
        lead_find(l->rules,
                  "\\b(?:there(?:'s| are| is| will be| would be)|we are|we're|we'd be|somos|on est|nous sommes|wir "
                  "sind) (?:about "
                  ")?(\\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twelve|dos|tres|cuatro|cinco|trois|quatre|"
                  "zwei|drei|vier)(?: in total| altogether)?(?= *[,.!:;(\\n]| and| from| in| flying|$)",
                  text, 0, &m))
        p->total = small(m.group[1]);
}

static int listed_with_me(lead *l, ctn_str text)
{
    lead_match m;
    /* "me, Rui and the 16-year-old", "me, Tom and Sue": commas and the last */
    if (!lead_find(l->rules, "\\b(?:me|myself)((?:, [a-z]{2,15}){1,6}) (?:and|&) (the |my |our )?([a-z0-9-]+)", text, 0,
                   &m))
        return -1;
    int adults = 1;
    for (size_t i = 0; i < m.group[1].len; i++)
        adults += m.group[1].ptr[i] == ',';
    bool last_is_child = m.group[3].len > 0 && m.group[3].ptr[0] >= '0' && m.group[3].ptr[0] <= '9';
    return last_is_child || lead_has(l->rules, "^" CHILD "$|^(?:son|daughter)$", m.group[3]) ? adults : adults + 1;
}

static bool is_couple(lead *l, ctn_str text)
{
    return lead_has(
        l->rules,
        "\\b(?:me|i|myself|us) ?(?:and|&|\\+|plus|y|et) ?(?:my |the |our |one )?(?:dear |lovely |new )?" SPOUSE "\\b"
        "|\\b(?:my|the) " SPOUSE " ?(?:and|&|\\+) ?(?:i|me|myself)\\b|\\bwith my " SPOUSE "\\b(?!s)"
        "|\\b(?:couple|honeymoon|newlyweds|lune de miel|luna de miel|flitterwochen|hochzeitsreise|pareja|paar)\\b(?! "
        "of)"
        "|\\b(?:the )?(?:two|2|both) of us\\b|\\bnous deux\\b|\\bwir (?:zwei|beide)\\b|\\bmi "
        "(?:marido|mujer|esposa|esposo|pareja|novi[oa]) y yo\\b"
        "|\\bma femme et moi|\\bmon mari et moi|\\bmeine (?:frau|freundin) und ich|\\bmein (?:mann|freund) und ich",
        text);
}

static bool is_alone(lead *l, ctn_str text)
{
    return lead_has(
        l->rules,
        "\\b(?:just|only) (?:me|myself|for me|one|1)\\b|\\bsolo\\b|\\bon my own\\b|\\bby myself\\b|\\bfor "
        "myself\\b|\\btravell?ing alone\\b|\\ballein\\b|\\btoute? seule?\\b|\\bsingle traveller\\b|\\b(?:1|one) "
        "(?:person|adult|traveller|pax)\\b|\\bgo alone\\b|\\bjust the one of us\\b",
        text);
}

/* Somebody books for one other person. */
static bool is_for_one(lead *l, ctn_str text)
{
    return lead_has(l->rules,
                    "\\bfor (?:our|my|the) (?:vp|boss|ceo|cfo|cto|md|manager|director|chairman|president|client|guest "
                    "speaker|engineer|colleague|son|daughter|mother|mum|father|dad|nephew|niece)\\b|\\b(?:my|our) "
                    "(?:boss|ceo|manager|director|vp) (?:needs|wants|is|has)\\b|\\b(?:she|he) "
                    "(?:departs|leaves|flies|needs to be|travels)\\b",
                    text);
}

static int field_number(lead *l, lead_field field)
{
    if (!lead_has_field(l, field))
        return -1;
    lead_match m;
    lead_text t = lead_text_make(l->arena, l->fields[field]);
    ctn_str text = ctn_str_trim(lead_text_folded(&t));
    if (lead_find(l->rules, "^(\\d{1,3})\\b", text, 0, &m))
        return small(m.group[1]);
    if (lead_has(l->rules, "^(?:none|no|keine|ninguno|aucun)\\b", text))
        return 0;
    return lead_number(text);
}

void lead_read_people(lead *l)
{
    ctn_str text = lead_text_folded(&l->said);
    people p = {.adults = -1, .children = -1, .total = -1};
    count_children(l, text, &p);
    count_adults(l, text, &p);
    count_total(l, text, &p);
    if (p.adults < 0 && p.total > 0) {
        if (p.children > 0 && p.children < p.total)
            p.adults = p.total - p.children;
        else if (!p.names_children || p.children == 0)
            p.adults = p.total;
    }
    if (p.adults < 0 && p.total < 0) {
        int listed = listed_with_me(l, text);
        if (listed > 0)
            p.adults = listed;
        else if (is_couple(l, text))
            p.adults = 2;
        else if (is_alone(l, text) || is_for_one(l, text))
            p.adults = 1;
    }
    if (p.adults < 0) {
        p.adults = field_number(l, LEAD_ADULTS);
        if (p.children < 0)
            p.children = field_number(l, LEAD_CHILDREN);
    } else if (p.children < 0 && !lead_has_field(l, LEAD_CHILDREN)) {
        p.children = p.names_children && !lead_has(l->rules,
                                                   "\\b(?:no|without|adults? only|sin|ohne|sans) (?:the |our |any "
                                                   ")?(?:kids|children|ninos|kinder|enfants)",
                                                   text)
                         ? -1
                         : 0;
    } else if (p.children < 0) {
        p.children = field_number(l, LEAD_CHILDREN);
    }
    if (p.adults >= 0 && p.children < 0 && !p.names_children)
        p.children = 0;
    l->says_children = p.names_children || lead_has_field(l, LEAD_CHILDREN);
    l->is_total = p.total > 0;
    l->adults = p.adults;
    l->children = p.children;
}
