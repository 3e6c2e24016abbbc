package accesslog

import (
	"strconv"
	"strings"
	"time"
)

// time reads a time in any of the forms of the logs: 2026-11-20T09:14:03.512334Z and with an offset, 2026/11/20 09:14:03,
// 20/Nov/2026:09:14:03 +0000 and with milliseconds, seconds since 1970. One without a zone is taken for UTC.
func (d *decoder) time(s string) (time.Time, bool) {
	s = strings.Trim(s, "[]")
	switch {
	case len(s) >= 19 && (s[4] == '-' || s[4] == '/'):
		return d.isoTime(s)
	case len(s) >= 20 && s[2] == '/':
		for _, layout := range [...]string{"02/Jan/2006:15:04:05 -0700", "02/Jan/2006:15:04:05"} {
			if t, err := time.Parse(layout, s); err == nil {
				return t.UTC(), true
			}
		}
	case len(s) >= 9 && len(s) <= 20:
		whole, part, _ := strings.Cut(s, ".")
		seconds, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || seconds < 0 || seconds > 1<<36 {
			break
		}
		nanos, ok := fraction(part)
		return time.Unix(seconds, int64(nanos)).UTC(), ok
	}
	return time.Time{}, false
}

// isoTime reads the forms that begin with a year. The day of the last one is kept, since lines come in order.
func (d *decoder) isoTime(s string) (time.Time, bool) {
	if s[:10] != d.day {
		layout := "2006-01-02"
		if s[4] == '/' {
			layout = "2006/01/02"
		}
		t, err := time.Parse(layout, s[:10])
		if err != nil {
			return time.Time{}, false
		}
		d.day, d.midnight = strings.Clone(s[:10]), t.Unix()
	}
	hour, ok1 := twoDigits(s[11:], 23)
	minute, ok2 := twoDigits(s[14:], 59)
	second, ok3 := twoDigits(s[17:], 60)
	if s[10] != 'T' && s[10] != ' ' || s[13] != ':' || s[16] != ':' || !ok1 || !ok2 || !ok3 {
		return time.Time{}, false
	}
	rest, nanos := s[19:], 0
	if rest != "" && rest[0] == '.' {
		end := 1
		for end < len(rest) && isDigit(rest[end]) {
			end++
		}
		var ok bool
		if nanos, ok = fraction(rest[1:end]); !ok {
			return time.Time{}, false
		}
		rest = rest[end:]
	}
	seconds := d.midnight + int64(hour*3600+minute*60+second)
	switch {
	case rest == "" || rest == "Z":
	case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		h, ok1 := twoDigits(rest[1:], 23)
		m, ok2 := twoDigits(rest[4:], 59)
		if !ok1 || !ok2 {
			return time.Time{}, false
		}
		offset := int64(h*3600 + m*60)
		if rest[0] == '-' {
			offset = -offset
		}
		seconds -= offset
	default:
		return time.Time{}, false
	}
	return time.Unix(seconds, int64(nanos)).UTC(), true
}

// twoDigits reads the number that two digits at the beginning of s are, at most limit.
func twoDigits(s string, limit int) (int, bool) {
	if len(s) < 2 || !isDigit(s[0]) || !isDigit(s[1]) {
		return 0, false
	}
	n := int(s[0]-'0')*10 + int(s[1]-'0')
	return n, n <= limit
}

// fraction reads the digits after the point of a second as nanoseconds.
func fraction(s string) (nanos int, ok bool) {
	unit := 100_000_000
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		nanos += int(s[i]-'0') * unit
		unit /= 10
	}
	return nanos, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
