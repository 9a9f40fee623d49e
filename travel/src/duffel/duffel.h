/*
 * duffel.h -- Duffel (https://duffel.com/docs/api) as the provider: flights, stays and card payments of its public API.
 *
 *     provider:
 *       kind: duffel
 *       token: {env: DUFFEL_TOKEN}       # or {file: duffel.token}; a token that begins with duffel_test_ books nothing
 *       ledger: provider.db
 *       url: https://api.duffel.com      # default
 *       timeoutMs: 30000                 # for each request
 *       settleMs: 30000                  # after which a request that was given up cannot arrive any more
 *
 * What a deal is there:
 *     hold_flight   an order of type `hold`; expires_at is when it must be paid, or until when its price is promised
 *     hold_hotel    a quote for a rate. Duffel holds no rooms: the quote fixes the price, and can still be gone
 *     deposit       `source` is a payment intent (pit_...) that the client has given his card for; it is confirmed here
 *     booking       the stays are booked of their quotes, then the order is paid from the agency's balance
 *     undone        orders are cancelled (refunded as their fare allows), stays cancelled, deposits refunded in whole
 *
 * Duffel has no idempotency keys. Orders and bookings carry ours in their metadata (catena_key), so that what was made
 * while its answer was lost is found by listing them (at most 2,000); a payment intent is asked itself. That
 * something is not there is final once the request can no longer arrive: timeoutMs and settleMs after it was begun.
 *
 * 429 is waited for, as Retry-After or ratelimit-reset say, up to 10 s a call; then it is CTN_E_BUSY. The token is sent
 * in a header and is in no sentence, answer or file.
 */
#pragma once

#include "search/provider.h"

int travel_duffel_open(const travel_agency *agency, const ctn_clock *clock, travel_provider *ret_provider,
                       ctn_err *err);
