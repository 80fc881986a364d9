//! JSON that is read whole and not kept: every string is unescaped and every number understood, as for a value.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// What was read. [`serde::de::IgnoredAny`] skips strings and numbers, and so takes escapes and numbers that no value has.
pub(super) struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Checked, D::Error> {
        deserializer.deserialize_any(CheckedVisitor)
    }
}

struct CheckedVisitor;

impl<'de> Visitor<'de> for CheckedVisitor {
    type Value = Checked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_str<E>(self, _: &str) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_unit<E>(self) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Checked, A::Error> {
        while list.next_element::<Checked>()?.is_some() {}
        Ok(Checked)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Checked, A::Error> {
        while object.next_entry::<Checked, Checked>()?.is_some() {}
        Ok(Checked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_what_a_value_refuses_in_the_same_words() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let texts = [
            "",
            "{",
            "null",
            "[1, -2, 3.5e10]",
            "1e999",
            "-1e999",
            "01",
            "[1,]",
            "{\"a\": 1,}",
            "{\"a\": {\"b\": [true, false]}}",
            "\"\\ud800\"",
            "\"\\ud83d\\ude00\"",
            "\"\\x\"",
            "\"\n\"",
            "{\"\\ud800\": 1}",
            "{\"a\": 1, \"a\": 2}",
            "{1: 2}",
            "{} {}",
            "18446744073709551616",
            "[\"\\u0000\"]",
            "nul",
            &deep,
        ];
        for text in texts {
            let check = |error: serde_json::Error| error.to_string();
            let found = serde_json::from_str::<Checked>(text).map(drop).map_err(check);
            let expect = serde_json::from_str::<serde_json::Value>(text).map(drop).map_err(check);
            assert_eq!(found, expect, "{text}");
        }
    }
}
