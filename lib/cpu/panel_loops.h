/*
 * The inner loops of panel_kernels.h, which panel_kernels.c makes for each instruction set
 * by including this, after defining
 *
 *   NAMED(f)      the name of function f for this instruction set
 *   TARGET        its attribute
 *   VECTOR        a type of LANES floats, and ZERO, one of these
 *   FACTORS       a type of LANES words
 *   WORDS         in a row of a panel of factors of `dots`
 *   LOAD(p), ALL(f)
 *                 factors from memory, and equal ones
 *   FMA(a, b, c)  the vector a * b + c, with factors a and b
 *   STORE(p, v)   to memory
 *   SUM4(t, v)    t (4) = the sums of four vectors, each over its lanes
 *   UNITS         columns of a tile of `dots`: 4 UNITS sums, UNITS weights and a value
 *                 are held in registers
 *   COLUMNS       vectors that `outer` goes through at a time: STRIP COLUMNS sums,
 *                 COLUMNS values and a factor are held in registers
 *
 * and undefines all of these at its end.
 */

#define DOT NAMED(dot)

/*
 * y (4, units) = x (panels, 4, WORDS) times w, which has a pointer to the first of these
 * units in each panel; `units` is a constant.  Only the first `rows` of y are set.
 */
TARGET static inline __attribute__((always_inline)) void DOT(const float *x,
	const float *const *w, size_t first, int panels, float *y, size_t y_row,
	int rows, const int units, struct cpu_ahead *ahead)
{
	VECTOR sum[4][UNITS];

	for (int i = 0; i < 4; i++)
		for (int j = 0; j < units; j++)
			sum[i][j] = ZERO;
	for (int g = 0; g < panels; g++) {
		const float *at = w[g] + first * WORDS;
		/* the next panel is far away: the processor does not guess it */
		const float *next = w[g + 1] + first * WORDS;

		cpu_fetch_line(ahead);
		for (int k = 0; k < WORDS; k += LANES, at += LANES, next += LANES) {
			FACTORS weight[UNITS];

			for (int j = 0; j < units; j++) {
				weight[j] = LOAD(at + j * WORDS);
				__builtin_prefetch(next + j * WORDS);
			}
			for (int i = 0; i < 4; i++) {
				FACTORS value = LOAD(x + (g * 4 + i) * WORDS + k);

				for (int j = 0; j < units; j++)
					sum[i][j] = FMA(value, weight[j], sum[i][j]);
			}
		}
	}
	for (int j = 0; j < units; j++) {
		const VECTOR column[4] = { sum[0][j], sum[1][j], sum[2][j], sum[3][j] };
		float total[4];

		SUM4(total, column);
		for (int i = 0; i < rows; i++)
			y[(size_t)i * y_row + (size_t)j] = total[i];
	}
}

/*
 * y (rows, units) = x (tiles of 4 rows, panels, 4, WORDS) times w, for any numbers of them.
 * Tiles have UNITS units, and the last reaches back; where there are fewer, they have one.
 * A tile's weights stay in the first cache while all rows come by.
 */
TARGET static void NAMED(dots)(const float *x, const float *const *w, int panels,
	float *y, size_t y_row, int rows, int units, struct cpu_ahead *ahead)
{
	for (int unit = 0; unit < units; unit += units < UNITS ? 1 : UNITS) {
		int j = units >= UNITS && unit > units - UNITS ? units - UNITS : unit;

		for (int i = 0; i < rows; i += 4) {
			const float *tile = x + (size_t)i * (size_t)panels * WORDS;
			float *at = y + (size_t)i * y_row + j;
			int n = rows - i < 4 ? rows - i : 4;

			if (units < UNITS)
				DOT(tile, w, (size_t)j, panels, at, y_row, n, 1, ahead);
			else
				DOT(tile, w, (size_t)j, panels, at, y_row, n, UNITS,
					ahead);
		}
	}
}

/* c (STRIP, 64) = a (n, STRIP) transposed, times b (n, 64). */
TARGET static void NAMED(outer)(const float *a, const float *b, size_t n, float *c,
	struct cpu_ahead *ahead)
{
	for (int column = 0; column < PANEL; column += COLUMNS * LANES) {
		VECTOR sum[STRIP][COLUMNS];

		for (int i = 0; i < STRIP; i++)
			for (int v = 0; v < COLUMNS; v++)
				sum[i][v] = ZERO;
		for (size_t k = 0; k < n; k++) {
			FACTORS value[COLUMNS];

			cpu_fetch_line(ahead);
			for (int v = 0; v < COLUMNS; v++)
				value[v] = LOAD(b + k * PANEL + column + v * LANES);
			for (int i = 0; i < STRIP; i++) {
				FACTORS factor = ALL(a[k * STRIP + (size_t)i]);

				for (int v = 0; v < COLUMNS; v++)
					sum[i][v] = FMA(factor, value[v], sum[i][v]);
			}
		}
		for (int i = 0; i < STRIP; i++)
			for (int v = 0; v < COLUMNS; v++)
				STORE(c + i * PANEL + column + v * LANES, sum[i][v]);
	}
}

#undef DOT
#undef NAMED
#undef TARGET
#undef VECTOR
#undef LANES
#undef LOAD
#undef STORE
#undef ALL
#undef FMA
#undef FACTORS
#undef WORDS
#undef ZERO
#undef SUM4
#undef UNITS
#undef COLUMNS
