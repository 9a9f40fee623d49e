/* Prompts: what a model is asked, what becomes of its answer, and every way in which it gives none. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "drivers/prompt/prompt.h"
#include "support/cmocka.h"
#include "support/model_peer.h"

#define CALLS_MAX 32
#define KEY       "sk-planted-key-5f1c"

typedef struct bench {
    model_peer *peer;
    ctn_loop *loop;
    ctn_http *http;
    ctn_prompt_driver *driver;
    ctn_driver iface;
    ctn_arena *arena;
    ctn_timer *patience;
    ctn_prompt_model model;
    ctn_call_result results[CALLS_MAX];
    unsigned answers[CALLS_MAX], begun, ended, progress_count;
    double progress;
    bool has_no_key, is_sensitive, is_impatient;
    int64_t timeout_ms, idle_timeout_ms;
} bench;

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    bench *b = ctx;
    b->answers[token]++;
    b->ended++;
    b->results[token] = *result;
    b->results[token].value = result->value ? ctn_json_copy(b->arena, result->value) : NULL;
    b->results[token].message = ctn_arena_str(b->arena, result->message);
    b->results[token].used_money = ctn_arena_str(b->arena, result->used_money);
    if (b->ended == b->begun)
        ctn_loop_stop(b->loop);
}

static void on_progress(void *ctx, uint64_t token, double progress, double total, ctn_str message)
{
    bench *b = ctx;
    (void) token, (void) total;
    assert_int_equal(ctn_str_find(message, CTN_STR("glad")), SIZE_MAX);
    b->progress = progress;
    b->progress_count++;
}

static void out_of_patience(void *ctx)
{
    bench *b = ctx;
    b->is_impatient = true;
    ctn_loop_stop(b->loop);
}

static int headers(void *ctx, const ctn_prompt_model *model, ctn_arena *arena, const ctn_http_header **ret_headers,
                   size_t *ret_count, ctn_err *err)
{
    const bench *b = ctx;
    ctn_http_header *h = CTN_NEW_ARRAY(arena, ctn_http_header, 1);
    (void) model;
    if (b->has_no_key)
        return ctn_fail(err, CTN_E_NOT_FOUND, "its key: the variable MODEL_KEY is not set");
    *h = (ctn_http_header){CTN_STR("x-api-key"), CTN_STR(KEY), true};
    *ret_headers = h;
    *ret_count = 1;
    return CTN_OK;
}

static void play(bench *b, model_api api, const model_turn *turns, size_t count)
{
    b->peer = model_peer_start(api, turns, count);
    b->arena = ctn_arena_new(4096);
    b->loop = ctn_loop_new();
    b->http = ctn_http_new(&(ctn_http_options){.loop = b->loop});
    b->patience = ctn_timer_new(b->loop, out_of_patience, b);
    b->timeout_ms = b->timeout_ms ? b->timeout_ms : 10000;
    b->model.name = CTN_STR("main");
    b->model.api = api == MODEL_OPENAI ? CTN_CHAT_OPENAI : CTN_CHAT_ANTHROPIC;
    b->model.model = CTN_STR("tiny-1");
    b->model.url = ctn_arena_printf(b->arena, "%s/v1%s", model_peer_url(b->peer), ctn_chat_path(b->model.api));
    b->driver =
        ctn_prompt_driver_new(&(ctn_prompt_options){.loop = b->loop,
                                                    .http = b->http,
                                                    .sink = {.done = on_done, .progress = on_progress, .ctx = b},
                                                    .models = &b->model,
                                                    .model_count = 1,
                                                    .headers = headers,
                                                    .headers_ctx = b,
                                                    .answer_bytes_max = 4096});
    b->iface = ctn_prompt_driver_interface(b->driver);
}

#define PLAY(b, api, ...)                                                                                              \
    do {                                                                                                               \
        const model_turn turns_[] = {__VA_ARGS__};                                                                     \
        play((b), (api), turns_, sizeof turns_ / sizeof *turns_);                                                      \
    } while (0)

static const ctn_json *parsed(bench *b, const char *text)
{
    const ctn_json *value = NULL;
    assert_int_equal(ctn_json_parse(b->arena, ctn_str_from(text), NULL, &value, NULL), CTN_OK);
    return value;
}

#define MOOD        "{\"type\":\"object\",\"required\":[\"mood\"],\"properties\":{\"mood\":{\"enum\":[\"glad\",\"sad\"]}}}"
#define MOOD_DETAIL "{\"instructions\":\"Say the mood.\",\"schema\":" MOOD ",\"maxTokens\":100,\"temperature\":0.20}"
#define TEXT_DETAIL "{\"instructions\":\"Say hello.\"}"

static unsigned begin(bench *b, const char *model, const char *detail, const char *args)
{
    unsigned token = ++b->begun;
    ctn_call_request request = {.token = token,
                                .target = ctn_str_from(model),
                                .detail = parsed(b, detail),
                                .args = parsed(b, args),
                                .timeout_ms = b->timeout_ms,
                                .idle_timeout_ms = b->idle_timeout_ms,
                                .is_sensitive = b->is_sensitive,
                                .traceparent = CTN_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")};
    b->iface.begin(b->iface.ctx, &request);
    return token;
}

static void await_all(bench *b)
{
    ctn_timer_set(b->patience, ctn_loop_now_ms(b->loop) + 15000);
    if (b->ended < b->begun)
        ctn_loop_run(b->loop);
    ctn_timer_clear(b->patience);
    assert_false(b->is_impatient);
}

static const ctn_call_result *ask(bench *b, const char *detail)
{
    unsigned token = begin(b, "main", detail, "{\"input\":\"It is sunny.\"}");
    await_all(b);
    assert_int_equal(b->answers[token], 1);
    return &b->results[token];
}

static void assert_value(bench *b, const ctn_call_result *r, const char *expected)
{
    if (r->failure)
        fail_msg("%s: %.*s", ctn_failure_name(r->failure), CTN_STR_ARG(r->message));
    assert_true(ctn_json_equal(r->value, parsed(b, expected)));
}

static void assert_failure(const ctn_call_result *r, ctn_failure failure, const char *part)
{
    if (r->failure != failure || ctn_str_find(r->message, ctn_str_from(part)) == SIZE_MAX)
        fail_msg("%s: %.*s", ctn_failure_name(r->failure), CTN_STR_ARG(r->message));
    assert_int_equal(ctn_str_find(r->message, CTN_STR(KEY)), SIZE_MAX);
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(bench));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    bench *b = *state;
    ctn_prompt_driver_free(b->driver);
    ctn_timer_free(b->patience);
    ctn_http_free(b->http);
    ctn_loop_free(b->loop);
    model_peer_stop(b->peer);
    ctn_arena_free(b->arena);
    free(b);
    return 0;
}

#define GLAD "{\"mood\": \"glad\"}"

/* ---- what is asked ---- */

static void chat_completions_are_asked_for_a_structured_answer(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_OPENAI, {.text = GLAD, .input_tokens = 40, .output_tokens = 6});
    const ctn_call_result *r = ask(b, MOOD_DETAIL);
    assert_value(b, r, GLAD);
    assert_int_equal(r->used_tokens, 46);
    assert_int_equal(r->used_money.len, 0); /* nobody knows the price */
    const ctn_json *body = parsed(b, model_peer_body(b->peer, 0));
    assert_true(ctn_json_equal(ctn_json_member_of(body, "temperature"), parsed(b, "0.2")));
    assert_int_equal(ctn_json_int_or(body, "max_tokens", 0), 100);
    assert_true(ctn_str_is(ctn_json_str_or(body, "model", (ctn_str){0}), "tiny-1"));
    assert_true(
        ctn_json_equal(ctn_json_pointer(body, CTN_STR("/response_format/json_schema/schema")), parsed(b, MOOD)));
    /* what it is about is data, in a message of its own */
    ctn_str system = ctn_json_text(ctn_json_pointer(body, CTN_STR("/messages/0/content")));
    assert_true(ctn_str_starts_with(system, CTN_STR("Say the mood.")));
    assert_int_equal(ctn_str_find(system, CTN_STR("sunny")), SIZE_MAX);
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(body, CTN_STR("/messages/1/content"))),
                           "{\"input\":\"It is sunny.\"}"));
    assert_non_null(strstr(model_peer_head(b->peer, 0), "POST /v1/chat/completions "));
    assert_non_null(strstr(model_peer_head(b->peer, 0), "traceparent: 00-4bf9"));
    assert_non_null(strstr(model_peer_head(b->peer, 0), KEY));
}

static void messages_are_asked_for_a_structured_answer(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_ANTHROPIC, {.text = GLAD, .input_tokens = 40, .cached_tokens = 30, .output_tokens = 6});
    b->model.price = (ctn_prompt_price){CTN_STR("3"), CTN_STR("15"), CTN_STR("0.30")};
    const ctn_call_result *r = ask(b, MOOD_DETAIL);
    assert_value(b, r, GLAD);
    assert_int_equal(r->used_tokens, 46);
    /* 10 * 3 + 30 * 0.30 + 6 * 15 millionths */
    assert_true(ctn_json_equal(ctn_json_number(b->arena, r->used_money), parsed(b, "0.000129")));
    const ctn_json *body = parsed(b, model_peer_body(b->peer, 0));
    assert_true(ctn_json_equal(ctn_json_pointer(body, CTN_STR("/tools/0/input_schema")), parsed(b, MOOD)));
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(body, CTN_STR("/tool_choice/type"))), "tool"));
    assert_int_equal(ctn_json_int_or(body, "max_tokens", 0), 100);
    assert_true(ctn_str_starts_with(ctn_json_str_or(body, "system", (ctn_str){0}), CTN_STR("Say the mood.")));
    assert_non_null(strstr(model_peer_head(b->peer, 0), "POST /v1/v1/messages "));
}

static void without_a_schema_the_answer_is_a_text(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_ANTHROPIC, {.text = "Hello, \"you\"!\nBye.", .input_tokens = 1, .output_tokens = 1});
    assert_value(b, ask(b, TEXT_DETAIL), "{\"text\":\"Hello, \\\"you\\\"!\\nBye.\"}");
    assert_null(strstr(model_peer_body(b->peer, 0), "\"tools\""));
    assert_non_null(strstr(model_peer_body(b->peer, 0), "\"max_tokens\":4096"));
}

static void a_server_that_does_not_stream_is_understood(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_OPENAI, {.way = MODEL_WHOLE, .text = GLAD, .input_tokens = 4, .output_tokens = 6});
    assert_value(b, ask(b, MOOD_DETAIL), GLAD);
    assert_int_equal(b->results[1].used_tokens, 10);
}

static void a_server_of_messages_that_does_not_stream_is_understood(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_ANTHROPIC, {.way = MODEL_WHOLE, .text = GLAD, .input_tokens = 4, .output_tokens = 6});
    assert_value(b, ask(b, MOOD_DETAIL), GLAD);
}

static void a_schema_that_the_server_cannot_take_is_told(void **state)
{
    bench *b = *state;
    b->model.takes_no_schema = true;
    PLAY(b, MODEL_OPENAI, {.text = "```json\n" GLAD "\n```", .input_tokens = 4, .output_tokens = 6});
    assert_value(b, ask(b, MOOD_DETAIL), GLAD);
    assert_null(strstr(model_peer_body(b->peer, 0), "response_format"));
    assert_non_null(strstr(model_peer_body(b->peer, 0), "JSON Schema"));
}

static void a_schema_that_is_no_object_is_told(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_ANTHROPIC, {.text = "[1, 2]", .input_tokens = 4, .output_tokens = 6});
    assert_value(b, ask(b, "{\"instructions\":\"x\",\"schema\":{\"type\":\"array\"}}"), "[1,2]");
    assert_null(strstr(model_peer_body(b->peer, 0), "\"tools\""));
}

/* ---- the repair ---- */

static void an_answer_of_another_form_is_mended_once(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_OPENAI, {.text = "{\"mood\": \"hungry\"}", .input_tokens = 40, .output_tokens = 6},
         {.text = GLAD, .input_tokens = 60, .output_tokens = 6});
    const ctn_call_result *r = ask(b, MOOD_DETAIL);
    assert_value(b, r, GLAD);
    assert_int_equal(r->used_tokens, 112); /* both */
    assert_int_equal(model_peer_requests(b->peer), 2);
    const ctn_json *body = parsed(b, model_peer_body(b->peer, 1));
    assert_true(
        ctn_str_is(ctn_json_text(ctn_json_pointer(body, CTN_STR("/messages/2/content"))), "{\"mood\": \"hungry\"}"));
    ctn_str objection = ctn_json_text(ctn_json_pointer(body, CTN_STR("/messages/3/content")));
    assert_int_not_equal(ctn_str_find(objection, CTN_STR("/mood")), SIZE_MAX);
}

static void an_answer_that_stays_of_another_form_is_a_failure(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_ANTHROPIC, {.text = "{\"mood\": \"hungry\"}", .input_tokens = 40, .output_tokens = 6});
    const ctn_call_result *r = ask(b, MOOD_DETAIL);
    assert_failure(r, CTN_FAILURE_INVALID_OUTPUT, "/mood");
    assert_int_equal(r->used_tokens, 92);
    assert_int_equal(model_peer_requests(b->peer), 2);
}

static void what_is_no_json_is_mended_too(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_OPENAI, {.text = "I feel glad.", .input_tokens = 1, .output_tokens = 1},
         {.text = GLAD, .input_tokens = 1, .output_tokens = 1});
    assert_value(b, ask(b, MOOD_DETAIL), GLAD);
}

static void a_repair_that_fails_tells_what_both_used(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_OPENAI, {.text = "no", .input_tokens = 10, .output_tokens = 5},
         {.status = 503, .text = "later", .headers = "Retry-After: 7\r\n"});
    const ctn_call_result *r = ask(b, MOOD_DETAIL);
    assert_failure(r, CTN_FAILURE_UNAVAILABLE, "503");
    assert_int_equal(r->used_tokens, 15);
    assert_int_equal(r->retry_after_ms, 7000);
}

/* ---- every way to get no answer ---- */

typedef struct refusal_case {
    model_turn turn;
    ctn_failure failure;
    const char *part;
    int64_t retry_after_ms;
    bool is_used; /* tokens are counted though none were told */
} refusal_case;

static void assert_refusals(bench *b, model_api api, const refusal_case *cases, size_t count)
{
    model_turn turns[CALLS_MAX] = {{0}};
    for (size_t i = 0; i < count; i++)
        turns[i] = cases[i].turn;
    play(b, api, turns, count);
    for (size_t i = 0; i < count; i++) {
        const ctn_call_result *r = ask(b, TEXT_DETAIL);
        assert_failure(r, cases[i].failure, cases[i].part);
        assert_int_equal(r->retry_after_ms, cases[i].retry_after_ms);
        if ((r->used_tokens > 0) != cases[i].is_used)
            fail_msg("case %zu: %lld tokens", i, (long long) r->used_tokens);
        assert_true(r->was_sent);
    }
}

static void what_a_server_refuses_is_told_plainly(void **state)
{
    static const refusal_case CASES[] = {
        {{.status = 401, .text = "Incorrect API key provided: " KEY},
         CTN_FAILURE_DENIED,
         "refuses the key (HTTP 401)",
         0,
         false},
        {{.status = 403, .text = "no"}, CTN_FAILURE_DENIED, "HTTP 403", 0, false},
        {{.status = 404, .text = "no such model"}, CTN_FAILURE_INVALID_INPUT, "knows no \"tiny-1\"", 0, false},
        {{.status = 400, .text = "temperature is too hot"},
         CTN_FAILURE_INVALID_INPUT,
         "temperature is too hot",
         0,
         false},
        {{.status = 400,
          .type = "context_length_exceeded",
          .text = "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens"},
         CTN_FAILURE_LIMIT,
         "8192 tokens",
         0,
         false},
        {{.status = 400, .text = "prompt is too long: 1520294 tokens > 1000000 maximum"},
         CTN_FAILURE_LIMIT,
         "1520294 tokens > 1000000 maximum",
         0,
         false},
        {{.status = 413, .text = "large"}, CTN_FAILURE_LIMIT, "cannot hold what it was sent", 0, false},
        {{.status = 429, .text = "slow down", .headers = "Retry-After: 3\r\n"},
         CTN_FAILURE_RATE_LIMITED,
         "slow down",
         3000,
         false},
        {{.status = 429, .text = "x", .headers = "retry-after-ms: 1500\r\nRetry-After: 2\r\n"},
         CTN_FAILURE_RATE_LIMITED,
         "429",
         1500,
         false},
        {{.status = 429, .type = "insufficient_quota", .text = "x"}, CTN_FAILURE_DENIED, "no credit", 0, false},
        {{.status = 529, .text = "Overloaded", .headers = "Retry-After: 20\r\n"},
         CTN_FAILURE_UNAVAILABLE,
         "Overloaded",
         20000,
         false},
        {{.status = 500, .text = "x"}, CTN_FAILURE_UNAVAILABLE, "HTTP 500", 0, false},
        {{.status = 302, .text = "x"}, CTN_FAILURE_PROTOCOL_ERROR, "HTTP 302", 0, false},
        {{.way = MODEL_STREAMS, .text = "Once upon", .end = "length"},
         CTN_FAILURE_LIMIT,
         "cut off at 4096 tokens",
         0,
         true},
        {{.way = MODEL_STREAMS, .text = "", .end = "content_filter"},
         CTN_FAILURE_TOOL_ERROR,
         "content filter",
         0,
         true},
        {{.way = MODEL_STREAMS, .text = "", .refusal = "I would rather not."},
         CTN_FAILURE_TOOL_ERROR,
         "I would rather not.",
         0,
         true},
        {{.way = MODEL_STREAMS, .text = " \n"}, CTN_FAILURE_INVALID_OUTPUT, "empty answer", 0, true},
        {{.way = MODEL_STREAMS, .text = "half", .is_unended = true},
         CTN_FAILURE_TRANSPORT,
         "before the answer did",
         0,
         true},
        {{.way = MODEL_CUT, .text = "half of it"}, CTN_FAILURE_TRANSPORT, "before the answer did", 0, true},
        {{.way = MODEL_CUT_EARLY}, CTN_FAILURE_TRANSPORT, "was lost", 0, true},
        {{.way = MODEL_RAW, .type = "text/html", .text = "<html>"}, CTN_FAILURE_PROTOCOL_ERROR, "text/html", 0, true},
        {{.way = MODEL_RAW, .type = "application/json", .text = "{\"choices\": 7}"},
         CTN_FAILURE_PROTOCOL_ERROR,
         "no answer of a model",
         0,
         true},
        {{.way = MODEL_RAW, .type = "application/json", .text = "{broken"},
         CTN_FAILURE_PROTOCOL_ERROR,
         "no answer of a model",
         0,
         true},
        {{.way = MODEL_RAW,
          .type = "text/event-stream",
          .text = "data: {\"error\":{\"type\":\"overloaded_error\",\"message\":\"too many\"}}\n\n"},
         CTN_FAILURE_UNAVAILABLE,
         "too many",
         0,
         true},
    };
    assert_refusals(*state, MODEL_OPENAI, CASES, sizeof CASES / sizeof *CASES);
}

static void what_a_server_of_messages_refuses_is_told_plainly(void **state)
{
    static const refusal_case CASES[] = {
        {{.status = 529, .type = "overloaded_error", .text = "Overloaded"},
         CTN_FAILURE_UNAVAILABLE,
         "Overloaded",
         0,
         false},
        {{.way = MODEL_STREAMS, .text = "Once", .end = "max_tokens"},
         CTN_FAILURE_LIMIT,
         "cut off at 4096 tokens",
         0,
         true},
        {{.way = MODEL_STREAMS, .text = "Once", .end = "model_context_window_exceeded"},
         CTN_FAILURE_LIMIT,
         "can hold",
         0,
         true},
        {{.way = MODEL_STREAMS, .text = "", .end = "refusal"}, CTN_FAILURE_TOOL_ERROR, "refuses to answer", 0, true},
        {{.way = MODEL_CUT, .text = "half of it"}, CTN_FAILURE_TRANSPORT, "before the answer did", 0, true},
        {{.way = MODEL_RAW,
          .type = "text/event-stream",
          .text = "event: error\ndata: "
                  "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"x\"}}\n\n"},
         CTN_FAILURE_RATE_LIMITED,
         "broke off",
         0,
         true},
    };
    assert_refusals(*state, MODEL_ANTHROPIC, CASES, sizeof CASES / sizeof *CASES);
}

static void a_date_may_say_when_to_come_again(void **state)
{
    bench *b = *state;
    char line[96], date[64];
    time_t at = time(NULL) + 60;
    struct tm tm;
    assert_true(strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &tm)) > 0);
    (void) snprintf(line, sizeof line, "Retry-After: %s\r\n", date);
    PLAY(b, MODEL_OPENAI, {.status = 503, .text = "x", .headers = line});
    const ctn_call_result *r = ask(b, TEXT_DETAIL);
    assert_true(r->retry_after_ms > 40000 && r->retry_after_ms <= 60000);
}

static void a_server_that_is_not_there_was_sent_nothing(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_OPENAI, {.text = "x"});
    b->model.url = CTN_STR("http://127.0.0.1:1/chat/completions");
    const ctn_call_result *r = ask(b, TEXT_DETAIL);
    assert_failure(r, CTN_FAILURE_TRANSPORT, "was not reached");
    assert_false(r->was_sent);
    assert_int_equal(r->used_tokens, 0);
}

static void no_private_address_is_asked_unasked(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_OPENAI, {.text = "x"});
    b->model.url = CTN_STR("https://10.0.0.1/chat/completions");
    assert_failure(ask(b, TEXT_DETAIL), CTN_FAILURE_DENIED, "may not be reached");
}

static void a_model_that_nobody_named_is_refused(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_OPENAI, {.text = "x"});
    unsigned token = begin(b, "other", TEXT_DETAIL, "{}");
    assert_failure(&b->results[token], CTN_FAILURE_INVALID_INPUT, "no model \"other\"");
}

static void a_key_that_is_not_there_is_said_so(void **state)
{
    bench *b = *state;
    b->has_no_key = true;
    PLAY(b, MODEL_OPENAI, {.text = "x"});
    assert_failure(ask(b, TEXT_DETAIL), CTN_FAILURE_DENIED, "MODEL_KEY is not set");
    assert_int_equal(model_peer_requests(b->peer), 0);
}

static void time_is_over_in_the_end(void **state)
{
    bench *b = *state;
    b->timeout_ms = 150;
    PLAY(b, MODEL_OPENAI, {.way = MODEL_HANGS});
    const ctn_call_result *r = ask(b, TEXT_DETAIL);
    assert_failure(r, CTN_FAILURE_TIMEOUT, "did not answer");
    assert_true(r->used_tokens > 4096); /* it may still write */
}

static void silence_ends_an_answer(void **state)
{
    bench *b = *state;
    b->idle_timeout_ms = 150;
    PLAY(b, MODEL_OPENAI, {.way = MODEL_FALLS_MUTE, .text = "half of it"});
    assert_failure(ask(b, TEXT_DETAIL), CTN_FAILURE_TIMEOUT, "did not answer");
}

static void an_answer_without_end_is_given_up(void **state)
{
    static char large[6000];
    bench *b = *state;
    memset(large, 'x', sizeof large - 1);
    PLAY(b, MODEL_OPENAI, {.text = large});
    assert_failure(ask(b, TEXT_DETAIL), CTN_FAILURE_LIMIT, "larger than is read");
}

static void nothing_that_is_said_of_a_sensitive_call_is_repeated(void **state)
{
    bench *b = *state;
    b->is_sensitive = true;
    PLAY(b, MODEL_OPENAI, {.status = 400, .text = "the word sunny is not allowed"},
         {.text = "", .refusal = "sunny? no"}, {.text = "{\"mood\":\"sunny\"}"});
    for (int i = 0; i < 3; i++) {
        const ctn_call_result *r = ask(b, i < 2 ? TEXT_DETAIL : MOOD_DETAIL);
        assert_int_not_equal(r->failure, CTN_FAILURE_NONE);
        assert_int_equal(ctn_str_find(r->message, CTN_STR("sunny")), SIZE_MAX);
    }
}

static void progress_is_told_and_never_the_words(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_OPENAI, {.text = "glad glad glad glad glad glad", .pause_ms = 60});
    assert_value(b, ask(b, TEXT_DETAIL), "{\"text\":\"glad glad glad glad glad glad\"}");
    assert_true(b->progress_count >= 1 && b->progress > 0);
}

static void a_cancelled_call_is_heard_no_more(void **state)
{
    bench *b = *state;
    PLAY(b, MODEL_OPENAI, {.way = MODEL_HANGS}, {.text = "x"});
    unsigned token = begin(b, "main", TEXT_DETAIL, "{}");
    b->iface.cancel(b->iface.ctx, token);
    b->ended++;
    (void) begin(b, "main", TEXT_DETAIL, "{}"); /* also one that is under way when the driver goes */
    assert_int_equal(b->answers[token], 0);
}

static void what_is_not_counted_is_taken_at_its_most(void **state)
{
    (void) state;
    ctn_chat_ask question = {.instructions = CTN_STR("0123456789"), .input = CTN_STR("{}"), .tokens_max = 500};
    ctn_chat_answer answer;
    ctn_chat_answer_init(&answer, 100);
    ctn_prompt_use use = ctn_prompt_use_told(&question, &answer); /* nothing came */
    assert_int_equal(use.input, 652);
    assert_int_equal(use.output, 500);
    ctn_buf_append_literal(&answer.text, "hello");
    answer.output_tokens = 2; /* told before it was cut off: there may have been more */
    use = ctn_prompt_use_told(&question, &answer);
    assert_int_equal(use.output, 500);
    answer.is_over = true;
    use = ctn_prompt_use_told(&question, &answer);
    assert_int_equal(use.output, 2);
    ctn_chat_answer_done(&answer);
}

int main(void)
{
#define PROMPT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        PROMPT_TEST(chat_completions_are_asked_for_a_structured_answer),
        PROMPT_TEST(messages_are_asked_for_a_structured_answer),
        PROMPT_TEST(without_a_schema_the_answer_is_a_text),
        PROMPT_TEST(a_server_that_does_not_stream_is_understood),
        PROMPT_TEST(a_server_of_messages_that_does_not_stream_is_understood),
        PROMPT_TEST(a_schema_that_the_server_cannot_take_is_told),
        PROMPT_TEST(a_schema_that_is_no_object_is_told),
        PROMPT_TEST(an_answer_of_another_form_is_mended_once),
        PROMPT_TEST(an_answer_that_stays_of_another_form_is_a_failure),
        PROMPT_TEST(what_is_no_json_is_mended_too),
        PROMPT_TEST(a_repair_that_fails_tells_what_both_used),
        PROMPT_TEST(what_a_server_refuses_is_told_plainly),
        PROMPT_TEST(what_a_server_of_messages_refuses_is_told_plainly),
        PROMPT_TEST(a_date_may_say_when_to_come_again),
        PROMPT_TEST(a_server_that_is_not_there_was_sent_nothing),
        PROMPT_TEST(no_private_address_is_asked_unasked),
        PROMPT_TEST(a_model_that_nobody_named_is_refused),
        PROMPT_TEST(a_key_that_is_not_there_is_said_so),
        PROMPT_TEST(time_is_over_in_the_end),
        PROMPT_TEST(silence_ends_an_answer),
        PROMPT_TEST(an_answer_without_end_is_given_up),
        PROMPT_TEST(nothing_that_is_said_of_a_sensitive_call_is_repeated),
        PROMPT_TEST(progress_is_told_and_never_the_words),
        PROMPT_TEST(a_cancelled_call_is_heard_no_more),
        cmocka_unit_test(what_is_not_counted_is_taken_at_its_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
