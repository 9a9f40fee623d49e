/*
 * confirmation.c -- see confirmation.h. A list of facts between a greeting and an ending: only what is known stands
 * there.
 */
#include "booking/confirmation.h"

#include "kit/calendar.h"
#include "kit/money.h"
#include "trip/trip_words.h"

enum { LETTER_BYTES_MAX = 16384, NAMES_MAX = 16 };

static const travel_phrase SUBJECT = {{"Your trip to %.*s is booked (%.*s)", "Su viaje a %.*s está reservado (%.*s)",
                                       "Votre voyage est réservé\u00a0: %.*s (%.*s)",
                                       "Ihre Reise ist gebucht: %.*s (%.*s)"}};
static const travel_phrase SUBJECT_BARE = {{"Your trip is booked (%.*s)", "Su viaje está reservado (%.*s)",
                                            "Votre voyage est réservé (%.*s)", "Ihre Reise ist gebucht (%.*s)"}};
static const travel_phrase OPENING = {
    {"Good news: your trip is booked. Here is what we have confirmed for you.",
     "Buenas noticias: su viaje está reservado. Esto es lo que hemos confirmado para usted.",
     "Bonne nouvelle\u00a0: votre voyage est réservé. Voici ce que nous avons confirmé pour vous.",
     "gute Nachrichten: Ihre Reise ist gebucht. Das haben wir für Sie bestätigt."}};
static const travel_phrase TRIP = {{"Trip", "Viaje", "Voyage", "Reise"}};
static const travel_phrase DATES = {{"Dates", "Fechas", "Dates", "Reisedaten"}};
static const travel_phrase TRAVELLERS = {{"Travellers", "Viajeros", "Voyageurs", "Reisende"}};
static const travel_phrase REFERENCE = {
    {"Booking reference", "Localizador de la reserva", "Référence de réservation", "Buchungsnummer"}};
static const travel_phrase PRICE = {{"Total price", "Precio total", "Prix total", "Gesamtpreis"}};
static const travel_phrase DEPOSIT = {{"Deposit paid", "Anticipo pagado", "Acompte réglé", "Anzahlung erhalten"}};
static const travel_phrase BALANCE = {{"Balance to pay", "Importe pendiente", "Solde à régler", "Restbetrag"}};
static const travel_phrase ENDING = {
    {"Your travel documents follow separately. If anything is not as you expect, simply reply to this message.",
     "Recibirá los documentos de viaje por separado. Si algo no es como esperaba, basta con responder a este mensaje.",
     "Vos documents de voyage vous parviendront séparément. Si un détail ne vous convient pas, répondez simplement à "
     "ce "
     "message.",
     "Ihre Reiseunterlagen erhalten Sie gesondert. Sollte etwas nicht Ihren Erwartungen entsprechen, antworten Sie "
     "einfach auf diese Nachricht."}};
static const travel_phrase COLON = {{": ", ": ", "\u00a0: ", ": "}};

static void put_fact(ctn_buf *out, const travel_phrase *label, ctn_str value, travel_language language)
{
    if (value.len == 0)
        return;
    ctn_buf_append(out, travel_say(label, language));
    ctn_buf_append(out, travel_say(&COLON, language));
    ctn_buf_append(out, value);
    ctn_buf_append_char(out, '\n');
}

static ctn_str list_of(ctn_arena *arena, const ctn_json *list, travel_language language)
{
    ctn_str names[NAMES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < ctn_json_count(list) && count < NAMES_MAX; i++)
        if (ctn_json_text(ctn_json_at(list, i)).len > 0)
            names[count++] = ctn_json_text(ctn_json_at(list, i));
    return travel_list_shown(arena, names, count, language);
}

static ctn_str places_of(ctn_arena *arena, const ctn_json *list, travel_language language)
{
    ctn_json_builder shown = ctn_json_array(arena);
    for (size_t i = 0; i < ctn_json_count(list); i++)
        ctn_json_push(&shown,
                      ctn_json_string(arena, travel_place_in_words(ctn_json_text(ctn_json_at(list, i)), language)));
    return list_of(arena, ctn_json_finish(&shown), language);
}

static ctn_str dates_of(ctn_arena *arena, const ctn_json *requirements, travel_language language)
{
    travel_day from, to;
    if (!travel_day_parse(ctn_json_str_or(requirements, "start_date", CTN_STR("")), &from))
        return CTN_STR("");
    if (!travel_day_parse(ctn_json_str_or(requirements, "end_date", CTN_STR("")), &to) || to < from)
        to = from;
    return travel_dates_shown(arena, from, to, language);
}

static ctn_str travellers_of(ctn_arena *arena, const ctn_json *requirements, travel_language language)
{
    int64_t adults = ctn_json_int_or(requirements, "adults", 0),
            children = ctn_json_int_or(requirements, "children", 0);
    if (adults < 1 || adults > 1000 || children < 0 || children > 1000)
        return CTN_STR("");
    return travel_travellers_shown(arena, (int) adults, (int) children, language);
}

static void put_money(ctn_buf *out, ctn_arena *arena, const travel_confirmation *about, travel_cents total,
                      const char *currency)
{
    travel_cents deposit = 0;
    put_fact(out, &PRICE, travel_money_shown(arena, total, currency, about->language), about->language);
    if (!travel_cents_parse(ctn_json_text(ctn_json_member_of(about->payment, "amount")), &deposit) || deposit <= 0)
        return;
    put_fact(out, &DEPOSIT, travel_money_shown(arena, deposit, currency, about->language), about->language);
    if (deposit < total)
        put_fact(out, &BALANCE, travel_money_shown(arena, total - deposit, currency, about->language), about->language);
}

static ctn_str subject_of(ctn_arena *arena, ctn_str places, ctn_str reference, travel_language language)
{
    ctn_buf out;
    ctn_buf_init(&out, LETTER_BYTES_MAX);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats are the tables above */
    if (places.len > 0)
        ctn_buf_printf(&out, travel_say(&SUBJECT, language).ptr, CTN_STR_ARG(places), CTN_STR_ARG(reference));
    else
        ctn_buf_printf(&out, travel_say(&SUBJECT_BARE, language).ptr, CTN_STR_ARG(reference));
#pragma GCC diagnostic pop
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

int travel_confirmation_write(const travel_agency *agency, ctn_arena *arena, const travel_confirmation *about,
                              const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *priced = about->tier && ctn_json_member_of(about->tier, "total") ? about->tier : about->booking;
    ctn_str references = list_of(arena, ctn_json_member_of(about->booking, "references"), about->language);
    ctn_str places = places_of(arena, ctn_json_member_of(about->requirements, "destinations"), about->language);
    ctn_str currency = ctn_arena_str(arena, ctn_json_str_or(priced, "currency", CTN_STR("")));
    travel_language language = about->language;
    travel_cents total;
    ctn_buf out;
    if (references.len == 0)
        return ctn_fail(err, CTN_E_INVALID, "booking has no references: it must be what confirm_booking gave");
    if (!travel_cents_parse(ctn_json_text(ctn_json_member_of(priced, "total")), &total))
        return ctn_fail(err, CTN_E_INVALID, "neither tier nor booking has a total such as \"1234.50\"");
    ctn_buf_init(&out, LETTER_BYTES_MAX);
    ctn_buf_append(&out, travel_greeting_shown(arena, ctn_json_str_or(about->client, "name", CTN_STR("")), language));
    ctn_buf_append(&out, CTN_STR("\n\n"));
    ctn_buf_append(&out, travel_say(&OPENING, language));
    ctn_buf_append(&out, CTN_STR("\n\n"));
    put_fact(&out, &TRIP, places, language);
    put_fact(&out, &DATES, dates_of(arena, about->requirements, language), language);
    put_fact(&out, &TRAVELLERS, travellers_of(arena, about->requirements, language), language);
    put_fact(&out, &REFERENCE, references, language);
    put_money(&out, arena, about, total, currency.ptr);
    ctn_buf_append_char(&out, '\n');
    ctn_buf_append(&out, travel_say(&ENDING, language));
    ctn_buf_append(&out, CTN_STR("\n\n"));
    ctn_buf_append(&out, travel_closing_shown(language));
    ctn_buf_append_char(&out, '\n');
    ctn_buf_append(&out, travel_agency_text(agency, "signature"));
    ctn_buf_append_char(&out, '\n');
    ctn_json_builder result = ctn_json_object(arena);
    ctn_json_put_str(&result, "subject", subject_of(arena, places, references, language));
    ctn_json_put_str(&result, "message", ctn_arena_str(arena, ctn_buf_str(&out)));
    int rc = out.overflowed ? ctn_fail(err, CTN_E_LIMIT, "the letter would be longer than %d bytes", LETTER_BYTES_MAX)
                            : CTN_OK;
    ctn_buf_done(&out);
    if (!rc)
        *ret_result = ctn_json_finish(&result);
    return rc;
}
