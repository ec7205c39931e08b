;; Never ends, in several ways.
(module
  (type $none (func))
  (memory 1)
  (table funcref (elem $even $odd))
  (func (export "loop") (loop (br 0)))
  (func (export "counts") (local i64)
    (loop (br_if 0 (i64.ne (i64.const -1)
      (local.tee 0 (i64.add (local.get 0) (i64.const 1)))))))
  (func $tree (export "tree") (param i32)
    (if (local.get 0) (then
      (call $tree (i32.sub (local.get 0) (i32.const 1)))
      (call $tree (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "grows") (loop (drop (memory.grow (i32.const 1))) (br 0)))
  (func $even)
  (func $odd (call_indirect (type $none) (i32.const 0)))
  (func (export "calls")
    (loop (call_indirect (type $none) (i32.const 1)) (br 0)))
  ;; so many turns of a loop
  (func (export "turns") (param i32) (result i32)
    (loop
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if 0 (local.get 0)))
    (i32.const 42))
  (func (export "answer") (result i32) (i32.const 42)))
