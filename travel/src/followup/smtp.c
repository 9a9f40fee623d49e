/*
 * smtp.c -- a letter to a mail server, by libcurl: one connection, one recipient, one try.
 *
 * A mail server has taken a message when it has answered the dot that ends it, and never before: a connection that is
 * lost earlier leaves nothing there. libcurl sends that dot once it was told that there is no more text, so a failure
 * before is NOT_SENT, a refusal after it (4xx, 5xx) is NOT_SENT too, and whatever else comes after it is UNKNOWN, for
 * SMTP has no way to ask. Lines that begin with a dot are kept whole by quoted-printable (letter.c) and by libcurl.
 */
#include "followup/driver.h"

#include <curl/curl.h>
#include <stdlib.h>

typedef struct upload {
    ctn_str left;
    bool is_whole; /* libcurl knows that there is no more: the dot may be on its way */
} upload;

static size_t give_text(char *to, size_t size, size_t count, void *ctx)
{
    upload *u = ctx;
    size_t room = size * count, part = u->left.len < room ? u->left.len : room;
    if (part > 0)
        memcpy(to, u->left.ptr, part);
    u->left = ctn_str_from_offset(u->left, part);
    u->is_whole = u->is_whole || part == 0;
    return part;
}

/* What the server says beside its code is not ours to tell: it may name the client. */
static size_t drop(char *data, size_t size, size_t count, void *ctx)
{
    (void) data, (void) ctx;
    return size * count;
}

bool travel_host_is_loopback(ctn_str host)
{
    return ctn_str_is(host, "localhost") || ctn_str_starts_with(host, CTN_STR("127.")) || ctn_str_is(host, "::1") ||
           ctn_str_is(host, "[::1]");
}

static CURL *prepare(const travel_smtp_settings *smtp, const travel_letter *letter, ctn_arena *arena, upload *u,
                     struct curl_slist *to)
{
    CURL *easy = curl_easy_init();
    if (!easy)
        abort();
    ctn_str domain = letter->from_address;
    (void) ctn_str_cut(&domain, '@');
    const char *scheme = smtp->security == TRAVEL_TLS ? "smtps" : "smtp";
    bool is_six = ctn_str_find(smtp->host, CTN_STR(":")) != SIZE_MAX && smtp->host.ptr[0] != '[';
    ctn_str url = ctn_arena_printf(arena, "%s://%s%.*s%s:%d/%.*s", scheme, is_six ? "[" : "", CTN_STR_ARG(smtp->host),
                                   is_six ? "]" : "", (int) smtp->port, CTN_STR_ARG(domain));
    ctn_str from = ctn_arena_printf(arena, "<%.*s>", CTN_STR_ARG(letter->from_address));
    curl_easy_setopt(easy, CURLOPT_URL, url.ptr);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USE_SSL,
                     (long) (smtp->security == TRAVEL_STARTTLS ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (smtp->ca.len > 0)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ctn_arena_str(arena, smtp->ca).ptr);
    if (smtp->username.len > 0) {
        curl_easy_setopt(easy, CURLOPT_USERNAME, ctn_arena_str(arena, smtp->username).ptr);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, ctn_arena_str(arena, smtp->password).ptr);
    }
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) smtp->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) smtp->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long) ((smtp->timeout_ms + 999) / 1000));
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from.ptr);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_text);
    curl_easy_setopt(easy, CURLOPT_READDATA, u);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, drop);
    return easy;
}

static travel_fate judge(const travel_smtp_settings *smtp, CURLcode code, long answer, bool is_whole, ctn_err *err)
{
    if (code == CURLE_OK)
        return TRAVEL_SENT;
    bool is_refusal = answer >= 400 && answer <= 599;
    if (is_refusal) {
        (void) ctn_fail(err, answer < 500 ? CTN_E_BUSY : CTN_E_STATE,
                        "the mail server %.*s refused the message (%ld): %s", CTN_STR_ARG(smtp->host), answer,
                        answer < 500 ? "it may take it later" : "it will not take it as it is");
        return TRAVEL_NOT_SENT;
    }
    const char *why = curl_easy_strerror(code);
    if (is_whole) {
        (void) ctn_fail(err, CTN_E_TIMEOUT,
                        "the mail server %.*s did not say whether it took the message (%s): it is not sent again by "
                        "itself; its Message-ID tells it apart",
                        CTN_STR_ARG(smtp->host), why);
        return TRAVEL_FATE_UNKNOWN;
    }
    bool is_settings = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
                       code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED;
    (void) ctn_fail(err, is_settings ? CTN_E_STATE : CTN_E_BUSY, "the mail server %.*s did not take the message: %s",
                    CTN_STR_ARG(smtp->host), why);
    return TRAVEL_NOT_SENT;
}

travel_fate travel_smtp_send(const travel_smtp_settings *smtp, const travel_letter *letter, ctn_arena *arena,
                             ctn_str *ret_reference, ctn_err *err)
{
    ctn_buf text;
    ctn_buf_init(&text, TRAVEL_LETTER_BYTES_MAX);
    travel_letter_write(letter, arena, &text);
    if (text.overflowed) {
        ctn_buf_done(&text);
        (void) ctn_fail(err, CTN_E_STATE, "the message is longer than %zu bytes", TRAVEL_LETTER_BYTES_MAX);
        return TRAVEL_NOT_SENT;
    }
    upload u = {.left = ctn_buf_str(&text)};
    ctn_str address = ctn_arena_printf(arena, "<%.*s>", CTN_STR_ARG(letter->to_address));
    struct curl_slist *to = curl_slist_append(NULL, address.ptr);
    CURL *easy = prepare(smtp, letter, arena, &u, to);
    long answer = 0;
    CURLcode code = curl_easy_perform(easy);
    (void) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
    curl_easy_cleanup(easy);
    curl_slist_free_all(to);
    ctn_buf_done(&text);
    travel_fate fate = judge(smtp, code, answer, u.is_whole, err);
    if (fate == TRAVEL_SENT)
        *ret_reference = travel_letter_id(arena, letter);
    return fate;
}
