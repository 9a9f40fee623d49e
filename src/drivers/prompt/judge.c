/*
 * judge.c -- see judge.h.
 */
#include "drivers/prompt/judge.h"
#include <stdio.h>

typedef struct judging {
    ctn_arena *arena;
    const ctn_prompt_model *model;
    const ctn_prompt_outcome *outcome;
    int64_t tokens_max;
    bool is_sensitive;
} judging;

static ctn_prompt_verdict verdict(const judging *j, ctn_failure failure, bool is_used, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static ctn_prompt_verdict verdict(const judging *j, ctn_failure failure, bool is_used, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_str text = ctn_arena_vprintf(j->arena, format, args);
    va_end(args);
    return (ctn_prompt_verdict){
        .failure = failure,
        .is_used = is_used,
        .retry_after_ms = j->outcome->retry_after_ms,
        .message = ctn_arena_printf(j->arena, "the model %.*s %.*s", CTN_STR_ARG(j->model->name), CTN_STR_ARG(text))};
}

/* ": what the server says", or nothing. */
static const char *quoted(const judging *j, const char *text)
{
    return j->is_sensitive || !text[0] ? "" : ctn_arena_printf(j->arena, ": %s", text).ptr;
}

static const char *said(const judging *j)
{
    return quoted(j, j->outcome->trouble->message);
}

static ctn_prompt_verdict of_transport(const judging *j)
{
    const ctn_prompt_outcome *o = j->outcome;
    switch (o->code) {
    case CTN_E_TIMEOUT: return verdict(j, CTN_FAILURE_TIMEOUT, o->was_sent, "did not answer: %s", o->why);
    case CTN_E_DENIED: return verdict(j, CTN_FAILURE_DENIED, false, "may not be reached: %s", o->why);
    case CTN_E_INVALID: return verdict(j, CTN_FAILURE_INVALID_INPUT, false, "cannot be asked: %s", o->why);
    case CTN_E_LIMIT: return verdict(j, CTN_FAILURE_LIMIT, true, "gave too much: %s", o->why);
    default:
        return verdict(j, CTN_FAILURE_TRANSPORT, o->was_sent, o->was_sent ? "was lost: %s" : "was not reached: %s",
                       o->why);
    }
}

static ctn_prompt_verdict of_context(const judging *j)
{
    return verdict(j, CTN_FAILURE_LIMIT, false,
                   "cannot hold what it was sent, together with %lld tokens of an answer%s", (long long) j->tokens_max,
                   said(j));
}

/* What a server says in the place of an answer: with a status, or in the middle of a stream, where only its type is
 * there. */
static ctn_prompt_verdict of_trouble(const judging *j, int status)
{
    const ctn_chat_trouble *t = j->outcome->trouble;
    if (t->is_context || status == 413)
        return of_context(j);
    if (status == 401 || status == 403)
        return verdict(j, CTN_FAILURE_DENIED, false, "refuses the key (HTTP %d)", status);
    if (t->is_credit || status == 402)
        return verdict(j, CTN_FAILURE_DENIED, false, "has no credit left for this key (HTTP %d)", status);
    if (status == 429)
        return verdict(j, CTN_FAILURE_RATE_LIMITED, false, "is asked too often (HTTP 429)%s", said(j));
    if (status == 404)
        return verdict(j, CTN_FAILURE_INVALID_INPUT, false,
                       "is not there: the server knows no \"%.*s\", or its `url` is another one (HTTP 404)%s",
                       CTN_STR_ARG(j->model->model), said(j));
    if (status >= 500 || status == 408 || status == 409)
        return verdict(j, CTN_FAILURE_UNAVAILABLE, false, "cannot answer now (HTTP %d)%s", status, said(j));
    if (status >= 400)
        return verdict(j, CTN_FAILURE_INVALID_INPUT, false, "refuses the question (HTTP %d)%s", status, said(j));
    return verdict(j, CTN_FAILURE_PROTOCOL_ERROR, false, "answered with HTTP %d, which is no answer of a model",
                   status);
}

static ctn_prompt_verdict of_broken_stream(const judging *j)
{
    const ctn_chat_trouble *t = j->outcome->trouble;
    if (t->is_context)
        return of_context(j);
    ctn_failure failure = strstr(t->type, "rate_limit") ? CTN_FAILURE_RATE_LIMITED : CTN_FAILURE_UNAVAILABLE;
    return verdict(j, failure, true, "broke off in the middle of its answer%s", quoted(j, t->message));
}

static ctn_prompt_verdict of_answer(const judging *j)
{
    const ctn_chat_answer *a = j->outcome->answer;
    switch (a->end) {
    case CTN_CHAT_CUT:
        return verdict(j, CTN_FAILURE_LIMIT, true,
                       "was cut off at %lld tokens of its answer: allow it more with maxTokens, or ask for less",
                       (long long) j->tokens_max);
    case CTN_CHAT_FULL:
        return verdict(j, CTN_FAILURE_LIMIT, true, "came to the end of what it can hold in the middle of its answer");
    case CTN_CHAT_REFUSED: {
        char text[CTN_CHAT_TROUBLE_BYTES_MAX + 1];
        (void) snprintf(text, sizeof text, "%.*s", CTN_STR_ARG(ctn_buf_str(&a->refusal)));
        return verdict(j, CTN_FAILURE_TOOL_ERROR, true, "refuses to answer%s", quoted(j, text));
    }
    case CTN_CHAT_FILTERED:
        return verdict(j, CTN_FAILURE_TOOL_ERROR, true, "was stopped by the content filter of its server");
    case CTN_CHAT_NO_END:
    case CTN_CHAT_DONE: break;
    }
    if (!ctn_str_trim(ctn_buf_str(&a->text)).len)
        return verdict(j, CTN_FAILURE_INVALID_OUTPUT, true, "gave an empty answer");
    return (ctn_prompt_verdict){.failure = CTN_FAILURE_NONE, .is_used = true};
}

ctn_prompt_verdict ctn_prompt_judge(ctn_arena *arena, const ctn_prompt_model *model, const ctn_prompt_outcome *outcome,
                                    int64_t tokens_max, bool is_sensitive)
{
    judging j = {arena, model, outcome, tokens_max, is_sensitive};
    if (outcome->status && outcome->status / 100 != 2)
        return of_trouble(&j, outcome->status);
    if (outcome->code)
        return of_transport(&j);
    if (!outcome->is_readable)
        return verdict(&j, CTN_FAILURE_PROTOCOL_ERROR, true, "answered with a %s, which is no answer of a model",
                       outcome->type[0] ? outcome->type : "body of no type");
    if (outcome->answer->has_trouble)
        return of_broken_stream(&j);
    if (!outcome->answer->is_over && outcome->answer->end == CTN_CHAT_NO_END)
        return strcmp(outcome->type, "application/json") == 0
                   ? verdict(&j, CTN_FAILURE_PROTOCOL_ERROR, true, "answered with JSON that is no answer of a model")
                   : verdict(&j, CTN_FAILURE_TRANSPORT, true, "was lost: the stream ended before the answer did");
    return of_answer(&j);
}
