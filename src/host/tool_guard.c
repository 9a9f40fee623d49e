/*
 * tool_guard.c -- see tool_guard.h.
 *
 * Pins are few and seldom change, so they are read whole, and again after each change of them.
 */
#include "host/tool_guard.h"
#include "base/memory.h"
#include "host/tool_pins.h"
#include <stdlib.h>

struct ctn_tool_guard {
    ctn_tool_guard_options of;
    ctn_engine *engine; /* NULL: not begun */
    ctn_names wanted;   /* the tools of the plans in use, pinned or not */
    ctn_arena *arena;   /* of the pins */
    ctn_tool_pin *pins;
    size_t count;
};

static void warn(const ctn_tool_guard *g, const char *what, const ctn_err *err)
{
    ctn_log_line(g->of.log, CTN_LOG_WARN, what, "why", err->message, NULL);
}

/* ---- holding and letting go ---- */

static void hold(const ctn_tool_guard *g, const ctn_tool_pin *pin)
{
    if (!g->engine)
        return;
    if (!pin->seen.len) {
        ctn_engine_hold(g->engine, pin->target, CTN_HOLD_NOTHING, (ctn_str){0});
        return;
    }
    ctn_changes changes = {.arena = ctn_arena_new(4096)};
    ctn_tool_pin_changes(pin, pin->seen, &changes);
    ctn_hold_kind kind = ctn_tool_hold(g->of.config, pin->target, ctn_changes_worst(&changes));
    ctn_engine_hold(g->engine, pin->target, kind, ctn_tool_change_told(changes.arena, pin->target, &changes));
    ctn_arena_free(changes.arena);
}

static void tell(const ctn_tool_guard *g, const ctn_tool_pin *pin)
{
    ctn_changes changes = {.arena = ctn_arena_new(4096)};
    ctn_tool_pin_changes(pin, pin->seen, &changes);
    ctn_change_class worst = ctn_changes_worst(&changes);
    ctn_hold_kind kind = ctn_tool_hold(g->of.config, pin->target, worst);
    static const char *const FOLLOWS[] = {"", "; executions of chains that use it are not begun",
                                          "; it is not called until then"};
    if (worst >= CTN_CHANGE_NARROWING) {
        ctn_str told = ctn_tool_change_told(changes.arena, pin->target, &changes);
        ctn_tell(g->of.teller, CTN_TELL_NEWS, "%.*s%s", CTN_STR_ARG(told), FOLLOWS[kind]);
    }
    ctn_arena_free(changes.arena);
}

typedef struct resuming {
    ctn_tool_guard *guard;
    ctn_str target;
    ctn_arena *arena;
    bool is_its; /* the last pause of the journal that is being read */
} resuming;

static int look_at_record(void *ctx, const ctn_record *record, int64_t position)
{
    resuming *r = ctx;
    const ctn_json *body = NULL;
    (void) position;
    if (record->kind != CTN_ENTRY_PAUSED)
        return 0;
    ctn_str start = ctn_arena_printf(r->arena, "the tool %.*s is not ", CTN_STR_ARG(r->target));
    r->is_its = ctn_str_is(record->actor, CTN_HOLD_ACTOR) &&
                ctn_json_parse(r->arena, record->body, NULL, &body, NULL) == CTN_OK &&
                ctn_str_starts_with(ctn_json_str_or(body, "reason", (ctn_str){0}), start);
    return 0;
}

static int look_at_paused(void *ctx, const ctn_execution_row *row)
{
    resuming *r = ctx;
    ctn_input resume = {.kind = CTN_IN_RESUME,
                        .actor = CTN_STR(CTN_HOLD_ACTOR),
                        .message =
                            ctn_arena_printf(r->arena, "the tool %.*s may be called again", CTN_STR_ARG(r->target))};
    r->is_its = false;
    if (!row->damage.len &&
        ctn_store_journal_read(r->guard->of.store, row->exec_no, 1, look_at_record, r, NULL) == CTN_OK && r->is_its)
        ctn_engine_input(r->guard->engine, row->id, &resume, NULL, NULL, NULL);
    return 0;
}

/* What was paused for it. If it is held by another tool too, it pauses again. */
static void resume_held(ctn_tool_guard *g, ctn_tool_pin *pin)
{
    if (!pin->owes_resume || pin->seen.len || !g->engine || !g->of.resumes)
        return;
    resuming r = {.guard = g, .target = pin->target, .arena = ctn_arena_new(4096)};
    ctn_execution_filter filter = {.by_status = true, .status = CTN_STATUS_PAUSED};
    ctn_err err = {0};
    pin->owes_resume = false;
    int rc = ctn_store_execution_list(g->of.store, &filter, look_at_paused, &r, &err);
    if (rc == CTN_OK)
        rc = ctn_store_tool_pin_put(g->of.store, pin, 1, &err);
    if (rc)
        warn(g, "what was paused for a tool cannot be resumed", &err);
    ctn_arena_free(r.arena);
}

/* ---- looking ---- */

static void note(ctn_tool_guard *g, ctn_tool_pin *pin, const ctn_tool_now *now)
{
    bool is_same = memcmp(&now->digest, &pin->digest, sizeof now->digest) == 0;
    ctn_str seen = is_same ? (ctn_str){0} : now->definition;
    if (ctn_str_equal(seen, pin->seen))
        return;
    ctn_clock clock = ctn_clock_system();
    ctn_err err = {0};
    pin->owes_resume = pin->owes_resume || pin->seen.len;
    pin->seen = ctn_arena_str(g->arena, seen);
    pin->seen_at_ms = seen.len ? ctn_clock_now_ms(&clock) : 0;
    if (ctn_store_tool_pin_put(g->of.store, pin, 1, &err))
        warn(g, "a change of a tool cannot be noted", &err);
    if (seen.len)
        tell(g, pin);
    hold(g, pin);
    resume_held(g, pin);
}

static int read_pins(ctn_tool_guard *g, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(16384);
    ctn_tool_pin *pins = NULL;
    size_t count = 0;
    int rc = ctn_tool_pins_read(g->of.store, arena, &pins, &count, err);
    if (rc) {
        ctn_arena_free(arena);
        return rc;
    }
    for (size_t i = 0; g->engine && i < g->count; i++) /* those that are gone let go of their tools */
        ctn_engine_hold(g->engine, g->pins[i].target, CTN_HOLD_NOTHING, (ctn_str){0});
    ctn_arena_free(g->arena);
    g->arena = arena;
    g->pins = pins;
    g->count = count;
    for (size_t i = 0; i < count; i++)
        hold(g, &pins[i]);
    return CTN_OK;
}

/* Whoever comes late (its server was not up) is pinned when it is listed at last. */
static void pin_wanted(ctn_tool_guard *g)
{
    ctn_err err = {0};
    size_t added = 0;
    int rc = ctn_tool_pins_add(g->of.store, g->of.servers, &g->wanted, g->pins, g->count, CTN_STR(CTN_HOLD_ACTOR),
                               &added, &err);
    if (rc == CTN_OK && added)
        rc = read_pins(g, &err);
    if (rc)
        warn(g, "the tools of a chain cannot be pinned", &err);
}

static bool is_of(const ctn_tool_pin *pin, ctn_str server)
{
    ctn_str rest = pin->target;
    return ctn_str_equal(ctn_str_cut(&rest, '/'), server);
}

static void on_listed(void *ctx, ctn_str server)
{
    ctn_tool_guard *g = ctx;
    ctn_arena *scratch = ctn_arena_new(4096);
    for (size_t i = 0; i < g->count; i++) {
        ctn_tool_now now;
        if (is_of(&g->pins[i], server) &&
            ctn_tool_now_of(g->of.servers, g->pins[i].target, &g->pins[i].digest, scratch, &now))
            note(g, &g->pins[i], &now);
    }
    ctn_arena_free(scratch);
    pin_wanted(g);
}

static void look_at_all(ctn_tool_guard *g)
{
    for (size_t i = 0; i < g->of.config->server_count; i++)
        on_listed(g, g->of.config->servers[i].name);
}

int ctn_tool_guard_reload(ctn_tool_guard *g, ctn_err *err)
{
    int rc = read_pins(g, err);
    if (rc)
        return rc;
    look_at_all(g);
    for (size_t i = 0; i < g->count; i++)
        resume_held(g, &g->pins[i]);
    return CTN_OK;
}

void ctn_tool_guard_plan_bound(void *ctx, const ctn_plan *plan)
{
    ctn_tool_guard *g = ctx;
    uint32_t count = g->wanted.count;
    ctn_tools_named(plan, &g->wanted);
    if (g->wanted.count > count)
        pin_wanted(g);
}

/* ---- life ---- */

int ctn_tool_guard_new(const ctn_tool_guard_options *options, ctn_tool_guard **ret_guard, ctn_err *err)
{
    ctn_tool_guard *g = ctn_malloc(sizeof *g);
    *g = (ctn_tool_guard){.of = *options};
    ctn_names_init(&g->wanted, ctn_arena_new(1024));
    int rc = read_pins(g, err);
    if (rc) {
        ctn_tool_guard_free(g);
        return rc;
    }
    ctn_mcp_when_listed(options->servers, on_listed, g);
    *ret_guard = g;
    return CTN_OK;
}

void ctn_tool_guard_begin(ctn_tool_guard *g, ctn_engine *engine)
{
    g->engine = engine;
    for (size_t i = 0; i < g->count; i++)
        hold(g, &g->pins[i]);
    look_at_all(g); /* servers that were up before */
    for (size_t i = 0; i < g->count; i++)
        resume_held(g, &g->pins[i]);
}

void ctn_tool_guard_free(ctn_tool_guard *g)
{
    if (!g)
        return;
    ctn_mcp_when_listed(g->of.servers, NULL, NULL);
    ctn_arena_free(g->wanted.arena);
    ctn_arena_free(g->arena);
    free(g);
}
