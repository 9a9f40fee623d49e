/*
 * feed.h -- the journal of the whole store, told as it grows: one reader for all who follow.
 *
 * A follower says what he wants of it and where he is, and is told every entry behind that, in order, each once: first
 * what is in the store already, page by page, then what is committed, as soon as it is. Only what is on disk is told,
 * so an entry's position is a bookmark: who comes back with it, to this process or the next one, misses nothing and is
 * told nothing twice.
 *
 * Of a store that several nodes share it is looked every 250 ms, while somebody follows.
 *
 * New entries are read once and rendered once, whoever follows. A follower who has no room is told nothing more; he is
 * behind then, and goes on from the store when he has room again. The time that a page takes is bounded, and those who
 * are behind take turns.
 *
 * What is told of an entry is what `catena history --json` tells: sensitive values read "(sealed)". A body larger than
 * CTN_FEED_BODY_MAX is left out, and its size told.
 *
 * Ownership  Loop, store and log are borrowed. Followers are freed before the feed, by _unfollow.
 * Threads    The loop's. Followers are told from the loop, never from inside _wake or _follow.
 */
#pragma once
#include "base/log.h"
#include "loop/loop.h"
#include "store/store.h"

#define CTN_FEED_BODY_MAX 16384
/* Who has had no room for so long is lost. */
#define CTN_FEED_STALL_MS 60000

typedef struct ctn_feed ctn_feed;
typedef struct ctn_follower ctn_follower;

typedef struct ctn_feed_event {
    const ctn_tail_entry *entry;
    const ctn_json *labels; /* of the execution; NULL: none */
    ctn_str json;           /* an object on one line */
    bool is_end;            /* its execution has ended with it */
} ctn_feed_event;

typedef struct ctn_feed_filter {
    ctn_execution_id execution; /* all zero: of all */
    bool with_children;         /* ... and of those that do its steps' work, and of theirs */
    ctn_str chain_id;           /* empty: of all */
    ctn_str tenant;             /* empty: of all */
    uint64_t kinds;             /* 1 << ctn_entry_kind, ...; 0: all */
} ctn_feed_filter;

typedef struct ctn_follow_options {
    ctn_feed_filter filter; /* texts are copied */
    int64_t after;          /* a position; < 0: from now on */
    /* May it be told to him? NULL: all may. */
    bool (*may)(void *ctx, const ctn_tail_entry *entry, const ctn_json *labels);
    bool (*has_room)(void *ctx); /* NULL: always */
    bool is_patient;             /* however long he has no room he is not lost; he says when he has some (_go_on) */
    void (*take)(void *ctx, const ctn_feed_event *event);
    /* He was told all that there is: now, and whenever it is so again after he was behind. NULL is fine. */
    void (*caught_up)(void *ctx);
    void (*lost)(void *ctx); /* he has had no room for too long, and is told nothing more. NULL is fine */
    void *ctx;
} ctn_follow_options;

/* CTN_E_*: the store cannot be read. */
int ctn_feed_new(ctn_loop *loop, ctn_store *store, const ctn_log *log, ctn_feed **ret_feed, ctn_err *err);
void ctn_feed_free(ctn_feed *feed); /* NULL is fine */
/* Something was committed. Cheap, from anywhere on the loop's thread. */
void ctn_feed_wake(ctn_feed *feed);

ctn_follower *ctn_feed_follow(ctn_feed *feed, const ctn_follow_options *options);
/* A patient one has room again. */
void ctn_feed_go_on(ctn_follower *follower);
/* Allowed from within his own callbacks. NULL is fine. */
void ctn_feed_unfollow(ctn_follower *follower);
/* Everything up to here was told to him, or is not for him. */
int64_t ctn_follower_position(const ctn_follower *follower);
/* Up to where the feed has read. */
int64_t ctn_feed_position(const ctn_feed *feed);
/* Has an execution ended with an entry of this kind? */
bool ctn_feed_is_end(ctn_entry_kind kind);

/* An entry as it is told. */
ctn_str ctn_feed_render(ctn_arena *arena, const ctn_tail_entry *entry);
