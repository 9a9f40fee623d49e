/*
 * filter.c -- see filter.h. Pages go by the numbers of executions, which never change, so that what is started
 * meanwhile neither repeats nor hides anything. The store is asked for a span of numbers at a time, wider when that was
 * quick, until the page is full or its time is over.
 */
#include "server/api/filter.h"
#include "base/base64.h"
#include "host/told.h"
#include "server/api/execution.h"
#include "value/calendar.h"

#define SPAN     20000
#define SPAN_MAX 2000000
#define QUICK_MS 4
#define TIME_MS  20

static int64_t time_of(const ctn_json *said, const char *name)
{
    ctn_time time;
    return ctn_time_of(ctn_json_member_of(said, name), &time) ? time.at_ms : 0;
}

/* As a list's parameters have them: ["team=a"]; as an object they are what they are. */
static const ctn_json *labels_of(ctn_arena *arena, const ctn_json *said)
{
    const ctn_json *texts = ctn_json_member_of(said, "label");
    ctn_json_builder b = ctn_json_object(arena);
    if (!texts)
        return ctn_json_member_of(said, "labels");
    for (size_t i = 0; i < ctn_json_count(texts); i++) {
        ctn_str value = ctn_json_text(ctn_json_at(texts, i)), name = ctn_str_cut(&value, '=');
        ctn_json_put(&b, name, ctn_json_string(arena, value));
    }
    return ctn_json_finish(&b);
}

bool ctn_api_filter_of(ctn_api_call *call, const ctn_json *said, ctn_execution_filter *ret)
{
    const ctn_json *statuses = ctn_json_member_of(said, "status");
    *ret = (ctn_execution_filter){.chain_id = ctn_api_text(said, "chain"),
                                  .tenant = ctn_api_text(said, "tenant"),
                                  .roots_only = ctn_json_bool_or(said, "roots", false),
                                  .labels = labels_of(call->arena, said),
                                  .created_from_ms = time_of(said, "createdFrom"),
                                  .created_until_ms = time_of(said, "createdUntil"),
                                  .finished_from_ms = time_of(said, "finishedFrom"),
                                  .finished_until_ms = time_of(said, "finishedUntil")};
    for (size_t i = 0; i < ctn_json_count(statuses); i++) {
        ctn_status status;
        if (ctn_status_from_name(ctn_json_text(ctn_json_at(statuses, i)), &status))
            ret->statuses |= 1u << status;
    }
    static const char *const TIMES[] = {"createdFrom", "createdUntil", "finishedFrom", "finishedUntil"};
    for (size_t i = 0; i < sizeof TIMES / sizeof *TIMES; i++)
        if (ctn_json_member_of(said, TIMES[i]) && !time_of(said, TIMES[i]))
            return false;
    if (!call->caller->tenant.len)
        return true;
    if (ret->tenant.len && !ctn_str_equal(ret->tenant, call->caller->tenant))
        return false;
    ret->tenant = call->caller->tenant;
    return true;
}

/* ---- pages ---- */

typedef struct reading {
    ctn_api_call *call;
    ctn_api_page *page;
    ctn_arena *scratch;
    size_t count;
    int64_t last;
} reading;

static int take_row(void *ctx, const ctn_execution_row *row)
{
    reading *r = ctx;
    ctn_arena_mark mark = ctn_arena_save(r->scratch);
    ctn_access_object object = {
        .chain_id = row->chain_id, .tenant = row->tenant, .labels = ctn_told_parsed(r->scratch, row->labels)};
    bool may = ctn_access_may(r->call->caller, r->page->action, &object);
    ctn_arena_restore(r->scratch, mark);
    r->last = row->exec_no;
    if (!may)
        return 0;
    r->page->tell(r->page->ctx, row);
    return ++r->count == r->page->limit;
}

int ctn_api_read_page(ctn_api_call *call, ctn_api_page *page, ctn_err *err)
{
    ctn_store *store = ctn_host_store(call->host);
    ctn_loop *loop = ctn_host_loop(call->host);
    ctn_execution_filter filter = *page->filter;
    reading r = {.call = call, .page = page};
    int64_t began_ms = ctn_loop_now_ms(loop), newest = 0, span = SPAN, rc = CTN_OK;
    rc = ctn_store_exec_no_last(store, &newest, err);
    if (rc)
        return (int) rc;
    if (filter.before_exec_no <= 0 || filter.before_exec_no > newest + 1)
        filter.before_exec_no = newest + 1;
    r.scratch = ctn_arena_new(4096);
    page->next = filter.before_exec_no;
    while (rc == CTN_OK && page->next > 1) {
        int64_t at_ms = ctn_loop_now_ms(loop);
        filter.before_exec_no = page->next;
        filter.after_exec_no = page->next - 1 > span ? page->next - 1 - span : 0;
        rc = ctn_store_execution_list(store, &filter, take_row, &r, err);
        if (rc == CTN_E_CORRUPT) /* what could be read was told */
            rc = CTN_OK;
        bool is_full = r.count == page->limit;
        page->next = is_full ? r.last : filter.after_exec_no + 1;
        if (is_full || ctn_loop_now_ms(loop) - began_ms >= TIME_MS)
            break;
        if (ctn_loop_now_ms(loop) - at_ms < QUICK_MS && span < SPAN_MAX)
            span *= 4;
    }
    if (page->next <= 1)
        page->next = 0;
    ctn_arena_free(r.scratch);
    return (int) rc;
}

/* ---- cursors ---- */

ctn_str ctn_api_cursor(ctn_arena *arena, int64_t before_exec_no)
{
    return ctn_base64_url(arena, ctn_arena_printf(arena, "b:%lld", (long long) before_exec_no));
}

bool ctn_api_cursor_read(ctn_arena *arena, ctn_str cursor, int64_t *ret_before_exec_no)
{
    ctn_str text;
    return ctn_base64_url_read(arena, cursor, &text) && ctn_str_starts_with(text, CTN_STR("b:")) &&
           ctn_str_to_int64(ctn_str_from_offset(text, 2), ret_before_exec_no) && *ret_before_exec_no > 0;
}
