/* Functions of the program as tools: they answer, fail and are named like those of a server. */
#include "drivers/native.h"
#include "support/cmocka.h"

typedef struct fixture {
    ctn_native_driver *driver;
    ctn_driver iface;
    ctn_arena *arena;
    int done_count;
    uint64_t token;
    ctn_call_result result;
    int nested; /* begin so many more from inside done */
} fixture;

static void begin(fixture *f, uint64_t token, const char *target, const ctn_json *args)
{
    f->iface.begin(f->iface.ctx,
                   &(ctn_call_request){
                       .token = token, .target = ctn_str_from(target), .args = args, .idempotency_key = CTN_STR("k")});
}

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    fixture *f = ctx;
    if (f->nested-- > 0)
        begin(f, token + 1, "twice", result->value);
    f->done_count++;
    f->token = token;
    f->result = *result;
    f->result.value = result->value ? ctn_json_copy(f->arena, result->value) : NULL;
    f->result.message = ctn_arena_str(f->arena, result->message);
}

static ctn_native_result twice(void *ctx, const ctn_native_call *call, ctn_arena *arena)
{
    (void) ctx;
    assert_true(ctn_str_is(call->idempotency_key, "k"));
    ctn_json_builder value = ctn_json_object(arena);
    ctn_json_put_int(&value, "n", 2 * ctn_json_int_or(call->args, "n", 0));
    return (ctn_native_result){.value = ctn_json_finish(&value)};
}

static ctn_native_result refuse(void *ctx, const ctn_native_call *call, ctn_arena *arena)
{
    (void) call, (void) arena;
    return (ctn_native_result){.failure = CTN_FAILURE_TOOL_ERROR, .message = *(ctn_str *) ctx};
}

static int setup(void **state)
{
    static fixture f;
    f = (fixture){.arena = ctn_arena_new(4096)};
    f.driver = ctn_native_driver_new((ctn_call_sink){.done = on_done, .ctx = &f});
    f.iface = ctn_native_driver_interface(f.driver);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    ctn_native_driver_free(f->driver);
    ctn_arena_free(f->arena);
    return 0;
}

static const ctn_json *number(fixture *f, int64_t n)
{
    ctn_json_builder value = ctn_json_object(f->arena);
    ctn_json_put_int(&value, "n", n);
    return ctn_json_finish(&value);
}

static void noop_gives_its_arguments_back(void **state)
{
    fixture *f = *state;
    begin(f, 7, "noop", number(f, 3));
    assert_int_equal(f->done_count, 1);
    assert_int_equal(f->token, 7);
    assert_int_equal(ctn_json_int_or(f->result.value, "n", 0), 3);
    begin(f, 8, "noop", NULL);
    assert_true(ctn_json_is(f->result.value, CTN_JSON_OBJECT));
    const char *from;
    assert_int_equal(f->iface.effect(f->iface.ctx, CTN_STR("noop"), &from), CTN_EFFECT_NONE);
    assert_false(f->iface.may_still_arrive(f->iface.ctx, 7, CTN_STR("noop")));
}

static void registered_functions_answer_and_fail(void **state)
{
    fixture *f = *state;
    ctn_str why = CTN_STR("no stock");
    assert_int_equal(ctn_native_register(f->driver, CTN_STR("twice"), CTN_EFFECT_UNKNOWN, twice, NULL, NULL), CTN_OK);
    assert_int_equal(ctn_native_register(f->driver, CTN_STR("refuse"), CTN_EFFECT_WRITE, refuse, &why, NULL), CTN_OK);
    begin(f, 1, "twice", number(f, 21));
    assert_int_equal(ctn_json_int_or(f->result.value, "n", 0), 42);
    assert_true(f->result.was_sent);
    begin(f, 2, "refuse", NULL);
    assert_int_equal(f->result.failure, CTN_FAILURE_TOOL_ERROR);
    assert_true(ctn_str_is(f->result.message, "no stock"));
    const char *from = "?";
    assert_int_equal(f->iface.effect(f->iface.ctx, CTN_STR("twice"), &from), CTN_EFFECT_UNKNOWN);
    assert_null(from);
    assert_int_equal(f->iface.effect(f->iface.ctx, CTN_STR("refuse"), &from), CTN_EFFECT_WRITE);
    assert_string_equal(from, "registration");
}

static void a_name_that_is_taken_or_unknown_is_told(void **state)
{
    fixture *f = *state;
    assert_int_equal(ctn_native_register(f->driver, CTN_STR("noop"), CTN_EFFECT_NONE, twice, NULL, NULL), CTN_E_EXISTS);
    assert_int_equal(ctn_native_register(f->driver, CTN_STR(""), CTN_EFFECT_NONE, twice, NULL, NULL), CTN_E_INVALID);
    begin(f, 1, "nop", NULL);
    assert_int_equal(f->result.failure, CTN_FAILURE_PROTOCOL_ERROR);
    assert_false(f->result.was_sent);
    assert_true(ctn_str_find(f->result.message, CTN_STR("did you mean \"noop\"")) != SIZE_MAX);
}

/* The outer call's value must survive what is begun while it is told. */
static void calls_begun_from_answers_do_not_disturb_them(void **state)
{
    fixture *f = *state;
    assert_int_equal(ctn_native_register(f->driver, CTN_STR("twice"), CTN_EFFECT_UNKNOWN, twice, NULL, NULL), CTN_OK);
    f->nested = 5;
    begin(f, 1, "twice", number(f, 1));
    assert_int_equal(f->done_count, 6);
    assert_int_equal(f->token, 1); /* the first is the last to be noted */
    assert_int_equal(ctn_json_int_or(f->result.value, "n", 0), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(noop_gives_its_arguments_back, setup, teardown),
        cmocka_unit_test_setup_teardown(registered_functions_answer_and_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_that_is_taken_or_unknown_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_begun_from_answers_do_not_disturb_them, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
