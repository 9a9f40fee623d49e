/*
 * lead_kind.c -- what the text is: whether it asks for travel at all, and for which type of trip.
 *
 * What is not a lead says so by its words: somebody sells us something, somebody writes about a trip that is booked
 * already, somebody thanks. Each of these is one list; what none of them names is a lead if it wants travel, however
 * vaguely.
 */
#include "lead/lead_parts.h"

/* ---- no leads ---- */

/* Offers, advertising, fraud. */
static const char SELLS[] =
    "\\b(?:net rates?|(?:agent |trade )?commissions?\\b|\\d+ ?% (?:agent |trade "
    ")?(?:commission|override)|webinars?|opt[- ]?out|unsubscribe|fam trips?|"
    "dear (?:travel |valued |trade )*(?:partners?|trade|agents?|agency)|(?:rate|fact) ?sheets?|(?:special "
    "|contract(?:ed|ing)? |agent )rates for|contracting|dmc|"
    "(?:offer|introduce|introducing|feature|list|promote|present) (?:\\w+ ){0,4}(?:your agency|on your "
    "(?:website|site)|our (?:new |latest )?(?:\\w+ "
    "){0,3}(?:fleet|hotels?|rates|brochure|programme|collection|property|villas?|"
    "resort|product))|(?:we are|i represent|on behalf of) an? (?:\\w+ ){0,3}(?:hotel (?:group|chain)|supplier|dmc|tour "
    "operator|villa (?:brand|company)|wholesaler|bed ?bank|brand)|"
    "our (?:new )?rates are|partner with (?:you|us)|grow your (?:business|agency)|boost your|seo|google rank\\w*|first "
    "page|leads for your|followers|crypto\\w*|bitcoin|casino|"
    "(?:payday |business )?loans?\\b|investment opportunity|invoice attached|marketing (?:services|agency)|web "
    "?design\\w*)"
    "|\\b(?:tarifas netas|comision(?:es)?|para agencias|tarifs? nets?|pour les agences|nettopreise|provision|fur "
    "reiseburos|reiseburo-?konditionen|kontingente?)\\b";
static const char FRAUD[] =
    "\\bcongratulations\\b[^\\n]{0,80}\\b(?:won|drawn|prize|winner|selected)|\\b(?:was drawn|prizes?\\b|processing "
    "fee|winner!|you(?:'ve| have) (?:won|been (?:selected|chosen))|"
    "claim (?:your|now|by|it)|call now to claim|complimentary (?:cruise|holiday|caribbean)|free nights|verify "
    "(?:your|within|now)|account (?:will be|has been) (?:suspended|locked)|"
    "(?:whatsapp|bank|paypal) (?:business )?account|wire transfer|inheritance|gift ?card)\\b"
    "|\\b(?:ha (?:ganado|sido seleccionado)|enhorabuena[^\\n]{0,60}(?:ganado|premio)|vous avez (?:gagne|ete "
    "selectionne)|sie haben gewonnen|gewinner)\\b";
/* About a trip that is booked, or over. */
static const char BOOKED[] =
    "\\b(?:booking|reservation|order|confirmation|buchung|buchungsnummer|reserva|localizador|dossier|reservation)(?: "
    "?(?:ref(?:erence)?|number|no|nr|code|nummer|numero))?[ .:#]{0,3}(?=[a-z0-9-]*\\d)[a-z]{0,4}-?\\d{3,}"
    "|\\bref(?:erence)?[ .:#]{0,3}[a-z]{1,4}-?\\d{3,}"
    "|\\b(?:my|our|the|existing) (?:booking|reservation|e-?tickets?|boarding "
    "(?:pass|card)s?|voucher|refund|invoice|itinerary|transfer|final payment|balance|deposit)\\b"
    "|\\b(?:already|have) booked (?:with you|on)\\b|\\bbooked (?:on|with) (?:the|you)\\b|\\bvouchers?\\b|\\bpicking us "
    "up\\b|\\bcheck(?:ing)?[- ]?in (?:time|online|for)\\b|\\bwe booked with you\\b"
    "|\\b(?:change|amend|cancel|move|correct|update|add|alter|rebook)\\b[^.\\n?]{0,40}\\b(?:booking|reservation|my "
    "flight|our flight|our trip|my trip|tickets?|passport|suitcase|luggage|bags?|seats?)\\b"
    "|\\b(?:refund|complaint|complain|lost luggage|delayed flight|travel insurance details|still waiting (?:on|for))\\b"
    "|\\b(?:mi|nuestra|la) reserva\\b(?! de (?:un|una))|\\b(?:notre|ma|la) reservation\\b|\\bnuestro vuelo "
    "(?:de|del|sale)\\b|\\b(?:meine|unsere|die) "
    "buchung\\b|\\b(?:umbuchen|stornier\\w*|reembolso|remboursement|ruckerstattung|annuler (?:notre|mon|ma)|cancelar "
    "(?:mi|nuestr\\w+))\\b";
static const char OVER[] =
    "\\b(?:we're|we are|just|got) (?:back|home) from\\b|\\bjust got back\\b|\\bhad (?:a|an|the) (?:\\w+ "
    ")?(?:fab|fabulous|great|lovely|wonderful|amazing|brilliant|fantastic|best|super)\\b[^.\\n]{0,20}\\btime\\b|"
    "\\bthank(?:s| you)(?: \\w+){0,3} for (?:everything|organising|organizing|arranging|all your|the lovely|your "
    "help|sorting)\\b|\\bgracias por todo\\b|\\bmerci pour tout\\b|\\b(?:danke|vielen dank) fur alles\\b|\\bwaren "
    "(?:sehr )?zufrieden\\b";
/* To somebody else, or about something else. */
static const char ASTRAY[] =
    "\\bwrong (?:number|person|chat)\\b|\\bnumero equivocado\\b|\\bfaux numero\\b|\\b(?:verwahlt|falsche nummer)\\b"
    "|\\b(?:any )?(?:vacanc(?:y|ies) (?:for|in|at|\\?)|job (?:openings?|vacanc\\w+|application)|years'? "
    "experience|(?:my )?(?:cv|resume|curriculum vitae)\\b|apply(?:ing)? for (?:the|a) (?:job|position|role)|work "
    "experience|internship|bewerb\\w+|candidature|empleo|stellenangebot)"
    "|\\b(?:opening hours|what time do you (?:open|close)|are you open|wann haben sie geoffnet|a que hora abren)\\b";

/* ---- leads ---- */

static const char ASKS[] =
    "\\b(?:want(?:s|ing|ed)?|wanna|would (?:like|love)|(?:we|i|she|he|they)'d (?:like|love)|looking "
    "(?:for|at|to|into)|after (?:a|some|something|2|two)|quote[sd]?|price[sd]?|how much|thinking (?:of|about)|"
    "interested|need(?: to)? (?:get|fly|book|be|a|to go|flights?|hotel|tickets?)|please "
    "(?:arrange|book|find|quote|price)|(?:can|could) (?:you|u|i|we) "
    "(?:book|find|do|get|price|plan|suggest|organise|help)|fancy|"
    "planning|enquir\\w+|inquir\\w+|hoping (?:to|for)|dreaming of|re:? |wish to|take (?:my|our)|we're off to|going "
    "to)\\b"
    "|\\b(?:quiero|queremos|quisiera(?:mos)?|quisieramos|querr?ia(?:n|mos)?|busco|buscamos|me gustaria|nos "
    "gustaria|presupuesto|necesit\\w+|cuanto)\\b"
    "|\\b(?:voudrai(?:s|t|ent)|voudrions|aimerai(?:s|t|ent)|aimerions|cherch\\w+|devis|combien|on "
    "veut|souhait\\w+|pensons|besoin)\\b"
    "|\\b(?:mochten?|wollen|wurden? gern\\w*|suche[n]?|angebot|anfrage|was kostet|interessier\\w+|planen|brauchen?)\\b";
static const char TRIP[] =
    "\\b(?:trips?|travell?ing|(?:arrange|plan|book|our|my) travel|travel "
    "(?:to|plans?|for)|holidays?|hols?|vacations?|flights?|fly(?:ing)?|hotels?|villas?|cottage|cruises?|honeymoon|(?:"
    "city |mini)?breaks?|getaways?|tours?|"
    "safari|resorts?|weekend|somewhere (?:hot|sunny|warm|nice|in the sun)|in the sun|pilgrimage|retreat|stag do|hen "
    "do|all inclusive|package|"
    "urlaub|\\w*reisen?|flug|fluge|ferien|kreuzfahrt|viajes?|viajar|vuelos?|vacaciones|escapada|crucero|luna de "
    "miel|voyages?|partir|vacances|vols?|sejour|croisiere|lune de miel|week-end)\\b";
static const char FRESH[] =
    "\\b(?:another|new|next|different|separate) (?:trip|booking|holiday|quote|enquiry|one)\\b|\\botro "
    "viaje\\b|\\b(?:un )?autre voyage\\b|\\b(?:neue|andere) reise\\b";

static bool is_request(lead *l, ctn_str text)
{
    ctn_str all = lead_text_folded(&l->body);
    bool is_form =
        lead_has_field(l, LEAD_DESTINATION) || (lead_has_field(l, LEAD_START) && lead_has_field(l, LEAD_ORIGIN));
    if (is_form)
        return true;
    if (lead_has(l->rules, SELLS, all) || lead_has(l->rules, FRAUD, all) || lead_has(l->rules, ASTRAY, all))
        return false;
    bool is_asking = lead_has(l->rules, ASKS, text), has_trip_word = lead_has(l->rules, TRIP, text);
    bool has_when = l->start != TRAVEL_NO_DAY || l->month > 0 || l->nights > 0;
    /* whoever also says how many want to go, and for how much, writes about a new trip */
    bool has_request = is_asking && l->destination_count > 0 && has_when && (l->adults > 0 || l->amount.len > 0);
    if ((lead_has(l->rules, BOOKED, all) || lead_has(l->rules, OVER, all)) && !has_request &&
        !lead_has(l->rules, FRESH, text))
        return false;
    return l->destination_count > 0 || has_trip_word || (has_when && (l->origin || is_asking || l->adults > 0));
}

/* ---- the type of trip ---- */

static const char HONEYMOON[] = "\\bhoney ?moon\\w*|\\b(?:lune de miel|voyage de noces|luna de miel|viaje de "
                                "novios|flitterwochen|hochzeitsreise)\\b";
static const char BUSINESS[] =
    "\\b(?:trade "
    "(?:fair|show)s?|congress|conferences?|conventions?|(?:kick-?off|board|client|business|regional|team|sales|company|"
    "work|annual|project) meetings?|meetings?|"
    "business (?:trip|travel)|on business|for work|(?:it's |is )work\\b|work(?:s)? (?:trip|travel|do\\b)|(?<=[.?!] "
    ")work(?=[.!])|company (?:retreat|pays|trip|away ?day|offsite)|corporate|off-?site|team building|site "
    "visit|training course|"
    "(?:our|my) (?:employer|company|firm)|our (?:vp|ceo|cfo|cto|managing director|sales team)|symposium|expo)\\b"
    "|\\b(?:viaje de (?:negocios|trabajo|empresa)|por trabajo|reunion(?:es)? de (?:trabajo|negocios)|congreso|feria "
    "(?:comercial|de muestras|internacional))\\b"
    "|\\b(?:voyage d'affaires|deplacement professionnel|pour le (?:travail|boulot)|reunions?(?: de travail)?(?= a | "
    "avec)|congres|salon professionnel|seminaire)\\b"
    "|\\b(?:geschaftsreise|dienstreise|geschaftlich|beruflich|firmenreise|tagung|kongress\\w*|messe|besprechung\\w*|"
    "betriebsausflug|kundentermin\\w*)\\b";
static const char GROUP[] =
    "\\b(?:stag|hen)(?: do| party| weekend| trip| night|s)?\\b(?! (?:island|beach))|\\bbachelor(?:ette)? "
    "(?:party|do|trip|weekend)\\b|\\b(?:despedida de solter[oa]|evjf|evg|enterrement de "
    "vie|junggesell\\w+abschied|jga)\\b"
    "|\\b(?:school|class|college|university) (?:trip|group|excursion)\\b|\\b(?:primary|secondary|high|grammar|our|my) "
    "school\\b(?! (?:age|friends?|holidays?|hols|has|already))|\\b(?:our|the|my|a|with|from|under-\\d+s?) (?:\\w+ "
    "){0,3}(?:league|choir|society|parish|congregation|scouts?|"
    "orchestra|brass band|troop|crew|squad|football team|rugby team|hockey team|netball team|cricket team|team)\\b(?! "
    "meetings?)|\\b(?:kids "
    "|night)?(?:golf|cycling|rugby|football|hockey|rowing|running|bowls|bowling|book|walking|tennis|dive|diving|"
    "sailing|ski|"
    "social|rotary|cricket|netball|swimming|photography|bridge|wi|gardening|supporters'?) "
    "(?:club|society|team|league)\\b|\\b(?:our|my) club\\b"
    "|\\b(?:nuestro (?:club|equipo|coro|colegio)|viaje de (?:fin de curso|estudios)|notre "
    "(?:club|equipe|chorale|ecole|classe)|voyage scolaire|(?:unser|unsere) "
    "(?:verein|mannschaft|chor|schule|klasse)|klassenfahrt|\\w*(?:verein|chor)sreise|kegelclub|\\w{3,}verein)\\b";
static const char FAMILY[] =
    "\\bfamily "
    "(?:trip|holiday|holidays|hol|hols|vacation|break|getaway|cruise|adventure|reunion|visit|tour|of|ski|beach|city)"
    "\\b|\\b(?:for|with) (?:my|our|the) (?:\\w+ )?family\\b|\\bmy family and i\\b|\\b(?:whole|entire) family\\b"
    "|\\b(?:familienurlaub|familienreise|familienferien|ganze familie|mit (?:der|meiner|unserer) familie)\\b|\\ben "
    "famille\\b|\\btoute la famille\\b|\\bune famille de\\b|\\bvacaciones familiares\\b|\\b(?:viaje|viajar) en "
    "familia\\b|\\bcon (?:mi|la|nuestra) familia\\b|\\bsomos una familia\\b";
#define RELATIVES                                                                                                      \
    "(?:sister|brother|friends?|family|son|daughter|cousins?|aunt|uncle|parents|mum|mom|mother|dad|father|"            \
    "grandchildren|relatives|nan|gran|grandma|niece|nephew|in-laws|granddaughter|"                                     \
    "grandson|grandparents|pen ?friend|girlfriend|boyfriend)"
static const char LEISURE[] =
    "\\b(?:holidays?|hols?|vacations?|(?:city |mini|short |weekend |spring |winter |summer |beach |long "
    ")?breaks?|minibreak|getaways?|tours?|touring|cruise\\w*|city trips?|sightsee\\w*|staycation|weekend away|retreat|"
    "\\w*urlaub\\w*|ferien\\w*|rundreise\\w*|stadtereise\\w*|stadtetrip\\w*|kurztrip|kreuzfahrt\\w*|vacances|sejour|"
    "escapade|circuit|croisiere\\w*|vacaciones|escapada|crucero\\w*|turismo|puente de)\\b"
    "|\\b(?:see|visit|visiting|seeing|stay(?:ing)? with|meet(?:ing)? up with) (?:my |our |his |her |the |some "
    ")?(?:\\w+ )?" RELATIVES "\\b"
    "|\\b(?:visitar|ver) a (?:mi|mis|nuestr[oa]s?|unos) \\w+|\\b(?:voir|visite a|chez) (?:ma|mon|mes|notre|nos|des) "
    "(?:\\w+ )?(?:soeur|frere|amis?|famille|fille|fils|cousins?|parents|grands-parents|tante|oncle)\\b"
    "|\\b(?:meine|unsere|freunde|verwandte|familie)[a-z ]{0,24}(?:zu )?besuchen\\b|\\bbesuch bei\\b";

static const char *type_of(lead *l, ctn_str text)
{
    int travellers = (l->adults > 0 ? l->adults : 0) + (l->children > 0 ? l->children : 0);
    if (lead_has(l->rules, HONEYMOON, text))
        return "honeymoon";
    if (lead_has(l->rules, BUSINESS, text))
        return "business";
    if (travellers >= 8 || lead_has(l->rules, GROUP, text))
        return "group";
    if (l->children > 0 || lead_has(l->rules, FAMILY, text))
        return "family";
    return l->has_leisure_wish || lead_has(l->rules, LEISURE, text) ? "leisure" : NULL;
}

void lead_read_kind(lead *l)
{
    ctn_str text = lead_text_folded(&l->said);
    l->is_lead = is_request(l, text);
    l->trip_type = type_of(l, text);
}
