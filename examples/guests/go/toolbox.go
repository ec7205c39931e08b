//go:build wasip1

// Toolbox is a guest in Go that uses all of communication/guest/go/wasm_sandbox.go. What its
// exports do is said in ../c/toolbox.c.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	sandbox "wasmsandbox"
)

func main() {}

type object = map[string]any

//go:wasmexport greet
func greet(request, length uint32) uint64 {
	return sandbox.ServeJSON(request, length, func(name json.RawMessage) (object, error) {
		var text string
		if json.Unmarshal(name, &text) != nil || string(name) == "null" {
			return nil, errors.New("expected a JSON string")
		}
		return object{"greeting": "Hello, " + text + "!"}, nil
	})
}

//go:wasmexport echo
func echo(request, length uint32) uint64 {
	return sandbox.Serve(request, length, func(request []byte) ([]byte, error) { return request, nil })
}

//go:wasmexport reverse
func reverse(request, length uint32) uint64 {
	return sandbox.Serve(request, length, func(request []byte) ([]byte, error) {
		reply := slices.Clone(request)
		slices.Reverse(reply)
		return reply, nil
	})
}

//go:wasmexport lookup
func lookup(request, length uint32) uint64 {
	return sandbox.ServeJSON(request, length, func(key any) (value any, err error) {
		err = sandbox.CallJSON("kv.get", key, &value)
		return value, err
	})
}

//go:wasmexport relay
func relay(request, length uint32) uint64 {
	return sandbox.Serve(request, length, func(request []byte) ([]byte, error) {
		return sandbox.Call("blob.turn", request)
	})
}

//go:wasmexport store_error
func storeError(request, length uint32) uint64 {
	return sandbox.Serve(request, length, func(key []byte) ([]byte, error) {
		answer, err := sandbox.Call("kv.get", key)
		var fault *sandbox.Fault
		if errors.As(err, &fault) {
			return fmt.Appendf(nil, `{"status":%d,"fault":%s}`, fault.Status, orNull(fault.Document)), nil
		}
		return fmt.Appendf(nil, `{"status":0,"answer":%s}`, orNull(answer)), err
	})
}

//go:wasmexport converse
func converse(request, length uint32) uint64 {
	return sandbox.ServeJSON(request, length, func(ms int64) (object, error) {
		timeout := sandbox.Forever
		if ms >= 0 {
			timeout = time.Duration(ms) * time.Millisecond
		}
		for messages := 0; ; messages++ {
			message, err := sandbox.Receive(timeout)
			timedOut := errors.Is(err, os.ErrDeadlineExceeded)
			if timedOut || err == io.EOF {
				return object{"messages": messages, "timedOut": timedOut}, nil
			}
			if err == nil {
				err = sandbox.Send(fmt.Appendf(nil, `{"echo":%s}`, message))
			}
			if err != nil {
				return nil, err
			}
		}
	})
}

var piece [64 << 10]byte

//go:wasmexport upper
func upper(request, length uint32) uint64 {
	return sandbox.ServeJSON(request, length, func(any) (object, error) {
		total := 0
		for {
			length, err := sandbox.Source.Read(piece[:])
			if err == io.EOF {
				return object{"bytes": total}, nil
			}
			if err != nil {
				return nil, err
			}
			for index, letter := range piece[:length] {
				if letter >= 'a' && letter <= 'z' {
					piece[index] = letter ^ 0x20
				}
			}
			if _, err := sandbox.Sink.Write(piece[:length]); err != nil {
				return nil, err
			}
			total += length
		}
	})
}

//go:wasmexport sip
func sip(request, length uint32) uint64 {
	return sandbox.ServeJSON(request, length, func(size int) (object, error) {
		if size < 0 || size > 64 {
			return nil, errors.New("expected a number up to 64")
		}
		if _, err := sandbox.Sink.Write(nil); err != nil {
			return nil, err
		}
		reads, total, buffer := 0, 0, make([]byte, size)
		for {
			length, err := sandbox.Source.Read(buffer)
			if err == io.EOF {
				return object{"reads": reads, "bytes": total}, nil
			}
			if err == nil {
				_, err = sandbox.Sink.Write(buffer[:length])
			}
			if err != nil {
				return nil, err
			}
			reads++
			total += length
		}
	})
}

//go:wasmexport chatter
func chatter(request, length uint32) uint64 {
	return sandbox.ServeJSON(request, length, func(line json.RawMessage) (object, error) {
		for level := sandbox.Trace; level <= sandbox.Error; level++ {
			sandbox.Log(level, string(line))
		}
		return object{"lines": 5}, nil
	})
}

//go:wasmexport refuse
func refuse(request, length uint32) uint64 {
	return sandbox.Serve(request, length, func(request []byte) ([]byte, error) {
		return nil, fmt.Errorf("refused: %s", request)
	})
}

//go:wasmexport fetch
func fetch(request, length uint32) uint64 {
	return sandbox.ServeJSON(request, length, func(url string) (object, error) {
		response, err := sandbox.HTTP(sandbox.Request{
			URL:     url,
			Method:  "POST",
			Headers: [][2]string{{"content-type", "text/plain"}},
			Body:    []byte("ping"),
		})
		if err != nil {
			return nil, err
		}
		return object{"header": response, "bytes": len(response.Body)}, nil
	})
}

//go:wasmexport host_version
func hostVersion() uint32 { return sandbox.Version() }

func orNull(document []byte) []byte {
	if len(bytes.TrimSpace(document)) == 0 {
		return []byte("null")
	}
	return document
}
