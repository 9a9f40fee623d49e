/*
 * service.c -- see service.h.
 */
#include "server/service.h"
#include <stdlib.h>
#include "base/memory.h"
#include "server/api/api.h"
#include "server/mcp/mcp.h"

struct ctn_service {
    ctn_front *front;
    ctn_mcp_service *mcp;
    ctn_api *api;
};

int ctn_service_open(ctn_host *host, ctn_ops *ops, ctn_str address, ctn_service **ret_service, ctn_err *err)
{
    ctn_service *s = ctn_malloc(sizeof *s);
    *s = (ctn_service){0};
    ctn_front_options options = {.loop = ctn_host_loop(host),
                                 .config = &ctn_host_workspace(host)->config->http,
                                 .access = ctn_host_access(host),
                                 .address = address,
                                 .log = ctn_host_log(host, "http")};
    int rc = ctn_front_open(&options, &s->front, err);
    if (rc == CTN_OK)
        rc = ctn_mcp_service_open(host, &s->mcp, err);
    if (rc == CTN_OK)
        rc = ctn_api_open(host, ctn_host_access(host), s->front, &s->api, err);
    if (rc) {
        ctn_service_close(s);
        return rc;
    }
    ctn_mcp_service_serve(s->mcp, s->front);
    ctn_ops_serve(ops, s->front, ctn_api_webhooks_of(s->api));
    *ret_service = s;
    return CTN_OK;
}

void ctn_service_drain(ctn_service *s)
{
    ctn_front_drain(s->front);
    ctn_api_drain(s->api);
    ctn_mcp_service_drain(s->mcp);
}

bool ctn_service_is_quiet(const ctn_service *s)
{
    return ctn_front_is_quiet(s->front);
}

void ctn_service_close(ctn_service *s)
{
    if (!s)
        return;
    ctn_api_close(s->api); /* these let go of their requests, which end with the front */
    ctn_mcp_service_close(s->mcp);
    ctn_front_close(s->front);
    free(s);
}

const char *ctn_service_url(const ctn_service *s)
{
    return ctn_front_url(s->front);
}
