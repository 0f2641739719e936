// Package lifeline tells a process when to end: with the process that started
// it, and on SIGTERM. hashicorp/go-plugin gives neither: its server ends when
// the host asks it to, which a host that was killed never does.
//
// How the death of the parent shows differs by system:
//
//   - On Unix a process whose parent died gets another one, so getppid is asked
//     again and again. Linux could send a signal instead (PR_SET_PDEATHSIG), but
//     that is bound to the parent's thread, and Go ends threads at will
//     (prctl(2), golang/go#27505). Standard input is inherited from the
//     runner's own, so its end says nothing.
//   - On Windows getppid never changes. The parent is opened once and waited
//     for.
//
// A parent that died before Watch began is not noticed on Unix: its successor
// is taken for the parent. Nothing tells the two apart, for in a container the
// rightful parent may be process 1 as well. Nobody knows the address of such a
// plugin, so it waits, and writes nothing. On Windows it is noticed unless its
// ID belongs to another process already.
//
// It is a leaf: it must not import any package of this module.
package lifeline
