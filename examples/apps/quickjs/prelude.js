// Runs before each script: `print`, `console`, and how values are shown.
((native, globalThis) => {
  "use strict";
  const MAX_DEPTH = 6;

  const quoted = (value) =>
    typeof value === "string" ? JSON.stringify(value) : show(value, 0, []);

  function entries(value, depth, parents) {
    const inner = (each) =>
      typeof each === "string"
        ? JSON.stringify(each)
        : show(each, depth + 1, [...parents, value]);
    if (Array.isArray(value)) return `[${value.map(inner).join(", ")}]`;
    if (value instanceof Map) {
      const pairs = [...value].map(([key, each]) =>
        `${inner(key)} => ${inner(each)}`
      );
      return `Map {${pairs.join(", ")}}`;
    }
    if (value instanceof Set) {
      return `Set {${[...value].map(inner).join(", ")}}`;
    }
    const pairs = Object.entries(value).map(([key, each]) =>
      `${/^[\w$]+$/.test(key) ? key : JSON.stringify(key)}: ${inner(each)}`
    );
    return `{${pairs.join(", ")}}`;
  }

  function show(value, depth, parents) {
    if (typeof value === "bigint") return `${value}n`;
    if (Object.is(value, -0)) return "-0";
    if (typeof value === "function") return `[function ${value.name}]`;
    if (typeof value !== "object" || value === null) return String(value);
    if (value instanceof Error) return `${value}\n${value.stack ?? ""}`.trim();
    if (value instanceof Date || value instanceof RegExp) return String(value);
    if (parents.includes(value)) return "[circular]";
    if (depth >= MAX_DEPTH) return "[...]";
    return entries(value, depth, parents);
  }

  const text = (value) =>
    typeof value === "string" ? value : show(value, 0, []);
  const line = (values) => `${values.map(text).join(" ")}\n`;
  const out = (...values) => native.write(line(values));
  const err = (...values) => native.writeError(line(values));

  globalThis.print = out;
  globalThis.console = {
    log: out,
    info: out,
    debug: out,
    warn: err,
    error: err,
  };
  globalThis.std = native;
  return (value) => `${quoted(value)}\n`;
});
