// A calculator: + - * / % ^, brackets, names (pi, e, and those that are given),
// and the functions below. Nothing is evaluated as a script.
//
//   calc "2 * (3 + x)" x=4
//   echo "sqrt(2)" | calc
//
// The same script is a tool, a web handler and a tool of an agent: as a CGI
// program (where GATEWAY_INTERFACE is set) it answers GET /?expression=2*3 and
// what is posted, in JSON.
//
// Exit codes: 0 done, 1 the expression is wrong.

const FUNCTIONS = {
  __proto__: null,
  abs: Math.abs,
  cos: Math.cos,
  exp: Math.exp,
  floor: Math.floor,
  log: Math.log,
  max: Math.max,
  min: Math.min,
  round: Math.round,
  sin: Math.sin,
  sqrt: Math.sqrt,
  tan: Math.tan,
};

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?(?:e[+-]?\d+)?)|([a-z_]\w*)|([-+*/%^(),]))/iy;

/** Splits an expression into numbers, names and signs. */
function tokensOf(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      throw new SyntaxError(`unexpected ${JSON.stringify(text[start])}`);
    }
    const [, number, name, sign] = match;
    tokens.push({ number, name, sign });
  }
  return tokens;
}

/** Reads and computes an expression, the loosest operator first. */
class Calculation {
  #tokens;
  #names;
  #at = 0;

  constructor(text, names) {
    this.#tokens = tokensOf(text.trim());
    this.#names = { __proto__: null, pi: Math.PI, e: Math.E, ...names };
  }

  result() {
    const value = this.#sum();
    if (this.#at < this.#tokens.length) throw this.#unexpected();
    return value;
  }

  #sum() {
    let value = this.#product();
    for (let sign; (sign = this.#take("+", "-")) !== undefined;) {
      value = sign === "+" ? value + this.#product() : value - this.#product();
    }
    return value;
  }

  #product() {
    let value = this.#power();
    for (let sign; (sign = this.#take("*", "/", "%")) !== undefined;) {
      const right = this.#power();
      if (sign === "*") value *= right;
      else value = sign === "/" ? value / right : value % right;
    }
    return value;
  }

  #power() {
    if (this.#take("-") !== undefined) return -this.#power();
    const base = this.#operand();
    return this.#take("^") === undefined ? base : base ** this.#power();
  }

  #operand() {
    const { number, name } = this.#tokens[this.#at] ?? {};
    if (number !== undefined || name !== undefined) this.#at++;
    if (number !== undefined) return Number(number);
    if (name !== undefined) return this.#named(name);
    if (this.#take("(") === undefined) throw this.#unexpected();
    const value = this.#sum();
    this.#expect(")");
    return value;
  }

  #named(name) {
    if (this.#take("(") === undefined) {
      if (name in this.#names) return this.#names[name];
      throw new ReferenceError(`${name} is not known`);
    }
    const call = FUNCTIONS[name];
    if (call === undefined) throw new ReferenceError(`${name}() is not known`);
    const values = [this.#sum()];
    while (this.#take(",") !== undefined) values.push(this.#sum());
    this.#expect(")");
    return call(...values);
  }

  #take(...signs) {
    const { sign } = this.#tokens[this.#at] ?? {};
    if (!signs.includes(sign)) return undefined;
    this.#at++;
    return sign;
  }

  #expect(sign) {
    if (this.#take(sign) === undefined) throw this.#unexpected();
  }

  #unexpected() {
    const token = this.#tokens[this.#at];
    if (token === undefined) {
      return new SyntaxError("the expression ends early");
    }
    const text = token.number ?? token.name ?? token.sign;
    return new SyntaxError(`unexpected ${JSON.stringify(text)}`);
  }
}

/** The result of an expression; JSON has no other numbers. */
function calculate(text, names = {}) {
  const value = new Calculation(text, names).result();
  if (!Number.isFinite(value)) throw new RangeError(`the result is ${value}`);
  return value;
}

function answer(status, value, more = "") {
  print(`Status: ${status}\nContent-Type: application/json\n${more}`);
  print(JSON.stringify(value));
}

/** The expression of a request; undefined if the method is another. */
function expressionOf(method) {
  if (method === "POST") return std.readStdin();
  if (method !== "GET" && method !== "HEAD") return undefined;
  const query = std.getenv("QUERY_STRING") ?? "";
  const [, value = ""] = /(?:^|&)expression=([^&]*)/.exec(query) ?? [];
  return decodeURIComponent(value.replaceAll("+", " "));
}

function handleRequest() {
  try {
    const expression = expressionOf(std.getenv("REQUEST_METHOD"));
    if (expression === undefined) {
      const error = "use GET /?expression=... or POST";
      return answer("405 Method Not Allowed", { error }, "Allow: GET, POST\n");
    }
    const result = calculate(expression);
    answer("200 OK", { expression: expression.trim(), result });
  } catch (error) {
    answer("400 Bad Request", { error: error.message });
  }
}

function namesOf(args) {
  return Object.fromEntries(args.map((arg) => {
    const [, name, value] = /^([a-z_]\w*)=(.+)$/i.exec(arg) ?? [];
    if (name !== undefined && value.trim() !== "" && !isNaN(Number(value))) {
      return [name, Number(value)];
    }
    throw new SyntaxError(`${JSON.stringify(arg)} is not NAME=NUMBER`);
  }));
}

function runTool([expression, ...names]) {
  try {
    print(calculate(expression ?? std.readStdin(), namesOf(names)));
  } catch (error) {
    std.writeError(`calc: ${error.message}\n`);
    std.exit(1);
  }
}

if (std.getenv("GATEWAY_INTERFACE") !== undefined) handleRequest();
else runTool(std.args);
