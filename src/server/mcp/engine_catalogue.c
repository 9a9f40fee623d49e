/*
 * engine_catalogue.c -- the chains that can be called: those that the configuration includes, and those of the store.
 *
 * A catalogue is made whole and never changed. When a request comes the store is asked what chains it has (a small
 * table), and only when that is another list than before is everything compiled again: an import by another process is
 * seen so, at the next call or within two seconds. What follows of the same request goes by what it was told. Files of
 * the configuration are read when the process starts.
 *
 * An id that both have means the configuration's chain, as everywhere else.
 */
#include "base/memory.h"
#include "host/words.h"
#include "server/mcp/engine_published.h"
#include <stdlib.h>

#define CHAINS_MAX 10000 /* of the store; there are no more tools than a client could read */

typedef struct stored_row {
    ctn_str id;
    int64_t version;
    ctn_digest digest;
} stored_row;

typedef struct stored {
    ctn_arena *arena;
    stored_row *rows;
    size_t count, capacity;
    ctn_hasher hasher;
} stored;

static int keep_row(void *ctx, const ctn_chain_row *row)
{
    stored *s = ctx;
    s->rows = ctn_arena_room(s->arena, s->rows, s->count, &s->capacity, sizeof *s->rows);
    s->rows[s->count++] = (stored_row){ctn_arena_str(s->arena, row->chain_id), row->version, row->digest};
    ctn_hasher_add(&s->hasher, row->chain_id);
    ctn_hasher_add(&s->hasher, (ctn_str){(const char *) &row->version, sizeof row->version});
    ctn_hasher_add(&s->hasher, (ctn_str){(const char *) row->digest.bytes, sizeof row->digest.bytes});
    return s->count == CHAINS_MAX;
}

/* ---- making one ---- */

static void note_problem(ctn_offered_chain *c, ctn_arena *arena, ctn_str sentence)
{
    if (!c->problem.len)
        c->problem = ctn_arena_str(arena, sentence.len ? sentence : CTN_STR("it has errors: call check_chain"));
}

static void compile(const ctn_workspace *ws, ctn_arena *arena, ctn_offered_chain *c)
{
    ctn_findings findings;
    ctn_err err = {0};
    ctn_plan *plan = NULL;
    ctn_findings_init(&findings, arena);
    if (c->problem.len)
        return;
    if (c->chain->fault_count || ctn_plan_compile(arena, ws->config->library, c->chain, &findings, &plan)) {
        note_problem(c, arena, findings.count ? findings.items[0].message : (ctn_str){0});
        return;
    }
    c->plan = plan;
    if (ctn_workspace_check_plan(ws, arena, plan, &err))
        note_problem(c, arena, ctn_str_from(err.message));
}

static void read_stored(ctn_engine_backend *b, ctn_arena *arena, const stored_row *row, ctn_offered_chain *c)
{
    ctn_definition definition;
    ctn_findings findings;
    ctn_source *source = NULL;
    ctn_err err = {0};
    ctn_findings_init(&findings, arena);
    *c = (ctn_offered_chain){.id = ctn_arena_str(arena, row->id), .where = CTN_STR("the store")};
    if (ctn_store_definition_get(ctn_host_store(b->host), arena, &row->digest, &definition, &err))
        note_problem(c, arena, ctn_str_from(err.message));
    else if (ctn_source_parse(arena, ctn_arena_printf(arena, "stored chain %.*s.json", CTN_STR_ARG(row->id)),
                              definition.body, &findings, &source))
        note_problem(c, arena, findings.count ? findings.items[0].message : (ctn_str){0});
    else
        c->chain = ctn_chain_read(arena, source, &findings);
}

static int by_id(const void *a, const void *b)
{
    return ctn_str_compare(((const ctn_offered_chain *) a)->id, ((const ctn_offered_chain *) b)->id);
}

static int by_tool_name(const void *a, const void *b)
{
    ctn_offered_chain *const *x = a, *const *y = b;
    return ctn_str_compare((*x)->plan->mcp.name, (*y)->plan->mcp.name);
}

/* Of two that want one name the first has it. */
static const ctn_json *all_tools(ctn_catalogue *c)
{
    ctn_offered_chain **tools = CTN_NEW_ARRAY(c->arena, ctn_offered_chain *, c->count);
    size_t count = 0;
    ctn_json_builder list = ctn_json_array(c->arena);
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].tool)
            tools[count++] = &c->items[i];
    qsort(tools, count, sizeof *tools, by_tool_name);
    for (size_t i = 0, last = 0; i < count; i++) {
        if (i && by_tool_name(&tools[last], &tools[i]) == 0) {
            tools[i]->tool = NULL;
            continue;
        }
        last = i;
        ctn_json_push(&list, tools[i]->tool);
    }
    return ctn_json_finish(&list);
}

static ctn_catalogue *make(ctn_engine_backend *b, const stored *s, ctn_digest digest)
{
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_catalogue *c = CTN_NEW(arena, ctn_catalogue);
    const ctn_library *library = b->ws->config->library;
    size_t known = ctn_library_chain_count(library);
    *c = (ctn_catalogue){.arena = arena, .digest = digest};
    c->items = CTN_NEW_ARRAY(arena, ctn_offered_chain, known + s->count);
    for (size_t i = 0; i < known; i++) {
        const ctn_chain *chain = ctn_library_chain_at(library, i);
        c->items[c->count++] =
            (ctn_offered_chain){.id = chain->id, .where = ctn_source_file_name(chain->source), .chain = chain};
    }
    for (size_t i = 0; i < s->count; i++) {
        size_t k = 0;
        while (k < known && !ctn_str_equal(c->items[k].id, s->rows[i].id))
            k++;
        if (k == known) {
            k = c->count++;
            read_stored(b, arena, &s->rows[i], &c->items[k]);
        }
        c->items[k].version = s->rows[i].version;
    }
    for (size_t i = 0; i < c->count; i++) {
        compile(b->ws, arena, &c->items[i]);
        if (!c->items[i].plan || c->items[i].problem.len)
            continue;
        ctn_offer_tool(b->ws, arena, &c->items[i]);
        c->items[i].is_published = ctn_published_may_be(b->ws->config, c->items[i].plan, arena);
    }
    qsort(c->items, c->count, sizeof *c->items, by_id);
    c->tools = all_tools(c);
    c->prompts = ctn_prompts_of(c, arena);
    c->resources = ctn_resources_of(c, arena);
    c->templates = ctn_resource_templates_of(c, arena);
    return c;
}

void ctn_catalogue_free(ctn_catalogue *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++) {
        ctn_plan_done((ctn_plan *) c->items[i].plan); /* made for it, by compile */
        ctn_schema_done(c->items[i].result_schema);
    }
    ctn_arena_free(c->arena);
}

/* The list of tools leaves them out without a word, and who reads it does not know that they are there. */
static void tell_problems(const ctn_engine_backend *b, const ctn_catalogue *before, const ctn_catalogue *now)
{
    for (size_t i = 0; i < now->count; i++) {
        const ctn_offered_chain *c = &now->items[i], *was = before ? ctn_catalogue_chain(before, c->id) : NULL;
        if (c->problem.len && !(was && ctn_str_equal(was->problem, c->problem)))
            ctn_tell(ctn_host_teller(b->host), CTN_TELL_FAULT,
                     "the chain %.*s cannot run, and is offered to nobody: %.*s", CTN_STR_ARG(c->id),
                     CTN_STR_ARG(c->problem));
    }
}

const ctn_catalogue *ctn_engine_catalogue(ctn_engine_backend *b)
{
    stored s = {.arena = ctn_arena_new(4096)};
    ctn_hasher_init(&s.hasher);
    int rc = ctn_store_chain_list(ctn_host_store(b->host), keep_row, &s, NULL);
    ctn_digest digest = ctn_hasher_finish(&s.hasher);
    bool is_same = b->catalogue && (rc || memcmp(&digest, &b->catalogue->digest, sizeof digest) == 0);
    if (!is_same) {
        ctn_catalogue *now = make(b, &s, digest), *before = b->catalogue;
        bool is_news = before && !ctn_json_equal(before->tools, now->tools);
        b->catalogue = now;
        tell_problems(b, before, now);
        if (is_news && b->endpoint)
            ctn_mcp_endpoint_changed(b->endpoint, CTN_MCP_TOOLS_CHANGED);
        if (before)
            ctn_published_changed(b, before, now);
        ctn_catalogue_free(before);
    }
    ctn_arena_free(s.arena);
    return b->catalogue;
}

const ctn_catalogue *ctn_engine_catalogue_told(ctn_engine_backend *b)
{
    return b->catalogue ? b->catalogue : ctn_engine_catalogue(b);
}

/* ---- asking it ---- */

const ctn_offered_chain *ctn_catalogue_chain(const ctn_catalogue *c, ctn_str id)
{
    ctn_offered_chain key = {.id = id};
    return bsearch(&key, c->items, c->count, sizeof *c->items, by_id);
}

const ctn_offered_chain *ctn_catalogue_tool(const ctn_catalogue *c, ctn_str name)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].tool && ctn_str_equal(c->items[i].plan->mcp.name, name))
            return &c->items[i];
    return NULL;
}

ctn_str ctn_catalogue_suggest(const ctn_catalogue *c, ctn_arena *arena, ctn_str id)
{
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, c->count);
    for (size_t i = 0; i < c->count; i++)
        names[i] = c->items[i].id;
    return ctn_engine_sentence(arena, ctn_words_suggest(arena, id, names, c->count));
}

int ctn_engine_plan_for(ctn_engine_backend *b, const ctn_offered_chain *c, ctn_arena *scratch, ctn_plan **ret_plan,
                        ctn_err *err)
{
    ctn_findings findings;
    ctn_plan *plan = NULL;
    if (c->problem.len || !c->plan)
        return ctn_fail(err, CTN_E_INVALID, "%.*s", CTN_STR_ARG(c->problem));
    ctn_findings_init(&findings, scratch);
    ctn_arena *arena = ctn_arena_new(65536);
    if (ctn_plan_compile(arena, b->ws->config->library, c->chain, &findings, &plan)) {
        ctn_arena_free(arena);
        return ctn_fail(err, CTN_E_INVALID, "the chain %.*s has errors: call check_chain", CTN_STR_ARG(c->id));
    }
    int rc = ctn_workspace_check_plan(b->ws, scratch, plan, err);
    if (rc)
        ctn_plan_free(plan);
    else
        *ret_plan = plan;
    return rc;
}
