package dockerengine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

const (
	// systemSocket is where an installed engine listens.
	systemSocket = "/var/run/docker.sock"
	// pingTimeout is far longer than a local engine needs for a response.
	pingTimeout = 5 * time.Second
	// closeTimeout bounds the removal of containers and images.
	closeTimeout = time.Minute

	install = "fix: apt-get install docker.io busybox-static (and docker-cli where Debian has it apart)"
)

// Engine is a Docker Engine that responds. Its methods may be called from any
// goroutine.
type Engine struct {
	socket string
	client *client.Client
	daemon *daemon // nil when the engine ran before

	mu     sync.Mutex
	images []string
}

// Start returns the engine that listens on the unix socket in DOCKER_HOST, else
// on /var/run/docker.sock, else one that it starts. Starting needs Linux, root
// and dockerd; such an engine has private directories, and no network but
// "none" and "host", so that it changes nothing of the host's. ctx bounds the
// start alone. The error names what is missing and what to install: the docker
// command and a static busybox are needed in any case.
func Start(ctx context.Context) (*Engine, error) {
	e, err := start(ctx)
	if err != nil {
		return nil, fmt.Errorf("start Docker Engine: %w", err)
	}
	return e, nil
}

func start(ctx context.Context) (*Engine, error) {
	if _, err := exec.LookPath("docker"); err != nil {
		return nil, fmt.Errorf("the docker command is not on PATH; %s", install)
	}
	if _, err := findBusybox(); err != nil {
		return nil, err
	}
	socket, given := systemSocket, false
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		if socket, given = strings.CutPrefix(host, "unix://"); !given {
			return nil, fmt.Errorf("DOCKER_HOST is %q, which is no unix socket; fix: set it to unix:///path or unset it", host)
		}
	}
	e, err := open(ctx, socket)
	if err == nil {
		return e, nil
	}
	if given {
		return nil, fmt.Errorf("no engine responds on DOCKER_HOST: %w; fix: start that engine or unset DOCKER_HOST", err)
	}
	d, err := startDaemon(ctx)
	if err != nil {
		return nil, fmt.Errorf("none responds on %s, and none can be started: %w", systemSocket, err)
	}
	if e, err = open(ctx, d.socket); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	e.daemon = d
	return e, nil
}

// open connects to the engine on a socket and makes sure that it responds.
func open(ctx context.Context, socket string) (*Engine, error) {
	c, err := client.New(client.WithHost("unix://" + socket))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if _, err := c.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &Engine{socket: socket, client: c}, nil
}

// Socket is the path of the unix socket that the engine listens on.
func (e *Engine) Socket() string { return e.socket }

// Close removes the imported images and every container made from them, then
// stops the engine if Start started it and removes its directories. What others
// have on an engine that ran before stays. Nothing may use the engine any longer.
// The error names what is left.
func (e *Engine) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []error
	for _, image := range e.images {
		all = append(all, e.remove(ctx, image))
	}
	e.images = nil
	all = append(all, e.client.Close())
	if e.daemon != nil {
		all = append(all, e.daemon.stop())
	}
	if err := errors.Join(all...); err != nil {
		return fmt.Errorf("close Docker Engine: %w", err)
	}
	return nil
}

func (e *Engine) remove(ctx context.Context, image string) error {
	made := client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("ancestor", image)}
	list, err := e.client.ContainerList(ctx, made)
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list containers of %s: %w", image, err)
	}
	var all []error
	for _, c := range list.Items {
		_, err := e.client.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		all = append(all, err)
	}
	_, err = e.client.ImageRemove(ctx, image, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	if !cerrdefs.IsNotFound(err) {
		all = append(all, err)
	}
	return errors.Join(all...)
}
