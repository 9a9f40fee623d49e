/*
 * engine_ask.c -- what an execution waits for, as questions: forms for people, words for whoever has no forms, and how
 * an answer becomes the answer of a step.
 *
 * A question's key is its step's name when it is the first that the step of the caller's own chain asks, and else made
 * of what is asked: so it is the same after a restart and no other question of the execution ever has it, for clients
 * answer each key once. An answer that the step does not take is asked for again under the next key; how many such
 * there were is in memory only, and forgotten at the end of the process.
 *
 *   approval   {approved, comment}; declined is "no", for it says so in one word less
 *   agent      the members of its schema, where a form can hold them: a flat object; else one text that holds JSON
 *   peer       what a tool asked in the middle of its call: its own forms and addresses, one request each
 *
 * Cancelled, and declined where there is no "no", leaves the question open.
 */
#include "engine/fold.h"
#include "server/mcp/engine_internal.h"
#include <stdio.h>

#define TASKS_MAX      64
#define TEXT_BYTES_MAX 60000 /* of a message; what is longer is cut, and the whole is in get_execution */

/* ---- finding them ---- */

typedef struct search {
    ctn_engine_backend *b;
    ctn_arena *arena;
    ctn_questions *found;
} search;

static void look_at_row(search *s, const ctn_execution_row *row, int depth);

static struct ctn_wrong_answer *wrong_of(ctn_engine_backend *b, ctn_str base_key)
{
    size_t count = b->wrong_count < 64 ? b->wrong_count : 64;
    for (size_t i = 0; i < count; i++)
        if (ctn_str_is(base_key, b->wrong[i].key))
            return &b->wrong[i];
    return NULL;
}

static void put_keys(search *s, ctn_question *q, const ctn_step_view *v, const ctn_json *asked, int depth)
{
    uint32_t attempt = v->attempt;
    bool is_first = depth == 0 && v->item < 0 && attempt <= 1 && v->fallback == 0 && q->kind != CTN_QUESTION_PEER;
    ctn_hasher h;
    ctn_hasher_init(&h);
    ctn_hasher_add(&h, (ctn_str){(const char *) q->execution.bytes, sizeof q->execution.bytes});
    ctn_hasher_add(&h, q->step);
    ctn_hasher_add(&h, (ctn_str){(const char *) &attempt, sizeof attempt});
    ctn_hasher_add(&h, ctn_json_to_str(s->arena, asked ? asked : &ctn_json_null));
    ctn_digest_text digest = ctn_digest_to_text(ctn_hasher_finish(&h));
    ctn_str step = q->step.len > 30 ? (ctn_str){q->step.ptr, 30} : q->step;
    if (!ctn_str_is_utf8(step)) /* cut in the middle of a character */
        step = CTN_STR("step");
    q->key = q->base_key = ctn_arena_printf(s->arena, "%.*s.%.12s", CTN_STR_ARG(step), digest.text);
    const struct ctn_wrong_answer *wrong = wrong_of(s->b, q->base_key);
    if (wrong) {
        q->key = ctn_arena_printf(s->arena, "%.*s.%u", CTN_STR_ARG(q->base_key), wrong->count + 1);
        q->problem = ctn_arena_str(s->arena, ctn_str_from(wrong->problem));
    } else if (is_first) {
        q->key = q->step;
    }
}

static void add(search *s, const ctn_execution *x, const ctn_open_task *t, int depth)
{
    const ctn_step_view *v = &t->view;
    const ctn_json *asked = v->asked ? ctn_json_copy(s->arena, v->asked) : NULL;
    if (s->found->count == CTN_QUESTIONS_MAX)
        return;
    ctn_question *q = &s->found->items[s->found->count];
    ctn_str name = ctn_execution_plan(x)->steps[t->step].name;
    *q = (ctn_question){.execution = ctn_execution_id_of(x), .due_ms = v->due_ms};
    q->step = v->item < 0 ? ctn_arena_str(s->arena, name)
                          : ctn_arena_printf(s->arena, "%.*s[%lld]", CTN_STR_ARG(name), (long long) v->item);
    q->message = ctn_arena_str(s->arena, v->message);
    if (v->wants_approval) {
        q->kind = CTN_QUESTION_APPROVAL;
    } else if (v->wants_agent) {
        q->kind = CTN_QUESTION_AGENT;
        q->instructions = ctn_json_member_of(asked, "instructions");
        q->input = ctn_json_member_of(asked, "input");
        q->schema = ctn_json_member_of(asked, "schema");
    } else {
        q->kind = CTN_QUESTION_PEER;
        q->asks = ctn_json_member_of(asked, "asks");
        if (!v->wants_input || ctn_json_count(q->asks) == 0)
            return;
        if (v->call.len)
            q->step = ctn_arena_printf(s->arena, "%.*s/%.*s", CTN_STR_ARG(q->step), CTN_STR_ARG(v->call));
    }
    put_keys(s, q, v, asked, depth);
    s->found->count++;
}

static void look_at(search *s, const ctn_execution *x, int depth)
{
    ctn_open_task tasks[TASKS_MAX];
    size_t count = ctn_execution_open_tasks(x, tasks, TASKS_MAX);
    for (size_t i = 0; i < count; i++) {
        const ctn_step_view *v = &tasks[i].view;
        ctn_execution_row row;
        if (v->waits_for_child) {
            if (depth < CTN_CHAIN_DEPTH_MAX &&
                ctn_store_execution_get(ctn_host_store(s->b->host), s->arena, v->child, &row, NULL) == CTN_OK)
                look_at_row(s, &row, depth + 1);
        } else if (v->status == CTN_STEP_WAITING && !v->waits_for_time) {
            add(s, x, &tasks[i], depth);
        }
    }
}

static void look_at_row(search *s, const ctn_execution_row *row, int depth)
{
    ctn_engine *engine = ctn_host_engine(s->b->host);
    const ctn_execution *x = engine ? ctn_engine_find(engine, row->id) : NULL;
    ctn_execution *loaded = NULL;
    if (ctn_status_is_final(row->status))
        return;
    if (!x && ctn_execution_load(ctn_host_store(s->b->host), s->arena, row, &loaded, NULL) == CTN_OK)
        x = loaded;
    if (x)
        look_at(s, x, depth);
    ctn_execution_unload(loaded);
}

void ctn_questions_of(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row, ctn_questions *ret)
{
    search s = {.b = b, .arena = arena, .found = ret};
    ret->count = 0;
    look_at_row(&s, row, 0);
}

void ctn_question_note_wrong(ctn_engine_backend *b, const ctn_question *q, ctn_str problem)
{
    struct ctn_wrong_answer *wrong = wrong_of(b, q->base_key);
    if (!wrong) {
        wrong = &b->wrong[b->wrong_count++ % 64];
        *wrong = (struct ctn_wrong_answer){0};
        snprintf(wrong->key, sizeof wrong->key, "%.*s", CTN_STR_ARG(q->base_key));
    }
    wrong->count++;
    snprintf(wrong->problem, sizeof wrong->problem, "%.*s", CTN_STR_ARG(problem));
    while (wrong->problem[0] && !ctn_str_is_utf8(ctn_str_from(wrong->problem))) /* cut in the middle of a character */
        wrong->problem[strlen(wrong->problem) - 1] = '\0';
}

/* ---- as forms ---- */

static const ctn_json *parsed(ctn_arena *arena, const char *json)
{
    const ctn_json *v = NULL;
    (void) ctn_json_parse(arena, ctn_str_from(json), NULL, &v, NULL);
    return v;
}

static bool is_choice(const ctn_json *list)
{
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        const ctn_json *item = ctn_json_at(list, i);
        if (!ctn_json_is(ctn_json_member_of(item, "const"), CTN_JSON_STRING) ||
            !ctn_json_is(ctn_json_member_of(item, "title"), CTN_JSON_STRING))
            return false;
    }
    return ctn_json_count(list) > 0;
}

static bool are_texts(const ctn_json *list)
{
    for (size_t i = 0; i < ctn_json_count(list); i++)
        if (!ctn_json_is(ctn_json_at(list, i), CTN_JSON_STRING))
            return false;
    return ctn_json_is(list, CTN_JSON_ARRAY) && list->count > 0;
}

/* Nothing but these keys. */
static bool has_only(const ctn_json *schema, const char *const *keys)
{
    for (size_t i = 0; i < ctn_json_count(schema); i++) {
        bool is_known = false;
        for (size_t k = 0; keys[k]; k++)
            is_known = is_known || ctn_str_is(ctn_json_text(&schema->members[i].key), keys[k]);
        if (!is_known)
            return false;
    }
    return true;
}

/* What a form of elicitation can hold. */
static bool is_form_field(const ctn_json *schema)
{
    static const char *const TEXT[] = {"type",      "title",  "description", "minLength", "maxLength", "enum",
                                       "enumNames", "format", "oneOf",       "default",   NULL};
    static const char *const NUMBER[] = {"type", "title", "description", "minimum", "maximum", "default", NULL};
    static const char *const BOOLEAN[] = {"type", "title", "description", "default", NULL};
    static const char *const LIST[] = {"type",     "title", "description", "minItems",
                                       "maxItems", "items", "default",     NULL};
    static const char *const FORMATS[] = {"email", "uri", "date", "date-time"};
    ctn_str type = ctn_json_str_or(schema, "type", (ctn_str){0});
    if (ctn_str_is(type, "string")) {
        const ctn_json *format = ctn_json_member_of(schema, "format");
        bool is_known = !format;
        for (size_t i = 0; i < 4 && format; i++)
            is_known = is_known || ctn_str_is(ctn_json_text(format), FORMATS[i]);
        const ctn_json *choice = ctn_json_member_of(schema, "oneOf"), *words = ctn_json_member_of(schema, "enum");
        return is_known && has_only(schema, TEXT) && (!choice || is_choice(choice)) && (!words || are_texts(words));
    }
    if (ctn_str_is(type, "number") || ctn_str_is(type, "integer"))
        return has_only(schema, NUMBER);
    if (ctn_str_is(type, "boolean"))
        return has_only(schema, BOOLEAN);
    const ctn_json *items = ctn_json_member_of(schema, "items");
    return ctn_str_is(type, "array") && has_only(schema, LIST) &&
           (are_texts(ctn_json_member_of(items, "enum")) || is_choice(ctn_json_member_of(items, "anyOf")));
}

/* A flat object, as a form may be; NULL: it is none. */
static const ctn_json *form_of(ctn_arena *arena, const ctn_json *schema)
{
    static const char *const KEYS[] = {"type",  "properties",  "required", "additionalProperties",
                                       "title", "description", "$schema",  NULL};
    const ctn_json *properties = ctn_json_member_of(schema, "properties");
    if (!ctn_str_is(ctn_json_str_or(schema, "type", (ctn_str){0}), "object") || !has_only(schema, KEYS) ||
        ctn_json_count(properties) == 0)
        return NULL;
    for (size_t i = 0; i < ctn_json_count(properties); i++)
        if (!is_form_field(&properties->members[i].value))
            return NULL;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "type", CTN_STR("object"));
    ctn_json_put(&b, CTN_STR("properties"), properties);
    if (ctn_json_count(ctn_json_member_of(schema, "required")))
        ctn_json_put(&b, CTN_STR("required"), ctn_json_member_of(schema, "required"));
    return ctn_json_finish(&b);
}

static const ctn_json *one_answer(ctn_arena *arena)
{
    return parsed(arena,
                  "{\"type\":\"object\",\"properties\":{\"answer\":{\"type\":\"string\",\"title\":\"Answer\","
                  "\"description\":\"JSON, or plain text where a text is asked for\"}},\"required\":[\"answer\"]}");
}

static ctn_str cut(ctn_arena *arena, ctn_str text)
{
    if (text.len <= TEXT_BYTES_MAX)
        return text;
    size_t len = TEXT_BYTES_MAX;
    while (len && ((unsigned char) text.ptr[len] & 0xC0) == 0x80)
        len--;
    return ctn_arena_printf(arena, "%.*s ...", (int) len, text.ptr);
}

static ctn_str as_text(ctn_arena *arena, const ctn_json *v)
{
    return ctn_json_is(v, CTN_JSON_STRING) ? ctn_json_text(v) : ctn_json_to_str(arena, v);
}

static ctn_str message_of(const ctn_question *q, ctn_arena *arena, bool says_schema)
{
    ctn_buf out;
    ctn_buf_init(&out, (size_t) 16 << 20);
    if (q->problem.len)
        ctn_buf_printf(&out, "The last answer was not taken: %.*s\n\n", CTN_STR_ARG(q->problem));
    if (q->kind == CTN_QUESTION_APPROVAL)
        ctn_buf_printf(&out, "%.*s", CTN_STR_ARG(q->message.len ? q->message : CTN_STR("Is this approved?")));
    if (q->kind == CTN_QUESTION_AGENT) {
        ctn_str said = q->instructions ? as_text(arena, q->instructions) : CTN_STR("Do the work of this step.");
        ctn_buf_printf(&out, "%.*s", CTN_STR_ARG(said));
        if (q->input && !ctn_json_is(q->input, CTN_JSON_NULL))
            ctn_buf_printf(&out, "\n\nInput: %.*s", CTN_STR_ARG(as_text(arena, q->input)));
        if (says_schema && q->schema)
            ctn_buf_printf(&out, "\n\nThe answer must satisfy this JSON Schema: %.*s",
                           CTN_STR_ARG(ctn_json_to_str(arena, q->schema)));
    }
    ctn_buf_printf(&out, "%s(step %.*s of execution %s)", out.len ? "\n\n" : "", CTN_STR_ARG(q->step),
                   ctn_id_to_text(q->execution).text);
    ctn_str text = cut(arena, ctn_arena_str(arena, ctn_buf_str(&out)));
    ctn_buf_done(&out);
    return text;
}

static const ctn_json *request(ctn_arena *arena, ctn_str message, const ctn_json *form, ctn_str url)
{
    ctn_json_builder params = ctn_json_object(arena), b = ctn_json_object(arena);
    ctn_json_put_str(&params, "mode", url.len ? CTN_STR("url") : CTN_STR("form"));
    ctn_json_put_str(&params, "message", message);
    if (url.len)
        ctn_json_put_str(&params, "url", url);
    else
        ctn_json_put(&params, CTN_STR("requestedSchema"), form);
    ctn_json_put_str(&b, "method", CTN_STR("elicitation/create"));
    ctn_json_put(&b, CTN_STR("params"), ctn_json_finish(&params));
    return ctn_json_finish(&b);
}

static ctn_str peer_key(const ctn_question *q, ctn_arena *arena, size_t i)
{
    return ctn_arena_printf(arena, "%.*s.%.*s", CTN_STR_ARG(q->key),
                            CTN_STR_ARG(ctn_json_text(&q->asks->members[i].key)));
}

static void put_peer(ctn_json_builder *b, const ctn_question *q)
{
    for (size_t i = 0; i < ctn_json_count(q->asks); i++) {
        const ctn_json *asked = &q->asks->members[i].value, *schema = ctn_json_member_of(asked, "schema");
        ctn_str message = ctn_json_str_or(asked, "message", CTN_STR("A tool asks."));
        if (q->problem.len)
            message = ctn_arena_printf(b->arena, "The last answer was not taken: %.*s\n\n%.*s", CTN_STR_ARG(q->problem),
                                       CTN_STR_ARG(message));
        if (!schema)
            schema = parsed(b->arena, "{\"type\":\"object\",\"properties\":{}}");
        ctn_json_put(b, peer_key(q, b->arena, i),
                     request(b->arena, cut(b->arena, message), schema, ctn_json_str_or(asked, "url", (ctn_str){0})));
    }
}

const ctn_json *ctn_questions_requests(const ctn_questions *questions, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < questions->count; i++) {
        const ctn_question *q = &questions->items[i];
        const ctn_json *form = NULL;
        if (q->kind == CTN_QUESTION_PEER) {
            put_peer(&b, q);
            continue;
        }
        if (q->kind == CTN_QUESTION_APPROVAL)
            form = parsed(arena, "{\"type\":\"object\",\"properties\":{\"approved\":{\"type\":\"boolean\",\"title\":"
                                 "\"Approved\"},\"comment\":{\"type\":\"string\",\"title\":\"Comment\"}},\"required\":["
                                 "\"approved\"]}");
        else
            form = form_of(arena, q->schema);
        ctn_json_put(&b, q->key,
                     request(arena, message_of(q, arena, !form), form ? form : one_answer(arena), (ctn_str){0}));
    }
    return ctn_json_finish(&b);
}

bool ctn_questions_suit(const ctn_questions *questions, const ctn_mcp_caller *caller)
{
    for (size_t i = 0; i < questions->count; i++) {
        const ctn_question *q = &questions->items[i];
        for (size_t k = 0; k < ctn_json_count(q->asks); k++)
            if (ctn_json_member_of(&q->asks->members[k].value, "url") ? !caller->can_url : !caller->can_form)
                return false;
        if (!q->asks && !caller->can_form)
            return false;
    }
    return true;
}

/* ---- in words ---- */

static const ctn_json *answer_schema(const ctn_question *q, ctn_arena *arena)
{
    if (q->kind == CTN_QUESTION_APPROVAL)
        return parsed(arena, "{\"type\":\"object\",\"properties\":{\"approved\":{\"type\":\"boolean\"},\"comment\":{"
                             "\"type\":\"string\"}},\"required\":[\"approved\"]}");
    if (q->kind == CTN_QUESTION_AGENT)
        return q->schema ? q->schema : &ctn_json_true;
    ctn_json_builder b = ctn_json_object(arena), properties = ctn_json_object(arena), required = ctn_json_array(arena);
    for (size_t i = 0; i < ctn_json_count(q->asks); i++) {
        ctn_json_builder one = ctn_json_object(arena), members = ctn_json_object(arena);
        const ctn_json *schema = ctn_json_member_of(&q->asks->members[i].value, "schema");
        ctn_json_put(&members, CTN_STR("action"), parsed(arena, "{\"enum\":[\"accept\",\"decline\",\"cancel\"]}"));
        ctn_json_put(&members, CTN_STR("content"), schema ? schema : &ctn_json_true);
        ctn_json_put_str(&one, "type", CTN_STR("object"));
        ctn_json_put(&one, CTN_STR("properties"), ctn_json_finish(&members));
        ctn_json_put(&one, CTN_STR("required"), parsed(arena, "[\"action\"]"));
        ctn_json_put(&properties, ctn_json_text(&q->asks->members[i].key), ctn_json_finish(&one));
        ctn_json_push(&required, &q->asks->members[i].key);
    }
    ctn_json_put_str(&b, "type", CTN_STR("object"));
    ctn_json_put(&b, CTN_STR("properties"), ctn_json_finish(&properties));
    ctn_json_put(&b, CTN_STR("required"), ctn_json_finish(&required));
    return ctn_json_finish(&b);
}

const ctn_json *ctn_questions_told(const ctn_questions *questions, ctn_arena *arena)
{
    static const char *const KINDS[] = {"approval", "agent", "tool"};
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < questions->count; i++) {
        const ctn_question *q = &questions->items[i];
        ctn_json_builder b = ctn_json_object(arena), with = ctn_json_object(arena), args = ctn_json_object(arena);
        ctn_str id = ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(q->execution).text));
        ctn_json_put_str(&b, "step", q->step);
        ctn_json_put_str(&b, "kind", ctn_str_from(KINDS[q->kind]));
        if (q->message.len)
            ctn_json_put_str(&b, "message", q->message);
        if (q->problem.len)
            ctn_json_put_str(&b, "problem", q->problem);
        if (q->instructions)
            ctn_json_put(&b, CTN_STR("instructions"), q->instructions);
        if (q->input)
            ctn_json_put(&b, CTN_STR("input"), q->input);
        if (q->asks)
            ctn_json_put(&b, CTN_STR("asks"), q->asks);
        if (q->due_ms)
            ctn_json_put_str(&b, "until", ctn_engine_time(arena, q->due_ms));
        ctn_json_put_str(&args, "executionId", id);
        ctn_json_put_str(&args, "step", q->step);
        ctn_json_put_str(&with, "tool", CTN_STR("answer_step"));
        ctn_json_put(&with, CTN_STR("arguments"), ctn_json_finish(&args));
        ctn_json_put(&with, CTN_STR("answerSchema"), answer_schema(q, arena));
        ctn_json_put(&b, CTN_STR("answerWith"), ctn_json_finish(&with));
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return ctn_json_finish(&list);
}

/* ---- answers ---- */

static bool is_action(const ctn_json *response, const char *action)
{
    return ctn_str_is(ctn_json_str_or(response, "action", (ctn_str){0}), action);
}

static bool is_of_nobody(const ctn_json *response)
{
    return response && !ctn_json_member_of(response, "action");
}

ctn_str ctn_questions_misread(const ctn_questions *questions, ctn_arena *arena, const ctn_json *answers)
{
    for (size_t i = 0; i < questions->count; i++) {
        const ctn_question *q = &questions->items[i];
        if (q->kind != CTN_QUESTION_PEER && is_of_nobody(ctn_json_get(answers, q->key)))
            return q->key;
        for (size_t k = 0; k < ctn_json_count(q->asks); k++)
            if (is_of_nobody(ctn_json_get(answers, peer_key(q, arena, k))))
                return peer_key(q, arena, k);
    }
    return (ctn_str){0};
}

/* The members that the form asked for; what else came is ignored. */
static const ctn_json *only_asked(ctn_arena *arena, const ctn_json *form, const ctn_json *content)
{
    const ctn_json *properties = ctn_json_member_of(form, "properties");
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(content); i++)
        if (ctn_json_get(properties, ctn_json_text(&content->members[i].key)))
            ctn_json_put(&b, ctn_json_text(&content->members[i].key), &content->members[i].value);
    return ctn_json_finish(&b);
}

/* Text that is JSON is that value, any other text is itself; and where text is wanted, it is never anything else. */
static const ctn_json *of_text(ctn_arena *arena, const ctn_json *answer, const ctn_json *schema)
{
    const ctn_json *v = NULL;
    if (!ctn_json_is(answer, CTN_JSON_STRING) || ctn_str_is(ctn_json_str_or(schema, "type", (ctn_str){0}), "string"))
        return answer;
    return ctn_json_parse(arena, ctn_json_text(answer), NULL, &v, NULL) == CTN_OK ? v : answer;
}

static ctn_answer peer_answer(const ctn_question *q, ctn_arena *arena, const ctn_json *answers,
                              const ctn_json **ret_value)
{
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(q->asks); i++) {
        const ctn_json *response = ctn_json_get(answers, peer_key(q, arena, i));
        if (!ctn_json_is(response, CTN_JSON_OBJECT))
            return CTN_ANSWER_NONE;
        ctn_json_builder one = ctn_json_object(arena);
        ctn_json_put_str(&one, "action", ctn_json_str_or(response, "action", CTN_STR("cancel")));
        if (ctn_json_member_of(response, "content"))
            ctn_json_put(&one, CTN_STR("content"), ctn_json_member_of(response, "content"));
        ctn_json_put(&b, ctn_json_text(&q->asks->members[i].key), ctn_json_finish(&one));
    }
    *ret_value = ctn_json_finish(&b);
    return CTN_ANSWER_GIVEN;
}

ctn_answer ctn_question_answer(const ctn_question *q, ctn_arena *arena, const ctn_json *answers,
                               const ctn_json **ret_value, ctn_str *ret_problem)
{
    if (q->kind == CTN_QUESTION_PEER)
        return peer_answer(q, arena, answers, ret_value);
    const ctn_json *response = ctn_json_get(answers, q->key), *content = ctn_json_member_of(response, "content");
    if (!response)
        return CTN_ANSWER_NONE;
    if (q->kind == CTN_QUESTION_APPROVAL && is_action(response, "decline")) {
        *ret_value = parsed(arena, "{\"approved\":false,\"comment\":\"declined\"}");
        return CTN_ANSWER_GIVEN;
    }
    if (!is_action(response, "accept"))
        return CTN_ANSWER_DISMISSED;
    if (q->kind == CTN_QUESTION_APPROVAL) {
        *ret_value = content;
        if (ctn_json_is_bool(ctn_json_member_of(content, "approved")))
            return CTN_ANSWER_GIVEN;
        *ret_problem = CTN_STR("`approved` must be true or false");
        return CTN_ANSWER_WRONG;
    }
    const ctn_json *form = form_of(arena, q->schema), *answer = ctn_json_member_of(content, "answer");
    if (form && ctn_json_is(content, CTN_JSON_OBJECT)) {
        *ret_value = only_asked(arena, form, content);
        return CTN_ANSWER_GIVEN;
    }
    if (!form && answer) {
        *ret_value = of_text(arena, answer, q->schema);
        return CTN_ANSWER_GIVEN;
    }
    *ret_problem = form ? CTN_STR("there is no content") : CTN_STR("`answer` is missing");
    return CTN_ANSWER_WRONG;
}
