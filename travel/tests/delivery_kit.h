/*
 * delivery_kit.h -- what the tests of deliveries share: a folder with a CRM of one client for each way things go, and
 * the servers of delivery_peer.py with what they took.
 */
#pragma once

#include "support.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

typedef struct kit {
    char folder[64], crm[100], agency[100], log[100];
    pid_t peer;
    int peer_in;
    int smtp_port, http_port;
    ctn_arena *arena;
    travel_tools tools;
} kit;

static inline void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline int shell(const char *format, ...)
{
    char command[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    int status = -1;
    pid_t sh = fork();
    assert_true(sh >= 0);
    if (sh == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *) NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(sh, &status, 0), sh);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The servers; a test that needs them is skipped where Python has no aiosmtpd. */
static inline bool has_servers(void)
{
    return shell("/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null") == 0;
}

static inline void start_servers(kit *k, const char *cert, const char *key)
{
    int in[2], out[2];
    assert_true(pipe(in) == 0 && pipe(out) == 0);
    (void) unlink(k->log);
    k->peer = fork();
    assert_true(k->peer >= 0);
    if (k->peer == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl("/usr/bin/python3", "python3", "travel/tests/delivery_peer.py", k->log, cert, key, (char *) NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    k->peer_in = in[1];
    FILE *said = fdopen(out[0], "r");
    assert_non_null(said);
    assert_int_equal(fscanf(said, "%d %d", &k->smtp_port, &k->http_port), 2);
    fclose(said);
}

/* What was taken so far, an array. */
static inline const ctn_json *taken(kit *k)
{
    ctn_json_builder all = ctn_json_array(k->arena);
    ctn_str text = {NULL, 0};
    if (read_whole_file(k->arena, k->log, &text))
        while (text.len > 0) {
            ctn_str line = ctn_str_cut(&text, '\n');
            if (line.len > 0)
                ctn_json_push(&all, json_from(k->arena, line));
        }
    return ctn_json_finish(&all);
}

static inline size_t files_in(const char *folder, char *ret_name, size_t name_size)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        count++;
        if (ret_name)
            snprintf(ret_name, name_size, "%s", e->d_name);
    }
    if (dir)
        closedir(dir);
    return count;
}

static inline void open_tools(kit *k)
{
    ctn_err err = {0};
    travel_agency *agency = NULL;
    if (travel_agency_open(k->agency, &agency, &err) || travel_tools_check(agency, &err))
        fail_msg("%s", err.message);
    k->tools = (travel_tools){.crm_path = k->crm, .agency = agency, .clock = ctn_clock_system()};
}

/* agency.yaml with this delivery section; SMTP and HTTP in it are the servers' ports. */
static inline void configure(kit *k, const char *delivery)
{
    char text[4000] = "agency: {name: Oak & Sea Travel, email: hello@oaksea.example, phone: \"+44 20 7946 0000\"}\n";
    size_t len = strlen(text);
    for (const char *at = delivery; *at && len + 20 < sizeof text;) {
        if (strncmp(at, "SMTP", 4) == 0 || strncmp(at, "HTTP", 4) == 0) {
            len += (size_t) snprintf(text + len, sizeof text - len, "%d", *at == 'S' ? k->smtp_port : k->http_port);
            at += 4;
        } else {
            text[len++] = *at++;
        }
    }
    text[len] = '\0';
    write_text(k->agency, text);
    travel_tools_done(&k->tools);
    open_tools(k);
}

/* A client with these contacts; its id, in the kit's arena. */
static inline ctn_str add_client(kit *k, const char *name, const char *email, const char *phone)
{
    ctn_json_builder client = ctn_json_object(k->arena), lead = ctn_json_object(k->arena);
    ctn_json_put_str(&client, "name", ctn_str_from(name));
    ctn_json_put_str(&client, "email", ctn_str_from(email));
    ctn_json_put_str(&client, "phone", ctn_str_from(phone));
    ctn_json_put_str(&lead, "text", CTN_STR("a trip, please"));
    ctn_json_put_str(&lead, "language", CTN_STR("es"));
    ctn_json_put(&lead, CTN_STR("client"), ctn_json_finish(&client));
    const ctn_json *saved = result_of(&k->tools, "save_lead", k->arena, ctn_json_finish(&lead));
    return ctn_json_str_or(saved, "client_id", CTN_STR(""));
}

static inline const ctn_json *message_to(kit *k, ctn_str client_id, const char *channel, const char *subject,
                                         const char *text, const char *key)
{
    ctn_json_builder out = ctn_json_object(k->arena);
    ctn_json_put_str(&out, "client_id", client_id);
    ctn_json_put_str(&out, "channel", ctn_str_from(channel));
    ctn_json_put_str(&out, "subject", ctn_str_from(subject));
    ctn_json_put_str(&out, "message", ctn_str_from(text));
    ctn_json_put_str(&out, "key", ctn_str_from(key));
    return ctn_json_finish(&out);
}

static inline int deliver(kit *k, const ctn_json *message, const ctn_json **ret_result, ctn_err *err)
{
    return run_tool(&k->tools, "deliver_message", k->arena, message, ret_result, err);
}

/* true, false or null of delivery_status. */
static inline const char *happened(kit *k, const char *key)
{
    ctn_json_builder ask = ctn_json_object(k->arena);
    ctn_json_put_str(&ask, "key", ctn_str_from(key));
    const ctn_json *said = result_of(&k->tools, "delivery_status", k->arena, ctn_json_finish(&ask));
    const ctn_json *v = ctn_json_member_of(said, "happened");
    return ctn_json_is(v, CTN_JSON_TRUE) ? "true" : ctn_json_is(v, CTN_JSON_FALSE) ? "false" : "null";
}

static inline int make_kit(void **state)
{
    kit *k = calloc(1, sizeof *k);
    assert_non_null(k);
    snprintf(k->folder, sizeof k->folder, "/tmp/catena-delivery-XXXXXX");
    assert_non_null(mkdtemp(k->folder));
    snprintf(k->crm, sizeof k->crm, "%s/crm.db", k->folder);
    snprintf(k->agency, sizeof k->agency, "%s/agency.yaml", k->folder);
    snprintf(k->log, sizeof k->log, "%s/taken.log", k->folder);
    k->arena = ctn_arena_new(65536);
    k->peer_in = -1;
    write_text(k->agency, "agency: {email: hello@oaksea.example}\n");
    open_tools(k);
    *state = k;
    return 0;
}

static inline int drop_kit(void **state)
{
    kit *k = *state;
    if (k->peer > 0) {
        close(k->peer_in);
        (void) kill(k->peer, SIGKILL);
        (void) waitpid(k->peer, NULL, 0);
    }
    travel_tools_done(&k->tools);
    ctn_arena_free(k->arena);
    (void) shell("rm -rf '%s'", k->folder);
    free(k);
    return 0;
}
