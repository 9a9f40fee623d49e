/*
 * duffel_http.c -- one request to Duffel: headers, limits of rate, and what an answer means to who may repeat it.
 *
 * What was not sent, and what is refused with 429, did not happen. A POST that was sent and has no answer, or one of
 * 5xx, may have: nobody knows. Nothing is repeated here but what was refused with 429.
 */
#include "duffel/duffel_internal.h"

#include "base/percent.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <time.h>

enum {
    ANSWER_BYTES_MAX = 32 << 20,
    RETRIES_MAX = 3,
    WORDS_MAX = 240,
    PAGES_MAX = 10,
    PAGE_ITEMS = 200,
    ID_BYTES_MAX = 80
};
static const int64_t WAIT_MS_MAX = 10000;

typedef struct reply {
    ctn_buf body;
    int64_t retry_after_s; /* -1: not told */
    long status;
} reply;

static size_t take_body(char *data, size_t size, size_t count, void *ctx)
{
    reply *r = ctx;
    ctn_buf_append(&r->body, (ctn_str){data, size * count});
    return r->body.overflowed ? 0 : size * count;
}

/* Retry-After: seconds. ratelimit-reset: an HTTP date. */
static size_t take_header(char *data, size_t size, size_t count, void *ctx)
{
    reply *r = ctx;
    ctn_str value = {data, size * count}, name = ctn_str_trim(ctn_str_cut(&value, ':'));
    value = ctn_str_trim(value);
    int64_t seconds;
    char date[64];
    if (ctn_str_equal_any_case(name, CTN_STR("retry-after")) && ctn_str_to_int64(value, &seconds) && seconds >= 0) {
        r->retry_after_s = seconds;
    } else if (ctn_str_equal_any_case(name, CTN_STR("ratelimit-reset")) && r->retry_after_s < 0 &&
               value.len < sizeof date) {
        memcpy(date, value.ptr, value.len);
        date[value.len] = '\0';
        time_t at = curl_getdate(date, NULL), now = time(NULL);
        if (at >= 0)
            r->retry_after_s = at > now ? (int64_t) (at - now) : 0;
    }
    return size * count;
}

static struct curl_slist *headers_of(const duffel *d, ctn_arena *arena)
{
    struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
    list = curl_slist_append(list, "Content-Type: application/json");
    list = curl_slist_append(list, "Duffel-Version: v2");
    list = curl_slist_append(list, "Expect:");
    return curl_slist_append(list, ctn_arena_printf(arena, "Authorization: Bearer %.*s", CTN_STR_ARG(d->token)).ptr);
}

/* CTN_OK: an answer came, whatever it is. */
static int send_once(const duffel *d, ctn_arena *arena, const char *method, const char *url, ctn_str body, reply *r,
                     ctn_err *err)
{
    int rc = CTN_OK;
    long sent = 0;
    bool is_read = strcmp(method, "GET") == 0;
    struct curl_slist *headers = headers_of(d, arena);
    CURL *easy = curl_easy_init();
    if (!easy || !headers) {
        rc = ctn_fail(err, CTN_E_BUSY, "no memory for a request to Duffel");
        goto done;
    }
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) d->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "catena-travel");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
    if (!is_read) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.ptr);
    }
    CURLcode code = curl_easy_perform(easy);
    (void) curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    (void) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &r->status);
    if (code != CURLE_OK)
        rc = ctn_fail(err, is_read || sent <= 0 ? CTN_E_BUSY : CTN_E_IO, "Duffel: %s", curl_easy_strerror(code));
done:
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return rc;
}

/* At most WORDS_MAX bytes on one line. */
static ctn_str one_line(ctn_arena *arena, ctn_str text)
{
    size_t len = text.len < WORDS_MAX ? text.len : WORDS_MAX;
    char *line = ctn_arena_alloc(arena, len + 1);
    for (size_t i = 0; i < len; i++)
        line[i] = (unsigned char) text.ptr[i] < ' ' || text.ptr[i] == 0x7f ? ' ' : text.ptr[i];
    line[len] = '\0';
    return (ctn_str){line, len};
}

/* What Duffel says, {errors: [{title, message, code}]}, unless it says our token back. */
static ctn_str words_of(const duffel *d, ctn_arena *arena, const ctn_json *answer)
{
    const ctn_json *first = ctn_json_at(ctn_json_member_of(answer, "errors"), 0);
    ctn_str message = one_line(arena, duffel_text(first, "message")),
            code = one_line(arena, duffel_text(first, "code"));
    if (message.len == 0 || ctn_str_find(message, d->token) != SIZE_MAX || ctn_str_find(code, d->token) != SIZE_MAX)
        return CTN_STR("it does not say why");
    return ctn_arena_printf(arena, "%.*s (%.*s)", CTN_STR_ARG(message), CTN_STR_ARG(code));
}

static int refuse(const duffel *d, ctn_arena *arena, long status, bool is_read, const ctn_json *answer, ctn_err *err)
{
    ctn_str words = words_of(d, arena, answer);
    int code = status == 401 || status == 403 ? CTN_E_DENIED
               : status == 404                ? CTN_E_NOT_FOUND
               : status == 429                ? CTN_E_BUSY
               : status >= 500                ? (is_read ? CTN_E_BUSY : CTN_E_IO)
                                              : CTN_E_STATE;
    return ctn_fail(err, code, "Duffel answers %ld: %.*s", status, CTN_STR_ARG(words));
}

static ctn_str body_of(ctn_arena *arena, const ctn_json *data)
{
    ctn_json_builder body = ctn_json_object(arena);
    ctn_json_put(&body, CTN_STR("data"), data);
    return data ? ctn_json_to_str(arena, ctn_json_finish(&body)) : CTN_STR("");
}

int duffel_ask(duffel *d, ctn_arena *arena, const char *method, ctn_str path, const ctn_json *data,
               const ctn_json **ret_data, ctn_str *ret_after, ctn_err *err)
{
    const char *url = ctn_arena_printf(arena, "%.*s%.*s", CTN_STR_ARG(d->url), CTN_STR_ARG(path)).ptr;
    ctn_str body = body_of(arena, data);
    bool is_read = strcmp(method, "GET") == 0;
    int64_t waited_ms = 0;
    for (int attempt = 0;; attempt++) {
        const ctn_json *answer = NULL;
        reply r = {.retry_after_s = -1};
        ctn_buf_init(&r.body, ANSWER_BYTES_MAX);
        int rc = send_once(d, arena, method, url, body, &r, err);
        bool is_json =
            !rc && (r.body.len == 0 || ctn_json_parse(arena, ctn_buf_str(&r.body), NULL, &answer, NULL) == CTN_OK);
        ctn_buf_done(&r.body);
        if (rc)
            return rc;
        int64_t wait_ms = (r.retry_after_s < 0 ? 1 : r.retry_after_s) * 1000;
        if (r.status == 429 && attempt < RETRIES_MAX && waited_ms + wait_ms <= WAIT_MS_MAX) {
            (void) nanosleep(&(struct timespec){.tv_sec = wait_ms / 1000}, NULL);
            waited_ms += wait_ms;
            continue;
        }
        if (r.status < 200 || r.status >= 300)
            return refuse(d, arena, r.status, is_read, answer, err);
        if (!is_json)
            return ctn_fail(err, is_read ? CTN_E_BUSY : CTN_E_IO, "Duffel's answer is no JSON");
        *ret_data = ctn_json_member_of(answer, "data");
        if (ret_after)
            *ret_after = duffel_text(ctn_json_member_of(answer, "meta"), "after");
        return CTN_OK;
    }
}

int duffel_check_id(ctn_str id, const char *prefix, const char *what, ctn_err *err)
{
    bool is_id = ctn_str_starts_with(id, ctn_str_from(prefix)) && id.len <= ID_BYTES_MAX;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        is_id = is_id && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_');
    }
    return is_id ? CTN_OK
                 : ctn_fail(err, CTN_E_INVALID, "%s must be an id of Duffel's that begins with %s", what, prefix);
}

ctn_str duffel_text(const ctn_json *v, const char *member)
{
    return v ? ctn_json_str_or(v, member, CTN_STR("")) : CTN_STR("");
}

bool duffel_is_dearer(ctn_str now, ctn_str before)
{
    travel_cents a, b;
    return !travel_cents_parse(now, &a) || !travel_cents_parse(before, &b) || a > b;
}

int duffel_find_in(duffel *d, ctn_arena *arena, const char *path, duffel_wanted_fn *is_wanted, ctn_str text,
                   const ctn_json **ret_item, ctn_err *err)
{
    ctn_str after = CTN_STR("");
    for (int page = 0; page < PAGES_MAX; page++) {
        const ctn_json *list = NULL;
        ctn_buf url;
        ctn_buf_init(&url, 4096);
        ctn_buf_printf(&url, "%s?limit=%d", path, PAGE_ITEMS);
        if (after.len > 0) {
            ctn_buf_append(&url, CTN_STR("&after="));
            ctn_percent_append(&url, after);
        }
        ctn_str asked = ctn_arena_str(arena, ctn_buf_str(&url));
        ctn_buf_done(&url);
        int rc = duffel_ask(d, arena, "GET", asked, NULL, &list, &after, err);
        if (rc)
            return rc;
        for (size_t i = 0; i < ctn_json_count(list); i++)
            if (is_wanted(ctn_json_at(list, i), text)) {
                *ret_item = ctn_json_at(list, i);
                return CTN_OK;
            }
        if (after.len == 0) {
            *ret_item = NULL;
            return CTN_OK;
        }
    }
    return ctn_fail(err, CTN_E_BUSY, "Duffel has more than %d entries under %s: nobody can look through them here",
                    PAGES_MAX * PAGE_ITEMS, path);
}
