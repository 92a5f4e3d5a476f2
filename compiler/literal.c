#include "compiler/passes.h"

/* Digits, as many as there are, perhaps with a sign; *rest is what follows. */
static bool
digits(struct str s, long long *out, struct str *rest)
{
	bool negative = str_starts(s, STR("-"));
	struct str d = negative ? str_skip(s, 1) : s;
	long long n = 0;
	size_t i = 0;

	for (; i < d.n && d.p[i] >= '0' && d.p[i] <= '9'; i++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, d.p[i] - '0', &n))
			return false;
	if (i == 0)
		return false;
	*out = negative ? -n : n;
	*rest = str_skip(d, i);
	return true;
}

struct unit {
	struct str name;
	long long factor;
};

static bool
with_unit(struct str s, const struct unit *units, size_t count, long long *out)
{
	struct str unit;
	long long n;

	if (!digits(s, &n, &unit))
		return false;
	for (size_t i = 0; i < count; i++)
		if (str_eq(unit, units[i].name))
			return !__builtin_mul_overflow(n, units[i].factor, out);
	return false;
}

bool
literal_number(struct str s, long long *out)
{
	struct str rest;
	long long n;

	if (!digits(s, &n, &rest) || rest.n > 0)
		return false;
	*out = n;
	return true;
}

bool
literal_size(struct str s, long long *out)
{
	static const struct unit units[] = {
		{ STR(""), 1 },
		{ STR("B"), 1 },
		{ STR("KB"), 1 << 10 },
		{ STR("MB"), 1 << 20 },
		{ STR("GB"), 1 << 30 },
	};

	return with_unit(s, units, sizeof(units) / sizeof(units[0]), out);
}

bool
literal_duration(struct str s, long long *out)
{
	static const struct unit units[] = {
		{ STR("ms"), 1 },
		{ STR("s"), 1000 },
		{ STR("m"), 60000 },
		{ STR("h"), 3600000 },
		{ STR("d"), 86400000 },
		{ STR("w"), 604800000 },
	};

	return with_unit(s, units, sizeof(units) / sizeof(units[0]), out);
}

bool
literal_weekday(struct str s, long long *out)
{
	static const struct str days[] = { STR("mon"), STR("tue"), STR("wed"),
		STR("thu"), STR("fri"), STR("sat"), STR("sun") };

	for (int i = 0; i < 7; i++) {
		if (str_eq(s, days[i])) {
			*out = i;
			return true;
		}
	}
	return false;
}

bool
literal_result(struct str s, long long *out)
{
	for (int i = 0; i < RESULT_COUNT; i++) {
		if (str_eq(s, result_rows[i].name)) {
			*out = i;
			return true;
		}
	}
	return false;
}

bool
literal_boolean(struct str s, long long *out)
{
	if (!str_eq(s, STR("yes")) && !str_eq(s, STR("no")))
		return false;
	*out = s.n == 3;
	return true;
}

/* RFC 5322 section 2.2: printable US-ASCII but the colon. */
bool
field_name_is_valid(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == ':')
			return false;
	return s.n > 0;
}

bool
regex_flags(struct str letters, bool raw, uint32_t *out)
{
	uint32_t flags = raw ? REGEX_BYTES : 0;

	for (size_t i = 0; i < letters.n; i++) {
		switch (letters.p[i]) {
		case 'i':
			flags |= REGEX_I;
			break;
		case 'm':
			flags |= REGEX_M;
			break;
		case 's':
			flags |= REGEX_S;
			break;
		case 'x':
			flags |= REGEX_X;
			break;
		case 'u':
			flags &= ~(uint32_t)REGEX_BYTES;
			break;
		default:
			return false;
		}
	}
	*out = flags;
	return true;
}
