/* OAuth in texts: what is believed of metadata and redirects, and what a token endpoint is asked. */
#include "support/cmocka.h"
#include "wire/form.h"
#include "wire/oauth.h"

static ctn_arena *arena;

static int setup(void **state)
{
    (void) state;
    arena = ctn_arena_new(4096);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    ctn_arena_free(arena);
    return 0;
}

static const ctn_json *json(const char *text)
{
    const ctn_json *value = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(arena, ctn_str_from(text), NULL, &value, &err))
        fail_msg("%s: %s", err.message, text);
    return value;
}

static void assert_str(ctn_str actual, const char *expected)
{
    if (!ctn_str_is(actual, expected))
        fail_msg("got  %.*s\nwant %s", CTN_STR_ARG(actual), expected);
}

static void metadata_is_looked_for_at_the_path_first(void **state)
{
    (void) state;
    ctn_oauth_places p = ctn_oauth_resource_places(arena, CTN_STR("https://h"), CTN_STR("/mcp"));
    assert_int_equal(p.count, 2);
    assert_str(p.urls[0], "https://h/.well-known/oauth-protected-resource/mcp");
    assert_str(p.urls[1], "https://h/.well-known/oauth-protected-resource");
    assert_int_equal(ctn_oauth_resource_places(arena, CTN_STR("https://h"), CTN_STR("/")).count, 1);
    p = ctn_oauth_issuer_places(arena, CTN_STR("https://h"), CTN_STR("/tenant/"));
    assert_int_equal(p.count, 3);
    assert_str(p.urls[0], "https://h/.well-known/oauth-authorization-server/tenant");
    assert_str(p.urls[1], "https://h/.well-known/openid-configuration/tenant");
    assert_str(p.urls[2], "https://h/tenant/.well-known/openid-configuration");
    assert_int_equal(ctn_oauth_issuer_places(arena, CTN_STR("https://h"), CTN_STR("/")).count, 2);
}

static void a_resource_covers_what_lies_below_it_and_nothing_else(void **state)
{
    (void) state;
    static const struct {
        const char *origin, *path, *server;
        bool covers;
    } CASES[] = {
        {"https://h", "/", "/mcp", true},          {"https://h", "/mcp", "/mcp", true},
        {"https://h", "/mcp/", "/mcp", true},      {"https://h", "/mcp", "/mcp/one", true},
        {"https://h", "/mcp", "/mcpevil", false},  {"https://h", "/mcp/one", "/mcp", false},
        {"https://evil", "/mcp", "/mcp", false},   {"http://h", "/mcp", "/mcp", false},
        {"https://h:8443", "/mcp", "/mcp", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (ctn_oauth_resource_covers(ctn_str_from(CASES[i].origin), ctn_str_from(CASES[i].path), CTN_STR("https://h"),
                                      ctn_str_from(CASES[i].server)) != CASES[i].covers)
            fail_msg("%s%s and %s", CASES[i].origin, CASES[i].path, CASES[i].server);
}

static void a_resource_names_itself_and_who_gives_tokens(void **state)
{
    (void) state;
    ctn_oauth_resource r;
    ctn_err err;
    assert_int_equal(
        ctn_oauth_resource_read(arena,
                                json("{\"resource\":\"https://h/mcp\",\"authorization_servers\":[\"https://a\",7,"
                                     "\"not a url\"],\"scopes_supported\":[\"x\",\"y\",\"x\",\"a b\\\"\",\"\"]}"),
                                &r, &err),
        CTN_OK);
    assert_int_equal(r.issuer_count, 1);
    assert_str(r.scopes, "x y a");
    static const char *const BAD[] = {
        "{\"authorization_servers\":[\"https://a\"]}",
        "{\"resource\":\"https://h/mcp\"}",
        "{\"resource\":\"https://h/mcp\",\"authorization_servers\":[]}",
        "{\"resource\":\"https://h/mcp#x\",\"authorization_servers\":[\"https://a\"]}",
        "{\"resource\":\"https://h/\\r\\nX: y\",\"authorization_servers\":[\"https://a\"]}",
        "[]",
        "\"text\"",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(ctn_oauth_resource_read(arena, json(BAD[i]), &r, &err), CTN_E_INVALID);
}

static void an_issuer_is_believed_under_the_name_that_led_to_it_only(void **state)
{
    (void) state;
    ctn_oauth_issuer m;
    ctn_err err;
    const ctn_json *document =
        json("{\"issuer\":\"https://a/t\",\"authorization_endpoint\":\"https://a/auth\",\"token_endpoint\":\"https://a/"
             "token\","
             "\"code_challenge_methods_supported\":[\"plain\",\"S256\"],\"scopes_supported\":[\"offline_access\"]}");
    assert_int_equal(ctn_oauth_issuer_read(arena, document, CTN_STR("https://a/t"), &m, &err), CTN_OK);
    assert_true(m.has_s256 && m.has_offline_access && !m.sends_issuer && !m.knows_client_documents && !m.has_methods);
    static const char *const OTHERS[] = {"https://a/t/", "https://A/t", "https://a:443/t", "https://a", ""};
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        assert_int_equal(ctn_oauth_issuer_read(arena, document, ctn_str_from(OTHERS[i]), &m, &err), CTN_E_INVALID);
}

static void a_client_goes_a_way_that_the_issuer_takes(void **state)
{
    (void) state;
    ctn_oauth_method method;
    ctn_err err;
    ctn_oauth_issuer silent = {.issuer = CTN_STR("https://a")};
    ctn_oauth_issuer post = {.issuer = CTN_STR("https://a"), .has_methods = true, .methods[CTN_OAUTH_POST] = true};
    assert_int_equal(ctn_oauth_method_choose(&silent, true, false, CTN_OAUTH_METHOD_COUNT, &method, &err), CTN_OK);
    assert_int_equal(method, CTN_OAUTH_BASIC);
    assert_int_equal(ctn_oauth_method_choose(&silent, false, false, CTN_OAUTH_METHOD_COUNT, &method, &err), CTN_OK);
    assert_int_equal(method, CTN_OAUTH_NONE);
    assert_int_equal(ctn_oauth_method_choose(&post, true, false, CTN_OAUTH_METHOD_COUNT, &method, &err), CTN_OK);
    assert_int_equal(method, CTN_OAUTH_POST);
    assert_int_equal(ctn_oauth_method_choose(&post, true, false, CTN_OAUTH_BASIC, &method, &err), CTN_OK);
    assert_int_equal(method, CTN_OAUTH_BASIC); /* as it was registered */
    assert_int_equal(ctn_oauth_method_choose(&post, false, true, CTN_OAUTH_METHOD_COUNT, &method, &err),
                     CTN_E_UNSUPPORTED);
}

static void scopes_are_joined_once_each(void **state)
{
    (void) state;
    assert_str(ctn_scopes_union(arena, CTN_STR("a b"), CTN_STR("b  c\" c a")), "a b c");
    assert_str(ctn_scopes_union(arena, (ctn_str){0}, CTN_STR("")), "");
    assert_true(ctn_scopes_has(CTN_STR("ab a"), CTN_STR("a")));
    assert_false(ctn_scopes_has(CTN_STR("ab"), CTN_STR("a")));
}

/* RFC 7636, appendix B, gives a verifier and its challenge. */
static void the_challenge_is_the_digest_of_the_verifier(void **state)
{
    (void) state;
    static const unsigned char OCTETS[64] = {116, 24,  223, 180, 151, 153, 224, 37,  79,  250, 96,
                                             125, 216, 173, 187, 186, 22,  212, 37,  77,  105, 214,
                                             191, 240, 91,  88,  5,   88,  83,  132, 141, 121};
    ctn_oauth_proof proof = ctn_oauth_proof_make(arena, OCTETS);
    assert_str(proof.verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_str(proof.challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

static void the_page_to_open_says_everything_that_is_checked_later(void **state)
{
    (void) state;
    ctn_oauth_issuer issuer = {.authorization_url = CTN_STR("https://a/auth?x=1")};
    ctn_oauth_proof proof = {.challenge = CTN_STR("CH"), .state = CTN_STR("ST")};
    assert_str(
        ctn_oauth_authorization_url(arena, &issuer, CTN_STR("me & you"), CTN_STR("http://127.0.0.1:1/callback"),
                                    CTN_STR("a offline_access"), CTN_STR("https://h/mcp"), &proof),
        "https://a/auth?x=1&response_type=code&client_id=me%20%26%20you&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F"
        "callback&state=ST&code_challenge=CH&code_challenge_method=S256&resource=https%3A%2F%2Fh%2Fmcp&scope="
        "a%20offline_access&prompt=consent");
}

static int redirect(const char *query, bool sends_issuer, ctn_err *err)
{
    ctn_oauth_issuer issuer = {.issuer = CTN_STR("https://a"), .sends_issuer = sends_issuer};
    ctn_oauth_proof proof = {.state = CTN_STR("ST")};
    ctn_str code = {0};
    int rc = ctn_oauth_redirect_read(arena, ctn_str_from(query), &issuer, &proof, &code, err);
    if (rc == CTN_OK)
        assert_str(code, "C 1");
    return rc;
}

static void a_redirect_that_is_not_ours_brings_no_code(void **state)
{
    (void) state;
    ctn_err err;
    assert_int_equal(redirect("code=C%201&state=ST", false, &err), CTN_OK);
    assert_int_equal(redirect("code=C+1&state=ST&iss=https%3A%2F%2Fa", true, &err), CTN_OK);
    assert_int_equal(redirect("code=C+1&state=ST", true, &err), CTN_E_INVALID); /* it said that it would */
    static const char *const BAD[] = {
        "code=C+1", /* these four are not even ours: somebody else knocked */
        "code=C+1&state=",
        "code=C+1&state=OTHER",
        "code=C+1&state=ST&state=ST",
        "code=C+1&state=ST&iss=https%3A%2F%2Fa%2F", /* equal only to who normalises */
        "code=C+1&state=ST&iss=https%3A%2F%2Fevil",
        "code=C+1&state=ST&iss=https%3A%2F%2Fa&iss=https%3A%2F%2Fevil",
        "code=&state=ST",
        "state=ST",
        "code=C&code=D&state=ST",
        "code=%zz&state=ST",
        "",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (redirect(BAD[i], false, &err) != (i < 4 || !*BAD[i] ? CTN_E_NOT_FOUND : CTN_E_INVALID))
            fail_msg("%s was taken", BAD[i]);
    assert_int_equal(redirect("error=access_denied&error_description=not+you&state=ST", false, &err), CTN_E_DENIED);
    assert_string_equal(err.message, "https://a says no: access_denied (not you)");
}

static void a_secret_goes_the_chosen_way_and_no_other(void **state)
{
    (void) state;
    ctn_oauth_client client = {.id = CTN_STR("me:1"), .secret = CTN_STR("s+t"), .method = CTN_OAUTH_BASIC};
    ctn_oauth_request request = {
        .grant_type = "client_credentials", .scopes = CTN_STR("a"), .resource = CTN_STR("https://h/")};
    ctn_str header;
    assert_str(ctn_oauth_token_request(arena, &client, &request, &header),
               "grant_type=client_credentials&scope=a&resource=https%3A%2F%2Fh%2F");
    assert_str(header, "Basic bWUlM0ExOnMlMkJ0"); /* me%3A1:s%2Bt */
    client.method = CTN_OAUTH_POST;
    assert_str(
        ctn_oauth_token_request(arena, &client, &request, &header),
        "grant_type=client_credentials&scope=a&resource=https%3A%2F%2Fh%2F&client_id=me%3A1&client_secret=s%2Bt");
    assert_str(header, "");
    client.method = CTN_OAUTH_NONE;
    assert_str(ctn_oauth_token_request(arena, &client, &request, &header),
               "grant_type=client_credentials&scope=a&resource=https%3A%2F%2Fh%2F&client_id=me%3A1");
}

static void an_answer_of_a_token_endpoint_is_a_bearer_token_or_a_reason(void **state)
{
    (void) state;
    ctn_oauth_grant g;
    ctn_err err;
    assert_int_equal(ctn_oauth_grant_read(arena, 200,
                                          json("{\"access_token\":\"T\",\"token_type\":\"bearer\",\"expires_in\":60}"),
                                          &g, &err),
                     CTN_OK);
    assert_int_equal(g.life_ms, 60000);
    assert_int_equal(g.refresh_token.len, 0);
    static const struct {
        int status, code;
        const char *answer;
    } BAD[] = {
        {200, CTN_E_INVALID, "{\"token_type\":\"Bearer\"}"},
        {200, CTN_E_INVALID, "{\"access_token\":\"T\",\"token_type\":\"DPoP\"}"},
        {200, CTN_E_INVALID, "{\"access_token\":\"T\\r\\nX: y\",\"token_type\":\"Bearer\"}"},
        {200, CTN_E_INVALID, "{\"access_token\":7,\"token_type\":\"Bearer\"}"},
        {200, CTN_E_INVALID, "[]"},
        {400, CTN_E_DENIED, "{\"error\":\"invalid_grant\"}"},
        {401, CTN_E_DENIED, "{}"},
        {503, CTN_E_IO, "{\"error\":\"temporarily_unavailable\"}"},
        {404, CTN_E_IO, "{}"},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (ctn_oauth_grant_read(arena, BAD[i].status, json(BAD[i].answer), &g, &err) != BAD[i].code)
            fail_msg("%d %s", BAD[i].status, BAD[i].answer);
}

static void a_registration_says_what_we_are(void **state)
{
    (void) state;
    ctn_oauth_client client;
    ctn_err err;
    assert_str(ctn_oauth_registration(arena, CTN_STR("http://127.0.0.1:1/callback"), CTN_STR("a"), CTN_OAUTH_NONE),
               "{\"client_name\":\"catena\",\"application_type\":\"native\",\"redirect_uris\":[\"http://127.0.0.1:1/"
               "callback\"],"
               "\"grant_types\":[\"authorization_code\",\"refresh_token\"],\"response_types\":[\"code\"],"
               "\"token_endpoint_auth_method\":\"none\",\"scope\":\"a\"}");
    assert_int_equal(ctn_oauth_registration_read(arena,
                                                 json("{\"client_id\":\"i\",\"client_secret\":\"s\","
                                                      "\"token_endpoint_auth_method\":\"client_secret_post\"}"),
                                                 &client, &err),
                     CTN_OK);
    assert_int_equal(client.method, CTN_OAUTH_POST);
    assert_int_equal(ctn_oauth_registration_read(arena, json("{\"error\":\"invalid_redirect_uri\"}"), &client, &err),
                     CTN_E_DENIED);
    assert_int_equal(ctn_oauth_registration_read(arena, json("{\"client_id\":\"a\\nb\"}"), &client, &err),
                     CTN_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_is_looked_for_at_the_path_first),
        cmocka_unit_test(a_resource_covers_what_lies_below_it_and_nothing_else),
        cmocka_unit_test(a_resource_names_itself_and_who_gives_tokens),
        cmocka_unit_test(an_issuer_is_believed_under_the_name_that_led_to_it_only),
        cmocka_unit_test(a_client_goes_a_way_that_the_issuer_takes),
        cmocka_unit_test(scopes_are_joined_once_each),
        cmocka_unit_test(the_challenge_is_the_digest_of_the_verifier),
        cmocka_unit_test(the_page_to_open_says_everything_that_is_checked_later),
        cmocka_unit_test(a_redirect_that_is_not_ours_brings_no_code),
        cmocka_unit_test(a_secret_goes_the_chosen_way_and_no_other),
        cmocka_unit_test(an_answer_of_a_token_endpoint_is_a_bearer_token_or_a_reason),
        cmocka_unit_test(a_registration_says_what_we_are),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
