/*
 * transform.c -- see transform.h.
 *
 *     job:     waiting in turn --a worker is idle--> sent --answer, deadline, death--> told
 *     worker:  idle <--> busy --deadline, cancel, nonsense--> leaving --ended--> gone
 *
 * What must hold: a job is told once, and sent at most once; a worker has at most one job; a worker that is leaving
 * has none and gets none. A job's clock starts when it is sent, so that waiting for a worker spends nothing; every
 * worker comes free again because every job it can have ends (by its deadline, or else by the limit on processor time).
 *
 * Whoever is told may begin, cancel or compile something: the job is out of every list before.
 */
#include "drivers/transform/transform.h"
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/heap.h"
#include "base/memory.h"
#include "drivers/token_map.h"
#include "drivers/transform/jq.h"
#include "drivers/transform/worker.h"
#include "loop/process.h"
#include "wire/jsonrpc.h"

#define WORKERS_DEFAULT_MAX 4
#define MEMORY_DEFAULT_MIB  512
#define IDLE_DEFAULT_MS     30000
#define COMPILE_TIMEOUT_MS  10000
#define CPU_WITHOUT_MS      INT64_C(3600000) /* for a call that has no deadline */
#define END_GRACE_MS        500

typedef struct worker worker;

typedef struct job {
    struct job *next, *previous; /* while it waits */
    ctn_heap_node due;
    worker *worker; /* sent */
    uint64_t id;    /* of the request; the driver's own count */
    uint64_t token; /* 0: a compilation */
    ctn_transform_compiled_fn *compiled;
    void *compiled_ctx;
    int64_t timeout_ms, deadline_ms;
    ctn_buf line; /* freed when it is sent */
} job;

struct worker {
    struct worker *next;
    ctn_transform_driver *driver;
    ctn_process *process;
    job *job;
    bool is_leaving;
};

struct ctn_transform_driver {
    ctn_transform_options options;
    const char **argv;
    const char *env[3]; /* nothing */
    ctn_arena *arena, *scratch;
    worker *workers; /* the one that was used last stands first: its programs are compiled */
    size_t worker_count;
    job *first, *last;
    size_t waiting;
    ctn_token_map tokens; /* token -> job */
    ctn_heap due;
    ctn_timer *due_timer, *idle_timer;
    uint64_t id_last, starts;
};

/* ---- jobs ---- */

static void queue(ctn_transform_driver *driver, job *j)
{
    j->previous = driver->last;
    if (driver->last)
        driver->last->next = j;
    else
        driver->first = j;
    driver->last = j;
    driver->waiting++;
}

static void unqueue(ctn_transform_driver *driver, job *j)
{
    *(j->previous ? &j->previous->next : &driver->first) = j->next;
    *(j->next ? &j->next->previous : &driver->last) = j->previous;
    j->next = j->previous = NULL;
    driver->waiting--;
}

/* Out of everything, except that its worker, if it has one, now has no job. */
static void job_free(ctn_transform_driver *driver, job *j)
{
    if (j->worker)
        j->worker->job = NULL;
    else
        unqueue(driver, j);
    if (j->token)
        (void) ctn_token_map_take(&driver->tokens, j->token);
    ctn_heap_remove(&driver->due, &j->due);
    ctn_buf_done(&j->line);
    free(j);
}

static int code_of(ctn_failure failure)
{
    switch (failure) {
    case CTN_FAILURE_NONE: return CTN_OK;
    case CTN_FAILURE_PROTOCOL_ERROR: return CTN_E_INVALID;
    case CTN_FAILURE_TIMEOUT: return CTN_E_TIMEOUT;
    case CTN_FAILURE_LIMIT: return CTN_E_LIMIT;
    default: return CTN_E_CLOSED;
    }
}

/* Frees the job, then tells. */
static void tell(ctn_transform_driver *driver, job *j, const ctn_call_result *result)
{
    job told = *j;
    job_free(driver, j);
    if (told.token)
        driver->options.sink.done(driver->options.sink.ctx, told.token, result);
    else
        told.compiled(told.compiled_ctx, code_of(result->failure), result->failure ? result->message.ptr : "");
}

/* The sentence is NUL-terminated: compilations hand it on as a C string. */
static void tell_failure(ctn_transform_driver *driver, job *j, ctn_failure failure, const char *message)
{
    ctn_call_result result = {
        .failure = failure, .message = ctn_str_from(message), .was_sent = j->worker != NULL, .peer_is_dead = true};
    tell(driver, j, &result);
}

static void set_due_timer(ctn_transform_driver *driver)
{
    ctn_heap_node *node = ctn_heap_first(&driver->due);
    if (node)
        ctn_timer_set(driver->due_timer, node->due_ms);
    else
        ctn_timer_clear(driver->due_timer);
}

/* ---- what a worker tells ---- */

static void pump(ctn_transform_driver *driver);

static void dismiss(worker *w)
{
    if (w->is_leaving)
        return;
    w->is_leaving = true;
    ctn_process_kill(w->process);
}

static ctn_failure failure_of(int64_t outcome)
{
    switch (outcome) {
    case CTN_JQ_BAD_PROGRAM: return CTN_FAILURE_PROTOCOL_ERROR;
    case CTN_JQ_BAD_INPUT: return CTN_FAILURE_INVALID_INPUT;
    case CTN_JQ_FAILED: return CTN_FAILURE_TOOL_ERROR;
    case CTN_JQ_NO_RESULT:
    case CTN_JQ_SEVERAL_RESULTS: return CTN_FAILURE_INVALID_OUTPUT;
    case CTN_JQ_LIMIT: return CTN_FAILURE_LIMIT;
    default: return CTN_FAILURE_NONE; /* it is none */
    }
}

/* jq is not ours, and what it runs may have broken it: an answer is looked at like anybody's. */
static bool read_answer(const job *j, ctn_arena *scratch, ctn_str line, ctn_call_result *ret_result)
{
    ctn_rpc_message m;
    int64_t id = 0;
    if (ctn_rpc_parse(scratch, line, &m, NULL) || !ctn_json_to_int64(m.id, &id) || (uint64_t) id != j->id)
        return false;
    *ret_result = (ctn_call_result){.was_sent = true, .peer_is_dead = true};
    if (m.kind == CTN_RPC_ERROR) {
        ret_result->failure = failure_of(m.error_code);
        ret_result->message = ctn_arena_str(scratch, m.error_message);
        return ret_result->failure != CTN_FAILURE_NONE;
    }
    ret_result->value = ctn_json_member_of(m.result, "value");
    return m.kind == CTN_RPC_RESULT && (ret_result->value || !j->token);
}

static void on_line(void *ctx, ctn_str line)
{
    worker *w = ctx;
    ctn_transform_driver *driver = w->driver;
    job *j = w->job;
    if (!j) {
        dismiss(w); /* it speaks unasked */
        return;
    }
    ctn_arena *scratch = ctn_arena_new(4096); /* whoever is told may lead back here */
    ctn_call_result result;
    if (read_answer(j, scratch, line, &result)) {
        tell(driver, j, &result);
    } else {
        dismiss(w);
        tell_failure(driver, j, CTN_FAILURE_TRANSPORT, "the transform's worker answered nonsense");
    }
    ctn_arena_free(scratch);
    set_due_timer(driver);
    pump(driver);
}

static void on_line_too_long(void *ctx, ctn_str head)
{
    (void) head;
    worker *w = ctx;
    dismiss(w);
    if (w->job)
        tell_failure(w->driver, w->job, CTN_FAILURE_LIMIT, "the result is larger than 16 MiB");
}

static void tell_death(worker *w, int exit_status)
{
    char words[400];
    ctn_str last = ctn_process_last_words(w->process);
    ctn_failure failure = CTN_FAILURE_TRANSPORT;
    bool is_abort = exit_status == -SIGABRT;
    if (exit_status == CTN_TRANSFORM_EXIT_MEMORY || (is_abort && ctn_str_find(last, CTN_STR("memory")) != SIZE_MAX)) {
        failure = CTN_FAILURE_LIMIT;
        (void) snprintf(words, sizeof words, "the program needed more than %u MiB of memory",
                        w->driver->options.memory_mib);
    } else if (is_abort) {
        failure = CTN_FAILURE_TOOL_ERROR;
        (void) snprintf(words, sizeof words, "the program made jq stop: %.*s", CTN_STR_ARG(last));
    } else if (exit_status == -SIGXCPU) {
        failure = CTN_FAILURE_TIMEOUT;
        (void) snprintf(words, sizeof words, "the program did not end in the time it may compute");
    } else if (exit_status == -SIGSEGV) {
        failure = CTN_FAILURE_LIMIT;
        (void) snprintf(words, sizeof words, "the program made jq crash: a value nested too deep, most likely");
    } else if (exit_status < 0) {
        (void) snprintf(words, sizeof words, "the transform's worker was ended by signal %d", -exit_status);
    } else {
        (void) snprintf(words, sizeof words, "the transform's worker ended with exit code %d", exit_status);
    }
    tell_failure(w->driver, w->job, failure, words);
}

static void worker_free(worker *w)
{
    ctn_transform_driver *driver = w->driver;
    worker **link = &driver->workers;
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    driver->worker_count--;
    ctn_process_free(w->process);
    free(w);
}

static void on_ended(void *ctx, int exit_status)
{
    worker *w = ctx;
    ctn_transform_driver *driver = w->driver;
    w->is_leaving = true;
    if (w->job)
        tell_death(w, exit_status);
    worker_free(w);
    set_due_timer(driver);
    pump(driver);
}

/* ---- giving work ---- */

static worker *find_idle(ctn_transform_driver *driver)
{
    for (worker **link = &driver->workers; *link; link = &(*link)->next) {
        worker *w = *link;
        if (w->job || w->is_leaving)
            continue;
        *link = w->next;
        w->next = driver->workers;
        driver->workers = w;
        return w;
    }
    return NULL;
}

static int start_worker(ctn_transform_driver *driver, worker **ret_worker, ctn_err *err)
{
    worker *w = ctn_malloc(sizeof *w);
    *w = (worker){.driver = driver};
    ctn_process_options options = {
        .loop = driver->options.loop,
        .spawner = driver->options.spawner,
        .argv = driver->argv,
        .env = driver->env,
        .line_bytes_max = CTN_RPC_LINE_BYTES_MAX,
        .end_grace_ms = END_GRACE_MS,
        .events = {.line = on_line, .line_too_long = on_line_too_long, .ended = on_ended, .ctx = w}};
    int rc = ctn_process_start(&options, &w->process, err);
    if (rc) {
        free(w);
        return ctn_wrap(err, rc, "no worker for transforms could be started");
    }
    driver->starts++;
    driver->worker_count++;
    w->next = driver->workers;
    driver->workers = w;
    *ret_worker = w;
    return CTN_OK;
}

/* With a span of its own a job has all of it once it is sent; with a mere deadline it may be over already. */
static void send(ctn_transform_driver *driver, worker *w, job *j)
{
    int64_t now = ctn_loop_now_ms(driver->options.loop);
    unqueue(driver, j);
    j->worker = w;
    w->job = j;
    if (j->timeout_ms > 0)
        ctn_heap_set(&driver->due, &j->due, now + j->timeout_ms);
    else if (j->deadline_ms > 0)
        ctn_heap_set(&driver->due, &j->due, j->deadline_ms);
    set_due_timer(driver);
    if (!ctn_process_write(w->process, ctn_buf_str(&j->line))) {
        dismiss(w);
        tell_failure(driver, j, CTN_FAILURE_TRANSPORT, "the transform's worker does not read");
        return;
    }
    ctn_buf_done(&j->line);
    j->line = (ctn_buf){0};
}

static void pump(ctn_transform_driver *driver)
{
    while (driver->first) {
        job *j = driver->first;
        worker *w = find_idle(driver);
        ctn_err err = {0};
        if (!w && driver->worker_count >= driver->options.workers_max)
            return;
        if (!w && start_worker(driver, &w, &err)) {
            tell_failure(driver, j, CTN_FAILURE_UNAVAILABLE, err.message);
            continue;
        }
        assert(w);
        send(driver, w, j);
    }
    if (driver->worker_count)
        ctn_timer_set(driver->idle_timer, ctn_loop_now_ms(driver->options.loop) + driver->options.idle_ms);
}

static void on_due(void *ctx)
{
    ctn_transform_driver *driver = ctx;
    int64_t now = ctn_loop_now_ms(driver->options.loop);
    for (ctn_heap_node *node = ctn_heap_first(&driver->due); node && node->due_ms <= now;
         node = ctn_heap_first(&driver->due)) {
        job *j = (job *) ((char *) node - offsetof(job, due));
        char words[100];
        if (j->timeout_ms > 0)
            (void) snprintf(words, sizeof words, "the program did not end within %lld ms", (long long) j->timeout_ms);
        else
            (void) snprintf(words, sizeof words, "the program did not end before the deadline");
        dismiss(j->worker);
        tell_failure(driver, j, CTN_FAILURE_TIMEOUT, words);
    }
    set_due_timer(driver);
}

static void on_idle(void *ctx)
{
    ctn_transform_driver *driver = ctx;
    for (worker *w = driver->workers; w; w = w->next) {
        if (w->job || w->is_leaving)
            continue;
        w->is_leaving = true;
        ctn_process_end(w->process);
    }
}

/* ---- requests ---- */

static unsigned depth_of(const ctn_json *v)
{
    unsigned deepest = 0;
    for (size_t i = 0; i < ctn_json_count(v); i++) {
        unsigned depth = depth_of(ctn_json_is(v, CTN_JSON_OBJECT) ? &v->members[i].value : &v->items[i]);
        deepest = depth > deepest ? depth : deepest;
    }
    return ctn_json_is(v, CTN_JSON_OBJECT) || ctn_json_is(v, CTN_JSON_ARRAY) ? deepest + 1 : 0;
}

static job *job_new(ctn_transform_driver *driver, const char *method, ctn_str program, int64_t timeout_ms,
                    const ctn_json *input)
{
    job *j = ctn_malloc(sizeof *j);
    *j = (job){.id = ++driver->id_last, .timeout_ms = timeout_ms};
    ctn_buf_init(&j->line, CTN_RPC_LINE_BYTES_MAX);
    ctn_arena_mark mark = ctn_arena_save(driver->scratch);
    ctn_json_builder params = ctn_json_object(driver->scratch);
    ctn_json_put_str(&params, "program", program);
    if (input) {
        ctn_json_put_int(&params, "cpuMs", timeout_ms > 0 ? timeout_ms : CPU_WITHOUT_MS);
        ctn_json_put(&params, CTN_STR("input"), input);
    }
    ctn_rpc_write_request(&j->line, (int64_t) j->id, method, ctn_json_finish(&params));
    ctn_arena_restore(driver->scratch, mark);
    queue(driver, j);
    return j;
}

static void begin(void *ctx, const ctn_call_request *request)
{
    static const ctn_json NOTHING = {.kind = CTN_JSON_OBJECT};
    ctn_transform_driver *driver = ctx;
    const ctn_json *input = request->args ? request->args : &NOTHING;
    /* A program shows no progress before it ends: whichever is shorter. */
    int64_t timeout_ms = request->timeout_ms, idle_ms = request->idle_timeout_ms;
    if (idle_ms > 0 && (timeout_ms <= 0 || idle_ms < timeout_ms))
        timeout_ms = idle_ms;
    job *j;
    if (depth_of(input) > CTN_JQ_DEPTH_MAX) {
        j = job_new(driver, "run", request->target, timeout_ms, &NOTHING);
        j->token = request->token;
        ctn_token_map_put(&driver->tokens, j->token, j);
        tell_failure(driver, j, CTN_FAILURE_INVALID_INPUT, "the arguments are nested deeper than 120 levels");
        return;
    }
    j = job_new(driver, "run", request->target, timeout_ms, input);
    j->token = request->token;
    j->deadline_ms = request->deadline_ms;
    ctn_token_map_put(&driver->tokens, j->token, j);
    if (j->line.overflowed) {
        tell_failure(driver, j, CTN_FAILURE_INVALID_INPUT, "the program and its arguments are larger than 16 MiB");
        return;
    }
    pump(driver);
}

static void cancel(void *ctx, uint64_t token)
{
    ctn_transform_driver *driver = ctx;
    job *j = ctn_token_map_get(&driver->tokens, token);
    if (!j)
        return;
    worker *w = j->worker;
    job_free(driver, j);
    if (w)
        dismiss(w); /* its successor is started when there is work for it */
    set_due_timer(driver);
}

static bool may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    (void) ctx, (void) token, (void) target;
    return false; /* and would do nothing */
}

ctn_driver ctn_transform_driver_interface(ctn_transform_driver *driver)
{
    return (ctn_driver){
        .kind = "transform", .ctx = driver, .begin = begin, .cancel = cancel, .may_still_arrive = may_still_arrive};
}

void ctn_transform_compile(ctn_transform_driver *driver, ctn_str program, ctn_transform_compiled_fn *told, void *ctx)
{
    job *j = job_new(driver, "compile", program, COMPILE_TIMEOUT_MS, NULL);
    j->compiled = told;
    j->compiled_ctx = ctx;
    if (j->line.overflowed)
        tell_failure(driver, j, CTN_FAILURE_LIMIT, "the program is larger than 16 MiB");
    else
        pump(driver);
}

ctn_transform_state ctn_transform_state_of(const ctn_transform_driver *driver)
{
    ctn_transform_state state = {.workers = driver->worker_count, .waiting = driver->waiting, .starts = driver->starts};
    for (const worker *w = driver->workers; w; w = w->next)
        state.busy += w->job != NULL;
    return state;
}

int ctn_transform_busy_pid(const ctn_transform_driver *driver)
{
    for (const worker *w = driver->workers; w; w = w->next)
        if (w->job)
            return ctn_process_pid(w->process);
    return 0;
}

/* ---- making and ending ---- */

static unsigned processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > WORKERS_DEFAULT_MAX ? WORKERS_DEFAULT_MAX : (unsigned) count;
}

ctn_transform_driver *ctn_transform_driver_new(const ctn_transform_options *options)
{
    assert(options->loop && options->spawner && options->argv && options->argv[0]);
    ctn_transform_driver *driver = ctn_malloc(sizeof *driver);
    *driver =
        (ctn_transform_driver){.options = *options, .arena = ctn_arena_new(1024), .scratch = ctn_arena_new(16384)};
    ctn_transform_options *o = &driver->options;
    o->workers_max = o->workers_max ? o->workers_max : processors();
    if (o->workers_max > CTN_TRANSFORM_WORKERS_MAX)
        o->workers_max = CTN_TRANSFORM_WORKERS_MAX;
    o->memory_mib = o->memory_mib ? o->memory_mib : MEMORY_DEFAULT_MIB;
    o->idle_ms = o->idle_ms > 0 ? o->idle_ms : IDLE_DEFAULT_MS;
    size_t count = 0;
    while (options->argv[count])
        count++;
    driver->argv = CTN_NEW_ARRAY(driver->arena, const char *, count + 2);
    for (size_t i = 0; i < count; i++)
        driver->argv[i] = ctn_arena_str(driver->arena, ctn_str_from(options->argv[i])).ptr;
    driver->argv[count] = ctn_arena_printf(driver->arena, "%u", o->memory_mib).ptr;
    o->argv = NULL;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) /* instead of the limit on addresses */
    static const char *const RUNTIMES[] = {"ASAN_OPTIONS", "TSAN_OPTIONS"};
    for (size_t i = 0; i < 2; i++)
        driver->env[i] =
            ctn_arena_printf(driver->arena, "%s=hard_rss_limit_mb=%u:quarantine_size_mb=16:exitcode=3:handle_segv=0",
                             RUNTIMES[i], 2 * o->memory_mib)
                .ptr;
#endif
    driver->due_timer = ctn_timer_new(options->loop, on_due, driver);
    driver->idle_timer = ctn_timer_new(options->loop, on_idle, driver);
    return driver;
}

void ctn_transform_driver_free(ctn_transform_driver *driver)
{
    if (!driver)
        return;
    while (driver->workers) {
        if (driver->workers->job)
            job_free(driver, driver->workers->job);
        worker_free(driver->workers);
    }
    while (driver->first)
        job_free(driver, driver->first);
    ctn_timer_free(driver->due_timer);
    ctn_timer_free(driver->idle_timer);
    ctn_heap_done(&driver->due);
    ctn_token_map_done(&driver->tokens);
    ctn_arena_free(driver->scratch);
    ctn_arena_free(driver->arena);
    free(driver);
}
