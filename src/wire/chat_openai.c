/*
 * chat_openai.c -- chat completions (POST /chat/completions), as OpenAI has them and llama.cpp, vLLM, Ollama and others
 * take them.
 *
 * A stream is a row of chunks whose `delta` adds to the message; the last but one says why it ended, the last one has
 * no choice and the usage (asked for by stream_options), then comes [DONE]. A whole answer has the `message` at once.
 */
#include "wire/chat_internal.h"

/* Can the server be told to hold the answer to it to the letter? That wants every object closed and whole, and is
 * refused otherwise. */
static bool is_strict(const ctn_json *schema, unsigned depth)
{
    if (depth > 32)
        return false;
    if (ctn_json_is(schema, CTN_JSON_ARRAY)) {
        for (size_t i = 0; i < schema->count; i++)
            if (!is_strict(&schema->items[i], depth + 1))
                return false;
        return true;
    }
    if (!ctn_json_is(schema, CTN_JSON_OBJECT))
        return true;
    const ctn_json *properties = ctn_json_member_of(schema, "properties");
    if (ctn_str_is(ctn_json_str_or(schema, "type", (ctn_str){0}), "object")) {
        const ctn_json *required = ctn_json_member_of(schema, "required");
        if (!ctn_json_is(ctn_json_member_of(schema, "additionalProperties"), CTN_JSON_FALSE) || !properties ||
            ctn_json_count(required) != ctn_json_count(properties))
            return false;
    }
    for (uint32_t i = 0; i < schema->count; i++) {
        static const char *const KNOWN[] = {"type",  "properties", "required", "additionalProperties",
                                            "items", "enum",       "const",    "description",
                                            "title", "anyOf"};
        bool is_known = false;
        for (size_t k = 0; k < sizeof KNOWN / sizeof *KNOWN; k++)
            is_known = is_known || ctn_str_is(ctn_json_text(&schema->members[i].key), KNOWN[k]);
        if (!is_known)
            return false;
    }
    for (size_t i = 0; i < ctn_json_count(properties); i++)
        if (!is_strict(&properties->members[i].value, depth + 1))
            return false;
    return is_strict(ctn_json_member_of(schema, "items"), depth + 1) &&
           is_strict(ctn_json_member_of(schema, "anyOf"), depth + 1);
}

static const ctn_json *response_format(ctn_arena *arena, const ctn_json *schema)
{
    ctn_json_builder named = ctn_json_object(arena), format = ctn_json_object(arena);
    ctn_json_put_str(&named, "name", CTN_STR("answer"));
    ctn_json_put_bool(&named, "strict", is_strict(schema, 0));
    ctn_json_put(&named, CTN_STR("schema"), schema);
    ctn_json_put_str(&format, "type", CTN_STR("json_schema"));
    ctn_json_put(&format, CTN_STR("json_schema"), ctn_json_finish(&named));
    return ctn_json_finish(&format);
}

ctn_str ctn_chat_openai_write(ctn_arena *arena, const ctn_chat_ask *ask)
{
    ctn_json_builder messages = ctn_json_array(arena), usage = ctn_json_object(arena), b = ctn_json_object(arena);
    ctn_json_push(&messages, ctn_chat_message(arena, "system", ask->instructions));
    ctn_json_push(&messages, ctn_chat_message(arena, "user", ask->input));
    if (ask->objection.len) {
        ctn_json_push(&messages, ctn_chat_message(arena, "assistant", ask->refused));
        ctn_json_push(&messages, ctn_chat_message(arena, "user", ask->objection));
    }
    ctn_json_put_str(&b, "model", ask->model);
    ctn_json_put(&b, CTN_STR("messages"), ctn_json_finish(&messages));
    ctn_json_put_int(&b, ask->has_new_limit ? "max_completion_tokens" : "max_tokens", ask->tokens_max);
    if (ask->temperature)
        ctn_json_put(&b, CTN_STR("temperature"), ask->temperature);
    if (ask->schema)
        ctn_json_put(&b, CTN_STR("response_format"), response_format(arena, ask->schema));
    ctn_json_put_bool(&b, "stream", true);
    ctn_json_put_bool(&usage, "include_usage", true);
    ctn_json_put(&b, CTN_STR("stream_options"), ctn_json_finish(&usage));
    return ctn_json_to_str(arena, ctn_json_finish(&b));
}

static ctn_chat_end end_of(ctn_str reason)
{
    if (ctn_str_is(reason, "length"))
        return CTN_CHAT_CUT;
    return ctn_str_is(reason, "content_filter") ? CTN_CHAT_FILTERED : CTN_CHAT_DONE;
}

static void take_usage(ctn_chat_answer *answer, const ctn_json *usage)
{
    if (!ctn_json_is(usage, CTN_JSON_OBJECT))
        return;
    answer->input_tokens = ctn_chat_count(usage, "prompt_tokens", answer->input_tokens);
    answer->output_tokens = ctn_chat_count(usage, "completion_tokens", answer->output_tokens);
    answer->cached_tokens =
        ctn_chat_count(ctn_json_member_of(usage, "prompt_tokens_details"), "cached_tokens", answer->cached_tokens);
}

void ctn_chat_openai_read(ctn_chat_answer *answer, const ctn_json *message, bool is_whole)
{
    const ctn_json *choice = ctn_json_at(ctn_json_member_of(message, "choices"), 0);
    const ctn_json *part = ctn_json_member_of(choice, is_whole ? "message" : "delta");
    ctn_chat_take_text(answer, ctn_json_str_or(part, "content", (ctn_str){0}));
    ctn_buf_append(&answer->refusal, ctn_json_str_or(part, "refusal", (ctn_str){0}));
    ctn_str reason = ctn_json_str_or(choice, "finish_reason", (ctn_str){0});
    if (reason.len)
        answer->end = end_of(reason);
    if (answer->end == CTN_CHAT_DONE && (answer->refusal.len || answer->refusal.overflowed))
        answer->end = CTN_CHAT_REFUSED;
    take_usage(answer, ctn_json_member_of(message, "usage"));
}
