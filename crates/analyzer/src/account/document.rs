//! A document of the account, and what reading it gave.

use std::sync::{Arc, OnceLock};

use crate::document::{DocumentError, PolicyDocument};

/// A policy document as AWS returned it; parsed when first asked for.
#[derive(Clone, Debug)]
pub struct Document {
    text: Arc<str>,
    reconstructed: bool,
    parsed: Arc<OnceLock<Result<PolicyDocument, DocumentError>>>,
}

/// What reading a document gave.
#[derive(Clone, Copy, Debug)]
pub enum DocumentState<'a> {
    /// It was read, and may be rewritten.
    Regular(&'a PolicyDocument),
    /// It was read, and must be left as it is: duplicate or unknown keys.
    Irregular(&'a PolicyDocument),
    /// It could not be read: it may grant anything.
    Unreadable(&'a DocumentError),
}

impl Document {
    /// Returns the document with this text, percent-decoded.
    pub fn new(text: impl Into<Arc<str>>) -> Document {
        Document { text: text.into(), reconstructed: false, parsed: Arc::default() }
    }

    /// Returns the document with a text that was printed anew from an object: layout and duplicate keys are lost.
    pub fn reconstructed(text: impl Into<Arc<str>>) -> Document {
        Document { reconstructed: true, ..Document::new(text) }
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether the text was printed anew from an object.
    pub fn is_reconstructed(&self) -> bool {
        self.reconstructed
    }

    /// Reads the document.
    pub fn state(&self) -> DocumentState<'_> {
        match self.parsed.get_or_init(|| PolicyDocument::parse(Arc::clone(&self.text))) {
            Ok(document) if document.irregularities.is_empty() => DocumentState::Regular(document),
            Ok(document) => DocumentState::Irregular(document),
            Err(error) => DocumentState::Unreadable(error),
        }
    }

    /// Returns the parsed document, regular or not.
    pub fn policy(&self) -> Option<&PolicyDocument> {
        match self.state() {
            DocumentState::Regular(document) | DocumentState::Irregular(document) => Some(document),
            DocumentState::Unreadable(_) => None,
        }
    }
}
