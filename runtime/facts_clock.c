/* The clock in the policy's time zone. */
#include <glib.h>

#include "runtime/facts_state.h"

/* The zone that a policy names; UTC where the system does not know it. */
static GTimeZone *
zone(const struct facts *f)
{
	uint32_t text = f->image->needs->option_texts[OPTION_TIME_ZONE];
	struct str name = text == IMAGE_NONE
			      ? option_rows[OPTION_TIME_ZONE].text
			      : image_text(f->image, text);
	char *z = g_strndup(name.p, name.n);
	GTimeZone *tz = g_time_zone_new_identifier(z);

	g_free(z);
	return tz ? tz : g_time_zone_new_utc();
}

/* Rounded down, also before 1970. */
static long long
floor_div(long long a, long long b)
{
	return a / b - (a % b < 0);
}

const struct clock *
facts_local_clock(struct facts *f)
{
	struct clock *c = f->clock;
	long long seconds, days;
	GTimeZone *tz;
	int interval;

	if (!c || c->local)
		return c;
	seconds = floor_div(c->now, 1000);
	tz = zone(f);
	interval =
	    g_time_zone_find_interval(tz, G_TIME_TYPE_UNIVERSAL, seconds);
	if (interval >= 0)
		seconds += g_time_zone_get_offset(tz, interval);
	g_time_zone_unref(tz);
	days = floor_div(seconds, 86400);
	c->hour = (seconds - days * 86400) / 3600;
	c->date = days;
	c->weekday = days + 3 - floor_div(days + 3, 7) * 7; /* 1970: a thu */
	c->local = true;
	return c;
}
