/*
 * explain.c -- see explain.h.
 */
#include "http/explain.h"
#include <string.h>

static const char *advice_for(CURLcode code, const char *says)
{
    switch (code) {
    case CURLE_COULDNT_CONNECT: return "is the server running, and is that its port?";
    case CURLE_COULDNT_RESOLVE_HOST: return "is the name right?";
    case CURLE_COULDNT_RESOLVE_PROXY: return "is the proxy's name right?";
    case CURLE_UNSUPPORTED_PROTOCOL: /* "Received HTTP/0.9": no status line, whatever it is */
    case CURLE_WEIRD_SERVER_REPLY: return "what answers there speaks no HTTP: is that its port?";
    case CURLE_GOT_NOTHING: return "did it end just then, or does it want https?";
    case CURLE_SSL_CACERT_BADFILE: return "caFile must name certificates in PEM";
    case CURLE_PEER_FAILED_VERIFICATION:
        return strstr(says, "subject name") ? "the URL must use a name that is in the server's certificate"
                                            : "if a private authority has made it, name that in caFile";
    case CURLE_SSL_CONNECT_ERROR:
        return strstr(says, "wrong version number") ? "it speaks no TLS there: is it http and not https?" : NULL;
    default: return NULL;
    }
}

const char *ctn_http_explain(ctn_arena *arena, CURLcode code, const char *says)
{
    says = says[0] ? says : curl_easy_strerror(code);
    const char *advice = advice_for(code, says);
    return advice ? ctn_arena_printf(arena, "%s; %s", says, advice).ptr : says;
}
