// Package report writes an advice as one HTML page that needs nothing else: no script, no
// font, no image from elsewhere. Plots are SVG, in colours for light and dark screens and
// for paper.
package report
