/*
 * booking_tools.c -- the tools for holding, paying, confirming and taking back: their schemas, and their arguments
 * read.
 */
#include "kit/arguments.h"
#include "kit/money.h"
#include "kit/schemas.h"

/* ---- do ---- */

/* The arguments but those that name the deal: what the provider is asked, and what a key stands for. */
static const ctn_json *request_of(const travel_call *call)
{
    ctn_json_builder out = ctn_json_object(call->arena);
    for (size_t i = 0; i < ctn_json_count(call->arguments); i++) {
        const ctn_json_member *m = &call->arguments->members[i];
        ctn_str key = ctn_json_text(&m->key);
        if (!ctn_str_is(key, "key") && !ctn_str_is(key, "execution") && !ctn_str_is(key, "reference"))
            ctn_json_put(&out, key, &m->value);
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
    const ctn_json *payment, *holds = ctn_json_member_of(call->arguments, "holds");
    if (!ctn_json_is(holds, CTN_JSON_ARRAY))
        return ctn_fail(err, CTN_E_INVALID, "holds must be a list of what hold_flight and hold_hotel gave");
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
               .input_schema = "{\"type\":\"object\",\"required\":[\"holds\",\"payment\"],\"properties\":{\"holds\":{"
                               "\"type\":\"array\",\"minItems\":1,\"maxItems\":32,\"items\":{\"type\":\"object\","
                               "\"required\":[\"hold_id\"]}},\"payment\":{\"type\":\"object\",\"required\":["
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

const travel_toolset travel_booking_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
