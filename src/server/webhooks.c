/*
 * webhooks.c -- which webhooks there are, and how far each has come: see webhooks.h.
 *
 * A webhook has room for so many deliveries; while there is none, the feed holds the rest in the store. Positions are
 * written about a second after something was done, all in one transaction; what a death forgets is sent again.
 */
#include "server/webhooks_state.h"
#include <stdlib.h>
#include "base/base64.h"
#include "base/memory.h"

#define WEBHOOKS_MAX     100
#define RETRY_FIRST_MS   1000
#define ATTEMPTS_MAX     12
#define WRITE_MS         1000
#define WRITE_IDLE_MS    60000 /* where nothing was sent, but much was passed over */
#define SECRET_BYTES_MIN 16
#define SECRET_CHANCE    24

/* ---- how far ---- */

static int64_t reached(const webhook *w)
{
    if (w->count)
        return w->window[w->first].position - 1;
    return w->follower ? ctn_follower_position(w->follower) : w->is.position;
}

static void write_positions(void *ctx)
{
    ctn_webhooks *all = ctx;
    ctn_webhook_reach places[WEBHOOKS_MAX];
    size_t count = 0;
    ctn_err err = {0};
    for (webhook *w = all->first; w; w = w->next)
        if (reached(w) != w->written)
            places[count++] = (ctn_webhook_reach){w->is.name, reached(w)};
    if (ctn_store_webhook_advance(all->of.store, places, count, &err)) {
        ctn_log_line(all->of.log, CTN_LOG_WARN, "how far webhooks were told could not be written", "why", err.message,
                     NULL);
    } else {
        size_t i = 0;
        for (webhook *w = all->first; w; w = w->next)
            if (i < count && ctn_str_equal(places[i].name, w->is.name))
                w->written = places[i++].position;
    }
    ctn_timer_set(all->write, ctn_loop_now_ms(all->of.loop) + WRITE_IDLE_MS);
}

void webhook_pass(webhook *w)
{
    bool was_full = w->count == WEBHOOK_WINDOW;
    while (w->count && w->window[w->first].is_done) {
        letter *l = &w->window[w->first];
        free(l->body);
        *l = (letter){.position = 0};
        w->first = (w->first + 1) % WEBHOOK_WINDOW;
        w->count--;
    }
    if (was_full && w->count < WEBHOOK_WINDOW && w->follower)
        ctn_feed_go_on(w->follower);
    ctn_timer_set(w->all->write, ctn_loop_now_ms(w->all->of.loop) + WRITE_MS);
}

/* ---- following ---- */

static bool has_room(void *ctx)
{
    return ((webhook *) ctx)->count < WEBHOOK_WINDOW;
}

static void take(void *ctx, const ctn_feed_event *event)
{
    webhook *w = ctx;
    letter *l = &w->window[(w->first + w->count) % WEBHOOK_WINDOW];
    w->count++;
    webhook_keep(w, l, event->entry, event->json);
    webhooks_pump_soon(w->all);
}

static void begin_following(webhook *w)
{
    ctn_follow_options options = {
        .filter = {.chain_id = w->is.chain, .tenant = w->is.tenant, .kinds = w->is.kinds},
        .after = w->is.position,
        .has_room = has_room,
        .is_patient = true,
        .take = take,
        .ctx = w,
    };
    ctn_timer_set(w->all->write, ctn_loop_now_ms(w->all->of.loop) + WRITE_IDLE_MS);
    w->follower = ctn_feed_follow(w->all->of.feed, &options);
}

/* What is not done is forgotten here: the position says where to go on. */
static void end_following(webhook *w)
{
    w->is.position = reached(w);
    ctn_feed_unfollow(w->follower);
    w->follower = NULL;
    webhook_drop_letters(w);
}

/* ---- as it is kept ---- */

static ctn_str definition_of(const ctn_webhook *is, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena), kinds = ctn_json_array(arena);
    ctn_json_put_str(&b, "url", is->url);
    if (is->chain.len)
        ctn_json_put_str(&b, "chain", is->chain);
    if (is->tenant.len)
        ctn_json_put_str(&b, "tenant", is->tenant);
    for (int kind = 0; kind < CTN_ENTRY_KIND_COUNT; kind++)
        if (is->kinds >> kind & 1)
            ctn_json_push(&kinds, ctn_json_string(arena, ctn_str_from(ctn_entry_kind_name((ctn_entry_kind) kind))));
    if (is->kinds)
        ctn_json_put(&b, CTN_STR("kinds"), ctn_json_finish(&kinds));
    return ctn_json_to_str(arena, ctn_json_finish(&b));
}

static int put_row(webhook *w, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(2048);
    ctn_webhook_row row = {.name = w->is.name,
                           .definition = definition_of(&w->is, arena),
                           .secret = w->secret,
                           .tenant = w->is.tenant,
                           .position = reached(w),
                           .created_at_ms = w->is.created_at_ms,
                           .created_by = w->is.created_by,
                           .stopped = w->is.stopped};
    int rc = ctn_store_webhook_put(w->all->of.store, &row, err);
    if (rc == CTN_OK)
        w->written = row.position;
    ctn_arena_free(arena);
    return rc;
}

void webhook_stop(webhook *w, ctn_str why)
{
    ctn_err err = {0};
    end_following(w);
    w->is.stopped = ctn_arena_str(w->arena, why);
    ctn_log_line(w->all->of.log, CTN_LOG_WARN, "a webhook is stopped", "webhook", w->is.name.ptr, "why",
                 w->is.stopped.ptr, NULL);
    if (put_row(w, &err))
        ctn_log_line(w->all->of.log, CTN_LOG_WARN, "that a webhook is stopped could not be written", "why", err.message,
                     NULL);
}

static webhook *new_webhook(ctn_webhooks *all, const ctn_webhook *is, ctn_str secret)
{
    ctn_arena *arena = ctn_arena_new(2048);
    webhook *w = ctn_calloc(1, sizeof *w), **at = &all->first;
    w->all = all;
    w->arena = arena;
    w->is = *is;
    ctn_str *texts[] = {&w->is.name, &w->is.url, &w->is.chain, &w->is.tenant, &w->is.created_by, &w->is.stopped};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = ctn_arena_str(arena, *texts[i]);
    w->secret = ctn_arena_str(arena, secret);
    w->written = is->position;
    while (*at && ctn_str_compare((*at)->is.name, w->is.name) < 0)
        at = &(*at)->next;
    w->next = *at;
    *at = w;
    all->count++;
    return w;
}

static void free_webhook(webhook *w)
{
    for (webhook **at = &w->all->first; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    w->all->count--;
    ctn_feed_unfollow(w->follower);
    webhook_drop_letters(w);
    ctn_arena_free(w->arena);
    free(w);
}

static uint64_t kinds_of(const ctn_json *names)
{
    uint64_t kinds = 0;
    for (size_t i = 0; i < ctn_json_count(names); i++) {
        ctn_entry_kind kind;
        if (ctn_entry_kind_from_name(ctn_json_text(ctn_json_at(names, i)), &kind))
            kinds |= UINT64_C(1) << kind;
    }
    return kinds;
}

static webhook *find(const ctn_webhooks *all, ctn_str name)
{
    for (webhook *w = all->first; w; w = w->next)
        if (ctn_str_equal(w->is.name, name))
            return w;
    return NULL;
}

static void begin_if_active(webhook *w)
{
    if (w->all->is_sender && !w->is.stopped.len && !w->follower)
        begin_following(w);
}

/* What others have made of one that is here. What this process follows it knows better, but for a stop. */
static void take_row(webhook *w, const ctn_webhook_row *row)
{
    if (w->follower && !row->stopped.len)
        return;
    if (w->follower)
        end_following(w);
    if (!ctn_str_equal(w->is.stopped, row->stopped))
        w->is.stopped = ctn_arena_str(w->arena, row->stopped);
    w->is.position = w->written = row->position;
    w->is.failures = 0;
    begin_if_active(w);
}

static int load_row(void *ctx, const ctn_webhook_row *row)
{
    ctn_webhooks *all = ctx;
    webhook *known = find(all, row->name);
    if (known && known->is.created_at_ms == row->created_at_ms) {
        known->is_listed = true;
        take_row(known, row);
        return 0;
    }
    if (known)
        free_webhook(known);
    ctn_arena *arena = ctn_arena_new(2048);
    const ctn_json *definition = NULL;
    ctn_webhook is = {.name = row->name,
                      .created_by = row->created_by,
                      .created_at_ms = row->created_at_ms,
                      .stopped = row->stopped,
                      .position = row->position};
    if (ctn_json_parse(arena, row->definition, NULL, &definition, NULL))
        is.stopped = CTN_STR("what the store has of it does not read");
    is.url = ctn_json_str_or(definition, "url", CTN_STR(""));
    is.chain = ctn_json_str_or(definition, "chain", CTN_STR(""));
    is.tenant = ctn_json_str_or(definition, "tenant", CTN_STR(""));
    is.kinds = kinds_of(ctn_json_member_of(definition, "kinds"));
    if (all->count < WEBHOOKS_MAX) {
        webhook *w = new_webhook(all, &is, row->secret);
        w->is_listed = true;
        begin_if_active(w);
    }
    ctn_arena_free(arena);
    return 0;
}

int webhooks_read_again(ctn_webhooks *all, ctn_err *err)
{
    for (webhook *w = all->first; w; w = w->next)
        w->is_listed = false;
    int rc = ctn_store_webhook_list(all->of.store, load_row, all, err);
    for (webhook *w = all->first, *next; rc == CTN_OK && w; w = next) {
        next = w->next;
        if (!w->is_listed)
            free_webhook(w);
    }
    return rc;
}

void webhooks_begin_sending(ctn_webhooks *all)
{
    all->is_sender = true;
    for (webhook *w = all->first; w; w = w->next)
        begin_if_active(w);
}

void webhooks_end_sending(ctn_webhooks *all)
{
    all->is_sender = false;
    for (webhook *w = all->first; w; w = w->next)
        if (w->follower)
            end_following(w);
}

/* ---- what is done to them ---- */

static int need(ctn_webhooks *all, ctn_str name, webhook **ret, ctn_err *err)
{
    int rc = webhooks_refresh(all, err);
    if (rc)
        return rc;
    *ret = find(all, name);
    return *ret ? CTN_OK : ctn_fail(err, CTN_E_NOT_FOUND, "there is no webhook %.*s", CTN_STR_ARG(name));
}

static ctn_str make_secret(ctn_arena *arena)
{
    ctn_rng rng = ctn_rng_system();
    unsigned char bytes[SECRET_CHANCE];
    for (size_t i = 0; i < sizeof bytes; i += sizeof(uint64_t)) {
        uint64_t bits = ctn_rng_next(&rng);
        memcpy(bytes + i, &bits, sizeof bits);
    }
    ctn_str text = ctn_base64(arena, (ctn_str){(const char *) bytes, sizeof bytes});
    explicit_bzero(bytes, sizeof bytes);
    return ctn_arena_printf(arena, "whsec_%.*s", CTN_STR_ARG(text));
}

static int check(const ctn_webhooks *all, const ctn_webhook *what, ctn_str secret, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(512);
    ctn_http_policy policy;
    ctn_str host;
    int rc = webhook_host_of(arena, what->url, &host, err);
    if (rc == CTN_OK && all->of.policy(all->of.policy_ctx, host, &policy, err))
        rc = ctn_wrap(err, CTN_E_DENIED, "%.*s", CTN_STR_ARG(host));
    if (rc == CTN_OK && find(all, what->name))
        rc = ctn_fail(err, CTN_E_EXISTS, "there is a webhook %.*s already", CTN_STR_ARG(what->name));
    if (rc == CTN_OK && all->count >= WEBHOOKS_MAX)
        rc = ctn_fail(err, CTN_E_LIMIT, "there are %d webhooks already, as many as there may be", WEBHOOKS_MAX);
    if (rc == CTN_OK && secret.len && secret.len < SECRET_BYTES_MIN)
        rc = ctn_fail(err, CTN_E_INVALID, "a secret has at least %d bytes", SECRET_BYTES_MIN);
    if (rc == CTN_OK && !all->of.seal)
        rc = ctn_fail(err, CTN_E_STATE,
                      "its secret cannot be kept: there is no key to seal it with; catena.yaml says one, like "
                      "sealing: {key: {file: catena.key}}");
    ctn_arena_free(arena);
    return rc;
}

int ctn_webhooks_add(ctn_webhooks *all, const ctn_webhook *what, ctn_str secret, ctn_arena *arena, ctn_str *ret_secret,
                     ctn_err *err)
{
    ctn_str sealed;
    ctn_webhook is = *what;
    int rc = webhooks_refresh(all, err);
    if (rc == CTN_OK)
        rc = check(all, what, secret, err);
    if (rc)
        return rc;
    secret = secret.len ? secret : make_secret(arena);
    rc = ctn_seal_own_text(all->of.seal, all->of.store, what->name, secret, arena, &sealed, err);
    if (rc == CTN_OK)
        rc = ctn_store_position_last(all->of.store, &is.position, err);
    if (rc)
        return rc;
    webhook *w = new_webhook(all, &is, sealed);
    rc = put_row(w, err);
    if (rc) {
        free_webhook(w);
        return rc;
    }
    begin_if_active(w);
    *ret_secret = secret;
    return CTN_OK;
}

int ctn_webhooks_remove(ctn_webhooks *all, ctn_str name, ctn_err *err)
{
    webhook *w = NULL;
    int rc = need(all, name, &w, err);
    if (rc == CTN_OK)
        rc = ctn_store_webhook_remove(all->of.store, name, err);
    if (rc == CTN_OK)
        free_webhook(w);
    return rc;
}

int ctn_webhooks_resume(ctn_webhooks *all, ctn_str name, ctn_err *err)
{
    webhook *w = NULL;
    int rc = need(all, name, &w, err);
    if (rc || !w->is.stopped.len)
        return rc;
    ctn_str stopped = w->is.stopped;
    w->is.stopped = (ctn_str){0};
    rc = put_row(w, err);
    if (rc) {
        w->is.stopped = stopped;
        return rc;
    }
    w->is.failures = 0;
    begin_if_active(w);
    return CTN_OK;
}

static ctn_webhook told(const webhook *w, ctn_arena *arena)
{
    ctn_webhook is = w->is;
    is.position = reached(w);
    is.waiting = w->count;
    ctn_str *texts[] = {&is.name, &is.url, &is.chain, &is.tenant, &is.created_by, &is.stopped, &is.last_failure};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = ctn_arena_str(arena, *texts[i]);
    return is;
}

int ctn_webhooks_get(ctn_webhooks *all, ctn_arena *arena, ctn_str name, ctn_webhook *ret_webhook, ctn_err *err)
{
    webhook *w = NULL;
    int rc = need(all, name, &w, err);
    if (rc == CTN_OK)
        *ret_webhook = told(w, arena);
    return rc;
}

ctn_webhooks_figures ctn_webhooks_figures_now(const ctn_webhooks *all)
{
    ctn_webhooks_figures now = all->counted;
    for (const webhook *w = all->first; w; w = w->next) {
        now.webhooks++;
        now.stopped += w->is.stopped.len > 0;
        now.waiting += w->count;
    }
    return now;
}

ctn_webhook *ctn_webhooks_list(ctn_webhooks *all, ctn_arena *arena, size_t *ret_count)
{
    ctn_err err = {0};
    if (webhooks_refresh(all, &err))
        ctn_log_line(all->of.log, CTN_LOG_WARN, "webhooks could not be read", "why", err.message, NULL);
    ctn_webhook *list = CTN_NEW_ARRAY(arena, ctn_webhook, all->count);
    size_t count = 0;
    for (const webhook *w = all->first; w; w = w->next)
        list[count++] = told(w, arena);
    *ret_count = count;
    return list;
}

/* ---- dead letters ---- */

typedef struct looking {
    webhook *w;
    int64_t position;
    int64_t attempts; /* of the dead letter; -1: there is none */
    letter *place;
    bool is_found;
} looking;

static int look_at_letter(void *ctx, const ctn_dead_letter *dead)
{
    looking *l = ctx;
    if (dead->position == l->position)
        l->attempts = dead->attempts;
    return 1;
}

static int take_entry(void *ctx, const ctn_tail_entry *entry)
{
    looking *l = ctx;
    l->is_found = entry->position == l->position;
    if (l->is_found) {
        ctn_arena *arena = ctn_arena_new(4096);
        webhook_keep(l->w, l->place, entry, ctn_feed_render(arena, entry));
        l->place->is_again = true;
        l->place->attempts = (unsigned) l->attempts;
        ctn_arena_free(arena);
    }
    return 1;
}

int ctn_webhooks_deliver_again(ctn_webhooks *all, ctn_str name, int64_t position, ctn_err *err)
{
    looking l = {.position = position, .attempts = -1};
    int rc = need(all, name, &l.w, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < WEBHOOK_AGAIN; i++) {
        if (l.w->again[i].position == position)
            return CTN_OK; /* it is on its way */
        if (!l.w->again[i].position && !l.place)
            l.place = &l.w->again[i];
    }
    if (l.w->is.stopped.len)
        return ctn_fail(err, CTN_E_STATE, "the webhook is stopped: %.*s", CTN_STR_ARG(l.w->is.stopped));
    if (!l.place)
        return ctn_fail(err, CTN_E_TOO_MANY, "%d dead letters are being delivered again", WEBHOOK_AGAIN);
    rc = ctn_store_dead_letter_list(all->of.store, name, position - 1, 1, look_at_letter, &l, err);
    if (rc == CTN_OK && l.attempts >= 0)
        rc = ctn_store_journal_after(all->of.store, position - 1, 1, take_entry, &l, err);
    if (rc == CTN_OK && l.attempts < 0)
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "there is no dead letter %lld", (long long) position);
    else if (rc == CTN_OK && !l.is_found)
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "the execution of dead letter %lld was removed", (long long) position);
    if (rc == CTN_OK)
        webhooks_pump_soon(all);
    return rc;
}

/* ---- life ---- */

int ctn_webhooks_open(const ctn_webhooks_options *options, ctn_webhooks **ret_webhooks, ctn_err *err)
{
    ctn_webhooks *all = ctn_calloc(1, sizeof *all);
    all->of = *options;
    if (!all->of.retry_first_ms)
        all->of.retry_first_ms = RETRY_FIRST_MS;
    if (!all->of.attempts_max)
        all->of.attempts_max = ATTEMPTS_MAX;
    all->rng = ctn_rng_system();
    all->http = ctn_http_new(&(ctn_http_options){.loop = options->loop});
    all->timer = ctn_timer_new(options->loop, webhooks_pump, all);
    all->write = ctn_timer_new(options->loop, write_positions, all);
    int rc = ctn_store_webhook_list(options->store, load_row, all, err);
    if (rc) {
        ctn_webhooks_close(all);
        return rc;
    }
    webhooks_fleet_open(all);
    *ret_webhooks = all;
    return CTN_OK;
}

void ctn_webhooks_close(ctn_webhooks *all)
{
    if (!all)
        return;
    if (all->first)
        write_positions(all);
    webhooks_fleet_close(all);
    while (all->first)
        free_webhook(all->first);
    ctn_timer_free(all->timer);
    ctn_timer_free(all->write);
    ctn_http_free(all->http);
    free(all);
}
