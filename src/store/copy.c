/*
 * copy.c -- see copy.h: who may copy, and everything that is no execution.
 */
#include "store/copy.h"
#include "store/copy_walk.h"
#include <inttypes.h>
#include <stdlib.h>

typedef struct copying {
    const ctn_copy_options *options;
    ctn_copy_report report;
    ctn_store *from, *to;
    ctn_err *err;
    int rc;                             /* what a callback met */
    int64_t position_last, audit_count; /* of the source */
} copying;

/* ---- may it be copied? ---- */

static int see_node(void *ctx, const ctn_node_row *node)
{
    copying *c = ctx;
    if (node->is_live)
        c->rc =
            ctn_fail(c->err, CTN_E_BUSY, "node %.*s lives on this store; stop it first (`catena nodes` tells who does)",
                     CTN_STR_ARG(node->name));
    return c->rc;
}

static int see_request(void *ctx, const ctn_request_row *row)
{
    copying *c = ctx;
    c->rc = ctn_fail(c->err, CTN_E_STATE,
                     "a request for execution %s waits to be answered; let a node answer it, then stop it",
                     ctn_id_to_text(row->id).text);
    return c->rc;
}

static int check_unowned(copying *c, ctn_store *st)
{
    int rc = CTN_OK;
    c->rc = CTN_OK;
    if (!st->ops->copy)
        rc = ctn_fail(c->err, CTN_E_UNSUPPORTED, "this kind of store cannot be copied");
    else if (st->ops->fleet)
        rc = st->ops->fleet->node_list(st, see_node, c, c->err);
    rc = rc ? rc : c->rc;
    return rc ? ctn_wrap(c->err, rc, st == c->from ? "the store to be copied" : "the store to copy to") : CTN_OK;
}

static int check_answered(copying *c)
{
    c->rc = CTN_OK;
    int rc =
        c->from->ops->fleet ? c->from->ops->fleet->requests_waiting(c->from, 0, 1, see_request, c, c->err) : CTN_OK;
    return rc ? rc : c->rc;
}

/* ---- definitions and chains ---- */

static int copy_definition(void *ctx, const ctn_definition *definition)
{
    copying *c = ctx;
    c->report.definitions++;
    return c->rc = c->to->ops->definition_put(c->to, definition, 1, c->err);
}

static int copy_version(void *ctx, const ctn_chain_row *row)
{
    copying *c = ctx;
    int64_t version;
    c->report.chain_versions++;
    return c->rc = c->to->ops->chain_put(c->to, row, &version, c->err);
}

static int copy_chain(void *ctx, const ctn_chain_row *row)
{
    copying *c = ctx;
    int rc = ctn_store_chain_versions(c->from, row->chain_id, copy_version, c, c->err);
    return c->rc = c->rc ? c->rc : rc;
}

/* ---- who is known, what is remembered ---- */

static int copy_principal(void *ctx, const ctn_principal_row *row)
{
    copying *c = ctx;
    return c->rc = c->to->ops->principal_put(c->to, &(ctn_principal_put){.row = row}, c->err);
}

static int copy_grant(void *ctx, const ctn_grant_row *row)
{
    copying *c = ctx;
    return c->rc = c->to->ops->principal_put(c->to, &(ctn_principal_put){.grants = row, .grant_count = 1}, c->err);
}

static int copy_api_key(void *ctx, const ctn_api_key_row *row)
{
    copying *c = ctx;
    return c->rc = c->to->ops->principal_put(c->to, &(ctn_principal_put){.key = row}, c->err);
}

static int copy_schedule(void *ctx, const ctn_schedule_row *row)
{
    copying *c = ctx;
    return c->rc = c->to->ops->schedule_put(c->to, row, c->err);
}

static int copy_breaker(void *ctx, const ctn_breaker_row *row)
{
    copying *c = ctx;
    return c->rc = c->to->ops->breaker_put(c->to, row, c->err);
}

static int copy_pin(void *ctx, const ctn_tool_pin *pin)
{
    copying *c = ctx;
    return c->rc = c->to->ops->tool_pin_put(c->to, pin, 1, c->err);
}

static int copy_dead_letter(void *ctx, const ctn_dead_letter *letter)
{
    copying *c = ctx;
    return c->rc = c->to->ops->dead_letter_put(c->to, letter, c->err);
}

static int copy_webhook(void *ctx, const ctn_webhook_row *row)
{
    copying *c = ctx;
    int rc = c->to->ops->webhook_put(c->to, row, c->err);
    if (rc == CTN_OK)
        rc = ctn_store_dead_letter_list(c->from, row->name, 0, SIZE_MAX, copy_dead_letter, c, c->err);
    return c->rc = c->rc ? c->rc : rc;
}

static int copy_result(void *ctx, const ctn_result_row *row)
{
    copying *c = ctx;
    return c->rc = c->to->ops->copy->put(c->to, &(ctn_copied){.results = row, .result_count = 1}, c->err);
}

static int copy_usage(void *ctx, const ctn_usage_row *row)
{
    copying *c = ctx;
    return c->rc = c->to->ops->copy->put(c->to, &(ctn_copied){.usage = row, .usage_count = 1}, c->err);
}

static int copy_audit(void *ctx, const ctn_audit_entry *entry)
{
    copying *c = ctx;
    c->report.audit_entries++;
    return c->rc = c->to->ops->copy->put(c->to, &(ctn_copied){.audits = entry, .audit_count = 1}, c->err);
}

/* Of the days that count, and of the one that begins meanwhile. */
static int copy_usages(copying *c)
{
    int64_t today = c->options->now_ms / 86400000;
    int rc = CTN_OK;
    for (int64_t day = today - CTN_USAGE_DAYS; rc == CTN_OK && c->rc == CTN_OK && day <= today + 1; day++)
        rc = ctn_store_usage_list(c->from, day, copy_usage, c, c->err);
    return rc;
}

/* The store's own, under which names that had a sensitive value in them are made to digests. */
static int copy_own_key(copying *c)
{
    ctn_arena *arena = ctn_arena_new(256);
    ctn_data_key key;
    int rc = ctn_store_data_key_get(c->from, arena, 0, &key, c->err);
    if (rc == CTN_OK)
        rc = ctn_store_data_key_put(c->to, 0, &key, c->err);
    else if (rc == CTN_E_NOT_FOUND)
        rc = CTN_OK;
    ctn_arena_free(arena);
    return rc;
}

static int copy_definitions(copying *c)
{
    return c->from->ops->copy->definition_list(c->from, copy_definition, c, c->err);
}

static int copy_chains(copying *c)
{
    return ctn_store_chain_list(c->from, copy_chain, c, c->err);
}

static int copy_principals(copying *c)
{
    return ctn_store_principal_list(c->from, copy_principal, c, c->err);
}

static int copy_grants(copying *c)
{
    return ctn_store_grant_list(c->from, copy_grant, c, c->err);
}

static int copy_api_keys(copying *c)
{
    return ctn_store_api_key_list(c->from, copy_api_key, c, c->err);
}

static int copy_schedules(copying *c)
{
    return ctn_store_schedule_list(c->from, copy_schedule, c, c->err);
}

static int copy_breakers(copying *c)
{
    return ctn_store_breaker_list(c->from, copy_breaker, c, c->err);
}

static int copy_pins(copying *c)
{
    return ctn_store_tool_pin_list(c->from, copy_pin, c, c->err);
}

static int copy_webhooks(copying *c)
{
    return ctn_store_webhook_list(c->from, copy_webhook, c, c->err);
}

static int copy_results(copying *c)
{
    return c->from->ops->copy->result_list(c->from, copy_result, c, c->err);
}

static int copy_audits(copying *c)
{
    return ctn_store_audit_list(c->from, copy_audit, c, c->err);
}

/* A chain after its definition, a dead letter after its webhook. */
static int copy_all_but_executions(copying *c)
{
    static int (*const STEPS[])(copying * c) = {
        copy_definitions, copy_chains,   copy_principals, copy_grants, copy_api_keys, copy_schedules, copy_breakers,
        copy_pins,        copy_webhooks, copy_results,    copy_audits, copy_usages,   copy_own_key,
    };
    int rc = c->rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < sizeof STEPS / sizeof *STEPS; i++) {
        rc = STEPS[i](c);
        rc = rc ? rc : c->rc; /* a list that its callback stopped says CTN_OK */
    }
    return rc;
}

/* ---- the whole ---- */

static int copy_within(copying *c)
{
    copy_walk *walk = ctn_copy_walk_new(c->from, c->to, c->options, &c->report);
    int rc = copy_all_but_executions(c);
    if (rc == CTN_OK)
        rc = ctn_copy_walk_all(walk, c->err);
    if (rc == CTN_OK)
        rc = ctn_store_position_last(c->from, &c->position_last, c->err);
    if (rc == CTN_OK)
        rc = ctn_store_audit_count(c->from, &c->audit_count, c->err);
    ctn_copy_walk_free(walk);
    return rc;
}

static int copy_opened(copying *c)
{
    int rc = c->to->ops->copy->begin(c->to, c->err);
    if (rc)
        return rc;
    if (c->options->on_begin)
        c->options->on_begin(c->options->ctx);
    rc = ctn_store_snapshot_begin(c->from, c->err);
    if (rc == CTN_OK) {
        rc = copy_within(c);
        ctn_store_snapshot_end(c->from);
    }
    if (rc == CTN_OK) /* has somebody come meanwhile? */
        rc = check_unowned(c, c->from);
    int end = c->to->ops->copy->end(c->to, rc == CTN_OK, c->position_last, c->audit_count, rc ? NULL : c->err);
    return rc ? rc : end;
}

int ctn_store_copy(const char *from_url, const char *to_url, const ctn_copy_options *options,
                   ctn_copy_report *ret_report, ctn_err *err)
{
    copying c = {.options = options, .err = err};
    ctn_store_lock *from_lock = NULL, *to_lock = NULL;
    int rc = ctn_store_lock_take(from_url, &from_lock, err);
    if (rc == CTN_OK)
        rc = ctn_store_open(from_url, CTN_STORE_READ, &c.from, err);
    if (rc == CTN_OK)
        rc = check_unowned(&c, c.from);
    if (rc == CTN_OK)
        rc = check_answered(&c);
    if (rc == CTN_OK)
        rc = ctn_store_lock_take(to_url, &to_lock, err);
    if (rc == CTN_OK)
        rc = ctn_store_open(to_url, CTN_STORE_CREATE, &c.to, err);
    if (rc == CTN_OK)
        rc = check_unowned(&c, c.to);
    if (rc == CTN_OK)
        rc = copy_opened(&c);
    ctn_store_close(c.to);
    ctn_store_close(c.from);
    ctn_store_lock_release(to_lock);
    ctn_store_lock_release(from_lock);
    if (rc == CTN_OK)
        *ret_report = c.report;
    return rc;
}
