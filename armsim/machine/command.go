package machine

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// command is a process group with its standard streams.
type command struct {
	cmd    *exec.Cmd
	stdin  *os.File
	stdout *os.File
	stderr *os.File
	done   chan struct{}

	// mu keeps signals from a process group whose number may be in other hands.
	mu    sync.Mutex
	ended bool
}

// shell prepares /bin/sh in the machine's directory. The mark comes last, so
// that nobody's variable replaces it.
func (m *Machine) shell(args, env []string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir = m.dir
	cmd.Env = withTools(slices.Concat([]string{
		"PATH=" + usualPath,
		"HOME=" + m.dir,
		"USER=" + m.cfg.User,
		"LOGNAME=" + m.cfg.User,
		"SHELL=/bin/sh",
		"HOSTNAME=" + m.cfg.Name,
		"TMPDIR=" + filepath.Join(m.dir, "tmp"),
	}, m.cfg.Env, env, []string{m.mark}), m.dir)
	setGroup(cmd)
	return cmd
}

// startCommand makes the pipes itself: those of exec.Cmd cannot tell output
// that is still to be read from output that a child may write one day.
func startCommand(cmd *exec.Cmd) (*command, error) {
	c := &command{cmd: cmd, done: make(chan struct{})}
	var files [6]*os.File
	for i := 0; i < len(files); i += 2 {
		r, w, err := os.Pipe()
		if err != nil {
			closeFiles(files[:])
			return nil, err
		}
		files[i], files[i+1] = r, w
	}
	cmd.Stdin, c.stdin = files[0], files[1]
	c.stdout, cmd.Stdout = files[2], files[3]
	c.stderr, cmd.Stderr = files[4], files[5]
	if err := cmd.Start(); err != nil {
		closeFiles(files[:])
		return nil, err
	}
	closeFiles([]*os.File{files[0], files[3], files[5]})
	return c, nil
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// run serves the streams until the command has ended and its output is
// delivered; what its children write later is lost.
func (c *command) run(stdin io.Reader, stdout, stderr io.Writer) syscall.WaitStatus {
	defer close(c.done)
	go func() {
		_, _ = io.Copy(c.stdin, stdin)
		_ = c.stdin.Close()
	}()
	var output sync.WaitGroup
	output.Go(func() { copyOutput(stdout, c.stdout) })
	output.Go(func() { copyOutput(stderr, c.stderr) })
	_ = c.cmd.Wait()
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	endOutput(c.stdout)
	endOutput(c.stderr)
	output.Wait()
	closeFiles([]*os.File{c.stdin, c.stdout, c.stderr})
	status, _ := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status
}

// signal reaches the whole process group and is false when it has ended.
func (c *command) signal(sig syscall.Signal) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.ended && signalGroup(c.cmd.Process, sig) == nil
}

// abandon kills the process group and stops waiting for output. The process is
// killed by itself too, since it may have moved to another group.
func (c *command) abandon() {
	c.signal(syscall.SIGKILL)
	_ = c.cmd.Process.Kill()
	closeFiles([]*os.File{c.stdin, c.stdout, c.stderr})
}

// endOutput interrupts copyOutput; where pipes know no deadlines, it closes.
func endOutput(f *os.File) {
	if err := f.SetReadDeadline(time.Now()); err != nil {
		_ = f.Close()
	}
}

func copyOutput(dst io.Writer, src *os.File) {
	_, err := io.Copy(dst, src)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_, err = io.Copy(dst, &tail{file: src, wait: tailWait, left: tailBytes})
	}
	if err != nil {
		// The reader is gone: the command must see a broken pipe, not block.
		_ = src.Close()
	}
}

const (
	// tailWait bounds the time spent waiting for output after the end of a
	// command whose children keep the pipe open. What the command itself wrote
	// is in the pipe by then and needs no waiting.
	tailWait = 500 * time.Millisecond
	// tailBytes is the most that a pipe can be made to hold without privileges,
	// hence all that an ended command can have left in it.
	tailBytes = 1 << 20
)

// tail reads what an ended command left in its pipe. Only the time spent in
// reading counts, so that a slow client loses nothing.
type tail struct {
	file *os.File
	wait time.Duration
	left int64
}

func (t *tail) Read(p []byte) (int, error) {
	if t.left <= 0 || t.wait <= 0 {
		return 0, io.EOF
	}
	began := time.Now()
	if err := t.file.SetReadDeadline(began.Add(t.wait)); err != nil {
		return 0, err
	}
	n, err := t.file.Read(p[:min(int64(len(p)), t.left)])
	t.wait -= time.Since(began)
	t.left -= int64(n)
	return n, err
}
