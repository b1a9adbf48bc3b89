/* The terminal as struct p11ca_ui: questions go to /dev/tty, so that stdin and stdout stay free for data. */
#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "base/file.h"
#include "cli/cli.h"

static void say(void *ctx, const char *line)
{
    cli_say(ctx, "%s", line);
}

static bool yes_to_all(void *ctx, const char *question)
{
    (void)ctx, (void)question;
    return true;
}

/* A typed yes; a wrong answer asks again, the end of input is no. */
static bool confirm(void *ctx, const char *question)
{
    FILE *tty = file_open_tty();
    char line[32];
    bool yes = false, asked = true;

    (void)ctx;
    if (!tty)
        return false;
    while (asked) {
        fprintf(tty, "%s [yes/no] ", question);
        fflush(tty);
        if (!fgets(line, sizeof(line), tty))
            break;
        line[strcspn(line, "\r\n")] = '\0';
        yes = strcmp(line, "yes") == 0 || strcmp(line, "y") == 0;
        asked = !yes && strcmp(line, "no") != 0 && strcmp(line, "n") != 0;
    }
    fclose(tty);
    return yes;
}

static int read_line(FILE *tty, char *buf, size_t size)
{
    size_t n = 0;
    int c;

    /* Character by character: stdio's own buffers must not keep a copy. */
    while ((c = fgetc(tty)) != EOF && c != '\n') {
        if (n + 1 >= size)
            return -1;
        buf[n++] = (char)c;
    }
    buf[n] = '\0';
    return c == EOF && n == 0 ? -1 : (int)n;
}

static int secret(void *ctx, const char *prompt, char *buf, size_t size)
{
    FILE *tty = file_open_tty();
    struct termios old, quiet;
    int n = -1;

    (void)ctx;
    if (!tty)
        return -1;
    setvbuf(tty, NULL, _IONBF, 0);
    if (tcgetattr(fileno(tty), &old) == 0) {
        quiet = old;
        quiet.c_lflag &= (tcflag_t)~ECHO;
        tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
        fprintf(tty, "%s: ", prompt);
        n = read_line(tty, buf, size);
        tcsetattr(fileno(tty), TCSAFLUSH, &old);
        fputc('\n', tty);
    }
    fclose(tty);
    return n;
}

void cli_ui_init(struct cli *cli, bool yes)
{
    FILE *tty = file_open_tty();

    cli->ui = (struct p11ca_ui){.ctx = cli, .say = say};
    if (tty) {
        cli->ui.confirm = confirm;
        cli->ui.secret = secret;
        fclose(tty);
    }
    if (yes)
        cli->ui.confirm = yes_to_all;
    cli->options.ui = &cli->ui;
}
