/* world.c -- see world.h. */
#include "world.h"
#include "support/cmocka.h"
#include <stdio.h>

static void serve(void *ctx, http_asked *asked)
{
    world *w = ctx;
    if (oauth_peer_serve(&w->of, asked))
        return;
    if (strcmp(asked->path, "/mcp") == 0)
        oauth_peer_refuse(&w->of, asked, "read");
    else
        http_answer(asked, 404, NULL, "");
}

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
    w->of.url = http_peer_url(w->peer);
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
                            w->of.url, error ? ", error=\"" : "", error ? error : "", error ? "\"" : "",
                            scope ? ", scope=\"" : "", scope ? scope : "", scope ? "\"" : "");
}

ctn_auth *world_auth(world *w, const ctn_auth_config *config, bool has_person, bool has_vault)
{
    return ctn_auth_new(&(ctn_auth_options){.loop = w->loop,
                                            .http = w->http,
                                            .server = CTN_STR("peer"),
                                            .url = ctn_arena_printf(w->arena, "%s/mcp", w->of.url),
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
