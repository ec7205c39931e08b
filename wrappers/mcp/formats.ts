/**
 * Formats of texts that schemas name, as far as they are checked: RFC 3339, 5321,
 * 1123, 2673, 4291, 6901, 3986 and 9562, by their shape. Each is matched in time
 * linear in the text, whatever the text is.
 */

const DATE = String.raw`\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])`;

const TIME = String
  .raw`(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d|23:59:60)(?:\.\d+)?(?:z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`;

/** A part of a name of a host. */
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

const BYTE = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;

const IPV4 = whole(String.raw`${BYTE}(?:\.${BYTE}){3}`);

const HOSTNAME = whole(String.raw`${LABEL}(?:\.${LABEL})*\.?`);

/** A length of time has a part at the least, and behind T too. */
const DURATION = new RegExp(
  "^P(?:\\d+W|(?=.)(?:\\d+Y)?(?:\\d+M)?(?:\\d+D)?" +
    "(?:T(?=.)(?:\\d+H)?(?:\\d+M)?(?:\\d+S)?)?)$",
);

/** What tells whether a text is of a format. */
export type Format = RegExp | ((text: string) => boolean);

/** The formats; others are hints. */
export const FORMATS: Readonly<Record<string, Format>> = Object.freeze({
  "date": whole(DATE),
  "date-time": whole(`${DATE}t${TIME}`),
  "duration": DURATION,
  "email": whole(
    String.raw`[a-z0-9.!#$%&'*+/=?^_\x60{|}~-]+@${LABEL}(?:\.${LABEL})*`,
  ),
  "hostname": (text: string) => text.length <= 254 && HOSTNAME.test(text),
  "ipv4": IPV4,
  "ipv6": isIpv6,
  "json-pointer": /^(?:\/(?:[^~/]|~[01])*)*$/,
  "time": whole(TIME),
  "uri": /^[a-z][a-z0-9+.-]*:[^\s]*$/i,
  "uri-reference": /^[^\\\s#]*(?:#[^\\\s]*)?$/,
  "uuid": /^(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
});

function whole(expression: string): RegExp {
  return new RegExp(`^${expression}$`, "i");
}

/** Eight groups, of which "::" stands for one or more, and IPv4 for two. */
function isIpv6(text: string): boolean {
  if (text.length > 45) return false;
  const [front = "", back, more] = text.split("::");
  if (more !== undefined) return false;
  const [head, tail] = [front, back ?? ""].map((part) =>
    part === "" ? [] : part.split(":")
  ) as [string[], string[]];
  const groups = [...head, ...tail];
  const last = groups.at(-1) ?? "";
  const hasIpv4 = IPV4.test(last) && text.endsWith(last);
  const count = groups.length + (hasIpv4 ? 1 : 0);
  const plain = hasIpv4 ? groups.slice(0, -1) : groups;
  return (back === undefined ? count === 8 : count < 8) &&
    plain.every((group) => /^[0-9a-f]{1,4}$/i.test(group));
}
