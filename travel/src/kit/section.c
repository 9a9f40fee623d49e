/*
 * section.c -- see section.h.
 */
#include "kit/section.h"

#include <stdio.h>

enum { NAMES_MAX = 32 };

static ctn_str nearest_of(ctn_str word, const char *const *names, size_t count)
{
    ctn_str texts[NAMES_MAX];
    count = count < NAMES_MAX ? count : NAMES_MAX;
    for (size_t i = 0; i < count; i++)
        texts[i] = ctn_str_from(names[i]);
    return ctn_str_nearest(word, texts, count);
}

static ctn_str shown(ctn_str text)
{
    return (ctn_str){text.ptr, text.len > 60 ? 60 : text.len};
}

static const ctn_json *member(const ctn_json *object, const char *key)
{
    const ctn_json *v = object ? ctn_json_member_of(object, key) : NULL;
    return ctn_json_is(v, CTN_JSON_NULL) ? NULL : v;
}

int travel_section_keys(const travel_agency *agency, const ctn_json *object, const char *where,
                        const char *const *names, size_t count, ctn_err *err)
{
    for (size_t i = 0; i < ctn_json_count(object); i++) {
        const ctn_json *key = &object->members[i].key;
        bool is_known = false;
        for (size_t k = 0; k < count; k++)
            is_known = is_known || ctn_str_is(ctn_json_text(key), names[k]);
        if (is_known)
            continue;
        ctn_str nearest = nearest_of(ctn_json_text(key), names, count);
        return travel_agency_fault(agency, key, err, "%s has no key \"%.*s\"%s%.*s%s", where,
                                   CTN_STR_ARG(shown(ctn_json_text(key))), nearest.len ? "; did you mean " : "",
                                   CTN_STR_ARG(nearest), nearest.len ? "?" : "");
    }
    return CTN_OK;
}

int travel_section_text(const travel_agency *agency, const ctn_json *object, const char *key, ctn_str otherwise,
                        ctn_str *ret_text, ctn_err *err)
{
    const ctn_json *v = member(object, key);
    if (v && !ctn_json_is(v, CTN_JSON_STRING))
        return travel_agency_fault(agency, v, err, "%s must be a text, not %s", key, ctn_json_kind_name(v));
    *ret_text = v ? ctn_json_text(v) : otherwise;
    return CTN_OK;
}

int travel_section_int(const travel_agency *agency, const ctn_json *object, const char *key, int64_t min, int64_t max,
                       int64_t otherwise, int64_t *ret_value, ctn_err *err)
{
    const ctn_json *v = member(object, key);
    int64_t value = otherwise;
    if (v && (!ctn_json_is(v, CTN_JSON_NUMBER) || !ctn_json_to_int64(v, &value) || value < min || value > max))
        return travel_agency_fault(agency, v, err, "%s must be a whole number from %lld to %lld", key, (long long) min,
                                   (long long) max);
    *ret_value = value;
    return CTN_OK;
}

int travel_section_bool(const travel_agency *agency, const ctn_json *object, const char *key, bool otherwise,
                        bool *ret_value, ctn_err *err)
{
    const ctn_json *v = member(object, key);
    if (v && !ctn_json_is_bool(v))
        return travel_agency_fault(agency, v, err, "%s must be true or false", key);
    *ret_value = v ? ctn_json_is(v, CTN_JSON_TRUE) : otherwise;
    return CTN_OK;
}

int travel_section_object(const travel_agency *agency, const ctn_json *object, const char *key,
                          const ctn_json **ret_object, ctn_err *err)
{
    const ctn_json *v = member(object, key);
    if (v && !ctn_json_is(v, CTN_JSON_OBJECT))
        return travel_agency_fault(agency, v, err, "%s must have keys of its own, not be %s", key,
                                   ctn_json_kind_name(v));
    *ret_object = v;
    return CTN_OK;
}

int travel_section_unknown_word(const travel_agency *agency, const ctn_json *value, const char *key,
                                const char *const *names, size_t count, ctn_err *err)
{
    char list[200] = "";
    size_t len = 0;
    for (size_t i = 0; i < count && len < sizeof list; i++) {
        int more = snprintf(list + len, sizeof list - len, "%s%s", i ? i + 1 < count ? ", " : " or " : "", names[i]);
        len += more > 0 ? (size_t) more : 0;
    }
    ctn_str nearest = nearest_of(ctn_json_text(value), names, count);
    return travel_agency_fault(agency, value, err, "%s must be %s%s%.*s%s", key, list,
                               nearest.len ? "; did you mean " : "", CTN_STR_ARG(nearest), nearest.len ? "?" : "");
}

int travel_section_word(const travel_agency *agency, const ctn_json *object, const char *key, const char *const *names,
                        size_t count, size_t otherwise, size_t *ret_index, ctn_err *err)
{
    const ctn_json *v = member(object, key);
    *ret_index = otherwise;
    if (!v)
        return CTN_OK;
    for (size_t i = 0; i < count; i++) {
        if (ctn_json_is(v, CTN_JSON_STRING) && ctn_str_is(ctn_json_text(v), names[i])) {
            *ret_index = i;
            return CTN_OK;
        }
    }
    return travel_section_unknown_word(agency, v, key, names, count, err);
}
