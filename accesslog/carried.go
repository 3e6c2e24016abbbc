package accesslog

import (
	"encoding/json"
	"regexp"
	"strings"
)

// headers are what stands before a line that something carried here: syslog (RFC 3164, with or without its priority; RFC 5424;
// rsyslog's files), and the logs of containers (CRI).
var headers = regexp.MustCompile(`^(?:` +
	`(?:<\d{1,3}>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^ :]+: ` +
	`|<\d{1,3}>1 \S+ \S+ \S+ \S+ \S+ (?:-|\[[^\]]*\]) ` +
	`|\d{4}-\d\d-\d\dT\S+ \S+ [^ :]+: ` +
	`|\d{4}-\d\d-\d\dT\S+ (?:stdout|stderr) F ` +
	`)`)

const (
	maxHeader = 512       // bytes of a header
	docker    = `{"log":` // begins a line of Docker's json-file
)

// carried is the line inside of one that syslog or the log of a container carries.
func carried(line string) (string, bool) {
	if strings.HasPrefix(line, docker) {
		var d struct {
			Log string `json:"log"`
		}
		err := json.Unmarshal([]byte(line), &d)
		return strings.TrimRight(d.Log, "\r\n"), err == nil && d.Log != ""
	}
	if at := headers.FindStringIndex(line[:min(len(line), maxHeader)]); at != nil {
		return line[at[1]:], true
	}
	return "", false
}
