/*
 * tool_pins.c -- pinned tools in a store file. They are touched seldom, so their statements are prepared each time.
 */
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"

static int put_one(sqlite_store *st, const ctn_tool_pin *pin, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "INSERT OR REPLACE INTO tool_pins(target, digest, definition, pinned_at_ms, pinned_by,"
                                " seen, seen_at_ms, owes_resume) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
                                &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_str_or_empty(stmt, 1, pin->target);
    sqlite_bind_digest(stmt, 2, &pin->digest);
    sqlite_bind_str_or_empty(stmt, 3, pin->definition);
    sqlite3_bind_int64(stmt, 4, pin->pinned_at_ms);
    sqlite_bind_str_or_empty(stmt, 5, pin->pinned_by);
    sqlite_bind_str(stmt, 6, pin->seen);
    sqlite_bind_positive(stmt, 7, pin->seen_at_ms);
    sqlite3_bind_int64(stmt, 8, pin->owes_resume);
    return ctn_sqlite_run_once(st, stmt, "pinning a tool", err);
}

int ctn_sqlite_tool_pin_put(ctn_store *base, const ctn_tool_pin *pins, size_t count, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    int rc = ctn_sqlite_begin(st, err);
    if (rc)
        return rc;
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = put_one(st, &pins[i], err);
    return ctn_sqlite_end(st, rc, err);
}

int ctn_sqlite_tool_pin_list(ctn_store *base, ctn_tool_pin_fn *fn, void *ctx, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_prepare(st,
                                "SELECT target, digest, definition, pinned_at_ms, pinned_by, seen, seen_at_ms,"
                                " owes_resume FROM tool_pins ORDER BY target",
                                &stmt, err);
    if (rc)
        return rc;
    while (ctn_sqlite_next(st, stmt, "reading pinned tools", &rc, err)) {
        ctn_tool_pin pin = {
            .target = sqlite_column_str(stmt, 0),
            .definition = sqlite_column_str(stmt, 2),
            .pinned_at_ms = sqlite3_column_int64(stmt, 3),
            .pinned_by = sqlite_column_str(stmt, 4),
            .seen = sqlite_column_str(stmt, 5),
            .seen_at_ms = sqlite3_column_int64(stmt, 6),
            .owes_resume = sqlite3_column_int64(stmt, 7) != 0,
        };
        (void) sqlite_column_digest(stmt, 1, &pin.digest); /* it does not read: no tool has it, so it has changed */
        if (!ctn_sqlite_is_whole(st, &rc, err) || fn(ctx, &pin))
            break;
    }
    sqlite3_finalize(stmt);
    return rc;
}
