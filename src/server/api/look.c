/*
 * look.c -- operations that look at executions: which there are, what happened in one, and why.
 */
#include "draw/picture.h"
#include "engine/fold.h"
#include "host/config_servers.h"
#include "host/explain.h"
#include "host/told.h"
#include "journal/timeline.h"
#include "server/api/execution.h"
#include "server/api/filter.h"
#include "server/api/graph.h"
#include "server/api/reveal.h"

/* ---- the list ---- */

typedef struct listing {
    ctn_json_builder list;
    int64_t now_ms;
} listing;

static void list_row(void *ctx, const ctn_execution_row *row)
{
    listing *l = ctx;
    ctn_arena *arena = l->list.arena;
    ctn_execution_row kept = *row;
    kept.chain_id = ctn_arena_str(arena, row->chain_id);
    ctn_json_builder b = ctn_api_execution_head(arena, &kept, l->now_ms);
    if (row->damage.len)
        ctn_json_put_str(&b, "damaged", ctn_arena_str(arena, row->damage));
    ctn_json_push(&l->list, ctn_json_finish(&b));
}

static void list_executions(ctn_api_call *call)
{
    ctn_execution_filter filter;
    ctn_str cursor = ctn_api_text(call->given, "cursor");
    ctn_json_builder b = ctn_json_object(call->arena);
    listing l = {.list = ctn_json_array(call->arena), .now_ms = ctn_loop_now_ms(ctn_host_loop(call->host))};
    ctn_api_page page = {.filter = &filter,
                         .action = CTN_ACTION_EXECUTIONS_READ,
                         .limit = (size_t) ctn_json_int_or(call->given, "limit", 50),
                         .tell = list_row,
                         .ctx = &l};
    ctn_err err = {0};
    bool can_fit = ctn_api_filter_of(call, call->given, &filter);
    if (cursor.len && !ctn_api_cursor_read(call->arena, cursor, &filter.before_exec_no)) {
        ctn_api_problem(call, 400, CTN_STR("query/cursor"), "it is none that this server gave");
        return;
    }
    if (can_fit && ctn_api_read_page(call, &page, &err)) {
        ctn_api_fail(call, &err);
        return;
    }
    ctn_json_put(&b, CTN_STR("executions"), ctn_json_finish(&l.list));
    if (page.next)
        ctn_json_put_str(&b, "next", ctn_api_cursor(call->arena, page.next));
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

/* ---- the journal ---- */

typedef struct journal {
    ctn_json_builder list;
    ctn_opening opening;
    size_t limit;
    uint64_t next;
    ctn_err *err;
} journal;

static int take_record(void *ctx, const ctn_record *record, int64_t position)
{
    journal *j = ctx;
    ctn_record opened, kept = *record;
    if (j->list.count == j->limit) {
        j->next = record->seq;
        return -1;
    }
    kept.body = ctn_arena_str(j->list.arena, record->body);
    kept.sealed = ctn_arena_str(j->list.arena, record->sealed);
    int rc = ctn_opening_record(&j->opening, &kept, j->list.arena, &opened, j->err);
    if (rc)
        return rc;
    opened.step = ctn_arena_str(j->list.arena, record->step);
    opened.actor = ctn_arena_str(j->list.arena, record->actor);
    ctn_json_builder b = ctn_told_record(j->list.arena, &opened, position);
    ctn_json_push(&j->list, ctn_json_finish(&b));
    return 0;
}

static void get_journal(ctn_api_call *call)
{
    ctn_execution_row row;
    ctn_err err = {0};
    ctn_seal *seal = NULL;
    ctn_json_builder b = ctn_json_object(call->arena);
    if (!ctn_api_find(call, CTN_ACTION_EXECUTIONS_READ, &row) || !ctn_api_reveal(call, &row, &seal))
        return;
    journal j = {.list = ctn_json_array(call->arena),
                 .limit = (size_t) ctn_json_int_or(call->given, "limit", 100),
                 .opening = {.seal = seal, .store = ctn_host_store(call->host), .exec_no = row.exec_no, .id = row.id},
                 .err = &err};
    int rc = ctn_store_journal_read(ctn_host_store(call->host), row.exec_no,
                                    (uint64_t) ctn_json_int_or(call->given, "fromSeq", 1), take_record, &j, &err);
    ctn_opening_done(&j.opening);
    if (rc > 0) {
        ctn_api_fail(call, &err);
        return;
    }
    ctn_json_put(&b, CTN_STR("entries"), ctn_json_finish(&j.list));
    if (j.next)
        ctn_json_put_int(&b, "nextSeq", (int64_t) j.next);
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

/* ---- the timeline ---- */

typedef struct timing {
    ctn_timeline *timeline;
    ctn_arena *scratch;
    ctn_err *err;
} timing;

static int add_record(void *ctx, const ctn_record *record, int64_t position)
{
    timing *t = ctx;
    (void) position;
    ctn_arena_reset(t->scratch);
    return ctn_timeline_add(t->timeline, record, t->scratch, t->err);
}

static void get_timeline(ctn_api_call *call)
{
    ctn_execution_row row;
    ctn_execution *x = NULL;
    ctn_err err = {0};
    ctn_store *store = ctn_host_store(call->host);
    ctn_json_builder b = ctn_json_object(call->arena), list = ctn_json_array(call->arena);
    timing t = {.err = &err};
    if (!ctn_api_find(call, CTN_ACTION_EXECUTIONS_READ, &row))
        return;
    int rc = ctn_execution_load_beside(ctn_host_engine(call->host), store, NULL, call->arena, &row, &x, &err);
    if (rc == CTN_OK) {
        t.timeline = ctn_timeline_new(call->arena, ctn_execution_plan(x));
        t.scratch = ctn_arena_new(65536);
        rc = ctn_store_journal_read(store, row.exec_no, 1, add_record, &t, &err);
        ctn_arena_free(t.scratch);
    }
    if (rc == CTN_OK) {
        size_t count, skip = (size_t) ctn_json_int_or(call->given, "skip", 0),
                      limit = (size_t) ctn_json_int_or(call->given, "limit", 1000);
        ctn_timeline_finish(t.timeline, ctn_loop_now_ms(ctn_host_loop(call->host)));
        const ctn_timeline_row *rows = ctn_timeline_rows(t.timeline, &count);
        for (size_t i = skip; i < count && i - skip < limit; i++)
            ctn_json_push(&list, ctn_told_attempt(call->arena, ctn_execution_plan(x), &rows[i]));
        ctn_json_put(&b, CTN_STR("attempts"), ctn_json_finish(&list));
        ctn_json_put_int(&b, "count", (int64_t) count);
        ctn_api_answer(call, 200, ctn_json_finish(&b));
    } else {
        ctn_api_fail(call, &err);
    }
    ctn_timeline_free(t.timeline);
    ctn_execution_unload_beside(ctn_host_engine(call->host), x);
}

/* ---- why ---- */

static void explain(ctn_api_call *call)
{
    ctn_execution_row row;
    ctn_explanation *e = NULL;
    const ctn_why_node *node = NULL;
    ctn_err err = {0};
    ctn_str kind = ctn_api_text(call->given, "kind");
    ctn_question_why q = {.name = ctn_api_text(call->given, "name"),
                          .is_step = ctn_str_is(kind, "step"),
                          .is_variable = ctn_str_is(kind, "variable"),
                          .at_seq = (uint64_t) ctn_json_int_or(call->given, "atSeq", 0)};
    if (!ctn_api_find(call, CTN_ACTION_EXECUTIONS_READ, &row))
        return;
    int rc = ctn_explanation_open(ctn_host_store(call->host), call->arena, &row, &e, &err);
    if (rc == CTN_OK)
        rc = ctn_explanation_ask(e, &q, &node, NULL, &err);
    const ctn_json *told = rc ? NULL : ctn_why_to_json(call->arena, node);
    ctn_str text = told ? ctn_json_to_str(call->arena, told) : (ctn_str){0}; /* it may point into what is closed now */
    ctn_explanation_close(e);
    if (rc == CTN_E_NOT_FOUND || rc == CTN_E_INVALID)
        ctn_api_problem(call, ctn_api_status_of(rc), CTN_STR("query/name"), "%s", err.message);
    else if (rc)
        ctn_api_fail(call, &err);
    else
        ctn_api_answer_text(call, "application/json", text);
}

/* ---- the picture ---- */

static void get_execution_graph(ctn_api_call *call)
{
    ctn_execution_row row;
    ctn_execution *x = NULL;
    ctn_graph *graph = NULL;
    ctn_err err = {0};
    ctn_check_options options = {.effect = ctn_config_effect, .effect_ctx = ctn_host_workspace(call->host)->config};
    if (!ctn_api_find(call, CTN_ACTION_EXECUTIONS_READ, &row))
        return;
    int rc = ctn_execution_load_beside(ctn_host_engine(call->host), ctn_host_store(call->host), NULL, call->arena, &row,
                                       &x, &err);
    if (rc == CTN_OK) {
        const ctn_plan *plan = ctn_execution_plan(x);
        rc = ctn_plan_graph(call->arena, plan->definitions, plan->definition_count, &graph, &err);
    }
    if (rc == CTN_OK) {
        ctn_picture *picture = ctn_picture_of(graph, &options, call->arena);
        ctn_picture_add_states(picture, x, call->arena);
        ctn_api_answer_picture(call, picture);
    } else {
        ctn_api_fail(call, &err);
    }
    ctn_execution_unload_beside(ctn_host_engine(call->host), x);
}

/* clang-format off */
const ctn_api_operation ctn_api_look[] = {
    {"listExecutions", list_executions},
    {"getJournal", get_journal},
    {"getTimeline", get_timeline},
    {"explainExecution", explain},
    {"getExecutionGraph", get_execution_graph},
    {0},
};
