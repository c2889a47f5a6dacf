package recogniser

// vocabulary is all that can be said. The frequencies, in Hz, are so far apart that 20 ms tell them apart,
// and as far from those of the switch's other voices: 350, 440, 660, 880 and 1000 Hz.
var vocabulary = [...]struct {
	word string
	hz   float64
}{
	{"one", 500},
	{"two", 700},
	{"three", 940},
	{"four", 1100},
	{"five", 1300},
	{"stop", 1500},
	{"goodbye", 1700},
	{"hello", 1900},
	{"yes", 2100},
	{"no", 2300},
	{"help", 2500},
	{"thanks", 2700},
}

// Hum is what [Say] makes a tone of that is no word.
const Hum = "hum"

// humHz lies between two words, and is neither to a window of 20 ms.
const humHz = 600

// Words are all that can be said and heard.
func Words() []string {
	words := make([]string, len(vocabulary))
	for i, v := range vocabulary {
		words[i] = v.word
	}
	return words
}

// Frequency is a word's or Hum's, in Hz; 0 if it is neither.
func Frequency(word string) float64 {
	if word == Hum {
		return humHz
	}
	for _, v := range vocabulary {
		if v.word == word {
			return v.hz
		}
	}
	return 0
}
