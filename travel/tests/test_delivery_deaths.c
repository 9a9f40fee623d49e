/*
 * Killed at every point of a delivery and called again, as the engine would: for each driver at most one message comes
 * to the other side, and where the fate can be known (outbox, a webhook that honours keys) exactly one.
 *
 * catena_travel_mortal is catena-travel with tests/e2e/mortal/death.c: it dies by SIGKILL at the n-th point at which it
 * writes, sends, syncs, moves or removes something. TRAVEL_EVERY_DEATH=1 takes every point for all three drivers.
 */
#include "delivery_kit.h"

#include "followup/letter.h"

typedef struct mortal {
    kit *k;
    const char *channel;
    char gone[100];
} mortal;

/* Runs deliver_message; true: it died, at point `at`. *ret_code is its exit code otherwise. */
static bool run_mortal(const mortal *m, ctn_str client_id, const char *key, unsigned at, int *ret_code)
{
    kit *k = m->k;
    ctn_str json = ctn_json_to_str(k->arena, message_to(k, client_id, m->channel, "Roma", "Hola\n.\nfin", key));
    char point[16], out[100];
    int status;
    snprintf(point, sizeof point, "%u", at);
    snprintf(out, sizeof out, "%s/said", k->folder);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("CRM", k->crm, 1);
        setenv("AGENCY", k->agency, 1);
        if (at > 0)
            setenv("CATENA_DEATH_AT", point, 1);
        FILE *said = freopen(out, "w", stderr);
        if (!said || !freopen("/dev/null", "w", stdout))
            _exit(126);
        const char *program = at > 0 ? TRAVEL_MORTAL_PROGRAM : TRAVEL_PROGRAM;
        execl(program, "catena-travel", "call", "deliver_message", json.ptr, (char *) NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    *ret_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Somebody takes everything out of the outbox at once: what was there may not come again because it is gone. */
static void empty_outbox(const mortal *m, unsigned at, const char *when)
{
    char outbox[100], from[600], to[600];
    snprintf(outbox, sizeof outbox, "%s/outbox", m->k->folder);
    DIR *dir = opendir(outbox);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        snprintf(from, sizeof from, "%s/%s", outbox, e->d_name);
        snprintf(to, sizeof to, "%s/%u-%s-%s", m->gone, at, when, e->d_name);
        if (e->d_name[0] != '.')
            assert_int_equal(rename(from, to), 0);
    }
    if (dir)
        closedir(dir);
}

/* How often the message of this key came to the other side: it is told apart by its Message-ID, as people would. */
static size_t messages_of(const mortal *m, const char *key)
{
    kit *k = m->k;
    char path[600];
    size_t count = 0;
    travel_letter letter = {.key = ctn_str_from(key), .from_address = CTN_STR("hello@oaksea.example")};
    ctn_str id = travel_letter_id(k->arena, &letter), text;
    const ctn_json *all = taken(k);
    for (size_t i = 0; i < ctn_json_count(all); i++) {
        const ctn_json *one = ctn_json_at(all, i), *body = ctn_json_member_of(one, "body");
        count += ctn_str_equal(ctn_json_str_or(body ? body : one, "id", CTN_STR("")), id);
    }
    DIR *dir = opendir(m->gone);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", m->gone, e->d_name);
        if (e->d_name[0] != '.' && read_whole_file(k->arena, path, &text))
            count += ctn_str_find(text, id) != SIZE_MAX;
    }
    if (dir)
        closedir(dir);
    return count;
}

/* Dies at point 1, 2, ... (or each `step`-th) until a run is through; is_known: the second call must bring it to one.
 */
static void die_everywhere(mortal *m, ctn_str client_id, bool is_known, unsigned step)
{
    size_t unknown = 0, deaths = 0, messages = 0;
    bool has_died = true;
    char key[32];
    unsigned at = 1;
    snprintf(m->gone, sizeof m->gone, "%s/gone", m->k->folder);
    assert_int_equal(mkdir(m->gone, 0700), 0);
    step = getenv("TRAVEL_EVERY_DEATH") ? 1 : step;
    for (; has_died; at += step) {
        int code = 0;
        ctn_arena_mark mark = ctn_arena_save(m->k->arena);
        snprintf(key, sizeof key, "k%u", at);
        has_died = run_mortal(m, client_id, key, at, &code);
        empty_outbox(m, at, "first");
        if (!has_died)
            assert_int_equal(code, 0);
        assert_false(run_mortal(m, client_id, key, 0, &code));
        empty_outbox(m, at, "second");
        size_t count = messages_of(m, key);
        if (count > 1 || (code == 0 && count != 1) || (is_known && code != 0))
            fail_msg("died at %u: %zu messages, exit code %d", at, count, code);
        /* what is not known stays as it is, and who asks is told so */
        assert_string_equal(happened(m->k, key), code == 0 ? "true" : "null");
        unknown += code != 0;
        deaths += has_died;
        ctn_arena_restore(m->k->arena, mark);
    }
    for (unsigned i = 1; i < at; i += step) { /* and none came late */
        snprintf(key, sizeof key, "k%u", i);
        assert_true(messages_of(m, key) <= 1);
        messages += messages_of(m, key);
    }
    print_message("%zu deaths, %zu of them left to a person, %zu messages\n", deaths, unknown, messages);
    assert_true(deaths * step > 50);
}

static void the_outbox_has_one_message_wherever_we_die(void **state)
{
    kit *k = *state;
    mortal m = {.k = k, .channel = "email"};
    die_everywhere(&m, add_client(k, "Ana", "ana@c.example", ""), true, 1);
}

static void the_mail_server_has_at_most_one_message_wherever_we_die(void **state)
{
    kit *k = *state;
    if (!has_servers())
        skip();
    mortal m = {.k = k, .channel = "email"};
    start_servers(k, NULL, NULL);
    configure(k, "delivery: {channels: {email: smtp}, smtp: {host: 127.0.0.1, port: SMTP, timeout_seconds: 5}}\n");
    die_everywhere(&m, add_client(k, "Ana", "ana@c.example", ""), false, 3);
}

static void a_webhook_that_honours_keys_has_one_message_wherever_we_die(void **state)
{
    kit *k = *state;
    if (!has_servers())
        skip();
    mortal m = {.k = k, .channel = "whatsapp"};
    start_servers(k, NULL, NULL);
    configure(
        k, "delivery: {channels: {whatsapp: webhook}, webhook: {url: \"http://127.0.0.1:HTTP/\", may_repeat: true}}\n");
    die_everywhere(&m, add_client(k, "Ana", "", "+34600111222"), true, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_kit, drop_kit)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_outbox_has_one_message_wherever_we_die),
        TEST(the_mail_server_has_at_most_one_message_wherever_we_die),
        TEST(a_webhook_that_honours_keys_has_one_message_wherever_we_die),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
