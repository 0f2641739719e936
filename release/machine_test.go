package main

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// machines are the headers of binaries for our platforms.
var machines = map[platform]any{
	{"linux", "amd64"}:   elfHeader(elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB),
	{"linux", "arm64"}:   elfHeader(elf.EM_AARCH64, elf.ELFCLASS64, elf.ELFDATA2LSB),
	{"linux", "armv7"}:   elfHeader(elf.EM_ARM, elf.ELFCLASS32, elf.ELFDATA2LSB),
	{"linux", "386"}:     elfHeader(elf.EM_386, elf.ELFCLASS32, elf.ELFDATA2LSB),
	{"linux", "ppc64le"}: elfHeader(elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2LSB),
	{"linux", "s390x"}:   elfHeader(elf.EM_S390, elf.ELFCLASS64, elf.ELFDATA2MSB),
	{"linux", "riscv64"}: elfHeader(elf.EM_RISCV, elf.ELFCLASS64, elf.ELFDATA2LSB),
	{"freebsd", "amd64"}: elfHeader(elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB),
	{"darwin", "amd64"}:  macho.FileHeader{Magic: macho.Magic64, Cpu: macho.CpuAmd64, Type: macho.TypeExec},
	{"darwin", "arm64"}:  macho.FileHeader{Magic: macho.Magic64, Cpu: macho.CpuArm64, Type: macho.TypeExec},
	{"windows", "amd64"}: pe.FileHeader{Machine: pe.IMAGE_FILE_MACHINE_AMD64},
}

func elfHeader(m elf.Machine, class elf.Class, data elf.Data) any {
	ident := [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(class), byte(data), byte(elf.EV_CURRENT)}
	if class == elf.ELFCLASS32 {
		return elf.Header32{Ident: ident, Type: uint16(elf.ET_EXEC), Machine: uint16(m), Version: uint32(elf.EV_CURRENT), Ehsize: 52}
	}
	return elf.Header64{Ident: ident, Type: uint16(elf.ET_EXEC), Machine: uint16(m), Version: uint32(elf.EV_CURRENT), Ehsize: 64}
}

// standIn is the beginning of a binary for a platform, and then something as
// long and as little to be compressed as code is.
func standIn(t *testing.T, p platform) []byte {
	t.Helper()
	require.Contains(t, machines, p)
	var order binary.ByteOrder = binary.LittleEndian
	if p.arch == "s390x" {
		order = binary.BigEndian
	}
	out, err := binary.Append(nil, order, machines[p])
	require.NoError(t, err)
	rest := make([]byte, 1<<17)
	_, _ = rand.NewChaCha8([32]byte{}).Read(rest) // never fails
	return append(append(append(out, make([]byte, 100)...), rest...), "a stand-in for "+p.String()...)
}

// machine reads what a binary is for.
func machine(t *testing.T, b io.ReaderAt) string {
	t.Helper()
	if f, err := elf.NewFile(b); err == nil {
		return fmt.Sprint(f.Machine, " ", f.Class, " ", f.Data)
	}
	if f, err := macho.NewFile(b); err == nil {
		return fmt.Sprint("Mach-O ", f.Cpu)
	}
	f, err := pe.NewFile(b)
	require.NoError(t, err, "neither ELF nor Mach-O nor PE")
	return fmt.Sprintf("PE %x", f.Machine)
}

func TestEachPlatformHasAMachine(t *testing.T) {
	require.Len(t, machines, len(platforms()))
	require.Equal(t, "EM_X86_64 ELFCLASS64 ELFDATA2LSB", machine(t, bytes.NewReader(standIn(t, platform{"linux", "amd64"}))))
	require.Equal(t, "EM_S390 ELFCLASS64 ELFDATA2MSB", machine(t, bytes.NewReader(standIn(t, platform{"linux", "s390x"}))))
	require.Equal(t, "PE 8664", machine(t, bytes.NewReader(standIn(t, platform{"windows", "amd64"}))))
	for _, p := range platforms() {
		require.NotEmpty(t, machine(t, bytes.NewReader(standIn(t, p))), p)
	}
}
