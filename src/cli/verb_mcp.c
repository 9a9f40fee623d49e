/*
 * verb_mcp.c -- `mcp`: what an assistant's program starts as an MCP server: chains as tools, over stdin and stdout.
 */
#include "cli/cli.h"
#include "cli/named.h"
#include "cli/relay.h"
#include "cli/verb.h"
#include "server/mcp/mcp.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool has_ended(void *ctx)
{
    return ctn_mcp_service_pipe_has_ended(ctx);
}

static int serve_pipe(ctn_cli *cli, ctn_host *host, ctn_err *err)
{
    ctn_mcp_service *service = NULL;
    int in = fcntl(0, F_DUPFD_CLOEXEC, 3), out = fcntl(1, F_DUPFD_CLOEXEC, 3);
    if (in < 0 || out < 0)
        return ctn_cli_fail(cli, "standard input and output cannot be had: %s", strerror(errno));
    if (ctn_mcp_service_open(host, &service, err))
        return ctn_cli_fail_err(cli, err);
    ctn_mcp_service_pipe(service, in, out);
    (void) ctn_host_run(host, has_ended, service);
    ctn_mcp_service_close(service);
    return CTN_EXIT_OK;
}

/* Somebody else owns the store: he serves us, over his socket. */
static int be_guest(ctn_cli *cli, const ctn_workspace *ws, const ctn_err *busy)
{
    ctn_err err = {0};
    const char *socket = ctn_workspace_socket(ws);
    int fd = -1;
    int rc = socket ? ctn_socket_connect(socket, &fd, &err) : CTN_E_CLOSED;
    if (rc == CTN_OK)
        rc = ctn_relay(fd, 0, 1, &err);
    if (fd >= 0)
        (void) close(fd);
    return rc ? ctn_cli_fail(
                    cli,
                    "%s%s%s. One process owns a store: let it be `catena serve` with http: {listen: "
                    "127.0.0.1:8642}, and give clients the URL http://127.0.0.1:8642/mcp, or start `catena mcp` again",
                    busy->message, *err.message ? ": " : "", err.message)
              : CTN_EXIT_OK;
}

static int run_mcp(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_err err = {0};
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    ctn_cli_findings(cli, &ws.findings, false);
    ctn_cli_findings(cli, &ws.library_findings, true); /* such a chain is no tool, and nobody else would say why */
    if (!ws.config->file.len)
        ctn_cli_say(cli,
                    "there is no catena.yaml here or above, so no chains but those of %.*s; --config FILE names one",
                    CTN_STR_ARG(ws.store_name));
    ctn_host *host = ctn_cli_host(cli, &ws);
    int rc = ctn_host_own(host, CTN_STORE_CREATE, true, &err);
    if (rc == CTN_OK)
        rc = ctn_host_join(host, (ctn_str){0}, &err);
    if (rc == CTN_E_BUSY)
        exit_code = be_guest(cli, &ws, &err);
    else
        exit_code = rc ? ctn_cli_fail_err(cli, &err) : serve_pipe(cli, host, &err);
    ctn_host_close(host);
    return exit_code;
}

const ctn_verb ctn_verb_mcp = {
    .name = "mcp",
    .operands = "",
    .summary = "Be an MCP server over stdin and stdout, and own the store as serve does, or be its owner's guest",
    .details =
        "For the configuration of an assistant's program: {\"command\": \"catena\", \"args\": [\"mcp\"]}. stdout "
        "carries\n"
        "messages and nothing else. Ends when stdin does, or on SIGINT or SIGTERM: starts nothing new, gives calls in\n"
        "flight 5 s, leaves everything to be resumed.",
    .options = CTN_OPTS_PLACE | CTN_OPT_BIT(QUIET),
    .run = run_mcp,
};
