/*
 * meters.c -- see meters.h.
 *
 * What is an attempt's work is asked of the plan, by the step's name. A foreach as a whole is no attempt: its items
 * are. What a call said (HEARD) is counted beside what was recorded of it (ENTRY): an answer that could not be taken is
 * a call that succeeded and an attempt that failed.
 */
#include "server/ops/meters.h"
#include <stdlib.h>
#include "base/memory.h"

#define FINAL_FIRST  CTN_STATUS_COMPLETED
#define FINAL_COUNT  (CTN_STATUS_COUNT - FINAL_FIRST)
#define SLOTS        512 /* a power of two, more than twice the rows */
#define HTTP_CLASSES 6   /* 1xx .. 5xx; 0: ended without an answer */

typedef struct chain_row {
    ctn_str id;
    uint64_t started, ended[FINAL_COUNT];
} chain_row;

typedef struct operation_row {
    ctn_str name;
    uint64_t by_class[HTTP_CLASSES];
    ctn_histogram took;
} operation_row;

typedef enum outcome { SUCCEEDED, FAILED, CACHED, UNDONE, UNDO_FAILED, OUTCOME_COUNT } outcome;
static const char *const OUTCOMES[OUTCOME_COUNT] = {"succeeded", "failed", "cached", "undone", "undo_failed"};

/* Names to rows: open addressing, never taken out. */
typedef struct name_map {
    uint16_t slots[SLOTS]; /* row + 1; 0: free */
    uint16_t count, max;
} name_map;

struct ctn_meters {
    ctn_arena *arena;
    name_map chains_by_id, operations_by_name;
    chain_row chains[CTN_METERS_CHAINS_MAX + 1]; /* the last: of all others */
    operation_row operations[CTN_METERS_OPERATIONS_MAX + 1];
    ctn_histogram queue_wait, execution_took;
    uint64_t attempts[CTN_WORK_KIND_COUNT][OUTCOME_COUNT], steps_skipped, retries;
    uint64_t calls[CTN_WORK_KIND_COUNT][CTN_FAILURE_COUNT];
    ctn_histogram call_took[CTN_WORK_KIND_COUNT];
    uint64_t too_often, streams_begun, cut_off;
    uint64_t bytes_in, bytes_out;
};

ctn_meters *ctn_meters_new(void)
{
    ctn_meters *m = ctn_calloc(1, sizeof *m);
    m->arena = ctn_arena_new(4096);
    m->chains_by_id.max = CTN_METERS_CHAINS_MAX;
    m->operations_by_name.max = CTN_METERS_OPERATIONS_MAX;
    m->chains[CTN_METERS_CHAINS_MAX].id = CTN_STR(CTN_METERS_OTHER);
    m->operations[CTN_METERS_OPERATIONS_MAX].name = CTN_STR(CTN_METERS_OTHER);
    return m;
}

void ctn_meters_free(ctn_meters *m)
{
    if (!m)
        return;
    ctn_arena_free(m->arena);
    free(m);
}

/* ---- rows ---- */

/* The row of the name, and a new one for one that is new; `max` (the row of all others) when there is none left. */
static size_t row_of(name_map *map, ctn_str name, ctn_str (*name_at)(const ctn_meters *m, size_t row),
                     const ctn_meters *m, bool *ret_is_new)
{
    size_t at = (size_t) ctn_str_hash(name) & (SLOTS - 1);
    *ret_is_new = false;
    for (; map->slots[at]; at = (at + 1) & (SLOTS - 1))
        if (ctn_str_equal(name_at(m, map->slots[at] - 1u), name))
            return map->slots[at] - 1u;
    if (map->count == map->max)
        return map->max;
    *ret_is_new = true;
    map->slots[at] = ++map->count;
    return map->count - 1u;
}

static ctn_str chain_at(const ctn_meters *m, size_t row)
{
    return m->chains[row].id;
}

static ctn_str operation_at(const ctn_meters *m, size_t row)
{
    return m->operations[row].name;
}

static chain_row *chain_of(ctn_meters *m, ctn_str id)
{
    bool is_new;
    chain_row *row = &m->chains[row_of(&m->chains_by_id, id, chain_at, m, &is_new)];
    if (is_new)
        row->id = ctn_arena_str(m->arena, id);
    return row;
}

static operation_row *operation_of(ctn_meters *m, ctn_str name)
{
    bool is_new;
    operation_row *row = &m->operations[row_of(&m->operations_by_name, name, operation_at, m, &is_new)];
    if (is_new)
        row->name = ctn_arena_str(m->arena, name);
    return row;
}

/* ---- the engine ---- */

static ctn_work_kind work_of_set(const ctn_plan_set *set)
{
    switch (set->kind) {
    case CTN_SET_CALLS: return set->is_several || set->call_count == 0 ? CTN_WORK_CALLS : set->calls[0].kind;
    case CTN_SET_WAIT: return CTN_WORK_WAIT;
    case CTN_SET_APPROVAL: return CTN_WORK_APPROVAL;
    case CTN_SET_AGENT: return CTN_WORK_AGENT;
    case CTN_SET_CHAIN: return CTN_WORK_CHAIN;
    }
    return CTN_WORK_CALLS;
}

static void count_attempt(ctn_meters *m, const ctn_engine_event *event, outcome how)
{
    const ctn_plan *plan = ctn_execution_plan(event->execution);
    uint32_t step = ctn_plan_step_index(plan, event->step);
    if (step == CTN_PLAN_NONE || (plan->steps[step].foreach && event->record->item < 0))
        return;
    m->attempts[work_of_set(plan->steps[step].set)][how]++;
    m->retries += event->attempt > 1;
}

/* An execution's id says when it came (id.h). */
static int64_t came_at_ms(ctn_execution_id id)
{
    int64_t at_ms = 0;
    for (size_t i = 0; i < 6; i++)
        at_ms = at_ms << 8 | id.bytes[i];
    return at_ms;
}

static void count_start(ctn_meters *m, const ctn_engine_event *event)
{
    chain_of(m, ctn_execution_plan(event->execution)->chain_id)->started++;
    if (event->record->seq > 1)
        ctn_histogram_add_us(&m->queue_wait,
                             (event->record->at_ms - came_at_ms(ctn_execution_id_of(event->execution))) * 1000);
}

static void count_entry(ctn_meters *m, const ctn_engine_event *event)
{
    switch (event->record->kind) {
    case CTN_ENTRY_STARTED: count_start(m, event); break;
    case CTN_ENTRY_STEP_SKIPPED: m->steps_skipped++; break;
    case CTN_ENTRY_ATTEMPT_SUCCEEDED: count_attempt(m, event, SUCCEEDED); break;
    case CTN_ENTRY_ATTEMPT_FAILED: count_attempt(m, event, FAILED); break;
    case CTN_ENTRY_CACHE_HIT: count_attempt(m, event, CACHED); break;
    case CTN_ENTRY_COMPENSATION_SUCCEEDED: count_attempt(m, event, UNDONE); break;
    case CTN_ENTRY_COMPENSATION_FAILED: count_attempt(m, event, UNDO_FAILED); break;
    default: break;
    }
}

static void count_status(ctn_meters *m, const ctn_engine_event *event, int64_t now_ms)
{
    if (!ctn_status_is_final(event->status))
        return;
    chain_of(m, ctn_execution_plan(event->execution)->chain_id)->ended[event->status - FINAL_FIRST]++;
    ctn_histogram_add_us(&m->execution_took, (now_ms - ctn_execution_started_at_ms(event->execution)) * 1000);
}

static void count_call(ctn_meters *m, const ctn_engine_event *event, int64_t now_ms)
{
    for (size_t kind = 0; kind < CTN_WORK_KIND_COUNT; kind++)
        if (strcmp(event->work, ctn_work_kind_name((ctn_work_kind) kind)) == 0) {
            m->calls[kind][event->failure]++;
            ctn_histogram_add_us(&m->call_took[kind], (now_ms - event->begun_at_ms) * 1000);
            return;
        }
}

void ctn_meters_event(ctn_meters *m, const ctn_engine_event *event, int64_t now_ms)
{
    switch (event->kind) {
    case CTN_EVENT_ENTRY: count_entry(m, event); break;
    case CTN_EVENT_STATUS: count_status(m, event, now_ms); break;
    case CTN_EVENT_HEARD: count_call(m, event, now_ms); break;
    case CTN_EVENT_CALL:
    case CTN_EVENT_PROGRESS: break;
    }
}

/* ---- the listener ---- */

void ctn_meters_request(ctn_meters *m, const ctn_web_told *told)
{
    operation_row *row = operation_of(m, told->operation ? ctn_str_from(told->operation) : CTN_STR("none"));
    size_t class = told->status >= 100 && told->status < 600 ? (size_t) told->status / 100 : 0;
    row->by_class[class]++;
    if (!told->is_stream) /* how long a stream stays open is its reader's to say */
        ctn_histogram_add_us(&row->took, told->took_ms * 1000);
    m->too_often += told->status == 429;
    m->streams_begun += told->is_stream;
    m->cut_off += told->was_cut;
    m->bytes_in += told->bytes_in;
    m->bytes_out += told->bytes_out;
}

/* ---- writing ---- */

static void write_chains(const ctn_meters *m, ctn_expo *e)
{
    size_t count = m->chains_by_id.count;
    size_t end = count == CTN_METERS_CHAINS_MAX ? count + 1 : count;
    ctn_expo_family(e, CTN_EXPO_COUNTER, "catena_executions_started", "Executions that began, by chain.");
    for (size_t i = 0; i < end; i++)
        ctn_expo_count(e, &(ctn_label){"chain", m->chains[i].id}, 1, m->chains[i].started);
    ctn_expo_family(e, CTN_EXPO_COUNTER, "catena_executions_ended", "Executions that ended, by chain and how.");
    for (size_t i = 0; i < end; i++)
        for (size_t k = 0; k < FINAL_COUNT; k++) {
            const char *status = ctn_status_name((ctn_status) (FINAL_FIRST + k));
            const ctn_label labels[] = {{"chain", m->chains[i].id}, {"status", ctn_str_from(status)}};
            ctn_expo_count(e, labels, 2, m->chains[i].ended[k]);
        }
    ctn_expo_family(e, CTN_EXPO_HISTOGRAM, "catena_execution_duration_seconds", "From the beginning to the end.");
    ctn_expo_histogram(e, NULL, 0, &m->execution_took);
    ctn_expo_family(e, CTN_EXPO_HISTOGRAM, "catena_queue_wait_seconds",
                    "How long executions were queued before they began.");
    ctn_expo_histogram(e, NULL, 0, &m->queue_wait);
}

static void write_attempts(const ctn_meters *m, ctn_expo *e)
{
    ctn_expo_family(e, CTN_EXPO_COUNTER, "catena_attempts",
                    "Attempts at steps as they were recorded, by work and outcome.");
    for (size_t kind = 0; kind < CTN_WORK_KIND_COUNT; kind++)
        for (size_t how = 0; how < OUTCOME_COUNT; how++) {
            const ctn_label labels[] = {{"work", ctn_str_from(ctn_work_kind_name((ctn_work_kind) kind))},
                                        {"outcome", ctn_str_from(OUTCOMES[how])}};
            if (m->attempts[kind][how] || how <= FAILED)
                ctn_expo_count(e, labels, 2, m->attempts[kind][how]);
        }
    ctn_expo_family(e, CTN_EXPO_COUNTER, "catena_retries", "Attempts that were not the first of their step.");
    ctn_expo_count(e, NULL, 0, m->retries);
    ctn_expo_family(e, CTN_EXPO_COUNTER, "catena_steps_skipped", "Steps whose condition said no.");
    ctn_expo_count(e, NULL, 0, m->steps_skipped);
}

static void write_calls(const ctn_meters *m, ctn_expo *e)
{
    ctn_expo_family(e, CTN_EXPO_COUNTER, "catena_calls",
                    "Calls and checks as their drivers told them, by kind and outcome.");
    for (size_t kind = 0; kind < CTN_WORK_KIND_COUNT; kind++)
        for (size_t failure = 0; failure < CTN_FAILURE_COUNT; failure++) {
            const char *name = failure ? ctn_failure_name((ctn_failure) failure) : "succeeded";
            const ctn_label labels[] = {{"kind", ctn_str_from(ctn_work_kind_name((ctn_work_kind) kind))},
                                        {"outcome", ctn_str_from(name)}};
            if (m->calls[kind][failure])
                ctn_expo_count(e, labels, 2, m->calls[kind][failure]);
        }
    ctn_expo_family(e, CTN_EXPO_HISTOGRAM, "catena_call_duration_seconds", "How long calls took, by kind.");
    for (size_t kind = 0; kind < CTN_WORK_KIND_COUNT; kind++)
        if (ctn_histogram_count(&m->call_took[kind]))
            ctn_expo_histogram(e, &(ctn_label){"kind", ctn_str_from(ctn_work_kind_name((ctn_work_kind) kind))}, 1,
                               &m->call_took[kind]);
}

static void write_requests(const ctn_meters *m, ctn_expo *e)
{
    static const char *const CLASSES[HTTP_CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    size_t count = m->operations_by_name.count;
    size_t end = count == CTN_METERS_OPERATIONS_MAX ? count + 1 : count;
    ctn_expo_family(e, CTN_EXPO_COUNTER, "catena_http_requests",
                    "Requests that are over, by operation and class of status; none: they ended without an answer.");
    for (size_t i = 0; i < end; i++)
        for (size_t k = 0; k < HTTP_CLASSES; k++) {
            const ctn_label labels[] = {{"operation", m->operations[i].name}, {"status", ctn_str_from(CLASSES[k])}};
            if (m->operations[i].by_class[k])
                ctn_expo_count(e, labels, 2, m->operations[i].by_class[k]);
        }
    ctn_expo_family(e, CTN_EXPO_HISTOGRAM, "catena_http_request_duration_seconds",
                    "From the first line of a request to the last byte of its answer, streams excepted.");
    for (size_t i = 0; i < end; i++)
        if (ctn_histogram_count(&m->operations[i].took))
            ctn_expo_histogram(e, &(ctn_label){"operation", m->operations[i].name}, 1, &m->operations[i].took);
    const struct {
        const char *name, *help;
        uint64_t value;
    } COUNTS[] = {
        {"catena_http_too_many_requests", "Requests that were answered 429.", m->too_often},
        {"catena_http_streams", "Answers that were streams of events, and are over.", m->streams_begun},
        {"catena_http_cut_off", "Requests whose client left, or was cut off, before all was sent.", m->cut_off},
        {"catena_http_received_bytes", "Bytes of bodies that came.", m->bytes_in},
        {"catena_http_sent_bytes", "Bytes of bodies that were sent.", m->bytes_out},
    };
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++) {
        ctn_expo_family(e, CTN_EXPO_COUNTER, COUNTS[i].name, COUNTS[i].help);
        ctn_expo_count(e, NULL, 0, COUNTS[i].value);
    }
}

void ctn_meters_write(const ctn_meters *m, ctn_expo *e)
{
    write_chains(m, e);
    write_attempts(m, e);
    write_calls(m, e);
    write_requests(m, e);
}
