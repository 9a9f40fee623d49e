/*
 * entry_told.c -- see entry_told.h. Three switches over the kind, none of them with a default: a kind of which nothing
 * is told does not compile. Above them, by family, the sentences of `history` (say_*) and those of `why` (why_*). A
 * member of a body that no sentence tells is not lost: `history --json` has the body as it is.
 */
#include "journal/entry_told.h"
#include "base/clock.h"
#include "base/text.h"
#include "value/secret.h"

#define WORDS_BYTES_MAX ((size_t) 16 << 20) /* more than a body has */
#define VALUE_COLUMNS   60
#define NAMES_SHOWN_MAX 8

typedef struct words {
    ctn_arena *arena;
    const ctn_entry *e;
    const ctn_entry_setting *setting; /* NULL: of history */
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
    return ctn_json_member_of(w->e->body, key);
}

static ctn_str text_of(const words *w, const char *key)
{
    return ctn_json_str_or(w->e->body, key, (ctn_str){0});
}

static long long int_of(const words *w, const char *key, int64_t otherwise)
{
    return (long long) ctn_json_int_or(w->e->body, key, otherwise);
}

static bool is_true(const words *w, const char *key)
{
    return ctn_json_bool_or(w->e->body, key, false);
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
    int64_t at_ms = int_of(w, key, 0);
    if (at_ms)
        say(w, "%s%s", before, ctn_duration_text(at_ms - w->e->at_ms).text);
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
        say_value(w, ctn_secret_told(w->arena, get(w, "args")));
    }
}

static void why_undone(words *w)
{
    say(w, "undone, for the chain was stopping (%.*s)%s", CTN_STR_ARG(w->setting->stopped),
        text_of(w, "outcome").len ? "; nobody knows whether it had happened" : "");
}

static void say_succeeded(words *w)
{
    if (get(w, "items")) {
        say(w, "all %lld items have ended", int_of(w, "items", 0));
        if (int_of(w, "failed", 0))
            say(w, ", %lld of them failed", int_of(w, "failed", 0));
        return;
    }
    if (w->e->kind == CTN_ENTRY_CACHE_HIT)
        say(w, "from an earlier call with the same arguments%s", ctn_json_count(get(w, "variables")) ? ": " : "");
    if (text_of(w, "child").len)
        say(w, "by execution %.*s%s", CTN_STR_ARG(text_of(w, "child")),
            ctn_json_count(get(w, "variables")) ? ": " : "");
    if (get(w, "variables"))
        say_members(w, get(w, "variables"));
    else if (get(w, "result"))
        say_value(w, get(w, "result"));
}

ctn_str ctn_entry_items_text(ctn_arena *arena, const ctn_entry *e)
{
    long long count = (long long) ctn_json_int_or(e->body, "items", 0);
    long long failed = (long long) ctn_json_int_or(e->body, "failed", 0);
    return failed ? ctn_arena_printf(arena, "%lld items, %lld of which failed", count, failed)
                  : ctn_arena_printf(arena, "%lld item%s", count, count == 1 ? "" : "s");
}

static void why_succeeded(words *w)
{
    const ctn_json *variables = get(w, "variables");
    size_t count = ctn_json_count(variables);
    if (get(w, "items")) {
        say(w, "ended for %.*s", CTN_STR_ARG(ctn_entry_items_text(w->arena, w->e)));
    } else if (!variables) {
        say(w, "attempt %u: a call succeeded", w->e->attempt);
    } else {
        ctn_str *names = CTN_NEW_ARRAY(w->arena, ctn_str, count);
        for (size_t i = 0; i < count; i++)
            names[i] = ctn_json_text(&variables->members[i].key);
        ctn_str list = ctn_text_list(w->arena, names, count, NAMES_SHOWN_MAX);
        say(w, "attempt %u succeeded%s%.*s", w->e->attempt, count ? " and gave " : "", CTN_STR_ARG(list));
    }
}

static void say_failed(words *w)
{
    say_failure(w);
    if (is_true(w, "unknown"))
        say(w, "; what became of it is not known");
    else if (get(w, "dueMs"))
        say_in(w, "; again in ", "dueMs");
    else if (get(w, "fallback"))
        say(w, "; fallback %lld is next", int_of(w, "fallback", 0));
    else if (is_true(w, "final"))
        say(w, "; for good");
}

static void why_failed(words *w)
{
    const ctn_entry_setting *s = w->setting;
    say(w, "attempt %u failed: %.*s: %.*s", w->e->attempt, CTN_STR_ARG(text_of(w, "code")),
        CTN_STR_ARG(text_of(w, "message")));
    if (is_true(w, "unknown")) {
        say(w, "; it is a write and may have happened, which has to be settled first");
    } else if (get(w, "dueMs")) {
        long long wait_ms = int_of(w, "dueMs", 0) - w->e->at_ms;
        say(w, "; tried again ");
        if (wait_ms > 0)
            say(w, "after %lld ms", wait_ms);
        else
            say(w, "at once");
        if (is_true(w, "free"))
            say(w, " (which spends no retry)");
        else
            say(w, " (retry %u of %lld)", s->retries + 1, (long long) s->retries_max);
    } else if (int_of(w, "fallback", 0)) {
        say(w, "; %.*s, so fallback %lld is taken", CTN_STR_ARG(s->no_retry), int_of(w, "fallback", 0));
    } else if (is_true(w, "final")) {
        say(w, "; %.*s", CTN_STR_ARG(s->no_retry));
    } else {
        say(w, "; the other calls of the attempt still count");
    }
}

static void why_undo_failed(words *w)
{
    say(w, "its undo failed: %.*s: %.*s%s", CTN_STR_ARG(text_of(w, "code")), CTN_STR_ARG(text_of(w, "message")),
        is_true(w, "final") ? "; it is left undone" : "");
}

static void say_fallback(words *w)
{
    ctn_str set = text_of(w, "instructionSet");
    say(w, "%lld: %s%.*s", int_of(w, "fallback", 1), set.len ? "" : "its value is the result", CTN_STR_ARG(set));
}

static void why_fallback(words *w)
{
    ctn_str set = text_of(w, "instructionSet");
    say(w, "fallback %lld: %s%.*s", int_of(w, "fallback", 1), set.len ? "instruction set " : "its value",
        CTN_STR_ARG(set));
}

static void say_foreach(words *w)
{
    long long count = int_of(w, "count", 0), from = int_of(w, "from", 0);
    say(w, "%lld item%s", count, count == 1 ? "" : "s");
    if (from)
        say(w, " from %lld", from);
}

/* ---- waiting and being told ---- */

/* What the peer of a call asks for, each with its question: "name (Your name?), seat (Which?)". */
static void say_asks(words *w)
{
    const ctn_json *asks = get(w, "asks");
    if (!ctn_json_is(asks, CTN_JSON_OBJECT)) /* sealed */
        return;
    for (size_t i = 0; i < ctn_json_count(asks) && i < NAMES_SHOWN_MAX; i++) {
        ctn_str message = ctn_json_str_or(&asks->members[i].value, "message", (ctn_str){0});
        message = ctn_text_clean(w->arena, message.len > 4096 ? (ctn_str){message.ptr, 4096} : message, VALUE_COLUMNS);
        say(w, "%s%.*s (%.*s)", i ? ", " : ": ", CTN_STR_ARG(ctn_json_text(&asks->members[i].key)),
            CTN_STR_ARG(message));
    }
    if (ctn_json_count(asks) > NAMES_SHOWN_MAX)
        say(w, ", ...");
}

/* Of the peer of a call: what it asks, or that it wants to be asked again. */
static void say_input(words *w)
{
    if (is_true(w, "atOnce"))
        say(w, "its peer wants to be asked again, at once");
    else
        say(w, "its peer asks");
    say_asks(w);
}

static void say_waiting(words *w)
{
    ctn_str what = text_of(w, "for"), message = text_of(w, "message");
    if (ctn_str_is(what, "input")) {
        say_input(w);
        return;
    }
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
    say_in(w, is_true(w, "expires") ? "; it fails in " : "; it ends in ", "untilMs");
}

static void why_waiting(words *w)
{
    const ctn_json *who = get(w, "who");
    size_t count = ctn_json_count(who);
    if (!w->e->step.len) {
        say(w, "the execution's budget was reached (%.*s): nothing starts until somebody decides",
            CTN_STR_ARG(text_of(w, "what")));
        return;
    }
    if (ctn_str_is(text_of(w, "for"), "input")) {
        say(w, "attempt %u: ", w->e->attempt);
        say_input(w);
        return;
    }
    say(w, "waits for an %.*s", CTN_STR_ARG(text_of(w, "for")));
    if (count) {
        ctn_str *names = CTN_NEW_ARRAY(w->arena, ctn_str, count);
        for (size_t i = 0; i < count; i++)
            names[i] = ctn_json_text(ctn_json_at(who, i));
        say(w, " of %.*s", CTN_STR_ARG(ctn_text_list(w->arena, names, count, NAMES_SHOWN_MAX)));
    }
    if (int_of(w, "untilMs", 0)) {
        char at[25];
        ctn_time_format(int_of(w, "untilMs", 0), at);
        say(w, ", until %s at the latest%s", at, is_true(w, "expires") ? ", then it has failed" : "");
    }
    if (text_of(w, "message").len)
        say(w, ": %.*s", CTN_STR_ARG(text_of(w, "message")));
}

static void say_checked(words *w)
{
    const ctn_json *happened = get(w, "happened");
    say(w, "%s",
        ctn_json_is(happened, CTN_JSON_TRUE)    ? "it did happen"
        : ctn_json_is(happened, CTN_JSON_FALSE) ? "it did not happen"
                                                : "the check cannot tell");
    if (is_true(w, "over"))
        say(w, "; it is not asked again");
    say_in(w, "; asked again in ", "againMs");
}

static void why_checked(words *w)
{
    const ctn_json *happened = get(w, "happened");
    bool again = get(w, "againMs") != NULL;
    ctn_str message = text_of(w, "message");
    if (ctn_json_is(happened, CTN_JSON_TRUE))
        say(w, "its check was asked: it did happen");
    else if (ctn_json_is(happened, CTN_JSON_FALSE))
        say(w, "its check was asked: %s",
            again ? "not so far; the request may still arrive, so it is asked again" : "it did not happen");
    else
        say(w, "its check could not tell%s%.*s; it is %sasked again", message.len ? ": " : "", CTN_STR_ARG(message),
            again ? "" : "not ");
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
    if (is_true(w, "notHappened"))
        say(w, ": nothing happened");
    if (get(w, "value")) {
        say(w, " with ");
        say_value(w, get(w, "value"));
    }
}

static void why_decision(words *w)
{
    ctn_str what = text_of(w, "what");
    if (!w->e->step.len)
        say(w, "%.*s %s", CTN_STR_ARG(w->e->actor),
            ctn_str_is(what, "retry") ? "granted the budget once more" : "let the execution end at its budget");
    else
        say(w, "settled by %.*s: %s", CTN_STR_ARG(w->e->actor),
            ctn_str_is(what, "retry")     ? "it did not happen: do it again"
            : ctn_str_is(what, "succeed") ? "it did happen, with the result that was given"
            : is_true(w, "notHappened")   ? "it has failed, and it is certain that nothing happened"
                                          : "it has failed");
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

static void why_resumed(words *w)
{
    ctn_str cause = text_of(w, "cause");
    if (ctn_str_is(cause, "crash"))
        say(w, "the engine had died; another went on");
    else if (ctn_str_is(cause, "restart"))
        say(w, "the engine had been stopped; another went on");
    else
        say(w, "the execution was resumed by %.*s", CTN_STR_ARG(w->e->actor));
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
        say(w, "%.*s, version %lld", CTN_STR_ARG(text_of(w, "chain")), int_of(w, "version", 0));
    if (parent)
        say(w, ", for execution %.*s", CTN_STR_ARG(ctn_json_str_or(parent, "id", (ctn_str){0})));
    if (from)
        say_from(w, from);
    if (ctn_json_count(labels)) {
        say(w, ", ");
        say_members(w, labels);
    }
}

/* ---- the kinds ---- */

static void say_entry(words *w)
{
    if (text_of(w, "call").len)
        say(w, "call %.*s: ", CTN_STR_ARG(text_of(w, "call")));
    switch (w->e->kind) {
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
    case CTN_ENTRY_ACCEPTED: say(w, "its peer goes on by itself, and is asked for the result"); break;
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
    case CTN_ENTRY_KIND_COUNT: break;
    }
}

static void why_entry(words *w)
{
    switch (w->e->kind) {
    case CTN_ENTRY_STEP_SKIPPED: say(w, "skipped"); break;
    case CTN_ENTRY_FOREACH_STARTED: say(w, "runs over %lld items", int_of(w, "count", 0)); break;
    case CTN_ENTRY_ATTEMPT_STARTED:
        say(w, "attempt %u began; its start is on record because it is %.*s (%.*s)", w->e->attempt,
            CTN_STR_ARG(text_of(w, "effect")), CTN_STR_ARG(text_of(w, "effectFrom")));
        break;
    case CTN_ENTRY_ATTEMPT_SUCCEEDED: why_succeeded(w); break;
    case CTN_ENTRY_ATTEMPT_FAILED: why_failed(w); break;
    case CTN_ENTRY_CACHE_HIT:
        say(w, "an equal call was answered before: taken from the cache, nothing was called");
        break;
    case CTN_ENTRY_FALLBACK_TAKEN: why_fallback(w); break;
    case CTN_ENTRY_CHILD_STARTED:
        say(w, "execution %.*s of chain %.*s was started for it", CTN_STR_ARG(text_of(w, "child")),
            CTN_STR_ARG(text_of(w, "chain")));
        break;
    case CTN_ENTRY_WAITING: why_waiting(w); break;
    case CTN_ENTRY_ANSWERED: say(w, "answered by %.*s", CTN_STR_ARG(w->e->actor)); break;
    case CTN_ENTRY_ACCEPTED:
        say(w, "attempt %u: its peer accepted it and goes on by itself; it is asked for the result", w->e->attempt);
        break;
    case CTN_ENTRY_CHECKED: why_checked(w); break;
    case CTN_ENTRY_BREAKER_WAIT:
        say(w, "waits, for the circuit breaker of %.*s is open; no retry is spent", CTN_STR_ARG(text_of(w, "target")));
        break;
    case CTN_ENTRY_INTERRUPTED:
        say(w, "interrupted (%.*s: %.*s): a person must say what became of it", CTN_STR_ARG(text_of(w, "code")),
            CTN_STR_ARG(text_of(w, "message")));
        break;
    case CTN_ENTRY_DECISION: why_decision(w); break;
    case CTN_ENTRY_COMPENSATION_STARTED: why_undone(w); break;
    case CTN_ENTRY_COMPENSATION_SUCCEEDED: say(w, "its undo succeeded"); break;
    case CTN_ENTRY_COMPENSATION_FAILED: why_undo_failed(w); break;
    case CTN_ENTRY_PAUSED: say(w, "the execution was paused by %.*s", CTN_STR_ARG(w->e->actor)); break;
    case CTN_ENTRY_RESUMED: why_resumed(w); break;
    case CTN_ENTRY_QUEUED: /* these are no event of a step */
    case CTN_ENTRY_STARTED:
    case CTN_ENTRY_CANCEL_REQUESTED:
    case CTN_ENTRY_COMPLETED:
    case CTN_ENTRY_FAILED:
    case CTN_ENTRY_ROLLED_BACK:
    case CTN_ENTRY_ROLLBACK_FAILED:
    case CTN_ENTRY_CANCELLED: say(w, "%s", ctn_entry_kind_name(w->e->kind)); break;
    case CTN_ENTRY_KIND_COUNT: break;
    }
}

ctn_entry_meaning ctn_entry_meaning_of(const ctn_entry *e)
{
    bool is_of_step = e->step.len > 0;
    const ctn_str none = {0}, reason = ctn_json_str_or(e->body, "reason", none);
    ctn_entry_meaning m = {.is_undo = ctn_entry_kind_about(e->kind) == CTN_ABOUT_UNDO ||
                                      ctn_json_bool_or(e->body, "undo", false)};
    switch (e->kind) {
    case CTN_ENTRY_QUEUED:
    case CTN_ENTRY_STARTED:
        m.sense = CTN_SENSE_CREATED;
        m.sets = ctn_json_member_of(e->body, "input");
        break;
    case CTN_ENTRY_STEP_SKIPPED: m.sense = CTN_SENSE_SKIPPED; break;
    case CTN_ENTRY_FOREACH_STARTED:
        m.sense = CTN_SENSE_BEGUN;
        m.is_each = true;
        break;
    case CTN_ENTRY_CHILD_STARTED:
        m.sense = CTN_SENSE_BEGUN;
        m.child = ctn_json_str_or(e->body, "child", none);
        break;
    case CTN_ENTRY_ATTEMPT_STARTED:
    case CTN_ENTRY_COMPENSATION_STARTED: m.sense = CTN_SENSE_BEGUN; break;
    case CTN_ENTRY_ATTEMPT_SUCCEEDED:
    case CTN_ENTRY_CACHE_HIT:
    case CTN_ENTRY_COMPENSATION_SUCCEEDED: m.sense = CTN_SENSE_SUCCEEDED; break;
    case CTN_ENTRY_ATTEMPT_FAILED:
    case CTN_ENTRY_COMPENSATION_FAILED: m.sense = CTN_SENSE_FAILED; break;
    case CTN_ENTRY_FALLBACK_TAKEN: m.sense = CTN_SENSE_FALLBACK; break;
    case CTN_ENTRY_BREAKER_WAIT: m.sense = CTN_SENSE_HELD; break;
    case CTN_ENTRY_INTERRUPTED: m.sense = CTN_SENSE_INTERRUPTED; break;
    case CTN_ENTRY_ANSWERED: m.sense = CTN_SENSE_SETTLED; break;
    case CTN_ENTRY_ACCEPTED: m.sense = CTN_SENSE_GOES_ON; break;
    case CTN_ENTRY_WAITING:
        if (is_of_step) {
            m.sense = ctn_json_bool_or(e->body, "atOnce", false) ? CTN_SENSE_GOES_ON : CTN_SENSE_WAITS;
            break;
        }
        m.is_for_all = true;
        m.mark = "the budget was reached";
        m.mark_text = ctn_json_str_or(e->body, "what", none);
        break;
    case CTN_ENTRY_DECISION:
        if (is_of_step)
            m.sense = CTN_SENSE_SETTLED;
        m.is_for_all = !is_of_step && !ctn_str_is(ctn_json_str_or(e->body, "what", none), "set");
        m.sets = ctn_json_member_of(e->body, "variables");
        break;
    case CTN_ENTRY_CHECKED: m.sets = ctn_json_member_of(e->body, "variables"); break;
    case CTN_ENTRY_CANCEL_REQUESTED:
        m.sense = CTN_SENSE_STOPS;
        m.mark = ctn_json_bool_or(e->body, "reopens", false) ? "it is undone with its parent" : "it was told to stop";
        m.mark_text = ctn_json_str_or(e->body, "message", none);
        break;
    case CTN_ENTRY_PAUSED:
        m.is_for_all = true;
        m.mark = "paused";
        m.mark_text = reason;
        break;
    case CTN_ENTRY_RESUMED: {
        ctn_str cause = ctn_json_str_or(e->body, "cause", none);
        m.is_for_all = true;
        m.mark = ctn_str_is(cause, "crash")     ? "the engine had died; another went on"
                 : ctn_str_is(cause, "restart") ? "the engine had ended; another went on"
                                                : "resumed";
        m.mark_text = reason;
        break;
    }
    case CTN_ENTRY_COMPLETED:
    case CTN_ENTRY_FAILED:
    case CTN_ENTRY_ROLLED_BACK:
    case CTN_ENTRY_ROLLBACK_FAILED:
    case CTN_ENTRY_CANCELLED: m.sense = CTN_SENSE_ENDED; break;
    case CTN_ENTRY_KIND_COUNT: break;
    }
    return m;
}

/* ---- the sentences ---- */

static ctn_str said(words *w, void (*entry)(words *))
{
    ctn_buf_init(&w->out, WORDS_BYTES_MAX);
    entry(w);
    ctn_str kept = ctn_arena_str(w->arena, ctn_buf_str(&w->out));
    ctn_buf_done(&w->out);
    return kept;
}

ctn_str ctn_entry_history(ctn_arena *arena, const ctn_record *record, size_t columns_max)
{
    ctn_entry e;
    if (ctn_record_to_entry(record, arena, &e, NULL))
        return CTN_STR("(its body does not read)");
    words w = {.arena = arena, .e = &e};
    return ctn_text_clean(arena, said(&w, say_entry), columns_max);
}

ctn_str ctn_entry_why(ctn_arena *arena, const ctn_entry *e, const ctn_entry_setting *setting)
{
    words w = {.arena = arena, .e = e, .setting = setting};
    return said(&w, why_entry);
}
