// Package armerr turns whatever a call to Azure may answer into one error: an
// [Error] with a kind to act on, Azure's own code and request ID, and a hint
// at what mends it, all in one line. One ordered table says which answer is of
// which kind.
//
// It is a leaf: of anything outside the standard library it imports azcore and
// azidentity only, and no other package of this module.
package armerr
