package switchsim

import "strconv"

// atoi reads a number as C does: leading digits, else 0.
func atoi(s string) int {
	end := 0
	for end < len(s) && end < 10 && (s[end] >= '0' && s[end] <= '9' || end == 0 && s[end] == '-') {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil {
		return 0
	}
	return n
}

func itoa(n int) string { return strconv.Itoa(n) }
