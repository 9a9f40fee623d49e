/*
 * watch_tools.c -- the tools of price watches: their schemas, and their arguments read. What is news is decided in
 * crm/crm_watches.c.
 */
#include "crm/crm_tools.h"
#include "kit/money.h"

enum { WATCHES_MAX = 500, DROP_PERCENT_MAX = 90, DROP_PERCENT = 3 };

/* ---- watch_price ---- */

typedef struct opening {
    const travel_call *call;
    travel_watch watch;
} opening;

static int open_watch(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err)
{
    opening *o = ctx;
    ctn_str id;
    int rc = travel_crm_watch_open(o->call->tools->crm, arena, &o->watch, travel_now_ms(o->call), &id, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "watch_id", id);
    *ret_answer = ctn_json_finish(&out);
    return CTN_OK;
}

static int watch_price(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    opening o = {.call = call};
    travel_day day;
    char text[11];
    int rc = travel_want_text(call, "client_id", &o.watch.client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "lead_id", &o.watch.lead_id, err);
    if (!rc)
        rc = travel_want_object(call, "requirements", &o.watch.requirements, err);
    if (!rc)
        rc = travel_maybe_object(call, "budget", &o.watch.budget, err);
    if (!rc && !travel_day_parse(ctn_json_str_or(o.watch.requirements, "start_date", CTN_STR("")), &day))
        rc = ctn_fail(err, CTN_E_INVALID, "requirements.start_date is missing: without it there is no price to watch");
    if (!rc && ctn_json_count(ctn_json_member_of(o.watch.requirements, "destinations")) == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "requirements.destinations must name a place at least");
    if (rc)
        return rc;
    travel_day_format(day, text);
    o.watch.start_date = ctn_arena_str(call->arena, ctn_str_from(text));
    return travel_crm_tool_once(call, "watch_price", open_watch, &o, ret_result, NULL, err);
}

/* ---- list_watches ---- */

static ctn_str places_of(ctn_arena *arena, const ctn_json *requirements)
{
    const ctn_json *places = ctn_json_member_of(requirements, "destinations");
    ctn_str text = CTN_STR("");
    for (size_t i = 0; i < ctn_json_count(places); i++)
        text = ctn_arena_printf(arena, "%.*s%s%.*s", CTN_STR_ARG(text), i ? ", " : "",
                                CTN_STR_ARG(ctn_json_text(ctn_json_at(places, i))));
    return text;
}

static int list_watches(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_day today;
    char text[11];
    travel_watch *watches = NULL;
    size_t count = 0;
    int rc = travel_today(call, &today, err);
    if (rc)
        return rc;
    travel_day_format(today, text);
    rc = travel_call_crm(call, true, err);
    if (!rc)
        rc = travel_crm_watches(call->tools->crm, call->arena, ctn_str_from(text), WATCHES_MAX, &watches, &count, err);
    if (rc && rc != CTN_E_NOT_FOUND) /* a CRM that is not there watches nothing */
        return rc;
    ctn_json_builder list = ctn_json_array(call->arena);
    for (size_t i = 0; i < count; i++) {
        const travel_watch *w = &watches[i];
        ctn_json_builder b = ctn_json_object(call->arena);
        ctn_json_put_str(&b, "watch_id", w->watch_id);
        ctn_json_put_str(&b, "client_id", w->client_id);
        ctn_json_put_str(&b, "place", places_of(call->arena, w->requirements));
        ctn_json_put_str(&b, "start_date", w->start_date);
        ctn_json_put(&b, CTN_STR("requirements"), w->requirements);
        ctn_json_put(&b, CTN_STR("budget"), w->budget);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put(&out, CTN_STR("watches"), ctn_json_finish(&list));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- note_price ---- */

typedef struct noting {
    const travel_call *call;
    ctn_str watch_id, currency;
    travel_cents price;
    int64_t percent;
} noting;

static int note(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err)
{
    noting *n = ctx;
    int64_t before = 0;
    bool is_drop = false;
    /* The share of the new price: what is asked for is a difference that the client sees. */
    travel_cents drop = travel_cents_divide(n->price * n->percent, 100);
    int rc = travel_crm_watch_price(n->call->tools->crm, arena, n->watch_id, n->price, n->currency, drop, &before,
                                    &is_drop, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_bool(&out, "is_drop", is_drop);
    ctn_json_put_str(&out, "price", travel_cents_text(arena, n->price));
    ctn_json_put_str(&out, "price_before", travel_cents_text(arena, before ? before : n->price));
    ctn_json_put_str(&out, "currency", n->currency);
    *ret_answer = ctn_json_finish(&out);
    return CTN_OK;
}

static int want_price(const travel_call *call, const char *key, travel_cents *ret_price, ctn_err *err)
{
    ctn_str text;
    int rc = travel_want_text(call, key, &text, err);
    if (!rc && (!travel_cents_parse(text, ret_price) || *ret_price <= 0 || *ret_price > TRAVEL_CENTS_MAX))
        rc = ctn_fail(err, CTN_E_INVALID, "%s must be an amount such as \"1234.50\"", key);
    return rc;
}

static int note_price(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    noting n = {.call = call};
    int rc = travel_want_text(call, "watch_id", &n.watch_id, err);
    if (!rc)
        rc = travel_want_text(call, "currency", &n.currency, err);
    if (!rc)
        rc = want_price(call, "price", &n.price, err);
    if (!rc)
        rc = travel_maybe_int(call, "drop_percent", 0, DROP_PERCENT_MAX, DROP_PERCENT, &n.percent, err);
    return rc ? rc : travel_crm_tool_once(call, "note_price", note, &n, ret_result, NULL, err);
}

/* ---- price_told, stop_watch ---- */

static int say_done(const travel_call *call, const char *what, const ctn_json **ret_result)
{
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_bool(&out, what, true);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static int price_told(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str watch_id;
    travel_cents price = 0;
    int rc = travel_want_text(call, "watch_id", &watch_id, err);
    if (!rc)
        rc = want_price(call, "price", &price, err);
    if (!rc)
        rc = travel_call_crm(call, false, err);
    if (!rc)
        rc = travel_crm_watch_told(call->tools->crm, watch_id, price, err);
    return rc ? rc : say_done(call, "is_told", ret_result);
}

static int stop_watch(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str watch_id;
    int rc = travel_want_text(call, "watch_id", &watch_id, err);
    if (!rc)
        rc = travel_call_crm(call, false, err);
    if (!rc)
        rc = travel_crm_watch_close(call->tools->crm, watch_id, err);
    return rc ? rc : say_done(call, "is_stopped", ret_result);
}

/* ---- the table ---- */

static const travel_tool TOOLS[] = {
    {.about = {.name = "watch_price",
               .title = "Watch a price",
               .description = "From now on the flights of this trip are watched for the client, until it begins "
                              "(price-drop-watch). The same key opens one watch.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"client_id\",\"requirements\"],\"properties\":{"
                               "\"client_id\":" ID ",\"lead_id\":" ID_OR_NULL ",\"requirements\":" TRIP
                               ",\"budget\":" BUDGET ",\"key\":" KEY "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"watch_id\"],\"properties\":{\"watch_id\":" STRING "}}",
               .is_additive = true,
               .is_idempotent = true,
               .is_closed_world = true},
     .run = watch_price},
    {.about = {.name = "list_watches",
               .title = "Watched prices",
               .description = "The price watches that are open, of trips that have not begun (500 at most).",
               .input_schema = "{\"type\":\"object\",\"properties\":{\"started_at\":" WHEN "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"watches\"],\"properties\":{\"watches\":{\"type\":"
                   "\"array\",\"items\":{\"type\":\"object\",\"required\":[\"watch_id\",\"client_id\","
                   "\"place\",\"start_date\",\"requirements\",\"budget\"],\"properties\":{\"watch_id\":" STRING
                   ",\"client_id\":" STRING ",\"place\":" STRING ",\"start_date\":" STRING ",\"requirements\":" OBJECT
                   ",\"budget\":" OBJECT "}}}}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = list_watches},
    {.about =
         {.name = "note_price",
          .title = "Note a watched price",
          .description = "Notes what the flights of a watch cost now. is_drop: at least drop_percent (3) less than "
                         "what the client last heard (price_told). The same key has the same answer.",
          .input_schema = "{\"type\":\"object\",\"required\":[\"watch_id\",\"price\",\"currency\"],\"properties\":{"
                          "\"watch_id\":" ID ",\"price\":" STRING ",\"currency\":" STRING
                          ",\"drop_percent\":" INT_OR_NULL ",\"key\":" KEY "}}",
          .output_schema = "{\"type\":\"object\",\"required\":[\"is_drop\",\"price\",\"price_before\",\"currency\"],"
                           "\"properties\":{\"is_drop\":" BOOLEAN ",\"price\":" MONEY ",\"price_before\":" MONEY
                           ",\"currency\":" STRING "}}",
          .is_idempotent = true,
          .is_closed_world = true},
     .run = note_price},
    {.about = {.name = "price_told",
               .title = "The client knows the price",
               .description = "From now on this is what the client last heard of the watch's price: only less is news.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"watch_id\",\"price\"],\"properties\":{"
                               "\"watch_id\":" ID ",\"price\":" STRING "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"is_told\"],\"properties\":{\"is_told\":" BOOLEAN "}}",
               .is_idempotent = true,
               .is_closed_world = true},
     .run = price_told},
    {.about = {.name = "stop_watch",
               .title = "Stop a price watch",
               .description = "The watch is closed, for good.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"watch_id\"],\"properties\":{\"watch_id\":" ID "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"is_stopped\"],\"properties\":{\"is_stopped\":" BOOLEAN "}}",
               .is_idempotent = true,
               .is_closed_world = true},
     .run = stop_watch},
};

const travel_toolset travel_watch_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
