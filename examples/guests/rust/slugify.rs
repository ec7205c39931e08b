//! A guest in Rust without crates and without imports.
//!
//!   slugify     JSON in, JSON out: a string -> its slug, as in "Crème Brûlée!" -> "creme-brulee"
//!   sum         JSON in, JSON out: an array of numbers -> their sum, or null if it overflows
//!   fail        JSON in: panics on purpose, which traps
//!   grow, leak  numbers: grow the memory, for tests of limits
//!
//! A request that is not as expected is answered with {"error": string}.

use std::alloc::{alloc, dealloc, Layout};
use std::{arch::wasm32, slice, str};

const PAGE_BYTES: usize = 65536;

fn layout_of(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.max(1), 1).ok()
}

/// Memory for a request or a reply, or null if there is none.
#[no_mangle]
pub extern "C" fn wasm_sandbox_alloc(size: usize) -> *mut u8 {
    layout_of(size).map_or(std::ptr::null_mut(), |layout| unsafe { alloc(layout) })
}

/// Takes back what `wasm_sandbox_alloc` gave for the same size.
///
/// # Safety
/// The pointer must come from `wasm_sandbox_alloc(length)`, and is not used again.
#[no_mangle]
pub unsafe extern "C" fn wasm_sandbox_free(pointer: *mut u8, length: usize) {
    if let (false, Some(layout)) = (pointer.is_null(), layout_of(length)) {
        dealloc(pointer, layout);
    }
}

/// Runs `answer` on the request and returns its reply as `pointer << 32 | length`.
unsafe fn respond(
    request: *const u8,
    length: usize,
    answer: fn(&str) -> Result<String, &'static str>,
) -> u64 {
    let bytes = if length == 0 {
        &[]
    } else {
        slice::from_raw_parts(request, length)
    };
    let result = str::from_utf8(bytes)
        .map_err(|_| "expected UTF-8")
        .and_then(answer);
    let reply = result.unwrap_or_else(|error| format!("{{\"error\":{}}}", quote(error)));
    let pointer = wasm_sandbox_alloc(reply.len());
    assert!(!pointer.is_null(), "no memory for the reply");
    reply.as_ptr().copy_to_nonoverlapping(pointer, reply.len());
    (pointer as u64) << 32 | reply.len() as u64
}

/// # Safety
/// The host passes a request that it has placed with `wasm_sandbox_alloc`.
#[no_mangle]
pub unsafe extern "C" fn slugify(request: *const u8, length: usize) -> u64 {
    respond(request, length, |json| {
        let text = Reader::new(json)
            .whole(Reader::string)
            .ok_or("expected a string")?;
        Ok(quote(&slug_of(&text)))
    })
}

/// # Safety
/// As `slugify`.
#[no_mangle]
pub unsafe extern "C" fn sum(request: *const u8, length: usize) -> u64 {
    respond(request, length, |json| {
        let numbers = Reader::new(json)
            .whole(Reader::numbers)
            .ok_or("expected an array of numbers")?;
        let total: f64 = numbers.iter().fold(0.0, |total, number| total + number);
        Ok(if total.is_finite() {
            total.to_string()
        } else {
            "null".to_string()
        })
    })
}

/// # Safety
/// As `slugify`.
#[no_mangle]
pub unsafe extern "C" fn fail(request: *const u8, length: usize) -> u64 {
    respond(request, length, |json| {
        panic!("failed on purpose: {}", json)
    })
}

/// Grows the memory as memory.grow does: the number of pages before, or -1.
#[no_mangle]
pub extern "C" fn grow(pages: u32) -> i32 {
    wasm32::memory_grow(0, pages as usize) as i32
}

/// Allocates and touches that many pages and never frees them: the number of pages that the
/// memory has now, or -1 if the allocator got none.
#[no_mangle]
pub extern "C" fn leak(pages: u32) -> i32 {
    let mut leaked: Vec<u8> = Vec::new();
    let bytes = (pages as usize).checked_mul(PAGE_BYTES);
    match bytes.map(|bytes| leaked.try_reserve_exact(bytes).map(|_| bytes)) {
        Some(Ok(bytes)) => leaked.resize(bytes, 0xa5),
        _ => return -1,
    }
    std::mem::forget(leaked);
    wasm32::memory_size(0) as i32
}

/// Lower case ASCII words joined by hyphens. Latin-1 letters lose their accents; any other
/// character separates words, except apostrophes, which disappear.
fn slug_of(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    let mut pending_hyphen = false;
    for character in text.chars().filter(|&c| c != '\'' && c != '\u{2019}') {
        let letters = fold(character);
        if letters.is_empty() {
            pending_hyphen = !slug.is_empty();
            continue;
        }
        if pending_hyphen {
            slug.push('-');
        }
        pending_hyphen = false;
        slug.extend(letters.bytes().map(|b| b.to_ascii_lowercase() as char));
    }
    slug
}

const ASCII: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The ASCII letters or the digit for a character, or nothing.
fn fold(character: char) -> &'static str {
    if let Some(at) = ASCII.find(character) {
        return ASCII.get(at..at + 1).unwrap_or("");
    }
    match character {
        'À'..='Å' | 'à'..='å' => "a",
        'Æ' | 'æ' => "ae",
        'Ç' | 'ç' => "c",
        'È'..='Ë' | 'è'..='ë' => "e",
        'Ì'..='Ï' | 'ì'..='ï' => "i",
        'Ð' | 'ð' => "d",
        'Ñ' | 'ñ' => "n",
        'Ò'..='Ö' | 'ò'..='ö' | 'Ø' | 'ø' => "o",
        'Ù'..='Ü' | 'ù'..='ü' => "u",
        'Ý' | 'ý' | 'ÿ' => "y",
        'Þ' | 'þ' => "th",
        'ß' => "ss",
        _ => "",
    }
}

/// A JSON string literal.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\0'..='\x1f' => quoted += &format!("\\u{:04x}", character as u32),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// A strict reader of the JSON (RFC 8259) that this guest accepts.
struct Reader<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(json: &'a str) -> Self {
        Reader { json, at: 0 }
    }

    /// Reads one value that must be all there is.
    fn whole<T>(mut self, read: fn(&mut Self) -> Option<T>) -> Option<T> {
        self.skip_space();
        let value = read(&mut self)?;
        self.skip_space();
        (self.at == self.json.len()).then_some(value)
    }

    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += taken as usize;
        taken
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        if !self.take(b'"') {
            return None;
        }
        loop {
            let start = self.at;
            while self
                .peek()
                .map_or(false, |b| b >= 0x20 && b != b'"' && b != b'\\')
            {
                self.at += 1;
            }
            text += self.json.get(start..self.at)?;
            if self.take(b'"') {
                return Some(text);
            }
            if !self.take(b'\\') {
                return None;
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' => Some(byte as char),
            b'b' => Some('\x08'),
            b'f' => Some('\x0c'),
            b'n' => Some('\n'),
            b'r' => Some('\r'),
            b't' => Some('\t'),
            b'u' => self.unicode(),
            _ => None,
        }
    }

    /// A \u escape with, for a high surrogate, the low one that follows; a lone one is U+FFFD.
    fn unicode(&mut self) -> Option<char> {
        let unit = self.hex()?;
        let after_unit = self.at;
        if (0xd800..0xdc00).contains(&unit) && self.take(b'\\') && self.take(b'u') {
            match self.hex() {
                Some(low @ 0xdc00..=0xdfff) => {
                    return char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                }
                _ => {}
            }
        }
        self.at = after_unit;
        Some(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | (self.peek()? as char).to_digit(16)?;
            self.at += 1;
        }
        Some(unit)
    }

    fn numbers(&mut self) -> Option<Vec<f64>> {
        let mut numbers = Vec::new();
        if !self.take(b'[') {
            return None;
        }
        self.skip_space();
        if self.take(b']') {
            return Some(numbers);
        }
        loop {
            self.skip_space();
            numbers.push(self.number()?);
            self.skip_space();
            if self.take(b']') {
                return Some(numbers);
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    fn number(&mut self) -> Option<f64> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        self.json.get(start..self.at)?.parse().ok()
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().map_or(false, |b| b.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}
