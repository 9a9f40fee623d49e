/*
 * The API is what its document says: every operation is asked with values that chance makes out of the document's own
 * schemas, some of them spoilt, and each answer is held to the document.
 *
 *   - What the schemas do not take is refused with 4xx and a problem; a body's fault is named by a pointer.
 *   - What they take is never told to be ill-formed.
 *   - Nothing is answered 500; each status and body is one that the document has for that operation.
 *   - The server is well after it, and ends well; its store verifies.
 *
 * API_SEED asks again what was asked under a seed, API_TRACE=1 prints each request; API_ROUNDS asks more often.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "e2e/schema_dice.h"
#include "e2e/web_kit.h"
#include "value/schema.h"

#ifdef __SANITIZE_ADDRESS__
#define ROUNDS 6
#else
#define ROUNDS 25
#endif

typedef struct fuzz {
    world *w;
    web web;
    ctn_arena *arena; /* of the document */
    dice dice;
    ctn_str ids[8]; /* of executions that are there */
    size_t id_count;
    size_t asked, refused, done; /* requests, those of them that were ill-formed, those that were done */
    bool is_traced;
} fuzz;

typedef struct asking {
    fuzz *f;
    const ctn_json *operation, *path_item;
    const char *method;
    ctn_arena *arena;
    ctn_buf target, headers;
    ctn_str body;
    const char *wrong; /* what is ill-formed; NULL: nothing */
} asking;

static const ctn_json *member(const asking *a, const ctn_json *value, const char *name)
{
    return ctn_json_member_of(dice_resolve(&a->f->dice, value), name);
}

static bool fits(const asking *a, const ctn_json *schema, const ctn_json *value, char *ret_why, size_t size)
{
    ctn_schema *compiled = NULL;
    ctn_err err = {0};
    int rc = ctn_schema_compile(a->arena, dice_schema_alone(&a->f->dice, schema), &compiled, NULL, &err);
    if (rc == CTN_OK)
        rc = ctn_schema_validate(compiled, value, a->arena, &err);
    ctn_schema_done(compiled);
    snprintf(ret_why, size, "%s", rc ? err.message : "");
    return rc == CTN_OK;
}

/* ---- a request ---- */

static void put_encoded(ctn_buf *out, ctn_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.ptr[i];
        char hex[4];
        bool is_plain =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
        snprintf(hex, sizeof hex, "%%%02X", c);
        if (is_plain)
            ctn_buf_append_char(out, (char) c);
        else
            ctn_buf_append(out, ctn_str_from(hex));
    }
}

static ctn_str as_text(const asking *a, const ctn_json *v)
{
    return ctn_json_is(v, CTN_JSON_STRING) ? ctn_json_text(v) : ctn_json_to_str(a->arena, v);
}

/* An id that is there, most of the time. */
static ctn_str value_for(asking *a, const ctn_json *parameter)
{
    dice *d = &a->f->dice;
    const ctn_json *schema = member(a, parameter, "schema");
    bool is_id = ctn_str_is(ctn_json_str_or(dice_resolve(d, schema), "format", (ctn_str){0}), "uuid");
    if (is_id && a->f->id_count && dice_below(d, 4))
        return a->f->ids[dice_below(d, a->f->id_count)];
    if (ctn_str_is(ctn_json_str_or(parameter, "name", (ctn_str){0}), "id") && dice_below(d, 3) == 0)
        return CTN_STR("hello");
    return as_text(a, dice_value(d, schema, 0));
}

static void put_path(asking *a, ctn_str path, const ctn_json *parameters)
{
    while (path.len) {
        ctn_str before = ctn_str_cut(&path, '{'), name;
        ctn_buf_append(&a->target, before);
        if (!path.ptr)
            break;
        name = ctn_str_cut(&path, '}');
        for (size_t i = 0; i < ctn_json_count(parameters); i++) {
            const ctn_json *p = dice_resolve(&a->f->dice, ctn_json_at(parameters, i));
            if (ctn_str_equal(ctn_json_str_or(p, "name", (ctn_str){0}), name)) {
                ctn_str value = value_for(a, p);
                put_encoded(&a->target, value.len ? value : CTN_STR("x"));
            }
        }
    }
}

static void put_parameter(asking *a, const ctn_json *p, char *separator)
{
    dice *d = &a->f->dice;
    ctn_str name = ctn_json_str_or(p, "name", (ctn_str){0}), where = ctn_json_str_or(p, "in", (ctn_str){0});
    bool is_required = ctn_json_bool_or(p, "required", false);
    if (ctn_str_is(where, "path") || (!is_required && dice_below(d, 3)))
        return;
    ctn_str value = value_for(a, p);
    if (dice_below(d, 12) == 0)
        value = as_text(a, dice_spoil(d, ctn_json_string(a->arena, value)));
    if (ctn_str_is(where, "query")) {
        ctn_buf_append_char(&a->target, *separator);
        *separator = '&';
        put_encoded(&a->target, name);
        ctn_buf_append_char(&a->target, '=');
        put_encoded(&a->target, value);
    } else if (ctn_str_find_control(value) == SIZE_MAX) {
        ctn_buf_append(&a->headers,
                       ctn_arena_printf(a->arena, "%.*s: %.*s\r\n", CTN_STR_ARG(name), CTN_STR_ARG(value)));
    }
}

static void put_body(asking *a)
{
    dice *d = &a->f->dice;
    const ctn_json *body = dice_resolve(d, ctn_json_member_of(a->operation, "requestBody"));
    const ctn_json *content = ctn_json_member_of(body, "content");
    if (!content)
        return;
    const ctn_json_member *kind = &content->members[dice_below(d, ctn_json_count(content))];
    ctn_str type = ctn_json_text(&kind->key);
    const ctn_json *schema = ctn_json_member_of(&kind->value, "schema"), *value = dice_value(d, schema, 0);
    char why[sizeof(((ctn_err *) 0)->message)];
    bool is_json = ctn_str_ends_with(type, CTN_STR("json"));
    if (dice_below(d, 3) == 0)
        value = dice_spoil(d, value);
    a->body = is_json ? ctn_json_to_str(a->arena, value) : as_text(a, value);
    if (is_json && !fits(a, schema, value, why, sizeof why))
        a->wrong = "its body does not fit";
    if (is_json && dice_below(d, 20) == 0) {
        a->body = ctn_str_from_offset(a->body, 1);
        a->wrong = "its body is no JSON";
        const ctn_json *parsed = NULL;
        if (ctn_json_parse(a->arena, a->body, NULL, &parsed, NULL) == CTN_OK)
            a->wrong = fits(a, schema, parsed, why, sizeof why) ? NULL : "its body does not fit";
    }
    if (dice_below(d, 30) == 0) {
        type = CTN_STR("text/x-nobody");
        a->wrong = "its content type is none of ours";
    }
    if (!ctn_json_bool_or(body, "required", false) && dice_below(d, 4) == 0) {
        a->body = (ctn_str){0};
        a->wrong = NULL;
        return;
    }
    ctn_buf_append(&a->headers, ctn_arena_printf(a->arena, "Content-Type: %.*s\r\n", CTN_STR_ARG(type)));
}

/* ---- an answer ---- */

static void complain(const asking *a, const web_answer *answer, const char *what)
{
    fail_msg("%s %s\n%.*s\n%.*s\n%d: %.*s\n%s", a->method, a->target.data, CTN_STR_ARG(ctn_buf_str(&a->headers)),
             CTN_STR_ARG(a->body), answer->status, CTN_STR_ARG(answer->body), what);
}

static void judge_documented(asking *a, const web_answer *answer)
{
    char status[8], why[sizeof(((ctn_err *) 0)->message)];
    const ctn_json *responses = ctn_json_member_of(a->operation, "responses"), *response;
    snprintf(status, sizeof status, "%d", answer->status);
    response = ctn_json_member_of(responses, status);
    if (!response && answer->status >= 400)
        response = ctn_json_member_of(responses, "default");
    if (!response)
        complain(a, answer, "the document has no such status for it");
    const ctn_json *content = member(a, response, "content");
    if (!content && answer->body.len)
        complain(a, answer, "the document has no body for it");
    if (!content || !answer->body.len)
        return;
    const ctn_json *media = ctn_json_get(content, answer->type);
    if (!media)
        complain(a, answer, "the document has no such content type for it");
    const ctn_json *schema = ctn_json_member_of(media, "schema");
    if (answer->json && schema && !fits(a, schema, answer->json, why, sizeof why))
        complain(a, answer, why);
}

static void judge(asking *a, const web_answer *answer)
{
    const ctn_json *errors = ctn_json_member_of(answer->json, "errors");
    bool is_form_fault = answer->status == 400 || answer->status == 415;
    if (answer->status >= 500 && answer->status != 503)
        complain(a, answer, "it is our fault, whatever was asked");
    if (a->wrong && answer->status < 400)
        complain(a, answer, a->wrong);
    if (answer->status >= 400 && !ctn_str_is(answer->type, "application/problem+json"))
        complain(a, answer, "no problem+json");
    if (answer->status >= 400 && answer->status != 401 &&
        ctn_json_str_or(answer->json, "detail", (ctn_str){0}).len < 10)
        complain(a, answer, "no sentence says why");
    if (answer->status == 422 && !ctn_json_count(errors) &&
        !ctn_json_count(ctn_json_member_of(answer->json, "findings")))
        complain(a, answer, "neither a field nor a place in a file is named");
    judge_documented(a, answer);
    a->f->refused += is_form_fault || answer->status == 422;
    a->f->done += answer->status < 300;
}

static bool is_stream(const asking *a)
{
    const ctn_json *ok = ctn_json_pointer(a->operation, CTN_STR("/responses/200"));
    return member(a, member(a, ok, "content"), "text/event-stream") != NULL;
}

static void ask(fuzz *f, ctn_str path, const ctn_json *path_item, const char *method, const ctn_json *operation)
{
    asking a = {
        .f = f, .operation = operation, .path_item = path_item, .method = method, .arena = ctn_arena_new(65536)};
    const ctn_json *lists[] = {ctn_json_member_of(path_item, "parameters"),
                               ctn_json_member_of(operation, "parameters")};
    ctn_json_builder all = ctn_json_array(a.arena);
    char separator = '?';
    ctn_arena *kept = f->dice.arena;
    f->dice.arena = a.arena;
    ctn_buf_init(&a.target, 65536);
    ctn_buf_init(&a.headers, 65536);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < ctn_json_count(lists[k]); i++)
            ctn_json_push(&all, ctn_json_at(lists[k], i));
    const ctn_json *parameters = ctn_json_finish(&all);
    put_path(&a, path, parameters);
    for (size_t i = 0; i < ctn_json_count(parameters); i++)
        put_parameter(&a, dice_resolve(&f->dice, ctn_json_at(parameters, i)), &separator);
    put_body(&a);
    ctn_buf_append(&a.headers, CTN_STR("Authorization: Bearer root-token-of-the-fuzzer\r\n"));
    ctn_buf_append_char(&a.target, '\0');
    ctn_buf_append_char(&a.headers, '\0');
    if (!is_stream(&a)) { /* an endless answer has tests of its own */
        if (f->is_traced)
            print_message("%s %s %.*s\n", method, a.target.data, CTN_STR_ARG(a.body));
        bool has_body = a.body.ptr || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
        ctn_str body = a.body.ptr || !has_body ? a.body : CTN_STR("");
        web_answer answer = web_ask(&f->web, a.arena, method, a.target.data, a.headers.data, body);
        f->asked++;
        judge(&a, &answer);
    }
    ctn_buf_done(&a.target);
    ctn_buf_done(&a.headers);
    f->dice.arena = kept;
    ctn_arena_free(a.arena);
}

/* ---- all of them ---- */

static void each_operation(fuzz *f)
{
    static const struct {
        const char *name, *method;
    } METHODS[] = {{"get", "GET"}, {"put", "PUT"}, {"post", "POST"}, {"delete", "DELETE"}, {"patch", "PATCH"}};
    const ctn_json *paths = ctn_json_member_of(f->dice.document, "paths");
    for (size_t i = 0; i < ctn_json_count(paths); i++)
        for (size_t k = 0; k < sizeof METHODS / sizeof *METHODS; k++) {
            const ctn_json *item = &paths->members[i].value;
            const ctn_json *operation = ctn_json_member_of(item, METHODS[k].name);
            if (operation)
                ask(f, ctn_json_text(&paths->members[i].key), item, METHODS[k].method, operation);
        }
}

static void begin_executions(fuzz *f)
{
    static const char *const BODIES[] = {"{\"chain\":\"hello\",\"input\":{\"name\":\"Ann\"}}",
                                         "{\"chain\":\"asks\",\"input\":{\"name\":\"Ann\"}}",
                                         "{\"chain\":\"fails\",\"input\":{\"name\":\"Ann\"}}"};
    for (size_t i = 0; i < 6; i++) {
        web_answer a = web_ask(&f->web, f->arena, "POST", "/v1/executions?wait=500ms",
                               "Content-Type: application/json\r\n"
                               "Authorization: Bearer root-token-of-the-fuzzer\r\n",
                               ctn_str_from(BODIES[i % 3]));
        ctn_str id = ctn_json_str_or(a.json, "executionId", (ctn_str){0});
        if (!id.len)
            id = ctn_json_str_or(a.json, "id", (ctn_str){0});
        if (!id.len)
            fail_msg("%d: %.*s", a.status, CTN_STR_ARG(a.body));
        f->ids[f->id_count++] = id;
    }
}

static void write_files(world *w)
{
    cli_world_env(w, "ROOT=root-token-of-the-fuzzer");
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:api.db\ninclude: ['*.chain.yaml', sets.yaml]\n"
                    "http:\n  tokens: {root: {env: ROOT, roles: [admin]}}\n");
    cli_world_write(w, "sets.yaml",
                    "instructionSets:\n  say: {native: noop, effect: none, arguments: {greeting: 'Hello {name}'}}\n"
                    "  ask: {approval: {message: go on?}}\n");
    cli_world_write(w, "hello.chain.yaml",
                    "id: hello\noutputs: [greeting]\nsteps:\n"
                    "  - {stepName: greet, instructionSet: say, outputVariables: [greeting]}\n");
    cli_world_write(w, "asks.chain.yaml",
                    "id: asks\nsteps:\n  - {stepName: greet, instructionSet: say, outputVariables: [greeting]}\n"
                    "  - {stepName: ask, instructionSet: ask}\n");
    cli_world_write(w, "fails.chain.yaml",
                    "id: fails\nsteps:\n  - {stepName: 'no', instructionSet: say, conditionalExecution: fail}\n");
}

static void every_operation_answers_as_the_document_says(void **state)
{
    fuzz *f = calloc(1, sizeof *f);
    struct timeval now;
    const char *seed_text = getenv("API_SEED"), *rounds_text = getenv("API_ROUNDS");
    (void) gettimeofday(&now, NULL);
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : (uint64_t) now.tv_usec + 1, state_of_dice = seed;
    int rounds = rounds_text ? atoi(rounds_text) : ROUNDS;
    print_message("API_SEED=%llu\n", (unsigned long long) seed);
    f->w = *state;
    f->is_traced = getenv("API_TRACE") != NULL;
    f->arena = ctn_arena_new(65536);
    write_files(f->w);
    web_open(&f->web, f->w, "");
    web_answer document = web_ask(&f->web, f->arena, "GET", "/openapi.json",
                                  "Authorization: Bearer root-token-of-the-fuzzer\r\n", (ctn_str){0});
    assert_int_equal(document.status, 200);
    assert_non_null(document.json);
    f->dice = (dice){.arena = f->arena, .document = document.json, .rng = ctn_rng_seeded(&state_of_dice)};
    begin_executions(f);
    for (int i = 0; i < rounds; i++)
        each_operation(f);
    print_message("%zu requests, %zu ill-formed, %zu done\n", f->asked, f->refused, f->done);
    assert_true(f->asked >= (size_t) rounds * 5 && f->refused > 0 && f->done > 0);
    web_close(&f->web);
    assert_exit(f->w, catena(f->w, "store", "verify", NULL), 0);
    ctn_arena_free(f->arena);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CLI_TEST(every_operation_answers_as_the_document_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
