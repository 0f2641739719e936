package metrics

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Starts are those of a scale set since the plugin began: of its warm pool, and of new
// instances.
type Starts struct {
	Warm    int           `json:"warm"`        // instances that the runner got from the pool
	Took    time.Duration `json:"tookNanos"`   // on average, until one of the pool ran; zero: none has
	Created time.Duration `json:"createNanos"` // on average, until a new one ran; zero: none has
}

// maxMetrics bounds a response, in bytes: far more than a hundred scale sets take.
const maxMetrics = 8 << 20

// Fetch is what a plugin that serves metrics at a URL has, in Prometheus's text format.
func Fetch(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxMetrics))
}

// Read asks a plugin that serves metrics at an address, host:port, for the starts of a scale
// set, of which the group and the name count.
func Read(ctx context.Context, listen string, id Identity) (s Starts, err error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return s, fmt.Errorf("read the metrics of %q: %w", listen, err)
	}
	if net.ParseIP(host).IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	text, err := Fetch(ctx, "http://"+net.JoinHostPort(host, port)+Path)
	if err != nil {
		return s, fmt.Errorf("read the metrics of the plugin: %w; fix: see that the runner runs", err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return s, fmt.Errorf("read the metrics of %q: %w; fix: metrics_listen must be the plugin's", listen, err)
	}
	of := func(name string) *dto.Metric { return id.find(families[namespace+"_"+name]) }
	s.Warm = int(of(warmedName).GetCounter().GetValue())
	s.Took = average(of(warmStartName).GetHistogram())
	s.Created = average(of(creationName).GetHistogram())
	return s, nil
}

// find is the metric of a scale set; nil: there is none.
func (id Identity) find(family *dto.MetricFamily) *dto.Metric {
	for _, m := range family.GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if strings.EqualFold(labels[labelGroup], id.ResourceGroup) && strings.EqualFold(labels[labelScaleSet], id.ScaleSet) {
			return m
		}
	}
	return nil
}

func average(h *dto.Histogram) time.Duration {
	if h.GetSampleCount() == 0 {
		return 0
	}
	return time.Duration(h.GetSampleSum() / float64(h.GetSampleCount()) * float64(time.Second))
}
