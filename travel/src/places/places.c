/*
 * places.c -- looking names up in the tables, what lies in what, and distances.
 *
 * A name is folded the way travel/data/names.mjs folds those of the tables and then searched by halves: seventeen
 * steps among some hundred and sixty thousand. Running text is matched word by word, for as long as a name of the
 * tables begins with what was read, so a text costs a few searches a word whatever it says.
 */
#include "places/places.h"

#include <math.h>
#include <string.h>

#include "places/places_data.h"

enum { KEY_MAX = 64, OUTER_DEPTH_MAX = 6 };

static const char *text_at(uint32_t at)
{
    return travel_text + at;
}

/* ---- folding ---- */

static const char PLAIN_C3[] = /* U+00C0 .. U+00FF; '*' is no letter */
    "aaaaaa*ceeeeiiiidnooooo*ouuuuy**aaaaaa*ceeeeiiiidnooooo*ouuuuy*y";
static const char PLAIN_C4[] = /* U+0100 .. U+017F */
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**jjkk*llllllllllnnnnnnnnnoooooooo**"
    "rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static size_t put(char *key, size_t len, const char *letters)
{
    for (; *letters && len < KEY_MAX; letters++)
        key[len++] = *letters;
    return len;
}

/* One code point of Latin script as plain letters; "" for what is no letter here. */
static const char *plain_letters(unsigned point, char single[2])
{
    static const struct {
        unsigned point;
        const char *letters;
    } pairs[] = {{0xC6, "ae"}, {0xE6, "ae"}, {0xDF, "ss"}, {0x152, "oe"}, {0x153, "oe"}, {0xDE, "th"}, {0xFE, "th"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].point == point)
            return pairs[i].letters;
    single[0] = '\0';
    single[1] = '\0';
    if (point >= 0xC0 && point <= 0xFF)
        single[0] = PLAIN_C3[point - 0xC0];
    else if (point >= 0x100 && point <= 0x17F)
        single[0] = PLAIN_C4[point - 0x100];
    else if (point >= 0x1EA0 && point <= 0x1EF9) /* Vietnamese */
        single[0] = point < 0x1EB8   ? 'a'
                    : point < 0x1EC8 ? 'e'
                    : point < 0x1ECC ? 'i'
                    : point < 0x1EE4 ? 'o'
                    : point < 0x1EF2 ? 'u'
                                     : 'y';
    else if (point == 0x1A0 || point == 0x1A1)
        single[0] = 'o';
    else if (point == 0x1AF || point == 0x1B0)
        single[0] = 'u';
    if (single[0] == '*')
        single[0] = '\0';
    return single;
}

static bool is_mark(unsigned point) /* combining accents, which decomposed text has after its letter */
{
    return point >= 0x300 && point <= 0x36F;
}

/* Letters and digits, the rest one blank. False when it is longer than any name. */
static bool fold(ctn_str name, char ret_key[KEY_MAX + 1])
{
    size_t len = 0;
    for (size_t i = 0; i < name.len;) {
        uint8_t c = (uint8_t) name.ptr[i];
        size_t bytes = c < 0x80 ? 1 : ctn_str_utf8_at(name, i);
        unsigned point = c;
        if (bytes == 2)
            point = (c & 0x1Fu) << 6 | ((uint8_t) name.ptr[i + 1] & 0x3Fu);
        else if (bytes == 3)
            point = (c & 0x0Fu) << 12 | ((uint8_t) name.ptr[i + 1] & 0x3Fu) << 6 | ((uint8_t) name.ptr[i + 2] & 0x3Fu);
        i += bytes > 0 ? bytes : 1;
        if (len == KEY_MAX)
            return false;
        char single[2] = {0};
        if (point < 0x80 && ((point | 32) >= 'a' && (point | 32) <= 'z'))
            ret_key[len++] = (char) (point | 32);
        else if (point >= '0' && point <= '9')
            ret_key[len++] = (char) point;
        else if (point >= 0x80 && plain_letters(point, single)[0])
            len = put(ret_key, len, plain_letters(point, single));
        else if (!is_mark(point) && len > 0 && ret_key[len - 1] != ' ')
            ret_key[len++] = ' ';
    }
    while (len > 0 && ret_key[len - 1] == ' ')
        len--;
    ret_key[len] = '\0';
    return len > 0;
}

/* ---- names ---- */

/* The first row whose text is not below the key. */
static size_t lower_bound(const char *key)
{
    size_t low = 0, high = travel_name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(text_at(travel_names[middle].text), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_row_of(size_t row, const char *key)
{
    return row < travel_name_count && strcmp(text_at(travel_names[row].text), key) == 0;
}

const travel_place *travel_place_by_name(ctn_str name)
{
    return travel_place_within(name, NULL);
}

const travel_place *travel_place_within(ctn_str name, const travel_place *outer)
{
    char key[KEY_MAX + 1];
    if (!fold(name, key))
        return NULL;
    for (size_t row = lower_bound(key); is_row_of(row, key); row++) {
        const travel_name *n = &travel_names[row];
        if (n->kind == TRAVEL_NAME_OF_PLACE && (!outer || travel_place_holds(outer, &travel_places[n->item])))
            return &travel_places[n->item];
    }
    return NULL;
}

const travel_place *travel_place_pair(ctn_str name, ctn_str outer, const travel_place **ret_outer)
{
    char key[KEY_MAX + 1];
    if (!fold(outer, key))
        return NULL;
    for (size_t row = lower_bound(key); is_row_of(row, key); row++) {
        if (travel_names[row].kind != TRAVEL_NAME_OF_PLACE)
            continue;
        const travel_place *o = &travel_places[travel_names[row].item], *found = travel_place_within(name, o);
        if (found) {
            *ret_outer = o;
            return found;
        }
    }
    return NULL;
}

static void match_of(size_t row, const char *key, size_t len, travel_match *ret_match)
{
    *ret_match = (travel_match){.len = len};
    for (; is_row_of(row, key); row++) {
        const travel_name *n = &travel_names[row];
        if (n->kind == TRAVEL_NAME_OF_PLACE && !ret_match->place) {
            ret_match->place = &travel_places[n->item];
            ret_match->name = text_at(n->shown ? n->shown : ret_match->place->name);
            char own[KEY_MAX + 1];
            bool is_own = fold(ctn_str_from(ret_match->name), own) && strcmp(own, key) == 0;
            ret_match->flags = n->flags | (is_own ? 0 : TRAVEL_NAME_FOREIGN);
        } else if (n->kind == TRAVEL_NAME_OF_AIRPORT && !ret_match->airport) {
            ret_match->airport = &travel_airports[n->item];
            ret_match->flags |= n->flags;
        } else if (n->kind == TRAVEL_NAME_OF_AIRLINE && !ret_match->place && !ret_match->airport) {
            ret_match->is_airline = true;
        }
    }
}

bool travel_is_first_name(ctn_str word)
{
    char key[KEY_MAX + 1];
    if (!fold(word, key))
        return false;
    for (size_t row = lower_bound(key); is_row_of(row, key); row++)
        if (travel_names[row].kind == TRAVEL_NAME_OF_PERSON)
            return true;
    return false;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool travel_match_at(ctn_str text, size_t at, travel_match *ret_match)
{
    char key[KEY_MAX + 1];
    size_t len = 0;
    bool found = false;
    for (size_t i = at; i < text.len && is_word(text.ptr[i]);) {
        while (i < text.len && is_word(text.ptr[i]) && len < KEY_MAX)
            key[len++] = text.ptr[i++];
        if (len == KEY_MAX)
            break;
        key[len] = '\0';
        size_t row = lower_bound(key);
        if (row == travel_name_count || strncmp(text_at(travel_names[row].text), key, len) != 0)
            break;
        travel_match longer;
        if (is_row_of(row, key)) {
            match_of(row, key, i - at, &longer);
            if (longer.place || longer.airport || longer.is_airline) { /* and not only a person's */
                *ret_match = longer;
                found = true;
            }
        }
        size_t gap = i;
        while (i < text.len && i - gap < 3 && strchr(" .-'/", text.ptr[i]))
            i++;
        if (i == gap)
            break;
        key[len++] = ' ';
    }
    return found;
}

/* ---- one place ---- */

const char *travel_place_name(const travel_place *p)
{
    return text_at(p->name);
}

const char *travel_place_shown(const travel_place *p, ctn_str language)
{
    uint32_t at = ctn_str_is(language, "es")   ? p->es
                  : ctn_str_is(language, "fr") ? p->fr
                  : ctn_str_is(language, "de") ? p->de
                                               : 0;
    return text_at(at ? at : p->name);
}

travel_kind travel_place_kind(const travel_place *p)
{
    return (travel_kind) p->kind;
}

bool travel_place_is_area(const travel_place *p)
{
    return p->kind != TRAVEL_CITY;
}

int travel_place_prominence(const travel_place *p)
{
    return p->prominence;
}

const travel_place *travel_place_country(const travel_place *p)
{
    return p->country < 0 ? NULL : &travel_places[p->country];
}

const travel_airport *travel_place_airport(const travel_place *p)
{
    return p->airport < 0 ? NULL : &travel_airports[p->airport];
}

static bool lies_in(const travel_place *inner, const travel_place *outer, int depth)
{
    for (uint32_t i = 0; i < inner->outer_count; i++) {
        const travel_place *direct = &travel_places[travel_outers[inner->outer_first + i]];
        if (direct == outer || (depth < OUTER_DEPTH_MAX && lies_in(direct, outer, depth + 1)))
            return true;
    }
    return false;
}

bool travel_place_holds(const travel_place *outer, const travel_place *inner)
{
    if (outer == inner)
        return false;
    if (lies_in(inner, outer, 0))
        return true;
    /* No package says on which island a town is, but both are flown to by its airport. */
    return outer->kind == TRAVEL_ISLAND && inner->kind == TRAVEL_CITY && outer->airport >= 0 &&
           outer->airport == inner->airport && travel_airports[outer->airport].place == outer;
}

bool travel_place_contains(const char *outer, const char *inner)
{
    const travel_place *o = travel_place_by_name(ctn_str_from(outer)), *i = travel_place_by_name(ctn_str_from(inner));
    return o && i && travel_place_holds(o, i);
}

const char *travel_zone_of(ctn_str name)
{
    const travel_place *place = travel_place_by_name(name);
    const travel_airport *airport = place ? NULL : travel_airport_for(name);
    const char *zone = place ? text_at(place->zone) : airport ? airport->zone : "";
    return zone[0] ? zone : NULL;
}

/* ---- airports, countries, airlines ---- */

const travel_airport *travel_airport_by_code(ctn_str code)
{
    size_t low = 0, high = travel_airport_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = ctn_str_compare(ctn_str_from(travel_airports[middle].code), code);
        if (order == 0)
            return &travel_airports[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const travel_airport *travel_airport_for(ctn_str name)
{
    char key[KEY_MAX + 1];
    if (!fold(name, key))
        return NULL;
    travel_match m;
    match_of(lower_bound(key), key, 0, &m);
    if (m.place)
        return travel_place_airport(m.place);
    return m.airport ? m.airport : travel_airport_by_code(name);
}

const travel_country *travel_country_by_code(ctn_str code)
{
    for (size_t i = 0; i < travel_country_count; i++)
        if (ctn_str_is(code, travel_countries[i].code))
            return &travel_countries[i];
    return NULL;
}

const travel_country *travel_country_of(const travel_place *p)
{
    const travel_place *country = travel_place_country(p);
    for (size_t i = 0; country && i < travel_country_count; i++)
        if (travel_countries[i].place == country)
            return &travel_countries[i];
    return NULL;
}

const travel_airline *travel_airline_by_code(ctn_str code)
{
    for (size_t i = 0; i < travel_airline_count; i++)
        if (ctn_str_is(code, travel_airlines[i].code))
            return &travel_airlines[i];
    return NULL;
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
