/*
 * engine_look.c -- tools that look at executions: which there are, each step, and why something happened.
 */
#include "engine/fold.h"
#include "host/explain.h"
#include "host/snapshot.h"
#include "host/words.h"
#include "server/mcp/engine_internal.h"

#define LIST_DEFAULT 20
#define LIST_MAX     200

static ctn_str text_of(const ctn_engine_call *c, const char *name)
{
    return ctn_json_str_or(c->arguments, name, (ctn_str){0});
}

/* ---- steps ---- */

static const ctn_json *step_told(ctn_arena *arena, const ctn_snapshot_step *step)
{
    const ctn_step_view *v = &step->view;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "step", step->name);
    ctn_json_put_str(&b, "status", ctn_str_from(ctn_step_status_name(v->status)));
    if (v->attempt > 1)
        ctn_json_put_int(&b, "attempt", v->attempt);
    if (v->started_at_ms)
        ctn_json_put_str(&b, "startedAt", ctn_engine_time(arena, v->started_at_ms));
    if (v->ended_at_ms)
        ctn_json_put_str(&b, "endedAt", ctn_engine_time(arena, v->ended_at_ms));
    if (v->due_ms)
        ctn_json_put_str(&b, "dueAt", ctn_engine_time(arena, v->due_ms));
    if (v->failure)
        ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(v->failure)));
    if (v->message.len)
        ctn_json_put_str(&b, "message", v->message);
    if (v->item_count) {
        ctn_json_put_int(&b, "items", v->item_count);
        ctn_json_put_int(&b, "itemsEnded", v->items_ended);
        ctn_json_put_int(&b, "itemsFailed", v->items_failed);
    }
    if (ctn_snapshot_has_child(v))
        ctn_json_put_str(&b, "childExecutionId", ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(v->child).text)));
    return ctn_json_finish(&b);
}

const ctn_json *ctn_engine_steps(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_json_builder list = ctn_json_array(arena);
    ctn_execution *x = NULL;
    if (ctn_execution_load_beside(ctn_host_engine(b->host), ctn_host_store(b->host), NULL, arena, row, &x, NULL) ==
        CTN_OK) {
        ctn_snapshot s = ctn_snapshot_of(x, arena);
        for (size_t i = 0; i < s.step_count; i++)
            ctn_json_push(&list, step_told(arena, &s.steps[i]));
        ctn_execution_unload_beside(ctn_host_engine(b->host), x);
    }
    return ctn_json_finish(&list);
}

/* ---- list_executions ---- */

typedef struct listing {
    const ctn_mcp_exchange *x;
    ctn_json_builder list;
    ctn_execution_id last;
    size_t count;
} listing;

static int list_row(void *ctx, const ctn_execution_row *row)
{
    listing *l = ctx;
    ctn_arena *arena = l->list.arena;
    ctn_json_builder b = ctn_json_object(arena);
    if (!ctn_engine_may_read(l->x, arena, row))
        return 0;
    ctn_json_put_str(&b, "executionId", ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(row->id).text)));
    ctn_json_put_str(&b, "chain", ctn_arena_str(arena, row->chain_id));
    ctn_json_put_str(&b, "status", ctn_str_from(row->damage.len ? "damaged" : ctn_status_name(row->status)));
    ctn_json_put_str(&b, "createdAt", ctn_engine_time(arena, row->created_at_ms));
    if (row->finished_at_ms)
        ctn_json_put_str(&b, "finishedAt", ctn_engine_time(arena, row->finished_at_ms));
    if (row->error.len)
        ctn_json_put(&b, CTN_STR("error"), ctn_engine_parsed(arena, row->error));
    ctn_json_push(&l->list, ctn_json_finish(&b));
    l->last = row->id;
    l->count++;
    return 0;
}

static void list_executions(ctn_engine_call *c)
{
    ctn_str status = text_of(c, "status"), before = text_of(c, "before");
    ctn_execution_filter filter = {.chain_id = text_of(c, "chain"),
                                   .unfinished_only = ctn_json_bool_or(c->arguments, "unfinishedOnly", false),
                                   .limit = (size_t) ctn_json_int_or(c->arguments, "limit", LIST_DEFAULT)};
    ctn_execution_row row;
    ctn_err err = {0};
    listing l = {.x = c->x, .list = ctn_json_array(c->arena)};
    const ctn_catalogue *catalogue = ctn_engine_catalogue(c->b);
    filter.tenant = ctn_engine_caller(c->x)->tenant;
    filter.by_status = status.len && ctn_status_from_name(status, &filter.status);
    if (before.len) {
        if (!ctn_engine_row(c, before, &row))
            return;
        filter.before_exec_no = row.exec_no;
    }
    int rc = ctn_store_execution_list(ctn_host_store(c->b->host), &filter, list_row, &l, &err);
    if (rc && rc != CTN_E_CORRUPT) {
        ctn_engine_refuse(c->x, NULL, "The executions cannot be read: %s", err.message);
        return;
    }
    ctn_json_builder b = ctn_json_object(c->arena);
    ctn_json_put(&b, CTN_STR("executions"), ctn_json_finish(&l.list));
    if (l.count == 0 && filter.chain_id.len && !before.len && !ctn_catalogue_chain(catalogue, filter.chain_id))
        ctn_json_put_str(&b, "next",
                         ctn_arena_printf(c->arena, "There is no chain \"%.*s\", now or among the executions; %.*s",
                                          CTN_STR_ARG(filter.chain_id),
                                          CTN_STR_ARG(ctn_catalogue_suggest(catalogue, c->arena, filter.chain_id))));
    if (l.count == filter.limit)
        ctn_json_put_str(&b, "next",
                         ctn_arena_printf(c->arena, "There may be older ones: call it again with \"before\": \"%s\".",
                                          ctn_id_to_text(l.last).text));
    ctn_engine_say(c->x, ctn_json_finish(&b));
}

const ctn_engine_tool ctn_tool_list_executions = {
    .name = "list_executions",
    .action = CTN_ACTION_EXECUTIONS_READ,
    .title = "List executions",
    .description = "Executions, newest first: of all chains or of one, in any status or in one.",
    .input =
        "{\"type\":\"object\",\"properties\":{\"chain\":{\"type\":\"string\"},\"status\":{\"enum\":[\"queued\","
        "\"running\",\"waiting\",\"interrupted\",\"paused\",\"compensating\",\"completed\",\"failed\","
        "\"rolled_back\",\"rollback_failed\",\"cancelled\"]},\"unfinishedOnly\":{\"type\":\"boolean\",\"default\":"
        "false},\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":200,\"default\":20},\"before\":{\"type\":"
        "\"string\",\"description\":\"The id of the last one seen, for the next page.\"}},"
        "\"additionalProperties\":false}",
    .output =
        "{\"type\":\"object\",\"properties\":{\"executions\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
        "\"properties\":{\"executionId\":{\"type\":\"string\"},\"chain\":{\"type\":\"string\"},\"status\":{\"type\":"
        "\"string\"}},\"required\":[\"executionId\",\"chain\",\"status\"]}},\"next\":{\"type\":\"string\"}},"
        "\"required\":[\"executions\"]}",
    .reads_only = true,
    .call = list_executions,
};

/* ---- explain ---- */

static void explain(ctn_engine_call *c)
{
    ctn_execution_row row;
    ctn_explanation *e = NULL;
    const ctn_why_node *node = NULL;
    ctn_err err = {0};
    ctn_str kind = text_of(c, "kind");
    ctn_question_why q = {.name = text_of(c, "name"),
                          .is_step = ctn_str_is(kind, "step"),
                          .is_variable = ctn_str_is(kind, "variable"),
                          .at_seq = (uint64_t) ctn_json_int_or(c->arguments, "atSeq", 0)};
    if (!ctn_engine_row(c, text_of(c, "executionId"), &row))
        return;
    int rc = ctn_explanation_open(ctn_host_store(c->b->host), c->arena, &row, &e, &err);
    if (rc == CTN_OK)
        rc = ctn_explanation_ask(e, &q, &node, NULL, &err);
    const ctn_json *told = rc ? NULL : ctn_why_to_json(c->arena, node);
    ctn_explanation_close(e); /* it lives in the exchange, which is over with its answer */
    if (rc)
        ctn_engine_refuse(c->x, NULL,
                          "That cannot be explained: %.*s Call get_execution with {\"executionId\": \"%s\"} to see its "
                          "steps, or get_chain with {\"chain\": \"%.*s\"} to see the names there are.",
                          CTN_STR_ARG(ctn_engine_sentence(c->arena, ctn_str_from(err.message))),
                          ctn_id_to_text(row.id).text, CTN_STR_ARG(row.chain_id));
    else
        ctn_engine_say(c->x, told);
}

const ctn_engine_tool ctn_tool_explain = {
    .name = "explain",
    .action = CTN_ACTION_EXECUTIONS_READ,
    .title = "Explain why",
    .description =
        "Where a value of an execution came from, walked back through templates, tools' answers and inputs; or "
        "why a step did what it did: its condition, and everything that happened to it. `because` holds the "
        "causes.",
    .input =
        "{\"type\":\"object\",\"properties\":{\"executionId\":{\"type\":\"string\",\"minLength\":4},\"name\":{"
        "\"type\":\"string\",\"minLength\":1,\"description\":\"A variable, with a way into it (offer.total), or a "
        "step, with its item (price[3]).\"},\"kind\":{\"enum\":[\"variable\",\"step\"],\"description\":\"Where both "
        "have that name; a variable by default.\"},\"atSeq\":{\"type\":\"integer\",\"minimum\":1,\"description\":"
        "\"As it stood after that journal entry.\"}},\"required\":[\"executionId\",\"name\"],"
        "\"additionalProperties\":false}",
    .output = "{\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"string\"},\"because\":{\"type\":\"array\"}},"
              "\"required\":[\"kind\"]}",
    .reads_only = true,
    .call = explain,
};
