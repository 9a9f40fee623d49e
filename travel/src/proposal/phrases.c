/*
 * phrases.c -- see phrases.h. Two tables; the Spanish and the French speak to the client as usted and vous, the German
 * as Sie.
 */
#include "proposal/phrases.h"

#include <assert.h>

typedef struct entry {
    const char *key;
    travel_phrase text;
} entry;

/* The client's words: every key may be replaced in agency.yaml and is there for templates as words.KEY. */
static const entry PHRASES[] = {
    /* the three ways */
    {"good_name", {{"Essential", "Esencial", "Essentiel", "Basis"}}},
    {"better_name", {{"Comfort", "Confort", "Confort", "Komfort"}}},
    {"best_name", {{"Premium", "Premium", "Premium", "Premium"}}},
    {"good_text",
     {{"The trip at its best price: the lowest fare and well-kept three-star hotels.",
       "El viaje al mejor precio: la tarifa más económica y hoteles de tres estrellas bien cuidados.",
       "Le voyage au meilleur prix\u00a0: le tarif le plus bas et de bons hôtels trois étoiles.",
       "Die Reise zum besten Preis: der günstigste Tarif und gepflegte Drei-Sterne-Hotels."}}},
    {"better_text",
     {{"A fare with luggage and four-star hotels.", "Una tarifa con equipaje y hoteles de cuatro estrellas.",
       "Un tarif avec bagages et des hôtels quatre étoiles.", "Ein Tarif mit Gepäck und Vier-Sterne-Hotels."}}},
    {"best_text",
     {{"The front of the plane where there is one, and five-star hotels.",
       "Los mejores asientos del avión y hoteles de cinco estrellas.",
       "Les meilleures places à bord et des hôtels cinq étoiles.",
       "Die besten Plätze an Bord und Fünf-Sterne-Hotels."}}},

    /* headings and labels */
    {"title", {{"Your travel proposal", "Su propuesta de viaje", "Votre proposition de voyage", "Ihr Reiseangebot"}}},
    {"title_to", {{"Your trip to {0}", "Su viaje a {0}", "Votre voyage\u00a0: {0}", "Ihre Reise: {0}"}}},
    {"version", {{"Version {0}", "Versión {0}", "Version {0}", "Fassung {0}"}}},
    {"reference", {{"Our reference", "Nuestra referencia", "Notre référence", "Unser Zeichen"}}},
    {"your_trip", {{"Your trip", "Su viaje", "Votre voyage", "Ihre Reise"}}},
    {"dates", {{"Dates", "Fechas", "Dates", "Reisezeit"}}},
    {"travellers", {{"Travellers", "Viajeros", "Voyageurs", "Reisende"}}},
    {"route", {{"Route", "Itinerario", "Itinéraire", "Route"}}},
    {"wishes", {{"You asked for", "Nos ha pedido", "Vous avez demandé", "Ihre Wünsche"}}},
    {"budget", {{"Your budget", "Su presupuesto", "Votre budget", "Ihr Budget"}}},
    {"choices", {{"Three ways to travel", "Tres formas de viajar", "Trois façons de voyager", "Drei Möglichkeiten"}}},
    {"option", {{"Option", "Opción", "Formule", "Angebot"}}},
    {"per_person", {{"Per person", "Por persona", "Par personne", "Pro Person"}}},
    {"total", {{"Total", "Total", "Total", "Gesamtpreis"}}},
    {"flights", {{"Getting there and back", "Ida y vuelta", "Aller et retour", "An- und Abreise"}}},
    {"hotels", {{"Where you stay", "Alojamiento", "Votre hébergement", "Ihre Unterkunft"}}},
    {"price", {{"What it costs", "Precio", "Votre prix", "Ihr Preis"}}},
    {"date", {{"Date", "Fecha", "Date", "Datum"}}},
    {"journey", {{"Journey", "Trayecto", "Trajet", "Strecke"}}},
    {"details", {{"Details", "Detalles", "Détails", "Einzelheiten"}}},
    {"place", {{"Place", "Lugar", "Lieu", "Ort"}}},
    {"hotel", {{"Hotel", "Hotel", "Hôtel", "Hotel"}}},
    {"item", {{"Item", "Concepto", "Prestation", "Leistung"}}},
    {"amount", {{"Amount", "Importe", "Montant", "Betrag"}}},
    {"deposit", {{"Deposit to book", "Anticipo para reservar", "Acompte à la réservation", "Anzahlung bei Buchung"}}},
    {"balance",
     {{"Balance before departure", "Resto antes de la salida", "Solde avant le départ", "Restzahlung vor Abreise"}}},
    {"fare", {{"Fare", "Tarifa", "Tarif", "Tarif"}}},
    {"assumed", {{"What we assumed", "Lo que hemos supuesto", "Ce que nous avons supposé", "Unsere Annahmen"}}},
    {"asked",
     {{"What we still need to know", "Lo que aún necesitamos saber", "Ce qu’il nous faut encore savoir",
       "Was wir noch wissen möchten"}}},
    {"next", {{"How to book", "Cómo reservar", "Pour réserver", "So buchen Sie"}}},

    /* lines of a price */
    {"line_flights", {{"Flights and transfers", "Vuelos y traslados", "Vols et transferts", "Flüge und Transfers"}}},
    {"line_hotel", {{"Hotel in {0}", "Hotel, {0}", "Hôtel, {0}", "Hotel, {0}"}}},
    {"line_service", {{"Our service", "Nuestro servicio", "Nos services", "Unser Service"}}},

    /* sentences */
    {"understood",
     {{"This is what we understood:", "Esto es lo que hemos entendido:", "Voici ce que nous avons compris\u00a0:",
       "So haben wir Sie verstanden:"}}},
    {"greeting_before", {{"Dear ", "Hola, ", "Bonjour ", "Guten Tag "}}},
    {"greeting_after", {{",", ":", ",", ","}}},
    {"greeting_alone", {{"Hello,", "Hola:", "Bonjour,", "Guten Tag,"}}},
    {"thanks",
     {{"Thank you for getting in touch.", "Gracias por ponerse en contacto con nosotros.",
       "Merci de nous avoir contactés.", "vielen Dank für Ihre Anfrage."}}},
    {"intro",
     {{"Thank you for getting in touch. We have put together three ways to make your trip; each can be booked as it "
       "is, "
       "and we are glad to change whatever does not suit you.",
       "Gracias por ponerse en contacto con nosotros. Le hemos preparado tres formas de hacer su viaje; cada una puede "
       "reservarse tal cual, y con mucho gusto cambiaremos lo que no le convenga.",
       "Merci de nous avoir contactés. Nous avons préparé trois façons de faire votre voyage\u202f; chacune peut être "
       "réservée "
       "telle quelle, et nous modifierons volontiers ce qui ne vous convient pas.",
       "vielen Dank für Ihre Anfrage. Wir haben drei Möglichkeiten für Ihre Reise zusammengestellt; jede können Sie so "
       "buchen, und gern ändern wir, was Ihnen nicht zusagt."}}},
    {"intro_again",
     {{"Prices have changed since our last proposal. This one takes its place.",
       "Los precios han cambiado desde nuestra última propuesta. Esta la sustituye.",
       "Les prix ont changé depuis notre dernière proposition. Celle-ci la remplace.",
       "seit unserem letzten Angebot haben sich Preise geändert. Dieses Angebot tritt an seine Stelle."}}},
    {"nothing_yet",
     {{"As soon as we know where you would like to go, we will send you three priced options.",
       "En cuanto sepamos adónde le gustaría ir, le enviaremos tres opciones con precios.",
       "Dès que nous saurons où vous souhaitez aller, nous vous enverrons trois formules avec leurs prix.",
       "Sobald wir wissen, wohin Sie reisen möchten, senden wir Ihnen drei Angebote mit Preisen."}}},
    {"unclear",
     {{"We could not yet see from your message which trip you have in mind.",
       "Por su mensaje aún no hemos podido ver qué viaje tiene en mente.",
       "Votre message ne nous dit pas encore à quel voyage vous pensez.",
       "Aus Ihrer Nachricht konnten wir noch nicht ersehen, welche Reise Sie sich wünschen."}}},
    {"valid",
     {{"This proposal is valid until {0}. Prices are in {1}.",
       "Esta propuesta es válida hasta el {0}. Los precios están en {1}.",
       "Cette proposition est valable jusqu’au {0}. Les prix sont en {1}.",
       "Dieses Angebot gilt bis zum {0}. Alle Preise in {1}."}}},
    {"how_to_book",
     {{"Tell us which of the three you would like. We check the prices once more before we book anything; if one has "
       "changed, we ask you first.",
       "Díganos cuál de las tres prefiere. Antes de reservar volvemos a comprobar los precios; si alguno ha cambiado, "
       "se lo "
       "consultamos primero.",
       "Dites-nous laquelle des trois vous préférez. Avant toute réservation nous vérifions les prix\u202f; si l’un "
       "d’eux a "
       "changé, nous vous consultons d’abord.",
       "Sagen Sie uns, welches der drei Angebote Sie möchten. Vor der Buchung prüfen wir die Preise noch einmal; hat "
       "sich "
       "einer geändert, fragen wir Sie zuerst."}}},
    {"change_it",
     {{"Just answer this message and we will change whatever does not fit.",
       "Responda a este mensaje y cambiaremos lo que no le convenga.",
       "Répondez simplement à ce message et nous modifierons ce qui ne convient pas.",
       "Antworten Sie einfach auf diese Nachricht, und wir ändern, was nicht passt."}}},
    {"no_flights",
     {{"Flights are not in these prices: we do not know a place of departure yet that we can search from.",
       "Los vuelos no están incluidos en estos precios: aún no conocemos un lugar de salida desde el que podamos "
       "buscar.",
       "Les vols ne sont pas compris dans ces prix\u00a0: nous ne connaissons pas encore de lieu de départ où "
       "chercher.",
       "Flüge sind in diesen Preisen nicht enthalten: Wir kennen noch keinen Abreiseort, von dem aus wir suchen "
       "können."}}},
    {"terms", {{"", "", "", ""}}},
    {"sandbox",
     {{"Sandbox inventory: the airports and distances are real; the flights, hotels and prices are made up and cannot "
       "be "
       "booked.",
       "Inventario de prueba: los aeropuertos y las distancias son reales; los vuelos, los hoteles y los precios son "
       "inventados y no se pueden reservar.",
       "Inventaire d’essai\u00a0: les aéroports et les distances sont réels\u202f; les vols, les hôtels et les prix "
       "sont "
       "inventés et ne "
       "peuvent pas être réservés.",
       "Testbestand: Flughäfen und Entfernungen sind echt; Flüge, Hotels und Preise sind erfunden und nicht "
       "buchbar."}}},
    {"gone",
     {{"{0}: no longer available", "{0}: ya no está disponible", "{0}\u00a0: n’est plus disponible",
       "{0}: nicht mehr verfügbar"}}},
    {"closing", {{"Kind regards,", "Un cordial saludo,", "Bien cordialement,", "Mit freundlichen Grüßen"}}},
    {"colon", {{":", ":", "\u00a0:", ":"}}}, /* behind a label */

    /* a letter around the document, and the reminder */
    {"mail_subject",
     {{"Your trip to {0}: our proposal", "Su viaje a {0}: nuestra propuesta",
       "Votre voyage ({0})\u00a0: notre proposition", "Ihre Reise ({0}): unser Angebot"}}},
    {"reminder_subject",
     {{"Your trip to {0}: our proposal ends soon", "Su viaje a {0}: nuestra propuesta vence pronto",
       "Votre voyage ({0})\u00a0: notre proposition expire bientôt", "Ihre Reise ({0}): unser Angebot läuft bald ab"}}},
    {"reminder",
     {{"Our proposal for your trip to {0} is valid until {1}. If you would like one of its options, just answer this "
       "message; we check the prices once more before we book anything. If your plans have changed, a short word is "
       "enough.",
       "Nuestra propuesta para su viaje a {0} es válida hasta el {1}. Si le interesa alguna de sus opciones, responda "
       "a este "
       "mensaje; antes de reservar volvemos a comprobar los precios. Si sus planes han cambiado, basta con unas "
       "palabras.",
       "Notre proposition pour votre voyage ({0}) est valable jusqu’au {1}. Si l’une des formules vous plaît, répondez "
       "simplement à ce message\u202f; nous vérifions les prix avant toute réservation. Si vos projets ont changé, un "
       "petit "
       "mot "
       "suffit.",
       "unser Angebot für Ihre Reise ({0}) gilt bis zum {1}. Wenn Ihnen eine der Möglichkeiten zusagt, antworten Sie "
       "einfach "
       "auf diese Nachricht; vor der Buchung prüfen wir die Preise noch einmal. Haben sich Ihre Pläne geändert, genügt "
       "ein "
       "kurzes Wort."}}},

    /* the budget */
    {"budget_is", {{"Your budget: {0}.", "Su presupuesto: {0}.", "Votre budget\u00a0: {0}.", "Ihr Budget: {0}."}}},
    {"budget_total", {{"{0} in total", "{0} en total", "{0} au total", "{0} insgesamt"}}},
    {"budget_person", {{"{0} per person", "{0} por persona", "{0} par personne", "{0} pro Person"}}},
    {"budget_night",
     {{"{0} a night for the hotel", "{0} por noche de hotel", "{0} par nuit d’hôtel", "{0} pro Hotelnacht"}}},
    {"budget_unsaid",
     {{"{0}, which we took as the total for everybody", "{0}, que hemos entendido como el total para todos",
       "{0}, que nous avons compris comme le total pour tous", "{0}, von uns als Gesamtbetrag für alle verstanden"}}},
    {"within",
     {{"Within your budget, with {0} to spare.", "Dentro de su presupuesto: le quedan {0}.",
       "Dans votre budget\u00a0: il vous reste {0}.", "Im Rahmen Ihres Budgets: {0} bleiben übrig."}}},
    {"within_night",
     {{"Within your budget, with {0} per room and night to spare.",
       "Dentro de su presupuesto: le quedan {0} por habitación y noche.",
       "Dans votre budget\u00a0: il vous reste {0} par chambre et par nuit.",
       "Im Rahmen Ihres Budgets: {0} pro Zimmer und Nacht bleiben übrig."}}},
    {"within_exactly",
     {{"Exactly your budget.", "Justo su presupuesto.", "Exactement votre budget.", "Genau Ihr Budget."}}},
    {"over",
     {{"{0} over your budget.", "{0} por encima de su presupuesto.", "{0} au-dessus de votre budget.",
       "{0} über Ihrem Budget."}}},
    {"over_night",
     {{"{0} per room and night over your budget.", "{0} por habitación y noche por encima de su presupuesto.",
       "{0} par chambre et par nuit au-dessus de votre budget.", "{0} pro Zimmer und Nacht über Ihrem Budget."}}},
    {"for_one", {{"for one traveller", "para un viajero", "pour un voyageur", "für eine Person"}}},
    {"for_both", {{"for both travellers", "para los dos viajeros", "pour les deux voyageurs", "für beide Personen"}}},
    {"for_all",
     {{"for all {0} travellers", "para los {0} viajeros", "pour les {0} voyageurs", "für alle {0} Personen"}}},

    /* legs */
    {"leaves_at", {{"at {0}", "a las {0}", "à {0}", "um {0} Uhr"}}},
    {"direct", {{"direct", "directo", "direct", "direkt"}}},
    {"about", {{"about {0}", "aprox. {0}", "environ {0}", "ca. {0}"}}},
    {"by_land",
     {{"by road or rail", "por carretera o en tren", "par la route ou en train", "auf der Straße oder mit der Bahn"}}},
    {"fare_in", {{"{0} fare, {1}", "Tarifa {0}, {1}", "Tarif {0}, {1}", "Tarif {0}, {1}"}}},
};

/* ---- the agency's own ---- */

static const entry *find(ctn_str key)
{
    for (size_t i = 0; i < sizeof PHRASES / sizeof *PHRASES; i++)
        if (ctn_str_is(key, PHRASES[i].key))
            return &PHRASES[i];
    return NULL;
}

static ctn_str said(const travel_agency *agency, const entry *e, travel_language language)
{
    const ctn_json *section = travel_agency_section(agency, "proposal");
    const ctn_json *own = ctn_json_member_of(ctn_json_member_of(section, "words"), e->key);
    ctn_str text = ctn_json_text(own);
    if (ctn_json_is(own, CTN_JSON_OBJECT))
        text = ctn_json_str_or(own, travel_language_code(language), (ctn_str){NULL, 0});
    return text.len ? text : travel_say(&e->text, language);
}

int travel_phrases_check(const travel_agency *agency, ctn_err *err)
{
    const ctn_json *section = travel_agency_section(agency, "proposal"), *words = ctn_json_member_of(section, "words");
    for (size_t i = 0; i < ctn_json_count(section); i++)
        if (!ctn_str_is(ctn_json_text(&section->members[i].key), "words"))
            return travel_agency_fault(agency, &section->members[i].key, err, "proposal has words and nothing else");
    if (words && !ctn_json_is(words, CTN_JSON_OBJECT))
        return travel_agency_fault(agency, words, err, "words must be phrases by their keys, as in {closing: Yours,}");
    for (size_t i = 0; i < ctn_json_count(words); i++) {
        const ctn_json_member *m = &words->members[i];
        travel_language language;
        if (!find(ctn_json_text(&m->key))) {
            ctn_str keys[sizeof PHRASES / sizeof *PHRASES];
            for (size_t k = 0; k < sizeof PHRASES / sizeof *PHRASES; k++)
                keys[k] = ctn_str_from(PHRASES[k].key);
            ctn_str near = ctn_str_nearest(ctn_json_text(&m->key), keys, sizeof keys / sizeof *keys);
            return travel_agency_fault(agency, &m->key, err, "a proposal has no phrase \"%.*s\"%s%.*s%s",
                                       CTN_STR_ARG(ctn_json_text(&m->key)), near.len ? "; did you mean " : "",
                                       CTN_STR_ARG(near), near.len ? "?" : "");
        }
        for (size_t l = 0; ctn_json_is(&m->value, CTN_JSON_OBJECT) && l < m->value.count; l++)
            if (!travel_language_from(ctn_json_text(&m->value.members[l].key), &language) ||
                !ctn_json_is(&m->value.members[l].value, CTN_JSON_STRING))
                return travel_agency_fault(agency, &m->value.members[l].key, err,
                                           "a phrase has texts by language: en, es, fr, de");
        if (!ctn_json_is(&m->value, CTN_JSON_OBJECT) && !ctn_json_is(&m->value, CTN_JSON_STRING))
            return travel_agency_fault(agency, &m->value, err, "a phrase is a text, or a text for each language");
    }
    return CTN_OK;
}

ctn_str travel_phrase_of(const travel_agency *agency, const char *key, travel_language language)
{
    const entry *e = find(ctn_str_from(key));
    assert(e);
    return said(agency, e, language);
}

ctn_str travel_phrase_filled(ctn_arena *arena, const travel_agency *agency, const char *key, travel_language language,
                             ctn_str value0, ctn_str value1)
{
    ctn_str left = travel_phrase_of(agency, key, language), parts[16];
    size_t count = 0;
    while (left.len > 0 && count + 3 < sizeof parts / sizeof *parts) {
        size_t at0 = ctn_str_find(left, CTN_STR("{0}")), at1 = ctn_str_find(left, CTN_STR("{1}"));
        size_t at = at0 < at1 ? at0 : at1;
        parts[count++] = at == SIZE_MAX ? left : (ctn_str){left.ptr, at};
        if (at == SIZE_MAX)
            break;
        parts[count++] = at0 < at1 ? value0 : value1;
        left = ctn_str_from_offset(left, at + 3);
    }
    return ctn_arena_join(arena, parts, count);
}

const ctn_json *travel_phrases_json(ctn_arena *arena, const travel_agency *agency, travel_language language)
{
    ctn_json_builder out = ctn_json_object(arena);
    for (size_t i = 0; i < sizeof PHRASES / sizeof *PHRASES; i++)
        ctn_json_put_str(&out, PHRASES[i].key, said(agency, &PHRASES[i], language));
    return ctn_json_finish(&out);
}

/* ---- terms of search answers ---- */

static const travel_phrase TERMS[] = {
    /* cabins, fares, what is in them */
    {{"economy", "clase turista", "classe économique", "Economy Class"}},
    {{"premium economy", "turista premium", "classe premium économique", "Premium Economy Class"}},
    {{"premium_economy", "turista premium", "classe premium économique", "Premium Economy Class"}},
    {{"business", "clase business", "classe affaires", "Business Class"}},
    {{"first", "primera clase", "première classe", "First Class"}},
    {{"cabin bag only", "solo equipaje de mano", "bagage cabine uniquement", "nur Handgepäck"}},
    {{"cabin bag and 23 kg", "equipaje de mano y 23 kg", "bagage cabine et 23 kg", "Handgepäck und 23 kg"}},
    {{"two bags of 32 kg", "dos maletas de 32 kg", "deux bagages de 32 kg", "zwei Gepäckstücke à 32 kg"}},
    {{"no changes", "sin cambios", "non modifiable", "keine Umbuchung"}},
    {{"changes for a fee", "cambios con recargo", "modifiable avec frais", "Umbuchung gegen Gebühr"}},
    {{"free changes", "cambios gratuitos", "modifiable sans frais", "kostenlose Umbuchung"}},
    {{"free changes and lounge", "cambios gratuitos y sala VIP", "modifiable sans frais, accès au salon",
      "kostenlose Umbuchung und Lounge"}},
    {{"Saver", "Básica", "Éco", "Spar"}},
    {{"Standard", "Estándar", "Standard", "Standard"}},
    {{"Flex", "Flex", "Flex", "Flex"}},
    {{"Premium", "Premium", "Premium", "Premium"}},
    /* boards */
    {{"room only", "solo alojamiento", "sans repas", "nur Übernachtung"}},
    {{"breakfast", "desayuno incluido", "petit-déjeuner compris", "mit Frühstück"}},
    {{"half board", "media pensión", "demi-pension", "Halbpension"}},
    {{"full board", "pensión completa", "pension complète", "Vollpension"}},
    {{"all inclusive", "todo incluido", "tout compris", "all inclusive"}},
    /* features of hotels */
    {{"free Wi-Fi", "wifi gratis", "Wi-Fi gratuit", "kostenloses WLAN"}},
    {{"room service", "servicio de habitaciones", "service en chambre", "Zimmerservice"}},
    {{"swimming pool", "piscina", "piscine", "Schwimmbad"}},
    {{"kids club", "club infantil", "club enfants", "Kinderclub"}},
    {{"spa", "spa", "spa", "Spa"}},
    {{"step-free room (to be confirmed)", "habitación sin escalones (por confirmar)",
      "chambre de plain-pied (à confirmer)", "stufenloses Zimmer (wird bestätigt)"}},
    {{"takes pets", "admite mascotas", "animaux acceptés", "Haustiere erlaubt"}},
    {{"golf nearby", "golf cerca", "golf à proximité", "Golf in der Nähe"}},
    {{"ski storage", "guardaesquís", "local à skis", "Skiraum"}},
    {{"vegetarian menu", "menú vegetariano", "menu végétarien", "vegetarisches Menü"}},
    {{"vegan menu", "menú vegano", "menu végan", "veganes Menü"}},
    {{"halal menu", "menú halal", "menu halal", "Halal-Menü"}},
    {{"kosher menu on request", "menú kosher a petición", "menu casher sur demande", "koscheres Menü auf Anfrage"}},
    {{"gluten-free menu", "menú sin gluten", "menu sans gluten", "glutenfreies Menü"}},
    {{"yoga classes", "clases de yoga", "cours de yoga", "Yogakurse"}},
    /* what clients ask for */
    {{"beach", "playa", "plage", "Strand"}},
    {{"snorkelling", "esnórquel", "plongée avec tuba", "Schnorcheln"}},
    {{"diving", "buceo", "plongée", "Tauchen"}},
    {{"surfing", "surf", "surf", "Surfen"}},
    {{"sailing", "vela", "voile", "Segeln"}},
    {{"cruise", "crucero", "croisière", "Kreuzfahrt"}},
    {{"fishing", "pesca", "pêche", "Angeln"}},
    {{"hiking", "senderismo", "randonnée", "Wandern"}},
    {{"cycling", "ciclismo", "vélo", "Radfahren"}},
    {{"skiing", "esquí", "ski", "Skifahren"}},
    {{"golf", "golf", "golf", "Golf"}},
    {{"horse riding", "equitación", "équitation", "Reiten"}},
    {{"yoga", "yoga", "yoga", "Yoga"}},
    {{"safari", "safari", "safari", "Safari"}},
    {{"wildlife", "observación de fauna", "vie sauvage", "Tierbeobachtung"}},
    {{"northern lights", "auroras boreales", "aurores boréales", "Nordlichter"}},
    {{"food", "gastronomía", "gastronomie", "gutes Essen"}},
    {{"wine", "vino", "vin", "Wein"}},
    {{"history", "historia", "histoire", "Geschichte"}},
    {{"museums", "museos", "musées", "Museen"}},
    {{"art", "arte", "art", "Kunst"}},
    {{"architecture", "arquitectura", "architecture", "Architektur"}},
    {{"music", "música", "musique", "Musik"}},
    {{"nightlife", "vida nocturna", "vie nocturne", "Nachtleben"}},
    {{"shopping", "compras", "shopping", "Einkaufen"}},
    {{"theme parks", "parques temáticos", "parcs d’attractions", "Freizeitparks"}},
    {{"photography", "fotografía", "photographie", "Fotografie"}},
    {{"road trip", "viaje por carretera", "road trip", "Autoreise"}},
    {{"train travel", "viaje en tren", "voyage en train", "Bahnreise"}},
    {{"camping", "camping", "camping", "Camping"}},
    {{"festival", "festival", "festival", "Festival"}},
    {{"sports event", "evento deportivo", "événement sportif", "Sportveranstaltung"}},
    {{"relaxation", "descanso", "détente", "Erholung"}},
    {{"birthday", "cumpleaños", "anniversaire", "Geburtstag"}},
    {{"anniversary", "aniversario", "anniversaire de mariage", "Hochzeitstag"}},
    {{"wedding", "boda", "mariage", "Hochzeit"}},
    {{"pilgrimage", "peregrinación", "pèlerinage", "Pilgerreise"}},
    {{"conference", "congreso", "congrès", "Tagung"}},
    {{"accessibility", "accesibilidad", "accessibilité", "Barrierefreiheit"}},
    {{"vegetarian", "comida vegetariana", "cuisine végétarienne", "vegetarische Küche"}},
    {{"vegan", "comida vegana", "cuisine végane", "vegane Küche"}},
    {{"gluten free", "comida sin gluten", "cuisine sans gluten", "glutenfreie Küche"}},
    {{"halal", "comida halal", "cuisine halal", "Halal-Küche"}},
    {{"kosher", "comida kosher", "cuisine casher", "koschere Küche"}},
    {{"pet friendly", "se admiten mascotas", "animaux bienvenus", "Haustiere willkommen"}},
};

ctn_str travel_term_shown(ctn_str english, travel_language language)
{
    for (size_t i = 0; i < sizeof TERMS / sizeof *TERMS; i++)
        if (ctn_str_equal_any_case(english, ctn_str_from(TERMS[i].in[TRAVEL_EN])))
            return language == TRAVEL_EN ? english : travel_say(&TERMS[i], language);
    return language == TRAVEL_EN ? english : (ctn_str){NULL, 0};
}
