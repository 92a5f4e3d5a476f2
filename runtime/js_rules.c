#include "runtime/js_rules.h"

static void
put_text(
    json_t *o, const char *name, const struct milt_image *im, uint32_t text)
{
	if (text != IMAGE_NONE)
		json_put_text(o, name, image_text(im, text));
}

static json_t *
rule_json(const struct milt_image *im, const struct image_js *js)
{
	const struct image_rule *r = &im->rules[js->rule];
	json_t *o = json_object();

	json_put_number(o, "index", js->rule);
	put_text(o, "name", im, r->name);
	put_text(o, "source", im, r->file);
	json_put_number(o, "line", r->line);
	put_text(o, "file", im, js->file);
	put_text(o, "function", im, js->function);
	put_text(o, "code", im, js->code);
	if (js->code != IMAGE_NONE)
		json_put_number(o, "codeLine", js->code_line);
	return o;
}

json_t *
js_rules_json(const struct milt_image *im)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < im->count[SECTION_JS]; i++)
		json_array_append_new(list, rule_json(im, &im->js[i]));
	return list;
}
