/*
 * sandbox.c -- see sandbox.h.
 *
 * What is asked is one transaction on the ledger, so it happened or it did not, and a look at the ledger is final.
 *
 *     hold      open -> booked | released      open and past expires_at: lapsed, nobody has to do anything
 *     payment   taken -> refunded
 *     booking   confirmed -> cancelled
 */
#include "booking/sandbox.h"

#include "booking/faults.h"
#include "kit/money.h"
#include "kit/shown.h"
#include "search/inventory.h"
#include "value/calendar.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { HOLDS_MAX = 32, LEDGER_ROWS_MAX = 10000 };
static const int64_t MINUTE_MS = 60000;

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS sandbox_holds(hold_no INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL, offer_id TEXT NOT NULL, total TEXT NOT NULL, currency TEXT NOT NULL, state TEXT NOT NULL,"
    " booking_no INTEGER, expires_at_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS sandbox_payments(payment_no INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL "
    "UNIQUE,"
    " client_id TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL, state TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS sandbox_bookings(booking_no INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL "
    "UNIQUE,"
    " payment_id TEXT NOT NULL, total TEXT NOT NULL, currency TEXT NOT NULL, state TEXT NOT NULL) "
    "STRICT;" SANDBOX_FAULTS_TABLE;

/* What a kind is at the sandbox: its points, its table, and what its undo makes of it. */
static const struct {
    const char *do_point, *undo_point, *undone;
} KINDS[] = {[TRAVEL_HOLD_FLIGHT] = {"hold_flight", "release_flight", "released"},
             [TRAVEL_HOLD_HOTEL] = {"hold_hotel", "release_hotel", "released"},
             [TRAVEL_DEPOSIT] = {"take_deposit", "refund_deposit", "refunded"},
             [TRAVEL_BOOKING] = {"confirm_booking", "cancel_booking", "cancelled"}};

typedef struct sandbox {
    const travel_agency *agency;
    ctn_clock clock;
    travel_books books;
    char *path;
    int64_t hold_ms, hang_ms;
} sandbox;

/* ---- faults ---- */

static void keep_waiting(const sandbox *s)
{
    (void) nanosleep(&(struct timespec){.tv_sec = s->hang_ms / 1000, .tv_nsec = s->hang_ms % 1000 * 1000000}, NULL);
}

static int lapse_all(sandbox *s, ctn_err *err)
{
    return travel_books_run(&s->books, "UPDATE sandbox_holds SET expires_at_ms = ?1 WHERE state = 'open'",
                            &(travel_books_values){.integers = {ctn_clock_now_ms(&s->clock)}, .integer_count = 1}, NULL,
                            err);
}

static int before(sandbox *s, const char *point, sandbox_fault *ret_fault, ctn_err *err)
{
    int rc = travel_books_open(&s->books, s->path, SCHEMA, err);
    if (!rc)
        rc = sandbox_fault_at(s->agency, &s->books, point, ret_fault, err);
    if (rc)
        return rc == CTN_E_IO ? CTN_E_BUSY : rc; /* nothing was asked yet */
    switch (*ret_fault) {
    case FAULT_ERROR_BEFORE: return ctn_fail(err, CTN_E_BUSY, "the sandbox is out of order at %s", point);
    case FAULT_HANG_BEFORE:
        keep_waiting(s);
        return ctn_fail(err, CTN_E_TIMEOUT, "the sandbox did not answer %s", point);
    case FAULT_TIMEOUT_BEFORE: return ctn_fail(err, CTN_E_TIMEOUT, "the sandbox did not answer %s", point);
    case FAULT_DIE_BEFORE: (void) raise(SIGKILL); return CTN_E_IO;
    case FAULT_LAPSE: return lapse_all(s, err);
    case FAULT_REFUSE: return ctn_fail(err, CTN_E_STATE, "the sandbox refuses %s", point);
    default: return CTN_OK;
    }
}

static int after(const sandbox *s, sandbox_fault fault, const char *point, ctn_err *err)
{
    switch (fault) {
    case FAULT_ERROR_AFTER: return ctn_fail(err, CTN_E_IO, "the sandbox broke down after %s", point);
    case FAULT_HANG_AFTER: keep_waiting(s); return ctn_fail(err, CTN_E_TIMEOUT, "the sandbox did not answer %s", point);
    case FAULT_TIMEOUT_AFTER: return ctn_fail(err, CTN_E_TIMEOUT, "the sandbox did not answer %s", point);
    case FAULT_DIE_AFTER: (void) raise(SIGKILL); return CTN_E_IO;
    default: return CTN_OK;
    }
}

/* ---- search ---- */

/* Every amount of an answer a tenth higher. */
static const ctn_json *dearer(ctn_arena *arena, const ctn_json *v)
{
    ctn_json_builder out = ctn_json_is(v, CTN_JSON_ARRAY) ? ctn_json_array(arena) : ctn_json_object(arena);
    if (!ctn_json_is(v, CTN_JSON_ARRAY) && !ctn_json_is(v, CTN_JSON_OBJECT))
        return v;
    for (size_t i = 0; ctn_json_is(v, CTN_JSON_ARRAY) && i < v->count; i++)
        ctn_json_push(&out, dearer(arena, &v->items[i]));
    for (size_t i = 0; ctn_json_is(v, CTN_JSON_OBJECT) && i < v->count; i++) {
        ctn_str key = ctn_json_text(&v->members[i].key);
        bool is_amount = ctn_str_is(key, "total") || ctn_str_is(key, "per_person") || ctn_str_is(key, "room_night");
        travel_cents cents;
        if (is_amount && travel_cents_parse(ctn_json_text(&v->members[i].value), &cents))
            ctn_json_put(&out, key,
                         ctn_json_string(arena, travel_cents_text(arena, travel_cents_divide(cents * 11, 10))));
        else
            ctn_json_put(&out, key, dearer(arena, &v->members[i].value));
    }
    return ctn_json_finish(&out);
}

static int search(sandbox *s, const char *point, ctn_arena *arena, const ctn_json *answer, const ctn_json **ret_result,
                  ctn_err *err)
{
    sandbox_fault fault = FAULT_NONE;
    bool has_faults =
        getenv("PROVIDER_FAULTS") || ctn_json_member_of(travel_agency_section(s->agency, "provider"), "faults");
    int rc = has_faults ? before(s, point, &fault, err) : CTN_OK; /* searching makes no file */
    if (!rc)
        rc = after(s, fault, point, err);
    if (rc == CTN_E_IO || rc == CTN_E_TIMEOUT)
        rc = CTN_E_BUSY; /* nothing was changed */
    if (!rc)
        *ret_result = fault == FAULT_DEARER ? dearer(arena, answer) : answer;
    return rc;
}

static int search_flights(void *self, ctn_arena *arena, const travel_trip *trip, travel_day today,
                          const ctn_json **ret_result, ctn_err *err)
{
    return search(self, "search_flights", arena, travel_flights_search(arena, trip, today), ret_result, err);
}

static int search_hotels(void *self, ctn_arena *arena, const travel_trip *trip, travel_day today,
                         const ctn_json **ret_result, ctn_err *err)
{
    return search(self, "search_hotels", arena, travel_hotels_search(arena, trip, today), ret_result, err);
}

/* The member of a list of objects whose `member` is this text; NULL: none. */
static const ctn_json *find_by(const ctn_json *list, const char *member, ctn_str text)
{
    for (size_t i = 0; i < ctn_json_count(list); i++)
        if (ctn_str_equal(ctn_json_str_or(ctn_json_at(list, i), member, CTN_STR("")), text))
            return ctn_json_at(list, i);
    return NULL;
}

static const ctn_json *find_hotel(const ctn_json *hotels, ctn_str id)
{
    const ctn_json *stays = ctn_json_member_of(hotels, "stays"), *found = NULL;
    for (size_t i = 0; !found && i < ctn_json_count(stays); i++)
        found = find_by(ctn_json_member_of(ctn_json_at(stays, i), "hotels"), "hotel_id", id);
    return found;
}

static int sold_out(const char *what, ctn_str id, ctn_err *err)
{
    return ctn_fail(err, CTN_E_STATE, "%s %.*s is sold out: search and propose again", what,
                    CTN_STR_ARG(travel_id_shown(id)));
}

/* The same search again, and what was chosen found in it. */
static int offers_now(void *self, ctn_arena *arena, const travel_trip *trip, travel_day today, const ctn_json *tier,
                      const ctn_json **ret_flight, const ctn_json **ret_hotels, ctn_err *err)
{
    const ctn_json *flights = NULL, *hotels = NULL, *stays = ctn_json_member_of(tier, "stays"), *flight = NULL;
    ctn_str offer_id = ctn_json_str_or(tier, "offer_id", CTN_STR(""));
    ctn_json_builder list = ctn_json_array(arena);
    int rc = search_flights(self, arena, trip, today, &flights, err);
    if (!rc)
        rc = search_hotels(self, arena, trip, today, &hotels, err);
    if (!rc && offer_id.len > 0) {
        flight = find_by(ctn_json_member_of(flights, "offers"), "offer_id", offer_id);
        rc = flight ? CTN_OK : sold_out("flight", offer_id, err);
    }
    for (size_t i = 0; rc == CTN_OK && i < ctn_json_count(stays); i++) {
        ctn_str id = ctn_json_str_or(ctn_json_at(stays, i), "hotel_id", CTN_STR(""));
        const ctn_json *hotel = find_hotel(hotels, id);
        if (hotel)
            ctn_json_push(&list, hotel);
        else
            rc = sold_out("hotel", id, err);
    }
    if (!rc) {
        *ret_flight = flight;
        *ret_hotels = ctn_json_finish(&list);
    }
    return rc;
}

/* ---- rows as results ---- */

static ctn_str id_text(ctn_arena *arena, const char *letter, int64_t number)
{
    return ctn_arena_printf(arena, "SBX-%s-%06lld", letter, (long long) number);
}

static bool id_number(ctn_str id, const char *letter, int64_t *ret_number)
{
    ctn_str prefix = CTN_STR("SBX-");
    size_t at = prefix.len + strlen(letter) + 1;
    return ctn_str_starts_with(id, prefix) && id.len > at && id.ptr[at - 1] == '-' &&
           memcmp(id.ptr + prefix.len, letter, strlen(letter)) == 0 &&
           ctn_str_to_int64(ctn_str_from_offset(id, at), ret_number);
}

/* Six letters that airlines' systems might give; they follow from the number. */
static ctn_str reference_text(ctn_arena *arena, int64_t number)
{
    static const char LETTERS[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    uint64_t bits = ((uint64_t) number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    char text[7] = "";
    for (int i = 0; i < 6; i++)
        text[i] = LETTERS[(bits >> (5 * i + 20)) & 31];
    return ctn_arena_str(arena, ctn_str_from(text));
}

static const ctn_json *hold_result(ctn_arena *arena, sqlite3_stmt *row)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "hold_id", id_text(arena, "H", sqlite3_column_int64(row, 0)));
    ctn_json_put_str(&out, "offer_id", travel_books_text(row, 1, arena));
    ctn_json_put_str(&out, "total", travel_books_text(row, 2, arena));
    ctn_json_put_str(&out, "currency", travel_books_text(row, 3, arena));
    ctn_json_put_str(&out, "expires_at", travel_moment_text(arena, sqlite3_column_int64(row, 4)));
    return ctn_json_finish(&out);
}

static const ctn_json *payment_result(ctn_arena *arena, sqlite3_stmt *row)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "payment_id", id_text(arena, "P", sqlite3_column_int64(row, 0)));
    ctn_json_put_str(&out, "amount", travel_books_text(row, 1, arena));
    ctn_json_put_str(&out, "currency", travel_books_text(row, 2, arena));
    return ctn_json_finish(&out);
}

static const ctn_json *booking_result(ctn_arena *arena, sqlite3_stmt *row)
{
    int64_t number = sqlite3_column_int64(row, 0);
    ctn_json_builder out = ctn_json_object(arena), references = ctn_json_array(arena);
    ctn_json_push(&references, ctn_json_string(arena, reference_text(arena, number)));
    ctn_json_put_str(&out, "booking_id", id_text(arena, "B", number));
    ctn_json_put(&out, CTN_STR("references"), ctn_json_finish(&references));
    ctn_json_put_str(&out, "total", travel_books_text(row, 1, arena));
    ctn_json_put_str(&out, "currency", travel_books_text(row, 2, arena));
    return ctn_json_finish(&out);
}

/* What stands under the key. CTN_E_NOT_FOUND: nothing, or it was taken back. */
static int look_up(sandbox *s, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result, ctn_err *err)
{
    static const char *const QUERIES[] = {
        [TRAVEL_HOLD_FLIGHT] = "SELECT hold_no, offer_id, total, currency, expires_at_ms FROM sandbox_holds"
                               " WHERE key = ?1 AND state <> 'released'",
        [TRAVEL_HOLD_HOTEL] = "SELECT hold_no, offer_id, total, currency, expires_at_ms FROM sandbox_holds"
                              " WHERE key = ?1 AND state <> 'released'",
        [TRAVEL_DEPOSIT] =
            "SELECT payment_no, amount, currency FROM sandbox_payments WHERE key = ?1 AND state = 'taken'",
        [TRAVEL_BOOKING] =
            "SELECT booking_no, total, currency FROM sandbox_bookings WHERE key = ?1 AND state = 'confirmed'"};
    sqlite3_stmt *row = NULL;
    int rc = travel_books_prepare(&s->books, QUERIES[deal->kind],
                                  &(travel_books_values){.texts = {deal->key}, .text_count = 1}, &row, err);
    if (!rc)
        rc = travel_books_step(&s->books, row, err);
    if (!rc)
        *ret_result = deal->kind == TRAVEL_DEPOSIT   ? payment_result(arena, row)
                      : deal->kind == TRAVEL_BOOKING ? booking_result(arena, row)
                                                     : hold_result(arena, row);
    sqlite3_finalize(row);
    return rc;
}

/* ---- make ---- */

static int read_amount(const ctn_json *from, const char *member, travel_cents *ret_cents, ctn_err *err)
{
    if (!travel_cents_parse(ctn_json_text(ctn_json_member_of(from, member)), ret_cents) || *ret_cents <= 0)
        return ctn_fail(err, CTN_E_INVALID, "%s must be an amount above nothing, such as \"1234.50\"", member);
    return CTN_OK;
}

static int make_hold(sandbox *s, ctn_arena *arena, const travel_deal *deal, ctn_err *err)
{
    const ctn_json *offer = ctn_json_member_of(deal->request, "offer");
    const char *id_member = deal->kind == TRAVEL_HOLD_FLIGHT ? "offer_id" : "hotel_id";
    const char *prefix = deal->kind == TRAVEL_HOLD_FLIGHT ? "SBX-F-" : "SBX-H-";
    ctn_str id = ctn_json_str_or(offer, id_member, CTN_STR(""));
    travel_cents total;
    if (!ctn_str_starts_with(id, ctn_str_from(prefix)))
        return ctn_fail(err, CTN_E_INVALID, "offer.%s must be one of the sandbox (%s...), from a search", id_member,
                        prefix);
    int rc = read_amount(offer, "total", &total, err);
    if (rc)
        return rc;
    return travel_books_run(
        &s->books,
        "INSERT INTO sandbox_holds(key, kind, offer_id, total, currency, state, expires_at_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, 'open', ?6)",
        &(travel_books_values){.texts = {deal->key, ctn_str_from(deal->kind == TRAVEL_HOLD_FLIGHT ? "flight" : "hotel"),
                                         id, travel_cents_text(arena, total),
                                         ctn_json_str_or(offer, "currency", CTN_STR("GBP"))},
                               .text_count = 5,
                               .integers = {ctn_clock_now_ms(&s->clock) + s->hold_ms},
                               .integer_count = 1},
        NULL, err);
}

static int make_payment(sandbox *s, ctn_arena *arena, const travel_deal *deal, ctn_err *err)
{
    travel_cents amount;
    int rc = read_amount(deal->request, "amount", &amount, err);
    if (!rc && ctn_str_is(ctn_json_str_or(deal->request, "source", CTN_STR("")), "card_declined"))
        rc = ctn_fail(err, CTN_E_STATE, "the card was declined");
    if (rc)
        return rc;
    return travel_books_run(
        &s->books,
        "INSERT INTO sandbox_payments(key, client_id, amount, currency, state)"
        " VALUES(?1, ?2, ?3, ?4, 'taken')",
        &(travel_books_values){.texts = {deal->key, ctn_json_str_or(deal->request, "client_id", CTN_STR("")),
                                         travel_cents_text(arena, amount),
                                         ctn_json_str_or(deal->request, "currency", CTN_STR(""))},
                               .text_count = 4},
        NULL, err);
}

/* The hold is ours to book; its total is added up. */
static int take_hold(sandbox *s, ctn_arena *arena, const ctn_json *hold, int64_t booking_no, travel_cents *total,
                     ctn_str *ret_currency, ctn_err *err)
{
    ctn_str id = ctn_json_str_or(hold, "hold_id", CTN_STR(""));
    int64_t number, now_ms = ctn_clock_now_ms(&s->clock);
    sqlite3_stmt *row = NULL;
    travel_cents cents = 0;
    int changed = 0;
    if (!id_number(id, "H", &number))
        return ctn_fail(err, CTN_E_INVALID, "holds must be what hold_flight and hold_hotel gave");
    int rc = travel_books_run(&s->books,
                              "UPDATE sandbox_holds SET state = 'booked', booking_no = ?2"
                              " WHERE hold_no = ?1 AND state = 'open' AND expires_at_ms > ?3",
                              &(travel_books_values){.integers = {number, booking_no, now_ms}, .integer_count = 3},
                              &changed, err);
    if (!rc && changed == 0)
        rc = ctn_fail(err, CTN_E_STATE, "hold %.*s has lapsed or was released", CTN_STR_ARG(id));
    if (!rc)
        rc = travel_books_prepare(&s->books, "SELECT total, currency FROM sandbox_holds WHERE hold_no = ?1",
                                  &(travel_books_values){.integers = {number}, .integer_count = 1}, &row, err);
    if (!rc)
        rc = travel_books_step(&s->books, row, err);
    if (!rc && travel_cents_parse(travel_books_text(row, 0, arena), &cents)) {
        *total += cents;
        *ret_currency = travel_books_text(row, 1, arena);
    }
    sqlite3_finalize(row);
    return rc;
}

static int payment_stands(sandbox *s, ctn_str id, ctn_err *err)
{
    int64_t number;
    sqlite3_stmt *row = NULL;
    if (!id_number(id, "P", &number))
        return ctn_fail(err, CTN_E_INVALID, "payment must be what take_deposit gave");
    int rc = travel_books_prepare(
        &s->books,
        "SELECT 1 FROM sandbox_payments WHERE payment_no = ?2 AND state = 'taken' AND NOT EXISTS"
        " (SELECT 1 FROM sandbox_bookings WHERE payment_id = ?1 AND state = 'confirmed')",
        &(travel_books_values){.texts = {id}, .text_count = 1, .integers = {number}, .integer_count = 1}, &row, err);
    if (!rc)
        rc = travel_books_step(&s->books, row, err);
    sqlite3_finalize(row);
    return rc == CTN_E_NOT_FOUND
               ? ctn_fail(err, CTN_E_STATE, "payment %.*s was given back or belongs to another booking",
                          CTN_STR_ARG(id))
               : rc;
}

static int make_booking(sandbox *s, ctn_arena *arena, const travel_deal *deal, ctn_err *err)
{
    const ctn_json *holds = ctn_json_member_of(deal->request, "holds");
    ctn_str payment = ctn_json_str_or(ctn_json_member_of(deal->request, "payment"), "payment_id", CTN_STR(""));
    ctn_str currency = CTN_STR("");
    travel_cents total = 0;
    size_t count = ctn_json_count(holds);
    if (count == 0 || count > HOLDS_MAX)
        return ctn_fail(err, CTN_E_INVALID, "holds has %zu holds: a booking is made of 1 to %d", count, HOLDS_MAX);
    int rc = payment_stands(s, payment, err);
    if (!rc)
        rc = travel_books_run(&s->books,
                              "INSERT INTO sandbox_bookings(key, payment_id, total, currency, state)"
                              " VALUES(?1, ?2, '', '', 'confirmed')",
                              &(travel_books_values){.texts = {deal->key, payment}, .text_count = 2}, NULL, err);
    int64_t booking_no = sqlite3_last_insert_rowid(s->books.db);
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = take_hold(s, arena, ctn_json_at(holds, i), booking_no, &total, &currency, err);
    if (!rc)
        rc = travel_books_run(&s->books, "UPDATE sandbox_bookings SET total = ?1, currency = ?2 WHERE booking_no = ?3",
                              &(travel_books_values){.texts = {travel_cents_text(arena, total), currency},
                                                     .text_count = 2,
                                                     .integers = {booking_no},
                                                     .integer_count = 1},
                              NULL, err);
    return rc;
}

static int make_in_transaction(sandbox *s, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result,
                               ctn_err *err)
{
    int rc = travel_books_begin(&s->books, err);
    if (rc)
        return rc;
    rc = look_up(s, arena, deal, ret_result, err);
    if (rc == CTN_E_NOT_FOUND) {
        rc = deal->kind == TRAVEL_DEPOSIT   ? make_payment(s, arena, deal, err)
             : deal->kind == TRAVEL_BOOKING ? make_booking(s, arena, deal, err)
                                            : make_hold(s, arena, deal, err);
        if (!rc)
            rc = look_up(s, arena, deal, ret_result, err);
    }
    if (!rc)
        rc = travel_books_commit(&s->books, err);
    travel_books_rollback(&s->books);
    return rc;
}

static int make(void *self, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result, ctn_err *err)
{
    sandbox_fault fault;
    int rc = before(self, KINDS[deal->kind].do_point, &fault, err);
    if (!rc)
        rc = make_in_transaction(self, arena, deal, ret_result, err);
    return rc ? rc : after(self, fault, KINDS[deal->kind].do_point, err);
}

/* ---- find ---- */

static int find(void *self, ctn_arena *arena, const travel_deal *deal, travel_found *ret_found, ctn_err *err)
{
    sandbox *s = self;
    sandbox_fault fault;
    const ctn_json *result = NULL;
    int rc = before(s, "booking_status", &fault, err);
    if (!rc)
        rc = look_up(s, arena, deal, &result, err);
    if (rc && rc != CTN_E_NOT_FOUND)
        return rc;
    *ret_found = (travel_found){.happened = result != NULL, .is_final = true, .result = result};
    return after(s, fault, "booking_status", err);
}

/* ---- undo ---- */

/* By key: the deal may have been made without our having heard of it. */
static int undo_in_transaction(sandbox *s, const travel_deal *deal, int *ret_changed, ctn_err *err)
{
    static const char *const CANCEL =
        "UPDATE sandbox_bookings SET state = 'cancelled' WHERE state = 'confirmed' AND (key = ?1 OR booking_no ="
        " (SELECT booking_no FROM sandbox_holds WHERE key = ?1))";
    static const char *const RELEASE =
        "UPDATE sandbox_holds SET state = 'released' WHERE state <> 'released' AND (key = ?1 OR booking_no IN"
        " (SELECT booking_no FROM sandbox_bookings WHERE state = 'cancelled'))";
    static const char *const REFUND =
        "UPDATE sandbox_payments SET state = 'refunded' WHERE key = ?1 AND state = 'taken'";
    travel_books_values by_key = {.texts = {deal->key}, .text_count = 1};
    int cancelled = 0, rc = travel_books_begin(&s->books, err);
    if (rc)
        return rc;
    if (deal->kind == TRAVEL_DEPOSIT)
        rc = travel_books_run(&s->books, REFUND, &by_key, ret_changed, err);
    if (!rc && deal->kind != TRAVEL_DEPOSIT)
        rc = travel_books_run(&s->books, CANCEL, &by_key, &cancelled, err);
    if (!rc && deal->kind != TRAVEL_DEPOSIT)
        rc = travel_books_run(&s->books, RELEASE, &by_key, ret_changed, err);
    if (!rc)
        rc = travel_books_commit(&s->books, err);
    travel_books_rollback(&s->books);
    *ret_changed += cancelled;
    return rc;
}

static int undo(void *self, ctn_arena *arena, const travel_deal *deal, const ctn_json **ret_result, ctn_err *err)
{
    sandbox *s = self;
    sandbox_fault fault;
    int changed = 0;
    int rc = before(s, KINDS[deal->kind].undo_point, &fault, err);
    if (!rc)
        rc = undo_in_transaction(s, deal, &changed, err);
    if (!rc)
        rc = after(s, fault, KINDS[deal->kind].undo_point, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "state", ctn_str_from(changed > 0 || deal->result ? KINDS[deal->kind].undone : "nothing"));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- ledger ---- */

typedef struct totals {
    int64_t open_holds, confirmed;
    travel_cents charged;
} totals;

/* Rows {id, key, what, amount, currency, state}. */
static int put_rows(sandbox *s, ctn_arena *arena, const char *sql, const char *letter, const char *amount_name,
                    totals *t, ctn_json_builder *out, const char *name, ctn_err *err)
{
    sqlite3_stmt *row = NULL;
    ctn_json_builder list = ctn_json_array(arena);
    int rc = travel_books_prepare(
        &s->books, sql,
        &(travel_books_values){.integers = {ctn_clock_now_ms(&s->clock), LEDGER_ROWS_MAX}, .integer_count = 2}, &row,
        err);
    while (!rc && (rc = travel_books_step(&s->books, row, err)) == CTN_OK) {
        ctn_json_builder item = ctn_json_object(arena);
        ctn_str amount = travel_books_text(row, 3, arena), state = travel_books_text(row, 5, arena);
        travel_cents cents = 0;
        ctn_json_put_str(&item, "id", id_text(arena, letter, sqlite3_column_int64(row, 0)));
        ctn_json_put_str(&item, "key", travel_books_text(row, 1, arena));
        ctn_json_put_str(&item, "what", travel_books_text(row, 2, arena));
        ctn_json_put_str(&item, amount_name, amount);
        ctn_json_put_str(&item, "currency", travel_books_text(row, 4, arena));
        ctn_json_put_str(&item, "state", state);
        ctn_json_push(&list, ctn_json_finish(&item));
        t->open_holds += ctn_str_is(state, "open");
        t->confirmed += ctn_str_is(state, "confirmed");
        if (ctn_str_is(state, "taken") && travel_cents_parse(amount, &cents))
            t->charged += cents;
    }
    sqlite3_finalize(row);
    ctn_json_put(out, ctn_str_from(name), ctn_json_finish(&list));
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

static int ledger(void *self, ctn_arena *arena, const ctn_json **ret_result, ctn_err *err)
{
    sandbox *s = self;
    totals t = {0};
    ctn_json_builder out = ctn_json_object(arena);
    int rc = travel_books_open(&s->books, s->path, SCHEMA, err);
    if (!rc)
        rc = put_rows(s, arena,
                      "SELECT hold_no, key, kind || ' ' || offer_id, total, currency,"
                      " CASE WHEN state = 'open' AND expires_at_ms <= ?1 THEN 'lapsed' ELSE state END"
                      " FROM sandbox_holds ORDER BY hold_no DESC LIMIT ?2",
                      "H", "total", &t, &out, "holds", err);
    if (!rc)
        rc = put_rows(s, arena,
                      "SELECT payment_no, key, client_id, amount, currency, state FROM sandbox_payments WHERE ?1 > 0"
                      " ORDER BY payment_no DESC LIMIT ?2",
                      "P", "amount", &t, &out, "payments", err);
    if (!rc)
        rc = put_rows(s, arena,
                      "SELECT booking_no, key, payment_id, total, currency, state FROM sandbox_bookings WHERE ?1 > 0"
                      " ORDER BY booking_no DESC LIMIT ?2",
                      "B", "total", &t, &out, "bookings", err);
    ctn_json_put_int(&out, "open_holds", t.open_holds);
    ctn_json_put_str(&out, "charged", travel_cents_text(arena, t.charged));
    ctn_json_put_int(&out, "confirmed", t.confirmed);
    if (!rc)
        *ret_result = ctn_json_finish(&out);
    return rc;
}

/* ---- open ---- */

static void close_sandbox(void *self)
{
    sandbox *s = self;
    travel_books_close(&s->books);
    free(s->path);
    free(s);
}

int travel_sandbox_open(const travel_agency *agency, const char *path, const ctn_clock *clock,
                        travel_provider *ret_provider, ctn_err *err)
{
    static const travel_provider_ops OPS = {.name = "sandbox",
                                            .search_flights = search_flights,
                                            .search_hotels = search_hotels,
                                            .offers_now = offers_now,
                                            .make = make,
                                            .find = find,
                                            .undo = undo,
                                            .ledger = ledger,
                                            .close = close_sandbox};
    const ctn_json *section = travel_agency_section(agency, "provider");
    int64_t minutes = ctn_json_int_or(section, "holdMinutes", 30), hang_ms = ctn_json_int_or(section, "hangMs", 5000);
    if (minutes < 1 || minutes > 7 * 24 * 60)
        return travel_agency_fault(agency, ctn_json_member_of(section, "holdMinutes"), err,
                                   "provider.holdMinutes is a number of minutes, from 1 to a week");
    if (hang_ms < 0 || hang_ms > 10 * MINUTE_MS)
        return travel_agency_fault(agency, ctn_json_member_of(section, "hangMs"), err,
                                   "provider.hangMs is a number of milliseconds, up to ten minutes");
    int rc = sandbox_faults_check(agency, err);
    if (rc)
        return rc;
    sandbox *s = calloc(1, sizeof *s);
    assert(s);
    s->agency = agency;
    s->clock = *clock;
    s->path = strdup(path);
    assert(s->path);
    s->hold_ms = minutes * MINUTE_MS;
    s->hang_ms = hang_ms;
    *ret_provider = (travel_provider){&OPS, s};
    return CTN_OK;
}
