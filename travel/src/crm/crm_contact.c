/*
 * crm_contact.c -- see crm_contact.h; and whose contact a key is. E-mail goes before phone: families share numbers.
 */
#include "crm/crm_contact.h"

#include "crm/crm_db.h"

enum { EMAIL_BYTES_MAX = 254, DIGITS_MIN = 5, E164_DIGITS_MIN = 7, DIGITS_MAX = 15 };

ctn_str travel_email_key(ctn_arena *arena, ctn_str text)
{
    char out[6 + EMAIL_BYTES_MAX] = "email:";
    size_t len = 6, at = 0;
    text = ctn_str_trim(text);
    if (text.len > 2 && text.ptr[0] == '<' && text.ptr[text.len - 1] == '>')
        text = (ctn_str){text.ptr + 1, text.len - 2};
    if (text.len > EMAIL_BYTES_MAX)
        return (ctn_str){NULL, 0};
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.ptr[i];
        if (c <= ' ' || c == 0x7f || c == ',' || c == ';' || c == '<' || c == '>' || (c == '@' && at > 0))
            return (ctn_str){NULL, 0};
        if (c == '@')
            at = i;
        out[len++] = (char) (c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    bool is_address = at > 0 && at + 1 < text.len && text.ptr[text.len - 1] != '.';
    return is_address ? ctn_arena_str(arena, (ctn_str){out, len}) : (ctn_str){NULL, 0};
}

/* The digits of the text; false: it has something that no number has. "(0)" is spoken, not dialled. */
static bool read_digits(ctn_str text, char ret_digits[DIGITS_MAX + 2], size_t *ret_count, bool has_country)
{
    *ret_count = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (has_country && ctn_str_starts_with(ctn_str_from_offset(text, i), CTN_STR("(0)"))) {
            i += 2;
        } else if (c >= '0' && c <= '9') {
            if (*ret_count > DIGITS_MAX + 1)
                return false;
            ret_digits[(*ret_count)++] = c;
        } else if (!strchr(" -./()\t", c) || c == '\0') {
            return false;
        }
    }
    return true;
}

ctn_str travel_phone_key(ctn_arena *arena, ctn_str text)
{
    char digits[DIGITS_MAX + 2];
    size_t count;
    text = ctn_str_trim(text);
    if (ctn_str_starts_with(text, CTN_STR("tel:")))
        text = ctn_str_from_offset(text, 4);
    bool has_country = ctn_str_starts_with(text, CTN_STR("+")) || ctn_str_starts_with(text, CTN_STR("00"));
    if (has_country)
        text = ctn_str_from_offset(text, text.ptr[0] == '+' ? 1 : 2);
    if (!read_digits(text, digits, &count, has_country) || count > DIGITS_MAX ||
        count < (has_country ? E164_DIGITS_MIN : DIGITS_MIN))
        return (ctn_str){NULL, 0};
    return ctn_arena_printf(arena, has_country ? "phone:+%.*s" : "digits:%.*s", (int) count, digits);
}

/* ---- in SQL, for migrations ---- */

static void key_function(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void) count;
    ctn_str (*key_of)(ctn_arena *, ctn_str) = *(ctn_str(*const *)(ctn_arena *, ctn_str)) sqlite3_user_data(context);
    ctn_arena *arena = ctn_arena_new(512);
    const char *text = (const char *) sqlite3_value_text(values[0]);
    ctn_str key = key_of(arena, ctn_str_from(text));
    sqlite3_result_text64(context, key.len ? key.ptr : "", key.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    ctn_arena_free(arena);
}

int crm_contact_functions(travel_crm *crm, ctn_err *err)
{
    static ctn_str (*const KEYS[2])(ctn_arena *, ctn_str) = {travel_email_key, travel_phone_key};
    static const char *const NAMES[2] = {"email_key", "phone_key"};
    for (size_t i = 0; i < 2; i++)
        if (sqlite3_create_function_v2(crm->db, NAMES[i], 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, (void *) &KEYS[i],
                                       key_function, NULL, NULL, NULL) != SQLITE_OK)
            return crm_fail(crm, "cannot be read", err);
    return CTN_OK;
}

/* ---- whose it is ---- */

static int find_by_key(travel_crm *crm, ctn_arena *arena, ctn_str key, ctn_str *ret_client_id, ctn_err *err)
{
    crm_query q;
    if (key.len == 0)
        return CTN_E_NOT_FOUND;
    int rc = crm_first(crm, &q, err, "SELECT client_id FROM contacts WHERE key = ?1", "t", key);
    if (!rc)
        *ret_client_id = crm_text(arena, &q, 0);
    crm_done(&q);
    return rc;
}

int crm_contact_find(travel_crm *crm, ctn_arena *arena, ctn_str email, ctn_str phone, ctn_str *ret_client_id,
                     ctn_err *err)
{
    int rc = find_by_key(crm, arena, travel_email_key(arena, email), ret_client_id, err);
    if (rc == CTN_E_NOT_FOUND)
        rc = find_by_key(crm, arena, travel_phone_key(arena, phone), ret_client_id, err);
    return rc;
}

static int add_one(travel_crm *crm, ctn_str client_id, const char *kind, ctn_str value, ctn_str key, ctn_err *err)
{
    if (value.len == 0)
        return CTN_OK;
    return crm_run(crm, err,
                   "INSERT INTO contacts(client_id, kind, value, key) SELECT ?1, ?2, ?3,"
                   " CASE WHEN EXISTS(SELECT 1 FROM contacts WHERE key = ?4) THEN NULL ELSE ?4 END"
                   " WHERE NOT EXISTS(SELECT 1 FROM contacts WHERE client_id = ?1 AND (value = ?3 OR key = ?4))",
                   "tttn", client_id, ctn_str_from(kind), value, key);
}

int crm_contact_add(travel_crm *crm, ctn_str client_id, ctn_str email, ctn_str phone, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(512);
    int rc = add_one(crm, client_id, "email", ctn_str_trim(email), travel_email_key(arena, email), err);
    if (!rc)
        rc = add_one(crm, client_id, "phone", ctn_str_trim(phone), travel_phone_key(arena, phone), err);
    ctn_arena_free(arena);
    return rc;
}
