/* Round numbers along an axis. */
#include "draw/ticks.h"

#include <math.h>
#include <stdio.h>

/* Which multiples of a power of ten are ticks, in tenths: fewer on each
 * level. */
static const char *const multiples[] = {
	("10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 "
	 "34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 "
	 "58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 "
	 "82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99 "),
	"10 11 12 13 14 15 16 17 18 19 20 22 24 26 28 30 35 40 45 50 60 70 80 90 ",
	"10 12 14 16 18 20 22 24 26 28 30 32 34 36 38 40 45 50 55 60 65 70 80 90 ",
	"10 15 20 25 30 35 40 50 60 70 80 90 ", "10 15 20 30 40 50 60 80 ",
	"10 20 30 50 70 ", "10 20 50 ", "10 30 ", "10 "
};
#define OUTWARD multiples[1] /* ends of an axis: near each other, and some are ticks */
#define LEVELS ((int)(sizeof multiples / sizeof *multiples))

/* The ticks of one level, or -1 where they would be closer than apart, which
 * is the difference of two logarithms. */
static int ticks_of(const char *tenths, int decades, double low, double high,
	double apart, double tick[KF_TICKS_MAX])
{
	int n = 0;

	for (int e = (int)floor(log10(low)); e <= log10(high) + 1e-9; e++) {
		if (e % decades)
			continue;
		for (const char *at = tenths; *at; at += 3) {
			double v = ((at[0] - '0') * 10 + at[1] - '0') * pow(10, e - 1);

			if (v < low * (1 - 1e-9) || v > high * (1 + 1e-9))
				continue;
			if (n == KF_TICKS_MAX || (n && log10(v / tick[n - 1]) < apart))
				return -1;
			tick[n++] = v;
		}
	}
	return n;
}

int kf_log_ticks(double low, double high, double length, double apart,
	double tick[KF_TICKS_MAX])
{
	int n = -1;

	apart *= log10(high / low) / length;
	for (int level = 0; level < LEVELS && n < 0; level++)
		n = ticks_of(multiples[level], 1, low, high, apart, tick);
	for (int decades = 2; n < 0; decades++)
		n = ticks_of("10 ", decades, low, high, apart, tick);
	return n;
}

double kf_round_out(double v, bool up)
{
	double power = pow(10, floor(log10(v))), below = 0.9 * power;

	for (const char *at = OUTWARD; *at; at += 3) {
		double tick = ((at[0] - '0') * 10 + at[1] - '0') * power / 10;

		if (tick > v * (1 + 1e-6))
			return up ? tick : below;
		if (tick < v * (1 - 1e-6))
			below = tick;
	}
	return up ? 10 * power : below;
}

double kf_linear_step(double end, int most)
{
	double step = 1;

	while (end / step > most) {
		double power = pow(10, floor(log10(step) + 1e-9));

		step = step < 1.5 * power ? 2 * power :
			step < 3 * power  ? 5 * power :
					    10 * power;
	}
	return step;
}

double kf_round_step(double end, int most)
{
	double unit = pow(10, floor(log10(end)) - 2);

	return kf_linear_step(end / unit, most) * unit;
}

void kf_print_tick(char *text, size_t size, double v)
{
	int e = (int)floor(log10(v) + 1e-9);
	double first = v / pow(10, e); /* 1 to 10 */
	int decimals = first - floor(first + 0.01) > 0.01 ? 1 - e : -e;

	if (e < -4 || e > 4)
		snprintf(text, size, "%.2ge%d", first, e);
	else
		snprintf(text, size, "%.*f", decimals > 0 ? decimals : 0, v);
}
