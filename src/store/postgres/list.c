/*
 * list.c -- executions for people: narrowed, the newest first, a page of them at a time.
 *
 * What can be said in SQL is; the rest is looked at row by row. A row whose values do not read is told with what is
 * wrong with it.
 */
#include "store/postgres/chapters.h"
#include "store/postgres/core.h"
#include "store/postgres/schema.h"

enum { PAGE = 200 };

static const uint32_t ALL = (1u << CTN_STATUS_COUNT) - 1, UNFINISHED = (1u << CTN_STATUS_COMPLETED) - 1;

static uint32_t statuses_of(const ctn_execution_filter *f)
{
    uint32_t statuses = f->statuses ? f->statuses & ALL : ALL;
    if (f->by_status)
        statuses &= 1u << f->status;
    return f->unfinished_only ? statuses & UNFINISHED : statuses;
}

/* One more condition with a parameter; format has the number of it. */
static void narrow(ctn_buf *sql, const pg_params *p, const char *condition)
{
    ctn_buf_printf(sql, " AND %s$%d", condition, p->count);
}

/* The phase is said beside the statuses, because the indexes know that alone. */
static void put_statuses(ctn_buf *sql, uint32_t statuses)
{
    const char *before = " AND e.status IN (";
    if (!(statuses & ~UNFINISHED))
        ctn_buf_append_literal(sql, " AND " PG_IS_UNFINISHED("e."));
    else if (!(statuses & (UNFINISHED | 1u << CTN_STATUS_COMPLETED)))
        ctn_buf_append_literal(sql, " AND e.phase = 3");
    if (statuses == ALL || statuses == UNFINISHED)
        return;
    for (int s = 0; s < CTN_STATUS_COUNT; s++)
        if (statuses & 1u << s) {
            ctn_buf_printf(sql, "%s'%s'", before, ctn_status_name((ctn_status) s));
            before = ",";
        }
    ctn_buf_append_literal(sql, ")");
}

static int read_page(pg_store *st, const ctn_execution_filter *f, int64_t before_exec_no, size_t limit, PGresult **ret,
                     ctn_err *err)
{
    pg_params p = {0};
    ctn_buf sql;
    ctn_buf_init(&sql, 8192); /* there is room for every filter */
    ctn_buf_append_literal(&sql, PG_EXECUTIONS "WHERE true");
    put_statuses(&sql, statuses_of(f));
    if (f->chain_id.len) {
        ctn_pg_text(&p, f->chain_id);
        narrow(&sql, &p, "e.chain_id = ");
    }
    if (f->tenant.len) {
        ctn_pg_text(&p, f->tenant);
        narrow(&sql, &p, "e.tenant = ");
    }
    if (before_exec_no > 0) {
        ctn_pg_int(&p, before_exec_no);
        narrow(&sql, &p, "e.exec_no < ");
    }
    if (f->after_exec_no > 0) {
        ctn_pg_int(&p, f->after_exec_no);
        narrow(&sql, &p, "e.exec_no > ");
    }
    if (f->roots_only)
        ctn_buf_append_literal(&sql, " AND e.parent_id IS NULL");
    ctn_pg_int(&p, (int64_t) limit);
    ctn_buf_printf(&sql, " ORDER BY e.exec_no DESC LIMIT $%d", p.count);
    ctn_buf_append_char(&sql, '\0');
    int rc = ctn_pg_ask(st->db, "listing executions", sql.data, &p, ret, err);
    ctn_buf_done(&sql);
    return rc;
}

int ctn_pg_execution_list(ctn_store *base, const ctn_execution_filter *filter, ctn_execution_fn *fn, void *ctx,
                          ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    int64_t before = filter->before_exec_no;
    size_t left = filter->limit ? filter->limit : SIZE_MAX;
    int rc = CTN_OK;
    for (bool is_over = !statuses_of(filter); rc == CTN_OK && !is_over;) {
        PGresult *r = NULL;
        size_t page = left < PAGE ? left : PAGE;
        rc = read_page(st, filter, before, page, &r, err);
        int rows = rc == CTN_OK ? PQntuples(r) : 0;
        is_over = (size_t) rows < page;
        for (int i = 0; left > 0 && i < rows; i++) {
            ctn_execution_row row;
            const char *damage = ctn_pg_read_row(r, i, &row);
            before = row.exec_no;
            if (!damage && !ctn_execution_filter_takes(filter, &row))
                continue;
            if (!damage)
                damage = ctn_pg_read_ends(r, i, &row);
            if (damage)
                row.damage = ctn_str_from(damage);
            left--;
            if (fn(ctx, &row))
                left = 0;
        }
        is_over = is_over || left == 0;
        PQclear(r);
    }
    return rc;
}
