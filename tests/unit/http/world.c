/* world.c -- see world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"

void open_world(world *w, void (*serve)(void *ctx, http_asked *asked))
{
    w->peer = http_peer_start(&(http_peer_options){.serve = serve, .ctx = w});
    w->fetch = fetch_new(NULL);
    snprintf(w->url, sizeof w->url, "%s/x", http_peer_url(w->peer));
}

void close_world(world *w)
{
    fetch_free(w->fetch);
    http_peer_stop(w->peer);
}

void say_and_close(void *ctx, http_asked *asked)
{
    http_say(asked, ((world *) ctx)->say);
    http_close(asked);
}

void say_bytewise(void *ctx, http_asked *asked)
{
    http_say_bytewise(asked, ((world *) ctx)->say);
}

void echo(void *ctx, http_asked *asked)
{
    (void) ctx;
    char type[80] = "none", token[80] = "none", expect[80] = "none";
    http_asked_header(asked, "Content-Type", type, sizeof type);
    http_asked_header(asked, "Authorization", token, sizeof token);
    http_asked_header(asked, "Expect", expect, sizeof expect);
    char *body = NULL;
    int rc = asprintf(&body, "%s %s type=%s token=%s expect=%s body=%s", asked->method, asked->path, type, token,
                      expect, asked->body);
    assert_true(rc > 0);
    http_answer(asked, 200, "Application/JSON; charset=utf-8", body);
    free(body);
}

void assert_body(const fetched *got, const char *text)
{
    assert_int_equal(got->body.len, strlen(text));
    if (got->body.len)
        assert_memory_equal(got->body.data, text, got->body.len);
}
