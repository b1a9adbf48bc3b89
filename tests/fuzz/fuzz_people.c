/* The file that says who is in the room. */
#include <string.h>

#include "ceremony/people.h"
#include "fuzz.h"

static const char text[] =
    "title = \"T\"; roles = { ADM = \"Administrator\"; CO = \"Officer\"; IW = \"Witness\"; };\n"
    "steps = ( { do = \"say\"; text = \"Begin.\"; } );\n";

static const struct script *the_script(void)
{
    static struct script script;
    struct p11ca_err err;

    if (script.n_steps)
        return &script;
    fuzz_write("script.conf", text, strlen(text));
    REQUIRE(TAKES(script_load(&script, fuzz_path("script.conf"), &err)));
    return &script;
}

static void require_people(const struct people *people, const struct script *script)
{
    size_t i;

    for (i = 0; i < script->n_roles; i++) {
        const struct person *person = people_get(people, script, &script->roles[i]);
        AUTO_JSON json = people_json(people, script, &script->roles[i]);

        REQUIRE(json && (!person->token == !person->key));
        REQUIRE(!person->certificate == !person->certificate_path);
        if (person->name)
            fuzz_require_text(person->name, strlen(person->name), "");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    const struct script *script = the_script();
    AUTO_PEOPLE people = {.names = {""}};
    struct p11ca_err err;

    if (fuzz_includes_elsewhere(p, len))
        return 0;
    fuzz_write("people.conf", p, len);
    if (TAKES(people_load(&people, fuzz_path("people.conf"), script, &err)))
        require_people(&people, script);
    return 0;
}
