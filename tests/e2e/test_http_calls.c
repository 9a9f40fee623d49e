/*
 * The real binary with `http` steps: who may be called, what is done about a write of unknown outcome, breakers, and
 * the same calls in simulations and tests. The peer is in the test's own program and counts what it was really asked.
 */
#include "cli_kit.h"
#include "support/http_peer.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A bank. */
typedef struct bank {
    http_peer *peer;
    pthread_mutex_t lock;
    unsigned paid, found, failed, cancelled;
    bool hangs;         /* after it has paid */
    bool knows_nothing; /* of a payment: it never came in */
    char key[200];      /* of the payment */
} bank;

static void serve(void *ctx, http_asked *asked)
{
    bank *b = ctx;
    pthread_mutex_lock(&b->lock);
    bool hangs = false;
    if (!strcmp(asked->method, "POST")) {
        b->paid++;
        hangs = b->hangs;
        (void) http_asked_header(asked, "Idempotency-Key", b->key, sizeof b->key);
    } else if (!strncmp(asked->path, "/find?key=", 10)) {
        b->found++;
        http_answer(asked, 200, "application/json",
                    b->paid && !b->knows_nothing ? "{\"happened\": true, \"result\": {\"id\": \"found\"}}"
                                                 : "{\"happened\": false, \"final\": true}");
        pthread_mutex_unlock(&b->lock);
        return;
    } else if (!strcmp(asked->method, "DELETE")) {
        b->cancelled++;
    } else {
        b->failed++;
        http_answer(asked, 500, "text/plain", "no");
        pthread_mutex_unlock(&b->lock);
        return;
    }
    pthread_mutex_unlock(&b->lock);
    if (hangs)
        http_hang(asked);
    else
        http_answer(asked, 201, "application/json", "{\"id\": \"paid\"}");
}

static void bank_open(bank *b, world *w)
{
    *b = (bank){.paid = 0};
    pthread_mutex_init(&b->lock, NULL);
    b->peer = http_peer_start(&(http_peer_options){.serve = serve, .ctx = b});
    cli_world_write(w, "catena.yaml", "egress: {allowPrivate: [127.0.0.1]}\n");
    cli_world_write(w, "pay.yaml",
                    "id: pay\nsteps:\n"
                    "  - {stepName: pay, instructionSet: pay, outputVariables: {receipt: id}, rollbackAction: cancel}\n"
                    "instructionSets:\n"
                    "  pay:\n"
                    "    http: {url: '%s/pay', body: {amount: 5}}\n"
                    "    check: {http: {url: '%s/find', query: {key: '{step.key}'}}}\n"
                    "  cancel: {http: {method: DELETE, url: '%s/pay/{input.receipt}'}}\n",
                    http_peer_url(b->peer), http_peer_url(b->peer), http_peer_url(b->peer));
}

static void bank_close(bank *b)
{
    http_peer_stop(b->peer);
    pthread_mutex_destroy(&b->lock);
}

static void wait_until_paid(bank *b, unsigned count)
{
    for (int i = 0; i < 1500; i++) {
        pthread_mutex_lock(&b->lock);
        bool is_paid = b->paid >= count;
        pthread_mutex_unlock(&b->lock);
        if (is_paid)
            return;
        usleep(10000);
    }
    fail_msg("nobody paid");
}

/* Starts the payment, kills catena while the bank has it, and gives the execution's id. */
static void kill_in_mid_call(world *w, bank *b, char id[64])
{
    b->hangs = true;
    running run = catena_start(w, "run", "pay.yaml", NULL);
    wait_until_paid(b, 1);
    kill(run.pid, SIGKILL);
    (void) running_wait(w, &run);
    pthread_mutex_lock(&b->lock);
    b->hangs = false;
    pthread_mutex_unlock(&b->lock);
    assert_exit(w, catena(w, "list", "--json", NULL), 0);
    json_text(w->said.out, "executionId", id);
}

static void a_payment_that_was_cut_off_is_asked_about_and_not_made_twice(void **state)
{
    world *w = *state;
    bank b;
    char id[64], key[200];
    bank_open(&b, w);
    kill_in_mid_call(w, &b, id);
    snprintf(key, sizeof key, "%s/pay/do", id);
    assert_string_equal(b.key, key);
    assert_exit(w, catena(w, "resume", id, NULL), 0);
    assert_out(w, "\"receipt\": \"found\"");
    assert_int_equal(b.paid, 1);
    assert_int_equal(b.found, 1);
    bank_close(&b);
}

static void a_payment_that_never_came_in_is_made_once_more(void **state)
{
    world *w = *state;
    bank b;
    char id[64];
    bank_open(&b, w);
    kill_in_mid_call(w, &b, id);
    b.knows_nothing = true;
    assert_exit(w, catena(w, "resume", id, NULL), 0);
    assert_out(w, "\"receipt\": \"paid\"");
    assert_int_equal(b.paid, 2); /* the first is what the bank does not know of */
    bank_close(&b);
}

static void without_a_check_a_person_is_asked(void **state)
{
    world *w = *state;
    bank b;
    bank_open(&b, w);
    b.hangs = true;
    cli_world_write(w, "pay.yaml",
                    "id: pay\nsteps: [{stepName: pay, instructionSet: pay, timeoutMs: 300, noUndo: x}]\n"
                    "instructionSets: {pay: {http: {url: '%s/pay', body: {amount: 5}}}}\n",
                    http_peer_url(b.peer));
    assert_exit(w, catena(w, "run", "pay.yaml", NULL), 3);
    assert_out(w, "\"status\": \"interrupted\"");
    assert_int_equal(b.paid, 1);
    bank_close(&b);
}

static void nobody_of_this_machine_is_called_unless_the_operator_says_so(void **state)
{
    world *w = *state;
    bank b;
    bank_open(&b, w);
    cli_world_write(w, "catena.yaml", "store: sqlite:x.db\n");
    assert_exit(w, catena(w, "run", "pay.yaml", NULL), 1);
    assert_out(w, "\"code\": \"denied\"");
    assert_out(w, "allowPrivate");
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:x.db\negress: {hosts: [api.example.com], allowPrivate: [127.0.0.1]}\n");
    assert_exit(w, catena(w, "run", "pay.yaml", NULL), 1);
    assert_out(w, "not among the hosts that may be called");
    cli_world_write(w, "catena.yaml", "egress: {hosts: ['https://api.example.com'], allowPrivates: [x]}\n");
    assert_exit(w, catena(w, "run", "pay.yaml", NULL), 2);
    assert_err(w, "is no host: write a name like api.example.com");
    assert_err(w, "unknown key 'allowPrivates'");
    assert_int_equal(b.paid, 0);
    bank_close(&b);
}

/* One breaker for all calls of the host, whatever set makes them; what was refused (4xx) does not open it. */
static void a_host_that_fails_is_left_alone_for_a_while(void **state)
{
    world *w = *state;
    bank b;
    bank_open(&b, w);
    cli_world_write(
        w, "look.yaml",
        "id: look\nsteps:\n"
        "  - stepName: look\n    instructionSet: look\n"
        "    foreach: {items: {range: [0, 8]}, maxConcurrency: 1}\n    onError: continue\n"
        "    fallback: [{value: {}}]\n"
        "  - {stepName: pay, instructionSet: pay, fallback: [{value: {id: none}}], outputVariables: {receipt: id},"
        " noUndo: x}\n"
        "instructionSets:\n"
        "  look: {http: {url: '%s/broken/{item}'}, breaker: {minimum: 3, openMs: 600000}}\n"
        "  pay: {http: {url: '%s/pay', body: {amount: 5}}}\n",
        http_peer_url(b.peer), http_peer_url(b.peer));
    assert_exit(w, catena(w, "run", "look.yaml", NULL), 0);
    assert_out(w, "\"receipt\": \"none\"");
    assert_int_equal(b.failed, 3);
    assert_int_equal(b.paid, 0);
    bank_close(&b);
}

static void a_case_answers_by_host_or_step_and_sees_places_of_secrets(void **state)
{
    world *w = *state;
    cli_world_write(w, "note.yaml",
                    "id: note\nsteps:\n"
                    "  - {stepName: note, instructionSet: note, outputVariables: {note_id: id}, rollbackAction: away}\n"
                    "  - {stepName: notes, instructionSet: notes, outputVariables: [notes]}\n"
                    "inputSchema: {type: object, required: [client], properties: {client: {type: string}}}\n"
                    "instructionSets:\n"
                    "  note: {http: {url: 'https://crm.example.com/{client}/notes', body: {text: hello},\n"
                    "    headers: {Authorization: 'Bearer {secret.CRM}'}},\n"
                    "    check: {http: {url: 'https://crm.example.com/by-key', query: {key: '{step.key}'}}}}\n"
                    "  away: {http: {method: DELETE, url: 'https://crm.example.com/notes/{input.note_id}'}}\n"
                    "  notes: {http: {url: 'https://crm.example.com/{client}/notes', next: '{links.next}'}}\n");
    cli_world_write(w, "note.test.yaml",
                    "chain: note.yaml\ncases:\n"
                    "  - name: by step\n    input: {client: a/b}\n    tools: {note: {id: 7}, notes: [[1, 2]]}\n"
                    "    expect:\n      status: completed\n      outputs: {note_id: 7, notes: [1, 2]}\n"
                    "      calls: [{tool: crm.example.com, step: note, args: {url: "
                    "'https://crm.example.com/a%%2Fb/notes', headers: {Authorization: 'Bearer {secret.CRM}'}}}]\n"
                    "  - name: asked about\n    input: {client: a}\n"
                    "    tools: {note: [{error: timeout}, {happened: true, result: {id: 8}}], notes: [[]]}\n"
                    "    expect: {status: completed, outputs: {note_id: 8}, calls: {crm.example.com: 3}}\n");
    assert_exit(w, catena(w, "test", "note.test.yaml", NULL), 0);
    assert_exit(w, catena(w, "simulate", "note.yaml", "--seeds", "300", NULL), 0);
    assert_contains(w->said.out, "300 worlds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_payment_that_was_cut_off_is_asked_about_and_not_made_twice),
        CLI_TEST(a_payment_that_never_came_in_is_made_once_more),
        CLI_TEST(without_a_check_a_person_is_asked),
        CLI_TEST(nobody_of_this_machine_is_called_unless_the_operator_says_so),
        CLI_TEST(a_host_that_fails_is_left_alone_for_a_while),
        CLI_TEST(a_case_answers_by_host_or_step_and_sees_places_of_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
