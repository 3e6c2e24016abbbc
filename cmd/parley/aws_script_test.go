package main

import (
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/parley-tls/parley/simulate"
)

func init() { scriptCommands["simulate"] = simulateAWS }

// simulateAWS serves the accounts of "parley aws simulate --demo" to the commands that follow: simulate [deny ACTION...].
func simulateAWS(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 && args[0] != "deny" {
		ts.Fatalf("usage: simulate [deny ACTION...]")
	}
	state := simulate.Demo(time.Now())
	cloud, err := simulate.New(state)
	ts.Check(err)
	if len(args) > 1 {
		cloud.SetFaults(simulate.Faults{Deny: args[1:]})
	}
	server := httptest.NewServer(cloud)
	ts.Defer(server.Close)
	user := state.Accounts[0].Users[0]
	for _, v := range []string{"AWS_ENDPOINT_URL=" + server.URL, "AWS_ACCESS_KEY_ID=" + user.Key, "AWS_SECRET_ACCESS_KEY=" + user.Secret, "AWS_REGION=eu-west-1",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true"} {
		name, value, _ := strings.Cut(v, "=")
		ts.Setenv(name, value)
	}
}
