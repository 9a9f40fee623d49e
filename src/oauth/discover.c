/*
 * discover.c -- see discover.h. Places are tried in turn: one that answers 4xx, or with no JSON object, is not there. A
 * document that is there and lies ends the search: the next place could be somebody else's.
 */
#include "oauth/discover.h"
#include "base/memory.h"
#include "oauth/fetch.h"
#include <stdlib.h>

struct ctn_discover {
    ctn_discover_options options;
    ctn_discover_fn *done;
    void *ctx;
    ctn_fetch *fetch;
    ctn_str origin, path; /* of the server */
    ctn_oauth_places places;
    size_t next;
    bool has_resource;
    ctn_str issuer;
    ctn_discovered found;
};

static void search(ctn_discover *d);

static void end(ctn_discover *d, int code, const char *why)
{
    d->done(d->ctx, code, &d->found, why);
    free(d);
}

static const char *what_is_sought(const ctn_discover *d)
{
    return d->has_resource ? "metadata of the authorization server" : "metadata of the protected resource";
}

static int judge_resource(ctn_discover *d, const ctn_json *document, ctn_err *err)
{
    ctn_oauth_resource *r = &d->found.resource;
    ctn_str origin, path, only = d->options.issuer_only, first = d->options.issuer_first;
    int rc = ctn_oauth_resource_read(d->options.arena, document, r, err);
    if (rc == CTN_OK)
        rc = ctn_url_origin(d->options.arena, r->resource, &origin, err);
    if (rc == CTN_OK)
        rc = ctn_url_path(d->options.arena, r->resource, &path, err);
    if (rc)
        return rc;
    if (!ctn_oauth_resource_covers(origin, path, d->origin, d->path))
        return ctn_fail(err, CTN_E_INVALID, "it is that of %.*s, which is not %.*s: no token is asked for",
                        CTN_STR_ARG(r->resource), CTN_STR_ARG(d->options.url));
    d->issuer = r->issuers[0];
    for (size_t i = 0; i < r->issuer_count; i++)
        if (ctn_str_equal(r->issuers[i], only.len ? only : first))
            d->issuer = r->issuers[i];
    if (only.len && !ctn_str_equal(d->issuer, only))
        return ctn_fail(
            err, CTN_E_DENIED,
            "the server takes tokens of %.*s, and the client that is configured belongs to %.*s: it is shown to "
            "nobody else",
            CTN_STR_ARG(d->issuer), CTN_STR_ARG(only));
    return CTN_OK;
}

static int to_issuer(ctn_discover *d, ctn_err *err)
{
    ctn_str origin, path;
    int rc = ctn_url_origin(d->options.arena, d->issuer, &origin, err);
    if (rc == CTN_OK)
        rc = ctn_url_path(d->options.arena, d->issuer, &path, err);
    if (rc)
        return rc;
    d->has_resource = true;
    d->places = ctn_oauth_issuer_places(d->options.arena, origin, path);
    d->next = 0;
    return CTN_OK;
}

static void on_fetched(void *ctx, const ctn_fetch_answer *a)
{
    ctn_discover *d = ctx;
    ctn_err err = {0};
    int rc = a->code;
    ctn_str url = d->places.urls[d->next++];
    d->fetch = NULL;
    if (rc)
        (void) ctn_fail(&err, rc, "%s", a->why);
    else if (a->status >= 500 || a->status == 429)
        rc = ctn_fail(&err, CTN_E_IO, "the answer is status %d", a->status);
    else if (a->status != 200 || !a->document) {
        if (d->next < d->places.count) {
            search(d);
            return;
        }
        rc = a->status == 200 ? ctn_fail(&err, CTN_E_INVALID, "it is no JSON object")
                              : ctn_fail(&err, CTN_E_DENIED, "it is not there (status %d)", a->status);
    } else if (!d->has_resource) {
        rc = judge_resource(d, ctn_json_copy(d->options.arena, a->document), &err);
        if (rc == CTN_OK)
            rc = to_issuer(d, &err);
        if (rc == CTN_OK) {
            search(d);
            return;
        }
    } else
        rc = ctn_oauth_issuer_read(d->options.arena, ctn_json_copy(d->options.arena, a->document), d->issuer,
                                   &d->found.issuer, &err);
    if (rc)
        (void) ctn_wrap(&err, rc, "%s at %.*s", what_is_sought(d), CTN_STR_ARG(url));
    end(d, rc, err.message);
}

static void search(ctn_discover *d)
{
    ctn_fetch_request request = {.url = d->places.urls[d->next], .policy = d->options.policy};
    d->fetch = ctn_fetch_new(d->options.http, &request, on_fetched, d);
}

ctn_discover *ctn_discover_new(const ctn_discover_options *options, ctn_discover_fn *done, void *ctx)
{
    ctn_discover *d = ctn_malloc(sizeof *d);
    *d = (ctn_discover){.options = *options, .done = done, .ctx = ctx};
    int rc = ctn_url_origin(options->arena, options->url, &d->origin, NULL);
    if (rc == CTN_OK)
        rc = ctn_url_path(options->arena, options->url, &d->path, NULL);
    if (rc) /* then nothing is fetched from it either: what is wrong with the URL is told by the fetch */
        d->origin = options->url;
    if (options->resource_metadata.len)
        d->places = (ctn_oauth_places){.urls[0] = options->resource_metadata, .count = 1};
    else
        d->places = ctn_oauth_resource_places(options->arena, d->origin, d->path);
    search(d);
    return d;
}

void ctn_discover_cancel(ctn_discover *d)
{
    if (!d)
        return;
    ctn_fetch_cancel(d->fetch);
    free(d);
}
