package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tapdeck/controller/switchsim"
	"tapdeck/controller/switchsim/bot"
)

// Of a plan of the configuration only the bot is another: its wire stays, and so does what is before.
// What is resampled is not compared.
func TestDemoAgentOfAPlan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "tapdeck.yaml")
	if err := os.WriteFile(file, []byte(`
sink: {min_free: 0MiB, read_interval: 20ms}
plans:
  talk: {steps: [answer, pause: 100ms, stream, agent: {url: "wss://bot.example/media", format: pcm, for: 20s}, hangup]}
  wide: {stream: {sample_rate: 16000}, answer_pause: 0s, tone: {duration: 0s}, prompt: "", listen: 20s, agent: {url: "wss://bot.example/media"}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for plan, want := range map[string]string{"talk": "all equal", "wide": "the recording is equal, the rest resampled"} {
		code, stdout, stderr := runProgram(t, t.Context(), "demo", "--agent", "--config", file, "--plan", plan, "--calls", "1", "--out", filepath.Join(dir, plan), "--timeout", "50s")
		late := strings.Contains(stderr, "is this machine busy?") // then nothing else is wrong
		if code != exitDone && !late || !strings.Contains(stdout, want) || strings.Contains(stdout, "bot.example") {
			t.Errorf("%s: exit %d\n%s%s", plan, code, stdout, stderr)
		}
	}
}

// A caller's sentences have no pause that a bot would take for their end.
func TestVoiceWithoutPauses(t *testing.T) {
	frames := func(n int, v int16) (list []int16) {
		for range n * 320 {
			list = append(list, v)
		}
		return list
	}
	voice := &switchsim.Voice{Rate: 16000, PCM: append(append(frames(60, 2000), frames(50, 3)...), frames(40, -2000)...)}
	words, err := withoutPauses(voice)
	if err != nil {
		t.Fatal(err)
	}
	if len(words) != 110*320 || !bot.Loud(words[:320]) || bot.Loud(words[60*320:70*320]) || int16(binary.LittleEndian.Uint16(words[70*320:])) != -2000 {
		t.Errorf("%d bytes", len(words))
	}
	if _, err := withoutPauses(&switchsim.Voice{Rate: 8000, PCM: make([]int16, 80_000)}); err == nil || !strings.Contains(err.Error(), "less than a second that is not silent") {
		t.Error(err)
	}
}
