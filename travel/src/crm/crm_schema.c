/*
 * crm_schema.c -- the CRM's tables, and how a file of the past is brought to them.
 *
 * A file says by PRAGMA user_version how many of the migrations below it has had. Each is one transaction together with
 * its number, so a process that dies leaves a file of one version or of the next; a released one is never edited. The
 * first is what the first design made: so every new file takes the way that the files of the past take.
 */
#include "crm/crm_db.h"

/* 1: the first design's three tables. */
static const char FIRST_DESIGN[] =
    "CREATE TABLE clients(client_no INTEGER PRIMARY KEY AUTOINCREMENT, client_id TEXT UNIQUE, key TEXT UNIQUE,"
    " execution_id TEXT, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL, created_at TEXT NOT NULL)"
    " STRICT;"
    "CREATE INDEX clients_by_execution ON clients(execution_id) WHERE execution_id IS NOT NULL;"
    "CREATE TABLE sessions(session_no INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT UNIQUE,"
    " client_id TEXT NOT NULL REFERENCES clients(client_id) ON DELETE CASCADE, client TEXT NOT NULL,"
    " requirements TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;"
    "CREATE INDEX sessions_by_client ON sessions(client_id);"
    "CREATE TABLE outbox(message_no INTEGER PRIMARY KEY AUTOINCREMENT, scheduled_id TEXT UNIQUE,"
    " channel TEXT NOT NULL, send_time TEXT NOT NULL, client_id TEXT NOT NULL, subject TEXT NOT NULL,"
    " message TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;";

/* Moments are RFC 3339 in UTC with three places, so that their order as text is their order in time. */
#define MOMENT(column) "coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', " column "), '1970-01-01T00:00:00.000Z')"

/* 2: the travel pack's tables, with the rows of the three. Numbers go on where they were, so that no id is used twice.
 * A contact that two old clients have is the first one's key. */
/* clang-format off */
static const char TRAVEL_PACK[] =
    "ALTER TABLE clients RENAME TO old_clients;"
    "DROP INDEX clients_by_execution;"
    "CREATE TABLE clients(client_no INTEGER PRIMARY KEY AUTOINCREMENT, client_id TEXT UNIQUE, name TEXT NOT NULL,"
    " language TEXT NOT NULL DEFAULT '', timezone TEXT NOT NULL DEFAULT '', made_by_lead TEXT, stopped_at TEXT,"
    " created_at TEXT NOT NULL, erased_at TEXT, erased_for TEXT) STRICT;"
    "CREATE TABLE contacts(contact_no INTEGER PRIMARY KEY, client_id TEXT NOT NULL REFERENCES clients(client_id),"
    " kind TEXT NOT NULL CHECK(kind IN ('email', 'phone')), value TEXT NOT NULL, key TEXT UNIQUE,"
    " UNIQUE(client_id, kind, value)) STRICT;"
    "CREATE TABLE leads(lead_no INTEGER PRIMARY KEY AUTOINCREMENT, lead_id TEXT UNIQUE,"
    " client_id TEXT REFERENCES clients(client_id), execution TEXT, source TEXT NOT NULL DEFAULT '',"
    " channel TEXT NOT NULL DEFAULT '', asked_in TEXT NOT NULL DEFAULT '', text TEXT NOT NULL DEFAULT '',"
    " language TEXT NOT NULL DEFAULT '', client TEXT NOT NULL DEFAULT '{}', requirements TEXT NOT NULL DEFAULT '{}',"
    " budget TEXT NOT NULL DEFAULT '{}', status TEXT NOT NULL DEFAULT 'new' CHECK(status IN ('new', 'asked',"
    " 'proposed', 'accepted', 'booked', 'lost', 'spam')), repeat_of TEXT, received_at TEXT NOT NULL,"
    " created_at TEXT NOT NULL, updated_at TEXT NOT NULL) STRICT;"
    "CREATE INDEX leads_by_client ON leads(client_id, received_at);"
    "CREATE INDEX leads_by_execution ON leads(execution) WHERE execution IS NOT NULL;"
    "CREATE TABLE trips(trip_no INTEGER PRIMARY KEY AUTOINCREMENT, trip_id TEXT UNIQUE,"
    " client_id TEXT NOT NULL REFERENCES clients(client_id), lead_id TEXT, execution TEXT, status TEXT NOT NULL"
    " CHECK(status IN ('planned', 'held', 'booked', 'cancelled', 'done')), summary TEXT NOT NULL,"
    " destination TEXT NOT NULL, start_date TEXT NOT NULL, end_date TEXT NOT NULL, booking_id TEXT NOT NULL, total TEXT NOT NULL,"
    " currency TEXT NOT NULL, details TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL) STRICT;"
    "CREATE INDEX trips_by_client ON trips(client_id);"
    "CREATE TABLE messages(message_no INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT UNIQUE,"
    " client_id TEXT NOT NULL, lead_id TEXT, direction TEXT NOT NULL CHECK(direction IN ('in', 'out')),"
    " channel TEXT NOT NULL, language TEXT NOT NULL DEFAULT '', subject TEXT NOT NULL, body TEXT NOT NULL,"
    " status TEXT NOT NULL CHECK(status IN ('planned', 'sending', 'sent', 'failed', 'cancelled', 'received')),"
    " key TEXT UNIQUE, driver TEXT NOT NULL DEFAULT '', reference TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL,"
    " send_at TEXT, sent_at TEXT) STRICT;"
    "CREATE INDEX messages_by_client ON messages(client_id, direction, sent_at);"
    "CREATE TABLE activities(activity_no INTEGER PRIMARY KEY AUTOINCREMENT, activity_id TEXT UNIQUE,"
    " client_id TEXT NOT NULL REFERENCES clients(client_id), lead_id TEXT, kind TEXT NOT NULL, what TEXT NOT NULL,"
    " at TEXT NOT NULL) STRICT;"
    "CREATE INDEX activities_by_client ON activities(client_id, at);"
    "CREATE TABLE documents(document_no INTEGER PRIMARY KEY AUTOINCREMENT, document_id TEXT UNIQUE,"
    " client_id TEXT NOT NULL REFERENCES clients(client_id), lead_id TEXT NOT NULL, kind TEXT NOT NULL,"
    " version INTEGER NOT NULL, content_type TEXT NOT NULL, title TEXT NOT NULL, body BLOB NOT NULL,"
    " created_at TEXT NOT NULL, UNIQUE(client_id, lead_id, kind, version)) STRICT;"
    "CREATE TABLE executions(client_id TEXT NOT NULL, execution TEXT NOT NULL, PRIMARY KEY(client_id, execution))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE answers(tool TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, client_id TEXT,"
    " answer TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY(tool, key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX answers_by_client ON answers(client_id) WHERE client_id IS NOT NULL;"
    "CREATE VIRTUAL TABLE client_search USING fts5(name, contacts, places,"
    " tokenize = \"unicode61 remove_diacritics 2\");"

    "INSERT INTO clients(client_no, client_id, name, made_by_lead, created_at)"
    " SELECT client_no, client_id, name, (SELECT min(s.session_id) FROM sessions s WHERE s.client_id = c.client_id),"
    " " MOMENT("created_at") " FROM old_clients c;"
    "INSERT INTO contacts(client_id, kind, value, key)"
    " SELECT client_id, 'email', email, CASE WHEN email_key(email) <> '' AND NOT EXISTS(SELECT 1 FROM old_clients e"
    " WHERE e.client_no < c.client_no AND email_key(e.email) = email_key(c.email)) THEN email_key(email) END"
    " FROM old_clients c WHERE email <> '';"
    "INSERT INTO contacts(client_id, kind, value, key)"
    " SELECT client_id, 'phone', phone, CASE WHEN phone_key(phone) <> '' AND NOT EXISTS(SELECT 1 FROM old_clients e"
    " WHERE e.client_no < c.client_no AND phone_key(e.phone) = phone_key(c.phone)) THEN phone_key(phone) END"
    " FROM old_clients c WHERE phone <> '';"
    "INSERT INTO leads(lead_no, lead_id, client_id, execution, client, requirements, received_at, created_at, updated_at)"
    " SELECT session_no, session_id, s.client_id, c.execution_id, client, requirements,"
    " " MOMENT("s.created_at") ", " MOMENT("s.created_at") ", " MOMENT("s.created_at")
    " FROM sessions s JOIN old_clients c USING(client_id);"
    "INSERT INTO messages(message_no, message_id, client_id, direction, channel, subject, body, status, created_at, send_at)"
    " SELECT message_no, scheduled_id, client_id, 'out', channel, subject, message, 'planned',"
    " " MOMENT("created_at") ", " MOMENT("send_time") " FROM outbox;"
    "INSERT INTO executions(client_id, execution)"
    " SELECT client_id, execution_id FROM old_clients WHERE execution_id IS NOT NULL;"
    /* An old key has its old answer; what its arguments were is not known, so any are let through. */
    "INSERT INTO answers(tool, key, digest, client_id, answer, at)"
    " SELECT 'create_client_record', c.key, '', c.client_id,"
    " json_object('client_id', c.client_id, 'session_id', n.made_by_lead, 'created', json('true')),"
    " " MOMENT("c.created_at") " FROM old_clients c JOIN clients n USING(client_no) WHERE c.key IS NOT NULL;"
    "DELETE FROM sqlite_sequence WHERE name IN ('clients', 'leads', 'messages');"
    "INSERT INTO sqlite_sequence(name, seq)"
    " SELECT CASE name WHEN 'old_clients' THEN 'clients' WHEN 'sessions' THEN 'leads' ELSE 'messages' END, seq"
    " FROM sqlite_sequence WHERE name IN ('old_clients', 'sessions', 'outbox');"
    "DROP TABLE outbox;"
    "DROP TABLE sessions;"
    "DROP TABLE old_clients;";
/* clang-format on */

/* 3: prices that are watched for a client. */
static const char WATCHES[] =
    "CREATE TABLE watches(watch_no INTEGER PRIMARY KEY AUTOINCREMENT, watch_id TEXT UNIQUE,"
    " client_id TEXT NOT NULL REFERENCES clients(client_id) ON DELETE CASCADE, lead_id TEXT,"
    " requirements TEXT NOT NULL, budget TEXT NOT NULL, start_date TEXT NOT NULL,"
    " currency TEXT NOT NULL DEFAULT '', told_cents INTEGER NOT NULL DEFAULT 0,"
    " best_cents INTEGER NOT NULL DEFAULT 0, is_open INTEGER NOT NULL DEFAULT 1, created_at TEXT NOT NULL) STRICT;"
    "CREATE INDEX watches_open ON watches(start_date) WHERE is_open;"
    "CREATE INDEX watches_by_client ON watches(client_id);";

static const char *const MIGRATIONS[] = {FIRST_DESIGN, TRAVEL_PACK, WATCHES};
enum { SCHEMA_VERSION = sizeof MIGRATIONS / sizeof *MIGRATIONS };

static int user_version(travel_crm *crm, int *ret_version, ctn_err *err)
{
    sqlite3_stmt *query = NULL;
    int rc = CTN_OK;
    if (sqlite3_prepare_v2(crm->db, "PRAGMA user_version", -1, &query, NULL) != SQLITE_OK ||
        sqlite3_step(query) != SQLITE_ROW)
        rc = crm_fail(crm, "cannot be read", err);
    else
        *ret_version = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    return rc;
}

/* Two processes may come to an old file at once: the version is looked at again within the transaction. */
static int migrate_once(travel_crm *crm, int version, ctn_err *err)
{
    char set_version[48];
    int now = version;
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = user_version(crm, &now, err);
    if (!rc && now == version) {
        snprintf(set_version, sizeof set_version, "PRAGMA user_version = %d", version + 1);
        rc = crm_exec(crm, MIGRATIONS[version], "cannot make its tables", err);
        if (!rc)
            rc = crm_exec(crm, set_version, "cannot make its tables", err);
    }
    return travel_crm_end(crm, rc, err);
}

int crm_migrate(travel_crm *crm, ctn_err *err)
{
    int version = 0;
    int rc = user_version(crm, &version, err);
    if (!rc && version > SCHEMA_VERSION)
        return ctn_fail(
            err, CTN_E_NEWER,
            "CRM file %s was written by a newer catena-travel (tables of version %d, this one knows %d): use"
            " that one, or another file",
            crm->path, version, SCHEMA_VERSION);
    if (!rc && version < SCHEMA_VERSION)
        rc = crm_exec(crm, "PRAGMA journal_mode = WAL", "cannot switch to WAL", err);
    bool has_rows = version > 0 && version < SCHEMA_VERSION;
    while (!rc && version < SCHEMA_VERSION) {
        rc = migrate_once(crm, version, err);
        if (!rc)
            rc = user_version(crm, &version, err);
    }
    if (!rc && has_rows)
        rc = crm_index_client(crm, (ctn_str){NULL, 0}, err);
    return rc;
}
