/*
 * engine_prompts.c -- prompts: chains that are published as one, whose output gives the messages; and for each chain
 * that is a tool one by the tool's name, which tells how to use it.
 *
 * The second kind runs nothing. It is text for a language model: what the chain is for, what it takes, whom it asks on
 * the way, and what to do when it does not end at once.
 */
#include "base/buf.h"
#include "server/mcp/engine_content.h"
#include "server/mcp/engine_published.h"
#include <stdlib.h>

#define TEXT_BYTES_MAX ((size_t) 256 << 10)

/* ---- the list ---- */

static bool is_prompt(const ctn_offered_chain *c)
{
    return c->is_published && c->plan->mcp.as == CTN_MCP_AS_PROMPT;
}

/* Of a tool all may be left out: what is not given is asked for in the text. */
static const ctn_json *arguments_of(const ctn_offered_chain *c, ctn_arena *arena)
{
    ctn_json_builder list = ctn_json_array(arena);
    const ctn_json *required = ctn_json_member_of(c->plan->input_schema_source, "required");
    for (uint32_t i = 0; i < c->plan->input_count; i++) {
        ctn_json_builder b = ctn_json_object(arena);
        ctn_str name = c->plan->variables[c->plan->inputs[i].slot];
        const ctn_json *schema = ctn_published_input_schema(c, name),
                       *about = ctn_json_member_of(schema, "description");
        bool is_required = (c->plan->inputs[i].is_required && !ctn_json_member_of(schema, "default")) ||
                           ctn_json_has_text(required, name);
        ctn_json_put_str(&b, "name", name);
        if (ctn_json_is(about, CTN_JSON_STRING))
            ctn_json_put(&b, CTN_STR("description"), about);
        ctn_json_put_bool(&b, "required", is_prompt(c) && is_required);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return ctn_json_finish(&list);
}

static ctn_str description_of(const ctn_offered_chain *c, ctn_arena *arena)
{
    ctn_str said = ctn_json_text(c->chain->description);
    if (!said.len)
        said = ctn_json_text(c->chain->name);
    if (is_prompt(c))
        return said.len ? said : ctn_arena_printf(arena, "The prompt that the chain %.*s makes", CTN_STR_ARG(c->id));
    return ctn_arena_printf(arena, "How to use the chain %.*s%s%.*s", CTN_STR_ARG(c->id), said.len ? ": " : "",
                            CTN_STR_ARG(said));
}

static const ctn_json *prompt_of(const ctn_offered_chain *c, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "name", c->plan->mcp.name);
    if (ctn_json_text(c->chain->name).len)
        ctn_json_put_str(&b, "title", ctn_json_text(c->chain->name));
    ctn_json_put_str(&b, "description", description_of(c, arena));
    if (c->plan->input_count)
        ctn_json_put(&b, CTN_STR("arguments"), arguments_of(c, arena));
    return ctn_json_finish(&b);
}

static int by_name(const void *a, const void *b)
{
    const ctn_offered_chain *x = *(const ctn_offered_chain *const *) a, *y = *(const ctn_offered_chain *const *) b;
    return ctn_str_compare(x->plan->mcp.name, y->plan->mcp.name);
}

/* A published one wins over the manual of a tool with its name. */
const ctn_json *ctn_prompts_of(const ctn_catalogue *c, ctn_arena *arena)
{
    const ctn_offered_chain **items = CTN_NEW_ARRAY(arena, const ctn_offered_chain *, c->count);
    ctn_json_builder list = ctn_json_array(arena);
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++) {
        const ctn_offered_chain *chain = &c->items[i];
        if (is_prompt(chain) || (chain->tool && !ctn_published_chain(c, CTN_MCP_AS_PROMPT, chain->plan->mcp.name)))
            items[count++] = chain;
    }
    qsort(items, count, sizeof *items, by_name);
    for (size_t i = 0; i < count; i++)
        if (!i || by_name(&items[i - 1], &items[i]) != 0)
            ctn_json_push(&list, prompt_of(items[i], arena));
    return ctn_json_finish(&list);
}

/* ---- how to use a tool ---- */

static void tell_inputs(ctn_buf *out, const ctn_offered_chain *c, ctn_arena *arena)
{
    const ctn_json *required = ctn_json_member_of(c->plan->input_schema_source, "required");
    ctn_buf_printf(out, "\n\n%s", c->plan->input_count ? "It takes:\n" : "It takes nothing.");
    for (uint32_t i = 0; i < c->plan->input_count; i++) {
        ctn_str name = c->plan->variables[c->plan->inputs[i].slot];
        const ctn_json *schema = ctn_published_input_schema(c, name);
        const ctn_json *about = ctn_json_member_of(schema, "description"), *type = ctn_json_member_of(schema, "type");
        const ctn_json *values = ctn_json_member_of(schema, "enum"), *given = ctn_json_member_of(schema, "default");
        bool is_required = !given && (c->plan->inputs[i].is_required || ctn_json_has_text(required, name));
        ctn_buf_printf(out, "- %.*s (", CTN_STR_ARG(name));
        if (ctn_json_is(type, CTN_JSON_STRING))
            ctn_buf_printf(out, "%.*s, ", CTN_STR_ARG(ctn_json_text(type)));
        ctn_buf_printf(out, "%s)", is_required ? "required" : "may be left out");
        if (ctn_json_is(about, CTN_JSON_STRING))
            ctn_buf_printf(out, ": %.*s", CTN_STR_ARG(ctn_json_text(about)));
        if (ctn_json_is(values, CTN_JSON_ARRAY))
            ctn_buf_printf(out, "; one of %.*s", CTN_STR_ARG(ctn_json_to_str(arena, values)));
        if (given)
            ctn_buf_printf(out, "; %.*s if not said", CTN_STR_ARG(ctn_json_to_str(arena, given)));
        ctn_buf_append_char(out, '\n');
    }
}

/* Whom it asks on the way. */
static void tell_waits(ctn_buf *out, const ctn_offered_chain *c)
{
    size_t count = 0;
    for (uint32_t i = 0; i < c->plan->step_count; i++) {
        const ctn_plan_step *step = &c->plan->steps[i];
        const char *what = step->set->kind == CTN_SET_APPROVAL ? "somebody's yes or no"
                           : step->set->kind == CTN_SET_AGENT
                               ? "an answer of yours, or of the user's: it says what to do"
                           : step->set->kind == CTN_SET_WAIT ? "time to pass"
                                                             : NULL;
        if (what)
            ctn_buf_printf(out, "%s- step %.*s waits for %s\n", count++ ? "" : "\nOn the way:\n",
                           CTN_STR_ARG(step->name), what);
    }
}

static const ctn_json *manual(const ctn_offered_chain *c, ctn_arena *arena, const ctn_json *given)
{
    ctn_buf out;
    ctn_str said = ctn_json_text(c->chain->description), name = c->plan->mcp.name;
    ctn_buf_init(&out, TEXT_BYTES_MAX);
    ctn_buf_printf(&out, "Please run the chain %.*s with the tool %.*s.", CTN_STR_ARG(c->id), CTN_STR_ARG(name));
    if (said.len)
        ctn_buf_printf(&out, " What it is for: %.*s", CTN_STR_ARG(said));
    tell_inputs(&out, c, arena);
    tell_waits(&out, c);
    ctn_buf_append_literal(&out, "\n");
    if (ctn_json_count(given))
        ctn_buf_printf(&out, "I have already decided: %.*s. ", CTN_STR_ARG(ctn_json_to_str(arena, given)));
    ctn_buf_printf(&out,
                   "Ask me for what is required and not known yet, then call %.*s. It is durable: when it does not end "
                   "at once, its answer has an executionId and says in `next` which tool to call; get_execution tells "
                   "how it stands, answer_step answers a step that waits. Do not call it a second time for the same "
                   "purpose.",
                   CTN_STR_ARG(name));
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return ctn_json_string(arena, text);
}

/* ---- prompts/get ---- */

static void say_messages(ctn_mcp_exchange *x, const ctn_offered_chain *c, const ctn_json *value)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    ctn_json_builder b = ctn_json_object(arena);
    if (c)
        ctn_json_put_str(&b, "description", description_of(c, arena));
    ctn_json_put(&b, CTN_STR("messages"), ctn_content_messages(arena, value));
    ctn_mcp_exchange_result(x, ctn_json_finish(&b));
}

static void answer_prompt(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_execution_row *row)
{
    const ctn_json *value = ctn_published_output(b, x, row);
    if (value)
        say_messages(x,
                     ctn_published_chain(ctn_engine_catalogue(b), CTN_MCP_AS_PROMPT, ctn_mcp_exchange_ask_of(x)->name),
                     value);
}

void ctn_published_prompt(void *ctx, ctn_mcp_exchange *x)
{
    ctn_engine_backend *b = ctx;
    const ctn_mcp_ask *ask = ctn_mcp_exchange_ask_of(x);
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    const ctn_catalogue *c = ctn_engine_catalogue(b);
    const ctn_offered_chain *chain = ctn_published_chain(c, CTN_MCP_AS_PROMPT, ask->name);
    if (chain) {
        ctn_published_run(b, x, chain, ask->arguments, answer_prompt);
        return;
    }
    chain = ctn_catalogue_tool(c, ask->name);
    if (chain)
        say_messages(x, chain, manual(chain, arena, ask->arguments));
    else
        ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS,
                               ctn_arena_printf(arena, "unknown prompt %.*s; prompts/list has those that there are",
                                                ask->name.len > 128 ? 128 : (int) ask->name.len, ask->name.ptr),
                               NULL);
}
