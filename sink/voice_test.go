package sink

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"tapdeck/wav"
)

func TestAlarms(t *testing.T) {
	quiet := bytes.Repeat([]byte{0xff}, 320)
	for name, c := range map[string]struct {
		talk  func(*socket)
		alarm []string
	}{
		"2 s, and all is missing":   {func(s *socket) { s.ping(); elapse(2 * time.Second) }, []string{AlarmNoAudio}},
		"1.5 s, and all is missing": {func(s *socket) { s.ping(); elapse(1500 * time.Millisecond) }, []string{AlarmShort}},
		"audio after 1.9 s": {func(s *socket) {
			elapse(1900 * time.Millisecond)
			s.play(speech(1, 8000))
			elapse(60 * time.Millisecond)
		}, nil},
		"only silence": {func(s *socket) {
			for range 270 {
				s.play(quiet)
			}
		}, []string{AlarmSilence}},
		"only zeros": {func(s *socket) { s.play(make([]byte, 16000)) }, []string{AlarmSilence}},
		"a word after 6 s of silence": {func(s *socket) {
			for range 300 {
				s.play(quiet)
			}
			s.play(speech(1, 160))
		}, []string{AlarmSilence}},
		"a third is missing": {func(s *socket) {
			s.play(speech(1, 8000*2))
			elapse(time.Second)
			s.play(speech(1, 160))
		}, []string{AlarmShort}},
		"one of twenty is missing": {func(s *socket) {
			s.play(speech(1, 8000*18))
			elapse(time.Second)
			s.play(speech(1, 8000))
		}, nil},
		"at double rate": {func(s *socket) {
			for range 200 {
				elapse(frame)
				s.audio(speech(1, 320))
			}
		}, []string{AlarmLong}},
		"a quarter too fast": {func(s *socket) {
			for range 200 {
				elapse(frame)
				s.audio(speech(1, 200))
			}
		}, []string{AlarmLong}},
		"a burst at first": {func(s *socket) {
			elapse(100 * time.Millisecond)
			for range 100 {
				s.audio(speech(1, 160))
			}
			s.play(speech(1, 8000*3))
		}, nil},
		"a burst after a stall": {func(s *socket) {
			s.play(speech(1, 8000*3))
			elapse(2 * time.Second)
			s.audio(speech(1, 16000))
			s.play(speech(1, 8000))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := serve(t, testConfig(t))
				r := b.expect(testCall(testID))
				s := b.connect(r)
				c.talk(s)
				r.Stopping()
				s.hangUp()
				record := b.finish(r)
				if lost := record.MissingMS > 0; lost != strings.HasSuffix(name, "missing") {
					t.Errorf("%d ms are missing", record.MissingMS)
				}
				if diff := cmp.Diff(c.alarm, record.Alarms); diff != "" {
					t.Errorf("alarms (-want +got):\n%s", diff)
				}
				warned := b.logs.FilterMessage("stream alarm").FilterField(zap.String("call", testID))
				if warned.Len() != len(c.alarm) {
					t.Errorf("%d log lines, want %d", warned.Len(), len(c.alarm))
				}
				if sound := record.Sound; strings.HasPrefix(name, "only ") != sound.DigitalSilence {
					t.Errorf("digital silence: %t", sound.DigitalSilence)
				}
			})
		})
	}
}

func TestLongestRecording(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		cfg.MaxDuration = 5 * time.Second
		b := serve(t, cfg)
		r := b.expect(testCall(testID))
		s := b.connect(r)
		began := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.answerClose(t, 1008)
		}()
		for range 260 {
			elapse(frame)
			_, _ = s.c.Write(encodeFrame(fin|opBinary, make([]byte, 320)))
		}
		<-done
		st := awaitGone(t, r, 1)
		if st.LastEnd != EndMaxDuration || st.Err == nil {
			t.Errorf("state %+v", st)
		}
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("it took %v", took)
		}
		if _, resp := b.request(strings.TrimPrefix(r.URL(), cfg.Advertise)); resp.StatusCode != 503 {
			t.Errorf("another socket: %s", resp.Status)
		}
		if record := b.finish(r); record.AudioMS < 5000 || record.AudioMS > 5200 || !strings.Contains(record.Hint, "sink.max_duration") {
			t.Errorf("the recording lasts %d ms, hint %q", record.AudioMS, record.Hint)
		}
	})
}

func TestQuietAfterSpeech(t *testing.T) {
	hum := func(d time.Duration) []byte { return make([]byte, mono8.ByteRate()/1000*int(d.Milliseconds())) }
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		cfg.ReadInterval = 0
		b := serve(t, cfg)
		r := b.expect(testCall(testID))
		s := b.connect(r)
		quiet := func() bool { synctest.Wait(); return r.State().Speech == SpeechSilence }

		s.play(speech(1, 8000)) // before anybody watches
		s.play(hum(3 * time.Second))
		r.WatchSpeech(SpeechWatch{Silence: time.Second, Level: -40})
		s.play(hum(3 * time.Second))
		if quiet() {
			t.Fatal("quiet before the caller has spoken")
		}
		s.play(speech(2, 160)) // a click
		s.play(hum(2 * time.Second))
		if quiet() {
			t.Fatal("a click was taken for speech")
		}
		s.play(speech(3, 160*10))
		s.play(hum(500 * time.Millisecond))
		s.play(speech(4, 160*10))
		s.play(hum(980 * time.Millisecond))
		if quiet() {
			t.Fatal("quiet too early")
		}
		s.play(hum(frame))
		if !quiet() {
			t.Fatal("not quiet after 1 s")
		}
		r.WatchSpeech(SpeechWatch{Silence: time.Second, Level: -40})
		if quiet() {
			t.Fatal("an old answer to a new wish")
		}
		s.drop()
		b.finish(r)
	})
}

// In stereo only the left channel is the caller's.
func TestQuietHearsTheCallerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		cfg.ReadInterval = 0
		b := serve(t, cfg)
		call := testCall(testID)
		call.Channels, call.Mix = 2, "stereo"
		r := b.expect(call)
		r.WatchSpeech(SpeechWatch{Silence: 200 * time.Millisecond, Level: -40})
		s := b.connect(r)
		left, right := speech(1, 1600), speech(2, 8000)
		for i := 0; i < len(right); i += 2 {
			sample := []byte{0, 0, right[i], right[i+1]}
			if i < len(left) {
				copy(sample, left[i:i+2])
			}
			s.audio(sample)
		}
		await(t, r, "quiet", func(st State) bool { return st.Speech == SpeechSilence })
		s.drop()
		if record := b.finish(r); record.DigitalSilence || record.AudioMS != 1000 {
			t.Errorf("sound %+v", record.Sound)
		}
	})
}

// signal is so much noise, or a tone, of so many dBFS.
func signal(d time.Duration, noise, tone float64) []byte {
	rng := rand.New(rand.NewPCG(1, 1))
	var pcm []byte
	for i := range int(mono8.Frames(d)) {
		v := math.Pow(10, noise/20)*math.Sqrt(3)*(2*rng.Float64()-1) + math.Pow(10, tone/20)*math.Sqrt2*math.Sin(float64(i)*0.3)
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(math.Round(32768*v))))
	}
	return pcm
}

// A quiet caller, and one on a loud line, are heard with a level that follows the noise, and
// nothing else is; a fixed level hears the one never and the noise of the other always.
func TestSpeechLevel(t *testing.T) {
	for name, c := range map[string]struct {
		noise, tone float64 // dBFS
		auto, fixed Speech
	}{
		"quiet caller":         {-100, -46, SpeechSilence, SpeechNoInput},
		"quiet caller, noise":  {-70, -46, SpeechSilence, SpeechNoInput},
		"caller on loud line":  {-38, -20, SpeechSilence, SpeechNothing},
		"nobody on loud line":  {-38, -100, SpeechNoInput, SpeechNothing},
		"nobody on quiet line": {-100, -100, SpeechNoInput, SpeechNoInput},
	} {
		for level, want := range map[float64]Speech{0: c.auto, -40: c.fixed} {
			t.Run(fmt.Sprint(name, level), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := serve(t, testConfig(t))
					r := b.expect(testCall(testID))
					s := b.connect(r)
					s.play(signal(2*time.Second, c.noise, -100)) // a prompt, before anybody asks
					r.WatchSpeech(SpeechWatch{Silence: time.Second, NoInput: 4 * time.Second, Level: level})
					s.play(signal(time.Second, c.noise, -100))
					s.play(signal(2*time.Second, c.noise, c.tone))
					synctest.Wait()
					if got := r.State().Speech; got != SpeechNothing {
						t.Errorf("while the caller speaks: %q", got)
					}
					s.play(signal(3*time.Second, c.noise, -100))
					synctest.Wait()
					if got := r.State().Speech; got != want {
						t.Errorf("%q, want %q", got, want)
					}
					s.drop()
					b.finish(r)
				})
			})
		}
	}
}

// What has come first stays until there is a new wish.
func TestSpeechStateLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		s := b.connect(r)
		check := func(want Speech) {
			t.Helper()
			if synctest.Wait(); r.State().Speech != want {
				t.Errorf("%q, want %q", r.State().Speech, want)
			}
		}
		watch := SpeechWatch{Silence: time.Second, NoInput: 2 * time.Second}
		r.WatchSpeech(watch)
		s.play(make([]byte, 16000))
		s.play(speech(1, 8000))
		s.play(make([]byte, 16000*2))
		check(SpeechSilence)
		s.play(make([]byte, 16000*4)) // which is no input, either
		check(SpeechSilence)
		r.WatchSpeech(watch)
		check(SpeechNothing)
		s.play(make([]byte, 16000*3))
		check(SpeechNoInput)
		r.WatchSpeech(SpeechWatch{})
		s.play(make([]byte, 16000*9))
		check(SpeechNothing)
		s.drop()
		b.finish(r)
	})
}

func TestCuesMarkThePrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serve(t, testConfig(t))
		r := b.expect(testCall(testID))
		r.Mark("before any audio")
		s := b.connect(r)
		s.play(speech(1, 8000*2))
		r.Mark("prompt start")
		s.play(speech(1, 8000*3))
		r.Mark("prompt end")
		s.play(speech(1, 8000))
		r.Stopping()
		s.hangUp()
		record := b.finish(r)
		_, h := readWAV(t, b.path(record.WAV))
		want := []wav.Cue{{Label: "before any audio"}, {Frame: 16000, Label: "prompt start"}, {Frame: 40000, Label: "prompt end"}}
		if diff := cmp.Diff(want, h.Cues); diff != "" {
			t.Errorf("cues (-want +got):\n%s", diff)
		}
	})
}
