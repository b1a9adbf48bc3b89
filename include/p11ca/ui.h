/*
 * How the library talks to people. It never prints and never reads a terminal: the program gives it
 * these functions. A NULL function means that nobody is there to answer.
 *
 * They are called on the thread that made the library call.
 */
#ifndef P11CA_UI_H
#define P11CA_UI_H

#include <stdbool.h>
#include <stddef.h>

/* How far a long work has come. */
struct p11ca_progress {
    const char
        *what; /* is being done, a constant: "checking", then "issuing", or "reporting" when nothing is */
    size_t done, total; /* rows; total 0: not known */
    double seconds;     /* since this was begun */
};

struct p11ca_ui {
    void *ctx;
    /* One line of progress or explanation, without a newline. */
    void (*say)(void *ctx, const char *line);
    /* As say, for those who want to see every step (-v). */
    void (*detail)(void *ctx, const char *line);
    /* As often as the work likes. */
    void (*progress)(void *ctx, const struct p11ca_progress *p);
    /* A yes-or-no question; true is yes. */
    bool (*confirm)(void *ctx, const char *question);
    /* Asks for a line of text, echoed. Writes at most size - 1 bytes and a NUL, returns the length or -1. */
    int (*ask)(void *ctx, const char *question, char *buf, size_t size);
    /*
     * Asks for a secret without echo. Writes at most size - 1 bytes and a NUL, returns the length or -1.
     * The library wipes the buffer.
     */
    int (*secret)(void *ctx, const char *prompt, char *buf, size_t size);
    /*
     * Shows a secret to one person, alone on a cleared screen, and clears it again when they have it. 0 or -1: it
     * could not be shown.
     */
    int (*reveal)(void *ctx, const char *heading, const char *secret);
};

#endif
