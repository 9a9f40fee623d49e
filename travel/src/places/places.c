/* places.c -- looking things up in the tables, and distances. */
#include "places/places.h"

#include <math.h>
#include <strings.h>

static bool same_letters(ctn_str a, ctn_str b)
{
    return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static bool in_list(const char *list, ctn_str name)
{
    ctn_str rest = ctn_str_from(list);
    while (rest.ptr) {
        ctn_str alias = ctn_str_cut(&rest, '|');
        if (alias.len > 0 && (alias.ptr[0] == '^' || alias.ptr[0] == '='))
            alias = ctn_str_from_offset(alias, 1);
        if (alias.len > 0 && same_letters(alias, name))
            return true;
    }
    return false;
}

const travel_airport *travel_airport_by_code(ctn_str code)
{
    for (size_t i = 0; i < travel_airport_count; i++)
        if (ctn_str_is(code, travel_airports[i].code))
            return &travel_airports[i];
    return NULL;
}

const travel_place *travel_place_by_name(ctn_str name)
{
    if (name.len == 0)
        return NULL;
    for (size_t i = 0; i < travel_place_count; i++)
        if (same_letters(ctn_str_from(travel_places[i].name), name))
            return &travel_places[i];
    for (size_t i = 0; i < travel_place_count; i++)
        if (in_list(travel_places[i].aliases, name))
            return &travel_places[i];
    return NULL;
}

const travel_airport *travel_airport_for(ctn_str name)
{
    const travel_place *place = travel_place_by_name(name);
    if (place)
        return travel_airport_by_code(ctn_str_from(place->airport));
    if (name.len == 0)
        return NULL;
    for (size_t i = 0; i < travel_airport_count; i++)
        if (same_letters(ctn_str_from(travel_airports[i].city), name) || in_list(travel_airports[i].aliases, name))
            return &travel_airports[i];
    return travel_airport_by_code(name);
}

static const char *country_of_city(const char *city)
{
    for (size_t i = 0; i < travel_airport_count; i++)
        if (ctn_str_is(ctn_str_from(city), travel_airports[i].city))
            return travel_airports[i].country;
    return NULL;
}

bool travel_place_contains(const char *outer, const char *inner)
{
    ctn_str name = ctn_str_from(outer);
    if (ctn_str_is(name, inner))
        return false; /* Malta is a country and the city of its airport */
    for (size_t i = 0; i < travel_place_count; i++)
        if (ctn_str_is(ctn_str_from(inner), travel_places[i].name))
            return in_list(travel_places[i].within, name);
    const char *country = country_of_city(inner);
    return country && ctn_str_is(name, country);
}

int travel_distance_km(const travel_airport *a, const travel_airport *b)
{
    static const double radians = 3.14159265358979323846 / 180.0, earth_km = 6371.0088;
    double half_latitude = (b->latitude - a->latitude) * radians / 2;
    double half_longitude = (b->longitude - a->longitude) * radians / 2;
    double h = sin(half_latitude) * sin(half_latitude) +
               cos(a->latitude * radians) * cos(b->latitude * radians) * sin(half_longitude) * sin(half_longitude);
    double angle = 2 * atan2(sqrt(h), sqrt(h < 1 ? 1 - h : 0));
    return (int) lround(earth_km * angle);
}
