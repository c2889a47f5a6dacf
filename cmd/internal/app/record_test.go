package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapdeck/cmd/internal/apptest"
	"tapdeck/cmd/internal/callview"
	"tapdeck/cmd/internal/config"
	"tapdeck/controller/switchsim"
	"tapdeck/sink/store"
)

const namedCalls = shortCalls + `
instance: fs7
record: {variables: [order, sip_h_X-Account]}
`

// checkNamed checks what a record says of who wrote it, and of its channel.
func checkNamed(t *testing.T, r callview.Record, variables map[string]string) {
	t.Helper()
	if r.Schema != store.Schema || r.Version != Version() || r.Instance != "fs7" {
		t.Errorf("schema %d, version %q, instance %q", r.Schema, r.Version, r.Instance)
	}
	if diff := cmp.Diff(variables, r.Variables); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

// A record says which daemon wrote it, and has the channel variables that the configuration
// names: also that of a call that was refused.
func TestRecordNamesItsDaemon(t *testing.T) {
	s := newTestDaemon(t, namedCalls)
	variables := map[string]string{"order": "a@b", "sip_h_X-Account": "\u202e\"12"}
	spec := switchsim.CallSpec{Voice: switchsim.ToneVoice(8000, 440, 0.3), Variables: variables}
	call := s.place(spec)
	call.Wait()
	checkNamed(t, s.record(call.UUID()), variables)
	files, _ := filepath.Glob(filepath.Join(s.dir, "*", call.UUID()+".json"))
	text, err := os.ReadFile(files[0])
	for _, want := range []string{`"timeline": {`, `"digits": [],`, `"prompts": [],`, `"schema": 1,`} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s, %v", want, text, err)
		}
	}
	apptest.Until(t, "the ended call", func() bool { return len(s.controller.Ended()) == 1 })
	if ended := s.controller.Ended(); ended[0].Info.Variables != nil || ended[0].Outcome.Variables != nil || len(ended[0].Record.(callview.Record).Variables) != 2 {
		t.Errorf("ended calls %+v, want the variables in their records alone", ended)
	}
	s.controller.Drain()
	call = s.place(spec)
	call.Wait()
	refused := s.record(call.UUID())
	if checkNamed(t, refused, variables); refused.Result != "refused" {
		t.Errorf("result %s", refused.Result)
	}
}

// Names that the file has by now are read from the next start on: the event socket decodes
// no others.
func TestVariablesNeedARestart(t *testing.T) {
	s := newTestDaemon(t, namedCalls)
	s.reload(func() (*config.Loaded, error) {
		return config.Parse("tapdeck.yaml", []byte(strings.NewReplacer("order", "cost", "fs7", "fs8").Replace(namedCalls)), config.Options{})
	})
	call := s.place(switchsim.CallSpec{Variables: map[string]string{"order": "a@b", "cost": "7"}})
	call.Wait()
	checkNamed(t, s.record(call.UUID()), map[string]string{"order": "a@b"})
	for _, key := range []string{"record.variables", "instance"} {
		if !strings.Contains(s.journal.String(), `"msg":"configuration changed, needs a restart","key":"`+key+`"`) {
			t.Errorf("no line says that %s needs a restart", key)
		}
	}
}
