/*
 * arguments.c -- see arguments.h.
 */
#include "kit/arguments.h"

#include "value/calendar.h"

#include <inttypes.h>

enum { FIELD_BYTES_MAX = 65536 };
static const int64_t MOMENT_MAX = INT64_C(253402300799999); /* the end of 9999 */

int travel_want_object(const travel_call *call, const char *key, const ctn_json **ret_value, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(call->arguments, key);
    if (!ctn_json_is(v, CTN_JSON_OBJECT))
        return ctn_fail(err, CTN_E_INVALID, "%s must be an object, not %s", key, v ? ctn_json_kind_name(v) : "missing");
    *ret_value = v;
    return CTN_OK;
}

int travel_maybe_object(const travel_call *call, const char *key, const ctn_json **ret_value, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(call->arguments, key);
    *ret_value = NULL;
    return !v || ctn_json_is(v, CTN_JSON_NULL) ? CTN_OK : travel_want_object(call, key, ret_value, err);
}

int travel_maybe_long_text(const travel_call *call, const char *key, size_t bytes_max, ctn_str *ret_text, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(call->arguments, key);
    *ret_text = (ctn_str){NULL, 0};
    if (!v || ctn_json_is(v, CTN_JSON_NULL))
        return CTN_OK;
    if (!ctn_json_is(v, CTN_JSON_STRING) && !ctn_json_is(v, CTN_JSON_NUMBER))
        return ctn_fail(err, CTN_E_INVALID, "%s must be text, not %s", key, ctn_json_kind_name(v));
    if (ctn_json_text(v).len > bytes_max)
        return ctn_fail(err, CTN_E_LIMIT, "%s has %zu bytes, at most %zu", key, ctn_json_text(v).len, bytes_max);
    *ret_text = ctn_json_text(v);
    return CTN_OK;
}

int travel_maybe_text(const travel_call *call, const char *key, ctn_str *ret_text, ctn_err *err)
{
    return travel_maybe_long_text(call, key, FIELD_BYTES_MAX, ret_text, err);
}

int travel_maybe_int(const travel_call *call, const char *key, int64_t min, int64_t max, int64_t otherwise,
                     int64_t *ret_value, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(call->arguments, key);
    int64_t value = otherwise;
    if (v && !ctn_json_is(v, CTN_JSON_NULL) &&
        ((!ctn_json_to_int64(v, &value) && !ctn_str_to_int64(ctn_json_text(v), &value)) || value < min || value > max))
        return ctn_fail(err, CTN_E_INVALID, "%s must be a whole number from %" PRId64 " to %" PRId64, key, min, max);
    *ret_value = value;
    return CTN_OK;
}

int travel_maybe_moment(const travel_call *call, const char *key, int64_t otherwise_ms, int64_t *ret_at_ms,
                        ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(call->arguments, key);
    ctn_time time = {.at_ms = otherwise_ms};
    bool is_absent = !v || ctn_json_is(v, CTN_JSON_NULL) || (ctn_json_is(v, CTN_JSON_STRING) && v->count == 0);
    bool is_moment = is_absent || ctn_time_of(v, &time) || ctn_str_to_int64(ctn_json_text(v), &time.at_ms);
    if (!is_moment || (!is_absent && (time.at_ms < 0 || time.at_ms > MOMENT_MAX)))
        return ctn_fail(err, CTN_E_INVALID, "%s must be a time such as 2026-10-24T09:00:00Z", key);
    *ret_at_ms = time.at_ms;
    return CTN_OK;
}

int travel_want_text(const travel_call *call, const char *key, ctn_str *ret_text, ctn_err *err)
{
    int rc = travel_maybe_text(call, key, ret_text, err);
    if (rc)
        return rc;
    return ret_text->len > 0 ? CTN_OK : ctn_fail(err, CTN_E_INVALID, "%s is missing: it must be text", key);
}

int travel_maybe_day(const travel_call *call, const char *key, bool *ret_is_there, travel_day *ret_day, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(call->arguments, key);
    int64_t at_ms;
    *ret_is_there = false;
    if (!v || ctn_json_is(v, CTN_JSON_NULL) || (ctn_json_is(v, CTN_JSON_STRING) && ctn_json_text(v).len == 0))
        return CTN_OK;
    *ret_is_there = true;
    if (ctn_json_is(v, CTN_JSON_STRING) && travel_day_parse(ctn_json_text(v), ret_day))
        return CTN_OK;
    if ((ctn_json_to_int64(v, &at_ms) || ctn_str_to_int64(ctn_json_text(v), &at_ms)) && at_ms >= 0 &&
        at_ms < INT64_C(4000000000000)) {
        *ret_day = (travel_day) (at_ms / TRAVEL_DAY_MS);
        return CTN_OK;
    }
    return ctn_fail(err, CTN_E_INVALID, "%s must be a time such as 2026-10-24T09:00:00Z", key);
}

int travel_maybe_language(const travel_call *call, travel_language *ret_language, ctn_err *err)
{
    ctn_str code;
    int rc = travel_maybe_text(call, "language", &code, err);
    if (!rc && !travel_language_from(code, ret_language) &&
        !travel_language_from(travel_agency_text(call->tools->agency, "language"), ret_language))
        *ret_language = TRAVEL_EN;
    return rc;
}

int64_t travel_now_ms(const travel_call *call)
{
    return ctn_clock_now_ms(&call->tools->clock);
}

int travel_today(const travel_call *call, travel_day *ret_day, ctn_err *err)
{
    bool is_there;
    int rc = travel_maybe_day(call, "started_at", &is_there, ret_day, err);
    if (rc == CTN_OK && !is_there)
        *ret_day = (travel_day) (travel_now_ms(call) / TRAVEL_DAY_MS);
    return rc;
}
