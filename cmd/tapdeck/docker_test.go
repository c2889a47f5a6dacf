package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"tapdeck/cmd/internal/apptest"
)

// instruction is the argument of the last of a Dockerfile's instructions of this name.
func instruction(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^`+name+` +(.*)$`).FindAllStringSubmatch(string(text), -1)
	if found == nil {
		t.Fatalf("no %s in the Dockerfile", name)
	}
	return found[len(found)-1][1]
}

// TestHealthcheck runs HEALTHCHECK's command as docker does: in the image's WORKDIR, where the
// daemon's own file is, and with its environment.
func TestHealthcheck(t *testing.T) {
	s := serve(t, scriptConfig+"drain_timeout: 5s\n", "--set", "admin.token=open-sesame")
	var command []string
	if err := json.Unmarshal([]byte(strings.TrimPrefix(instruction(t, "HEALTHCHECK"), "CMD ")), &command); err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath(filepath.Base(command[0]))
	if err != nil {
		t.Fatal(err)
	}
	healthy := func(file string, environ ...string) bool {
		cmd := exec.Command(path, command[1:]...)
		cmd.Dir = t.TempDir()
		if file != "" {
			if err := os.WriteFile(filepath.Join(cmd.Dir, "tapdeck.yaml"), []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd.Env = append(os.Environ(), environ...)
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		return err == nil
	}
	if !healthy(`admin: {listen: "` + s.admin + `", token: open-sesame}`) {
		t.Error("by the file: unhealthy")
	}
	if !healthy("", "TAPDECK_ADMIN_LISTEN="+s.admin, "TAPDECK_ADMIN_TOKEN=open-sesame") {
		t.Error("by the environment: unhealthy")
	}
	none := apptest.ListenAnywhere(t)
	_ = none.Close()
	if healthy(`admin: {listen: "` + none.Addr().String() + `"}`) {
		t.Error("nobody there: healthy")
	}
	if dir := instruction(t, "WORKDIR"); dir != "/etc/tapdeck" || !strings.Contains(instruction(t, "COPY"), "/recordings") {
		t.Errorf("WORKDIR %s is not where the configuration is", dir)
	}
}

// TestCompose is that compose.yaml waits as long as the example's calls may take.
func TestCompose(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			StopGracePeriod string `yaml:"stop_grace_period"`
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil || file.Services["tapdeck"].StopGracePeriod != "110s" {
		t.Errorf("%v, %+v", err, file)
	}
}

// TestUnitRestartsAlways is that systemd starts the daemon again whatever ended it, and how often.
func TestUnitRestartsAlways(t *testing.T) {
	unit, err := os.ReadFile("tapdeck.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"\nRestart=always\n", "\nStartLimitIntervalSec=0\n"} {
		if !strings.Contains(string(unit), line) {
			t.Errorf("tapdeck.service lacks %q", line)
		}
	}
}
