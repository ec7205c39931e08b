// Csvjson turns CSV with a line of names into JSON: an array of objects.
//
//	csvjson [-delimiter ";"] [-numbers] < table.csv
//
// The same program is a tool, a web handler and a tool of an agent: as a CGI
// program (where GATEWAY_INTERFACE is set) it takes what is posted, and its
// options as ?delimiter=;&numbers.
//
// Exit codes: 0 done, 1 the input is no CSV, 2 wrong usage.
package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"unicode/utf8"
)

type options struct {
	delimiter string
	numbers   bool
}

func (o options) comma() (rune, error) {
	comma, size := utf8.DecodeRuneInString(o.delimiter)
	if size == 0 || size != len(o.delimiter) {
		return 0, errors.New("the delimiter must be one character")
	}
	return comma, nil
}

// value is a cell as JSON has it.
func (o options) value(cell string) any {
	if !o.numbers || cell == "" {
		return cell
	}
	// only what JSON, too, takes for a number; with all of its digits
	if _, err := strconv.ParseFloat(cell, 64); err != nil || !json.Valid([]byte(cell)) {
		return cell
	}
	return json.Number(cell)
}

// convert writes a row at a time: what it needs does not grow with the table.
func (o options) convert(input io.Reader, output io.Writer) error {
	comma, err := o.comma()
	if err != nil {
		return err
	}
	reader := csv.NewReader(input)
	reader.Comma = comma
	names, err := reader.Read()
	if err == io.EOF {
		_, err = io.WriteString(output, "[]\n")
		return err
	}
	if err != nil {
		return err
	}
	before := ""
	if _, err := io.WriteString(output, "["); err != nil {
		return err
	}
	for {
		row, err := reader.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		object := make(map[string]any, len(names))
		for index, name := range names {
			object[name] = o.value(row[index])
		}
		line, err := json.Marshal(object)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(output, "%s%s", before, line); err != nil {
			return err
		}
		before = ",\n"
	}
	_, err = io.WriteString(output, "]\n")
	return err
}

// runTool is the program on a command line.
func runTool() int {
	var o options
	flag.StringVar(&o.delimiter, "delimiter", ",", "what is between two cells")
	flag.BoolVar(&o.numbers, "numbers", false, "write cells that are numbers as such")
	flag.Parse()
	if _, err := o.comma(); err != nil || flag.NArg() > 0 {
		flag.Usage()
		return 2
	}
	output := bufio.NewWriter(os.Stdout)
	err := o.convert(os.Stdin, output)
	if err == nil {
		err = output.Flush()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "csvjson: %v\n", err)
		return 1
	}
	return 0
}

// refuse answers a request with why it is not done.
func refuse(status, reason string) int {
	fmt.Printf("Status: %s\nContent-Type: text/plain; charset=utf-8\n\n%s\n", status, reason)
	return 0
}

// handleRequest is the program behind a web server.
func handleRequest() int {
	if os.Getenv("REQUEST_METHOD") != "POST" {
		fmt.Print("Allow: POST\n")
		return refuse("405 Method Not Allowed", "Post CSV; ?delimiter=C&numbers.")
	}
	query, err := url.ParseQuery(os.Getenv("QUERY_STRING"))
	if err != nil {
		return refuse("400 Bad Request", err.Error())
	}
	o := options{delimiter: ",", numbers: query.Has("numbers")}
	if query.Has("delimiter") {
		o.delimiter = query.Get("delimiter")
	}
	// the answer begins when it is known how it ends
	var answer bytes.Buffer
	if err := o.convert(os.Stdin, &answer); err != nil {
		return refuse("400 Bad Request", err.Error())
	}
	fmt.Printf("Content-Type: application/json\n\n%s", answer.Bytes())
	return 0
}

func main() {
	if os.Getenv("GATEWAY_INTERFACE") != "" {
		os.Exit(handleRequest())
	}
	os.Exit(runTool())
}
