/* The charset that HTML says of itself (HTML 13.2.3.2). */
#include "runtime/html.h"
#include "runtime/html_token.h"

enum { LOOKED_AT = 1024 };

/* What stands behind `charset=` in the value of `content`. */
static struct str
charset_in(struct str content)
{
	static const char key[] = "charset=";
	size_t n = sizeof(key) - 1;

	for (; content.n > n; content = str_skip(content, 1)) {
		struct str rest = str_skip(content, n), name;

		if (!str_eq_ascii(str_head(content, n), str_from(key)))
			continue;
		if (rest.p[0] == '"' || rest.p[0] == '\'')
			rest = str_skip(rest, 1);
		name = rest;
		for (n = 0; n < name.n; n++)
			if (strchr(" \t\r\n;\"'", name.p[n]))
				break;
		return str_head(name, n);
	}
	return STR("");
}

static struct str
charset_of(struct str attributes)
{
	struct str charset = STR(""), content = STR("");
	struct html_attribute a;
	bool type = false;

	while (html_attribute(&attributes, &a)) {
		if (str_eq_ascii(a.name, STR("charset")))
			charset = str_trim(a.value);
		else if (str_eq_ascii(a.name, STR("content")))
			content = a.value;
		else if (str_eq_ascii(a.name, STR("http-equiv")))
			type = str_eq_ascii(
			    str_trim(a.value), STR("content-type"));
	}
	if (!charset.n && type)
		charset = charset_in(content);
	/* It could not be read so. */
	if (str_eq_ascii(str_head(charset, 4), STR("utf-")))
		return STR("utf-8");
	return charset;
}

struct str
html_charset(struct str octets)
{
	struct html_scanner scanner = { .source = str_head(octets, LOOKED_AT) };
	struct html_token token;

	while (html_next(&scanner, &token)) {
		struct str charset = STR("");

		if (token.kind == HTML_OPEN &&
		    str_eq_ascii(token.name, STR("meta")))
			charset = charset_of(token.attributes);
		if (charset.n)
			return charset;
	}
	return STR("");
}
