//! The guest's side of the guest ABI, version 1 (docs/guest-abi.md), for edition 2021 from Rust
//! 1.63 on, with the standard library or, from 1.68 on, with `alloc` alone.
//!
//! Put this file beside your `lib.rs`, whose crate type is `cdylib`:
//!
//! ```ignore
//! mod wasm_sandbox;
//! use wasm_sandbox::{call_json, Fault};
//!
//! fn lookup(key: &str) -> Result<String, Fault> {
//!     call_json("kv.get", key)
//! }
//! wasm_sandbox::export_json!(lookup);
//! ```
//!
//! With that the module exports `lookup`, `wasm_sandbox_alloc`, `wasm_sandbox_free` and
//! `wasm_sandbox_abi_1`. An error that a handler returns is told to the host, which throws it to
//! the caller; the guest lives on.
//!
//! Memory. A handler borrows its request, which the host frees when the handler has returned. The
//! reply is moved to the host, which frees it as well. Whatever the host answers is an owned
//! `Vec` of exactly its length. Nothing here panics: what the host refuses is a [`Fault`], and so
//! is an answer for which there is no memory.

#![allow(dead_code)]

extern crate alloc;

use alloc::{
    alloc::{alloc as allocate, dealloc, Layout},
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, slice, str};

/// The version of the guest ABI that this file speaks.
pub const ABI: u32 = 1;

/// Longest document that `send`, `read` and `write` leave behind.
const FAULT_BYTES: usize = 4096;

mod host {
    #[link(wasm_import_module = "wasm_sandbox")]
    extern "C" {
        pub fn version() -> u32;
        pub fn call(name: *const u8, name_len: usize, input: *const u8, input_len: usize) -> u64;
        pub fn receive(timeout_ms: i32) -> u64;
        pub fn take(buffer: *mut u8, length: usize) -> usize;
        pub fn send(message: *const u8, length: usize) -> i32;
        pub fn read(buffer: *mut u8, length: usize) -> i32;
        pub fn write(bytes: *const u8, length: usize) -> i32;
        pub fn log(level: u32, line: *const u8, length: usize);
        pub fn fail(reason: *const u8, length: usize);
    }
}

/// Why the host did not do what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// The policy does not permit it.
    Denied,
    /// There is no such function, channel or stream.
    Unknown,
    /// The message is not what it must be.
    Invalid,
    /// The function failed.
    Failed,
    /// The message is too long.
    TooLarge,
    /// The channel or stream is closed.
    Closed,
    /// It was not done in its time.
    TimedOut,
    /// Told by this file: there is no memory for the answer, which is lost.
    NoMemory,
    /// A status of a later version.
    Other(u32),
}

impl Status {
    /// Its number in the ABI; 255 for [`Status::NoMemory`], which has none.
    pub fn number(self) -> u32 {
        match self {
            Status::Denied => 1,
            Status::Unknown => 2,
            Status::Invalid => 3,
            Status::Failed => 4,
            Status::TooLarge => 5,
            Status::Closed => 6,
            Status::TimedOut => 7,
            Status::NoMemory => 255,
            Status::Other(number) => number,
        }
    }

    fn of(number: u32) -> Self {
        match number {
            1 => Status::Denied,
            2 => Status::Unknown,
            3 => Status::Invalid,
            4 => Status::Failed,
            5 => Status::TooLarge,
            6 => Status::Closed,
            7 => Status::TimedOut,
            255 => Status::NoMemory,
            other => Status::Other(other),
        }
    }
}

/// What the host says when it did not do what it was asked for.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Why.
    pub status: Status,
    /// What the host says about it, as JSON: `{"code":"…","message":"…","data":…}`.
    pub document: String,
}

impl Fault {
    fn new(status: Status, bytes: Vec<u8>) -> Self {
        // cut short it may end within a character
        let document = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).to_string());
        Fault { status, document }
    }

    /// A word for programs, such as `not-found`.
    pub fn code(&self) -> String {
        self.member("\"code\":\"")
    }

    /// What it is, in a sentence.
    pub fn message(&self) -> String {
        match self.status {
            Status::NoMemory => "no memory for the answer".to_string(),
            _ => self.member("\"message\":\""),
        }
    }

    /// A quote within a string is escaped, so that `start` stands nowhere else before the member.
    fn member(&self, start: &str) -> String {
        let mut text = String::new();
        let rest = match self.document.find(start) {
            Some(at) => self.document.get(at + start.len()..).unwrap_or(""),
            None => "",
        };
        let mut characters = rest.chars();
        while let Some(character) = characters.next() {
            text.push(match character {
                '"' => break,
                '\\' => match characters.next() {
                    Some('b') => '\x08',
                    Some('f') => '\x0c',
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some('u') => {
                        let digits = characters.as_str().get(..4).unwrap_or("");
                        characters = characters.as_str().get(4..).unwrap_or("").chars();
                        u32::from_str_radix(digits, 16)
                            .ok()
                            .and_then(char::from_u32)
                            .unwrap_or(char::REPLACEMENT_CHARACTER)
                    }
                    Some(escaped) => escaped,
                    None => break,
                },
                _ => character,
            });
        }
        text
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message())
    }
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The least.
    Trace,
    /// For who writes the guest.
    Debug,
    /// What happens.
    Info,
    /// What should not happen.
    Warn,
    /// What must not happen.
    Error,
}

/// The version of the ABI that the host speaks.
pub fn version() -> u32 {
    unsafe { host::version() }
}

/// Calls a function of the host that takes and gives bytes.
pub fn call(name: &str, input: &[u8]) -> Result<Vec<u8>, Fault> {
    answer(unsafe { host::call(name.as_ptr(), name.len(), input.as_ptr(), input.len()) })
}

/// Calls a function of the host that takes and gives JSON.
pub fn call_json(name: &str, json: &str) -> Result<String, Fault> {
    call(name, json.as_bytes()).and_then(text)
}

/// Takes the next message of the channel: `None` once it is closed and empty. Waits for
/// `timeout_ms`, without one for as long as the call may take.
pub fn receive(timeout_ms: Option<u32>) -> Result<Option<Vec<u8>>, Fault> {
    let timeout = timeout_ms.map_or(-1, |ms| ms.min(i32::MAX as u32) as i32);
    match answer(unsafe { host::receive(timeout) }) {
        Ok(message) => Ok(Some(message)),
        Err(fault) if fault.status == Status::Closed => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Sends a message to the channel; waits for room.
pub fn send(message: &[u8]) -> Result<(), Fault> {
    count(unsafe { host::send(message.as_ptr(), message.len()) }).map(drop)
}

/// Reads some bytes of the call's source; 0 at its end. An empty buffer is a fault.
pub fn read(buffer: &mut [u8]) -> Result<usize, Fault> {
    count(unsafe { host::read(buffer.as_mut_ptr(), buffer.len()) })
}

/// Writes all of it to the call's sink; waits for room.
pub fn write(bytes: &[u8]) -> Result<(), Fault> {
    count(unsafe { host::write(bytes.as_ptr(), bytes.len()) }).map(drop)
}

/// Writes a line of the log.
pub fn log(level: Level, line: &str) {
    unsafe { host::log(level as u32, line.as_ptr(), line.len()) }
}

/// Says why the export that runs has failed; the host throws its reply away. The first reason
/// counts. A handler that returns an error does it by itself.
pub fn fail(reason: &str) {
    unsafe { host::fail(reason.as_ptr(), reason.len()) }
}

/// What came of a request by HTTP.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// JSON: `{"status":200,"headers":[["name","value"],…],"url":"…"}`.
    pub header: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Asks the host for a resource by HTTP. The header is JSON:
/// `{"url":"…","method":"GET","headers":[["name","value"],…]}`.
pub fn http(header: &str, body: &[u8]) -> Result<HttpAnswer, Fault> {
    let mut request = Vec::new();
    if request.try_reserve_exact(4 + header.len() + body.len()).is_err() {
        return Err(Fault::new(Status::NoMemory, Vec::new()));
    }
    request.extend_from_slice(&(header.len() as u32).to_le_bytes());
    request.extend_from_slice(header.as_bytes());
    request.extend_from_slice(body);
    let mut answer = call("http.request", &request)?;
    let wrong = || Fault::new(Status::Invalid, Vec::new());
    let prefix = answer.get(..4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    let length = u32::from_le_bytes(prefix.ok_or_else(wrong)?) as usize;
    if length > answer.len() - 4 {
        return Err(wrong());
    }
    let body = answer.split_off(4 + length);
    answer.drain(..4);
    Ok(HttpAnswer { header: text(answer)?, body })
}

/// Exports functions `fn(&str) -> Result<String, impl Display>` that take and give JSON.
#[allow(unused_macros)]
macro_rules! export_json {
    ($($handler:ident),+ $(,)?) => { $(
        const _: () = {
            #[export_name = stringify!($handler)]
            unsafe extern "C" fn export(request: *const u8, length: usize) -> u64 {
                $crate::wasm_sandbox::serve_json(request, length, $handler)
            }
        };
    )+ };
}

/// Exports functions `fn(&[u8]) -> Result<Vec<u8>, impl Display>`.
#[allow(unused_macros)]
macro_rules! export_bytes {
    ($($handler:ident),+ $(,)?) => { $(
        const _: () = {
            #[export_name = stringify!($handler)]
            unsafe extern "C" fn export(request: *const u8, length: usize) -> u64 {
                $crate::wasm_sandbox::serve(request, length, $handler)
            }
        };
    )+ };
}

#[allow(unused_imports)]
pub(crate) use {export_bytes, export_json};

/// Answers a request with bytes; what `export_bytes` makes an export of.
///
/// # Safety
/// The host passes a request that it has placed with `wasm_sandbox_alloc`.
pub unsafe fn serve<E: fmt::Display>(
    request: *const u8,
    length: usize,
    handler: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> u64 {
    // an empty request may lie at 0, which no slice may
    let request = if length == 0 { &[] } else { slice::from_raw_parts(request, length) };
    let reply = handler(request).unwrap_or_else(|error| {
        fail(&error.to_string());
        Vec::new()
    });
    // the host gives back as many bytes as it was told of
    let reply = reply.into_boxed_slice();
    let length = reply.len();
    let pointer = if length == 0 { 0 } else { alloc::boxed::Box::into_raw(reply) as *mut u8 as usize };
    (pointer as u64) << 32 | length as u64
}

/// Answers a request with JSON; what `export_json` makes an export of.
///
/// # Safety
/// As [`serve`].
pub unsafe fn serve_json<E: fmt::Display>(
    request: *const u8,
    length: usize,
    handler: impl FnOnce(&str) -> Result<String, E>,
) -> u64 {
    serve(request, length, |bytes| match str::from_utf8(bytes) {
        Ok(json) => handler(json).map(String::into_bytes).map_err(|error| error.to_string()),
        Err(_) => Err("expected UTF-8".to_string()),
    })
}

/// Memory for a request, or null if there is none.
#[no_mangle]
pub extern "C" fn wasm_sandbox_alloc(size: usize) -> *mut u8 {
    match Layout::from_size_align(size, 1) {
        Ok(layout) if size > 0 => unsafe { allocate(layout) },
        Ok(_) => core::ptr::NonNull::dangling().as_ptr(),
        Err(_) => core::ptr::null_mut(),
    }
}

/// Takes back a request or a reply.
///
/// # Safety
/// The pointer must come from `wasm_sandbox_alloc(length)`, or be that of a reply of this length.
#[no_mangle]
pub unsafe extern "C" fn wasm_sandbox_free(pointer: *mut u8, length: usize) {
    if let (false, 1.., Ok(layout)) = (pointer.is_null(), length, Layout::from_size_align(length, 1)) {
        dealloc(pointer, layout);
    }
}

/// Tells the host which version of the ABI this module is made for; it is never called.
#[no_mangle]
pub extern "C" fn wasm_sandbox_abi_1() {}

/// Takes the answer that waits.
fn answer(result: u64) -> Result<Vec<u8>, Fault> {
    let status = (result >> 32) as u32;
    match take(result as u32 as usize) {
        None if status == 0 => Err(Fault::new(Status::NoMemory, Vec::new())),
        Some(bytes) if status == 0 => Ok(bytes),
        bytes => Err(Fault::new(Status::of(status), bytes.unwrap_or_default())),
    }
}

/// What an i32 says; its fault's document is no longer than `FAULT_BYTES`.
fn count(result: i32) -> Result<usize, Fault> {
    usize::try_from(result).map_err(|_| {
        Fault::new(Status::of(result.unsigned_abs()), take(FAULT_BYTES).unwrap_or_default())
    })
}

/// What waits, if there is memory for it; it is dropped otherwise.
fn take(length: usize) -> Option<Vec<u8>> {
    let mut bytes: Vec<u8> = Vec::new();
    if length == 0 {
        return Some(bytes);
    }
    if bytes.try_reserve_exact(length).is_err() {
        unsafe { host::take(core::ptr::null_mut(), 0) };
        return None;
    }
    unsafe {
        let taken = host::take(bytes.as_mut_ptr(), length);
        bytes.set_len(taken.min(length));
    }
    Some(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|_| Fault::new(Status::Invalid, Vec::new()))
}
