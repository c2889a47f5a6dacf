package sink

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"tapdeck/sink/store"
	"tapdeck/wav"

	"github.com/google/go-cmp/cmp"
)

func TestOneSocketAtATime(t *testing.T) {
	b := serve(t, testConfig(t))
	r := b.expect(testCall(testID))
	path := strings.TrimPrefix(r.URL(), r.cfg.Advertise)
	s := b.connect(r)
	if _, resp := b.request(path); resp.StatusCode != http.StatusConflict {
		t.Errorf("a second socket: %s", resp.Status)
	}
	s.audio(speech(1, 160))
	s.hangUp()
	awaitGone(t, r, 1)
	s = b.connect(r) // the ticket is the call's, not the socket's
	s.hangUp()
	b.finish(r)
	if _, resp := b.request(path); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a socket after Finish: %s", resp.Status)
	}
}

func TestExpectRefuses(t *testing.T) {
	cfg := testConfig(t)
	cfg.MaxStreams = 2
	b := serve(t, cfg)
	first := b.expect(testCall(testID))
	_, err := b.sink.Expect(testCall(testID))
	wantError(t, err, ErrDuplicate)
	b.expect(testCall(newID()))
	_, err = b.sink.Expect(testCall(newID()))
	wantError(t, err, ErrTooManyStreams)
	b.finish(first)
	b.expect(testCall(newID()))

	<-b.sink.space.known
	low := cfg
	low.MaxStreams, low.MinFree = 0, 1<<62
	b.sink.Update(low)
	_, err = b.sink.Expect(testCall(newID()))
	wantError(t, err, ErrDiskLow)
	for _, id := range []string{"", "two words", strings.ToUpper(testID), testID + "\n", "a\xff", strings.Repeat("a", 257)} {
		var field *wav.FieldError
		if _, err := b.sink.Expect(testCall(id)); !asError(err, &field) || field.Field != "call" {
			t.Errorf("Expect(%q): %v", id, err)
		}
	}
	b.stop()
	_, err = b.sink.Expect(testCall(newID()))
	if err == nil {
		t.Error("Expect after the end")
	}
}

// A socket that was expected before the disk ran low is refused, one that continues a
// recording is not.
func TestDiskLow(t *testing.T) {
	cfg := testConfig(t)
	b := serve(t, cfg)
	begun, waiting := b.expect(testCall(testID)), b.expect(testCall(newID()))
	s := b.connect(begun)
	s.hangUp()
	awaitGone(t, begun, 1)
	<-b.sink.space.known
	cfg.MinFree = 1 << 62
	b.sink.Update(cfg)
	if _, resp := b.request(strings.TrimPrefix(waiting.URL(), cfg.Advertise)); resp.StatusCode != 503 {
		t.Errorf("a new recording: %s", resp.Status)
	}
	b.connect(begun).hangUp()
	b.finish(begun)
}

func TestFinishTwiceAndSaveTwice(t *testing.T) {
	b := serve(t, testConfig(t))
	r := b.expect(testCall(testID))
	if _, err := r.Save(r.call); err == nil {
		t.Error("Save before Finish")
	}
	b.connect(r).hangUp()
	for range 2 {
		if err := r.Finish(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(b.finish(r), b.finish(r)); diff != "" {
		t.Error(diff)
	}
}

// A conversation's times in the record are in the WAV.
func TestConversationEndsWithTheWAV(t *testing.T) {
	b := serve(t, testConfig(t))
	r := b.expect(testCall(testID))
	s := b.connect(r)
	s.audio(speech(1, 800))
	s.hangUp()
	if err := r.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	call := endedCall(r, "completed")
	call.Agent = &store.Agent{Utterances: []store.Utterance{{FromMS: 40, ToMS: 120}, {FromMS: 7000, ToMS: 8000}}}
	record, err := r.Save(call)
	want := []store.Utterance{{FromMS: 40, ToMS: 100}, {FromMS: 100, ToMS: 100}}
	if diff := cmp.Diff(want, record.Agent.Utterances); err != nil || record.AudioMS != 100 || diff != "" {
		t.Errorf("%v, %d ms, %s", err, record.AudioMS, diff)
	}
}
