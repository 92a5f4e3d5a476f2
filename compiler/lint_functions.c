#include "compiler/js_run.h"
#include "compiler/lint.h"

static void
report(struct compilation *c, json_t *wrong)
{
	size_t index = (size_t)json_integer_value(json_array_get(wrong, 0));
	const char *text = json_string_value(json_array_get(wrong, 1));
	struct span span;

	if (!text || index >= c->ir->rules.n || !c->ir->rules.v[index]->js)
		return;
	span = c->ir->rules.v[index]->js->ast->code_span;
	if (!c->ir->rules.v[index]->js->ast->call)
		span.end = span.begin + 3; /* the backticks */
	diag_at(&c->diags, D_JS_FUNCTION, span, "%s", text);
}

bool
lint_functions(struct compilation *c, const struct node_program *node,
    char *why, size_t why_size)
{
	const char *reason = NULL;
	struct milt_image *im;
	json_t *wrong, *one;
	size_t i;

	if (milt_image_load(c->image, c->image_size, &im, &reason) != MILT_OK) {
		snprintf(why, why_size, "%s", reason ? reason : "no memory");
		return false;
	}
	wrong = js_inspect(node, im, why, why_size);
	milt_image_free(im);
	json_array_foreach(wrong, i, one)
	{
		report(c, one);
	}
	json_decref(wrong);
	return wrong;
}
