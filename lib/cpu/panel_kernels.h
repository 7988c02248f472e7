/*
 * The inner loops of panels.c, which includes this once for each instruction set, after
 * defining
 *
 *   NAMED(f)      the name of function f for this instruction set
 *   TARGET        its attribute
 *   VECTOR        a type of LANES floats, with
 *   LOAD(p), STORE(p, v), ALL(f), FMA(a, b, c)
 *                 a vector from memory or to it, one of equal floats, and a * b + c
 *   BYTES(p)      a vector of LANES bytes from memory, as floats
 *   OVER_255(v)   such a vector divided by 255
 *   SUM4(v)       an array of four vectors' sums, each over its lanes
 *   UNITS         columns of a tile of `dot`: 4 UNITS sums, UNITS weights and a value
 *                 are held in registers
 *   COLUMNS       vectors that `outer` goes through at a time: STRIP COLUMNS sums,
 *                 COLUMNS values and a factor are held in registers
 *
 * and undefines all of these at its end.
 */

/*
 * y (4, units) = x (panels, 4, 64) times w, which has a pointer to the first of these
 * units in each panel; `units` is a constant.  Only the first `rows` of y are set.
 */
TARGET static inline __attribute__((always_inline)) void NAMED(dot)(const float *x,
	const float *const *w, size_t first, int panels, float *y, size_t y_row,
	int rows, const int units)
{
	VECTOR sum[4][UNITS];

	for (int i = 0; i < 4; i++)
		for (int j = 0; j < units; j++)
			sum[i][j] = ALL(0);
	for (int g = 0; g < panels; g++) {
		const float *at = w[g] + first * PANEL;
		/* the next panel is far away: the processor does not guess it */
		const float *next = w[g + 1] + first * PANEL;

		for (int k = 0; k < PANEL; k += LANES, at += LANES, next += LANES) {
			VECTOR weight[UNITS];

			for (int j = 0; j < units; j++) {
				weight[j] = LOAD(at + j * PANEL);
				__builtin_prefetch(next + j * PANEL);
			}
			for (int i = 0; i < 4; i++) {
				VECTOR value = LOAD(x + (g * 4 + i) * PANEL + k);

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
 * y (rows, units) = x (tiles of 4 rows, panels, 4, 64) times w, for any numbers of them.
 * Tiles have UNITS units, and the last reaches back; where there are fewer, they have one.
 * A tile's weights stay in the first cache while all rows come by.
 */
TARGET static void NAMED(dots)(const float *x, const float *const *w, int panels,
	float *y, size_t y_row, int rows, int units)
{
	for (int unit = 0; unit < units; unit += units < UNITS ? 1 : UNITS) {
		int j = units >= UNITS && unit > units - UNITS ? units - UNITS : unit;

		for (int i = 0; i < rows; i += 4) {
			const float *tile = x + (size_t)i * (size_t)panels * PANEL;
			float *at = y + (size_t)i * y_row + j;
			int n = rows - i < 4 ? rows - i : 4;

			if (units < UNITS)
				NAMED(dot)(tile, w, (size_t)j, panels, at, y_row, n, 1);
			else
				NAMED(dot)
			(tile, w, (size_t)j, panels, at, y_row, n, UNITS);
		}
	}
}

/* c (STRIP, 64) = a (n, STRIP) transposed, times b (n, 64). */
TARGET static void NAMED(outer)(const float *a, const float *b, size_t n, float *c)
{
	for (int column = 0; column < PANEL; column += COLUMNS * LANES) {
		VECTOR sum[STRIP][COLUMNS];

		for (int i = 0; i < STRIP; i++)
			for (int v = 0; v < COLUMNS; v++)
				sum[i][v] = ALL(0);
		for (size_t k = 0; k < n; k++) {
			VECTOR value[COLUMNS];

			for (int v = 0; v < COLUMNS; v++)
				value[v] = LOAD(b + k * PANEL + column + v * LANES);
			for (int i = 0; i < STRIP; i++) {
				VECTOR factor = ALL(a[k * STRIP + (size_t)i]);

				for (int v = 0; v < COLUMNS; v++)
					sum[i][v] = FMA(factor, value[v], sum[i][v]);
			}
		}
		for (int i = 0; i < STRIP; i++)
			for (int v = 0; v < COLUMNS; v++)
				STORE(c + i * PANEL + column + v * LANES, sum[i][v]);
	}
}

/* to (64) = v / 255 */
TARGET static void NAMED(scale_bytes)(const uint8_t *v, float *to)
{
	for (int i = 0; i < PANEL; i += LANES)
		STORE(to + i, OVER_255(BYTES(v + i)));
}

#undef NAMED
#undef TARGET
#undef VECTOR
#undef LANES
#undef LOAD
#undef STORE
#undef ALL
#undef FMA
#undef BYTES
#undef OVER_255
#undef SUM4
#undef UNITS
#undef COLUMNS
