/*
 * webhooks.h -- others are told of the journal by HTTP: each webhook with its URL, its filter and its secret.
 *
 * A webhook follows the feed (feed.h) from the position that it has reached, which is on disk, so nothing is left out
 * whatever dies: what was under way then is sent again, at least once. The events of one execution arrive in order;
 * several executions are told of at once. Each has an id that is the same however often it is sent, by which a receiver
 * knows what it has had.
 *
 * A delivery is a POST of {"type", "timestamp", "data"}, signed as Standard Webhooks has it (wire/signature.h), and is
 * done when it is answered with 2xx. Anything else is tried again, later and later with chance in it, not before the
 * receiver wants (Retry-After); after so many attempts it is a dead letter, kept until somebody delivers it again or
 * drops it. A receiver that answers 410 is told nothing more until somebody resumes its webhook. One that fails all the
 * time is tried with one delivery at a time. None can hold up another: each has its own deliveries and its own place.
 *
 * What must hold: the position on disk passes an event only when it was delivered, was not wanted, or is on disk as a
 * dead letter.
 *
 * Of a fleet one node sends, for all: the one that has the place "webhooks" of the store (store/fleet.h), and has it as
 * long as it lives; then another that listens takes it, and goes on where the store says. The others know what there is
 * from the store, and look there before each answer. A node that was cut off may still end what it has begun, so then
 * too something may come twice.
 *
 * Who may be reached is asked of the policy for each delivery, and judged by the address (http/policy.h); redirects are
 * failures.
 *
 * Ownership  Options are borrowed. Closed before the feed and the store.
 * Threads    The loop's. Writes of the store, about one a second, are made on it.
 */
#pragma once
#include "http/http.h"
#include "server/feed.h"
#include "store/seal.h"
#include "store/webhooks.h"

typedef struct ctn_webhooks ctn_webhooks;

typedef struct ctn_webhooks_options {
    ctn_loop *loop;
    ctn_store *store;
    ctn_feed *feed;
    ctn_seal *seal; /* of secrets; NULL: none can be kept, so no webhook can be made */
    const ctn_log *log;
    /* May this host be reached, and how? */
    int (*policy)(void *ctx, ctn_str host, ctn_http_policy *ret_policy, ctn_err *err);
    void *policy_ctx;
    int64_t retry_first_ms; /* 0: 1000; then twice as long each time, up to an hour */
    unsigned attempts_max;  /* 0: 12, which take a little more than an hour */
    /* Of a fleet: as which node this process lives now (0: as none), and how often something was changed that all keep
     * in memory (store/fleet.h). NULL: the store is this process's alone, and it sends. */
    int64_t (*node)(void *ctx);
    int64_t (*changes)(void *ctx);
    void *fleet_ctx;
} ctn_webhooks_options;

/* Goes on where those of the store are; of a fleet, once it is this node that sends. */
int ctn_webhooks_open(const ctn_webhooks_options *options, ctn_webhooks **ret_webhooks, ctn_err *err);
/* What is under way is let go, and sent again by whoever opens them next. NULL is fine. */
void ctn_webhooks_close(ctn_webhooks *webhooks);

typedef struct ctn_webhook {
    ctn_str name, url;
    ctn_str chain, tenant; /* empty: of all */
    uint64_t kinds;        /* as in ctn_feed_filter; 0: all */
    ctn_str created_by;
    int64_t created_at_ms;
    /* as it stands; not for _add */
    ctn_str stopped; /* why nothing is sent; empty: it is active */
    int64_t position;
    size_t waiting;       /* deliveries that are not done */
    unsigned failures;    /* in a row */
    ctn_str last_failure; /* empty: none since the last success */
} ctn_webhook;

/* It is told what comes from now on. secret: at least 16 bytes, or empty: one is made; ret_secret is told this once.
 * CTN_E_EXISTS: there is one of this name; CTN_E_INVALID: the URL; CTN_E_DENIED: its host may not be reached;
 * CTN_E_STATE: no secret can be kept here; CTN_E_LIMIT: there are too many. */
int ctn_webhooks_add(ctn_webhooks *webhooks, const ctn_webhook *what, ctn_str secret, ctn_arena *arena,
                     ctn_str *ret_secret, ctn_err *err);
/* With its dead letters. CTN_E_NOT_FOUND, here and below. */
int ctn_webhooks_remove(ctn_webhooks *webhooks, ctn_str name, ctn_err *err);
/* One that was stopped goes on where it was. */
int ctn_webhooks_resume(ctn_webhooks *webhooks, ctn_str name, ctn_err *err);
int ctn_webhooks_get(ctn_webhooks *webhooks, ctn_arena *arena, ctn_str name, ctn_webhook *ret_webhook, ctn_err *err);
/* By name; in the arena. Of a fleet: what is waiting and has failed is told by the node that sends. */
ctn_webhook *ctn_webhooks_list(ctn_webhooks *webhooks, ctn_arena *arena, size_t *ret_count);
typedef struct ctn_webhooks_figures {
    uint64_t delivered, failed,
        dead; /* since it was opened: deliveries, attempts that failed, dead letters that came */
    size_t webhooks, stopped, waiting;
} ctn_webhooks_figures;
ctn_webhooks_figures ctn_webhooks_figures_now(const ctn_webhooks *webhooks);
/* One attempt, soon: delivered, the dead letter is gone. CTN_E_NOT_FOUND: there is none, or its execution was pruned;
 * CTN_E_TOO_MANY: so many are under way already. */
int ctn_webhooks_deliver_again(ctn_webhooks *webhooks, ctn_str name, int64_t position, ctn_err *err);
