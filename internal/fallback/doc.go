// Package fallback makes one group of instances of several scale sets, of which each is
// used where those before it have no room. It decides which of them an increase goes to,
// and puts together what they hold; all else is each scale set's own affair, with its own
// capacity, limits, lease and backoffs (package instancegroup).
//
// It knows neither fleeting nor Azure's SDK, and sends no requests itself.
package fallback
