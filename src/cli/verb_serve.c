/*
 * verb_serve.c -- `serve`: own the store and advance everything in it until a signal comes.
 */
#include "cli/cli.h"
#include "cli/named.h"
#include "cli/notify.h"
#include "cli/verb.h"
#include "server/service.h"
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static bool never(void *ctx)
{
    (void) ctx;
    return false;
}

/* For people; a log of JSON has lines of its own for it (server/ops/event_log.h). */
static void tell_status(void *ctx, const ctn_engine_event *event)
{
    const ctn_cli *cli = ctx;
    if (event->kind == CTN_EVENT_STATUS && !(cli->log && cli->log->json))
        ctn_cli_say(cli, "%s %.*s %s", ctn_id_to_text(ctn_execution_id_of(event->execution)).text,
                    CTN_STR_ARG(ctn_execution_plan(event->execution)->chain_id), ctn_status_name(event->status));
}

/* What is logged and how: the command line's word, else the configuration's. False: a word that is none. */
static bool choose_log(ctn_cli *cli, const ctn_config_log *said)
{
    const char *format = cli->args.values[CTN_OPT_LOG_FORMAT];
    if (format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0) {
        (void) ctn_cli_fail(cli, "--log-format is text or json, not '%s'", format);
        return false;
    }
    bool is_json = format ? strcmp(format, "json") == 0 : said->is_json || ctn_opt_is_given(cli, CTN_OPT_JSON);
    if (ctn_opt_is_given(cli, CTN_OPT_QUIET) && !is_json && !said->has_level)
        return true; /* nothing is */
    ctn_log *log = CTN_NEW(cli->arena, ctn_log);
    *log = (ctn_log){.fd = 2,
                     .json = is_json,
                     .component = "serve",
                     .level_min = said->has_level                        ? said->level
                                  : ctn_opt_is_given(cli, CTN_OPT_QUIET) ? CTN_LOG_ERROR
                                  : is_json                              ? CTN_LOG_INFO
                                                                         : CTN_LOG_WARN,
                     .clock = ctn_clock_system()};
    cli->log = log;
    return true;
}

/* service stays NULL when nothing is to be listened on. */
static int listen_if_wanted(ctn_cli *cli, ctn_host *host, ctn_ops *ops, ctn_service **service, ctn_err *err)
{
    const char *given = cli->args.values[CTN_OPT_LISTEN];
    ctn_str address = given ? ctn_str_from(given) : ctn_host_workspace(host)->config->http.listen;
    if (!address.len) {
        ctn_cli_say(cli, "no API, no MCP over HTTP: --listen 127.0.0.1:8642, or `http: {listen: ...}`, says where");
        return CTN_OK;
    }
    int rc = ctn_service_open(host, ops, address, service, err);
    if (rc == CTN_OK) {
        ctn_cli_say(cli, "API at %s/v1, described by %s/openapi.json", ctn_service_url(*service),
                    ctn_service_url(*service));
        ctn_cli_say(cli, "MCP at %s/mcp", ctn_service_url(*service));
    }
    return rc;
}

/* ---- the end ---- */

typedef struct ending {
    ctn_service *service; /* NULL: none */
    ctn_ops *ops;
} ending;

static bool is_told(void *ctx)
{
    const ending *e = ctx;
    return (!e->service || ctn_service_is_quiet(e->service)) && ctn_ops_is_idle(e->ops);
}

/* Nobody is let in any more, and who was gets his answer: a start that was taken is on disk and said to be. */
static void end(ctn_host *host, ctn_service *service, ctn_ops *ops)
{
    ending e = {service, ops};
    if (service)
        ctn_service_drain(service);
    ctn_ops_flush(ops);
    ctn_host_stop(host, is_told, &e);
}

static int run_serve(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_err err = {0};
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    if (!choose_log(cli, &ws.config->log))
        return CTN_EXIT_USAGE;
    ctn_cli_findings(cli, &ws.findings, false);
    ctn_cli_findings(cli, &ws.library_findings, true);
    ctn_host *host = ctn_cli_host(cli, &ws);
    ctn_service *service = NULL;
    ctn_ops *ops = NULL;
    int rc = ctn_host_own(host, CTN_STORE_CREATE, true, &err);
    if (rc == CTN_OK) {
        ops = ctn_ops_open(host);
        rc = listen_if_wanted(cli, host, ops, &service, &err);
    }
    if (rc == CTN_OK) { /* known by where it listens */
        const char *url = service ? ctn_service_url(service) : NULL;
        rc = ctn_host_join(host, ctn_str_from(url), &err);
    }
    if (rc) {
        ctn_service_close(service);
        ctn_ops_close(ops);
        ctn_host_close(host);
        return ctn_cli_fail_err(cli, &err);
    }
    ctn_host_listen(host, tell_status, cli);
    const char *caution = ctn_store_url_caution(ws.store_url);
    ctn_cli_say(cli, "serving %.*s%s%s%s (process %ld); Ctrl-C ends it", CTN_STR_ARG(ws.store_name),
                caution ? " (" : "", caution ? caution : "", caution ? ")" : "", (long) getpid());
    if (ctn_host_member(host))
        ctn_cli_say(cli, "node %.*s of a fleet", CTN_STR_ARG(ctn_member_name(ctn_host_member(host))));
    ctn_notify("READY=1");
    (void) ctn_host_run(host, never, NULL);
    int signal_came = ctn_host_signal(host);
    ctn_notify("STOPPING=1");
    ctn_cli_say(cli, "stopping; calls in flight have 5 s (again: at once)");
    end(host, service, ops);
    ctn_service_close(service);
    ctn_ops_close(ops);
    ctn_host_close(host);
    ctn_cli_say(cli, "stopped; everything can be resumed");
    return signal_came == SIGINT    ? CTN_EXIT_INTERRUPTED
           : signal_came == SIGCHLD ? CTN_EXIT_ENDED /* whoever watches over us starts us again */
                                    : CTN_EXIT_OK;
}

const ctn_verb ctn_verb_serve = {
    .name = "serve",
    .operands = "",
    .summary = "Own the store and advance everything in it until a signal comes",
    .details =
        "With --listen, or http: {listen: 127.0.0.1:8642} in the configuration, the API is served at\n"
        "http://ADDRESS:PORT/v1 (described by /openapi.json), and MCP at http://ADDRESS:PORT/mcp.\n"
        "Ends on SIGINT or SIGTERM: starts nothing new, gives calls in flight 5 s, leaves everything to be resumed.\n"
        "On postgres://... it joins the fleet there: it takes a fair share of the executions, takes over those of "
        "nodes\n"
        "that die, and hands its own over when it ends.",
    .options = CTN_OPTS_PLACE | CTN_OPT_BIT(LISTEN) | CTN_OPT_BIT(NODE) | CTN_OPT_BIT(LOG_FORMAT) | CTN_OPT_BIT(JSON) |
               CTN_OPT_BIT(QUIET),
    .run = run_serve,
};
