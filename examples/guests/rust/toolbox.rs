//! A guest in Rust that uses all of communication/guest/rust/wasm_sandbox.rs. What its exports do
//! is said in ../c/toolbox.c.

#[path = "../../../communication/guest/rust/wasm_sandbox.rs"]
mod wasm_sandbox;

use wasm_sandbox::{
    call, call_json, export_bytes, export_json, http, log, read, receive, send, version, write,
    Fault, Level, Status,
};

const LEVELS: [Level; 5] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];

export_json!(greet, lookup, store_error, converse, upper, sip, chatter, refuse, fetch);
export_bytes!(echo, reverse, relay);

fn greet(json: &str) -> Result<String, &'static str> {
    Ok(format!("{{\"greeting\":\"Hello, {}!\"}}", inside(json)?))
}

fn echo(request: &[u8]) -> Result<Vec<u8>, Fault> {
    Ok(request.to_vec())
}

fn reverse(request: &[u8]) -> Result<Vec<u8>, Fault> {
    Ok(request.iter().rev().copied().collect())
}

fn lookup(key: &str) -> Result<String, Fault> {
    call_json("kv.get", key)
}

fn relay(request: &[u8]) -> Result<Vec<u8>, Fault> {
    call("blob.turn", request)
}

fn store_error(key: &str) -> Result<String, Fault> {
    Ok(match call_json("kv.get", key) {
        Ok(answer) => format!("{{\"status\":0,\"answer\":{}}}", or_null(&answer)),
        Err(Fault { status, document }) => {
            format!("{{\"status\":{},\"fault\":{}}}", status.number(), or_null(&document))
        }
    })
}

fn converse(json: &str) -> Result<String, Fault> {
    let timeout = json.parse::<u32>().ok();
    let mut messages = 0;
    let timed_out = loop {
        match receive(timeout) {
            Ok(Some(message)) => send(&[b"{\"echo\":", &message[..], b"}"].concat())?,
            Ok(None) => break false,
            Err(fault) if fault.status == Status::TimedOut => break true,
            Err(fault) => return Err(fault),
        }
        messages += 1;
    };
    Ok(format!("{{\"messages\":{},\"timedOut\":{}}}", messages, timed_out))
}

fn upper(_request: &str) -> Result<String, Fault> {
    let mut piece = vec![0; 64 * 1024];
    let mut total: u64 = 0;
    loop {
        let length = read(&mut piece)?;
        if length == 0 {
            return Ok(format!("{{\"bytes\":{}}}", total));
        }
        piece[..length].make_ascii_uppercase();
        write(&piece[..length])?;
        total += length as u64;
    }
}

fn sip(json: &str) -> Result<String, String> {
    let size: usize = json.parse().unwrap_or(usize::MAX);
    let mut piece = [0; 64];
    let piece = piece.get_mut(..size).ok_or("expected a number up to 64")?;
    let (mut reads, mut total) = (0, 0);
    write(&[]).map_err(|fault| fault.to_string())?;
    loop {
        let length = read(piece).map_err(|fault| fault.to_string())?;
        if length == 0 {
            return Ok(format!("{{\"reads\":{},\"bytes\":{}}}", reads, total));
        }
        write(&piece[..length]).map_err(|fault| fault.to_string())?;
        reads += 1;
        total += length;
    }
}

fn chatter(json: &str) -> Result<String, Fault> {
    for level in LEVELS {
        log(level, json);
    }
    Ok(format!("{{\"lines\":{}}}", LEVELS.len()))
}

fn refuse(json: &str) -> Result<String, String> {
    Err(format!("refused: {}", json))
}

fn fetch(json: &str) -> Result<String, String> {
    inside(json)?;
    let header = format!(
        "{{\"method\":\"POST\",\"headers\":[[\"content-type\",\"text/plain\"]],\"url\":{}}}",
        json
    );
    let answer = http(&header, b"ping").map_err(|fault| fault.to_string())?;
    Ok(format!("{{\"header\":{},\"bytes\":{}}}", answer.header, answer.body.len()))
}

#[no_mangle]
pub extern "C" fn host_version() -> u32 {
    version()
}

/// What the host writes has no space around it: a string begins and ends with a quote.
fn inside(json: &str) -> Result<&str, &'static str> {
    json.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .ok_or("expected a JSON string")
}

fn or_null(json: &str) -> &str {
    if json.is_empty() {
        "null"
    } else {
        json
    }
}
