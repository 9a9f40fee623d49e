/*
 * engine_result.c -- what a caller is told of an execution: as the engine's tools tell it, and as a chain's own tool
 * does.
 *
 * What is told says how to go on: `next` is a sentence that names the tool to call, and its arguments, because whoever
 * reads it may be a language model that has seen nothing but this answer. Sensitive values are hidden as everywhere.
 */
#include "base/buf.h"
#include "engine/fold.h"
#include "host/audit.h"
#include "server/mcp/engine_content.h"
#include "server/mcp/engine_internal.h"
#include <inttypes.h>
#include <stdio.h>

#define TEXT_BYTES_MAX ((size_t) 8 << 20)

/* ---- small things ---- */

const ctn_json *ctn_engine_parsed(ctn_arena *arena, ctn_str json)
{
    const ctn_json *v = NULL;
    return json.len && ctn_json_parse(arena, json, NULL, &v, NULL) == CTN_OK ? v : &ctn_json_null;
}

ctn_str ctn_engine_time(ctn_arena *arena, int64_t at_ms)
{
    char text[25];
    ctn_time_format(at_ms, text);
    return ctn_arena_str(arena, ctn_str_from(text));
}

const ctn_json *ctn_engine_label(ctn_arena *arena, const ctn_execution_row *row, const char *name)
{
    return ctn_json_member_of(ctn_engine_parsed(arena, row->labels), name);
}

/* Over stdio it is the user's own client that speaks. */
ctn_str ctn_engine_actor(ctn_mcp_exchange *x, ctn_arena *arena)
{
    ctn_str principal = ctn_mcp_exchange_caller(x)->principal;
    return ctn_str_is(principal, "stdio") ? ctn_actor_name(arena) : principal;
}

static const ctn_json *text_block(ctn_arena *arena, ctn_str text)
{
    ctn_json_builder block = ctn_json_object(arena);
    ctn_json_put_str(&block, "type", CTN_STR("text"));
    ctn_json_put_str(&block, "text", text);
    return ctn_json_finish(&block);
}

static const ctn_json *one_text(ctn_arena *arena, ctn_str text)
{
    ctn_json_builder list = ctn_json_array(arena);
    ctn_json_push(&list, text_block(arena, text));
    return ctn_json_finish(&list);
}

static const ctn_json *structured_result(ctn_arena *arena, const ctn_json *structured)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put(&b, CTN_STR("content"), one_text(arena, ctn_json_to_str(arena, structured)));
    ctn_json_put(&b, CTN_STR("structuredContent"), structured);
    ctn_json_put_bool(&b, "isError", false);
    return ctn_json_finish(&b);
}

const ctn_json *ctn_engine_failure_result(ctn_arena *arena, ctn_str text, const ctn_json *structured)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put(&b, CTN_STR("content"), one_text(arena, text));
    if (structured)
        ctn_json_put(&b, CTN_STR("structuredContent"), structured);
    ctn_json_put_bool(&b, "isError", true);
    return ctn_json_finish(&b);
}

void ctn_engine_say(ctn_mcp_exchange *x, const ctn_json *structured)
{
    ctn_mcp_exchange_result(x, structured_result(ctn_mcp_exchange_arena(x), structured));
}

void ctn_engine_refuse(ctn_mcp_exchange *x, const ctn_json *structured, const char *format, ...)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    va_list args;
    va_start(args, format);
    ctn_str text = ctn_arena_vprintf(arena, format, args);
    va_end(args);
    if (ctn_mcp_exchange_is_call(x))
        ctn_mcp_exchange_result(x, ctn_engine_failure_result(arena, text, structured));
    else
        ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS, text, NULL);
}

ctn_str ctn_engine_sentence(ctn_arena *arena, ctn_str text)
{
    char last = text.len ? text.ptr[text.len - 1] : '.';
    return last == '.' || last == '?' || last == '!' ? text : ctn_arena_printf(arena, "%.*s.", CTN_STR_ARG(text));
}

bool ctn_engine_row(ctn_engine_call *c, ctn_str id, ctn_execution_row *ret_row)
{
    ctn_store *store = ctn_host_store(c->b->host);
    ctn_execution_id whole;
    ctn_err err = {0};
    int rc = ctn_id_parse(id, &whole, NULL) == CTN_OK
                 ? ctn_store_execution_get(store, c->arena, whole, ret_row, &err)
                 : ctn_store_execution_by_prefix(store, c->arena, id, ret_row, &err);
    if (rc == CTN_OK)
        rc = ctn_engine_demand_row(c, ret_row, &err);
    if (rc == CTN_OK)
        return true;
    if (rc == CTN_E_DENIED)
        ctn_engine_refuse(c->x, NULL, "%.*s Nothing was done.",
                          CTN_STR_ARG(ctn_engine_sentence(c->arena, ctn_str_from(err.message))));
    else if (rc == CTN_E_NOT_FOUND)
        ctn_engine_refuse(
            c->x, NULL,
            "There is no execution \"%.*s\". Call list_executions with {} to see the newest ones, or with "
            "{\"chain\": ID} those of one chain.",
            CTN_STR_ARG(id));
    else
        ctn_engine_refuse(c->x, NULL, "The execution \"%.*s\" cannot be read: %.*s", CTN_STR_ARG(id),
                          CTN_STR_ARG(ctn_engine_sentence(c->arena, ctn_str_from(err.message))));
    return false;
}

/* ---- an execution ---- */

/* ": because so", as whoever paused it said; empty: nobody did. */
static ctn_str pause_reason(ctn_engine_backend *b, const ctn_execution_row *row, ctn_arena *arena)
{
    ctn_engine *engine = ctn_host_engine(b->host);
    const ctn_execution *x = engine ? ctn_engine_find(engine, row->id) : NULL;
    ctn_execution *loaded = NULL;
    ctn_str reason = {0};
    if (!x && ctn_execution_load_beside(ctn_host_engine(b->host), ctn_host_store(b->host), NULL, arena, row, &loaded,
                                        NULL) == CTN_OK)
        x = loaded;
    if (x && ctn_execution_pause_reason(x).len)
        reason = ctn_arena_printf(arena, ": %.*s", CTN_STR_ARG(ctn_execution_pause_reason(x)));
    ctn_execution_unload_beside(ctn_host_engine(b->host), loaded);
    return reason;
}

/* What somebody must do so that it goes on; empty: nothing. */
static ctn_str next_of(ctn_engine_backend *b, const ctn_execution_row *row, const ctn_questions *q, ctn_arena *arena)
{
    ctn_id_text id = ctn_id_to_text(row->id);
    if (q->count) {
        ctn_id_text of = ctn_id_to_text(q->items[0].execution);
        return ctn_arena_printf(
            arena,
            "It waits for an answer to step %.*s%s. Call answer_step with {\"executionId\": \"%s\", "
            "\"step\": \"%.*s\", \"answer\": ...}; waitingFor says what is asked and how an answer "
            "looks.",
            CTN_STR_ARG(q->items[0].step), q->count > 1 ? " and others" : "", of.text, CTN_STR_ARG(q->items[0].step));
    }
    switch (row->status) {
    case CTN_STATUS_QUEUED:
    case CTN_STATUS_RUNNING:
    case CTN_STATUS_WAITING:
    case CTN_STATUS_COMPENSATING:
        return ctn_arena_printf(arena,
                                "It goes on by itself. Call get_execution with {\"executionId\": \"%s\", \"waitMs\": "
                                "30000} to wait for its end, or cancel_execution to stop it.",
                                id.text);
    case CTN_STATUS_PAUSED:
        return ctn_arena_printf(arena,
                                "It is paused%.*s Call resume_execution with {\"executionId\": \"%s\"} to go on.",
                                CTN_STR_ARG(ctn_engine_sentence(arena, pause_reason(b, row, arena))), id.text);
    case CTN_STATUS_INTERRUPTED:
        return ctn_arena_printf(
            arena,
            "A call may or may not have happened, and somebody must say so. Find out what became of "
            "it (explain tells what was sent), then call resume_execution with {\"executionId\": "
            "\"%s\", \"outcome\": \"retry\" | \"succeeded\" | \"failed\"}.",
            id.text);
    default: return (ctn_str){0};
    }
}

ctn_json_builder ctn_engine_execution(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_json_builder o = ctn_json_object(arena);
    ctn_questions *q = CTN_NEW(arena, ctn_questions);
    ctn_json_put_str(&o, "executionId", ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(row->id).text)));
    ctn_json_put_str(&o, "chain", row->chain_id);
    ctn_json_put_int(&o, "version", row->chain_version);
    ctn_json_put_str(&o, "status", ctn_str_from(ctn_status_name(row->status)));
    ctn_json_put_str(&o, "createdAt", ctn_engine_time(arena, row->created_at_ms));
    if (row->started_at_ms)
        ctn_json_put_str(&o, "startedAt", ctn_engine_time(arena, row->started_at_ms));
    if (row->finished_at_ms)
        ctn_json_put_str(&o, "finishedAt", ctn_engine_time(arena, row->finished_at_ms));
    if (row->status == CTN_STATUS_COMPLETED && row->outputs.len) /* one that was undone since has none any more */
        ctn_json_put(&o, CTN_STR("outputs"), ctn_engine_parsed(arena, row->outputs));
    if (row->error.len)
        ctn_json_put(&o, CTN_STR("error"), ctn_engine_parsed(arena, row->error));
    if (!ctn_status_is_final(row->status)) {
        ctn_questions_of(b, arena, row, q);
        if (q->count)
            ctn_json_put(&o, CTN_STR("waitingFor"), ctn_questions_told(q, arena));
        ctn_json_put_str(&o, "next", next_of(b, row, q, arena));
    }
    return o;
}

/* ---- a chain's tool ---- */

const ctn_json *ctn_engine_open_result(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_json_builder o = ctn_engine_execution(b, arena, row);
    return structured_result(arena, ctn_json_finish(&o));
}

/* Why it did not complete, and what can be done. */
static const ctn_json *failed_result(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row)
{
    const ctn_json *error = ctn_engine_parsed(arena, row->error);
    ctn_str step = ctn_json_str_or(error, "step", (ctn_str){0}), code = ctn_json_str_or(error, "code", (ctn_str){0});
    ctn_str message = ctn_json_str_or(error, "message", (ctn_str){0});
    ctn_id_text id = ctn_id_to_text(row->id);
    ctn_str next =
        ctn_arena_printf(arena,
                         "To see why, call explain with {\"executionId\": \"%s\"%s%.*s%s}; to see each step, "
                         "get_execution. To try again, call it again.",
                         id.text, step.len ? ", \"name\": \"" : "", CTN_STR_ARG(step), step.len ? "\"" : "");
    ctn_str text = ctn_arena_printf(
        arena, "The chain %.*s ended %s%s%.*s: %.*s%s%.*s%s\nExecution %s. %.*s", CTN_STR_ARG(row->chain_id),
        ctn_status_name(row->status), step.len ? " at step " : "", CTN_STR_ARG(step), CTN_STR_ARG(message),
        code.len ? " [" : "", CTN_STR_ARG(code), code.len ? "]" : "", id.text, CTN_STR_ARG(next));
    ctn_json_builder o = ctn_engine_execution(b, arena, row);
    ctn_json_put_str(&o, "next", next);
    return ctn_engine_failure_result(arena, text, ctn_json_finish(&o));
}

static const ctn_json *completed_result(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row,
                                        ctn_str content)
{
    const ctn_json *outputs = ctn_engine_parsed(arena, row->outputs);
    const ctn_offered_chain *chain = ctn_catalogue_chain(ctn_engine_catalogue_told(b), row->chain_id);
    ctn_err err = {0};
    ctn_json_builder result = ctn_json_object(arena), rest = ctn_json_object(arena);
    if (content.len) {
        for (size_t i = 0; i < ctn_json_count(outputs); i++)
            if (!ctn_str_equal(ctn_json_text(&outputs->members[i].key), content))
                ctn_json_put(&rest, ctn_json_text(&outputs->members[i].key), &outputs->members[i].value);
        ctn_json_put(&result, CTN_STR("content"), ctn_content_blocks(arena, ctn_json_get(outputs, content)));
        outputs = ctn_json_finish(&rest);
    } else {
        ctn_json_put(&result, CTN_STR("content"), one_text(arena, ctn_json_to_str(arena, outputs)));
    }
    /* A person's `set`, or an older version of the chain, may have given what is not declared now. */
    if (chain && chain->result_schema && ctn_schema_validate(chain->result_schema, outputs, arena, &err))
        return ctn_engine_failure_result(
            arena,
            ctn_arena_printf(arena,
                             "The chain completed (execution %s), and its outputs are not what the tool declares: %s. "
                             "They are: %.*s",
                             ctn_id_to_text(row->id).text, err.message, CTN_STR_ARG(row->outputs)),
            NULL);
    if (!content.len || ctn_json_count(outputs))
        ctn_json_put(&result, CTN_STR("structuredContent"), outputs);
    ctn_json_put_bool(&result, "isError", false);
    return ctn_json_finish(&result);
}

const ctn_json *ctn_engine_ended_result(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row,
                                        ctn_str content)
{
    return row->status == CTN_STATUS_COMPLETED ? completed_result(b, arena, row, content)
                                               : failed_result(b, arena, row);
}
