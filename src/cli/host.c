/*
 * host.c -- see host.h.
 *
 * The drivers are made before the engine that they report to, so they report to the host, which passes it on. The
 * turn is: take in the batch that the writer finished, turn the engine, ask whether we are done.
 */
#include "cli/audit.h"
#include "base/memory.h"
#include "cli/control.h"
#include "cli/files.h"
#include "cli/host.h"
#include "cli/keyring.h"
#include "cli/programs.h"
#include "cli/schedules.h"
#include "cli/secrets.h"
#include "cli/view.h"
#include "drivers/transform/worker.h"
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STOP_GRACE_MS 5000
#define END_LIMIT_MS  4000 /* servers: stdin closed, SIGTERM, SIGKILL */
#define DRIVER_COUNT  3

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNAL_COUNT (sizeof SIGNALS / sizeof *SIGNALS)

typedef struct raised {
    ctn_host *host;
    int number;
    ctn_signal *signal;
} raised;

struct ctn_host {
    const ctn_cli *cli;
    const ctn_workspace *ws;
    ctn_arena *arena;
    ctn_loop *loop;
    ctn_wakeup *wakeup;
    ctn_timer *timer, *grace;
    raised signals[SIGNAL_COUNT];
    int signal_came;
    ctn_log log_text;
    const ctn_log *log; /* NULL: silent */

    ctn_call_sink own_sink; /* of calls without an engine */
    ctn_mcp_driver *tools;
    ctn_native_driver *native;
    ctn_transform_driver *transforms;
    ctn_driver interfaces[DRIVER_COUNT];
    const ctn_driver *drivers[DRIVER_COUNT];

    ctn_store_lock *lock;
    ctn_store *store;
    uint64_t epoch;
    bool has_epoch, was_crash;
    ctn_engine *engine;
    ctn_rng_pool chance_of_ids;
    ctn_writer_thread *writer;
    ctn_control *control;

    void (*on_event)(void *ctx, const ctn_engine_event *event);
    void *on_event_ctx;
    bool (*is_done)(void *ctx);
    void *is_done_ctx;
    bool is_running, is_wanted, is_grace_over, is_ended, is_closing;
    size_t preparing;
    ctn_secrets secrets; /* that servers were given */
    ctn_arena *secret_scratch;
    ctn_cli_keyring *keyring; /* NULL: no sealing */
};

/* ---- signals ---- */

static void on_signal(void *ctx)
{
    raised *r = ctx;
    ctn_host *host = r->host;
    if (host->signal_came) { /* the second one */
        if (host->cli->err.is_terminal)
            (void) ctn_screen_write(&host->cli->err, CTN_STR("\033[?25h"));
        _exit(CTN_EXIT_INTERRUPTED);
    }
    host->signal_came = r->number;
}

/* Without the spawner no tool server can be started: rather than let each chain fail for want of one, stop, and be
 * started again. */
static void on_spawner_gone(void *ctx)
{
    ctn_host *host = ctx;
    if (host->signal_came || host->is_closing)
        return;
    ctn_cli_say(host->cli, "the process that starts tool servers was killed, and the servers with it");
    host->signal_came = SIGCHLD;
}

int ctn_host_signal(const ctn_host *host)
{
    return host->signal_came;
}

/* ---- what the drivers tell ---- */

static const ctn_call_sink *sink_of(const ctn_host *host)
{
    return host->engine ? ctn_engine_sink(host->engine) : &host->own_sink;
}

static void on_call_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    const ctn_call_sink *sink = sink_of(ctx);
    const ctn_host *host = ctx;
    ctn_call_result clean = *result;
    if (host->secrets.count) {
        ctn_arena_reset(host->secret_scratch);
        clean.message = ctn_secrets_hide(&host->secrets, host->secret_scratch, result->message);
        clean.value = result->value ? ctn_secrets_hide_json(&host->secrets, host->secret_scratch, result->value) : NULL;
    }
    if (sink->done)
        sink->done(sink->ctx, token, &clean);
}

static void on_call_progress(void *ctx, uint64_t token, double progress, double total, ctn_str message)
{
    const ctn_call_sink *sink = sink_of(ctx);
    const ctn_host *host = ctx;
    if (host->secrets.count && message.len) {
        ctn_arena_reset(host->secret_scratch);
        message = ctn_secrets_hide(&host->secrets, host->secret_scratch, message);
    }
    if (sink->progress)
        sink->progress(sink->ctx, token, progress, total, message);
}

void ctn_host_sink(ctn_host *host, const ctn_call_sink *sink)
{
    host->own_sink = *sink;
}

static int make_drivers(ctn_host *host, ctn_err *err)
{
    const ctn_config *config = host->ws->config;
    ctn_mcp_server_config *servers = CTN_NEW_ARRAY(host->arena, ctn_mcp_server_config, config->server_count);
    size_t count = 0;
    for (size_t i = 0; i < config->server_count; i++)
        if (config->servers[i].command.len) {
            servers[count] = config->servers[i].driver;
            ctn_secrets_fill(config, host->arena, &servers[count++], &host->secrets);
        }
    ctn_call_sink sink = {on_call_done, on_call_progress, host};
    ctn_mcp_driver_options options = {.loop = host->loop,
                                      .spawner = host->cli->spawner,
                                      .sink = sink,
                                      .log = host->log,
                                      .servers = servers,
                                      .server_count = count,
                                      .line_bytes_max = ctn_config_answer_bytes(config)};
    int rc = ctn_mcp_driver_new(&options, &host->tools, err);
    if (rc)
        return rc;
    host->native = ctn_native_driver_new(sink);
    /* Ourselves, also when another catena was installed in the meantime: the link is the spawner's. */
    static const char *const WORKER[] = {"/proc/self/exe", CTN_TRANSFORM_WORKER_FLAG, NULL};
    ctn_transform_options transforms = {
        .loop = host->loop, .spawner = host->cli->spawner, .sink = sink, .argv = WORKER};
    host->transforms = ctn_transform_driver_new(&transforms);
    host->interfaces[0] = ctn_mcp_driver_interface(host->tools);
    host->interfaces[1] = ctn_native_driver_interface(host->native);
    host->interfaces[2] = ctn_transform_driver_interface(host->transforms);
    for (size_t i = 0; i < DRIVER_COUNT; i++)
        host->drivers[i] = &host->interfaces[i];
    return CTN_OK;
}

/* ---- the turn ---- */

static void on_batch_committed(void *ctx) /* the writer's thread */
{
    ctn_host *host = ctx;
    ctn_wakeup_send(host->wakeup);
}

static void on_woken(void *ctx)
{
    (void) ctx; /* the turn that follows is what was wanted */
}

static void on_wanted(void *ctx)
{
    ctn_host *host = ctx;
    host->is_wanted = true;
}

static void turn_engine(ctn_host *host)
{
    int64_t due_ms;
    do {
        host->is_wanted = false;
        ctn_batch *batch = ctn_writer_thread_take(host->writer);
        if (batch)
            ctn_engine_batch_done(host->engine, batch);
        host->is_wanted = false; /* what that asked for comes now */
        due_ms = ctn_engine_turn(host->engine);
    } while (host->is_wanted);
    if (due_ms)
        ctn_timer_set(host->timer, due_ms);
    else
        ctn_timer_clear(host->timer);
}

static void turn(void *ctx)
{
    ctn_host *host = ctx;
    if (host->engine)
        turn_engine(host);
    bool is_over = (host->is_done && host->is_done(host->is_done_ctx)) || (host->signal_came && !host->is_closing);
    if (is_over)
        ctn_loop_stop(host->loop);
    else if (host->is_wanted && host->engine) /* is_done has filed something */
        ctn_timer_set(host->timer, ctn_loop_now_ms(host->loop));
}

bool ctn_host_run(ctn_host *host, bool (*is_done)(void *ctx), void *ctx)
{
    assert(!host->is_running);
    host->is_done = is_done;
    host->is_done_ctx = ctx;
    host->is_running = true;
    ctn_loop_run(host->loop);
    host->is_running = false;
    host->is_done = NULL;
    return !host->signal_came;
}

static void on_engine_event(void *ctx, const ctn_engine_event *event)
{
    ctn_host *host = ctx;
    if (host->on_event)
        host->on_event(host->on_event_ctx, event);
    ctn_control_tell(host->control, event);
}

void ctn_host_listen(ctn_host *host, void (*on_event)(void *ctx, const ctn_engine_event *event), void *ctx)
{
    host->on_event = on_event;
    host->on_event_ctx = ctx;
}

/* ---- growing ---- */

ctn_host *ctn_host_new(const ctn_cli *cli, const ctn_workspace *ws)
{
    ctn_host *host = ctn_malloc(sizeof *host);
    *host = (ctn_host){.cli = cli, .ws = ws, .arena = ctn_arena_new(4096), .loop = ctn_loop_new()};
    host->secret_scratch = ctn_arena_new(1024);
    host->log_text = (ctn_log){.fd = 2,
                               .level_min = CTN_LOG_ERROR, /* what a server does wrong is in the sentence at the end */
                               .json = ctn_opt_is_given(cli, CTN_OPT_JSON) && !ctn_view_is_live(cli),
                               .clock = ctn_clock_system()};
    if (!ctn_view_is_live(cli) && !ctn_opt_is_given(cli, CTN_OPT_QUIET))
        host->log = &host->log_text;
    host->wakeup = ctn_wakeup_new(host->loop, on_woken, host);
    host->timer = ctn_timer_new(host->loop, on_woken, host);
    ctn_loop_set_turn(host->loop, turn, host);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        host->signals[i] = (raised){.host = host, .number = SIGNALS[i]};
        host->signals[i].signal = ctn_signal_new(host->loop, SIGNALS[i], on_signal, &host->signals[i]);
    }
    ctn_spawner_attach(cli->spawner, host->loop);
    ctn_spawner_when_gone(cli->spawner, on_spawner_gone, host);
    return host;
}

/* The store is ours until the tool servers that we start are gone, too: a dead owner's may still write. */
static int take_lock(ctn_host *host, ctn_err *err)
{
    int rc = ctn_store_lock_take(host->ws->store_url, &host->lock, err);
    return rc ? rc : ctn_spawner_hold(host->cli->spawner, ctn_store_lock_fd(host->lock), err);
}

int ctn_host_lock(ctn_host *host, ctn_err *err)
{
    if (host->lock || (host->ws->store_file.len && !ctn_file_is_there(host->arena, host->ws->store_file)))
        return CTN_OK;
    return take_lock(host, err);
}

/* ---- preparing ---- */

typedef struct server_state {
    ctn_str name;
    ctn_host *host;
    int code;
    char why[sizeof((ctn_err){0}).message];
    struct server_state *next;
} server_state;

typedef struct preparing {
    ctn_host *host;
    server_state *servers;
    ctn_err *err;
    int rc;
} preparing;

static void on_server_ready(void *ctx, int code, const char *why)
{
    server_state *s = ctx;
    s->code = code;
    ctn_arena_reset(s->host->secret_scratch);
    ctn_str clean = ctn_secrets_hide(&s->host->secrets, s->host->secret_scratch, ctn_str_from(why ? why : ""));
    snprintf(s->why, sizeof s->why, "%.*s", CTN_STR_ARG(clean));
    s->host->preparing--;
}

static void prepare_tool(void *ctx, ctn_str step, ctn_str target)
{
    preparing *p = ctx;
    ctn_str name = ctn_str_cut(&target, '/');
    (void) step;
    for (server_state *s = p->servers; s; s = s->next)
        if (ctn_str_equal(s->name, name))
            return;
    server_state *s = CTN_NEW(p->host->arena, server_state);
    *s = (server_state){.name = name, .host = p->host, .next = p->servers};
    p->servers = s;
    p->host->preparing++;
    ctn_mcp_ready(p->host->tools, name, on_server_ready, s);
}

static bool is_prepared(void *ctx)
{
    return ((ctn_host *) ctx)->preparing == 0;
}

static void find_tool(void *ctx, ctn_str step, ctn_str target)
{
    preparing *p = ctx;
    ctn_str server = ctn_str_cut(&target, '/');
    size_t count = 0;
    const ctn_mcp_tool *tools = ctn_mcp_tools(p->host->tools, server, &count);
    ctn_str *names = CTN_NEW_ARRAY(p->host->arena, ctn_str, count);
    for (size_t i = 0; i < count; i++) {
        names[i] = tools[i].name;
        if (ctn_str_equal(names[i], target))
            return;
    }
    if (p->rc)
        return;
    ctn_str advice = ctn_suggest(p->host->arena, target, names, count);
    p->rc = ctn_fail(p->err, CTN_E_NOT_FOUND, "step %.*s: the server \"%.*s\" has no tool \"%.*s\"; %.*s",
                     CTN_STR_ARG(step), CTN_STR_ARG(server), CTN_STR_ARG(target), CTN_STR_ARG(advice));
}

int ctn_host_drivers(ctn_host *host, ctn_err *err)
{
    return host->tools ? CTN_OK : make_drivers(host, err);
}

int ctn_host_prepare(ctn_host *host, const ctn_plan *plan, ctn_err *err)
{
    preparing p = {.host = host, .err = err};
    int rc = ctn_host_drivers(host, err);
    if (rc)
        return rc;
    ctn_plan_each_tool(plan, prepare_tool, &p);
    if (!is_prepared(host) && !ctn_host_run(host, is_prepared, host))
        return ctn_fail(err, CTN_E_CLOSED, "interrupted while the tool servers were starting; nothing was begun");
    for (server_state *s = p.servers; s; s = s->next)
        if (s->code)
            return ctn_fail(err, s->code, "%s", s->why);
    ctn_plan_each_tool(plan, find_tool, &p);
    return p.rc ? p.rc : ctn_programs_check(host, plan, err);
}

ctn_mcp_driver *ctn_host_tools(const ctn_host *host)
{
    return host->tools;
}

ctn_transform_driver *ctn_host_transforms(const ctn_host *host)
{
    return host->transforms;
}

static int find_chain(void *ctx, ctn_str chain_id, ctn_plan **ret_plan, ctn_err *err)
{
    const ctn_host *host = ctx;
    ctn_arena *arena = ctn_arena_new(16384);
    int rc = ctn_workspace_find_plan(host->ws, arena, chain_id, ret_plan, err);
    ctn_arena_free(arena);
    return rc;
}

int ctn_host_own(ctn_host *host, ctn_store_mode mode, bool serves, ctn_err *err)
{
    if (serves)
        host->log_text.level_min = CTN_LOG_WARN;
    int rc = ctn_host_drivers(host, err);
    if (rc == CTN_OK && !host->lock)
        rc = take_lock(host, err);
    if (rc == CTN_OK)
        rc = ctn_store_open(host->ws->store_url, mode, &host->store, err);
    if (rc == CTN_OK)
        rc = ctn_cli_audit_opened(host->cli, host->store, err);
    if (rc == CTN_OK)
        rc = ctn_store_epoch_begin(host->store, &host->epoch, &host->was_crash, err);
    if (rc)
        return rc;
    host->has_epoch = true;
    rc = ctn_writer_thread_start(host->ws->store_url, on_batch_committed, host, &host->writer, err);
    if (rc)
        return rc;
    if (serves)
        ctn_writer_thread_keep(host->writer,
                               ctn_keeper_new(&host->ws->config->retention, ctn_clock_system(), host->log));
    host->keyring = ctn_cli_keyring_new(host->cli, host->ws->config);
    ctn_rng rng = ctn_rng_system();
    ctn_schedule *schedules = NULL;
    size_t schedule_count = serves ? ctn_schedules_of(host->cli, host->ws, host->arena, &schedules) : 0;
    ctn_engine_options options = {
        .store = host->store,
        .epoch = host->epoch,
        .was_crash = host->was_crash,
        .clock = ctn_clock_system(),
        .seed = ctn_rng_next(&rng),
        .id_rng = ctn_rng_pooled(&host->chance_of_ids),
        .log = host->log,
        .writer = ctn_writer_thread_as_writer(host->writer),
        .drivers = host->drivers,
        .driver_count = DRIVER_COUNT,
        .seal = ctn_cli_keyring_seal(host->keyring),
        .rules = ctn_config_rules(host->ws->config),
        .chain_find = find_chain,
        .chain_find_ctx = host,
        .schedules = schedules,
        .schedule_count = schedule_count,
        .own_only = !serves,
        .on_event = on_engine_event,
        .on_event_ctx = host,
        .wake = on_wanted,
        .wake_ctx = host,
    };
    rc = ctn_engine_new(&options, &host->engine, err);
    if (rc)
        return rc;
    const char *socket = ctn_socket_path(host->arena, host->ws);
    return socket ? ctn_control_open(host, socket, &host->control, err) : CTN_OK;
}

ctn_loop *ctn_host_loop(const ctn_host *host)
{
    return host->loop;
}

ctn_engine *ctn_host_engine(const ctn_host *host)
{
    return host->engine;
}

ctn_seal *ctn_host_seal(const ctn_host *host)
{
    return ctn_cli_keyring_seal(host->keyring);
}

ctn_store *ctn_host_store(const ctn_host *host)
{
    return host->store;
}

const ctn_workspace *ctn_host_workspace(const ctn_host *host)
{
    return host->ws;
}

const char *ctn_socket_path(ctn_arena *arena, const ctn_workspace *ws)
{
    ctn_str real = ws->store_file.len ? ctn_path_real(arena, ws->store_file) : (ctn_str){0};
    return real.len ? ctn_arena_printf(arena, "%.*s.sock", CTN_STR_ARG(real)).ptr : NULL;
}

/* ---- the end ---- */

static void on_grace_over(void *ctx)
{
    ((ctn_host *) ctx)->is_grace_over = true;
}

static bool is_quiet(void *ctx)
{
    ctn_host *host = ctx;
    return host->is_grace_over || ctn_engine_is_quiet(host->engine);
}

static void on_servers_ended(void *ctx)
{
    ((ctn_host *) ctx)->is_ended = true;
}

static bool is_ended(void *ctx)
{
    ctn_host *host = ctx;
    return host->is_grace_over || host->is_ended;
}

static void run_for(ctn_host *host, bool (*is_over)(void *ctx), int64_t limit_ms)
{
    host->is_grace_over = false;
    ctn_timer_set(host->grace, ctn_loop_now_ms(host->loop) + limit_ms);
    (void) ctn_host_run(host, is_over, host);
    ctn_timer_clear(host->grace);
}

void ctn_host_close(ctn_host *host)
{
    if (!host)
        return;
    ctn_spawner_when_gone(host->cli->spawner, NULL, NULL);
    host->is_closing = true; /* the first signal has had its effect, or comes too late to have one */
    host->grace = ctn_timer_new(host->loop, on_grace_over, host);
    if (host->engine) {
        ctn_control_stop(host->control);
        ctn_engine_stop(host->engine);
        if (!ctn_engine_is_quiet(host->engine))
            run_for(host, is_quiet, STOP_GRACE_MS);
    }
    ctn_writer_thread_stop(host->writer); /* before the engine, whose batch it may have */
    host->writer = NULL;
    ctn_engine *engine = host->engine;
    host->engine = NULL;
    host->own_sink = (ctn_call_sink){0};
    ctn_control_close(host->control);
    host->control = NULL;
    ctn_engine_free(engine);
    if (host->tools) {
        ctn_mcp_driver_shutdown(host->tools, on_servers_ended, host);
        if (!host->is_ended)
            run_for(host, is_ended, END_LIMIT_MS);
    }
    ctn_mcp_driver_free(host->tools);
    ctn_native_driver_free(host->native);
    ctn_transform_driver_free(host->transforms);
    if (host->has_epoch)
        (void) ctn_store_epoch_end(host->store, host->epoch, NULL); /* without it the next owner takes us for dead */
    ctn_store_close(host->store);
    ctn_store_lock_release(host->lock);
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        ctn_signal_free(host->signals[i].signal);
    ctn_timer_free(host->grace);
    ctn_timer_free(host->timer);
    ctn_wakeup_free(host->wakeup);
    ctn_loop_free(host->loop);
    ctn_cli_keyring_free(host->keyring);
    ctn_arena_free(host->secret_scratch);
    ctn_arena_free(host->arena);
    free(host);
}
