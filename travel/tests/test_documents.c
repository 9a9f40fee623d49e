/*
 * The proposal as clients get it: HTML, text and PDF in four languages, looked at for what a good agency would not
 * send. What is made stays in build/artefacts, to be looked at by people: proposal-LANGUAGE.html, .txt, .pdf, -1.png ..
 */
#include "support.h"

#include "kit/words.h"
#include "proposal/print.h"
#include "value/mustache.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *const LANGUAGES[] = {"en", "es", "fr", "de"};

static const char TRIP[] = "{\"origin\":\"Manchester\",\"destinations\":[\"Rome\",\"Florence\"],\"start_date\":"
                           "\"2026-10-24\",\"end_date\":\"2026-11-01\",\"nights\":8,\"adults\":2,\"children\":1,"
                           "\"interests\":[\"food\",\"history\",\"swimming pool\"],\"currency\":\"EUR\"}";
static const char *const ROUTES[] = {
    "Manchester – Rome – Florence – Manchester", "Mánchester – Roma – Florencia – Mánchester",
    "Manchester – Rome – Florence – Manchester", "Manchester – Rom – Florenz – Manchester"};
static const char BUDGET_TOTAL[] = "{\"amount\":2500,\"currency\":\"EUR\",\"per\":\"total\"}";

typedef struct made {
    ctn_arena *arena;
    travel_tools tools;
    const ctn_json *context;
    ctn_str html, text;
} made;

static const ctn_json *lookup(void *ctx, ctn_str name)
{
    return ctn_json_get(((made *) ctx)->context, name);
}

static ctn_str render(made *m, const char *template)
{
    ctn_str source;
    ctn_mustache *document = NULL;
    ctn_err err = {0};
    ctn_buf out;
    ctn_scope scope = {.lookup = lookup, .ctx = m};
    assert_true(
        read_whole_file(m->arena, ctn_arena_printf(m->arena, "travel/templates/%s.mustache", template).ptr, &source));
    if (ctn_mustache_compile(m->arena, source, NULL, &document, &err))
        fail_msg("%s", err.message);
    ctn_buf_init(&out, 1 << 20);
    assert_int_equal(ctn_mustache_render(document, &scope, &out, &err), CTN_FAILURE_NONE);
    ctn_str text = ctn_arena_str(m->arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

static const ctn_json *put_in(ctn_arena *arena, const ctn_json *into, const char *key, const ctn_json *value)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_all(&b, into);
    ctn_json_put(&b, ctn_str_from(key), value);
    return ctn_json_finish(&b);
}

static travel_agency *agency_for_test(void)
{
    static const char YAML[] =
        "agency:\n  name: Sunward Travel\n  signature: Maria Keller\n  email: desk@sunward.example\n"
        "  phone: +44 20 7946 0000\n  url: sunward.example\n"
        "pricing: {round_to: 1}\n"
        "proposal: {words: {terms: {en: Our terms apply., de: Es gelten unsere Reisebedingungen.}}}\n";
    char path[] = "/tmp/travel-agency-XXXXXX";
    travel_agency *agency = NULL;
    ctn_err err = {0};
    int fd = mkstemp(path);
    assert_int_equal(write(fd, YAML, sizeof YAML - 1), (ssize_t) sizeof YAML - 1);
    close(fd);
    if (travel_agency_open(path, &agency, &err))
        fail_msg("%s", err.message);
    unlink(path);
    return agency;
}

/* Search, price, write, render; the client is {name: ..}. The caller frees the arena. */
static made make(const char *trip, const char *budget, const char *client, const char *language, int version)
{
    made m = {.arena = ctn_arena_new(1 << 18), .tools = tools_for_test(NULL)};
    travel_agency_close(m.tools.agency);
    m.tools.agency = agency_for_test();
    ctn_arena *arena = m.arena;
    const ctn_json *q = json_from(
        arena,
        ctn_arena_printf(arena,
                         "{\"requirements\":%s,\"budget\":%s,\"client\":%s,\"language\":\"%s\",\"lead_id\":"
                         "\"L-000012\",\"version\":%d,\"replaces_earlier\":%s,\"started_at\":\"2026-03-08T11:47:00Z\"}",
                         trip, budget, client, language, version, version > 1 ? "true" : "false"));
    q = put_in(arena, q, "flights", result_of(&m.tools, "search_flights", arena, q));
    q = put_in(arena, q, "hotels", result_of(&m.tools, "search_hotels", arena, q));
    m.context = result_of(&m.tools, "price_tiers", arena, q);
    q = put_in(arena, q, "pricing_tiers", ctn_json_member_of(m.context, "pricing_tiers"));
    const ctn_json *letter = result_of(&m.tools, "write_proposal", arena, q);
    assert_false(has_null(letter) || has_null(m.context));
    m.context = put_in(arena, m.context, "proposal", ctn_json_member_of(letter, "proposal"));
    m.html = render(&m, "proposal-html");
    m.text = render(&m, "proposal-text");
    return m;
}

static void unmake(made *m)
{
    travel_tools_done(&m->tools);
    ctn_arena_free(m->arena);
}

static bool says(ctn_str text, const char *what)
{
    return ctn_str_find(text, ctn_str_from(what)) != SIZE_MAX;
}

static void keep(const char *name, ctn_str bytes)
{
    char path[200];
    (void) mkdir("build", 0777);
    (void) mkdir("build/artefacts", 0777);
    (void) snprintf(path, sizeof path, "build/artefacts/%s", name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

/* False when the program is not installed or fails. */
static bool run(const char *const *argv)
{
    pid_t pid;
    int status;
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(&pid, argv[0], &quiet, NULL, (char *const *) (uintptr_t) argv, environ);
    posix_spawn_file_actions_destroy(&quiet);
    return !failed && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What would stand there if something was missing, mixed or not filled in. */
static void assert_clean(const char *language, ctn_str text)
{
    static const char *const never[] = {"null", "{{", "}}",   "{0}", "{1}", "undefined",
                                        " ,",   "()", ": \n", ", ,", "  \n"};
    static const char *const english[] = {" night",  "room",  "breakfast",    "Wi-Fi and", "adult and",
                                          "budget:", "Your ", "October",      " at ",      "direct,",
                                          "history", "Dear",  "Kind regards", "per person"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (says(text, never[i]))
            fail_msg("\"%s\" in %s:\n%.*s", never[i], language, CTN_STR_ARG(text));
    for (size_t i = 0; strcmp(language, "en") != 0 && i < sizeof english / sizeof *english; i++) {
        if (strcmp(language, "fr") == 0 && strcmp(english[i], "direct,") == 0)
            continue; /* the same word */
        if (says(text, english[i]))
            fail_msg("\"%s\" in %s:\n%.*s", english[i], language, CTN_STR_ARG(text));
    }
}

static void a_proposal_reads_well_in_every_language(void **state)
{
    (void) state;
    static const char *const parts[4][10] = {
        {"Dear Ana Ortiz,", "24 October – 1 November 2026 (8 nights)", "2 adults and 1 child",
         "good food, history and a swimming pool", "€2,500 in total", "for all 3 travellers", "Comfort",
         "valid until 10 March 2026", "Deposit", "Kind regards"},
        {"Hola, Ana Ortiz:", "24 de octubre – 1 de noviembre de 2026 (8 noches)", "2 adultos y 1 niño",
         "buena comida, historia y piscina", "2.500\u00a0€ en total", "para los 3 viajeros", "Confort",
         "válida hasta el 10 de marzo de 2026", "Anticipo", "Un cordial saludo"},
        {"Bonjour Ana Ortiz,", "24 octobre – 1er novembre 2026 (8 nuits)", "2 adultes et 1 enfant",
         "la bonne cuisine, l’histoire et une piscine", "2\u202f500\u00a0€ au total", "pour les 3 voyageurs", "Confort",
         "valable jusqu’au 10 mars 2026", "Acompte", "Bien cordialement"},
        {"Guten Tag Ana Ortiz,", "24. Oktober – 1. November 2026 (8 Nächte)", "2 Erwachsene und 1 Kind",
         "gutes Essen, Geschichte und Schwimmbad", "2.500\u00a0€ insgesamt", "für alle 3 Personen", "Komfort",
         "gilt bis zum 10. März 2026", "Anzahlung", "Mit freundlichen Grüßen"},
    };
    for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
        made m = make(TRIP, BUDGET_TOTAL, "{\"name\":\"Ana Ortiz\"}", LANGUAGES[l], 1);
        char name[40];
        for (size_t i = 0; i < 10; i++) {
            if (!says(m.text, parts[l][i]))
                fail_msg("no \"%s\" in %.*s", parts[l][i], CTN_STR_ARG(m.text));
            if (!says(m.html, parts[l][i]))
                fail_msg("no \"%s\" in %.*s", parts[l][i], CTN_STR_ARG(m.html));
        }
        if (!says(m.text, ROUTES[l]) || !says(m.html, ROUTES[l]))
            fail_msg("not %s: %.*s", ROUTES[l], CTN_STR_ARG(m.text));
        assert_clean(LANGUAGES[l], m.text);
        (void) snprintf(name, sizeof name, "proposal-%s.txt", LANGUAGES[l]);
        keep(name, m.text);
        (void) snprintf(name, sizeof name, "proposal-%s.html", LANGUAGES[l]);
        keep(name, m.html);
        unmake(&m);
    }
}

static void a_page_has_what_readers_and_screen_readers_need_and_loads_nothing(void **state)
{
    (void) state;
    made m = make(TRIP, BUDGET_TOTAL, "{\"name\":\"Ana Ortiz\"}", "de", 2);
    static const char *const wanted[] = {"<!DOCTYPE html>",
                                         "<html lang=\"de\">",
                                         "<title>Ihre Reise: Rom und Florenz</title>",
                                         "<h1>",
                                         "scope=\"col\"",
                                         "scope=\"row\"",
                                         "size: A4",
                                         "Fassung 2",
                                         "break-before: page"};
    static const char *const unwanted[] = {"http://", "https://", "<script", "<img",
                                           "src=",    "url(",     "@import", "<link"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_true(says(m.html, wanted[i]));
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++)
        assert_false(says(m.html, unwanted[i]));
    unmake(&m);
}

/* What a client writes is data: it is shown as it is, in the page as text, and is never read again. */
static void a_name_cannot_become_markup_or_a_placeholder(void **state)
{
    (void) state;
    made m =
        make("{\"origin\":\"<b>Man</b>chester\",\"destinations\":[\"Rome\"],\"start_date\":\"2026-10-24\",\"nights\":1,"
             "\"adults\":1,\"interests\":[\"<img src=x onerror=alert(1)>\",\"{{proposal.reference}}\"]}",
             "null", "{\"name\":\"<script>alert(1)</script> {{client}} {0} %s & Söhne\"}", "en", 1);
    assert_false(says(m.html, "<script"));
    assert_false(says(m.html, "<b>Man"));
    assert_false(says(m.html, "<img"));
    assert_true(says(m.html, "&lt;script&gt;alert(1)&lt;/script&gt; {{client}} {0} %s &amp; Söhne"));
    assert_true(says(m.text, "Dear <script>alert(1)</script> {{client}} {0} %s & Söhne,"));
    assert_true(says(m.text, "{{proposal.reference}}"));
    unmake(&m);
}

static void one_person_for_one_night_in_yen_has_no_plural_and_no_places(void **state)
{
    (void) state;
    static const char *const parts[4][3] = {{"1 adult\n", "(1 night)", "for one traveller"},
                                            {"1 adulto\n", "(1 noche)", "para un viajero"},
                                            {"1 adulte\n", "(1 nuit)", "pour un voyageur"},
                                            {"1 Erwachsener\n", "(1 Nacht)", "für eine Person"}};
    for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
        made m = make("{\"origin\":\"London\",\"destinations\":[\"Paris\"],\"start_date\":\"2026-10-24\",\"nights\":1,"
                      "\"adults\":1,\"currency\":\"JPY\"}",
                      "null", "{}", LANGUAGES[l], 1);
        for (size_t i = 0; i < 3; i++)
            if (!says(m.text, parts[l][i]))
                fail_msg("no \"%s\" in %.*s", parts[l][i], CTN_STR_ARG(m.text));
        assert_clean(LANGUAGES[l], m.text);
        assert_false(says(m.text, ".00") || says(m.text, ",00"));
        unmake(&m);
    }
}

static void two_travellers_are_both_and_not_all_two(void **state)
{
    (void) state;
    static const char *const BOTH[4] = {"for both travellers", "para los dos viajeros", "pour les deux voyageurs",
                                        "für beide Personen"};
    for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
        made m = make("{\"destinations\":[\"Rome\"],\"start_date\":\"2026-10-24\",\"nights\":3,\"adults\":2}", "null",
                      "{}", LANGUAGES[l], 1);
        if (!says(m.text, BOTH[l]))
            fail_msg("no \"%s\" in %.*s", BOTH[l], CTN_STR_ARG(m.text));
        unmake(&m);
    }
}

/* Without flights, budget, wishes, name and reference nothing empty is left standing. */
static void what_is_not_known_leaves_no_hole(void **state)
{
    (void) state;
    for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
        made m = make("{\"destinations\":[\"Rome\"],\"start_date\":\"2026-10-24\",\"nights\":3,\"adults\":2}", "null",
                      "{\"name\":null}", LANGUAGES[l], 1);
        assert_clean(LANGUAGES[l], m.text);
        assert_false(says(m.html, "<td></td>") || says(m.html, "<p></p>") || says(m.html, "<li></li>"));
        unmake(&m);
    }
}

static void a_program_that_is_not_there_is_told_and_nothing_is_left(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str pdf = {NULL, 0};
    ctn_err err = {0};
    assert_int_equal(travel_print_pdf(arena, "no-such-printer", CTN_STR("<p>x"), &pdf, &err), CTN_E_NOT_FOUND);
    assert_string_equal(err.message, "no-such-printer is not installed");
    assert_int_equal(travel_print_pdf(arena, "true", CTN_STR("<p>x"), &pdf, &err), CTN_E_IO); /* made no file */
    assert_int_equal(travel_print_pdf(arena, "false", CTN_STR("<p>x"), &pdf, &err), CTN_E_IO);
    assert_int_equal(pdf.len, 0);
    ctn_arena_free(arena);
}

static void the_pdf_says_what_the_page_says_on_as_many_pages_as_it_takes(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1 << 18);
    if (!run((const char *[]){"weasyprint", "--version", NULL}) || !run((const char *[]){"pdftotext", "-v", NULL})) {
        print_message("weasyprint and pdftotext (poppler-utils) are not installed\n");
        ctn_arena_free(arena);
        skip();
    }
    for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
        made m = make(TRIP, BUDGET_TOTAL, "{\"name\":\"Ana Ortiz\"}", LANGUAGES[l], 1);
        ctn_str pdf, text;
        ctn_err err = {0};
        char path[60], text_path[60], pictures[60];
        if (travel_print_pdf(arena, "weasyprint", m.html, &pdf, &err))
            fail_msg("%s", err.message);
        (void) snprintf(path, sizeof path, "build/artefacts/proposal-%s.pdf", LANGUAGES[l]);
        (void) snprintf(text_path, sizeof text_path, "build/artefacts/proposal-%s.pdf.txt", LANGUAGES[l]);
        (void) snprintf(pictures, sizeof pictures, "build/artefacts/proposal-%s", LANGUAGES[l]);
        keep(path + strlen("build/artefacts/"), pdf);
        assert_true(run((const char *[]){"pdftotext", "-layout", path, text_path, NULL}));
        assert_true(read_whole_file(arena, text_path, &text));
        assert_true(says(text, "Ana Ortiz"));
        assert_true(says(text, "1/4")); /* the letter, and a page for each option */
        assert_true(says(text, "4/4"));
        assert_false(says(text, "{{"));
        assert_true(run((const char *[]){"pdftoppm", "-r", "60", "-png", path, pictures, NULL}));
        unmake(&m);
    }
    ctn_arena_free(arena);
}

/* Printed or not, a repeated call has one answer, and the versions of a lead's pages are counted. */
static void a_page_is_kept_once_and_its_versions_are_counted(void **state)
{
    (void) state;
    char folder[] = "/tmp/travel-print-test-XXXXXX", crm[64];
    assert_non_null(mkdtemp(folder));
    (void) snprintf(crm, sizeof crm, "%s/crm.db", folder);
    ctn_arena *arena = ctn_arena_new(1 << 18);
    travel_tools tools = tools_for_test(crm);
    (void) result_of(
        &tools, "save_lead", arena,
        json_from(arena, CTN_STR("{\"text\":\"x\",\"client\":{\"name\":\"Ana\",\"email\":\"ana@example.com\"},"
                                 "\"requirements\":{},\"budget\":{},\"key\":\"k\"}")));
    const ctn_json *page =
        json_from(arena, CTN_STR("{\"client_id\":\"C-000001\",\"lead_id\":\"L-000001\",\"html\":"
                                 "\"<p>Roma</p>\",\"kind\":\"proposal-html\",\"version\":1,\"key\":\"p\"}"));
    const ctn_json *once = result_of(&tools, "print_document", arena, page);
    const ctn_json *twice = result_of(&tools, "print_document", arena, page);
    assert_true(ctn_json_equal(once, twice));
    bool has_pdf = ctn_json_bool_or(once, "has_pdf", false);
    assert_int_equal(has_pdf, ctn_json_str_or(once, "note", CTN_STR("")).len == 0);
    assert_int_equal(has_pdf, ctn_json_str_or(once, "document_id", CTN_STR("")).len > 0);
    const ctn_json *next = result_of(&tools, "next_version", arena, page);
    assert_int_equal(ctn_json_int_or(next, "version", 0), has_pdf ? 2 : 1);
    travel_tools_done(&tools);
    static const char *const files[] = {"crm.db", "crm.db-wal", "crm.db-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[80];
        (void) snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        (void) unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proposal_reads_well_in_every_language),
        cmocka_unit_test(a_page_has_what_readers_and_screen_readers_need_and_loads_nothing),
        cmocka_unit_test(a_name_cannot_become_markup_or_a_placeholder),
        cmocka_unit_test(one_person_for_one_night_in_yen_has_no_plural_and_no_places),
        cmocka_unit_test(two_travellers_are_both_and_not_all_two),
        cmocka_unit_test(what_is_not_known_leaves_no_hole),
        cmocka_unit_test(a_program_that_is_not_there_is_told_and_nothing_is_left),
        cmocka_unit_test(a_page_is_kept_once_and_its_versions_are_counted),
        cmocka_unit_test(the_pdf_says_what_the_page_says_on_as_many_pages_as_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
