// Package lifeline notifies a process when it must exit: when its parent has ended,
// and on SIGTERM. hashicorp/go-plugin does neither: its server ends when the host
// requests it, which a host that was killed never does.
//
// How to detect the end of the parent differs by system:
//
//   - On Unix a process whose parent died gets another one, so getppid is
//     polled. Linux could send a signal instead (PR_SET_PDEATHSIG), but
//     that is bound to the parent's thread, and Go ends threads at any time
//     (prctl(2), golang/go#27505). Standard input is inherited from the
//     runner's own, so that it closes says nothing.
//   - On Windows getppid never changes. The parent is opened once and waited
//     for.
//
// A parent that ended before Watch began is not detected on Unix: its successor is
// taken for the parent. The two cannot be distinguished, because in a container the
// real parent may be process 1 as well. No client knows the address of such a
// plugin, so it waits, and writes nothing. On Windows it is detected, unless its ID
// has been reused by another process.
//
// It is a leaf: it must not import any package of this module.
package lifeline
