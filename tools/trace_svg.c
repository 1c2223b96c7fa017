/*
 * gmp trace --svg: a window of a trace as a picture, for paper and for a browser in light and dark.
 * On top a row a P, then a row a thread; arrows are hand-offs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/replay.h"

#define WIDTH 1200
#define LEFT 92	 /* names */
#define RIGHT 24 /* room for the last label */
#define ROW 22
#define BAR 15
#define THREADS_MAX 40
#define ARROWS_MAX 400
#define SPANS_MAX 10000 /* more than so many are sampled */
#define SAMPLE 0.5	/* of a pixel */

static struct {
	const struct replay *r;
	u64 from, length;
	bool sampled;
	int top_p, top_threads, height;
	u32 row_of[1 << 16]; /* by thread: its row + 1 */
	u32 rows[THREADS_MAX];
	u32 nrows, hidden;
} pic;

static double x_of(u64 ns)
{
	double x = (double)(ns < pic.from ? 0 : ns - pic.from) / (double)pic.length;

	return LEFT + (x > 1 ? 1 : x) * (WIDTH - LEFT - RIGHT);
}

static bool shown(u64 begin, u64 end)
{
	return end > pic.from && begin < pic.from + pic.length;
}

/* A long window has more spans than pixels, and each would be drawn wider than it is: then one that
 * is narrow is drawn only where a sample falls into it, so that colours keep their shares. */
static bool sampled_out(double x, double w)
{
	return pic.sampled && w < SAMPLE && (u64)(x / SAMPLE) == (u64)((x + w) / SAMPLE);
}

static int by_birth(const void *a, const void *b)
{
	u32 x = pic.r->threads.at[*(const u32 *)a].goid,
	    y = pic.r->threads.at[*(const u32 *)b].goid;

	return x < y ? -1 : x > y;
}

static u32 weight[1 << 16]; /* of a thread: its spans in the window */

static int by_weight(const void *a, const void *b)
{
	u32 x = weight[*(const u32 *)a], y = weight[*(const u32 *)b];

	return x > y ? -1 : x < y ? 1 : by_birth(a, b);
}

/* The threads that do most in the window, in the order of their birth. */
static void choose_rows(void)
{
	static u32 all[1 << 16];
	u32 n = 0, total = 0;

	for (size_t i = 0; i < pic.r->spans.n; i++) {
		const struct span *s = &pic.r->spans.at[i];

		if (!shown(s->begin, s->end) || s->track >= 1 << 16)
			continue;
		if (!weight[s->track]++)
			all[n++] = s->track;
		total++;
	}
	pic.sampled = total > SPANS_MAX;
	qsort(all, n, sizeof(all[0]), by_weight);
	pic.nrows = n < THREADS_MAX ? n : THREADS_MAX;
	pic.hidden = n - pic.nrows;
	memcpy(pic.rows, all, pic.nrows * sizeof(all[0]));
	qsort(pic.rows, pic.nrows, sizeof(pic.rows[0]), by_birth);
	for (u32 i = 0; i < pic.nrows; i++)
		pic.row_of[pic.rows[i]] = i + 1;
}

/* No variables: what prints SVG knows none. */
static const struct {
	const char *rule, *light, *dark;
} colours[] = {
	{ ".bg{fill:", "#ffffff", "#0d1117" },	   { "text{fill:", "#1f2328", "#e6edf3" },
	{ ".dark{fill:", "#1f2328", "#e6edf3" },   { ".dim{fill:", "#57606a", "#9198a1" },
	{ ".in{fill:", "#ffffff", "#0d1117" },	   { ".grid{stroke:", "#d8dee4", "#30363d" },
	{ ".row{stroke:", "#d8dee4", "#30363d" },  { ".run{fill:", "#2da44e", "#3fb950" },
	{ ".call{fill:", "#c8dcfb", "#1f3a5f" },   { ".lost{fill:", "#6c8ebf", "#6e9fd8" },
	{ ".wait{fill:", "#e5534b", "#f85149" },   { ".stray{fill:", "#bf8700", "#d29922" },
	{ ".flow{stroke:", "#8250df", "#bc8cff" }, { ".tip{fill:", "#8250df", "#bc8cff" },
	{ ".g0{fill:", "#2da44e", "#3fb950" },	   { ".g1{fill:", "#0969da", "#58a6ff" },
	{ ".g2{fill:", "#bc4c00", "#f0883e" },	   { ".g3{fill:", "#8250df", "#bc8cff" },
	{ ".g4{fill:", "#1b7c83", "#39c5cf" },	   { ".g5{fill:", "#bf3989", "#f778ba" },
	{ ".g6{fill:", "#7d6b00", "#d4b106" },	   { ".g7{fill:", "#57606a", "#9198a1" },
};

static void style(void)
{
	size_t n = sizeof(colours) / sizeof(colours[0]);

	printf("<style>\ntext{font:11px 'DejaVu Sans',Helvetica,Arial,sans-serif}"
	       ".title{font-size:15px;font-weight:bold}.in,.dark{font-size:9.5px}"
	       ".row{stroke-width:.5}.flow{fill:none;stroke-width:.9;opacity:.75}\n");
	for (size_t i = 0; i < n; i++)
		printf("%s%s}", colours[i].rule, colours[i].light);
	printf("\n@media (prefers-color-scheme:dark){");
	for (size_t i = 0; i < n; i++)
		printf("%s%s}", colours[i].rule, colours[i].dark);
	printf("}\n</style>\n");
}

static void open_picture(void)
{
	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
	       "height=\"%d\">\n",
	       WIDTH, pic.height, WIDTH, pic.height);
	style();
	printf("<rect width=\"%d\" height=\"%d\" class=\"bg\"/>\n", WIDTH, pic.height);
	printf("<text x=\"16\" y=\"26\" class=\"title\">process %d on %u P%s</text>\n",
	       pic.r->head.pid, pic.r->nprocs, pic.r->nprocs == 1 ? "" : "s");
	printf("<text x=\"%d\" y=\"26\" text-anchor=\"end\" class=\"dim\">%.3f ms from %.3f ms of "
	       "%.3f ms</text>\n",
	       WIDTH - RIGHT, (double)pic.length / 1e6, (double)pic.from / 1e6,
	       (double)pic.r->length_ns / 1e6);
}

static void legend(void)
{
	static const char *const items[][2] = { { "run", "runs with a P" },
						{ "call", "in a call, keeps its P" },
						{ "lost", "in a call, P given to others" },
						{ "wait", "waits for a P" },
						{ "stray", "blocked outside a bracket" } };
	int x = LEFT;

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		printf("<rect x=\"%d\" y=\"40\" width=\"14\" height=\"11\" rx=\"2\" class=\"%s\"/>"
		       "<text x=\"%d\" y=\"50\">%s</text>\n",
		       x, items[i][0], x + 19, items[i][1]);
		x += 44 + (int)strlen(items[i][1]) * 7;
	}
	printf("<path d=\"M%d 46h20\" class=\"flow\"/><path d=\"M%d 42l7 4-7 4z\" class=\"tip\"/>"
	       "<text x=\"%d\" y=\"50\">hand-off of a P</text>\n",
	       x, x + 18, x + 31);
}

/* 1, 2 or 5 times a power of ten: about eight of them fit. */
static double grid_step(double length)
{
	double step = 1;

	while (step * 8 < length)
		step *= 10;
	if (step / 5 * 8 >= length)
		return step / 5;
	return step / 2 * 8 >= length ? step / 2 : step;
}

static void grid(void)
{
	double step = grid_step((double)pic.length);
	double unit = step < 1e6 ? 1e3 : step < 1e9 ? 1e6 : 1e9;

	for (double t = 0; t <= (double)pic.length; t += step) {
		double x = x_of(pic.from + (u64)t);

		printf("<path d=\"M%.1f 76V%d\" class=\"grid\"/>"
		       "<text x=\"%.1f\" y=\"71\" text-anchor=\"middle\" class=\"dim\">"
		       "%g %s</text>\n",
		       x, pic.height - 14, x, t / unit,
		       unit == 1e3   ? "us"
		       : unit == 1e6 ? "ms"
				     : "s");
	}
}

static void row_name(int y, const char *name, u32 number, i32 tid)
{
	printf("<text x=\"16\" y=\"%d\">%s %u</text>", y + BAR - 3, name, number);
	if (tid)
		printf("<text x=\"%d\" y=\"%d\" text-anchor=\"end\" class=\"dim\">%d</text>",
		       LEFT - 6, y + BAR - 3, tid);
	printf("<path d=\"M%d %dH%d\" class=\"row\"/>\n", LEFT, y + BAR + 3, WIDTH - RIGHT);
}

static void bar(const struct span *s, int y, const char *class, const char *text, const char *ink)
{
	double x = x_of(s->begin), w = x_of(s->end) - x;

	if (sampled_out(x, w))
		return;
	printf("<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" class=\"%s\"><title>%s %.1f "
	       "us</title></rect>",
	       x, y, w < 0.35 ? 0.35 : w, BAR, class, text, (double)(s->end - s->begin) / 1e3);
	if (w > 7.0 * (double)strlen(text) + 4)
		printf("<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" class=\"%s\">%s</text>",
		       x + w / 2, y + BAR - 4, ink, text);
	putchar('\n');
}

static void ps(void)
{
	for (u32 p = 0; p < pic.r->nprocs; p++)
		row_name(pic.top_p + (int)p * ROW, "P", p, 0);
	for (size_t i = 0; i < pic.r->p_spans.n; i++) {
		const struct span *s = &pic.r->p_spans.at[i];
		char class[8], name[24];

		if (!shown(s->begin, s->end) || s->track >= pic.r->nprocs)
			continue;
		snprintf(class, sizeof(class), "g%u", s->g % 8);
		snprintf(name, sizeof(name), "G %u", s->g);
		bar(s, pic.top_p + (int)s->track * ROW, class, name, "in");
	}
}

static void thread_bar(const struct span *s, int y)
{
	char text[80] = "";

	switch (s->state) {
	case S_RUN:
		if (s->p != NO_P)
			snprintf(text, sizeof(text), "P %u", s->p);
		bar(s, y, "run", text, "in");
		break;
	case S_CALL:
		bar(s, y, s->lost ? "lost" : "call", span_call(s), s->lost ? "in" : "dark");
		break;
	case S_WAIT:
		bar(s, y, "wait", "waits", "in");
		break;
	default:
		bar(s, y, "stray", span_call(s), "in");
	}
}

static void threads(void)
{
	for (u32 i = 0; i < pic.nrows; i++)
		row_name(pic.top_threads + (int)i * ROW, "G", pic.r->threads.at[pic.rows[i]].goid,
			 pic.r->threads.at[pic.rows[i]].tid);
	for (size_t i = 0; i < pic.r->spans.n; i++) {
		const struct span *s = &pic.r->spans.at[i];

		if (s->track < 1 << 16 && pic.row_of[s->track] && shown(s->begin, s->end))
			thread_bar(s, pic.top_threads + (int)(pic.row_of[s->track] - 1) * ROW);
	}
}

static double middle(u32 thread)
{
	return pic.top_threads + (pic.row_of[thread] - 1) * ROW + BAR / 2.0;
}

static void flows(void)
{
	int n = 0;

	for (size_t i = 0; i < pic.r->flows.n && n < ARROWS_MAX; i++) {
		const struct flow *f = &pic.r->flows.at[i];
		double x1, y1, x2, y2;

		if (f->from >= 1 << 16 || f->to >= 1 << 16 || !pic.row_of[f->from] ||
		    !pic.row_of[f->to] || f->from == f->to || f->from_ns < pic.from ||
		    f->to_ns > pic.from + pic.length)
			continue;
		x1 = x_of(f->from_ns), y1 = middle(f->from);
		x2 = x_of(f->to_ns), y2 = middle(f->to);
		printf("<path d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\" class=\"flow\"/>"
		       "<path d=\"M%.1f %.1fl-5 -2.6v5.2z\" class=\"tip\"/>\n",
		       x1, y1, x1 + 8, (y1 + y2) / 2, x2 - 12, y2, x2 - 4, y2, x2, y2);
		n++;
	}
}

void trace_svg(const struct replay *r, u64 from, u64 length)
{
	pic.r = r;
	pic.from = from;
	pic.length = length ? length : 1;
	choose_rows();
	pic.top_p = 84;
	pic.top_threads = pic.top_p + (int)r->nprocs * ROW + 12;
	pic.height = pic.top_threads + (int)pic.nrows * ROW + 30;
	open_picture();
	legend();
	grid();
	ps();
	threads();
	flows();
	if (pic.hidden)
		printf("<text x=\"16\" y=\"%d\" class=\"dim\">%u more threads did less</text>\n",
		       pic.height - 8, pic.hidden);
	printf("</svg>\n");
}
