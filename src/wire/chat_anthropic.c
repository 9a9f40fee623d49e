/*
 * chat_anthropic.c -- messages (POST /v1/messages), as Anthropic has them.
 *
 * A schema travels as the input of a tool that the model has to call, which every model of theirs takes and whatever
 * the schema says; the tool is never run: what it was called with is the answer. A stream is message_start (the usage
 * of the input), blocks of content with their deltas, message_delta (why it ended, the usage of the output so far) and
 * message_stop. Of the input, what was read from a cache is counted beside the rest; here it is part of the whole.
 */
#include "wire/chat_internal.h"

#define TOOL "answer"

static void put_tool(ctn_arena *arena, ctn_json_builder *b, const ctn_json *schema)
{
    ctn_json_builder tool = ctn_json_object(arena), tools = ctn_json_array(arena), choice = ctn_json_object(arena);
    ctn_json_put_str(&tool, "name", CTN_STR(TOOL));
    ctn_json_put_str(&tool, "description", CTN_STR("Gives the answer."));
    ctn_json_put(&tool, CTN_STR("input_schema"), schema);
    ctn_json_push(&tools, ctn_json_finish(&tool));
    ctn_json_put(b, CTN_STR("tools"), ctn_json_finish(&tools));
    ctn_json_put_str(&choice, "type", CTN_STR("tool"));
    ctn_json_put_str(&choice, "name", CTN_STR(TOOL));
    ctn_json_put(b, CTN_STR("tool_choice"), ctn_json_finish(&choice));
}

ctn_str ctn_chat_anthropic_write(ctn_arena *arena, const ctn_chat_ask *ask)
{
    ctn_json_builder messages = ctn_json_array(arena), b = ctn_json_object(arena);
    ctn_json_push(&messages, ctn_chat_message(arena, "user", ask->input));
    if (ask->objection.len) {
        ctn_json_push(&messages, ctn_chat_message(arena, "assistant", ask->refused));
        ctn_json_push(&messages, ctn_chat_message(arena, "user", ask->objection));
    }
    ctn_json_put_str(&b, "model", ask->model);
    ctn_json_put_int(&b, "max_tokens", ask->tokens_max);
    ctn_json_put_str(&b, "system", ask->instructions);
    ctn_json_put(&b, CTN_STR("messages"), ctn_json_finish(&messages));
    if (ask->temperature)
        ctn_json_put(&b, CTN_STR("temperature"), ask->temperature);
    if (ask->schema)
        put_tool(arena, &b, ask->schema);
    ctn_json_put_bool(&b, "stream", true);
    return ctn_json_to_str(arena, ctn_json_finish(&b));
}

static ctn_chat_end end_of(ctn_str reason)
{
    if (ctn_str_is(reason, "max_tokens"))
        return CTN_CHAT_CUT;
    if (ctn_str_is(reason, "model_context_window_exceeded"))
        return CTN_CHAT_FULL;
    return ctn_str_is(reason, "refusal") ? CTN_CHAT_REFUSED : CTN_CHAT_DONE;
}

/* Each count is a whole one, told anew: the last word counts, but for those that forward messages and say 0 first. */
static void take_usage(ctn_chat_answer *answer, const ctn_json *usage)
{
    int64_t read = ctn_chat_count(usage, "cache_read_input_tokens", 0);
    int64_t made = ctn_chat_count(usage, "cache_creation_input_tokens", 0);
    int64_t input = ctn_chat_count(usage, "input_tokens", CTN_CHAT_UNTOLD);
    if (input != CTN_CHAT_UNTOLD && input + read + made > 0) {
        answer->input_tokens = input + read + made;
        answer->cached_tokens = read;
    }
    answer->output_tokens = ctn_chat_count(usage, "output_tokens", answer->output_tokens);
}

static void take_end(ctn_chat_answer *answer, const ctn_json *of)
{
    ctn_str reason = ctn_json_str_or(of, "stop_reason", (ctn_str){0});
    if (reason.len)
        answer->end = end_of(reason);
}

/* What was said before the tool was called is no part of the answer. */
static void begin_tool(ctn_chat_answer *answer)
{
    answer->is_tool = true;
    ctn_buf_clear(&answer->text);
}

void ctn_chat_anthropic_event(ctn_chat_answer *answer, const ctn_json *event)
{
    ctn_str type = ctn_json_str_or(event, "type", (ctn_str){0});
    const ctn_json *delta = ctn_json_member_of(event, "delta");
    if (ctn_str_is(type, "message_start")) {
        take_usage(answer, ctn_json_pointer(event, CTN_STR("/message/usage")));
    } else if (ctn_str_is(type, "content_block_start")) {
        const ctn_json *block = ctn_json_member_of(event, "content_block");
        if (ctn_str_is(ctn_json_str_or(block, "type", (ctn_str){0}), "tool_use"))
            begin_tool(answer);
        else if (!answer->is_tool)
            ctn_chat_take_text(answer, ctn_json_str_or(block, "text", (ctn_str){0}));
    } else if (ctn_str_is(type, "content_block_delta")) {
        ctn_chat_take_text(answer, ctn_json_str_or(delta, answer->is_tool ? "partial_json" : "text", (ctn_str){0}));
    } else if (ctn_str_is(type, "message_delta")) {
        take_end(answer, delta);
        take_usage(answer, ctn_json_member_of(event, "usage"));
    } else if (ctn_str_is(type, "message_stop")) {
        answer->is_over = true;
    }
}

void ctn_chat_anthropic_whole(ctn_chat_answer *answer, const ctn_json *message)
{
    const ctn_json *content = ctn_json_member_of(message, "content");
    for (size_t i = 0; i < ctn_json_count(content); i++) {
        const ctn_json *block = ctn_json_at(content, i);
        if (!answer->is_tool && ctn_str_is(ctn_json_str_or(block, "type", (ctn_str){0}), "tool_use")) {
            begin_tool(answer);
            ctn_json_write(&answer->text, ctn_json_member_of(block, "input"));
        } else if (!answer->is_tool) {
            ctn_chat_take_text(answer, ctn_json_str_or(block, "text", (ctn_str){0}));
        }
    }
    take_usage(answer, ctn_json_member_of(message, "usage"));
    take_end(answer, message);
}
