/* Points in time as policies write them: see normal.h. */
#include "runtime/normal.h"

static const long long SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE,
		       DAY = 24 * HOUR;

/* Exactly `n` digits at `at`. */
static bool
digits(struct str s, size_t at, size_t n, int *out)
{
	int value = 0;

	if (at + n > s.n)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		value = value * 10 + (s.p[i] - '0');
	}
	*out = value;
	return true;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

bool
date_parse(struct str s, long long *out)
{
	int year, month, day;
	long long days;

	if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' ||
	    !digits(s, 0, 4, &year) || !digits(s, 5, 2, &month) ||
	    !digits(s, 8, 2, &day) || year < 1 || month < 1 || month > 12 ||
	    day < 1 || day > month_days(year, month))
		return false;
	days = (year - 1) * 365LL + (year - 1) / 4 - (year - 1) / 100 +
	       (year - 1) / 400;
	for (int m = 1; m < month; m++)
		days += month_days(year, m);
	*out = days + day - 1 - 719162; /* from 0001-01-01 to 1970-01-01 */
	return true;
}

/* "Z", or "+hh:mm" as what is to be subtracted, in milliseconds. */
static bool
parse_offset(struct str s, long long *out)
{
	int hour, minute;

	if (str_eq(s, STR("Z"))) {
		*out = 0;
		return true;
	}
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' ||
	    !digits(s, 1, 2, &hour) || !digits(s, 4, 2, &minute) || hour > 23 ||
	    minute > 59)
		return false;
	*out = (hour * HOUR + minute * MINUTE) * (s.p[0] == '-' ? -1 : 1);
	return true;
}

bool
time_parse(struct str s, long long *out)
{
	int hour, minute, second;
	long long days, offset;

	if (!date_parse(str_head(s, 10), &days))
		return false;
	if (s.n == 10) {
		*out = days * DAY;
		return true;
	}
	if (s.n < 20 || s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':' ||
	    !digits(s, 11, 2, &hour) || !digits(s, 14, 2, &minute) ||
	    !digits(s, 17, 2, &second) || hour > 23 || minute > 59 ||
	    second > 59 || !parse_offset(str_skip(s, 19), &offset))
		return false;
	*out = days * DAY + hour * HOUR + minute * MINUTE + second * SECOND -
	       offset;
	return true;
}
