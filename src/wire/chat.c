/*
 * chat.c -- see chat.h: what both forms share, and what servers say that do not answer.
 *
 * Servers tell that too much was sent in words of their own, so those are looked for: by the code (OpenAI, vLLM), by
 * the type (llama.cpp), by the sentence (Anthropic, and all others).
 */
#include "wire/chat_internal.h"

#define COUNT_MAX INT64_C(1000000000000)

const char *ctn_chat_path(ctn_chat_api api)
{
    return api == CTN_CHAT_ANTHROPIC ? "/v1/messages" : "/chat/completions";
}

ctn_str ctn_chat_write(ctn_chat_api api, ctn_arena *arena, const ctn_chat_ask *ask)
{
    return api == CTN_CHAT_ANTHROPIC ? ctn_chat_anthropic_write(arena, ask) : ctn_chat_openai_write(arena, ask);
}

const ctn_json *ctn_chat_message(ctn_arena *arena, const char *role, ctn_str text)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "role", ctn_str_from(role));
    ctn_json_put_str(&b, "content", text);
    return ctn_json_finish(&b);
}

/* ---- answers ---- */

void ctn_chat_answer_init(ctn_chat_answer *answer, size_t bytes_max)
{
    *answer = (ctn_chat_answer){
        .input_tokens = CTN_CHAT_UNTOLD, .cached_tokens = CTN_CHAT_UNTOLD, .output_tokens = CTN_CHAT_UNTOLD};
    ctn_buf_init(&answer->text, bytes_max);
    ctn_buf_init(&answer->refusal, CTN_CHAT_TROUBLE_BYTES_MAX);
    answer->text.may_lack = true;
}

void ctn_chat_answer_done(ctn_chat_answer *answer)
{
    ctn_buf_done(&answer->text);
    ctn_buf_done(&answer->refusal);
}

int64_t ctn_chat_count(const ctn_json *object, const char *key, int64_t otherwise)
{
    int64_t count = 0;
    if (!ctn_json_to_int64(ctn_json_member_of(object, key), &count) || count < 0 || count > COUNT_MAX)
        return otherwise;
    return count;
}

void ctn_chat_take_text(ctn_chat_answer *answer, ctn_str text)
{
    if (!text.len)
        return;
    ctn_buf_append(&answer->text, text);
    answer->pieces++;
}

bool ctn_chat_read_event(ctn_chat_api api, ctn_chat_answer *answer, ctn_arena *scratch, ctn_str data)
{
    const ctn_json *event = NULL;
    if (ctn_str_is(ctn_str_trim(data), "[DONE]"))
        answer->is_over = true;
    else if (ctn_json_parse(scratch, data, NULL, &event, NULL) == CTN_OK) {
        if (ctn_json_is(ctn_json_member_of(event, "error"), CTN_JSON_OBJECT)) {
            answer->has_trouble = true;
            ctn_chat_take_trouble(ctn_json_member_of(event, "error"), &answer->trouble);
        } else if (api == CTN_CHAT_ANTHROPIC)
            ctn_chat_anthropic_event(answer, event);
        else
            ctn_chat_openai_read(answer, event, false);
    }
    return !answer->is_over && !answer->has_trouble && !answer->text.overflowed;
}

void ctn_chat_read_whole(ctn_chat_api api, ctn_chat_answer *answer, ctn_arena *scratch, ctn_str body)
{
    const ctn_json *message = NULL;
    if (ctn_json_parse(scratch, body, NULL, &message, NULL))
        return;
    if (ctn_json_is(ctn_json_member_of(message, "error"), CTN_JSON_OBJECT)) {
        answer->has_trouble = true;
        ctn_chat_take_trouble(ctn_json_member_of(message, "error"), &answer->trouble);
        return;
    }
    if (api == CTN_CHAT_ANTHROPIC)
        ctn_chat_anthropic_whole(answer, message);
    else
        ctn_chat_openai_read(answer, message, true);
    answer->is_over = answer->end != CTN_CHAT_NO_END;
}

/* ---- trouble ---- */

/* Cut between two characters; control characters become blanks, for it is shown to people. */
static void copy_text(char *out, size_t out_bytes, ctn_str text)
{
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        size_t bytes = ctn_str_utf8_at(text, at), control = ctn_str_control_at(text, at, true);
        size_t step = control ? control : bytes ? bytes : 1;
        size_t kept = control || !bytes ? 1 : bytes;
        if (len + kept >= out_bytes)
            break;
        if (control || !bytes)
            out[len] = ' ';
        else
            memcpy(out + len, text.ptr + at, bytes);
        len += kept;
        at += step;
    }
    out[len] = '\0';
}

static bool says_any(ctn_str text, const char *const *words)
{
    for (; *words; words++)
        if (ctn_str_find(text, ctn_str_from(*words)) != SIZE_MAX)
            return true;
    return false;
}

void ctn_chat_take_trouble(const ctn_json *error, ctn_chat_trouble *ret_trouble)
{
    static const char *const CONTEXT[] = {"context_length_exceeded", "exceed_context_size", "maximum context length",
                                          "prompt is too long",      "context window",      "context size",
                                          "input is too long",       "context length",      NULL};
    static const char *const CREDIT[] = {"insufficient_quota", "billing_error", "credit balance", NULL};
    ctn_str code = ctn_json_str_or(error, "code", (ctn_str){0}), type = ctn_json_str_or(error, "type", (ctn_str){0});
    ctn_str message = ctn_json_str_or(error, "message", (ctn_str){0});
    *ret_trouble = (ctn_chat_trouble){
        .is_context = says_any(code, CONTEXT) || says_any(type, CONTEXT) || says_any(message, CONTEXT),
        .is_credit = says_any(code, CREDIT) || says_any(type, CREDIT) || says_any(message, CREDIT),
    };
    copy_text(ret_trouble->message, sizeof ret_trouble->message, message);
    copy_text(ret_trouble->type, sizeof ret_trouble->type, code.len ? code : type);
}

void ctn_chat_read_trouble(ctn_arena *scratch, ctn_str body, ctn_chat_trouble *ret_trouble)
{
    const ctn_json *said = NULL;
    *ret_trouble = (ctn_chat_trouble){.message = ""};
    if (ctn_json_parse(scratch, body, NULL, &said, NULL))
        return;
    const ctn_json *error = ctn_json_member_of(said, "error");
    if (ctn_json_is(error, CTN_JSON_STRING)) /* {"error": "..."}: some local servers */
        copy_text(ret_trouble->message, sizeof ret_trouble->message, ctn_json_text(error));
    else
        ctn_chat_take_trouble(error ? error : said, ret_trouble); /* vLLM has no member around it */
}
