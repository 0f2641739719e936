package machine

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	// killPatience bounds the killing: a process stuck in the kernel cannot be helped.
	killPatience = 10 * time.Second
	// killPause separates the rounds of looking for processes.
	killPause = time.Millisecond
	// quietRounds is how often nothing must be found in a row: a process in the
	// middle of an exec shows no environment for a moment.
	quietRounds = 2
)

// killMarked kills every process that was started with mark in its environment,
// until none is left, and returns when their files and sockets are closed.
func killMarked(mark string) {
	deadline := time.Now().Add(killPatience)
	for quiet := 0; quiet < quietRounds && time.Now().Before(deadline); {
		killed := killRound(mark)
		quiet++
		if len(killed) > 0 {
			quiet = 0
		}
		for _, p := range killed {
			awaitExit(p, deadline)
			_ = p.Release()
		}
		time.Sleep(killPause)
	}
}

func killRound(mark string) (killed []*os.Process) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || !carries(pid, mark) {
			continue
		}
		if p := killOne(pid, mark); p != nil {
			killed = append(killed, p)
		}
	}
	return killed
}

// killOne looks again once it holds the process, so that a number that has
// passed to another process in between does no harm.
func killOne(pid int, mark string) *os.Process {
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil
	}
	if !carries(pid, mark) {
		_ = p.Release()
		return nil
	}
	_ = p.Kill()
	return p
}

func carries(pid int, mark string) bool {
	env, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	if err != nil {
		return false
	}
	return bytes.HasPrefix(env, []byte(mark+"\x00")) || bytes.Contains(env, []byte("\x00"+mark+"\x00"))
}

// awaitExit is needed because a dying process loses its environment, and with
// it its mark, before its sockets. It returns at once on kernels before 5.4,
// which have no handles for processes.
func awaitExit(p *os.Process, deadline time.Time) {
	_ = p.WithHandle(func(handle uintptr) {
		poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			return
		}
		defer func() { _ = syscall.Close(poll) }()
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(handle)}
		if syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, int(handle), &event) != nil {
			return
		}
		events := make([]syscall.EpollEvent, 1)
		for err = syscall.EINTR; err == syscall.EINTR; {
			_, err = syscall.EpollWait(poll, events, int(max(0, time.Until(deadline).Milliseconds())))
		}
	})
}
