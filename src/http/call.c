/*
 * call.c -- one request: what libcurl is told to do, what it tells us, where a redirect leads, and how it ended.
 *
 * What must always hold:
 *   1. Nothing is sent twice behind the caller's back. libcurl repeats a request by itself, on a fresh connection,
 *      when a kept one died before any byte of an answer; the peer may have worked all the same. Before each sending it
 *      asks us (about_to_send): a second time is allowed only if no byte of the first went out, or if the method is
 *      safe (GET, HEAD). Else the call ends as lost. (A stream that an HTTP/2 server refused unread could be sent
 *      again, but libcurl 7.88 says the same words of it as of a connection that was reset.)
 *   2. was_sent is false only if no byte of the request left us: libcurl counts what the socket (or TLS) took.
 *   3. The policy is asked before a socket is made (about_to_connect), and again before a request goes out
 *      (about_to_send): the connection may be a kept one, made for somebody who may do more.
 *   4. A redirect is followed by us, not by libcurl, as a request of its own to the same policy: never from https to
 *      http, never with another method (so a POST only by 307 and 308), without secrets when the origin is another.
 *   5. A call that was cancelled tells nothing and touches nothing of the caller's.
 */
#include "http/http.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "http/explain.h"
#include "http/internal.h"
#include "http/proxy.h"

enum {
    BODY_BYTES_MAX_BY_DEFAULT = 16 << 20,
    HEADER_BYTES_MAX = 256 << 10,
    HEADERS_MAX = 1000,
    REDIRECT_BODY_BYTES_MAX = 64 << 10, /* read to keep the connection; what is longer is not worth it */
    CONNECT_TIMEOUT_MS_BY_DEFAULT = 10000,
    KEPT_CONNECTION_S_MAX = 60, /* an older idle one is not used: it is most likely closed by whoever is in between */
};

static const ctn_http_policy STRICT = {0};

/* ---- what libcurl tells ---- */

static size_t fail_in_callback(ctn_http_call *call, int verdict, const char *why)
{
    call->verdict = verdict;
    call->verdict_why = why;
    return 0; /* bytes taken: libcurl gives the transfer up */
}

/* Is the answer one that sends us elsewhere, and do we go there? */
static bool is_to_be_followed(const ctn_http_call *call)
{
    const char *method = call->request.method;
    int status = call->hop.status;
    bool is_safe = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (call->redirects_left == 0 ||
        !(status == 307 || status == 308 || (is_safe && (status == 301 || status == 302 || status == 303))))
        return false;
    ctn_http_head head = {.headers = call->hop.headers, .header_count = call->hop.header_count};
    return ctn_http_header_of(&head, "Location").len > 0;
}

static ctn_str media_type(ctn_arena *arena, ctn_str value)
{
    ctn_str type = ctn_arena_str(arena, ctn_str_trim(ctn_str_cut(&value, ';')));
    for (char *at = (char *) (uintptr_t) type.ptr; at && *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char) (*at - 'A' + 'a');
    return type;
}

static void head_is_complete(ctn_http_call *call)
{
    ctn_hop_state *hop = &call->hop;
    hop->is_head_complete = true;
    hop->is_redirect = is_to_be_followed(call);
    if (hop->is_redirect || !call->request.events.head)
        return;
    ctn_http_head head = {.status = hop->status, .headers = hop->headers, .header_count = hop->header_count};
    head.content_type = media_type(call->arena, ctn_http_header_of(&head, "Content-Type"));
    call->request.events.head(call->request.events.ctx, &head);
}

/* "HTTP/1.1 200 OK" */
static int status_of(ctn_str line)
{
    ctn_str_cut(&line, ' ');
    int64_t status = 0;
    ctn_str number = ctn_str_trim(ctn_str_cut(&line, ' '));
    return ctn_str_to_int64(number, &status) && status > 0 && status < 1000 ? (int) status : 0;
}

static void keep_header(ctn_http_call *call, ctn_str line)
{
    ctn_hop_state *hop = &call->hop;
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t' || ctn_str_find(line, CTN_STR(":")) == SIZE_MAX)
        return; /* a header's second line, which nobody sends any more, or nonsense */
    ctn_str value = ctn_arena_str(call->arena, line);
    ctn_str name = ctn_str_trim(ctn_str_cut(&value, ':'));
    hop->headers =
        ctn_arena_room(call->arena, hop->headers, hop->header_count, &hop->header_capacity, sizeof *hop->headers);
    hop->headers[hop->header_count++] = (ctn_http_header){.name = name, .value = ctn_str_trim(value)};
}

static size_t take_header(const char *bytes, size_t one, size_t count, void *ctx)
{
    ctn_http_call *call = ctx;
    ctn_hop_state *hop = &call->hop;
    size_t taken = one * count;
    if (call->state == CTN_CALL_DROPPED)
        return 0;
    call->last_byte_at_ms = ctn_loop_now_ms(call->loop);
    ctn_str line = ctn_str_trim((ctn_str){bytes, taken});
    if (ctn_str_starts_with((ctn_str){bytes, taken}, CTN_STR("HTTP/"))) {
        hop->status = status_of(line);
        hop->header_count = hop->header_bytes = 0;
        return taken;
    }
    if (hop->is_head_complete)
        return taken; /* a trailer */
    hop->header_bytes += taken;
    if (hop->header_bytes > HEADER_BYTES_MAX || hop->header_count >= HEADERS_MAX)
        return fail_in_callback(call, CTN_E_LIMIT, "the answer has too many headers, or too large ones");
    if (line.len > 0)
        keep_header(call, (ctn_str){bytes, taken});
    else if (hop->status >= 200)
        head_is_complete(call);
    return call->state == CTN_CALL_DROPPED ? 0 : taken;
}

static size_t take_bytes(const char *bytes, size_t one, size_t count, void *ctx)
{
    ctn_http_call *call = ctx;
    ctn_hop_state *hop = &call->hop;
    size_t taken = one * count;
    if (call->state == CTN_CALL_DROPPED)
        return 0;
    call->last_byte_at_ms = ctn_loop_now_ms(call->loop);
    hop->body_bytes += taken;
    if (hop->is_redirect)
        return hop->body_bytes > REDIRECT_BODY_BYTES_MAX ? 0 : taken;
    if (hop->body_bytes > call->request.body_bytes_max)
        return fail_in_callback(call, CTN_E_LIMIT, "the body of the answer is larger than allowed");
    if (call->request.events.bytes && taken > 0)
        call->request.events.bytes(call->request.events.ctx, (ctn_str){bytes, taken});
    return call->state == CTN_CALL_DROPPED ? 0 : taken;
}

static curl_socket_t about_to_connect(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    ctn_http_call *call = ctx;
    if (call->state == CTN_CALL_DROPPED || purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (!call->hop.is_proxied) {
        const char *objection = ctn_policy_objection(&call->policy, &call->hop.judged, ctn_network_of(&address->addr));
        if (objection) {
            call->objection = objection;
            return CURL_SOCKET_BAD; /* libcurl tries the next address */
        }
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int about_to_send(void *ctx, char *remote, char *local, int remote_port, int local_port)
{
    ctn_http_call *call = ctx;
    long sent_bytes = 0;
    (void) local, (void) remote_port, (void) local_port;
    if (call->state == CTN_CALL_DROPPED)
        return CURL_PREREQFUNC_ABORT;
    if (!call->hop.is_proxied) {
        call->objection = ctn_policy_objection(&call->policy, &call->hop.judged, ctn_network_of_text(remote));
        if (call->objection)
            return CURL_PREREQFUNC_ABORT;
    }
    curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
    bool is_safe = strcmp(call->request.method, "GET") == 0 || strcmp(call->request.method, "HEAD") == 0;
    if (call->starts++ > 0 && sent_bytes > 0 && !is_safe) {
        call->verdict = CTN_E_IO;
        call->verdict_why = "the connection, a kept one, was closed before an answer came";
        return CURL_PREREQFUNC_ABORT;
    }
    call->hop.is_started = true;
    return CURL_PREREQFUNC_OK;
}

/* ---- what libcurl is told ---- */

ctn_http_call *ctn_call_make(ctn_http *http, ctn_loop *loop)
{
    ctn_http_call *call = ctn_calloc(1, sizeof *call);
    call->http = http;
    call->loop = loop;
    call->arena = ctn_arena_new(4096);
    CURL *easy = call->easy = curl_easy_init();
    assert(easy);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_says);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a slow DNS is not waited for when a call is dropped */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long) KEPT_CONNECTION_S_MAX);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, ""); /* proxy.c has decided */
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, about_to_connect);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    return call;
}

void ctn_call_destroy(ctn_http_call *call)
{
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->lines);
    ctn_arena_free(call->arena);
    free(call);
}

static void refuse(ctn_http_call *call, int verdict, const char *why)
{
    call->verdict = verdict;
    call->verdict_why = ctn_arena_str(call->arena, ctn_str_from(why)).ptr;
}

static bool is_token(ctn_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char) name.ptr[i] <= ' ' || (unsigned char) name.ptr[i] >= 0x7f ||
            strchr("()<>@,;:\\\"/[]?={}", name.ptr[i]))
            return false;
    return name.len > 0;
}

static bool is_header_value(ctn_str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char) value.ptr[i] < ' ' && value.ptr[i] != '\t') || value.ptr[i] == 0x7f)
            return false;
    return true;
}

static void add_line(ctn_http_call *call, const char *line)
{
    struct curl_slist *lines = curl_slist_append(call->lines, line);
    assert(lines);
    call->lines = lines;
}

static void set_headers(ctn_http_call *call)
{
    const ctn_http_request *request = &call->request;
    bool has_type = false, has_agent = false;
    curl_slist_free_all(call->lines);
    call->lines = NULL;
    for (size_t i = 0; i < request->header_count; i++) {
        const ctn_http_header *header = &request->headers[i];
        has_type = has_type || ctn_str_equal_any_case(header->name, CTN_STR("Content-Type"));
        has_agent = has_agent || ctn_str_equal_any_case(header->name, CTN_STR("User-Agent"));
        add_line(
            call,
            header->value.len
                ? ctn_arena_printf(call->arena, "%.*s: %.*s", CTN_STR_ARG(header->name), CTN_STR_ARG(header->value)).ptr
                : ctn_arena_printf(call->arena, "%.*s;", CTN_STR_ARG(header->name)).ptr);
    }
    if (request->body.ptr) {
        add_line(call, "Expect:"); /* no "100-continue" is waited for */
        if (!has_type)
            add_line(call, "Content-Type:"); /* libcurl would call it a form */
    }
    if (!has_agent)
        add_line(call, "User-Agent: catena/" CATENA_VERSION);
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->lines);
}

static void set_method(ctn_http_call *call)
{
    const ctn_http_request *request = &call->request;
    bool is_get = strcmp(request->method, "GET") == 0, is_head = strcmp(request->method, "HEAD") == 0;
    bool is_post = strcmp(request->method, "POST") == 0;
    curl_easy_setopt(call->easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, is_get || is_head || is_post ? NULL : request->method);
    if (is_post || request->body.ptr) {
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body.len);
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, request->body.ptr ? request->body.ptr : "");
    } else {
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, NULL);
        curl_easy_setopt(call->easy, CURLOPT_HTTPGET, 1L);
    }
    if (is_head)
        curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
}

static void set_authorities(ctn_http_call *call, const char *ca_file)
{
    const curl_version_info_data *build = curl_version_info(CURLVERSION_NOW);
    curl_easy_setopt(call->easy, CURLOPT_CAINFO, ca_file ? ca_file : build->cainfo);
    curl_easy_setopt(call->easy, CURLOPT_CAPATH, ca_file ? NULL : build->capath);
}

/* The hop to call->url. False: it may not be. */
static bool set_hop(ctn_http_call *call, bool is_strangers)
{
    const ctn_url *url = &call->url;
    call->hop = (ctn_hop_state){.judged = {
                                    .is_cleartext = !url->is_https,
                                    .names_loopback = url->is_loopback,
                                    .is_strangers = is_strangers,
                                }};
    call->starts = 0;
    call->curl_says[0] = '\0';
    const char *proxy =
        call->policy.proxy ? call->policy.proxy : ctn_proxy_of_environment(url->is_https, url->host, url->is_loopback);
    call->hop.is_proxied = *proxy != '\0';
    if (call->hop.is_proxied) {
        call->objection = ctn_policy_proxy_objection(&call->policy, &call->hop.judged, url->host);
        if (call->objection)
            return false;
    }
    curl_easy_setopt(call->easy, CURLOPT_PROXY, proxy);
    /* Whether a connection takes many calls is known after the handshake; in clear only after an answer, and it does
     * not. */
    curl_easy_setopt(call->easy, CURLOPT_PIPEWAIT, url->is_https ? 1L : 0L);
    curl_easy_setopt(call->easy, CURLOPT_URL, url->text.ptr);
    set_method(call);
    set_headers(call);
    return true;
}

static void copy_request(ctn_http_call *call, const ctn_http_request *request)
{
    ctn_arena *arena = call->arena;
    const ctn_http_policy *policy = request->policy ? request->policy : &STRICT;
    call->request = *request;
    call->request.policy = NULL;
    call->request.method = ctn_arena_str(arena, ctn_str_from(request->method)).ptr;
    if (request->body.ptr)
        call->request.body = ctn_arena_str(arena, request->body);
    if (call->request.connect_timeout_ms <= 0)
        call->request.connect_timeout_ms = CONNECT_TIMEOUT_MS_BY_DEFAULT;
    if (!call->request.body_bytes_max)
        call->request.body_bytes_max = BODY_BYTES_MAX_BY_DEFAULT;
    ctn_http_header *headers = CTN_NEW_ARRAY(arena, ctn_http_header, request->header_count);
    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = (ctn_http_header){.name = ctn_arena_str(arena, request->headers[i].name),
                                       .value = ctn_arena_str(arena, request->headers[i].value),
                                       .is_secret = request->headers[i].is_secret};
    call->request.headers = headers;
    call->policy = *policy;
    call->policy.ca_file = NULL; /* libcurl has it */
    if (policy->proxy)
        call->policy.proxy = ctn_arena_str(arena, ctn_str_from(policy->proxy)).ptr;
}

void ctn_call_prepare(ctn_http_call *call, const ctn_http_request *request)
{
    ctn_err err = {0};
    call->verdict = CTN_OK;
    call->verdict_why = "";
    call->objection = NULL;
    call->hop = (ctn_hop_state){0};
    copy_request(call, request);
    call->redirects_left = request->redirects_max;
    for (size_t i = 0; i < request->header_count; i++)
        if (!is_token(request->headers[i].name) || !is_header_value(request->headers[i].value)) {
            refuse(call, CTN_E_INVALID, "a header of the request has a name or a value that no header can have");
            return;
        }
    if (!is_token(ctn_str_from(request->method))) {
        refuse(call, CTN_E_INVALID, "the request's method is no word");
        return;
    }
    int rc = ctn_url_read(call->arena, request->url, &call->url, &err);
    if (rc) {
        refuse(call, CTN_E_INVALID, err.message);
        return;
    }
    set_authorities(call, request->policy ? request->policy->ca_file : NULL);
    if (!set_hop(call, false))
        refuse(call, CTN_E_DENIED, call->objection);
}

/* ---- how it ended ---- */

static bool is_secret(const ctn_http_header *header)
{
    return header->is_secret || ctn_str_equal_any_case(header->name, CTN_STR("Authorization")) ||
           ctn_str_equal_any_case(header->name, CTN_STR("Cookie")) ||
           ctn_str_equal_any_case(header->name, CTN_STR("Proxy-Authorization"));
}

static void drop_secrets(ctn_http_call *call)
{
    ctn_http_header *kept = CTN_NEW_ARRAY(call->arena, ctn_http_header, call->request.header_count);
    size_t count = 0;
    for (size_t i = 0; i < call->request.header_count; i++)
        if (!is_secret(&call->request.headers[i]))
            kept[count++] = call->request.headers[i];
    call->request.headers = kept;
    call->request.header_count = count;
}

/* Goes where the answer sends us, if it may. */
static bool follow(ctn_http_call *call)
{
    ctn_err err = {0};
    ctn_http_head head = {.headers = call->hop.headers, .header_count = call->hop.header_count};
    ctn_str target;
    ctn_url url, from = call->url;
    call->redirects_left--;
    int rc = ctn_url_resolve(call->arena, from.text, ctn_http_header_of(&head, "Location"), &target, &err);
    if (rc == CTN_OK)
        rc = ctn_url_read(call->arena, target, &url, &err);
    call->hop.is_started = false; /* a redirect says that the request was not taken */
    if (rc) {
        ctn_wrap(&err, rc, "the answer redirects to what is no address");
        refuse(call, CTN_E_DENIED, err.message);
        return false;
    }
    if (from.is_https && !url.is_https) {
        refuse(call, CTN_E_DENIED, "the answer redirects from https:// to http://");
        return false;
    }
    if (!ctn_str_equal(ctn_url_origin_of(call->arena, &from), ctn_url_origin_of(call->arena, &url)))
        drop_secrets(call);
    call->url = url;
    if (set_hop(call, call->hop.judged.is_strangers || !from.is_loopback))
        return true;
    refuse(call, CTN_E_DENIED, call->objection);
    return false;
}

bool ctn_call_goes_on(ctn_http_call *call, CURLcode result)
{
    if (call->verdict || !call->hop.is_redirect)
        return false;
    bool is_read =
        result == CURLE_OK || (result == CURLE_WRITE_ERROR && call->hop.body_bytes > REDIRECT_BODY_BYTES_MAX);
    return is_read && follow(call);
}

/* libcurl takes an end of the connection for the end of the headers. */
static bool is_cut(const ctn_http_call *call, CURLcode result)
{
    return result == CURLE_OK && !call->hop.is_head_complete;
}

/* ... and a line of a header that is longer than it reads for a lack of memory. */
static bool is_endless(const ctn_http_call *call, CURLcode result)
{
    return result == CURLE_OUT_OF_MEMORY && call->hop.is_started && !call->hop.is_head_complete;
}

static int code_of(const ctn_http_call *call, CURLcode result)
{
    if (call->verdict)
        return call->verdict;
    switch (result) {
    case CURLE_OK: return is_cut(call, result) ? CTN_E_IO : CTN_OK;
    case CURLE_OPERATION_TIMEDOUT: return CTN_E_TIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return call->hop.is_started ? CTN_E_IO : CTN_E_INVALID; /* or the answer was odd */
    case CURLE_OUT_OF_MEMORY: return is_endless(call, result) ? CTN_E_LIMIT : CTN_E_IO;
    default: return call->objection && !call->hop.is_started ? CTN_E_DENIED : CTN_E_IO;
    }
}

void ctn_call_tell_end(ctn_http_call *call, CURLcode result)
{
    long sent_bytes = 0;
    ctn_http_end end = {.code = code_of(call, result), .why = ""};
    if (call->hop.is_started)
        curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
    end.was_sent = sent_bytes > 0;
    end.has_head = call->hop.is_head_complete && !call->hop.is_redirect;
    end.status = end.has_head ? call->hop.status : 0;
    if (call->verdict)
        end.why = call->verdict_why;
    else if (is_endless(call, result))
        end.why = "a header of the answer is too large";
    else if (is_cut(call, result))
        end.why = "the answer was cut within its headers";
    else if (end.code == CTN_E_DENIED)
        end.why = call->objection;
    else if (end.code)
        end.why = ctn_http_explain(call->arena, result, call->curl_says);
    if (call->request.events.ended)
        call->request.events.ended(call->request.events.ctx, &end);
}
