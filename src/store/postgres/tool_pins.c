/*
 * tool_pins.c -- pinned tools. All of one call, and that there is something new, are one transaction.
 */
#include "store/postgres/chapters.h"

static int put_one(pg_store *st, const ctn_tool_pin *pin, ctn_err *err)
{
    pg_params p = {0};
    ctn_pg_text(&p, pin->target);
    pg_put_digest(&p, &pin->digest);
    ctn_pg_text(&p, pin->definition);
    ctn_pg_int(&p, pin->pinned_at_ms);
    ctn_pg_text(&p, pin->pinned_by);
    ctn_pg_text_or_null(&p, pin->seen);
    ctn_pg_int_or_null(&p, pin->seen_at_ms);
    ctn_pg_bool(&p, pin->owes_resume);
    return ctn_pg_ask(st->db, "pinning a tool",
                      "INSERT INTO tool_pins(target, digest, definition, pinned_at_ms, pinned_by, seen,"
                      " seen_at_ms, owes_resume) VALUES($1,$2,$3,$4,$5,$6,$7,$8)"
                      " ON CONFLICT (target) DO UPDATE SET digest = excluded.digest, definition = excluded.definition,"
                      " pinned_at_ms = excluded.pinned_at_ms, pinned_by = excluded.pinned_by, seen = excluded.seen,"
                      " seen_at_ms = excluded.seen_at_ms, owes_resume = excluded.owes_resume",
                      &p, NULL, err);
}

int ctn_pg_tool_pin_put(ctn_store *base, const ctn_tool_pin *pins, size_t count, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    int rc = ctn_pg_begin(st->db, err);
    if (rc)
        return rc;
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        rc = put_one(st, &pins[i], err);
    if (rc == CTN_OK)
        rc = ctn_pg_changes_raise(st, false, err);
    return pg_end(st, rc, err);
}

int ctn_pg_tool_pin_list(ctn_store *base, ctn_tool_pin_fn *fn, void *ctx, ctn_err *err)
{
    pg_store *st = (pg_store *) base;
    PGresult *r = NULL;
    int rc = ctn_pg_ask(st->db, "reading pinned tools",
                        "SELECT target, digest, definition, pinned_at_ms, pinned_by, seen, seen_at_ms, owes_resume"
                        " FROM tool_pins ORDER BY target",
                        NULL, &r, err);
    for (int i = 0; rc == CTN_OK && i < PQntuples(r); i++) {
        ctn_tool_pin pin = {
            .target = ctn_pg_get_str(r, i, 0),
            .definition = ctn_pg_get_str(r, i, 2),
            .pinned_at_ms = ctn_pg_get_int(r, i, 3),
            .pinned_by = ctn_pg_get_str(r, i, 4),
            .seen = ctn_pg_get_str(r, i, 5),
            .seen_at_ms = ctn_pg_get_int(r, i, 6),
            .owes_resume = ctn_pg_get_bool(r, i, 7),
        };
        (void) pg_get_digest(r, i, 1, &pin.digest); /* it does not read: no tool has it, so it has changed */
        if (fn(ctx, &pin))
            break;
    }
    PQclear(r);
    return rc;
}
