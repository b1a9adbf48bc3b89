#include "cli/steps.h"

void cli_show_step(void *arg, const struct p11ca_step *step)
{
    struct cli_steps *s = arg;

    if (step->done) {
        json_array_append_new(s->done, json_pack("{s:I,s:s,s:o}", "step", (json_int_t)step->number, "kind",
                                           step->kind, "text", cli_text(step->text)));
        return;
    }
    cli_say(s->cli, "%sstep %zu of %zu  %-17s  %s", step->rehearsal ? "REHEARSAL " : "", step->number,
        step->of, step->kind, step->text);
    if (step->witness[0])
        cli_say(s->cli, "    by %s; watched by %s", step->by, step->witness);
}
