/*
 * chat.h -- a question to a language model and its answer, in the two forms that servers speak: OpenAI's chat
 * completions, which nearly every local server has too, and Anthropic's messages. Pure.
 *
 * A question is made of instructions (the system's text), an input (the user's), and, when an answer was not taken,
 * that answer and what is wrong with it. With a schema the answer is one JSON value: chat completions take the schema
 * as `response_format`, messages as a tool that has to be called. Answers come as a stream of events, or whole from a
 * server that does not stream.
 *
 *     ctn_chat_answer_init(&answer, bytes_max);
 *     for each event         ctn_chat_read_event(api, &answer, scratch, data)   // true: go on
 *     or, of a whole body    ctn_chat_read_whole(api, &answer, scratch, body)
 *     answer.is_over         // it was told to its end; else what is there is the beginning of an answer
 *
 * All of it is a stranger's word. What is of another form than it should be is passed by: without an end, or without a
 * text, the answer says so by itself.
 *
 * Ownership  An answer owns its texts; init and done as with ctn_buf. What is written lives in the arena.
 * Units      Tokens are those of the server's own counting.
 */
#pragma once
#include "base/json.h"

typedef enum ctn_chat_api { CTN_CHAT_OPENAI, CTN_CHAT_ANTHROPIC } ctn_chat_api;

typedef struct ctn_chat_ask {
    ctn_str model;
    ctn_str instructions, input;
    ctn_str refused, objection; /* an earlier answer that is not taken, and why; objection empty: there is none */
    const ctn_json *schema;     /* the server is to hold the answer to it; its root is of the type object. NULL: text */
    const ctn_json *temperature; /* a number; NULL: the server's */
    int64_t tokens_max;          /* of the answer */
    bool has_new_limit;          /* chat completions: the limit is called max_completion_tokens, not max_tokens */
} ctn_chat_ask;

const char *ctn_chat_path(ctn_chat_api api); /* behind the URL that people give: "/chat/completions" */
ctn_str ctn_chat_write(ctn_chat_api api, ctn_arena *arena, const ctn_chat_ask *ask);

/* How it ended. */
typedef enum ctn_chat_end {
    CTN_CHAT_NO_END, /* nothing was said of it */
    CTN_CHAT_DONE,
    CTN_CHAT_CUT,      /* at tokens_max */
    CTN_CHAT_FULL,     /* at the end of what the model can hold */
    CTN_CHAT_REFUSED,  /* by the model */
    CTN_CHAT_FILTERED, /* by whoever watches over it */
} ctn_chat_end;

/* What a server says that does not answer. Texts are quoted as they came, cut at CTN_CHAT_TROUBLE_BYTES_MAX. */
#define CTN_CHAT_TROUBLE_BYTES_MAX 400
typedef struct ctn_chat_trouble {
    char message[CTN_CHAT_TROUBLE_BYTES_MAX + 1]; /* "": it said nothing that can be read */
    char type[64];                                /* "overloaded_error", "context_length_exceeded" */
    bool is_context;                              /* more was sent than the model can hold */
    bool is_credit;                               /* the account has nothing left */
} ctn_chat_trouble;

#define CTN_CHAT_UNTOLD (-1)
typedef struct ctn_chat_answer {
    ctn_buf text;    /* with a schema: JSON */
    ctn_buf refusal; /* what the model says to it */
    ctn_chat_end end;
    bool is_over;
    bool has_trouble; /* the stream broke off with a word */
    ctn_chat_trouble trouble;
    int64_t input_tokens;  /* those of the cache among them; CTN_CHAT_UNTOLD, here and below */
    int64_t cached_tokens; /* of these */
    int64_t output_tokens;
    uint64_t pieces; /* of text that came, each a token or a few */
    bool is_tool;    /* the text is what a tool was called with: no other text counts */
} ctn_chat_answer;

void ctn_chat_answer_init(ctn_chat_answer *answer, size_t bytes_max);
void ctn_chat_answer_done(ctn_chat_answer *answer);
/* False: nothing more is to be read; it is over, in trouble, or too large (text.overflowed). */
bool ctn_chat_read_event(ctn_chat_api api, ctn_chat_answer *answer, ctn_arena *scratch, ctn_str data);
void ctn_chat_read_whole(ctn_chat_api api, ctn_chat_answer *answer, ctn_arena *scratch, ctn_str body);
/* The body of an answer whose status is no 2xx. */
void ctn_chat_read_trouble(ctn_arena *scratch, ctn_str body, ctn_chat_trouble *ret_trouble);
