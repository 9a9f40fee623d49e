/*
 * verb_serve.c -- `serve`: own the store and advance everything in it until a signal comes.
 */
#include "cli/cli.h"
#include "cli/named.h"
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

static void tell_status(void *ctx, const ctn_engine_event *event)
{
    const ctn_cli *cli = ctx;
    if (event->kind == CTN_EVENT_STATUS)
        ctn_cli_say(cli, "%s %.*s %s", ctn_id_to_text(ctn_execution_id_of(event->execution)).text,
                    CTN_STR_ARG(ctn_execution_plan(event->execution)->chain_id), ctn_status_name(event->status));
}

/* service stays NULL when nothing is to be listened on. */
static int listen_if_wanted(ctn_cli *cli, ctn_host *host, ctn_service **service, ctn_err *err)
{
    const char *given = cli->args.values[CTN_OPT_LISTEN];
    ctn_str address = given ? ctn_str_from(given) : ctn_host_workspace(host)->config->http.listen;
    if (!address.len)
        return CTN_OK;
    int rc = ctn_service_open(host, address, service, err);
    if (rc == CTN_OK) {
        ctn_cli_say(cli, "API at %s/v1, described by %s/openapi.json", ctn_service_url(*service),
                    ctn_service_url(*service));
        ctn_cli_say(cli, "MCP at %s/mcp", ctn_service_url(*service));
    }
    return rc;
}

static int run_serve(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_err err = {0};
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    ctn_cli_findings(cli, &ws.findings, false);
    ctn_cli_findings(cli, &ws.library_findings, true);
    ctn_host *host = ctn_cli_host(cli, &ws);
    ctn_service *service = NULL;
    int rc = ctn_host_own(host, CTN_STORE_CREATE, true, &err);
    if (rc == CTN_OK)
        rc = listen_if_wanted(cli, host, &service, &err);
    if (rc) {
        ctn_service_close(service);
        ctn_host_close(host);
        return ctn_cli_fail_err(cli, &err);
    }
    ctn_host_listen(host, tell_status, cli);
    const char *caution = ctn_store_url_caution(ws.store_url);
    ctn_cli_say(cli, "serving %.*s%s%s%s (process %ld); Ctrl-C ends it", CTN_STR_ARG(ws.store_file),
                caution ? " (" : "", caution ? caution : "", caution ? ")" : "", (long) getpid());
    (void) ctn_host_run(host, never, NULL);
    int signal_came = ctn_host_signal(host);
    ctn_cli_say(cli, "stopping; calls in flight have 5 s (again: at once)");
    ctn_service_close(service);
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
        "Ends on SIGINT or SIGTERM: starts nothing new, gives calls in flight 5 s, leaves everything to be resumed.",
    .options = CTN_OPTS_PLACE | CTN_OPT_BIT(LISTEN) | CTN_OPT_BIT(JSON) | CTN_OPT_BIT(QUIET),
    .run = run_serve,
};
