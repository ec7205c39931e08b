//! Counts words: of its standard input, or of the files that it is given.
//!
//! ```text
//! wordfreq [--top N] [FILE...]
//! ```
//!
//! Prints one JSON object: `{"words":12,"distinct":9,"top":[["the",3],...]}`. A word is a run of
//! letters and digits of any script, in lower case. `WORDFREQ_MIN` is the length, in characters,
//! below which words are left out. Exit codes: 0 done, 1 a file could not be read, 2 wrong usage.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::process::exit;

const USAGE: &str = "usage: wordfreq [--top N] [FILE...]";

struct Options {
    top: usize,
    files: Vec<String>,
}

fn parse_args() -> Option<Options> {
    let mut options = Options { top: 10, files: Vec::new() };
    let mut args = env::args_os().skip(1);
    while let Some(arg) = args.next() {
        let text = arg.into_string().ok()?;
        match text.as_str() {
            "--top" => options.top = args.next()?.to_str()?.parse().ok()?,
            _ if text.starts_with("--") => return None,
            _ => options.files.push(text),
        }
    }
    Some(options)
}

fn read_all(files: &[String]) -> Result<String, String> {
    let mut bytes = Vec::new();
    if files.is_empty() {
        io::stdin().read_to_end(&mut bytes).map_err(|error| format!("standard input: {error}"))?;
    }
    for file in files {
        bytes.extend(fs::read(file).map_err(|error| format!("{file}: {error}"))?);
        bytes.push(b'\n');
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn count(text: &str, shortest: usize) -> Vec<(String, usize)> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for word in text.split(|letter: char| !letter.is_alphanumeric()) {
        if !word.is_empty() && word.chars().count() >= shortest {
            *counts.entry(word.to_lowercase()).or_default() += 1;
        }
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sorted
}

/// Words hold letters and digits only, so that nothing in them needs escaping.
fn to_json(counts: &[(String, usize)], top: usize) -> String {
    let words: usize = counts.iter().map(|(_, count)| count).sum();
    let list: Vec<String> =
        counts.iter().take(top).map(|(word, count)| format!("[\"{word}\",{count}]")).collect();
    format!("{{\"words\":{words},\"distinct\":{},\"top\":[{}]}}", counts.len(), list.join(","))
}

fn main() {
    let options = parse_args().unwrap_or_else(|| {
        eprintln!("{USAGE}");
        exit(2);
    });
    let shortest = env::var("WORDFREQ_MIN").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let text = read_all(&options.files).unwrap_or_else(|problem| {
        eprintln!("wordfreq: cannot read {problem}");
        exit(1);
    });
    let json = to_json(&count(&text, shortest), options.top);
    if writeln!(io::stdout(), "{json}").is_err() {
        exit(1);
    }
}
