package bench

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// thousands writes a number with a comma at each thousand.
func thousands(n int) string {
	text := strconv.Itoa(n)
	from := 0
	if n < 0 {
		from = 1
	}
	for at := len(text) - 3; at > from; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// duration is rounded to what matters of it.
func duration(d time.Duration) string {
	step := time.Second
	switch abs := d.Abs(); {
	case abs < 100*time.Millisecond:
		step = 10 * time.Microsecond
	case abs < time.Second:
		step = time.Millisecond
	case abs < 10*time.Second:
		step = 100 * time.Millisecond
	}
	text := d.Round(step).String()
	if d.Abs() >= time.Hour {
		text = strings.TrimSuffix(text, "0s")
	}
	return text
}

// ratio is ours to naive.
func ratio(ours, naive float64) string {
	if naive == 0 || ours == naive {
		return "–"
	}
	return fmt.Sprintf("%.2g", ours/naive)
}
