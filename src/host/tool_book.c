/*
 * tool_book.c -- see tool_book.h.
 */
#include "host/tool_book.h"
#include "base/names.h"
#include "host/config_servers.h"
#include "host/observed.h"
#include <assert.h>

#define PATIENCE_MS 1500 /* after which people are told what takes so long */

typedef struct server {
    ctn_tool_book *book;
    const ctn_config_server *config;
    const char *fault; /* NULL: it answered */
    ctn_check_tool *tools;
    ctn_effect *effects;
    ctn_str *names;
    size_t tool_count;
} server;

struct ctn_tool_book {
    ctn_host *host;
    const ctn_workspace *ws;
    ctn_names targets; /* "server/tool" that are named */
    ctn_names reached; /* sets and chains that were looked at: "set NAME", "chain ID" */
    server *servers;
    size_t server_count;
    size_t open; /* that have not answered yet */
};

/* ---- which tools are named ---- */

static void note_chain(ctn_tool_book *book, const ctn_chain *chain);

static bool note(ctn_tool_book *book, const char *what, ctn_str name)
{
    uint32_t known = book->reached.count;
    ctn_str key = ctn_arena_printf(book->ws->arena, "%s %.*s", what, CTN_STR_ARG(name));
    return ctn_names_add(&book->reached, key) == known;
}

static void note_work(ctn_tool_book *book, const ctn_work *work)
{
    if (work->kind == CTN_WORK_TOOL)
        (void) ctn_names_add(&book->targets, ctn_json_text(work->detail));
    else if (work->kind == CTN_WORK_CHAIN)
        note_chain(book, ctn_library_chain(book->ws->config->library, ctn_json_text(work->detail)));
}

static void note_set(ctn_tool_book *book, const ctn_instruction_set *set)
{
    if (!set || !note(book, "set", set->name))
        return;
    note_work(book, &set->work);
    for (uint32_t i = 0; i < set->call_count; i++)
        note_work(book, &set->calls[i]);
    if (set->check)
        note_work(book, set->check);
}

static void note_named_set(ctn_tool_book *book, const ctn_json *name)
{
    if (name)
        note_set(book, ctn_library_set(book->ws->config->library, ctn_json_text(name)));
}

static void note_chain(ctn_tool_book *book, const ctn_chain *chain)
{
    if (!chain || !note(book, "chain", chain->id))
        return;
    for (uint32_t i = 0; i < chain->step_count; i++) {
        const ctn_chain_step *step = &chain->steps[i];
        note_named_set(book, step->instruction_set);
        note_named_set(book, step->rollback_action);
        for (uint32_t f = 0; f < step->fallback_count; f++)
            note_named_set(book, step->fallbacks[f].instruction_set);
    }
}

static bool is_checked(const ctn_source *source, const ctn_source *const *sources, size_t count)
{
    for (size_t i = 0; sources && i < count; i++)
        if (sources[i] == source)
            return true;
    return !sources;
}

/* ---- asking ---- */

static void on_ready(void *ctx, int code, const char *why)
{
    server *s = ctx;
    s->book->open--;
    if (code)
        s->fault = ctn_arena_str(s->book->ws->arena, ctn_str_from(why)).ptr;
}

static bool all_told(void *ctx)
{
    return ((ctn_tool_book *) ctx)->open == 0;
}

static void on_impatience(void *ctx)
{
    ctn_tool_book *book = ctx;
    for (size_t i = 0; i < book->server_count; i++)
        if (!book->servers[i].fault)
            ctn_tell(ctn_host_teller(book->host), CTN_TELL_NEWS, "asking server %.*s for its tools",
                     CTN_STR_ARG(book->servers[i].config->name));
}

static void keep_tools(server *s, const ctn_mcp_driver *driver)
{
    ctn_arena *arena = s->book->ws->arena;
    size_t count = 0;
    const ctn_mcp_tool *tools = ctn_mcp_tools(driver, s->config->name, &count);
    s->tools = CTN_NEW_ARRAY(arena, ctn_check_tool, count);
    s->effects = CTN_NEW_ARRAY(arena, ctn_effect, count);
    s->names = CTN_NEW_ARRAY(arena, ctn_str, count);
    s->tool_count = count;
    for (size_t i = 0; i < count; i++) {
        s->names[i] = ctn_arena_str(arena, tools[i].name);
        if (tools[i].input_schema)
            s->tools[i].input_schema = ctn_json_copy(arena, tools[i].input_schema);
        if (tools[i].output_schema)
            s->tools[i].output_schema = ctn_json_copy(arena, tools[i].output_schema);
        s->tools[i].is_closed_world = s->config->driver.is_trusted && !tools[i].hints.is_open_world;
        ctn_str target = ctn_arena_printf(arena, "%.*s/%.*s", CTN_STR_ARG(s->config->name), CTN_STR_ARG(tools[i].name));
        s->effects[i] = ctn_mcp_effect(driver, target, NULL);
    }
}

static int ask(ctn_tool_book *book, ctn_err *err)
{
    ctn_host *host = book->host;
    ctn_drivers *drivers;
    int rc = ctn_host_drivers(host, &drivers, err);
    if (rc)
        return rc;
    ctn_timer *timer = ctn_timer_new(ctn_host_loop(host), on_impatience, book);
    ctn_timer_set(timer, ctn_loop_now_ms(ctn_host_loop(host)) + PATIENCE_MS);
    for (size_t i = 0; i < book->server_count; i++) {
        server *s = &book->servers[i];
        if (s->fault)
            continue;
        book->open++;
        ctn_drivers_ready(drivers, s->config->name, on_ready, s);
    }
    if (book->open && !ctn_host_run(host, all_told, book))
        rc = ctn_fail(err, CTN_E_CLOSED, "interrupted while servers were asked for their tools");
    for (size_t i = 0; rc == CTN_OK && i < book->server_count; i++)
        if (!book->servers[i].fault)
            keep_tools(&book->servers[i], ctn_drivers_tools(drivers));
    ctn_timer_free(timer);
    return rc;
}

static const server *server_of(const ctn_tool_book *book, ctn_str name)
{
    for (size_t i = 0; i < book->server_count; i++)
        if (ctn_str_equal(book->servers[i].config->name, name))
            return &book->servers[i];
    return NULL;
}

static size_t find_tool(const server *s, ctn_str name)
{
    for (size_t i = 0; s && i < s->tool_count; i++)
        if (ctn_str_equal(s->names[i], name))
            return i;
    return SIZE_MAX;
}

/* Of named tools that declare no output: what they answered before. */
static void fill_in(ctn_tool_book *book)
{
    ctn_arena *arena = book->ws->arena;
    ctn_str *targets = CTN_NEW_ARRAY(arena, ctn_str, book->targets.count);
    ctn_check_tool **tools = CTN_NEW_ARRAY(arena, ctn_check_tool *, book->targets.count);
    ctn_observed *observed = CTN_NEW_ARRAY(arena, ctn_observed, book->targets.count);
    size_t count = 0;
    for (uint32_t i = 0; i < book->targets.count; i++) {
        ctn_str tool = book->targets.items[i], name = ctn_str_cut(&tool, '/');
        const server *s = server_of(book, name);
        size_t number = find_tool(s, tool);
        if (number == SIZE_MAX || s->tools[number].output_schema)
            continue;
        targets[count] = book->targets.items[i];
        tools[count++] = &s->tools[number];
    }
    ctn_observed_read(book->ws, targets, count, observed);
    for (size_t i = 0; i < count; i++) {
        tools[i]->observed = observed[i].whole;
        tools[i]->observed_parts = observed[i].parts;
    }
}

int ctn_tool_book_ask(ctn_host *host, const ctn_source *const *sources, size_t source_count, ctn_tool_book **ret_book,
                      ctn_err *err)
{
    const ctn_workspace *ws = ctn_host_workspace(host);
    ctn_tool_book *book = CTN_NEW(ws->arena, ctn_tool_book);
    *book = (ctn_tool_book){.host = host, .ws = ws};
    ctn_names_init(&book->targets, ws->arena);
    ctn_names_init(&book->reached, ws->arena);
    const ctn_library *library = ws->config->library;
    for (size_t i = 0; i < ctn_library_entry_count(library); i++) {
        ctn_library_entry entry = ctn_library_entry_at(library, i);
        if (!is_checked(entry.source, sources, source_count))
            continue;
        note_set(book, entry.set);
        note_chain(book, entry.chain);
    }
    book->servers = CTN_NEW_ARRAY(ws->arena, server, ws->config->server_count);
    for (size_t i = 0; i < ws->config->server_count; i++) {
        const ctn_config_server *config = &ws->config->servers[i];
        bool is_named = false;
        for (uint32_t k = 0; k < book->targets.count; k++) {
            ctn_str rest = book->targets.items[k];
            is_named |= ctn_str_equal(ctn_str_cut(&rest, '/'), config->name);
        }
        if (!is_named)
            continue;
        server *s = &book->servers[book->server_count++];
        *s = (server){.book = book, .config = config};
        s->fault = ctn_config_server_refusal(config, ws->arena);
    }
    int rc = book->server_count ? ask(book, err) : CTN_OK;
    if (rc)
        return rc;
    fill_in(book);
    *ret_book = book;
    return CTN_OK;
}

/* ---- answering ---- */

static void say_no_server(const ctn_tool_book *book, ctn_str name, ctn_str tool, ctn_check_tool *ret_tool)
{
    ctn_arena *arena = book->ws->arena;
    const ctn_config *config = book->ws->config;
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, config->server_count);
    for (size_t i = 0; i < config->server_count; i++)
        names[i] = config->servers[i].name;
    ret_tool->fault = ctn_arena_printf(arena, "there is no server '%.*s' in the configuration; %.*s", CTN_STR_ARG(name),
                                       CTN_STR_ARG(ctn_suggest(arena, name, names, config->server_count)));
    ctn_str meant = ctn_str_nearest_only(name, names, config->server_count);
    if (meant.len)
        ret_tool->meant = ctn_arena_printf(arena, "%.*s/%.*s", CTN_STR_ARG(meant), CTN_STR_ARG(tool));
}

bool ctn_tool_book_tool(void *ctx, ctn_str target, ctn_check_tool *ret_tool)
{
    const ctn_tool_book *book = ctx;
    ctn_arena *arena = book->ws->arena;
    ctn_str tool = target, name = ctn_str_cut(&tool, '/');
    const server *s = server_of(book, name);
    size_t i = find_tool(s, tool);
    *ret_tool = (ctn_check_tool){0};
    if (i != SIZE_MAX)
        *ret_tool = s->tools[i];
    else if (!s)
        say_no_server(book, name, tool, ret_tool);
    else if (s->fault)
        ret_tool->fault =
            ctn_arena_printf(arena, "server '%.*s' could not be asked for its tools: %s", CTN_STR_ARG(name), s->fault);
    else {
        ret_tool->fault =
            ctn_arena_printf(arena, "server '%.*s' has no tool '%.*s'; %.*s", CTN_STR_ARG(name), CTN_STR_ARG(tool),
                             CTN_STR_ARG(ctn_suggest(arena, tool, s->names, s->tool_count)));
        ctn_str meant = ctn_str_nearest_only(tool, s->names, s->tool_count);
        if (meant.len)
            ret_tool->meant = ctn_arena_printf(arena, "%.*s/%.*s", CTN_STR_ARG(name), CTN_STR_ARG(meant));
    }
    return true;
}

ctn_effect ctn_tool_book_effect(void *ctx, const char *kind, ctn_str target)
{
    const ctn_tool_book *book = ctx;
    ctn_effect said = ctn_config_effect(book->ws->config, kind, target);
    if (said != CTN_EFFECT_UNKNOWN || strcmp(kind, "tool") != 0)
        return said;
    ctn_str tool = target, name = ctn_str_cut(&tool, '/');
    const server *s = server_of(book, name);
    size_t i = find_tool(s, tool);
    return i == SIZE_MAX ? CTN_EFFECT_UNKNOWN : s->effects[i];
}
