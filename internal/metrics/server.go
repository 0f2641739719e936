package metrics

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Path is where the metrics are.
const Path = "/metrics"

const (
	// Prometheus asks every few seconds over one connection, and gives up after ten
	// by default (scrape_timeout).
	headerTimeout  = 5 * time.Second
	scrapeTimeout  = 10 * time.Second
	writeTimeout   = 15 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
	maxScrapes     = 4 // at once

	// retryInterval is how often a port that is taken is tried again: the plugin
	// of a runner that was restarted may still be ending.
	retryInterval = 15 * time.Second

	// closeTimeout is what a scrape under way gets at the end.
	closeTimeout = time.Second
)

// Options are what Serve needs.
type Options struct {
	Listen string // host:port; port 0 takes a free one
	Logger hclog.Logger
	Retry  time.Duration // 0: retryInterval
}

// Server serves metrics until Close.
type Server struct {
	Options
	http *http.Server
	stop context.CancelFunc
	done chan struct{} // closed when nothing is served any longer
}

// Serve begins to serve the metrics. It does not fail: an address that cannot be had is
// logged and tried again, as jobs do not depend on metrics.
func (m *Metrics) Serve(o Options) *Server {
	if o.Retry == 0 {
		o.Retry = retryInterval
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{Options: o, http: m.httpServer(o.Logger), stop: stop, done: make(chan struct{})}
	l, err := s.listen(ctx)
	if err != nil {
		o.Logger.Warn("metrics cannot be served, and it is tried again; nothing else is affected", "operation", "metrics", "address", o.Listen, "error", err,
			"fix", "set metrics_listen in plugin_config to an address of this machine and a free port; each runner in a config.toml needs a port of its own")
	}
	go s.run(ctx, l)
	return s
}

func (m *Metrics) httpServer(logger hclog.Logger) *http.Server {
	problems := logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug})
	mux := http.NewServeMux()
	mux.Handle("GET "+Path, promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: problems, MaxRequestsInFlight: maxScrapes, Timeout: scrapeTimeout,
	}))
	return &http.Server{
		Handler: mux, ErrorLog: problems, MaxHeaderBytes: maxHeaderBytes,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
	}
}

func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.Listen)
	if err == nil {
		s.Logger.Info("metrics are served", "operation", "metrics", "address", l.Addr().String(), "path", Path)
	}
	return l, err
}

// run serves on l, or where there is none on what a later try gets.
func (s *Server) run(ctx context.Context, l net.Listener) {
	defer close(s.done)
	if l == nil {
		l = s.await(ctx)
	}
	if l == nil {
		return
	}
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		s.Logger.Error("metrics are no longer served; nothing else is affected", "operation", "metrics", "address", s.Listen, "error", err, "fix", "restart the runner")
	}
}

// await tries until it can listen, or ctx ends.
func (s *Server) await(ctx context.Context) net.Listener {
	again := time.NewTicker(s.Retry)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
			if l, err := s.listen(ctx); err == nil {
				return l
			}
		}
	}
}

// Close ends serving. A scrape under way may finish within closeTimeout, or until ctx
// ends. It may be called again.
func (s *Server) Close(ctx context.Context) {
	s.stop()
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // it ends what is left
	}
	<-s.done
}
