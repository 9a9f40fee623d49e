/*
 * proxy.h -- which proxy a request takes when its policy leaves that to the environment.
 *
 * http_proxy (in lower case only: HTTP_PROXY can be set by a request's header where programs are run by a web server),
 * https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY; no_proxy and NO_PROXY list hosts that are reached directly, as "*",
 * "host", ".domain" or "domain", each with its sub-domains, with blanks or commas between. Loopback takes no proxy.
 */
#pragma once
#include "base/str.h"

/* "" : none. The text lives as long as the environment is not changed. */
const char *ctn_proxy_of_environment(bool is_https, ctn_str host, bool is_loopback);
/* Does a list like no_proxy name the host? */
bool ctn_proxy_list_names(ctn_str list, ctn_str host);
