/*
 * tool_pins.c -- see tool_pins.h.
 */
#include "host/tool_pins.h"
#include "base/text.h"
#include "host/config_servers.h"

#define DEFINITION_BYTES_MAX ((size_t) 1 << 20) /* a larger one is kept as its digest alone */
#define TOLD_MAX             3                  /* changes in a sentence */
#define DEPTH_MAX            32
#define GONE                 "null"
#define TOO_LARGE            "\"too large\""

/* ---- which tools ---- */

/* Definitions are JSON; wherever they call a tool, the key says so. What is no call and looks like one names a tool
 * that nobody lists, mostly, and else one tool too many is looked after. */
static void note_tools(const ctn_json *v, ctn_arena *keep, ctn_names *targets, int depth)
{
    if (depth > DEPTH_MAX)
        return;
    for (size_t i = 0; ctn_json_is(v, CTN_JSON_ARRAY) && i < v->count; i++)
        note_tools(&v->items[i], keep, targets, depth + 1);
    for (size_t i = 0; ctn_json_is(v, CTN_JSON_OBJECT) && i < v->count; i++) {
        ctn_str text = ctn_json_text(&v->members[i].value);
        bool is_target = ctn_json_is(&v->members[i].value, CTN_JSON_STRING) && memchr(text.ptr, '/', text.len);
        if (is_target && ctn_str_is(ctn_json_text(&v->members[i].key), "tool") &&
            ctn_names_find(targets, text) == CTN_NAMES_NONE)
            (void) ctn_names_add(targets, ctn_arena_str(keep, text));
        note_tools(&v->members[i].value, keep, targets, depth + 1);
    }
}

void ctn_tools_named(const ctn_plan *plan, ctn_names *targets)
{
    ctn_arena *arena = ctn_arena_new(16384);
    for (uint32_t i = 0; i < plan->definition_count; i++) {
        const ctn_json *body = NULL;
        if (ctn_str_is(plan->definitions[i].kind, "instruction_set") &&
            ctn_json_parse(arena, plan->definitions[i].body, NULL, &body, NULL) == CTN_OK)
            note_tools(body, targets->arena, targets, 0);
    }
    ctn_arena_free(arena);
}

/* ---- pins ---- */

typedef struct pins {
    ctn_arena *arena;
    ctn_tool_pin *items;
    size_t count, capacity;
} pins;

static int keep_pin(void *ctx, const ctn_tool_pin *pin)
{
    pins *p = ctx;
    p->items = ctn_arena_room(p->arena, p->items, p->count, &p->capacity, sizeof *p->items);
    ctn_tool_pin *kept = &p->items[p->count++];
    *kept = *pin;
    kept->target = ctn_arena_str(p->arena, pin->target);
    kept->definition = ctn_arena_str(p->arena, pin->definition);
    kept->pinned_by = ctn_arena_str(p->arena, pin->pinned_by);
    kept->seen = ctn_arena_str(p->arena, pin->seen);
    return 0;
}

int ctn_tool_pins_read(ctn_store *store, ctn_arena *arena, ctn_tool_pin **ret_pins, size_t *ret_count, ctn_err *err)
{
    pins p = {.arena = arena};
    int rc = ctn_store_tool_pin_list(store, keep_pin, &p, err);
    if (rc)
        return rc;
    *ret_pins = p.items;
    *ret_count = p.count;
    return CTN_OK;
}

static ctn_tool_now now_at(const ctn_mcp_tool *tools, size_t count, ctn_str name, ctn_arena *arena)
{
    ctn_tool_now now = {.definition = CTN_STR(GONE)};
    size_t i = 0;
    while (i < count && !ctn_str_equal(tools[i].name, name))
        i++;
    if (i == count)
        return now;
    ctn_arena *scratch = ctn_arena_new(4096);
    ctn_buf text;
    ctn_buf_init(&text, 2 * (size_t) CTN_RPC_LINE_BYTES_MAX);
    ctn_json_write_canonical(&text, ctn_mcp_definition(scratch, &tools[i]));
    now.is_listed = true;
    now.digest = ctn_hash(ctn_buf_str(&text));
    bool is_kept = text.len <= DEFINITION_BYTES_MAX;
    now.definition = is_kept ? ctn_arena_str(arena, ctn_buf_str(&text)) : CTN_STR(TOO_LARGE);
    ctn_buf_done(&text);
    ctn_arena_free(scratch);
    return now;
}

bool ctn_tool_now_of(const ctn_mcp_driver *servers, ctn_str target, const ctn_digest *pinned, ctn_arena *arena,
                     ctn_tool_now *ret_now)
{
    ctn_str tool = target, server = ctn_str_cut(&tool, '/');
    ctn_mcp_instance_state state;
    bool is_known = false;
    for (size_t i = 0; ctn_mcp_instance(servers, server, i, &state); i++) {
        size_t count = 0;
        const ctn_mcp_tool *tools = ctn_mcp_tools_of(servers, server, i, &count);
        if (count == 0)
            continue;
        *ret_now = now_at(tools, count, tool, arena);
        is_known = true;
        if (pinned && memcmp(&ret_now->digest, pinned, sizeof *pinned) != 0)
            break;
    }
    return is_known;
}

ctn_tool_pin ctn_tool_pin_of(ctn_str target, const ctn_tool_now *now, int64_t at_ms, ctn_str by)
{
    return (ctn_tool_pin){
        .target = target, .digest = now->digest, .definition = now->definition, .pinned_at_ms = at_ms, .pinned_by = by};
}

static bool is_pinned(const ctn_tool_pin *list, size_t count, ctn_str target)
{
    for (size_t i = 0; i < count; i++)
        if (ctn_str_equal(list[i].target, target))
            return true;
    return false;
}

int ctn_tool_pins_add(ctn_store *store, const ctn_mcp_driver *servers, const ctn_names *targets,
                      const ctn_tool_pin *list, size_t count, ctn_str by, size_t *ret_count, ctn_err *err)
{
    ctn_clock clock = ctn_clock_system();
    ctn_arena *arena = ctn_arena_new(16384);
    ctn_tool_pin *added = CTN_NEW_ARRAY(arena, ctn_tool_pin, targets->count);
    size_t n = 0;
    for (uint32_t i = 0; i < targets->count; i++) {
        ctn_tool_now now;
        if (!is_pinned(list, count, targets->items[i]) &&
            ctn_tool_now_of(servers, targets->items[i], NULL, arena, &now) && now.is_listed)
            added[n++] = ctn_tool_pin_of(targets->items[i], &now, ctn_clock_now_ms(&clock), by);
    }
    int rc = n ? ctn_store_tool_pin_put(store, added, n, err) : CTN_OK;
    if (rc == CTN_OK)
        *ret_count = n;
    ctn_arena_free(arena);
    return rc;
}

/* ---- changes ---- */

void ctn_tool_pin_changes(const ctn_tool_pin *pin, ctn_str now, ctn_changes *changes)
{
    const ctn_json *from = NULL, *to = NULL;
    (void) ctn_json_parse(changes->arena, pin->definition, NULL, &from, NULL);
    (void) ctn_json_parse(changes->arena, now, NULL, &to, NULL);
    ctn_mcp_definition_changes(changes, from, to);
}

ctn_hold_kind ctn_tool_hold(const ctn_config *config, ctn_str target, ctn_change_class class_)
{
    ctn_str tool = target;
    const ctn_config_server *server = ctn_config_server_of(config, ctn_str_cut(&tool, '/'));
    if (class_ < CTN_CHANGE_NARROWING || !server)
        return CTN_HOLD_NOTHING;
    switch (server->on_tool_change) {
    case CTN_TOOL_CHANGE_HOLDS_NEW: return CTN_HOLD_NEW;
    case CTN_TOOL_CHANGE_HOLDS_ALL: return CTN_HOLD_ALL;
    case CTN_TOOL_CHANGE_GOES_ON: break;
    }
    return CTN_HOLD_NOTHING;
}

ctn_str ctn_tool_change_told(ctn_arena *arena, ctn_str target, const ctn_changes *changes)
{
    ctn_change_class worst = ctn_changes_worst(changes);
    ctn_buf text;
    ctn_buf_init(&text, 4096);
    ctn_str name = ctn_text_clean(arena, target, 200);
    ctn_buf_printf(&text, "the tool %.*s is not what it was when it was pinned (%s): ", CTN_STR_ARG(name),
                   ctn_change_class_name(worst));
    size_t told = 0;
    for (int class_ = (int) worst; class_ >= CTN_CHANGE_NARROWING; class_--)
        for (size_t i = 0; i < changes->count && told < TOLD_MAX; i++)
            if ((int) changes->items[i].class_ == class_)
                ctn_buf_printf(&text, "%s%.*s", told++ ? "; " : "",
                               CTN_STR_ARG(ctn_text_clean(arena, changes->items[i].sentence, 200)));
    ctn_buf_printf(&text, ". See `catena tools diff %.*s`; `catena tools accept %.*s` takes it as it is now",
                   CTN_STR_ARG(name), CTN_STR_ARG(name));
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}
