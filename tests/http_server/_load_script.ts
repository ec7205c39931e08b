/** What wrk sends, and how it checks each answer. */

/** One request in so many is hostile. */
const HOSTILE_EACH = 100;

/**
 * Each good request has a number, which its answer must have; an answer of another
 * number, or a second one of the same, is wrong.
 */
export const SCRIPT = `
local kinds = { "/spin", "/trap", "/grow", "/lie" }
local pending = {}
local threads = {}
sent, hostile, answered, failed, wrong, first = 0, 0, 0, 0, 0, ""

function setup(thread) table.insert(threads, thread) end

function request()
  sent = sent + 1
  if sent % ${HOSTILE_EACH} == 50 then
    hostile = hostile + 1
    return wrk.format("GET", kinds[hostile % #kinds + 1])
  end
  local body = "n=" .. sent
  pending[body] = true
  return wrk.format("POST", "/echo", nil, body)
end

function response(status, headers, body)
  if status == 200 and pending[body] then
    pending[body] = nil
    answered = answered + 1
    return
  end
  local kind = headers["content-type"]
  local isProblem = kind == "application/problem+json"
  if isProblem and (status == 500 or status == 502 or status == 504) then
    failed = failed + 1
    return
  end
  wrong = wrong + 1
  if first == "" then first = status .. " " .. string.sub(body, 1, 200) end
end

function done()
  local thread = threads[1]
  local function number(name) return name .. "=" .. thread:get(name) end
  print("script: " .. number("sent") .. " " .. number("hostile") .. " "
    .. number("answered") .. " " .. number("failed") .. " " .. number("wrong"))
  print("first: " .. thread:get("first"))
end
`;

/** What the script has counted. */
export interface ScriptCounts {
  /** Requests that were sent. */
  readonly sent: number;
  /** Those of them that were hostile. */
  readonly hostile: number;
  /** Good ones that were answered with what they had to be. */
  readonly answered: number;
  /** Answers that are problem documents of a guest that failed. */
  readonly failed: number;
  /** Answers that are neither. */
  readonly wrong: number;
  /** The first of them. */
  readonly first: string;
}

/** Reads what the script has printed. */
export function countsOf(output: string): ScriptCounts {
  const count = (name: string) =>
    Number(new RegExp(`script: .*\\b${name}=(\\d+)`).exec(output)?.[1] ?? NaN);
  return {
    sent: count("sent"),
    hostile: count("hostile"),
    answered: count("answered"),
    failed: count("failed"),
    wrong: count("wrong"),
    first: /^first: (.*)$/m.exec(output)?.[1] ?? "",
  };
}
