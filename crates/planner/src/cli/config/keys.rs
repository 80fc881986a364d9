//! Errors of TOML, with the nearest key.

use std::path::Path;

use secateur_analyzer::document::Position;

use crate::cli::failure::Failure;

/// Keys that are further from the written one than this are no help.
const MIN_SIMILARITY: f64 = 0.6;

/// Says where the error is, and for an unknown key which one may have been meant.
pub(super) fn explain(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let position = error.span().map(|span| format!(" {}", Position::of(text, span.start))).unwrap_or_default();
    let message = error.message();
    let failure = |detail: &str| Failure::error("config", format!("`{}`{position}: {detail}", path.display()));
    let Some((key, known)) = unknown_key(message) else {
        return failure(&in_words_of_toml(message)).help(super::HELP);
    };
    let nearest = known
        .iter()
        .map(|known| (strsim::jaro_winkler(key, known), *known))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let failure = failure(&format!("unknown key `{key}`"));
    match nearest {
        Some((_, nearest)) => failure.help(format!("did you mean `{nearest}`?")),
        None => failure.help(format!("the keys here are {}", known.join(", "))),
    }
}

/// What a message says in the words of Rust, in those of TOML.
fn in_words_of_toml(message: &str) -> String {
    let words = [
        ("expected u32", "expected a whole number, not negative"),
        ("expected usize", "expected a whole number, not negative"),
        ("a sequence", "a list"),
        ("sequence", "list"),
        ("map", "table"),
    ];
    let message = words.iter().fold(message.to_owned(), |message, (rust, toml)| message.replace(rust, toml));
    match message.split_once("struct ") {
        Some((head, tail)) => format!("{head}a table{}", tail.trim_start_matches(|c: char| c.is_ascii_alphanumeric())),
        None => message,
    }
}

/// The key and those that are known, of serde's message: "unknown field `a`, expected one of `b`, `c`".
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (key, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).collect();
    Some((key, known))
}
