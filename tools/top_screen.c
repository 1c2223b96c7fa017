/*
 * gmp top on a terminal.  Of one process: a head, and a table of its threads or of its Ps; of
 * several: a table of processes.  Keys are htop's.
 */
#include <curses.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <wchar.h>

#include "tools/gmp.h"
#include "tools/target.h"
#include "tools/text.h"
#include "tools/top.h"
#include "tools/waits.h"

#define ROWS_MAX ROWS_G
#define CELLS 8

enum table { THREADS, PROCS, PROCESSES };

/* A cell sorts by its number where it has one, else by its text. */
struct cell {
	char text[64];
	double number;
};

struct row {
	struct cell cell[CELLS];
};

struct column {
	const char *title;
	int width; /* < 0: left */
};

static const struct column columns[][CELLS] = {
	[THREADS] = { { "G", 6 },
		      { "TID", 8 },
		      { "STATE", -9 },
		      { "P", 4 },
		      { "CALLS/s", 10 },
		      { "WAITS us", 9 },
		      { "CALL", -18 },
		      { "NAME", -16 } },
	[PROCS] = { { "P", 4 },
		    { "STATE", -9 },
		    { "G", 6 },
		    { "QUEUE", 6 },
		    { "GRANTS/s", 10 },
		    { "SLICE ms", 9 },
		    { NULL, 0 } },
	[PROCESSES] = { { "PID", 8 },
			{ "PS", 4 },
			{ "IDLE", 5 },
			{ "GS", 6 },
			{ "RUNNABLE", 9 },
			{ "HANDOFF/s", 10 },
			{ "P99 us", 10 },
			{ "NAME", -16 } },
};

static struct {
	enum table table;
	int sort, first;
	bool reverse, typing, quit;
	char filter[32];
	double delay_s;
} ui;

static struct row rows[ROWS_MAX];
static size_t nrows;

static void number(struct cell *c, double n, const char *fmt)
{
	c->number = n;
	snprintf(c->text, sizeof(c->text), fmt, n);
}

static void text(struct cell *c, const char *s)
{
	c->number = 0;
	snprintf(c->text, sizeof(c->text), "%s", s);
	make_plain(c->text);
}

static const char *thread_name(pid_t pid, pid_t tid, char *buf, size_t size)
{
	char file[64];

	snprintf(file, sizeof(file), "task/%d/comm", tid);
	proc_line(pid, file, buf, size);
	return buf;
}

static const char *state(const struct row_g *g)
{
	static const char *const names[] = { "idle",	"runnable", "running",
					     "in call", "waiting",  "dead" };

	return g->status == 2 && g->p == NO_P ? "stray" : names[g->status % 6];
}

static double calls_before(const struct reading *r, const struct row_g *g)
{
	for (u32 i = 0; i < r->before.ng; i++)
		if (r->before.g[i].goid == g->goid)
			return r->before.g[i].calls;
	return g->calls;
}

/* Seconds until the reading.  What began while it was made has not lasted yet. */
static double since(const struct reading *r, u64 ns)
{
	return r->now.now_ns > ns ? (double)(r->now.now_ns - ns) / 1e9 : 0;
}

static void thread_row(struct row *row, const struct reading *r, const struct row_g *g)
{
	char name[64];
	double calls = r->span_s > 0 ? (g->calls - calls_before(r, g)) / r->span_s : 0;

	number(&row->cell[0], (double)g->goid, "%.0f");
	number(&row->cell[1], g->tid, "%.0f");
	text(&row->cell[2], state(g));
	number(&row->cell[3], g->p == NO_P ? -1 : g->p, g->p == NO_P ? "-" : "%.0f");
	number(&row->cell[4], calls, "%.0f");
	number(&row->cell[5], g->since_ns ? since(r, g->since_ns) * 1e6 : 0, "%.0f");
	text(&row->cell[6], g->callno == 0xffff || !g->calls ? "" : syscall_name(g->callno));
	text(&row->cell[7], thread_name(r->pid, g->tid, name, sizeof(name)));
}

static void p_row(struct row *row, const struct reading *r, u32 i)
{
	const struct row_p *p = &r->now.p[i];
	double grants = p->schedtick - (i < r->before.np ? r->before.p[i].schedtick : 0);
	double slice = p->goid ? since(r, p->granted_ns) * 1e3 : 0;

	number(&row->cell[0], i, "%.0f");
	text(&row->cell[1], !p->status ? "idle" : p->in_call ? "on loan" : "running");
	number(&row->cell[2], (double)p->goid, p->goid ? "%.0f" : "-");
	number(&row->cell[3], p->runq, "%.0f");
	number(&row->cell[4], r->span_s > 0 ? grants / r->span_s : 0, "%.0f");
	number(&row->cell[5], slice, "%.1f");
}

static void gauge(struct cell *c, const struct reading *r, u64 value)
{
	number(c, r->answers ? (double)value : -1, r->answers ? "%.0f" : "-");
}

static void process_row(struct row *row, const struct reading *r)
{
	const struct gauges *g = &r->now.gauges;

	number(&row->cell[0], r->pid, "%.0f");
	gauge(&row->cell[1], r, g->gomaxprocs);
	gauge(&row->cell[2], r, g->idle);
	gauge(&row->cell[3], r, g->gs);
	gauge(&row->cell[4], r, g->runnable);
	number(&row->cell[5], RATE(r, handoffs), "%.0f");
	number(&row->cell[6], (double)latency_percentile(&r->now.stats, 99) / 1e3, "%.1f");
	text(&row->cell[7], r->name);
}

static void fill(const struct reading *r, size_t n)
{
	nrows = 0;
	for (size_t i = 0; ui.table == PROCESSES && i < n && nrows < ROWS_MAX; i++)
		if (!r[i].gone)
			process_row(&rows[nrows++], &r[i]);
	for (u32 i = 0; ui.table == THREADS && i < r->now.ng; i++)
		thread_row(&rows[nrows++], r, &r->now.g[i]);
	for (u32 i = 0; ui.table == PROCS && i < r->now.np; i++)
		p_row(&rows[nrows++], r, i);
}

static int compare(const void *a, const void *b)
{
	const struct cell *x = &((const struct row *)a)->cell[ui.sort];
	const struct cell *y = &((const struct row *)b)->cell[ui.sort];
	int way = x->number < y->number ? -1 : x->number > y->number ? 1 : strcmp(x->text, y->text);

	return ui.reverse ? -way : way;
}

static bool filtered(const struct row *row)
{
	for (int i = 0; i < CELLS; i++)
		if (strcasestr(row->cell[i].text, ui.filter))
			return false;
	return true;
}

/*
 * At most so many columns of text: a character may take two of them, and several bytes.  What the
 * terminal's locale does not have is '?'.  width < 0: left, as in printf.
 */
static void put_columns(int y, int x, int width, const char *s)
{
	wchar_t out[512];
	mbstate_t state = { 0 };
	int room = abs(width), used = 0;
	size_t n = 0;

	while (*s && n + 1 < sizeof(out) / sizeof(out[0])) {
		wchar_t c;
		size_t len = mbrtowc(&c, s, MB_CUR_MAX, &state);
		int wide = len > MB_CUR_MAX ? -1 : wcwidth(c);

		if (wide < 0) {
			len = 1;
			c = L'?';
			wide = 1;
			state = (mbstate_t){ 0 };
		}
		if (used + wide > room)
			break;
		used += wide;
		out[n++] = c;
		s += len;
	}
	mvaddnwstr(y, x + (width > 0 ? room - used : 0), out, (int)n);
}

/* A line of its own, cut where the terminal ends: curses would go on in the next one. */
__attribute__((format(printf, 2, 3))) static void put_line(int y, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put_columns(y, 0, -COLS, line);
}

static void put_cell(int y, int *x, int width, const char *s)
{
	int w = abs(width);

	if (*x + w <= COLS)
		put_columns(y, *x, width, s);
	*x += w + 1;
}

static void draw_table(int y)
{
	const struct column *c = columns[ui.table];
	int x = 0, skip = ui.first;

	attron(A_REVERSE);
	mvhline(y, 0, ' ', COLS);
	for (int i = 0; i < CELLS && c[i].title; i++) {
		attrset(i == ui.sort ? A_REVERSE | A_BOLD : A_REVERSE);
		put_cell(y, &x, c[i].width, c[i].title);
	}
	attrset(A_NORMAL);
	qsort(rows, nrows, sizeof(rows[0]), compare);
	for (size_t i = 0; i < nrows && y + 1 < LINES - 1; i++) {
		if (filtered(&rows[i]) || skip-- > 0)
			continue;
		x = 0;
		y++;
		for (int k = 0; k < CELLS && c[k].title; k++)
			put_cell(y, &x, c[k].width, rows[i].cell[k].text);
	}
}

static void draw_bar(int y, const struct gauges *g)
{
	int width = COLS - 24 > 0 ? COLS - 24 : 0;
	u64 busy = g->gomaxprocs > g->idle ? g->gomaxprocs - g->idle : 0;
	int used = g->gomaxprocs ? (int)((u64)width * busy / g->gomaxprocs) : 0;

	put_line(y, "Ps %4lu/%-4lu [", busy, g->gomaxprocs);
	for (int i = 0; i < width; i++)
		addch(i < used ? '|' | A_BOLD : ' ');
	if (width)
		addch(']');
}

static void draw_gauges(int y, const struct reading *r)
{
	const struct gauges *g = &r->now.gauges;

	if (!r->answers) {
		put_line(y, "Ps not known");
		put_line(y + 1, "Gs not known; what stands below is of before, if anything");
		return;
	}
	draw_bar(y, g);
	put_line(y + 1,
		 "Gs %lu: %lu running, %lu runnable, %lu in a call, %lu stray; "
		 "queues %lu + %lu back",
		 g->gs, g->running, g->runnable, g->in_call, g->stray, g->runq, g->backq);
}

static const char *state_of(const struct reading *r)
{
	if (r->gone)
		return "; executed another program";
	return r->answers ? "" : "; does not answer (stopped)";
}

static void put_strays(int y, const struct stats *s)
{
	char line[256] = "strays by call:";
	size_t n = strlen(line);
	u32 count;
	int call;

	for (int i = 0; i < 6 && n < sizeof(line) && (call = stray_call(s, i, &count)) != -2; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " %s %u", stray_name(call),
				      count);
	put_line(y, "%s", line);
}

static int draw_head(const struct reading *r)
{
	const struct stats *s = &r->now.stats;
	struct cell name;
	int y = 0;

	attron(A_BOLD);
	text(&name, r->name);
	put_line(y++, "gmp top: %s, process %d%s", name.text, r->pid, state_of(r));
	attroff(A_BOLD);
	draw_gauges(y, r);
	y += 2;
	put_line(y++,
		 "a second: %.0f hand-offs, %.0f retakes, %.0f strays, %.0f preempts, "
		 "%.0f waits",
		 RATE(r, handoffs), RATE(r, retakes), RATE(r, strays), RATE(r, preempts),
		 RATE(r, parks));
	put_line(y++, "wait for a P: p50 %.1f us, p99 %.1f us, longest %.1f us; over the cap %lu",
		 (double)latency_percentile(s, 50) / 1e3, (double)latency_percentile(s, 99) / 1e3,
		 (double)load_rlx(&s->maxwait_ns) / 1e3, load_rlx(&s->overcap));
	put_strays(y++, s);
	return y;
}

static void draw(const struct reading *r, size_t n)
{
	int y = 0;

	erase();
	if (!n)
		ui.table = PROCESSES;
	if (ui.table == PROCESSES)
		put_line(y++, "gmp top: %zu processes", n);
	else
		y = draw_head(r);
	fill(r, n);
	draw_table(y);
	attron(A_REVERSE);
	mvhline(LINES - 1, 0, ' ', COLS);
	put_line(LINES - 1,
		 "q quit  < > sort  r reverse  / filter%s%s  g threads  p Ps  + - %.1f s",
		 ui.typing || ui.filter[0] ? ": " : "", ui.filter, ui.delay_s);
	attroff(A_REVERSE);
	refresh();
}

/* One key of the filter's text. */
static void type(int key)
{
	size_t n = strlen(ui.filter);

	if (key == '\n' || key == 27)
		ui.typing = false;
	if (key == 27)
		ui.filter[0] = 0;
	else if ((key == KEY_BACKSPACE || key == 127) && n)
		ui.filter[n - 1] = 0;
	else if (key >= ' ' && key < 127 && n + 1 < sizeof(ui.filter))
		ui.filter[n] = (char)key, ui.filter[n + 1] = 0;
}

static void sort_by(int step)
{
	int n = 0;

	while (n < CELLS && columns[ui.table][n].title)
		n++;
	ui.sort = (ui.sort + step + n) % n;
}

static void show_table(enum table table)
{
	if (ui.table == PROCESSES)
		return;
	ui.table = table;
	ui.sort = ui.first = 0;
}

static void key(int c)
{
	if (ui.typing)
		type(c);
	else if (c == 'q' || c == KEY_F(10))
		ui.quit = true;
	else if (c == '<' || c == KEY_LEFT || c == ',')
		sort_by(-1);
	else if (c == '>' || c == KEY_RIGHT || c == '.')
		sort_by(1);
	else if (c == 'r' || c == 'I')
		ui.reverse = !ui.reverse;
	else if (c == '/' || c == '\\' || c == KEY_F(4))
		ui.typing = true;
	else if (c == 'g' || c == 'H')
		show_table(THREADS);
	else if (c == 'p')
		show_table(PROCS);
	else if (c == '+' && ui.delay_s < 60)
		ui.delay_s *= 2;
	else if (c == '-' && ui.delay_s > 0.1)
		ui.delay_s /= 2;
	else if (c == KEY_DOWN || c == KEY_NPAGE)
		ui.first += c == KEY_DOWN ? 1 : LINES / 2;
	else if (c == KEY_UP || c == KEY_PPAGE)
		ui.first -= c == KEY_UP ? 1 : LINES / 2;
	if (ui.first < 0)
		ui.first = 0;
}

/*
 * ERR: none within ms.  A terminal that was hung up can always be read and has nothing: that ends
 * us, where a wait of curses' own would return at once, for ever.
 */
static int next_key(int ms)
{
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };
	int c;

	timeout(0);
	c = getch(); /* what curses has read already, or KEY_RESIZE */
	if (c != ERR || poll(&in, 1, ms) == 0)
		return c;
	c = getch();
	if (c == ERR && in.revents)
		ui.quit = true;
	return c;
}

/* Draws again at each key, reads again when it is time. */
static void wait_for_keys(const struct reading *r, size_t n)
{
	u64 end = now_ns() + (u64)(ui.delay_s * 1e9), now;

	while (!ui.quit && (now = now_ns()) < end) {
		int c = next_key((int)((end - now) / 1000000) + 1);

		if (c == ' ' && !ui.typing)
			return;
		if (c == ERR)
			continue;
		key(c); /* KEY_RESIZE: drawing is all it wants */
		draw(r, n);
	}
}

void top_screen(const struct reading *(*read)(size_t *n), double delay_s, bool all)
{
	const struct reading *r;
	size_t n;

	r = read(&n);
	if (!n)
		fail("no process that you may look into runs under the library");
	ui.delay_s = delay_s;
	ui.table = all ? PROCESSES : THREADS;
	setlocale(LC_CTYPE, "");	   /* numbers stay as they are */
	if (!newterm(NULL, stdout, stdin)) /* initscr() would exit, with 1 */
		fail("cannot show a screen on a terminal '%s'; --batch prints lines",
		     getenv("TERM") ? getenv("TERM") : "");
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	while (!ui.quit && (all || !r->ended)) {
		draw(r, n);
		wait_for_keys(r, n);
		if (!ui.quit)
			r = read(&n);
	}
	endwin();
	if (!all && r->ended)
		complain("process %d %s", r->pid, r->gone);
}
