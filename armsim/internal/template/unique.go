package template

import (
	"math/bits"
	"strings"

	"github.com/google/uuid"
)

// guidNamespace is the name space of guid(), a UUID of version 5 over its
// arguments, as it is in Microsoft's Azure.Deployments.Expression.
var guidNamespace = uuid.MustParse("11fb06fb-712d-4ddd-98c7-e71bbd588830")

func guid(args []string) string {
	return uuid.NewSHA1(guidNamespace, []byte(strings.Join(args, "-"))).String()
}

const base32 = "abcdefghijklmnopqrstuvwxyz234567"

// uniqueString is 13 characters of a 64-bit hash of the arguments. The values of
// its test are Bicep's.
func uniqueString(args []string) string {
	hash := murmur([]byte(strings.Join(args, "-")))
	out := make([]byte, 13)
	for i := range out {
		out[i] = base32[hash>>59]
		hash <<= 5
	}
	return string(out)
}

const c1, c2 = 0x239b961b, 0xab0e9789 // MurmurHash3's, of its variant with two lanes of 32 bits

// murmur is the MurmurHash3 of two lanes that Resource Manager has.
func murmur(data []byte) uint64 {
	var h1, h2 uint32
	rest := data
	for ; len(rest) >= 8; rest = rest[8:] {
		h1 = bits.RotateLeft32(h1^mix(word(rest[:4]), c1, 15, c2), 19) + h2
		h1 = h1*5 + 0x561ccd1b
		h2 = bits.RotateLeft32(h2^mix(word(rest[4:8]), c2, 17, c1), 13) + h1
		h2 = h2*5 + 0x0bcaa747
	}
	if len(rest) > 4 {
		h2 ^= mix(word(rest[4:]), c2, 17, c1)
	}
	if len(rest) > 0 {
		h1 ^= mix(word(rest[:min(4, len(rest))]), c1, 15, c2)
	}
	n := uint32(len(data))
	h1, h2 = h1^n, h2^n
	h1 += h2
	h2 += h1
	h1, h2 = avalanche(h1), avalanche(h2)
	h1 += h2
	h2 += h1
	return uint64(h2)<<32 | uint64(h1)
}

// word is a little-endian number of up to four bytes.
func word(b []byte) (w uint32) {
	for i, c := range b {
		w |= uint32(c) << (8 * i)
	}
	return w
}

func mix(k, first uint32, rotation int, second uint32) uint32 {
	return bits.RotateLeft32(k*first, rotation) * second
}

func avalanche(h uint32) uint32 {
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
