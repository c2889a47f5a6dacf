package sink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"tapdeck/sink/track"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The tests of this file run in fake time, over an in-memory listener.

func TestHourLongCall(t *testing.T) {
	length := time.Hour
	if raced {
		length = 2 * time.Minute
	}
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		began := time.Now()
		s := b.connect(r)
		block := speech(1, 8000*10)
		sum := sha256.New()
		for range length / (10 * time.Second) {
			s.play(block)
			sum.Write(block)
		}
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		want := track.Sound{
			AudioMS: length.Milliseconds(), Bytes: 16 * length.Milliseconds(), LargestPauseMS: 20,
			Connections: 1, RMSDBFS: record.RMSDBFS, PeakDBFS: record.PeakDBFS,
		}
		if record.AudioSHA256 != hex.EncodeToString(sum.Sum(nil)) {
			t.Error("the audio differs from what was sent")
		}
		if diff := cmp.Diff(want, record.Sound); diff != "" {
			t.Errorf("sound (-want +got):\n%s", diff)
		}
		if took := time.Since(began); took != length {
			t.Errorf("the call took %v", took)
		}
		if record.Alarms != nil {
			t.Errorf("alarms %q", record.Alarms)
		}
	})
}

// A stream is cut twice; the record has both gaps and the WAV is as long as the call.
func TestGapsAreFilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		began := time.Now()
		one, two, three := speech(1, 8000*3), speech(2, 8000*2), speech(3, 8000*4)

		s := b.connect(r)
		s.play(one)
		first := time.Now()
		s.drop()
		awaitGone(t, r, 1)
		elapse(740 * time.Millisecond)
		gap1 := time.Since(first)
		s = b.connect(r)
		// What the switch queued while it connected comes in one burst (F59).
		elapse(100 * time.Millisecond)
		for at := 0; at < 1600; at += 320 {
			s.audio(two[at : at+320])
		}
		s.play(two[1600:])
		second := time.Now()
		s.drop()
		awaitGone(t, r, 2)
		elapse(1500 * time.Millisecond)
		gap2 := time.Since(second)
		s = b.connect(r)
		s.play(three)
		r.Stopping()
		s.hangUp()
		length := time.Since(began)
		record := b.finish(r)

		gaps := []track.Gap{
			{AtMS: 3000, MS: gap1.Milliseconds(), Reason: track.GapReconnect},
			{AtMS: 5000 + gap1.Milliseconds(), MS: gap2.Milliseconds(), Reason: track.GapReconnect},
		}
		if diff := cmp.Diff(gaps, record.Gaps); diff != "" {
			t.Errorf("gaps (-want +got):\n%s", diff)
		}
		if got := time.Duration(record.AudioMS) * time.Millisecond; got != length {
			t.Errorf("the WAV lasts %v, the call %v", got, length)
		}
		pcm, _ := readWAV(t, b.path(record.WAV))
		want := bytes.Join([][]byte{one, make([]byte, 16*gaps[0].MS), two, make([]byte, 16*gaps[1].MS), three}, nil)
		if !bytes.Equal(pcm, want) {
			t.Error("the WAV is not speech, silence, speech, silence, speech")
		}
		if record.MissingMS != gaps[0].MS+gaps[1].MS || record.Connections != 3 {
			t.Errorf("missing %d ms, %d connections", record.MissingMS, record.Connections)
		}
	})
}

// A socket that ends before the start of its audio is known loses none of it.
func TestShortSecondSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000))
		s.drop()
		awaitGone(t, r, 1)
		elapse(time.Second)
		s = b.connect(r)
		s.play(speech(2, 160))
		s.drop()
		record := b.finish(r)
		if diff := cmp.Diff([]track.Gap{{AtMS: 1000, MS: 1000, Reason: track.GapReconnect}}, record.Gaps); diff != "" {
			t.Errorf("gaps (-want +got):\n%s", diff)
		}
		pcm, _ := readWAV(t, b.path(record.WAV))
		if !bytes.HasSuffix(pcm, speech(2, 160)) {
			t.Error("the second socket's frame is not there")
		}
	})
}

func TestIdleSocketIsClosed(t *testing.T) {
	for name, before := range map[string]func(*socket){
		"no frame at all": func(*socket) {},
		"a ping":          func(s *socket) { elapse(700 * time.Millisecond); s.ping() },
		"audio":           func(s *socket) { s.play(speech(1, 8000*3)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig(t)
				cfg.IdleTimeout = 12345 * time.Millisecond
				b := serve(t, cfg)
				r := b.expect(testCall(testID))
				s := b.connect(r)
				before(s)
				last := time.Now()
				s.answerClose(t, 1001)
				// A paced read sees the last frame up to a read interval late.
				if took := time.Since(last) - cfg.IdleTimeout; took < 0 || took >= cfg.ReadInterval {
					t.Errorf("closed %v after the idle timeout", took)
				}
				if name != "audio" && time.Since(last) != cfg.IdleTimeout {
					t.Errorf("closed after %v, want %v", time.Since(last), cfg.IdleTimeout)
				}
				if st := awaitGone(t, r, 1); st.LastEnd != EndIdle {
					t.Errorf("it ended by %q", st.LastEnd)
				}
			})
		})
	}
}

// answerClose reads the server's Close, which must have a status, echoes it as
// mod_audio_stream does, and waits for the end of the TCP connection (F63).
func (s *socket) answerClose(t *testing.T, status int) {
	t.Helper()
	for {
		first, payload, err := s.readFrame()
		if err != nil {
			t.Errorf("no Close frame: %v", err)
			return
		}
		if first != fin|opClose {
			continue
		}
		if got := int(payload[0])<<8 | int(payload[1]); got != status {
			t.Errorf("close status %d, want %d", got, status)
		}
		s.send(encodeFrame(fin|opClose, payload))
		break
	}
	if _, _, err := s.readFrame(); err == nil {
		t.Error("a frame came after the Close")
	}
}

// A peer that never answers a Close keeps neither the socket nor the TCP connection.
func TestPeerNeverAnswersClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000*2))
		began := time.Now()
		if err := r.Disconnect(context.Background()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > closeTimeout+50*time.Millisecond {
			t.Errorf("Disconnect took %v", took)
		}
		if status := s.awaitEnd(); status != 1001 {
			t.Errorf("close status %d", status)
		}
		if st := r.State(); st.Live || st.LastEnd != EndDisconnected {
			t.Errorf("state %+v", st)
		}
	})
}

// Disconnect and Finish keep what has arrived but was not read yet.
func TestAskedEndKeepsWhatHasArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		pcm := speech(1, 8000*3+160*5)
		s.play(pcm)
		synctest.Wait()
		go s.answerClose(t, 1001)
		if err := r.Disconnect(context.Background()); err != nil {
			t.Fatal(err)
		}
		record := b.finish(r)
		if got, _ := readWAV(t, b.path(record.WAV)); !bytes.Equal(got, pcm) {
			t.Errorf("%d bytes are in the file, %d were sent", len(got), len(pcm))
		}
	})
}

func TestStoppingAnswersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		for i := range 20 {
			s.play(speech(uint64(i), 8000*2))
		}
		r.Stopping()
		elapse(30 * time.Millisecond)
		began := time.Now()
		s.hangUp()
		if took := time.Since(began); took != 0 {
			t.Errorf("the Close was answered after %v", took)
		}
		b.finish(r)
	})
}

// Without Stopping, as when the caller hangs up, a paced socket is read in time too.
func TestHangupIsAnsweredWithinReadInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		b := serve(t, cfg)
		r := b.expect(testCall(testID))
		s := b.connect(r)
		s.play(speech(1, 8000*3))
		began := time.Now()
		s.hangUp()
		if took := time.Since(began); took > cfg.ReadInterval {
			t.Errorf("the Close was answered after %v", took)
		}
		record := b.finish(r)
		if record.MissingMS != 0 || record.LargestPauseMS > 20 {
			t.Errorf("missing %d ms, pause %d ms", record.MissingMS, record.LargestPauseMS)
		}
	})
}

// The file is at most a second behind what was sent, also when no more audio comes, and
// playable. By default there is a read interval left for the machine's load.
func TestFileIsAtMostASecondBehind(t *testing.T) {
	for interval, behind := range map[time.Duration]time.Duration{
		0:                      800 * time.Millisecond,
		200 * time.Millisecond: 800 * time.Millisecond,
		time.Second:            time.Second,
	} {
		t.Run(interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig(t)
				cfg.ReadInterval = interval
				b := serve(t, cfg)
				r := b.expect(testCall(testID))
				s := b.connect(r)
				part := b.path(callName(testID, time.Now())) + wavExt + partExt
				sent := 0
				check := func(behind time.Duration) {
					synctest.Wait()
					pcm, _ := readWAV(t, part)
					if late := mono8.Duration(int64(sent-len(pcm)) / 2); late > behind {
						t.Fatalf("the file is %v behind", late)
					}
				}
				for i := range 500 {
					s.play(speech(uint64(i), 160))
					sent += 320
					check(behind)
				}
				elapse(time.Second + cfg.ReadInterval)
				check(0)
				s.drop()
				b.finish(r)
			})
		})
	}
}

func TestFinishClosesWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		pcm := speech(1, 8000*2)
		s.play(pcm)
		go s.answerClose(t, 1001)
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		began := time.Now()
		if err := r.Finish(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 500*time.Millisecond || took > 550*time.Millisecond {
			t.Errorf("Finish took %v", took)
		}
		record, err := r.Save(endedCall(r, "completed"))
		if err != nil || record.AudioMS != 2000 || r.State().LastEnd != EndFinished {
			t.Errorf("%v, %d ms, %+v", err, record.AudioMS, r.State())
		}
	})
}

func TestShutdownPublishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		live, between := b.expect(testCall(testID)), b.expect(testCall(newID()))
		never := b.expect(testCall(newID()))
		s := b.connect(live)
		c := b.connect(between)
		c.play(speech(2, 800))
		c.hangUp()
		pcm := speech(1, 8000*2+160)
		s.play(pcm)
		go s.answerClose(t, 1001)
		b.stop()
		if _, err := b.sink.Expect(testCall(newID())); err == nil {
			t.Error("Expect works after the end")
		}
		for r, want := range map[*Recording][]byte{live: pcm, between: speech(2, 800)} {
			path := b.path(callName(r.call.Call, r.call.Started)) + wavExt
			if got, _ := readWAV(t, path); !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes, want %d", path, len(got), len(want))
			}
			record := b.finish(r) // late
			if diff := cmp.Diff(b.saved(record), record, cmp.Comparer(time.Time.Equal), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		}
		if record := b.finish(never); record.WAV != "" {
			t.Errorf("a WAV without a socket: %q", record.WAV)
		}
		if left, _ := os.ReadDir(b.path(time.Now().UTC().Format(dayForm))); len(left) != 5 {
			t.Errorf("the folder holds %v", left)
		}
	})
}
