//go:build !linux

package dockerengine

import (
	"context"
	"errors"
)

type daemon struct{ socket string }

func startDaemon(context.Context) (*daemon, error) {
	return nil, errors.New("that needs Linux; fix: set DOCKER_HOST to the unix socket of an engine")
}

func (*daemon) stop() error { return nil }
