package report

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

// player plays nothing: waits and instances follow from the idle count.
type player struct{ all []jobs.Job }

func (p player) Play(_ context.Context, s sim.Setting) (*sim.Result, error) {
	all := p.all
	if s.To > 0 {
		all = all[s.From:s.To]
	}
	r := &sim.Result{Start: all[0].Arrives}
	idle := s.Policies[len(s.Policies)-1]
	for n := range all {
		w := 20 + float32(n%90) - 8*float32(idle.IdleCount)
		if idle.Preemptive {
			w *= 6
		}
		r.Waits = append(r.Waits, max(1, w))
	}
	for hour := range int(all[len(all)-1].Arrives.Sub(r.Start)/time.Hour) + 1 {
		load := 3 + 3*math.Sin(float64(hour)/24*2*math.Pi)
		r.JobHours = append(r.JobHours, load)
		r.InstanceHours, r.BusyHours = append(r.InstanceHours, load*1.1+float64(idle.IdleCount)), append(r.BusyHours, load)
	}
	return r, nil
}

// advice is one to show.
func advice(t *testing.T) *advise.Advice {
	t.Helper()
	var all []jobs.Job
	at := time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)
	for range 3000 {
		at = at.Add(10 * time.Minute)
		all = append(all, jobs.Job{Arrives: at, Lasts: 7 * time.Minute})
	}
	in := &advise.Input{Jobs: all, Fleet: sim.Fleet{MaxUseCount: 1, MaxInstances: 60}, Workers: 1, Price: 0.192, Currency: "EUR",
		Current: []sim.Policy{{Periods: []string{"<script>alert(1)</script> & \"more\""}, IdleCount: 5, IdleTime: time.Hour, Preemptive: true}}}
	a, err := advise.Search(t.Context(), in, player{all})
	require.NoError(t, err)
	return a
}

func page(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(&b, advice(t), time.Date(2026, time.April, 1, 0, 0, 0, 0, time.UTC)))
	return b.String()
}

// TestThePageStandsAlone: it names nothing to load, and what names contain is text.
func TestThePageStandsAlone(t *testing.T) {
	t.Parallel()
	text := page(t)
	for _, banned := range []string{"<script", "http:", "https:", "src=", "href=", "url(", "@import", "NaN", "Inf", "%!"} {
		assert.NotContains(t, text, banned)
	}
	assert.Contains(t, text, "&lt;script&gt;alert(1)&lt;/script&gt; &amp;")
	for _, wanted := range []string{"How many idle VMs?", "EUR a month", "[[runners.autoscaler.policy]]", "Not modelled", "prefers-color-scheme: dark", "@media print", "Content-Security-Policy"} {
		assert.Contains(t, text, wanted)
	}
}

// TestPlotsAreXML, and have what they are about.
func TestPlotsAreXML(t *testing.T) {
	t.Parallel()
	text := page(t)
	plots := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1)
	require.Len(t, plots, 3)
	for _, plot := range plots {
		d := xml.NewDecoder(strings.NewReader(plot))
		for {
			_, err := d.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err, plot)
		}
	}
	assert.GreaterOrEqual(t, strings.Count(plots[0], "<circle"), 5)
	assert.Equal(t, 3, strings.Count(plots[1], "<path"))
	assert.Equal(t, 2, strings.Count(plots[2], "<path"))
}

// TestPicture is an SVG that needs no page around it.
func TestPicture(t *testing.T) {
	t.Parallel()
	text := Picture(advice(t))
	assert.True(t, strings.HasPrefix(text, `<svg xmlns="http://www.w3.org/2000/svg" `))
	for _, wanted := range []string{"--after: #0969da", "prefers-color-scheme: dark", "circle.after { fill", "now: "} {
		assert.Contains(t, text, wanted)
	}
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
}

func TestTicks(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []float64{0, 20, 40, 60, 80}, axis{low: 0, high: 90}.ticks())
	assert.Equal(t, []float64{10, 20, 50, 100, 200}, axis{low: 8, high: 300, log: true}.ticks())
	assert.Equal(t, []float64{50, 100}, []float64{axis{low: 1, high: 100, log: true, from: 0, to: 100}.at(10), axis{low: 0, high: 2, to: 100}.at(2)})
}
