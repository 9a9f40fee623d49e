/*
 * ended.c -- see ended.h.
 */
#include "store/ended.h"

/* Of statuses that are kept for different spans, the shortest: what ended after this is too young whatever its status.
 */
static int64_t newest_before_ms(const ctn_prune *what, bool of_completed)
{
    int64_t before_ms = 0;
    for (int i = CTN_STATUS_COMPLETED; i < CTN_STATUS_COUNT; i++)
        if ((i == CTN_STATUS_COMPLETED) == of_completed && what->before_ms[i] > before_ms)
            before_ms = what->before_ms[i];
    return before_ms;
}

int ctn_ended_walk(const ctn_ended_reader *r, bool of_completed, struct ctn_prune_place *place, ctn_err *err)
{
    ctn_ended page[CTN_ENDED_PAGE];
    size_t count = 0;
    int64_t before_ms = newest_before_ms(r->what, of_completed);
    int rc = r->read(r->ctx, of_completed, place, page, &count, err);
    for (size_t i = 0; rc == CTN_OK && i < count && *r->gone < r->what->entries_max; i++) {
        if (page[i].finished_at_ms >= before_ms) {
            place->next_at_ms = page[i].finished_at_ms;
            place->is_done = true;
            return CTN_OK;
        }
        if (page[i].finished_at_ms < r->what->before_ms[page[i].status])
            rc = r->prune(r->ctx, &page[i], err);
        place->finished_at_ms = page[i].finished_at_ms;
        place->exec_no = page[i].exec_no;
        if (i + 1 == count && count < CTN_ENDED_PAGE)
            place->is_done = true;
    }
    if (count == 0)
        place->is_done = true;
    return rc;
}
