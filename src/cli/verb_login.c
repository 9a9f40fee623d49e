/*
 * verb_login.c -- `tools login` and `tools logout`: a person gives leave to call a server, and takes what is kept of it
 * back.
 *
 * The page is opened by the person: no shell and no browser is started with an address that a stranger named.
 */
#include "cli/named.h"
#include "cli/result.h"
#include "host/config_servers.h"
#include "host/credentials.h"
#include <stdio.h>

#define REMIND_MS 60000

typedef struct login {
    ctn_cli *cli;
    ctn_loop *loop;
    ctn_timer *reminder;
    int64_t until_ms; /* 0: nobody is asked yet */
    ctn_str server;
    bool is_done;
    int code;
    bool has_token;
    ctn_str why;
} login;

static void on_reminder(void *ctx)
{
    login *l = ctx;
    int64_t now = ctn_loop_now_ms(l->loop);
    if (now >= l->until_ms)
        return;
    ctn_cli_say(l->cli, "waiting for leave, %lld minutes more",
                (long long) (l->until_ms - now + REMIND_MS - 1) / REMIND_MS);
    ctn_timer_set(l->reminder, now + REMIND_MS);
}

static void on_open(void *ctx, const char *url, int64_t limit_ms)
{
    login *l = ctx;
    l->until_ms = ctn_loop_now_ms(l->loop) + limit_ms;
    ctn_timer_set(l->reminder, ctn_loop_now_ms(l->loop) + REMIND_MS);
    /* On stdout, and bare, so that it can be taken from there; it is what was asked for. */
    ctn_cli_say(l->cli, "open this page in a browser on this machine, and give leave there (%lld minutes are left):",
                (long long) limit_ms / REMIND_MS);
    printf("%s\n", url);
    (void) fflush(stdout);
}

static void on_ready(void *ctx, int code, ctn_str token, const char *why)
{
    login *l = ctx;
    l->is_done = true;
    l->code = code;
    l->has_token = token.len;
    l->why = ctn_arena_str(l->cli->arena, ctn_str_from(why));
}

static bool is_done(void *ctx)
{
    return ((const login *) ctx)->is_done;
}

/* NULL: told. */
static const ctn_config_server *server_of(ctn_cli *cli, const ctn_config *config, ctn_str name)
{
    const ctn_config_server *s = ctn_config_server_of(config, name);
    if (!s)
        (void) ctn_cli_fail(cli, "there is no server \"%.*s\"; %.*s", CTN_STR_ARG(name),
                            CTN_STR_ARG(ctn_config_suggest_server(config, cli->arena, name)));
    else if (!s->driver.url) {
        (void) ctn_cli_fail(cli, "server %.*s is a program: what it may do is in its environment (`env`)",
                            CTN_STR_ARG(name));
        return NULL;
    }
    return s;
}

static int tell(const login *l)
{
    if (l->code)
        return ctn_cli_fail(l->cli, "%.*s", CTN_STR_ARG(l->why)), CTN_EXIT_ENDED;
    if (!l->has_token)
        ctn_cli_say(l->cli, "server %.*s asks for no token: it can be called as it is", CTN_STR_ARG(l->server));
    else
        ctn_cli_say(l->cli, "server %.*s can be called now; its tokens are kept sealed, beside the store",
                    CTN_STR_ARG(l->server));
    return CTN_EXIT_OK;
}

static int login_at(login *l, ctn_host *host, const ctn_auth_options *options)
{
    const char *scopes = l->cli->args.values[CTN_OPT_SCOPE];
    ctn_auth *auth = ctn_auth_new(options);
    l->is_done = false;
    ctn_auth_login(auth, ctn_str_from(scopes ? scopes : ""), on_ready, l);
    int exit_code = ctn_host_run(host, is_done, l) ? tell(l) : CTN_EXIT_INTERRUPTED;
    ctn_auth_free(auth);
    return exit_code;
}

static int run_tools_login(ctn_cli *cli)
{
    ctn_workspace ws;
    login l = {.cli = cli, .server = ctn_word(cli, 0)};
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    const ctn_config_server *s = server_of(cli, ws.config, l.server);
    if (!s)
        return CTN_EXIT_USAGE;
    const ctn_auth_config *config = s->driver.auth;
    if (!config)
        return ctn_cli_fail(cli, "server %.*s has no `auth`: write `auth: {type: oauth}` behind its url in catena.yaml",
                            CTN_STR_ARG(l.server));
    if (config->kind != CTN_AUTH_CODE)
        return ctn_cli_fail(cli, "server %.*s gets its token without a person (`auth: {type: %s}`)",
                            CTN_STR_ARG(l.server), config->kind == CTN_AUTH_BEARER ? "bearer" : "client_credentials");
    ctn_credentials *credentials = ctn_credentials_new(ws.store_file, ws.config, ctn_cli_teller(cli));
    if (ctn_credentials_lack(credentials)) {
        exit_code = ctn_cli_fail(cli, "%s", ctn_credentials_lack(credentials));
        ctn_credentials_free(credentials);
        return exit_code;
    }
    ctn_host *host = ctn_cli_host(cli, &ws);
    l.loop = ctn_host_loop(host);
    l.reminder = ctn_timer_new(l.loop, on_reminder, &l);
    ctn_http *http = ctn_http_new(&(ctn_http_options){.loop = ctn_host_loop(host)});
    ctn_auth_ask ask = {.open = on_open, .ctx = &l};
    ctn_auth_options options = {.loop = ctn_host_loop(host),
                                .http = http,
                                .server = s->name,
                                .policy = &s->driver.policy,
                                .config = config,
                                .vault = ctn_credentials_vault(credentials),
                                .ask = &ask};
    const char *const *more = s->driver.more_urls; /* each address has tokens of its own */
    for (const char *url = s->driver.url; url && exit_code == CTN_EXIT_OK; url = more && *more ? *more++ : NULL) {
        options.url = ctn_str_from(url);
        exit_code = login_at(&l, host, &options);
    }
    ctn_http_free(http);
    ctn_timer_free(l.reminder);
    ctn_host_close(host);
    ctn_credentials_free(credentials);
    return exit_code;
}

const ctn_verb ctn_verb_tools_login = {
    .name = "tools login",
    .operands = "SERVER",
    .summary = "Give leave to call a server: prints a page to open, waits, and keeps the tokens sealed",
    .details =
        "For servers with `auth: {type: oauth}`. The tokens are sealed with the key that `sealing` names, in\n"
        "FILE-credentials beside the store; run and serve use and renew them. A serve that runs needs no restart.",
    .options = CTN_OPT_BIT(CONFIG) | CTN_OPT_BIT(STORE) | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(SCOPE),
    .words_min = 1,
    .words_max = 1,
    .run = run_tools_login,
};

static int run_tools_logout(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_err err = {0};
    ctn_str name = ctn_word(cli, 0);
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    ctn_credentials *credentials = ctn_credentials_new(ws.store_file, ws.config, ctn_cli_teller(cli));
    int rc = ctn_credentials_forget(credentials, name, &err);
    if (rc == CTN_E_NOT_FOUND)
        exit_code = ctn_cli_fail(cli, "no tokens of a server \"%.*s\" are kept", CTN_STR_ARG(name));
    else if (rc)
        exit_code = ctn_cli_fail_err(cli, &err);
    else
        ctn_cli_say(cli, "the tokens of server %.*s are kept no more; a process that has read one has it until it ends",
                    CTN_STR_ARG(name));
    ctn_credentials_free(credentials);
    return exit_code;
}

const ctn_verb ctn_verb_tools_logout = {
    .name = "tools logout",
    .operands = "SERVER",
    .summary = "Forget the tokens that are kept of a server",
    .details = "What the authorization server thinks of them is not changed: take the leave back there, too.",
    .options = CTN_OPT_BIT(CONFIG) | CTN_OPT_BIT(STORE) | CTN_OPT_BIT(QUIET),
    .words_min = 1,
    .words_max = 1,
    .run = run_tools_logout,
};
