/* oauth_peer.c -- see oauth_peer.h. */
#include "support/oauth_peer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say_json(http_asked *asked, int status, const char *text)
{
    http_answer(asked, status, "application/json", text);
}

static void serve_metadata(oauth_peer *w, http_asked *asked)
{
    char text[2048];
    bool is_resource = strstr(asked->path, "protected-resource") != NULL;
    w->asked_metadata++;
    if (w->lacks_metadata || (is_resource && !strstr(asked->path, "/mcp")) || strstr(asked->path, "openid")) {
        say_json(asked, 404, "{}");
        return;
    }
    if (is_resource)
        snprintf(text, sizeof text, "{\"resource\":\"%s%s\",\"authorization_servers\":[\"%s\"]}",
                 w->resource ? w->resource : w->url, w->resource ? "" : "/mcp", w->url);
    else
        snprintf(
            text, sizeof text,
            "{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/authorize\",\"token_endpoint\":\"%s/token\",%s%s%s%s"
            "\"token_endpoint_auth_methods_supported\":[\"none\",\"client_secret_basic\",\"client_secret_post\"]}",
            w->issuer ? w->issuer : w->url, w->url, w->url,
            w->knows_no_registration ? "" : "\"registration_endpoint\":\"", w->knows_no_registration ? "" : w->url,
            w->knows_no_registration ? "" : "/register\",",
            w->has_no_s256 ? "" : "\"code_challenge_methods_supported\":[\"S256\"],");
    say_json(asked, 200, text);
}

/* The value of a name in the query, decoded. */
static void query_value(const char *path, const char *name, char *out, size_t out_bytes)
{
    char key[64];
    size_t n = 0;
    snprintf(key, sizeof key, "%s=", name);
    const char *p = strchr(path, '?');
    out[0] = '\0';
    while (p && strncmp(p + 1, key, strlen(key)) != 0)
        p = strchr(p + 1, '&');
    for (p = p ? p + 1 + strlen(key) : ""; *p && *p != '&' && n + 1 < out_bytes; p++) {
        char hex[3] = {p[0] == '%' ? p[1] : '\0', p[0] == '%' && p[1] ? p[2] : '\0', '\0'};
        out[n++] = *p == '%' ? (char) strtol(hex, NULL, 16) : *p == '+' ? ' ' : *p;
        if (*p == '%')
            p += 2;
    }
    out[n] = '\0';
}

static void serve_page(oauth_peer *w, http_asked *asked)
{
    char back[512], state[512];
    static const char *const ISS[] = {"", "", "https%3A%2F%2Fevil.example.com", ""};
    query_value(asked->path, "redirect_uri", back, sizeof back);
    query_value(asked->path, "state", state, sizeof state);
    query_value(asked->path, "scope", w->last_scope, sizeof w->last_scope);
    w->authorized++;
    bool is_own = w->iss == ISS_RIGHT || w->iss == ISS_SLASH; /* its URL needs no escaping in a query */
    http_say_format(
        asked, "HTTP/1.1 302 Found\r\nLocation: %s?code=CODE-7f3a&state=%s%s%s%s%s\r\nContent-Length: 0\r\n\r\n", back,
        state, w->iss == ISS_NONE ? "" : "&iss=", ISS[w->iss], is_own ? w->url : "", w->iss == ISS_SLASH ? "/" : "");
}

static void serve_token(oauth_peer *w, http_asked *asked)
{
    char text[8192], life[64] = "";
    const char *body = asked->body ? asked->body : "";
    snprintf(w->last_token_body, sizeof w->last_token_body, "%.*s", (int) asked->body_bytes, body);
    if (!http_asked_header(asked, "Authorization", w->last_authorization, sizeof w->last_authorization))
        w->last_authorization[0] = '\0';
    if (w->token_delay_ms)
        http_pause(asked->peer, w->token_delay_ms);
    if (w->is_down) {
        say_json(asked, 503, "{}");
        return;
    }
    if (w->moves_token) {
        http_say_format(asked, "HTTP/1.1 307 Moved\r\nLocation: %s/moved\r\nContent-Length: 0\r\n\r\n", w->url);
        return;
    }
    bool is_refresh = strstr(w->last_token_body, "grant_type=refresh_token") != NULL;
    bool is_client = strstr(w->last_token_body, "grant_type=client_credentials") != NULL;
    int number = is_refresh ? ++w->refreshes : is_client ? ++w->client_grants : ++w->code_grants;
    if ((is_refresh && w->refuses_refresh) || (is_client && w->refuses_clients)) {
        snprintf(text, sizeof text, "{\"error\":\"invalid_grant\",\"error_description\":\"%s%s\"}",
                 w->repeats_secrets ? w->last_token_body : "no", w->repeats_secrets ? w->last_authorization : "");
        for (char *p = text; w->repeats_secrets && *p; p++) /* as a server that decodes what it repeats */
            if (*p == '%')
                *p = '_';
        say_json(asked, 400, text);
        return;
    }
    if (w->life_s)
        snprintf(life, sizeof life, ",\"expires_in\":%d", w->life_s);
    snprintf(text, sizeof text, "{\"access_token\":\"%s-token-%d\",\"token_type\":\"Bearer\"%s%s%.0d%s}",
             is_refresh  ? "renewed"
             : is_client ? "client"
                         : "first",
             number, life, is_client || w->sends_no_refresh_token ? "" : ",\"refresh_token\":\"REFRESH-", 0,
             is_client || w->sends_no_refresh_token ? ""
             : is_refresh                           ? "rotated\""
                                                    : "original\"");
    say_json(asked, 200, text);
}

bool oauth_peer_serve(oauth_peer *w, http_asked *asked)
{
    if (strstr(asked->path, "/.well-known/"))
        serve_metadata(w, asked);
    else if (strncmp(asked->path, "/authorize", 10) == 0)
        serve_page(w, asked);
    else if (strcmp(asked->path, "/token") == 0)
        serve_token(w, asked);
    else if (strcmp(asked->path, "/register") == 0) {
        w->registered++;
        say_json(asked, 201, "{\"client_id\":\"registered-client\"}");
    } else if (strcmp(asked->path, "/moved") == 0) {
        w->moved++;
        say_json(asked, 200, "{\"access_token\":\"stolen\",\"token_type\":\"Bearer\"}");
    } else
        return false;
    return true;
}

void oauth_peer_refuse(const oauth_peer *w, http_asked *asked, const char *scope)
{
    http_say_format(asked,
                    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer resource_metadata=\"%s/.well-known/"
                    "oauth-protected-resource/mcp\", scope=\"%s\"\r\nContent-Length: 0\r\n\r\n",
                    w->url, scope);
}
