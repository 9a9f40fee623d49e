/* chat_internal.h -- what the two forms of chat.h have in common. */
#pragma once
#include "wire/chat.h"

ctn_str ctn_chat_openai_write(ctn_arena *arena, const ctn_chat_ask *ask);
/* An event, or a whole answer: what of it is there is taken. */
void ctn_chat_openai_read(ctn_chat_answer *answer, const ctn_json *message, bool is_whole);
ctn_str ctn_chat_anthropic_write(ctn_arena *arena, const ctn_chat_ask *ask);
void ctn_chat_anthropic_event(ctn_chat_answer *answer, const ctn_json *event);
void ctn_chat_anthropic_whole(ctn_chat_answer *answer, const ctn_json *message);

/* {role, content} */
const ctn_json *ctn_chat_message(ctn_arena *arena, const char *role, ctn_str text);
/* A count that can be one; else `otherwise`. */
int64_t ctn_chat_count(const ctn_json *object, const char *key, int64_t otherwise);
void ctn_chat_take_text(ctn_chat_answer *answer, ctn_str text);
/* `error` is the object of that name. */
void ctn_chat_take_trouble(const ctn_json *error, ctn_chat_trouble *ret_trouble);
