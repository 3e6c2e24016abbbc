package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Moto starts moto's server, which stands in for the services of AWS, and points AWS's SDKs in this process at it, with
// credentials that it takes and none of the machine's own configuration.
func Moto(t *testing.T) *Server {
	t.Helper()
	program, err := exec.LookPath("moto_server")
	if err != nil {
		program = filepath.Join(Root(t), ".peers", "moto", "bin", "moto_server")
		if _, err := os.Stat(program); err != nil {
			Missing(t, "moto_server, which stands in for AWS (pip install 'moto[server]')")
		}
	}
	port := FreePort(t)
	s := Run(t, port, program, "-H", "127.0.0.1", "-p", fmt.Sprint(port))
	OnlyAWS(t, "http://"+s.Addr)
	return s
}

// OnlyAWS points AWS's SDKs in this process at an endpoint, with credentials of no account, and keeps the machine's own
// configuration and instance role out.
func OnlyAWS(t *testing.T, endpoint string) {
	t.Helper()
	for _, name := range []string{"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "") // it puts the old value back in the end
		os.Unsetenv(name)  // the AWS CLI takes an empty profile for one
	}
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "eu-west-1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
}
