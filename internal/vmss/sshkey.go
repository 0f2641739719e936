package vmss

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// KeyID tells SSH public keys apart: the first 64 bits of the SHA-256 fingerprint, of
// which a thousand instances hold little. Zero is none.
type KeyID uint64

// KeyIDOf is the ID of a public key as in authorized_keys, whatever its comment and its
// line breaks. It is zero for what is no such line.
func KeyIDOf(line []byte) KeyID {
	for _, field := range bytes.Fields(line) {
		// All algorithms' names have 7 characters or more, and a blob begins with the
		// length of its own in 4 bytes, of which the first three are zero: AAAA in base64
		// (RFC 4253, section 6.6).
		if !bytes.HasPrefix(field, []byte("AAAA")) {
			continue
		}
		blob := make([]byte, base64.StdEncoding.DecodedLen(len(field)))
		n, err := base64.StdEncoding.Decode(blob, field)
		if err != nil {
			return 0
		}
		sum := sha256.Sum256(blob[:n])
		return KeyID(binary.BigEndian.Uint64(sum[:]))
	}
	return 0
}
