/*
 * trip_words.c -- see trip_words.h. Tables of sentences, and the two lines that are put together from words.
 *
 * French sentences have U+00A0 before : ; ? as they are printed there. Each table has one `%s`, or says how many.
 */
#include "trip/trip_words.h"

#include <assert.h>

/* A phrase with texts in the places of its %s, in their order. */
static ctn_str fill(ctn_arena *arena, const travel_phrase *phrase, travel_language language, ctn_str first,
                    ctn_str second)
{
    ctn_str rest = travel_say(phrase, language), values[2] = {first, second}, out = {NULL, 0};
    size_t at, next = 0;
    while ((at = ctn_str_find(rest, CTN_STR("%s"))) != SIZE_MAX) {
        assert(next < 2);
        out = ctn_arena_printf(arena, "%.*s%.*s%.*s", CTN_STR_ARG(out), (int) at, rest.ptr, CTN_STR_ARG(values[next]));
        next++;
        rest = ctn_str_from_offset(rest, at + 2);
    }
    return ctn_arena_printf(arena, "%.*s%.*s", CTN_STR_ARG(out), CTN_STR_ARG(rest));
}

static const ctn_str NONE = {"", 0};

ctn_str travel_place_in_words(ctn_str name, travel_language language)
{
    const travel_place *place = travel_place_by_name(name);
    return place ? ctn_str_from(travel_place_shown(place, ctn_str_from(travel_language_code(language)))) : name;
}

/* ---- what was assumed ---- */

ctn_str travel_assumed_month(ctn_arena *arena, travel_civil month, travel_day start, travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"You mentioned %s without a day, so we priced a departure on %s.",
         "Nos habló de %s sin un día concreto, así que hemos calculado la salida para el %s.",
         "Vous avez parlé de %s sans préciser le jour ; nous avons donc chiffré un départ le %s.",
         "Sie haben %s ohne einen Tag genannt; wir haben daher mit der Abreise am %s, gerechnet."}};
    return fill(arena, &SENTENCE, language, travel_month_shown(arena, month.year, month.month, language),
                travel_date_long_shown(arena, start, language));
}

ctn_str travel_assumed_start(ctn_arena *arena, travel_day start, travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"We have no dates from you yet, so we priced a departure on %s.",
         "Todavía no conocemos sus fechas, así que hemos calculado la salida para el %s.",
         "Nous ne connaissons pas encore vos dates ; nous avons donc chiffré un départ le %s.",
         "Ihre Reisedaten kennen wir noch nicht; wir haben daher mit der Abreise am %s, gerechnet."}};
    return fill(arena, &SENTENCE, language, travel_date_long_shown(arena, start, language), NONE);
}

ctn_str travel_assumed_later(ctn_arena *arena, travel_day said, travel_day start, travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"The departure that you named, %s, has passed, so we priced one on %s.",
         "La fecha de salida que nos indicó, el %s, ya ha pasado, así que hemos calculado la salida para el %s.",
         "La date de départ indiquée, le %s, est déjà passée ; nous avons donc chiffré un départ le %s.",
         "Der Abreisetag, den Sie genannt haben (%s), ist schon vorbei; wir haben daher mit der Abreise am %s, "
         "gerechnet."}};
    return fill(arena, &SENTENCE, language, travel_date_shown(arena, said, language),
                travel_date_long_shown(arena, start, language));
}

ctn_str travel_assumed_nights(ctn_arena *arena, int nights, travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"The length of your stay is still open, so we priced %s.",
         "La duración de la estancia está por concretar, así que hemos calculado %s.",
         "La durée du séjour reste à préciser ; nous avons donc chiffré %s.",
         "Die Dauer Ihres Aufenthalts ist noch offen; wir haben %s berechnet."}};
    return fill(arena, &SENTENCE, language, travel_count_shown(arena, nights, TRAVEL_NIGHT, language), NONE);
}

ctn_str travel_assumed_first_nights(ctn_arena *arena, int nights, travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"These prices cover the first %s nights.", "Estos precios cubren las primeras %s noches.",
         "Ces prix couvrent les %s premières nuits.", "Diese Preise gelten für die ersten %s Nächte."}};
    return fill(arena, &SENTENCE, language, travel_number_shown(arena, nights, language), NONE);
}

ctn_str travel_assumed_adults(ctn_arena *arena, int adults, travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"We do not know yet how many of you travel, so we priced %s.",
         "Todavía no sabemos cuántas personas viajan, así que hemos calculado %s.",
         "Nous ne savons pas encore combien de personnes voyagent ; nous avons donc chiffré %s.",
         "Wie viele Personen reisen, wissen wir noch nicht; wir haben %s angenommen."}};
    return fill(arena, &SENTENCE, language, travel_count_shown(arena, adults, TRAVEL_ADULT, language), NONE);
}

ctn_str travel_assumed_first_people(ctn_arena *arena, int people, travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"These prices cover the first %s travellers; for larger groups we ask the airline and the hotel.",
         "Estos precios cubren a los primeros %s viajeros; para grupos mayores consultamos a la aerolínea y al hotel.",
         "Ces prix couvrent les %s premiers voyageurs ; pour un groupe plus grand, nous consultons la compagnie et "
         "l’hôtel.",
         "Diese Preise gelten für die ersten %s Reisenden; für größere Gruppen fragen wir Airline und Hotel an."}};
    return fill(arena, &SENTENCE, language, travel_number_shown(arena, people, language), NONE);
}

ctn_str travel_assumed_no_origin(travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"We do not know yet where you leave from, so these prices are without the journey there and back.",
         "Todavía no sabemos desde dónde saldrá, así que estos precios no incluyen el viaje de ida y vuelta.",
         "Nous ne savons pas encore d’où vous partez ; ces prix s’entendent donc sans le trajet aller-retour.",
         "Von wo Sie abreisen, wissen wir noch nicht; diese Preise verstehen sich daher ohne An- und Abreise."}};
    return travel_say(&SENTENCE, language);
}

ctn_str travel_assumed_no_airport(ctn_arena *arena, ctn_str origin, travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"We found no airport for %s, so these prices are without the journey there and back.",
         "No hemos encontrado aeropuerto para %s, así que estos precios no incluyen el viaje de ida y vuelta.",
         "Nous n’avons pas trouvé d’aéroport pour %s ; ces prix s’entendent donc sans le trajet aller-retour.",
         "Für %s haben wir keinen Flughafen gefunden; diese Preise verstehen sich daher ohne An- und Abreise."}};
    return fill(arena, &SENTENCE, language, travel_place_in_words(origin, language), NONE);
}

ctn_str travel_assumed_choice(ctn_arena *arena, ctn_str other, ctn_str chosen, travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"You also named %s. These prices are for %s, and we will gladly send you the other one too.",
         "También nos habló de %s. Estos precios son para %s, y con gusto le enviamos también la otra opción.",
         "Vous avez aussi parlé de %s. Ces prix sont pour %s, et nous vous enverrons volontiers l’autre proposition.",
         "Sie haben auch %s genannt. Diese Preise gelten für %s; das andere Angebot schicken wir Ihnen gern."}};
    return fill(arena, &SENTENCE, language, travel_place_in_words(other, language),
                travel_place_in_words(chosen, language));
}

ctn_str travel_assumed_without(ctn_arena *arena, ctn_str place, travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"We found no flights or hotels for %s yet, so these prices are without it.",
         "Todavía no hemos encontrado vuelos ni hoteles para %s, así que estos precios no lo incluyen.",
         "Nous n’avons pas encore trouvé de vols ni d’hôtels pour %s ; ces prix n’en tiennent donc pas compte.",
         "Für %s haben wir noch keine Flüge und Hotels gefunden; in diesen Preisen ist das nicht enthalten."}};
    return fill(arena, &SENTENCE, language, travel_place_in_words(place, language), NONE);
}

ctn_str travel_assumed_pounds(ctn_arena *arena, ctn_str currency, travel_language language)
{
    static const travel_phrase SENTENCE = {{"We have no rate for %s, so prices are in pounds.",
                                            "No tenemos cambio para %s, así que los precios están en libras.",
                                            "Nous n’avons pas de taux pour %s ; les prix sont donc en livres.",
                                            "Für %s haben wir keinen Kurs; die Preise stehen daher in Pfund."}};
    return fill(arena, &SENTENCE, language, currency, NONE);
}

ctn_str travel_assumed_no_cruise(travel_language language)
{
    static const travel_phrase SENTENCE = {
        {"The cruise itself is not in these prices yet: they are for flights and hotels at the place you named.",
         "El crucero en sí todavía no está en estos precios: son de vuelos y hoteles en el lugar que nos indicó.",
         "La croisière elle-même n’est pas encore dans ces prix : ils portent sur les vols et les hôtels du lieu cité.",
         "Die Kreuzfahrt selbst ist in diesen Preisen noch nicht enthalten: sie gelten für Flüge und Hotels am "
         "genannten Ort."}};
    return travel_say(&SENTENCE, language);
}

/* ---- what is asked ---- */

ctn_str travel_question_for(ctn_str key, travel_language language)
{
    static const struct {
        const char *key;
        travel_phrase sentence;
    } QUESTIONS[] = {
        {"name",
         {{"What name should we put on the proposal?", "¿A nombre de quién preparamos la propuesta?",
           "À quel nom devons-nous établir la proposition ?", "Auf welchen Namen dürfen wir das Angebot ausstellen?"}}},
        {"contact",
         {{"Which phone number or e-mail address should we use to reach you?",
           "¿En qué teléfono o correo electrónico podemos localizarle?",
           "À quel numéro de téléphone ou à quelle adresse e-mail pouvons-nous vous joindre ?",
           "Unter welcher Telefonnummer oder E-Mail-Adresse erreichen wir Sie?"}}},
        {"origin",
         {{"Where would you like to travel from?", "¿Desde dónde le gustaría salir?", "D’où souhaitez-vous partir ?",
           "Von wo möchten Sie abreisen?"}}},
        {"destinations",
         {{"Where would you like to go?", "¿Adónde le gustaría viajar?", "Où aimeriez-vous aller ?",
           "Wohin möchten Sie reisen?"}}},
        {"dates",
         {{"Which day would you like to leave?", "¿Qué día le gustaría salir?", "Quel jour souhaitez-vous partir ?",
           "An welchem Tag möchten Sie abreisen?"}}},
        {"duration",
         {{"How many nights would you like to stay?", "¿Cuántas noches le gustaría quedarse?",
           "Combien de nuits souhaitez-vous rester ?", "Wie viele Nächte möchten Sie bleiben?"}}},
        {"travellers",
         {{"How many adults and children will travel, and how old are the children?",
           "¿Cuántos adultos y niños viajarán, y qué edad tienen los niños?",
           "Combien d’adultes et d’enfants voyageront, et quel âge ont les enfants ?",
           "Wie viele Erwachsene und Kinder reisen mit, und wie alt sind die Kinder?"}}},
        {"budget",
         {{"What budget do you have in mind, in total or per person?",
           "¿Qué presupuesto tiene en mente, en total o por persona?",
           "Quel budget envisagez-vous, au total ou par personne ?",
           "Welches Budget haben Sie im Sinn, insgesamt oder pro Person?"}}},
    };
    for (size_t i = 0; i < sizeof QUESTIONS / sizeof *QUESTIONS; i++)
        if (ctn_str_is(key, QUESTIONS[i].key))
            return travel_say(&QUESTIONS[i].sentence, language);
    assert(!"a key that nothing asks for");
    return NONE;
}

ctn_str travel_question_which_town(ctn_arena *arena, ctn_str place, travel_language language)
{
    static const travel_phrase SENTENCE = {{"Which town or airport would suit you best for %s?",
                                            "¿Qué ciudad o aeropuerto le vendría mejor para %s?",
                                            "Quelle ville ou quel aéroport vous conviendrait le mieux pour %s ?",
                                            "Welcher Ort oder Flughafen passt Ihnen für %s am besten?"}};
    return fill(arena, &SENTENCE, language, travel_place_in_words(place, language), NONE);
}

/* ---- the trip in a line ---- */

static bool is_said(const ctn_json *requirements, const char *key)
{
    const ctn_json *v = ctn_json_member_of(requirements, key);
    return v && !ctn_json_is(v, CTN_JSON_NULL) && !(ctn_json_is(v, CTN_JSON_ARRAY) && ctn_json_count(v) == 0) &&
           !(ctn_json_is(v, CTN_JSON_STRING) && ctn_str_trim(ctn_json_text(v)).len == 0);
}

static ctn_str kind_of_trip(ctn_str type, travel_language language)
{
    static const struct {
        const char *type;
        travel_phrase words;
    } KINDS[] = {
        {"leisure", {{"a holiday", "unas vacaciones", "des vacances", "ein Urlaub"}}},
        {"family", {{"a family trip", "un viaje en familia", "un voyage en famille", "eine Familienreise"}}},
        {"group", {{"a group trip", "un viaje en grupo", "un voyage en groupe", "eine Gruppenreise"}}},
        {"business", {{"a business trip", "un viaje de negocios", "un voyage d’affaires", "eine Geschäftsreise"}}},
        {"honeymoon", {{"a honeymoon", "un viaje de novios", "un voyage de noces", "eine Hochzeitsreise"}}},
    };
    static const travel_phrase OTHER = {{"a trip", "un viaje", "un voyage", "eine Reise"}};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (ctn_str_is(type, KINDS[i].type))
            return travel_say(&KINDS[i].words, language);
    return travel_say(&OTHER, language);
}

static ctn_str places_shown(ctn_arena *arena, const ctn_json *names, bool is_either, travel_language language)
{
    size_t count = ctn_json_count(names);
    ctn_str *items = ctn_arena_alloc(arena, (count + 1) * sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = travel_place_in_words(ctn_json_text(ctn_json_at(names, i)), language);
    return is_either ? travel_list_or_shown(arena, items, count, language)
                     : travel_list_shown(arena, items, count, language);
}

ctn_str travel_trip_summary(ctn_arena *arena, const ctn_json *requirements, const travel_trip *trip,
                            travel_language language)
{
    static const char *const SAID[] = {"origin", "destinations", "start_date", "nights",
                                       "month",  "adults",       "trip_type"};
    static const travel_phrase FOR = {{"%s for %s", "%s para %s", "%s pour %s", "%s für %s"}};
    static const travel_phrase FROM = {{"%s from %s", "%s desde %s", "%s au départ de %s", "%s ab %s"}};
    static const travel_phrase TO = {{"%s to %s", "%s a %s", "%s, destination %s", "%s nach %s"}};
    static const travel_phrase LEAVING = {
        {"%s, leaving on %s", "%s, con salida el %s", "%s, départ le %s", "%s, Abreise am %s"}};
    static const travel_phrase MONTH = {{"%s, in %s", "%s, en %s", "%s, en %s", "%s, im %s"}};
    bool says_nothing = true;
    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++)
        says_nothing = says_nothing && !is_said(requirements, SAID[i]);
    if (says_nothing)
        return NONE;
    ctn_str out = kind_of_trip(ctn_json_str_or(requirements, "trip_type", NONE), language);
    if (is_said(requirements, "adults"))
        out = fill(arena, &FOR, language, out, travel_travellers_shown(arena, trip->adults, trip->children, language));
    if (trip->origin.len > 0)
        out = fill(arena, &FROM, language, out, travel_place_in_words(trip->origin, language));
    if (is_said(requirements, "destinations"))
        out = fill(arena, &TO, language, out,
                   places_shown(arena, ctn_json_member_of(requirements, "destinations"),
                                ctn_json_bool_or(requirements, "alternatives", false), language));
    bool has_start = is_said(requirements, "start_date"), has_nights = is_said(requirements, "nights");
    ctn_str nights = travel_count_shown(arena, trip->nights, TRAVEL_NIGHT, language);
    if (has_start && has_nights)
        return ctn_arena_printf(arena, "%.*s, %.*s (%.*s)", CTN_STR_ARG(out),
                                CTN_STR_ARG(travel_dates_said(arena, trip->start, trip->end, language)),
                                CTN_STR_ARG(nights));
    if (has_start)
        return fill(arena, &LEAVING, language, out, travel_date_shown(arena, trip->start, language));
    travel_civil month;
    if (travel_month_parse(ctn_json_str_or(requirements, "month", NONE), &month))
        out = fill(arena, &MONTH, language, out, travel_month_shown(arena, month.year, month.month, language));
    return has_nights ? ctn_arena_printf(arena, "%.*s, %.*s", CTN_STR_ARG(out), CTN_STR_ARG(nights)) : out;
}
