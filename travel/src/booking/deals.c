/*
 * deals.c -- see deals.h.
 *
 * One row a key. `begun` is committed before the provider is asked and the answer after it, so a row says at any time
 * what may have happened outside:
 *     no row            nothing was asked (a server answers one call after the other, so nothing is on its way either)
 *     begun             it may have been asked; find() knows
 *     done              it was done, and this is the answer
 *     refused           it was not done
 *     undone            nothing is left of it, and nothing will come of it
 * The answer is only written over `begun`: an undo that came in between wins, and what was made is taken back at once.
 */
#include "booking/deals.h"

#include "base/hash.h"
#include "booking/books.h"
#include "booking/sandbox.h"
#include "duffel/duffel.h"
#include "kit/money.h"
#include "kit/shown.h"
#include "value/calendar.h"

#include <assert.h>
#include <stdlib.h>

enum { KEY_BYTES_MAX = 200, LEDGER_ROWS_MAX = 10000 };
static const int64_t LAPSE_MARGIN_MS = 120000;

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS deals(deal_no INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL, execution TEXT, reference TEXT, digest TEXT, request TEXT, state TEXT NOT NULL, id TEXT,"
    " result TEXT, undo_result TEXT, begun_at_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX IF NOT EXISTS deals_by_id ON deals(id) WHERE id IS NOT NULL;"
    "CREATE INDEX IF NOT EXISTS deals_by_reference ON deals(reference) WHERE reference IS NOT NULL;";

static const struct {
    const char *name, *id_member;
} KINDS[] = {[TRAVEL_HOLD_FLIGHT] = {"hold_flight", "hold_id"},
             [TRAVEL_HOLD_HOTEL] = {"hold_hotel", "hold_id"},
             [TRAVEL_DEPOSIT] = {"deposit", "payment_id"},
             [TRAVEL_BOOKING] = {"booking", "booking_id"}};

struct travel_deals {
    const travel_agency *agency;
    ctn_clock clock;
    travel_provider provider;
    travel_books books;
    char *path;
};

/* ---- open ---- */

static const ctn_str SETTINGS[] = {{"kind", 4},  {"ledger", 6}, {"holdMinutes", 11}, {"hangMs", 6},  {"faults", 6},
                                   {"token", 5}, {"url", 3},    {"timeoutMs", 9},    {"settleMs", 8}};
enum { SETTING_COUNT = sizeof SETTINGS / sizeof *SETTINGS };

static int check_names(const travel_agency *agency, const ctn_json *section, ctn_err *err)
{
    for (size_t i = 0; i < ctn_json_count(section); i++) {
        const ctn_json *key = &section->members[i].key;
        bool is_known = false;
        for (size_t k = 0; k < SETTING_COUNT; k++)
            is_known = is_known || ctn_str_equal(ctn_json_text(key), SETTINGS[k]);
        ctn_str nearest = ctn_str_nearest(ctn_json_text(key), SETTINGS, SETTING_COUNT);
        if (!is_known)
            return travel_agency_fault(agency, key, err, "provider has no setting \"%.*s\"%s%.*s%s",
                                       CTN_STR_ARG(ctn_json_text(key)), nearest.len ? "; did you mean " : "",
                                       CTN_STR_ARG(nearest), nearest.len ? "?" : "");
    }
    return CTN_OK;
}

static int open_provider(travel_deals *deals, ctn_str kind, const ctn_json *section, ctn_err *err)
{
    if (ctn_str_is(kind, "sandbox"))
        return travel_sandbox_open(deals->agency, deals->path, &deals->clock, &deals->provider, err);
    if (ctn_str_is(kind, "duffel"))
        return travel_duffel_open(deals->agency, &deals->clock, &deals->provider, err);
    return travel_agency_fault(deals->agency, ctn_json_member_of(section, "kind"), err,
                               "provider.kind is sandbox or duffel, not \"%.*s\"",
                               (int) (kind.len > 40 ? 40 : kind.len), kind.ptr);
}

int travel_deals_open(const travel_agency *agency, const ctn_clock *clock, travel_deals **ret_deals, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(1024);
    const ctn_json *section = travel_agency_section(agency, "provider");
    ctn_str kind = ctn_json_str_or(section, "kind", CTN_STR("sandbox"));
    ctn_str ledger = ctn_json_str_or(section, "ledger", CTN_STR("provider.db"));
    travel_deals *deals = calloc(1, sizeof *deals);
    assert(deals);
    deals->agency = agency;
    deals->clock = *clock;
    deals->path = strdup(travel_agency_path(agency, arena, ledger).ptr);
    assert(deals->path);
    int rc = check_names(agency, section, err);
    if (!rc)
        rc = open_provider(deals, kind, section, err);
    ctn_arena_free(arena);
    if (rc) {
        travel_deals_close(deals);
        return rc;
    }
    *ret_deals = deals;
    return CTN_OK;
}

void travel_deals_close(travel_deals *deals)
{
    if (!deals)
        return;
    if (deals->provider.ops)
        deals->provider.ops->close(deals->provider.self);
    travel_books_close(&deals->books);
    free(deals->path);
    free(deals);
}

const travel_provider *travel_deals_provider(const travel_deals *deals)
{
    return &deals->provider;
}

static int open_books(travel_deals *deals, ctn_err *err)
{
    return travel_books_open(&deals->books, deals->path, SCHEMA, err);
}

/* ---- rows ---- */

typedef struct row {
    travel_deal deal;
    ctn_str state, digest, id, execution;
    const ctn_json *undo_result;
} row;

static const ctn_json *json_of(ctn_arena *arena, ctn_str text)
{
    const ctn_json *value = NULL;
    return text.len > 0 && ctn_json_parse(arena, text, NULL, &value, NULL) == CTN_OK ? value : NULL;
}

static travel_deal_kind kind_of(ctn_str name)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (ctn_str_is(name, KINDS[i].name))
            return (travel_deal_kind) i;
    return TRAVEL_BOOKING;
}

#define COLUMNS "kind, key, execution, digest, request, state, id, result, undo_result, begun_at_ms"

static void read_row(sqlite3_stmt *at, ctn_arena *arena, row *ret_row)
{
    *ret_row = (row){
        .deal = {.kind = kind_of(travel_books_text(at, 0, arena)),
                 .key = travel_books_text(at, 1, arena),
                 .request = json_of(arena, travel_books_text(at, 4, arena)),
                 .result = json_of(arena, travel_books_text(at, 7, arena)),
                 .begun_at_ms = sqlite3_column_int64(at, 9)},
        .execution = travel_books_text(at, 2, arena),
        .digest = travel_books_text(at, 3, arena),
        .state = travel_books_text(at, 5, arena),
        .id = travel_books_text(at, 6, arena),
        .undo_result = json_of(arena, travel_books_text(at, 8, arena)),
    };
}

/* CTN_E_NOT_FOUND without a sentence: none. */
static int find_row(travel_deals *deals, ctn_arena *arena, const char *sql, ctn_str by, ctn_str kind, row *ret_row,
                    ctn_err *err)
{
    sqlite3_stmt *at = NULL;
    travel_books_values values = {.texts = {by, kind}, .text_count = kind.len ? 2 : 1};
    int rc = travel_books_prepare(&deals->books, sql, &values, &at, err);
    if (!rc)
        rc = travel_books_step(&deals->books, at, err);
    if (!rc)
        read_row(at, arena, ret_row);
    sqlite3_finalize(at);
    return rc;
}

static int find_key(travel_deals *deals, ctn_arena *arena, ctn_str key, row *ret_row, ctn_err *err)
{
    return find_row(deals, arena, "SELECT " COLUMNS " FROM deals WHERE key = ?1", key, CTN_STR(""), ret_row, err);
}

/* ---- what stands in an order ---- */

/* The notebook keeps no names: what the provider alone needs of people is left out. */
static const ctn_json *without_people(ctn_arena *arena, const ctn_json *request)
{
    ctn_json_builder out = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(request); i++) {
        ctn_str key = ctn_json_text(&request->members[i].key);
        if (!ctn_str_is(key, "client") && !ctn_str_is(key, "passengers"))
            ctn_json_put(&out, key, &request->members[i].value);
    }
    return ctn_json_finish(&out);
}

static ctn_str digest_of(ctn_arena *arena, const ctn_json *request)
{
    ctn_buf out;
    ctn_buf_init(&out, (size_t) 16 << 20);
    ctn_json_write_canonical(&out, request);
    ctn_digest_text text = ctn_digest_to_text(ctn_hash(ctn_buf_str(&out)));
    ctn_buf_done(&out);
    return ctn_arena_str(arena, ctn_str_from(text.text));
}

static int refuse_if_lapsed(travel_deals *deals, const ctn_json *what, const char *id_member, int64_t margin_ms,
                            ctn_err *err)
{
    const ctn_json *expires = ctn_json_member_of(what, "expires_at");
    ctn_time at;
    if (ctn_json_text(expires).len == 0)
        return CTN_OK;
    if (!ctn_time_of(expires, &at))
        return ctn_fail(err, CTN_E_INVALID, "expires_at must be a time such as 2026-11-22T10:00:00Z");
    if (at.at_ms - margin_ms > ctn_clock_now_ms(&deals->clock))
        return CTN_OK;
    ctn_str id = ctn_json_str_or(what, id_member, CTN_STR(""));
    return ctn_fail(err, CTN_E_STATE, "%.*s lapses at %.*s, which is too late now: search and hold again",
                    (int) (id.len > 80 ? 80 : id.len), id.len ? id.ptr : "", CTN_STR_ARG(ctn_json_text(expires)));
}

static int refuse_lapsed(travel_deals *deals, const travel_deal_order *order, ctn_err *err)
{
    if (order->kind == TRAVEL_HOLD_FLIGHT || order->kind == TRAVEL_HOLD_HOTEL)
        return refuse_if_lapsed(deals, ctn_json_member_of(order->request, "offer"),
                                order->kind == TRAVEL_HOLD_FLIGHT ? "offer_id" : "hotel_id", 0, err);
    const ctn_json *holds = ctn_json_member_of(order->request, "holds");
    for (size_t i = 0; i < ctn_json_count(holds); i++) {
        int rc = refuse_if_lapsed(deals, ctn_json_at(holds, i), "hold_id", LAPSE_MARGIN_MS, err);
        if (rc)
            return rc;
    }
    return CTN_OK;
}

static int check_key(ctn_str key, ctn_err *err)
{
    if (key.len == 0)
        return ctn_fail(err, CTN_E_INVALID, "key is missing: without one nobody could tell later whether it was done");
    return key.len <= KEY_BYTES_MAX
               ? CTN_OK
               : ctn_fail(err, CTN_E_LIMIT, "key has %zu bytes, at most %d", key.len, KEY_BYTES_MAX);
}

/* ---- make ---- */

static int insert_begun(travel_deals *deals, ctn_arena *arena, const travel_deal_order *order, const travel_deal *deal,
                        ctn_str digest, ctn_err *err)
{
    travel_books_values values = {.texts = {ctn_str_from(KINDS[order->kind].name), order->key,
                                            order->execution.ptr ? order->execution : CTN_STR(""),
                                            order->reference.ptr ? order->reference : CTN_STR(""), digest,
                                            ctn_json_to_str(arena, deal->request)},
                                  .text_count = 6,
                                  .integers = {deal->begun_at_ms},
                                  .integer_count = 1};
    return travel_books_run(&deals->books,
                            "INSERT INTO deals(kind, key, execution, reference, digest, request, state, begun_at_ms)"
                            " VALUES(?1, ?2, nullif(?3, ''), nullif(?4, ''), ?5, ?6, 'begun', ?7)",
                            &values, NULL, err);
}

static int begin_again(travel_deals *deals, const travel_deal *deal, ctn_err *err)
{
    travel_books_values values = {
        .texts = {deal->key}, .text_count = 1, .integers = {deal->begun_at_ms}, .integer_count = 1};
    return travel_books_run(&deals->books, "UPDATE deals SET state = 'begun', begun_at_ms = ?2 WHERE key = ?1", &values,
                            NULL, err);
}

/* Commits `begun`. *ret_result is not NULL when the answer is known already. *ret_was_begun: it may have been asked, at
 * the time that then stands in the deal. */
static int begin_deal(travel_deals *deals, ctn_arena *arena, const travel_deal_order *order, travel_deal *deal,
                      bool *ret_was_begun, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str digest = digest_of(arena, order->request);
    row found;
    *ret_was_begun = false;
    int rc = travel_books_begin(&deals->books, err);
    if (rc)
        return rc;
    rc = find_key(deals, arena, order->key, &found, err);
    if (rc == CTN_E_NOT_FOUND) {
        rc = insert_begun(deals, arena, order, deal, digest, err);
    } else if (rc == CTN_OK && ctn_str_is(found.state, "undone")) {
        rc = ctn_fail(err, CTN_E_STATE, "this key was taken back before: what is wanted anew needs a new key");
    } else if (rc == CTN_OK && (found.deal.kind != order->kind || !ctn_str_equal(found.digest, digest))) {
        rc = ctn_fail(err, CTN_E_EXISTS, "this key was used for something else: %s", KINDS[found.deal.kind].name);
    } else if (rc == CTN_OK && ctn_str_is(found.state, "done")) {
        *ret_result = found.deal.result;
    } else if (rc == CTN_OK && ctn_str_is(found.state, "begun")) {
        *ret_was_begun = true;
        deal->begun_at_ms = found.deal.begun_at_ms;
    } else if (rc == CTN_OK) {
        rc = begin_again(deals, deal, err);
    }
    if (!rc)
        rc = travel_books_commit(&deals->books, err);
    travel_books_rollback(&deals->books);
    return rc;
}

/* Over `begun` only. */
static int end_deal(travel_deals *deals, const travel_deal *deal, const char *state, ctn_str id, ctn_str result,
                    int *ret_changed, ctn_err *err)
{
    return travel_books_run(
        &deals->books, "UPDATE deals SET state = ?2, id = ?3, result = ?4 WHERE key = ?1 AND state = 'begun'",
        &(travel_books_values){.texts = {deal->key, ctn_str_from(state), id, result}, .text_count = 4}, ret_changed,
        err);
}

static int write_answer(travel_deals *deals, ctn_arena *arena, travel_deal *deal, const ctn_json *result, ctn_err *err)
{
    int changed = 0;
    ctn_str id = ctn_json_str_or(result, KINDS[deal->kind].id_member, CTN_STR(""));
    int rc = end_deal(deals, deal, "done", id, ctn_json_to_str(arena, result), &changed, err);
    if (rc) /* it is done, and `begun` stands in the notebook: whoever asks finds it */
        return ctn_wrap(err, CTN_E_TIMEOUT, "done, but its answer could not be written down");
    if (changed == 1)
        return CTN_OK;
    row now;
    rc = find_key(deals, arena, deal->key, &now, err);
    if (rc == CTN_OK && ctn_str_is(now.state, "done"))
        return CTN_OK;
    const ctn_json *undone;
    deal->result = result;
    rc = deals->provider.ops->undo(deals->provider.self, arena, deal, &undone, err);
    return rc ? ctn_wrap(err, CTN_E_TIMEOUT, "it was taken back while it was made, and could not be undone")
              : ctn_fail(err, CTN_E_STATE, "it was taken back while it was made");
}

/* Nobody knows whether it was done: ask. */
static int look(travel_deals *deals, ctn_arena *arena, travel_deal *deal, travel_found *ret_found, ctn_err *err)
{
    int rc = deals->provider.ops->find(deals->provider.self, arena, deal, ret_found, err);
    return rc ? ctn_wrap(err, CTN_E_TIMEOUT, "nobody knows whether it was done") : CTN_OK;
}

/* It was left at `begun`: what came of it? *ret_result stays NULL when nothing did and nothing will, so that it may be
 * asked anew. */
static int look_back(travel_deals *deals, ctn_arena *arena, travel_deal *deal, const ctn_json **ret_result,
                     ctn_err *err)
{
    travel_found found;
    int rc = look(deals, arena, deal, &found, err);
    if (rc)
        return rc;
    if (found.happened) {
        rc = write_answer(deals, arena, deal, found.result, err);
        *ret_result = rc ? NULL : found.result;
        return rc;
    }
    if (!found.is_final)
        return ctn_fail(err, CTN_E_TIMEOUT, "an earlier request with this key may still arrive");
    deal->begun_at_ms = ctn_clock_now_ms(&deals->clock);
    return begin_again(deals, deal, err);
}

static int ask(travel_deals *deals, ctn_arena *arena, const travel_deal_order *order, travel_deal *deal,
               const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *result = NULL;
    int rc = refuse_lapsed(deals, order, err);
    if (!rc)
        rc = deals->provider.ops->make(deals->provider.self, arena, deal, &result, err);
    if (rc == CTN_E_IO || rc == CTN_E_TIMEOUT) {
        travel_found found; /* its own sentence is the one to tell */
        if (look(deals, arena, deal, &found, NULL) || (!found.happened && !found.is_final))
            return ctn_wrap(err, CTN_E_TIMEOUT, "nobody knows whether it was done");
        rc = found.happened ? CTN_OK : CTN_E_BUSY;
        result = found.result;
    }
    if (rc) {
        /* if that cannot be written the deal stays `begun`, and is looked up at the provider before it is asked again
         */
        (void) end_deal(deals, deal, "refused", (ctn_str){0}, (ctn_str){0}, NULL, NULL);
        return rc;
    }
    rc = write_answer(deals, arena, deal, result, err);
    if (!rc)
        *ret_result = result;
    return rc;
}

int travel_deals_make(travel_deals *deals, ctn_arena *arena, const travel_deal_order *order,
                      const ctn_json **ret_result, ctn_err *err)
{
    bool was_begun;
    const ctn_json *result = NULL;
    int rc = check_key(order->key, err);
    if (!rc)
        rc = open_books(deals, err);
    if (rc)
        return rc;
    travel_deal deal = {.kind = order->kind,
                        .key = order->key,
                        .request = without_people(arena, order->request),
                        .begun_at_ms = ctn_clock_now_ms(&deals->clock)};
    rc = begin_deal(deals, arena, order, &deal, &was_begun, &result, err);
    deal.request = order->request;
    if (!rc && was_begun)
        rc = look_back(deals, arena, &deal, &result, err);
    if (!rc && !result)
        rc = ask(deals, arena, order, &deal, &result, err);
    if (!rc)
        *ret_result = result;
    return rc;
}

/* ---- status ---- */

static int status_of(travel_deals *deals, ctn_arena *arena, row *r, travel_found *ret_found, ctn_err *err)
{
    if (ctn_str_is(r->state, "done")) {
        *ret_found = (travel_found){.happened = true, .result = r->deal.result};
        return CTN_OK;
    }
    *ret_found = (travel_found){.is_final = true};
    if (!ctn_str_is(r->state, "begun"))
        return CTN_OK;
    int rc = look(deals, arena, &r->deal, ret_found, err);
    if (rc == CTN_OK && ret_found->happened)
        rc = write_answer(deals, arena, &r->deal, ret_found->result, err);
    return rc;
}

/* The latest booking of this name, as the provider has it: it may have been cancelled with one of its holds. */
static int status_by_reference(travel_deals *deals, ctn_arena *arena, ctn_str reference, travel_found *ret_found,
                               ctn_err *err)
{
    row r;
    int rc = find_row(deals, arena,
                      "SELECT " COLUMNS " FROM deals WHERE reference = ?1 AND kind = ?2 AND state IN ('begun', 'done')"
                      " ORDER BY deal_no DESC",
                      reference, CTN_STR("booking"), &r, err);
    return rc ? rc : look(deals, arena, &r.deal, ret_found, err);
}

int travel_deals_status(travel_deals *deals, ctn_arena *arena, ctn_str key, ctn_str reference,
                        const ctn_json **ret_result, ctn_err *err)
{
    travel_found found = {.is_final = true};
    row r;
    int rc = open_books(deals, err);
    if (rc)
        return rc;
    rc = key.len > 0 ? find_key(deals, arena, key, &r, err) : status_by_reference(deals, arena, reference, &found, err);
    if (!rc && key.len > 0)
        rc = status_of(deals, arena, &r, &found, err);
    if (rc && rc != CTN_E_NOT_FOUND)
        return rc;
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_bool(&out, "happened", found.happened);
    if (found.happened)
        ctn_json_put(&out, CTN_STR("result"), found.result);
    else
        ctn_json_put_bool(&out, "final", found.is_final);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- undo ---- */

static const ctn_json *nothing(ctn_arena *arena)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "state", CTN_STR("nothing"));
    return ctn_json_finish(&out);
}

static int remember_undone(travel_deals *deals, travel_deal_kind kind, ctn_str key, ctn_err *err)
{
    return travel_books_run(&deals->books,
                            "INSERT INTO deals(kind, key, state, undo_result, begun_at_ms) VALUES(?1, ?2, 'undone',"
                            " '{\"state\":\"nothing\"}', ?3)",
                            &(travel_books_values){.texts = {ctn_str_from(KINDS[kind].name), key},
                                                   .text_count = 2,
                                                   .integers = {ctn_clock_now_ms(&deals->clock)},
                                                   .integer_count = 1},
                            NULL, err);
}

int travel_deals_undo(travel_deals *deals, ctn_arena *arena, travel_deal_kind kind, ctn_str id, ctn_str key,
                      const ctn_json **ret_result, ctn_err *err)
{
    row r;
    const ctn_json *result = NULL;
    int rc = id.len > 0 ? CTN_OK : check_key(key, err);
    if (!rc)
        rc = open_books(deals, err);
    if (rc)
        return rc;
    rc = id.len > 0 ? find_row(deals, arena, "SELECT " COLUMNS " FROM deals WHERE id = ?1 AND kind = ?2", id,
                               ctn_str_from(KINDS[kind].name), &r, err)
                    : find_key(deals, arena, key, &r, err);
    if (rc == CTN_E_NOT_FOUND) {
        if (id.len > 0)
            return ctn_fail(err, CTN_E_NOT_FOUND, "there is no %s %.*s", KINDS[kind].name,
                            CTN_STR_ARG(travel_id_shown(id)));
        *ret_result = nothing(arena);
        return remember_undone(deals, kind, key, err);
    }
    if (rc)
        return rc;
    if (r.deal.kind != kind)
        return ctn_fail(err, CTN_E_INVALID, "this key is that of a %s, not of a %s", KINDS[r.deal.kind].name,
                        KINDS[kind].name);
    if (ctn_str_is(r.state, "undone")) {
        *ret_result = r.undo_result ? r.undo_result : nothing(arena);
        return CTN_OK;
    }
    if (ctn_str_is(r.state, "refused"))
        result = nothing(arena);
    else
        rc = deals->provider.ops->undo(deals->provider.self, arena, &r.deal, &result, err);
    if (rc == CTN_E_IO) /* whoever repeats it finds out */
        return ctn_wrap(err, CTN_E_TIMEOUT, "nobody knows whether it was taken back");
    if (!rc)
        rc = travel_books_run(
            &deals->books, "UPDATE deals SET state = 'undone', undo_result = ?2 WHERE key = ?1",
            &(travel_books_values){.texts = {r.deal.key, ctn_json_to_str(arena, result)}, .text_count = 2}, NULL, err);
    if (!rc)
        *ret_result = result;
    return rc;
}

/* ---- ledger ---- */

static const ctn_json *row_shown(ctn_arena *arena, const row *r)
{
    static const char *const TOLD[] = {"total", "amount", "currency", "expires_at"};
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "kind", ctn_str_from(KINDS[r->deal.kind].name));
    ctn_json_put_str(&out, "key", r->deal.key);
    ctn_json_put_str(&out, "execution", r->execution);
    ctn_json_put_str(&out, "id", r->id);
    ctn_json_put_str(&out, "state", r->state);
    for (size_t i = 0; i < sizeof TOLD / sizeof *TOLD; i++)
        if (ctn_json_member_of(r->deal.result, TOLD[i]))
            ctn_json_put(&out, ctn_str_from(TOLD[i]), ctn_json_member_of(r->deal.result, TOLD[i]));
    return ctn_json_finish(&out);
}

int travel_deals_ledger(travel_deals *deals, ctn_arena *arena, const ctn_json **ret_result, ctn_err *err)
{
    sqlite3_stmt *at = NULL;
    const travel_provider *provider = &deals->provider;
    const ctn_json *books = NULL;
    ctn_json_builder list = ctn_json_array(arena), out = ctn_json_object(arena);
    int rc = open_books(deals, err);
    if (!rc)
        rc = travel_books_prepare(&deals->books, "SELECT " COLUMNS " FROM deals ORDER BY deal_no DESC LIMIT ?1",
                                  &(travel_books_values){.integers = {LEDGER_ROWS_MAX}, .integer_count = 1}, &at, err);
    while (!rc && (rc = travel_books_step(&deals->books, at, err)) == CTN_OK) {
        row r;
        read_row(at, arena, &r);
        ctn_json_push(&list, row_shown(arena, &r));
    }
    sqlite3_finalize(at);
    if (rc != CTN_E_NOT_FOUND)
        return rc;
    rc = provider->ops->ledger ? provider->ops->ledger(provider->self, arena, &books, err) : CTN_OK;
    if (rc)
        return rc;
    ctn_json_put_str(&out, "provider", ctn_str_from(provider->ops->name));
    ctn_json_put(&out, CTN_STR("deals"), ctn_json_finish(&list));
    if (books)
        ctn_json_put(&out, CTN_STR("books"), books);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}
