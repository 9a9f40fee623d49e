#include "peers_kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEERS CATENA_SOURCE_DIR "/build/peers"

void peers_need(world *w)
{
    if (access(PEERS "/installed", R_OK)) {
        print_message("there is no build/peers: scripts/install-peers\n");
        skip();
    }
    cli_world_env(w, "NODE=" PEERS_NODE);
    cli_world_env(w, "PACKAGES=" PEERS_PACKAGES);
    assert_exit(w, shell(w, "ln -s " PEERS "/node_modules node_modules && cp " CATENA_SOURCE_DIR "/tests/peers/*js ."),
                0);
}

running peers_listen(world *w, const char *line, const char *log, int *ret_port)
{
    char whole[1000], text[8192];
    (void) snprintf(whole, sizeof whole, "exec %s >%s 2>&1", line, log);
    running r = shell_start(w, whole);
    cli_world_await(w, log, "port=");
    cli_world_read(w, log, text, sizeof text);
    *ret_port = atoi(strstr(text, "port=") + strlen("port="));
    return r;
}

void peers_stop(running *r)
{
    if (!r->pid)
        return;
    kill(r->pid, SIGTERM);
    usleep(50000);
    kill(r->pid, SIGKILL); /* some of them wait for their clients */
    (void) waitpid(r->pid, NULL, 0);
    close(r->out_fd);
    close(r->err_fd);
    r->pid = 0;
}
