/*
 * How far a lot has come, for who is waiting: on a terminal one line that is drawn again and again, elsewhere a plain line
 * now and then. Whatever else goes to the same terminal clears that line first.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <p11ca/ui.h>

struct progress {
    FILE *out;   /* NULL: nobody waits */
    bool tty;    /* it is a terminal */
    bool shared; /* results go to a terminal, too */
    bool drawn;  /* the line is there */
    unsigned columns;
    const char *what; /* of the last update */
    double shown;     /* when, in seconds since that was begun */
};

/* As a struct p11ca_ui's progress. */
void progress_update(struct progress *p, const struct p11ca_progress *at);

/* Before anything else is written to the terminal. p may be NULL. */
void progress_clear(struct progress *p);

/* The same before a result, that goes to standard output. */
void progress_clear_for_result(struct progress *p);

#endif
