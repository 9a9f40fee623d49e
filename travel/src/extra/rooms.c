/*
 * rooms.c -- see rooms.h.
 */
#include "extra/rooms.h"

#include "base/buf.h"
#include "base/text.h"

static const travel_phrase NOBODY = {{"nobody sleeps in it", "no hay nadie en ella", "personne n'y dort",
                                      "niemand schläft darin"}},
                           TOO_MANY = {{"a room takes two guests", "una habitación admite dos huéspedes",
                                        "une chambre reçoit deux personnes", "ein Zimmer nimmt zwei Gäste auf"}},
                           TWICE = {{"somebody in it has another room", "alguien tiene ya otra habitación",
                                     "quelqu'un a déjà une autre chambre", "jemand hat schon ein anderes Zimmer"}},
                           REFUSED = {{"not held by the hotel", "el hotel no la reservó", "non retenue par l'hôtel",
                                       "vom Hotel nicht gehalten"}};

/* ---- before ---- */

/* Names are compared as they are written, but for case and blanks around them. */
static bool has_guest(const ctn_str *names, size_t count, ctn_str name)
{
    for (size_t i = 0; i < count; i++)
        if (ctn_str_equal_any_case(names[i], name))
            return true;
    return false;
}

typedef struct checking {
    ctn_arena *arena;
    travel_language language;
    ctn_str *names; /* of the rooms that are right */
    size_t name_count;
    ctn_json_builder rooms, refused;
} checking;

/* NULL: it is right. */
static const travel_phrase *fault_of(const checking *c, const ctn_str *guests, size_t count, size_t written)
{
    if (count == 0)
        return &NOBODY;
    if (written > TRAVEL_ROOM_GUESTS_MAX)
        return &TOO_MANY;
    for (size_t i = 0; i < count; i++)
        if (has_guest(c->names, c->name_count, guests[i]) || has_guest(guests, i, guests[i]))
            return &TWICE;
    return NULL;
}

static void take_room(checking *c, const ctn_json *list, size_t number)
{
    ctn_str guests[TRAVEL_ROOM_GUESTS_MAX];
    size_t written = ctn_json_count(list), count = 0;
    for (size_t i = 0; i < written && count < TRAVEL_ROOM_GUESTS_MAX; i++) {
        ctn_str name = ctn_str_trim(ctn_json_text(ctn_json_at(list, i)));
        if (name.len > 0)
            guests[count++] = name;
    }
    const travel_phrase *fault = fault_of(c, guests, count, written);
    ctn_json_builder room = ctn_json_object(c->arena);
    ctn_json_put_int(&room, "number", (int64_t) number);
    if (fault) {
        ctn_json_put(&room, CTN_STR("guests"), list);
        ctn_json_put_str(&room, "reason", travel_say(fault, c->language));
        ctn_json_push(&c->refused, ctn_json_finish(&room));
        return;
    }
    ctn_json_builder names = ctn_json_array(c->arena);
    for (size_t i = 0; i < count; i++) {
        ctn_json_push(&names, ctn_json_string(c->arena, guests[i]));
        c->names[c->name_count++] = guests[i];
    }
    ctn_json_put_str(&room, "type", count == 1 ? CTN_STR("single") : CTN_STR("double"));
    ctn_json_put(&room, CTN_STR("guests"), ctn_json_finish(&names));
    ctn_json_push(&c->rooms, ctn_json_finish(&room));
}

int travel_rooms_check(ctn_arena *arena, const ctn_json *list, travel_language language, travel_rooms *ret_rooms,
                       ctn_err *err)
{
    size_t count = ctn_json_count(list);
    checking c = {
        .arena = arena, .language = language, .rooms = ctn_json_array(arena), .refused = ctn_json_array(arena)};
    if (!ctn_json_is(list, CTN_JSON_ARRAY) || count == 0)
        return ctn_fail(err, CTN_E_INVALID, "rooms must be a list such as [{\"guests\": [\"Ann Lee\", \"Bob Lee\"]}]");
    if (count > TRAVEL_ROOMS_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "%zu rooms are more than %d: make two groups of them", count,
                        TRAVEL_ROOMS_MAX);
    c.names = ctn_arena_alloc(arena, count * TRAVEL_ROOM_GUESTS_MAX * sizeof *c.names);
    for (size_t i = 0; i < count; i++) {
        const ctn_json *guests = ctn_json_member_of(ctn_json_at(list, i), "guests");
        if (!ctn_json_is(guests, CTN_JSON_ARRAY))
            return ctn_fail(err, CTN_E_INVALID, "rooms[%zu].guests must be a list of names", i);
        take_room(&c, guests, i + 1);
    }
    *ret_rooms = (travel_rooms){
        .rooms = ctn_json_finish(&c.rooms), .refused = ctn_json_finish(&c.refused), .guests = (int64_t) c.name_count};
    return CTN_OK;
}

const ctn_json *travel_rooms_hotel(const ctn_json *hotels, int64_t stars)
{
    const ctn_json *best = NULL;
    travel_cents best_total = 0;
    for (size_t i = 0; i < ctn_json_count(hotels); i++) {
        const ctn_json *hotel = ctn_json_at(hotels, i);
        int64_t its_stars = 0;
        travel_cents total;
        if (!travel_cents_parse(ctn_json_str_or(hotel, "total", CTN_STR("")), &total) ||
            (ctn_json_to_int64(ctn_json_member_of(hotel, "stars"), &its_stars) && its_stars < stars))
            continue;
        if (!best || total < best_total) {
            best = hotel;
            best_total = total;
        }
    }
    return best;
}

/* ---- behind ---- */

static const travel_phrase TITLE = {{"Rooming list", "Lista de habitaciones", "Liste des chambres", "Zimmerliste"}},
                           HOTEL = {{"Hotel", "Hotel", "Hôtel", "Hotel"}},
                           STAY = {{"Stay", "Estancia", "Séjour", "Aufenthalt"}},
                           HELD = {{"held", "reservada", "retenue", "gehalten"}},
                           SINGLE = {{"Single", "Individual", "Simple", "Einzelzimmer"}},
                           DOUBLE = {{"Double", "Doble", "Double", "Doppelzimmer"}},
                           TOTAL = {{"Held", "Reservado", "Retenu", "Gehalten"}},
                           OPEN = {{"Not held", "Sin reservar", "Non retenu", "Nicht gehalten"}};

/* Names on one line, whatever they contain. */
static void put_guests(ctn_arena *arena, ctn_buf *out, const ctn_json *guests)
{
    size_t count = ctn_json_count(guests);
    for (size_t i = 0; i < count; i++) {
        ctn_buf_append(out, i ? CTN_STR(", ") : CTN_STR(""));
        ctn_buf_append(out, ctn_text_clean(arena, ctn_json_text(ctn_json_at(guests, i)), 0));
    }
    ctn_buf_append(out, count ? CTN_STR(" — ") : CTN_STR("— "));
}

static void put_room(ctn_arena *arena, ctn_buf *out, const ctn_json *room, travel_language language)
{
    int64_t number = 0;
    (void) ctn_json_to_int64(ctn_json_member_of(room, "number"), &number);
    ctn_buf_printf(out, "%3lld  ", (long long) number);
    ctn_str type = ctn_json_str_or(room, "type", CTN_STR(""));
    if (type.len > 0) {
        ctn_buf_append(out, travel_say(ctn_str_is(type, "single") ? &SINGLE : &DOUBLE, language));
        ctn_buf_append_literal(out, ": ");
    }
    put_guests(arena, out, ctn_json_member_of(room, "guests"));
}

static void put_head(ctn_arena *arena, ctn_buf *out, const travel_rooming_facts *f, ctn_str title,
                     travel_language language)
{
    ctn_str stay = travel_dates_shown(arena, f->from, f->from + (travel_day) f->nights, language);
    ctn_str nights = travel_count_shown(arena, f->nights, TRAVEL_NIGHT, language);
    ctn_str hotel = ctn_json_str_or(f->hotel, "name", CTN_STR(""));
    ctn_buf_append(out, title);
    ctn_buf_printf(out, "\n\n%.*s: %.*s, %.*s\n", CTN_STR_ARG(travel_say(&HOTEL, language)), CTN_STR_ARG(hotel),
                   CTN_STR_ARG(f->place));
    ctn_buf_printf(out, "%.*s: %.*s (%.*s)\n\n", CTN_STR_ARG(travel_say(&STAY, language)), CTN_STR_ARG(stay),
                   CTN_STR_ARG(nights));
}

/* One room of those that were to be held. */
static int put_wanted(ctn_arena *arena, ctn_buf *out, const ctn_json *room, const ctn_json *hold,
                      travel_rooming_list *list, travel_language language, ctn_err *err)
{
    travel_cents total;
    put_room(arena, out, room, language);
    if (!ctn_json_is(hold, CTN_JSON_OBJECT)) {
        ctn_str reason = travel_say(&REFUSED, language);
        ctn_buf_printf(out, "%.*s\n", CTN_STR_ARG(reason));
        return CTN_OK;
    }
    if (!travel_cents_parse(ctn_json_str_or(hold, "total", CTN_STR("")), &total))
        return ctn_fail(err, CTN_E_INVALID, "a hold without an amount: holds must be what hold_hotel answered");
    ctn_str word = travel_say(&HELD, language), id = ctn_json_str_or(hold, "hold_id", CTN_STR(""));
    ctn_buf_printf(out, "%.*s, %.*s\n", CTN_STR_ARG(word), CTN_STR_ARG(id));
    list->held++;
    list->total += total;
    list->currency = ctn_json_str_or(hold, "currency", list->currency);
    return CTN_OK;
}

static void put_foot(ctn_arena *arena, ctn_buf *out, const travel_rooming_list *list, travel_language language)
{
    ctn_str rooms = travel_count_shown(arena, list->held, TRAVEL_ROOM, language);
    ctn_buf_printf(out, "\n%.*s: %.*s", CTN_STR_ARG(travel_say(&TOTAL, language)), CTN_STR_ARG(rooms));
    if (list->held > 0) {
        const char *currency = ctn_arena_str(arena, list->currency).ptr;
        ctn_str total = travel_money_shown(arena, list->total, currency, language);
        ctn_buf_printf(out, ", %.*s", CTN_STR_ARG(total));
    }
    ctn_buf_append_char(out, '\n');
    if (list->held < list->wanted) {
        ctn_str missing = travel_count_shown(arena, list->wanted - list->held, TRAVEL_ROOM, language);
        ctn_buf_printf(out, "%.*s: %.*s\n", CTN_STR_ARG(travel_say(&OPEN, language)), CTN_STR_ARG(missing));
    }
}

int travel_rooming_list_write(ctn_arena *arena, const travel_rooming_facts *facts, travel_language language,
                              travel_rooming_list *ret_list, ctn_err *err)
{
    size_t count = ctn_json_count(facts->rooms), refused = ctn_json_count(facts->refused);
    travel_rooming_list list = {.wanted = (int64_t) (count + refused)};
    int rc = CTN_OK;
    ctn_buf out;
    if (ctn_json_count(facts->holds) != count)
        return ctn_fail(err, CTN_E_INVALID, "%zu holds for %zu rooms: each room has one, or null",
                        ctn_json_count(facts->holds), count);
    list.title =
        ctn_arena_printf(arena, "%.*s: %.*s", CTN_STR_ARG(travel_say(&TITLE, language)), CTN_STR_ARG(facts->group));
    ctn_buf_init(&out, (size_t) 1 << 20);
    put_head(arena, &out, facts, list.title, language);
    for (size_t i = 0; !rc && i < count; i++)
        rc = put_wanted(arena, &out, ctn_json_at(facts->rooms, i), ctn_json_at(facts->holds, i), &list, language, err);
    for (size_t i = 0; !rc && i < refused; i++) {
        const ctn_json *room = ctn_json_at(facts->refused, i);
        ctn_str reason = ctn_json_str_or(room, "reason", CTN_STR(""));
        put_room(arena, &out, room, language);
        ctn_buf_printf(&out, "%.*s\n", CTN_STR_ARG(reason));
    }
    if (!rc) {
        put_foot(arena, &out, &list, language);
        list.text = ctn_arena_str(arena, ctn_buf_str(&out));
        *ret_list = list;
    }
    ctn_buf_done(&out);
    return rc;
}
