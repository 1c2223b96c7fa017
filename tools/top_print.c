/* gmp top as lines for people, JSON for programs, and Prometheus's text exposition format. */
#include <stdio.h>
#include <string.h>

#include "tools/text.h"
#include "tools/top.h"
#include "tools/waits.h"

const char *stray_name(int call)
{
	if (call == -1)
		return "page-fault";
	return call >= STRAY_KINDS - 2 ? "unknown" : syscall_name(call);
}

static void line_gauge(const struct reading *r, const char *name, u64 value)
{
	if (r->answers)
		printf(" %s=%lu", name, value);
	else
		printf(" %s=-", name);
}

void top_lines(const struct reading *r)
{
	const struct gauges *g = &r->now.gauges;
	const struct stats *s = &r->now.stats;
	u32 count;
	int call;

	printf("%d ", r->pid);
	put_plain(r->name);
	putchar(':');
	line_gauge(r, "gomaxprocs", g->gomaxprocs);
	line_gauge(r, "idle", g->idle);
	line_gauge(r, "threads", g->threads);
	line_gauge(r, "running", g->running);
	line_gauge(r, "runnable", g->runnable);
	line_gauge(r, "in_call", g->in_call);
	line_gauge(r, "stray", g->stray);
	line_gauge(r, "runqueue", g->runq + g->backq);
	printf(" handoffs/s=%.0f retakes/s=%.0f strays/s=%.0f preempts/s=%.0f parks/s=%.0f",
	       RATE(r, handoffs), RATE(r, retakes), RATE(r, strays), RATE(r, preempts),
	       RATE(r, parks));
	printf(" wait_p50=%.1fus wait_p99=%.1fus wait_max=%.1fus",
	       (double)latency_percentile(s, 50) / 1e3, (double)latency_percentile(s, 99) / 1e3,
	       (double)load_rlx(&s->maxwait_ns) / 1e3);
	for (int i = 0; i < 5 && (call = stray_call(s, i, &count)) != -2; i++)
		printf("%s%s:%u", i ? "," : " strays=", stray_name(call), count);
	printf("%s\n", r->answers ? "" : " (does not answer: stopped)");
}

static void json_rows(const struct reading *r)
{
	static const char *const states[] = { "idle",	 "runnable", "running",
					      "syscall", "waiting",  "dead" };

	if (!r->answers) {
		printf(",\"procs\":null,\"goroutines\":null");
		return;
	}
	printf(",\"procs\":[");
	for (u32 i = 0; i < r->now.np; i++) {
		const struct row_p *p = &r->now.p[i];

		printf("%s{\"p\":%u,\"idle\":%s,\"g\":%lu,\"schedtick\":%u,\"runqueue\":%u,"
		       "\"in_call\":%s}",
		       i ? "," : "", i, p->status ? "false" : "true", p->goid, p->schedtick,
		       p->runq, p->in_call ? "true" : "false");
	}
	printf("],\"goroutines\":[");
	for (u32 i = 0; i < r->now.ng; i++) {
		const struct row_g *g = &r->now.g[i];

		printf("%s{\"g\":%lu,\"tid\":%d,\"status\":\"%s\",\"p\":%d,\"calls\":%u,\"call\":",
		       i ? "," : "", g->goid, g->tid, states[g->status % 6],
		       g->p == NO_P ? -1 : g->p, g->calls);
		put_json(g->callno == 0xffff ? "" : syscall_name(g->callno));
		putchar('}');
	}
	putchar(']');
}

static void json_gauge(const struct reading *r, const char *name, u64 value)
{
	if (r->answers)
		printf(",\"%s\":%lu", name, value);
	else
		printf(",\"%s\":null", name);
}

void top_json(const struct reading *r)
{
	u32 count;
	int call;

	printf("{\"pid\":%d,\"name\":", r->pid);
	put_json(r->name);
	printf(",\"answers\":%s,\"seconds\":%.3f", r->answers ? "true" : "false", r->span_s);
#define STAT(name, kind, metric, help) printf(",\"" #name "\":%lu", load_rlx(&r->now.stats.name));
#define GAUGE(name, metric, help) json_gauge(r, #name, r->now.gauges.name);
#include "runtime/stats.def"
#undef STAT
#undef GAUGE
	printf(",\"stray_calls\":{");
	for (int i = 0; (call = stray_call(&r->now.stats, i, &count)) != -2; i++) {
		fputs(i ? "," : "", stdout);
		put_json(stray_name(call));
		printf(":%u", count);
	}
	printf("},\"latencies_ns\":[");
	for (u32 i = 0, n = 0; i < LATENCIES; i++)
		if (load_rlx(&r->now.stats.latency[i]))
			printf("%s[%lu,%lu]", n++ ? "," : "", latency_floor(i),
			       load_rlx(&r->now.stats.latency[i]));
	putchar(']');
	json_rows(r);
	printf("}\n");
}

/* "/sched/gomaxprocs:threads" is gmp_sched_gomaxprocs_threads. */
static const char *metric_name(const char *metric)
{
	static char name[128];
	size_t n = 0;

	n = (size_t)snprintf(name, sizeof(name), "%s", strncmp(metric, "/gmp/", 5) ? "gmp" : "");
	for (metric += n ? 0 : 1; *metric && n + 1 < sizeof(name); metric++)
		name[n++] = (char)(strchr("/:-", *metric) ? '_' : *metric);
	name[n] = 0;
	return name;
}

static void labels(const struct reading *r)
{
	printf("{pid=\"%d\",name=", r->pid);
	put_label(r->name);
}

/* A sample that is not known is left out, as one of a process that is gone. */
static void metric(const struct reading *r, size_t n, const char *name, const char *type,
		   const char *help, size_t offset)
{
	bool gauges = offset >= offsetof(struct statpage, gauges);
	const char *suffix = strcmp(type, "counter") == 0 ? "_total" : "";

	printf("# HELP %s%s %s\n# TYPE %s%s %s\n", metric_name(name), suffix, help,
	       metric_name(name), suffix, type);
	for (size_t i = 0; i < n; i++) {
		u64 value;

		if (r[i].gone || (gauges && !r[i].answers))
			continue;
		memcpy(&value, (const char *)&r[i].now + offset, sizeof(value));
		printf("%s%s", metric_name(name), suffix);
		labels(&r[i]);
		printf("} %lu\n", value);
	}
}

static void histogram(const struct reading *r)
{
	const struct stats *s = &r->now.stats;
	u64 sum = 0;

	for (u32 i = 0; i < LATENCIES; i++) {
		sum += load_rlx(&s->latency[i]);
		if ((i + 1) % LATENCY_PARTS && i + 1 < LATENCIES)
			continue; /* a power of two is enough here */
		printf("gmp_sched_latencies_seconds_bucket");
		labels(r);
		if (i + 1 < LATENCIES)
			printf(",le=\"%.10g\"} %lu\n", (double)latency_floor(i + 1) / 1e9, sum);
		else
			printf(",le=\"+Inf\"} %lu\n", sum);
	}
	printf("gmp_sched_latencies_seconds_sum");
	labels(r);
	printf("} %.9g\ngmp_sched_latencies_seconds_count", (double)load_rlx(&s->latency_ns) / 1e9);
	labels(r);
	printf("} %lu\n", sum);
}

static void strays(const struct reading *r)
{
	u32 count;
	int call;

	for (int i = 0; (call = stray_call(&r->now.stats, i, &count)) != -2; i++) {
		printf("gmp_stray_calls_total");
		labels(r);
		printf(",call=\"%s\"} %u\n", stray_name(call), count);
	}
}

#define TYPE_COUNTER "counter"
#define TYPE_MAXIMUM "gauge"

void top_prometheus(const struct reading *r, size_t n)
{
#define STAT(name, kind, go, help) \
	metric(r, n, go, TYPE_##kind, help, offsetof(struct statpage, stats.name));
#define GAUGE(name, go, help) \
	metric(r, n, go, "gauge", help, offsetof(struct statpage, gauges.name));
#include "runtime/stats.def"
#undef STAT
#undef GAUGE
	printf("# HELP gmp_sched_latencies_seconds waits for a P\n"
	       "# TYPE gmp_sched_latencies_seconds histogram\n");
	for (size_t i = 0; i < n; i++)
		if (!r[i].gone)
			histogram(&r[i]);
	printf("# HELP gmp_stray_calls_total Gs found blocked outside a bracket, by system call\n"
	       "# TYPE gmp_stray_calls_total counter\n");
	for (size_t i = 0; i < n; i++)
		if (!r[i].gone)
			strays(&r[i]);
}
