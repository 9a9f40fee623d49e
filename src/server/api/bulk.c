/*
 * bulk.c -- one action on many executions: those that a filter means, the newest first, so many a request.
 *
 * The executions are found first, as a list would, and told with `dryRun`. Then they are asked one after the other, a
 * few at a time, and what became of each is told when all are on disk. Nothing is kept between requests: whoever sends
 * the same again does it to those that the filter means then. Cancelling or pausing twice is once; a resumed or retried
 * execution is not paused or interrupted any more, so that it is not meant again.
 *
 * When the client leaves, no more are asked; those that were are done.
 */
#include <assert.h>
#include "server/api/execution.h"
#include "server/api/filter.h"
#include "value/calendar.h"

#define AT_ONCE 32

typedef struct item {
    ctn_execution_id id;
    int code; /* CTN_OK: done */
    ctn_str why;
} item;

typedef struct ctn_api_bulk_run {
    struct ctn_api_bulk_run *previous, *next_run; /* of the API */
    ctn_api *api;
    ctn_api_call *call; /* NULL: the client has left */
    ctn_arena *arena;   /* its own: the request may be gone before the last acknowledgement */
    ctn_host *host;
    ctn_requester by;
    ctn_request_op op;
    ctn_str reason;
    item *items;
    size_t count, capacity, asked, done;
    int64_t next;
    bool is_asking;
} bulk;

/* ---- which ---- */

static void take_row(void *ctx, const ctn_execution_row *row)
{
    bulk *b = ctx;
    if (row->damage.len)
        return;
    b->items = ctn_arena_room(b->arena, b->items, b->count, &b->capacity, sizeof *b->items);
    b->items[b->count++].id = row->id;
}

/* Only those to which it can be done. */
static uint32_t statuses_for(ctn_str action)
{
    const uint32_t open = (1u << CTN_STATUS_COMPLETED) - 1;
    if (ctn_str_is(action, "resume"))
        return 1u << CTN_STATUS_PAUSED;
    if (ctn_str_is(action, "retry"))
        return 1u << CTN_STATUS_INTERRUPTED;
    return ctn_str_is(action, "pause") ? open & ~(1u << CTN_STATUS_PAUSED) : open;
}

/* ---- the answer ---- */

static void answer(ctn_api_call *call, const bulk *b, bool is_dry)
{
    ctn_json_builder out = ctn_json_object(call->arena), list = ctn_json_array(call->arena);
    int64_t failed = 0;
    for (size_t i = 0; i < b->count; i++) {
        ctn_json_builder one = ctn_json_object(call->arena);
        ctn_json_put_str(&one, "executionId",
                         ctn_arena_str(call->arena, ctn_str_from(ctn_id_to_text(b->items[i].id).text)));
        if (!is_dry)
            ctn_json_put_bool(&one, "done", !b->items[i].code);
        if (b->items[i].code)
            ctn_json_put_str(&one, "why", b->items[i].why);
        failed += b->items[i].code != CTN_OK;
        ctn_json_push(&list, ctn_json_finish(&one));
    }
    ctn_json_put_bool(&out, "dryRun", is_dry);
    ctn_json_put_int(&out, "matched", (int64_t) b->count);
    ctn_json_put_int(&out, "done", is_dry ? 0 : (int64_t) b->count - failed);
    ctn_json_put_int(&out, "failed", failed);
    ctn_json_put(&out, CTN_STR("executions"), ctn_json_finish(&list));
    if (b->next)
        ctn_json_put_str(&out, "next", ctn_api_cursor(call->arena, b->next));
    ctn_api_answer(call, 200, ctn_json_finish(&out));
}

/* ---- doing it ---- */

static void on_gone(void *ctx)
{
    ((bulk *) ctx)->call = NULL;
}

static void end(bulk *b)
{
    *(b->previous ? &b->previous->next_run : &b->api->bulks) = b->next_run;
    if (b->next_run)
        b->next_run->previous = b->previous;
    ctn_arena_free(b->arena);
}

static void end_if_over(bulk *b)
{
    if (b->is_asking || b->done < b->asked || (b->call && b->asked < b->count))
        return;
    if (b->call) {
        ctn_web_when_gone(b->call->request, NULL, NULL);
        answer(b->call, b, false);
    }
    end(b);
}

static void ask_more(bulk *b);

typedef struct asked {
    bulk *b;
    item *item;
} asked;

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    asked *a = ctx;
    bulk *b = a->b;
    (void) id;
    a->item->code = rc;
    if (rc)
        a->item->why = ctn_arena_str(b->arena, ctn_str_from(err && err->message[0] ? err->message : ctn_err_name(rc)));
    b->done++;
    ask_more(b);
}

static void ask_more(bulk *b)
{
    if (b->is_asking) /* an acknowledgement that came at once */
        return;
    b->is_asking = true;
    while (b->call && b->asked < b->count && b->asked - b->done < AT_ONCE && ctn_host_engine(b->host)) {
        asked *a = CTN_NEW(b->arena, asked);
        *a = (asked){b, &b->items[b->asked++]};
        ctn_request q = {.op = b->op,
                         .id = a->item->id,
                         .actor = b->by.audit_actor,
                         .reason = b->reason,
                         .settle = CTN_SETTLE_RETRY,
                         .by = b->by};
        ctn_desk_file(ctn_host_desk(b->host), &q, on_ack, a);
    }
    b->is_asking = false;
    end_if_over(b);
}

static bulk *begin(ctn_api_call *call, ctn_action action)
{
    ctn_arena *arena = ctn_arena_new(16384);
    bulk *b = CTN_NEW(arena, bulk);
    ctn_requester by = ctn_api_requester(call, action);
    *b = (bulk){.api = call->api,
                .next_run = call->api->bulks,
                .call = call,
                .arena = arena,
                .host = call->host,
                .by = {.audit_action = by.audit_action,
                       .audit_actor = ctn_arena_str(arena, by.audit_actor),
                       .from = ctn_arena_str(arena, by.from)},
                .reason = ctn_arena_str(arena, ctn_api_text(call->body, "reason"))};
    if (b->next_run)
        b->next_run->previous = b;
    call->api->bulks = b;
    return b;
}

/* A pattern lets a 31st of February through, and no bound is no filter. */
static bool has_times(ctn_api_call *call)
{
    static const char *const NAMES[] = {"createdFrom", "createdUntil", "finishedFrom", "finishedUntil"};
    const ctn_json *filter = ctn_json_member_of(call->body, "filter");
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const ctn_json *said = ctn_json_member_of(filter, NAMES[i]);
        ctn_time time;
        if (!said || ctn_time_of(said, &time))
            continue;
        ctn_api_problem(call, 422, ctn_arena_printf(call->arena, "/filter/%s", NAMES[i]), "there is no such time");
        return false;
    }
    return true;
}

static void act_on_many(ctn_api_call *call)
{
    static const struct {
        const char *name;
        ctn_action action;
        ctn_request_op op;
    } ACTS[] = {{"cancel", CTN_ACTION_EXECUTIONS_CANCEL, CTN_REQUEST_CANCEL},
                {"pause", CTN_ACTION_EXECUTIONS_PAUSE, CTN_REQUEST_PAUSE},
                {"resume", CTN_ACTION_EXECUTIONS_PAUSE, CTN_REQUEST_RESUME},
                {"retry", CTN_ACTION_EXECUTIONS_DECIDE, CTN_REQUEST_SETTLE}};
    ctn_execution_filter filter;
    ctn_err err = {0};
    ctn_str act = ctn_api_text(call->body, "action"), cursor = ctn_api_text(call->body, "cursor");
    size_t i = 0;
    while (i < sizeof ACTS / sizeof *ACTS && !ctn_str_is(act, ACTS[i].name)) /* the schema has no others */
        i++;
    assert(i < sizeof ACTS / sizeof *ACTS);
    if (!has_times(call))
        return;
    bool can_fit = ctn_api_filter_of(call, ctn_json_member_of(call->body, "filter"), &filter);
    if (!ctn_api_demand(call, ACTS[i].action, NULL))
        return;
    if (cursor.len && !ctn_api_cursor_read(call->arena, cursor, &filter.before_exec_no)) {
        ctn_api_problem(call, 422, CTN_STR("/cursor"), "it is none that this server gave");
        return;
    }
    uint32_t possible = statuses_for(act);
    can_fit = can_fit && (!filter.statuses || (filter.statuses & possible));
    filter.statuses = filter.statuses ? filter.statuses & possible : possible;
    bulk *b = begin(call, ACTS[i].action);
    b->op = ACTS[i].op;
    ctn_api_page page = {.filter = &filter,
                         .action = ACTS[i].action,
                         .limit = (size_t) ctn_json_int_or(call->body, "limit", 100),
                         .tell = take_row,
                         .ctx = b};
    if (can_fit && ctn_api_read_page(call, &page, &err)) {
        end(b);
        ctn_api_fail(call, &err);
        return;
    }
    b->next = page.next;
    if (ctn_json_bool_or(call->body, "dryRun", false)) {
        answer(call, b, true);
        end(b);
        return;
    }
    ctn_web_when_gone(call->request, on_gone, b);
    ask_more(b);
}

void ctn_api_bulks_close(ctn_api *api)
{
    for (bulk *b = api->bulks; b; b = b->next_run) {
        if (b->call)
            ctn_web_when_gone(b->call->request, NULL, NULL);
        b->call = NULL;
    }
}

void ctn_api_bulks_free(ctn_api *api)
{
    while (api->bulks)
        end(api->bulks);
}

/* clang-format off */
const ctn_api_operation ctn_api_bulk[] = {
    {"actOnMany", act_on_many},
    {0},
};
