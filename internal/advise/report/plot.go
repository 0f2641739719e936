package report

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The drawing area of a plot, in SVG's units.
const (
	width, height           = 720.0, 320.0
	left, right, top, below = 64.0, 16.0, 16.0, 48.0
)

// axis maps values to places.
type axis struct {
	low, high float64
	log       bool
	from, to  float64 // places of low and high
}

func (a axis) at(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		v, low, high = math.Log(math.Max(v, low)), math.Log(low), math.Log(high)
	}
	if high <= low {
		return a.from
	}
	return a.from + (v-low)/(high-low)*(a.to-a.from)
}

// ticks are round values on an axis.
func (a axis) ticks() (all []float64) {
	if a.log {
		for decade := math.Pow(10, math.Floor(math.Log10(a.low))); decade <= a.high; decade *= 10 {
			for _, step := range []float64{1, 2, 5} {
				if v := decade * step; v >= a.low && v <= a.high {
					all = append(all, v)
				}
			}
		}
		return all
	}
	step := roundStep((a.high - a.low) / 5)
	for v := math.Ceil(a.low/step) * step; v <= a.high*1.0001; v += step {
		all = append(all, v)
	}
	return all
}

// roundStep is the next 1, 2 or 5 with zeros.
func roundStep(raw float64) float64 {
	if raw <= 0 {
		return 1
	}
	decade := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, step := range []float64{1, 2, 5} {
		if raw <= decade*step {
			return decade * step
		}
	}
	return decade * 10
}

// plot is an SVG under way.
type plot struct {
	strings.Builder
	x, y axis
}

// newPlot begins a plot with a title for those who cannot see it.
func newPlot(id, title string, x, y axis) *plot {
	x.from, x.to, y.from, y.to = left, width-right, height-below, top
	p := &plot{x: x, y: y}
	fmt.Fprintf(p, `<svg id="%s" viewBox="0 0 %v %v" role="img" aria-label="%s"><title>%s</title>`, id, width, height, html.EscapeString(title), html.EscapeString(title))
	return p
}

// frame draws the axes. The names say what is on them.
func (p *plot) frame(xName, yName string, xLabel, yLabel func(float64) string, xTicks []float64) {
	for _, v := range p.y.ticks() {
		fmt.Fprintf(p, `<line class="grid" x1="%v" x2="%v" y1="%.1f" y2="%.1f"/><text class="tick" text-anchor="end" x="%v" y="%.1f">%s</text>`,
			left, width-right, p.y.at(v), p.y.at(v), left-8, p.y.at(v)+4, html.EscapeString(yLabel(v)))
	}
	for _, v := range xTicks {
		fmt.Fprintf(p, `<line class="grid" x1="%.1f" x2="%.1f" y1="%v" y2="%v"/><text class="tick" text-anchor="middle" x="%.1f" y="%v">%s</text>`,
			p.x.at(v), p.x.at(v), top, height-below, p.x.at(v), height-below+18, html.EscapeString(xLabel(v)))
	}
	fmt.Fprintf(p, `<line class="axis" x1="%v" x2="%v" y1="%v" y2="%v"/>`, left, width-right, height-below, height-below)
	fmt.Fprintf(p, `<text class="name" text-anchor="end" x="%v" y="%v">%s</text>`, width-right, height-8, html.EscapeString(xName))
	fmt.Fprintf(p, `<text class="name" transform="translate(14 %v) rotate(-90)" text-anchor="end">%s</text>`, top, html.EscapeString(yName))
}

// line draws points that belong together; filled to the axis where area is set.
func (p *plot) line(class string, xs, ys []float64, area bool) {
	var b strings.Builder
	for n := range xs {
		letter := "L"
		if n == 0 {
			letter = "M"
		}
		fmt.Fprintf(&b, "%s%.1f %.1f", letter, p.x.at(xs[n]), p.y.at(ys[n]))
	}
	if area && len(xs) > 0 {
		fmt.Fprintf(&b, "L%.1f %vL%.1f %vZ", p.x.at(xs[len(xs)-1]), height-below, p.x.at(xs[0]), height-below)
	}
	fmt.Fprintf(p, `<path class="%s" d="%s"/>`, class, b.String())
}

// point draws one with a text that shows where the mouse is.
func (p *plot) point(class string, x, y float64, title string) {
	fmt.Fprintf(p, `<circle class="%s" cx="%.1f" cy="%.1f" r="6"><title>%s</title></circle>`, class, p.x.at(x), p.y.at(y), html.EscapeString(title))
}

// label writes next to a point, on the side where there is room.
func (p *plot) label(x, y float64, text string) {
	if text == "" {
		return
	}
	at, anchor, off := p.x.at(x), "start", 10.0
	if at > width*0.6 {
		anchor, off = "end", -10
	}
	fmt.Fprintf(p, `<text class="label" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, anchor, at+off, p.y.at(y)-8, html.EscapeString(text))
}

func (p *plot) end() string {
	p.WriteString("</svg>")
	return p.String()
}
