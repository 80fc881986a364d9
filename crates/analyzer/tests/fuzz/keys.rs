//! Which keys a JSON text has, read without the product.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Whether some object of the text has a key twice; the text must be JSON.
pub fn has_duplicate(text: &str) -> bool {
    serde_json::from_str::<Duplicate>(text).is_ok_and(|found| found.0)
}

/// Whether some object in a value has a key twice.
struct Duplicate(bool);

impl<'de> Deserialize<'de> for Duplicate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Duplicate, D::Error> {
        deserializer.deserialize_any(DuplicateVisitor)
    }
}

struct DuplicateVisitor;

impl<'de> Visitor<'de> for DuplicateVisitor {
    type Value = Duplicate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Duplicate, E> {
        Ok(Duplicate(false))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Duplicate, E> {
        Ok(Duplicate(false))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Duplicate, E> {
        Ok(Duplicate(false))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Duplicate, E> {
        Ok(Duplicate(false))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Duplicate, E> {
        Ok(Duplicate(false))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Duplicate, E> {
        Ok(Duplicate(false))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Duplicate, A::Error> {
        let mut found = false;
        while let Some(Duplicate(within)) = access.next_element()? {
            found |= within;
        }
        Ok(Duplicate(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Duplicate, A::Error> {
        let mut found = false;
        let mut seen = HashSet::new();
        while let Some((key, Duplicate(within))) = access.next_entry::<String, Duplicate>()? {
            found |= within | !seen.insert(key);
        }
        Ok(Duplicate(found))
    }
}
