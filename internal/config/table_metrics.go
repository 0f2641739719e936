package config

import (
	"net"
	"net/netip"
	"strconv"
)

var metricsOptions = []Option{
	{
		Group: groupMetrics, Key: "metrics_listen", Type: "string",
		Rule: "an IP address or localhost, and a port, such as 127.0.0.1:9402, [::1]:9402, or :9402 for that port on 127.0.0.1; " +
			"port 0 takes a free one, which the log names",
		Example: "127.0.0.1:9402",
		Doc: "Where the plugin serves metrics for Prometheus, under `/metrics`. Left out, it serves none. " +
			"Without an address it is reached from the runner's machine only; another address must be written out, and whoever reaches it reads the metrics. " +
			"Each runner in a `config.toml` needs a port of its own. See [Monitor the plugin](../guides/monitoring.md).",
		aliases: []string{"metrics", "metrics_address", "metrics_listen_address", "metrics_port", "prometheus", "prometheus_listen"},
		at:      func(c *Config) *string { return (*string)(&c.MetricsListen) },
		check:   checkListen,
	},
}

// Listen is an address to listen on as it is written in config.toml, such as ":9402".
type Listen string

// loopback is the host of an address that names none. Go's net package would take
// all of the machine's addresses.
const loopback = "127.0.0.1"

// Address returns host and port, empty for one that is not valid.
func (l Listen) Address() string {
	host, port, err := net.SplitHostPort(string(l))
	if err != nil {
		return ""
	}
	if host == "" {
		host = loopback
	}
	return net.JoinHostPort(host, port)
}

// checkListen takes no host names: what they stand for is up to the network's DNS.
func checkListen(v string) string {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return "is not an address and a port"
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "has no port from 0 to 65535"
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		return "has a host that is not an IP address"
	}
	return ""
}
