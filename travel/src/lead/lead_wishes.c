/*
 * lead_wishes.c -- what for: interests from a closed list, the type of trip, and whether the text asks for travel at
 * all.
 */
#include "lead/lead_parts.h"

typedef struct wish {
    const char *name, *pattern;
    bool is_leisure;
} wish;

static const wish WISHES[] = {
    {"beach", "\\bbeach(?:es|y)?\\b|\\bplaya\\b|\\bplages?\\b|\\bstrand\\w*", true},
    {"swimming pool", "\\bpools?\\b(?! table)|\\bpiscin[ae]s?\\b|\\bschwimmbad\\b", true},
    {"snorkelling", "\\bsnorkel\\w*|\\bschnorchel\\w*", true},
    {"diving", "\\bscuba\\b|\\bdiv(?:e|es|ing)\\b|\\bbuceo\\b|\\bplongee\\b|\\btauchen\\b", true},
    {"surfing", "\\bsurf(?:ing|s)?\\b|\\bsurfen\\b", true},
    {"sailing", "\\bsail(?:ing)?\\b|\\byacht\\w*|\\bcatamaran\\b|\\bsegeln\\b", true},
    {"cruise", "\\bcruis(?:e|es|ing)\\b|\\bkreuzfahrt\\b|\\bcroisiere\\b|\\bcrucero\\b", true},
    {"fishing", "\\bfishing\\b|\\bangeln\\b|\\bpesca\\b", true},
    {"hiking",
     "\\bhik(?:e|es|ing)\\b|\\btrek\\w*|\\bwalking (?:holiday|tour|trip|route|in|the)|\\binca "
     "trail\\b|\\bwandern?\\b|\\brandonnee\\b|\\bsenderismo\\b|\\blong walks\\b|\\bwalks\\b",
     true},
    {"cycling", "\\bcycl(?:e|ing)\\b|\\bbik(?:e|es|ing)\\b|\\bradfahren\\b|\\bvelo\\b", true},
    {"skiing", "\\bski(?:ing|s)?\\b|\\bsnowboard\\w*|\\bskifahren\\b|\\bski-?urlaub\\b|\\besqui\\w*", true},
    {"golf", "\\bgolf(?:ing)?\\b", true},
    {"horse riding", "\\bhorse ?(?:back )?rid\\w*|\\bpony trek\\w*|\\breiten\\b", true},
    {"yoga", "\\byoga\\b", true},
    {"spa",
     "\\bspas?\\b|\\bthermal baths?\\b|\\bhot "
     "springs\\b|\\bmassages?\\b|\\bthermes?\\b|\\bhammam\\b|\\bonsens?\\b|\\btermas\\b|\\bwellness\\b",
     true},
    {"safari", "\\bsafaris?\\b|\\bgame drives?\\b", true},
    {"wildlife",
     "\\bwildlife\\b|\\banimals?\\b(?! lover)|\\bbird "
     "?watch\\w*|\\bbirding\\b|\\bwhale\\w*|\\btierbeobachtung\\w*|\\bturtles\\b|\\belephants\\b|\\bgorillas?\\b|"
     "\\bpenguins\\b",
     true},
    {"northern lights",
     "\\bnorthern lights\\b|\\baurora\\b|\\baurores? boreales?\\b|\\bauroras? "
     "boreal\\w*|\\bpolarlicht\\w*|\\bnordlicht\\w*",
     true},
    {"food",
     "\\bfood(?:ies?)?\\b|\\beat(?:ing)? (?:well|tour|out|our way)|\\beating\\b|\\bcook(?:ing|ery) "
     "(?:class|course|lesson)\\w*|\\bcuisine\\b|\\bcomida\\b|\\bgastronom\\w*|\\brestaurants?\\b|\\btapas\\b|\\bgood "
     "meals\\b|\\bstreet ?food\\b|\\bessen\\b|\\bmanger\\b",
     true},
    {"wine",
     "\\bwin(?:e|es|ery|eries)\\b|\\bvineyards?\\b|\\bweingut\\w*|\\bvinos?\\b|\\bbodegas?\\b|\\bsherry "
     "tast\\w*|\\bport (?:wine|tast\\w*|cellars?|lodges?)",
     true},
    {"history",
     "\\bhistor(?:y|ic|ical)\\b|\\bancient\\b|\\bruins?\\b|\\barchaeolog\\w*|\\bcastles?\\b|\\bgeschichte\\b|"
     "\\bhistoire\\b|\\bhistoria\\b|\\bbattlefields?\\b",
     true},
    {"museums", "\\bmuseums?\\b|\\bmusees?\\b|\\bmuseos?\\b|\\bmuseen\\b", true},
    {"art", "\\bart\\b|\\bgaller(?:y|ies)\\b|\\bpaintings?\\b|\\bkunst\\b", true},
    {"architecture", "\\barchitect\\w*|\\barchitektur\\b|\\barquitectura\\b", true},
    {"music",
     "\\b(?:live|traditional) "
     "(?:music|bands?)\\b|\\bconcerts?\\b|\\bmusica\\b|\\bmusique\\b|\\bmusik\\b|\\bopera\\b|\\bgigs?\\b|\\bjazz\\b|"
     "\\bmusic\\b(?! player)",
     true},
    {"nightlife",
     "\\bnight ?life\\b|(?<!kids )(?<!kid's )(?<!kids' )(?<!golf )(?<!book )(?<!cycling )(?<!bowling )(?<!children's "
     ")\\bclub(?:s|bing)\\b|\\bclub tickets?\\b|\\bbars\\b|\\bpart(?:y|ies|ying) "
     "(?:scene|town|island|hard|all)|\\bpartying\\b|\\bvida nocturna\\b|\\bpub crawl\\b",
     true},
    {"shopping", "\\bshopping\\b|\\bshops\\b|\\bsouks?\\b|\\boutlets?\\b", true},
    {"theme parks",
     "\\btheme parks?\\b|\\bdisney\\w*|\\buniversal studios\\b|\\blegoland\\b|\\bwater "
     "?parks?\\b|\\beuropa-?park\\b|\\bport ?aventura\\b|\\bharry potter\\b",
     true},
    {"photography", "\\bphotograph(?:y|ing|s)\\b|\\bfotografi\\w*|\\bphoto (?:tour|trip|safari)\\b", true},
    {"road trip",
     "\\broad ?trip\\b|\\bself[- ]?drive\\b|\\bdriving (?:tour|holiday|route)\\b|\\bmietwagenrundreise\\b|\\bfly[- "
     "]drive\\b|\\bcampervan\\b|\\bmotorhome\\b",
     true},
    {"train travel",
     "\\bby (?:train|rail)\\b|\\brail (?:trip|tour|journey|holiday|pass)\\b|\\btrain "
     "(?:trip|journey|tour|travel)\\b|\\binterrail\\w*|\\bsleeper train\\b|\\bmit dem zug\\b|\\ben train\\b|\\ben "
     "tren\\b|\\bbullet trains?\\b|\\bscenic train\\b",
     true},
    {"camping", "\\bcamp(?:ing|site)s?\\b|\\bglamping\\b|\\bcampervan\\b", true},
    {"festival", "\\bfestivals?\\b|\\bcarnival\\b|\\boktoberfest\\b|\\bchristmas markets?\\b", true},
    {"sports event",
     "\\bgrand prix\\b|\\bworld cup\\b|\\bolympics?\\b|\\b(?:football|rugby|cricket|tennis|baseball|nba|nfl) "
     "(?:match|game|final)\\w*|\\bsuper bowl\\b|\\bwimbledon\\b|\\b(?:watch|see) (?:the|a) (?:match|game|race)\\b",
     true},
    {"kids club", "\\bkid'?s'? ?club|\\bchildren'?s'? club|\\bminiclub\\b|\\bclub enfants?\\b|\\bkinderclub\\b", true},
    {"all inclusive",
     "\\ball[- ]?inc(?:l|lusive)?\\b|\\btodo incluido\\b|\\btout (?:compris|inclus)\\b|\\bai\\b(?= "
     "(?:board|hotel|basis|please|pls))|\\ball inclusiv\\w*",
     true},
    {"relaxation",
     "\\brelax\\w*|\\bunwind\\w*|\\bchill(?:ing|ed)?(?: out)?\\b|\\bentspann\\w*|\\bdescansar\\b|\\bdo "
     "nothing\\b|\\bswitch off\\b|\\bse detendre\\b",
     true},
    {"birthday",
     "\\bbirthdays?\\b|\\b(?:18|21|30|40|50|60|65|70|75|80|90)th\\b(?! "
     "(?:of|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))|\\b(?:eighteenth|thirtieth|fortieth|fiftieth|sixtieth|"
     "seventieth|eightieth|ninetieth)\\b|\\bcumpleanos\\b|\\banniversaire\\b(?! de mariage)|\\bgeburtstag\\b",
     true},
    {"anniversary",
     "\\b(?:wedding )?anniversar(?:y|ies)\\b|\\baniversario\\b|\\bhochzeitstag\\b|\\banniversaire de mariage\\b", true},
    {"wedding", "\\bwedding\\b(?! anniversary)|\\bget(?:ting)? married (?:there|in|on the beach)\\b|\\bboda\\b", true},
    {"pilgrimage", "\\bpilgrim\\w*|\\bcamino de santiago\\b|\\bthe camino\\b|\\bumrah\\b|\\bhajj\\b|\\blourdes\\b",
     true},
    {"conference",
     "\\bconferences?\\b|\\bcongress\\b|\\btrade "
     "(?:fair|show)s?\\b|\\bconventions?\\b|\\bexpo\\b|\\bkongress\\b|\\bcongreso\\b",
     false},
    {"accessibility",
     "\\bwheel ?chairs?\\b|\\bstep[- ]free\\b|\\baccessible\\b|\\b(?:lift|elevator) "
     "(?:needed|please|pls|essential|required)\\b|\\bneeds? a lift\\b|\\bmobility (?:scooter|issues|problems)\\b|\\bno "
     "camina mucho\\b|\\b(?:can't|cannot|can not) (?:walk far|manage stairs|do stairs|walk "
     "much)\\b|\\brollstuhl\\w*|\\bfauteuil roulant\\b|\\bsilla de ruedas\\b|\\broll[- ]in shower\\b",
     false},
    {"vegetarian", "\\bvegetarian\\w*|\\bveggie\\b|\\bvegetarisch\\b|\\bvegetarien\\w*", false},
    {"vegan", "\\bvegan\\w*", false},
    {"gluten free", "\\bgluten[- ]?free\\b|\\bco?eliac\\b|\\bglutenfrei\\b|\\bsin gluten\\b|\\bsans gluten\\b", false},
    {"halal", "\\bhalal\\b", false},
    {"kosher", "\\bkosher\\b", false},
    {"pet friendly",
     "\\bpets?\\b|\\bdogs?\\b|\\blabrador\\w*|\\bpuppy\\b|\\bhund\\b|\\bchien\\b|\\bperro\\b|\\bcockapoo\\b|"
     "\\bspaniel\\b|\\bcat\\b(?! ?\\d)",
     false},
};

enum { WISH_COUNT = sizeof WISHES / sizeof *WISHES };
_Static_assert(WISH_COUNT <= 64, "interests are bits");

const size_t lead_interest_count = WISH_COUNT;

const char *lead_interest_name(size_t i)
{
    return WISHES[i].name;
}

static const char REFUSED_BEFORE[] =
    "\\b(?:no|not|don'?t want(?: to)?|don'?t need|without|skip|hate|avoid|rather than|not (?:into|interested in|keen "
    "on|a fan of|bothered about)|nothing|kein\\w*|ohne|sans|sin|pas de)(?: (?:any|a|more|the|to|too "
    "much|much|big))*(?: [a-z]+)? ?$";
static const char REFUSED_AFTER[] =
    "(?:,? (?:no,|less so|not so much|nein|is not|isn't|not for|not really|not my)|,? no[,.] )";

static bool is_wished(lead *l, const wish *w, ctn_str text)
{
    lead_match m;
    for (size_t from = 0; lead_find(l->rules, w->pattern, text, from, &m); from = m.end > from ? m.end : from + 1) {
        if (lead_before(l->rules, REFUSED_BEFORE, text, m.start, 34, NULL) ||
            lead_after(l->rules, REFUSED_AFTER, text, m.end, 20))
            continue;
        return true;
    }
    return false;
}

static const char *type_of(lead *l, ctn_str text, bool has_leisure_wish)
{
    if (lead_has(l->rules,
                 "\\bhoney ?moon\\w*|\\blune de miel\\b|\\bluna de miel\\b|\\bflitterwochen\\b|\\bhochzeitsreise\\b",
                 text))
        return "honeymoon";
    if (lead_has(l->rules,
                 "\\btrade "
                 "(?:fair|show)|\\bcongress\\b|\\bconferences?\\b|\\b(?:kickoff|board|client|business|regional|team|"
                 "sales) meetings?\\b|\\bmeetings?\\b|\\bbusiness (?:trip|travel)\\b|\\b(?:work|works) "
                 "trip\\b|\\bgeschaftsreise\\b|\\bdienstreise\\b|\\bviaje de "
                 "(?:negocios|trabajo)\\b|\\bconvention\\b|\\bcompany pays\\b|\\bkongress\\b",
                 text))
        return "business";
    int travellers = (l->adults > 0 ? l->adults : 0) + (l->children > 0 ? l->children : 0);
    if (travellers >= 8 ||
        lead_has(l->rules,
                 "\\b(?:stag|hen)(?: do| party| weekend|s)?\\b|\\bbachelor(?:ette)? (?:party|do|trip)\\b|\\bschool "
                 "(?:trip|group)\\b|\\bleague\\b|\\bour (?:club|team|choir|society|church "
                 "group)\\b|\\b(?:golf|cycling|rugby|football|hockey|rowing|running|bowls|book|walking|tennis) "
                 "(?:club|society|team)\\b|\\bchoir\\b",
                 text))
        return "group";
    if (l->children > 0 || lead_has(l->rules,
                                    "\\bfamily "
                                    "(?:trip|holiday|hol|hols|vacation|break|getaway|cruise|adventure)\\b|"
                                    "\\bfamilienurlaub\\b|\\bvacances en famille\\b|\\bvacaciones familiares\\b",
                                    text))
        return "family";
    if (has_leisure_wish ||
        lead_has(
            l->rules,
            "\\bholidays?\\b|\\bhols?\\b|\\bvacations?\\b|\\bbreaks?\\b|\\bgetaways?\\b|\\btours?\\b|\\bcruise|\\bcity "
            "trip\\b|\\bsightsee\\w*|\\bstaycation\\b|\\burlaub\\w*|\\brundreise\\w*|\\bvacances\\b|\\bvacaciones\\b|"
            "\\bsejour\\b|\\b(?:see|visit|visiting|seeing|stay with) (?:my |our |his |her "
            ")?(?:sister|brother|friends?|family|son|daughter|cousins?|aunt|uncle|parents|mum|mom|dad|grandchildren|"
            "relatives|nan|gran)\\b",
            text))
        return "leisure";
    return NULL;
}

static bool is_request(lead *l, ctn_str text)
{
    if (lead_has(l->rules,
                 "\\bnet rates?\\b|\\bcommission\\b|\\bwebinar\\b|\\bopt[- "
                 "]?out\\b|\\bunsubscribe\\b|\\bcongratulations?!*\\b.*\\b(?:won|drawn|prize|winner|selected)|\\bwas "
                 "drawn\\b|\\byou(?:'ve| have) (?:won|been selected)|\\bprize\\b|\\bprocessing fee\\b|\\bwrong "
                 "number\\b|\\bdear travel (?:partner|trade|agent)s?\\b|\\bdmc\\b|\\bseo\\b|\\bcrypto\\b|\\bour (?:new "
                 ")?rates are\\b|\\bcasino\\b|\\bloan\\b|\\bfam trip\\b",
                 text))
        return false;
    bool is_asking = lead_has(l->rules,
                              "\\b(?:want|wanna|would like|we'd like|i'd like|looking (?:for|at|to)|quote|price|how "
                              "much|thinking|interested|need(?: to)? (?:get|fly|book|a|flights)|please "
                              "(?:arrange|book|find)|can you (?:book|find|do))\\b",
                              text);
    if (!is_asking && lead_has(l->rules,
                               "\\b(?:booking|ref(?:erence)?)[ .:#]{0,3}[a-z]{2,4}-?\\d{3,}|\\b(?:my|our) "
                               "(?:booking|reservation|flight|transfer|e-?tickets?|boarding)\\b|\\bvoucher\\b|"
                               "\\balready booked\\b|\\bpicking us up\\b|\\bcheck[- ]?in (?:time|online)\\b",
                               text))
        return false;
    if (lead_has(l->rules,
                 "\\b(?:change|amend|cancel|move|add (?:a )?(?:bag|seat)s?)\\b[^.\\n]{0,24}\\b(?:my|our|the) "
                 "(?:booking|reservation|flight|trip|tickets?)\\b",
                 text) &&
        !lead_has(l->rules, "\\bnew (?:trip|booking|holiday)\\b", text))
        return false;
    bool has_trip_word = lead_has(l->rules,
                                  "\\b(?:trips?|travell?ing|(?:arrange|plan|book|our|my) travel|travel "
                                  "(?:to|plans?|for)|holidays?|hols?|vacations?|flights?|fly(?:ing)?|hotels?|villas?|"
                                  "cruises?|honeymoon|breaks?|getaways?|tours?|safari|resorts?|weekend "
                                  "away|urlaub|reise\\w*|flug|viajes?|vuelos?|vacaciones|voyages?|vacances|vols?|"
                                  "sejour|somewhere (?:hot|sunny|warm|nice))\\b",
                                  text);
    return l->destination_count > 0 || has_trip_word ||
           ((l->start != TRAVEL_NO_DAY || l->nights > 0) && (l->origin || is_asking));
}

void lead_read_wishes(lead *l)
{
    ctn_str text = lead_text_folded(&l->said);
    bool has_leisure_wish = false;
    l->is_lead = is_request(l, text) || lead_has_field(l, LEAD_DESTINATION);
    for (size_t i = 0; i < WISH_COUNT; i++)
        if (is_wished(l, &WISHES[i], text)) {
            l->interests |= UINT64_C(1) << i;
            has_leisure_wish = has_leisure_wish || WISHES[i].is_leisure;
        }
    l->trip_type = type_of(l, text, has_leisure_wish);
}
