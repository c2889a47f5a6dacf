package config

import (
	"cmp"
	"slices"
	"strings"
)

// nearest returns the candidate most like word, or "" if none is near. If none
// is like the whole word, it is one whose last part after a dot begins as that of
// word does ("drain" is near to "drain_timeout"), or that its begins with
// ("warning" is near to "warn").
func nearest(word string, candidates []string) string {
	const longest, enough = 100, 3
	if len(word) > longest {
		return ""
	}
	word = strings.ToLower(word)
	best, least, alike := "", enough, ""
	for _, c := range candidates {
		a, b := lastPart(word), strings.ToLower(lastPart(c))
		if d := distance(word, strings.ToLower(c)); d < least && d < len(word) {
			best, least = c, d
		} else if alike == "" && min(len(a), len(b)) >= enough && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)) {
			alike = c
		}
	}
	return cmp.Or(best, alike)
}

// withPart returns the first of the names, whose parts are joined by _, that ends in word, else the
// first that has it as a part, else "".
func withPart(word string, names []string) string {
	const shortest = 3
	if len(word) < shortest {
		return ""
	}
	part := "_" + strings.ToUpper(word)
	i := slices.IndexFunc(names, func(name string) bool { return strings.HasSuffix("_"+name, part) })
	if i < 0 {
		i = slices.IndexFunc(names, func(name string) bool { return strings.Contains("_"+name+"_", part+"_") })
	}
	if i < 0 {
		return ""
	}
	return names[i]
}

func lastPart(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// nearestKey is nearest for a key of below at the path parent: the keys of below come
// first, then all others of f.
func (f *field) nearestKey(below *field, parent, name string) string {
	if near := nearest(name, below.paths("")); near != "" {
		return join(parent, near)
	}
	return nearest(join(parent, name), f.paths(""))
}

// distance is the number of letters to put in, take out or change to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j]+1, diagonal+1, change)
		}
	}
	return row[len(b)]
}
