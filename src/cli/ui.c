/* The terminal as struct p11ca_ui: questions go to /dev/tty, so that stdin and stdout stay free for data. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/cli.h"

static void say(void *ctx, const char *line)
{
    cli_say(ctx, "%s", line);
}

static void progress(void *ctx, const struct p11ca_progress *p)
{
    const struct cli *cli = ctx;

    progress_update(cli->progress, p);
}

static void progress_init(struct progress *p)
{
    struct winsize size = {.ws_col = 0};

    *p = (struct progress){.out = stderr, .tty = isatty(STDERR_FILENO), .shared = isatty(STDOUT_FILENO)};
    p->columns = p->tty && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static bool yes_to_all(void *ctx, const char *question)
{
    (void)ctx, (void)question;
    return true;
}

#define CTRL_C 3

/* One line without its newline; byte by byte, so that no buffer of the library keeps a copy of a PIN. */
static int read_line(int tty, char *buf, size_t size)
{
    bool too_long = false;
    size_t n = 0;
    ssize_t got;
    char c = 0;

    /* Too long a line is read to its end: the rest of it would answer the next question. */
    while ((got = read(tty, &c, 1)) == 1 && c != '\n' && c != '\r' && c != CTRL_C) {
        too_long = n + 1 >= size;
        if (!too_long)
            buf[n++] = c;
    }
    buf[n] = '\0';
    /* The end of input is no answer, and half a PIN would cost a try. */
    return got == 1 && c != CTRL_C && !too_long ? (int)n : -1;
}

/* Questions quote names and labels. */
static void put(int tty, const char *text, const char *end)
{
    char safe[4096];

    text_escape(text, strlen(text), safe, sizeof(safe));
    dprintf(tty, "%s%s", safe, end);
}

/* A question stands on a line of its own. */
static int open_terminal(const struct cli *cli)
{
    progress_clear(cli->progress);
    return file_open_tty();
}

/* A typed yes; a wrong answer asks again, the end of input is no. */
static bool confirm(void *ctx, const char *question)
{
    AUTO_FD tty = open_terminal(ctx);
    char line[64];

    while (tty >= 0) {
        put(tty, question, " [yes/no] ");
        if (read_line(tty, line, sizeof(line)) < 0)
            break;
        if (strcmp(line, "yes") == 0 || strcmp(line, "y") == 0)
            return true;
        if (strcmp(line, "no") == 0 || strcmp(line, "n") == 0)
            break;
    }
    return false;
}

static int ask(void *ctx, const char *question, char *buf, size_t size)
{
    AUTO_FD tty = open_terminal(ctx);

    if (tty < 0)
        return -1;
    put(tty, question, " ");
    return read_line(tty, buf, size);
}

static int secret(void *ctx, const char *prompt, char *buf, size_t size)
{
    AUTO_FD tty = open_terminal(ctx);
    struct termios old, quiet;
    int n;

    if (tty < 0 || tcgetattr(tty, &old) != 0)
        return -1;
    quiet = old;
    /* Without ISIG an interrupt comes as a character: nobody is left with a terminal that does not echo. */
    quiet.c_lflag &= (tcflag_t) ~(ECHO | ISIG);
    quiet.c_cc[VEOL] = CTRL_C;
    /* The prompt comes when nothing is echoed any more. */
    if (tcsetattr(tty, TCSAFLUSH, &quiet) != 0)
        return -1;
    put(tty, prompt, ": ");
    n = read_line(tty, buf, size);
    tcsetattr(tty, TCSAFLUSH, &old);
    dprintf(tty, "\n");
    return n;
}

/* Cursor home, screen, and what scrolled off it. */
#define CLEAR "\033[H\033[2J\033[3J"

/* Alone on the screen, and gone from it when the key is pressed. */
static int reveal(void *ctx, const char *heading, const char *text)
{
    AUTO_FD tty = open_terminal(ctx);
    char line[8];
    int n;

    if (tty < 0)
        return -1;
    dprintf(tty, CLEAR);
    put(tty, heading, "\n\n");
    dprintf(tty, "  %s\n\nWrite it down; nobody else looks. Then press Enter. ", text);
    n = read_line(tty, line, sizeof(line));
    dprintf(tty, CLEAR);
    return n < 0 ? -1 : 0;
}

void cli_ui_init(struct cli *cli, bool yes)
{
    AUTO_FD tty = file_open_tty();

    cli->ui = (struct p11ca_ui){.ctx = cli, .say = say, .detail = cli->verbose ? say : NULL};
    if (cli->progress && !cli->quiet) {
        progress_init(cli->progress);
        cli->ui.progress = progress;
    }
    if (tty >= 0) {
        cli->ui.confirm = confirm;
        cli->ui.ask = ask;
        cli->ui.secret = secret;
        cli->ui.reveal = reveal;
    }
    if (yes) {
        cli->ui.confirm = yes_to_all;
        cli->ui.ask = NULL; /* whoever says yes to all is not there to type */
    }
    cli->options.ui = &cli->ui;
}
