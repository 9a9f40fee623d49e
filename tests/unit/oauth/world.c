/* world.c -- see world.h. */
#include "world.h"
#include "support/cmocka.h"
#include "wire/form.h"
#include <stdio.h>

/* ---- the peers ---- */

static void say_json(http_asked *asked, int status, const char *text)
{
    http_answer(asked, status, "application/json", text);
}

static void serve_metadata(world *w, http_asked *asked)
{
    char text[2048];
    bool is_resource = strstr(asked->path, "protected-resource") != NULL;
    w->asked_metadata++;
    if (w->lacks_metadata || (is_resource && !strstr(asked->path, "/mcp")) || strstr(asked->path, "openid")) {
        say_json(asked, 404, "{}");
        return;
    }
    if (is_resource)
        snprintf(text, sizeof text, "{\"resource\":\"%s%s\",\"authorization_servers\":[\"%s\"]}",
                 w->resource ? w->resource : w->url, w->resource ? "" : "/mcp", w->url);
    else
        snprintf(
            text, sizeof text,
            "{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/authorize\",\"token_endpoint\":\"%s/token\",%s%s%s%s"
            "\"token_endpoint_auth_methods_supported\":[\"none\",\"client_secret_basic\",\"client_secret_post\"]}",
            w->issuer ? w->issuer : w->url, w->url, w->url,
            w->knows_no_registration ? "" : "\"registration_endpoint\":\"", w->knows_no_registration ? "" : w->url,
            w->knows_no_registration ? "" : "/register\",",
            w->has_no_s256 ? "" : "\"code_challenge_methods_supported\":[\"S256\"],");
    say_json(asked, 200, text);
}

static void serve_page(world *w, http_asked *asked)
{
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_str query = ctn_str_from(asked->path), back = {0}, state = {0}, scope = {0};
    static const char *const ISS[] = {"", "", "https%3A%2F%2Fevil.example.com", ""};
    (void) ctn_str_cut(&query, '?');
    (void) ctn_form_get(arena, query, "redirect_uri", &back);
    (void) ctn_form_get(arena, query, "state", &state);
    (void) ctn_form_get(arena, query, "scope", &scope);
    snprintf(w->last_scope, sizeof w->last_scope, "%.*s", CTN_STR_ARG(scope));
    w->authorized++;
    ctn_str issuer = ctn_form_escape(arena, ctn_str_from(w->url));
    http_say_format(
        asked, "HTTP/1.1 302 Found\r\nLocation: %.*s?code=CODE-7f3a&state=%.*s%s%s%.*s%s\r\nContent-Length: 0\r\n\r\n",
        CTN_STR_ARG(back), CTN_STR_ARG(state), w->iss == ISS_NONE ? "" : "&iss=", ISS[w->iss],
        w->iss == ISS_RIGHT || w->iss == ISS_SLASH ? (int) issuer.len : 0, issuer.ptr,
        w->iss == ISS_SLASH ? "%2F" : "");
    ctn_arena_free(arena);
}

static void serve_token(world *w, http_asked *asked)
{
    char text[8192], life[64] = "";
    const char *body = asked->body ? asked->body : "";
    snprintf(w->last_token_body, sizeof w->last_token_body, "%.*s", (int) asked->body_bytes, body);
    if (!http_asked_header(asked, "Authorization", w->last_authorization, sizeof w->last_authorization))
        w->last_authorization[0] = '\0';
    if (w->token_delay_ms)
        http_pause(asked->peer, w->token_delay_ms);
    if (w->moves_token) {
        http_say_format(asked, "HTTP/1.1 307 Moved\r\nLocation: %s/moved\r\nContent-Length: 0\r\n\r\n", w->url);
        return;
    }
    bool is_refresh = strstr(w->last_token_body, "grant_type=refresh_token") != NULL;
    bool is_client = strstr(w->last_token_body, "grant_type=client_credentials") != NULL;
    int number = is_refresh ? ++w->refreshes : is_client ? ++w->client_grants : ++w->code_grants;
    if ((is_refresh && w->refuses_refresh) || (is_client && w->refuses_clients)) {
        snprintf(text, sizeof text, "{\"error\":\"invalid_grant\",\"error_description\":\"%s%s\"}",
                 w->repeats_secrets ? w->last_token_body : "no", w->repeats_secrets ? w->last_authorization : "");
        for (char *p = text; w->repeats_secrets && *p; p++) /* as a server that decodes what it repeats */
            if (*p == '%')
                *p = '_';
        say_json(asked, 400, text);
        return;
    }
    if (w->life_s)
        snprintf(life, sizeof life, ",\"expires_in\":%d", w->life_s);
    snprintf(text, sizeof text, "{\"access_token\":\"%s-token-%d\",\"token_type\":\"Bearer\"%s%s%.0d%s}",
             is_refresh  ? "renewed"
             : is_client ? "client"
                         : "first",
             number, life, is_client || w->sends_no_refresh_token ? "" : ",\"refresh_token\":\"REFRESH-", 0,
             is_client || w->sends_no_refresh_token ? ""
             : is_refresh                           ? "rotated\""
                                                    : "original\"");
    say_json(asked, 200, text);
}

static void serve(void *ctx, http_asked *asked)
{
    world *w = ctx;
    if (strstr(asked->path, "/.well-known/"))
        serve_metadata(w, asked);
    else if (strncmp(asked->path, "/authorize", 10) == 0)
        serve_page(w, asked);
    else if (strcmp(asked->path, "/token") == 0)
        serve_token(w, asked);
    else if (strcmp(asked->path, "/register") == 0) {
        w->registered++;
        say_json(asked, 201, "{\"client_id\":\"registered-client\"}");
    } else if (strcmp(asked->path, "/moved") == 0) {
        w->moved++;
        say_json(asked, 200, "{\"access_token\":\"stolen\",\"token_type\":\"Bearer\"}");
    } else if (strcmp(asked->path, "/mcp") == 0) {
        http_say_format(asked,
                        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer resource_metadata=\"%s/.well-known/"
                        "oauth-protected-resource/mcp\", scope=\"read\"\r\nContent-Length: 0\r\n\r\n",
                        w->url);
    } else
        say_json(asked, 404, "{}");
}

/* ---- the client ---- */

static int vault_read(void *ctx, ctn_str name, ctn_arena *arena, ctn_str *ret_text, ctn_err *err)
{
    const world *w = ctx;
    (void) name, (void) err;
    if (!w->vault_text.len)
        return CTN_E_NOT_FOUND;
    *ret_text = ctn_arena_str(arena, w->vault_text);
    return CTN_OK;
}

static int vault_write(void *ctx, ctn_str name, ctn_str text, ctn_err *err)
{
    world *w = ctx;
    (void) name, (void) err;
    assert_true(!text.len || w->is_locked); /* what is kept is changed under the lock alone */
    w->vault_text = ctn_arena_str(w->arena, text);
    return CTN_OK;
}

static int vault_lock(void *ctx, ctn_str name, ctn_err *err)
{
    world *w = ctx;
    (void) name, (void) err;
    if (w->is_locked)
        return CTN_E_BUSY;
    w->is_locked = true;
    return CTN_OK;
}

static void vault_unlock(void *ctx, ctn_str name)
{
    world *w = ctx;
    (void) name;
    assert_true(w->is_locked);
    w->is_locked = false;
}

static void on_browsed(void *ctx, const ctn_http_end *end)
{
    (void) ctx, (void) end;
}

static void on_open(void *ctx, const char *url, int64_t limit_ms)
{
    world *w = ctx;
    (void) limit_ms;
    w->pages++;
    snprintf(w->page, sizeof w->page, "%s", url);
    if (!w->never_opens)
        (void) ctn_http_send(w->http, &(ctn_http_request){.method = "GET",
                                                          .url = ctn_str_from(url),
                                                          .redirects_max = 2,
                                                          .events = {.ended = on_browsed, .ctx = w}});
}

static void on_patience(void *ctx)
{
    world *w = ctx;
    w->is_out_of_patience = true;
    ctn_loop_stop(w->loop);
}

void world_begin(world *w)
{
    w->peer = http_peer_start(&(http_peer_options){.serve = serve, .ctx = w});
    w->url = http_peer_url(w->peer);
    w->loop = ctn_loop_new();
    w->http = ctn_http_new(&(ctn_http_options){.loop = w->loop});
    w->arena = ctn_arena_new(4096);
    w->vault = (ctn_auth_vault){
        .ctx = w, .read = vault_read, .write = vault_write, .lock = vault_lock, .unlock = vault_unlock};
    w->ask = (ctn_auth_ask){.open = on_open, .ctx = w};
    w->patience = ctn_timer_new(w->loop, on_patience, w);
}

void world_end(world *w)
{
    ctn_timer_free(w->patience);
    ctn_http_free(w->http);
    ctn_loop_free(w->loop);
    http_peer_stop(w->peer);
    ctn_arena_free(w->arena);
}

ctn_str world_challenge(world *w, const char *error, const char *scope)
{
    return ctn_arena_printf(w->arena,
                            "Bearer resource_metadata=\"%s/.well-known/oauth-protected-resource/mcp\"%s%s%s%s%s%s",
                            w->url, error ? ", error=\"" : "", error ? error : "", error ? "\"" : "",
                            scope ? ", scope=\"" : "", scope ? scope : "", scope ? "\"" : "");
}

ctn_auth *world_auth(world *w, const ctn_auth_config *config, bool has_person, bool has_vault)
{
    return ctn_auth_new(&(ctn_auth_options){.loop = w->loop,
                                            .http = w->http,
                                            .server = CTN_STR("peer"),
                                            .url = ctn_arena_printf(w->arena, "%s/mcp", w->url),
                                            .config = config,
                                            .vault = has_vault ? &w->vault : NULL,
                                            .ask = has_person ? &w->ask : NULL});
}

typedef struct waiting {
    world *w;
    told *t;
} waiting;

void told_ready(void *ctx, int code, ctn_str token, const char *why)
{
    told *t = ctx;
    t->times++;
    t->code = code;
    snprintf(t->token, sizeof t->token, "%.*s", CTN_STR_ARG(token));
    snprintf(t->why, sizeof t->why, "%s", why);
}

static void stop_if_told(void *ctx)
{
    const waiting *wait = ctx;
    if (wait->t->times)
        ctn_loop_stop(wait->w->loop);
}

void world_wait(world *w, told *t)
{
    waiting wait = {w, t};
    if (t->times)
        return;
    w->is_out_of_patience = false;
    ctn_timer_set(w->patience, ctn_loop_now_ms(w->loop) + 10000);
    ctn_loop_set_turn(w->loop, stop_if_told, &wait);
    ctn_loop_run(w->loop);
    ctn_loop_set_turn(w->loop, NULL, NULL);
    ctn_timer_clear(w->patience);
    if (w->is_out_of_patience)
        fail_msg("nobody was told in 10 s");
}

void world_run_for(world *w, int64_t ms)
{
    ctn_timer_set(w->patience, ctn_loop_now_ms(w->loop) + ms);
    ctn_loop_run(w->loop);
}
