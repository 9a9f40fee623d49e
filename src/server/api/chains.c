/*
 * chains.c -- operations about chains: those that the configuration includes, and those of the store. An id that both
 * have means the configuration's chain, as everywhere else.
 *
 * An import is judged as `check` judges a file that stands beside those of the configuration, as they are on disk now;
 * it is written down before it is stored.
 */
#include <stdlib.h>
#include "chain/definition.h"
#include "check/check.h"
#include "draw/picture.h"
#include "host/config_servers.h"
#include "host/told.h"
#include "server/api/execution.h"
#include "server/api/graph.h"

typedef struct known_chain {
    ctn_str id;
    const ctn_chain *chain; /* of the configuration; NULL: it is the store's alone */
    ctn_chain_row row;      /* version 0: it is not stored */
} known_chain;

typedef struct listing {
    ctn_arena *arena;
    known_chain *items;
    size_t count, capacity;
} listing;

static known_chain *add(listing *l, ctn_str id)
{
    l->items = ctn_arena_room(l->arena, l->items, l->count, &l->capacity, sizeof *l->items);
    l->items[l->count].id = id;
    return &l->items[l->count++];
}

static ctn_chain_row keep_row(ctn_arena *arena, const ctn_chain_row *row)
{
    ctn_chain_row kept = *row;
    kept.chain_id = ctn_arena_str(arena, row->chain_id);
    kept.created_by = ctn_arena_str(arena, row->created_by);
    return kept;
}

static int add_stored(void *ctx, const ctn_chain_row *row)
{
    listing *l = ctx;
    known_chain *c = NULL;
    for (size_t i = 0; i < l->count && !c; i++)
        if (ctn_str_equal(l->items[i].id, row->chain_id))
            c = &l->items[i];
    if (!c)
        c = add(l, ctn_arena_str(l->arena, row->chain_id));
    c->row = keep_row(l->arena, row);
    return 0;
}

static int by_id(const void *a, const void *b)
{
    return ctn_str_compare(((const known_chain *) a)->id, ((const known_chain *) b)->id);
}

static void put_row(ctn_json_builder *b, const ctn_chain_row *row)
{
    ctn_json_put_int(b, "version", row->version);
    ctn_json_put_str(b, "digest", ctn_arena_str(b->arena, ctn_str_from(ctn_digest_to_text(row->digest).text)));
    ctn_json_put_time(b, "importedAt", row->created_at_ms);
    ctn_json_put_str(b, "importedBy", row->created_by);
}

static ctn_json_builder head_of(ctn_arena *arena, const known_chain *c)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "chain", c->id);
    if (c->row.version)
        put_row(&b, &c->row);
    ctn_json_put_str(&b, "from", c->chain ? ctn_source_file_name(c->chain->source) : CTN_STR("the store"));
    if (c->chain && ctn_json_text(c->chain->name).len)
        ctn_json_put_str(&b, "title", ctn_json_text(c->chain->name));
    if (c->chain && ctn_json_text(c->chain->description).len)
        ctn_json_put_str(&b, "description", ctn_json_text(c->chain->description));
    return b;
}

static void list_chains(ctn_api_call *call)
{
    const ctn_library *library = ctn_host_workspace(call->host)->config->library;
    listing l = {.arena = call->arena};
    ctn_json_builder list = ctn_json_array(call->arena), b = ctn_json_object(call->arena);
    ctn_err err = {0};
    for (size_t i = 0; i < ctn_library_chain_count(library); i++) {
        const ctn_chain *chain = ctn_library_chain_at(library, i);
        add(&l, chain->id)->chain = chain;
    }
    if (ctn_store_chain_list(ctn_host_store(call->host), add_stored, &l, &err)) {
        ctn_api_fail(call, &err);
        return;
    }
    if (l.count)
        qsort(l.items, l.count, sizeof *l.items, by_id);
    for (size_t i = 0; i < l.count; i++) {
        ctn_access_object object = {.chain_id = l.items[i].id, .is_shared = true};
        if (!ctn_access_may(call->caller, CTN_ACTION_CHAINS_READ, &object))
            continue;
        ctn_json_builder head = head_of(call->arena, &l.items[i]);
        ctn_json_push(&list, ctn_json_finish(&head));
    }
    ctn_json_put(&b, CTN_STR("chains"), ctn_json_finish(&list));
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

/* ---- one of them ---- */

static bool demand(ctn_api_call *call, ctn_action action, ctn_str id)
{
    ctn_access_object object = {.chain_id = id, .is_shared = true};
    return ctn_api_demand(call, action, &object);
}

static void refuse_chain(ctn_api_call *call, ctn_str id, int64_t version)
{
    if (version)
        ctn_api_problem(call, 404, CTN_STR("query/version"), "there is no version %lld of the chain \"%.*s\"",
                        (long long) version, CTN_STR_ARG(id));
    else
        ctn_api_problem(call, 404, CTN_STR("path/chain"), "there is no chain \"%.*s\"", CTN_STR_ARG(id));
}

/* The chain that path/chain names, in the version that is asked for. False: answered. */
static bool find_chain(ctn_api_call *call, known_chain *ret)
{
    ctn_store *store = ctn_host_store(call->host);
    ctn_arena *arena = call->arena;
    int64_t version = ctn_json_int_or(call->given, "version", 0);
    ctn_definition definition;
    ctn_findings findings;
    ctn_source *source = NULL;
    ctn_err err = {0};
    *ret = (known_chain){.id = ctn_api_text(call->given, "chain")};
    if (!demand(call, CTN_ACTION_CHAINS_READ, ret->id))
        return false;
    bool is_stored = ctn_store_chain_get(store, arena, ret->id, version, &ret->row, NULL) == CTN_OK;
    if (!is_stored)
        ret->row = (ctn_chain_row){0};
    if (!version)
        ret->chain = ctn_library_chain(ctn_host_workspace(call->host)->config->library, ret->id);
    if (ret->chain)
        return true;
    ctn_findings_init(&findings, arena);
    if (!is_stored)
        refuse_chain(call, ret->id, version);
    else if (ctn_store_definition_get(store, arena, &ret->row.digest, &definition, &err))
        ctn_api_fail(call, &err);
    else if (ctn_source_parse(arena, CTN_STR("the store"), definition.body, &findings, &source))
        ctn_api_problem(call, 500, (ctn_str){0}, "its definition does not read");
    else
        ret->chain = ctn_chain_read(arena, source, &findings);
    return ret->chain != NULL;
}

static void get_chain(ctn_api_call *call)
{
    known_chain c;
    if (!find_chain(call, &c))
        return;
    ctn_json_builder b = head_of(call->arena, &c);
    ctn_json_put(&b, CTN_STR("definition"),
                 ctn_told_parsed(call->arena, ctn_definition_of_chain(call->arena, c.chain)));
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

typedef struct versions {
    ctn_json_builder list;
} versions;

static int add_version(void *ctx, const ctn_chain_row *row)
{
    versions *v = ctx;
    ctn_chain_row kept = keep_row(v->list.arena, row);
    ctn_json_builder b = ctn_json_object(v->list.arena);
    put_row(&b, &kept);
    ctn_json_push(&v->list, ctn_json_finish(&b));
    return v->list.count == 1000;
}

static void list_versions(ctn_api_call *call)
{
    ctn_str id = ctn_api_text(call->given, "chain");
    versions v = {.list = ctn_json_array(call->arena)};
    ctn_json_builder b = ctn_json_object(call->arena);
    ctn_err err = {0};
    if (!demand(call, CTN_ACTION_CHAINS_READ, id))
        return;
    if (ctn_store_chain_versions(ctn_host_store(call->host), id, add_version, &v, &err))
        ctn_api_fail(call, &err);
    else if (!v.list.count && !ctn_library_chain(ctn_host_workspace(call->host)->config->library, id))
        refuse_chain(call, id, 0);
    else {
        ctn_json_put(&b, CTN_STR("versions"), ctn_json_finish(&v.list));
        ctn_api_answer(call, 200, ctn_json_finish(&b));
    }
}

static void get_chain_graph(ctn_api_call *call)
{
    known_chain c;
    ctn_graph *graph = NULL;
    ctn_findings findings;
    const ctn_config *config = ctn_host_workspace(call->host)->config;
    ctn_check_options options = {.effect = ctn_config_effect, .effect_ctx = (void *) config};
    if (!find_chain(call, &c))
        return;
    ctn_findings_init(&findings, call->arena);
    if (ctn_graph_build(call->arena, config->library, c.chain, &findings, &graph) || findings.error_count)
        ctn_api_problem(call, 422, CTN_STR("path/chain"), "the chain %.*s has errors and is not drawn: %.*s",
                        CTN_STR_ARG(c.id),
                        CTN_STR_ARG(findings.count ? findings.items[0].message : CTN_STR("of its file")));
    else
        ctn_api_answer_picture(call, ctn_picture_of(graph, &options, call->arena));
}

/* ---- import ---- */

typedef struct importing {
    ctn_workspace ws;
    ctn_findings findings;
    ctn_plan *plan; /* NULL: it has errors */
} importing;

/* The store keeps the chain alone, so that with sets of its own it could not start. */
static void refuse_own_sets(importing *i, const ctn_source *source)
{
    const ctn_library *library = i->ws.config->library;
    for (size_t k = 0; k < ctn_library_entry_count(library); k++) {
        const ctn_instruction_set *set = ctn_library_entry_at(library, k).set;
        if (set && set->source == source && ctn_library_set(library, set->name) == set)
            ctn_source_error(source, set->name_node, &i->findings, "unknown-set",
                             "the instruction set '%.*s' is not stored with the chain: it belongs into a file that the "
                             "configuration includes",
                             CTN_STR_ARG(set->name));
    }
}

/* As a file of that name beside the others would be judged; but it names no files of ours. False: answered. */
static bool judge(ctn_api_call *call, importing *i)
{
    const ctn_workspace *own = ctn_host_workspace(call->host);
    const ctn_web_ask *ask = ctn_web_ask_of(call->request);
    ctn_str type = ctn_web_header_of(ask->headers, ask->header_count, "content-type");
    bool is_json = ctn_str_starts_with(type, CTN_STR("application/json"));
    const char *config = own->config->file.len ? ctn_arena_str(call->arena, own->config->file).ptr : NULL;
    ctn_source *source = NULL;
    const ctn_chain *chain = NULL;
    ctn_err err = {0};
    ctn_findings_init(&i->findings, call->arena);
    if (ctn_workspace_open(call->arena, config, own->store_url, NULL, &i->ws, &err)) {
        ctn_api_problem(call, 422, (ctn_str){0}, "catena.yaml does not read any more: %s",
                        err.message[0] ? err.message : "it has errors");
        return false;
    }
    ctn_check_options options = {.effect = ctn_config_effect, .effect_ctx = i->ws.config};
    if (ctn_source_parse(call->arena, is_json ? CTN_STR("body.json") : CTN_STR("body.yaml"), ask->body, &i->findings,
                         &source) == CTN_OK) {
        ctn_library_set_reader(i->ws.config->library, ctn_library_read_nothing, NULL);
        (void) ctn_library_add_source(i->ws.config->library, source, &i->findings, &chain);
        (void) ctn_check(i->ws.config->library, source, &options, &i->findings);
        refuse_own_sets(i, source);
        if (!chain && !i->findings.error_count)
            ctn_findings_add(&i->findings, ctn_source_file_name(source), 1, 1, CTN_SEVERITY_ERROR, "type",
                             "there is no chain in it: a chain has the key 'id'");
    }
    if (!i->findings.error_count) {
        ctn_arena *arena = ctn_arena_new(65536);
        if (ctn_plan_compile(arena, i->ws.config->library, chain, &i->findings, &i->plan))
            ctn_arena_free(arena);
    }
    ctn_findings_sort(&i->findings);
    return true;
}

static bool starts_programs(const ctn_plan_set *set)
{
    bool does = false;
    for (uint32_t i = 0; set && i < set->call_count; i++)
        does = does || set->calls[i].kind == CTN_WORK_COMMAND;
    return does || (set && set->check && set->check->kind == CTN_WORK_COMMAND);
}

static bool defines_commands(const ctn_plan *plan)
{
    bool does = false;
    for (uint32_t i = 0; i < plan->step_count; i++) {
        const ctn_plan_step *step = &plan->steps[i];
        does = does || starts_programs(step->set) || starts_programs(step->undo);
        for (uint32_t k = 0; k < step->fallback_count; k++)
            does = does || starts_programs(step->fallbacks[k].set);
    }
    return does;
}

/* Where a set sends a secret is the operator's word; where a step's input does, that of the author of this text. */
static bool names_secrets(const ctn_plan *plan)
{
    bool does = false;
    for (uint32_t i = 0; i < plan->step_count; i++)
        does = does || plan->steps[i].input_reads_secrets;
    return does;
}

static int write_down(ctn_api_call *call, const ctn_plan *plan, ctn_err *err)
{
    ctn_json_builder detail = ctn_json_object(call->arena);
    ctn_json_put_str(&detail, "digest",
                     ctn_arena_str(call->arena, ctn_str_from(ctn_digest_to_text(plan->definitions[0].digest).text)));
    return ctn_access_audit(call->access, call->caller, "chains.import", plan->chain_id, ctn_json_finish(&detail), err);
}

static void answer_import(ctn_api_call *call, const importing *i, ctn_str id, int64_t version, bool is_dry)
{
    ctn_json_builder b = ctn_json_object(call->arena);
    ctn_json_put_str(&b, "chain", id);
    if (version)
        ctn_json_put_int(&b, "version", version);
    ctn_json_put_bool(&b, "dryRun", is_dry);
    ctn_json_put(&b, CTN_STR("findings"), ctn_told_findings(call->arena, &i->findings));
    ctn_api_answer(call, is_dry ? 200 : 201, ctn_json_finish(&b));
}

/* As a problem, with what is wrong and where; it names the field as far as lines and columns do. */
static void refuse_import(ctn_api_call *call, const importing *i)
{
    ctn_json_builder b = ctn_json_object(call->arena);
    ctn_json_put_str(&b, "type", CTN_STR("about:blank"));
    ctn_json_put_str(&b, "title", CTN_STR("Unprocessable Content"));
    ctn_json_put_int(&b, "status", 422);
    ctn_json_put_str(&b, "detail",
                     ctn_arena_printf(call->arena, "the chain has %zu error%s; nothing was stored",
                                      i->findings.error_count, i->findings.error_count == 1 ? "" : "s"));
    ctn_json_put(&b, CTN_STR("findings"), ctn_told_findings(call->arena, &i->findings));
    const ctn_web_header headers[] = {{CTN_STR("Content-Type"), CTN_STR("application/problem+json")},
                                      {CTN_STR("Cache-Control"), CTN_STR("no-store")}};
    ctn_web_answer(call->request, 422, headers, 2, ctn_json_to_str(call->arena, ctn_json_finish(&b)));
}

static void import_chain(ctn_api_call *call)
{
    importing i = {0};
    const ctn_plan *kept = NULL;
    int64_t version = 0;
    ctn_err err = {0};
    bool is_dry = ctn_json_bool_or(call->given, "dryRun", false);
    if (!judge(call, &i))
        return;
    if (!i.plan) {
        refuse_import(call, &i);
        return;
    }
    ctn_str id = ctn_arena_str(call->arena, i.plan->chain_id);
    if (!demand(call, CTN_ACTION_CHAINS_IMPORT, id) ||
        (i.plan->run_as.len && !demand(call, CTN_ACTION_CHAINS_RUN_AS, id)) ||
        (defines_commands(i.plan) && !demand(call, CTN_ACTION_COMMANDS_DEFINE, id)) ||
        (names_secrets(i.plan) && !demand(call, CTN_ACTION_SECRETS_NAME, id))) {
        ctn_plan_free(i.plan);
    } else if (is_dry) {
        ctn_plan_free(i.plan);
        answer_import(call, &i, id, 0, true);
    } else if (write_down(call, i.plan, &err)) {
        ctn_plan_free(i.plan);
        (void) ctn_wrap(&err, err.code, "an import is written down first");
        ctn_api_fail(call, &err);
    } else if (ctn_engine_plan_add(ctn_host_engine(call->host), i.plan, call->caller->name, &kept, &version, &err)) {
        ctn_api_fail(call, &err);
    } else {
        answer_import(call, &i, id, version, false);
    }
}

/* clang-format off */
const ctn_api_operation ctn_api_chains[] = {
    {"listChains", list_chains},
    {"importChain", import_chain},
    {"getChain", get_chain},
    {"listChainVersions", list_versions},
    {"getChainGraph", get_chain_graph},
    {0},
};
