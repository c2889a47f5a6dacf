package player_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tapdeck/controller/player"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// bed is a player by hand: what it does to the switch is noted, and nothing happens by itself.
type bed struct {
	*player.Player
	t    *testing.T
	now  time.Time
	dir  string
	logs *observer.ObservedLogs

	plays  []string // ids are their numbers, from 0
	sent   []sent
	breaks int
	marks  []string
	during func() // is called while a command runs
	err    error  // of commands
	down   error  // of Send
}

// sent is a streamAudio.
type sent struct {
	Type string `json:"type"`
	Data struct {
		Kind  string `json:"audioDataType"`
		Rate  int    `json:"sampleRate"`
		Tag   string `json:"tapdeck"`
		Audio []byte `json:"audioData"`
	} `json:"data"`
}

func (b *bed) Play(file string) (string, error) {
	b.call()
	b.plays = append(b.plays, file)
	return strconv.Itoa(len(b.plays) - 1), b.err
}

func (b *bed) Break() error {
	b.call()
	b.breaks++
	return b.err
}

func (b *bed) Send(text []byte) error {
	b.call()
	var s sent
	if err := json.Unmarshal(text, &s); err != nil {
		b.t.Errorf("a message is not JSON: %v", err)
	}
	if b.down == nil {
		b.sent = append(b.sent, s)
	}
	return b.down
}

func (b *bed) Live() bool { return !errors.Is(b.down, player.ErrNoStream) }

func (b *bed) call() {
	if during := b.during; during != nil {
		b.during = nil
		during()
	}
}

// byHand is the switch of a bed, whose Play would hide the player's.
type byHand struct{ b *bed }

func (h byHand) Play(file string) (string, error) { return h.b.Play(file) }
func (h byHand) Break() error                     { return h.b.Break() }
func (h byHand) Send(text []byte) error           { return h.b.Send(text) }
func (h byHand) Live() bool                       { return h.b.Live() }

// newBed returns a bed with method files, unless c says another.
func newBed(t *testing.T, c player.Config) *bed {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	b := &bed{t: t, now: time.Now(), logs: logs}
	if c.Rate == 0 {
		c.Rate = 8000
	}
	if c.Method == "" {
		c.Method, c.Directory = player.MethodFiles, t.TempDir()
	}
	c.Call, b.dir = "call/1", c.Directory
	b.Player = player.New(c, byHand{b}, zap.New(core), nil)
	t.Cleanup(b.Close)
	return b
}

// say queues so much audio at 8 kHz, whose samples are numbered from first on, and advances.
func (b *bed) say(d time.Duration, first int) {
	b.Player.Play(numbered(d, first), 8000)
	b.advance(0)
}

// numbered is audio of which each sample is one more than the one before, and none is 0.
func numbered(d time.Duration, first int) []byte {
	var pcm []byte
	for i := range int(d / (time.Second / 8000)) {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16((first+i)%65535+1))
	}
	return pcm
}

// advance lets time pass and advances.
func (b *bed) advance(d time.Duration) {
	b.t.Helper()
	b.now = b.now.Add(d)
	if err := b.Advance(b.now); err != nil {
		b.t.Fatal(err)
	}
}

// lengths are those of the files that were played and are still there.
func (b *bed) lengths() (all []time.Duration) {
	for _, f := range b.plays {
		if pcm, err := os.ReadFile(f); err == nil {
			all = append(all, time.Duration(len(pcm)/2)*time.Second/8000)
		}
	}
	return all
}

// done completes playback n, of which so much was heard, and advances.
func (b *bed) done(n int, response string, heard time.Duration) (ours bool) {
	b.t.Helper()
	ours = b.Completed(player.Completion{ID: strconv.Itoa(n), Played: player.Played{Response: response, Heard: heard}, At: b.now})
	b.advance(0)
	return ours
}

func (b *bed) played(n int, heard time.Duration) {
	b.t.Helper()
	if !b.done(n, "FILE PLAYED", heard) {
		b.t.Errorf("playback %d is unknown", n)
	}
}

// mark queues a mark that is noted in marks, with a ! if it was cleared.
func (b *bed) mark(name string) {
	b.Mark(func(cleared bool) {
		if cleared {
			name += "!"
		}
		b.marks = append(b.marks, name)
	})
}

func (b *bed) wantMarks(want string) {
	b.t.Helper()
	if got := strings.Join(b.marks, " "); got != want {
		b.t.Errorf("marks %q, want %q", got, want)
	}
}

func (b *bed) wantPlays(want int) {
	b.t.Helper()
	if len(b.plays) != want {
		b.t.Fatalf("%d playbacks, want %d", len(b.plays), want)
	}
}

func (b *bed) wantLengths(want ...time.Duration) {
	b.t.Helper()
	if got := b.lengths(); !slices.Equal(got, want) {
		b.t.Fatalf("chunks of %v, want %v", got, want)
	}
}

func (b *bed) wantUtterances(want ...player.Utterance) {
	b.t.Helper()
	if got := b.Utterances(); !slices.Equal(got, want) {
		b.t.Errorf("utterances %v, want %v", got, want)
	}
}

// name says what mod_audio_stream would of message n, and advances.
func (b *bed) name(n int) {
	b.t.Helper()
	b.nameIt(b.sent[n].Data.Tag, fmt.Sprintf("/tmp/x_%d.tmp.r8", n))
}

func (b *bed) nameIt(tag, file string) {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{"audioDataType": "raw", "sampleRate": 8000, "tapdeck": tag, "file": file})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Named(string(body), b.now)
	b.advance(0)
}

// files are what is left in the directory.
func (b *bed) files() []string {
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, filepath.Join(b.dir, e.Name()))
	}
	return names
}

// wantLog wants a warning with a hint and the mark of the daemon's limit.
func (b *bed) wantLog(message string) {
	b.t.Helper()
	lines := b.logs.FilterMessage(message).All()
	if len(lines) == 0 {
		b.t.Fatalf("no line %q", message)
	}
	if hint, _ := lines[0].ContextMap()["hint"].(string); lines[0].Level != zap.WarnLevel || hint == "" {
		b.t.Errorf("line %q has level %v and hint %q", message, lines[0].Level, hint)
	}
	if !slices.ContainsFunc(lines[0].Context, func(f zap.Field) bool { return f.Key == "ratelog" }) {
		b.t.Errorf("line %q is not limited", message)
	}
}

func (b *bed) wantState(want player.State) {
	b.t.Helper()
	if got := b.State(); got != want {
		b.t.Errorf("state %+v, want %+v", got, want)
	}
}

const ms = time.Millisecond

var errGone = errors.New("gone")
