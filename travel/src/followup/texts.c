/*
 * texts.c -- see texts.h. Clients are addressed as a business does it: usted, vous, Sie. A trip stands in brackets
 * behind its noun, because no language of the four has one preposition for all places (en Italie, au Japon, à Rome). A
 * German letter goes on in lower case behind the comma of its greeting.
 */
#include "followup/texts.h"

#include "kit/section.h"
#include "kit/shown.h"
#include "trip/trip_words.h"
#include "value/mustache.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { KINDS_MAX = 50, TEXT_BYTES_MAX = 16384 };

typedef struct kind {
    const char *name;
    travel_phrase subject, text;
} kind;

#define TRIP "{{#trip}} ({{trip}}){{/trip}}"
#define LAST "{{#last_contact}}{{last_contact}} {{/last_contact}}"
#define DEST "{{#destination}} ({{destination}}){{/destination}}"

static const kind KINDS[] = {
    {"check_in",
     {{"Your trip" DEST ": anything we can add?", "Su viaje" DEST ": ¿podemos añadir algo?",
       "Votre voyage" DEST " : que pouvons-nous ajouter ?", "Ihre Reise" DEST ": Können wir noch etwas ergänzen?"}},
     {{"We are glad to be working on your trip" TRIP
       ". If a question has come up since we last spoke, just answer this "
       "message: changes are easy at this stage.",
       "Nos alegra estar preparando su viaje" TRIP
       ". Si desde la última vez le ha surgido alguna pregunta, basta con que "
       "responda a este mensaje: en esta fase es fácil hacer cambios.",
       "Nous avons plaisir à préparer votre voyage" TRIP
       ". Si une question vous est venue depuis notre dernier échange, "
       "répondez simplement à ce message : à ce stade, tout peut encore être modifié.",
       "wir freuen uns, dass wir Ihre Reise" TRIP " vorbereiten dürfen. Falls inzwischen Fragen aufgekommen sind, "
       "antworten Sie einfach auf diese Nachricht: Änderungen sind jetzt noch leicht möglich."}}},
    {"details",
     {{"Your trip" DEST ": a few details and we can begin", "Su viaje" DEST ": unos datos más y empezamos",
       "Votre voyage" DEST " : quelques précisions et nous commençons",
       "Ihre Reise" DEST ": ein paar Angaben, und wir legen los"}},
     {{"Thank you for your enquiry" TRIP
       ". To put together a proposal with real prices we still need a few details from "
       "you; they are in our last message. A short answer is enough, and if something is not decided yet, tell us so "
       "and we "
       "will suggest something.",
       "Gracias por su consulta" TRIP
       ". Para prepararle una propuesta con precios reales aún necesitamos algunos datos, que "
       "le pedimos en nuestro último mensaje. Basta una respuesta breve y, si todavía no ha decidido algo, díganoslo y "
       "le "
       "propondremos una opción.",
       "Merci pour votre demande" TRIP
       ". Pour établir une proposition avec des prix réels, il nous manque encore quelques "
       "précisions, demandées dans notre dernier message. Une courte réponse suffit ; si un point n'est pas encore "
       "décidé, "
       "dites-le-nous et nous vous ferons une suggestion.",
       "vielen Dank für Ihre Anfrage" TRIP
       ". Für ein Angebot mit echten Preisen fehlen uns noch einige Angaben, um die wir "
       "Sie in unserer letzten Nachricht gebeten haben. Eine kurze Antwort genügt, und was noch nicht feststeht, "
       "schlagen "
       "wir Ihnen gern vor."}}},
    {"proposal_review",
     {{"Your trip" DEST ": does our proposal fit?", "Su viaje" DEST ": ¿qué le parece nuestra propuesta?",
       "Votre voyage" DEST " : notre proposition vous convient-elle ?", "Ihre Reise" DEST ": Passt unser Angebot?"}},
     {{LAST "Does our proposal for your trip" TRIP
            " come close to what you had in mind? Tell us what you would change, the "
            "dates, the hotels or the budget, and you will have a new version on the next working day.",
       LAST "¿Se acerca nuestra propuesta de viaje" TRIP
            " a lo que tenía en mente? Díganos qué cambiaría, las fechas, los "
            "hoteles o el presupuesto, y tendrá una nueva versión el siguiente día laborable.",
       LAST
       "Notre proposition de voyage" TRIP " correspond-elle à ce que vous aviez en tête ? Dites-nous ce que vous "
       "changeriez, les dates, les hôtels ou le budget, et vous aurez une nouvelle version dès le jour ouvré suivant.",
       "{{#last_contact}}{{last_contact}} K{{/last_contact}}{{^last_contact}}k{{/last_contact}}ommt unser Angebot für "
       "Ihre Reise" TRIP " dem nahe, was Sie sich "
       "vorgestellt haben? Sagen Sie uns, was Sie ändern möchten, Termine, Hotels oder Budget, und Sie haben am "
       "nächsten "
       "Werktag eine neue Fassung."}}},
    {"reminder",
     {{"Your trip" DEST ": shall we keep your plans going?", "Su viaje" DEST ": ¿seguimos adelante?",
       "Votre voyage" DEST " : poursuivons-nous votre projet ?", "Ihre Reise" DEST ": Planen wir weiter?"}},
     {{LAST "We did not want your plans" TRIP
            " to slip away. Fares for popular weeks tend to rise, so if the trip still "
            "appeals to you, a short answer is enough and we will check today's prices.",
       LAST "No queríamos que sus planes" TRIP
            " quedaran en el olvido. Las tarifas de las semanas más solicitadas suelen "
            "subir: si el viaje le sigue interesando, basta una respuesta breve y comprobaremos los precios de hoy.",
       LAST "Nous ne voudrions pas que votre projet" TRIP
            " tombe dans l'oubli. Les tarifs des semaines les plus demandées "
            "ont tendance à monter : si ce voyage vous tente toujours, une courte réponse suffit et nous vérifierons "
            "les prix du "
            "jour.",
       LAST "Ihre Pläne" TRIP
            " sollen nicht in Vergessenheit geraten. Für beliebte Wochen steigen die Preise meist: Wenn "
            "die Reise Sie weiterhin reizt, genügt eine kurze Antwort, und wir prüfen die aktuellen Preise."}}},
    {"re_engagement",
     {{"A fresh look at your travel plans", "Una nueva mirada a sus planes de viaje",
       "Un nouveau regard sur vos projets de voyage", "Ein neuer Blick auf Ihre Reisepläne"}},
     {{"Plans change, and that is fine. If you would like a fresh start{{#destination}}, with {{destination}} or "
       "somewhere "
       "else{{/destination}}, send us a month and a rough budget, and we will come back to you with two or three new "
       "ideas.",
       "Los planes cambian, y no pasa nada. Si le apetece empezar de nuevo{{#destination}}, con {{destination}} u otro "
       "destino{{/destination}}, envíenos un mes y un presupuesto aproximado y le presentaremos dos o tres ideas "
       "nuevas.",
       "Les projets changent, et c'est bien normal. Si vous souhaitez repartir de zéro{{#destination}}, avec "
       "{{destination}} "
       "ou une autre destination{{/destination}}, indiquez-nous un mois et un budget approximatif : nous reviendrons "
       "vers "
       "vous avec deux ou trois nouvelles idées.",
       "Pläne ändern sich, und das ist in Ordnung. Wenn Sie neu beginnen möchten{{#destination}}, mit {{destination}} "
       "oder "
       "einem anderen Ziel{{/destination}}, nennen Sie uns einen Monat und ein ungefähres Budget, und wir melden uns "
       "mit "
       "zwei oder drei neuen Ideen."}}},
    {"permission",
     {{"May we stay in touch?", "¿Podemos seguir en contacto?", "Pouvons-nous rester en contact ?",
       "Dürfen wir in Kontakt bleiben?"}},
     {{"It has been a while since we last spoke. If you would still like to hear from us about travel, simply answer "
       "this "
       "message; if not, there is nothing to do and we will not write again.",
       "Hace tiempo que no hablamos. Si desea seguir recibiendo nuestras ideas de viaje, basta con que responda a este "
       "mensaje; si no, no tiene que hacer nada y no volveremos a escribirle.",
       "Voilà un moment que nous n'avons pas échangé. Si vous souhaitez encore recevoir nos idées de voyage, répondez "
       "simplement à ce message ; sinon, vous n'avez rien à faire et nous ne vous écrirons plus.",
       "unser letzter Austausch liegt schon eine Weile zurück. Wenn Sie weiterhin von unseren Reiseideen hören "
       "möchten, "
       "antworten Sie einfach auf diese Nachricht; wenn nicht, brauchen Sie nichts zu tun, und wir schreiben Ihnen "
       "nicht "
       "wieder."}}},
};

static const travel_phrase LAST_CONTACT_ONE = {
    {"It is a day since we were last in touch.", "Ha pasado un día desde nuestro último contacto.",
     "Notre dernier échange date d'hier.", "unser letzter Kontakt liegt einen Tag zurück."}};
static const travel_phrase LAST_CONTACT_BEFORE = {
    {"It is ", "Han pasado ", "Notre dernier échange remonte à ", "unser letzter Kontakt liegt "}};
static const travel_phrase LAST_CONTACT_BEHIND = {
    {" since we were last in touch.", " desde nuestro último contacto.", ".", " zurück."}};
static const travel_phrase OPT_OUT = {
    {"If you would rather not receive messages like this, answer STOP.",
     "Si prefiere no recibir mensajes como este, responda STOP.",
     "Si vous ne souhaitez plus recevoir de messages de ce type, répondez STOP.",
     "Wenn Sie solche Nachrichten nicht mehr erhalten möchten, antworten Sie mit STOP."}};

static const kind *kind_named(ctn_str name)
{
    for (size_t i = 0; i < COUNT(KINDS); i++)
        if (ctn_str_is(name, KINDS[i].name))
            return &KINDS[i];
    return NULL;
}

/* ---- the agency's own ---- */

static const ctn_json *own_messages(const travel_agency *agency)
{
    const ctn_json *section = travel_agency_section(agency, "followup");
    return section ? ctn_json_member_of(section, "messages") : NULL;
}

static const ctn_json *own_text(const travel_agency *agency, ctn_str kind_name, const char *language)
{
    const ctn_json *messages = own_messages(agency), *of_kind = messages ? ctn_json_get(messages, kind_name) : NULL;
    return of_kind ? ctn_json_member_of(of_kind, language) : NULL;
}

bool travel_text_is_kind(const travel_agency *agency, ctn_str kind_name)
{
    const ctn_json *messages = own_messages(agency);
    return kind_named(kind_name) || (messages && ctn_json_get(messages, kind_name));
}

static travel_language agency_language(const travel_agency *agency)
{
    travel_language language = TRAVEL_EN;
    (void) travel_language_from(travel_agency_text(agency, "language"), &language);
    return language;
}

static int check_text(const travel_agency *agency, const ctn_json *value, const char *what, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_mustache *document;
    ctn_err why = {0};
    int rc = CTN_OK;
    if (!ctn_json_is(value, CTN_JSON_STRING) || ctn_str_trim(ctn_json_text(value)).len == 0)
        rc = travel_agency_fault(agency, value, err, "%s must be a text", what);
    else if (ctn_json_text(value).len > TEXT_BYTES_MAX)
        rc = travel_agency_fault(agency, value, err, "%s has more than %d bytes", what, TEXT_BYTES_MAX);
    else if (ctn_mustache_compile(arena, ctn_json_text(value), NULL, &document, &why))
        rc = travel_agency_fault(agency, value, err, "%s: %s", what, why.message);
    ctn_arena_free(arena);
    return rc;
}

static int check_kind(const travel_agency *agency, const ctn_json_member *of_kind, ctn_err *err)
{
    static const char *const languages[] = {"en", "es", "fr", "de"};
    static const char *const keys[] = {"subject", "text"};
    const ctn_json *value = &of_kind->value;
    if (!ctn_json_is(value, CTN_JSON_OBJECT))
        return travel_agency_fault(agency, value, err,
                                   "a message has languages, as in {en: {subject: ..., text: ...}}");
    int rc = travel_section_keys(agency, value, "a message", languages, COUNT(languages), err);
    for (size_t i = 0; !rc && i < value->count; i++) {
        const ctn_json *in = &value->members[i].value;
        if (!ctn_json_is(in, CTN_JSON_OBJECT) || !ctn_json_member_of(in, "subject") || !ctn_json_member_of(in, "text"))
            return travel_agency_fault(agency, in, err, "a message in a language has a subject and a text");
        rc = travel_section_keys(agency, in, "a message in a language", keys, COUNT(keys), err);
        if (!rc)
            rc = check_text(agency, ctn_json_member_of(in, "subject"), "subject", err);
        if (!rc)
            rc = check_text(agency, ctn_json_member_of(in, "text"), "text", err);
    }
    const char *home = travel_language_code(agency_language(agency));
    if (!rc && !kind_named(ctn_json_text(&of_kind->key)) && !ctn_json_member_of(value, home))
        rc = travel_agency_fault(agency, &of_kind->key, err,
                                 "this message must be written in %s, the agency's language", home);
    return rc;
}

int travel_texts_check(const travel_agency *agency, ctn_err *err)
{
    const ctn_json *messages = own_messages(agency);
    int rc = CTN_OK;
    if (!messages || ctn_json_is(messages, CTN_JSON_NULL))
        return CTN_OK;
    if (!ctn_json_is(messages, CTN_JSON_OBJECT))
        return travel_agency_fault(agency, messages, err, "messages must have the kinds of message as its keys");
    if (messages->count > KINDS_MAX)
        return travel_agency_fault(agency, messages, err, "messages has %u kinds, at most %d", messages->count,
                                   KINDS_MAX);
    for (size_t i = 0; !rc && i < messages->count; i++)
        rc = check_kind(agency, &messages->members[i], err);
    return rc;
}

/* ---- what texts may name ---- */

static ctn_str destination_of(ctn_arena *arena, const ctn_json *trip, travel_language language)
{
    const ctn_json *list = ctn_json_member_of(trip, "destinations");
    size_t count = ctn_json_count(list), used = 0;
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, count + 1);
    for (size_t i = 0; i < count; i++)
        if (ctn_json_text(ctn_json_at(list, i)).len > 0)
            names[used++] = travel_place_in_words(ctn_json_text(ctn_json_at(list, i)), language);
    return travel_list_shown(arena, names, used, language);
}

/* is_said: with prepositions, as in a sentence. */
static ctn_str dates_of(ctn_arena *arena, const ctn_json *trip, travel_language language, bool is_said)
{
    travel_day from, to;
    bool has_from = travel_day_parse(ctn_json_str_or(trip, "start_date", CTN_STR("")), &from);
    bool has_to = travel_day_parse(ctn_json_str_or(trip, "end_date", CTN_STR("")), &to);
    if (has_from && has_to && to >= from)
        return is_said ? travel_dates_said(arena, from, to, language) : travel_dates_shown(arena, from, to, language);
    if (has_from)
        return travel_date_shown(arena, from, language);
    ctn_str month = ctn_json_str_or(trip, "month", CTN_STR("")); /* "2026-06" */
    if (month.len == 7 && travel_day_parse(ctn_arena_printf(arena, "%.7s-01", month.ptr), &from)) {
        travel_civil civil = travel_day_civil(from);
        return travel_month_shown(arena, civil.year, civil.month, language);
    }
    return (ctn_str){NULL, 0};
}

static ctn_str trip_of(ctn_arena *arena, ctn_str destination, ctn_str dates, ctn_str nights)
{
    ctn_str when = dates.len ? dates : nights;
    if (destination.len == 0)
        return when;
    return when.len ? ctn_arena_printf(arena, "%.*s, %.*s", CTN_STR_ARG(destination), CTN_STR_ARG(when)) : destination;
}

static ctn_str last_contact_of(ctn_arena *arena, int64_t days, travel_language language)
{
    if (days < 1)
        return (ctn_str){NULL, 0};
    if (days == 1)
        return travel_say(&LAST_CONTACT_ONE, language);
    ctn_str parts[3] = {travel_say(&LAST_CONTACT_BEFORE, language),
                        travel_count_shown(arena, days, TRAVEL_DAY, language),
                        travel_say(&LAST_CONTACT_BEHIND, language)};
    return ctn_arena_join(arena, parts, 3);
}

static const ctn_json *look_up(void *ctx, ctn_str name)
{
    return ctn_json_get(ctx, name);
}

static const ctn_json *context_of(const travel_agency *agency, ctn_arena *arena, const travel_text_request *r,
                                  travel_language language)
{
    ctn_json_builder out = ctn_json_object(arena);
    int64_t night_count = ctn_json_int_or(r->trip, "nights", 0);
    ctn_str destination = destination_of(arena, r->trip, language), dates = dates_of(arena, r->trip, language, false),
            said = dates_of(arena, r->trip, language, true), nights = {NULL, 0};
    if (night_count > 0)
        nights = travel_count_shown(arena, night_count, TRAVEL_NIGHT, language);
    ctn_json_put_str(&out, "name", r->client_name);
    ctn_json_put_str(&out, "destination", destination);
    ctn_json_put_str(&out, "dates", dates);
    ctn_json_put_str(&out, "nights", nights);
    ctn_json_put_str(&out, "trip", trip_of(arena, destination, said, nights));
    ctn_json_put_str(&out, "last_contact", last_contact_of(arena, r->days_since_contact, language));
    ctn_json_put_str(&out, "agency", travel_agency_text(agency, "name"));
    ctn_json_put_str(&out, "phone", travel_agency_text(agency, "phone"));
    ctn_json_put_str(&out, "email", travel_agency_text(agency, "email"));
    ctn_json_put_str(&out, "url", travel_agency_text(agency, "url"));
    return ctn_json_finish(&out);
}

static int render(ctn_arena *arena, ctn_str text, const ctn_json *context, ctn_str *ret_text, ctn_err *err)
{
    ctn_mustache *document = NULL;
    ctn_buf out;
    ctn_scope scope = {.lookup = look_up, .ctx = (void *) (uintptr_t) context};
    int rc = ctn_mustache_compile(arena, text, NULL, &document, err);
    if (rc)
        return rc;
    ctn_buf_init(&out, TEXT_BYTES_MAX);
    if (ctn_mustache_render(document, &scope, &out, err) != CTN_FAILURE_NONE || out.overflowed)
        rc = ctn_fail(err, CTN_E_LIMIT, "the message is longer than %d bytes", TEXT_BYTES_MAX);
    else
        *ret_text = ctn_arena_str(arena, ctn_str_trim(ctn_buf_str(&out)));
    ctn_buf_done(&out);
    return rc;
}

/* Lines of what is known: the signature, and how to reach the agency. */
static ctn_str signature_of(const travel_agency *agency, ctn_arena *arena)
{
    static const char *const lines[] = {"signature", "name", "phone", "email", "url"};
    ctn_str out = {NULL, 0}, seen[COUNT(lines)];
    for (size_t i = 0; i < COUNT(lines); i++) {
        seen[i] = travel_agency_text(agency, lines[i]);
        bool is_repeat = i == 1 && ctn_str_equal(seen[1], seen[0]);
        if (seen[i].len > 0 && !is_repeat)
            out = out.len ? ctn_arena_printf(arena, "%.*s\n%.*s", CTN_STR_ARG(out), CTN_STR_ARG(seen[i])) : seen[i];
    }
    return out;
}

int travel_text_write(const travel_agency *agency, ctn_arena *arena, const travel_text_request *request,
                      travel_text *ret_text, ctn_err *err)
{
    travel_language language = request->language;
    const kind *known = kind_named(request->kind);
    const ctn_json *own = own_text(agency, request->kind, travel_language_code(language));
    if (!own && !known) {
        language = agency_language(agency);
        own = own_text(agency, request->kind, travel_language_code(language));
    }
    if (!own && !known)
        return ctn_fail(err, CTN_E_NOT_FOUND, "there is no message called %.*s: write it under followup.messages",
                        CTN_STR_ARG(travel_name_shown(request->kind)));
    const ctn_json *context = context_of(agency, arena, request, language);
    travel_text t = {.language = language};
    ctn_str subject = own ? ctn_json_str_or(own, "subject", CTN_STR("")) : travel_say(&known->subject, language);
    ctn_str text = own ? ctn_json_str_or(own, "text", CTN_STR("")) : travel_say(&known->text, language);
    int rc = render(arena, subject, context, &t.subject, err);
    if (!rc)
        rc = render(arena, text, context, &t.body, err);
    if (rc)
        return ctn_wrap(err, rc, "message %.*s", CTN_STR_ARG(request->kind));
    t.greeting = travel_greeting_shown(arena, request->client_name, language);
    t.closing = travel_closing_shown(language);
    t.signature = signature_of(agency, arena);
    if (!ctn_str_is(request->kind, "permission")) /* which says it itself */
        t.opt_out = travel_say(&OPT_OUT, language);
    *ret_text = t;
    return CTN_OK;
}
