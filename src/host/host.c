/*
 * host.c -- see host.h.
 *
 * The turn is: take in the batch that the writer finished, turn the engine, ask whether we are done.
 */
#include "host/host.h"
#include "base/memory.h"
#include "engine/writer.h"
#include "host/access.h"
#include "host/audit.h"
#include "host/control.h"
#include "host/files.h"
#include "host/keyring.h"
#include "host/schedules.h"
#include "host/tool_guard.h"
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STOP_GRACE_MS 5000
#define END_LIMIT_MS  4000 /* servers: stdin closed, SIGTERM, SIGKILL */
#define AT_END_MAX    8

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNAL_COUNT (sizeof SIGNALS / sizeof *SIGNALS)

typedef struct raised {
    ctn_host *host;
    int number;
    ctn_signal *signal;
} raised;

typedef struct listening {
    void (*on_event)(void *ctx, const ctn_engine_event *event);
    void *ctx;
    struct listening *next;
} listening;

typedef struct component_log {
    ctn_log log;
    struct component_log *next;
} component_log;

struct ctn_host {
    ctn_host_options options;
    const ctn_workspace *ws;
    ctn_arena *arena;
    ctn_loop *loop;
    ctn_wakeup *wakeup;
    ctn_timer *timer, *grace;
    raised signals[SIGNAL_COUNT];
    int signal_came;
    ctn_log log_text, log_drivers, log_engine, log_fleet; /* the same, each with its component */
    const ctn_log *log;                                   /* NULL: silent */
    component_log *logs;

    ctn_drivers *drivers; /* NULL: not made yet */
    ctn_store_lock *lock;
    ctn_store *store;
    uint64_t epoch;
    bool has_epoch, was_crash;
    ctn_member *member; /* NULL: the store is for one process */
    ctn_desk *desk;
    int64_t changes_seen; /* of what every node keeps in memory */
    bool is_for_one;
    uint32_t one_shard;
    ctn_engine *engine;
    ctn_shelf *shelf;
    ctn_tool_guard *guard;
    ctn_access *access;
    ctn_rng_pool chance_of_ids;
    ctn_writer_thread *writer;
    ctn_writer writes; /* its interface */
    int64_t submitted_at_us[CTN_STRANDS_MAX];
    ctn_histogram commits_took;
    ctn_control *control;

    listening *listeners;
    struct {
        void (*fn)(void *ctx);
        void *ctx;
    } at_end[AT_END_MAX];
    size_t at_end_count;
    bool (*is_done)(void *ctx), (*is_over)(void *ctx);
    void *is_done_ctx, *is_over_ctx;
    bool is_running, is_wanted, is_grace_over, is_ended, is_closing;
    ctn_config_keyring *keyring; /* NULL: no sealing */
    ctn_credentials *credentials;
};

/* ---- signals ---- */

static void on_signal(void *ctx)
{
    raised *r = ctx;
    ctn_host *host = r->host;
    if (host->signal_came)
        host->options.second_signal(host->options.second_signal_ctx);
    host->signal_came = r->number;
}

/* Without the spawner no tool server can be started: rather than let each chain fail for want of one, stop, and be
 * started again. */
static void on_spawner_gone(void *ctx)
{
    ctn_host *host = ctx;
    if (host->signal_came || host->is_closing)
        return;
    ctn_tell(host->options.teller, CTN_TELL_NEWS,
             "the process that starts tool servers was killed, and the servers with it");
    host->signal_came = SIGCHLD;
}

int ctn_host_signal(const ctn_host *host)
{
    return host->signal_came;
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

static int64_t monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void turn_member(ctn_host *host)
{
    ctn_member_turn(host->member);
    int64_t changes = ctn_member_changes(host->member);
    if (changes == host->changes_seen)
        return;
    host->changes_seen = changes;
    ctn_engine_look_again(host->engine);
}

static void turn_engine(ctn_host *host)
{
    int64_t due_ms;
    do {
        host->is_wanted = false;
        for (ctn_batch *batch; (batch = ctn_writer_thread_take(host->writer));) {
            ctn_histogram_add_us(&host->commits_took, monotonic_us() - host->submitted_at_us[batch->strand]);
            ctn_engine_batch_done(host->engine, batch);
        }
        if (host->member)
            turn_member(host);
        host->is_wanted = false; /* what that asked for comes now */
        due_ms = ctn_engine_turn(host->engine);
        ctn_desk_turn(host->desk);
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

/* The writer's, but that it is looked at how long a commit takes. */
static void submit(void *ctx, ctn_batch *batch)
{
    ctn_host *host = ctx;
    host->submitted_at_us[batch->strand] = monotonic_us();
    host->writes.submit(host->writes.ctx, batch);
}

static void on_engine_event(void *ctx, const ctn_engine_event *event)
{
    ctn_host *host = ctx;
    for (const listening *l = host->listeners; l; l = l->next)
        if (l->on_event)
            l->on_event(l->ctx, event);
    ctn_control_tell(host->control, event);
}

void ctn_host_listen(ctn_host *host, void (*on_event)(void *ctx, const ctn_engine_event *event), void *ctx)
{
    listening *l = CTN_NEW(host->arena, listening);
    *l = (listening){on_event, ctx, host->listeners};
    host->listeners = l;
}

void ctn_host_unlisten(ctn_host *host, void *ctx)
{
    for (listening *l = host->listeners; l; l = l->next) /* it may be one of them that says so: none is unlinked */
        if (l->ctx == ctx)
            l->on_event = NULL;
}

void ctn_host_on_guest(ctn_host *host, void (*fn)(void *ctx, int fd), void *ctx)
{
    if (host->control)
        ctn_control_on_guest(host->control, fn, ctx);
}

void ctn_host_at_end(ctn_host *host, void (*fn)(void *ctx), void *ctx)
{
    assert(host->at_end_count < AT_END_MAX);
    host->at_end[host->at_end_count].fn = fn;
    host->at_end[host->at_end_count++].ctx = ctx;
}

/* ---- growing ---- */

static void share_log(ctn_host *host)
{
    host->log_drivers = host->log_engine = host->log_fleet = host->log_text;
    host->log_drivers.component = "drivers";
    host->log_engine.component = "engine";
    host->log_fleet.component = "fleet";
}

ctn_host *ctn_host_new(const ctn_host_options *options)
{
    ctn_host *host = ctn_malloc(sizeof *host);
    *host = (ctn_host){.options = *options, .ws = options->ws, .arena = ctn_arena_new(4096), .loop = ctn_loop_new()};
    if (options->log) {
        host->log_text = *options->log;
        if (!options->log_is_said)
            host->log_text.level_min = CTN_LOG_ERROR; /* what a server does wrong is in the sentence at the end */
        host->log = &host->log_text;
        share_log(host);
    }
    host->wakeup = ctn_wakeup_new(host->loop, on_woken, host);
    host->timer = ctn_timer_new(host->loop, on_woken, host);
    ctn_loop_set_turn(host->loop, turn, host);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        host->signals[i] = (raised){.host = host, .number = SIGNALS[i]};
        host->signals[i].signal = ctn_signal_new(host->loop, SIGNALS[i], on_signal, &host->signals[i]);
    }
    ctn_spawner_attach(options->spawner, host->loop);
    ctn_spawner_when_gone(options->spawner, on_spawner_gone, host);
    return host;
}

/* The store is ours until the tool servers that we start are gone, too: a dead owner's may still write. */
static int take_lock(ctn_host *host, ctn_err *err)
{
    int rc = ctn_store_lock_take(host->ws->store_url, &host->lock, err);
    return rc ? rc : ctn_spawner_hold(host->options.spawner, ctn_store_lock_fd(host->lock), err);
}

int ctn_host_lock(ctn_host *host, ctn_err *err)
{
    if (host->ws->is_fleet || host->lock ||
        (host->ws->store_file.len && !ctn_file_is_there(host->arena, host->ws->store_file)))
        return CTN_OK;
    return take_lock(host, err);
}

static bool is_any_asked_leave(const ctn_config *config)
{
    bool is_any = false;
    for (size_t i = 0; i < config->server_count; i++)
        is_any = is_any || config->servers[i].driver.auth;
    return is_any;
}

int ctn_host_drivers(ctn_host *host, ctn_drivers **ret_drivers, ctn_err *err)
{
    if (!host->credentials && is_any_asked_leave(host->ws->config))
        host->credentials = ctn_credentials_new(host->ws->store_file, host->ws->config, host->options.teller);
    int rc = host->drivers
                 ? CTN_OK
                 : ctn_drivers_new(host->ws->config, host->loop, host->options.spawner,
                                   host->log ? &host->log_drivers : NULL, host->credentials, &host->drivers, err);
    if (rc == CTN_OK)
        *ret_drivers = host->drivers;
    return rc;
}

/* ---- one node among many ---- */

static void wake_from_member(void *ctx) /* its thread */
{
    ctn_host *host = ctx;
    ctn_wakeup_send(host->wakeup);
}

void ctn_host_join_for_one(ctn_host *host, uint32_t shard)
{
    host->is_for_one = true;
    host->one_shard = shard;
}

static ctn_str node_name(ctn_host *host)
{
    char machine[256] = "";
    ctn_str given = host->options.node_name.len ? host->options.node_name : host->ws->config->node_name;
    (void) gethostname(machine, sizeof machine - 1);
    ctn_str name = given.len ? given : ctn_str_from(machine[0] ? machine : "node"), suffix = host->options.node_suffix;
    return ctn_arena_printf(host->arena, "%.*s%s%.*s", CTN_STR_ARG(name), suffix.len ? "-" : "", CTN_STR_ARG(suffix));
}

static const ctn_json *labels_of(const ctn_host *host)
{
    ctn_json_builder none = ctn_json_object(host->arena);
    return host->ws->config->node_labels ? host->ws->config->node_labels : ctn_json_finish(&none);
}

/* Its shards come later (ctn_host_join); until then nothing of the store is this engine's. */
static int make_member(ctn_host *host, ctn_err *err)
{
    ctn_member_options options = {.store_url = host->ws->store_url,
                                  .name = node_name(host),
                                  .labels = ctn_json_to_str(host->arena, labels_of(host)),
                                  .takes_one = host->is_for_one,
                                  .one_shard = host->one_shard,
                                  .log = host->log ? &host->log_fleet : NULL,
                                  .wake = wake_from_member,
                                  .wake_ctx = host};
    ctn_store_shards_held(host->store, &(ctn_shard_set){{0}});
    return ctn_member_new(&options, &host->member, err);
}

int ctn_host_join(ctn_host *host, ctn_str address, ctn_err *err)
{
    return host->member ? ctn_member_join(host->member, address, host->engine, host->store, host->writer, err) : CTN_OK;
}

/* ---- owning ---- */

static void start_elsewhere(void *ctx, const ctn_start *start, ctn_ack_fn *ack, void *ack_ctx)
{
    ctn_desk_start_elsewhere(((ctn_host *) ctx)->desk, start, ack, ack_ctx);
}

static void input_elsewhere(void *ctx, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ack_ctx)
{
    ctn_desk_input_elsewhere(((ctn_host *) ctx)->desk, id, input, ack, ack_ctx);
}

static int find_chain(void *ctx, ctn_str chain_id, ctn_plan **ret_plan, ctn_err *err)
{
    const ctn_host *host = ctx;
    ctn_arena *arena = ctn_arena_new(16384);
    int rc = ctn_workspace_find_plan(host->ws, arena, chain_id, ret_plan, err);
    ctn_arena_free(arena);
    return rc;
}

/* That it serves, and by which configuration: where two such entries differ, somebody has changed it. */
static int audit_service(ctn_host *host, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_json_builder detail = ctn_json_object(arena);
    ctn_str text, file = host->ws->config->file;
    ctn_digest_text digest = {{0}};
    if (file.len && ctn_file_read(arena, file, &text, NULL) == CTN_OK)
        digest = ctn_digest_to_text(ctn_hash(text));
    if (digest.text[0])
        ctn_json_put_str(&detail, "configuration", ctn_str_from(digest.text));
    int rc = ctn_audit(host->store, "service.start", file, ctn_json_finish(&detail), err);
    ctn_arena_free(arena);
    return rc;
}

int ctn_host_own(ctn_host *host, ctn_store_mode mode, bool serves, ctn_err *err)
{
    if (serves && !host->options.log_is_said) {
        host->log_text.level_min = CTN_LOG_WARN;
        share_log(host);
    }
    ctn_drivers *drivers;
    int rc = ctn_host_drivers(host, &drivers, err);
    if (rc == CTN_OK && !host->lock && !host->ws->is_fleet)
        rc = take_lock(host, err);
    if (rc == CTN_OK)
        rc = ctn_store_open(host->ws->store_url, mode, &host->store, err);
    if (rc == CTN_OK)
        rc = ctn_audit_opened(host->store, err);
    if (rc == CTN_OK && serves)
        rc = audit_service(host, err);
    if (rc == CTN_OK)
        rc = host->ws->is_fleet ? make_member(host, err)
                                : ctn_store_epoch_begin(host->store, &host->epoch, &host->was_crash, err);
    if (rc)
        return rc;
    host->has_epoch = !host->ws->is_fleet;
    rc = ctn_writer_thread_start(host->ws->store_url, host->ws->is_fleet ? 2 : 1, on_batch_committed, host,
                                 &host->writer, err);
    if (rc)
        return rc;
    if (serves)
        ctn_writer_thread_keep(host->writer, ctn_keeper_new(&host->ws->config->retention, ctn_clock_system(),
                                                            host->log ? &host->log_engine : NULL));
    host->writes = ctn_writer_thread_as_writer(host->writer);
    host->keyring = ctn_config_keyring_new(host->ws->config, host->options.teller);
    ctn_rng rng = ctn_rng_system();
    ctn_schedule *schedules = NULL;
    size_t schedule_count = 0, driver_count = 0;
    const ctn_driver *const *all_drivers = ctn_drivers_all(drivers, &driver_count);
    if (serves)
        schedule_count = ctn_schedules_of(host->ws->config, host->arena, host->options.teller, &schedules);
    ctn_tool_guard_options guard = {.config = host->ws->config,
                                    .store = host->store,
                                    .servers = ctn_drivers_tools(drivers),
                                    .log = host->log ? &host->log_engine : NULL,
                                    .teller = host->options.teller,
                                    .resumes = serves};
    ctn_access_options access = {.store = host->store,
                                 .loop = host->loop,
                                 .config = host->ws->config,
                                 .clock = ctn_clock_system(),
                                 .log = host->log};
    rc = ctn_access_new(&access, &host->access, err);
    if (rc == CTN_OK)
        rc = ctn_tool_guard_new(&guard, &host->guard, err);
    if (rc)
        return rc;
    ctn_engine_options options = {
        .store = host->store,
        .epoch = host->epoch,
        .was_crash = host->was_crash,
        .labels = labels_of(host),
        .leases = host->member ? ctn_member_leases(host->member) : NULL,
        .clock = ctn_clock_system(),
        .seed = ctn_rng_next(&rng),
        .id_rng = ctn_rng_pooled(&host->chance_of_ids),
        .log = host->log ? &host->log_engine : NULL,
        .writer = {.ctx = host, .submit = submit, .strands = host->writes.strands},
        .drivers = all_drivers,
        .driver_count = driver_count,
        .seal = ctn_config_keyring_seal(host->keyring),
        .tracing = {.is_on = host->ws->config->telemetry.otlp_url.len > 0, .share = host->ws->config->telemetry.share},
        .rules = ctn_config_rules(host->ws->config),
        .plan_bound = ctn_tool_guard_plan_bound,
        .plan_bound_ctx = host->guard,
        .chain_find = find_chain,
        .chain_find_ctx = host,
        .start_elsewhere = start_elsewhere,
        .input_elsewhere = input_elsewhere,
        .elsewhere_ctx = host,
        .schedules = schedules,
        .schedule_count = schedule_count,
        .may_use = ctn_access_may_use,
        .may_run_as = ctn_access_may_run_as,
        .may_use_ctx = host->access,
        .active_max = host->ws->config->running,
        .tenants = host->ws->config->tenants,
        .tenant_count = host->ws->config->tenant_count,
        .fill_secrets = ctn_drivers_fill_secrets,
        .fill_secrets_ctx = drivers,
        .own_only = !serves,
        .on_event = on_engine_event,
        .on_event_ctx = host,
        .wake = on_wanted,
        .wake_ctx = host,
    };
    rc = ctn_engine_new(&options, &host->engine, err);
    if (rc)
        return rc;
    ctn_desk_options desk = {.engine = host->engine,
                             .store = host->store,
                             .member = host->member,
                             .seal = options.seal,
                             .clock = options.clock,
                             .log = host->log ? &host->log_fleet : NULL};
    host->desk = ctn_desk_new(&desk);
    host->shelf = ctn_shelf_new(host->ws, host->engine, host->store);
    ctn_tool_guard_begin(host->guard, host->engine);
    ctn_drivers_report_to(drivers, *ctn_engine_sink(host->engine));
    ctn_control_options control = {.loop = host->loop,
                                   .engine = host->engine,
                                   .store = host->store,
                                   .desk = host->desk,
                                   .ws = host->ws,
                                   .guard = host->guard};
    const char *socket = ctn_workspace_socket(host->ws);
    return socket ? ctn_control_open(&control, socket, &host->control, err) : CTN_OK;
}

const ctn_log *ctn_host_log(ctn_host *host, const char *component)
{
    if (!host->log)
        return NULL;
    for (const component_log *known = host->logs; known; known = known->next)
        if (strcmp(known->log.component, component) == 0)
            return &known->log;
    component_log *added = CTN_NEW(host->arena, component_log);
    *added = (component_log){.log = *host->log, .next = host->logs};
    added->log.component = component;
    host->logs = added;
    return &added->log;
}

const ctn_histogram *ctn_host_commits_took(const ctn_host *host)
{
    return &host->commits_took;
}

ctn_loop *ctn_host_loop(const ctn_host *host)
{
    return host->loop;
}

ctn_engine *ctn_host_engine(const ctn_host *host)
{
    return host->engine;
}

ctn_store *ctn_host_store(const ctn_host *host)
{
    return host->store;
}

ctn_desk *ctn_host_desk(const ctn_host *host)
{
    return host->desk;
}

ctn_member *ctn_host_member(const ctn_host *host)
{
    return host->member;
}

ctn_access *ctn_host_access(const ctn_host *host)
{
    return host->access;
}

ctn_shelf *ctn_host_shelf(const ctn_host *host)
{
    return host->shelf;
}

ctn_seal *ctn_host_seal(const ctn_host *host)
{
    return ctn_config_keyring_seal(host->keyring);
}

const ctn_workspace *ctn_host_workspace(const ctn_host *host)
{
    return host->ws;
}

ctn_teller ctn_host_teller(const ctn_host *host)
{
    return host->options.teller;
}

/* ---- the end ---- */

static void on_grace_over(void *ctx)
{
    ((ctn_host *) ctx)->is_grace_over = true;
}

static bool is_quiet(void *ctx)
{
    ctn_host *host = ctx;
    bool is_over = !host->is_over || host->is_over(host->is_over_ctx);
    return host->is_grace_over || (ctn_engine_is_quiet(host->engine) && ctn_desk_is_quiet(host->desk) && is_over);
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

void ctn_host_stop(ctn_host *host, bool (*is_over)(void *ctx), void *ctx)
{
    if (host->is_closing)
        return;
    ctn_spawner_when_gone(host->options.spawner, NULL, NULL);
    host->is_closing = true; /* the first signal has had its effect, or comes too late to have one */
    host->grace = ctn_timer_new(host->loop, on_grace_over, host);
    host->is_over = is_over;
    host->is_over_ctx = ctx;
    if (host->engine) {
        ctn_control_stop(host->control);
        if (host->member)
            ctn_member_leave(host->member); /* what is quiet is another's while the rest ends */
        ctn_engine_stop(host->engine);
        if (!is_quiet(host))
            run_for(host, is_quiet, STOP_GRACE_MS);
    }
}

void ctn_host_close(ctn_host *host)
{
    if (!host)
        return;
    ctn_host_stop(host, NULL, NULL);
    ctn_writer_thread_stop(host->writer); /* before the engine, whose batch it may have */
    ctn_desk_stop(host->desk);
    ctn_member_close(host->member); /* good-bye: whatever we held is another's at once */
    host->writer = NULL;
    host->member = NULL;
    ctn_engine *engine = host->engine;
    host->engine = NULL;
    ctn_control_close(host->control);
    host->control = NULL;
    if (host->drivers)
        ctn_drivers_report_to(host->drivers, (ctn_call_sink){0});
    ctn_shelf_free(host->shelf);
    host->shelf = NULL;
    ctn_desk_free(host->desk);
    host->desk = NULL;
    ctn_engine_free(engine);
    for (size_t i = 0; i < host->at_end_count; i++)
        host->at_end[i].fn(host->at_end[i].ctx);
    ctn_tool_guard_free(host->guard);
    ctn_access_free(host->access);
    host->guard = NULL;
    if (host->drivers) {
        ctn_mcp_driver_shutdown(ctn_drivers_tools(host->drivers), on_servers_ended, host);
        if (!host->is_ended)
            run_for(host, is_ended, END_LIMIT_MS);
    }
    ctn_drivers_free(host->drivers);
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
    ctn_config_keyring_free(host->keyring);
    ctn_credentials_free(host->credentials);
    ctn_arena_free(host->arena);
    free(host);
}
