/*
 * proxy.c -- which proxy a request takes when its policy leaves that to the environment.
 *
 * libcurl reads the same variables, but does not say afterwards whether it took a proxy (until 8.7); who judges
 * addresses must know that before: with a proxy it is the proxy that is connected to.
 */
#include "http/proxy.h"

#include <stdlib.h>

static const char *first_of(const char *lower, const char *upper)
{
    const char *value = getenv(lower);
    if ((!value || !*value) && upper)
        value = getenv(upper);
    return value && *value ? value : NULL;
}

static bool names(ctn_str item, ctn_str host)
{
    if (item.len == 1 && item.ptr[0] == '*')
        return true;
    while (item.len > 0 && item.ptr[0] == '.')
        item = ctn_str_from_offset(item, 1);
    if (item.len == 0 || item.len > host.len)
        return false;
    size_t before = host.len - item.len;
    return ctn_str_equal_any_case(ctn_str_from_offset(host, before), item) &&
           (before == 0 || host.ptr[before - 1] == '.');
}

bool ctn_proxy_list_names(ctn_str list, ctn_str host)
{
    while (list.ptr) {
        ctn_str words = ctn_str_cut(&list, ',');
        while (words.ptr) {
            ctn_str word = ctn_str_trim(ctn_str_cut(&words, ' '));
            if (names(word, host))
                return true;
        }
    }
    return false;
}

const char *ctn_proxy_of_environment(bool is_https, ctn_str host, bool is_loopback)
{
    if (is_loopback || ctn_proxy_list_names(ctn_str_from(first_of("no_proxy", "NO_PROXY")), host))
        return "";
    const char *proxy = is_https ? first_of("https_proxy", "HTTPS_PROXY") : first_of("http_proxy", NULL);
    if (!proxy)
        proxy = first_of("all_proxy", "ALL_PROXY");
    return proxy ? proxy : "";
}
