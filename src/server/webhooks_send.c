/*
 * webhooks_send.c -- deliveries: see webhooks.h.
 *
 * A letter is due, under way, or done. It waits for those before it of the same execution; otherwise they go side by
 * side. The pump looks at all that wait and sends what may go; it runs from a timer, never from within an event.
 */
#include "server/webhooks_state.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"
#include "wire/signature.h"

#define RETRY_MAX_MS       3600000
#define TIMEOUT_MS         15000
#define CONNECT_TIMEOUT_MS 5000
#define ANSWER_BYTES_MAX   ((size_t) 64 << 10)

/* ---- letters ---- */

/* {"type": kind, "timestamp": at, "data": the event} */
void webhook_keep(webhook *w, letter *l, const ctn_tail_entry *entry, ctn_str json)
{
    char at[25];
    ctn_buf body;
    ctn_time_format(entry->record->at_ms, at);
    ctn_buf_init(&body, json.len + 256);
    ctn_buf_printf(&body, "{\"type\":\"execution.%s\",\"timestamp\":\"%s\",\"data\":",
                   ctn_entry_kind_name(entry->record->kind), at);
    ctn_buf_append(&body, json);
    ctn_buf_append_char(&body, '}');
    *l = (letter){.webhook = w,
                  .position = entry->position,
                  .execution = entry->id,
                  .kind = entry->record->kind,
                  .seq = entry->record->seq,
                  .body = body.data,
                  .body_len = body.len};
}

static void free_letter(letter *l)
{
    if (l->call)
        ctn_http_call_cancel(l->call);
    free(l->body);
    *l = (letter){.position = 0};
}

void webhook_drop_letters(webhook *w)
{
    for (size_t i = 0; i < WEBHOOK_WINDOW; i++)
        free_letter(&w->window[i]);
    for (size_t i = 0; i < WEBHOOK_AGAIN; i++)
        free_letter(&w->again[i]);
    w->first = w->count = w->in_flight = 0;
}

/* ---- how one ended ---- */

static int64_t backoff_ms(ctn_webhooks *all, unsigned attempts)
{
    int64_t wait_ms = all->of.retry_first_ms;
    for (unsigned i = 1; i < attempts && wait_ms < RETRY_MAX_MS; i++)
        wait_ms *= 2;
    if (wait_ms > RETRY_MAX_MS)
        wait_ms = RETRY_MAX_MS;
    return wait_ms / 2 + (int64_t) (ctn_rng_next(&all->rng) % (uint64_t) (wait_ms / 2 + 1));
}

/* False: the store did not take it; it stays where it is. */
static bool bury(letter *l, const char *why)
{
    webhook *w = l->webhook;
    ctn_err err = {0};
    ctn_dead_letter dead = {.webhook = w->is.name,
                            .position = l->position,
                            .execution = l->execution,
                            .kind = ctn_str_from(ctn_entry_kind_name(l->kind)),
                            .attempts = l->attempts,
                            .why = ctn_str_from(why),
                            .died_at_ms = ctn_loop_now_ms(w->all->of.loop)};
    if (ctn_store_dead_letter_put(w->all->of.store, &dead, &err) == CTN_OK) {
        w->all->counted.dead++;
        ctn_log_line(w->all->of.log, CTN_LOG_WARN, "a delivery is given up", "webhook", w->is.name.ptr, "why", why,
                     NULL);
        return true;
    }
    ctn_log_line(w->all->of.log, CTN_LOG_WARN, "a dead letter could not be kept", "why", err.message, NULL);
    return false;
}

static void note_failure(webhook *w, const char *why)
{
    char text[200];
    (void) snprintf(text, sizeof text, "%s", why);
    w->is.failures++;
    if (!ctn_str_is(w->is.last_failure, text)) { /* seldom another one: what is left in the arena is little */
        char *kept = w->is.last_failure.ptr ? (char *) w->is.last_failure.ptr : ctn_arena_alloc(w->arena, sizeof text);
        memcpy(kept, text, sizeof text);
        w->is.last_failure = ctn_str_from(kept);
    }
}

static void end_again(letter *l, bool is_delivered, const char *why)
{
    webhook *w = l->webhook;
    ctn_err err = {0};
    if (!is_delivered)
        (void) bury(l, why);
    else if (ctn_store_dead_letter_remove(w->all->of.store, w->is.name, l->position, &err) && err.message[0])
        ctn_log_line(w->all->of.log, CTN_LOG_WARN, "a dead letter could not be removed", "why", err.message, NULL);
    free_letter(l);
}

static void end_letter(letter *l, const ctn_http_end *end, const char *why)
{
    webhook *w = l->webhook;
    int64_t now_ms = ctn_loop_now_ms(w->all->of.loop);
    bool is_delivered = end->code == CTN_OK && end->status / 100 == 2;
    l->call = NULL;
    l->attempts++;
    *(is_delivered ? &w->all->counted.delivered : &w->all->counted.failed) += 1;
    if (l->is_again) {
        end_again(l, is_delivered, why);
        return;
    }
    w->in_flight--;
    if (is_delivered) {
        w->is.failures = 0;
        w->is.last_failure.len = 0;
        l->is_done = true;
    } else {
        note_failure(w, why);
        if (end->code == CTN_OK && end->status == 410) {
            webhook_stop(w, CTN_STR("the receiver says that it is gone (HTTP 410)"));
            return;
        }
        l->due_ms = now_ms + backoff_ms(w->all, l->attempts);
        if (l->due_ms < now_ms + l->retry_after_ms)
            l->due_ms = now_ms + (l->retry_after_ms < RETRY_MAX_MS ? l->retry_after_ms : RETRY_MAX_MS);
        l->is_done = l->attempts >= w->all->of.attempts_max && bury(l, why);
    }
    if (l->is_done)
        webhook_pass(w);
    webhooks_pump_soon(w->all);
}

static void on_head(void *ctx, const ctn_http_head *head)
{
    letter *l = ctx;
    l->retry_after_ms = ctn_http_retry_after_ms(head, ctn_loop_now_ms(l->webhook->all->of.loop));
}

static void on_ended(void *ctx, const ctn_http_end *end)
{
    char why[160];
    if (end->code == CTN_OK)
        (void) snprintf(why, sizeof why, "HTTP %d", end->status);
    else
        (void) snprintf(why, sizeof why, "%s", end->why);
    end_letter(ctx, end, why);
}

/* ---- sending ---- */

static int secret_of(webhook *w, ctn_arena *arena, ctn_str *ret_secret, ctn_err *err)
{
    ctn_webhooks *all = w->all;
    if (!all->of.seal)
        return ctn_fail(err, CTN_E_STATE, "the key that its secret is sealed with is not there");
    return ctn_seal_own_text_open(all->of.seal, all->of.store, w->is.name, w->secret, arena, ret_secret, err);
}

int webhook_host_of(ctn_arena *arena, ctn_str url, ctn_str *ret_host, ctn_err *err)
{
    ctn_str origin;
    int rc = ctn_url_origin(arena, url, &origin, err);
    if (rc)
        return rc;
    ctn_str host = ctn_str_from_offset(origin, ctn_str_find(origin, CTN_STR("://")) + 3);
    *ret_host = host.len && host.ptr[0] == '[' ? (ctn_str){host.ptr + 1, ctn_str_find(host, CTN_STR("]")) - 1}
                                               : ctn_str_cut(&host, ':');
    return CTN_OK;
}

static void send_letter(letter *l)
{
    webhook *w = l->webhook;
    ctn_webhooks *all = w->all;
    ctn_arena *arena = ctn_arena_new(2048);
    ctn_err err = {0};
    ctn_http_policy policy = {0};
    ctn_str secret = {0}, host;
    int64_t now_s = ctn_loop_now_ms(all->of.loop) / 1000;
    int rc = secret_of(w, arena, &secret, &err);
    if (rc == CTN_OK)
        rc = webhook_host_of(arena, w->is.url, &host, &err);
    if (rc == CTN_OK)
        rc = all->of.policy(all->of.policy_ctx, host, &policy, &err);
    if (!l->is_again)
        w->in_flight++;
    l->retry_after_ms = 0;
    if (rc) {
        end_letter(l, &(ctn_http_end){.code = rc}, err.message);
        ctn_arena_free(arena);
        return;
    }
    ctn_str body = {l->body, l->body_len};
    ctn_str id = ctn_arena_printf(arena, "%s-%" PRIu64, ctn_id_to_text(l->execution).text, l->seq);
    const ctn_http_header headers[] = {
        {CTN_STR("Content-Type"), CTN_STR("application/json"), false},
        {CTN_STR("User-Agent"), CTN_STR("catena/" CATENA_VERSION), false},
        {CTN_STR("webhook-id"), id, false},
        {CTN_STR("webhook-timestamp"), ctn_arena_printf(arena, "%" PRId64, now_s), false},
        {CTN_STR("webhook-signature"), ctn_signature_make(arena, secret, id, now_s, body), true},
    };
    ctn_http_request request = {.method = "POST",
                                .url = w->is.url,
                                .headers = headers,
                                .header_count = sizeof headers / sizeof *headers,
                                .body = body,
                                .policy = &policy,
                                .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                .timeout_ms = TIMEOUT_MS,
                                .body_bytes_max = ANSWER_BYTES_MAX,
                                .events = {.head = on_head, .ended = on_ended, .ctx = l}};
    l->call = ctn_http_send(all->http, &request);
    explicit_bzero((char *) secret.ptr, secret.len);
    ctn_arena_free(arena);
}

static bool is_held(const webhook *w, size_t n)
{
    const letter *l = &w->window[(w->first + n) % WEBHOOK_WINDOW];
    for (size_t i = 0; i < n; i++) {
        const letter *before = &w->window[(w->first + i) % WEBHOOK_WINDOW];
        if (!before->is_done && ctn_id_equal(before->execution, l->execution))
            return true;
    }
    return false;
}

static int64_t pump_webhook(webhook *w, int64_t now_ms)
{
    int64_t next_ms = 0;
    size_t flight_max = w->is.failures >= WEBHOOK_FLIGHT ? 1 : WEBHOOK_FLIGHT; /* who is down is asked by one */
    for (size_t i = 0; i < WEBHOOK_AGAIN && !w->is.stopped.len; i++)
        if (w->again[i].position && !w->again[i].call)
            send_letter(&w->again[i]);
    for (size_t n = 0; n < w->count && w->in_flight < flight_max && !w->is.stopped.len; n++) {
        letter *l = &w->window[(w->first + n) % WEBHOOK_WINDOW];
        if (l->is_done || l->call || is_held(w, n))
            continue;
        if (l->due_ms <= now_ms)
            send_letter(l);
        else if (!next_ms || l->due_ms < next_ms)
            next_ms = l->due_ms;
    }
    return next_ms;
}

void webhooks_pump(void *ctx)
{
    ctn_webhooks *all = ctx;
    int64_t now_ms = ctn_loop_now_ms(all->of.loop), next_ms = 0;
    all->wants_pump = false;
    for (webhook *w = all->first; w; w = w->next) {
        int64_t due_ms = pump_webhook(w, now_ms);
        if (due_ms && (!next_ms || due_ms < next_ms))
            next_ms = due_ms;
    }
    if (next_ms && !all->wants_pump)
        ctn_timer_set(all->timer, next_ms);
}

void webhooks_pump_soon(ctn_webhooks *all)
{
    all->wants_pump = true;
    ctn_timer_set(all->timer, ctn_loop_now_ms(all->of.loop));
}
