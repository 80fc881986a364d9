//! The forms in which policy documents come.
//!
//! IAM's API returns percent-encoded text; the AWS CLI decodes it and prints an object
//! (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyVersion.html>).

use std::borrow::Cow;

use secateur_analyzer::account::Document;
use secateur_analyzer::document::indented;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A document as it stands in a file; equal when the tokens and the white space between them are.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct DocumentValue<'a> {
    #[serde(borrow)]
    raw: &'a RawValue,
}

impl PartialEq for DocumentValue<'_> {
    fn eq(&self, other: &DocumentValue<'_>) -> bool {
        self.raw.get() == other.raw.get()
    }
}

impl DocumentValue<'_> {
    /// Returns the document. What is no document becomes one that cannot be read, and is therefore kept.
    pub(super) fn document(self) -> Document {
        // Percent-encoded text has no escapes, and is not copied.
        if let Ok(text) = serde_json::from_str::<&str>(self.raw.get()) {
            return Document::new(decoded(text));
        }
        match serde_json::from_str::<Cow<'_, str>>(self.raw.get()) {
            Ok(text) => Document::new(decoded(&text)),
            Err(_) => Document::reconstructed(indented(self.raw.get())),
        }
    }
}

/// Decodes RFC 3986 percent-encoding, in which `+` is a plus sign; text that is not encoded is returned as it is.
pub(crate) fn decoded(text: &str) -> Cow<'_, str> {
    if text.trim_start().starts_with('{') {
        return Cow::Borrowed(text);
    }
    // Never longer than it was.
    let mut bytes = Vec::with_capacity(text.len());
    bytes.extend(percent_encoding::percent_decode_str(text));
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use secateur_analyzer::account::DocumentState;

    use super::*;

    const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::a+b/50%25/é"}]}"#;

    fn document(json: &str) -> Document {
        serde_json::from_str::<DocumentValue<'_>>(json).unwrap().document()
    }

    fn encoded(text: &str) -> String {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    }

    #[test]
    fn all_forms_give_the_same_policy() {
        let check = |json: &str, reconstructed: bool| {
            let document = document(json);
            assert_eq!(document.is_reconstructed(), reconstructed, "{json}");
            let policy = document.policy().unwrap();
            let statement = &policy.statements[0];
            let actions: Vec<&str> = statement.actions.list().entries.iter().map(|e| e.pattern.as_str()).collect();
            assert_eq!(actions, ["s3:Get*"]);
            assert_eq!(statement.resources[0].text, "arn:aws:s3:::a+b/50%25/é");
            assert_eq!(
                secateur_analyzer::document::fingerprint(document.text()),
                secateur_analyzer::document::fingerprint(POLICY)
            );
        };
        check(POLICY, true);
        check(&serde_json::to_string(POLICY).unwrap(), false);
        check(&serde_json::to_string(&format!("\n  {POLICY}")).unwrap(), false);
        check(&serde_json::to_string(&encoded(POLICY)).unwrap(), false);
        // What the encoding may leave as it is, `+` among it.
        let partly = encoded(POLICY).replace("%2B", "+").replace("%2A", "*").replace("%3A", ":");
        check(&serde_json::to_string(&partly).unwrap(), false);
    }

    #[test]
    fn the_exact_text_is_kept() {
        for text in ["{ }", "{\r\n\t\"a\" : 1}\n", " {\"+\":\"%41\"}"] {
            assert_eq!(document(&serde_json::to_string(text).unwrap()).text(), text);
        }
        assert_eq!(document(r#""%20%7B%22a%22%3A%22%2541+%22%7D""#).text(), r#" {"a":"%41+"}"#);
        let duplicate = document(r#"{"Statement":[],"Statement":[]}"#);
        assert_eq!(duplicate.text(), "{\n    \"Statement\": [],\n    \"Statement\": []\n}");
        assert!(matches!(duplicate.state(), DocumentState::Irregular(_)));
    }

    #[test]
    fn what_is_no_document_is_unreadable() {
        for json in [r#""%FF%FE""#, r#""""#, r#""nonsense""#, "null", "7", "[]", r#""%7B%22""#] {
            assert!(matches!(document(json).state(), DocumentState::Unreadable(_)), "{json}");
        }
        assert_eq!(document(r#""%FF%FE""#).text(), "%FF%FE");
    }
}
