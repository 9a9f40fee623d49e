/*
 * duffel_internal.h -- what the adapter's files share: one client, one way to ask, and reading what Duffel says.
 */
#pragma once

#include "duffel/duffel.h"
#include "kit/money.h"

typedef struct duffel {
    const travel_agency *agency;
    ctn_clock clock;
    ctn_arena *arena; /* of the client's own texts */
    ctn_str url, token;
    int64_t timeout_ms, settle_ms;
} duffel;

/* `data`: the member of this name of the body, NULL for none. ret_data: likewise of the answer (a list for lists);
 * ret_after (may be NULL): the cursor of the next page, empty at the end.
 *
 * CTN_E_BUSY: nothing happened; CTN_E_IO: nobody knows; CTN_E_NOT_FOUND: 404; CTN_E_DENIED: 401, 403; CTN_E_STATE: any
 * other refusal, in Duffel's words. Of a GET everything that may pass is CTN_E_BUSY. */
int duffel_ask(duffel *d, ctn_arena *arena, const char *method, ctn_str path, const ctn_json *data,
               const ctn_json **ret_data, ctn_str *ret_after, ctn_err *err);
/* An id of Duffel's (letters, digits, underscores) that may stand in a path. */
int duffel_check_id(ctn_str id, const char *prefix, const char *what, ctn_err *err);
ctn_str duffel_text(const ctn_json *v, const char *member); /* empty for null and what is not there */
/* Amounts are compared as cents. */
bool duffel_is_dearer(ctn_str now, ctn_str before);
/* The first item whose metadata[name] is this text, or whose `member` of the test is wanted: NULL. */
typedef bool duffel_wanted_fn(const ctn_json *item, ctn_str text);
/* Walks the pages of a list. CTN_E_BUSY: it is longer than we look. ret_item: NULL when nothing fits. */
int duffel_find_in(duffel *d, ctn_arena *arena, const char *path, duffel_wanted_fn *is_wanted, ctn_str text,
                   const ctn_json **ret_item, ctn_err *err);

int duffel_search_flights(void *self, ctn_arena *arena, const travel_trip *trip, travel_day today,
                          const ctn_json **ret_result, ctn_err *err);
int duffel_search_hotels(void *self, ctn_arena *arena, const travel_trip *trip, travel_day today,
                         const ctn_json **ret_result, ctn_err *err);
int duffel_offers_now(void *self, ctn_arena *arena, const travel_trip *trip, travel_day today, const ctn_json *tier,
                      const ctn_json **ret_flight, const ctn_json **ret_hotels, ctn_err *err);
/* {hotel_id, quote, total, currency} of a quote made of the rate. */
int duffel_quote(duffel *d, ctn_arena *arena, ctn_str rate_id, const ctn_json **ret_quote, ctn_err *err);
