// Package budget tracks Azure's request limits: token buckets with Azure's figures,
// corrected by the headers of its responses.
//
// It is a leaf: it must not import any package of this module, nor Azure's SDK,
// and it sends nothing.
package budget
