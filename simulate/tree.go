package simulate

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// tree is the parameters of a request, or an answer, by the names of AWS's API: the protocols differ only in how they write it.
// Values are tree, []any, string, bool, int64, float64 and time.Time.
type tree map[string]any

// text returns a string; numbers and booleans are written as such.
func (t tree) text(name string) string {
	switch v := t[name].(type) {
	case nil, tree, []any:
		return ""
	default:
		return plain(v)
	}
}

// number returns a number, which the query protocol sends as text.
func (t tree) number(name string) (float64, bool) {
	switch v := t[name].(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
	}
	return 0, false
}

// truth returns a boolean, which the query protocol sends as text.
func (t tree) truth(name string) bool {
	b, _ := t[name].(bool)
	return b || t[name] == "true"
}

// branch returns what is below a name; nil has nothing below it.
func (t tree) branch(name string) tree {
	b, _ := t[name].(tree)
	return b
}

// list returns the members of a list.
func (t tree) list(name string) []any {
	l, _ := t[name].([]any)
	return l
}

// trees returns the members of a list that have something below them.
func (t tree) trees(name string) []tree {
	var l []tree
	for _, v := range t.list(name) {
		if b, ok := v.(tree); ok {
			l = append(l, b)
		}
	}
	return l
}

// texts returns the members of a list of strings.
func (t tree) texts(name string) []string {
	var l []string
	for _, v := range t.list(name) {
		if s, ok := v.(string); ok {
			l = append(l, s)
		}
	}
	return l
}

// when returns a time: seconds since 1970 in JSON and CBOR, ISO 8601 in the query protocol.
func (t tree) when(name string) (time.Time, bool) {
	switch v := t[name].(type) {
	case time.Time:
		return v, true
	case string:
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
			if at, err := time.Parse(layout, v); err == nil {
				return at.UTC(), true
			}
		}
	default:
		if n, ok := t.number(name); ok && math.Abs(n) < maxSeconds {
			return seconds(n), true
		}
	}
	return time.Time{}, false
}

// maxSeconds is the year 9999 in seconds since 1970.
const maxSeconds = 253402300800

func seconds(n float64) time.Time {
	whole, part := math.Modf(n)
	return time.Unix(int64(whole), int64(part*1e9)).UTC()
}

// plain writes a value that has nothing below it as the query protocol does.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05Z")
	}
	return fmt.Sprint(v)
}

// list makes a list of members of one type.
func list[T any](members []T) []any {
	l := make([]any, len(members))
	for i, m := range members {
		l[i] = m
	}
	return l
}

// UnmarshalJSON reads an object of JSON.
func (t *tree) UnmarshalJSON(b []byte) error {
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*t, _ = graft(m).(tree)
	return nil
}

// graft turns what encoding/json reads into the values of a tree.
func graft(v any) any {
	switch v := v.(type) {
	case map[string]any:
		t := make(tree, len(v))
		for name, below := range v {
			if below != nil {
				t[name] = graft(below)
			}
		}
		return t
	case []any:
		for i := range v {
			v[i] = graft(v[i])
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	}
	return v
}

// MarshalJSON writes times as AWS's JSON protocols do, in seconds since 1970.
func (t tree) MarshalJSON() ([]byte, error) {
	m := make(map[string]any, len(t))
	for name, v := range t {
		m[name] = inJSON(v)
	}
	return json.Marshal(m)
}

func inJSON(v any) any {
	switch v := v.(type) {
	case time.Time:
		return float64(v.UnixMilli()) / 1000
	case []any:
		l := make([]any, len(v))
		for i := range v {
			l[i] = inJSON(v[i])
		}
		return l
	}
	return v
}
