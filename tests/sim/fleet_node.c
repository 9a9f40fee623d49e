/*
 * fleet_node.c -- lives of nodes in a fleet's world: their clocks, their birth, death and stops.
 *
 * A node that is stopped in the middle of a turn goes on with the rest of the turn in the same call, for an engine
 * cannot be left halfway; but its own time is then that of its waking (fleet_at_ms): what it sends leaves then, and its
 * clocks say so.
 */
#include "sim/fleet_state.h"

int64_t fleet_at_ms(const life *l)
{
    return l->stopped_until_ms > l->w->now_ms ? l->stopped_until_ms : l->w->now_ms;
}

int64_t fleet_boot_ms(const life *l)
{
    const node *n = &l->w->nodes[l->node];
    int64_t passed_ms = fleet_at_ms(l) - l->w->began_at_ms;
    return n->boot_base_ms + passed_ms + passed_ms * n->pace_ppm / 1000000;
}

int64_t fleet_after_ms(const life *l, int64_t boot_ms)
{
    return boot_ms <= 0 ? 0 : boot_ms * 1000000 / (1000000 + l->w->nodes[l->node].pace_ppm) + 1;
}

int64_t fleet_wall_ms(const life *l)
{
    return fleet_at_ms(l) + l->w->nodes[l->node].skew_ms;
}

bool fleet_link_is_cut(const life *l)
{
    return l->w->nodes[l->node].cut_until_ms > l->w->now_ms;
}

/* ---- what the engine asks its node ---- */

static int64_t now(void *ctx)
{
    return fleet_wall_ms(ctx);
}

static void on_wake(void *ctx)
{
    ((life *) ctx)->needs_turn = true;
}

static uint64_t epoch_of(void *ctx, uint32_t shard)
{
    return ((const life *) ctx)->epochs[shard];
}

static bool was_crash(void *ctx, uint32_t shard)
{
    return ((const life *) ctx)->was_crash[shard];
}

static int64_t left_ms(void *ctx, uint32_t shard)
{
    const life *l = ctx;
    int64_t left = l->epochs[shard] ? l->lease_until_boot_ms - fleet_boot_ms(l) : 0;
    if (CTN_PLANT(LEASE_BY_WALL_CLOCK))
        left = l->epochs[shard] ? l->lease_until_wall_ms - fleet_wall_ms(l) : 0;
    if (left <= SEND_MS)
        COUNT(l->w, FLEET_HELD_BACK);
    return left > 0 ? left : 0;
}

/* ---- birth ---- */

static bool new_engine(life *l, ctn_err *err)
{
    fleet *w = l->w;
    l->leases =
        (ctn_leases){.ctx = l, .epoch = epoch_of, .was_crash = was_crash, .left_ms = left_ms, .send_ms = SEND_MS};
    const ctn_json *labels = NULL;
    (void) ctn_json_parse(w->arena, l->has_label ? CTN_STR("{\"gpu\":true}") : CTN_STR("{}"), NULL, &labels, NULL);
    ctn_engine_options o = {
        .labels = labels,
        .store = faulty_store_handle(l->link),
        .leases = &l->leases,
        .clock = {.now_ms = now, .ctx = l},
        .seed = w->o.seed ^ ((uint64_t) l->number << 32),
        .id_rng = ctn_rng_seeded(&w->of_ids),
        .writer = {.ctx = l, .submit = fleet_submit, .strands = (uint32_t) chance_between(&w->of_links, 1, 3)},
        .drivers = l->drivers,
        .driver_count = 2,
        .plans = (const ctn_plan *const *) w->plans,
        .plan_count = (size_t) w->chain_count,
        .rules = {.retry_interrupted = w->retries_interrupted},
        .wake = on_wake,
        .wake_ctx = l,
    };
    if (w->has_families)
        fleet_family_options(l, &o);
    int rc = ctn_engine_new(&o, &l->engine, err);
    return rc == CTN_OK;
}

void fleet_birth(fleet *w, int number)
{
    ctn_err err = {0};
    life *l = CTN_NEW(w->arena, life);
    *l = (life){.w = w, .node = number, .number = (int) w->life_count + 1, .needs_turn = true};
    l->has_label = number == 0 || chance_percent(&w->of_labels, 30);
    w->lives = ctn_array_room(w->lives, w->life_count, &w->life_capacity, sizeof *w->lives);
    w->lives[w->life_count++] = l;
    w->nodes[number].life = l;
    l->beat_arena = ctn_arena_new(4096);
    if (ctn_store_open(w->url, CTN_STORE_CREATE, &l->inner, &err)) {
        BROKEN(w, "no handle on the store: %s", err.message);
        return;
    }
    l->link = faulty_store_new(l->inner, &w->of_links, &l->link_fails);
    fleet_tools_init(l);
    if (!new_engine(l, &err)) {
        BROKEN(w, "the engine of node %d does not come up: %s", number, err.message);
        return;
    }
    fleet_trace(w, "node %d comes up, life %d", number, l->number);
    fleet_look(l);
}

/* ---- death, and what is like it ---- */

void fleet_kill(life *l, const char *where)
{
    fleet *w = l->w;
    if (l->is_dead)
        return;
    COUNT(w, FLEET_KILLS);
    fleet_trace(w, "node %d is killed %s", l->node, where);
    fleet_gone(l);
}

void fleet_gone(life *l)
{
    fleet *w = l->w;
    l->is_dead = true;
    w->nodes[l->node].life = NULL;
    fleet_tools_end(l);
    fleet_event(w, EVENT_BIRTH, NULL, w->now_ms + 1 + (int64_t) chance_below(&w->of_nodes, w->is_calm ? 100 : 4000))
        ->node = l->node;
}

void fleet_stop(life *l, int64_t ms, const char *where)
{
    if (l->is_dead)
        return;
    fleet_trace(l->w, "node %d is stopped for %lld ms %s", l->node, (long long) ms, where);
    l->stopped_until_ms = fleet_at_ms(l) + ms;
}

void fleet_turn(life *l)
{
    fleet *w = l->w;
    l->needs_turn = false;
    l->link_fails = fleet_link_is_cut(l) ? 100 : 0;
    fleet_hear_answers(l);
    int64_t wake_at_ms = ctn_engine_turn(l->engine);
    if (!l->is_dead)
        fleet_draining(l);
    for (size_t i = 0; i < w->event_count;)
        if (w->events[i].kind == EVENT_TURN && w->events[i].l == l)
            w->events[i] = w->events[--w->event_count];
        else
            i++;
    if (l->is_dead || (!wake_at_ms && !l->needs_turn))
        return;
    int64_t at_ms = l->needs_turn ? fleet_at_ms(l) : wake_at_ms - w->nodes[l->node].skew_ms;
    fleet_event(w, EVENT_TURN, l, at_ms > w->now_ms ? at_ms : w->now_ms + !l->needs_turn);
}
