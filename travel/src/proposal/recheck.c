/*
 * recheck.c -- prices asked for again before anything is booked: see travel_prices_recheck in proposal.h.
 *
 * An offer is the same if its `same_as` is (tiers.c writes it): its flights with their days and times, fare and cabin;
 * a hotel's place, day, name and board. Ids are the provider's, and some give new ones in every answer.
 */
#include "proposal/phrases.h"
#include "proposal/proposal.h"

typedef struct checking {
    ctn_arena *arena;
    const travel_agency *agency;
    const travel_recheck *recheck;
    const char *currency;
    travel_language language;
    travel_cents net_before, net_now;
    bool is_gone;
    ctn_str text; /* of all differences */
    ctn_json_builder differences, offers;
} checking;

static const ctn_json *tier_named(const ctn_json *pricing_tiers, ctn_str key)
{
    const ctn_json *tiers = ctn_json_member_of(pricing_tiers, "tiers");
    for (size_t i = 0; i < ctn_json_count(tiers); i++)
        if (ctn_str_equal(ctn_json_str_or(ctn_json_at(tiers, i), "tier", CTN_STR("")), key))
            return ctn_json_at(tiers, i);
    return NULL;
}

/* The offer of a new answer that is the one from before, with its stay if it is a hotel; NULL: it is gone. */
static const ctn_json *find_again(const checking *c, const ctn_json *offer)
{
    ctn_str same_as = ctn_json_str_or(offer, "same_as", CTN_STR(""));
    const ctn_json *flights = ctn_json_member_of(c->recheck->request.flights, "offers"),
                   *stays = ctn_json_member_of(c->recheck->request.hotels, "stays");
    for (size_t i = 0; i < ctn_json_count(flights); i++)
        if (ctn_str_equal(same_as, travel_flight_same_as(c->arena, ctn_json_at(flights, i))))
            return ctn_json_at(flights, i);
    for (size_t i = 0; i < ctn_json_count(stays); i++) {
        const ctn_json *stay = ctn_json_at(stays, i), *hotels = ctn_json_member_of(stay, "hotels");
        for (size_t h = 0; h < ctn_json_count(hotels); h++)
            if (ctn_str_equal(same_as, travel_hotel_same_as(c->arena, stay, ctn_json_at(hotels, h))))
                return ctn_json_at(hotels, h);
    }
    return NULL;
}

static void tell(checking *c, ctn_str what, travel_cents before, const travel_cents *now)
{
    ctn_json_builder out = ctn_json_object(c->arena);
    ctn_str money_before = travel_money_shown(c->arena, before, c->currency, c->language), none = {NULL, 0};
    ctn_str sentence = travel_phrase_filled(c->arena, c->agency, "gone", c->language, what, none);
    if (now)
        sentence =
            ctn_arena_printf(c->arena, "%.*s%.*s %.*s → %.*s", CTN_STR_ARG(what),
                             CTN_STR_ARG(travel_phrase_of(c->agency, "colon", c->language)), CTN_STR_ARG(money_before),
                             CTN_STR_ARG(travel_money_shown(c->arena, *now, c->currency, c->language)));
    ctn_json_put_str(&out, "what", what);
    ctn_json_put_str(&out, "before", travel_cents_text(c->arena, before));
    ctn_json_put_str(&out, "after", now ? travel_cents_text(c->arena, *now) : CTN_STR(""));
    ctn_json_put_str(&out, "by", now ? travel_cents_text(c->arena, *now - before) : CTN_STR(""));
    ctn_json_put_str(&out, "text", sentence);
    ctn_json_push(&c->differences, ctn_json_finish(&out));
    ctn_str joined[] = {c->text, c->text.len ? CTN_STR("; ") : c->text, sentence};
    c->text = ctn_arena_join(c->arena, joined, 3);
}

static ctn_str name_of(const checking *c, const ctn_json *offer)
{
    if (ctn_str_is(ctn_json_str_or(offer, "kind", CTN_STR("")), "flight"))
        return travel_phrase_of(c->agency, "line_flights", c->language);
    return ctn_json_str_or(offer, "name", travel_phrase_of(c->agency, "hotel", c->language));
}

/* The offer as it was, with id, price and deadline as they are now. */
static void keep_offer(checking *c, const ctn_json *before, const ctn_json *now)
{
    static const char *const fresh[] = {"offer_id", "hotel_id", "total", "expires_at"};
    ctn_json_builder out = ctn_json_object(c->arena);
    ctn_json_put_all(&out, before);
    for (size_t i = 0; i < sizeof fresh / sizeof *fresh; i++)
        if (ctn_json_member_of(now, fresh[i]))
            ctn_json_put(&out, ctn_str_from(fresh[i]), ctn_json_member_of(now, fresh[i]));
    ctn_json_push(&c->offers, ctn_json_finish(&out));
}

static int compare(checking *c, const ctn_json *offers, ctn_err *err)
{
    for (size_t i = 0; i < ctn_json_count(offers); i++) {
        const ctn_json *offer = ctn_json_at(offers, i), *again = find_again(c, offer);
        travel_cents before, now = 0;
        if (!travel_cents_parse(ctn_json_str_or(offer, "total", CTN_STR("")), &before))
            return ctn_fail(err, CTN_E_INVALID, "offers[%zu].total must be an amount such as \"1234.50\"", i);
        if (again && !travel_cents_parse(ctn_json_str_or(again, "total", CTN_STR("")), &now))
            return ctn_fail(err, CTN_E_INVALID, "a search answer has an offer without a total");
        c->net_before += before;
        c->net_now += now;
        c->is_gone = c->is_gone || !again;
        if (!again || now != before)
            tell(c, name_of(c, offer), before, again ? &now : NULL);
        if (again)
            keep_offer(c, offer, again);
    }
    return CTN_OK;
}

static bool is_tolerable(const checking *c, const travel_pricing_rules *rules, travel_cents amount)
{
    travel_cents by = c->net_now > c->net_before ? c->net_now - c->net_before : c->net_before - c->net_now;
    travel_cents percent = travel_percent_of(c->net_before, rules->tolerance_percent);
    return !c->is_gone && by <= (amount > percent ? amount : percent);
}

/* The ids that stand outside `offers` too, for who books by them: the flight's, and each stay's. */
static void put_ids(checking *c, const ctn_json *tier, const ctn_json *offers, ctn_json_builder *out)
{
    const ctn_json *stays = ctn_json_member_of(tier, "stays");
    ctn_json_builder fresh = ctn_json_array(c->arena);
    size_t stay = 0;
    for (size_t i = 0; i < ctn_json_count(offers); i++) {
        const ctn_json *offer = ctn_json_at(offers, i);
        if (ctn_str_is(ctn_json_str_or(offer, "kind", CTN_STR("")), "flight")) {
            ctn_json_put(out, CTN_STR("offer_id"), ctn_json_member_of(offer, "offer_id"));
            continue;
        }
        ctn_json_builder item = ctn_json_object(c->arena);
        ctn_json_put_all(&item, ctn_json_at(stays, stay++));
        ctn_json_put(&item, CTN_STR("hotel_id"), ctn_json_member_of(offer, "hotel_id"));
        ctn_json_push(&fresh, ctn_json_finish(&item));
    }
    ctn_json_put(out, CTN_STR("stays"), ctn_json_finish(&fresh));
}

/* The tier at its old price: what its offers cost more or less now is ours. */
static const ctn_json *honoured(checking *c, const ctn_json *tier)
{
    ctn_json_builder out = ctn_json_object(c->arena);
    travel_cents markup = 0;
    (void) travel_cents_parse(ctn_json_str_or(tier, "markup", CTN_STR("0")), &markup);
    markup += c->net_before - c->net_now;
    ctn_json_put_all(&out, tier);
    const ctn_json *offers = ctn_json_finish(&c->offers);
    ctn_json_put(&out, CTN_STR("offers"), offers);
    put_ids(c, tier, offers, &out);
    ctn_json_put_str(&out, "net", travel_cents_text(c->arena, c->net_now));
    ctn_json_put_str(&out, "markup", travel_cents_text(c->arena, markup));
    return ctn_json_finish(&out);
}

int travel_prices_recheck(ctn_arena *arena, const travel_agency *agency, const travel_pricing_rules *rules,
                          const travel_recheck *recheck, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *tier = tier_named(recheck->before, recheck->tier);
    travel_pricing pricing;
    travel_cents tolerance = 0;
    if (!tier)
        return ctn_fail(err, CTN_E_INVALID, "the proposal has no tier \"%.*s\": say good, better or best",
                        (int) (recheck->tier.len > 40 ? 40 : recheck->tier.len),
                        recheck->tier.len ? recheck->tier.ptr : "");
    int rc = travel_price(arena, &recheck->request, rules, &pricing, err);
    if (rc)
        return rc;
    checking c = {.arena = arena,
                  .agency = agency,
                  .recheck = recheck,
                  .currency = pricing.trip.currency,
                  .language = recheck->desk,
                  .differences = ctn_json_array(arena),
                  .offers = ctn_json_array(arena)};
    if (!ctn_str_is(ctn_json_str_or(tier, "currency", CTN_STR("")), c.currency))
        return ctn_fail(err, CTN_E_INVALID, "the tier is in another currency than the search: search again in its own");
    rc = compare(&c, ctn_json_member_of(tier, "offers"), err);
    if (!rc)
        rc = travel_pricing_convert(rules, rules->tolerance_amount, c.currency, &tolerance, err);
    if (rc)
        return rc;
    bool is_changed = !is_tolerable(&c, rules, tolerance);
    static const ctn_json nothing = {.kind = CTN_JSON_OBJECT};
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_bool(&out, "changed", is_changed);
    ctn_json_put(&out, CTN_STR("differences"), ctn_json_finish(&c.differences));
    ctn_json_put_str(&out, "differences_text", c.text);
    ctn_json_put(&out, CTN_STR("accepted"), is_changed ? &nothing : honoured(&c, tier));
    ctn_json_put(&out, CTN_STR("pricing_tiers"),
                 is_changed ? travel_tiers_shown(arena, agency, &recheck->request, &pricing) : recheck->before);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}
