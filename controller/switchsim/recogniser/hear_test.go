package recogniser

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapdeck/controller/switchsim/audio"
)

const ms = time.Millisecond

// within20ms is how exact positions are.
var within20ms = cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() <= 20*ms })

// ignoreOrder is for words of several channels that begin at about the same time.
var ignoreOrder = cmpopts.SortSlices(func(a, b Word) bool {
	return a.Channel < b.Channel || a.Channel == b.Channel && a.From < b.From
})

// expect is what there is to hear of one channel.
func expect(channel int, said []Spoken) []Word {
	var words []Word
	for _, s := range said {
		if s.Word != "" && s.Word != Hum {
			words = append(words, Word{channel, s.Word, s.At, s.At + s.length()})
		}
	}
	return words
}

// everything says all words, the shortest first, with pauses of 0 to 60 ms.
func everything(at time.Duration) []Spoken {
	var said []Spoken
	for i, w := range Words() {
		s := Spoken{at, time.Duration(60+15*i) * ms, w}
		said = append(said, s)
		at += s.Length + time.Duration(i%5)*15*ms
	}
	return said
}

// quieter is audio at a share of its amplitude, with noise of so much.
func quieter(pcm []byte, share float64, noise int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, len(pcm))
	for i := 0; i < len(b); i += 2 {
		v := float64(int16(binary.LittleEndian.Uint16(pcm[i:])))*share + float64(random.IntN(2*noise+1)-noise)
		binary.LittleEndian.PutUint16(b[i:], uint16(int16(v)))
	}
	return b
}

func TestHearsEachWordWhereItIs(t *testing.T) {
	ways := map[string]func([]byte) []byte{
		"as it is": func(pcm []byte) []byte { return pcm },
		"µ-law":    func(pcm []byte) []byte { audio.Companded(pcm); return pcm },
		"quiet":    func(pcm []byte) []byte { return quieter(pcm, 0.2, 0) },
		"loud":     func(pcm []byte) []byte { return quieter(pcm, 4, 0) },
		"noise":    func(pcm []byte) []byte { return quieter(pcm, 1, 200) },
	}
	for _, rate := range []int{8000, 11025, 16000, 48000} {
		for name, way := range ways {
			for offset := time.Duration(0); offset < 20*ms; offset += 3300 * time.Microsecond {
				said := everything(100*ms + offset)
				if diff := cmp.Diff(expect(0, said), Hear(rate, 1, way(Say(rate, said...))), within20ms); diff != "" {
					t.Fatalf("%s at %d Hz, from %v on: %s", name, rate, offset, diff)
				}
			}
		}
	}
}

// Without noise a word's edge is known to 5 ms, and to 8 ms if another word is next to it.
func TestEdges(t *testing.T) {
	for offset := time.Duration(0); offset < 20*ms; offset += 1100 * time.Microsecond {
		said := []Spoken{{At: 100*ms + offset, Word: "no", Length: 90 * ms}, {At: 190*ms + offset, Word: "one", Length: 90 * ms}}
		got := Hear(8000, 1, Say(8000, said...))
		if len(got) != 2 {
			t.Fatalf("from %v on: %v", offset, got)
		}
		for i, bound := range []time.Duration{5 * ms, 8 * ms, 8 * ms, 5 * ms} {
			edges := []time.Duration{got[0].From - said[0].At, got[0].To - said[1].At, got[1].From - said[1].At, got[1].To - said[1].At - 90*ms}
			if edges[i].Abs() > bound {
				t.Errorf("from %v on: edges %v", offset, edges)
			}
		}
	}
}

func TestHearsEachChannelOnItsOwn(t *testing.T) {
	left := []Spoken{{At: 100 * ms, Word: "one"}, {At: 500 * ms, Word: "two"}}
	right := []Spoken{{At: 110 * ms, Word: "stop"}, {At: 2 * time.Second, Word: "goodbye"}}
	words := Hear(8000, 2, Interleave(Say(8000, left...), Say(8000, right...)))
	if diff := cmp.Diff(append(expect(0, left), expect(1, right)...), words, within20ms, ignoreOrder); diff != "" {
		t.Error(diff)
	}
	if words[0].Word != "one" || words[3].Word != "goodbye" {
		t.Errorf("not in order: %v", words)
	}
}

// tones is a sum of sines, in Hz.
func tones(rate int, d time.Duration, hz ...float64) []byte {
	pcm := make([]byte, 2*samples(d, rate))
	for i := range len(pcm) / 2 {
		v := 0.0
		for _, f := range hz {
			v += 6000 * math.Sin(2*math.Pi*f*float64(i)/float64(rate))
		}
		binary.LittleEndian.PutUint16(pcm[2*i:], uint16(int16(v)))
	}
	return pcm
}

func TestWhatIsNoWord(t *testing.T) {
	for name, pcm := range map[string][]byte{
		"silence":       make([]byte, 16000),
		"a hum":         Say(8000, Spoken{Word: Hum, Length: time.Second}),
		"too short":     Say(8000, Spoken{Word: "one", At: 7 * ms, Length: 40 * ms}),
		"too quiet":     quieter(Say(8000, Spoken{Word: "one"}), 0.03, 0),
		"noise":         quieter(make([]byte, 160000), 1, 10000),
		"a prompt":      tones(8000, time.Second, 350),
		"a caller":      tones(8000, time.Second, 440),
		"a bot":         tones(8000, time.Second, 660),
		"digits of bot": tones(8000, time.Second, 880),
		"a beep":        tones(8000, time.Second, 1000),
		"key 1":         tones(8000, time.Second, 697, 1209),
		"key 5":         tones(8000, time.Second, 770, 1336),
		"key #":         tones(8000, time.Second, 941, 1477),
		"key D":         tones(8000, time.Second, 941, 1633),
		"two at once":   tones(8000, time.Second, Frequency("one"), Frequency("four")),
		"half a sample": {1},
	} {
		if words := Hear(8000, 1, pcm); words != nil {
			t.Errorf("%s: heard %v", name, words)
		}
	}
}

// A lost frame does not end a word, and 60 ms of silence do.
func TestPauseInAWord(t *testing.T) {
	pcm := Say(8000, Spoken{Word: "two", Length: 400 * ms})
	clear(pcm[320*10 : 320*11])
	if words := Hear(8000, 1, pcm); len(words) != 1 || words[0].To < 380*ms {
		t.Errorf("with 20 ms of silence: %v", words)
	}
	clear(pcm[320*10 : 320*13])
	if words := Hear(8000, 1, pcm); len(words) != 2 {
		t.Errorf("with 60 ms of silence: %v", words)
	}
}

// A word that a hum surrounds is heard all the same.
func TestWordInAHum(t *testing.T) {
	said := []Spoken{{0, 333 * ms, Hum}, {333 * ms, 150 * ms, "five"}, {483 * ms, 300 * ms, Hum}}
	if diff := cmp.Diff(expect(0, said), Hear(8000, 1, Say(8000, said...)), within20ms); diff != "" {
		t.Error(diff)
	}
}

func TestSay(t *testing.T) {
	pcm := Say(8000, Spoken{At: 100 * ms, Word: "thanks"}, Spoken{At: 400 * ms, Length: 100 * ms})
	if len(pcm) != 8000 {
		t.Errorf("%d bytes", len(pcm))
	}
	for i := 0; i < len(pcm); i += 2 {
		a := int16(binary.LittleEndian.Uint16(pcm[i:]))
		if spoken := i >= 1600 && i < 4800; !spoken && a != 0 {
			t.Fatalf("sample %d is %d", i/2, a)
		}
		if near := i < 1616 || i >= 4784; near && (a > 2000 || a < -2000) {
			t.Fatalf("a click at sample %d: %d", i/2, a)
		}
	}
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "simulated") {
			t.Errorf("panic %q", p)
		}
	}()
	Say(8000, Spoken{Word: "simulated"})
}

// What is heard does not depend on how the audio was cut into messages.
func TestAnyMessages(t *testing.T) {
	pcm := Interleave(Say(8000, everything(33*ms)...), Say(8000, everything(151*ms)...))
	want := Hear(8000, 2, pcm)
	random := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		h := newHearing(8000, 2, false, false)
		for rest := pcm; len(rest) > 0; {
			n := min(len(rest), random.IntN(3000))
			h.add(rest[:n], nothing)
			rest = rest[n:]
		}
		h.finish(nothing)
		if diff := cmp.Diff(want, h.words(8000)); diff != "" {
			t.Fatal(diff)
		}
	}
	if len(want) != 2*len(Words()) {
		t.Errorf("heard %v", want)
	}
}

func TestFrequencies(t *testing.T) {
	if Frequency("one") != 500 || Frequency(Hum) != 600 || Frequency("simulated") != 0 || len(Words()) < 10 {
		t.Errorf("%v %v %v %v", Frequency("one"), Frequency(Hum), Frequency("simulated"), Words())
	}
}

func BenchmarkHear(b *testing.B) {
	for name, said := range map[string][]Spoken{
		"silence": {{Length: 10 * time.Second}}, "words": {{Word: "thanks", Length: 10 * time.Second}}, "hum": {{Word: Hum, Length: 10 * time.Second}},
	} {
		b.Run(name, func(b *testing.B) {
			pcm := Say(8000, said...)
			for b.Loop() {
				Hear(8000, 1, pcm)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/frame")
		})
	}
}
