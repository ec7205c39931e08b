//go:build wasip1

// Package wasmsandbox is the guest's side of the guest ABI, version 1 (docs/guest-abi.md), for
// Go 1.24 and later.
//
// Put this file into a package of your module, and build a reactor:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o guest.wasm .
//
// A handler is a function of two numbers that is exported and passes them on:
//
//	//go:wasmexport lookup
//	func lookup(request, length uint32) uint64 {
//		return wasmsandbox.ServeJSON(request, length, func(key string) (value any, err error) {
//			err = wasmsandbox.CallJSON("kv.get", key, &value)
//			return value, err
//		})
//	}
//
//	func main() {}
//
// With that the module exports lookup, wasm_sandbox_alloc, wasm_sandbox_free and
// wasm_sandbox_abi_1. An error that a handler returns is told to the host, which throws it to the
// caller; the guest lives on. Go's runtime itself needs WASI: a clock and random numbers.
//
// Memory. A request is the host's: it is there until the handler returns. A reply is kept from
// the collector until the host gives it back. Answers are slices like any other. Nothing here
// panics: what the host refuses is a [*Fault].
package wasmsandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"
	"time"
	"unsafe"
)

// ABI is the version of the guest ABI that this package speaks.
const ABI = 1

// Forever is the timeout of Receive that is as long as the call may take.
const Forever time.Duration = -1

// Longest document that send, read and write leave behind.
const faultBytes = 4096

// Status says why the host did not do what it was asked for.
type Status uint32

// The statuses of the ABI.
const (
	Denied   Status = 1 // the policy does not permit it
	Unknown  Status = 2 // there is no such function, channel or stream
	Invalid  Status = 3 // the message is not what it must be
	Failed   Status = 4 // the function failed
	TooLarge Status = 5 // the message is too long
	Closed   Status = 6 // the channel or stream is closed
	TimedOut Status = 7 // it was not done in its time
)

// Level says how much a line of the log matters.
type Level uint32

// The levels of the log, least first.
const (
	Trace Level = iota
	Debug
	Info
	Warn
	Error
)

// A Fault is what the host says when it did not do what it was asked for.
type Fault struct {
	// Why.
	Status Status `json:"-"`
	// A word for programs, such as "not-found".
	Code string `json:"code"`
	// What it is, in a sentence.
	Message string `json:"message"`
	// Anything else that the host tells.
	Data json.RawMessage `json:"data,omitempty"`
	// All of it, as JSON.
	Document []byte `json:"-"`
}

// Error gives the message.
func (fault *Fault) Error() string {
	if fault.Message == "" {
		return "the host refused it with status " + strconv.Itoa(int(fault.Status))
	}
	return fault.Message
}

// Is makes errors.Is(fault, os.ErrDeadlineExceeded) and errors.Is(fault, os.ErrPermission) work.
func (fault *Fault) Is(target error) bool {
	switch fault.Status {
	case TimedOut:
		return target == os.ErrDeadlineExceeded
	case Denied:
		return target == os.ErrPermission
	}
	return false
}

//go:wasmimport wasm_sandbox version
func hostVersion() uint32

//go:wasmimport wasm_sandbox call
func hostCall(name unsafe.Pointer, nameLength uint32, input unsafe.Pointer, inputLength uint32) uint64

//go:wasmimport wasm_sandbox receive
func hostReceive(timeoutMs int32) uint64

//go:wasmimport wasm_sandbox take
func hostTake(buffer unsafe.Pointer, length uint32) uint32

//go:wasmimport wasm_sandbox send
func hostSend(message unsafe.Pointer, length uint32) int32

//go:wasmimport wasm_sandbox read
func hostRead(buffer unsafe.Pointer, length uint32) int32

//go:wasmimport wasm_sandbox write
func hostWrite(bytes unsafe.Pointer, length uint32) int32

//go:wasmimport wasm_sandbox log
func hostLog(level uint32, line unsafe.Pointer, length uint32)

//go:wasmimport wasm_sandbox fail
func hostFail(reason unsafe.Pointer, length uint32)

// Version gives the version of the ABI that the host speaks.
func Version() uint32 { return hostVersion() }

// Call calls a function of the host that takes and gives bytes.
func Call(name string, input []byte) ([]byte, error) {
	return answer(hostCall(
		unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)),
		unsafe.Pointer(unsafe.SliceData(input)), uint32(len(input)),
	))
}

// CallJSON calls a function of the host that takes and gives JSON.
func CallJSON(name string, input, output any) error {
	request, err := json.Marshal(input)
	if err != nil {
		return err
	}
	reply, err := Call(name, request)
	if err != nil {
		return err
	}
	return json.Unmarshal(reply, output)
}

// Receive takes the next message of the channel. Its error is io.EOF once the channel is closed
// and empty, and os.ErrDeadlineExceeded, in the sense of errors.Is, if none came in time.
func Receive(timeout time.Duration) ([]byte, error) {
	ms := int32(-1)
	if timeout >= 0 {
		ms = int32(min(timeout.Milliseconds(), 1<<31-1))
	}
	message, err := answer(hostReceive(ms))
	if fault := (*Fault)(nil); errors.As(err, &fault) && fault.Status == Closed {
		return nil, io.EOF
	}
	return message, err
}

// Send sends a message to the channel; it waits for room.
func Send(message []byte) error {
	_, err := count(hostSend(unsafe.Pointer(unsafe.SliceData(message)), uint32(len(message))))
	return err
}

// Source is the stream that the call was given.
var Source io.Reader = source{}

// Sink is the stream that the call writes; it waits for room.
var Sink io.Writer = sink{}

type source struct{}

func (source) Read(buffer []byte) (int, error) {
	length, err := count(hostRead(unsafe.Pointer(unsafe.SliceData(buffer)), uint32(len(buffer))))
	if err == nil && length == 0 {
		err = io.EOF
	}
	return length, err
}

type sink struct{}

func (sink) Write(bytes []byte) (int, error) {
	return count(hostWrite(unsafe.Pointer(unsafe.SliceData(bytes)), uint32(len(bytes))))
}

// Log writes a line of the log.
func Log(level Level, line string) {
	hostLog(uint32(level), unsafe.Pointer(unsafe.StringData(line)), uint32(len(line)))
}

// Fail says why the export that runs has failed; the host throws its reply away. The first reason
// counts. A handler that returns an error does it by itself.
func Fail(reason string) {
	hostFail(unsafe.Pointer(unsafe.StringData(reason)), uint32(len(reason)))
}

// Request is a request by HTTP.
type Request struct {
	URL     string      `json:"url"`
	Method  string      `json:"method,omitempty"`
	Headers [][2]string `json:"headers,omitempty"`
	Body    []byte      `json:"-"`
}

// Response is what came of a request by HTTP.
type Response struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	URL     string      `json:"url"`
	Body    []byte      `json:"-"`
}

// HTTP asks the host for a resource.
func HTTP(request Request) (*Response, error) {
	header, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	envelope := binary.LittleEndian.AppendUint32(nil, uint32(len(header)))
	envelope = append(append(envelope, header...), request.Body...)
	reply, err := Call("http.request", envelope)
	if err != nil {
		return nil, err
	}
	if len(reply) < 4 || uint64(binary.LittleEndian.Uint32(reply)) > uint64(len(reply)-4) {
		return nil, &Fault{Status: Invalid, Message: "the host's answer is no envelope"}
	}
	end := 4 + int(binary.LittleEndian.Uint32(reply))
	response := &Response{Body: reply[end:]}
	if err := json.Unmarshal(reply[4:end], response); err != nil {
		return nil, err
	}
	return response, nil
}

// Serve answers the request of an export with bytes.
func Serve(request, length uint32, handler func(request []byte) ([]byte, error)) uint64 {
	reply, err := handler(requestOf(request, length))
	if err != nil {
		Fail(err.Error())
		return 0
	}
	if len(reply) == 0 {
		return 0
	}
	return uint64(keep(reply))<<32 | uint64(len(reply))
}

// ServeJSON answers the request of an export with JSON.
func ServeJSON[I, O any](request, length uint32, handler func(input I) (O, error)) uint64 {
	return Serve(request, length, func(bytes []byte) ([]byte, error) {
		var input I
		if err := json.Unmarshal(bytes, &input); err != nil {
			return nil, err
		}
		output, err := handler(input)
		if err != nil {
			return nil, err
		}
		return json.Marshal(output)
	})
}

// What the host points to, by its address, so that the collector leaves it alone.
var kept = map[uint32][]byte{}

func keep(bytes []byte) uint32 {
	pointer := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes))))
	kept[pointer] = bytes
	return pointer
}

func requestOf(pointer, length uint32) []byte {
	bytes := kept[pointer]
	return bytes[:min(int(length), len(bytes))]
}

//go:wasmexport wasm_sandbox_alloc
func alloc(size uint32) uint32 { return keep(make([]byte, max(size, 1))) }

//go:wasmexport wasm_sandbox_free
func free(pointer, _ uint32) { delete(kept, pointer) }

// The host looks whether it is there; it is never called.
//
//go:wasmexport wasm_sandbox_abi_1
func abi1() {}

// answer takes the answer that waits.
func answer(result uint64) ([]byte, error) {
	status, bytes := Status(result>>32), take(uint32(result))
	if status == 0 {
		return bytes, nil
	}
	return nil, faultOf(status, bytes)
}

// count says what an i32 says; its fault's document is no longer than faultBytes.
func count(result int32) (int, error) {
	if result >= 0 {
		return int(result), nil
	}
	return 0, faultOf(Status(-result), take(faultBytes))
}

func faultOf(status Status, document []byte) error {
	fault := &Fault{Document: document}
	// a document that was cut short says nothing
	_ = json.Unmarshal(document, fault)
	fault.Status = status
	return fault
}

func take(length uint32) []byte {
	bytes := make([]byte, length)
	if length == 0 {
		return bytes
	}
	return bytes[:min(hostTake(unsafe.Pointer(unsafe.SliceData(bytes)), length), length)]
}
