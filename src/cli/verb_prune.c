/*
 * verb_prune.c -- `store prune`: what ended long ago goes now, by hand, also beside an owner that works.
 *
 * The steps are the same as those that `serve` makes by itself. Beside an owner there is a pause between them, so that
 * its commits pass in between; alone they follow each other more closely. Ended at any moment, whole trees are gone or
 * there.
 */
#include "cli/named.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/audit.h"
#include "store/retention.h"
#include <inttypes.h>
#include <time.h>

enum { BUSY_TRIES = 10, SHRINK_PAGES = 64, TELL_AFTER_MS = 2000 };

typedef struct pruning {
    ctn_cli *cli;
    ctn_store *store;
    ctn_prune what;
    ctn_prune_walk walk;
    ctn_pruned sum;
    ctn_store_size before, after;
    bool is_owned; /* somebody works with the store */
    int64_t told_at_ms;
} pruning;

static int64_t monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void nap_us(int64_t us)
{
    nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
}

/* ---- what is asked for ---- */

static int read_status(const ctn_cli *cli, const char *text, bool *wanted)
{
    ctn_status status;
    ctn_str names[CTN_STATUS_COUNT];
    size_t count = 0;
    for (int s = CTN_STATUS_COMPLETED; s < CTN_STATUS_COUNT; s++)
        names[count++] = ctn_str_from(ctn_status_name((ctn_status) s));
    if (!ctn_status_from_name(ctn_str_from(text), &status))
        return ctn_cli_fail(cli, "there is no status \"%s\"; %.*s", text,
                            CTN_STR_ARG(ctn_suggest(cli->arena, ctn_str_from(text), names, count)));
    if (!ctn_status_is_final(status))
        return ctn_cli_fail(cli, "an execution that is %s has not ended: only those that have can be removed", text);
    wanted[status] = true;
    return CTN_EXIT_OK;
}

static int read_options(const ctn_cli *cli, const ctn_workspace *ws, int64_t now_ms, ctn_prune *ret_what)
{
    bool wanted[CTN_STATUS_COUNT] = {0};
    const char *older = cli->args.values[CTN_OPT_OLDER_THAN];
    int64_t span_ms = 0;
    ctn_prune_by_age(&ws->config->retention, now_ms, ret_what);
    for (size_t i = 0; i < cli->args.given_count; i++)
        if (cli->args.given[i].opt == CTN_OPT_STATUS) {
            int exit_code = read_status(cli, cli->args.given[i].value, wanted);
            if (exit_code)
                return exit_code;
        }
    bool is_now = older && older[0] == '0' && older[1] && strchr("smhd", older[1]) && !older[2];
    if (older && !is_now && (!ctn_retention_span(ctn_str_from(older), &span_ms) || span_ms == 0))
        return ctn_cli_fail(cli, "\"%s\" is no span of time: write a number and s, m, h or d, like --older-than 30d",
                            older);
    for (int s = CTN_STATUS_COMPLETED; older && s < CTN_STATUS_COUNT; s++)
        ret_what->before_ms[s] = now_ms > span_ms ? now_ms - span_ms + is_now : 1;
    for (int s = CTN_STATUS_COMPLETED; ctn_opt_is_given(cli, CTN_OPT_STATUS) && s < CTN_STATUS_COUNT; s++)
        if (!wanted[s])
            ret_what->before_ms[s] = 0;
    ret_what->is_dry = ctn_opt_is_given(cli, CTN_OPT_DRY_RUN);
    return CTN_EXIT_OK;
}

/* ---- doing it ---- */

/* Who works with the store has the lock; whoever only asks whether somebody does gives it back at once. */
static bool is_owned(const ctn_workspace *ws)
{
    ctn_store_lock *lock = NULL;
    bool is_busy = ctn_store_lock_take(ws->store_url, &lock, NULL) == CTN_E_BUSY;
    ctn_store_lock_release(lock);
    return is_busy;
}

static void tell(pruning *p)
{
    int64_t now_ms = monotonic_us() / 1000;
    if (now_ms < p->told_at_ms + TELL_AFTER_MS)
        return;
    p->told_at_ms = now_ms;
    if (p->walk.is_done)
        ctn_cli_say(p->cli, "giving space back");
    else
        ctn_cli_say(p->cli, "%" PRIu64 " executions so far", p->sum.executions);
}

/* Steps until there are none; between two of them the owner's commits have their turn. */
static int each_step(pruning *p, int (*step)(pruning *p, bool *ret_more, ctn_err *err), ctn_err *err)
{
    int busy = 0;
    for (bool more = true; more;) {
        int64_t began_us = monotonic_us();
        int rc = step(p, &more, err);
        if (rc == CTN_E_BUSY && ++busy < BUSY_TRIES)
            continue;
        if (rc)
            return rc;
        busy = 0;
        tell(p);
        if (more && !p->what.is_dry)
            nap_us((p->is_owned ? 4 : 1) * (monotonic_us() - began_us));
    }
    return CTN_OK;
}

static int prune_step(pruning *p, bool *ret_more, ctn_err *err)
{
    int rc = ctn_store_prune(p->store, &p->what, &p->walk, &p->sum, err);
    if (rc == CTN_OK)
        *ret_more = !p->walk.is_done;
    return rc;
}

static int shrink_step(pruning *p, bool *ret_more, ctn_err *err)
{
    return ctn_store_shrink(p->store, SHRINK_PAGES, ret_more, err);
}

/* Before anything goes: who asked for what; then: what went. */
static int audit_wish(const pruning *p, ctn_err *err)
{
    ctn_json_builder b = ctn_json_object(p->cli->arena);
    for (int s = CTN_STATUS_COMPLETED; s < CTN_STATUS_COUNT; s++)
        if (p->what.before_ms[s])
            ctn_json_put_time(&b, ctn_status_name((ctn_status) s), p->what.before_ms[s]);
    return ctn_audit(p->store, "store.prune", (ctn_str){0}, ctn_json_finish(&b), err);
}

static ctn_json_builder sum_of(const pruning *p)
{
    ctn_json_builder b = ctn_json_object(p->cli->arena);
    ctn_json_put_int(&b, "executions", (int64_t) p->sum.executions);
    ctn_json_put_int(&b, "trees", (int64_t) p->sum.trees);
    ctn_json_put_int(&b, "entries", (int64_t) p->sum.entries);
    ctn_json_put_int(&b, "results", (int64_t) p->sum.results);
    ctn_json_put_int(&b, "left", (int64_t) p->walk.left);
    return b;
}

static int prune(pruning *p, ctn_err *err)
{
    int rc = ctn_store_size_read(p->store, &p->before, err);
    if (rc == CTN_OK && !p->what.is_dry)
        rc = audit_wish(p, err);
    if (rc == CTN_OK)
        rc = each_step(p, prune_step, err);
    if (rc == CTN_OK && !p->what.is_dry) {
        ctn_json_builder sum = sum_of(p);
        rc = ctn_audit(p->store, "store.pruned", (ctn_str){0}, ctn_json_finish(&sum), err);
    }
    if (rc == CTN_OK && !p->what.is_dry)
        rc = each_step(p, shrink_step, err);
    if (rc == CTN_OK && !p->what.is_dry)
        ctn_store_rest(p->store);
    return rc ? rc : ctn_store_size_read(p->store, &p->after, err);
}

static int report(const pruning *p)
{
    const ctn_cli *cli = p->cli;
    if (ctn_opt_is_given(cli, CTN_OPT_JSON)) {
        ctn_json_builder b = sum_of(p), bytes = ctn_json_object(cli->arena);
        ctn_json_put_int(&bytes, "before", (int64_t) p->before.file_bytes);
        ctn_json_put_int(&bytes, "after", (int64_t) p->after.file_bytes);
        ctn_json_put(&b, CTN_STR("bytes"), ctn_json_finish(&bytes));
        ctn_json_put_bool(&b, "dryRun", p->what.is_dry);
        ctn_result_print(cli, ctn_json_finish(&b));
    }
    if (p->what.is_dry)
        ctn_cli_say(cli, "%" PRIu64 " executions with %" PRIu64 " journal entries would be removed", p->sum.executions,
                    p->sum.entries);
    else
        ctn_cli_say(cli,
                    "%" PRIu64 " executions with %" PRIu64 " journal entries removed; %" PRIu64 " to %" PRIu64 " KiB",
                    p->sum.executions, p->sum.entries, p->before.file_bytes / 1024, p->after.file_bytes / 1024);
    if (p->walk.left)
        ctn_cli_say(cli,
                    "%" PRIu64 " are old enough and stay: a sub-chain of theirs has not ended, or a chain that "
                    "onFailure names is still to be started",
                    p->walk.left);
    return CTN_EXIT_OK;
}

static int run_store_prune(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_err err = {0};
    pruning p = {.cli = cli, .told_at_ms = monotonic_us() / 1000};
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code == CTN_EXIT_OK)
        exit_code = read_options(cli, &ws, ctn_cli_now_ms(), &p.what);
    if (exit_code)
        return exit_code;
    int rc = ctn_store_open(ws.store_url, p.what.is_dry ? CTN_STORE_READ : CTN_STORE_WRITE, &p.store, &err);
    p.is_owned = rc == CTN_OK && is_owned(&ws);
    if (rc == CTN_OK)
        rc = prune(&p, &err);
    ctn_store_close(p.store);
    return rc ? ctn_cli_fail_err(cli, &err) : report(&p);
}

const ctn_verb ctn_verb_store_prune = {
    .name = "store prune",
    .operands = "[--older-than SPAN] [--status STATUS]...",
    .summary = "Remove executions that ended long ago, and give their space back",
    .details = "Whole trees only: an execution with all its sub-chains, when all have ended. `serve` does the same by\n"
               "itself, for what `retention` of catena.yaml says; this may run beside it. An idempotency key of one\n"
               "that is gone is free again.",
    .options =
        CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(OLDER_THAN) | CTN_OPT_BIT(STATUS) | CTN_OPT_BIT(DRY_RUN),
    .run = run_store_prune,
};
