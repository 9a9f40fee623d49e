/*
 * webhooks_state.h -- what the files of the webhooks share. Private to them:
 *     webhooks.c       which there are, and how far each has come
 *     webhooks_send.c  deliveries: sent, tried again, given up
 *     webhooks_fleet.c of several nodes, which one sends
 */
#pragma once
#include "base/box.h"
#include "server/webhooks.h"

#define WEBHOOK_WINDOW 64 /* deliveries of one webhook that are not done */
#define WEBHOOK_FLIGHT 8  /* ... of which so many are under way at once */
#define WEBHOOK_AGAIN  16 /* dead letters that are delivered again at once */

typedef struct letter {
    struct webhook *webhook;
    int64_t position; /* 0: this place is free */
    ctn_execution_id execution;
    ctn_entry_kind kind;
    uint64_t seq;
    char *body; /* malloc's */
    size_t body_len;
    unsigned attempts;
    int64_t due_ms, retry_after_ms;
    ctn_http_call *call; /* NULL: it is not under way */
    bool is_done, is_again;
} letter;

typedef struct webhook {
    ctn_webhooks *all;
    ctn_arena *arena;
    ctn_webhook is; /* texts in the arena */
    ctn_str secret; /* sealed */
    ctn_follower *follower;
    letter window[WEBHOOK_WINDOW]; /* a ring, in order of position */
    size_t first, count, in_flight;
    letter again[WEBHOOK_AGAIN];
    int64_t written; /* the position on disk */
    bool is_listed;  /* while the store's are read again */
    struct webhook *next;
} webhook;

struct ctn_webhooks {
    ctn_webhooks_options of;
    ctn_http *http;
    webhook *first; /* by name */
    size_t count;
    ctn_timer *timer; /* the next delivery that is due */
    ctn_timer *write; /* positions that are to be written */
    ctn_rng rng;
    bool wants_pump; /* the timer is set to now */
    bool is_sender;  /* what is active is followed */
    struct webhooks_fleet {
        ctn_timer *look;
        int64_t node;    /* that has claimed the place */
        int64_t changes; /* as of the last reading */
    } fleet;
    ctn_webhooks_figures counted;
};

/* ---- webhooks.c ---- */
/* A delivery is done: what is behind it may be passed, and written soon. */
void webhook_pass(webhook *w);
/* Nothing more is sent, and why is on disk. */
void webhook_stop(webhook *w, ctn_str why);

/* Reads what the store has: of what this node sends only who was added, changed or removed by others; the rest whole.
 */
int webhooks_read_again(ctn_webhooks *all, ctn_err *err);
/* From here on this process sends, from where the store says; or it does not any more. */
void webhooks_begin_sending(ctn_webhooks *all);
void webhooks_end_sending(ctn_webhooks *all);

/* ---- webhooks_fleet.c ---- */
/* The options say whether there is a fleet; if not, this process sends from the start. */
void webhooks_fleet_open(ctn_webhooks *all);
void webhooks_fleet_close(ctn_webhooks *all);
/* Before something is told or changed: what others did is known. */
int webhooks_refresh(ctn_webhooks *all, ctn_err *err);

/* ---- webhooks_send.c ---- */
void webhook_keep(webhook *w, letter *l, const ctn_tail_entry *entry, ctn_str json);
int webhook_host_of(ctn_arena *arena, ctn_str url, ctn_str *ret_host, ctn_err *err);
/* Sends what may be sent, soon. */
void webhooks_pump_soon(ctn_webhooks *all);
void webhooks_pump(void *all);
void webhook_drop_letters(webhook *w);
