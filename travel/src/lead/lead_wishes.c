/*
 * lead_wishes.c -- what for: interests from a closed list of tags.
 *
 * A tag applies when the client asks for the thing in any of the four languages, and not when he says that he does not
 * want it. Each row is one tag and the expressions that ask for it, a line per language; they stand as whole words.
 */
#include "lead/lead_parts.h"

typedef struct wish {
    const char *name, *pattern;
    bool is_leisure;
} wish;

/* Whole words: what follows may not be a letter. An ending "\\w*" takes every form of a word. */
#define ASKS(en, es, fr, de) "\\b(?:" en "|" es "|" fr "|" de ")(?![a-z0-9])"
#define LEISURE(name, en, es, fr, de)                                                                                  \
    {                                                                                                                  \
        name, ASKS(en, es, fr, de), true                                                                               \
    }
#define OTHER(name, en, es, fr, de)                                                                                    \
    {                                                                                                                  \
        name, ASKS(en, es, fr, de), false                                                                              \
    }

static const wish WISHES[] = {
    LEISURE("beach", "(?<!d-day )(?<!normandy )(?<!landing )beach(?:es|y|front|side)?|seaside|sandy|sunbath\\w*",
            "playas?", "plages?", "(?:sand)?strand(?:e|urlaub|hotel|nah)?|badeurlaub|badestrand"),
    LEISURE("swimming pool", "(?:swimming |infinity |plunge |splash )?pools?(?! table| bar)", "piscinas?", "piscines?",
            "(?:swimming|hotel)?pools?|schwimmb[a-z]+|schwimmbecken"),
    LEISURE("snorkelling", "snorkel\\w*", "(?:hacer )?snorkel|esnorquel\\w*", "snorkeling|palmes,? masque(?: et)? tuba",
            "schnorchel\\w*"),
    LEISURE("diving", "scuba\\w*|div(?:e|es|ers?|ing)|padi", "buce(?:o|ar)|submarinismo",
            "plongee(?: sous-marine)?|plonger", "(?:geraete)?tauch(?:en|kurs|urlaub|gang|gange|reise|schein)"),
    LEISURE("surfing", "(?:kite|wind)?surf(?:ing|s|ers?)?", "surf(?:ear|ero|era)?", "(?:faire du )?surf",
            "(?:wellen|kite|wind)?surfen|surfkurs|surfcamp"),
    LEISURE("sailing", "sail(?:ing|boat)?s?|yacht\\w*|catamaran|flotilla", "navegar|velero|vela",
            "voilier|faire de la voile|la voile", "segel(?:n|torn|boot|yacht|urlaub|kurs)"),
    LEISURE("cruise", "(?<!pleasure )cruis(?:e|es|ing)", "cruceros?", "croisieres?", "\\w*kreuzfahrt(?:en)?"),
    LEISURE("fishing", "(?:deep[- ]sea |fly |sea )?fishing|angling", "pescar|pesca", "la peche|pecher|peche au gros",
            "angeln|hochseeangeln|angelurlaub"),
    LEISURE("hiking",
            "hik(?:e|es|ers?|ing)|trek\\w*|walking(?! (?:distance|stick|frame|shoes|aid))|(?:long |coastal |country "
            "|nice )?walks|hillwalking|"
            "rambl(?:e|ing)|inca trail|mountaineering",
            "senderis\\w+|caminatas?|excursiones a pie|trekking", "randonnees?|randos?|marcher|marches a pied",
            "\\w*wander(?:n|ung|ungen|urlaub|reise|tour|touren)|bergsteigen"),
    LEISURE("cycling", "(?:bi)?cycl(?:e|es|ing|ists?)|(?:mountain |road |e-)?bik(?:e|es|ing)(?! hire shop)",
            "bici(?:s|cletas?)?|ciclismo", "velos?|cyclisme|vtt|cyclotourisme",
            "rad(?:fahren|tour|touren|reise|urlaub)|fahrrad\\w*|rennrad|mountainbik\\w*"),
    LEISURE("skiing",
            "(?:heli|cross-country |apres-)?ski(?:s|ing|ers?)?|snowboard\\w*|ski(?:pass|resort| lessons)?|slopes",
            "esqui(?:ar)?|nieve", "(?:faire du |le )?ski|sports d'hiver",
            "ski(?:fahren|urlaub|laufen|kurs|gebiet|reise|langlauf)?|skiern"),
    LEISURE("golf", "golf(?:ing|ers?|club|course)?", "golf", "golf", "golf(?:en|urlaub|platz|reise|spielen|hotel)"),
    LEISURE("horse riding",
            "horse ?(?:back)?[- ]?(?:rid(?:e|es|ing)|trek\\w*)|horseback|pony trek\\w*|riding "
            "(?:holiday|stables|lessons)|ride horses",
            "(?:montar|paseos?) a caballo|equitacion", "equitation|(?:balades?|randonnees?|monter) a cheval",
            "reit(?:en|urlaub|ferien|stunden|hof)|ausritte?"),
    LEISURE("yoga", "yoga", "yoga", "yoga", "yoga\\w*"),
    LEISURE("spa",
            "spas?|thermal (?:baths?|springs?|pools?)|hot springs?|(?:ayurved\\w+|beauty|wellness) "
            "?treatments?|treatments|massages?|hammams?|onsens?|"
            "saunas?|wellness|blue lagoon|turkish baths?|thalasso\\w*|pamper\\w*",
            "balnearios?|termas|aguas termales|masajes?|banos (?:termales|turcos)|bano turco",
            "thermes?|thalasso(?:therapie)?|soins|bains (?:thermaux|turcs)",
            "therme\\w*|thermal\\w*|massagen?|wellness\\w*|ayurveda|kur(?:urlaub|en)?|heilbad"),
    LEISURE("safari", "safaris?|game (?:drives?|reserve|viewing)", "safaris?", "safaris?",
            "safaris?|pirschfahrt(?:en)?"),
    LEISURE(
        "wildlife",
        "wildlife|(?:see|spot|watch\\w*|seeing) (?:the |some |any |wild "
        ")?(?:animals?|birds?|whales?|dolphins?|turtles?|bears?|monkeys?|"
        "elephants?|penguins?|puffins?|lions?|tigers?|orang-?utans?|seals?)|animals(?! lovers?)|bird "
        "?(?:-)?(?:watch\\w*|ing|life)|birders?|birds|whale[- ]?watch\\w*|"
        "whales?|dolphins?|turtles|gorillas?|penguins?|puffins?|polar bears?|big five|orang-?utans?",
        "animales|fauna|aves|ballenas|delfines|tortugas|avistamiento\\w*",
        "animaux|faune|oiseaux|baleines|dauphins|tortues|observation des \\w+",
        "tierbeobachtung\\w*|tiere|wildtiere|vogelbeobachtung\\w*|vogel(?! frei)|wale|walbeobachtung|delfine|gorillas"),
    LEISURE("northern lights", "northern lights|aurora(?: borealis)?", "auroras? boreal(?:es)?", "aurores? boreales?",
            "polarlicht\\w*|nordlicht\\w*"),
    LEISURE("food",
            "(?<!halal )(?<!kosher )(?<!vegan )(?<!vegetarian )(?<!veggie )(?<!free )food(?:ies?)?|eat(?:ing)? "
            "(?:well|tour|out|our way|my way|local\\w*)|eating|cook(?:ing|ery) "
            "(?:class|course|lesson|school|day)\\w*|cuisine|"
            "gastronom\\w*|restaurants?|tapas|good meals|street ?food|sushi|ramen|michelin\\w*|fine "
            "dining|dining|culinary|foodie \\w+|seafood|pintxos",
            "com(?:er|ida) (?:bien|rica|local|tipica)?|buena "
            "comida|comida|cocina|gastronom\\w*|restaurantes?|tapas|pintxos|marisco",
            "(?:bien )?manger|gastronom\\w*|cuisine|restaurants?|cours de cuisine|ramens?|bonne table|bonnes tables",
            "(?:gut|gutes|lecker|leckeres|fein) essen|essen (?:gehen|und trinken)|gerne? "
            "essen|kulinari\\w*|kochkurs\\w*|restaurants?|gutem essen|feinschmecker|kuche"),
    LEISURE("wine",
            "win(?:e|es|ery|eries)(?! glass)|vineyards?|champagne (?:tasting|house|cellar)\\w*|port "
            "(?:wine|tast\\w*|cellars?|lodges?)|sherry(?: \\w+)?|"
            "madeira wine|prosecco",
            "vinos?|bodegas?|vinedos?|enoturismo|catas?|jerez de",
            "vins?|vignobles?|vignes|oenolog\\w*|degustation\\w*|caves? a vin|gouter du porto",
            "wein(?:e|gut|guter|probe|proben|verkostung|reise|berge|keller)?|portwein\\w*"),
    LEISURE("history",
            "histor(?:y|ic|ical)|ancient|ruins?|archa?eolog\\w*|castles?|battlefields?|temples?|(?:d-day|normandy) "
            "(?:landings?|beaches)|landings|world war|ww[12]|"
            "medieval|roman (?:remains|sites?)|old town|heritage|pyramids?|war graves",
            "histori(?:a|co|ca|cos|cas)|castillos?|ruinas|templos?|arqueolog\\w*|casco antiguo",
            "histoire|historiques?|chateaux?|ruines|temples?|archeolog\\w*|debarquement|vieille ville",
            "geschichte|historisch\\w*|burgen|schlosser|ruinen|tempel\\w*|archaolog\\w*|altstadt\\w*|antike"),
    LEISURE("museums", "museums?", "museos?", "musees?", "museum|museen|museums\\w*"),
    LEISURE("art",
            "(?:modern |renaissance |street |fine |contemporary )?art(?! deco| nouveau)s?|art "
            "galler(?:y|ies)|galler(?:y|ies)|paintings?|painters?|impressionis\\w+",
            "arte|galerias?|pintura", "art|galeries?|peinture|peintres?", "kunst\\w*|galerien?|malerei"),
    LEISURE("architecture",
            "architect\\w*|gaudi(?:'s)?(?: buildings?)?|art deco|art nouveau|modernist buildings|buildings",
            "arquitect\\w*", "architect\\w*", "architekt\\w*|bauhaus|bauwerke"),
    LEISURE("music",
            "(?:live|traditional|local|country|irish|classical|folk|trad) (?:\\w+ )?music|live "
            "bands?|concerts?|operas?|gigs?|jazz|music(?! player| festival)|sing(?:ing)?|"
            "philharmonic|orchestra|fado|flamenco|trad sessions?|musicals?|choir concert",
            "musica|conciertos?|opera|flamenco|fado|cantar", "musique|concerts?|opera|chanter|fado|flamenco",
            "musik|live-?musik|konzerte?|oper|opern\\w*|singen|musical"),
    LEISURE(
        "nightlife",
        "night ?life|night ?clubs?|clubbing|(?<!kids )(?<!kid's )(?<!kids' )(?<!children's )(?<!golf )(?<!fan "
        ")clubs(?! (?:are|for hire))|club (?:tickets?|nights?|scene|entry)|bars(?! (?:of|in the room))|"
        "(?<!stag )(?<!hen )(?<!birthday )part(?:ies|ying)|party "
        "(?:scene|town|island|hard|place|all|boat|resort|hotel)|closing parties|pub crawls?|pubs|honky ?tonks?|raves?|"
        "night out|nights out|cocktail bars?",
        "vida nocturna|discotecas?|bares|(?:de|salir de) (?:fiesta|marcha|copas)|fiestas",
        "vie nocturne|boites de nuit|sortir le soir|faire la fete|bars|clubs|discotheques?",
        "nachtleben|feiern gehen|bars|clubs|discos?|partymeile|partys?|kneipen"),
    LEISURE("shopping", "shopping|shops|souks?|outlets?|boutiques|malls?", "(?:ir |de )?compras|tiendas",
            "shopping|faire les magasins|boutiques|emplettes", "shoppen|einkaufs?(?:en|bummel|tour)|shopping\\w*"),
    LEISURE("theme parks",
            "theme ?parks?|disney\\w*|universal(?: studios| orlando)?|legoland|(?:water|aqua) "
            "?parks?|europa-?park|port ?aventura|alton towers|"
            "harry potter|roller ?coasters?|amusement parks?|water ?slides?|efteling|phantasialand",
            "parques? (?:tematicos?|acuaticos?|de atracciones)|disneyland|portaventura|toboganes",
            "parcs? (?:d'attractions?|a themes?|aquatiques?)|disneyland|asterix|toboggans",
            "freizeitparks?|themenparks?|vergnugungsparks?|wasserparks?|rutschen"),
    LEISURE("photography",
            "photograph(?:y|ing|s|ers?)|photo (?:tour|trip|safari|workshop)|take (?:good )?photos|camera "
            "lens|telephoto\\w*",
            "fotograf\\w*|hacer fotos", "la photo|photographi\\w*|photographe", "fotograf\\w*|fotoreise|fotosafari"),
    LEISURE("road trip",
            "road ?-?trip(?:ping|s)?|self[- ]?driv(?:e|ing)|driving (?:tour|holiday|route|trip)|fly[- ]drive|camper "
            "?vans?|motorhome|rv (?:trip|tour)|touring by car|"
            "tour(?:ing)? by car|drive (?:around|along|through|the coast)",
            "road trip|(?:recorrer|ruta|viaje|vuelta) [a-z ]{0,20}(?:en|por|de) "
            "(?:coche|carretera|autocaravana|furgoneta)|autocaravana|en coche de alquiler|fly and drive",
            "road ?-?trip|camping-car|autotour|circuit en voiture|van amenage",
            "mietwagen(?:rund)?(?:reise|tour)|mit dem (?:mietwagen|auto) (?:einmal "
            ")?(?:rund|durch|um|quer)[a-z]*|roadtrip|rundreise mit (?:dem "
            ")?(?:mietwagen|auto)|wohnmobil\\w*|campervan|camper|autoreise"),
    LEISURE(
        "train travel",
        "by (?:train|rail|eurostar|sleeper)|(?:via|on|take|taking) (?:the )?(?:eurostar|orient "
        "express|train|sleeper)|(?:all by|ferry and|using) (?:train|rail)|rail "
        "(?:trip|tour|journey|holiday|pass|travel|adventure)|train "
        "(?:trip|journey|tour|travel|ride|holiday)s?|interrail\\w*|eurostar|sleeper (?:train|car)s?|night "
        "trains?|bullet trains?|scenic trains?|trains only|rather (?:take the )?train",
        "(?:en|viaje en|viajar en) tren|interrail", "(?:en|par le|voyage en) train|en tgv|interrail|train de nuit",
        "(?:mit dem|im|per) (?:zug|nachtzug|ice)|(?:mit der|per) bahn|bahnreise|zugreise|interrail|bahnfahrt|zugfahrt"),
    LEISURE("camping", "camp(?:ing|sites?|fire)|glamp\\w*|tents?|camper ?site|bell tent",
            "camping|acampar|tienda de campana", "camping|campings|tente|mobil-?home",
            "camping\\w*|campen|zelten?|zeltplatz|glamping"),
    LEISURE("festival",
            "festivals?|carnival|oktoberfest|mardi gras|coachella|glastonbury|tomorrowland|(?:the "
            ")?fringe|fiesta de|las fallas|st patrick's day|burning man|"
            "feria de abril|la tomatina|hogmanay",
            "festival(?:es)?|carnaval|fallas|sanfermines|feria de abril", "festivals?|carnaval|feria|fete des lumieres",
            "festivals?|karneval|fasching|oktoberfest"),
    LEISURE("sports event",
            "grand prix|formula (?:1|one)|f1|world "
            "cup|olympics?|(?:football|rugby|cricket|tennis|baseball|basketball|hockey|nba|nfl|mlb|nhl|champions "
            "league|red sox|yankees|la liga|"
            "premier league) (?:match(?:es)?|games?|final|series|test)|(?:a|the|watch\\w*|see\\w*|catch) (?:\\w+ "
            "){0,3}(?:match|ball ?game)|super bowl|wimbledon|six nations|tt races?|ryder cup|the masters|"
            "the ashes|tour de france|marathon|el clasico|final four|test match|(?:watch|see) (?:the|a) "
            "(?:game|race|fight)|moto ?gp|horse rac\\w+",
            "partidos?(?: (?:de|del) \\w+)?|mundial|gran premio|olimpiadas|clasico",
            "match(?:s)? de \\w+|(?:un|le) match|coupe du monde|grand prix|jeux olympiques|tournoi|roland[- ]garros",
            "(?:fussball|handball|champions-league-)?spiel (?:von|im "
            "stadion|gegen)|bundesligaspiel|weltmeisterschaft|wm-\\w+|olympia\\w*|formel "
            "(?:1|eins)|fussballspiel|landerspiel|grand prix"),
    LEISURE("kids club", "(?:kid'?s?'?|child(?:ren)?'?s?'?|mini|teen'?s?'?) ?-?clubs?|creche",
            "(?:mini)?club (?:infantil|de ninos)|miniclub|kids club",
            "(?:mini-?)?clubs? (?:enfants?|bebes?|ados?)|miniclub",
            "(?:kinder|mini|teenie)-?club|kinderbetreuung|kinderanimation"),
    LEISURE(
        "all inclusive",
        "all[- ]?in(?:c|cl|clusive)|ai(?= (?:board|hotel|basis|please|pls|package|resort|\\d\\*)|[,.;\\n])|a\\.i\\.",
        "todo incluido", "(?<!euros )(?<!\\x80 )tout (?:compris|inclus)|all[- ]?inclusive",
        "all[- ]?inclusiv\\w*|alles inklusive|ai-\\w+"),
    LEISURE("relaxation",
            "relax\\w*|unwind\\w*|chill(?:ing|ed|ax)?(?: out)?|switch(?:ing)? off|do(?:ing)? nothing|(?:peace "
            "and|some) quiet|de-?stress\\w*|rest and relaxation|r ?& ?r|recharge",
            "relaj\\w*|descans\\w+|desconect\\w+|tranquilidad|no hacer nada",
            "se (?:detendre|relaxer|reposer)|nous reposer|me reposer|farniente|detente|repos|se ressourcer|deconnecter",
            "entspann\\w*|erhol(?:en|ung|ungsurlaub)|relaxen|ausspannen|abschalten|nichts tun|faulenzen"),
    LEISURE(
        "birthday",
        "(?:\\d\\dth )?birthdays?|bday|b-day|(?:18|21|30|40|50|60|65|70|75|80|85|90|100)(?:th|st)(?= "
        "?(?:[,.!?;)\\n]|party|trip|treat|celebration|bash|and|in|so|this|with|she|he|$)(?![a-z]))|(?:turns?|turning) "
        "(?:18|21|30|40|50|60|65|70|75|80|85|90|100)|(?:eighteenth|twenty[- "
        "]first|thirtieth|fortieth|fiftieth|sixtieth|seventieth|eightieth|ninetieth)|big "
        "(?:30|40|50|60|70|3-0|4-0|5-0|6-0)",
        "cumple(?:anos)?", "anniversaire(?! de mariage)|fete(?:r)? (?:ses|mes|nos) \\d\\d ans|(?:ses|mes) \\d\\d ans",
        "(?:\\d\\d\\. ?)?geburtstag\\w*"),
    LEISURE("anniversary", "(?:wedding |work )?anniversar(?:y|ies)",
            "aniversario(?: de (?:boda|bodas))?|bodas de (?:oro|plata)", "anniversaire de mariage|noces d['e] ?\\w+",
            "hochzeitstag|jahrestag|(?:goldene|silberne) hochzeit|silberhochzeit"),
    LEISURE("wedding",
            "weddings?(?! (?:anniversary|present|list))|get(?:ting)? married (?:there|in|on the "
            "beach|abroad|at)|bridesmaids?(?! dress)|marry(?:ing)? (?:there|in|on the beach|abroad)|elop\\w+",
            "bodas?(?! de (?:oro|plata))", "mariage(?<!anniversaire de mariage)|nous marier (?:a|en|au|aux|sur)|noce",
            "hochzeit(?:sfeier|sgaste)?(?! ?stag)|heiraten (?:in|auf|am strand|dort)|standesamt"),
    LEISURE("pilgrimage", "pilgrim\\w*|(?:the )?camino(?: de santiago)?|umrah|hajj|way of st james",
            "peregrin\\w*|camino de santiago|romeria", "pelerin\\w*|compostelle|omra|hadj",
            "pilger\\w*|wallfahrt\\w*|jakobsweg|umra"),
    OTHER("conference",
          "conferences?|congress\\w*|trade ?(?:fairs?|shows?)|conventions?|expo|symposium|summit|exhibition "
          "(?:stand|centre)",
          "congresos?|feria (?:comercial|de muestras|del \\w+|internacional)|convencion(?:es)?|simposio",
          "congres|salon (?:professionnel|du|de l['a]|international)|foire "
          "(?:commerciale|internationale)|colloque|seminaire international",
          "kongress\\w*|konferenz\\w*|(?:fach|handels|industrie|hannover|buch|spielwaren)?messe(?: in| hannover| "
          "frankfurt)?|messebesuch|tagung\\w*|symposium"),
    OTHER(
        "accessibility",
        "wheel ?chairs?\\w*|step[- ]free|accessib\\w+|(?:lift|elevator)s? (?:is |are |access "
        ")?(?:needed|please|pls|essential|required|a must)|needs? (?:a|the) (?:lift|elevator)|mobility "
        "(?:scooter|issues?|problems?|aid|needs|impaired)|(?:can't|cannot|can not|cant|unable to|struggles? "
        "to|struggles? with|not able to|no good with|can't do|trouble with|difficulty) (?:walk(?:ing)?|(?:manage |do "
        "|climb |use )?(?:the |many |any )?(?:stairs|steps))(?: far| much| long| very far)?|roll[- ]in shower|wet "
        "room|ground[- ]floor "
        "room|no (?:stairs|steps)|disabled|bad (?:hip|knees?|legs?)|walk(?:s|ing)? (?:with a stick|frame)|zimmer frame",
        "silla de ruedas|no (?:camina|anda|puede caminar|puede andar) ?(?:mucho|bien|lejos)?|movilidad "
        "reducida|accesible|ascensor|sin escaleras|sin barreras",
        "fauteuil roulant|mobilite reduite|(?:ne )?(?:marche|peut) pas "
        "(?:beaucoup|marcher|longtemps|bien)|ascenseur|sans (?:marches|escaliers)|accessible|pmr",
        "rollstuhl\\w*|barrierefrei\\w*|gehbehindert\\w*|(?:nicht|schlecht) (?:gut |weit |mehr |lange "
        ")*(?:laufen|gehen|zu fuss)|aufzug|fahrstuhl|stufenlos|ohne (?:stufen|treppen)|rollator"),
    OTHER("vegetarian", "vegetarians?|veggies?(?: food)?|veggie", "vegetarian[oa]s?", "vegetarien(?:ne)?s?",
          "vegetari(?:er|erin|sch\\w*)"),
    OTHER("vegan", "vegans?", "vegan[oa]s?", "vegan(?:e|es|s)?|vegetalien\\w*", "vegan(?:er|erin|e|es)?"),
    OTHER("gluten free", "gluten[- ]?free|co?eliacs?|gluten (?:intolerant|allergy)|no gluten|gf (?:diet|food|options?)",
          "sin gluten|celiac[oa]s?", "sans gluten|coeliaques?|c?liaques?|intoleran\\w+ au gluten",
          "glutenfrei\\w*|zoliakie"),
    OTHER("halal", "halal", "halal", "halal|hallal", "halal"),
    OTHER("kosher", "kosher", "kosher|casher", "casher|kasher", "koscher\\w*"),
    OTHER("pet friendly",
          "(?:our |my |the |\\d |two "
          ")?(?:pets?|dogs?|doggy?|puppy|pup|labradors?|labs|cockapoo|spaniel|terrier|retriever|dachshund|whippet|"
          "poodle)(?! ?(?:sled|sledding|hair|bites?|ate))|pet[- ]friendly|dog[- ]friendly|(?:my|our) cats?",
          "perr[oa]s?|mascotas?|(?:mi|nuestro) gat[oa]",
          "chiens?|chienne|animaux de compagnie|(?:mon|notre) chat(?:te)?",
          "hund(?:e|en|in)?|haustiere?|(?:meine|unsere) katzen?|vierbeiner"),
};

enum { WISH_COUNT = sizeof WISHES / sizeof *WISHES };
_Static_assert(WISH_COUNT <= 64, "interests are bits");

const size_t lead_interest_count = WISH_COUNT;

const char *lead_interest_name(size_t i)
{
    return WISHES[i].name;
}

/* ---- what is not wanted ---- */

static const char REFUSED_BEFORE[] =
    "\\b(?:no|not|nor|don'?t (?:want|need|like|do|care for|fancy)(?: to)?|doesn't "
    "(?:like|want)|without|skip|hates?|avoid|rather than|instead of|scared of|afraid "
    "of|not (?:into|interested in|keen on|a fan of|bothered about)|less|kein\\w*|nicht|ohne|statt|lieber "
    "keine|sans|sin|ni|nada de|pas(?: de| du)?|ne (?:veut|voulons|veux) pas|"
    "no (?:queremos|quiero|nos gustan?|hace falta))(?: (?:any|a|an|more|the|to|too "
    "much|much|big|of|go|going|la|el|los|las|le|les|de))*(?: [a-z]+)? ?$";
/* "no golf or shopping": the refusal goes on over a list */
static const char REFUSED_LIST[] = "\\b(?:no|without|ohne|sans|sin|keine?)(?: [a-z]+){1,2}(?:,? (?:[a-z]+ ){1,2})?,? "
                                   "?(?:or|nor|and|ni|oder|ou|und|,) $";
static const char REFUSED_AFTER[] = "(?:,? (?:no(?= thanks|[,.!?;\\n]|$)|less so|not so much|nein|nicht so|is "
                                    "not|isn't|aren't|not for|not really|not my|not "
                                    "his|not her|not our|not needed|not necessary|no,|not important)|,? no[,.] )";

static bool is_wished(lead *l, const wish *w, ctn_str text)
{
    lead_match m;
    bool is_asked = false; /* of several mentions the last one counts */
    for (size_t from = 0; lead_find(l->rules, w->pattern, text, from, &m); from = m.end > from ? m.end : from + 1) {
        if (lead_overlaps_name(l, &l->said, m.start, m.end))
            continue; /* Mrs Pool wants none */
        is_asked = !lead_before(l->rules, REFUSED_BEFORE, text, m.start, 34, NULL) &&
                   !lead_before(l->rules, REFUSED_LIST, text, m.start, 40, NULL) &&
                   !lead_after(l->rules, REFUSED_AFTER, text, m.end, 24);
    }
    return is_asked;
}

void lead_read_wishes(lead *l)
{
    ctn_str text = lead_text_folded(&l->said);
    for (size_t i = 0; i < WISH_COUNT; i++)
        if (is_wished(l, &WISHES[i], text)) {
            l->interests |= UINT64_C(1) << i;
            l->has_leisure_wish = l->has_leisure_wish || WISHES[i].is_leisure;
        }
}
