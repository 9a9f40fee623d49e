/*
 * trip_wishes.c -- what clients wish for, in words for people: the closed vocabulary that leads are read into.
 */
#include "trip/trip_words.h"

typedef struct wish {
    const char *tag;
    travel_phrase words; /* as they stand after "you asked for", "desea", "vous souhaitez", "Sie wünschen" */
} wish;

static const wish WISHES[] = {
    {"beach", {{"the beach", "playa", "la plage", "Strand"}}},
    {"swimming pool", {{"a swimming pool", "piscina", "une piscine", "Schwimmbad"}}},
    {"snorkelling", {{"snorkelling", "esnórquel", "la plongée avec tuba", "Schnorcheln"}}},
    {"diving", {{"diving", "buceo", "la plongée", "Tauchen"}}},
    {"surfing", {{"surfing", "surf", "le surf", "Surfen"}}},
    {"sailing", {{"sailing", "vela", "la voile", "Segeln"}}},
    {"cruise", {{"a cruise", "un crucero", "une croisière", "Kreuzfahrt"}}},
    {"fishing", {{"fishing", "pesca", "la pêche", "Angeln"}}},
    {"hiking", {{"hiking", "senderismo", "la randonnée", "Wandern"}}},
    {"cycling", {{"cycling", "ciclismo", "le vélo", "Radfahren"}}},
    {"skiing", {{"skiing", "esquí", "le ski", "Skifahren"}}},
    {"golf", {{"golf", "golf", "le golf", "Golf"}}},
    {"horse riding", {{"horse riding", "paseos a caballo", "l’équitation", "Reiten"}}},
    {"yoga", {{"yoga", "yoga", "le yoga", "Yoga"}}},
    {"spa", {{"a spa", "spa", "un spa", "Wellness"}}},
    {"safari", {{"a safari", "safari", "un safari", "Safari"}}},
    {"wildlife", {{"wildlife", "observación de animales", "l’observation des animaux", "Tierbeobachtung"}}},
    {"northern lights", {{"the northern lights", "auroras boreales", "les aurores boréales", "Nordlichter"}}},
    {"food", {{"good food", "buena comida", "la bonne cuisine", "gutes Essen"}}},
    {"wine", {{"wine", "vino", "le vin", "Wein"}}},
    {"history", {{"history", "historia", "l’histoire", "Geschichte"}}},
    {"museums", {{"museums", "museos", "les musées", "Museen"}}},
    {"art", {{"art", "arte", "l’art", "Kunst"}}},
    {"architecture", {{"architecture", "arquitectura", "l’architecture", "Architektur"}}},
    {"music", {{"music", "música", "la musique", "Musik"}}},
    {"nightlife", {{"nightlife", "vida nocturna", "la vie nocturne", "Nachtleben"}}},
    {"shopping", {{"shopping", "compras", "le shopping", "Einkaufen"}}},
    {"theme parks", {{"theme parks", "parques temáticos", "les parcs d’attractions", "Freizeitparks"}}},
    {"photography", {{"photography", "fotografía", "la photographie", "Fotografieren"}}},
    {"road trip", {{"a road trip", "una ruta en coche", "un circuit en voiture", "Mietwagenrundreise"}}},
    {"train travel", {{"travelling by train", "viaje en tren", "le voyage en train", "Bahnreise"}}},
    {"camping", {{"camping", "acampada", "le camping", "Camping"}}},
    {"festival", {{"a festival", "un festival", "un festival", "Festival"}}},
    {"sports event", {{"a sports event", "un evento deportivo", "un événement sportif", "Sportveranstaltung"}}},
    {"kids club", {{"a kids’ club", "club infantil", "un club enfants", "Kinderclub"}}},
    {"all inclusive", {{"all inclusive", "todo incluido", "la formule tout compris", "All-inclusive"}}},
    {"relaxation", {{"time to relax", "descanso", "du repos", "Erholung"}}},
    {"birthday", {{"a birthday", "un cumpleaños", "un anniversaire", "Geburtstag"}}},
    {"anniversary", {{"an anniversary", "un aniversario", "un anniversaire de mariage", "Jubiläum"}}},
    {"wedding", {{"a wedding", "una boda", "un mariage", "Hochzeit"}}},
    {"pilgrimage", {{"a pilgrimage", "una peregrinación", "un pèlerinage", "Pilgerreise"}}},
    {"conference", {{"a conference", "un congreso", "un congrès", "Kongress"}}},
    {"accessibility", {{"step-free access", "accesibilidad", "l’accessibilité", "Barrierefreiheit"}}},
    {"vegetarian", {{"vegetarian food", "comida vegetariana", "une cuisine végétarienne", "vegetarische Küche"}}},
    {"vegan", {{"vegan food", "comida vegana", "une cuisine végane", "vegane Küche"}}},
    {"gluten free", {{"gluten-free food", "comida sin gluten", "une cuisine sans gluten", "glutenfreie Küche"}}},
    {"halal", {{"halal food", "comida halal", "une cuisine halal", "Halal-Küche"}}},
    {"kosher", {{"kosher food", "comida kósher", "une cuisine casher", "koschere Küche"}}},
    {"pet friendly",
     {{"a place for your pet", "alojamiento con mascota", "un lieu qui accueille votre animal",
       "Unterkunft mit Haustier"}}},
};

static ctn_str in_words(ctn_str tag, travel_language language)
{
    for (size_t i = 0; i < sizeof WISHES / sizeof *WISHES; i++)
        if (ctn_str_is(tag, WISHES[i].tag))
            return travel_say(&WISHES[i].words, language);
    return tag;
}

ctn_str travel_trip_wishes(ctn_arena *arena, const ctn_json *interests, travel_language language)
{
    size_t count = ctn_json_is(interests, CTN_JSON_ARRAY) ? ctn_json_count(interests) : 0;
    ctn_str *words = ctn_arena_alloc(arena, (count + 1) * sizeof *words);
    for (size_t i = 0; i < count; i++)
        words[i] = in_words(ctn_json_text(ctn_json_at(interests, i)), language);
    return travel_list_shown(arena, words, count, language);
}
