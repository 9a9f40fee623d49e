/* URLs, addresses and proxies: what is read in them, and who may be reached. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/policy.h"
#include "http/proxy.h"
#include "support/cmocka.h"

static int setup(void **state)
{
    *state = ctn_arena_new(4096);
    return 0;
}

static int teardown(void **state)
{
    ctn_arena_free(*state);
    return 0;
}

static void an_origin_has_one_form(void **state)
{
    static const char *const rows[][2] = {
        {"https://Example.COM/a?b#c", "https://example.com"},
        {"HTTPS://example.com:443", "https://example.com"},
        {"http://example.com:80/", "http://example.com"},
        {"http://example.com:443/", "http://example.com:443"},
        {"https://example.com:8443/x", "https://example.com:8443"},
        {"http://[::1]:3000/mcp", "http://[::1]:3000"},
        {"http://127.1:3000/", "http://127.0.0.1:3000"},
        {"http://0x7f000001/", "http://127.0.0.1"},
        {"http://2130706433/", "http://127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ctn_str origin = {0};
        ctn_err err = {0};
        if (ctn_url_origin(*state, ctn_str_from(rows[i][0]), &origin, &err) != CTN_OK)
            fail_msg("%s: %s", rows[i][0], err.message);
        assert_string_equal(origin.ptr, rows[i][1]);
    }
}

static void what_is_no_address_of_http_is_refused_with_a_sentence(void **state)
{
    static const char *const rows[] = {
        "",
        "example.com/mcp",
        "/mcp",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://exa mple.com/",
        "http://example.com\\@evil.example/",
        "http://example.com/\r\nX: y",
        "http://example.com:99999/",
        "http://[::1/",
        "javascript:alert(1)",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ctn_str origin = {0};
        ctn_err err = {0};
        if (ctn_url_origin(*state, ctn_str_from(rows[i]), &origin, &err) != CTN_E_INVALID)
            fail_msg("\"%s\" was taken: %s", rows[i], origin.ptr);
        assert_true(err.message[0] != '\0');
        assert_null(strstr(err.message, "secret"));
    }
}

static void a_reference_is_read_from_where_it_stands(void **state)
{
    static const char *const rows[][3] = {
        {"https://h/a/b?q", "c", "https://h/a/c"},
        {"https://h/a/b?q", "/c?d=1", "https://h/c?d=1"},
        {"https://h/a/b?q", "?d", "https://h/a/b?d"},
        {"https://h/a/b", "../c", "https://h/c"},
        {"https://h/a", "//g/x", "https://g/x"},
        {"https://h/a", "http://g/x", "http://g/x"},
        {"http://127.0.0.1:3000/sse", "/message?sessionId=1", "http://127.0.0.1:3000/message?sessionId=1"},
        {"https://h/a", "ftp://g/x", NULL},
        {"https://h/a", "http://u:p@g/x", NULL},
        {"https://h/a", "x y", NULL},
        {"https://h/a", "", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ctn_str url = {0};
        ctn_err err = {0};
        int rc = ctn_url_resolve(*state, ctn_str_from(rows[i][0]), ctn_str_from(rows[i][1]), &url, &err);
        if ((rc == CTN_OK) != (rows[i][2] != NULL))
            fail_msg("%s in %s: %s %s", rows[i][1], rows[i][0], url.ptr, err.message);
        if (rows[i][2])
            assert_string_equal(url.ptr, rows[i][2]);
    }
    ctn_str path = {0};
    assert_int_equal(ctn_url_path(*state, CTN_STR("https://h"), &path, NULL), CTN_OK);
    assert_true(ctn_str_is(path, "/"));
    assert_int_equal(ctn_url_path(*state, CTN_STR("https://h/mcp?x=/y"), &path, NULL), CTN_OK);
    assert_true(ctn_str_is(path, "/mcp"));
}

static void loopback_is_what_the_url_itself_says(void **state)
{
    (void) state;
    assert_true(ctn_url_is_loopback(CTN_STR("http://localhost:1/")));
    assert_true(ctn_url_is_loopback(CTN_STR("http://LOCALHOST./")));
    assert_true(ctn_url_is_loopback(CTN_STR("http://a.localhost/")));
    assert_true(ctn_url_is_loopback(CTN_STR("http://127.9.9.9/")));
    assert_true(ctn_url_is_loopback(CTN_STR("http://[::1]/")));
    assert_true(ctn_url_is_loopback(CTN_STR("http://[::ffff:127.0.0.1]/")));
    assert_false(ctn_url_is_loopback(CTN_STR("http://localhost.example/")));
    assert_false(ctn_url_is_loopback(CTN_STR("http://127.0.0.1.example/")));
    assert_false(ctn_url_is_loopback(CTN_STR("http://128.0.0.1/")));
    assert_false(ctn_url_is_loopback(CTN_STR("nonsense")));
}

static void each_address_is_of_its_network(void **state)
{
    static const struct {
        const char *address;
        ctn_network network;
    } rows[] = {
        {"8.8.8.8", CTN_NETWORK_PUBLIC},
        {"172.15.255.255", CTN_NETWORK_PUBLIC},
        {"172.32.0.0", CTN_NETWORK_PUBLIC},
        {"100.63.255.255", CTN_NETWORK_PUBLIC},
        {"100.128.0.0", CTN_NETWORK_PUBLIC},
        {"2606:4700::1111", CTN_NETWORK_PUBLIC},
        {"127.0.0.1", CTN_NETWORK_LOOPBACK},
        {"127.255.255.254", CTN_NETWORK_LOOPBACK},
        {"::1", CTN_NETWORK_LOOPBACK},
        {"::ffff:127.0.0.1", CTN_NETWORK_LOOPBACK},
        {"10.0.0.1", CTN_NETWORK_PRIVATE},
        {"172.16.0.1", CTN_NETWORK_PRIVATE},
        {"172.31.255.255", CTN_NETWORK_PRIVATE},
        {"192.168.1.1", CTN_NETWORK_PRIVATE},
        {"100.64.0.1", CTN_NETWORK_PRIVATE},
        {"fd12:3456::1", CTN_NETWORK_PRIVATE},
        {"fc00::1", CTN_NETWORK_PRIVATE},
        {"::ffff:10.0.0.1", CTN_NETWORK_PRIVATE},
        {"64:ff9b::192.168.0.1", CTN_NETWORK_PRIVATE},
        {"2002:c0a8:0101::1", CTN_NETWORK_PRIVATE},
        {"169.254.169.254", CTN_NETWORK_NEVER},
        {"::ffff:169.254.169.254", CTN_NETWORK_NEVER},
        {"64:ff9b::169.254.169.254", CTN_NETWORK_NEVER},
        {"2002:a9fe:a9fe::", CTN_NETWORK_NEVER},
        {"::169.254.169.254", CTN_NETWORK_NEVER},
        {"fe80::1", CTN_NETWORK_NEVER},
        {"fd00:ec2::254", CTN_NETWORK_NEVER},
        {"fd20:ce::254", CTN_NETWORK_NEVER},
        {"fd00:c1::a9fe:a9fe", CTN_NETWORK_NEVER},
        {"100.100.100.200", CTN_NETWORK_NEVER},
        {"0.0.0.0", CTN_NETWORK_NEVER},
        {"::", CTN_NETWORK_NEVER},
        {"::ffff:0.0.0.0", CTN_NETWORK_NEVER},
        {"224.0.0.1", CTN_NETWORK_NEVER},
        {"255.255.255.255", CTN_NETWORK_NEVER},
        {"ff02::1", CTN_NETWORK_NEVER},
        {"no address", CTN_NETWORK_NEVER},
    };
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ctn_network_of_text(rows[i].address) != rows[i].network)
            fail_msg("%s is of network %d", rows[i].address, ctn_network_of_text(rows[i].address));
}

static void who_may_be_reached_follows_from_policy_hop_and_network(void **state)
{
    static const ctn_http_policy strict = {0}, private = {.allows_private = true}, clear = {.allows_cleartext = true},
                                 peers = {.denies_loopback = true};
    static const ctn_hop https = {0}, http = {.is_cleartext = true},
                         local = {.is_cleartext = true, .names_loopback = true},
                         sent = {.is_cleartext = true, .names_loopback = true, .is_strangers = true};
    static const struct {
        const ctn_http_policy *policy;
        const ctn_hop *hop;
        ctn_network network;
        bool is_allowed;
    } rows[] = {
        {&strict, &https, CTN_NETWORK_PUBLIC, true},    {&strict, &http, CTN_NETWORK_PUBLIC, false},
        {&clear, &http, CTN_NETWORK_PUBLIC, true},      {&strict, &https, CTN_NETWORK_PRIVATE, false},
        {&private, &https, CTN_NETWORK_PRIVATE, true},  {&private, &http, CTN_NETWORK_PRIVATE, false},
        {&clear, &http, CTN_NETWORK_PRIVATE, false},    {&strict, &local, CTN_NETWORK_LOOPBACK, true},
        {&strict, &https, CTN_NETWORK_LOOPBACK, false}, {&strict, &sent, CTN_NETWORK_LOOPBACK, false},
        {&private, &sent, CTN_NETWORK_LOOPBACK, true},  {&peers, &local, CTN_NETWORK_LOOPBACK, false},
        {&private, &https, CTN_NETWORK_NEVER, false},   {&clear, &local, CTN_NETWORK_NEVER, false},
    };
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((ctn_policy_objection(rows[i].policy, rows[i].hop, rows[i].network) == NULL) != rows[i].is_allowed)
            fail_msg("row %zu", i);
}

static void behind_a_proxy_names_are_judged(void **state)
{
    static const ctn_http_policy strict = {0};
    static const ctn_hop https = {0}, http = {.is_cleartext = true};
    (void) state;
    assert_null(ctn_policy_proxy_objection(&strict, &https, CTN_STR("example.com")));
    assert_non_null(ctn_policy_proxy_objection(&strict, &http, CTN_STR("example.com")));
    assert_non_null(ctn_policy_proxy_objection(&strict, &https, CTN_STR("169.254.169.254")));
    assert_non_null(ctn_policy_proxy_objection(&strict, &https, CTN_STR("[fe80::1]")));
    assert_non_null(ctn_policy_proxy_objection(&strict, &https, CTN_STR("10.0.0.1")));
}

static void the_environment_names_the_proxy_and_who_needs_none(void **state)
{
    (void) state;
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    assert_string_equal(ctn_proxy_of_environment(true, CTN_STR("h"), false), "");
    setenv("HTTP_PROXY", "http://evil", 1);
    assert_string_equal(ctn_proxy_of_environment(false, CTN_STR("h"), false), "");
    setenv("ALL_PROXY", "http://all", 1);
    assert_string_equal(ctn_proxy_of_environment(false, CTN_STR("h"), false), "http://all");
    setenv("HTTPS_PROXY", "http://tls", 1);
    assert_string_equal(ctn_proxy_of_environment(true, CTN_STR("h"), false), "http://tls");
    setenv("https_proxy", "http://lower", 1);
    assert_string_equal(ctn_proxy_of_environment(true, CTN_STR("h"), false), "http://lower");
    assert_string_equal(ctn_proxy_of_environment(true, CTN_STR("localhost"), true), "");
    setenv("no_proxy", "corp.example, .intern", 1);
    assert_string_equal(ctn_proxy_of_environment(true, CTN_STR("a.corp.example"), false), "");
    assert_string_equal(ctn_proxy_of_environment(true, CTN_STR("corp.example"), false), "");
    assert_string_equal(ctn_proxy_of_environment(true, CTN_STR("x.Intern"), false), "");
    assert_string_equal(ctn_proxy_of_environment(true, CTN_STR("notcorp.example"), false), "http://lower");
    assert_true(ctn_proxy_list_names(CTN_STR("a *"), CTN_STR("b")));
    assert_false(ctn_proxy_list_names(CTN_STR(" , .,"), CTN_STR("b")));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_has_one_form),
        cmocka_unit_test(what_is_no_address_of_http_is_refused_with_a_sentence),
        cmocka_unit_test(a_reference_is_read_from_where_it_stands),
        cmocka_unit_test(loopback_is_what_the_url_itself_says),
        cmocka_unit_test(each_address_is_of_its_network),
        cmocka_unit_test(who_may_be_reached_follows_from_policy_hop_and_network),
        cmocka_unit_test(behind_a_proxy_names_are_judged),
        cmocka_unit_test(the_environment_names_the_proxy_and_who_needs_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
