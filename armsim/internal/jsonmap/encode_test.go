package jsonmap

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func assertEncodes(t require.TestingT, v any) {
	want, wantErr := json.Marshal(v)
	got, err := Append(nil, v)
	require.Equal(t, wantErr == nil, err == nil, "%v", err)
	if err == nil {
		assert.Equal(t, string(want), string(got))
	}
}

func TestAppendIsMarshal(t *testing.T) {
	for _, v := range []any{
		nil, true, 7, -7, 0.0, math.Copysign(0, -1), 1.5, -3.0, 1e15, 1e20, 1e21, 1e-7, 1 << 53, math.MaxFloat64, math.NaN(), math.Inf(1),
		"", "plain", `"\`, "<a&b>", "\u2028", "\x7f", "é", "\xff", "\n", Object(nil), Object{}, []any(nil), []any{},
		Object{"b": []any{1, "x", nil}, "a": Object{"<": false}, "A": []int{1}, "é": Object(nil)}, []any{math.NaN()}, Object{"a": math.NaN()},
	} {
		assertEncodes(t, v)
	}
}

func TestAppendIsMarshalOfAnyValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { assertEncodes(t, drawValue(t, 3)) })
}

func drawValue(t *rapid.T, depth int) any {
	kinds := 5
	if depth > 0 {
		kinds = 7
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return rapid.String().Draw(t, "string")
	case 1:
		return rapid.Float64().Draw(t, "float")
	case 2:
		return float64(rapid.Int().Draw(t, "whole"))
	case 3:
		return rapid.Bool().Draw(t, "bool")
	case 4:
		return nil
	case 5:
		list := []any{}
		for range rapid.IntRange(0, 4).Draw(t, "length") {
			list = append(list, drawValue(t, depth-1))
		}
		return list
	}
	o := Object{}
	for range rapid.IntRange(0, 30).Draw(t, "size") {
		o[rapid.String().Draw(t, "key")] = drawValue(t, depth-1)
	}
	return o
}
