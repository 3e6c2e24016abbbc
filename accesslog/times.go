package accesslog

import (
	"strconv"
	"strings"
	"time"
)

// latest is the last second that is taken for a time, in the year 4147.
const latest = 1 << 36

// time reads a time in any of the forms of the logs: 2026-11-20T09:14:03.512334Z and with an offset, 2026/11/20 09:14:03,
// 20/Nov/2026:09:14:03 +0000 and with milliseconds, seconds since 1970. One without a zone is taken for UTC.
func (d *decoder) time(s string) (time.Time, bool) {
	s = strings.Trim(s, "[]")
	switch {
	case len(s) >= 19 && (s[4] == '-' || s[4] == '/'):
		if s[10] != 'T' && s[10] != ' ' {
			break
		}
		layout := "2006-01-02"
		if s[4] == '/' {
			layout = "2006/01/02"
		}
		return d.clockTime(s, 10, layout, s[11:])
	case len(s) >= 20 && s[2] == '/' && s[11] == ':':
		return d.clockTime(s, 11, "02/Jan/2006", s[12:])
	case len(s) >= 9 && len(s) <= 20:
		whole, part, _ := strings.Cut(s, ".")
		seconds, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || seconds < 0 || seconds > latest {
			break
		}
		nanos, ok := fraction(part)
		return time.Unix(seconds, int64(nanos)).UTC(), ok
	}
	return time.Time{}, false
}

// clockTime reads a day in a layout, the first bytes of s, and a clock: 09:14:03, a fraction and a zone after it. The day of the
// last time is kept, since lines come in order.
func (d *decoder) clockTime(s string, bytes int, layout, clock string) (time.Time, bool) {
	if s[:bytes] != d.day {
		t, err := time.Parse(layout, s[:bytes])
		if err != nil {
			return time.Time{}, false
		}
		d.day, d.midnight = strings.Clone(s[:bytes]), t.Unix()
	}
	if len(clock) < 8 || clock[2] != ':' || clock[5] != ':' {
		return time.Time{}, false
	}
	hour, ok1 := twoDigits(clock, 23)
	minute, ok2 := twoDigits(clock[3:], 59)
	second, ok3 := twoDigits(clock[6:], 60)
	if !ok1 || !ok2 || !ok3 {
		return time.Time{}, false
	}
	rest, nanos := clock[8:], 0
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
	default:
		offset, ok := zone(rest)
		if !ok {
			return time.Time{}, false
		}
		seconds -= offset
	}
	if seconds < 0 || seconds > latest { // no load balancer is as old, and no document has room for any year
		return time.Time{}, false
	}
	return time.Unix(seconds, int64(nanos)).UTC(), true
}

// zone reads +01:00 and " +0100" as seconds.
func zone(s string) (int64, bool) {
	s = strings.TrimPrefix(s, " ")
	if len(s) < 5 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hour, ok1 := twoDigits(s[1:], 23)
	minute, ok2 := twoDigits(strings.TrimPrefix(s[3:], ":"), 59)
	if !ok1 || !ok2 || len(s) != 5 && (len(s) != 6 || s[3] != ':') {
		return 0, false
	}
	offset := int64(hour*3600 + minute*60)
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
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
