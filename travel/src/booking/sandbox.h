/*
 * sandbox.h -- the provider for trying things: offers from the sandbox inventory, holds, charges and bookings in a
 * ledger of its own, which nobody outside this machine ever sees.
 *
 *     provider:
 *       kind: sandbox          # the default
 *       ledger: provider.db
 *       holdMinutes: 30        # for how long it holds
 *       faults: {hold_flight: error_after, take_deposit: "timeout_before*2"}
 *
 * It honours keys: the same key gives the same hold, charge or booking. A deposit whose `source` is "card_declined" is
 * declined.
 *
 * Faults, so that one sees what becomes of a booking when something goes wrong: at a point (search_flights,
 * search_hotels, hold_flight, hold_hotel, take_deposit, confirm_booking, release_flight, release_hotel, refund_deposit,
 * cancel_booking, booking_status), once or `*N` times in the life of the ledger; the environment variable
 * PROVIDER_FAULTS ("hold_flight=die_after,booking_status=error_before*3") goes before the file:
 *     error_before, error_after      it fails, before or after it did what was asked
 *     timeout_before, timeout_after  no answer comes, and it did nothing, or did it
 *     hang_before, hang_after        the same, but the caller of the tool is kept waiting for provider.hangMs (5000)
 *     die_before, die_after          the tool server is killed (SIGKILL) there
 *     refuse                         it says no: sold out, or the card is declined
 *     dearer                         search: everything costs a tenth more than it did
 *     lapse                          whatever is held lapses right before it
 */
#pragma once

#include "search/provider.h"

int travel_sandbox_open(const travel_agency *agency, const char *path, const ctn_clock *clock,
                        travel_provider *ret_provider, ctn_err *err);
