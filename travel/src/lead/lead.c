/*
 * lead.c -- the order in which a lead is read, and the answer's shape. See lead.h and lead_parts.h.
 *
 * Places come before dates (05/06 depends on the country), people before wishes (a group of eight is a group), the
 * budget before the telephone number's country (pounds mean the United Kingdom).
 */
#include "lead/lead.h"

#include "lead/lead_parts.h"
#include "trip/trip.h"

static void put_text(ctn_json_builder *out, const char *key, ctn_str text)
{
    if (text.len > 0)
        ctn_json_put_str(out, key, text);
    else
        ctn_json_put(out, ctn_str_from(key), &ctn_json_null);
}

static void put_count(ctn_json_builder *out, const char *key, int number)
{
    if (number >= 0)
        ctn_json_put_int(out, key, number);
    else
        ctn_json_put(out, ctn_str_from(key), &ctn_json_null);
}

static void put_day(ctn_json_builder *out, const char *key, travel_day day)
{
    char text[11];
    if (day == TRAVEL_NO_DAY) {
        ctn_json_put(out, ctn_str_from(key), &ctn_json_null);
        return;
    }
    travel_day_format(day, text);
    ctn_json_put_str(out, key, ctn_str_from(text));
}

const ctn_json *lead_client_json(const lead *l)
{
    ctn_json_builder out = ctn_json_object(l->arena);
    put_text(&out, "name", l->name);
    put_text(&out, "email", l->email);
    put_text(&out, "phone", l->phone);
    return ctn_json_finish(&out);
}

const ctn_json *lead_trip_json(const lead *l)
{
    ctn_json_builder out = ctn_json_object(l->arena), destinations = ctn_json_array(l->arena),
                     interests = ctn_json_array(l->arena);
    for (size_t i = 0; i < l->destination_count; i++)
        ctn_json_push(&destinations, ctn_json_string(l->arena, ctn_str_from(l->destinations[i])));
    for (size_t i = 0; i < lead_interest_count; i++)
        if (l->interests >> i & 1)
            ctn_json_push(&interests, ctn_json_string(l->arena, ctn_str_from(lead_interest_name(i))));
    put_text(&out, "origin", ctn_str_from(l->origin));
    ctn_json_put(&out, CTN_STR("destinations"), ctn_json_finish(&destinations));
    if (l->is_alternatives)
        ctn_json_put_bool(&out, "alternatives", true);
    put_day(&out, "start_date", l->start);
    put_day(&out, "end_date", l->end);
    put_count(&out, "nights", l->nights);
    put_text(&out, "month",
             l->month > 0 ? ctn_arena_printf(l->arena, "%04d-%02d", l->month_year, l->month) : (ctn_str){NULL, 0});
    put_count(&out, "adults", l->adults);
    put_count(&out, "children", l->children);
    put_text(&out, "trip_type", ctn_str_from(l->trip_type));
    ctn_json_put(&out, CTN_STR("interests"), ctn_json_finish(&interests));
    return ctn_json_finish(&out);
}

const ctn_json *lead_budget_json(const lead *l)
{
    ctn_json_builder out = ctn_json_object(l->arena);
    if (l->amount.len > 0)
        ctn_json_put(&out, CTN_STR("amount"), ctn_json_number(l->arena, l->amount));
    else
        ctn_json_put(&out, CTN_STR("amount"), &ctn_json_null);
    put_text(&out, "currency", ctn_str_from(l->currency));
    put_text(&out, "per", ctn_str_from(l->per));
    return ctn_json_finish(&out);
}

/* Is there a sign of the United States: then 05/06 is the sixth of May. */
static bool is_american(const lead *l)
{
    ctn_str phone = l->phone_digits;
    if (l->origin_country)
        return strcmp(l->origin_country, "United States") == 0;
    bool is_american_number = phone.len == 10 && phone.ptr[0] >= '2';
    return is_american_number || memchr(l->body.folded, '$', l->body.len) != NULL;
}

static lead empty_lead(ctn_arena *arena, travel_day received)
{
    return (lead){.arena = arena,
                  .received = received,
                  .start = TRAVEL_NO_DAY,
                  .end = TRAVEL_NO_DAY,
                  .nights = -1,
                  .adults = -1,
                  .children = -1};
}

void lead_read(lead *ret_lead, ctn_arena *arena, ctn_str raw, travel_day received, ctn_str known_origin)
{
    *ret_lead = empty_lead(arena, received);
    ret_lead->rules = lead_rules_new(arena);
    lead_prepare(ret_lead, raw);
    lead_read_language(ret_lead);
    lead_read_client(ret_lead);
    lead_read_places(ret_lead);
    const travel_airport *home = travel_airport_for(known_origin);
    if (!ret_lead->origin && home)
        ret_lead->origin_country = home->country;
    ret_lead->is_month_first = is_american(ret_lead);
    lead_read_dates(ret_lead);
    lead_read_people(ret_lead);
    lead_read_budget(ret_lead);
    lead_settle_phone(ret_lead);
    lead_read_wishes(ret_lead);
    lead_read_kind(ret_lead);
}

int travel_lead_extract(ctn_arena *arena, ctn_str raw_lead, travel_day received, const ctn_json **ret_lead,
                        ctn_err *err)
{
    if (raw_lead.len > TRAVEL_LEAD_BYTES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "a lead of %zu bytes is too long, at most %zu are read", raw_lead.len,
                        TRAVEL_LEAD_BYTES_MAX);
    lead l;
    lead_read(&l, arena, raw_lead, received, CTN_STR(""));
    bool is_lead = l.is_lead;
    travel_language language = l.language;
    if (!is_lead)
        l = empty_lead(arena, received);
    const ctn_json *client = lead_client_json(&l), *trip = lead_trip_json(&l), *budget = lead_budget_json(&l);
    ctn_json_builder out = ctn_json_object(arena), nothing = ctn_json_array(arena);
    ctn_json_put_bool(&out, "is_lead", is_lead);
    ctn_json_put(&out, CTN_STR("client_info"), client);
    ctn_json_put(&out, CTN_STR("trip_requirements"), trip);
    ctn_json_put(&out, CTN_STR("budget_info"), budget);
    ctn_json_put(&out, CTN_STR("missing_info"),
                 is_lead ? travel_missing_info(arena, trip, client, budget) : ctn_json_finish(&nothing));
    ctn_json_put_str(&out, "language", ctn_str_from(travel_language_code(language)));
    *ret_lead = ctn_json_finish(&out);
    return CTN_OK;
}
