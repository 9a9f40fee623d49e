/*
 * prompt.h -- the driver for kind "prompt": questions to language models over HTTP.
 *
 * A call's target is a model by its name in catena.yaml, its detail is {instructions, schema?, maxTokens?,
 * temperature?} as the set has it, its arguments are what the question is about. The instructions go to the model as
 * they stand, as the system's text; the arguments go as the user's text, written as one JSON object, and the model is
 * told that they are data: no value becomes a part of the instructions.
 *
 * With a schema the result is the answer's JSON value; it is validated here, whatever the server promised. An answer
 * that is no JSON or does not fit is given back once, with what is wrong with it; if the next one does not fit either,
 * the call fails (invalid_output). Without a schema the result is {"text": "..."}.
 *
 * Each call tells what it used, also a failed one, the repair included: tokens, and money when the price is known.
 *
 * Ownership  The options' models, http and loop outlive the driver; free drops what is under way.
 * Threads    The loop's. done never comes from inside begin but for what cannot be sent.
 */
#pragma once
#include "drivers/prompt/cost.h"
#include "engine/driver.h"
#include "http/http.h"

typedef struct ctn_prompt_driver ctn_prompt_driver;

#define CTN_PROMPT_TOKENS_DEFAULT 4096 /* of an answer, when nobody says */

typedef struct ctn_prompt_model {
    ctn_str name; /* in catena.yaml */
    ctn_chat_api api;
    ctn_str url;        /* that requests go to */
    ctn_str model;      /* what the server calls it */
    int64_t tokens_max; /* of an answer; 0: not said */
    ctn_prompt_price price;
    bool has_new_limit;   /* ctn_chat_ask */
    bool takes_no_schema; /* the server: it is told in the instructions instead */
    ctn_http_policy policy;
} ctn_prompt_model;

/* The headers of a request to the model, its key among them, read now. What they point at lives in the arena.
 * CTN_E_...: it cannot be had, with a sentence that tells nothing of it. */
typedef int ctn_prompt_headers_fn(void *ctx, const ctn_prompt_model *model, ctn_arena *arena,
                                  const ctn_http_header **ret_headers, size_t *ret_count, ctn_err *err);

typedef struct ctn_prompt_options {
    ctn_loop *loop;
    ctn_http *http;
    ctn_call_sink sink;
    const ctn_prompt_model *models;
    size_t model_count;
    ctn_prompt_headers_fn *headers;
    void *headers_ctx;
    size_t answer_bytes_max; /* of the text of an answer; 0: 1 MiB */
} ctn_prompt_options;

ctn_prompt_driver *ctn_prompt_driver_new(const ctn_prompt_options *options);
void ctn_prompt_driver_free(ctn_prompt_driver *driver); /* NULL is fine */
ctn_driver ctn_prompt_driver_interface(ctn_prompt_driver *driver);
