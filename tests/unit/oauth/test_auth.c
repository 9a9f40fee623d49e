/* Leave to call: what is asked of whom, what is believed, and what never leaves. */
#include "support/cmocka.h"
#include "world.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const ctn_auth_config OAUTH = {.kind = CTN_AUTH_CODE};

static void assert_told(const told *t, int code, const char *token, const char *why)
{
    if (t->times != 1 || t->code != code || strcmp(t->token, token) != 0 || !strstr(t->why, why))
        fail_msg("told %u times: code %d (want %d), token '%s' (want '%s'), \"%s\" (want \"%s\")", t->times, t->code,
                 code, t->token, token, t->why, why);
}

static told refuse(world *w, ctn_auth *auth, const char *token, int status, ctn_str challenge)
{
    told t = {0};
    ctn_auth_refused(auth, ctn_str_from(token), status, &challenge, 1, told_ready, &t);
    world_wait(w, &t);
    return t;
}

static told token_of(world *w, ctn_auth *auth)
{
    told t = {0};
    ctn_auth_token(auth, told_ready, &t);
    world_wait(w, &t);
    return t;
}

/* ---- a person's leave ---- */

static void leave_is_given_once_and_kept(void **state)
{
    (void) state;
    world w = {0};
    world_begin(&w);
    ctn_auth *auth = world_auth(&w, &OAUTH, true, true);
    told t = token_of(&w, auth);
    assert_told(&t, CTN_OK, "", ""); /* none is known: the server will say what it wants */
    t = refuse(&w, auth, "", 401, world_challenge(&w, NULL, "read"));
    assert_told(&t, CTN_OK, "first-token-1", "");
    assert_string_equal(w.of.last_scope, "read");
    assert_non_null(strstr(w.of.last_token_body, "code=CODE-7f3a"));
    assert_non_null(strstr(w.of.last_token_body, "client_id=registered-client"));
    ctn_auth_free(auth);
    auth = world_auth(&w, &OAUTH, false, true); /* another process, later */
    t = token_of(&w, auth);
    assert_told(&t, CTN_OK, "first-token-1", "");
    assert_int_equal(w.of.registered + w.of.authorized + w.of.code_grants, 3);
    ctn_auth_free(auth);
    world_end(&w);
}

static void without_a_person_the_sentence_names_the_command(void **state)
{
    (void) state;
    world w = {0};
    world_begin(&w);
    ctn_auth *auth = world_auth(&w, &OAUTH, false, true);
    told t = refuse(&w, auth, "", 401, world_challenge(&w, NULL, "read"));
    assert_told(&t, CTN_E_DENIED, "", "run: catena tools login peer");
    t = refuse(&w, auth, "", 403, world_challenge(&w, "insufficient_scope", "files:write read"));
    assert_told(&t, CTN_E_DENIED, "", "run: catena tools login peer --scope \"files:write read\"");
    /* A person pastes it into a shell, and a stranger chose it. */
    t = refuse(&w, auth, "", 403, world_challenge(&w, "insufficient_scope", "$(id) a;id 'x' --help ok"));
    assert_told(&t, CTN_E_DENIED, "", "run: catena tools login peer --scope \"ok\"");
    assert_int_equal(w.of.authorized, 0);
    ctn_auth_free(auth);
    auth = world_auth(&w, NULL, false, false);
    t = refuse(&w, auth, "", 401, world_challenge(&w, NULL, NULL));
    assert_told(&t, CTN_E_DENIED, "", "give it `auth` in catena.yaml");
    ctn_auth_free(auth);
    world_end(&w);
}

static void a_login_asks_the_server_first(void **state)
{
    (void) state;
    world w = {0};
    world_begin(&w);
    ctn_auth *auth = world_auth(&w, &OAUTH, true, true);
    told t = {0};
    ctn_auth_login(auth, CTN_STR("more"), told_ready, &t);
    world_wait(&w, &t);
    assert_told(&t, CTN_OK, "first-token-1", "");
    assert_string_equal(w.of.last_scope, "read more");
    ctn_auth_free(auth);
    world_end(&w);
}

/* The union of what was given and what is wanted now; what the token has already is not asked for again. */
static void more_scopes_are_added_and_not_asked_for_in_vain(void **state)
{
    (void) state;
    world w = {0};
    world_begin(&w);
    ctn_auth *auth = world_auth(&w, &OAUTH, true, true);
    told t = refuse(&w, auth, "", 401, world_challenge(&w, NULL, "read"));
    t = refuse(&w, auth, "first-token-1", 403, world_challenge(&w, "insufficient_scope", "write"));
    assert_told(&t, CTN_OK, "first-token-2", "");
    assert_string_equal(w.of.last_scope, "read write");
    t = refuse(&w, auth, "first-token-2", 403, world_challenge(&w, "insufficient_scope", "write"));
    assert_told(&t, CTN_E_DENIED, "", "that has the scopes it asks for");
    t = refuse(&w, auth, "first-token-2", 403, CTN_STR(""));
    assert_told(&t, CTN_E_DENIED, "", "forbids this");
    assert_int_equal(w.of.authorized, 2);
    ctn_auth_free(auth);
    world_end(&w);
}

static void a_server_that_is_never_content_does_not_ask_for_ever(void **state)
{
    (void) state;
    world w = {.of.sends_no_refresh_token = true};
    world_begin(&w);
    ctn_auth *auth = world_auth(&w, &OAUTH, true, true);
    told t = {0};
    for (int i = 0; i < 6; i++)
        t = refuse(&w, auth, t.token, 401, world_challenge(&w, "invalid_token", NULL));
    assert_int_equal(t.code, CTN_E_DENIED);
    assert_in_range(w.of.authorized, 1, 3);
    ctn_auth_free(auth);
    world_end(&w);
}

/* ---- what is believed ---- */

static void assert_no_code_is_used(world *w, const char *why)
{
    world_begin(w);
    ctn_auth *auth = world_auth(w, &OAUTH, true, true);
    told t = refuse(w, auth, "", 401, world_challenge(w, NULL, NULL));
    if (t.code == CTN_OK || w->of.code_grants || !strstr(t.why, why))
        fail_msg("code %d, \"%s\" (want \"%s\"), the code was used %d times", t.code, t.why, why, w->of.code_grants);
    assert_int_equal(w->vault_text.len, 0);
    ctn_auth_free(auth);
    world_end(w);
}

static void nobody_gets_leave_in_another_s_name(void **state)
{
    (void) state;
    assert_no_code_is_used(&(world){.of.resource = "https://evil.example.com/mcp"}, "which is not");
    assert_no_code_is_used(&(world){.of.issuer = "https://evil.example.com"}, "nothing it says is believed");
    assert_no_code_is_used(&(world){.of.iss = ISS_WRONG}, "another issuer");
    assert_no_code_is_used(&(world){.of.iss = ISS_SLASH}, "another issuer");
    assert_no_code_is_used(&(world){.of.has_no_s256 = true}, "S256");
    assert_no_code_is_used(&(world){.of.lacks_metadata = true}, "not there");
    assert_no_code_is_used(&(world){.of.knows_no_registration = true}, "clientId");
}

static void on_end(void *ctx, const ctn_http_end *end)
{
    (void) end;
    (*(int *) ctx)++;
}

/* Another process of this machine knocks, with a state of its own: the wait goes on. */
static void a_knock_that_is_not_ours_is_passed_by(void **state)
{
    (void) state;
    world w = {.never_opens = true};
    world_begin(&w);
    ctn_auth *auth = world_auth(&w, &OAUTH, true, true);
    told t = {0};
    int ended = 0;
    ctn_str challenge = world_challenge(&w, NULL, NULL);
    ctn_auth_refused(auth, CTN_STR(""), 401, &challenge, 1, told_ready, &t);
    while (!w.pages)
        world_run_for(&w, 20);
    const char *port = strstr(w.page, "127.0.0.1%3A");
    static const char *const KNOCKS[] = {"callback?code=evil&state=guess", "callback", "favicon.ico",
                                         "callback?error=access_denied&state=guess"};
    for (size_t i = 0; i < 4; i++) {
        char url[256];
        snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", (int) strtol(port + 12, NULL, 10), KNOCKS[i]);
        (void) ctn_http_send(
            w.http,
            &(ctn_http_request){.method = "GET", .url = ctn_str_from(url), .events = {.ended = on_end, .ctx = &ended}});
    }
    for (int i = 0; i < 100 && ended < 4; i++)
        world_run_for(&w, 20);
    assert_int_equal(ended, 4);
    assert_int_equal(t.times + (unsigned) w.of.code_grants, 0);
    w.never_opens = false;
    char page[sizeof w.page];
    memcpy(page, w.page, sizeof page);
    w.ask.open(w.ask.ctx, page, 0);
    world_wait(&w, &t);
    assert_told(&t, CTN_OK, "first-token-1", "");
    ctn_auth_free(auth);
    world_end(&w);
}

/* A server elsewhere names a place on this machine: nothing is asked there (and no token is sent to it). */
static void a_server_elsewhere_does_not_lead_to_this_machine(void **state)
{
    (void) state;
    world w = {0};
    world_begin(&w);
    ctn_auth *auth = ctn_auth_new(&(ctn_auth_options){.loop = w.loop,
                                                      .http = w.http,
                                                      .server = CTN_STR("peer"),
                                                      .url = CTN_STR("https://tools.example.com/mcp"),
                                                      .config = &OAUTH,
                                                      .ask = &w.ask});
    told t = refuse(&w, auth, "", 401, world_challenge(&w, NULL, NULL));
    assert_int_equal(t.code, CTN_E_DENIED);
    assert_int_equal(http_peer_requests(w.peer), 0);
    ctn_auth_free(auth);
    world_end(&w);
}

/* ---- renewing ---- */

static void a_token_is_renewed_before_it_ends_and_the_new_refresh_token_kept(void **state)
{
    (void) state;
    world w = {.of.life_s = 10}; /* shorter than the time before its end in which it is renewed */
    world_begin(&w);
    ctn_auth *auth = world_auth(&w, &OAUTH, true, true);
    (void) refuse(&w, auth, "", 401, world_challenge(&w, NULL, "read"));
    assert_true(ctn_str_find(w.vault_text, CTN_STR("REFRESH-original")) != SIZE_MAX);
    w.of.life_s = 3600;
    told t = token_of(&w, auth);
    assert_told(&t, CTN_OK, "renewed-token-1", "");
    assert_non_null(strstr(w.of.last_token_body, "refresh_token=REFRESH-original"));
    assert_non_null(strstr(w.of.last_token_body, "resource=http"));
    assert_true(ctn_str_find(w.vault_text, CTN_STR("REFRESH-rotated")) != SIZE_MAX);
    t = token_of(&w, auth);
    assert_told(&t, CTN_OK, "renewed-token-1", "");
    assert_int_equal(w.of.refreshes, 1);
    ctn_auth_free(auth);
    world_end(&w);
}

/* A refresh token is good once: of two that renew at a time, one does, and the other takes what it got. */
static void of_two_processes_one_renews(void **state)
{
    (void) state;
    world w = {.of.life_s = 10};
    world_begin(&w);
    ctn_auth *login = world_auth(&w, &OAUTH, true, true);
    (void) refuse(&w, login, "", 401, world_challenge(&w, NULL, NULL));
    w.of.life_s = 3600;
    w.of.token_delay_ms = 150;
    ctn_auth *one = world_auth(&w, &OAUTH, false, true), *two = world_auth(&w, &OAUTH, false, true);
    told t1 = {0}, t2 = {0};
    ctn_auth_token(one, told_ready, &t1);
    ctn_auth_token(two, told_ready, &t2);
    world_wait(&w, &t1);
    world_wait(&w, &t2);
    assert_told(&t1, CTN_OK, "renewed-token-1", "");
    assert_told(&t2, CTN_OK, "renewed-token-1", "");
    assert_int_equal(w.of.refreshes, 1);
    ctn_auth_free(login);
    ctn_auth_free(one);
    ctn_auth_free(two);
    world_end(&w);
}

static void a_hundred_that_wait_are_told_of_one_renewal(void **state)
{
    (void) state;
    world w = {.of.life_s = 10};
    world_begin(&w);
    ctn_auth *auth = world_auth(&w, &OAUTH, true, true);
    (void) refuse(&w, auth, "", 401, world_challenge(&w, NULL, NULL));
    w.of.life_s = 3600;
    told all[100] = {{0}};
    for (int i = 0; i < 100; i++)
        ctn_auth_token(auth, told_ready, &all[i]);
    ctn_auth_forget(auth, &all[7]); /* its call was given up */
    world_wait(&w, &all[99]);
    for (int i = 0; i < 100; i++)
        assert_int_equal(all[i].times, i == 7 ? 0 : 1);
    assert_int_equal(w.of.refreshes, 1);
    ctn_auth_free(auth);
    world_end(&w);
}

static void a_refresh_token_that_is_refused_is_not_tried_again(void **state)
{
    (void) state;
    world w = {.of.life_s = 10};
    world_begin(&w);
    ctn_auth *login = world_auth(&w, &OAUTH, true, true);
    (void) refuse(&w, login, "", 401, world_challenge(&w, NULL, NULL));
    ctn_auth_free(login);
    w.of.refuses_refresh = w.of.repeats_secrets = true;
    ctn_auth *auth = world_auth(&w, &OAUTH, false, true);
    told t = token_of(&w, auth);
    assert_told(&t, CTN_E_DENIED, "", "run: catena tools login peer");
    assert_null(strstr(t.why, "REFRESH")); /* the server repeated it */
    t = token_of(&w, auth);
    assert_told(&t, CTN_OK, "", "");
    assert_int_equal(w.of.refreshes, 1);
    assert_true(ctn_str_find(w.vault_text, CTN_STR("REFRESH")) == SIZE_MAX);
    ctn_auth_free(auth);
    world_end(&w);
}

/* A process that runs on does not bring back what was taken back beside it. */
static void after_a_logout_nothing_is_renewed(void **state)
{
    (void) state;
    world w = {.of.life_s = 10};
    world_begin(&w);
    ctn_auth *auth = world_auth(&w, &OAUTH, true, true);
    (void) refuse(&w, auth, "", 401, world_challenge(&w, NULL, NULL));
    ctn_auth_free(auth);
    for (int i = 0; i < 2; i++) {
        ctn_str kept = w.vault_text;
        auth = world_auth(&w, &OAUTH, false, true);
        told t = {0};
        ctn_auth_token(auth, told_ready, &t); /* it has read the vault: a renewal begins */
        w.vault_text = (ctn_str){0};
        world_wait(&w, &t);
        assert_told(&t, CTN_E_DENIED, "", "taken back");
        if (i == 1) {
            t = refuse(&w, auth, "first-token-1", 401, world_challenge(&w, NULL, NULL));
            assert_told(&t, CTN_E_DENIED, "", "catena tools login peer");
        }
        assert_int_equal(w.vault_text.len + (size_t) w.of.refreshes, 0);
        ctn_auth_free(auth);
        w.vault_text = kept;
    }
    world_end(&w);
}

static void a_token_of_another_url_is_not_used(void **state)
{
    (void) state;
    world w = {0};
    world_begin(&w);
    ctn_auth *auth = world_auth(&w, &OAUTH, true, true);
    (void) refuse(&w, auth, "", 401, world_challenge(&w, NULL, NULL));
    ctn_auth_free(auth);
    auth = ctn_auth_new(&(ctn_auth_options){.loop = w.loop,
                                            .http = w.http,
                                            .server = CTN_STR("peer"),
                                            .url = CTN_STR("http://127.0.0.1:1/mcp"),
                                            .config = &OAUTH,
                                            .vault = &w.vault});
    told t = token_of(&w, auth);
    assert_told(&t, CTN_OK, "", "");
    ctn_auth_free(auth);
    world_end(&w);
}

static void what_is_freed_in_the_middle_tells_nothing(void **state)
{
    (void) state;
    for (int ms = 0; ms < 12; ms += 3) {
        world w = {.never_opens = ms % 2};
        world_begin(&w);
        ctn_auth *auth = world_auth(&w, &OAUTH, true, true);
        told t = {0};
        ctn_str challenge = world_challenge(&w, NULL, NULL);
        ctn_auth_refused(auth, CTN_STR(""), 401, &challenge, 1, told_ready, &t);
        world_run_for(&w, ms);
        unsigned before = t.times;
        ctn_auth_free(auth);
        world_run_for(&w, 5);
        assert_int_equal(t.times, before);
        world_end(&w);
    }
}

/* ---- without a person ---- */

static void a_static_token_is_read_anew_when_it_was_refused(void **state)
{
    (void) state;
    world w = {0};
    world_begin(&w);
    char path[] = "/tmp/catena-token-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "  old \n", 7), 7);
    ctn_auth_config config = {.kind = CTN_AUTH_BEARER, .token.file = path};
    ctn_auth *auth = world_auth(&w, &config, false, false);
    told t = token_of(&w, auth);
    assert_told(&t, CTN_OK, "old", "");
    t = refuse(&w, auth, "old", 401, CTN_STR("Bearer"));
    assert_told(&t, CTN_E_DENIED, "", path);
    assert_int_equal(pwrite(fd, "  new \n", 7, 0), 7);
    t = refuse(&w, auth, "old", 401, CTN_STR("Bearer"));
    assert_told(&t, CTN_OK, "new", "");
    assert_int_equal(pwrite(fd, "n w", 3, 2), 3);
    t = refuse(&w, auth, "new", 401, CTN_STR("Bearer"));
    assert_told(&t, CTN_E_DENIED, "", "cannot be a token");
    ctn_auth_free(auth);
    close(fd);
    unlink(path);
    world_end(&w);
}

static void a_client_gets_its_token_by_itself(void **state)
{
    (void) state;
    world w = {.of.life_s = 3600};
    world_begin(&w);
    setenv("CTN_TEST_SECRET", "s3cret-of-the-client", 1);
    ctn_auth_config config = {.kind = CTN_AUTH_CLIENT_CREDENTIALS,
                              .client_id = "robot",
                              .client_secret.env = "CTN_TEST_SECRET",
                              .scopes = "jobs"};
    ctn_auth *auth = world_auth(&w, &config, false, false);
    told t = refuse(&w, auth, "", 401, world_challenge(&w, NULL, "ignored"));
    assert_told(&t, CTN_OK, "client-token-1", "");
    assert_string_equal(w.of.last_authorization, "Basic cm9ib3Q6czNjcmV0LW9mLXRoZS1jbGllbnQ=");
    assert_non_null(strstr(w.of.last_token_body, "scope=jobs"));
    t = token_of(&w, auth);
    assert_told(&t, CTN_OK, "client-token-1", "");
    t = refuse(&w, auth, "client-token-1", 401, world_challenge(&w, "invalid_token", NULL)); /* new, and refused */
    assert_told(&t, CTN_E_DENIED, "", "client credentials");
    assert_int_equal(w.of.client_grants, 1);
    ctn_auth_free(auth);
    world_end(&w);
}

/* Shorter than the time in which a new token's refusal is taken for its own fault; and found again without a challenge.
 */
static void a_client_s_token_that_has_ended_is_got_anew(void **state)
{
    (void) state;
    world w = {.of.life_s = 1};
    world_begin(&w);
    ctn_auth_config config = {
        .kind = CTN_AUTH_CLIENT_CREDENTIALS, .client_id = "robot", .client_secret.env = "CTN_TEST_SECRET"};
    ctn_auth *auth = world_auth(&w, &config, false, false);
    told t = refuse(&w, auth, "", 401, world_challenge(&w, NULL, NULL));
    assert_told(&t, CTN_OK, "client-token-1", "");
    t = token_of(&w, auth);
    assert_told(&t, CTN_OK, "client-token-2", "");
    world_run_for(&w, 1050);
    t = refuse(&w, auth, "client-token-2", 401, world_challenge(&w, "invalid_token", NULL));
    assert_told(&t, CTN_OK, "client-token-3", "");
    ctn_auth_free(auth);
    world_end(&w);
}

/* The secret is shown to the issuer that it belongs to, and its endpoint leads nowhere else. */
static void a_client_s_secret_goes_to_its_issuer_alone(void **state)
{
    (void) state;
    world w = {0};
    world_begin(&w);
    ctn_auth_config config = {.kind = CTN_AUTH_CLIENT_CREDENTIALS,
                              .client_id = "robot",
                              .client_secret.env = "CTN_TEST_SECRET",
                              .issuer = "https://other.example.com"};
    ctn_auth *auth = world_auth(&w, &config, false, false);
    told t = refuse(&w, auth, "", 401, world_challenge(&w, NULL, NULL));
    assert_told(&t, CTN_E_DENIED, "", "shown to nobody else");
    assert_int_equal(w.of.client_grants, 0);
    ctn_auth_free(auth);
    w.of.moves_token = true;
    config.issuer = NULL;
    auth = world_auth(&w, &config, false, false);
    t = refuse(&w, auth, "", 401, world_challenge(&w, NULL, NULL));
    assert_int_not_equal(t.code, CTN_OK);
    assert_int_equal(w.of.moved, 0);
    ctn_auth_free(auth);
    w.of.moves_token = false;
    w.of.refuses_clients = w.of.repeats_secrets = true;
    auth = world_auth(&w, &config, false, false);
    t = refuse(&w, auth, "", 401, world_challenge(&w, NULL, NULL));
    assert_int_equal(t.code, CTN_E_DENIED);
    assert_null(strstr(t.why, "s3cret"));
    assert_null(strstr(t.why, "cm9ib3Q6czNj")); /* nor as it was sent */
    ctn_auth_free(auth);
    world_end(&w);
}

static void a_key_signs_in_the_place_of_a_secret(void **state)
{
    (void) state;
    static const char PEM[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg@@@\n"
                              "-----END PRIVATE KEY-----\n";
    world w = {0};
    world_begin(&w);
    setenv("CTN_TEST_KEY", PEM, 1);
    ctn_auth_config config = {
        .kind = CTN_AUTH_CLIENT_CREDENTIALS, .client_id = "robot", .private_key.env = "CTN_TEST_KEY"};
    ctn_auth *auth = world_auth(&w, &config, false, false);
    told t = refuse(&w, auth, "", 401, world_challenge(&w, NULL, NULL));
    assert_int_not_equal(t.code, CTN_OK); /* its methods do not have it, and it is none */
    assert_null(strstr(t.why, "MIGHAgEA"));
    ctn_auth_free(auth);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leave_is_given_once_and_kept),
        cmocka_unit_test(without_a_person_the_sentence_names_the_command),
        cmocka_unit_test(a_login_asks_the_server_first),
        cmocka_unit_test(more_scopes_are_added_and_not_asked_for_in_vain),
        cmocka_unit_test(a_server_that_is_never_content_does_not_ask_for_ever),
        cmocka_unit_test(nobody_gets_leave_in_another_s_name),
        cmocka_unit_test(a_knock_that_is_not_ours_is_passed_by),
        cmocka_unit_test(a_server_elsewhere_does_not_lead_to_this_machine),
        cmocka_unit_test(a_token_is_renewed_before_it_ends_and_the_new_refresh_token_kept),
        cmocka_unit_test(of_two_processes_one_renews),
        cmocka_unit_test(a_hundred_that_wait_are_told_of_one_renewal),
        cmocka_unit_test(a_refresh_token_that_is_refused_is_not_tried_again),
        cmocka_unit_test(after_a_logout_nothing_is_renewed),
        cmocka_unit_test(a_token_of_another_url_is_not_used),
        cmocka_unit_test(what_is_freed_in_the_middle_tells_nothing),
        cmocka_unit_test(a_static_token_is_read_anew_when_it_was_refused),
        cmocka_unit_test(a_client_gets_its_token_by_itself),
        cmocka_unit_test(a_client_s_token_that_has_ended_is_got_anew),
        cmocka_unit_test(a_client_s_secret_goes_to_its_issuer_alone),
        cmocka_unit_test(a_key_signs_in_the_place_of_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
