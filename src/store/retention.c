/*
 * retention.c -- see retention.h: what is the same for every backend.
 */
#include "store/retention.h"
#include "store/backend.h"

int ctn_store_prune(ctn_store *st, const ctn_prune *what, ctn_prune_walk *walk, ctn_pruned *sum, ctn_err *err)
{
    ctn_prune bounded = *what;
    int rc = what->is_dry ? CTN_OK : ctn_store_check_writable(st, err);
    if (rc)
        return rc;
    if (!bounded.entries_max)
        bounded.entries_max = 512;
    return st->ops->prune(st, &bounded, walk, sum, err);
}

int ctn_store_size_read(ctn_store *st, ctn_store_size *ret_size, ctn_err *err)
{
    return st->ops->size_read(st, ret_size, err);
}

int ctn_store_shrink(ctn_store *st, size_t pages, bool *ret_more, ctn_err *err)
{
    int rc = ctn_store_check_writable(st, err);
    return rc ? rc : st->ops->shrink(st, pages, ret_more, err);
}

void ctn_store_rest(ctn_store *st)
{
    if (st->ops->rest)
        st->ops->rest(st);
}

void ctn_prune_by_age(const ctn_retention *retention, int64_t now_ms, ctn_prune *ret_what)
{
    *ret_what = (ctn_prune){.results_before_ms = now_ms};
    for (int i = 0; i < CTN_STATUS_COUNT; i++) {
        int64_t span_ms = i == CTN_STATUS_COMPLETED ? retention->completed_ms : retention->failed_ms;
        if (ctn_status_is_final((ctn_status) i) && span_ms > 0 && span_ms < now_ms)
            ret_what->before_ms[i] = now_ms - span_ms;
    }
}

int64_t ctn_prune_due_ms(const ctn_retention *retention, const ctn_prune_walk *walk)
{
    int64_t due_ms = 0;
    if (retention->completed_ms && walk->completed.next_at_ms)
        due_ms = walk->completed.next_at_ms + retention->completed_ms + 1;
    if (retention->failed_ms && walk->others.next_at_ms &&
        (!due_ms || walk->others.next_at_ms + retention->failed_ms + 1 < due_ms))
        due_ms = walk->others.next_at_ms + retention->failed_ms + 1;
    return due_ms;
}

bool ctn_retention_span(ctn_str text, int64_t *ret_span_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } UNITS[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    const int64_t max_ms = INT64_C(36500) * 86400000; /* a hundred years */
    int64_t number;
    if (ctn_str_is(text, "forever")) {
        *ret_span_ms = 0;
        return true;
    }
    if (text.len < 2 || !ctn_str_to_int64((ctn_str){text.ptr, text.len - 1}, &number) || number <= 0)
        return false;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (UNITS[i].unit == text.ptr[text.len - 1] && number <= max_ms / UNITS[i].ms) {
            *ret_span_ms = number * UNITS[i].ms;
            return true;
        }
    return false;
}
