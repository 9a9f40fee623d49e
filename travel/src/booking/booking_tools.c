/*
 * booking_tools.c -- the tools for holding, paying, confirming and taking back: their schemas, and their arguments
 * read.
 */
#include "booking/confirmation.h"
#include "booking/deals.h"
#include "kit/arguments.h"
#include "kit/money.h"
#include "kit/schemas.h"

/* ---- before ---- */

static int add_total(const ctn_json *offer, travel_cents *sum, ctn_err *err)
{
    travel_cents cents;
    if (!travel_cents_parse(ctn_json_text(ctn_json_member_of(offer, "total")), &cents))
        return ctn_fail(err, CTN_E_INVALID, "the provider's offer has no total");
    *sum += cents;
    return CTN_OK;
}

/* What the provider asked when the tier was priced: its net price, or the sum of its parts where nothing was added. */
static int net_of_tier(const ctn_json *tier, travel_cents *ret_net, ctn_err *err)
{
    travel_cents flights, hotels;
    if (travel_cents_parse(ctn_json_text(ctn_json_member_of(tier, "net")), ret_net))
        return CTN_OK;
    if (!travel_cents_parse(ctn_json_text(ctn_json_member_of(tier, "flights_total")), &flights) ||
        !travel_cents_parse(ctn_json_text(ctn_json_member_of(tier, "hotels_total")), &hotels))
        return ctn_fail(err, CTN_E_INVALID, "tier must be one of price_tiers, with its net price");
    *ret_net = flights + hotels;
    return CTN_OK;
}

/* What is taken now is a part of the price; an amount with a digit too many is found before anything is held. */
static int check_deposit(const travel_call *call, const ctn_json *tier, ctn_err *err)
{
    const ctn_json *deposit = NULL;
    travel_cents amount, total;
    int rc = travel_maybe_object(call, "deposit", &deposit, err);
    if (rc || !deposit)
        return rc;
    if (!travel_cents_parse(ctn_json_str_or(deposit, "amount", (ctn_str){0}), &amount))
        return ctn_fail(err, CTN_E_INVALID, "deposit.amount must be such as \"250.00\"");
    if (!travel_cents_parse(ctn_json_str_or(tier, "total", (ctn_str){0}), &total))
        return ctn_fail(err, CTN_E_INVALID, "tier.total must be such as \"1250.00\"");
    ctn_str asked = travel_cents_text(call->arena, amount), price = travel_cents_text(call->arena, total);
    return amount <= total ? CTN_OK
                           : ctn_fail(err, CTN_E_INVALID, "a deposit of %.*s is more than the price, %.*s",
                                      CTN_STR_ARG(asked), CTN_STR_ARG(price));
}

static int check_offers(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *tier, *requirements, *flight = NULL, *hotels = NULL;
    travel_deals *deals = NULL;
    travel_day day;
    travel_trip trip;
    travel_cents before = 0, now = 0;
    int rc = travel_want_object(call, "tier", &tier, err);
    if (!rc)
        rc = travel_want_object(call, "requirements", &requirements, err);
    if (!rc)
        rc = travel_today(call, &day, err);
    if (!rc)
        rc = travel_trip_plan(call->arena, requirements, NULL, day, &trip, NULL, err);
    if (!rc)
        rc = net_of_tier(tier, &before, err);
    if (!rc)
        rc = check_deposit(call, tier, err);
    if (!rc)
        rc = travel_call_deals(call, &deals, err);
    if (rc)
        return rc;
    const travel_provider *provider = travel_deals_provider(deals);
    rc = provider->ops->offers_now(provider->self, call->arena, &trip, day, tier, &flight, &hotels, err);
    if (!rc && flight)
        rc = add_total(flight, &now, err);
    for (size_t i = 0; rc == CTN_OK && i < ctn_json_count(hotels); i++)
        rc = add_total(ctn_json_at(hotels, i), &now, err);
    if (!rc && now > before) {
        ctn_str was = travel_cents_text(call->arena, before), is = travel_cents_text(call->arena, now);
        rc = ctn_fail(err, CTN_E_STATE, "the price has risen from %.*s to %.*s %s: propose again", CTN_STR_ARG(was),
                      CTN_STR_ARG(is), trip.currency);
    }
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put(&out, CTN_STR("flight"), flight);
    ctn_json_put(&out, CTN_STR("hotels"), hotels);
    ctn_json_put_str(&out, "net", travel_cents_text(call->arena, now));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- do ---- */

/* A flight's hold, if there is one, and those of hotels, in one list: lists in it are taken apart, what is no hold is
 * left out, so that a chain may write holds: ["{flight_hold?}", "{hotel_holds}"]. */
static void push_holds(ctn_json_builder *list, const ctn_json *v)
{
    for (size_t i = 0; ctn_json_is(v, CTN_JSON_ARRAY) && i < ctn_json_count(v); i++)
        push_holds(list, ctn_json_at(v, i));
    if (ctn_json_is(v, CTN_JSON_OBJECT))
        ctn_json_push(list, v);
}

static const ctn_json *holds_in(const travel_call *call, const ctn_json *v)
{
    ctn_json_builder list = ctn_json_array(call->arena);
    push_holds(&list, v);
    return ctn_json_finish(&list);
}

/* The arguments but those that name the deal: what the provider is asked, and what a key stands for. */
static const ctn_json *request_of(const travel_call *call)
{
    ctn_json_builder out = ctn_json_object(call->arena);
    for (size_t i = 0; i < ctn_json_count(call->arguments); i++) {
        const ctn_json_member *m = &call->arguments->members[i];
        ctn_str key = ctn_json_text(&m->key);
        if (!ctn_str_is(key, "key") && !ctn_str_is(key, "execution") && !ctn_str_is(key, "reference"))
            ctn_json_put(&out, key, ctn_str_is(key, "holds") ? holds_in(call, &m->value) : &m->value);
    }
    return ctn_json_finish(&out);
}

static int make(const travel_call *call, travel_deal_kind kind, const ctn_json **ret_result, ctn_err *err)
{
    travel_deals *deals;
    travel_deal_order order = {.kind = kind, .request = request_of(call)};
    int rc = travel_maybe_text(call, "key", &order.key, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &order.execution, err);
    if (!rc)
        rc = travel_maybe_text(call, "reference", &order.reference, err);
    if (!rc)
        rc = travel_call_deals(call, &deals, err);
    if (rc)
        return rc;
    if (order.key.len == 0)
        order.key = call->idempotency_key;
    return travel_deals_make(deals, call->arena, &order, ret_result, err);
}

static int hold(const travel_call *call, travel_deal_kind kind, const char *id_member, const ctn_json **ret_result,
                ctn_err *err)
{
    const ctn_json *offer, *client;
    int rc = travel_want_object(call, "offer", &offer, err);
    if (!rc && ctn_json_str_or(offer, id_member, CTN_STR("")).len == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "offer.%s is missing: which offer of the search is it?", id_member);
    if (!rc)
        rc = travel_maybe_object(call, "client", &client, err);
    return rc ? rc : make(call, kind, ret_result, err);
}

static int hold_flight(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    return hold(call, TRAVEL_HOLD_FLIGHT, "offer_id", ret_result, err);
}

static int hold_hotel(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    return hold(call, TRAVEL_HOLD_HOTEL, "hotel_id", ret_result, err);
}

static int take_deposit(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id, amount, currency;
    travel_cents cents;
    int rc = travel_want_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_want_text(call, "amount", &amount, err);
    if (!rc && (!travel_cents_parse(amount, &cents) || cents <= 0))
        rc = ctn_fail(err, CTN_E_INVALID, "amount must be above nothing, such as \"250.00\"");
    if (!rc)
        rc = travel_want_text(call, "currency", &currency, err);
    return rc ? rc : make(call, TRAVEL_DEPOSIT, ret_result, err);
}

static int confirm_booking(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *payment;
    int rc = travel_want_object(call, "payment", &payment, err);
    return rc ? rc : make(call, TRAVEL_BOOKING, ret_result, err);
}

/* ---- undo ---- */

static int undo(const travel_call *call, travel_deal_kind kind, const char *id_member, const ctn_json **ret_result,
                ctn_err *err)
{
    travel_deals *deals;
    ctn_str id, key;
    int rc = travel_maybe_text(call, id_member, &id, err);
    if (!rc)
        rc = travel_maybe_text(call, "key", &key, err);
    if (!rc && id.len == 0 && key.len == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "say what to take back: %s, or the key it was asked with", id_member);
    if (!rc)
        rc = travel_call_deals(call, &deals, err);
    return rc ? rc : travel_deals_undo(deals, call->arena, kind, id, key, ret_result, err);
}

static int release_flight(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    return undo(call, TRAVEL_HOLD_FLIGHT, "hold_id", ret_result, err);
}

static int release_hotel(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    return undo(call, TRAVEL_HOLD_HOTEL, "hold_id", ret_result, err);
}

static int refund_deposit(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    return undo(call, TRAVEL_DEPOSIT, "payment_id", ret_result, err);
}

static int cancel_booking(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    return undo(call, TRAVEL_BOOKING, "booking_id", ret_result, err);
}

/* ---- look ---- */

static int booking_status(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_deals *deals;
    ctn_str key, reference;
    int rc = travel_maybe_text(call, "key", &key, err);
    if (!rc)
        rc = travel_maybe_text(call, "reference", &reference, err);
    if (!rc && key.len == 0 && reference.len == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "say what to look for: the key it was asked with, or a booking's reference");
    if (!rc)
        rc = travel_call_deals(call, &deals, err);
    return rc ? rc : travel_deals_status(deals, call->arena, key, reference, ret_result, err);
}

static int provider_ledger(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_deals *deals;
    int rc = travel_call_deals(call, &deals, err);
    return rc ? rc : travel_deals_ledger(deals, call->arena, ret_result, err);
}

/* ---- tell ---- */

static int write_confirmation(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_confirmation about = {0};
    ctn_str language;
    int rc = travel_want_object(call, "booking", &about.booking, err);
    if (!rc)
        rc = travel_maybe_object(call, "client", &about.client, err);
    if (!rc)
        rc = travel_maybe_object(call, "requirements", &about.requirements, err);
    if (!rc)
        rc = travel_maybe_object(call, "tier", &about.tier, err);
    if (!rc)
        rc = travel_maybe_object(call, "payment", &about.payment, err);
    if (!rc)
        rc = travel_maybe_text(call, "language", &language, err);
    if (rc)
        return rc;
    if (!travel_language_from(language, &about.language) &&
        !travel_language_from(ctn_json_str_or(about.requirements, "language", CTN_STR("")), &about.language) &&
        !travel_language_from(travel_agency_text(call->tools->agency, "language"), &about.language))
        about.language = TRAVEL_EN;
    return travel_confirmation_write(call->tools->agency, call->arena, &about, ret_result, err);
}

/* ---- the table ---- */

#define KEY "{\"type\":[\"string\",\"null\"],\"maxLength\":200}"
#define HOLD                                                                                                           \
    "{\"type\":\"object\",\"required\":[\"hold_id\",\"expires_at\",\"total\",\"currency\"],\"properties\":{"           \
    "\"hold_id\":" STRING ",\"expires_at\":" STRING ",\"total\":" MONEY ",\"currency\":" STRING "}}"
#define HOLD_INPUT(ID)                                                                                                 \
    "{\"type\":\"object\",\"required\":[\"offer\"],\"properties\":{\"offer\":{\"type\":\"object\",\"required\":[\"" ID \
    "\",\"total\",\"currency\"],\"properties\":{\"" ID "\":" STRING ",\"total\":" MONEY ",\"currency\":" STRING        \
    ",\"expires_at\":" TEXT_OR_NULL "}},\"client\":{\"type\":[\"object\",\"null\"]},\"passengers\":{\"type\":"         \
    "[\"array\",\"null\"],\"items\":{\"type\":\"object\"}},\"key\":" KEY ",\"execution\":" KEY "}}"
#define UNDO_INPUT(ID) "{\"type\":\"object\",\"properties\":{\"" ID "\":" TEXT_OR_NULL ",\"key\":" TEXT_OR_NULL "}}"
#define UNDO_OUTPUT                                                                                                    \
    "{\"type\":\"object\",\"required\":[\"state\"],\"properties\":{\"state\":{\"enum\":[\"released\",\"refunded\","    \
    "\"cancelled\",\"nothing\"]}}}"

static const travel_tool TOOLS[] = {
    {.about = {.name = "check_offers",
               .title = "Check what was accepted",
               .description =
                   "The offers of an accepted tier as the provider has them now. Fails when one is sold out or "
                   "they cost more than they did, or when the deposit is more than the price.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"tier\",\"requirements\"],\"properties\":{"
                               "\"tier\":{\"type\":\"object\"},\"requirements\":" TRIP ",\"started_at\":" WHEN
                               ",\"deposit\":{\"type\":\"object\",\"properties\":{\"amount\":" MONEY "}}}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"flight\",\"hotels\",\"net\"],\"properties\":{"
                                "\"flight\":{\"type\":[\"object\",\"null\"]},\"hotels\":{\"type\":\"array\",\"items\":"
                                "{\"type\":\"object\"}},\"net\":" MONEY "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true},
     .run = check_offers},
    {.about = {.name = "hold_flight",
               .title = "Hold a flight",
               .description =
                   "Asks the provider to keep an offer of a search for the client until expires_at. The same "
                   "key gives the same hold.",
               .input_schema = HOLD_INPUT("offer_id"),
               .output_schema = HOLD,
               .is_idempotent = true,
               .is_additive = true},
     .run = hold_flight},
    {.about = {.name = "hold_hotel",
               .title = "Hold a hotel",
               .description = "Asks the provider to keep a hotel's rooms for the client until expires_at. The same key "
                              "gives the same hold.",
               .input_schema = HOLD_INPUT("hotel_id"),
               .output_schema = HOLD,
               .is_idempotent = true,
               .is_additive = true},
     .run = hold_hotel},
    {.about = {.name = "take_deposit",
               .title = "Take the deposit",
               .description = "Charges the client once per key. Nothing is charged when one of the holds given lapses "
                              "within two minutes.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"client_id\",\"amount\",\"currency\"],"
                               "\"properties\":{\"client_id\":" STRING ",\"amount\":" MONEY ",\"currency\":" STRING
                               ",\"source\":" TEXT_OR_NULL ",\"holds\":{\"type\":[\"array\",\"null\"]},\"key\":" KEY
                               ",\"execution\":" KEY "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"payment_id\",\"amount\",\"currency\"],"
                   "\"properties\":{\"payment_id\":" STRING ",\"amount\":" MONEY ",\"currency\":" STRING "}}",
               .is_idempotent = true},
     .run = take_deposit},
    {.about = {.name = "confirm_booking",
               .title = "Confirm the booking",
               .description = "Makes one booking of the holds, once per key. `reference` is the caller's own name for "
                              "it, which booking_status finds.",
               .input_schema =
                   "{\"type\":\"object\",\"required\":[\"holds\",\"payment\"],\"properties\":{\"holds\":{"
                   "\"type\":\"array\",\"minItems\":1,\"maxItems\":32},\"payment\":{\"type\":\"object\",\"required\":["
                   "\"payment_id\"]},\"key\":" KEY ",\"execution\":" KEY ",\"reference\":" KEY "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"booking_id\",\"references\",\"total\","
                                "\"currency\"],\"properties\":{\"booking_id\":" STRING ",\"references\":" STRINGS
                                ",\"total\":" MONEY ",\"currency\":" STRING "}}",
               .is_idempotent = true},
     .run = confirm_booking},
    {.about = {.name = "release_flight",
               .title = "Release a held flight",
               .description = "Leaves nothing of a hold, whatever became of it, by hold_id or by the key it was asked "
                              "with. What is released stays released.",
               .input_schema = UNDO_INPUT("hold_id"),
               .output_schema = UNDO_OUTPUT,
               .is_idempotent = true},
     .run = release_flight},
    {.about = {.name = "release_hotel",
               .title = "Release a held hotel",
               .description = "Leaves nothing of a hold, whatever became of it, by hold_id or by the key it was asked "
                              "with. What is released stays released.",
               .input_schema = UNDO_INPUT("hold_id"),
               .output_schema = UNDO_OUTPUT,
               .is_idempotent = true},
     .run = release_hotel},
    {.about = {.name = "refund_deposit",
               .title = "Give the deposit back",
               .description = "Refunds a deposit in whole, once, by payment_id or by the key it was asked with.",
               .input_schema = UNDO_INPUT("payment_id"),
               .output_schema = UNDO_OUTPUT,
               .is_idempotent = true},
     .run = refund_deposit},
    {.about = {.name = "cancel_booking",
               .title = "Cancel a booking",
               .description = "Cancels a booking and releases what it was made of, by booking_id or by the key it was "
                              "asked with.",
               .input_schema = UNDO_INPUT("booking_id"),
               .output_schema = UNDO_OUTPUT,
               .is_idempotent = true},
     .run = cancel_booking},
    {.about = {.name = "write_confirmation",
               .title = "Write the confirmation",
               .description = "The letter that tells a client that the trip is booked, in English, Spanish, French or "
                              "German: what, when, who, the reference, what was paid and what is left.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"booking\"],\"properties\":{\"booking\":{\"type\":"
                               "\"object\"},\"client\":{\"type\":[\"object\",\"null\"]},\"requirements\":{\"type\":["
                               "\"object\",\"null\"]},\"tier\":{\"type\":[\"object\",\"null\"]},\"payment\":{\"type\":["
                               "\"object\",\"null\"]},\"language\":" TEXT_OR_NULL "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"subject\",\"message\"],\"properties\":{"
                                "\"subject\":" STRING ",\"message\":" STRING "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = write_confirmation},
    {.about = {.name = "booking_status",
               .title = "What became of a request",
               .description = "Whether what was asked with this key (a hold, a deposit, a booking) happened, and with "
                              "which result; or whether a booking with this reference stands.",
               .input_schema =
                   "{\"type\":\"object\",\"properties\":{\"key\":" TEXT_OR_NULL ",\"reference\":" TEXT_OR_NULL "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"happened\"],\"properties\":{\"happened\":" BOOLEAN
                                ",\"final\":" BOOLEAN ",\"result\":{\"type\":\"object\"}}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true},
     .run = booking_status},
    {.about = {.name = "provider_ledger",
               .title = "The provider's ledger",
               .description =
                   "Every hold, payment and booking that was asked for, with its state, and the provider's own "
                   "books where it has some to show.",
               .input_schema = "{\"type\":\"object\",\"properties\":{}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"provider\",\"deals\"],\"properties\":{"
                   "\"provider\":" STRING ",\"deals\":{\"type\":\"array\"},\"books\":{\"type\":\"object\"}}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true},
     .run = provider_ledger},
};

/* The section `provider`, when the server starts: it is only read. */
static int check_provider(const travel_agency *agency, ctn_err *err)
{
    travel_deals *deals = NULL;
    ctn_clock clock = ctn_clock_system();
    int rc = travel_deals_open(agency, &clock, &deals, err);
    travel_deals_close(deals);
    return rc;
}

const travel_toolset travel_booking_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS, check_provider};
