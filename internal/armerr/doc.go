// Package armerr turns whatever error a call to Azure returns into an [Error]
// with a kind to act on, Azure's code and request ID, and a hint for the fix, in
// one line. One ordered table maps responses to kinds.
//
// It is a leaf: of anything outside the standard library it imports azcore and
// azidentity only, and no other package of this module.
package armerr
