/* Configuration and files, as the command reads them: whatever allocation fails, an error comes back and nothing stays.
 */
#include "points.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/config.h"
#include "host/files.h"
#include "fail.h"

static const struct {
    const char *name, *text;
} FILES[] = {
    {"catena.yaml",
     "store: sqlite:a.db\nservers:\n  travel: {command: sh, args: [a, b], env: {A: b}, effects: {x: write}}\n"
     "mcpConfig: mcp.json\ninclude: [chain.yaml, csets.yaml, papers/offer.mustache]\nlimits: {valueBytes: 100000, "
     "steps: 5}\n"
     "interrupted: retry\n"},
    {"mcp.json", "{\"mcpServers\": {\"other\": {\"command\": \"sh\", \"args\": [\"x\"]}}}"},
    {"chain.yaml", "id: c\nsteps:\n  - {stepName: s, instructionSet: n, inputTemplate: '{a | upper}'}\n"},
    {"csets.yaml", "instructionSets:\n  n: {tool: travel/x, arguments: {a: '{input}'}, effect: read}\n"},
    {"papers/offer.mustache", "Dear {{name}}, {{#list}}{{.}}{{/list}}\n"},
};
#define FILE_COUNT (sizeof FILES / sizeof *FILES)

typedef struct world {
    char folder[64], config[100];
} world;

static int set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    char path[200];
    assert_non_null(w);
    snprintf(w->folder, sizeof w->folder, "/tmp/catena-mem-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(path, sizeof path, "%s/papers", w->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        snprintf(path, sizeof path, "%s/%s", w->folder, FILES[i].name);
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fputs(FILES[i].text, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    snprintf(w->config, sizeof w->config, "%s/catena.yaml", w->folder);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    char path[200];
    for (size_t i = 0; i < FILE_COUNT; i++) {
        snprintf(path, sizeof path, "%s/%s", w->folder, FILES[i].name);
        (void) unlink(path);
    }
    snprintf(path, sizeof path, "%s/papers", w->folder);
    (void) rmdir(path);
    (void) rmdir(w->folder);
    free(w);
    return 0;
}

static int read_config(void *ctx, ctn_arena *arena, ctn_err *err)
{
    const world *w = ctx;
    ctn_findings findings, library_findings;
    ctn_config *config = NULL;
    ctn_findings_init(&findings, arena);
    ctn_findings_init(&library_findings, arena);
    int rc = ctn_config_read(arena, w->config, NULL, &findings, &library_findings, &config, err);
    if (rc == CTN_E_INVALID)
        ctn_fail(err, rc, "%.*s", (int) findings.items[0].message.len, findings.items[0].message.ptr);
    if (rc == CTN_OK) {
        assert_int_equal(config->server_count, 2);
        assert_int_equal(ctn_library_chain_count(config->library), 1);
        assert_int_equal(ctn_library_document_count(config->library), 1);
        assert_int_equal(config->steps, 5);
    } else {
        assert_int_equal(findings.count, rc == CTN_E_INVALID);
    }
    return rc;
}

static int read_file(void *ctx, ctn_arena *arena, ctn_err *err)
{
    const world *w = ctx;
    ctn_str text = {0};
    int rc = ctn_file_read(arena, ctn_str_from(w->config), &text, err);
    if (rc == CTN_OK)
        assert_true(ctn_str_is(text, FILES[0].text));
    return rc;
}

static void a_configuration_is_read_or_is_an_error(void **state)
{
    try_all(&(operation){.name = "ctn_config_read", .run = read_config, .ctx = *state, .keeps = true});
}

static void a_file_is_read_or_is_an_error(void **state)
{
    try_all(&(operation){.name = "ctn_file_read", .run = read_file, .ctx = *state});
}

int main(void)
{
    fail_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_configuration_is_read_or_is_an_error),
        TEST(a_file_is_read_or_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
