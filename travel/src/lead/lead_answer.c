/*
 * lead_answer.c -- the client's answer to our question, merged into what we knew of his lead.
 *
 * An answer is read like a lead. What it says by itself ("from Leeds", "12 to 19 June") needs no question; a bare
 * value ("Leeds", "3000", "2") is what a form's field would be, and is read as the field of what was asked and is
 * still open. Then each part of the lead takes what is new: an answer is never a reason to forget.
 */
#include "lead/lead.h"
#include "lead/lead_parts.h"
#include "trip/trip.h"

#include <limits.h>

static const char STOP[] =
    /* English */
    "\\b(?:no longer|not|isn't|aren't) (?:interested|needed|looking|going any ?more|going after all)\\b"
    "|\\bbooked (?:it |this |one |something |a trip )?(?:elsewhere|ourselves|myself|with (?:someone|somebody|another)|"
    "through (?:someone|another)|already|direct)|\\balready booked\\b|\\b(?:stop|quit) (?:writing|messaging|emailing|"
    "contacting|texting|it)\\b|\\bplease (?:don't|do not) (?:contact|write|message|email|call)|\\bunsubscribe\\b"
    "|\\b(?:decided|decide) (?:not to|against)\\b|\\bcalled (?:it|the trip) off\\b|\\bwon't be (?:going|travelling|"
    "booking)\\b|\\bcancel (?:my|our|the|this) (?:enquiry|inquiry|request|quote)|\\bfound (?:something|one|a better "
    "\\w+) elsewhere\\b|\\bgone with (?:another|someone|somebody)\\b"
    /* Spanish */
    "|\\bya no (?:nos |me )?(?:interesa|hace falta|queremos|quiero|vamos|viajamos)|\\bno (?:nos |me )?interesa\\b"
    "|\\b(?:ya )?(?:hemos|he|lo hemos|lo he|tenemos) (?:ya )?reserva(?:do|da)\\b|\\bno (?:nos|me) (?:escrib|llam|"
    "contact)\\w+|\\bdarnos de baja\\b|\\bhemos decidido no\\b|\\bcancel\\w* (?:mi|nuestra|la) solicitud"
    /* French */
    "|\\bplus (?:interess\\w*|besoin|d'actualite)\\b|\\bpas interess\\w*|\\b(?:avons|ai|a|deja|est) (?:deja )?"
    "reserve\\b|\\bne (?:nous|me) (?:contact|ecri|appel)\\w+|\\brenonc\\w+|\\bannul\\w+ (?:ma|notre|la) demande\\b"
    /* German */
    "|\\bkein interesse\\b|\\bnicht (?:mehr|langer) (?:interessiert|notig|aktuell)|\\b(?:schon|bereits|woanders|"
    "anderswo|inzwischen|anderweitig|selbst)[a-z ]{0,20} gebucht\\b|\\bhat sich erledigt\\b|\\bnicht mehr "
    "(?:schreiben|anrufen|kontaktieren)|\\bkeine (?:weiteren )?(?:mails|nachrichten|e-mails) mehr\\b|\\bdoch nicht "
    "(?:reisen|fahren|fliegen|verreisen)\\b";

/* These end it only when nothing else is said: "no thanks, Rome is too hot; Oslo then" goes on. */
static const char STOP_ALONE[] = "^[^a-z]*(?:no,? thank(?:s| you)|no gracias|no,? muchas gracias|non,? merci|nein,? "
                                 "(?:vielen )?danke|stop|stopp|alto|baja|forget it|never ?mind)\\b";

/* Where a mail program begins to repeat what we wrote. */
static const char QUOTED[] = "^(?:>|-{3,} ?(?:original|forwarded|ursprungliche|mensaje|message)|on [^\\n]{6,120} "
                             "wrote:|am [^\\n]{6,120} schrieb|le [^\\n]{6,120} a ecrit ?:|el [^\\n]{6,120} escribio:)";

static const char MORE[] = "\\b(?:also|add|as well|too|plus|and maybe|tambien|ademas|anadir|aussi|ajouter|auch|noch|"
                           "zusatzlich|dazu)\\b";

static ctn_str without_quoted(ctn_arena *arena, ctn_str text)
{
    lead_match m;
    lead_text t = lead_text_make(arena, text);
    bool is_quoted = lead_find(lead_rules_new(arena), QUOTED, lead_text_folded(&t), 0, &m);
    return is_quoted ? lead_text_original(&t, 0, m.start) : text;
}

/* ---- bare values ---- */

typedef struct reading {
    lead said;            /* the answer read as a lead */
    const ctn_json *open; /* what was asked: keys of missing_info */
} reading;

static bool is_asked(const reading *r, const char *key)
{
    return ctn_json_has_text(r->open, ctn_str_from(key));
}

/* The answer's pieces: what stands between commas, line ends and the like. */
static bool next_piece(ctn_str text, size_t *at, ctn_str *ret_piece)
{
    while (*at < text.len) {
        size_t end = *at;
        while (end < text.len && !strchr(",;\n!?", text.ptr[end]) &&
               !(text.ptr[end] == '.' && (end + 1 == text.len || text.ptr[end + 1] == ' ')))
            end++;
        *ret_piece = ctn_str_trim((ctn_str){text.ptr + *at, end - *at});
        *at = end + 1;
        if (ret_piece->len > 0)
            return true;
    }
    return false;
}

static lead field_lead(const lead *like, lead_field field, ctn_str value)
{
    lead l = *like;
    l.body = l.said = l.raw = lead_text_make(like->arena, CTN_STR(""));
    memset(l.fields, 0, sizeof l.fields);
    l.fields[field] = value;
    l.origin = NULL;
    l.destination_count = 0;
    l.adults = l.children = -1;
    l.amount = (ctn_str){NULL, 0};
    return l;
}

static bool is_bare_number(lead *l, ctn_str piece, int *ret_number)
{
    lead_match m;
    lead_text t = lead_text_make(l->arena, piece);
    static const char NUMBER[] = "^(?:just|only|about|around|maybe|solo|unos|nur|environ|etwa)? ?" LEAD_NUMBER
                                 "(?: ?(?:nights?|noches?|nuits?|nachte))?$";
    if (!lead_find(l->rules, NUMBER, lead_text_folded(&t), 0, &m))
        return false;
    *ret_number = lead_number(m.group[1]);
    return *ret_number > 0;
}

/* Nothing but a place, or two to choose from: "Leeds", "from Leeds or Manchester please". */
static bool is_bare_place(lead *l, ctn_str piece)
{
    static const char PLACE[] =
        "^(?:from|ex|ab|von|aus|desde|de|depuis|probably|maybe|ideally|either|we're in|we live in)?"
        " ?([a-z][a-z' -]{1,30}?)(?: airport)?(?: (?:or|ou|oder|o|/) [a-z][a-z' -]{1,30})?"
        "(?: (?:airport|please|pls|ideally|if possible|preferably))?$";
    lead_match m;
    lead_text t = lead_text_make(l->arena, piece);
    return lead_find(l->rules, PLACE, lead_text_folded(&t), 0, &m) && travel_airport_for(m.group[1]);
}

/* With both ends open, one place without a word beside it is the goal: people say first where they want to go. */
static void take_bare_place(reading *r, ctn_str piece)
{
    lead *l = &r->said;
    if (is_asked(r, "destinations") || !is_bare_place(l, piece))
        return;
    lead alone = field_lead(l, LEAD_ORIGIN, piece);
    lead_read_places(&alone);
    if (alone.origin) {
        l->origin = alone.origin;
        l->origin_country = alone.origin_country;
        l->destination_count = 0;
    }
}

static void take_bare_values(reading *r)
{
    lead *l = &r->said;
    size_t at = 0;
    ctn_str piece;
    int number;
    while (next_piece(l->body.original, &at, &piece)) {
        if (is_bare_number(l, piece, &number) && number < 100) {
            if (is_asked(r, "travellers") && l->adults < 0) {
                l->adults = number;
                l->is_total = true;
            } else if (is_asked(r, "duration") && l->nights < 0 && l->start == TRAVEL_NO_DAY) {
                l->nights = number;
            }
        } else if (is_asked(r, "budget") && l->amount.len == 0) {
            lead alone = field_lead(l, LEAD_BUDGET, piece);
            lead_read_budget(&alone);
            if (alone.amount.len > 2 || (alone.amount.len > 0 && alone.currency)) { /* "2" is no budget, "€90" is */
                l->amount = alone.amount;
                l->currency = alone.currency;
                l->per = alone.per;
            }
        }
        if (is_asked(r, "origin") && !l->origin)
            take_bare_place(r, piece);
        if (is_asked(r, "name") && l->name.len == 0)
            l->name = lead_whole_name(l, piece);
    }
}

/* ---- merging ---- */

static int64_t number_in(const ctn_json *object, const char *key)
{
    return ctn_json_int_or(object, key, -1);
}

static travel_day day_in(const ctn_json *object, const char *key)
{
    travel_day day;
    return travel_day_parse(ctn_json_str_or(object, key, (ctn_str){NULL, 0}), &day) ? day : TRAVEL_NO_DAY;
}

static void merge_days(lead *l, const ctn_json *before)
{
    travel_day start = day_in(before, "start_date"), end = day_in(before, "end_date");
    int64_t nights = number_in(before, "nights");
    bool has_start = l->start != TRAVEL_NO_DAY, has_end = l->end != TRAVEL_NO_DAY, has_nights = l->nights > 0;
    if (has_start && !has_end && nights > 0 && nights < 1000) {
        l->nights = (int) nights; /* moved, as long as before */
        l->end = l->start + l->nights;
    } else if (has_start && !has_end && end > l->start) {
        l->end = end;
        l->nights = end - l->start;
    } else if (has_end && !has_start && start != TRAVEL_NO_DAY && start < l->end) {
        l->start = start;
        l->nights = l->end - start;
    } else if (has_end && !has_start && nights > 0 && nights < 1000) {
        l->nights = (int) nights;
        l->start = l->end - l->nights;
    } else if (has_nights && !has_start && !has_end && start != TRAVEL_NO_DAY) {
        l->start = start;
        l->end = start + l->nights;
    } else if (!has_start && !has_end && !has_nights && l->month == 0) {
        l->start = start;
        l->end = end;
        l->nights = nights > 0 && nights < 1000 ? (int) nights : -1;
    } else if (!has_nights && !has_start && !has_end && nights > 0 && nights < 1000) {
        l->nights = (int) nights; /* only another month */
    }
    if (l->start == TRAVEL_NO_DAY && l->end == TRAVEL_NO_DAY && l->month == 0) {
        ctn_str month = ctn_json_str_or(before, "month", (ctn_str){NULL, 0});
        int64_t year = 0, number = 0;
        if (month.len == 7 && ctn_str_to_int64((ctn_str){month.ptr, 4}, &year) &&
            ctn_str_to_int64((ctn_str){month.ptr + 5, 2}, &number)) {
            l->month_year = (int) year;
            l->month = (int) number;
        }
    } else if (l->start != TRAVEL_NO_DAY || l->end != TRAVEL_NO_DAY) {
        l->month = 0;
    }
}

static void merge_people(lead *l, const ctn_json *before)
{
    int64_t adults = number_in(before, "adults"), children = number_in(before, "children");
    if (!l->says_children && children >= 0 && children <= INT_MAX) {
        if (l->adults > 0 && l->is_total && children < l->adults && adults < 0)
            l->adults -= (int) children; /* the children were named before: the total is all of them */
        l->children = (int) children;
    }
    if (l->adults < 0 && adults >= 0 && adults <= INT_MAX)
        l->adults = (int) adults;
    if (l->adults >= 0 && l->children < 0)
        l->children = 0;
}

static const ctn_json *merged_list(ctn_arena *arena, const ctn_json *before, const ctn_json *now)
{
    ctn_json_builder out = ctn_json_array(arena);
    for (size_t i = 0; i < ctn_json_count(before); i++)
        ctn_json_push(&out, ctn_json_at(before, i));
    for (size_t i = 0; i < ctn_json_count(now); i++)
        if (!ctn_json_has_text(before, ctn_json_text(ctn_json_at(now, i))))
            ctn_json_push(&out, ctn_json_at(now, i));
    return ctn_json_finish(&out);
}

/* The members of `now` that say something, over those of `before`. */
static ctn_json_builder over(ctn_arena *arena, const ctn_json *before, const ctn_json *now)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_all(&out, now); /* the order of ours */
    for (size_t i = 0; ctn_json_is(before, CTN_JSON_OBJECT) && i < before->count; i++) {
        ctn_str key = ctn_json_text(&before->members[i].key);
        if (ctn_json_is(ctn_json_get(now, key), CTN_JSON_NULL))
            ctn_json_put(&out, key, &before->members[i].value);
    }
    return out;
}

static int type_rank(ctn_str type)
{
    static const char *const types[] = {"leisure", "family", "group", "business", "honeymoon"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (ctn_str_is(type, types[i]))
            return (int) i;
    return -1;
}

static const ctn_json *merged_trip(lead *l, const ctn_json *before)
{
    merge_days(l, before);
    merge_people(l, before);
    int people = (l->adults > 0 ? l->adults : 0) + (l->children > 0 ? l->children : 0);
    ctn_str type = ctn_json_str_or(before, "trip_type", (ctn_str){NULL, 0}), derived = ctn_str_from(l->trip_type);
    if (type_rank(derived) < type_rank(CTN_STR("group")) && people >= 8)
        derived = CTN_STR("group");
    else if (type_rank(derived) < type_rank(CTN_STR("family")) && l->children > 0)
        derived = CTN_STR("family");
    const ctn_json *now = lead_trip_json(l), *destinations = ctn_json_member_of(before, "destinations");
    ctn_json_builder out = over(l->arena, before, now);
    /* days and month belong together: what was moved is not filled up from before */
    static const char *const days[] = {"start_date", "end_date", "nights", "month", "adults", "children"};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        ctn_json_put(&out, ctn_str_from(days[i]), ctn_json_member_of(now, days[i]));
    if (l->destination_count == 0 || lead_has(l->rules, MORE, lead_text_folded(&l->said)))
        ctn_json_put(&out, CTN_STR("destinations"),
                     merged_list(l->arena, destinations, ctn_json_member_of(now, "destinations")));
    ctn_json_put(&out, CTN_STR("interests"),
                 merged_list(l->arena, ctn_json_member_of(before, "interests"), ctn_json_member_of(now, "interests")));
    if (type_rank(derived) > type_rank(type))
        type = derived;
    ctn_json_put(&out, CTN_STR("trip_type"), type.len > 0 ? ctn_json_string(l->arena, type) : &ctn_json_null);
    return ctn_json_finish(&out);
}

/* A name that is known stays, unless the answer has it in a fuller form ("Tom", now "Tom Baker"). */
static const ctn_json *merged_client(lead *l, const ctn_json *before)
{
    ctn_str name = ctn_json_str_or(before, "name", (ctn_str){NULL, 0});
    if (name.len > 0 && (l->name.len <= name.len || ctn_str_find(l->name, name) == SIZE_MAX))
        l->name = name;
    ctn_json_builder out = over(l->arena, before, lead_client_json(l));
    return ctn_json_finish(&out);
}

/* A new sum without a currency, or without "each", is meant as before. */
static const ctn_json *merged_budget(lead *l, const ctn_json *before)
{
    ctn_json_builder out = over(l->arena, before, lead_budget_json(l));
    return ctn_json_finish(&out);
}

int travel_answer_merge(ctn_arena *arena, const travel_answer *answer, const ctn_json **ret_merged, ctn_err *err)
{
    if (answer->text.len > TRAVEL_LEAD_BYTES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "an answer of %zu bytes is too long, at most %zu are read", answer->text.len,
                        TRAVEL_LEAD_BYTES_MAX);
    reading *r = CTN_NEW(arena, reading);
    r->open = answer->asked ? answer->asked
                            : travel_missing_info(arena, answer->requirements, answer->client, answer->budget);
    lead_read(&r->said, arena, without_quoted(arena, answer->text), answer->received,
              ctn_json_str_or(answer->requirements, "origin", (ctn_str){NULL, 0}));
    take_bare_values(r);
    lead *l = &r->said;
    ctn_str text = lead_text_folded(&l->body);
    bool says_something = l->destination_count > 0 || l->start != TRAVEL_NO_DAY || l->adults > 0 || l->amount.len > 0 ||
                          l->origin || l->nights > 0;
    bool is_stop = lead_has(l->rules, STOP, text) || (!says_something && lead_has(l->rules, STOP_ALONE, text));
    static const ctn_json nothing = {.kind = CTN_JSON_OBJECT};
    const ctn_json *client = answer->client ? answer->client : &nothing,
                   *trip = answer->requirements ? answer->requirements : &nothing,
                   *budget = answer->budget ? answer->budget : &nothing;
    if (!is_stop) {
        trip = merged_trip(l, trip);
        client = merged_client(l, client);
        budget = merged_budget(l, budget);
    }
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put(&out, CTN_STR("client_info"), client);
    ctn_json_put(&out, CTN_STR("trip_requirements"), trip);
    ctn_json_put(&out, CTN_STR("budget_info"), budget);
    ctn_json_put(&out, CTN_STR("missing_info"), travel_missing_info(arena, trip, client, budget));
    ctn_json_put_bool(&out, "is_stop", is_stop);
    ctn_json_put_str(&out, "language", ctn_str_from(travel_language_code(l->language)));
    *ret_merged = ctn_json_finish(&out);
    return CTN_OK;
}
