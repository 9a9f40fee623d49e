/* WWW-Authenticate: which parameters belong to Bearer, and where a broken header ends. */
#include "support/cmocka.h"
#include "wire/challenge.h"

static void check(const char *value, const char *error, const char *scope, const char *metadata)
{
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_challenge c = {0};
    bool is_there = ctn_challenge_read(arena, ctn_str_from(value), &c);
    if (is_there != (error != NULL))
        fail_msg("%s: %s a challenge", value, is_there ? "is" : "is not");
    if (is_there &&
        (!ctn_str_is(c.error, error) || !ctn_str_is(c.scope, scope) || !ctn_str_is(c.resource_metadata, metadata)))
        fail_msg("%s: error '%.*s' scope '%.*s' metadata '%.*s'", value, CTN_STR_ARG(c.error), CTN_STR_ARG(c.scope),
                 CTN_STR_ARG(c.resource_metadata));
    ctn_arena_free(arena);
}

static void parameters_are_read_in_any_spelling(void **state)
{
    (void) state;
    check("Bearer resource_metadata=\"https://h/.well-known/x\", scope=\"a b\"", "", "a b", "https://h/.well-known/x");
    check("bearer  SCOPE = a ,error=\"insufficient_scope\"", "insufficient_scope", "a", "");
    check("Bearer", "", "", "");
    check("Bearer realm=\"a \\\"quoted\\\", comma\", error=invalid_token", "invalid_token", "", "");
    check("Bearer error=one, error=two", "one", "", "");
}

/* Another scheme's scope is not ours, before or behind. */
static void parameters_belong_to_their_scheme(void **state)
{
    (void) state;
    check("Basic realm=\"x\", scope=theirs, Bearer scope=ours", "", "ours", "");
    check("Negotiate YWJj/+==, Bearer error=\"invalid_token\"", "invalid_token", "", "");
    check("Bearer scope=ours, DPoP scope=theirs, error=theirs", "", "ours", "");
    check("Bearer, Basic scope=theirs", "", "", "");
    check("Basic realm=\"Bearer scope=no\"", NULL, NULL, NULL);
}

static void a_broken_header_ends_where_it_breaks(void **state)
{
    (void) state;
    check("", NULL, NULL, NULL);
    check(" , ,, ", NULL, NULL, NULL);
    check("\"Bearer\"", NULL, NULL, NULL);
    check("Bearer scope=\"a\", error=\"never ends", "", "a", "");
    check("Bearer scope=\"ends in \\", "", "", "");
    check("Bearer scope=\"a\" error=b", "b", "a", "");
    check("Bearer scope=\"a\"; error=b", "", "a", "");
    check("Bearer =x", NULL, NULL, NULL);
    check("Bearer resource_metadata=\"https://h/\x1b[2J\", scope=a", "", "a", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_read_in_any_spelling),
        cmocka_unit_test(parameters_belong_to_their_scheme),
        cmocka_unit_test(a_broken_header_ends_where_it_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
