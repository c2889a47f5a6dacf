package config

import "strings"

// nearest returns the candidate most like word, or "" if none is near. If none
// is like the whole word, it is one with the same last part after a dot
// ("listen" is near to "esl.listen"), or one that word begins or that begins
// word ("warning" is near to "warn").
func nearest(word string, candidates []string) string {
	best := closest(word, candidates, max(2, len(lastPart(word))/3))
	if best != "" {
		return best
	}
	for _, c := range candidates {
		if strings.EqualFold(lastPart(c), lastPart(word)) || begins(c, word) || begins(word, c) {
			return c
		}
	}
	return ""
}

// closest returns the candidate with the least distance from word, which is at
// most that; "" if there is none.
func closest(word string, candidates []string, most int) string {
	const longest = 100
	if len(word) > longest {
		return ""
	}
	best, least := "", most+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

func begins(word, start string) bool {
	const enough = 3
	return len(start) >= enough && len(word) > len(start) && word[len(start)] != '.' && strings.EqualFold(word[:len(start)], start)
}

// nearestKey is nearest for a key of f, which may be nil, at the path parent: the
// keys below f come first, then all others.
func (root *field) nearestKey(f *field, parent, name string) string {
	if f != nil && parent != "" {
		if near := nearest(name, f.paths("")); near != "" {
			return join(parent, near)
		}
	}
	return nearest(join(parent, name), root.paths(""))
}

func lastPart(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// distance is the number of letters to put in, take out, change or swap with
// their neighbour to make b of a.
func distance(a, b string) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := prev[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(prev[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
