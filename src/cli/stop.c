#include "cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
#define N_SIGNALS (sizeof(signals) / sizeof(signals[0]))

static int stop_pipe[2];

static void set_all(void (*handler)(int))
{
    struct sigaction action;
    size_t i;

    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (i = 0; i < N_SIGNALS; i++)
        sigaction(signals[i], &action, NULL);
}

/* Nothing here that may not be called from a handler (POSIX 2.4.3). */
static void on_signal(int number)
{
    int saved = errno;

    (void)number;
    (void)!write(stop_pipe[1], "", 1);
    set_all(SIG_DFL);
    errno = saved;
}

int cli_stop_fd(int *ret, struct p11ca_err *err)
{
    if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_errno(err, P11CA_BUG, "pipe");
    signal(SIGPIPE, SIG_IGN);
    set_all(on_signal);
    *ret = stop_pipe[0];
    return 0;
}
