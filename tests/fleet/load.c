/*
 * load.c -- see load.h: a few threads that take one number after the other.
 */
#include "fleet/load.h"

#include "base/memory.h"
#include "fleet/client.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STARTERS = 6, ANSWERERS = 2 };

typedef struct one_start {
    char id[40];
    int64_t at_ms; /* when it was acknowledged; 0: not yet */
    atomic_bool is_acknowledged, is_answered;
} one_start;

struct load {
    nodes *all;
    size_t count;
    unsigned per_second;
    int64_t begun_ms;
    one_start *starts;
    atomic_size_t next, done, answers_owed;
    atomic_size_t acknowledged, asked, unanswered, refused, asked_twice, answers;
    atomic_bool is_over;
    pthread_t threads[STARTERS + ANSWERERS];
    atomic_size_t answerers;
    pthread_mutex_t mutex; /* of why */
    char why[600];
    audit_accepted *accepted;
};

static const char *chain_of(size_t n)
{
    static const char *const mix[20] = {"trip", "ask",  "trip", "slow", "trip", "line", "trip",
                                        "many", "trip", "ask",  "trip", "trip", "trip", "parent",
                                        "trip", "line", "slow", "trip", "many", "trip"};
    return mix[n % 20];
}

static bool is_asking(size_t n)
{
    return strcmp(chain_of(n), "ask") == 0;
}

static void broken(load *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void broken(load *l, const char *format, ...)
{
    va_list list;
    pthread_mutex_lock(&l->mutex);
    va_start(list, format);
    if (!l->why[0])
        vsnprintf(l->why, sizeof l->why, format, list);
    va_end(list);
    pthread_mutex_unlock(&l->mutex);
}

static unsigned die(unsigned *seed, unsigned sides)
{
    return (unsigned) rand_r(seed) % sides;
}

/* One request to start it; true: it is acknowledged, with this id. */
static bool ask_to_start(load *l, size_t n, int where, char id[40])
{
    char headers[100], body[200], answer[4000];
    snprintf(headers, sizeof headers, "Idempotency-Key: run-%zu\r\n", n);
    snprintf(body, sizeof body, "{\"chain\": \"%s\", \"input\": {\"n\": %zu, \"line\": \"%zu\"}}", chain_of(n), n,
             n / 20 % 7);
    int status = node_ask(l->all, where, "POST", "/v1/executions", headers, body, answer, sizeof answer);
    atomic_fetch_add(&l->asked, 1);
    atomic_fetch_add(&l->unanswered, status == 0);
    atomic_fetch_add(&l->refused, status >= 300);
    if (status >= 400 && status < 500 && status != 408 && status != 429)
        broken(l, "the start %zu is refused for good: %d %s", n, status, answer);
    if (status < 200 || status >= 300)
        return false;
    api_text(answer, "executionId", id, 40);
    return true;
}

static void start_one(load *l, size_t n, unsigned *seed)
{
    one_start *s = &l->starts[n];
    char id[40], other[40];
    int count = l->all->options.count;
    for (int where = (int) die(seed, (unsigned) count); !atomic_load(&l->is_over); where = (where + 1) % count) {
        if (ask_to_start(l, n, where, id))
            break;
        nodes_nap(20 + (int) die(seed, 100));
    }
    if (atomic_load(&l->is_over))
        return;
    memcpy(s->id, id, sizeof s->id);
    s->at_ms = nodes_time_ms();
    atomic_store(&s->is_acknowledged, true);
    atomic_fetch_add(&l->acknowledged, 1);
    if (die(seed, 10) == 0) { /* a client that did not hear the answer asks somebody else */
        atomic_fetch_add(&l->asked_twice, 1);
        if (ask_to_start(l, n, (int) die(seed, (unsigned) count), other) && strcmp(id, other) != 0)
            broken(l, "the start %zu is execution %s and %s", n, id, other);
    }
}

static void *run_starter(void *ctx)
{
    load *l = ctx;
    size_t n;
    while (!atomic_load(&l->is_over) && (n = atomic_fetch_add(&l->next, 1)) < l->count) {
        unsigned seed = (unsigned) n * 2654435761U + 1;
        if (l->per_second) {
            int64_t due_ms = l->begun_ms + (int64_t) (n * 1000 / l->per_second);
            while (!atomic_load(&l->is_over) && nodes_now_ms() < due_ms)
                nodes_nap(5);
        }
        start_one(l, n, &seed);
        atomic_fetch_add(&l->done, 1);
    }
    return NULL;
}

/* Asks until it was taken. 409: it does not wait (yet, or any more: somebody's answer was taken and not heard of). */
static bool answer_one(load *l, size_t n, unsigned *seed)
{
    char target[100], answer[4000], status_text[40];
    one_start *s = &l->starts[n];
    int where = (int) die(seed, (unsigned) l->all->options.count);
    snprintf(target, sizeof target, "/v1/executions/%s/answer", s->id);
    int status = node_ask(l->all, where, "POST", target, "", "{\"step\": \"ask\", \"answer\": {\"approved\": true}}",
                          answer, sizeof answer);
    if (status >= 200 && status < 300) {
        atomic_fetch_add(&l->answers, 1);
        return true;
    }
    snprintf(target, sizeof target, "/v1/executions/%s", s->id);
    if (node_ask(l->all, where, "GET", target, "", NULL, answer, sizeof answer) != 200)
        return false;
    api_text(answer, "status", status_text, sizeof status_text);
    return strcmp(status_text, "completed") == 0;
}

static void *run_answerer(void *ctx)
{
    load *l = ctx;
    size_t mine = atomic_fetch_add(&l->answerers, 1);
    unsigned seed = 17 + (unsigned) mine;
    while (!atomic_load(&l->is_over)) {
        for (size_t n = mine; n < l->count && !atomic_load(&l->is_over); n += ANSWERERS) {
            one_start *s = &l->starts[n];
            if (is_asking(n) && atomic_load(&s->is_acknowledged) && !atomic_load(&s->is_answered) &&
                answer_one(l, n, &seed)) {
                atomic_store(&s->is_answered, true);
                atomic_fetch_sub(&l->answers_owed, 1);
            }
        }
        nodes_nap(100);
    }
    return NULL;
}

load *load_start(nodes *all, size_t executions, unsigned per_second)
{
    load *l = ctn_calloc(1, sizeof *l);
    l->all = all;
    l->count = executions;
    l->per_second = per_second;
    l->begun_ms = nodes_now_ms();
    l->starts = ctn_calloc(executions, sizeof *l->starts);
    pthread_mutex_init(&l->mutex, NULL);
    for (size_t n = 0; n < executions; n++)
        atomic_fetch_add(&l->answers_owed, is_asking(n));
    for (int i = 0; i < STARTERS + ANSWERERS; i++)
        if (pthread_create(&l->threads[i], NULL, i < STARTERS ? run_starter : run_answerer, l) != 0)
            abort();
    return l;
}

bool load_is_done(load *l)
{
    return atomic_load(&l->done) == l->count && atomic_load(&l->answers_owed) == 0;
}

void load_end(load *l)
{
    atomic_store(&l->is_over, true);
    for (int i = 0; i < STARTERS + ANSWERERS; i++)
        pthread_join(l->threads[i], NULL);
}

void load_free(load *l)
{
    pthread_mutex_destroy(&l->mutex);
    free(l->accepted);
    free(l->starts);
    free(l);
}

load_counts load_counted(load *l)
{
    return (load_counts){.acknowledged = atomic_load(&l->acknowledged),
                         .asked = atomic_load(&l->asked),
                         .unanswered = atomic_load(&l->unanswered),
                         .refused = atomic_load(&l->refused),
                         .asked_twice = atomic_load(&l->asked_twice),
                         .answers = atomic_load(&l->answers)};
}

const char *load_broken(load *l)
{
    return l->why[0] ? l->why : NULL;
}

static int by_time(const void *a, const void *b)
{
    const audit_accepted *x = a, *y = b;
    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

const audit_accepted *load_accepted(load *l, size_t *ret_count)
{
    size_t count = 0;
    l->accepted = ctn_realloc(l->accepted, (l->count + 1) * sizeof *l->accepted);
    for (size_t n = 0; n < l->count; n++)
        if (atomic_load(&l->starts[n].is_acknowledged)) {
            snprintf(l->accepted[count].key, HISTORY_KEY_MAX, "run-%zu", n);
            l->accepted[count++].at_ms = l->starts[n].at_ms;
        }
    qsort(l->accepted, count, sizeof *l->accepted, by_time);
    *ret_count = count;
    return l->accepted;
}
