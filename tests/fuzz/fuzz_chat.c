/*
 * Any bytes as what a model's server says, in either form: as a stream of events, as a whole answer, as a refusal. No
 * crash, no text beyond its bound, no count that is none. The first byte says which form.
 */
#include <stdlib.h>
#include "wire/chat.h"
#include "wire/sse.h"

#define TEXT_BYTES_MAX 1024

static void judge(const ctn_chat_answer *a)
{
    if (a->text.len > TEXT_BYTES_MAX || a->refusal.len > CTN_CHAT_TROUBLE_BYTES_MAX)
        abort();
    if (a->input_tokens < CTN_CHAT_UNTOLD || a->output_tokens < CTN_CHAT_UNTOLD || a->cached_tokens < CTN_CHAT_UNTOLD)
        abort();
    if (!ctn_str_is_utf8(ctn_str_from(a->trouble.message)))
        abort();
}

static void stream(ctn_chat_api api, ctn_arena *arena, ctn_str bytes)
{
    ctn_chat_answer answer;
    ctn_sse sse;
    ctn_sse_event event;
    ctn_chat_answer_init(&answer, TEXT_BYTES_MAX);
    ctn_sse_init(&sse, 1 << 14);
    while (ctn_sse_next(&sse, &bytes, &event) && ctn_chat_read_event(api, &answer, arena, event.data))
        ;
    judge(&answer);
    ctn_sse_done(&sse);
    ctn_chat_answer_done(&answer);
}

static void whole(ctn_chat_api api, ctn_arena *arena, ctn_str bytes)
{
    ctn_chat_answer answer;
    ctn_chat_answer_init(&answer, TEXT_BYTES_MAX);
    ctn_chat_read_whole(api, &answer, arena, bytes);
    judge(&answer);
    ctn_chat_answer_done(&answer);
}

static void refusal(ctn_arena *arena, ctn_str bytes)
{
    ctn_chat_trouble trouble;
    ctn_chat_read_trouble(arena, bytes, &trouble);
    if (!ctn_str_is_utf8(ctn_str_from(trouble.message)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1 << 14)
        return 0;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str bytes = {(const char *) data + 1, size - 1};
    ctn_chat_api api = data[0] & 1 ? CTN_CHAT_ANTHROPIC : CTN_CHAT_OPENAI;
    stream(api, arena, bytes);
    whole(api, arena, bytes);
    refusal(arena, bytes);
    ctn_arena_free(arena);
    return 0;
}
