/*
 * rooms_tools.c -- the tools of a group's rooms: their schemas, and their arguments read.
 */
#include "extra/rooms.h"
#include "kit/arguments.h"
#include "kit/schemas.h"

static int want_list(const travel_call *call, const char *key, const ctn_json **ret_list, ctn_err *err)
{
    *ret_list = ctn_json_member_of(call->arguments, key);
    return ctn_json_is(*ret_list, CTN_JSON_ARRAY) ? CTN_OK : ctn_fail(err, CTN_E_INVALID, "%s must be a list", key);
}

static int plan_rooms(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *list = NULL, *stays = NULL;
    travel_language language = TRAVEL_EN;
    travel_rooms rooms;
    int64_t stars;
    int rc = travel_maybe_language(call, &language, err);
    if (!rc)
        rc = want_list(call, "rooms", &list, err);
    if (!rc)
        rc = want_list(call, "stays", &stays, err);
    if (!rc)
        rc = travel_maybe_int(call, "stars", 1, 5, 1, &stars, err);
    if (!rc)
        rc = travel_rooms_check(call->arena, list, language, &rooms, err);
    if (rc)
        return rc;
    const ctn_json *hotels = ctn_json_member_of(ctn_json_at(stays, 0), "hotels");
    const ctn_json *hotel = travel_rooms_hotel(hotels, stars);
    if (!hotel)
        return ctn_fail(err, CTN_E_NOT_FOUND, "none of the %zu hotels has %lld stars or more", ctn_json_count(hotels),
                        (long long) stars);
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put(&out, CTN_STR("hotel"), hotel);
    ctn_json_put(&out, CTN_STR("rooms"), rooms.rooms);
    ctn_json_put(&out, CTN_STR("refused"), rooms.refused);
    ctn_json_put_int(&out, "guests", rooms.guests);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static int write_rooming_list(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_rooming_facts facts = {0};
    travel_rooming_list list;
    travel_language language = TRAVEL_EN;
    bool is_there = false;
    int rc = travel_maybe_language(call, &language, err);
    if (!rc)
        rc = travel_want_text(call, "group", &facts.group, err);
    if (!rc)
        rc = travel_want_text(call, "place", &facts.place, err);
    if (!rc)
        rc = travel_maybe_day(call, "start_date", &is_there, &facts.from, err);
    if (!rc && !is_there)
        rc = ctn_fail(err, CTN_E_INVALID, "start_date is missing: a date such as 2026-10-24");
    if (!rc)
        rc = travel_maybe_int(call, "nights", 1, 180, 1, &facts.nights, err);
    if (!rc)
        rc = travel_want_object(call, "hotel", &facts.hotel, err);
    if (!rc)
        rc = want_list(call, "rooms", &facts.rooms, err);
    if (!rc)
        rc = want_list(call, "refused", &facts.refused, err);
    if (!rc)
        rc = want_list(call, "holds", &facts.holds, err);
    if (!rc)
        rc = travel_rooming_list_write(call->arena, &facts, language, &list, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "title", list.title);
    ctn_json_put_str(&out, "text", list.text);
    ctn_json_put_int(&out, "held", list.held);
    ctn_json_put_int(&out, "missing", list.wanted - list.held);
    ctn_json_put_bool(&out, "is_complete", list.held == list.wanted);
    ctn_json_put_str(&out, "total", travel_cents_text(call->arena, list.total));
    ctn_json_put_str(&out, "currency", list.currency);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

#define ROOM_LIST "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"number\",\"guests\"]}}"

static const travel_tool TOOLS[] = {
    {.about = {.name = "plan_rooms",
               .title = "Look at a group's rooms",
               .description =
                   "The rooms that can be held (one or two guests, nobody twice), those that cannot with the "
                   "reason, and of the first stay that search_hotels gave "
                   "the cheapest hotel with so many stars.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"rooms\",\"stays\"],\"properties\":{\"rooms\":{"
                               "\"type\":\"array\",\"maxItems\":200},\"stays\":{\"type\":\"array\"},"
                               "\"stars\":" INT_OR_NULL ",\"language\":" TEXT_OR_NULL "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"hotel\",\"rooms\",\"refused\",\"guests\"],"
                                "\"properties\":{\"hotel\":{\"type\":\"object\"},\"rooms\":" ROOM_LIST
                                ",\"refused\":" ROOM_LIST ",\"guests\":" INTEGER "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = plan_rooms},
    {.about = {.name = "write_rooming_list",
               .title = "Write a rooming list",
               .description = "The list that the hotel gets, as text in English, Spanish, French or German: each room, "
                              "its guests, and whether it is held.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"group\",\"place\",\"start_date\",\"nights\","
                               "\"hotel\",\"rooms\",\"refused\",\"holds\"],\"properties\":{\"group\":" STRING
                               ",\"place\":" STRING ",\"start_date\":" STRING ",\"nights\":" INTEGER
                               ",\"hotel\":{\"type\":\"object\"},\"rooms\":" ROOM_LIST ",\"refused\":" ROOM_LIST
                               ",\"holds\":{\"type\":\"array\"},\"language\":" TEXT_OR_NULL "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"title\",\"text\",\"held\",\"missing\","
                                "\"is_complete\",\"total\",\"currency\"],\"properties\":{\"title\":" STRING
                                ",\"text\":" STRING ",\"held\":" INTEGER ",\"missing\":" INTEGER
                                ",\"is_complete\":" BOOLEAN ",\"total\":" MONEY ",\"currency\":" STRING "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = write_rooming_list},
};

const travel_toolset travel_rooms_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
