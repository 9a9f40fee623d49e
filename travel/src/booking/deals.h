/*
 * deals.h -- what was asked of the provider: written down before it is asked, and again with the answer.
 *
 *     begun --answered--> done --undo--> undone          refused: the provider said no; the key may ask again
 *
 * So a deal is made once whatever dies in between. Its key gives the same answer for ever; with another request it is
 * CTN_E_EXISTS. A key that was left at `begun` (we died, or the provider did not answer) is looked up at the provider
 * before anything is asked again. A key that was undone, even one that was never seen before, is never made any more:
 * a request that arrives after its undo does nothing.
 *
 * The notebook is the file `provider.ledger` (provider.db beside agency.yaml). It holds keys, offers, amounts and
 * answers, and nobody's name: of a client it knows the id.
 *
 * Errors  CTN_E_TIMEOUT: nobody knows whether it was done; ask `status`, or undo it by its key. The others as in
 *         search/provider.h, and of the file: CTN_E_BUSY (nothing happened), CTN_E_IO.
 */
#pragma once

#include "search/provider.h"

typedef struct travel_deals travel_deals;

/* Reads the section `provider` and touches no file yet. CTN_E_INVALID: it says what it may not, with its place. */
int travel_deals_open(const travel_agency *agency, const ctn_clock *clock, travel_deals **ret_deals, ctn_err *err);
void travel_deals_close(travel_deals *deals); /* NULL is fine */
const travel_provider *travel_deals_provider(const travel_deals *deals);

typedef struct travel_deal_order {
    travel_deal_kind kind;
    ctn_str key;       /* not empty, at most 200 bytes */
    ctn_str execution; /* whose it is; empty: nobody's */
    ctn_str reference; /* the caller's own name for a booking; empty: none */
    const ctn_json *request;
} travel_deal_order;

/* An offer or a hold that has lapsed, or is about to (2 minutes before a deposit or a booking), is refused here. */
int travel_deals_make(travel_deals *deals, ctn_arena *arena, const travel_deal_order *order,
                      const ctn_json **ret_result, ctn_err *err);
/* {happened, result?, final?} by key; or by reference: whether a booking of that name stands. */
int travel_deals_status(travel_deals *deals, ctn_arena *arena, ctn_str key, ctn_str reference,
                        const ctn_json **ret_result, ctn_err *err);
/* By `id` (hold_id, payment_id, booking_id) or, where that is empty, by key. A key that nobody has seen is remembered
 * as undone. CTN_E_NOT_FOUND: there is no deal with this id. */
int travel_deals_undo(travel_deals *deals, ctn_arena *arena, travel_deal_kind kind, ctn_str id, ctn_str key,
                      const ctn_json **ret_result, ctn_err *err);
/* {provider, deals: [{kind, key, execution, id, state, total?, currency?, expires_at?}], books?}: the notebook, latest
 * first, at most 10,000; and what the provider itself has in its books, where it can be asked. */
int travel_deals_ledger(travel_deals *deals, ctn_arena *arena, const ctn_json **ret_result, ctn_err *err);
