/*
 * provider.h -- who has flights and hotels: one seam for searching, holding, paying, confirming and taking back.
 *
 * What is asked of a provider beyond searching is a *deal*. There are four kinds, each with its undo:
 *
 *     hold_flight, hold_hotel   something is kept for us for a while         undo: released
 *     deposit                   the client's card is charged                 undo: refunded
 *     booking                   what is held becomes a booking               undo: cancelled
 *
 * A deal has a key. The caller (booking/deals.h) writes a deal down before it asks for it, and the answer after; a
 * provider is asked with these promises:
 *   1. `make` does the deal once. CTN_E_IO and CTN_E_TIMEOUT say that nobody knows whether it was done; every other
 *      code says that it was not, and never will be by this call.
 *   2. `find` looks at what the provider has under the deal's key, and changes nothing.
 *   3. `undo` leaves nothing of the deal, whatever became of it: held, paid, confirmed, expired, undone before, never
 *      made. Undoing a hold takes back the booking that was made of it. It may be repeated for ever.
 *
 * agency.yaml says who it is:
 *
 *     provider:
 *       kind: sandbox        # or duffel; the rest by kind in booking/sandbox.h, duffel/duffel.h
 *       ledger: provider.db  # what was asked and answered, and the sandbox's own books; relative to agency.yaml
 *
 * Errors  CTN_E_STATE: refused for good (sold out, expired, declined, another price); CTN_E_BUSY, CTN_E_TOO_MANY:
 *         nothing happened, try again; CTN_E_DENIED: our token; CTN_E_INVALID: what was asked makes no sense.
 */
#pragma once

#include "agency.h"
#include "base/clock.h"
#include "trip/trip.h"

typedef enum travel_deal_kind {
    TRAVEL_HOLD_FLIGHT,
    TRAVEL_HOLD_HOTEL,
    TRAVEL_DEPOSIT,
    TRAVEL_BOOKING,
} travel_deal_kind;

/* Requests and results, as JSON objects:
 *     holds    {offer: {offer_id | hotel_id, total, currency, expires_at?}, client, passengers?}
 *              -> {hold_id, expires_at, total, currency}
 *     deposit  {client_id, amount, currency, source?} -> {payment_id, amount, currency}
 *     booking  {holds: [{hold_id, ..}], payment: {payment_id, ..}} -> {booking_id, references: [..], total, currency}
 */
typedef struct travel_deal {
    travel_deal_kind kind;
    ctn_str key;
    const ctn_json *request;
    const ctn_json *result; /* NULL: no answer was written down */
    int64_t begun_at_ms;
} travel_deal;

typedef struct travel_found {
    bool happened;
    bool is_final;          /* when it did not happen: it cannot happen any more either */
    const ctn_json *result; /* of make, when it happened */
} travel_found;

typedef struct travel_provider_ops {
    const char *name;
    /* As in search/inventory.h. Searching changes nothing: CTN_E_BUSY is all that a provider who is away may say. */
    int (*search_flights)(void *provider, ctn_arena *arena, const travel_trip *trip, travel_day today,
                          const ctn_json **ret_result, ctn_err *err);
    int (*search_hotels)(void *provider, ctn_arena *arena, const travel_trip *trip, travel_day today,
                         const ctn_json **ret_result, ctn_err *err);
    /* What was chosen from an earlier search, as it is offered now: `tier` has offer_id (or none, for no flight) and
     * stays with a hotel_id each. CTN_E_STATE: sold out. ret_flight: NULL for no flight; ret_hotels: a list in the
     * stays' order. */
    int (*offers_now)(void *provider, ctn_arena *arena, const travel_trip *trip, travel_day today, const ctn_json *tier,
                      const ctn_json **ret_flight, const ctn_json **ret_hotels, ctn_err *err);
    int (*make)(void *provider, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result, ctn_err *err);
    int (*find)(void *provider, ctn_arena *arena, const travel_deal *deal, travel_found *ret_found, ctn_err *err);
    /* ret_result: what is told of it, {state: "released" | "refunded" | "cancelled" | "nothing", ...}. */
    int (*undo)(void *provider, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result, ctn_err *err);
    /* {holds, payments, bookings, open_holds, charged}: its own books. NULL: they cannot be asked for. */
    int (*ledger)(void *provider, ctn_arena *arena, const ctn_json **ret_result, ctn_err *err);
    void (*close)(void *provider);
} travel_provider_ops;

typedef struct travel_provider {
    const travel_provider_ops *ops;
    void *self;
} travel_provider;
