/* deliver_message through its three drivers: what leaves is what was meant, and one message a key. */
#include "delivery_kit.h"

#include "followup/letter.h"

#define EMAIL_SMTP "delivery: {channels: {email: smtp}, smtp: {host: 127.0.0.1, port: SMTP, timeout_seconds: 1}}\n"
#define PHONE_HOOK                                                                                                     \
    "delivery: {channels: {whatsapp: webhook}, webhook: {url: \"http://127.0.0.1:HTTP/send\", timeout_seconds: 1, "    \
    "token: {env: HOOK_TOKEN}, may_repeat: MAY}}\n"

static void assert_fails(kit *k, const ctn_json *message, int code, const char *part)
{
    const ctn_json *result = NULL;
    ctn_err err = {0};
    int rc = deliver(k, message, &result, &err);
    if (rc != code || !strstr(err.message, part))
        fail_msg("code %d (want %d): %s (want \"%s\")", rc, code, err.message, part);
}

static const ctn_json *delivered(kit *k, const ctn_json *message)
{
    const ctn_json *result = NULL;
    ctn_err err = {0};
    if (deliver(k, message, &result, &err))
        fail_msg("%s", err.message);
    return result;
}

static void assert_member(const ctn_json *v, const char *key, const char *text)
{
    ctn_str got = ctn_json_str_or(v, key, CTN_STR("(missing)"));
    if (!ctn_str_is(got, text))
        fail_msg("%s is \"%.*s\", not \"%s\"", key, CTN_STR_ARG(got), text);
}

/* ---- the letter ---- */

static const char LONG_TEXT[] = "Hola Jos\xc3\xa9:\r\n.\r\n..dos puntos\n"
                                "una l\xc3\xadnea larga una l\xc3\xadnea larga una l\xc3\xadnea larga una l\xc3\xadnea "
                                "larga una l\xc3\xadnea larga\n"
                                "From aqu\xc3\xad = fin \n\nHasta pronto";

static void a_subject_or_name_makes_no_header_of_its_own(void **state)
{
    kit *k = *state;
    travel_letter letter = {.key = CTN_STR("k"),
                            .channel = CTN_STR("email"),
                            .from_name = CTN_STR("Desk\r\nBcc: a@b.example"),
                            .from_address = CTN_STR("desk@b.example"),
                            .to_name = CTN_STR("Ana\nX-Evil: 1\xe2\x80\xa8Y-Evil: 2"),
                            .to_address = CTN_STR("ana@c.example"),
                            .subject = CTN_STR("Hi\r\nBcc: evil@d.example\r\n\r\nbody"),
                            .body = CTN_STR("text"),
                            .created_at = CTN_STR("2026-03-08T11:47:00.000Z")};
    ctn_buf out;
    ctn_buf_init(&out, 65536);
    travel_letter_write(&letter, k->arena, &out);
    ctn_str text = ctn_buf_str(&out);
    for (size_t lines = 0; text.len > 0; lines++) {
        ctn_str line = ctn_str_cut(&text, '\n');
        assert_false(ctn_str_starts_with(line, CTN_STR("Bcc")) || ctn_str_starts_with(line, CTN_STR("X-Evil")) ||
                     ctn_str_starts_with(line, CTN_STR("Y-Evil")) || ctn_str_starts_with(line, CTN_STR("body")));
    }
    ctn_buf_done(&out);
}

static void an_address_that_could_be_misread_is_none(void **state)
{
    (void) state;
    static const char *const bad[] = {
        "",        "@b.example",         "a@",          "a b@c.example", "a@b@c.example", "a@.b",    "a@b.",
        "<a@b.c>", "a@b.c\r\nRCPT TO:x", "a@b.c,d@e.f", "a@b.c>x",       "j\xc3\xb6@b.c", "a\"@b.c", "plain"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(travel_mail_address_ok(ctn_str_from(bad[i])));
    assert_true(travel_mail_address_ok(CTN_STR("ana.ortiz+trip@mail.example.com")));
    assert_true(travel_phone_ok(CTN_STR("+44 (20) 7946-0000")));
    assert_false(travel_phone_ok(CTN_STR("call me")));
    assert_false(travel_phone_ok(CTN_STR("1234")));
}

/* ---- the outbox ---- */

static void the_outbox_has_one_file_a_key_whatever_is_taken_away(void **state)
{
    kit *k = *state;
    char name[200], outbox[100], path[400];
    ctn_str ana = add_client(k, "Ana", "ana@c.example", "+34600111222");
    const ctn_json *message = message_to(k, ana, "email", "Roma", LONG_TEXT, "k1");
    const ctn_json *first = delivered(k, message);
    snprintf(outbox, sizeof outbox, "%s/outbox", k->folder);
    assert_int_equal(files_in(outbox, name, sizeof name), 1);
    assert_member(first, "reference", name);
    assert_member(first, "driver", "outbox");
    snprintf(path, sizeof path, "%s/%s", outbox, name);
    assert_int_equal(unlink(path), 0);
    assert_true(ctn_json_equal(first, delivered(k, message)));
    assert_int_equal(files_in(outbox, NULL, 0), 0);
    assert_string_equal(happened(k, "k1"), "true");
    assert_string_equal(happened(k, "k2"), "false");
    assert_fails(k, message_to(k, ana, "email", "Roma", "another text", "k1"), CTN_E_EXISTS, "key");
}

static void who_cannot_or_will_not_be_written_to_gets_nothing(void **state)
{
    kit *k = *state;
    char outbox[100];
    snprintf(outbox, sizeof outbox, "%s/outbox", k->folder);
    ctn_str ana = add_client(k, "Ana", "ana@c.example", ""), odd = add_client(k, "Odd", "odd one@c.example", "1234567");
    assert_fails(k, message_to(k, ana, "sms", "", "x", "k1"), CTN_E_NOT_FOUND, "no telephone number for sms");
    assert_fails(k, message_to(k, CTN_STR("C-000099"), "email", "", "x", "k2"), CTN_E_NOT_FOUND, "C-000099");
    assert_fails(k, message_to(k, ana, "pigeon", "", "x", "k3"), CTN_E_INVALID, "email, sms, whatsapp, phone or desk");
    assert_fails(k, message_to(k, ana, "email", "", " \n ", "k4"), CTN_E_INVALID, "empty");
    assert_fails(k, message_to(k, odd, "email", "", "x", "k5"), CTN_E_INVALID, "name@domain");
    (void) result_of(&k->tools, "stop_messages", k->arena,
                     json_from(k->arena, ctn_arena_printf(k->arena, "{\"client_id\":\"%.*s\"}", CTN_STR_ARG(ana))));
    assert_fails(k, message_to(k, ana, "email", "", "x", "k6"), CTN_E_DENIED, "wants no messages");
    assert_int_equal(files_in(outbox, NULL, 0), 0);
    /* who writes again is answered (a follow-up does not come: its plan knows) */
    (void) usleep(5000); /* the stop has a moment to lie before it */
    (void) add_client(k, "Ana", "ana@c.example", "");
    (void) delivered(k, message_to(k, ana, "email", "", "x", "k7"));
    assert_int_equal(files_in(outbox, NULL, 0), 1);
    for (int i = 1; i <= 6; i++)
        assert_string_equal(happened(k, ctn_arena_printf(k->arena, "k%d", i).ptr), "false");
}

/* What a person has to do reaches the agency, with or without a client behind it, once. */
static void the_desk_is_written_to_about_anybody_or_nobody(void **state)
{
    kit *k = *state;
    char outbox[100], name[200] = "";
    snprintf(outbox, sizeof outbox, "%s/outbox", k->folder);
    ctn_str bob = add_client(k, "Bob", "", "");
    for (int i = 0; i < 2; i++)
        (void) delivered(k, message_to(k, bob, "desk", "A question", "Where from?", "k1"));
    (void) delivered(k, message_to(k, CTN_STR(""), "desk", "A lead needs a person", "It failed.", "k2"));
    assert_int_equal(files_in(outbox, name, sizeof name), 2);
    assert_string_equal(happened(k, "k2"), "true");
    assert_int_equal(shell("grep -q 'about %.*s, Bob' %s/*", CTN_STR_ARG(bob), outbox), 0);
    assert_fails(k, message_to(k, CTN_STR(""), "email", "", "x", "k3"), CTN_E_INVALID, "client_id");
}

static void an_outbox_that_cannot_be_written_is_told_and_tried_again(void **state)
{
    kit *k = *state;
    configure(k, "delivery: {outbox: {folder: not/there}}\n");
    ctn_str ana = add_client(k, "Ana", "ana@c.example", "");
    const ctn_json *message = message_to(k, ana, "email", "", "x", "k1");
    assert_fails(k, message, CTN_E_BUSY, "not/there");
    assert_int_equal(shell("mkdir '%s/not'", k->folder), 0);
    (void) delivered(k, message);
    assert_string_equal(happened(k, "k1"), "true");
}

/* ---- the mail server ---- */

static void a_mail_server_gets_what_was_meant(void **state)
{
    kit *k = *state;
    if (!has_servers())
        skip();
    start_servers(k, NULL, NULL);
    configure(k, EMAIL_SMTP);
    ctn_str ana = add_client(k,
                             "Jos\xc3\xa9 \"Pepe\" N\xc3\xba\xc3\xb1"
                             "ez",
                             "pepe@c.example", "");
    const ctn_json *message = message_to(
        k, ana, "email", "\xc2\xbfQu\xc3\xa9 le parece su viaje a Roma, Florencia y Venecia?\r\nBcc: x@y.example",
        LONG_TEXT, "k1");
    const ctn_json *first = delivered(k, message);
    assert_true(ctn_json_equal(first, delivered(k, message)));
    const ctn_json *mails = taken(k);
    assert_int_equal(ctn_json_count(mails), 1);
    const ctn_json *mail = ctn_json_at(mails, 0);
    assert_member(mail, "subject",
                  "\xc2\xbfQu\xc3\xa9 le parece su viaje a Roma, Florencia y Venecia?  Bcc: x@y.example");
    assert_member(mail, "to_header",
                  "\"Jos\xc3\xa9 \\\"Pepe\\\" N\xc3\xba\xc3\xb1"
                  "ez\" <pepe@c.example>");
    assert_member(mail, "from_header", "Oak & Sea Travel <hello@oaksea.example>");
    assert_member(mail, "from", "hello@oaksea.example");
    assert_member(mail, "id", ctn_arena_str(k->arena, ctn_json_str_or(first, "reference", CTN_STR(""))).ptr);
    assert_member(mail, "text",
                  "Hola Jos\xc3\xa9:\n.\n..dos puntos\n"
                  "una l\xc3\xadnea larga una l\xc3\xadnea larga una l\xc3\xadnea larga una l\xc3\xadnea larga una "
                  "l\xc3\xadnea larga\nFrom aqu\xc3\xad = fin \n\nHasta pronto\n");
    assert_true(ctn_json_int_or(mail, "longest", 0) <= 78);
    assert_false(ctn_json_has_text(ctn_json_member_of(mail, "headers"), CTN_STR("Bcc")));
    assert_true(ctn_str_is(ctn_json_text(ctn_json_at(ctn_json_member_of(mail, "to"), 0)), "pepe@c.example"));
}

static void a_refusal_is_told_and_only_one_for_now_is_tried_again(void **state)
{
    kit *k = *state;
    if (!has_servers())
        skip();
    start_servers(k, NULL, NULL);
    configure(k, EMAIL_SMTP);
    ctn_str gone = add_client(k, "A", "refused@c.example", ""), busy = add_client(k, "B", "later@c.example", ""),
            after = add_client(k, "C", "after@c.example", "");
    assert_fails(k, message_to(k, gone, "email", "s", "x", "k1"), CTN_E_STATE, "550");
    assert_fails(k, message_to(k, busy, "email", "s", "x", "k2"), CTN_E_BUSY, "451");
    assert_fails(k, message_to(k, after, "email", "s", "x", "k3"), CTN_E_STATE, "554");
    assert_string_equal(happened(k, "k1"), "false");
    assert_string_equal(happened(k, "k2"), "false");
    assert_string_equal(happened(k, "k3"), "false");
    configure(k, "delivery: {channels: {email: smtp}, smtp: {host: 127.0.0.1, port: 9, timeout_seconds: 1}}\n");
    assert_fails(k, message_to(k, busy, "email", "s", "x", "k2"), CTN_E_BUSY, "127.0.0.1");
}

/* The worst of it: the server has the message, and we do not know. */
static void a_mail_of_unknown_fate_is_not_sent_twice(void **state)
{
    kit *k = *state;
    if (!has_servers())
        skip();
    start_servers(k, NULL, NULL);
    configure(k, EMAIL_SMTP);
    ctn_str lost = add_client(k, "A", "lost@c.example", ""), silent = add_client(k, "B", "silent@c.example", "");
    assert_fails(k, message_to(k, lost, "email", "s", "x", "k1"), CTN_E_TIMEOUT, "did not say");
    assert_fails(k, message_to(k, lost, "email", "s", "x", "k1"), CTN_E_TIMEOUT, "is not known");
    assert_fails(k, message_to(k, silent, "email", "s", "x", "k2"), CTN_E_TIMEOUT, "did not say");
    assert_int_equal(ctn_json_count(taken(k)), 2);
    assert_string_equal(happened(k, "k1"), "null");
    assert_string_equal(happened(k, "k2"), "null");
    /* an outbox of today cannot tell what the mail server of yesterday did */
    configure(k, "");
    assert_fails(k, message_to(k, lost, "email", "s", "x", "k1"), CTN_E_TIMEOUT, "is not known");
    assert_string_equal(happened(k, "k1"), "null");
}

static void a_password_travels_only_under_tls_and_stands_nowhere(void **state)
{
    kit *k = *state;
    if (!has_servers() || shell("command -v openssl >/dev/null") != 0)
        skip();
    char cert[200], key[200], text[1000];
    snprintf(cert, sizeof cert, "%s/cert.pem", k->folder);
    snprintf(key, sizeof key, "%s/key.pem", k->folder);
    assert_int_equal(shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
                           "/CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout '%s' -out '%s' 2>/dev/null",
                           key, cert),
                     0);
    start_servers(k, cert, key);
    ctn_str ana = add_client(k, "Ana", "ana@c.example", "");
    const ctn_json *message = message_to(k, ana, "email", "s", "x", "k1");
    snprintf(
        text, sizeof text, "%s",
        "delivery: {channels: {email: smtp}, smtp: {host: 127.0.0.1, port: SMTP, security: starttls, username: desk, "
        "password: {env: MAIL_PASSWORD}, ca: cert.pem, timeout_seconds: 5}}\n");
    configure(k, text);
    assert_fails(k, message, CTN_E_NOT_FOUND, "MAIL_PASSWORD is not set");
    setenv("MAIL_PASSWORD", "wrong battery", 1);
    ctn_err err = {0};
    const ctn_json *result = NULL;
    assert_int_equal(deliver(k, message, &result, &err), CTN_E_STATE);
    assert_non_null(strstr(err.message, "refused"));
    assert_null(strstr(err.message, "battery"));
    setenv("MAIL_PASSWORD", "correct horse", 1);
    (void) delivered(k, message);
    const ctn_json *mail = ctn_json_at(taken(k), 0);
    assert_true(ctn_json_bool_or(mail, "tls", false) && ctn_json_bool_or(mail, "login", false));
    /* whoever does not know the certificate sends nothing */
    configure(k, "delivery: {channels: {email: smtp}, smtp: {host: 127.0.0.1, port: SMTP, security: starttls, "
                 "timeout_seconds: 5}}\n");
    assert_fails(k, message_to(k, ana, "email", "s", "x", "k2"), CTN_E_STATE, "did not take");
    assert_int_equal(ctn_json_count(taken(k)), 1);
    unsetenv("MAIL_PASSWORD");
}

/* ---- the webhook ---- */

static void configure_hook(kit *k, const char *may_repeat)
{
    char text[600];
    const char *at = strstr(PHONE_HOOK, "MAY");
    snprintf(text, sizeof text, "%.*s%s%s", (int) (at - PHONE_HOOK), PHONE_HOOK, may_repeat, at + 3);
    setenv("HOOK_TOKEN", "t0ken", 1);
    configure(k, text);
}

static void a_webhook_gets_the_message_once_with_its_key(void **state)
{
    kit *k = *state;
    if (!has_servers())
        skip();
    start_servers(k, NULL, NULL);
    configure_hook(k, "true");
    ctn_str ana = add_client(k, "Ana", "", "+34600111222"), gone = add_client(k, "B", "", "+34600111250"),
            busy = add_client(k, "C", "", "+34600111251");
    const ctn_json *message = message_to(k, ana, "whatsapp", "", "Hola \xc2\xa1guapa!", "k1\r\nX: 1");
    const ctn_json *first = delivered(k, message);
    assert_true(ctn_str_starts_with(ctn_json_str_or(first, "reference", CTN_STR("")), CTN_STR("W-")));
    const ctn_json *got = ctn_json_at(taken(k), 0);
    assert_member(got, "token", "Bearer t0ken");
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(got, CTN_STR("/body/to/address"))), "+34600111222"));
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(got, CTN_STR("/body/text"))), "Hola \xc2\xa1guapa!"));
    assert_fails(k, message_to(k, gone, "whatsapp", "", "x", "k2"), CTN_E_STATE, "HTTP 422");
    assert_fails(k, message_to(k, busy, "whatsapp", "", "x", "k3"), CTN_E_BUSY, "HTTP 429");
    assert_int_equal(ctn_json_count(taken(k)), 1);
}

static void only_a_webhook_that_honours_keys_is_asked_twice(void **state)
{
    kit *k = *state;
    if (!has_servers())
        skip();
    start_servers(k, NULL, NULL);
    configure_hook(k, "false");
    ctn_str lost = add_client(k, "A", "", "+34600111252"), broken = add_client(k, "B", "", "+34600111254");
    assert_fails(k, message_to(k, lost, "whatsapp", "", "x", "k1"), CTN_E_TIMEOUT, "did not say");
    assert_fails(k, message_to(k, lost, "whatsapp", "", "x", "k1"), CTN_E_TIMEOUT, "is not known");
    assert_fails(k, message_to(k, broken, "whatsapp", "", "x", "k2"), CTN_E_TIMEOUT, "HTTP 500");
    assert_string_equal(happened(k, "k1"), "null");
    configure_hook(k, "true");
    (void) delivered(k, message_to(k, lost, "whatsapp", "", "x", "k1"));
    (void) delivered(k, message_to(k, broken, "whatsapp", "", "x", "k2"));
    assert_int_equal(ctn_json_count(taken(k)), 2);
    assert_string_equal(happened(k, "k1"), "true");
}

/* ---- the section ---- */

static void a_section_that_says_what_it_may_not_is_found_at_the_start(void **state)
{
    kit *k = *state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"delivery:\n  chanels: {}\n", "agency.yaml:2:3: delivery has no key \"chanels\"; did you mean channels?"},
        {"delivery:\n  channels: {email: smpt}\n", "2:21: email must be outbox, smtp or webhook; did you mean smtp?"},
        {"delivery: {channels: {sms: smtp}, smtp: {host: a}}\n", "1:28: smtp carries email only"},
        {"delivery: {channels: {email: smtp}}\n", "smtp needs delivery.smtp.host"},
        {"delivery: {channels: {email: smtp}, smtp: {host: a}}\n", "smtp needs the sender's address"},
        {"delivery: {channels: {sms: webhook}}\n", "webhook needs delivery.webhook.url"},
        {"delivery: {webhook: {url: \"http://a.example/\"}}\n", "url must begin with https://"},
        {"delivery: {webhook: {url: \"http://127.0.0.1@a.example/\"}}\n", "url must begin with https://"},
        {"delivery: {smtp: {host: a.example, username: u, password: secret}}\n", "named by {env: NAME}"},
        {"delivery: {smtp: {host: a.example, username: u, security: none}}\n", "would travel in clear"},
        {"delivery: {smtp: {port: 70000}}\n", "1:25: port must be a whole number from 1 to 65535"},
        {"delivery: {from: {address: nobody}}\n", "1:28: the sender's address must be"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ctn_err err = {0};
        travel_agency *agency = NULL;
        write_text(k->agency, cases[i].text);
        assert_int_equal(travel_agency_open(k->agency, &agency, &err), CTN_OK);
        assert_int_equal(travel_tools_check(agency, &err), CTN_E_INVALID);
        if (!strstr(err.message, cases[i].sentence) || strstr(err.message, "secret}"))
            fail_msg("\"%s\" lacks \"%s\"", err.message, cases[i].sentence);
        travel_agency_close(agency);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_kit, drop_kit)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_subject_or_name_makes_no_header_of_its_own),
        TEST(an_address_that_could_be_misread_is_none),
        TEST(the_outbox_has_one_file_a_key_whatever_is_taken_away),
        TEST(who_cannot_or_will_not_be_written_to_gets_nothing),
        TEST(the_desk_is_written_to_about_anybody_or_nobody),
        TEST(an_outbox_that_cannot_be_written_is_told_and_tried_again),
        TEST(a_mail_server_gets_what_was_meant),
        TEST(a_refusal_is_told_and_only_one_for_now_is_tried_again),
        TEST(a_mail_of_unknown_fate_is_not_sent_twice),
        TEST(a_password_travels_only_under_tls_and_stands_nowhere),
        TEST(a_webhook_gets_the_message_once_with_its_key),
        TEST(only_a_webhook_that_honours_keys_is_asked_twice),
        TEST(a_section_that_says_what_it_may_not_is_found_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
