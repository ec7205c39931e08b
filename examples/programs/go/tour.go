// Tour walks a directory tree, works in it and says what it sees.
//
//	tour [ROOT]
//
// It prints its arguments and the variables whose names begin with TOUR_, lists every file below
// ROOT (/trip), makes a directory there, writes, renames, reads and removes a file, and sleeps a
// moment. Exit codes: 0 done, 1 something failed.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

const greeting = "Grüße, 世界 🌍\n"

func walk(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if entry.IsDir() {
			fmt.Printf("directory %s\n", path)
		} else {
			fmt.Printf("file %s %d\n", path, info.Size())
		}
		return nil
	})
}

// work makes and renames a file in a directory of its own, and removes both.
func work(root string) error {
	folder := filepath.Join(root, "tour-ünï")
	first, second := filepath.Join(folder, "first.txt"), filepath.Join(folder, "second.txt")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(first, []byte(greeting), 0o600); err != nil {
		return err
	}
	if err := os.Rename(first, second); err != nil {
		return err
	}
	text, err := os.ReadFile(second)
	if err != nil {
		return err
	}
	fmt.Printf("read %q\n", text)
	if err := walk(folder); err != nil {
		return err
	}
	return os.RemoveAll(folder)
}

func printEnvironment() {
	variables := os.Environ()
	sort.Strings(variables)
	for _, variable := range variables {
		if strings.HasPrefix(variable, "TOUR_") {
			fmt.Printf("env %s\n", variable)
		}
	}
}

func main() {
	root := "/trip"
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	for _, arg := range os.Args[min(1, len(os.Args)):] {
		fmt.Printf("arg %s\n", arg)
	}
	printEnvironment()
	start := time.Now()
	time.Sleep(20 * time.Millisecond)
	if time.Since(start) < 15*time.Millisecond {
		fmt.Fprintln(os.Stderr, "tour: slept too short")
		os.Exit(1)
	}
	for _, step := range []func(string) error{walk, work, walk} {
		if err := step(root); err != nil {
			fmt.Fprintln(os.Stderr, "tour:", err)
			os.Exit(1)
		}
	}
}
