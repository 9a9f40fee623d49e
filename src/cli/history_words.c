/*
 * history_words.c -- see history_words.h. One function for each family of kinds; a member that no sentence tells is not
 * lost: `history --json` has the body as it is.
 */
#include "cli/history_words.h"
#include "core/sealed.h"
#include <stdarg.h>

#define VALUE_COLUMNS 60

typedef struct words {
    ctn_arena *arena;
    const ctn_record *record;
    const ctn_json *body;
    ctn_buf out;
} words;

static void say(words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(words *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_str text = ctn_arena_vprintf(w->arena, format, args);
    va_end(args);
    ctn_buf_append(&w->out, text);
}

static const ctn_json *get(const words *w, const char *key)
{
    return ctn_json_member_of(w->body, key);
}

static ctn_str text_of(const words *w, const char *key)
{
    return ctn_json_str_or(w->body, key, (ctn_str){0});
}

static void say_value(words *w, const ctn_json *v)
{
    ctn_str text = ctn_json_is(v, CTN_JSON_STRING) ? ctn_json_text(v) : ctn_json_to_str(w->arena, v);
    text = ctn_text_clean(w->arena, text.len > 4096 ? (ctn_str){text.ptr, 4096} : text, VALUE_COLUMNS);
    say(w, "%.*s", CTN_STR_ARG(text));
}

/* "a=1 b=..." */
static void say_members(words *w, const ctn_json *object)
{
    for (size_t i = 0; i < ctn_json_count(object); i++) {
        say(w, "%s%.*s=", i ? " " : "", CTN_STR_ARG(ctn_json_text(&object->members[i].key)));
        say_value(w, &object->members[i].value);
    }
}

/* "; again in 300 ms" of a point in time, counted from the entry. */
static void say_in(words *w, const char *before, const char *key)
{
    int64_t at_ms = ctn_json_int_or(w->body, key, 0);
    if (at_ms)
        say(w, "%s%s", before, ctn_duration_text(at_ms - w->record->at_ms).text);
}

static void say_failure(words *w)
{
    ctn_str code = text_of(w, "code"), message = text_of(w, "message");
    say(w, "%.*s%s%.*s", CTN_STR_ARG(code), code.len && message.len ? ": " : "", CTN_STR_ARG(message));
}

/* ---- attempts ---- */

static void say_begun(words *w)
{
    ctn_str effect = text_of(w, "effect"), from = text_of(w, "effectFrom");
    say(w, "%.*s%s%.*s%s", CTN_STR_ARG(effect), from.len ? " (by " : "", CTN_STR_ARG(from), from.len ? ")" : "");
    if (!ctn_str_is(text_of(w, "outcome"), ""))
        say(w, ", outcome %.*s", CTN_STR_ARG(text_of(w, "outcome")));
    if (get(w, "args")) {
        say(w, " ");
        say_value(w, get(w, "args"));
    }
}

static void say_succeeded(words *w)
{
    if (get(w, "items")) {
        int64_t failed = ctn_json_int_or(w->body, "failed", 0);
        say(w, "all %lld items have ended", (long long) ctn_json_int_or(w->body, "items", 0));
        if (failed)
            say(w, ", %lld of them failed", (long long) failed);
        return;
    }
    if (w->record->kind == CTN_ENTRY_CACHE_HIT)
        say(w, "from an earlier call with the same arguments%s", ctn_json_count(get(w, "variables")) ? ": " : "");
    if (text_of(w, "child").len)
        say(w, "by execution %.*s%s", CTN_STR_ARG(text_of(w, "child")),
            ctn_json_count(get(w, "variables")) ? ": " : "");
    if (get(w, "variables"))
        say_members(w, get(w, "variables"));
    else if (get(w, "result"))
        say_value(w, get(w, "result"));
}

static void say_failed(words *w)
{
    say_failure(w);
    if (ctn_json_bool_or(w->body, "unknown", false))
        say(w, "; what became of it is not known");
    else if (get(w, "dueMs"))
        say_in(w, "; again in ", "dueMs");
    else if (get(w, "fallback"))
        say(w, "; fallback %lld is next", (long long) ctn_json_int_or(w->body, "fallback", 0));
    else if (ctn_json_bool_or(w->body, "final", false))
        say(w, "; for good");
}

static void say_fallback(words *w)
{
    ctn_str set = text_of(w, "instructionSet");
    say(w, "%lld: %s%.*s", (long long) ctn_json_int_or(w->body, "fallback", 1),
        set.len ? "" : "its value is the result", CTN_STR_ARG(set));
}

/* ---- waiting and being told ---- */

static void say_waiting(words *w)
{
    ctn_str what = text_of(w, "for"), message = text_of(w, "message");
    if (ctn_str_is(what, "budget")) {
        say(w, "for a decision about the budget: %.*s", CTN_STR_ARG(text_of(w, "what")));
        if (get(w, "limit")) {
            say(w, ", limit ");
            say_value(w, get(w, "limit"));
        }
        return;
    }
    say(w, "for %s%.*s",
        ctn_str_is(what, "approval") || ctn_str_is(what, "answer") || ctn_str_is(what, "agent") ? "an " : "",
        CTN_STR_ARG(what));
    if (get(w, "who")) {
        say(w, " by ");
        say_value(w, get(w, "who"));
    }
    if (message.len)
        say(w, ": %.*s", CTN_STR_ARG(message));
    say_in(w, ctn_json_bool_or(w->body, "expires", false) ? "; it fails in " : "; it ends in ", "untilMs");
}

static void say_checked(words *w)
{
    const ctn_json *happened = get(w, "happened");
    say(w, "%s",
        ctn_json_is(happened, CTN_JSON_TRUE)    ? "it did happen"
        : ctn_json_is(happened, CTN_JSON_FALSE) ? "it did not happen"
                                                : "the check cannot tell");
    if (ctn_json_bool_or(w->body, "over", false))
        say(w, "; it is not asked again");
    say_in(w, "; asked again in ", "againMs");
}

static void say_decision(words *w)
{
    ctn_str what = text_of(w, "what");
    if (ctn_str_is(what, "set")) {
        say(w, "set ");
        say_members(w, get(w, "variables"));
        return;
    }
    say(w, "%.*s", CTN_STR_ARG(what));
    if (ctn_json_bool_or(w->body, "notHappened", false))
        say(w, ": nothing happened");
    if (get(w, "value")) {
        say(w, " with ");
        say_value(w, get(w, "value"));
    }
}

static void say_resumed(words *w)
{
    ctn_str cause = text_of(w, "cause");
    if (ctn_str_is(cause, "crash"))
        say(w, "after a death of the engine");
    else if (ctn_str_is(cause, "restart"))
        say(w, "after an end of the engine");
    else if (text_of(w, "reason").len)
        say(w, "%.*s", CTN_STR_ARG(text_of(w, "reason")));
}

/* ---- the execution ---- */

static void say_names(words *w, const char *before, const ctn_json *names)
{
    for (size_t i = 0; i < ctn_json_count(names); i++) {
        say(w, "%s", i ? ", " : before);
        say_value(w, ctn_json_at(names, i));
    }
}

static void say_error(words *w)
{
    const ctn_json *error = get(w, "error");
    ctn_str none = {0}, step = ctn_json_str_or(error, "step", none), message = ctn_json_str_or(error, "message", none);
    say(w, "%.*s%s%.*s%s%.*s", CTN_STR_ARG(ctn_json_str_or(error, "code", none)), step.len ? " at " : "",
        CTN_STR_ARG(step), message.len ? ": " : "", CTN_STR_ARG(message));
    say_names(w, "; left undone: ", ctn_json_member_of(error, "leftUndone"));
    say_names(w, "; has no undo: ", ctn_json_member_of(error, "notUndone"));
}

static void say_from(words *w, const ctn_json *from)
{
    ctn_str none = {0}, step = ctn_json_str_or(from, "step", none);
    size_t count = ctn_json_count(get(w, "reused"));
    say(w, ", %.*s of execution %.*s", CTN_STR_ARG(ctn_json_str_or(from, "reason", none)),
        CTN_STR_ARG(ctn_json_str_or(from, "execution", none)));
    if (step.len)
        say(w, " from %.*s", CTN_STR_ARG(step));
    say(w, ", %zu step%s reused", count, count == 1 ? "" : "s");
}

static void say_first(words *w)
{
    const ctn_json *labels = get(w, "labels"), *parent = get(w, "parent"), *from = get(w, "from");
    if (get(w, "chain"))
        say(w, "%.*s, version %lld", CTN_STR_ARG(text_of(w, "chain")),
            (long long) ctn_json_int_or(w->body, "version", 0));
    if (parent)
        say(w, ", for execution %.*s", CTN_STR_ARG(ctn_json_str_or(parent, "id", (ctn_str){0})));
    if (from)
        say_from(w, from);
    if (ctn_json_count(labels)) {
        say(w, ", ");
        say_members(w, labels);
    }
}

static void say_foreach(words *w)
{
    int64_t count = ctn_json_int_or(w->body, "count", 0);
    say(w, "%lld item%s", (long long) count, count == 1 ? "" : "s");
    if (ctn_json_int_or(w->body, "from", 0))
        say(w, " from %lld", (long long) ctn_json_int_or(w->body, "from", 0));
}

static void say_entry(words *w)
{
    if (text_of(w, "call").len)
        say(w, "call %.*s: ", CTN_STR_ARG(text_of(w, "call")));
    switch (w->record->kind) {
    case CTN_ENTRY_QUEUED:
    case CTN_ENTRY_STARTED: say_first(w); break;
    case CTN_ENTRY_STEP_SKIPPED: say(w, "its condition said so"); break;
    case CTN_ENTRY_FOREACH_STARTED: say_foreach(w); break;
    case CTN_ENTRY_ATTEMPT_STARTED:
    case CTN_ENTRY_COMPENSATION_STARTED: say_begun(w); break;
    case CTN_ENTRY_CACHE_HIT:
    case CTN_ENTRY_ATTEMPT_SUCCEEDED:
    case CTN_ENTRY_COMPENSATION_SUCCEEDED: say_succeeded(w); break;
    case CTN_ENTRY_ATTEMPT_FAILED:
    case CTN_ENTRY_COMPENSATION_FAILED: say_failed(w); break;
    case CTN_ENTRY_FALLBACK_TAKEN: say_fallback(w); break;
    case CTN_ENTRY_CHILD_STARTED:
        say(w, "chain %.*s as execution %.*s", CTN_STR_ARG(text_of(w, "chain")), CTN_STR_ARG(text_of(w, "child")));
        break;
    case CTN_ENTRY_BREAKER_WAIT:
        say(w, "the circuit breaker of %.*s is open", CTN_STR_ARG(text_of(w, "target")));
        say_in(w, "; it is tried in ", "untilMs");
        break;
    case CTN_ENTRY_WAITING: say_waiting(w); break;
    case CTN_ENTRY_ANSWERED: say_value(w, get(w, "answer")); break;
    case CTN_ENTRY_CHECKED: say_checked(w); break;
    case CTN_ENTRY_INTERRUPTED:
        say_failure(w);
        say(w, "; somebody must say what became of it");
        break;
    case CTN_ENTRY_DECISION: say_decision(w); break;
    case CTN_ENTRY_CANCEL_REQUESTED: say_failure(w); break;
    case CTN_ENTRY_PAUSED: say(w, "%.*s", CTN_STR_ARG(text_of(w, "reason"))); break;
    case CTN_ENTRY_RESUMED: say_resumed(w); break;
    case CTN_ENTRY_COMPLETED: say_members(w, get(w, "outputs")); break;
    case CTN_ENTRY_FAILED:
    case CTN_ENTRY_ROLLED_BACK:
    case CTN_ENTRY_ROLLBACK_FAILED:
    case CTN_ENTRY_CANCELLED: say_error(w); break;
    default: say_members(w, w->body); break;
    }
}

ctn_str ctn_history_say(ctn_arena *arena, const ctn_record *record, size_t columns_max)
{
    words w = {.arena = arena, .record = record};
    if (ctn_json_parse(arena, record->body, NULL, &w.body, NULL) ||
        ctn_sealed_hide(arena, w.body, record->sealed, &w.body, NULL))
        return CTN_STR("(its body does not read)");
    ctn_buf_init(&w.out, 65536);
    say_entry(&w);
    ctn_str kept = ctn_text_clean(arena, ctn_buf_str(&w.out), columns_max);
    ctn_buf_done(&w.out);
    return kept;
}
