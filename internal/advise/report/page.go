package report

import (
	"fmt"
	"html"
	"io"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise"
)

// style has the colours of a light screen, of a dark one and of paper.
const style = `
:root { color-scheme: light dark; --ground: #ffffff; --text: #1b1f24; --faint: #5b6570; --grid: #d8dee4; --before: #b45309; --after: #0969da; --load: #8c959f; --card: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --text: #e6edf3; --faint: #9aa4ae; --grid: #30363d; --before: #f0883e; --after: #58a6ff; --load: #6e7681; --card: #161b22; } }
body { background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; } .faint, figcaption { color: var(--faint); } figure { margin: 0; } figcaption { font-size: .9rem; }
.cards { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.5rem 0; } .card { background: var(--card); border: 1px solid var(--grid); border-radius: 8px; padding: .7rem 1rem; flex: 1 1 10rem; } .card b { display: block; font-size: 1.5rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--text); font: 12px system-ui, sans-serif; } svg .tick, svg .name { fill: var(--faint); } svg .label { font-weight: 600; }
.grid { stroke: var(--grid); } .axis { stroke: var(--faint); } path { fill: none; stroke-width: 2; } path.front { stroke: var(--faint); stroke-dasharray: 4 4; } path.load { fill: var(--load); fill-opacity: .45; stroke: none; }
path.before { stroke: var(--before); } path.after { stroke: var(--after); } circle { stroke: var(--ground); } circle.other { fill: var(--load); } circle.before { fill: var(--before); } circle.after { fill: var(--after); }
.key::before { content: ""; display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; background: currentColor; } .key { margin-right: 1.2em; } .key.before { color: var(--before); } .key.after { color: var(--after); } .key.load { color: var(--load); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--grid); text-align: right; } th:first-child, td:first-child { text-align: left; } tr.after td { font-weight: 600; color: var(--after); }
pre { background: var(--card); border: 1px solid var(--grid); border-radius: 8px; padding: 1rem; overflow-x: auto; }
@media print { :root { --ground: #ffffff; --text: #000000; --faint: #444444; --grid: #cccccc; --before: #b45309; --after: #0050b3; --load: #999999; --card: #ffffff; } body { max-width: none; margin: 0; font-size: 11pt; } figure, table, pre, .cards { break-inside: avoid; } h2 { break-after: avoid; } }
`

// Write writes the page. made is when.
func Write(w io.Writer, a *advise.Advice, made time.Time) error {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
		// The browser itself holds that nothing is loaded from anywhere.
		`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">` +
		`<title>Idle policy for CI jobs</title><style>` + style + `</style></head><body>`)
	head(&b, a)
	section(&b, "Waiting against cost", tradeoff(a), "Each point is a policy; nothing that was tried is below and left of the dashed line.", "")
	section(&b, "Jobs and instances in the last week", week(a), "", keys(a, true))
	section(&b, "How long jobs wait", waits(a), "", keys(a, false))
	b.WriteString("<h2>Policies</h2>")
	rows(&b, a)
	if a.Pick != nil {
		fmt.Fprintf(&b, "<h2>For config.toml</h2><p>In <code>[runners.autoscaler]</code>, with <code>max_use_count = %d</code>:</p><pre>%s</pre>", a.Pick.MaxUseCount, html.EscapeString(a.Pick.TOML()))
		if more := a.PluginConfig(); more != "" {
			fmt.Fprintf(&b, "<p>And in <code>[runners.autoscaler.plugin_config]</code>:</p><pre>%s</pre>", html.EscapeString(more))
		}
	}
	list(&b, "To know", a.Notes)
	list(&b, "Not modelled", a.NotModelled)
	fmt.Fprintf(&b, `<p class="faint">Policies: %s. Simulated with the runner's own scaler, %s, on %s.</p></body></html>`+"\n",
		a.Chosen(), html.EscapeString(a.Scaler), made.UTC().Format(time.DateOnly))
	_, err := io.WriteString(w, b.String())
	return err
}

func head(b *strings.Builder, a *advise.Advice) {
	fmt.Fprintf(b, `<h1>How many idle VMs?</h1><p class="faint">%d jobs in %.1f days, up to %d of them at a time</p>`, len(a.Input.Jobs), a.End.Sub(a.Start).Hours()/24, a.Peak)
	p := a.Pick
	if p == nil {
		return
	}
	base := a.Baseline
	amount, unit := a.Month(p)
	was, _ := a.Month(base)
	b.WriteString(`<div class="cards">`)
	for _, card := range [][3]string{
		{"policy to take", p.Name(), fmt.Sprintf("instead of %s", base.Name())},
		{"p95 of waiting", wait(p.Test.P95.Seconds()), "instead of " + wait(base.Test.P95.Seconds())},
		{unit + " a month", number(amount), "instead of " + number(was)},
		{"of the costs", fmt.Sprintf("%+.0f %%", -100*a.Cheaper()), fmt.Sprintf("%.2f VM-hours per job-hour instead of %.2f", p.Test.PerJobHour, base.Test.PerJobHour)},
	} {
		fmt.Fprintf(b, `<div class="card">%s<b>%s</b><span class="faint">%s</span></div>`, html.EscapeString(card[0]), html.EscapeString(card[1]), html.EscapeString(card[2]))
	}
	fmt.Fprintf(b, `</div><p>Why: %s.</p>`, html.EscapeString(a.Why))
}

func section(b *strings.Builder, title, svg, caption, key string) {
	fmt.Fprintf(b, `<h2>%s</h2><figure>%s%s<figcaption>%s</figcaption></figure>`, html.EscapeString(title), key, svg, html.EscapeString(caption))
}

func keys(a *advise.Advice, load bool) string {
	text := `<p>`
	if load {
		text += `<span class="key load">jobs that run</span>`
	}
	text += `<span class="key before">` + html.EscapeString(a.Baseline.Name()) + `</span>`
	if a.Pick != nil {
		text += `<span class="key after">` + html.EscapeString(a.Pick.Name()) + `</span>`
	}
	return text + `</p>`
}

func rows(b *strings.Builder, a *advise.Advice) {
	_, unit := a.Month(a.Baseline)
	fmt.Fprintf(b, `<div class="scroll"><table><thead><tr><th>policy</th><th>mean wait</th><th>p50</th><th>p95</th><th>p99</th><th>VM-hours per job-hour</th><th>idle</th><th>%s a month</th></tr></thead><tbody>`, html.EscapeString(unit))
	for _, c := range a.Rows {
		class, name := "", c.Name()
		switch {
		case c == a.Pick:
			class = ` class="after"`
		case c.Current:
			name += " (now)"
		}
		amount, _ := a.Month(c)
		f := c.Test
		fmt.Fprintf(b, `<tr%s><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%.2f</td><td>%.0f %%</td><td>%s</td></tr>`, class, html.EscapeString(name),
			wait(f.Mean.Seconds()), wait(f.P50.Seconds()), wait(f.P95.Seconds()), wait(f.P99.Seconds()), f.PerJobHour, 100*f.Idle, number(amount))
	}
	b.WriteString(`</tbody></table></div>`)
}

func list(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "<h2>%s</h2><ul>", html.EscapeString(title))
	for _, line := range lines {
		fmt.Fprintf(b, "<li>%s</li>", html.EscapeString(line))
	}
	b.WriteString("</ul>")
}
