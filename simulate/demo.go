package simulate

import (
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

//go:embed demo.json
var demoData string

// relativeDay is a time in the demo: so many days from now.
var relativeDay = regexp.MustCompile(`@([+-]\d+)d`)

// Demo is a state to try Parley on: two accounts, with load balancers of every kind and of differing policies in three regions,
// one that many clients fail at, a change in the history, and a role in the second account.
func Demo(now time.Time) State {
	text := relativeDay.ReplaceAllStringFunc(demoData, func(m string) string {
		days, err := strconv.Atoi(relativeDay.FindStringSubmatch(m)[1])
		if err != nil {
			panic(fmt.Sprintf("simulate: demo.json: %s: %v", m, err))
		}
		return stamp(now.AddDate(0, 0, days))
	})
	s, err := ReadState([]byte(text))
	if err != nil {
		panic("simulate: demo.json: " + err.Error())
	}
	return s
}

// Empty is an account with nothing in it, whose user has the same key as the demo's.
func Empty() State {
	return State{Accounts: []Account{{ID: "111122223333", Users: []User{{Name: "demo", Key: DemoKey, Secret: DemoKey}}}}}
}

// DemoKey is both halves of the demo user's access key, which opens nothing but a simulation.
const DemoKey = "simulated"
