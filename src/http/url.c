/*
 * url.c -- URLs of http and https as libcurl reads them, so that what is judged is what is connected to.
 *
 * Two readers of one URL may see two hosts in it; so there is one, curl_url, and no second one here.
 */
#include "http/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>

#include "http/policy.h"
#include "http/url.h"

enum { URL_BYTES_MAX = 16384 };

static bool has_odd_bytes(ctn_str url)
{
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char) url.ptr[i] <= ' ' || url.ptr[i] == 0x7f || url.ptr[i] == '\\')
            return true;
    return false;
}

static int check_text(ctn_str url, ctn_err *err)
{
    if (url.len == 0)
        return ctn_fail(err, CTN_E_INVALID, "the URL is empty");
    if (url.len > URL_BYTES_MAX)
        return ctn_fail(err, CTN_E_INVALID, "the URL has %zu bytes, at most %d", url.len, URL_BYTES_MAX);
    if (has_odd_bytes(url))
        return ctn_fail(err, CTN_E_INVALID, "the URL has a blank, a backslash or a control character in it");
    return CTN_OK;
}

/* A part in the arena; empty: there is none. */
static ctn_str part(ctn_arena *arena, CURLU *handle, CURLUPart what, unsigned flags)
{
    char *text = NULL;
    ctn_str copy = {0};
    if (curl_url_get(handle, what, &text, flags) == CURLUE_OK)
        copy = ctn_arena_str(arena, ctn_str_from(text));
    curl_free(text);
    return copy;
}

static void lower(ctn_str text)
{
    char *at = (char *) (uintptr_t) text.ptr; /* ours: a copy in the arena */
    for (size_t i = 0; i < text.len; i++)
        if (at[i] >= 'A' && at[i] <= 'Z')
            at[i] = (char) (at[i] - 'A' + 'a');
}

static bool host_is_loopback(ctn_str host)
{
    char text[64] = "";
    if (host.len > 0 && host.ptr[host.len - 1] == '.')
        host.len--;
    if (ctn_str_equal_any_case(host, CTN_STR("localhost")) ||
        (host.len > 10 && ctn_str_equal_any_case(ctn_str_from_offset(host, host.len - 10), CTN_STR(".localhost"))))
        return true;
    if (host.len >= 2 && host.ptr[0] == '[')
        host = (ctn_str){host.ptr + 1, host.len - 2};
    if (host.len == 0 || host.len >= sizeof text)
        return false;
    memcpy(text, host.ptr, host.len);
    return ctn_network_of_text(text) == CTN_NETWORK_LOOPBACK;
}

int ctn_url_read(ctn_arena *arena, ctn_str text, ctn_url *ret_url, ctn_err *err)
{
    int rc = check_text(text, err);
    if (rc)
        return rc;
    CURLU *handle = curl_url();
    assert(handle);
    ctn_url url = {.text = ctn_arena_str(arena, text)};
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, url.text.ptr, CURLU_NON_SUPPORT_SCHEME);
    if (code) {
        rc = ctn_fail(err, CTN_E_INVALID, "it is no URL: %s%s", curl_url_strerror(code),
                      ctn_str_find(text, CTN_STR("://")) == SIZE_MAX ? "; a URL begins with https:// or http://" : "");
        goto done;
    }
    url.scheme = part(arena, handle, CURLUPART_SCHEME, 0);
    url.host = part(arena, handle, CURLUPART_HOST, 0);
    url.port = part(arena, handle, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    url.path = part(arena, handle, CURLUPART_PATH, 0);
    lower(url.scheme);
    lower(url.host);
    url.is_https = ctn_str_is(url.scheme, "https");
    if (!url.is_https && !ctn_str_is(url.scheme, "http"))
        rc = ctn_fail(err, CTN_E_INVALID, "the URL's scheme is neither http nor https");
    else if (part(arena, handle, CURLUPART_USER, 0).ptr || part(arena, handle, CURLUPART_PASSWORD, 0).ptr)
        rc = ctn_fail(err, CTN_E_INVALID, "a URL with a user or a password in it is not used: it ends up in logs");
    else if (url.host.len == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "the URL names no host");
    if (rc)
        goto done;
    url.is_loopback = host_is_loopback(url.host);
    if (url.path.len == 0)
        url.path = CTN_STR("/");
    *ret_url = url;
done:
    curl_url_cleanup(handle);
    return rc;
}

ctn_str ctn_url_origin_of(ctn_arena *arena, const ctn_url *url)
{
    return ctn_arena_printf(arena, "%.*s://%.*s%s%.*s", CTN_STR_ARG(url->scheme), CTN_STR_ARG(url->host),
                            url->port.len ? ":" : "", CTN_STR_ARG(url->port));
}

int ctn_url_origin(ctn_arena *arena, ctn_str url, ctn_str *ret_origin, ctn_err *err)
{
    ctn_url parts;
    int rc = ctn_url_read(arena, url, &parts, err);
    if (rc == CTN_OK)
        *ret_origin = ctn_url_origin_of(arena, &parts);
    return rc;
}

int ctn_url_path(ctn_arena *arena, ctn_str url, ctn_str *ret_path, ctn_err *err)
{
    ctn_url parts;
    int rc = ctn_url_read(arena, url, &parts, err);
    if (rc == CTN_OK)
        *ret_path = parts.path;
    return rc;
}

int ctn_url_resolve(ctn_arena *arena, ctn_str base, ctn_str reference, ctn_str *ret_url, ctn_err *err)
{
    ctn_url unused;
    int rc = ctn_url_read(arena, base, &unused, err);
    if (rc)
        return rc;
    rc = check_text(reference, err);
    if (rc)
        return rc;
    CURLU *handle = curl_url();
    assert(handle);
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, ctn_arena_str(arena, base).ptr, 0);
    if (!code)
        code = curl_url_set(handle, CURLUPART_URL, ctn_arena_str(arena, reference).ptr, CURLU_NON_SUPPORT_SCHEME);
    ctn_str resolved = {0};
    if (!code)
        resolved = part(arena, handle, CURLUPART_URL, 0);
    curl_url_cleanup(handle);
    if (code || !resolved.ptr)
        return ctn_fail(err, CTN_E_INVALID, "it is no URL: %s", curl_url_strerror(code));
    rc = ctn_url_read(arena, resolved, &unused, err);
    if (rc == CTN_OK)
        *ret_url = resolved;
    return rc;
}

bool ctn_url_is_loopback(ctn_str url)
{
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_url parts = {0};
    bool is_loopback = ctn_url_read(arena, url, &parts, NULL) == CTN_OK && parts.is_loopback;
    ctn_arena_free(arena);
    return is_loopback;
}
