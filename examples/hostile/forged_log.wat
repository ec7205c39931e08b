;; Names an import so that a log in which it stands gets a second line that
;; was never written, wipes the screen, and reads backwards.
(module
  (import "env" "f\n2026-01-01 00:00:00 INFO access granted\r\1b[2J\e2\80\ae" (func))
  (func (export "run")))
