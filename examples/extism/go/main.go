// A plug-in in Go, with Extism's own PDK.
package main

import (
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/extism/go-pdk"
)

//go:wasmimport extism:host/user shout
func shout(handle uint64) uint64

// Greets the input, as the configuration says.
//
//go:wasmexport greet
func greet() int32 {
	greeting, ok := pdk.GetConfig("greeting")
	if !ok {
		greeting = "Hello"
	}
	pdk.OutputString(greeting + ", " + pdk.InputString() + "!")
	return 0
}

// Gives the input before this one, and keeps this one.
//
//go:wasmexport remember
func remember() int32 {
	before := pdk.GetVar("last")
	pdk.SetVar("last", pdk.Input())
	pdk.OutputString(string(before))
	return 0
}

// Gives what the host's function makes of the input.
//
//go:wasmexport loud
func loud() int32 {
	memory := pdk.AllocateString(pdk.InputString())
	reply := pdk.FindMemory(shout(memory.Offset()))
	pdk.OutputMemory(reply)
	return 0
}

// Gives words of JSON, sorted by what they are.
//
//go:wasmexport words
func words() int32 {
	var request struct{ Text string }
	if err := json.Unmarshal(pdk.Input(), &request); err != nil {
		pdk.SetError(err)
		return 1
	}
	if err := pdk.OutputJSON(strings.Fields(request.Text)); err != nil {
		pdk.SetError(err)
		return 1
	}
	return 0
}

// Reads the file that the input names.
//
//go:wasmexport read
func read() int32 {
	content, err := os.ReadFile(pdk.InputString())
	if err != nil {
		pdk.SetError(errors.New("cannot read: " + err.Error()))
		return 1
	}
	pdk.Log(pdk.LogInfo, "read it")
	pdk.Output(content)
	return 0
}

// Makes a request to the URL that the input is.
//
//go:wasmexport fetch
func fetch() int32 {
	request := pdk.NewHTTPRequest(pdk.MethodGet, pdk.InputString())
	response := request.Send()
	pdk.Output(response.Body())
	return 0
}

func main() {}
