/*
 * execution_asks.c -- calls whose peer asks: what it asks is understood, or the call fails; and what people answer is
 * an answer to it, or is refused with a sentence.
 *
 * An answer is said in one of three ways, of which the first that fits is meant: by what was asked, {KEY: {action,
 * content?}}; and when one thing only is asked, as {action, content?}, or as the content alone (that is: accept). It is
 * recorded in the first way. What a schema has a default for may be left out.
 */
#include "core/execution_judge.h"

#define ROUNDS_MAX 100
#define ASKED_MAX  64 /* things in one round */

/* ---- what is asked ---- */

static bool is_schema(const judge *j, const ctn_json *source)
{
    ctn_schema *schema = NULL;
    int rc = ctn_schema_compile(j->scratch, source, &schema, NULL, NULL);
    ctn_schema_done(schema);
    return rc == CTN_OK && ctn_json_is(source, CTN_JSON_OBJECT);
}

static bool is_question(const judge *j, const ctn_json *asked)
{
    const ctn_json *schema = ctn_json_member_of(asked, "schema"), *url = ctn_json_member_of(asked, "url");
    return ctn_json_is(ctn_json_member_of(asked, "message"), CTN_JSON_STRING) && (!schema || is_schema(j, schema)) &&
           (!url || ctn_json_is(url, CTN_JSON_STRING));
}

/* What is wrong with what it asks; NULL: nothing. */
static const char *wrong_with(const judge *j, const call_state *c, const ctn_input *in)
{
    if (!ctn_json_is(in->asks, CTN_JSON_OBJECT))
        return "the peer asks for something, and does not say for what";
    if (c->rounds >= ROUNDS_MAX)
        return "the peer has asked 100 times, and would ask again";
    if (ctn_json_count(in->asks) > ASKED_MAX)
        return "the peer asks for more than 64 things at once";
    if (ctn_json_bytes(in->asks) + (in->continuation ? ctn_json_bytes(in->continuation) : 0) >
        4 * ctn_x_value_bytes_max(j->rules))
        return "what the peer asks is larger than is kept (4 times limits: valueBytes)";
    for (size_t i = 0; i < ctn_json_count(in->asks); i++)
        if (!is_question(j, &in->asks->members[i].value))
            return "the peer asks for something that cannot be answered: a message and a schema, or an address, are "
                   "needed";
    return NULL;
}

/* What holds of the call from here on, for a replay that did not see it begin. */
static void put_call(const judge *j, const work *w, uint32_t call, const ctn_input *in, ctn_json_builder *b)
{
    const call_state *c = &w->calls[call];
    ctn_json_put(b, CTN_STR("continuation"), in->continuation ? in->continuation : &ctn_json_null);
    ctn_json_put_str(b, "effect", ctn_str_from(ctn_effect_name(c->effect)));
    if (!c->start_is_stored && c->args)
        ctn_json_put(b, CTN_STR("args"), c->args);
    if (w->role == CTN_ROLE_DO)
        ctn_x_budget_put(j, &in->used, 0, b);
}

ctn_entry ctn_x_ask(const judge *j, const work *w, uint32_t call, const ctn_input *in)
{
    const call_state *c = &w->calls[call];
    bool is_stopping = j->x->is_stopping && w->role == CTN_ROLE_DO;
    const char *wrong = wrong_with(j, c, in);
    if (is_stopping || wrong) {
        failure_report report = {.failure = is_stopping ? CTN_FAILURE_CANCELLED : CTN_FAILURE_PROTOCOL_ERROR,
                                 .message = is_stopping ? CTN_STR("stopped with the chain, when its peer asked")
                                                        : ctn_str_from(wrong),
                                 .was_sent = c->is_accepted, /* one that only asks has not done its work */
                                 .is_final = true,
                                 .used = &in->used};
        return ctn_x_fail(j, w, call, &report);
    }
    ctn_json_builder b = ctn_x_body_of_either(j, w, call);
    ctn_json_put_str(&b, "for", CTN_STR("input"));
    if (ctn_json_count(in->asks))
        ctn_json_put(&b, CTN_STR("asks"), in->asks);
    else
        ctn_json_put_bool(&b, "atOnce", true);
    put_call(j, w, call, in, &b);
    if (!c->is_accepted && in->begun_at_ms && in->begun_at_ms < j->now_ms)
        ctn_json_put_int(&b, "spentMs", c->spent_ms + j->now_ms - in->begun_at_ms);
    return ctn_x_entry(j, CTN_ENTRY_WAITING, w, w->attempt, &b);
}

ctn_entry ctn_x_accept(const judge *j, const work *w, uint32_t call, const ctn_input *in)
{
    ctn_json_builder b = ctn_x_body_of_either(j, w, call);
    put_call(j, w, call, in, &b);
    return ctn_x_entry(j, CTN_ENTRY_ACCEPTED, w, w->attempt, &b);
}

/* ---- what is answered ---- */

static bool is_action(ctn_str text)
{
    return ctn_str_is(text, "accept") || ctn_str_is(text, "decline") || ctn_str_is(text, "cancel");
}

static const ctn_json *answer_of(ctn_arena *arena, ctn_str action, const ctn_json *content)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "action", action);
    if (content)
        ctn_json_put(&b, CTN_STR("content"), content);
    return ctn_json_finish(&b);
}

/* {action, content?} and nothing else. */
static bool is_answer(const ctn_json *v)
{
    if (!ctn_json_is(v, CTN_JSON_OBJECT))
        return false;
    for (size_t i = 0; i < ctn_json_count(v); i++)
        if (!ctn_str_is(ctn_json_text(&v->members[i].key), "action") &&
            !ctn_str_is(ctn_json_text(&v->members[i].key), "content"))
            return false;
    return is_action(ctn_json_str_or(v, "action", (ctn_str){0}));
}

/* Every member answers something that was asked. */
static bool is_by_key(const ctn_json *asks, const ctn_json *v)
{
    if (!ctn_json_is(v, CTN_JSON_OBJECT) || !ctn_json_count(v))
        return false;
    for (size_t i = 0; i < ctn_json_count(v); i++)
        if (!ctn_json_get(asks, ctn_json_text(&v->members[i].key)) || !is_answer(&v->members[i].value))
            return false;
    return true;
}

/* In the first way; NULL: in none. */
static const ctn_json *by_key(ctn_arena *arena, const ctn_json *asks, const ctn_json *v)
{
    if (is_by_key(asks, v))
        return v;
    if (ctn_json_count(asks) != 1 || !ctn_json_is(v, CTN_JSON_OBJECT))
        return NULL;
    const ctn_json *asked = &asks->members[0].value;
    const ctn_json *properties = ctn_json_member_of(ctn_json_member_of(asked, "schema"), "properties");
    bool is_content = !is_answer(v) || ctn_json_member_of(properties, "action");
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put(&b, ctn_json_text(&asks->members[0].key), is_content ? answer_of(arena, CTN_STR("accept"), v) : v);
    return ctn_json_finish(&b);
}

static const ctn_json *with_defaults(ctn_arena *arena, const ctn_json *schema, const ctn_json *content)
{
    const ctn_json *properties = ctn_json_member_of(schema, "properties");
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_all(&b, content);
    for (size_t i = 0; ctn_json_is(properties, CTN_JSON_OBJECT) && i < properties->count; i++) {
        ctn_str name = ctn_json_text(&properties->members[i].key);
        const ctn_json *otherwise = ctn_json_member_of(&properties->members[i].value, "default");
        if (otherwise && !ctn_json_get(content, name))
            ctn_json_put(&b, name, otherwise);
    }
    return ctn_json_finish(&b);
}

static int check_content(const judge *j, const ctn_json *source, const ctn_json *content, ctn_err *err)
{
    ctn_schema *schema = NULL;
    int rc = ctn_schema_compile(j->scratch, source, &schema, NULL, err);
    if (rc == CTN_OK)
        rc = ctn_schema_validate(schema, content, j->scratch, err);
    ctn_schema_done(schema);
    return rc;
}

/* Forms are flat, and ask for what they name. */
static int check_names(ctn_str key, const ctn_json *schema, const ctn_json *content, ctn_err *err)
{
    const ctn_json *properties = ctn_json_member_of(schema, "properties");
    ctn_str names[64];
    size_t count = 0;
    for (; ctn_json_is(properties, CTN_JSON_OBJECT) && count < properties->count && count < 64; count++)
        names[count] = ctn_json_text(&properties->members[count].key);
    for (size_t i = 0; i < ctn_json_count(content); i++) {
        ctn_str name = ctn_json_text(&content->members[i].key);
        if (ctn_json_is(properties, CTN_JSON_OBJECT) && !ctn_json_get(properties, name)) {
            ctn_str near = ctn_str_nearest(name, names, count);
            return ctn_fail(err, CTN_E_INVALID, "%.*s asks for no \"%.*s\"%s%.*s%s", CTN_STR_ARG(key),
                            CTN_STR_ARG(name), near.len ? "; did you mean \"" : "", CTN_STR_ARG(near),
                            near.len ? "\"?" : "");
        }
        if (ctn_json_is(&content->members[i].value, CTN_JSON_OBJECT))
            return ctn_fail(err, CTN_E_INVALID, "\"%.*s\" is an object, and what %.*s asks for is not",
                            CTN_STR_ARG(name), CTN_STR_ARG(key));
    }
    return CTN_OK;
}

static int check_one(const judge *j, const work *w, ctn_str key, const ctn_json *asked, const ctn_json *answer,
                     const ctn_json **ret_answer, ctn_err *err)
{
    ctn_str action = ctn_json_str_or(answer, "action", (ctn_str){0});
    const ctn_json *schema = ctn_json_member_of(asked, "schema"), *content = ctn_json_member_of(answer, "content");
    *ret_answer = answer_of(j->scratch, action, NULL);
    if (!ctn_str_is(action, "accept") || (!schema && !ctn_json_count(content)))
        return CTN_OK;
    if (!schema)
        return ctn_fail(err, CTN_E_INVALID,
                        "%.*s asks for no content: answer {\"action\": \"accept\"} or "
                        "{\"action\": \"decline\"}",
                        CTN_STR_ARG(key));
    if (content && !ctn_json_is(content, CTN_JSON_OBJECT))
        return ctn_fail(err, CTN_E_INVALID, "the content of %.*s is an object, not %s", CTN_STR_ARG(key),
                        ctn_json_kind_name(content));
    int rc = check_names(key, schema, content, err);
    if (rc)
        return rc;
    content = with_defaults(j->scratch, schema, content);
    if (check_content(j, schema, content, err)) {
        if (ctn_sensitive_step(j->x->sensitivity, w->task->step))
            ctn_fail(err, CTN_E_INVALID, "what is wrong with a sensitive value is not told");
        return ctn_wrap(err, CTN_E_INVALID, "the answer does not fit what %.*s asks for", CTN_STR_ARG(key));
    }
    *ret_answer = answer_of(j->scratch, action, content);
    return CTN_OK;
}

int ctn_x_check_answers(const judge *j, const work *w, uint32_t call, const ctn_json *given,
                        const ctn_json **ret_answers, ctn_err *err)
{
    const ctn_json *asks = ctn_json_member_of(w->calls[call].asked, "asks"), *answers = by_key(j->scratch, asks, given);
    ctn_str first = ctn_json_text(&asks->members[0].key);
    if (!answers && ctn_json_count(asks) == 1)
        return ctn_fail(err, CTN_E_INVALID,
                        "%.*s is asked for: answer with an object that fits, or {\"action\": \"decline\"}",
                        CTN_STR_ARG(first));
    if (!answers)
        return ctn_fail(err, CTN_E_INVALID,
                        "%zu things are asked for: answer each by its name, like {\"%.*s\": {\"action\": \"accept\", "
                        "\"content\": {...}}, ...}",
                        ctn_json_count(asks), CTN_STR_ARG(first));
    ctn_json_builder b = ctn_json_object(j->scratch);
    for (size_t i = 0; i < ctn_json_count(asks); i++) {
        ctn_str key = ctn_json_text(&asks->members[i].key);
        const ctn_json *answer = ctn_json_get(answers, key);
        if (!answer)
            return ctn_fail(err, CTN_E_INVALID,
                            "%.*s is asked for, too: answer it, or decline with {\"action\": \"decline\"}",
                            CTN_STR_ARG(key));
        int rc = check_one(j, w, key, &asks->members[i].value, answer, &answer, err);
        if (rc)
            return rc;
        ctn_json_put(&b, key, answer);
    }
    *ret_answers = ctn_json_finish(&b);
    return CTN_OK;
}
