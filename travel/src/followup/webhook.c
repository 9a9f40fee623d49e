/*
 * webhook.c -- a letter to somebody's own system (a messaging provider, a help desk), as one HTTP POST with an
 * Idempotency-Key.
 *
 *     POST URL                                     Authorization: Bearer TOKEN, if there is one
 *     {"id", "message_id", "channel", "language", "from": {"name", "address"}, "to": {"name", "address"}, "subject",
 *      "text", "created_at"}
 *
 * 2xx: it has been taken; a member "id" of the answer, if there is one, is the reference. 4xx: it has been refused;
 * 408, 425 and 429 say that it may be taken later. Whatever else comes once a byte of the request has left (5xx, a lost
 * connection, a redirect, which is never followed, or silence) is UNKNOWN, but 503, which says that nothing was done.
 */
#include "followup/driver.h"

#include <curl/curl.h>
#include <stdlib.h>

enum { ANSWER_BYTES_MAX = 65536, REFERENCE_BYTES_MAX = 200 };

/* More than fits is not worth reading: whether it was taken stands in the status. */
static size_t take_answer(char *data, size_t size, size_t count, void *ctx)
{
    ctn_buf_append(ctx, (ctn_str){data, size * count});
    return size * count;
}

static const ctn_json *party(ctn_arena *arena, ctn_str name, ctn_str address)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "name", name);
    ctn_json_put_str(&out, "address", address);
    return ctn_json_finish(&out);
}

static ctn_str body_of(const travel_letter *letter, ctn_arena *arena)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "id", travel_letter_id(arena, letter));
    ctn_json_put_str(&out, "message_id", letter->message_no);
    ctn_json_put_str(&out, "channel", letter->channel);
    ctn_json_put_str(&out, "language", letter->language);
    ctn_json_put(&out, CTN_STR("from"), party(arena, letter->from_name, letter->from_address));
    ctn_json_put(&out, CTN_STR("to"), party(arena, letter->to_name, letter->to_address));
    ctn_json_put_str(&out, "subject", letter->subject);
    ctn_json_put_str(&out, "text", letter->body);
    ctn_json_put_str(&out, "created_at", letter->created_at);
    return ctn_json_to_str(arena, ctn_json_finish(&out));
}

static struct curl_slist *headers_of(const travel_webhook_settings *webhook, const travel_letter *letter,
                                     ctn_arena *arena)
{
    /* The key as it came may hold anything; the Message-ID stands for it, and is plain. */
    ctn_str id = travel_letter_id(arena, letter);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    headers =
        curl_slist_append(headers, ctn_arena_printf(arena, "Idempotency-Key: %.*s", (int) id.len - 2, id.ptr + 1).ptr);
    if (webhook->token.len > 0)
        headers = curl_slist_append(
            headers, ctn_arena_printf(arena, "Authorization: Bearer %.*s", CTN_STR_ARG(webhook->token)).ptr);
    return headers;
}

/* "id" of a JSON answer, when it is something that people can read out; else empty. */
static ctn_str reference_in(ctn_arena *arena, const ctn_buf *answer)
{
    const ctn_json *value = NULL;
    if (answer->overflowed || ctn_json_parse(arena, ctn_buf_str(answer), NULL, &value, NULL))
        return (ctn_str){NULL, 0};
    ctn_str id = ctn_json_text(ctn_json_member_of(value, "id"));
    bool is_usable = id.len <= REFERENCE_BYTES_MAX && ctn_str_find_control(id) == SIZE_MAX;
    return is_usable ? id : (ctn_str){NULL, 0};
}

static travel_fate judge(CURLcode code, long status, long request_bytes, ctn_err *err)
{
    if (code == CURLE_OK && status >= 200 && status < 300)
        return TRAVEL_SENT;
    if (code != CURLE_OK && request_bytes <= 0) {
        bool is_settings = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
                           code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
        (void) ctn_fail(err, is_settings ? CTN_E_STATE : CTN_E_BUSY, "the webhook cannot be reached: %s",
                        curl_easy_strerror(code));
        return TRAVEL_NOT_SENT;
    }
    bool is_later = status == 408 || status == 425 || status == 429 || status == 503;
    if (code == CURLE_OK && (is_later || (status >= 400 && status < 500 && status != 409))) {
        (void) ctn_fail(err, is_later ? CTN_E_BUSY : CTN_E_STATE, "the webhook refused the message (HTTP %ld)%s",
                        status, is_later ? ": it may take it later" : "");
        return TRAVEL_NOT_SENT;
    }
    if (code == CURLE_OK)
        (void) ctn_fail(err, CTN_E_TIMEOUT, "the webhook answered HTTP %ld: whether it took the message is not known",
                        status);
    else
        (void) ctn_fail(err, CTN_E_TIMEOUT, "the webhook did not say whether it took the message: %s",
                        curl_easy_strerror(code));
    return TRAVEL_FATE_UNKNOWN;
}

travel_fate travel_webhook_send(const travel_webhook_settings *webhook, const travel_letter *letter, ctn_arena *arena,
                                ctn_str *ret_reference, ctn_err *err)
{
    ctn_buf answer;
    long status = 0, request_bytes = 0;
    ctn_str body = body_of(letter, arena);
    struct curl_slist *headers = headers_of(webhook, letter, arena);
    CURL *easy = curl_easy_init();
    if (!easy)
        abort();
    ctn_buf_init(&answer, ANSWER_BYTES_MAX);
    curl_easy_setopt(easy, CURLOPT_URL, ctn_arena_str(arena, webhook->url).ptr);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) webhook->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) webhook->timeout_ms);
    if (webhook->ca.len > 0)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ctn_arena_str(arena, webhook->ca).ptr);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) body.len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.ptr);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
    CURLcode code = curl_easy_perform(easy);
    (void) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void) curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    travel_fate fate = judge(code, status, request_bytes, err);
    if (fate == TRAVEL_SENT)
        *ret_reference = reference_in(arena, &answer);
    ctn_buf_done(&answer);
    return fate;
}
