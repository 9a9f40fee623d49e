/*
 * event_log.c -- see event_log.h.
 */
#include "server/ops/event_log.h"

/* Of whom a line is. Texts are in the caller's hands until it was written. */
typedef struct about {
    ctn_id_text id;
    ctn_trace_text trace, span;
} about;

static void find(about *a, const ctn_tracing *tracing, const ctn_engine_event *event, bool is_attempt)
{
    bool is_entry = event->kind == CTN_EVENT_ENTRY;
    ctn_execution_id id = ctn_execution_id_of(event->execution);
    ctn_trace_context c = ctn_trace_of_execution(tracing, id, ctn_execution_origin(event->execution)->traceparent);
    ctn_traced_attempt attempt = {.id = id,
                                  .step = event->step,
                                  .item = is_entry ? event->record->item : event->item,
                                  .attempt = event->attempt,
                                  .is_undo = is_entry ? ctn_entry_kind_about(event->record->kind) == CTN_ABOUT_UNDO
                                                      : event->is_undo};
    a->id = ctn_id_to_text(id);
    a->trace = ctn_trace_id_to_text(c.trace);
    a->span = ctn_span_id_to_text(is_attempt ? ctn_span_of_attempt(&attempt) : c.span);
}

static void tell_status(const ctn_log *log, const ctn_tracing *tracing, const ctn_engine_event *event)
{
    about a;
    find(&a, tracing, event, false);
    const ctn_log_field fields[] = {
        CTN_LOG_TEXT("executionId", ctn_str_from(a.id.text)),
        CTN_LOG_TEXT("chain", ctn_execution_plan(event->execution)->chain_id),
        CTN_LOG_TEXT("status", ctn_str_from(ctn_status_name(event->status))),
        CTN_LOG_TEXT("tenant", ctn_execution_origin(event->execution)->tenant),
        CTN_LOG_TEXT("traceId", ctn_str_from(a.trace.text)),
        CTN_LOG_TEXT("spanId", ctn_str_from(a.span.text)),
    };
    ctn_log_fields(log, CTN_LOG_INFO, "execution", fields, sizeof fields / sizeof *fields);
}

static void tell_step(const ctn_log *log, const ctn_tracing *tracing, const ctn_engine_event *event,
                      ctn_log_level level, const char *what, ctn_str code)
{
    about a;
    bool is_entry = event->kind == CTN_EVENT_ENTRY;
    find(&a, tracing, event, event->step.len > 0);
    const ctn_log_field fields[] = {
        CTN_LOG_TEXT("executionId", ctn_str_from(a.id.text)),
        CTN_LOG_TEXT("chain", ctn_execution_plan(event->execution)->chain_id),
        CTN_LOG_TEXT("step", event->step),
        CTN_LOG_NUMBER("item", event->step.len ? (is_entry ? event->record->item : event->item) : -1),
        CTN_LOG_NUMBER("attempt", event->attempt ? (int64_t) event->attempt : -1),
        CTN_LOG_TEXT("code", code),
        CTN_LOG_NUMBER("seq", is_entry ? (int64_t) event->record->seq : -1),
        CTN_LOG_TEXT("traceId", ctn_str_from(a.trace.text)),
        CTN_LOG_TEXT("spanId", ctn_str_from(a.span.text)),
    };
    ctn_log_fields(log, level, what, fields, sizeof fields / sizeof *fields);
}

static void tell_failure(const ctn_log *log, const ctn_tracing *tracing, const ctn_engine_event *event)
{
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_entry entry;
    if (ctn_record_to_entry(event->record, arena, &entry, NULL) == CTN_OK)
        tell_step(log, tracing, event, CTN_LOG_INFO, ctn_entry_kind_name(event->record->kind),
                  ctn_json_str_or(entry.body, "code", (ctn_str){0}));
    ctn_arena_free(arena);
}

void ctn_event_log(const ctn_log *log, const ctn_tracing *tracing, const ctn_engine_event *event)
{
    if (!ctn_log_is_on(log, CTN_LOG_INFO))
        return;
    bool is_failure = event->kind == CTN_EVENT_ENTRY && (event->record->kind == CTN_ENTRY_ATTEMPT_FAILED ||
                                                         event->record->kind == CTN_ENTRY_COMPENSATION_FAILED);
    if (event->kind == CTN_EVENT_STATUS)
        tell_status(log, tracing, event);
    else if (is_failure)
        tell_failure(log, tracing, event);
    else if (!ctn_log_is_on(log, CTN_LOG_DEBUG))
        return;
    else if (event->kind == CTN_EVENT_ENTRY)
        tell_step(log, tracing, event, CTN_LOG_DEBUG, ctn_entry_kind_name(event->record->kind), (ctn_str){0});
    else if (event->kind == CTN_EVENT_CALL)
        tell_step(log, tracing, event, CTN_LOG_DEBUG, "call", (ctn_str){0});
}

void ctn_request_log(const ctn_log *log, const ctn_web_told *told)
{
    const ctn_log_field fields[] = {
        CTN_LOG_TEXT("method", told->method),
        CTN_LOG_TEXT("path", told->path),
        CTN_LOG_TEXT("operation", ctn_str_from(told->operation)),
        CTN_LOG_NUMBER("status", told->status),
        CTN_LOG_NUMBER("ms", told->took_ms),
        CTN_LOG_TEXT("caller", told->caller),
        CTN_LOG_TEXT("from", told->from),
        CTN_LOG_NUMBER("bytesIn", (int64_t) told->bytes_in),
        CTN_LOG_NUMBER("bytesOut", (int64_t) told->bytes_out),
        CTN_LOG_TEXT("end", told->was_cut ? CTN_STR("cut") : (ctn_str){0}),
    };
    ctn_log_fields(log, CTN_LOG_INFO, "request", fields, sizeof fields / sizeof *fields);
}
