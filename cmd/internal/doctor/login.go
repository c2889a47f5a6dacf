package doctor

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"strings"

	"tapdeck/cmd/internal/callview"
)

// Login is where and how to log in to an inbound event socket.
type Login struct{ Address, Password string }

// StockLogin is that of FreeSWITCH's own example configuration.
func StockLogin() Login {
	return Login{Address: "127.0.0.1:" + stockPort, Password: "ClueCon"}
}

const stockPort = "8021"

// ReadLogin reads a file whose first line is the password, which gives no address, or
// FreeSWITCH's event_socket.conf.xml. Errors never hold what is in it.
func ReadLogin(path string) (Login, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Login{}, err
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) {
		return parseEventSocketConf(path, data)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return Login{}, fmt.Errorf("%s: its first line is empty", path)
	}
	return Login{Password: line}, nil
}

// parseEventSocketConf reads address and password from FreeSWITCH's own file.
func parseEventSocketConf(path string, data []byte) (Login, error) {
	var file struct {
		Settings []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"settings>param"`
	}
	if err := xml.Unmarshal(data, &file); err != nil {
		return Login{}, fmt.Errorf("%s: is no XML that can be read", path) // without err, which may hold some of it
	}
	values := map[string]string{}
	for _, s := range file.Settings {
		if strings.Contains(s.Value, "$${") && (s.Name == "password" || s.Name == "listen-ip" || s.Name == "listen-port") {
			return Login{}, fmt.Errorf("%s: %s comes from a variable of vars.xml: give it yourself", path, s.Name)
		}
		values[s.Name] = s.Value
	}
	if values["password"] == "" {
		return Login{}, fmt.Errorf("%s: there is no password in its settings", path)
	}
	listen := net.JoinHostPort(values["listen-ip"], cmp.Or(values["listen-port"], stockPort))
	return Login{Address: callview.Dialable(listen), Password: values["password"]}, nil
}
