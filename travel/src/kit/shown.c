/* shown.c -- see shown.h. */
#include "kit/shown.h"

enum { ID_BYTES_MAX = 80, NAME_BYTES_MAX = 40 };

static bool is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

ctn_str travel_id_shown(ctn_str id)
{
    bool has_letter = false, has_digit = false, is_plain = id.len <= ID_BYTES_MAX;
    for (size_t i = 0; is_plain && i < id.len; i++) {
        char c = id.ptr[i];
        bool is_letter = is_small(c) || (c >= 'A' && c <= 'Z'), is_digit = c >= '0' && c <= '9';
        has_letter = has_letter || is_letter;
        has_digit = has_digit || is_digit;
        is_plain = is_letter || is_digit || c == '-' || c == '_' || c == '.';
    }
    return is_plain && has_letter && has_digit ? id : CTN_STR("with this id");
}

ctn_str travel_name_shown(ctn_str name)
{
    bool is_plain = name.len > 0 && name.len <= NAME_BYTES_MAX;
    for (size_t i = 0; is_plain && i < name.len; i++)
        is_plain = is_small(name.ptr[i]) || name.ptr[i] == '_';
    return is_plain ? name : CTN_STR("that");
}
