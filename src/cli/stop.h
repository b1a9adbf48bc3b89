/* Signals that end a command which would run for ever. */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <p11ca/err.h>

/*
 * A descriptor that becomes readable at the first SIGTERM, SIGINT or SIGHUP, good until the process ends; the second ends the
 * process, as it would without this. A reader that went away is an error of its writer from here on, and not SIGPIPE.
 */
P11CA_CHECK int cli_stop_fd(int *ret, struct p11ca_err *err);

#endif
