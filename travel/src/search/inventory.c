/*
 * inventory.c -- see inventory.h.
 *
 * A journey is the chain origin, stop 1, .. stop n, origin. Each part of it is a leg by air, or over land when
 * the airports are the same or close. Fares are a start-up part and a part by distance, moved by season, weekday
 * and a draw from the leg's own name, date and cabin; a journey's offers differ in fare and cabin.
 */
#include "search/inventory.h"

#include "kit/money.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const SOURCE = "sandbox";

enum { HOTEL_VALID_DAYS = 5 };
enum { LEGS_MAX = TRAVEL_STOPS_MAX + 1, LAND_KM_MAX = 260, LONG_HAUL_KM = 3500 };

/* ---- draws ---- */

/* FNV-1a over the printed key, then a finaliser: 64 well-mixed bits that depend on the text alone. */
static uint64_t draw(const char *format, ...) __attribute__((format(printf, 1, 2)));
static uint64_t draw(const char *format, ...)
{
    char key[256];
    va_list args;
    va_start(args, format);
    vsnprintf(key, sizeof key, format, args);
    va_end(args);
    uint64_t h = UINT64_C(14695981039346656037);
    for (const char *p = key; *p; p++)
        h = (h ^ (uint8_t) *p) * UINT64_C(1099511628211);
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

static int between(uint64_t bits, int low, int high)
{
    return low + (int) (bits % (uint64_t) (high - low + 1));
}

static int season_percent(travel_day day)
{
    static const int by_month[12] = {88, 92, 96, 104, 103, 112, 128, 130, 104, 100, 88, 118};
    return by_month[travel_day_civil(day).month - 1];
}

/* The last second of a day, `days` after today: what an agent can still book on that day. */
static ctn_str expiry(ctn_arena *arena, travel_day today, int days)
{
    char day[11];
    travel_day_format(today + days, day);
    return ctn_arena_printf(arena, "%sT23:59:59.000Z", day);
}

/* ---- legs ---- */

typedef struct leg {
    const travel_airport *from, *to;
    ctn_str from_name, to_name;
    travel_day day;
    int km;
    bool by_land;
    const travel_airport *via; /* NULL: no change */
} leg;

typedef struct fare {
    const char *id, *name, *cabin, *bags, *change_rule;
    int percent;      /* of the plain economy fare */
    int percent_long; /* on long haul */
    bool may_change;  /* takes the connection when that is cheaper */
    int valid_days;   /* after the day of the search */
} fare;

static const fare FARES[] = {
    {"saver", "Saver", "economy", "cabin bag only", "no changes", 84, 84, true, 2},
    {"standard", "Standard", "economy", "cabin bag and 23 kg", "changes for a fee", 100, 100, false, 3},
    {"flex", "Flex", "economy", "cabin bag and 23 kg", "free changes", 126, 122, false, 3},
    {"premium", "Premium", "business", "two bags of 32 kg", "free changes and lounge", 215, 310, false, 3},
};

static const travel_airport *hub_between(const travel_airport *a, const travel_airport *b)
{
    const travel_airport *best = NULL;
    int best_km = 0;
    for (size_t i = 0; i < travel_airport_count; i++) {
        const travel_airport *hub = &travel_airports[i];
        if (hub->hub < 4 || hub == a || hub == b)
            continue;
        int first = travel_distance_km(a, hub), second = travel_distance_km(hub, b);
        if (first < LAND_KM_MAX || second < LAND_KM_MAX)
            continue;
        if (!best || first + second < best_km) {
            best = hub;
            best_km = first + second;
        }
    }
    return best;
}

static bool flies_direct(const leg *l)
{
    int sizes = l->from->hub + l->to->hub;
    if (l->km < 1200)
        return sizes >= 2;
    if (l->km < 4500)
        return sizes >= 3;
    return l->km < 14500 && sizes >= 6;
}

static size_t legs_of(const travel_trip *trip, leg *ret_legs)
{
    size_t count = 0;
    const travel_airport *at = trip->origin_airport;
    ctn_str at_name = trip->origin;
    for (size_t i = 0; i <= trip->stop_count; i++) {
        bool is_home = i == trip->stop_count;
        const travel_airport *to = is_home ? trip->origin_airport : trip->stops[i].airport;
        ctn_str to_name = is_home ? trip->origin : trip->stops[i].name;
        leg l = {.from = at,
                 .to = to,
                 .from_name = at_name,
                 .to_name = to_name,
                 .day = is_home ? trip->end : trip->stops[i].arrive,
                 .km = travel_distance_km(at, to)};
        l.by_land = l.km <= LAND_KM_MAX;
        if (!l.by_land && !flies_direct(&l))
            l.via = hub_between(at, to);
        ret_legs[count++] = l;
        at = to;
        at_name = to_name;
    }
    return count;
}

static travel_cents leg_pence(const leg *l, const fare *f)
{
    if (l->by_land) /* a transfer costs the same whatever the fare */
        return 900 + (travel_cents) (l->km > 0 ? l->km : 45) * 12;
    int64_t pence = 1900 + (int64_t) l->km * (l->km < LONG_HAUL_KM ? 52 : 41) / 10;
    int weekday = travel_day_weekday(l->day);
    pence = pence * season_percent(l->day) / 100;
    pence = pence * (weekday == 4 || weekday == 5 || weekday == 6 ? 108 : 96) / 100;
    pence = pence * between(draw("fare %s %s %d %s", l->from->code, l->to->code, l->day, f->id), 90, 112) / 100;
    pence = pence * (l->km < LONG_HAUL_KM ? f->percent : f->percent_long) / 100;
    return pence;
}

/* ---- legs as JSON ---- */

static const ctn_json *leg_json(ctn_arena *arena, const leg *l, const fare *f)
{
    ctn_json_builder out = ctn_json_object(arena);
    char day[11], day_long[40];
    travel_day_format(l->day, day);
    travel_day_format_long(l->day, day_long);
    const travel_airport *via = l->via;
    if (!via && f->may_change && !l->by_land && l->km > 1500)
        via = hub_between(l->from, l->to);
    int km = l->km > 0 ? l->km : 45;
    int minutes = l->by_land ? 30 + km : 35 + km * 60 / 830;
    if (via && !l->by_land)
        minutes += 110;
    int departs = between(draw("time %s %s %d %s", l->from->code, l->to->code, l->day, f->id), 6 * 12, 19 * 12) * 5;
    ctn_str number =
        l->by_land ? CTN_STR("")
                   : ctn_arena_printf(arena, "SBX %d",
                                      between(draw("number %s %s %s", l->from->code, l->to->code, f->id), 100, 999));
    ctn_json_put_str(&out, "mode", l->by_land ? CTN_STR("transfer") : CTN_STR("flight"));
    ctn_json_put_str(&out, "from", ctn_str_from(l->from->code));
    ctn_json_put_str(&out, "from_name", l->from_name);
    ctn_json_put_str(&out, "to", ctn_str_from(l->to->code));
    ctn_json_put_str(&out, "to_name", l->to_name);
    ctn_json_put_str(&out, "date", ctn_str_from(day));
    ctn_json_put_str(&out, "departs", ctn_arena_printf(arena, "%02d:%02d", departs / 60, departs % 60));
    ctn_json_put_int(&out, "minutes", minutes);
    ctn_json_put_int(&out, "distance_km", l->km);
    ctn_json_put_str(&out, "number", number);
    ctn_json_put_int(&out, "changes", via && !l->by_land ? 1 : 0);
    ctn_json_put_str(&out, "via", via && !l->by_land ? ctn_str_from(via->city) : CTN_STR(""));
    ctn_str how =
        l->by_land ? ctn_arena_printf(arena, "by road or rail, about %d h %02d min", minutes / 60, minutes % 60)
        : via ? ctn_arena_printf(arena, "%.*s at %02d:%02d, one change in %s, about %d h %02d min", CTN_STR_ARG(number),
                                 departs / 60, departs % 60, via->city, minutes / 60, minutes % 60)
              : ctn_arena_printf(arena, "%.*s at %02d:%02d, direct, about %d h %02d min", CTN_STR_ARG(number),
                                 departs / 60, departs % 60, minutes / 60, minutes % 60);
    ctn_json_put_str(&out, "text",
                     l->by_land ? ctn_arena_printf(arena, "%s: %.*s to %.*s, %.*s", day_long, CTN_STR_ARG(l->from_name),
                                                   CTN_STR_ARG(l->to_name), CTN_STR_ARG(how))
                                : ctn_arena_printf(arena, "%s: %.*s (%s) to %.*s (%s), %.*s", day_long,
                                                   CTN_STR_ARG(l->from_name), l->from->code, CTN_STR_ARG(l->to_name),
                                                   l->to->code, CTN_STR_ARG(how)));
    return ctn_json_finish(&out);
}

static const ctn_json *offer_json(ctn_arena *arena, const travel_trip *trip, const leg *legs, size_t leg_count,
                                  const fare *f, travel_day today, travel_cents *ret_total)
{
    ctn_json_builder out = ctn_json_object(arena), leg_list = ctn_json_array(arena);
    travel_cents pence = 0;
    for (size_t i = 0; i < leg_count; i++) {
        pence += leg_pence(&legs[i], f);
        ctn_json_push(&leg_list, leg_json(arena, &legs[i], f));
    }
    travel_cents each = travel_from_pence(pence, trip->currency);
    *ret_total = each * travel_trip_people(trip);
    ctn_json_put_str(&out, "offer_id",
                     ctn_arena_printf(arena, "SBX-F-%s-%08llx", f->id,
                                      (unsigned long long) (draw("offer %s %s %d %d", legs[0].from->code,
                                                                 legs[0].to->code, trip->start, trip->end) &
                                                            0xffffffff)));
    ctn_json_put_str(&out, "source", ctn_str_from(SOURCE));
    ctn_json_put_str(&out, "fare", ctn_str_from(f->name));
    ctn_json_put_str(&out, "cabin", ctn_str_from(f->cabin));
    ctn_json_put_str(&out, "bags", ctn_str_from(f->bags));
    ctn_json_put_str(&out, "changes", ctn_str_from(f->change_rule));
    ctn_json_put_str(&out, "currency", ctn_str_from(trip->currency));
    ctn_json_put_str(&out, "per_person", travel_cents_text(arena, each));
    ctn_json_put_str(&out, "total", travel_cents_text(arena, *ret_total));
    ctn_json_put_str(&out, "expires_at", expiry(arena, today, f->valid_days));
    ctn_json_put(&out, CTN_STR("legs"), ctn_json_finish(&leg_list));
    return ctn_json_finish(&out);
}

const ctn_json *travel_flights_search(ctn_arena *arena, const travel_trip *trip, travel_day today)
{
    ctn_json_builder out = ctn_json_object(arena), offers = ctn_json_array(arena), cheapest = ctn_json_object(arena);
    ctn_str note = CTN_STR("");
    travel_cents best = 0;
    const ctn_json *best_id = NULL;
    if (trip->stop_count == 0) {
        note = CTN_STR("No destination to search for.");
    } else if (!trip->origin_airport) {
        note = CTN_STR("No known place of departure, so there are no flights in this answer.");
    } else {
        leg legs[LEGS_MAX];
        size_t leg_count = legs_of(trip, legs);
        for (size_t i = 0; i < sizeof FARES / sizeof *FARES; i++) {
            travel_cents total;
            const ctn_json *offer = offer_json(arena, trip, legs, leg_count, &FARES[i], today, &total);
            ctn_json_push(&offers, offer);
            if (!best_id || total < best) {
                best = total;
                best_id = ctn_json_member_of(offer, "offer_id");
            }
        }
    }
    ctn_json_put_str(&cheapest, "offer_id", ctn_json_text(best_id));
    ctn_json_put_str(&cheapest, "total", travel_cents_text(arena, best));
    ctn_json_put_str(&out, "source", ctn_str_from(SOURCE));
    ctn_json_put_str(&out, "currency", ctn_str_from(trip->currency));
    ctn_json_put_int(&out, "travellers", travel_trip_people(trip));
    ctn_json_put(&out, CTN_STR("offers"), ctn_json_finish(&offers));
    ctn_json_put(&out, CTN_STR("cheapest"), ctn_json_finish(&cheapest));
    ctn_json_put_str(&out, "note", note);
    return ctn_json_finish(&out);
}

/* ---- hotels ---- */

static const char *const HOTEL_FIRST[] = {"Harbour", "Garden",  "Old Town", "Station", "Riverside",  "Palm",
                                          "Terrace", "Lantern", "Cedar",    "Market",  "Lighthouse", "Courtyard",
                                          "Orchard", "Summit",  "Bluebell", "Amber"};
static const char *const HOTEL_KIND[3][4] = {{"Inn", "Lodge", "Guesthouse", "Rooms"},
                                             {"Hotel", "Residence", "House", "Hotel & Suites"},
                                             {"Grand Hotel", "Palace", "Retreat", "Resort & Spa"}};

typedef struct wish {
    const char *interest, *feature;
    int stars_min; /* the class that always has it */
} wish;

static const wish WISHES[] = {
    {"swimming pool", "swimming pool", 3},
    {"kids club", "kids club", 4},
    {"spa", "spa", 4},
    {"accessibility", "step-free room (to be confirmed)", 3},
    {"pet friendly", "takes pets", 3},
    {"golf", "golf nearby", 3},
    {"skiing", "ski storage", 3},
    {"vegetarian", "vegetarian menu", 3},
    {"vegan", "vegan menu", 3},
    {"halal", "halal menu", 3},
    {"kosher", "kosher menu on request", 4},
    {"gluten free", "gluten-free menu", 3},
    {"yoga", "yoga classes", 4},
};

static const ctn_json *features_of(ctn_arena *arena, const travel_trip *trip, int stars)
{
    ctn_json_builder list = ctn_json_array(arena);
    ctn_json_push(&list, ctn_json_string(arena, CTN_STR("free Wi-Fi")));
    if (stars >= 5)
        ctn_json_push(&list, ctn_json_string(arena, CTN_STR("room service")));
    for (size_t i = 0; i < sizeof WISHES / sizeof *WISHES; i++)
        if (stars >= WISHES[i].stars_min && travel_trip_wants(trip, WISHES[i].interest))
            ctn_json_push(&list, ctn_json_string(arena, ctn_str_from(WISHES[i].feature)));
    return ctn_json_finish(&list);
}

static travel_cents nightly_pence(const travel_trip *trip, const travel_stop *stop, int stars, int which)
{
    static const int base[3] = {6400, 11800, 24500};
    int64_t pence = base[stars - 3];
    pence = pence * between(draw("town %.*s", CTN_STR_ARG(stop->name)), 78, 138) / 100;
    pence = pence * season_percent(stop->arrive) / 100;
    pence = pence * between(draw("hotel %.*s %d %d", CTN_STR_ARG(stop->name), stars, which), 92, 118) / 100;
    if (travel_trip_wants(trip, "all inclusive")) {
        int sleepers = (travel_trip_people(trip) + trip->rooms - 1) / trip->rooms;
        pence += (int64_t) sleepers * (stars == 3 ? 2900 : stars == 4 ? 4400 : 7200);
    }
    return pence;
}

static const ctn_json *hotel_json(ctn_arena *arena, const travel_trip *trip, const travel_stop *stop, int stars,
                                  int which, travel_day today, travel_cents *ret_total)
{
    uint64_t bits = draw("name %.*s %d", CTN_STR_ARG(stop->name), stars);
    /* the two hotels of a class take neighbouring first words, so that they never share a name */
    size_t first = (size_t) (bits + (uint64_t) which) % (sizeof HOTEL_FIRST / sizeof *HOTEL_FIRST);
    const char *kind = HOTEL_KIND[stars - 3][(bits >> 16) % 4];
    travel_cents nightly = travel_from_pence(nightly_pence(trip, stop, stars, which), trip->currency);
    *ret_total = nightly * stop->nights * trip->rooms;
    const char *board = travel_trip_wants(trip, "all inclusive") ? "all inclusive"
                        : stars == 3                             ? "breakfast"
                        : stars == 4                             ? "breakfast"
                                                                 : "half board";
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(
        &out, "hotel_id",
        ctn_arena_printf(arena, "SBX-H-%08llx-%d%d", (unsigned long long) (bits & 0xffffffff), stars, which));
    ctn_json_put_str(&out, "source", ctn_str_from(SOURCE));
    ctn_json_put_str(&out, "name",
                     ctn_arena_printf(arena, "%s %s %.*s", HOTEL_FIRST[first], kind, CTN_STR_ARG(stop->name)));
    ctn_json_put_int(&out, "stars", stars);
    ctn_json_put_str(&out, "board", ctn_str_from(board));
    ctn_json_put(&out, CTN_STR("features"), features_of(arena, trip, stars));
    ctn_json_put_str(&out, "currency", ctn_str_from(trip->currency));
    ctn_json_put_str(&out, "expires_at", expiry(arena, today, HOTEL_VALID_DAYS));
    ctn_json_put_str(&out, "room_night", travel_cents_text(arena, nightly));
    ctn_json_put_str(&out, "total", travel_cents_text(arena, *ret_total));
    return ctn_json_finish(&out);
}

const ctn_json *travel_hotels_search(ctn_arena *arena, const travel_trip *trip, travel_day today)
{
    ctn_json_builder out = ctn_json_object(arena), stays = ctn_json_array(arena), cheapest = ctn_json_object(arena);
    travel_cents all = 0;
    for (size_t i = 0; i < trip->stop_count; i++) {
        const travel_stop *stop = &trip->stops[i];
        ctn_json_builder stay = ctn_json_object(arena), hotels = ctn_json_array(arena);
        travel_cents best = -1;
        for (int stars = 3; stars <= 5; stars++)
            for (int which = 0; which < 2; which++) {
                travel_cents total;
                ctn_json_push(&hotels, hotel_json(arena, trip, stop, stars, which, today, &total));
                if (best < 0 || total < best)
                    best = total;
            }
        all += best;
        char day[11];
        travel_day_format(stop->arrive, day);
        ctn_json_put_str(&stay, "place", stop->name);
        ctn_json_put_str(&stay, "check_in", ctn_str_from(day));
        ctn_json_put_int(&stay, "nights", stop->nights);
        ctn_json_put_int(&stay, "rooms", trip->rooms);
        ctn_json_put(&stay, CTN_STR("hotels"), ctn_json_finish(&hotels));
        ctn_json_push(&stays, ctn_json_finish(&stay));
    }
    ctn_json_put_str(&cheapest, "total", travel_cents_text(arena, all));
    ctn_json_put_str(&out, "source", ctn_str_from(SOURCE));
    ctn_json_put_str(&out, "currency", ctn_str_from(trip->currency));
    ctn_json_put(&out, CTN_STR("stays"), ctn_json_finish(&stays));
    ctn_json_put(&out, CTN_STR("cheapest"), ctn_json_finish(&cheapest));
    ctn_json_put_str(&out, "note", trip->stop_count == 0 ? CTN_STR("No destination to search for.") : CTN_STR(""));
    return ctn_json_finish(&out);
}
