/*
 * scenarios_auth.c -- auth/...: leave is got and a tool is called. The person who would open the page in a browser is a
 * request that follows the redirect back to us.
 *
 * What a scenario wants beyond that is the client's own to do (steps up, refuses a false issuer, begins anew with
 * another authorization server), so none of them is told apart here.
 */
#include "client.h"
#include <stdio.h>
#include <stdlib.h>

/* As the suite's own clients say. */
#define CLIENT_DOCUMENT "https://conformance-test.local/client-metadata.json"

static void on_page_ended(void *ctx, const ctn_http_end *end)
{
    (void) ctx;
    (void) fprintf(stderr, "the page ended with status %d %s\n", end->status, end->why);
}

static void open_page(void *ctx, const char *url, int64_t limit_ms)
{
    client *c = ctx;
    (void) limit_ms;
    (void) ctn_http_send(c->http, &(ctn_http_request){.method = "GET",
                                                      .url = ctn_str_from(url),
                                                      .redirects_max = 3,
                                                      .timeout_ms = 10000,
                                                      .events = {.ended = on_page_ended, .ctx = c}});
}

/* A secret of the context, as the variable it is read from; both NULL: there is none. */
static ctn_auth_source secret_of(client *c, const char *key, const char *variable)
{
    ctn_str text = ctn_json_str_or(c->context, key, (ctn_str){0});
    if (!text.len)
        return (ctn_auth_source){0};
    (void) setenv(variable, ctn_arena_str(c->arena, text).ptr, 1);
    return (ctn_auth_source){.env = variable};
}

static void play(client *c, ctn_auth_config config)
{
    ctn_auth_ask ask = {.open = open_page, .ctx = c};
    ctn_str id = ctn_json_str_or(c->context, "client_id", (ctn_str){0});
    config.client_id = id.len ? ctn_arena_str(c->arena, id).ptr : NULL;
    config.client_secret = secret_of(c, "client_secret", "CONFORMANCE_CLIENT_SECRET");
    config.private_key = secret_of(c, "private_key_pem", "CONFORMANCE_PRIVATE_KEY");
    c->ask = &ask;
    client_connect(c, (ctn_mcp_server_config){.auth = &config});
    ctn_json_builder none = ctn_json_object(c->arena);
    const ctn_call_result *result = client_call(c, CTN_STR("test-tool"), ctn_json_finish(&none), NULL);
    if (result->failure != CTN_FAILURE_NONE)
        client_die("%.*s", CTN_STR_ARG(result->message));
}

void client_play_leave(client *c)
{
    play(c, (ctn_auth_config){.kind = CTN_AUTH_CODE, .client_metadata_url = CLIENT_DOCUMENT});
}

void client_play_credentials(client *c)
{
    play(c, (ctn_auth_config){.kind = CTN_AUTH_CLIENT_CREDENTIALS});
}
