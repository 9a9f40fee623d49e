/*
 * One client of the travel pack is forgotten in both stores: after its lead was processed, it was written to and has
 * answered, nothing of its name, address, number and words is in any file, and the journal still verifies.
 */
#include "cli_kit.h"

#include <string.h>

/* Names of files that have something of the client in them. Not of .git or the like: all. */
static const char SEARCH[] = "grep -rliE 'quillfeather|zoe@quill|7700900777|petronella' . || true";

static const char PROCESS[] =
    "set -e\n"
    "catena init --travel . >/dev/null 2>&1\n"
    "catena run mobile-lead-processing -q -i raw_lead='Hi, I am Zoe Quillfeather (zoe@quill.example, +447700900777). "
    "Two"
    " adults from London to Reykjavik, 3 to 10 June 2027, as my aunt Petronella did, budget 4000 pounds' --output "
    "client_id\n"
    "export CRM=crm.db AGENCY=agency.yaml\n"
    "catena-travel call record_reply '{\"client_id\": \"C-000001\", \"channel\": \"email\", \"text\": \"Quillfeather "
    "again\"}'"
    " >/dev/null\n"
    "catena-travel call deliver_message '{\"client_id\": \"C-000001\", \"channel\": \"email\", \"subject\": \"s\","
    " \"message\": \"Dear Zoe Quillfeather\", \"key\": \"k\"}' >/dev/null\n"
    "catena rerun $(catena list --json | grep -o '[0-9a-f]\\{8\\}-[0-9a-f-]\\{27\\}' | head -1) --from price -q "
    ">/dev/null\n";

static void a_client_is_forgotten_in_both_stores(void **state)
{
    world *w = *state;
    assert_exit(w, shell(w, PROCESS), 0);
    assert_out(w, "C-000001");
    /* the search is not blind: the CRM and the outbox have it, catena's store has it sealed */
    assert_exit(w, shell(w, SEARCH), 0);
    assert_out(w, "crm.db");
    assert_out(w, "./outbox/");
    assert_lacks(w->said.out, "travel.db");
    assert_exit(w,
                shell(w, "for id in $(catena list --json | grep -o '[0-9a-f]\\{8\\}-[0-9a-f-]\\{27\\}' | sort -u)\n"
                         "do catena show $id --reveal; done | grep -c 'Dear Zoe Quillfeather\\|zoe@quill'"),
                0);

    assert_exit(w, shell(w, "catena run erase-client -q -i client_id=C-000001"), 0);
    assert_out(w, "\"was_erased_before\": false");
    assert_out(w, "\"executions\": 2");
    assert_out(w, "\"is_complete\": true");
    assert_exit(w, shell(w, SEARCH), 0);
    assert_string_equal(w->said.out, "");
    assert_exit(w,
                shell(w, "for id in $(catena list --json | grep -o '[0-9a-f]\\{8\\}-[0-9a-f-]\\{27\\}' | sort -u)\n"
                         "do catena show $id --reveal; catena history $id --reveal; done"),
                0);
    assert_lacks(w->said.out, "Quillfeather");
    assert_lacks(w->said.out, "zoe@quill");
    assert_out(w, "(shredded)");
    assert_exit(w, shell(w, "catena store verify"), 0);

    assert_exit(w, shell(w, "catena run erase-client -q -i client_id=C-000001"), 0);
    assert_out(w, "\"was_erased_before\": true");
    assert_exit(w, shell(w, "catena run erase-client -q -i client_id=C-000009"), 1);
    assert_out(w, "there is no client C-000009");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_client_is_forgotten_in_both_stores),
    };
    return cmocka_run_group_tests_name("travel_erase", tests, NULL, NULL);
}
