/*
 * engine_resources.c -- what can be read: each chain, each execution, and the chains that are published as resources.
 *
 *     catena://chains/ID              what it is made of, and its graph (Mermaid)
 *     catena://chains/ID/graph        the graph alone
 *     catena://executions/ID          how it stands: status, outputs, steps; and its journal
 *     catena://executions/ID/journal  the journal alone
 *
 * Executions are too many for a list: there is a template, completion knows the newest ids, and what starts one tells
 * its id. Sensitive values are hidden, as everywhere.
 */
#include "base/buf.h"
#include "draw/picture.h"
#include "engine/fold.h"
#include "host/config_servers.h"
#include "host/snapshot.h"
#include "journal/entry_told.h"
#include "server/mcp/engine_content.h"
#include "server/mcp/engine_published.h"
#include <stdio.h>

#define GRAPH_BYTES_MAX   ((size_t) 4 << 20)
#define JOURNAL_BYTES_MAX ((size_t) 1 << 20)
#define LINE_COLUMNS      160
#define GRAPH_TYPE        "text/vnd.mermaid"
#define GRAPH_END         "/graph"
#define JOURNAL_END       "/journal"

/* ---- lists ---- */

static void put_words(ctn_json_builder *b, ctn_str name, ctn_str title, ctn_str description, ctn_str mime_type)
{
    ctn_json_put_str(b, "name", name);
    if (title.len)
        ctn_json_put_str(b, "title", title);
    if (description.len)
        ctn_json_put_str(b, "description", description);
    if (mime_type.len)
        ctn_json_put_str(b, "mimeType", mime_type);
}

static const ctn_json *published(const ctn_offered_chain *c, ctn_arena *arena, const char *key)
{
    const ctn_chain_mcp *mcp = &c->plan->mcp;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, key, mcp->uri);
    put_words(&b, mcp->name, ctn_json_text(c->chain->name), ctn_json_text(c->chain->description), mcp->mime_type);
    return ctn_json_finish(&b);
}

static bool is_template(const ctn_offered_chain *c)
{
    return memchr(c->plan->mcp.uri.ptr, '{', c->plan->mcp.uri.len) != NULL;
}

const ctn_json *ctn_resources_of(const ctn_catalogue *c, ctn_arena *arena)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < c->count; i++) {
        const ctn_offered_chain *chain = &c->items[i];
        if (chain->is_published && chain->plan->mcp.as == CTN_MCP_AS_RESOURCE && !is_template(chain))
            ctn_json_push(&list, published(chain, arena, "uri"));
    }
    for (size_t i = 0; i < c->count; i++) {
        const ctn_offered_chain *chain = &c->items[i];
        ctn_json_builder b = ctn_json_object(arena);
        ctn_str said = chain->chain ? ctn_json_text(chain->chain->description) : (ctn_str){0};
        ctn_json_put_str(&b, "uri", ctn_arena_printf(arena, CTN_URI_CHAINS "%.*s", CTN_STR_ARG(chain->id)));
        put_words(&b, chain->id, chain->chain ? ctn_json_text(chain->chain->name) : (ctn_str){0},
                  ctn_arena_printf(arena, "What the chain is made of, and its graph%s%.*s", said.len ? ". " : "",
                                   CTN_STR_ARG(said)),
                  CTN_STR("application/json"));
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return ctn_json_finish(&list);
}

const ctn_json *ctn_resource_templates_of(const ctn_catalogue *c, ctn_arena *arena)
{
    static const struct {
        const char *uri, *name, *description, *mime_type;
    } own[] = {
        {CTN_URI_CHAINS "{id}", "chain", "What a chain is made of, and its graph", "application/json"},
        {CTN_URI_CHAINS "{id}" GRAPH_END, "chain graph", "A chain's steps and their order, as a Mermaid flowchart",
         GRAPH_TYPE},
        {CTN_URI_EXECUTIONS "{id}", "execution", "How an execution stands: status, outputs, steps; and its journal",
         "application/json"},
        {CTN_URI_EXECUTIONS "{id}" JOURNAL_END, "execution journal", "What happened in an execution, an entry a line",
         "text/plain"},
    };
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        ctn_json_builder b = ctn_json_object(arena);
        ctn_json_put_str(&b, "uriTemplate", ctn_str_from(own[i].uri));
        put_words(&b, ctn_str_from(own[i].name), (ctn_str){0}, ctn_str_from(own[i].description),
                  ctn_str_from(own[i].mime_type));
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].is_published && c->items[i].plan->mcp.as == CTN_MCP_AS_RESOURCE && is_template(&c->items[i]))
            ctn_json_push(&list, published(&c->items[i], arena, "uriTemplate"));
    return ctn_json_finish(&list);
}

bool ctn_published_may_be(const ctn_config *config, const ctn_plan *plan, ctn_arena *arena)
{
    if (plan->mcp.as != CTN_MCP_AS_RESOURCE)
        return plan->mcp.as == CTN_MCP_AS_PROMPT;
    return ctn_json_bool_or(ctn_offer_annotations(config, plan, arena), "readOnlyHint", false);
}

/* ---- reading ---- */

static void push_content(ctn_json_builder *list, ctn_str uri, const char *mime_type, ctn_str text)
{
    ctn_json_builder b = ctn_json_object(list->arena);
    ctn_json_put_str(&b, "uri", uri);
    ctn_json_put_str(&b, "mimeType", ctn_str_from(mime_type));
    ctn_json_put_str(&b, "text", text);
    ctn_json_push(list, ctn_json_finish(&b));
}

static void say_contents(ctn_mcp_exchange *x, const ctn_json *contents)
{
    ctn_json_builder b = ctn_json_object(ctn_mcp_exchange_arena(x));
    ctn_json_put(&b, CTN_STR("contents"), contents);
    ctn_mcp_exchange_result(x, ctn_json_finish(&b));
}

static void say_missing(ctn_mcp_exchange *x, const char *sentence)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    ctn_json_builder data = ctn_json_object(arena);
    ctn_json_put_str(&data, "uri", ctn_mcp_exchange_ask_of(x)->name);
    ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS, ctn_str_from(sentence), ctn_json_finish(&data));
}

static ctn_str joined(ctn_arena *arena, const char *before, ctn_str id, const char *behind)
{
    return ctn_arena_printf(arena, "%s%.*s%s", before, CTN_STR_ARG(id), behind);
}

/* ---- a chain ---- */

static ctn_str graph_text(ctn_engine_backend *b, ctn_arena *arena, const ctn_offered_chain *c)
{
    ctn_check_options options = {.effect = ctn_config_effect, .effect_ctx = b->ws->config};
    ctn_graph *graph = NULL;
    ctn_buf text;
    if (!c->plan || ctn_plan_graph(arena, c->plan->definitions, c->plan->definition_count, &graph, NULL))
        return (ctn_str){0};
    ctn_buf_init(&text, GRAPH_BYTES_MAX);
    ctn_picture_mermaid(ctn_picture_of(graph, &options, arena), &text);
    ctn_str kept = text.overflowed ? (ctn_str){0} : ctn_arena_str(arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}

/* All that it uses, as the store would keep it: the chain itself is the first definition. */
static ctn_str chain_text(ctn_arena *arena, const ctn_offered_chain *c)
{
    ctn_json_builder b = ctn_json_object(arena), uses = ctn_json_array(arena);
    ctn_json_put_str(&b, "id", c->id);
    ctn_json_put_str(&b, "where", c->where);
    if (c->version)
        ctn_json_put_int(&b, "version", c->version);
    if (c->problem.len)
        ctn_json_put_str(&b, "problem", c->problem);
    for (uint32_t i = 0; c->plan && i < c->plan->definition_count; i++) {
        const ctn_plan_definition *d = &c->plan->definitions[i];
        const ctn_json *body = ctn_engine_parsed(arena, d->body);
        if (i == 0) {
            ctn_json_put(&b, CTN_STR("chain"), body);
            continue;
        }
        ctn_json_builder one = ctn_json_object(arena);
        ctn_json_put_str(&one, "kind", d->kind);
        ctn_json_put_str(&one, "name", d->name);
        ctn_json_put(&one, CTN_STR("definition"), body);
        ctn_json_push(&uses, ctn_json_finish(&one));
    }
    ctn_json_put(&b, CTN_STR("uses"), ctn_json_finish(&uses));
    return ctn_json_to_str(arena, ctn_json_finish(&b));
}

static void read_chain(ctn_engine_backend *b, ctn_mcp_exchange *x, ctn_str id, bool only_graph)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    const ctn_offered_chain *c =
        ctn_engine_may_see_chain(x, id) ? ctn_catalogue_chain(ctn_engine_catalogue(b), id) : NULL;
    ctn_json_builder list = ctn_json_array(arena);
    ctn_str graph = c ? graph_text(b, arena, c) : (ctn_str){0};
    if (!c || (only_graph && !graph.len)) {
        say_missing(x, c ? "the chain has errors, and no graph"
                         : "there is no such chain; resources/list has those that there are");
        return;
    }
    if (!only_graph)
        push_content(&list, joined(arena, CTN_URI_CHAINS, id, ""), "application/json", chain_text(arena, c));
    if (graph.len)
        push_content(&list, joined(arena, CTN_URI_CHAINS, id, GRAPH_END), GRAPH_TYPE, graph);
    say_contents(x, ctn_json_finish(&list));
}

/* ---- an execution ---- */

typedef struct journal {
    ctn_buf text;
    ctn_arena *scratch;
    size_t left_out;
} journal;

/* Labels are told with a start; the half of a task's id that nobody can guess is for its caller alone. */
static ctn_str without_task(ctn_arena *arena, ctn_str said)
{
    size_t at = ctn_str_find(said, CTN_STR(CTN_MCP_LABEL_TASK "="));
    if (at == SIZE_MAX)
        return said;
    ctn_str rest = ctn_str_from_offset(said, at);
    (void) ctn_str_cut(&rest, ' ');
    return ctn_arena_printf(arena, "%.*s%.*s", (int) at, said.ptr, CTN_STR_ARG(rest));
}

static int add_line(void *ctx, const ctn_record *record, int64_t position)
{
    journal *j = ctx;
    char at[25];
    (void) position;
    if (j->text.len + 1024 > JOURNAL_BYTES_MAX) {
        j->left_out++;
        return 0;
    }
    ctn_time_format(record->at_ms, at);
    ctn_buf_printf(&j->text, "%llu  %s  %s", (unsigned long long) record->seq, at, ctn_entry_kind_name(record->kind));
    if (record->step.len)
        ctn_buf_printf(&j->text, "  %.*s", CTN_STR_ARG(record->step));
    if (record->item >= 0)
        ctn_buf_printf(&j->text, "[%lld]", (long long) record->item);
    if (record->attempt > 1)
        ctn_buf_printf(&j->text, " (attempt %u)", record->attempt);
    if (!ctn_str_is(record->actor, "engine"))
        ctn_buf_printf(&j->text, " by %.*s", CTN_STR_ARG(record->actor));
    ctn_str said = without_task(j->scratch, ctn_entry_history(j->scratch, record, LINE_COLUMNS));
    ctn_buf_printf(&j->text, "%s%.*s\n", said.len ? ": " : "", CTN_STR_ARG(said));
    ctn_arena_reset(j->scratch);
    return 0;
}

static ctn_str journal_text(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row)
{
    journal j = {.scratch = ctn_arena_new(16384)};
    ctn_err err = {0};
    ctn_buf_init(&j.text, JOURNAL_BYTES_MAX);
    if (ctn_store_journal_read(ctn_host_store(b->host), row->exec_no, 1, add_line, &j, &err))
        ctn_buf_printf(&j.text, "it does not read on: %s\n", err.message);
    if (j.left_out)
        ctn_buf_printf(&j.text, "%zu entries more\n", j.left_out);
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(&j.text));
    ctn_buf_done(&j.text);
    ctn_arena_free(j.scratch);
    return text;
}

static ctn_str execution_text(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_store *store = ctn_host_store(b->host);
    ctn_json_builder o = ctn_engine_execution(b, arena, row);
    ctn_execution *loaded = NULL;
    ctn_err err = {0};
    ctn_json_put(&o, CTN_STR("input"), ctn_engine_parsed(arena, row->input));
    if (ctn_execution_load(store, arena, row, &loaded, &err)) {
        ctn_json_put_str(&o, "damaged", ctn_arena_str(arena, ctn_str_from(err.message)));
    } else {
        ctn_snapshot s = ctn_snapshot_in_store(loaded, store, arena);
        ctn_json_put(&o, CTN_STR("steps"), ctn_json_member_of(ctn_snapshot_to_json(&s, arena), "steps"));
    }
    ctn_execution_unload(loaded);
    return ctn_json_to_str(arena, ctn_json_finish(&o));
}

static void read_execution(ctn_engine_backend *b, ctn_mcp_exchange *x, ctn_str text, bool only_journal)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    ctn_execution_row row;
    ctn_execution_id id;
    ctn_json_builder list = ctn_json_array(arena);
    if (ctn_id_parse(text, &id, NULL) || ctn_store_execution_get(ctn_host_store(b->host), arena, id, &row, NULL) ||
        !ctn_engine_may_read(x, arena, &row)) {
        say_missing(x, "there is no such execution; list_executions has the newest ones");
        return;
    }
    if (!only_journal)
        push_content(&list, joined(arena, CTN_URI_EXECUTIONS, text, ""), "application/json",
                     execution_text(b, arena, &row));
    push_content(&list, joined(arena, CTN_URI_EXECUTIONS, text, JOURNAL_END), "text/plain",
                 journal_text(b, arena, &row));
    say_contents(x, ctn_json_finish(&list));
}

/* ---- resources/read ---- */

static void answer_contents(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_execution_row *row)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    ctn_str uri = ctn_mcp_exchange_ask_of(x)->name;
    const ctn_json *value = ctn_published_output(b, x, row), *unused = NULL;
    if (!value)
        return;
    const ctn_offered_chain *c = ctn_published_by_uri(ctn_engine_catalogue(b), arena, uri, &unused);
    say_contents(x, ctn_content_contents(arena, value, uri, c ? c->plan->mcp.mime_type : (ctn_str){0}));
}

/* The id behind `before`, without `behind`, which is cut off when it is there. */
static bool cut_id(ctn_str uri, const char *before, const char *behind, ctn_str *ret_id, bool *ret_has_end)
{
    ctn_str start = ctn_str_from(before), end = ctn_str_from(behind);
    if (!ctn_str_starts_with(uri, start))
        return false;
    *ret_id = ctn_str_from_offset(uri, start.len);
    *ret_has_end = ctn_str_ends_with(*ret_id, end);
    if (*ret_has_end)
        ret_id->len -= end.len;
    return true;
}

void ctn_published_read(void *ctx, ctn_mcp_exchange *x)
{
    ctn_engine_backend *b = ctx;
    ctn_str uri = ctn_mcp_exchange_ask_of(x)->name, id;
    const ctn_json *values = NULL;
    bool has_end;
    if (cut_id(uri, CTN_URI_CHAINS, GRAPH_END, &id, &has_end)) {
        read_chain(b, x, id, has_end);
        return;
    }
    if (cut_id(uri, CTN_URI_EXECUTIONS, JOURNAL_END, &id, &has_end)) {
        read_execution(b, x, id, has_end);
        return;
    }
    const ctn_offered_chain *c = ctn_published_by_uri(ctn_engine_catalogue(b), ctn_mcp_exchange_arena(x), uri, &values);
    if (c)
        ctn_published_run(b, x, c, values, answer_contents);
    else
        say_missing(x,
                    "there is no such resource; resources/list and resources/templates/list have those that there are");
}

/* ---- who watches ---- */

/* Published ones are computed when they are read: nobody knows when they change. */
bool ctn_published_may_watch(void *ctx, const ctn_mcp_exchange *x, ctn_str uri)
{
    ctn_engine_backend *b = ctx;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_execution_row row;
    ctn_execution_id id;
    ctn_str text;
    bool has_end, may = false;
    if (cut_id(uri, CTN_URI_CHAINS, GRAPH_END, &text, &has_end))
        may = !has_end && ctn_engine_may_see_chain(x, text) && ctn_catalogue_chain(ctn_engine_catalogue(b), text);
    else if (cut_id(uri, CTN_URI_EXECUTIONS, JOURNAL_END, &text, &has_end))
        may = !has_end && ctn_id_parse(text, &id, NULL) == CTN_OK &&
              ctn_store_execution_get(ctn_host_store(b->host), arena, id, &row, NULL) == CTN_OK &&
              ctn_engine_may_read(x, arena, &row);
    ctn_arena_free(arena);
    return may;
}

/* Of every execution: the endpoint knows which of them are watched. */
void ctn_published_event(ctn_engine_backend *b, const ctn_engine_event *event)
{
    char uri[sizeof CTN_URI_EXECUTIONS + sizeof(ctn_id_text)];
    if (!b->endpoint || (event->kind != CTN_EVENT_STATUS && event->kind != CTN_EVENT_ENTRY))
        return;
    int len =
        snprintf(uri, sizeof uri, CTN_URI_EXECUTIONS "%s", ctn_id_to_text(ctn_execution_id_of(event->execution)).text);
    ctn_mcp_endpoint_resource_changed(b->endpoint, (ctn_str){uri, (size_t) len});
}
