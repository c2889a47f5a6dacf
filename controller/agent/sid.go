package agent

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// CallSID returns a call's id as Twilio would write it: CA and 32 hexadecimal digits, those of the
// id if it is a UUID, else the first of its SHA-256.
func CallSID(id string) string {
	if digits, ok := uuidDigits(id); ok {
		return "CA" + digits
	}
	return "CA" + digest(id)
}

// StreamSID returns a new one, for one connection: MZ and 32 random hexadecimal digits.
func StreamSID() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return "MZ" + hex.EncodeToString(random[:])
}

// AccountSID returns the account that an instance's name stands for: AC and the first 32
// hexadecimal digits of its SHA-256.
func AccountSID(instance string) string { return "AC" + digest(instance) }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// uuidDigits returns a UUID without its dashes, in lower case.
func uuidDigits(id string) (string, bool) {
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return "", false
	}
	digits := strings.ToLower(strings.ReplaceAll(id, "-", ""))
	raw, err := hex.DecodeString(digits)
	return digits, err == nil && len(raw) == 16
}
