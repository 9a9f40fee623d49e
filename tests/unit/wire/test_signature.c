/*
 * Signatures of webhooks: what the schemes' own pages give as examples is right, and whatever differs in one place is
 * wrong.
 */
#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "support/cmocka.h"
#include "wire/signature.h"

static const ctn_str BODY = {"{\"test\": 2432232314}", 20};

/* Of the specification of Standard Webhooks. */
#define SECRET    CTN_STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
#define ID        CTN_STR("msg_p5jXN8AQM9LWM0D4loKWxJek")
#define SIGNATURE CTN_STR("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
#define TIME_S    INT64_C(1614265330)

static const char *standard(ctn_str secret, ctn_str id, ctn_str time, ctn_str signature, ctn_str body, int64_t now_s)
{
    return ctn_signature_fault(CTN_SIGNATURE_STANDARD, secret, &(ctn_signed){id, time, signature, body}, now_s * 1000);
}

static void standard_webhooks_are_as_their_page_has_them(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(512);
    ctn_str time = CTN_STR("1614265330");
    assert_true(ctn_str_equal(ctn_signature_make(arena, SECRET, ID, TIME_S, BODY), SIGNATURE));
    assert_null(standard(SECRET, ID, time, SIGNATURE, BODY, TIME_S));
    assert_null(standard(SECRET, ID, time, SIGNATURE, BODY, TIME_S + 299));
    assert_null(standard(SECRET, ID, time, SIGNATURE, BODY, TIME_S - 299));
    ctn_str two = ctn_arena_printf(arena, "v1,AAAA v2,x %.*s", CTN_STR_ARG(SIGNATURE)); /* while a secret changes */
    assert_null(standard(SECRET, ID, time, two, BODY, TIME_S));
    assert_non_null(strstr(standard(SECRET, ID, time, SIGNATURE, BODY, TIME_S + 301), "another time"));
    assert_non_null(strstr(standard(SECRET, ID, time, SIGNATURE, BODY, TIME_S - 301), "another time"));
    assert_non_null(standard(SECRET, CTN_STR("msg_x"), time, SIGNATURE, BODY, TIME_S));
    assert_non_null(standard(SECRET, ID, CTN_STR("1614265331"), SIGNATURE, BODY, TIME_S));
    assert_non_null(standard(SECRET, ID, CTN_STR("+1614265330"), SIGNATURE, BODY, TIME_S));
    assert_non_null(standard(SECRET, ID, time, SIGNATURE, CTN_STR("{\"test\": 2432232315}"), TIME_S));
    assert_non_null(standard(CTN_STR("whsec_AAAA"), ID, time, SIGNATURE, BODY, TIME_S));
    assert_non_null(
        standard(SECRET, ID, time, CTN_STR("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), BODY, TIME_S));
    assert_non_null(standard(SECRET, ID, time, CTN_STR("v1,"), BODY, TIME_S));
    assert_non_null(standard(SECRET, ID, time, CTN_STR("v1"), BODY, TIME_S));
    assert_non_null(standard(SECRET, ID, time, (ctn_str){0}, BODY, TIME_S));
    assert_non_null(standard(SECRET, (ctn_str){0}, time, SIGNATURE, BODY, TIME_S));
    assert_non_null(standard((ctn_str){0}, ID, time, SIGNATURE, BODY, TIME_S));
    ctn_arena_free(arena);
}

static const char *one(ctn_signature_scheme scheme, const char *secret, ctn_str signature, ctn_str body)
{
    ctn_signed what = {.signature = signature, .body = body};
    return ctn_signature_fault(scheme, ctn_str_from(secret), &what, TIME_S * 1000);
}

static void github_signs_the_body(void **state)
{
    (void) state;
    /* Of GitHub's page on validating deliveries. */
    ctn_str body = CTN_STR("Hello, World!");
    static const char secret[] = "It's a Secret to Everybody";
    ctn_str right = CTN_STR("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    assert_null(one(CTN_SIGNATURE_GITHUB, secret, right, body));
    assert_null(one(CTN_SIGNATURE_HMAC, secret, right, body));
    assert_null(one(CTN_SIGNATURE_HMAC, secret, ctn_str_from_offset(right, 7), body));
    assert_null(one(CTN_SIGNATURE_HMAC, secret, CTN_STR("dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc="), body));
    assert_non_null(one(CTN_SIGNATURE_GITHUB, secret, ctn_str_from_offset(right, 7), body));
    assert_non_null(one(CTN_SIGNATURE_GITHUB, secret, right, CTN_STR("Hello, World?")));
    assert_non_null(one(CTN_SIGNATURE_GITHUB, "another", right, body));
    assert_non_null(one(CTN_SIGNATURE_GITHUB, "", right, body));
    assert_non_null(one(CTN_SIGNATURE_HMAC, secret, CTN_STR("sha256="), body));
    assert_non_null(one(CTN_SIGNATURE_HMAC, secret, CTN_STR("dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPg=="), body));
    assert_non_null(one(CTN_SIGNATURE_HMAC, secret, (ctn_str){0}, body));
}

static void stripe_signs_time_and_body(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(512);
    const ctn_str parts[] = {CTN_STR("1614265330"), CTN_STR("."), BODY};
    const char *hex =
        ctn_arena_printf(arena, "%s", ctn_digest_to_text(ctn_hmac_sha256(CTN_STR("whsec_x"), parts, 3)).text).ptr;
    ctn_str right = ctn_arena_printf(arena, "t=1614265330,v1=00,v1=%s,v0=1", hex);
    assert_null(one(CTN_SIGNATURE_STRIPE, "whsec_x", right, BODY));
    assert_non_null(one(CTN_SIGNATURE_STRIPE, "whsec_y", right, BODY));
    assert_non_null(one(CTN_SIGNATURE_STRIPE, "whsec_x", ctn_arena_printf(arena, "t=1614265331,v1=%s", hex), BODY));
    assert_non_null(one(CTN_SIGNATURE_STRIPE, "whsec_x", ctn_arena_printf(arena, "t=1,v1=%s", hex), BODY));
    assert_non_null(one(CTN_SIGNATURE_STRIPE, "whsec_x", ctn_arena_printf(arena, "v1=%s", hex), BODY));
    assert_non_null(one(CTN_SIGNATURE_STRIPE, "whsec_x", ctn_arena_printf(arena, "t=1614265330,v0=%s", hex), BODY));
    assert_non_null(one(CTN_SIGNATURE_STRIPE, "whsec_x", ctn_arena_printf(arena, "t=1,t=1614265330,v1=%s", hex), BODY));
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(standard_webhooks_are_as_their_page_has_them),
                                       cmocka_unit_test(github_signs_the_body),
                                       cmocka_unit_test(stripe_signs_time_and_body)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
