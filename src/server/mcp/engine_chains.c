/*
 * engine_chains.c -- tools that look at chains: which there are, what one takes, does and gives, and what is wrong with
 * one, or with a text that may become one.
 *
 * check_chain reads the configuration and its files again, so that it judges what is on disk now, and an assistant that
 * writes chains sees the findings before anybody runs them. Nothing that it reads stays.
 */
#include "chain/definition.h"
#include "check/check.h"
#include "host/config_servers.h"
#include "server/mcp/engine_internal.h"

#define FINDINGS_MAX 200

static ctn_str text_of(const ctn_engine_call *c, const char *name)
{
    return ctn_json_str_or(c->arguments, name, (ctn_str){0});
}

static void refuse_chain(ctn_engine_call *c, const ctn_catalogue *catalogue, ctn_str id)
{
    ctn_engine_refuse(c->x, NULL, "There is no chain \"%.*s\"; %.*s Call list_chains with {} to see all of them.",
                      CTN_STR_ARG(id), CTN_STR_ARG(ctn_catalogue_suggest(catalogue, c->arena, id)));
}

/* ---- list_chains ---- */

static ctn_json_builder head_of(const ctn_offered_chain *chain, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "chain", chain->id);
    if (chain->chain && ctn_json_text(chain->chain->name).len)
        ctn_json_put_str(&b, "title", ctn_json_text(chain->chain->name));
    if (chain->chain && ctn_json_text(chain->chain->description).len)
        ctn_json_put_str(&b, "description", ctn_json_text(chain->chain->description));
    ctn_json_put_str(&b, "from", chain->where);
    if (chain->version)
        ctn_json_put_int(&b, "version", chain->version);
    if (chain->tool)
        ctn_json_put_str(&b, "tool", chain->plan->mcp.name);
    if (chain->problem.len)
        ctn_json_put_str(&b, "problem", chain->problem);
    return b;
}

static void list_chains(ctn_engine_call *c)
{
    const ctn_catalogue *catalogue = ctn_engine_catalogue(c->b);
    ctn_json_builder list = ctn_json_array(c->arena), b = ctn_json_object(c->arena);
    for (size_t i = 0; i < catalogue->count; i++) {
        if (!ctn_engine_may_see_chain(c->x, catalogue->items[i].id))
            continue;
        ctn_json_builder one = head_of(&catalogue->items[i], c->arena);
        ctn_json_push(&list, ctn_json_finish(&one));
    }
    ctn_json_put(&b, CTN_STR("chains"), ctn_json_finish(&list));
    if (catalogue->count == 0)
        ctn_json_put_str(&b, "next",
                         CTN_STR("There are no chains: `include` of catena.yaml names their files, or "
                                 "`catena chains import FILE` stores one."));
    ctn_engine_say(c->x, ctn_json_finish(&b));
}

const ctn_engine_tool ctn_tool_list_chains = {
    .name = "list_chains",
    .action = CTN_ACTION_CHAINS_READ,
    .title = "List chains",
    .description = "All chains that there are, also those that are no tool of their own, and those that cannot run "
                   "(problem says why).",
    .input = "{\"type\":\"object\",\"additionalProperties\":false}",
    .output =
        "{\"type\":\"object\",\"properties\":{\"chains\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
        "\"properties\":{\"chain\":{\"type\":\"string\"}},\"required\":[\"chain\"]}},\"next\":{\"type\":\"string\"}},"
        "\"required\":[\"chains\"]}",
    .reads_only = true,
    .call = list_chains,
};

/* ---- get_chain ---- */

static const ctn_json *steps_of(const ctn_plan *plan, ctn_arena *arena)
{
    static const char *const KINDS[] = {"calls", "wait", "approval", "agent", "chain"};
    ctn_json_builder list = ctn_json_array(arena);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        const ctn_plan_step *step = &plan->steps[i];
        ctn_json_builder b = ctn_json_object(arena), calls = ctn_json_array(arena), after = ctn_json_array(arena);
        ctn_json_put_str(&b, "step", step->name);
        ctn_json_put_str(&b, "kind", ctn_str_from(KINDS[step->set->kind]));
        for (uint32_t k = 0; k < step->set->call_count; k++)
            ctn_json_push(&calls, ctn_json_string(arena, step->set->calls[k].target));
        if (calls.count)
            ctn_json_put(&b, CTN_STR("calls"), ctn_json_finish(&calls));
        for (uint32_t k = 0; k < step->predecessor_count; k++)
            ctn_json_push(&after, ctn_json_string(arena, plan->steps[step->predecessors[k]].name));
        if (after.count)
            ctn_json_put(&b, CTN_STR("after"), ctn_json_finish(&after));
        if (step->set->kind == CTN_SET_CHAIN)
            ctn_json_put_str(&b, "chain", step->set->chain);
        if (step->undo)
            ctn_json_put_str(&b, "undo", step->undo->name);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return ctn_json_finish(&list);
}

static void get_chain(ctn_engine_call *c)
{
    const ctn_catalogue *catalogue = ctn_engine_catalogue(c->b);
    const ctn_offered_chain *chain = ctn_catalogue_chain(catalogue, text_of(c, "chain"));
    if (!chain || !ctn_engine_may_see_chain(c->x, chain->id)) {
        refuse_chain(c, catalogue, text_of(c, "chain"));
        return;
    }
    ctn_json_builder b = head_of(chain, c->arena);
    if (chain->plan) {
        ctn_json_put(&b, CTN_STR("inputSchema"), ctn_offer_input_schema(chain->plan, c->arena));
        ctn_json_put(&b, CTN_STR("outputsSchema"), ctn_offer_outputs_schema(c->b->ws, chain, c->arena));
        ctn_json_put(&b, CTN_STR("annotations"), ctn_offer_annotations(c->b->ws->config, chain->plan, c->arena));
        ctn_json_put(&b, CTN_STR("steps"), steps_of(chain->plan, c->arena));
    }
    if (chain->chain && ctn_json_bool_or(c->arguments, "definition", false))
        ctn_json_put(&b, CTN_STR("definition"),
                     ctn_engine_parsed(c->arena, ctn_definition_of_chain(c->arena, chain->chain)));
    if (!chain->problem.len)
        ctn_json_put_str(&b, "next",
                         ctn_arena_printf(c->arena,
                                          "To run it, call execute_chain with {\"chain\": \"%.*s\", \"input\": {...}}.",
                                          CTN_STR_ARG(chain->id)));
    ctn_engine_say(c->x, ctn_json_finish(&b));
}

const ctn_engine_tool ctn_tool_get_chain = {
    .name = "get_chain",
    .action = CTN_ACTION_CHAINS_READ,
    .title = "Look at a chain",
    .description =
        "What a chain takes (inputSchema), gives (outputsSchema), does to the world (annotations) and consists "
        "of (steps); with definition also its whole text.",
    .input =
        "{\"type\":\"object\",\"properties\":{\"chain\":{\"type\":\"string\",\"minLength\":1},\"definition\":{\"type\":"
        "\"boolean\",\"default\":false}},\"required\":[\"chain\"],\"additionalProperties\":false}",
    .output =
        "{\"type\":\"object\",\"properties\":{\"chain\":{\"type\":\"string\"},\"inputSchema\":{\"type\":\"object\"},"
        "\"steps\":{\"type\":\"array\"},\"next\":{\"type\":\"string\"}},\"required\":[\"chain\"]}",
    .reads_only = true,
    .call = get_chain,
};

/* ---- check_chain ---- */

static const ctn_json *findings_told(const ctn_findings *f, ctn_arena *arena)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < f->count && i < FINDINGS_MAX; i++) {
        const ctn_finding *x = &f->items[i];
        ctn_json_builder b = ctn_json_object(arena);
        ctn_json_put_str(&b, "severity", x->severity == CTN_SEVERITY_ERROR ? CTN_STR("error") : CTN_STR("warning"));
        ctn_json_put_str(&b, "rule", ctn_str_from(x->rule));
        ctn_json_put_str(&b, "message", x->message);
        ctn_json_put_str(&b, "file", x->file);
        ctn_json_put_int(&b, "line", x->line);
        ctn_json_put_int(&b, "column", x->column);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return ctn_json_finish(&list);
}

/* The text, as a file of that name beside the others would be; but it names no files of ours. */
static void check_text(ctn_workspace *ws, ctn_arena *arena, ctn_str text, const ctn_check_options *options,
                       ctn_findings *findings)
{
    ctn_source *source = NULL;
    const ctn_chain *chain = NULL;
    ctn_str first = ctn_str_trim(text);
    ctn_str name = first.len && first.ptr[0] == '{' ? CTN_STR("definition.json") : CTN_STR("definition.yaml");
    if (ctn_source_parse(arena, name, text, findings, &source))
        return; /* the findings say why */
    ctn_library_set_reader(ws->config->library, ctn_library_read_nothing, NULL);
    (void) ctn_library_add_source(ws->config->library, source, findings, &chain);
    (void) ctn_check(ws->config->library, source, options, findings);
}

static void tell_findings(ctn_engine_call *c, ctn_findings *findings)
{
    ctn_findings_sort(findings);
    ctn_json_builder b = ctn_json_object(c->arena);
    ctn_json_put_bool(&b, "canRun", findings->error_count == 0);
    ctn_json_put_int(&b, "errors", (int64_t) findings->error_count);
    ctn_json_put_int(&b, "warnings", (int64_t) (findings->count - findings->error_count));
    ctn_json_put(&b, CTN_STR("findings"), findings_told(findings, c->arena));
    ctn_engine_say(c->x, ctn_json_finish(&b));
}

static void check_chain(ctn_engine_call *c)
{
    ctn_workspace ws;
    ctn_findings findings;
    ctn_err err = {0};
    const ctn_chain *chain = NULL;
    ctn_str id = text_of(c, "chain"), text = text_of(c, "definition");
    ctn_str file = c->b->ws->config->file;
    if (!id.len == !text.len) {
        ctn_engine_refuse(c->x, NULL,
                          "Give either \"chain\", the id of one that is there, or \"definition\", a text in "
                          "YAML or JSON. Nothing was checked.");
        return;
    }
    ctn_findings_init(&findings, c->arena);
    const char *config = file.len ? ctn_arena_str(c->arena, file).ptr : NULL;
    if (ctn_workspace_open(c->arena, config, c->b->ws->store_url, NULL, &ws, &err)) {
        ctn_engine_refuse(c->x, NULL, "catena.yaml does not read any more: %s. `catena check` tells more.",
                          err.message[0] ? err.message : "it has errors");
        return;
    }
    ctn_check_options options = {.effect = ctn_config_effect, .effect_ctx = ws.config};
    if (text.len) {
        check_text(&ws, c->arena, text, &options, &findings);
        tell_findings(c, &findings);
        return;
    }
    if (ctn_workspace_chain(&ws, id, &findings, &chain, &err)) {
        if (findings.count)
            tell_findings(c, &findings);
        else
            refuse_chain(c, ctn_engine_catalogue(c->b), id);
        return;
    }
    for (size_t i = 0; i < ws.library_findings.count; i++)
        if (ctn_str_equal(ws.library_findings.items[i].file, ctn_source_file_name(chain->source)))
            ctn_findings_copy(&findings, &ws.library_findings.items[i]);
    (void) ctn_check(ws.config->library, chain->source, &options, &findings);
    tell_findings(c, &findings);
}

const ctn_engine_tool ctn_tool_check_chain = {
    .name = "check_chain",
    .action = CTN_ACTION_CHAINS_CHECK,
    .title = "Check a chain",
    .description =
        "Says what is wrong with a chain that is there, or with a text that is to become one, with lines and how "
        "to mend it: names that lead nowhere, values that do not fit, writes that cannot be undone. Nothing is "
        "run or stored.",
    .input = "{\"type\":\"object\",\"properties\":{\"chain\":{\"type\":\"string\",\"minLength\":1,\"description\":"
             "\"The id of "
             "one that is there.\"},\"definition\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":300000,"
             "\"description\":\"The text of a chain, YAML or JSON.\"}},\"additionalProperties\":false}",
    .output =
        "{\"type\":\"object\",\"properties\":{\"canRun\":{\"type\":\"boolean\"},\"errors\":{\"type\":\"integer\"},"
        "\"warnings\":{\"type\":\"integer\"},\"findings\":{\"type\":\"array\"}},\"required\":[\"canRun\",\"findings\"]"
        "}",
    .reads_only = true,
    .call = check_chain,
};
