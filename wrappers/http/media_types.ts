/** What the ends of names of static files stand for. */
const TYPES: ReadonlyMap<string, string> = new Map(Object.entries({
  avif: "image/avif",
  css: "text/css;charset=utf-8",
  csv: "text/csv;charset=utf-8",
  gif: "image/gif",
  htm: "text/html;charset=utf-8",
  html: "text/html;charset=utf-8",
  ico: "image/x-icon",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "text/javascript;charset=utf-8",
  json: "application/json",
  map: "application/json",
  md: "text/markdown;charset=utf-8",
  mjs: "text/javascript;charset=utf-8",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  ogg: "audio/ogg",
  otf: "font/otf",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  ttf: "font/ttf",
  txt: "text/plain;charset=utf-8",
  wasm: "application/wasm",
  wav: "audio/wav",
  webm: "video/webm",
  webmanifest: "application/manifest+json",
  webp: "image/webp",
  woff: "font/woff",
  woff2: "font/woff2",
  xml: "application/xml",
  zip: "application/zip",
}));

/**
 * The media type of a file.
 *
 * @param name Its name.
 * @returns The type by what the name ends in; bytes, if that is not known.
 */
export function mediaTypeOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const end = dot < 0 ? "" : name.slice(dot + 1).toLowerCase();
  return TYPES.get(end) ?? "application/octet-stream";
}
