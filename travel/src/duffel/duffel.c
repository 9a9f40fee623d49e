/*
 * duffel.c -- see duffel.h. Each kind of deal is made, found and undone by looking at what Duffel has first: what is
 * there is not made again, what is gone is not taken back again.
 *
 * Nothing is remembered here. What is known of a deal is its key, its request without people and, when it was heard,
 * its answer; everything else Duffel is asked for.
 */
#include "duffel/duffel_internal.h"

#include "value/calendar.h"

#include <assert.h>
#include <stdlib.h>

enum { PASSENGERS_MAX = 9, HOLDS_MAX = 32 };
static const int64_t QUOTE_MS = 900000;
static const char *const KEY_NAME = "catena_key", *const HOLD_NAME = "catena_hold";

/* Nothing that was asked with this deal can still arrive. */
static bool is_settled(const duffel *d, const travel_deal *deal)
{
    return ctn_clock_now_ms(&d->clock) - deal->begun_at_ms > d->timeout_ms + d->settle_ms;
}

static int may_still_arrive(ctn_err *err)
{
    return ctn_fail(err, CTN_E_BUSY, "it is not at Duffel, but may still arrive: try again in a minute");
}

static int get(duffel *d, ctn_arena *arena, const char *path, ctn_str id, const ctn_json **ret_data, ctn_err *err)
{
    return duffel_ask(d, arena, "GET", ctn_arena_printf(arena, "%s/%.*s", path, CTN_STR_ARG(id)), NULL, ret_data, NULL,
                      err);
}

static int act(duffel *d, ctn_arena *arena, const char *path, ctn_str id, const char *action, const ctn_json **ret_data,
               ctn_err *err)
{
    return duffel_ask(d, arena, "POST", ctn_arena_printf(arena, "%s/%.*s/actions/%s", path, CTN_STR_ARG(id), action),
                      NULL, ret_data, NULL, err);
}

static const ctn_json *metadata(ctn_arena *arena, const char *name, ctn_str value, const char *name2, ctn_str value2)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, name, value);
    if (name2)
        ctn_json_put_str(&out, name2, value2);
    return ctn_json_finish(&out);
}

/* ---- people ---- */

static const ctn_json *passengers_of(const ctn_json *request, size_t *ret_count)
{
    const ctn_json *list = ctn_json_member_of(request, "passengers");
    *ret_count = ctn_json_is(list, CTN_JSON_ARRAY) ? ctn_json_count(list) : 0;
    return list;
}

/* Names, dates and contacts as they came, with the offer's own id of each passenger, in the offer's order. */
static int order_passengers(ctn_arena *arena, const travel_deal *deal, const ctn_json *offer, const ctn_json **ret_list,
                            ctn_err *err)
{
    static const char *const MEMBERS[] = {"title",   "given_name", "family_name",  "gender",
                                          "born_on", "email",      "phone_number", "identity_documents"};
    enum { WANTED = 7 };
    size_t count;
    const ctn_json *given = passengers_of(deal->request, &count), *wanted = ctn_json_member_of(offer, "passengers");
    const ctn_json *client = ctn_json_member_of(deal->request, "client");
    ctn_json_builder list = ctn_json_array(arena);
    if (count != ctn_json_count(wanted) || count == 0 || count > PASSENGERS_MAX)
        return ctn_fail(err, CTN_E_INVALID, "passengers has %zu people, but the offer is for %zu", count,
                        ctn_json_count(wanted));
    for (size_t i = 0; i < count; i++) {
        const ctn_json *person = ctn_json_at(given, i);
        ctn_json_builder one = ctn_json_object(arena);
        ctn_json_put_str(&one, "id", duffel_text(ctn_json_at(wanted, i), "id"));
        for (size_t m = 0; m < sizeof MEMBERS / sizeof *MEMBERS; m++) {
            const ctn_json *v = ctn_json_member_of(person, MEMBERS[m]);
            if (!v && strcmp(MEMBERS[m], "email") == 0)
                v = ctn_json_member_of(client, "email");
            if (!v && strcmp(MEMBERS[m], "phone_number") == 0)
                v = ctn_json_member_of(client, "phone");
            if (m < WANTED && ctn_json_text(v).len == 0)
                return ctn_fail(err, CTN_E_INVALID, "passengers[%zu].%s is missing: Duffel books nobody without it", i,
                                MEMBERS[m]);
            if (v)
                ctn_json_put(&one, ctn_str_from(MEMBERS[m]), v);
        }
        ctn_json_push(&list, ctn_json_finish(&one));
    }
    *ret_list = ctn_json_finish(&list);
    return CTN_OK;
}

/* ---- orders ---- */

static bool has_key(const ctn_json *item, ctn_str key)
{
    return ctn_str_equal(duffel_text(ctn_json_member_of(item, "metadata"), KEY_NAME), key);
}

static bool is_cancelled(const ctn_json *order)
{
    return duffel_text(order, "cancelled_at").len > 0;
}

static bool is_unpaid(const ctn_json *order)
{
    return ctn_json_bool_or(ctn_json_member_of(order, "payment_status"), "awaiting_payment", false);
}

/* When it must be paid, or when its price is no longer promised: whichever comes first. */
static ctn_str expiry_of(const ctn_json *order)
{
    const ctn_json *status = ctn_json_member_of(order, "payment_status");
    ctn_str pay_by = duffel_text(status, "payment_required_by"),
            price_until = duffel_text(status, "price_guarantee_expires_at");
    ctn_time a, b;
    bool has_both = ctn_time_of(ctn_json_member_of(status, "payment_required_by"), &a) &&
                    ctn_time_of(ctn_json_member_of(status, "price_guarantee_expires_at"), &b);
    return has_both ? (b.at_ms < a.at_ms ? price_until : pay_by) : pay_by.len ? pay_by : price_until;
}

static const ctn_json *hold_result(ctn_arena *arena, const ctn_json *order)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "hold_id", duffel_text(order, "id"));
    ctn_json_put_str(&out, "expires_at", expiry_of(order));
    ctn_json_put_str(&out, "total", duffel_text(order, "total_amount"));
    ctn_json_put_str(&out, "currency", duffel_text(order, "total_currency"));
    ctn_json_put_str(&out, "reference", duffel_text(order, "booking_reference"));
    return ctn_json_finish(&out);
}

static int hold_flight(duffel *d, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *asked = ctn_json_member_of(deal->request, "offer"), *offer = NULL, *order = NULL, *people = NULL;
    ctn_str id = duffel_text(asked, "offer_id");
    int rc = duffel_check_id(id, "off_", "offer.offer_id", err);
    if (!rc)
        rc = get(d, arena, "/air/offers", id, &offer, err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_wrap(err, CTN_E_STATE, "the offer is gone");
    if (rc)
        return rc;
    if (ctn_json_bool_or(ctn_json_member_of(offer, "payment_requirements"), "requires_instant_payment", true))
        return ctn_fail(err, CTN_E_STATE, "the airline holds nothing for this offer: it must be paid at once");
    if (duffel_is_dearer(duffel_text(offer, "total_amount"), duffel_text(asked, "total")))
        return ctn_fail(err, CTN_E_STATE, "the price has risen to %.*s %.*s: propose again",
                        CTN_STR_ARG(duffel_text(offer, "total_amount")),
                        CTN_STR_ARG(duffel_text(offer, "total_currency")));
    rc = order_passengers(arena, deal, offer, &people, err);
    if (rc)
        return rc;
    ctn_json_builder data = ctn_json_object(arena), selected = ctn_json_array(arena);
    ctn_json_push(&selected, ctn_json_string(arena, id));
    ctn_json_put_str(&data, "type", CTN_STR("hold"));
    ctn_json_put(&data, CTN_STR("selected_offers"), ctn_json_finish(&selected));
    ctn_json_put(&data, CTN_STR("passengers"), people);
    ctn_json_put(&data, CTN_STR("metadata"), metadata(arena, KEY_NAME, deal->key, NULL, CTN_STR("")));
    rc = duffel_ask(d, arena, "POST", CTN_STR("/air/orders"), ctn_json_finish(&data), &order, NULL, err);
    if (!rc)
        *ret_result = hold_result(arena, order);
    return rc;
}

/* The order of this deal: by its id, or by our key in its metadata. NULL: there is none. */
static int find_order(duffel *d, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_order, ctn_err *err)
{
    ctn_str id = duffel_text(deal->result, "hold_id");
    if (id.len == 0)
        return duffel_find_in(d, arena, "/air/orders", has_key, deal->key, ret_order, err);
    int rc = duffel_check_id(id, "ord_", "hold_id", err);
    return rc ? rc : get(d, arena, "/air/orders", id, ret_order, err);
}

/* Twice is once: an order that is cancelled is left alone, and so is one whose hold has lapsed by itself. */
static int cancel_order(duffel *d, ctn_arena *arena, const ctn_json *order, ctn_err *err)
{
    const ctn_json *cancellation = NULL, *confirmed = NULL;
    ctn_json_builder data = ctn_json_object(arena);
    ctn_time expires;
    ctn_str expiry = expiry_of(order);
    bool is_lapsed = is_unpaid(order) && expiry.len > 0 && ctn_time_of(ctn_json_string(arena, expiry), &expires) &&
                     expires.at_ms <= ctn_clock_now_ms(&d->clock) &&
                     !ctn_json_has_text(ctn_json_member_of(order, "available_actions"), CTN_STR("cancel"));
    if (is_cancelled(order) || is_lapsed)
        return CTN_OK;
    ctn_json_put_str(&data, "order_id", duffel_text(order, "id"));
    int rc = duffel_ask(d, arena, "POST", CTN_STR("/air/order_cancellations"), ctn_json_finish(&data), &cancellation,
                        NULL, err);
    ctn_str id = duffel_text(cancellation, "id");
    if (!rc)
        rc = duffel_check_id(id, "or", "an order cancellation", err);
    return rc ? rc : act(d, arena, "/air/order_cancellations", id, "confirm", &confirmed, err);
}

static int undo_flight(duffel *d, ctn_arena *arena, const travel_deal *deal, bool *ret_was_there, ctn_err *err)
{
    const ctn_json *order = NULL;
    int rc = find_order(d, arena, deal, &order, err);
    if (rc)
        return rc;
    *ret_was_there = order != NULL;
    return order ? cancel_order(d, arena, order, err) : is_settled(d, deal) ? CTN_OK : may_still_arrive(err);
}

/* ---- stays ---- */

static ctn_str in_a_while(const duffel *d, ctn_arena *arena)
{
    char text[25];
    ctn_time_format(ctn_clock_now_ms(&d->clock) + QUOTE_MS, text);
    return ctn_arena_str(arena, ctn_str_from(text));
}

static int hold_hotel(duffel *d, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *asked = ctn_json_member_of(deal->request, "offer"), *quote = NULL;
    ctn_str expires_at = duffel_text(asked, "expires_at");
    int rc = duffel_quote(d, arena, duffel_text(asked, "hotel_id"), &quote, err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_wrap(err, CTN_E_STATE, "the room is gone");
    if (rc)
        return rc;
    if (duffel_is_dearer(duffel_text(quote, "total_amount"), duffel_text(asked, "total")))
        return ctn_fail(err, CTN_E_STATE, "the room's price has risen to %.*s %.*s: propose again",
                        CTN_STR_ARG(duffel_text(quote, "total_amount")),
                        CTN_STR_ARG(duffel_text(quote, "total_currency")));
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "hold_id", duffel_text(quote, "id"));
    ctn_json_put_str(&out, "expires_at", expires_at.len ? expires_at : in_a_while(d, arena));
    ctn_json_put_str(&out, "total", duffel_text(quote, "total_amount"));
    ctn_json_put_str(&out, "currency", duffel_text(quote, "total_currency"));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static bool is_of_hold(const ctn_json *booking, ctn_str quote_id)
{
    return ctn_str_equal(duffel_text(ctn_json_member_of(booking, "metadata"), HOLD_NAME), quote_id) &&
           ctn_str_is(duffel_text(booking, "status"), "confirmed");
}

static int find_stay(duffel *d, ctn_arena *arena, ctn_str quote_id, const ctn_json **ret_booking, ctn_err *err)
{
    return duffel_find_in(d, arena, "/stays/bookings", is_of_hold, quote_id, ret_booking, err);
}

static int cancel_stay(duffel *d, ctn_arena *arena, ctn_str quote_id, bool *ret_was_there, ctn_err *err)
{
    const ctn_json *booking = NULL, *cancelled = NULL;
    int rc = find_stay(d, arena, quote_id, &booking, err);
    if (rc || !booking)
        return rc;
    ctn_str id = duffel_text(booking, "id");
    *ret_was_there = true;
    rc = duffel_check_id(id, "bok_", "a booking", err);
    return rc ? rc : act(d, arena, "/stays/bookings", id, "cancel", &cancelled, err);
}

static int book_stay(duffel *d, ctn_arena *arena, const travel_deal *deal, ctn_str quote_id,
                     const ctn_json **ret_booking, ctn_err *err)
{
    size_t count;
    const ctn_json *people = passengers_of(deal->request, &count),
                   *client = ctn_json_member_of(deal->request, "client");
    const ctn_json *first = ctn_json_at(people, 0);
    ctn_str email = duffel_text(first, "email"), phone = duffel_text(first, "phone_number");
    ctn_json_builder data = ctn_json_object(arena), guests = ctn_json_array(arena);
    for (size_t i = 0; i < count; i++) {
        ctn_json_builder guest = ctn_json_object(arena);
        ctn_json_put_str(&guest, "given_name", duffel_text(ctn_json_at(people, i), "given_name"));
        ctn_json_put_str(&guest, "family_name", duffel_text(ctn_json_at(people, i), "family_name"));
        ctn_json_push(&guests, ctn_json_finish(&guest));
    }
    if (count == 0)
        return ctn_fail(err, CTN_E_INVALID, "passengers is missing: a hotel wants to know who comes");
    ctn_json_put_str(&data, "quote_id", quote_id);
    ctn_json_put(&data, CTN_STR("guests"), ctn_json_finish(&guests));
    ctn_json_put_str(&data, "email", email.len ? email : duffel_text(client, "email"));
    ctn_json_put_str(&data, "phone_number", phone.len ? phone : duffel_text(client, "phone"));
    ctn_json_put(&data, CTN_STR("metadata"), metadata(arena, KEY_NAME, deal->key, HOLD_NAME, quote_id));
    return duffel_ask(d, arena, "POST", CTN_STR("/stays/bookings"), ctn_json_finish(&data), ret_booking, NULL, err);
}

/* ---- deposits ---- */

static int get_intent(duffel *d, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_intent, ctn_err *err)
{
    ctn_str id = duffel_text(deal->request, "source");
    int rc = duffel_check_id(id, "pit_", "deposit source (a payment intent)", err);
    return rc ? rc : get(d, arena, "/payments/payment_intents", id, ret_intent, err);
}

static bool is_charged(const ctn_json *intent)
{
    return ctn_str_is(duffel_text(intent, "status"), "succeeded");
}

/* What was given back, or is on its way. */
static travel_cents refunded(const ctn_json *intent)
{
    const ctn_json *list = ctn_json_member_of(intent, "refunds");
    travel_cents sum = 0, cents;
    for (size_t i = 0; i < ctn_json_count(list); i++)
        if (!ctn_str_is(duffel_text(ctn_json_at(list, i), "status"), "failed") &&
            travel_cents_parse(duffel_text(ctn_json_at(list, i), "amount"), &cents))
            sum += cents;
    return sum;
}

static const ctn_json *payment_result(ctn_arena *arena, const ctn_json *intent)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "payment_id", duffel_text(intent, "id"));
    ctn_json_put_str(&out, "amount", duffel_text(intent, "amount"));
    ctn_json_put_str(&out, "currency", duffel_text(intent, "currency"));
    return ctn_json_finish(&out);
}

static int take_deposit(duffel *d, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *intent = NULL, *confirmed = NULL;
    travel_cents asked, has;
    int rc = get_intent(d, arena, deal, &intent, err);
    if (rc)
        return rc;
    if (!travel_cents_parse(duffel_text(deal->request, "amount"), &asked) ||
        !travel_cents_parse(duffel_text(intent, "amount"), &has) || asked != has ||
        !ctn_str_equal(duffel_text(deal->request, "currency"), duffel_text(intent, "currency")))
        return ctn_fail(err, CTN_E_STATE, "the client was asked for %.*s %.*s, which is not the deposit",
                        CTN_STR_ARG(duffel_text(intent, "amount")), CTN_STR_ARG(duffel_text(intent, "currency")));
    if (!ctn_str_is(duffel_text(intent, "status"), "requires_confirmation"))
        return ctn_fail(err, CTN_E_STATE,
                        "the payment intent is \"%.*s\": it can be charged when the client has given a card, "
                        "and once",
                        CTN_STR_ARG(duffel_text(intent, "status")));
    rc = act(d, arena, "/payments/payment_intents", duffel_text(intent, "id"), "confirm", &confirmed, err);
    if (rc)
        return rc;
    if (ctn_str_is(duffel_text(confirmed, "status"), "processing"))
        return ctn_fail(err, CTN_E_IO, "the charge is being processed");
    if (!is_charged(confirmed))
        return ctn_fail(err, CTN_E_STATE, "the card was declined");
    *ret_result = payment_result(arena, confirmed);
    return CTN_OK;
}

static int undo_deposit(duffel *d, ctn_arena *arena, const travel_deal *deal, bool *ret_was_there, ctn_err *err)
{
    const ctn_json *intent = NULL, *refund = NULL;
    travel_cents amount = 0;
    int rc = get_intent(d, arena, deal, &intent, err);
    if (rc)
        return rc;
    if (!is_charged(intent))
        return is_settled(d, deal) ? CTN_OK : may_still_arrive(err);
    *ret_was_there = true;
    if (!travel_cents_parse(duffel_text(intent, "amount"), &amount) || refunded(intent) >= amount)
        return CTN_OK;
    ctn_json_builder data = ctn_json_object(arena);
    ctn_json_put_str(&data, "payment_intent_id", duffel_text(intent, "id"));
    ctn_json_put_str(&data, "amount", travel_cents_text(arena, amount - refunded(intent)));
    ctn_json_put_str(&data, "currency", duffel_text(intent, "currency"));
    return duffel_ask(d, arena, "POST", CTN_STR("/payments/refunds"), ctn_json_finish(&data), &refund, NULL, err);
}

/* ---- bookings ---- */

/* What a hold is now: its order or its stay's booking; ret_is_done: paid, booked. */
static int look_at_hold(duffel *d, ctn_arena *arena, ctn_str hold_id, const ctn_json **ret_item, bool *ret_is_done,
                        ctn_err *err)
{
    bool is_order = ctn_str_starts_with(hold_id, CTN_STR("ord_"));
    int rc = duffel_check_id(hold_id, is_order ? "ord_" : "quo_", "hold_id", err);
    if (!rc)
        rc = is_order ? get(d, arena, "/air/orders", hold_id, ret_item, err)
                      : find_stay(d, arena, hold_id, ret_item, err);
    if (!rc)
        *ret_is_done = *ret_item && (!is_order || (!is_unpaid(*ret_item) && !is_cancelled(*ret_item)));
    return rc;
}

static int pay_order(duffel *d, ctn_arena *arena, const ctn_json *order, ctn_err *err)
{
    const ctn_json *payment = NULL;
    if (is_cancelled(order))
        return ctn_fail(err, CTN_E_STATE, "the order was cancelled");
    ctn_json_builder data = ctn_json_object(arena), how = ctn_json_object(arena);
    ctn_json_put_str(&how, "type", CTN_STR("balance"));
    ctn_json_put_str(&how, "amount", duffel_text(order, "total_amount"));
    ctn_json_put_str(&how, "currency", duffel_text(order, "total_currency"));
    ctn_json_put_str(&data, "order_id", duffel_text(order, "id"));
    ctn_json_put(&data, CTN_STR("payment"), ctn_json_finish(&how));
    return duffel_ask(d, arena, "POST", CTN_STR("/air/payments"), ctn_json_finish(&data), &payment, NULL, err);
}

static int book_hold(duffel *d, ctn_arena *arena, const travel_deal *deal, ctn_str hold_id, ctn_err *err)
{
    const ctn_json *item = NULL, *booking = NULL;
    bool is_done = false;
    int rc = look_at_hold(d, arena, hold_id, &item, &is_done, err);
    if (rc || is_done)
        return rc;
    return ctn_str_starts_with(hold_id, CTN_STR("ord_")) ? pay_order(d, arena, item, err)
                                                         : book_stay(d, arena, deal, hold_id, &booking, err);
}

/* The answer of confirm_booking, of what stands. ret_result: NULL when a part does not. */
static int booking_of(duffel *d, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *holds = ctn_json_member_of(deal->request, "holds");
    ctn_json_builder references = ctn_json_array(arena), out = ctn_json_object(arena);
    ctn_str first = CTN_STR(""), currency = CTN_STR("");
    travel_cents total = 0, cents;
    for (size_t i = 0; i < ctn_json_count(holds); i++) {
        const ctn_json *hold = ctn_json_at(holds, i), *item = NULL;
        bool is_done = false;
        int rc = look_at_hold(d, arena, duffel_text(hold, "hold_id"), &item, &is_done, err);
        if (rc)
            return rc;
        if (!is_done) {
            *ret_result = NULL;
            return CTN_OK;
        }
        ctn_str reference = duffel_text(item, "booking_reference");
        reference = reference.len ? reference : duffel_text(item, "reference");
        if (reference.len > 0)
            ctn_json_push(&references, ctn_json_string(arena, reference));
        if (first.len == 0)
            first = duffel_text(item, "id");
        if (travel_cents_parse(duffel_text(hold, "total"), &cents))
            total += cents;
        currency = duffel_text(hold, "currency");
    }
    ctn_json_put_str(&out, "booking_id", first);
    ctn_json_put(&out, CTN_STR("references"), ctn_json_finish(&references));
    ctn_json_put_str(&out, "total", travel_cents_text(arena, total));
    ctn_json_put_str(&out, "currency", currency);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* Stays first: they can be cancelled for nothing more often than a ticket that is paid. */
static int book_all(duffel *d, ctn_arena *arena, const travel_deal *deal, const char *prefix, ctn_err *err)
{
    const ctn_json *holds = ctn_json_member_of(deal->request, "holds");
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < ctn_json_count(holds); i++) {
        ctn_str id = duffel_text(ctn_json_at(holds, i), "hold_id");
        if (ctn_str_starts_with(id, ctn_str_from(prefix)))
            rc = book_hold(d, arena, deal, id, err);
    }
    return rc;
}

static int unbook_all(duffel *d, ctn_arena *arena, const travel_deal *deal, bool *ret_was_there, ctn_err *err)
{
    const ctn_json *holds = ctn_json_member_of(deal->request, "holds");
    for (size_t i = 0; i < ctn_json_count(holds); i++) {
        ctn_str id = duffel_text(ctn_json_at(holds, i), "hold_id");
        const ctn_json *order = NULL;
        bool is_done = false;
        int rc;
        if (ctn_str_starts_with(id, CTN_STR("ord_"))) {
            rc = look_at_hold(d, arena, id, &order, &is_done, err);
            if (!rc)
                rc = cancel_order(d, arena, order, err);
            *ret_was_there = *ret_was_there || is_done;
        } else {
            rc = cancel_stay(d, arena, id, ret_was_there, err);
        }
        if (rc)
            return rc;
    }
    return CTN_OK;
}

static int confirm_booking(duffel *d, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result,
                           ctn_err *err)
{
    size_t count = ctn_json_count(ctn_json_member_of(deal->request, "holds"));
    const ctn_json *result = NULL;
    bool was_there = false;
    if (count == 0 || count > HOLDS_MAX)
        return ctn_fail(err, CTN_E_INVALID, "holds has %zu holds: a booking is made of 1 to %d", count, HOLDS_MAX);
    int rc = book_all(d, arena, deal, "quo_", err);
    if (!rc)
        rc = book_all(d, arena, deal, "ord_", err);
    if (rc == CTN_E_IO ||
        rc == CTN_E_BUSY) /* what is booked so far is found by the next try, or taken back with its hold */
        return rc;
    if (rc) /* a part was refused: no other part may stay; the first sentence is the one to tell */
        return unbook_all(d, arena, deal, &was_there, NULL) ? ctn_wrap(err, CTN_E_IO, "booked in part") : rc;
    rc = booking_of(d, arena, deal, &result, err);
    if (!rc && !result)
        rc = ctn_fail(err, CTN_E_BUSY, "Duffel does not show the booking yet");
    if (rc) /* it was made, and its answer is not there */
        return CTN_E_IO;
    *ret_result = result;
    return CTN_OK;
}

/* ---- the provider ---- */

static int make(void *self, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result, ctn_err *err)
{
    switch (deal->kind) {
    case TRAVEL_HOLD_FLIGHT: return hold_flight(self, arena, deal, ret_result, err);
    case TRAVEL_HOLD_HOTEL: return hold_hotel(self, arena, deal, ret_result, err);
    case TRAVEL_DEPOSIT: return take_deposit(self, arena, deal, ret_result, err);
    case TRAVEL_BOOKING: return confirm_booking(self, arena, deal, ret_result, err);
    }
    return ctn_fail(err, CTN_E_INVALID, "there is no such deal");
}

static int find(void *self, ctn_arena *arena, const travel_deal *deal, travel_found *ret_found, ctn_err *err)
{
    duffel *d = self;
    const ctn_json *item = NULL, *result = NULL;
    bool is_final = is_settled(d, deal);
    int rc = CTN_OK;
    if (deal->kind == TRAVEL_HOLD_FLIGHT) {
        rc = find_order(d, arena, deal, &item, err);
        if (!rc && item && !is_cancelled(item))
            result = hold_result(arena, item);
    } else if (deal->kind == TRAVEL_HOLD_HOTEL) {
        is_final = true; /* a quote whose answer was lost is nothing: another is made */
    } else if (deal->kind == TRAVEL_DEPOSIT) {
        rc = get_intent(d, arena, deal, &item, err);
        if (!rc && is_charged(item) && refunded(item) == 0)
            result = payment_result(arena, item);
    } else {
        rc = booking_of(d, arena, deal, &result, err);
    }
    if (!rc)
        *ret_found = (travel_found){.happened = result != NULL, .is_final = is_final, .result = result};
    return rc;
}

static int undo(void *self, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result, ctn_err *err)
{
    static const char *const STATES[] = {"released", "released", "refunded", "cancelled"};
    bool was_there = false;
    int rc = CTN_OK;
    if (deal->kind == TRAVEL_HOLD_FLIGHT)
        rc = undo_flight(self, arena, deal, &was_there, err);
    else if (deal->kind == TRAVEL_DEPOSIT)
        rc = undo_deposit(self, arena, deal, &was_there, err);
    else if (deal->kind == TRAVEL_BOOKING)
        rc = unbook_all(self, arena, deal, &was_there, err);
    else if (duffel_text(deal->result, "hold_id").len > 0)
        rc = cancel_stay(self, arena, duffel_text(deal->result, "hold_id"), &was_there, err);
    if (!rc && deal->kind == TRAVEL_BOOKING && !was_there && !deal->result && !is_settled(self, deal))
        rc = may_still_arrive(err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "state", ctn_str_from(was_there || deal->result ? STATES[deal->kind] : "nothing"));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static void close_duffel(void *self)
{
    duffel *d = self;
    ctn_arena_free(d->arena);
    free(d);
}

int travel_duffel_open(const travel_agency *agency, const ctn_clock *clock, travel_provider *ret_provider, ctn_err *err)
{
    static const travel_provider_ops OPS = {.name = "duffel",
                                            .search_flights = duffel_search_flights,
                                            .search_hotels = duffel_search_hotels,
                                            .offers_now = duffel_offers_now,
                                            .make = make,
                                            .find = find,
                                            .undo = undo,
                                            .close = close_duffel};
    const ctn_json *section = travel_agency_section(agency, "provider");
    ctn_str url = ctn_json_str_or(section, "url", CTN_STR("https://api.duffel.com"));
    int64_t timeout_ms = ctn_json_int_or(section, "timeoutMs", 30000);
    int64_t settle_ms = ctn_json_int_or(section, "settleMs", 30000);
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_str token;
    int rc = CTN_OK;
    while (url.len > 0 && url.ptr[url.len - 1] == '/')
        url.len--;
    if (!ctn_str_starts_with(url, CTN_STR("https://")) && !ctn_str_starts_with(url, CTN_STR("http://127.0.0.1")))
        rc = travel_agency_fault(agency, ctn_json_member_of(section, "url"), err,
                                 "provider.url begins with https://: the token goes there");
    else if (timeout_ms < 100 || timeout_ms > 120000)
        rc = travel_agency_fault(agency, ctn_json_member_of(section, "timeoutMs"), err,
                                 "provider.timeoutMs is a number of milliseconds, from 100 to 120000");
    else if (settle_ms < 0 || settle_ms > 600000)
        rc = travel_agency_fault(agency, ctn_json_member_of(section, "settleMs"), err,
                                 "provider.settleMs is a number of milliseconds, up to ten minutes");
    else if (!ctn_json_member_of(section, "token"))
        rc = travel_agency_fault(agency, section, err,
                                 "provider.token is missing: as in token: {env: DUFFEL_TOKEN} or {file: duffel.token}");
    else
        rc = travel_agency_secret(agency, arena, ctn_json_member_of(section, "token"), &token, err);
    if (!rc && (token.len == 0 || ctn_str_find_control(token) != SIZE_MAX))
        rc = travel_agency_fault(agency, ctn_json_member_of(section, "token"), err,
                                 "provider.token is empty, or more than one line");
    if (rc) {
        ctn_arena_free(arena);
        return rc;
    }
    duffel *d = calloc(1, sizeof *d);
    assert(d);
    *d = (duffel){.agency = agency,
                  .clock = *clock,
                  .arena = arena,
                  .url = ctn_arena_str(arena, url),
                  .token = ctn_arena_str(arena, token),
                  .timeout_ms = timeout_ms,
                  .settle_ms = settle_ms};
    *ret_provider = (travel_provider){&OPS, d};
    return CTN_OK;
}
