package sim

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
)

// Pool plays settings in child processes of this program, whose main must call Child.
// Its methods may be called from any goroutine.
type Pool struct {
	free chan *child
	all  []*child
}

type child struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	send    *json.Encoder
	receive *json.Decoder
	errors  head
	ended   sync.Once
}

// NewPool starts n children, which play the jobs. They end with the context or Close.
func NewPool(ctx context.Context, n int, all []jobs.Job) (*Pool, error) {
	p := &Pool{free: make(chan *child, n)}
	for range n {
		c, err := startChild(ctx, all)
		if err != nil {
			p.Close()
			return nil, fmt.Errorf("start a simulation: %w", err)
		}
		p.all = append(p.all, c)
		p.free <- c
	}
	return p, nil
}

func startChild(ctx context.Context, all []jobs.Job) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{command: exec.CommandContext(ctx, program)}
	c.command.Env = append(os.Environ(), childVariable+"=1")
	c.command.Stderr = &c.errors
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	c.send, c.receive = json.NewEncoder(c.stdin), json.NewDecoder(out)
	if err := c.send.Encode(all); err != nil {
		return nil, c.failure(err)
	}
	return c, nil
}

// Play plays a setting. It waits for a child that is free.
func (p *Pool) Play(ctx context.Context, s Setting) (*Result, error) {
	var c *child
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case c = <-p.free:
	}
	var a answer
	err := c.send.Encode(s)
	if err == nil {
		err = c.receive.Decode(&a)
	}
	p.free <- c
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, c.failure(err)
	case a.Err != "":
		return nil, errors.New(a.Err)
	}
	return a.Result, nil
}

// Close ends the children.
func (p *Pool) Close() {
	for _, c := range p.all {
		c.end()
	}
}

func (c *child) end() {
	c.ended.Do(func() {
		_ = c.stdin.Close()
		_ = c.command.Process.Kill() // it may be in the middle of something
		_ = c.command.Wait()
	})
}

// failure words that a child ended.
func (c *child) failure(err error) error {
	c.end()
	first, _, _ := strings.Cut(strings.TrimSpace(c.errors.String()), "\n")
	return fmt.Errorf("a simulation ended early: %s", cmp.Or(first, err.Error()))
}

// head keeps the beginning of what a child writes on standard error.
type head struct{ bytes.Buffer }

// Write implements io.Writer.
func (t *head) Write(p []byte) (int, error) {
	if room := 4096 - t.Len(); room > 0 {
		t.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
